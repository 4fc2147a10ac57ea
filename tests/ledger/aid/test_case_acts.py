import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session

from api.client import keyring, sealed_files
from ledger import checks
from ledger.aid import (
    acts,
    batch_acts,
    batch_lines,
    batches,
    case_acts,
    cases,
    disbursements,
    exits,
    obligations,
    quashing,
    rulings,
)
from ledger.aid.acts import EvidenceNotOpened
from ledger.aid.cases import Case, CaseNotReady, OnHold, State, UnknownCase
from ledger.aid.eligibility import Rejection
from ledger.aid.exits import NotADuplicate
from ledger.aid.unwinding import MoneyUnderWay
from ledger.aliases import Kind, draw
from ledger.approvals import ActDiffers, NotInRole
from ledger.books import balances, spending
from ledger.checks import acts as trust
from ledger.checks import aid, control
from ledger.identities import evidence
from ledger.identities.boxes import FilePlace
from ledger.identities.evidence import EvidenceKind, NewFile
from ledger.identities.shelves import Reason, Shelf
from ledger.money import Money
from tests.cast import (
    LEAF,
    NOW,
    TODAY,
    House,
    Person,
    byn,
    give,
    nothing_written,
    one_after_the_other,
    race,
)
from tests.purses import (
    a_locked_batch,
    a_released_batch,
    an_agent,
    an_approved_batch,
    approve,
    create,
    enter,
    items,
    lines_for,
    on_batch,
    release,
    verified,
)

pytestmark = pytest.mark.place("verified_cases")

NEXT_YEAR = datetime(2021, 1, 11, 9, tzinfo=UTC)


@pytest.fixture
def anton(house: House) -> Person:
    """Of the intake too: he reviews what Ana enters."""
    return house.fund.anton


def steer(house: House, verb: str, case: Case, *, by: Person | None = None, at: datetime = NOW, **more: Any) -> Case:
    """Somebody signs a step about a case and takes it."""
    person = by or house.fund.ana
    details = {"mark_duplicate": more.get("of"), "reject_case": more.get("because")}
    agreed = house.on_case(verb, case, by=person, now=at, detail=details.get(verb))  # type: ignore[arg-type]  # a verb
    take: Callable[..., Case] = acts.reject_case if verb == "reject_case" else getattr(case_acts, verb)
    done = take(house.session, case.alias, agreed, **more)
    house.session.commit()
    return done


def case_of(house: House, disbursement: disbursements.Disbursement) -> Case:
    return cases.require(house.session, disbursement.case_alias)


def a_paid_case(house: House) -> Case:
    give(house.session, byn("1000.00"))
    paid = house.a_released_payment()
    disbursements.pay(house.session, paid, source_key="bank:1", on=TODAY, recorded_at=NOW, recorded_by="test")
    house.session.commit()
    return case_of(house, paid)


def balance(house: House, account: str) -> Money:
    return balances.balance(house.session, account, currency="BYN", fund="fines")


def nothing_found(house: House) -> bool:
    return not checks.findings(house.session, checks=(*aid.CHECKS, *control.CHECKS, *trust.CHECKS))


def bring_a_receipt(house: House, case: Case, *, by: Person) -> None:
    """Somebody seals the scan of a receipt."""
    shelf = house.session.get_one(Shelf, case.beneficiary_alias)
    place = FilePlace(case.alias, "receipt", draw(Kind.EVIDENCE), 1)
    source = io.BytesIO(b"invented")
    draft = sealed_files.draft(source, name="scan.pdf", place=place)
    message = place.message(shelf=shelf.alias, size=draft.size, commitment=draft.commitment, keep_until=None)
    signature = keyring.sign(by.device, message)
    new = NewFile(place.alias, 1, EvidenceKind.RECEIPT, draft.size, draft.commitment, None, signature)
    file = evidence.declare(house.session, new, subject=case.alias, shelf=shelf.alias, signer=by.operator, at=NOW)
    (data,) = sealed_files.seal_chunks(source, draft, public=shelf.sealing_key)
    evidence.put_chunk(house.session, file.alias, 1, number=1, data=data, by=by.alias, at=NOW)
    evidence.hand_out(house.session, file.alias, 1, operator=by.alias, reason=Reason.VERIFICATION, at=NOW)
    house.session.commit()


# --- on hold


