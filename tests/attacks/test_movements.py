"""Attacks with SQL of one's own: a movement booked twice, otherwise, by another entry, or forgotten."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from ledger.giving import unread
from ledger.giving.unread import Told
from tests import cards
from tests.cards import a_charge, a_fee, a_refund, book
from tests.cast import eur

CHARGE = a_charge(eur("100.00"), fee=eur("3.20"))
WAITING = a_refund(a_charge(eur("7.00"), nth=9), eur("7.00"), nth=9)
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture(autouse=True)
def standing(founded: Session) -> None:
    """A gift and a fee that are booked, and a refund that waits for its charge; committed."""
    cards.furnish(founded)
    book(founded, CHARGE, a_fee(eur("1.00")), WAITING)
    unread.keep(founded, [replace(Told.of(a_fee(eur("2.00"), nth=2)), currency="ZZZ")])
    founded.commit()


@contextmanager
def refused(engine: Engine, because: str) -> Iterator[Connection]:
    before = content(engine)
    with pytest.raises(DBAPIError, match=because), engine.begin() as connection:
        yield connection
    assert content(engine) == before


def content(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return [
            repr(connection.execute(text(f"SELECT * FROM {table} ORDER BY balance_transaction")).all())  # noqa: S608  # our own names
            for table in ("movement", "movement_booking", "unread_movement")
        ]


UNREAD_KEPT = "guard: .* of unread_movement is refused"
ONCE, OWN = "guard: a movement is booked once", "guard: a movement is booked by its own entry"
KEPT, TAKEN = "guard: .* of movement is refused", "not_replaced|not replaced|nique|duplicate"


@pytest.mark.parametrize(
    ("statement", "because"),
    [
        ("UPDATE unread_movement SET document = '{}'", UNREAD_KEPT),
        ("DELETE FROM unread_movement", UNREAD_KEPT),
        (
            "UPDATE movement_booking SET recipe = 'processor_fee' WHERE recipe = 'card_gift'",
            f"{ONCE}|{OWN}",
        ),
        (
            "UPDATE movement_booking SET fund_code = 'general', about = NULL WHERE recipe = 'card_gift'",
            f"{ONCE}|{OWN}",
        ),
        (
            (
                "UPDATE movement_booking SET state = 'waiting', reason = 'twice', recipe = NULL, account_code = NULL, "
                "entry_id = NULL WHERE recipe = 'card_gift'"
            ),
            f"{ONCE}|{OWN}",
        ),
        (
            "UPDATE movement_booking SET gross_minor = -699 WHERE state = 'waiting'",
            f"{ONCE}|{OWN}",
        ),
        (
            "UPDATE movement_booking SET balance_transaction = 'txn_Fee0001' WHERE state = 'waiting'",
            f"{ONCE}|{OWN}",
        ),
        ("DELETE FROM movement_booking WHERE recipe = 'card_gift'", f"{ONCE}|{OWN}"),
        ("DELETE FROM movement_booking WHERE state = 'waiting'", f"{ONCE}|{OWN}"),
        ("UPDATE movement SET gross_minor = 9999, net_minor = 9679 WHERE category = 'charge'", KEPT),
        ("UPDATE movement SET fee_minor = 0, net_minor = 10000 WHERE category = 'charge'", KEPT),
        ("UPDATE movement SET source = 'ch_Invented0002' WHERE category = 'charge'", KEPT),
        ("DELETE FROM movement WHERE category = 'refund'", KEPT),
        # booked by the entry of another, or by none of the processor's
        (
            (
                "UPDATE movement_booking SET state = 'booked', reason = NULL, awaits = NULL, recipe = 'card_gift', "
                "account_code = '1100:eur', entry_id = (SELECT max(id) FROM entry WHERE kind = 'processor_fee') "
                "WHERE state = 'waiting'"
            ),
            OWN,
        ),
        # a second booking, of the same movement and of one that was never told
        ("INSERT INTO movement_booking SELECT * FROM movement_booking WHERE recipe = 'card_gift'", TAKEN),
        (
            (
                "INSERT INTO movement_booking (balance_transaction, gross_minor, state, recipe, account_code, entry_id)"
                " SELECT balance_transaction, 1, state, recipe, account_code, entry_id FROM movement_booking"
                " WHERE recipe = 'card_gift'"
            ),
            f"{OWN}|{TAKEN}",
        ),
        (
            (
                "INSERT INTO movement_booking (balance_transaction, gross_minor, state, reason) "
                "VALUES ('txn_Never0001', 100, 'waiting', 'twice')"
            ),
            "FOREIGN KEY|foreign key",
        ),
        # the same balance transaction and amount once more
        (
            "INSERT INTO movement SELECT * FROM movement WHERE category = 'charge'",
            TAKEN,
        ),
    ],
)
def test_a_movement_is_booked_once_by_its_own_entry_and_stays_so(engine: Engine, statement: str, because: str) -> None:
    with refused(engine, because) as connection:
        connection.execute(text(statement))


@on_sqlite
@pytest.mark.parametrize("table", ["movement", "movement_booking", "unread_movement"])
def test_on_sqlite_nothing_is_replaced_even_without_our_settings(engine: Engine, table: str) -> None:
    with refused(engine, "not replaced|booked once") as connection:
        connection.exec_driver_sql("PRAGMA recursive_triggers = OFF")
        connection.execute(text(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"))  # noqa: S608  # our own names


@on_postgresql
def test_on_postgresql_bookings_are_not_emptied(engine: Engine) -> None:
    with refused(engine, ONCE) as connection:
        connection.execute(text("TRUNCATE movement_booking"))


def test_what_waited_is_booked_when_its_charge_comes(founded: Session) -> None:
    """The guard admits what the verbs do."""
    book(founded, a_charge(eur("7.00"), nth=9))
    (refund,) = book(founded, WAITING)

    assert (refund.state, refund.recipe) == ("booked", "gift_refunded")
