"""An obligation that is paid in several parts: never over what it is, whoever asks, and whatever falls away between."""

import random
from typing import Any

import pytest
from sqlmodel import select

from ledger import checks
from ledger.aid import acts, bank_returns, batches, cases, disbursements, obligations, quashing, refunds, rulings
from ledger.aid.batches import NewLine
from ledger.aid.cases import CaseNotReady
from ledger.aid.disbursements import AlreadyRequested, BadPart, Disbursement, OverObligation, Payee, State
from ledger.aid.eligibility import Rejection
from ledger.aid.obligations import Obligation, ObligationKind
from ledger.aliases import Kind, draw
from ledger.books import balances, spending
from ledger.books.journal import Entry
from ledger.checks import aid, control, holds
from ledger.checks.findings import Finding
from ledger.errors import LedgerError
from ledger.money import Money
from tests import unexecuted
from tests.cast import LEAF, NOW, TODAY, House, byn, eur, give, nothing_written, race

pytestmark = pytest.mark.place("verified_cases")

OF_STATES_AND_BOOKS = (*aid.CHECKS, *control.CHECKS, *holds.CHECKS)
"""Not those of who agreed: the steps are taken without their acts here."""


def request(house: House, obligation: Obligation, amount: Money | None = None, **other: Any) -> Disbursement:
    said: dict[str, Any] = {"fund": "fines", "account": LEAF, "requested_by": house.fund.clara.alias}
    return disbursements.request(
        other.pop("session", house.session),
        draw(Kind.DISBURSEMENT),
        obligation=obligation,
        payee=Payee.AUTHORITY,
        payee_commitment="0" * 64,
        amount=amount,
        **(said | other),
    )


def approve(house: House, *chosen: Disbursement) -> None:
    disbursements.approve_all(house.session, chosen, by=house.fund.boris.alias, on=TODAY)


def release(house: House, *chosen: Disbursement) -> None:
    disbursements.release_all(house.session, chosen, by=house.fund.clara.alias, on=TODAY, recorded_at=NOW)


def fact(key: str) -> dict[str, Any]:
    return {"source_key": key, "on": TODAY, "recorded_at": NOW, "recorded_by": "test"}


def pay(house: House, disbursement: Disbursement) -> None:
    disbursements.pay(house.session, disbursement, **fact(f"bank:{disbursement.alias}:paid"))


def give_back(house: House, disbursement: Disbursement) -> None:
    bank_returns.receive(house.session, disbursement, **fact(f"bank:{disbursement.alias}:back"))


def an_owed_fine(house: House, *, given: str = "2000.00") -> Obligation:
    give(house.session, byn(given))
    return house.obligation_of(house.a_verified_case())


def paid_part(house: House, obligation: Obligation, amount: str) -> Disbursement:
    part = request(house, obligation, byn(amount))
    approve(house, part)
    if obligation.told_on is None:
        house.tell(part)
    release(house, part)
    pay(house, part)
    return part


def owed(house: House) -> Money:
    return balances.balance(house.session, "2100", currency="BYN")


def free(house: House) -> Money:
    return spending.spendable(house.session, "fines")["BYN"]


def wrong(house: House) -> list[Finding]:
    house.session.flush()
    return list(checks.findings(house.session, checks=OF_STATES_AND_BOOKS))


# --- asked


def test_parts_are_asked_for_until_nothing_is_left(house: House) -> None:
    obligation = an_owed_fine(house)

    first = request(house, obligation, byn("300.00"))
    second = request(house, obligation)

    assert (first.amount(), second.amount()) == (byn("300.00"), byn("510.00"))
    assert first.reference != second.reference
    with nothing_written(house.session), pytest.raises(AlreadyRequested):
        request(house, obligation)


def test_more_than_is_left_is_refused_and_says_what_is_left(house: House) -> None:
    obligation = an_owed_fine(house)
    request(house, obligation, byn("300.00"))

    with nothing_written(house.session), pytest.raises(OverObligation) as refusal:
        request(house, obligation, byn("510.01"))

    assert refusal.value.data == {"obligation": obligation.alias, "left_minor": 51_000}