def test_a_hold_stops_approval_and_release_until_it_is_resumed(house: House, boris: Person) -> None:
    give(house.session, byn("1620.00"))
    asked, agreed_to = house.a_requested_payment(), house.an_approved_payment()
    house.tell(agreed_to)
    for one in (asked, agreed_to):
        steer(house, "hold_case", case_of(house, one), by=house.fund.clara)

    yes = house.on_payment("approve_disbursement", asked, by=boris)
    with nothing_written(house.session), pytest.raises(OnHold):
        acts.approve_disbursement(house.session, asked.alias, yes)
    out = house.on_payment("release_disbursement", agreed_to, by=house.fund.clara)
    with nothing_written(house.session), pytest.raises(OnHold):
        acts.release_disbursement(house.session, agreed_to.alias, out)
    held = steer(house, "hold_case", house.a_verified_case(), by=house.fund.clara)
    with nothing_written(house.session), pytest.raises(OnHold):
        house.a_requested_payment(of=held)
    assert nothing_found(house)

    for one in (asked, agreed_to):
        steer(house, "resume_case", case_of(house, one))
    acts.approve_disbursement(house.session, asked.alias, yes)
    acts.release_disbursement(house.session, agreed_to.alias, out)


def test_a_case_held_while_its_payment_is_released_stops_it_or_comes_too_late(house: House) -> None:
    give(house.session, byn("810.00"))
    disbursement = house.an_approved_payment()
    house.tell(disbursement)
    case = case_of(house, disbursement)
    hold = house.on_case("hold_case", case, by=house.fund.ana)
    out = house.on_payment("release_disbursement", disbursement, by=house.fund.clara)

    answers = one_after_the_other(
        house.session,
        lambda own: case_acts.hold_case(own, case.alias, hold),
        look=lambda own: cases.require(own, case.alias),
        then=lambda own: acts.release_disbursement(own, disbursement.alias, out),
    )

    assert isinstance(answers[1], OnHold)


@pytest.mark.place("house")
def test_a_held_line_is_left_out_of_its_batch_with_its_reason_and_the_batch_goes_on(house: House) -> None:
    give(house.session, byn("1620.00"))
    held, stays = house.a_verified_case(), house.a_verified_case()
    batch = a_locked_batch(house, None, LEAF, [held, stays])
    steer(house, "hold_case", held)

    approve(house, batch)

    by_case = {item.case.alias: item for item in items(house, batch)}
    assert by_case[held.alias].line.excluded is batch_lines.Exclusion.ON_HOLD
    assert by_case[held.alias].disbursement.state is disbursements.State.CANCELLED
    assert by_case[stays.alias].disbursement.state is disbursements.State.APPROVED
    assert spending.spendable(house.session, "fines")["BYN"] == byn("810.00")
    batches.tell(house.session, batch, told_on=TODAY, today=TODAY, recorded_at=NOW, recorded_by="test")
    release(house, batch)
    assert batch.state is batches.State.RELEASED
    steer(house, "resume_case", held)
    assert [one.case_alias for one in batches.candidates(house.session, limit=9)] == [held.alias]
    assert nothing_found(house)


def test_a_line_held_between_approval_and_release_is_left_out_too(house: House) -> None:
    give(house.session, byn("1620.00"))
    held, stays = house.a_verified_case(), house.a_verified_case()
    batch = an_approved_batch(house, None, LEAF, [held, stays])
    batches.tell(house.session, batch, told_on=TODAY, today=TODAY, recorded_at=NOW, recorded_by="test")
    steer(house, "hold_case", held)

    release(house, batch)

    states = {item.case.alias: item.disbursement.state for item in items(house, batch)}
    assert states == {held.alias: disbursements.State.CANCELLED, stays.alias: disbursements.State.RELEASED}
    assert house.obligation_of(held).state is obligations.State.RECOGNISED
    assert nothing_found(house)


def test_a_batch_of_held_lines_only_goes_nowhere(house: House) -> None:
    give(house.session, byn("810.00"))
    held = house.a_verified_case()
    batch = a_locked_batch(house, None, LEAF, [held])
    steer(house, "hold_case", held)

    with nothing_written(house.session), pytest.raises(batches.BatchNotReady):
        approve(house, batch)


# --- side exits


