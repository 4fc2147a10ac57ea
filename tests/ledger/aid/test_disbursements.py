from datetime import date
from typing import Any

import pytest
from sqlmodel import select

from ledger import references
from ledger.aid import bank_returns, cases, disbursements, obligations
from ledger.aid.disbursements import (
    AlreadyRequested,
    Disbursement,
    DisbursementNotReady,
    NoBankLeaf,
    Payee,
    State,
    UnknownDisbursement,
)
from ledger.aid.eligibility import NotEligible, Rejection
from ledger.aid.obligations import Obligation, ObligationKind, ObligationNotReady
from ledger.aliases import AliasTaken, BadAlias, Kind, draw
from ledger.books import accounts, balances, holds, journal, spending
from ledger.books.accounts import NotPostable, UnknownAccount
from ledger.books.funds import UnknownFund
from ledger.books.journal import Entry
from ledger.books.spending import WouldOverdraw
from ledger.identities.boxes import BadDigest
from tests import unexecuted
from tests.cast import (
    LEAF,
    NOW,
    SECOND_LEAF,
    TODAY,
    House,
    byn,
    give,
    nothing_written,
    one_after_the_other,
    race,
)

pytestmark = pytest.mark.place("requested_payments")


def request(house: House, obligation: Obligation, **other: Any) -> Disbursement:
    said: dict[str, Any] = {
        "payee": Payee.BENEFICIARY,
        "payee_commitment": "0" * 64,
        "fund": "fines",
        "account": LEAF,
        "requested_by": house.fund.clara.alias,
    }
    alias = other.pop("alias", None) or draw(Kind.DISBURSEMENT)
    session = other.pop("session", house.session)
    return disbursements.request(session, alias, obligation=obligation, **(said | other))


def approve(house: House, disbursement: Disbursement) -> None:
    disbursements.approve(house.session, disbursement, by=house.fund.boris.alias, on=TODAY)


def approved_in_october(house: House) -> Disbursement:
    """Approved before its ruling is in force: who is to be paid may be told from then on."""
    disbursement = house.a_requested_payment()
    disbursements.approve(house.session, disbursement, by=house.fund.boris.alias, on=date(2020, 10, 8))
    house.session.commit()
    return disbursement


def release(house: House, disbursement: Disbursement, *, on: date = TODAY) -> None:
    disbursements.release(house.session, disbursement, by=house.fund.clara.alias, on=on, recorded_at=NOW)


def pay(house: House, disbursement: Disbursement, *, on: date = TODAY, source_key: str = "bank:1") -> journal.Posted:
    return disbursements.pay(
        house.session, disbursement, source_key=source_key, on=on, recorded_at=NOW, recorded_by=house.fund.clara.alias
    )


# --- asked


def test_a_request_is_for_the_whole_obligation_and_draws_a_reference(house: House) -> None:
    case = house.a_verified_case()

    disbursement = request(house, house.obligation_of(case))

    assert (disbursement.state, disbursement.version) == (State.REQUESTED, 1)
    assert disbursement.amount() == byn("810.00")
    assert (disbursement.case_alias, disbursement.obligation_alias) == (case.alias, house.obligation_of(case).alias)
    assert references.is_reference(disbursement.reference)
    assert disbursements.by_reference(house.session, disbursement.reference) == disbursement


def test_the_reference_that_the_bank_sees_tells_nothing(house: House) -> None:
    drawn = [request(house, house.obligation_of(house.a_verified_case())) for _ in range(3)]

    assert len({one.reference for one in drawn}) == 3
    for one in drawn:
        assert not {one.alias[2:6], one.case_alias[2:6], "810"} & {one.reference[at : at + 4] for at in range(17)}


