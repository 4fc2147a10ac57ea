"""Where things stand, altered by whoever owns the database: the chart, advances, payouts, bookings, holds."""

from typing import Any

import pytest
from sqlmodel import Session

from ledger.aid import rulings
from ledger.aid.advances import Advance
from ledger.aid.batches import Batch
from ledger.giving import payouts
from ledger.giving.payouts import Payout
from ledger.storage.engine import transaction
from tests.bookcheck import found, told_after
from tests.bookkeeping import RECORDER
from tests.cards import a_charge, a_dispute, a_fee, a_payout, book, furnish
from tests.cast import LEAF, NOW, TODAY, House, byn, engine_of, eur, give
from tests.given import a_stray_gift, match
from tests.purses import (
    a_released_batch,
    a_requested_advance,
    a_sent_advance,
    acknowledge,
    an_agent,
    an_approved_batch,
    approve_advance,
    give_euros,
)


def all_found(session: Session, check: str, attacks: dict[str, str]) -> None:
    """The check finds nothing before, and something after each attack."""
    session.commit()
    engine = engine_of(session)
    with transaction(engine, write=False) as looking:
        assert found(looking, by={check}) == []
    told = told_after(engine, {name: (statement, check) for name, statement in attacks.items()})
    assert [name for name, by in told.items() if by != {check}] == []


def of(row: Advance | Batch, change: str) -> str:
    return f"UPDATE {row.__tablename__} SET {change} WHERE alias = '{row.alias}'"  # noqa: S608  # the words of this file


def test_an_account_that_counts_as_something_else_is_found(house: House) -> None:
    all_found(
        house.session,
        "chart",
        {
            "an expense as an asset": "UPDATE account SET account_class = 'asset' WHERE code = '6200'",
            "management as programme": "UPDATE account SET function = 'programme' WHERE code = '6300'",
            "agents' money as no cash": "UPDATE account SET cash = true WHERE code = '1200'",
            "money that counts": "UPDATE account SET liquid = true WHERE code = '1350'",
            "aid about nobody": "UPDATE account SET subject = '' WHERE code = '5000'",
            "leaves of any currency": "UPDATE account SET pooled = false WHERE code = '1000'",
            "a leaf as an expense": "UPDATE account SET account_class = 'expense' WHERE code = '1000:byn-main'",
            "an account less": "DELETE FROM account WHERE code = '5300'",
            "an account more": "UPDATE account SET code = '5555' WHERE code = '5300'",
        },
    )


def test_an_advance_that_was_sent_or_received_otherwise_than_booked_is_found(house: House) -> None:
    give_euros(house)
    agent = an_agent(house)
    asked = a_requested_advance(house, agent, fines=eur("10.00"))
    on_its_way = a_sent_advance(house, agent, fines=eur("20.00"))
    received = acknowledge(house, a_sent_advance(house, agent, fines=eur("30.00")), byn("90.00"))

    all_found(
        house.session,
        "advances-sent",
        {
            "sent that was asked for": of(asked, "state = 'sent'"),
            "sent on a day": of(asked, "sent_on = '2020-11-01'"),
            "lost, and never sent": of(asked, "state = 'lost'"),
            "not sent yet": of(on_its_way, "state = 'released'"),
            "cancelled when it had left": of(on_its_way, "state = 'cancelled'"),
            "settled on its way": of(on_its_way, "state = 'settled'"),
            "sent on another day": of(on_its_way, "sent_on = '2020-11-01'"),
            "received and given back": of(received, "state = 'returned'"),
            "received on another day": of(received, "acknowledged_on = '2020-11-30'"),
        },
    )


def test_a_batch_that_stands_where_nobody_has_led_it_is_found(house: House) -> None:
    give(house.session, byn("8100.00"))
    approved = an_approved_batch(house, None, LEAF, [house.a_verified_case()])
    released = a_released_batch(house, None, LEAF, [house.a_verified_case()])

    all_found(
        house.session,
        "batches-stand",
        {
            "released": of(approved, "state = 'released'"),
            "released on a day": of(approved, "released_on = '2020-11-20'"),
            "not agreed to": of(approved, "state = 'locked'"),
            "not released": of(released, "state = 'approved'"),
            "reconciled": of(released, "state = 'reconciled'"),
            "released on another day": of(released, "released_on = '2020-11-19'"),
        },
    )


