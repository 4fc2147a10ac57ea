"""How long the join of a book's obligations with a register of rulings takes, on both databases."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, insert, text
from sqlmodel import Session, SQLModel

from bench.databases import DAY, NOW, RECORDER, Books
from bench.rows import Row, seconds
from ledger.aid import eligibility, jurisdictions, linkage
from ledger.aid.beneficiaries import Beneficiary
from ledger.aid.cases import Case
from ledger.aid.cases import State as CaseState
from ledger.aid.linkage import Grain, RegisterRow
from ledger.aid.obligations import Obligation, ObligationKind
from ledger.aid.obligations import State as ObligationState
from ledger.aid.rulings import Ruling
from ledger.money import Money
from ledger.storage.engine import transaction

AMOUNTS = (27_000, 40_500, 54_000, 67_500, 81_000)
ARTICLE = "23.34"
_FIRST_DAY, _DAYS = date(2020, 8, 10), 200
_AT_MOST_SECONDS = 10
"""What `linkage.measure` promises is "seconds"."""


def rows(books: Books, *, quick: bool) -> Iterator[Row]:
    """100,000 obligations, each a ruling and a case of its own, with a register of as many lines: all are in it."""
    many = 5_000 if quick else 100_000
    pack = jurisdictions.load("by")
    register = [
        RegisterRow(
            Money(AMOUNTS[nth % len(AMOUNTS)], pack.currency), _day(nth), ARTICLE, pack.regions[nth % len(pack.regions)]
        )
        for nth in range(many)
    ]
    for name, engine in books.empty.items():
        fill(engine, many)
        with transaction(engine, write=False) as session:
            spent = seconds(partial(_measure, session, register, many))
        yield Row(f"link {many:,} obligations and rulings, {name}", None, spent, "s", at_most=_AT_MOST_SECONDS)


def _measure(session: Session, register: list[RegisterRow], many: int) -> None:
    fits = linkage.measure(session, register)
    if len(fits) != many or not all(fit.k[Grain.WEEK] for fit in fits):
        raise AssertionError("an obligation was not found in a register that holds it")


def fill(engine: Engine, many: int) -> None:
    """Writes so many cases past intake and its boxes, once: for measuring only."""
    with transaction(engine, write=False) as session:
        if session.get(Case, _alias("C", 0)) is not None:
            return
    pack = jurisdictions.load("by")
    days = {
        day: eligibility.bounds(pack, kind="fine", issued_on=day, in_force_on=None) for day in map(_day, range(_DAYS))
    }
    made: dict[type[SQLModel], list[dict[str, Any]]] = {
        Beneficiary: [{"alias": _alias("B", nth), "created_at": NOW} for nth in range(many)],
        Case: [
            {
                "alias": _alias("C", nth),
                "beneficiary_alias": _alias("B", nth),
                "jurisdiction": pack.id,
                "state": CaseState.RECEIVED,
                "version": 1,
                "entered_by": RECORDER,
                "received_on": DAY,
                "due_by": DAY + timedelta(days=nth % 60),
                "state_since": DAY,
                "is_suspect": False,
            }
            for nth in range(many)
        ],
        Ruling: [
            {
                "alias": _alias("R", nth),
                "case_alias": _alias("C", nth),
                "article": ARTICLE,
                "region": pack.regions[nth % len(pack.regions)],
                **asdict(days[_day(nth)]),
            }
            for nth in range(many)
        ],
        Obligation: [
            {
                "alias": _alias("O", nth),
                "case_alias": _alias("C", nth),
                "ruling_alias": _alias("R", nth),
                "kind": ObligationKind.FINE,
                "state": ObligationState.DUE,
                "minor": AMOUNTS[nth % len(AMOUNTS)],
                "currency": pack.currency,
            }
            for nth in range(many)
        ],
    }
    with transaction(engine) as session:
        for table, told in made.items():
            _write(session.connection(), table, told)


def _write(connection: Connection, table: type[SQLModel], told: list[dict[str, Any]]) -> None:
    """On PostgreSQL by COPY, and foreign keys are not looked up: else it takes minutes."""
    if connection.dialect.name == "sqlite":
        connection.execute(insert(table), told)
        return
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    columns = list(told[0])
    cursor: Any = connection.connection.cursor()
    with cursor.copy(f"COPY {table.__tablename__} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in told:
            copy.write_row([str(row[column]) for column in columns])


def _alias(prefix: str, nth: int) -> str:
    return f"{prefix}-0000-{nth // 10_000:04}-{nth % 10_000:04}"


def _day(nth: int) -> date:
    return _FIRST_DAY + timedelta(days=nth % _DAYS)
