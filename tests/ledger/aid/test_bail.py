from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlmodel import Session

from ledger import checks
from ledger.aid import acts, bail, bail_acts, disbursements, hearings, obligations, quashing, rulings
from ledger.aid.bail import AnotherPersons, BadBailPart, NotPosted, OverBail
from ledger.aid.bail_parts import BailPart, Fate
from ledger.aid.batches import BadBatch
from ledger.aid.disbursements import DisbursementNotReady, OverObligation
from ledger.aid.obligations import Obligation, ObligationKind, ObligationNotReady, State
from ledger.aliases import Kind, draw
from ledger.approvals import ActDiffers, Agreed, NotInRole, SamePerson
from ledger.books import balances, spending
from ledger.checks import aid as aid_checks
from ledger.checks import bail as bail_checks
from ledger.checks import control, holds
from ledger.errors import LedgerError
from ledger.money import Money
from tests import places
from tests.bookcheck import assert_it_holds
from tests.cast import NOW, TODAY, House, Person, engine_of, nothing_written, race
from tests.courts import (
    USD_LEAF,
    a_case,
    a_recognised_fine,
    apply,
    forfeit,
    on_bail,
    open_dollars,
    posted_bail,
    see_at_the_bank,
    usd,
)
from tests.purses import an_agent, create, give_euros, lines_for
from tests.unexecuted import end

pytestmark = pytest.mark.place("bail_at_the_court")


@pytest.fixture
def posted(house: House) -> Obligation:
    return places.the(house.session, Obligation)


def announce(house: House, posted: Obligation, amount: Money, fee: Money) -> bail.BailReturn:
    return bail.announce_return(house.session, posted.alias, amount=amount, fee=fee, by="OP-X", on=TODAY)


def refused(house: House, error: type[LedgerError], attempt: Callable[[], object]) -> None:
    with nothing_written(house.session), pytest.raises(error):
        attempt()


@pytest.mark.place("house")
def test_what_is_no_posted_bail_has_no_parts(house: House) -> None:
    open_dollars(house)
    payment = house.a_released_payment(of=a_case(house, "100.00"), leaf=USD_LEAF)
    not_yet = house.session.get_one(Obligation, payment.obligation_alias)
    fine, _ = a_recognised_fine(house)

    for other in (not_yet, fine):
        refused(house, NotPosted, partial(announce, house, other, usd("1.00"), usd("0.00")))
        refused(house, NotPosted, partial(hearings.note_hearing, house.session, other.alias, on=TODAY, by="OP-X"))


@pytest.mark.place("house")
def test_bail_that_could_not_be_posted_is_due_again_and_held_no_more(house: House) -> None:
    open_dollars(house)
    payment = house.a_released_payment(of=a_case(house, "100.00"), leaf=USD_LEAF)

    end(house, payment)

    assert house.session.get_one(Obligation, payment.obligation_alias).state is State.DUE
    assert spending.spendable(house.session, "fines")["USD"] == usd("9000.00")
    assert_it_holds(engine_of(house.session))


def test_bail_that_was_posted_is_neither_promised_nor_ordered_any_more(house: House, posted: Obligation) -> None:
    assert posted.state is State.PAID
    assert spending.spendable(house.session, "fines")["USD"] == usd("7500.00")
    assert spending.available(house.session, USD_LEAF, currency="USD") == usd("7500.00")
    assert checks.findings(house.session, checks=holds.CHECKS) == []


@pytest.mark.place("house")
def test_bail_needs_that_the_person_was_told_like_any_aid(house: House) -> None:
    open_dollars(house)
    payment = house.an_approved_payment(of=a_case(house, "100.00"), leaf=USD_LEAF)

    refused(
        house,
        ObligationNotReady,
        lambda: disbursements.release(house.session, payment, by=house.fund.clara.alias, on=TODAY, recorded_at=NOW),
    )


@pytest.mark.place("house")
def test_an_agent_posts_no_bail(house: House) -> None:
    open_dollars(house)
    give_euros(house)
    agent = an_agent(house)
    lines = lines_for(house, [a_case(house, "100.00")])

    refused(house, BadBatch, lambda: create(house, lines, agent=agent.alias, account=agent.purse()))


def test_a_return_that_cannot_be_is_refused(house: House, posted: Obligation) -> None:
    for amount, fee, error in (
        (usd("0.00"), usd("0.00"), BadBailPart),
        (usd("100.00"), usd("100.00"), BadBailPart),
        (usd("100.00"), usd("-1.00"), BadBailPart),
        (Money.parse("100.00", "EUR"), usd("0.00"), BadBailPart),
        (usd("1500.01"), usd("0.00"), OverBail),
    ):
        refused(house, error, partial(announce, house, posted, amount, fee))