@pytest.mark.parametrize("amount", [byn("0.00"), byn("-1.00"), eur("10.00")])
def test_a_part_is_above_zero_and_in_the_currency_of_the_obligation(house: House, amount: Money) -> None:
    obligation = an_owed_fine(house)

    with nothing_written(house.session), pytest.raises(BadPart):
        request(house, obligation, amount)


def test_bail_is_posted_in_one_sum(house: House) -> None:
    fine = an_owed_fine(house)
    bail = obligations.add(
        house.session,
        draw(Kind.OBLIGATION),
        case=fine.case_alias,
        ruling=fine.ruling_alias,
        kind=ObligationKind.BAIL,
        amount=byn("500.00"),
    )

    with nothing_written(house.session), pytest.raises(BadPart):
        request(house, bail, byn("499.00"))


def test_two_who_ask_at_once_do_not_ask_for_more_than_is_owed(house: House) -> None:
    alias = an_owed_fine(house).alias

    answers = race(
        house.session,
        *[lambda own: request(house, obligations.require(own, alias), byn("500.00"), session=own)] * 2,
    )

    assert {type(answer) for answer in answers} == {Disbursement, OverObligation}
    assert disbursements.asked(house.session, [alias]) == {alias: 50_000}


# --- approved and recognised


def test_who_approves_the_first_part_takes_the_whole_on(house: House) -> None:
    obligation = an_owed_fine(house)
    first, second = request(house, obligation, byn("300.00")), request(house, obligation)

    approve(house, first)
    held = [free(house)]
    approve(house, second)
    held.append(free(house))

    assert held == [byn("1190.00")] * 2


def test_parts_that_are_approved_together_are_held_once(house: House) -> None:
    obligation = an_owed_fine(house)

    approve(house, request(house, obligation, byn("300.00")), request(house, obligation))

    assert free(house) == byn("1190.00")


def test_a_fund_that_has_only_a_part_does_not_take_the_whole_on(house: House) -> None:
    obligation = an_owed_fine(house, given="809.99")
    part = request(house, obligation, byn("100.00"))

    with nothing_written(house.session), pytest.raises(spending.WouldOverdraw):
        approve(house, part)


def test_another_fund_pays_no_part_of_what_one_has_taken_on(house: House) -> None:
    obligation = an_owed_fine(house)
    ours = request(house, obligation, byn("300.00"))
    theirs = request(house, obligation, byn("300.00"), fund="detention")
    approve(house, ours)

    with nothing_written(house.session), pytest.raises(obligations.ObligationNotReady):
        approve(house, theirs)
    with nothing_written(house.session), pytest.raises(obligations.ObligationNotReady):
        request(house, obligation, fund="detention")


def test_the_hold_ends_with_the_last_part_that_is_cancelled(house: House) -> None:
    obligation = an_owed_fine(house)
    first, second = request(house, obligation, byn("300.00")), request(house, obligation)
    approve(house, first, second)

    disbursements.cancel(house.session, first, on=TODAY)
    between = (obligation.state, free(house))
    disbursements.cancel(house.session, second, on=TODAY)

    assert between == (obligations.State.APPROVED, byn("1190.00"))
    assert (obligation.state, free(house)) == (obligations.State.DUE, byn("2000.00"))


def test_the_whole_is_recognised_once_and_paid_part_by_part(house: House) -> None:
    obligation = an_owed_fine(house)
    case = cases.require(house.session, obligation.case_alias)
    seen: list[Any] = []

    for amount in ("300.00", "200.00", "310.00"):
        paid_part(house, obligation, amount)
        seen.append((obligation.state, owed(house), case.state))

    part_paid = obligations.State.PART_PAID
    assert seen == [
        (part_paid, byn("-510.00"), cases.State.APPROVED),
        (part_paid, byn("-310.00"), cases.State.APPROVED),
        (obligations.State.PAID, byn("0.00"), cases.State.PAID),
    ]
    assert len(house.session.exec(select(Entry).where(Entry.kind == "aid_recognised")).all()) == 1
    assert free(house) == byn("1190.00")


