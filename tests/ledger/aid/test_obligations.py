from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from ledger.aid import cases, obligations
from ledger.aid.eligibility import NotEligible
from ledger.aid.obligations import NotToldYet, Obligation, ObligationKind, ObligationNotReady, State, UnknownObligation
from ledger.aliases import AliasTaken, BadAlias, Kind, draw
from ledger.books import balances, journal
from ledger.books.journal import Entry
from tests.cast import NOW, TODAY, House, byn, give, nothing_written, one_after_the_other, race

SUNDAY = date(2020, 10, 11)
"""From when the fine of `House.a_case` is payable for certain: ruled on 28 September, ten days for an appeal."""


def an_obligation(house: House, *, approved: bool = True, **facts: Any) -> Obligation:
    obligation = house.obligation_of(house.a_case(**facts))
    if approved:
        obligations.approve(house.session, obligation, fund="fines")
        house.session.commit()
    return obligation


def tell(house: House, obligation: Obligation, *, told_on: date = TODAY, today: date = TODAY) -> None:
    obligations.tell(
        house.session, obligation, told_on=told_on, today=today, recorded_at=NOW, recorded_by=house.fund.ana.alias
    )


def recognise(house: House, obligation: Obligation, *, on: date = TODAY) -> None:
    obligations.recognise(house.session, obligation, on=on, recorded_at=NOW, recorded_by=house.fund.ana.alias)


def entries(session: Session) -> list[Entry]:
    return list(session.exec(select(Entry)).all())


# --- taken on


def test_a_fund_takes_on_what_is_due_and_books_nothing(house: House) -> None:
    obligation = an_obligation(house)

    assert (obligation.state, obligation.fund_code) == (State.APPROVED, "fines")
    assert entries(house.session) == []


def test_what_is_taken_on_is_not_taken_on_again(house: House) -> None:
    obligation = an_obligation(house)

    with nothing_written(house.session), pytest.raises(ObligationNotReady) as refusal:
        obligations.approve(house.session, obligation, fund="general")

    assert refusal.value.data == {"obligation": obligation.alias, "state": State.APPROVED}


# --- told and recognised


def test_told_before_legal_force_is_noted_and_books_nothing(house: House) -> None:
    obligation = an_obligation(house)

    tell(house, obligation, told_on=SUNDAY - timedelta(days=1), today=SUNDAY - timedelta(days=1))

    assert (obligation.state, obligation.told_on) == (State.APPROVED, SUNDAY - timedelta(days=1))
    assert entries(house.session) == []


def test_told_in_legal_force_is_recognised_at_once(house: House) -> None:
    obligation = an_obligation(house)

    tell(house, obligation, told_on=SUNDAY, today=SUNDAY)

    (entry,) = entries(house.session)
    assert obligation.state is State.RECOGNISED
    assert (entry.kind, entry.effective_on) == ("aid_recognised", SUNDAY)
    assert entry.source_key == f"obligation:{obligation.alias}:recognised"


@pytest.mark.parametrize(
    ("kind", "expense"),
    [(ObligationKind.FINE, "5000"), (ObligationKind.DETENTION, "5100"), (ObligationKind.COURT_FEE, "5200")],
)
def test_each_kind_is_an_expense_of_its_account_against_approved_assistance(
    house: House, kind: ObligationKind, expense: str
) -> None:
    obligation = an_obligation(house, kind=kind, amount=byn("202.50"))

    tell(house, obligation)

    (entry,) = entries(house.session)
    told = {"subject": obligation.alias, "case": obligation.case_alias, "fund": "fines"}
    assert [(p.side, p.account, p.money) for p in journal.postings_of(house.session, entry.id)] == [
        ("debit", expense, byn("202.50")),
        ("credit", "2100", byn("202.50")),
    ]
    for posting in journal.postings_of(house.session, entry.id):
        assert {name: getattr(posting, name) for name in told} == told


def test_told_again_on_the_same_day_changes_nothing(house: House) -> None:
    obligation = an_obligation(house)
    tell(house, obligation, told_on=TODAY)

    with nothing_written(house.session):
        tell(house, obligation, told_on=TODAY, today=TODAY + timedelta(days=3))