def test_what_is_announced_cannot_be_forfeited_too(house: House, posted: Obligation) -> None:
    announce(house, posted, usd("1000.00"), usd("0.00"))
    house.session.commit()

    with pytest.raises(OverBail):
        forfeit(house, posted, usd("500.01"))
    house.session.rollback()

    forfeit(house, posted, usd("500.00"))
    assert bail.outstanding(house.session, posted) == usd("1000.00")


def test_a_return_is_booked_once_and_another_amount_opens_an_exception(house: House, posted: Obligation) -> None:
    returned = announce(house, posted, usd("1500.00"), usd("45.00"))

    assert see_at_the_bank(house, usd("1500.00"), reference=returned.reference).booked == 0
    assert see_at_the_bank(house, usd("1455.00"), reference=returned.reference).booked == 1
    assert (
        see_at_the_bank(house, usd("1455.00"), reference=returned.reference, on=TODAY + timedelta(days=1)).booked == 0
    )
    assert balances.balance(house.session, "1300", currency="USD") == usd("0.00")


def test_only_an_approver_who_did_not_ask_forfeits(house: House, posted: Obligation) -> None:
    with pytest.raises(SamePerson):
        forfeit(house, posted, usd("1.00"), by=house.fund.clara)
    with pytest.raises(SamePerson):
        forfeit(house, posted, usd("1.00"), by=house.fund.anton)
    with pytest.raises(NotInRole):
        forfeit(house, posted, usd("1.00"), by=house.fund.dina)
    with pytest.raises(ActDiffers):
        forfeit(house, posted, usd("1.00"), version=7)

    house.session.rollback()
    assert bail.outstanding(house.session, posted) == usd("1500.00")


def test_an_act_that_was_signed_before_another_step_is_stale(house: House, posted: Obligation) -> None:
    told = {"amount": "100.00", "currency": "USD"}
    early = on_bail(house, "forfeit_bail", posted, by=house.fund.boris, **told)
    forfeit(house, posted, usd("50.00"), by=house.fund.bella)

    refused(
        house,
        ActDiffers,
        lambda: bail_acts.forfeit_bail(house.session, posted.alias, early, amount=usd("100.00")),
    )


def test_two_who_forfeit_the_same_rest_at_once_do_it_once(house: House, posted: Obligation) -> None:
    told = {"amount": "1500.00", "currency": "USD"}
    boris, bella = (
        on_bail(house, "forfeit_bail", posted, by=by, **told) for by in (house.fund.boris, house.fund.bella)
    )
    alias = posted.alias

    def run(agreed: Agreed) -> Callable[[Session], object]:
        return lambda session: bail_acts.forfeit_bail(session, alias, agreed, amount=usd("1500.00"))

    answers = race(house.session, run(boris), run(bella))

    assert sorted(isinstance(one, LedgerError) for one in answers) == [False, True]
    assert balances.balance(house.session, "5300", currency="USD") == usd("1500.00")


def test_bail_pays_only_what_is_recognised_and_not_on_its_way(house: House, posted: Obligation) -> None:
    due = house.obligation_of(a_case(house, "10.00", kind=ObligationKind.FINE))
    fine, payment = a_recognised_fine(house)
    agreed = house.on_payment("release_disbursement", payment, by=house.fund.clara)
    acts.release_disbursement(house.session, payment.alias, agreed)
    house.session.commit()

    for other, error in ((due, ObligationNotReady), (fine, DisbursementNotReady), (posted, BadBailPart)):
        with pytest.raises(error):
            apply(house, posted, other)
        house.session.rollback()
    assert bail.outstanding(house.session, posted) == usd("1500.00")


def test_a_fine_is_paid_by_bail_once(house: House, posted: Obligation) -> None:
    fine, _ = a_recognised_fine(house)
    apply(house, posted, fine)

    with pytest.raises(ObligationNotReady):
        apply(house, posted, fine)


def test_posted_bail_is_not_quashed_away(house: House, posted: Obligation) -> None:
    ruling = rulings.require(house.session, posted.ruling_alias)

    with pytest.raises(ObligationNotReady):
        quashing.quash(house.session, ruling, by="OP-X", on=TODAY, recorded_at=NOW)


def test_a_hearing_is_noted_once_a_day_and_the_oldest_bail_stands_first(house: House, posted: Obligation) -> None:
    later = posted_bail(house, "10.00", on=TODAY + timedelta(days=100))
    day = TODAY + timedelta(days=200)

    first = hearings.note_hearing(house.session, posted.alias, on=day, by="OP-X")
    again = hearings.note_hearing(house.session, posted.alias, on=day, by="OP-Y")

    assert again is first
    assert [(one.obligation, one.group) for one in hearings.age(house.session, on=day)] == [
        (posted.alias, "over 180 days"),
        (later.alias, "91 to 180 days"),
    ]
    assert hearings.age(house.session, on=day)[0].next_hearing == day