@pytest.mark.parametrize("verb", ["withdraw_case", "reject_case"])
def test_who_leaves_after_the_approval_frees_what_was_held(house: House, verb: str) -> None:
    give(house.session, byn("810.00"))
    disbursement = house.an_approved_payment()
    case = case_of(house, disbursement)
    more: dict[str, Any] = {"because": Rejection.UNSAFE_CHANNEL} if verb == "reject_case" else {}

    steer(house, verb, case, **more)

    assert (case.state in cases.LEFT, disbursement.state) == (True, disbursements.State.CANCELLED)
    assert spending.spendable(house.session, "fines")["BYN"] == byn("810.00")
    assert nothing_found(house)


@pytest.mark.parametrize(("at", "account"), [(NOW, "5000"), (NEXT_YEAR, "4200")], ids=["same year", "next year"])
def test_who_leaves_after_the_recognition_has_it_taken_back(house: House, at: datetime, account: str) -> None:
    give(house.session, byn("810.00"))
    disbursement = house.an_approved_payment()
    house.tell(disbursement)

    case = steer(house, "withdraw_case", case_of(house, disbursement), at=at)

    assert (balance(house, "2100"), house.obligation_of(case).state) == (byn("0.00"), obligations.State.DUE)
    assert balance(house, account) == (byn("0.00") if account == "5000" else byn("-810.00"))
    assert nothing_found(house)


def test_nobody_leaves_while_money_is_under_way_or_after_it_was_paid(house: House) -> None:
    paid = a_paid_case(house)
    give(house.session, byn("810.00"))
    released = case_of(house, house.a_released_payment())

    for case, refusal in ((released, MoneyUnderWay), (paid, CaseNotReady)):
        with nothing_written(house.session), pytest.raises(refusal):
            steer(house, "withdraw_case", case)


def test_who_was_withdrawn_is_withdrawn(house: House) -> None:
    case = steer(house, "withdraw_case", house.a_verified_case())

    for verb in ("withdraw_case", "hold_case", "resume_case", "close_case"):
        with nothing_written(house.session), pytest.raises(CaseNotReady):
            steer(house, verb, case)
    with pytest.raises(disbursements.DisbursementNotReady):
        house.a_requested_payment(of=case)


# --- duplicates


def test_the_later_case_becomes_a_duplicate_and_can_never_be_paid(house: House, anton: Person) -> None:
    first, again = house.a_case(ruling_number="5-77"), house.a_case(ruling_number="5-77")
    for case in (first, again):
        house.open(case, by=anton)

    steer(house, "mark_duplicate", again, by=anton, of=first.alias)

    assert (again.state, again.duplicate_of) == (State.DUPLICATE, first.alias)
    assert cases.duplicates_of(house.session, first.alias) == [again]
    with pytest.raises(disbursements.DisbursementNotReady):
        house.a_requested_payment(of=again)
    assert nothing_found(house)


def test_a_duplicate_is_signed_by_who_has_opened_both_and_names_the_other(house: House, anton: Person) -> None:
    first, again, third = (house.a_case() for _ in range(3))
    house.open(again, by=anton)

    with nothing_written(house.session), pytest.raises(EvidenceNotOpened):
        steer(house, "mark_duplicate", again, by=anton, of=first.alias)
    house.open(first, by=anton)
    house.open(third, by=anton)
    agreed = house.on_case("mark_duplicate", again, by=anton, detail=third.alias)
    with nothing_written(house.session), pytest.raises(ActDiffers):
        case_acts.mark_duplicate(house.session, again.alias, agreed, of=first.alias)
    with nothing_written(house.session), pytest.raises(UnknownCase):
        steer(house, "mark_duplicate", again, by=anton, of="C-0000-0000-0001")


def test_a_duplicate_is_of_another_case_that_is_none(house: House, anton: Person) -> None:
    first, again, third = (house.a_case() for _ in range(3))
    for case in (first, again, third):
        house.open(case, by=anton)
    steer(house, "mark_duplicate", again, by=anton, of=first.alias)

    for case, of in ((third, again), (third, third), (first, third)):
        with nothing_written(house.session), pytest.raises(NotADuplicate):
            steer(house, "mark_duplicate", case, by=anton, of=of.alias)


