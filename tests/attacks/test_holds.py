"""Attacks on holds with SQL of one's own, past every verb, on both engines."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from ledger.books import holds
from ledger.books.holds import NewHold, Reserve
from tests.bookkeeping import DAY, EUR_LEAF, LATER, OBLIGATION
from tests.cast import eur

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
KEY = "test:hold"
FITS, NUMBERED = "guard: a hold gives what is left of it", "guard: what moves on a hold is numbered"
MOVEMENT = (
    "INSERT INTO hold_movement (hold_key, number, source_key, move, minor, moved_on) "
    "VALUES (:hold, :number, :key, :move, :minor, '2020-11-02')"
)
HOLD = (
    "INSERT INTO hold (source_key, reserves, fund_code, account_code, minor, currency, held_for, placed_on) "
    "VALUES (:key, :reserves, :fund, :account, :minor, 'EUR', 'O-0000-0000-0001', '2020-11-02')"
)


@pytest.fixture(autouse=True)
def a_hold(founded: Session) -> None:
    """100.00 EUR, of which 40.00 are captured; committed."""
    new = NewHold(source_key=KEY, reserves=Reserve.SPENDABLE, amount=eur("100.00"), held_for=OBLIGATION, fund="fines")
    holds.place(founded, new, on=DAY)
    holds.capture(founded, KEY, eur("40.00"), source_key="test:1", on=DAY)
    founded.commit()


def move(connection: Connection, minor: Any, *, verb: str = "captured", number: Any = 2, **other: Any) -> None:
    row = {"hold": KEY, "key": "attack:1", "number": number, "move": verb, "minor": minor}
    connection.execute(text(MOVEMENT), row | other)


def hold(connection: Connection, **other: Any) -> None:
    row = {"key": "attack:hold", "reserves": "spendable", "fund": "fines", "account": None, "minor": 1}
    connection.execute(text(HOLD), row | other)


@contextmanager
def refused(engine: Engine, because: str | None = None) -> Iterator[Connection]:
    before = content(engine)
    with pytest.raises(DBAPIError, match=because), engine.begin() as connection:
        yield connection
    assert content(engine) == before


def content(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return [
            repr(row)
            for name in ("hold", "hold_movement")
            for row in connection.execute(text(f"SELECT * FROM {name} ORDER BY 1, 2"))  # noqa: S608  # our own names
        ]


def test_what_fits_is_accepted(engine: Engine) -> None:
    with engine.begin() as connection:
        move(connection, 1_000)
        move(connection, 5_000, verb="voided", number=3, key="attack:2")


@pytest.mark.parametrize("verb", ["captured", "voided", "expired"])
def test_no_hold_gives_more_than_is_left(engine: Engine, verb: str) -> None:
    with refused(engine, FITS) as connection:
        move(connection, 6_001, verb=verb)


@pytest.mark.parametrize("verb", ["voided", "expired"])
def test_an_end_leaves_nothing(engine: Engine, verb: str) -> None:
    with refused(engine, FITS) as connection:
        move(connection, 5_999, verb=verb)


@pytest.mark.parametrize("end", ["captured", "voided", "expired"])
@pytest.mark.parametrize("verb", ["captured", "voided", "expired"])
def test_nothing_comes_after_the_end(engine: Engine, founded: Session, end: str, verb: str) -> None:
    founded.rollback()
    with engine.begin() as connection:
        move(connection, 6_000, verb=end)

    with refused(engine, FITS) as connection:
        move(connection, 1, verb=verb, number=3, key="attack:2")


@pytest.mark.parametrize("minor", [0, -1, -(2**62)])
def test_nothing_is_put_back(engine: Engine, minor: int) -> None:
    with refused(engine) as connection:
        move(connection, minor)


@pytest.mark.parametrize("number", [1, 3, 0, -1, 2_000])
def test_no_movement_stands_out_of_its_order(engine: Engine, number: int) -> None:
    with refused(engine, NUMBERED) as connection:
        move(connection, 1, number=number)


def test_no_part_is_taken_twice_nor_of_a_hold_that_is_none(engine: Engine) -> None:
    with refused(engine) as connection:
        move(connection, 1, key="test:1")
    with refused(engine) as connection:
        move(connection, 1, hold="test:none", number=1)
    with refused(engine) as connection:
        move(connection, 1, verb="returned")


def test_two_in_one_statement_are_looked_at_one_by_one(engine: Engine) -> None:
    with refused(engine, FITS) as connection:
        connection.execute(
            text(
                "INSERT INTO hold_movement (hold_key, number, source_key, move, minor, moved_on) VALUES "
                "('test:hold', 2, 'attack:1', 'captured', 5000, '2020-11-02'), "
                "('test:hold', 3, 'attack:2', 'captured', 5000, '2020-11-02')"
            )
        )


@on_sqlite
@pytest.mark.parametrize("minor", [1.5, "many", b"1", None])
def test_on_sqlite_no_part_is_anything_but_whole(engine: Engine, minor: Any) -> None:
    with refused(engine) as connection:
        move(connection, minor)
    with refused(engine) as connection:
        hold(connection, minor=minor)


@pytest.mark.parametrize(
    "wrong",
    [
        {"minor": 0},
        {"minor": -5},
        {"reserves": "hope"},
        {"fund": None},
        {"fund": "nowhere"},
        {"account": EUR_LEAF},
        {"reserves": "leaf"},
        {"reserves": "leaf", "fund": None},
        {"reserves": "in_hand", "fund": None},
        {"reserves": "leaf", "account": "1000:nowhere"},
        {"key": KEY},
    ],
)
def test_no_hold_is_on_nothing_on_two_things_or_placed_twice(engine: Engine, wrong: dict[str, Any]) -> None:
    with refused(engine) as connection:
        hold(connection, **wrong)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM hold",
        "DELETE FROM hold_movement",
        "UPDATE hold SET minor = 1",
        "UPDATE hold SET expires_on = '2020-01-01'",
        "UPDATE hold_movement SET minor = 1",
        "UPDATE hold_movement SET source_key = 'attack:1'",
    ],
)
def test_holds_are_only_added(engine: Engine, statement: str) -> None:
    with refused(engine, r"guard: (UPDATE|DELETE) of hold(_movement)? is refused") as connection:
        connection.execute(text(statement))


@on_postgresql
def test_holds_are_not_emptied(engine: Engine) -> None:
    for names in ("hold_movement", "hold, hold_movement"):
        with refused(engine, "guard: TRUNCATE of ") as connection:
            connection.execute(text(f"TRUNCATE {names}"))


@on_sqlite
@pytest.mark.parametrize("pragma", ["recursive_triggers", "foreign_keys"])
def test_on_sqlite_nothing_is_replaced_even_without_our_settings(engine: Engine, pragma: str) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql(f"PRAGMA {pragma} = OFF")
        for statement, row in (
            (HOLD, {"key": KEY, "reserves": "spendable", "fund": "fines", "account": None, "minor": 1}),
            (MOVEMENT, {"hold": KEY, "key": "test:1", "number": 2, "move": "captured", "minor": 1}),
            (MOVEMENT, {"hold": KEY, "key": "attack:1", "number": 1, "move": "captured", "minor": 1}),
            (MOVEMENT, {"hold": "test:none", "key": "attack:1", "number": 1, "move": "captured", "minor": 1}),
        ):
            with pytest.raises(DBAPIError, match="guard: "):
                connection.execute(text(statement.replace("INSERT", "INSERT OR REPLACE", 1)), row)
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql(f"PRAGMA {pragma} = ON")


@on_postgresql
@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_at_once_nobody_takes_what_another_takes(engine: Engine, level: str) -> None:
    def take() -> None:
        with engine.begin() as connection:
            connection.execute(text(f"SET TRANSACTION ISOLATION LEVEL {level}"))
            move(connection, 4_000, key="attack:2")

    with ThreadPoolExecutor(1) as threads:
        with engine.begin() as connection:
            move(connection, 4_000)
            taking = threads.submit(take)
            with pytest.raises(TimeoutError):
                taking.result(0.3)
        with pytest.raises(DBAPIError):
            taking.result()

    with Session(engine) as session:
        assert holds.left(session, holds.require(session, KEY)) == eur("20.00")


def test_the_verbs_see_what_was_written_past_them(founded: Session, engine: Engine) -> None:
    with engine.begin() as connection:
        move(connection, 6_000, verb="voided")

    assert holds.capture(founded, KEY, eur("1.00"), source_key="test:2", on=LATER) == eur("0.00")