def test_the_edges_of_ages(house: House, posted: Obligation) -> None:
    groups = {0: "0 to 30 days", 30: "0 to 30 days", 31: "31 to 90 days", 180: "91 to 180 days", 181: "over 180 days"}

    for days, group in groups.items():
        (standing,) = hearings.age(house.session, on=TODAY + timedelta(days=days))
        assert (standing.obligation, standing.group) == (posted.alias, group)


def test_a_part_is_never_changed_nor_removed(house: House, posted: Obligation) -> None:
    forfeit(house, posted, usd("1.00"))

    for statement in ("UPDATE bail_part SET minor = 2", "DELETE FROM bail_part"):
        with pytest.raises(DatabaseError):
            house.session.connection().execute(text(statement))
        house.session.rollback()


def test_a_hearing_of_what_is_no_bail_is_found(house: House, posted: Obligation) -> None:
    fine, _ = a_recognised_fine(house)
    house.session.add(hearings.Hearing(obligation_alias=fine.alias, held_by=TODAY, noted_by="OP-X"))
    house.session.commit()

    found = list(aid_checks.find_hearings(house.session, lambda *_: None))

    assert [(one.check, one.name) for one in found] == [("bail-posted", fine.alias)]
    assert fine.alias != posted.alias


def found_of_parts(house: House) -> list[tuple[str, object, object]]:
    told = [one for check in bail_checks.CHECKS for one in check.find(house.session, lambda *_: None)]
    return [(one.check, one.facts["signer"], one.facts["number"]) for one in told]


def a_part(house: House, posted: Obligation, *, number: int, by: Person, minor: int = 100) -> None:
    """A part that nobody signed, written past every verb."""
    forged = BailPart(
        obligation_alias=posted.alias,
        number=number,
        fate=Fate.FORFEITED,
        minor=minor,
        decided_by=by.alias,
        decided_on=TODAY,
    )
    house.session.add(forged)
    house.session.flush()


def test_parts_that_were_signed_are_in_order(house: House, posted: Obligation) -> None:
    fine, _ = a_recognised_fine(house)
    apply(house, posted, fine)
    forfeit(house, posted, usd("1.00"))
    forfeit(house, posted, usd("1.00"))

    assert found_of_parts(house) == []


def test_a_part_that_nobody_signed_or_that_leans_on_the_act_of_another_is_found(
    house: House, posted: Obligation
) -> None:
    forfeit(house, posted, usd("1.00"))
    a_part(house, posted, number=2, by=house.fund.boris)
    a_part(house, posted, number=3, by=house.fund.bella)
    a_part(house, posted, number=4, by=house.fund.clara, minor=7)

    boris, bella, clara = (one.alias for one in (house.fund.boris, house.fund.bella, house.fund.clara))
    assert found_of_parts(house) == [
        ("bail-signed", boris, 2),
        ("bail-signed", bella, 3),
        ("bail-signed", clara, 4),
        ("bail-four-eyes", clara, 4),
    ]


# --- applied to a part


def test_bail_pays_a_part_and_a_payment_the_rest_and_both_never_more_than_is_owed(
    house: House, posted: Obligation
) -> None:
    fine, payment = a_recognised_fine(house)

    apply(house, posted, fine, usd("150.00"))

    assert (fine.state, payment.state) == (State.PART_PAID, disbursements.State.CANCELLED)
    assert (disbursements.paid(house.session, fine), disbursements.left(house.session, fine)) == (
        usd("150.00"),
        usd("250.00"),
    )
    assert balances.balance(house.session, "2100", currency="USD") == usd("-250.00")
    with nothing_written(house.session), pytest.raises(OverObligation):
        ask(house, fine, usd("250.01"))
    paid(house, ask(house, fine, None))
    assert fine.state is State.PAID
    assert states_hold(house)


def test_what_was_asked_for_stays_where_enough_is_left_beside_it(house: House, posted: Obligation) -> None:
    fine, payment = a_recognised_fine(house)
    disbursements.cancel(house.session, payment, on=TODAY)
    part = ask(house, fine, usd("250.00"))

    apply(house, posted, fine, usd("150.00"))

    assert part.state is disbursements.State.REQUESTED
    assert disbursements.left(house.session, fine) == usd("0.00")