def test_a_second_day_of_being_told_is_refused(house: House) -> None:
    early, recognised = an_obligation(house), an_obligation(house)
    tell(house, early, told_on=SUNDAY - timedelta(days=2), today=SUNDAY - timedelta(days=2))
    tell(house, recognised)

    for obligation in (early, recognised):
        with nothing_written(house.session), pytest.raises(ObligationNotReady):
            tell(house, obligation, told_on=TODAY - timedelta(days=1))


def test_nobody_was_told_tomorrow(house: House) -> None:
    obligation = an_obligation(house)

    with nothing_written(house.session), pytest.raises(NotToldYet):
        tell(house, obligation, told_on=TODAY + timedelta(days=1))


def test_nobody_was_told_before_the_ruling_was_certainly_issued(house: House) -> None:
    obligation = an_obligation(house)
    ruled_by = obligations.ruling_of(house.session, obligation).ruled_by

    for days in (1, 30, 700):
        with nothing_written(house.session), pytest.raises(NotToldYet) as refusal:
            tell(house, obligation, told_on=ruled_by - timedelta(days=days))

        assert refusal.value.data == {"obligation": obligation.alias, "earliest": ruled_by.isoformat()}
    tell(house, obligation, told_on=ruled_by)
    assert obligation.told_on == ruled_by


def test_nobody_was_told_before_a_fund_took_it_on(house: House) -> None:
    give(house.session, byn("5000.00"))
    payment = house.an_approved_payment()
    obligation = obligations.require(house.session, payment.obligation_alias)

    with nothing_written(house.session), pytest.raises(NotToldYet) as refusal:
        tell(house, obligation, told_on=TODAY - timedelta(days=1))

    assert refusal.value.data["earliest"] == TODAY.isoformat()
    tell(house, obligation)
    assert obligation.state is State.RECOGNISED


def test_a_fine_whose_bounds_follow_from_its_service_is_not_recognised_before_the_days_of_appeal(house: House) -> None:
    obligation = an_obligation(house, is_force_presumed=True)
    ruling = obligations.ruling_of(house.session, obligation)
    ruling.payable_from = ruling.ruled_by  # as books of before have it
    early = ruling.ruled_by + timedelta(days=9)
    tell(house, obligation, told_on=early, today=early)

    with nothing_written(house.session), pytest.raises(NotEligible) as refusal:
        recognise(house, obligation, on=early)

    assert refusal.value.data["payable_from"] == "2020-10-14"
    recognise(house, obligation, on=early + timedelta(days=1))
    assert obligation.state is State.RECOGNISED


def test_nobody_is_told_of_what_was_not_approved(house: House) -> None:
    obligation = an_obligation(house, approved=False)

    with nothing_written(house.session), pytest.raises(ObligationNotReady):
        tell(house, obligation)


@pytest.mark.parametrize("days_early", [1, 3, 7])
def test_what_is_not_certainly_in_force_is_not_recognised(house: House, days_early: int) -> None:
    obligation = an_obligation(house)
    early = SUNDAY - timedelta(days=days_early)
    tell(house, obligation, told_on=early, today=early)

    with nothing_written(house.session), pytest.raises(NotEligible) as refusal:
        recognise(house, obligation, on=early)

    assert refusal.value.data["payable_from"] == "2020-10-11"
    assert refusal.value.data["rule_name"] == "in_force_at_payment"


def test_what_nobody_was_told_of_is_not_recognised(house: House) -> None:
    obligation = an_obligation(house)

    with nothing_written(house.session), pytest.raises(ObligationNotReady):
        recognise(house, obligation)


def test_what_is_only_due_is_not_recognised(house: House) -> None:
    obligation = an_obligation(house, approved=False)

    with nothing_written(house.session), pytest.raises(ObligationNotReady):
        recognise(house, obligation)


def test_recognised_twice_is_booked_once(house: House) -> None:
    obligation = an_obligation(house)
    tell(house, obligation)

    with nothing_written(house.session):
        recognise(house, obligation, on=TODAY + timedelta(days=1))

    assert balances.balance(house.session, "2100", currency="BYN") == byn("-810.00")