def test_a_ruling_that_is_moved_to_another_case_is_found(house: House) -> None:
    house.a_verified_case()
    other = house.a_verified_case()
    (moved,) = rulings.of_case(house.session, other.alias)

    all_found(
        house.session,
        "rulings-of-cases",
        {
            "to no case of ours": f"UPDATE ruling SET case_alias = 'C-AAAA-AAAA-AAAA' WHERE alias = '{moved.alias}'",  # noqa: S608  # the words of this file
            "to another person's": "UPDATE ruling SET case_alias = (SELECT min(alias) FROM aid_case)",
        },
    )


def test_another_fund_than_the_entrys_is_found(house: House) -> None:
    give(house.session, byn("810.00"))
    house.tell(house.an_approved_payment())
    match(house, a_stray_gift(house, byn("7.00")))

    all_found(
        house.session,
        "funds-of-rows",
        {
            "of an obligation": "UPDATE obligation SET fund_code = 'general'",
            "of a gift": "UPDATE gift_step SET fund_code = 'detention'",
        },
    )


def test_what_is_held_on_another_fund_or_leaf_is_found(house: House) -> None:
    give(house.session, byn("8100.00"))
    house.an_approved_payment()
    house.a_released_payment()
    give_euros(house)
    approve_advance(house, a_requested_advance(house, an_agent(house), fines=eur("10.00")))

    all_found(
        house.session,
        "holds-placed",
        {
            "another fund": "UPDATE hold SET fund_code = 'general' WHERE source_key LIKE 'disbursement%approved'",
            "another leaf": "UPDATE hold SET account_code = '1000:byn-reserve' WHERE reserves = 'leaf'",
            "another fund's advance": "UPDATE hold SET fund_code = 'general' WHERE source_key LIKE 'advance%'",
            "for something else": "UPDATE hold SET held_for = 'O-AAAA-AAAA-AAAA' WHERE reserves = 'spendable'",
        },
    )


@pytest.fixture
def carded(founded: Session) -> Session:
    """Two gifts by card, a dispute, a fee and two payouts, of which the bank has shown one."""
    furnish(founded)
    gifts = a_charge(eur("200.00"), fee=eur("6.40")), a_charge(eur("50.00"), nth=2)
    book(founded, *gifts, a_dispute(gifts[1], eur("50.00")), a_fee(eur("1.00")))
    book(founded, a_payout(eur("10.00")), a_payout(eur("20.00"), nth=2))
    shown = founded.get_one(Payout, "po_Invented0001")
    facts: dict[str, Any] = {"source_key": "test:payout", "recorded_at": NOW, "recorded_by": RECORDER}
    payouts.arrive(founded, shown, bank="1000:eur-main", on=TODAY, **facts)
    return founded


def test_a_payout_of_another_day_leaf_or_state_is_found(carded: Session) -> None:
    all_found(
        carded,
        "payout-rows",
        {
            "another day": "UPDATE payout SET created_on = '2020-10-30'",
            "another leaf": "UPDATE payout SET account_code = '1100:usd'",
            "not seen yet": "UPDATE payout SET state = 'created' WHERE paid_on IS NOT NULL",
            "seen": "UPDATE payout SET state = 'paid' WHERE paid_on IS NULL",
            "failed": "UPDATE payout SET state = 'failed'",
        },
    )


def test_what_moved_at_the_processor_is_about_what_its_entry_says(carded: Session) -> None:
    all_found(
        carded,
        "bookings",
        {
            "another gift": "UPDATE movement_booking SET about = 'G-AAAA-AAAA-AAAA' WHERE recipe = 'card_gift'",
            "no gift": "UPDATE movement_booking SET about = NULL WHERE recipe = 'card_gift'",
            "another payout": "UPDATE movement_booking SET about = 'po_Other' WHERE recipe = 'payout_created'",
            "a fee of a gift": "UPDATE movement_booking SET about = 'G-AAAA-AAAA-AAAA' WHERE recipe = 'processor_fee'",
            "another fund": "UPDATE movement_booking SET fund_code = 'detention' WHERE recipe = 'card_gift'",
            "a payout less": "DELETE FROM payout WHERE paid_on IS NULL",
        },
    )
