"""What waits for a second person, or for a treasurer, stands in the queue until it is done, and not for who asked."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session

from ledger import exceptions, queue, references
from ledger.aid import (
    acts,
    advances,
    agent_acts,
    agents,
    disbursements,
    hearings,
    line_failures,
    order_failures,
    outlays,
    payment_files,
    purse_bookings,
    purse_movements,
    refunds,
    rulings,
)
from ledger.aid.agents import Agent
from ledger.aid.batch_lines import Receipt
from ledger.aid.corrections import Correction
from ledger.aid.disbursements import Disbursement
from ledger.aid.line_failures import Reason as WhyFailed
from ledger.aid.outlays import NewRepayment, Repayment
from ledger.aid.payment_files import NewPaymentFile, PaymentFile, PaymentFileRepayment
from ledger.aid.purse_movements import NewMovement, What
from ledger.aliases import Kind, draw
from ledger.exceptions import Difference, OpenException
from ledger.identities import evidence
from ledger.identities.shelves import Reason
from ledger.people import Role
from ledger.reconciliation import clearings
from ledger.reconciliation.answers import Answer, Because
from ledger.reconciliation.clearings import NewClearing
from ledger.reconciliation.resolutions import NewResolution
from tests import filing, given, purses, saying, unexecuted
from tests.cast import LEAF, NOW, TODAY, House, Person, agreed_by, byn, eur, give
from tests.courts import forfeit, open_dollars, posted_bail
from tests.office import on_one_database
from tests.queues import OTHER, Work, follow, objects, set_thirds, waiting

pytestmark = pytest.mark.place("verified_cases")


def an_agent(house: House) -> Agent:
    purses.give_euros(house)
    return purses.an_agent(house)


def advance_asked_for(house: House) -> Work:
    advance = purses.a_requested_advance(house, an_agent(house))
    return Work(advance.alias, TODAY, lambda: purses.approve_advance(house, advance), not_for=house.fund.clara.alias)


def advance_approved(house: House) -> Work:
    advance = purses.approve_advance(house, purses.a_requested_advance(house, an_agent(house)))
    return Work(advance.alias, TODAY, lambda: purses.release_advance(house, advance), not_for=house.fund.boris.alias)


def advance_sent(house: House) -> Work:
    advance = purses.a_sent_advance(house, an_agent(house))
    return Work(advance.alias, purses.SENT_ON, lambda: purses.acknowledge(house, advance, byn("3000.00")))


def agent_vetted(house: House) -> Work:
    agent = purses.a_vetted_agent(house)
    agreed = purses.on_agent(agent, by=house.fund.boris)
    return Work(
        agent.alias,
        TODAY,
        lambda: agent_acts.activate_agent(house.session, agent.alias, agreed),
        not_for=house.fund.clara.alias,
    )


def movement_told(house: House) -> Work:
    agent = an_agent(house)
    purses.give_to_general(house, eur("1000.00"))
    purses.an_advance(house, agent, received=byn("3000.00"), general=eur("1000.00"))
    new = NewMovement(
        alias=draw(Kind.PURSE_MOVEMENT),
        agent=agent.alias,
        what=What.FEE,
        amount=byn("10.00"),
        happened_on=purses.RECEIVED_ON,
    )
    movement = purse_bookings.tell(house.session, new, by=house.fund.clara.alias, recorded_at=NOW)
    return Work(
        movement.alias,
        purses.RECEIVED_ON,
        lambda: purse_movements.withdraw(house.session, movement),
        not_for=house.fund.clara.alias,
    )


def a_repayment(house: House) -> Repayment:
    """Clara asks for 210.00, which an agent laid out."""
    agent = an_agent(house)
    give(house.session, byn("5000.00"))
    purses.an_advance(house, agent, received=byn("600.00"))
    batch = purses.a_released_batch(house, agent, LEAF, [house.a_verified_case()])
    purses.enter(house, batch, *(purses.verified(item) for item in purses.items(house, batch)))
    amount = byn("210.00")
    new = NewRepayment(
        alias=draw(Kind.OUTLAY), agent=agent.alias, fund="fines", account=LEAF, amount=amount, settles=amount
    )
    return outlays.request(house.session, new, by=house.fund.clara.alias)


def approve_repayment(house: House, repayment: Repayment) -> None:
    agreed = purses.on_outlay(repayment, by=house.fund.boris)
    agent_acts.approve_outlay(house.session, repayment.alias, agreed)


def outlay_asked_for(house: House) -> Work:
    repayment = a_repayment(house)
    return Work(repayment.alias, TODAY, lambda: approve_repayment(house, repayment), not_for=house.fund.clara.alias)


def outlay_approved(house: House) -> Work:
    repayment = a_repayment(house)
    approve_repayment(house, repayment)
    return Work(repayment.alias, TODAY, lambda: file_repayment(house.session, repayment))


def file_repayment(session: Session, repayment: Repayment) -> None:
    """A file that stands has the repayment; the one before was withdrawn."""
    for alias, withdrawn in ((draw(Kind.PAYMENT_FILE), True), (draw(Kind.PAYMENT_FILE), False)):
        file = PaymentFile(
            alias=alias,
            message_id=references.draw(),
            account_code=LEAF,
            orders=1,
            minor=repayment.minor,
            currency=repayment.currency,
            commitment="ab" * 32,
            version=1,
            made_by=OTHER,
            made_at=NOW,
        )
        session.add(file)
        session.flush()
        session.add(PaymentFileRepayment(file_alias=alias, repayment_alias=repayment.alias, withdrawn=withdrawn))
        session.flush()


def failure_told(house: House) -> Work:
    agent = an_agent(house)
    purses.an_advance(house, agent, received=byn("1000.00"))
    give(house.session, byn("810.00"))
    batch = purses.a_released_batch(house, agent, LEAF, [house.a_verified_case()])
    (item,) = purses.items(house, batch)
    purses.enter(house, batch, purses.unproven(item, Receipt.MISSING))
    alias = item.disbursement.alias
    line_failures.tell(
        house.session, alias, because=WhyFailed.MONEY_KEPT, by=house.fund.clara.alias, on=TODAY - timedelta(days=1)
    )
    return Work(
        alias,
        TODAY - timedelta(days=1),
        lambda: purses.enter(house, batch, purses.verified(item)),
        not_for=house.fund.clara.alias,
    )


def order_told(house: House) -> Work:
    """For another reason since, and once only."""
    give(house.session, byn("5000.00"))
    payment = house.a_released_payment()
    unexecuted.tell(house, payment, because=order_failures.Reason.NOT_HANDED_IN)
    unexecuted.tell(house, payment)
    return Work(payment.alias, TODAY, lambda: unexecuted.agree(house, payment), not_for=house.fund.clara.alias)


def advance_told(house: House) -> Work:
    advance = unexecuted.a_released_advance(house)
    unexecuted.tell(house, advance)
    told: dict[str, Any] = {"on": TODAY, "recorded_at": NOW, "recorded_by": OTHER}
    return Work(
        advance.alias,
        TODAY,
        lambda: advances.send(house.session, advance, source_key="bank:1", **told),
        not_for=house.fund.clara.alias,
    )


def repayment_told(house: House) -> Work:
    repayment = unexecuted.an_approved_repayment(house)
    unexecuted.tell(house, repayment)
    return Work(repayment.alias, TODAY, lambda: unexecuted.agree(house, repayment), not_for=house.fund.clara.alias)


def withdrawal_asked_for(house: House) -> Work:
    give(house.session, byn("5000.00"))
    payment = house.a_released_payment()
    new = NewPaymentFile(
        alias=draw(Kind.PAYMENT_FILE),
        message_id=references.draw(),
        account=LEAF,
        references=[payment.reference],
        control_sum=payment.amount(),
        commitment="ab" * 32,
    )
    file = payment_files.register(house.session, new, by=house.fund.clara.alias, at=NOW)
    agreed = agreed_by(
        house.fund.clara,
        "request_withdrawal",
        object=file.alias,
        amount=file.amount().decimal(),
        currency=file.currency,
        payee_commitment=file.commitment,
    )
    payment_files.ask_withdrawal(house.session, file.alias, agreed)
    told: dict[str, Any] = {"on": TODAY, "recorded_at": NOW, "recorded_by": OTHER}
    return Work(
        file.alias,
        TODAY,
        lambda: disbursements.pay(house.session, payment, source_key="bank:1", **told),
        not_for=house.fund.clara.alias,
    )


def hearing_noted(house: House) -> Work:
    open_dollars(house)
    posted, kept = posted_bail(house), posted_bail(house, "100.00")
    hearings.note_hearing(house.session, kept.alias, on=TODAY, by=OTHER)
    forfeit(house, kept, kept.amount())
    near, far = TODAY + timedelta(days=14), TODAY + timedelta(days=15)
    for day in (TODAY - timedelta(days=1), near, far):
        hearings.note_hearing(house.session, posted.alias, on=day, by=OTHER)
    return Work(posted.alias, near, lambda: forfeit(house, posted, posted.amount()))


def a_return(house: House) -> OpenException:
    """The bank gives back less than it has paid: nobody knows yet why."""
    give(house.session, byn("2000.00"))
    payment = house.a_released_payment()
    assert saying.show(house, byn("-810.00"), payment.reference) == []
    return saying.shown(house, byn("500.00"), payment.reference)


def unidentified(opened: OpenException) -> NewResolution:
    return saying.saying(opened.alias, Answer.UNIDENTIFIED, None, byn("500.00"), Because.IN_ERROR)


def line_answered(house: House) -> Work:
    opened = a_return(house)
    said = saying.say(house, unidentified(opened))
    return Work(opened.alias, TODAY, lambda: saying.agree(house, said), not_for=house.fund.clara.alias)


def an_exception(house: House, difference: Difference = Difference.BALANCE_DIFFERS, about: str = "S-1") -> str:
    return exceptions.open_once(
        house.session, difference=difference, account=LEAF, about=about, amount=byn("5.00"), on=TODAY
    ).alias


def dismiss(house: House, exception: str, *, by: Person, at: datetime = NOW) -> None:
    """Somebody asks for an exception to be dismissed."""
    new = NewClearing(alias=draw(Kind.CLEARING), exception=exception, because=clearings.Because.LOOKED_INTO)
    commitment = clearings.commitment(exception=exception, because=new.because, entry_id=None)
    seen: dict[str, Any] = {"object": new.alias, "amount": "5.00", "currency": "BYN", "payee_commitment": commitment}
    agreed = agreed_by(by, "clear_exception", now=at, detail=new.because, **seen)
    clearings.request(house.session, new, agreed)


def resolve(house: House, exception: str) -> None:
    exceptions.resolve(house.session, exceptions.require_open(house.session, exception), on=TODAY)


def dismissal_asked_for(house: House) -> Work:
    exception = an_exception(house)
    dismiss(house, exception, by=house.fund.clara)
    return Work(exception, TODAY, lambda: resolve(house, exception), not_for=house.fund.clara.alias)


def exception_opened(house: House) -> Work:
    exception = an_exception(house)
    return Work(exception, TODAY, lambda: resolve(house, exception))


@pytest.mark.parametrize(
    ("name", "role", "days", "begin"),
    [
        ("advances_to_approve", Role.APPROVER, 0, advance_asked_for),
        ("advances_to_release", Role.TREASURER, 0, advance_approved),
        ("advances_to_acknowledge", Role.TREASURER, queue.TRANSIT_DAYS, advance_sent),
        ("agents_to_activate", Role.APPROVER, 0, agent_vetted),
        ("movements_to_agree", Role.APPROVER, queue.SIGNATURE_DAYS, movement_told),
        ("outlays_to_approve", Role.APPROVER, 0, outlay_asked_for),
        ("outlays_to_pay", Role.TREASURER, 0, outlay_approved),
        ("failures_to_agree", Role.APPROVER, queue.SIGNATURE_DAYS, failure_told),
        ("unexecuted_to_agree", Role.APPROVER, queue.SIGNATURE_DAYS, order_told),
        ("unexecuted_to_agree", Role.APPROVER, queue.SIGNATURE_DAYS, advance_told),
        ("unexecuted_to_agree", Role.APPROVER, queue.SIGNATURE_DAYS, repayment_told),
        ("withdrawals_to_agree", Role.APPROVER, 0, withdrawal_asked_for),
        ("hearings_near", Role.TREASURER, 0, hearing_noted),
        ("resolutions_to_agree", Role.APPROVER, queue.SIGNATURE_DAYS, line_answered),
        ("exceptions_to_agree", Role.APPROVER, queue.SIGNATURE_DAYS, dismissal_asked_for),
        ("exceptions", Role.TREASURER, queue.EXCEPTION_DAYS, exception_opened),
    ],
)
def test_it_waits_until_it_is_done_and_not_for_who_asked(
    house: House, name: str, role: Role, days: int, begin: Callable[[House], Work]
) -> None:
    follow(house, name, role, days=days, work=begin(house))


@on_one_database
def test_what_was_said_anew_waits_once_and_for_others(house: House) -> None:
    opened = a_return(house)
    new = unidentified(opened)
    exception = an_exception(house)

    for minutes in (0, 1):
        saying.say(house, new)
        dismiss(house, exception, by=house.fund.clara, at=NOW + timedelta(minutes=minutes))

    for name, alias in (("resolutions_to_agree", opened.alias), ("exceptions_to_agree", exception)):
        assert [one.object for one in waiting(house, name, Role.APPROVER)] == [alias]
        assert waiting(house, name, Role.APPROVER, operator=house.fund.clara.alias) == []


@on_one_database
def test_nobody_is_asked_to_dismiss_what_is_about_themselves(house: House) -> None:
    about = exceptions.open_once(
        house.session, difference=Difference.TOO_MANY_READINGS, about=f"{OTHER}:{TODAY}", on=TODAY
    )
    new = NewClearing(alias=draw(Kind.CLEARING), exception=about.alias, because=clearings.Because.LOOKED_INTO)
    commitment = clearings.commitment(exception=about.alias, because=new.because, entry_id=None)
    agreed = agreed_by(
        house.fund.clara, "clear_exception", detail=new.because, object=new.alias, payee_commitment=commitment
    )
    clearings.request(house.session, new, agreed)

    assert waiting(house, "exceptions_to_agree", Role.APPROVER) == []
    assert [
        one.object for one in waiting(house, "exceptions_to_agree", Role.APPROVER, operator=house.fund.boris.alias)
    ] == [about.alias]


@on_one_database
def test_pages_of_what_nobody_dated_go_through_everything_once(house: House) -> None:
    vetted = sorted(purses.a_vetted_agent(house).alias for _ in range(3))
    name, role = "agents_to_activate", Role.APPROVER

    first = waiting(house, name, role, limit=2)
    second = waiting(house, name, role, after=(first[-1].deadline, first[-1].object), limit=2)

    assert [one.object for one in (*first, *second)] == vetted


@pytest.mark.parametrize(
    ("name", "role", "index"),
    [
        ("exceptions", Role.TREASURER, "open_exceptions"),
        ("resolutions_to_agree", Role.APPROVER, "resolutions_of_two"),
        ("hearings_near", Role.INTAKE, "hearings_by_day"),
    ],
)
@on_one_database
def test_what_grows_is_read_along_its_index(house: House, name: str, role: Role, index: str) -> None:
    (section,) = [one for one in queue.SECTIONS if one.name == name and role in one.roles]
    (question,) = section.asked(OTHER, TODAY)
    query = question.rows.order_by(question.day, question.alias).limit(50)
    connection = house.session.connection()
    compiled = query.compile(connection, compile_kwargs={"literal_binds": True})

    plan = [row[3] for row in connection.execute(text(f"EXPLAIN QUERY PLAN {compiled}"))]

    assert any(f"INDEX {index}" in step for step in plan)
    assert not [step for step in plan if "TEMP B-TREE" in step]


# --- who has signed, or brought it there


def both_see(house: House, name: str) -> tuple[list[str], list[str]]:
    """What Boris and Bella, two approvers, find in a section."""
    return objects(house, name, operator=house.fund.boris.alias), objects(house, name, operator=house.fund.bella.alias)


def sign_payment(house: House, payment: Disbursement, *, by: Person) -> None:
    house.open(house.case_of(payment), by=by)
    acts.approve_disbursement(house.session, payment.alias, house.on_payment("approve_disbursement", payment, by=by))


def test_who_signs_first_above_a_limit_waits_for_the_other_and_not_for_themselves(house: House) -> None:
    repayment = a_repayment(house)
    purses.give_to_general(house, eur("1000.00"))
    agent = agents.require(house.session, repayment.agent_alias)
    give(house.session, byn("9000.00"))
    payment = house.a_requested_payment()
    batch = purses.a_locked_batch(house, None, LEAF, [house.a_verified_case()])
    advance = purses.a_requested_advance(house, agent)
    fee = NewMovement(
        alias=draw(Kind.PURSE_MOVEMENT), agent=agent.alias, what=What.FEE, amount=byn("9.00"), happened_on=TODAY
    )
    purses.an_advance(house, agent, received=byn("3000.00"), general=eur("1000.00"))
    movement = purse_bookings.tell(house.session, fee, by=house.fund.clara.alias, recorded_at=NOW)
    returned = given.ask_back(house, given.a_stray_gift(house, byn("50.00")), byn("50.00"))
    set_thirds(house, "1.00", "BYN", "EUR")

    def on_movement(by: Person) -> None:
        agreed = agreed_by(
            by,
            "approve_purse_movement",
            object=movement.alias,
            version=movement.version,
            amount="9.00",
            currency="BYN",
            payee_commitment=purse_movements.commitment_of(movement),
        )
        agent_acts.approve_movement(house.session, movement.alias, agreed)

    def on_outlay(by: Person) -> None:
        agent_acts.approve_outlay(house.session, repayment.alias, purses.on_outlay(repayment, by=by))

    for name, alias, sign in (
        ("to_approve", payment.alias, lambda by: sign_payment(house, payment, by=by)),
        ("batches_to_approve", batch.alias, lambda by: purses.approve(house, batch, by=by)),
        ("advances_to_approve", advance.alias, lambda by: purses.approve_advance(house, advance, by=by)),
        ("outlays_to_approve", repayment.alias, on_outlay),
        ("movements_to_agree", movement.alias, on_movement),
        ("gift_returns_to_approve", returned.alias, lambda by: given.agree_back(house, returned, by=by)),
    ):
        assert both_see(house, name) == ([alias], [alias])
        sign(house.fund.boris)
        assert both_see(house, name) == ([], [alias])
        sign(house.fund.bella)
        assert both_see(house, name) == ([], [])
    for name, alias in (
        ("to_release", payment.alias),
        ("batches_to_release", batch.alias),
        ("advances_to_release", advance.alias),
    ):
        assert both_see(house, name) == ([], [])
        assert objects(house, name) == [alias]


def test_who_signed_first_is_left_out_whatever_others_have_signed_elsewhere(house: House) -> None:
    give(house.session, byn("9000.00"))
    set_thirds(house, "1.00", "BYN")
    by_boris, by_bella = (house.a_requested_payment() for _ in range(2))

    sign_payment(house, by_boris, by=house.fund.boris)
    sign_payment(house, by_bella, by=house.fund.bella)

    assert both_see(house, "to_approve") == ([by_bella.alias], [by_boris.alias])


def test_what_is_given_up_waits_for_the_other_of_two(house: House) -> None:
    give(house.session, byn("9000.00"))
    paid = house.a_released_payment()
    told: dict[str, Any] = {"on": TODAY, "recorded_at": NOW, "recorded_by": OTHER}
    disbursements.pay(house.session, paid, source_key="bank:1", **told)
    case = house.case_of(paid)
    (ruling,) = rulings.of_case(house.session, case.alias)
    house.open(case, by=house.fund.ana)
    agreed = house.on_case("quash_ruling", case, by=house.fund.ana, object=ruling.alias)
    acts.quash_ruling(house.session, ruling.alias, agreed)
    (refund,) = refunds.of_obligation(house.session, paid.obligation_alias)
    lost = byn("810.00")
    said = saying.say(
        house, saying.saying(paid.obligation_alias, Answer.GIVEN_UP, refund.reference, lost, Because.UNCOLLECTABLE)
    )
    set_thirds(house, "1.00", "BYN")

    saying.agree(house, said)

    assert both_see(house, "resolutions_to_agree") == ([], [said.about])
    saying.agree(house, said, by=house.fund.bella)
    assert both_see(house, "resolutions_to_agree") == ([], [])


@on_one_database
def test_what_two_have_signed_and_saw_otherwise_is_shown_to_both(house: House) -> None:
    give(house.session, byn("900.00"))
    payment = house.a_requested_payment()
    set_thirds(house, "1.00", "BYN")
    sign_payment(house, payment, by=house.fund.boris)
    file = filing.bring(house, house.case_of(payment))
    assert both_see(house, "to_approve") == ([], [payment.alias])

    for by in (house.fund.bella, house.fund.boris):
        evidence.hand_out(house.session, file.alias, 1, operator=by.alias, reason=Reason.APPROVAL, at=NOW)
    sign_payment(house, payment, by=house.fund.bella)

    assert both_see(house, "to_approve") == ([payment.alias], [payment.alias])
    sign_payment(house, payment, by=house.fund.boris)
    assert both_see(house, "to_approve") == ([], [])


@on_one_database
def test_who_has_brought_a_case_does_not_see_its_payment_to_approve(house: House) -> None:
    give(house.session, byn("1800.00"))
    payment = house.a_requested_payment()
    case = house.case_of(payment)
    batched = house.a_verified_case()
    batch = purses.a_locked_batch(house, None, LEAF, [batched])
    file = filing.bring(house, case, by=house.fund.dina)
    filing.bring(house, batched, by=house.fund.olga)
    house.session.add(Correction(case_alias=case.alias, version=9, corrected_by=OTHER, corrected_on=TODAY))
    house.session.add(Correction(case_alias=batched.alias, version=9, corrected_by=OTHER, corrected_on=TODAY))
    house.session.flush()

    bringers = [house.fund.ana, house.fund.clara, house.fund.dina, house.fund.anton]
    seen = {by.alias: objects(house, "to_approve", operator=by.alias) for by in bringers}

    assert set(map(tuple, seen.values())) == {()}
    assert objects(house, "to_approve", operator=OTHER) == objects(house, "batches_to_approve", operator=OTHER) == []
    assert objects(house, "batches_to_approve", operator=house.fund.olga.alias) == []
    assert both_see(house, "to_approve") == ([payment.alias], [payment.alias])
    assert both_see(house, "batches_to_approve") == ([batch.alias], [batch.alias])
    filing.bring(house, case, by=house.fund.olga, alias=file.alias, version=2)
    assert objects(house, "to_approve", operator=house.fund.dina.alias) == [payment.alias]