def test_told_twice_at_once_is_booked_once(house: House) -> None:
    obligation = an_obligation(house)

    answers = race(house.session, *[telling(house, obligation.alias)] * 2)

    assert answers == [None, None]
    assert balances.balance(house.session, "5000", currency="BYN") == byn("810.00")


def test_who_looked_before_it_was_told_does_not_tell_another_day(house: House) -> None:
    obligation = an_obligation(house)

    answers = one_after_the_other(
        house.session,
        telling(house, obligation.alias),
        look=lambda own: obligations.require(own, obligation.alias),
        then=telling(house, obligation.alias, told_on=TODAY - timedelta(days=1)),
    )

    assert isinstance(answers[1], ObligationNotReady)
    assert obligations.require(house.session, obligation.alias, lock=True).told_on == TODAY


def telling(house: House, alias: str, *, told_on: date = TODAY) -> Callable[[Session], None]:
    return lambda own: obligations.tell(
        own,
        obligations.require(own, alias),
        told_on=told_on,
        today=TODAY,
        recorded_at=NOW,
        recorded_by=house.fund.ana.alias,
    )


# --- paid


def test_only_what_is_recognised_is_marked_as_paid(house: House) -> None:
    due, approved, recognised = an_obligation(house, approved=False), an_obligation(house), an_obligation(house)
    tell(house, recognised)

    obligations.mark_paid(house.session, recognised, paid=recognised.amount())

    assert recognised.state is State.PAID
    for obligation in (due, approved, recognised):
        with nothing_written(house.session), pytest.raises(ObligationNotReady):
            obligations.mark_paid(house.session, obligation, paid=obligation.amount())


def test_a_case_is_all_paid_when_each_of_its_obligations_is(house: House) -> None:
    first = an_obligation(house)
    second = obligations.add(
        house.session,
        draw(Kind.OBLIGATION),
        case=first.case_alias,
        ruling=first.ruling_alias,
        kind=ObligationKind.COURT_FEE,
        amount=byn("27.00"),
    )
    obligations.approve(house.session, second, fund="fines")
    for obligation in (first, second):
        tell(house, obligation)
    assert sorted([first.alias, second.alias]) == [
        obligation.alias for obligation in obligations.of_case(house.session, first.case_alias)
    ]

    case = cases.require(house.session, first.case_alias)
    cases.verify(house.session, case, by="test", on=TODAY)
    cases.approve(house.session, case, on=TODAY)
    seen = []
    for obligation in (first, second):
        obligations.mark_paid(house.session, obligation, paid=obligation.amount())
        obligations.follow(house.session, case, on=TODAY)
        seen.append(case.state)
    assert seen == [cases.State.APPROVED, cases.State.PAID]


# --- found


def test_an_obligations_alias_is_an_obligations_and_not_taken(house: House) -> None:
    standing = an_obligation(house)

    for alias, kind in ((standing.alias, AliasTaken), (standing.case_alias, BadAlias)):
        with nothing_written(house.session), pytest.raises(kind):
            obligations.add(
                house.session,
                alias,
                case=standing.case_alias,
                ruling=standing.ruling_alias,
                kind=ObligationKind.FINE,
                amount=byn("1.00"),
            )


@pytest.mark.parametrize("lock", [False, True])
def test_an_unknown_obligation_is_told(house: House, lock: bool) -> None:
    with pytest.raises(UnknownObligation):
        obligations.require(house.session, "O-0000-0000-0001", lock=lock)


def test_an_obligation_knows_its_ruling(house: House) -> None:
    obligation = an_obligation(house)

    assert obligations.ruling_of(house.session, obligation).alias == obligation.ruling_alias


def test_many_are_locked_together_or_not_at_all(house: House) -> None:
    found = [house.obligation_of(house.a_case()) for _ in range(2)]

    locked = obligations.lock_all(house.session, {one.alias for one in found})

    assert locked == sorted(found, key=lambda one: one.alias)
    with pytest.raises(UnknownObligation):
        obligations.lock_all(house.session, [found[0].alias, draw(Kind.OBLIGATION)])