def test_two_cases_are_not_each_others_duplicates_even_at_once(house: House, anton: Person, ana: Person) -> None:
    one, other = house.a_case(), house.a_case()
    for person in (anton, ana):
        house.open(one, by=person)
        house.open(other, by=person)
    first = house.on_case("mark_duplicate", one, by=anton, detail=other.alias)
    second = house.on_case("mark_duplicate", other, by=ana, detail=one.alias)

    def mark(session: Session, which: Case, agreed: Any, of: Case) -> Case:
        return case_acts.mark_duplicate(session, which.alias, agreed, of=of.alias)

    race(house.session, lambda own: mark(own, one, first, other), lambda own: mark(own, other, second, one))

    house.session.expire_all()
    assert [cases.require(house.session, c.alias).state for c in (one, other)].count(State.DUPLICATE) == 1


# --- receipts and the end


def test_a_paid_case_is_confirmed_with_its_receipt_and_closed(house: House, anton: Person) -> None:
    case = a_paid_case(house)
    house.open(case, by=anton)
    with nothing_written(house.session), pytest.raises(case_acts.ReceiptMissing):
        steer(house, "confirm_case", case, by=anton)
    with nothing_written(house.session), pytest.raises(CaseNotReady):
        steer(house, "close_case", case)
    bring_a_receipt(house, case, by=anton)

    steer(house, "confirm_case", case, by=anton)
    steer(house, "close_case", case)

    assert case.state is State.CLOSED
    assert nothing_found(house)


def test_an_agents_verified_receipts_confirm_their_cases(house: House) -> None:
    give(house.session, byn("810.00"))
    case, agent = house.a_verified_case(), an_agent(house)
    batch = a_released_batch(house, agent, LEAF, [case])

    enter(house, batch, verified(items(house, batch)[0]))

    assert cases.require(house.session, case.alias).state is State.CONFIRMED
    assert nothing_found(house)


@pytest.mark.parametrize("verb", ["resume_case", "withdraw_case"])
def test_only_the_intake_lets_go_on_and_out(house: House, boris: Person, verb: str) -> None:
    case = house.a_case()

    with nothing_written(house.session), pytest.raises(NotInRole):
        steer(house, verb, case, by=boris)


def test_two_people_at_once_take_one_step(house: House, anton: Person, ana: Person) -> None:
    case = house.a_verified_case()
    hold = house.on_case("hold_case", case, by=anton)
    out = house.on_case("withdraw_case", case, by=ana)

    answers = one_after_the_other(
        house.session,
        lambda own: case_acts.hold_case(own, case.alias, hold),
        look=lambda own: cases.require(own, case.alias),
        then=lambda own: case_acts.withdraw_case(own, case.alias, out),
    )

    assert isinstance(answers[1], ActDiffers)


# --- states changed by raw hand


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        ("state = 'withdrawn'", "steered"),
        ("state = 'rejected', rejection = 'illegible'", "steered"),
        ("state = 'duplicate', duplicate_of = alias", "steered"),
        ("state = 'on_hold', resumes_as = 'verified'", "steered"),
        ("state = 'on_hold'", "cases"),
        ("state = 'closed'", "cases"),
        ("state = 'paid'", "cases"),
        ("state = 'confirmed'", "cases"),
        ("state = 'duplicate'", "cases"),
        ("resumes_as = 'received'", "cases"),
    ],
)
def test_a_case_that_nobody_brought_where_it_stands_is_found(house: House, statement: str, check: str) -> None:
    case = house.a_verified_case()
    house.session.connection().execute(
        text(f"UPDATE aid_case SET {statement} WHERE alias = :alias"),  # noqa: S608  # the attack
        {"alias": case.alias},
    )
    house.session.expire_all()

    told = checks.findings(house.session, checks=(*aid.CHECKS, *trust.CHECKS))

    assert (check, case.alias) in {(one.check, one.name) for one in told}


def test_a_ruling_is_reduced_though_its_case_was_rejected_on_its_list(house: House) -> None:
    case = house.a_case(rejection=Rejection.ILLEGIBLE)
    fall_away(house, case, "cancelled")

    assert (case.state, case.version) == (cases.State.REJECTED, 2)
    assert checks.findings(house.session, checks=[one for one in trust.CHECKS if one.name == "steered"]) == []


def test_a_code_changed_after_it_was_signed_is_found(house: House) -> None:
    case = steer(house, "reject_case", house.a_verified_case(), because=Rejection.ILLEGIBLE)
    house.session.connection().execute(text("UPDATE aid_case SET rejection = 'already_paid'"))
    house.session.expire_all()

    told = checks.findings(house.session, checks=trust.CHECKS)

    assert [(one.check, one.name) for one in told] == [("steered", case.alias)]