REFUSED: dict[str, tuple[dict[str, Any], type[Exception]]] = {
    "another kind of alias": ({"alias": "C-0000-0000-0001"}, BadAlias),
    "a payee in plain text": ({"payee_commitment": "Invented Person, Invented Street 5"}, BadDigest),
    "an unknown fund": ({"fund": "holidays"}, UnknownFund),
    "an unknown account": ({"account": "1000:nowhere"}, UnknownAccount),
    "no leaf": ({"account": "1000"}, NotPostable),
    "a leaf in another currency": ({"account": "1000:eur-main"}, NotPostable),
    "the card processor": ({"account": "1100:byn"}, NoBankLeaf),
    "cash": ({"account": "1020"}, NoBankLeaf),
    "an expense": ({"account": "6300"}, NoBankLeaf),
    "income": ({"account": "4000"}, NoBankLeaf),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_request_that_no_bank_could_pay_is_refused(house: House, what: str) -> None:
    change, kind = REFUSED[what]
    accounts.add_leaf(house.session, "1000:eur-main", name="Current account", currency="EUR")
    accounts.add_leaf(house.session, "1100:byn", name="Processor", currency="BYN")
    obligation = house.obligation_of(house.a_verified_case())

    with nothing_written(house.session), pytest.raises(kind) as refusal:
        request(house, obligation, **change)

    assert "Invented" not in f"{refusal.value} {vars(refusal.value)}"


def test_an_obligation_is_asked_for_once(house: House) -> None:
    obligation, other = (house.obligation_of(house.a_verified_case()) for _ in range(2))
    standing = request(house, obligation)

    with nothing_written(house.session), pytest.raises(AlreadyRequested):
        request(house, obligation)
    with nothing_written(house.session), pytest.raises(AliasTaken):
        request(house, other, alias=standing.alias)


@pytest.mark.place("house")
def test_what_two_ask_for_at_once_is_asked_for_once(house: House) -> None:
    alias = house.obligation_of(house.a_verified_case()).alias

    answers = race(
        house.session,
        *[lambda own: request(house, obligations.require(own, alias), session=own)] * 2,
    )

    assert {type(answer) for answer in answers} == {Disbursement, AlreadyRequested}
    assert len(house.session.exec(select(Disbursement)).all()) == 1


def test_who_looked_before_it_was_asked_for_does_not_ask_again(house: House) -> None:
    alias = house.obligation_of(house.a_verified_case()).alias

    answers = one_after_the_other(
        house.session,
        lambda own: request(house, obligations.require(own, alias), session=own),
        look=lambda own: obligations.require(own, alias),
        then=lambda own: request(house, obligations.require(own, alias), session=own),
    )

    assert isinstance(answers[1], AlreadyRequested)


def test_nothing_is_asked_for_a_case_that_is_not_verified(house: House) -> None:
    received, rejected = house.a_case(), house.a_case()
    cases.reject(house.session, rejected, because=Rejection.ILLEGIBLE, on=TODAY)

    for case in (received, rejected):
        with nothing_written(house.session), pytest.raises(DisbursementNotReady):
            request(house, house.obligation_of(case))


# --- approved


def test_an_approval_holds_the_money_of_the_fund_and_books_nothing(house: House) -> None:
    give(house.session, byn("1000.00"))
    disbursement = house.a_requested_payment()

    approve(house, disbursement)

    assert (disbursement.state, disbursement.version) == (State.APPROVED, 2)
    assert disbursement.approved_by == house.fund.boris.alias
    assert obligations.require(house.session, disbursement.obligation_alias).state is obligations.State.APPROVED
    assert cases.require(house.session, disbursement.case_alias).state is cases.State.APPROVED
    assert spending.spendable(house.session, "fines")["BYN"] == byn("190.00")
    assert balances.balance(house.session, "2100", currency="BYN") == byn("0.00")


@pytest.mark.parametrize(("given", "free"), [("809.99", 80_999), ("0.01", 1)])
def test_a_fund_does_not_promise_what_it_has_not(house: House, given: str, free: int) -> None:
    give(house.session, byn(given))
    disbursement = house.a_requested_payment()

    with nothing_written(house.session), pytest.raises(WouldOverdraw) as refusal:
        approve(house, disbursement)

    assert refusal.value.data == {"fund": "fines", "free_minor": free, "currency": "BYN"}


def test_a_fund_promises_its_last_kopeck(house: House) -> None:
    give(house.session, byn("810.00"))
    disbursement = house.a_requested_payment()

    approve(house, disbursement)

    assert spending.spendable(house.session, "fines")["BYN"] == byn("0.00")


def test_money_of_another_fund_does_not_count(house: House) -> None:
    give(house.session, byn("5000.00"))
    case = house.a_verified_case()
    disbursement = request(house, house.obligation_of(case), fund="detention")

    with nothing_written(house.session), pytest.raises(WouldOverdraw):
        approve(house, disbursement)


def test_a_hold_becomes_a_liability_and_a_payment_without_freeing_anything(house: House) -> None:
    give(house.session, byn("1000.00"))
    disbursement = house.an_approved_payment()
    free = [spending.spendable(house.session, "fines")["BYN"]]

    house.tell(disbursement)
    free.append(spending.spendable(house.session, "fines")["BYN"])
    release(house, disbursement)
    free.append(spending.spendable(house.session, "fines")["BYN"])
    pay(house, disbursement)
    free.append(spending.spendable(house.session, "fines")["BYN"])

    assert free == [byn("190.00")] * 4


def test_a_payment_of_a_rejected_case_is_not_approved(house: House) -> None:
    give(house.session, byn("810.00"))
    disbursement = house.a_requested_payment()
    case = cases.require(house.session, disbursement.case_alias)
    cases.reject(house.session, case, because=Rejection.ALREADY_PAID, on=TODAY)

    with nothing_written(house.session), pytest.raises(cases.CaseNotReady):
        approve(house, disbursement)


@pytest.mark.parametrize("verb", [approve, release, pay])
@pytest.mark.parametrize("state", State)
def test_each_step_needs_the_one_before(house: House, state: State, verb: Any) -> None:
    give(house.session, byn("5000.00"))
    disbursement = {
        State.REQUESTED: house.a_requested_payment,
        State.APPROVED: house.an_approved_payment,
        State.RELEASED: house.a_released_payment,
        State.PAID: house.a_released_payment,
        State.RETURNED: house.a_released_payment,
        State.FAILED: house.a_released_payment,
        State.CANCELLED: house.an_approved_payment,
    }[state]()
    if state in {State.PAID, State.RETURNED}:
        pay(house, disbursement)
    if state is State.RETURNED:
        bank_returns.receive(
            house.session, disbursement, source_key="bank:2", on=TODAY, recorded_at=NOW, recorded_by="test"
        )
    if state is State.FAILED:
        unexecuted.end(house, disbursement)
    if state is State.CANCELLED:
        disbursements.cancel(house.session, disbursement, on=TODAY)
    if (verb, state) in {(approve, State.REQUESTED), (release, State.APPROVED), (pay, State.RELEASED)}:
        if state is State.APPROVED:
            house.tell(disbursement)
        verb(house, disbursement)
        assert disbursement.state is not state
        return

    with nothing_written(house.session), pytest.raises(DisbursementNotReady) as refusal:
        verb(house, disbursement)

    assert refusal.value.data == {"disbursement": disbursement.alias, "state": state}


# --- released


def test_a_release_holds_the_money_on_the_leaf(house: House) -> None:
    give(house.session, byn("1000.00"))
    disbursement = house.an_approved_payment()
    house.tell(disbursement)

    release(house, disbursement)

    assert (disbursement.released_by, disbursement.released_on) == (house.fund.clara.alias, TODAY)
    assert spending.available(house.session, LEAF, currency="BYN") == byn("190.00")
    assert balances.balance(house.session, LEAF, currency="BYN") == byn("1000.00")


def test_what_was_told_before_legal_force_is_recognised_at_release(house: House) -> None:
    give(house.session, byn("810.00"))
    disbursement = approved_in_october(house)
    house.tell(disbursement, on=date(2020, 10, 9), at=NOW.replace(month=10, day=9))
    assert obligations.require(house.session, disbursement.obligation_alias).state is obligations.State.APPROVED

    release(house, disbursement)

    (entry,) = house.session.exec(select(Entry).where(Entry.kind == "aid_recognised")).all()
    assert (entry.effective_on, disbursement.state) == (TODAY, State.RELEASED)


def test_nothing_is_released_before_the_beneficiary_was_told(house: House) -> None:
    give(house.session, byn("810.00"))
    disbursement = house.an_approved_payment()

    with nothing_written(house.session), pytest.raises(ObligationNotReady):
        release(house, disbursement)


@pytest.mark.parametrize("day", [date(2020, 10, 8), date(2020, 10, 10)])
def test_nothing_is_released_before_the_ruling_is_certainly_in_force(house: House, day: date) -> None:
    give(house.session, byn("810.00"))
    disbursement = approved_in_october(house)
    house.tell(disbursement, on=date(2020, 10, 8), at=NOW.replace(month=10, day=8))

    with nothing_written(house.session), pytest.raises(NotEligible):
        release(house, disbursement, on=day)

    release(house, disbursement, on=date(2020, 10, 11))
    assert disbursement.released_on == date(2020, 10, 11)


def test_a_leaf_does_not_pay_what_it_has_not(house: House) -> None:
    give(house.session, byn("809.99"))
    give(house.session, byn("5000.00"), leaf=SECOND_LEAF)
    disbursement = house.an_approved_payment()
    house.tell(disbursement)

    with nothing_written(house.session), pytest.raises(WouldOverdraw) as refusal:
        release(house, disbursement)

    assert refusal.value.data == {"account": LEAF, "free_minor": 80_999, "currency": "BYN"}


def test_a_release_that_the_leaf_cannot_bear_recognises_nothing(house: House) -> None:
    give(house.session, byn("810.00"), leaf=SECOND_LEAF)
    disbursement = approved_in_october(house)
    house.tell(disbursement, on=date(2020, 10, 8), at=NOW.replace(month=10, day=8))

    with nothing_written(house.session), pytest.raises(WouldOverdraw):
        release(house, disbursement)


def test_what_is_released_and_not_yet_paid_is_not_released_again(house: House) -> None:
    give(house.session, byn("1619.99"))
    give(house.session, byn("810.00"), leaf=SECOND_LEAF)
    house.a_released_payment()
    disbursement = house.an_approved_payment()
    house.tell(disbursement)

    with nothing_written(house.session), pytest.raises(WouldOverdraw) as refusal:
        release(house, disbursement)

    assert refusal.value.data["free_minor"] == 80_999


# --- paid


def test_a_payment_is_booked_on_the_banks_day_and_ends_everything(house: House) -> None:
    give(house.session, byn("1000.00"))
    disbursement = house.a_released_payment()
    bank_day = date(2020, 11, 19)

    posted = pay(house, disbursement, on=bank_day)

    entry = house.session.get_one(Entry, posted.entry_id)
    assert (entry.source_key, entry.effective_on, entry.kind) == ("bank:1", bank_day, "aid_paid")
    assert [
        (p.side, p.account, p.money, p.fund, p.subject, p.case)
        for p in journal.postings_of(house.session, posted.entry_id)
    ] == [
        ("debit", "2100", byn("810.00"), "fines", disbursement.obligation_alias, disbursement.case_alias),
        ("credit", LEAF, byn("810.00"), "fines", None, disbursement.case_alias),
    ]
    assert (disbursement.paid_on, disbursement.paid_recorded_on) == (bank_day, TODAY)
    assert obligations.require(house.session, disbursement.obligation_alias).state is obligations.State.PAID
    assert cases.require(house.session, disbursement.case_alias).state is cases.State.PAID
    assert spending.available(house.session, LEAF, currency="BYN") == byn("190.00")


def test_a_case_is_paid_when_its_last_obligation_is(house: House) -> None:
    give(house.session, byn("1000.00"))
    first, second = two_payments_of_one_case(house)

    pay(house, first)
    assert cases.require(house.session, first.case_alias).state is cases.State.APPROVED
    pay(house, second, source_key="bank:2")
    assert cases.require(house.session, first.case_alias).state is cases.State.PAID


def test_two_last_payments_at_once_do_not_miss_each_other(house: House) -> None:
    give(house.session, byn("1000.00"))
    payments = two_payments_of_one_case(house)

    answers = one_after_the_other(
        house.session,
        lambda own: pay(house.in_another(own), disbursements.require(own, payments[0].alias, lock=True)),
        look=lambda own: obligations.of_case(own, payments[0].case_alias),
        then=lambda own: pay(
            house.in_another(own), disbursements.require(own, payments[1].alias, lock=True), source_key="bank:2"
        ),
    )

    assert all(isinstance(answer, journal.Posted) for answer in answers)
    assert cases.require(house.session, payments[0].case_alias, lock=True).state is cases.State.PAID


def two_payments_of_one_case(house: House) -> list[Disbursement]:
    """A fine and a court fee of one case, both released."""
    case = house.a_case()
    house.verify(case, by=house.fund.anton)
    fine = house.obligation_of(case)
    fee = obligations.add(
        house.session,
        draw(Kind.OBLIGATION),
        case=case.alias,
        ruling=fine.ruling_alias,
        kind=ObligationKind.COURT_FEE,
        amount=byn("27.00"),
    )
    payments = [request(house, obligation) for obligation in (fine, fee)]
    for disbursement in payments:
        approve(house, disbursement)
        house.tell(disbursement)
        release(house, disbursement)
    house.session.commit()
    return payments


# --- found


@pytest.mark.parametrize("lock", [False, True])
def test_an_unknown_disbursement_is_told(house: House, lock: bool) -> None:
    with pytest.raises(UnknownDisbursement):
        disbursements.require(house.session, "D-0000-0000-0001", lock=lock)

    assert disbursements.by_reference(house.session, references.draw()) is None


@pytest.mark.place("house")
def test_pages_go_through_all_disbursements_once(house: House) -> None:
    aliases = sorted(request(house, house.obligation_of(house.a_verified_case())).alias for _ in range(5))
    seen: list[str] = []

    while page := disbursements.page(house.session, state=None, after=seen[-1] if seen else "", limit=2):
        seen += [disbursement.alias for disbursement in page]

    assert seen == aliases
    assert disbursements.page(house.session, state=State.PAID, after="", limit=10) == []
    assert len(disbursements.page(house.session, state=State.REQUESTED, after="", limit=10)) == 5


def test_what_ends_otherwise_frees_what_was_held_for_it(house: House) -> None:
    give(house.session, byn("2000.00"))
    failing, cancelled = house.a_released_payment(), house.an_approved_payment()
    before = [holds.open_for(house.session, one) for one in (failing.alias, cancelled.obligation_alias)]

    unexecuted.end(house, failing)
    disbursements.cancel(house.session, cancelled, on=TODAY)

    assert [[hold.amount() for hold in one] for one in before] == [[byn("810.00")], [byn("810.00")]]
    assert spending.available(house.session, LEAF, currency="BYN") == byn("2000.00")
    assert spending.spendable(house.session, "fines")["BYN"] == byn("1190.00")  # what failed is still owed


def test_an_obligation_that_was_let_go_is_held_anew(house: House) -> None:
    give(house.session, byn("810.00"))
    case = house.a_verified_case()
    disbursements.cancel(house.session, house.an_approved_payment(of=case), on=TODAY)

    house.an_approved_payment(of=case)

    assert spending.spendable(house.session, "fines")["BYN"] == byn("0.00")
