"""Gifts without a purpose get one by a signature, once; and what became of each gift can be told."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from ledger import queue
from ledger.approvals import ActDiffers, Agreed, NotInRole
from ledger.books import accounts, balances
from ledger.books.accounts import NotPostable, UnknownAccount
from ledger.giving import donations, purposes
from ledger.giving.donations import Donation
from ledger.giving.purpose_versions import UnknownPurpose
from ledger.money import Money
from ledger.people import Role
from ledger.treasury import gift_assignments, gift_histories, transfers
from ledger.treasury.gift_assignments import (
    BadAssignment,
    GiftAssignment,
    NothingLeft,
    NotUnassigned,
    UnknownGift,
)
from tests import cards
from tests.bookcheck import assert_it_holds, found
from tests.bookkeeping import CARD_LEAF
from tests.cards import a_charge, a_dispute, a_refund, a_refund_failure
from tests.cast import LEAF, TODAY, House, Person, agreed_by, engine_of, eur, nothing_written, race
from tests.coffers import on_new_transfer, on_transfer, read_consent
from tests.purses import EUR_LEAF

GIVEN_ON = date(2020, 11, 12)
CHARGE = a_charge(eur("100.00"), fee=eur("3.20"), purpose=None, on=GIVEN_ON)


@pytest.fixture
def given(house: House) -> House:
    """100.00 EUR given by card, and nobody knows what for."""
    accounts.add_leaf(house.session, CARD_LEAF, name="Cards", currency="EUR")
    accounts.add_leaf(house.session, EUR_LEAF, name="Euros", currency="EUR")
    purposes.add(house.session, "DETENTION", fund="detention", text="For bills.", net_of_costs=False)
    cards.book(house.session, CHARGE)
    house.session.commit()
    return house


def the_gift(house: House) -> Donation:
    (gift,) = donations.listed(house.session)
    return gift


def on_gift(
    house: House, *, left: Money | None = None, purpose: str = "FINES", account: str = CARD_LEAF, **other: Any
) -> Agreed:
    """What the treasurer signs about the gift."""
    left = left or eur("100.00")
    by: Person = other.pop("by", house.fund.clara)
    stated: dict[str, Any] = {
        "object": the_gift(house).alias,
        "amount": left.decimal(),
        "currency": left.currency,
        "payee_commitment": gift_assignments.commitment(purpose=purpose, account=account),
    }
    return agreed_by(by, "assign_gift", **(stated | other))


def assign(house: House, *, purpose: str = "FINES", account: str = CARD_LEAF, **other: Any) -> GiftAssignment:
    agreed = on_gift(house, purpose=purpose, account=account, **other)
    row = gift_assignments.assign(house.session, the_gift(house).alias, purpose=purpose, account=account, agreed=agreed)
    house.session.commit()
    return row


def share(house: House, account: str, fund: str) -> Money:
    return balances.balance(house.session, account, currency="EUR", fund=fund)


def in_queue(house: House) -> list[str]:
    found_ones = queue.page(
        house.session,
        "gifts_without_purpose",
        roles={Role.TREASURER},
        operator=house.fund.clara.alias,
        on=TODAY,
        after=None,
        limit=10,
    )
    return [one.object for one in found_ones]


# --- what a signature does


def test_a_gift_without_a_purpose_waits_for_the_treasurer_until_one_says_what_it_is_for(given: House) -> None:
    gift = the_gift(given)
    assert in_queue(given) == [gift.alias] == [one.alias for one in gift_assignments.unassigned(given.session)]

    assign(given)

    assert (gift.fund_code, gift.purpose_code, gift.purpose_version) == ("fines", "FINES", 0)
    assert [share(given, "4000", fund) for fund in ("unassigned", "fines")] == [eur("0.00"), eur("-100.00")]
    assert [share(given, CARD_LEAF, fund) for fund in ("unassigned", "fines")] == [eur("0.00"), eur("100.00")]
    assert in_queue(given) == [] == gift_assignments.unassigned(given.session)
    assert_it_holds(engine_of(given.session))


def test_of_a_gift_that_was_partly_given_back_the_rest_and_the_refund_move_together(given: House) -> None:
    cards.book(given.session, a_refund(CHARGE, eur("30.00"), on=GIVEN_ON))

    assign(given, left=eur("70.00"))
    cards.book(given.session, a_refund(CHARGE, eur("20.00"), nth=2, on=TODAY))
    given.session.commit()

    assert [share(given, "4190", fund) for fund in ("unassigned", "fines")] == [eur("0.00"), eur("50.00")]
    assert [share(given, CARD_LEAF, fund) for fund in ("unassigned", "fines")] == [eur("0.00"), eur("50.00")]
    assert_it_holds(engine_of(given.session))


def test_the_whole_life_of_a_gift_is_told_in_its_order(given: House) -> None:
    gift = the_gift(given)
    assign(given, account=CARD_LEAF)
    new = transfers.NewTransfer(
        alias="F-0000-0000-0001",
        giver="fines",
        taker="detention",
        account=EUR_LEAF,
        amount=eur("40.00"),
        consent=gift.alias,
        consent_commitment="ab" * 32,
    )
    transfer = transfers.request(given.session, new, on_new_transfer(new, by=given.fund.clara))
    read_consent(given, transfer)
    transfers.approve(given.session, transfer.alias, on_transfer(transfer, by=given.fund.boris))
    cards.book(given.session, a_refund(CHARGE, eur("10.00"), on=TODAY))
    given.session.commit()

    told, events = gift_histories.of_gift(given.session, gift.alias)

    assert told == gift
    assert [(one.on, one.kind, one.amount, one.fund, one.out_of) for one in events] == [
        (GIVEN_ON, "card_gift", eur("100.00"), "unassigned", None),
        (TODAY, "gift_assigned", eur("100.00"), "fines", None),
        (TODAY, "gift_refunded", eur("10.00"), "fines", None),
        (TODAY, "moved_between_funds", eur("40.00"), "detention", "fines"),
    ]
    with pytest.raises(UnknownGift):
        gift_histories.of_gift(given.session, "G-0000-0000-0000")


# --- refusals


IMPOSSIBLE: tuple[tuple[dict[str, Any], Any], ...] = (
    ({"purpose": "NOBODYS"}, UnknownPurpose),
    ({"account": "1100:nowhere"}, UnknownAccount),
    ({"account": LEAF}, NotPostable),
    ({"account": "4000"}, BadAssignment),
    ({"left": eur("99.99")}, ActDiffers),
    ({"object": "G-0000-0000-0000"}, ActDiffers),
    ({"payee_commitment": gift_assignments.commitment(purpose="DETENTION", account=CARD_LEAF)}, ActDiffers),
    ({"payee_commitment": gift_assignments.commitment(purpose="FINES", account=EUR_LEAF)}, ActDiffers),
    ({"version": 2}, ActDiffers),
)


def test_what_cannot_be_and_a_signature_on_something_else_are_refused(given: House) -> None:
    for stated, error in IMPOSSIBLE:
        with nothing_written(given.session), pytest.raises(error):
            assign(given, **stated)


def test_only_a_treasurer_says_it_and_only_of_a_gift_that_there_is(given: House) -> None:
    agreed = on_gift(given)

    with nothing_written(given.session), pytest.raises(NotInRole):
        assign(given, by=given.fund.boris)
    with nothing_written(given.session), pytest.raises(UnknownGift):
        gift_assignments.assign(given.session, "G-0000-0000-0000", purpose="FINES", account=CARD_LEAF, agreed=agreed)


def test_it_is_said_once(given: House) -> None:
    assign(given)

    for purpose in ("FINES", "DETENTION"):
        with nothing_written(given.session), pytest.raises(NotUnassigned):
            assign(given, purpose=purpose)


def test_a_gift_that_is_called_back_went_back_or_is_owed_gets_no_purpose(given: House) -> None:
    refund = a_refund(CHARGE, eur("30.00"), on=GIVEN_ON)
    cards.book(given.session, refund, a_refund_failure(refund, on=GIVEN_ON))
    given.session.commit()
    with nothing_written(given.session), pytest.raises(NothingLeft):
        assign(given, left=eur("70.00"))

    cards.book(given.session, a_dispute(CHARGE, eur("70.00"), on=GIVEN_ON))
    given.session.commit()
    with nothing_written(given.session), pytest.raises(NotUnassigned):
        assign(given, left=eur("70.00"))


def test_a_gift_that_went_back_waits_for_nobody(given: House) -> None:
    cards.book(given.session, a_refund(CHARGE, eur("100.00"), on=GIVEN_ON))
    given.session.commit()

    with nothing_written(given.session), pytest.raises(NothingLeft):
        assign(given, left=eur("100.00"))
    assert in_queue(given) == []


def test_of_two_people_at_once_one_is_heard(given: House) -> None:
    agreed = [(purpose, on_gift(given, purpose=purpose)) for purpose in ("FINES", "DETENTION")]
    alias = the_gift(given).alias

    def saying(purpose: str, act: Agreed) -> Callable[[Session], GiftAssignment]:
        return lambda session: gift_assignments.assign(session, alias, purpose=purpose, account=CARD_LEAF, agreed=act)

    answers = race(given.session, *(saying(*one) for one in agreed))

    assert sorted(type(answer).__name__ for answer in answers) == ["GiftAssignment", "NotUnassigned"]
    assert_it_holds(engine_of(given.session))


# --- attacks on the rows


def test_what_was_said_stays_said(given: House) -> None:
    assign(given)

    for statement in ("UPDATE gift_assignment SET purpose_code = 'DETENTION'", "DELETE FROM gift_assignment"):
        with pytest.raises(DBAPIError, match="rows are only added"):
            given.session.connection().execute(text(statement))
        given.session.rollback()


def test_a_purpose_that_nobody_signed_is_found(given: House) -> None:
    alias = the_gift(given).alias
    given.session.connection().execute(
        text(
            "INSERT INTO gift_assignment SELECT alias, 'FINES', 0, 'fines', :leaf, 0, :by, '2020-11-20 08:00:00+00:00' "
            "FROM donation"
        ),
        {"leaf": CARD_LEAF, "by": given.fund.clara.alias},
    )
    given.session.connection().execute(text("UPDATE donation SET fund_code = 'fines'"))
    given.session.commit()

    assert {(one.check, one.name) for one in found(given.session, by={"assignments", "signed", "given-under"})} == {
        ("assignments", alias),
        ("signed", alias),
    }


def test_a_gift_whose_fund_was_changed_by_hand_is_found(given: House) -> None:
    assign(given)
    alias = the_gift(given).alias
    given.session.connection().execute(text("UPDATE donation SET fund_code = 'general'"))
    given.session.commit()

    told = {(one.check, one.name) for one in found(given.session, by={"assignments", "given-under", "gifts"})}

    assert told == {("assignments", alias), ("given-under", alias), ("gifts", alias)}


def test_what_waits_for_a_purpose_is_found_by_an_index(founded: Session) -> None:
    """Of a hundred thousand gifts a few wait; the planner is told to look for a way other than reading all."""
    section = next(one for one in queue.SECTIONS if one.name == "gifts_without_purpose")
    (question,) = section.asked("OP-1", TODAY)
    connection = founded.connection()
    dialect = connection.dialect
    asked = question.rows.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    if dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    explain = "EXPLAIN QUERY PLAN" if dialect.name == "sqlite" else "EXPLAIN"
    plan = " ".join(str(row) for row in connection.execute(text(f"{explain} {asked}")))

    assert "ix_donation_fund" in plan