@pytest.mark.place("house")
def test_a_batch_pays_what_is_left_or_a_part_of_it(house: House) -> None:
    begun, fresh = an_owed_fine(house), an_owed_fine(house)
    request(house, begun, byn("300.00"))

    def lines(part: Money) -> list[NewLine]:
        told = [(begun, None), (fresh, part)]
        return [
            NewLine(draw(Kind.DISBURSEMENT), one.alias, Payee.AUTHORITY, "0" * 64, amount=amount)
            for one, amount in told
        ]

    asked: dict[str, Any] = {"agent": None, "account": LEAF, "fund_of": {ObligationKind.FINE: "fines"}}
    asked["requested_by"] = house.fund.clara.alias
    with nothing_written(house.session), pytest.raises(OverObligation) as refusal:
        batches.create(house.session, draw(Kind.BATCH), lines=lines(byn("810.01")), **asked)
    assert refusal.value.data["line"] == 2

    batch = batches.create(house.session, draw(Kind.BATCH), lines=lines(byn("10.00")), **asked)

    assert batch.amount() == byn("520.00")
    assert [one.alias for one in batches.candidates(house.session, limit=9)] == [fresh.alias]


# --- given back


def test_what_the_bank_gives_back_is_owed_again_and_its_case_open(house: House) -> None:
    obligation = an_owed_fine(house)
    first, second = paid_part(house, obligation, "300.00"), paid_part(house, obligation, "510.00")
    case = cases.require(house.session, obligation.case_alias)
    disbursements.note_receipts(house.session, case, on=TODAY)

    give_back(house, second)

    assert (second.state, second.returned_on, first.state) == (State.RETURNED, TODAY, State.PAID)
    assert (obligation.state, owed(house)) == (obligations.State.PART_PAID, byn("-510.00"))
    assert case.state is cases.State.APPROVED
    assert balances.balance(house.session, LEAF, currency="BYN") == byn("1700.00")

    give_back(house, first)

    assert (obligation.state, owed(house)) == (obligations.State.RECOGNISED, byn("-810.00"))
    assert wrong(house) == []


def test_nothing_is_given_back_twice_or_before_it_was_paid(house: House) -> None:
    obligation = an_owed_fine(house)
    asked = request(house, obligation, byn("300.00"))
    paid = paid_part(house, obligation, "510.00")
    give_back(house, paid)

    for one in (asked, paid):
        with nothing_written(house.session), pytest.raises(disbursements.DisbursementNotReady):
            give_back(house, one)


def test_a_case_on_hold_goes_on_from_where_a_return_has_brought_it(house: House) -> None:
    obligation = an_owed_fine(house)
    part = request(house, obligation)
    approve(house, part)
    house.tell(part)
    release(house, part)
    case = cases.require(house.session, obligation.case_alias)
    cases.hold(house.session, case, on=TODAY)
    pay(house, part)

    give_back(house, part)

    assert (case.state, case.resumes_as) == (cases.State.ON_HOLD, cases.State.APPROVED)


# --- quashed and reduced


def test_of_a_quashed_fine_the_paid_part_is_owed_back_and_the_rest_is_not_owed(house: House) -> None:
    obligation = an_owed_fine(house)
    paid_part(house, obligation, "300.00")
    waiting = request(house, obligation)
    ruling = rulings.require(house.session, obligation.ruling_alias)

    quashing.quash(house.session, ruling, by="test", on=TODAY, recorded_at=NOW)

    assert (obligation.state, waiting.state) == (obligations.State.REFUND_DUE, State.CANCELLED)
    assert (obligation.amount(), obligation.payable()) == (byn("810.00"), byn("300.00"))
    (refund,) = refunds.of_obligation(house.session, obligation.alias)
    assert (refund.amount(), owed(house)) == (byn("300.00"), byn("0.00"))
    assert wrong(house) == []

    refunds.receive(house.session, refund, leaf=LEAF, **fact("bank:refund"))

    assert obligation.state is obligations.State.REFUNDED
    assert wrong(house) == []


