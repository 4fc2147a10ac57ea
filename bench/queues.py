"""How long a page of the queue takes, and its counts, at 100,000 cases, on both databases."""

from collections.abc import Iterator
from functools import partial

from sqlalchemy import Engine, text
from sqlmodel import Session

from bench.databases import DAY, RECORDER, Books
from bench.linkages import fill
from bench.rows import Row, seconds
from ledger import queue
from ledger.people import Role
from ledger.storage.engine import transaction

ROLES = (Role.INTAKE, Role.APPROVER, Role.TREASURER)
OPERATOR, APPROVER = "OP-0000-0000-0009", "OP-0000-0000-0008"
_AT_MOST_MS = 50
_COUNTS_AT_MOST_MS = 100
"""All sections of all roles at once, each counted anew: 130,000 things here. A page is what is promised."""
_STATES = {5: "verified", 6: "verified", 7: "approved", 8: "on_hold", 9: "paid"}
"""By the last digit of an alias; the others stay received, and a tenth of these shares a ruling with others."""


def rows(books: Books, *, quick: bool) -> Iterator[Row]:
    """The slowest first or second page of fifty, and all counts."""
    many = 5_000 if quick else 100_000
    for name, engine in books.empty.items():
        fill(engine, many)
        _spread(engine)
        with transaction(engine, write=False) as session:
            slowest = max(_pages(session, section.name) for section in queue.SECTIONS)
            counted = seconds(partial(queue.counts, session, roles=ROLES, operator=OPERATOR, on=DAY), repeats=5)
        size = f"{many:,} cases, {name}"
        yield Row(f"slowest page of the queue, {size}", None, slowest * 1000, "ms", at_most=_AT_MOST_MS)
        yield Row(f"counts of the queue, {size}", None, counted * 1000, "ms", at_most=_COUNTS_AT_MOST_MS)


def _pages(session: Session, name: str) -> float:
    read = partial(queue.page, session, name, roles=ROLES, operator=OPERATOR, on=DAY, limit=50)
    first = read(after=None)
    spent = seconds(partial(read, after=None), repeats=5)
    if first:
        place = (first[-1].deadline, first[-1].object)
        spent = max(spent, seconds(partial(read, after=place), repeats=5))
    return spent


def _spread(engine: Engine) -> None:
    """Cases in every state, and payments that wait: for measuring only, and once."""
    with transaction(engine) as session:
        connection = session.connection()
        if connection.execute(text("SELECT 1 FROM disbursement")).first() is not None:
            return
        for digit, state in _STATES.items():
            resumes = "'verified'" if state == "on_hold" else "NULL"
            connection.execute(
                text(
                    "UPDATE aid_case SET state = :state, "  # noqa: S608  # a word of our own
                    f"resumes_as = {resumes} WHERE alias LIKE :end"
                ),
                {"state": state, "end": f"%{digit}"},
            )
        connection.execute(text("UPDATE aid_case SET is_suspect = true WHERE alias LIKE '%0'"))
        for state, case_state in (("requested", "verified"), ("approved", "approved")):
            connection.execute(
                text(
                    "INSERT INTO disbursement (alias, obligation_alias, case_alias, state, version, payee, "
                    "payee_commitment, fund_code, account_code, minor, currency, reference, requested_by, approved_by, "
                    "due_by) SELECT 'D' || substr(c.alias, 2), o.alias, c.alias, :state, 1, 'authority', '0', 'fines', "
                    "'1000:eur-0', o.minor, o.currency, c.alias, :by, :other, c.due_by "
                    "FROM aid_case c JOIN obligation o ON o.case_alias = c.alias WHERE c.state = :case_state"
                ),
                {"state": state, "by": RECORDER, "other": APPROVER, "case_state": case_state},
            )
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
