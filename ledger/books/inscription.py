"""Inscription: how entries and their lines are set down, by each database's own driver. Only the journal calls this.

The unit of work would write the entry first, and every layer above the driver costs more than the writing itself.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from psycopg import IntegrityError as IntegrityViolation
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from ledger.books.entries import Draft
from ledger.books.postings import Posting, Side
from ledger.storage.driver import Driver, driver_of, told_shortly
from ledger.storage.engine import FAILED

_LINE = "line (entry_id, number, account_code, fund_code, currency, minor, subject, case_alias, rate_on, xact_id)"
_ENTRY = (
    "entry (id, source_key, fingerprint, kind, happened_on, effective_on, recorded_at, recorded_by, reverses_id, "
    "because, xact_id)"
)
_SQLITE_LINE = f"INSERT INTO {_LINE} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)"  # noqa: S608  # names of our own
_SQLITE_ENTRY = f"INSERT INTO {_ENTRY} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)"  # noqa: S608  # names of our own
_SQLITE_NEXT = "SELECT coalesce(max(id), 0) + 1 FROM entry"
_POSTGRESQL_POST = "SELECT * FROM post_entry(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
_POSTGRESQL_NEXT = "SELECT nextval('entry_number') FROM generate_series(1, %s)"
_FIND = {
    "sqlite": "SELECT source_key, id, fingerprint FROM entry WHERE source_key IN (SELECT value FROM json_each(?))",
    "postgresql": "SELECT source_key, id, fingerprint FROM entry WHERE source_key = ANY(%s)",
}


class Standing(NamedTuple):
    """An entry that stands in the journal already."""

    id: int
    fingerprint: str


def write(session: Session, draft: Draft) -> int | Standing:
    """Sets one entry down and gives its number; or what stands under its source key, and then nothing is written.

    Raises:
        IntegrityError: the same was booked or reversed meanwhile, or its month closed. Nothing stays behind.
    """
    driver = driver_of(session)
    if driver.dialect == "sqlite":
        standing = find(session, [draft.source_key]).get(draft.source_key)
        return standing or _write_on_sqlite(driver, [draft])[0]
    lines = json.dumps([_line(posting) for posting in draft.postings])
    with told_shortly(driver) as connection:
        row = connection.execute(_POSTGRESQL_POST, (*_facts(draft), lines)).fetchone()
    entry_id, fingerprint, failure = row
    if failure is not None:
        raise IntegrityError(None, None, Exception(failure), hide_parameters=True)
    return int(entry_id) if fingerprint is None else Standing(entry_id, fingerprint)


def write_many(session: Session, drafts: Sequence[Draft]) -> Sequence[int]:
    """Sets all entries down, or none, and gives their numbers in the same order. None of their source keys stands.

    Raises:
        IntegrityError: as `write`, also when one of the keys was booked meanwhile.
    """
    driver = driver_of(session)
    return _write_on_sqlite(driver, drafts) if driver.dialect == "sqlite" else _copy_to_postgresql(driver, drafts)


def find(session: Session, source_keys: Sequence[str]) -> Mapping[str, Standing]:
    """Which of the source keys stand in the journal."""
    driver = driver_of(session)
    sought = json.dumps(source_keys) if driver.dialect == "sqlite" else source_keys
    with told_shortly(driver) as connection:
        rows = connection.execute(_FIND[driver.dialect], (sought,)).fetchall()
    return {key: Standing(entry_id, fingerprint) for key, entry_id, fingerprint in rows}


def _write_on_sqlite(driver: Driver, drafts: Sequence[Draft]) -> Sequence[int]:
    """BEGIN IMMEDIATE: nobody else writes between the look at the last number and the inserts.

    Under a savepoint SQLite needs more than twice the time. Without one a failure leaves lines behind, so from then on
    the transaction can only be rolled back. After the checks only a fault can fail here, as there is no other writer.
    """
    with told_shortly(driver) as connection:
        (first,) = connection.execute(_SQLITE_NEXT).fetchone()
        numbers = range(first, first + len(drafts))
        try:
            connection.executemany(_SQLITE_LINE, _line_rows(numbers, drafts))
            connection.executemany(
                _SQLITE_ENTRY,
                ((number, *_facts_as_text(draft)) for number, draft in zip(numbers, drafts, strict=True)),
            )
        except BaseException:
            driver.info[FAILED] = True
            raise
    return numbers


def _copy_to_postgresql(driver: Driver, drafts: Sequence[Draft]) -> Sequence[int]:
    """The entries in the order of their keys: who books the same facts at once waits, and not crosswise.

    Under a savepoint: whoever finds that another transaction has booked one of them looks again, and goes on.
    """
    with told_shortly(driver) as connection:
        numbers = [number for (number,) in connection.execute(_POSTGRESQL_NEXT, (len(drafts),))]
        connection.execute("SAVEPOINT inscription")
        try:
            with connection.cursor() as cursor:
                with cursor.copy(f"COPY {_LINE} FROM STDIN") as copy:
                    for row in _line_rows(numbers, drafts):
                        copy.write_row((*row, 0))
                with cursor.copy(f"COPY {_ENTRY} FROM STDIN") as copy:
                    for number, draft in sorted(zip(numbers, drafts, strict=True), key=lambda one: one[1].source_key):
                        copy.write_row((number, *_facts(draft), 0))
        except IntegrityViolation:
            connection.execute("ROLLBACK TO SAVEPOINT inscription")
            raise
        connection.execute("RELEASE SAVEPOINT inscription")
    return numbers


def _facts(draft: Draft) -> tuple[Any, ...]:
    """The columns of an entry but its number, in the order of `_ENTRY`."""
    return draft[:9]


def _facts_as_text(draft: Draft) -> tuple[Any, ...]:
    """The same with dates and moments as SQLite keeps them."""
    return (
        draft.source_key,
        draft.fingerprint,
        draft.kind,
        draft.happened_on.isoformat(),
        draft.effective_on.isoformat(),
        draft.recorded_at.replace(tzinfo=None).isoformat(" ", "microseconds"),
        draft.recorded_by,
        draft.reverses_id,
        draft.because,
    )


def _line_rows(numbers: Sequence[int], drafts: Sequence[Draft]) -> Iterator[tuple[Any, ...]]:
    for entry_id, draft in zip(numbers, drafts, strict=True):
        for number, posting in enumerate(draft.postings, start=1):
            yield (entry_id, number, *_line(posting))


def _line(posting: Posting) -> tuple[Any, ...]:
    """The columns of a line but its numbers, in the order of `_LINE`."""
    money = posting.money
    return (
        posting.account,
        posting.fund,
        money.currency,
        money.minor if posting.side is Side.DEBIT else -money.minor,
        posting.subject,
        posting.case,
        None if posting.rate_on is None else posting.rate_on.isoformat(),
    )