@pytest.mark.parametrize(
    ("to", "state", "sealed", "back"),
    [
        ("500.00", obligations.State.PART_PAID, "500.00", None),
        ("300.00", obligations.State.PAID, "300.00", None),
        ("120.00", obligations.State.REFUND_DUE, "810.00", "180.00"),
    ],
)
def test_a_reduction_first_takes_what_is_not_paid(
    house: House, to: str, state: obligations.State, sealed: str, back: str | None
) -> None:
    obligation = an_owed_fine(house)
    paid_part(house, obligation, "300.00")
    ruling = rulings.require(house.session, obligation.ruling_alias)

    quashing.reduce(house.session, ruling, byn(to), by="test", on=TODAY, recorded_at=NOW)

    assert (obligation.state, obligation.amount()) == (state, byn(sealed))
    owed_back = [one.amount() for one in refunds.of_obligation(house.session, obligation.alias)]
    assert owed_back == ([byn(back)] if back else [])
    assert wrong(house) == []


def test_what_is_owed_back_and_comes_from_the_bank_is_not_owed_again(house: House) -> None:
    obligation = an_owed_fine(house)
    paid = paid_part(house, obligation, "810.00")
    quashing.quash(
        house.session,
        rulings.require(house.session, obligation.ruling_alias),
        by="test",
        on=TODAY,
        recorded_at=NOW,
    )

    assert not bank_returns.is_whole(house.session, paid, account=LEAF, came=paid.amount())


# --- whatever happens


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_no_obligation_is_paid_over(house: House, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311  # chooses what happens, and is to choose the same again
    obligation = an_owed_fine(house, given="9000.00")
    ruling = rulings.require(house.session, obligation.ruling_alias)

    def reduce() -> None:
        to = Money(dice.randint(1, obligation.minor), "BYN")
        quashing.reduce(house.session, ruling, to, by="test", on=TODAY, recorded_at=NOW)

    def ask() -> None:
        request(house, obligation, Money(dice.randint(1, 60_000), "BYN"))

    steps: list[Any] = [lambda: approve(house, one()), lambda: release(house, one()), lambda: pay(house, one())]
    steps += [lambda: give_back(house, one()), lambda: end(one())]
    steps += [lambda: disbursements.cancel(house.session, one(), on=TODAY), lambda: house.tell(one())]

    def end(order: Disbursement) -> None:
        unexecuted.tell(house, order)
        unexecuted.agree(house, order)

    def one() -> Disbursement:
        return dice.choice(sorted(house.session.exec(select(Disbursement)).all(), key=lambda one: one.reference))

    ask()
    done = 0
    for _ in range(60):
        step = dice.choices([ask, reduce, *steps], [3, 0.2, *[3] * len(steps)])[0]
        try:
            with house.session.begin_nested():
                step()
        except LedgerError:
            house.session.expire_all()
        else:
            done += 1
        standing = disbursements.asked(house.session, [obligation.alias])[obligation.alias]
        assert standing <= obligation.payable().minor

    assert done > 10
    assert wrong(house) == []


@pytest.mark.parametrize("minor", [-1, 0, 81_001])
def test_nothing_is_called_paid_beyond_what_is_owed_nor_for_nothing(house: House, minor: int) -> None:
    obligation = an_owed_fine(house)
    part = request(house, obligation)
    approve(house, part)
    house.tell(part)

    with nothing_written(house.session), pytest.raises(obligations.ObligationNotReady):
        obligations.mark_paid(house.session, obligation, paid=Money(minor, "BYN"))


def test_nothing_is_reduced_below_what_is_paid_and_at_that_it_is_paid(house: House) -> None:
    obligation = an_owed_fine(house)
    paid_part(house, obligation, "300.00")

    with nothing_written(house.session), pytest.raises(obligations.BadReduction):
        obligations.reduce(house.session, obligation, to=byn("299.99"), paid=byn("300.00"))
    obligations.reduce(house.session, obligation, to=byn("300.00"), paid=byn("300.00"))

    assert obligation.state is obligations.State.PAID


def test_a_case_of_which_a_part_was_paid_is_not_rejected(house: House) -> None:
    obligation = an_owed_fine(house)
    paid_part(house, obligation, "300.00")
    request(house, obligation)
    case = cases.require(house.session, obligation.case_alias)
    agreed = house.on_case("reject_case", case, by=house.fund.ana, detail=Rejection.ILLEGIBLE)

    with nothing_written(house.session), pytest.raises(CaseNotReady):
        acts.reject_case(house.session, case.alias, agreed, because=Rejection.ILLEGIBLE)
