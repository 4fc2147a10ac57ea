"""Cash has two witnesses; taken to the bank it is what the bank counts, and a difference has a name."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from ledger import exceptions
from ledger.aliases import AliasTaken, BadAlias, Kind, draw
from ledger.approvals import ActDiffers, NonceUsed, NotAgreed, NotInRole, SamePerson
from ledger.books import balances, holds, spending
from ledger.books.spending import WouldOverdraw
from ledger.exceptions import Difference
from ledger.giving import cash, cash_deposits, donations, purposes
from ledger.giving.cash import BadCount, CountNotReady, State, UnknownCount
from ledger.giving.cash_deposits import BadDeposit, DepositNotReady, UnknownDeposit
from ledger.giving.donations import Donation, Source
from ledger.money import Money
from ledger.people import Role
from ledger.reconciliation.answers import Answer, Because
from ledger.reconciliation.giving_answers import LineDiffers
from tests.bookcheck import assert_it_holds, found
from tests.cast import LEAF, SECOND_LEAF, TODAY, House, byn, engine_of, nothing_written, race
from tests.coffers import joins
from tests.given import CASH, RECEIVED, a_count, answer, shown, signed, take_to_bank, the_exception, witness
from tests.office import on_one_database
from tests.saying import agree, say, saying


def balance(house: House, account: str, fund: str | None = None) -> Money:
    return balances.balance(house.session, account, currency="BYN", fund=fund)


@pytest.fixture
def coffer(house: House) -> Donation:
    """200.00 BYN in cash for fines, and 100.00 for detention bills."""
    purposes.add(house.session, "OTHER", fund="detention", text="For detention bills.", net_of_costs=False)
    witness(house, a_count(house, byn("100.00"), purpose="OTHER"))
    return witness(house, a_count(house, byn("200.00")))


def test_what_two_people_counted_is_a_gift(house: House) -> None:
    counted = a_count(house, byn("200.00"))
    assert (balance(house, CASH), donations.listed(house.session)) == (byn("0.00"), [])

    gift = witness(house, counted)

    assert (gift.alias, gift.source, gift.fund_code, gift.received_on) == (
        counted.alias,
        Source.CASH,
        "fines",
        RECEIVED,
    )
    assert (balance(house, CASH, "fines"), balance(house, "4000", "fines")) == (byn("200.00"), byn("-200.00"))
    assert_it_holds(engine_of(house.session))


def test_nobody_is_their_own_witness(house: House) -> None:
    counted = a_count(house, byn("200.00"))

    with nothing_written(house.session), pytest.raises(SamePerson):
        witness(house, counted, by=house.fund.clara)
    house.session.connection().execute(text("UPDATE cash_count SET counted_by = 'OP-0000-0000-0000'"))
    house.session.expire_all()
    with nothing_written(house.session), pytest.raises(SamePerson):
        witness(house, counted, by=house.fund.clara)
    with pytest.raises(IntegrityError), house.session.begin_nested():
        house.session.connection().execute(text("UPDATE cash_count SET witnessed_by = counted_by"))


@on_one_database
def test_a_treasurer_counts_and_the_witness_signs_the_same(house: House) -> None:
    with nothing_written(house.session), pytest.raises(NotInRole):
        a_count(house, byn("200.00"), by=house.fund.ana)
    counted = a_count(house, byn("200.00"))
    lies: tuple[dict[str, Any], ...] = (
        {"amount": "199.99"},
        {"payee_commitment": cash.commitment(account=CASH, purpose="FINES", on=TODAY)},
        {"object": draw(Kind.DONATION)},
    )

    for lie in lies:
        with nothing_written(house.session), pytest.raises(ActDiffers):
            witness(house, counted, **lie)


@on_one_database
def test_a_count_is_booked_once(house: House) -> None:
    counted = a_count(house, byn("200.00"))
    other = a_count(house, byn("200.00"))
    witness(house, counted, nonce="0" * 32)

    with nothing_written(house.session), pytest.raises(CountNotReady):
        witness(house, counted)
    with nothing_written(house.session), pytest.raises(CountNotReady):
        cash.withdraw(house.session, counted.alias)
    with nothing_written(house.session), pytest.raises(NonceUsed):
        witness(house, other, nonce="0" * 32)


def test_of_two_witnesses_at_once_one_is(house: House) -> None:
    counted = a_count(house, byn("200.00"))
    acts = [
        signed("witness_cash", counted.alias, by=by, of=counted.amount(), commitment=counted.commitment())
        for by in (house.fund.ana, house.fund.boris)
    ]
    alias = counted.alias

    def run(own: Session) -> Donation:
        return cash.witness(own, alias, acts.pop())

    answers = race(house.session, run, run)

    assert sorted(type(one).__name__ for one in answers) == ["CountNotReady", "Donation"]


@on_one_database
def test_a_count_that_differs_is_given_up_and_made_anew(house: House) -> None:
    counted = cash.withdraw(house.session, a_count(house, byn("200.00")).alias)

    assert counted.state is State.WITHDRAWN
    with nothing_written(house.session), pytest.raises(CountNotReady):
        witness(house, counted)
    assert not found(house.session)


@on_one_database
def test_what_cannot_be_counted_is_refused(house: House) -> None:
    counted = a_count(house, byn("200.00"))
    cases: tuple[tuple[dict[str, Any], type[Exception]], ...] = (
        ({"amount": byn("0.00")}, BadCount),
        ({"amount": byn("-1.00")}, BadCount),
        ({"purpose": "NOWHERE"}, BadCount),
        ({"account": LEAF}, BadCount),
        ({"on": TODAY.replace(day=21)}, BadCount),
        ({"alias": counted.alias}, AliasTaken),
        ({"alias": draw(Kind.CASE)}, BadAlias),
    )

    for stated, refusal in cases:
        with nothing_written(house.session), pytest.raises(refusal):
            a_count(house, **({"amount": byn("1.00")} | stated))
    with nothing_written(house.session), pytest.raises(UnknownCount):
        cash.withdraw(house.session, draw(Kind.DONATION))


@on_one_database
@pytest.mark.parametrize("change", ["minor = 30000", "purpose_code = 'OTHER'"])
def test_a_count_that_was_changed_is_not_witnessed_and_is_found(house: House, change: str) -> None:
    purposes.add(house.session, "OTHER", fund="detention", text="For detention bills.", net_of_costs=False)
    counted = a_count(house, byn("200.00"))
    house.session.connection().execute(text(f"UPDATE cash_count SET {change}"))  # noqa: S608  # ours
    house.session.commit()
    house.session.expire_all()

    with nothing_written(house.session), pytest.raises(NotAgreed):
        witness(house, counted)
    assert {one.check for one in found(house.session)} == {"signed"}


@on_one_database
def test_a_booked_count_that_was_changed_is_found(house: House, coffer: Donation) -> None:
    house.session.connection().execute(
        text("UPDATE cash_count SET minor = 30000 WHERE alias = :alias"), {"alias": coffer.alias}
    )

    assert {one.check for one in found(house.session)} == {"cash-gifts", "signed"}


# --- to the bank


@pytest.mark.usefixtures("coffer")
def test_cash_that_the_bank_counts_as_taken_is_booked_by_itself(house: House) -> None:
    deposit = take_to_bank(house, byn("150.00"))
    assert spending.available(house.session, CASH, currency="BYN") == byn("150.00")

    shown(house, byn("150.00"))

    assert (deposit.state, deposit.came()) == (cash_deposits.State.BANKED, byn("150.00"))
    assert (balance(house, LEAF, "fines"), balance(house, LEAF, "detention")) == (byn("100.00"), byn("50.00"))
    assert (balance(house, CASH), exceptions.listed(house.session)) == (byn("150.00"), [])
    assert holds.held_on_leaf(house.session, CASH, currency="BYN") == byn("0.00")
    assert_it_holds(engine_of(house.session))


@on_one_database
@pytest.mark.usefixtures("coffer")
def test_cash_with_its_reference_is_known_however_late(house: House) -> None:
    deposit = take_to_bank(house, byn("150.00"))

    shown(house, byn("150.00"), reference=deposit.reference)

    assert deposit.state is cash_deposits.State.BANKED


@on_one_database
@pytest.mark.usefixtures("coffer")
@pytest.mark.parametrize(("came", "account", "difference"), [("144.00", "6200", "6.00"), ("157.00", "4300", "-7.00")])
def test_what_the_bank_counts_otherwise_has_a_name_and_another_person(
    house: House, came: str, account: str, difference: str
) -> None:
    deposit = take_to_bank(house, byn("150.00"))
    shown(house, byn(came))
    opened = the_exception(house)
    assert (opened.difference, balance(house, LEAF)) == (Difference.AMOUNT_DIFFERS, byn("0.00"))

    other = joins(house, Role.TREASURER)
    said = saying(opened.alias, Answer.DEPOSIT, deposit.alias, byn("150.00"), Because.TOLD_BY_BANK)
    with nothing_written(house.session), pytest.raises(SamePerson):
        say(house, said)
    with nothing_written(house.session), pytest.raises(LineDiffers):
        answer(house, opened, Answer.DEPOSIT, deposit.alias, by=other)
    agree(house, say(house, said, by=other))

    assert (deposit.came(), balance(house, LEAF), balance(house, CASH)) == (byn(came), byn(came), byn("150.00"))
    assert balance(house, account) == byn(difference)
    assert (exceptions.listed(house.session), donations.listed(house.session)[0].source) == ([], Source.CASH)
    assert_it_holds(engine_of(house.session))


@on_one_database
@pytest.mark.usefixtures("coffer")
def test_a_line_on_another_leaf_is_not_the_cash(house: House) -> None:
    deposit = take_to_bank(house, byn("150.00"))
    other = joins(house, Role.TREASURER)
    shown(house, byn("150.00"), reversal=True)

    with nothing_written(house.session), pytest.raises(LineDiffers):
        answer(house, the_exception(house), Answer.DEPOSIT, deposit.alias, by=other)
    shown(house, byn("150.00"), leaf=SECOND_LEAF)
    assert deposit.state is cash_deposits.State.TAKEN


@on_one_database
@pytest.mark.usefixtures("coffer")
def test_more_cash_than_there_is_goes_nowhere(house: House) -> None:
    with nothing_written(house.session), pytest.raises(WouldOverdraw):
        take_to_bank(house, byn("300.01"))
    first = take_to_bank(house, byn("200.00"))
    with nothing_written(house.session), pytest.raises(WouldOverdraw):
        take_to_bank(house, byn("100.01"))
    cash_deposits.cancel(house.session, first.alias, on=TODAY)
    with nothing_written(house.session), pytest.raises(DepositNotReady):
        cash_deposits.cancel(house.session, first.alias, on=TODAY)
    with nothing_written(house.session), pytest.raises(UnknownDeposit):
        cash_deposits.cancel(house.session, draw(Kind.CASH_DEPOSIT), on=TODAY)
    take_to_bank(house, byn("300.00"))


@on_one_database
@pytest.mark.usefixtures("coffer")
def test_cash_goes_to_a_bank_by_a_treasurer(house: House) -> None:
    with nothing_written(house.session), pytest.raises(NotInRole):
        take_to_bank(house, byn("1.00"), by=house.fund.ana)
    with nothing_written(house.session), pytest.raises(BadDeposit):
        take_to_bank(house, byn("1.00"), leaf=CASH)
    with nothing_written(house.session), pytest.raises(BadDeposit):
        take_to_bank(house, byn("0.00"))


@on_one_database
@pytest.mark.usefixtures("coffer")
def test_a_deposit_that_was_changed_afterwards_is_found(house: House) -> None:
    take_to_bank(house, byn("150.00"))
    shown(house, byn("150.00"))
    house.session.connection().execute(text("UPDATE cash_deposit SET came_minor = 14000"))

    assert {one.check for one in found(house.session)} == {"cash-banked"}