def test_two_bails_pay_one_fine_and_a_third_pays_nothing_of_it(house: House, posted: Obligation) -> None:
    other = posted_bail(house, "100.00")
    fine, _ = a_recognised_fine(house)
    apply(house, posted, fine, usd("300.00"))
    apply(house, other, fine, usd("100.00"))

    assert fine.state is State.PAID
    refused(house, ObligationNotReady, partial(applied, house, posted, fine, usd("1.00")))
    assert states_hold(house)


@pytest.mark.parametrize("amount", ["400.01", "1500.01", "0.00", "-1.00"])
def test_bail_that_is_more_than_owed_or_held_or_nothing_is_not_applied(
    house: House, posted: Obligation, amount: str
) -> None:
    fine, _ = a_recognised_fine(house)

    with pytest.raises((OverObligation, OverBail, BadBailPart)):
        applied(house, posted, fine, usd(amount))
    house.session.rollback()

    assert (bail.outstanding(house.session, posted), fine.state) == (usd("1500.00"), State.RECOGNISED)


def test_an_act_about_another_amount_applies_nothing(house: House, posted: Obligation) -> None:
    fine, _ = a_recognised_fine(house)

    told = {"amount": "100.00", "currency": "USD", "payee_commitment": bail_acts.commitment(fine.alias)}
    agreed = on_bail(house, "apply_bail", posted, by=house.fund.boris, **told)

    refused(
        house,
        ActDiffers,
        lambda: bail_acts.apply_bail(house.session, posted.alias, agreed, fine=fine.alias, amount=usd("150.00")),
    )


def test_bail_of_one_person_pays_nothing_of_another(house: House, posted: Obligation) -> None:
    case = a_case(house, "400.00", kind=ObligationKind.FINE, name="Another Invented Person")
    fine = house.tell(house.an_approved_payment(of=case, leaf=USD_LEAF))

    refused(house, AnotherPersons, partial(applied, house, posted, fine, usd("10.00")))
    a_forged_part(house, posted, fine, minor=1000)

    assert [one.check for one in bail_checks.find_other_persons(house.session, lambda *_: None)] == ["bail-person"]


def test_a_part_that_makes_it_too_much_is_refused_by_the_database(house: House, posted: Obligation) -> None:
    fine, _ = a_recognised_fine(house)
    house.session.commit()

    with pytest.raises(DatabaseError, match="guard: payments are never over their obligation"):
        a_forged_part(house, posted, fine, minor=1)  # all of it is asked for
    house.session.rollback()

    apply(house, posted, fine, usd("150.00"))
    raised = text("UPDATE obligation SET minor = 14999 WHERE alias = :alias")
    with pytest.raises(DatabaseError, match="guard: payments are never over their obligation"):
        house.session.connection().execute(raised, {"alias": fine.alias})


def states_hold(house: House) -> bool:
    """Whether the checks of states and of books find nothing; some steps are taken without their acts here."""
    return not checks.findings(house.session, checks=(*aid_checks.CHECKS, *control.CHECKS))


def applied(house: House, posted: Obligation, fine: Obligation, amount: Money) -> None:
    """Past who signs."""
    said = {"by": house.fund.boris.alias, "on": TODAY, "recorded_at": NOW}
    bail.apply(house.session, posted.alias, fine=fine.alias, amount=amount, **said)  # type: ignore[arg-type]  # a test's


def a_forged_part(house: House, posted: Obligation, fine: Obligation, *, minor: int) -> None:
    for payment in disbursements.standing(house.session, [fine.alias]) if minor > 1 else []:
        disbursements.cancel(house.session, payment, on=TODAY)
    house.session.connection().execute(
        text(
            "INSERT INTO bail_part (obligation_alias, number, fate, minor, fine_alias, decided_by, decided_on) "
            "VALUES (:bail, 9, 'applied', :minor, :fine, 'OP-X', '2020-11-16')"
        ),
        {"bail": posted.alias, "minor": minor, "fine": fine.alias},
    )


def ask(house: House, fine: Obligation, amount: Money | None) -> disbursements.Disbursement:
    return disbursements.request(
        house.session,
        draw(Kind.DISBURSEMENT),
        obligation=fine,
        payee=disbursements.Payee.AUTHORITY,
        payee_commitment="0" * 64,
        fund=obligations.fund_of(fine),
        account=USD_LEAF,
        requested_by=house.fund.clara.alias,
        amount=amount,
    )


def paid(house: House, payment: disbursements.Disbursement) -> None:
    disbursements.approve(house.session, payment, by=house.fund.boris.alias, on=TODAY)
    disbursements.release(house.session, payment, by=house.fund.clara.alias, on=TODAY, recorded_at=NOW)
    house.session.commit()
    see_at_the_bank(house, -payment.amount(), reference=payment.reference)