# --- lines that fell away


def fall_away(house: House, case: cases.Case, how: str) -> None:
    """A case is withdrawn or rejected, or its ruling is quashed or becomes less."""
    (ruling,) = rulings.of_case(house.session, case.alias)
    ana, said = house.fund.ana, {"on": TODAY, "recorded_at": NOW}
    if how == "quashed":
        quashing.quash(house.session, ruling, by=ana.alias, on=TODAY, recorded_at=NOW)
    elif how == "cancelled":
        quashing.reduce(house.session, ruling, byn("400.00"), by=ana.alias, on=TODAY, recorded_at=NOW)
    else:
        exits.clear(house.session, case.alias, by=ana.alias, **said)  # type: ignore[arg-type]  # a test's
        if how == "withdrawn":
            cases.withdraw(house.session, case, on=TODAY)
        else:
            cases.reject(house.session, case, because=Rejection.ILLEGIBLE, on=TODAY)
    house.session.commit()


@pytest.mark.parametrize("how", ["withdrawn", "rejected", "quashed", "cancelled"])
def test_a_line_that_fell_away_is_left_out_and_the_batch_goes_on(house: House, how: str) -> None:
    give(house.session, byn("1620.00"))
    gone, stays = house.a_verified_case(), house.a_verified_case()
    batch = a_locked_batch(house, None, LEAF, [gone, stays])
    fall_away(house, gone, how)
    told = {item.case.alias: item.left_out() for item in items(house, batch)}
    assert told == {gone.alias: batch_lines.Exclusion(how), stays.alias: None}  # seen before anybody signs

    approve(house, batch)

    by_case = {item.case.alias: item for item in items(house, batch)}
    assert by_case[gone.alias].line.excluded is batch_lines.Exclusion(how)
    assert by_case[stays.alias].disbursement.state is disbursements.State.APPROVED
    batches.tell(house.session, batch, told_on=TODAY, today=TODAY, recorded_at=NOW, recorded_by="test")
    release(house, batch)
    assert (batch.state, by_case[gone.alias].disbursement.state) == (
        batches.State.RELEASED,
        disbursements.State.CANCELLED,
    )
    assert checks.findings(house.session, checks=checks.aid.CHECKS) == []


@pytest.mark.parametrize("how", ["withdrawn", "quashed"])
def test_a_line_that_fell_away_between_approval_and_release_is_left_out_too(house: House, how: str) -> None:
    give(house.session, byn("1620.00"))
    gone, stays = house.a_verified_case(), house.a_verified_case()
    batch = an_approved_batch(house, None, LEAF, [gone, stays])
    fall_away(house, gone, how)

    batches.tell(house.session, batch, told_on=TODAY, today=TODAY, recorded_at=NOW, recorded_by="test")
    release(house, batch)

    by_case = {item.case.alias: item for item in items(house, batch)}
    assert by_case[gone.alias].line.excluded is batch_lines.Exclusion(how)
    assert by_case[stays.alias].disbursement.state is disbursements.State.RELEASED


def test_lines_that_fell_away_from_a_draft_are_noted_when_it_is_locked(house: House) -> None:
    gone, stays = house.a_verified_case(), house.a_verified_case()
    batch = create(house, lines_for(house, [gone, stays]), account=LEAF)
    fall_away(house, gone, "withdrawn")

    batches.lock(house.session, batch)

    excluded = {item.case.alias: item.line.excluded for item in items(house, batch)}
    assert excluded == {gone.alias: batch_lines.Exclusion.WITHDRAWN, stays.alias: None}


def test_a_batch_of_which_every_line_fell_away_is_not_locked_nor_agreed_to(house: House) -> None:
    give(house.session, byn("1620.00"))
    first, second = house.a_verified_case(), house.a_verified_case()
    draft = create(house, lines_for(house, [first]), account=LEAF)
    locked = a_locked_batch(house, None, LEAF, [second])
    for case in (first, second):
        fall_away(house, case, "withdrawn")

    with nothing_written(house.session), pytest.raises(batches.BatchNotReady):
        batches.lock(house.session, draft)
    agreed = on_batch(house, "approve_batch", locked, by=house.fund.boris)
    with nothing_written(house.session), pytest.raises(batches.BatchNotReady):
        batch_acts.approve_batch(house.session, locked.alias, agreed)
