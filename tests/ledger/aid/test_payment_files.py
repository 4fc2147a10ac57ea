from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from ledger import checks, references
from ledger.aid import agent_acts, agents, disbursements, outlays, payment_files
from ledger.aid.acts import EvidenceNotOpened
from ledger.aid.agents import AgentNotActive
from ledger.aid.batches import BatchAltered
from ledger.aid.disbursements import Disbursement, DisbursementNotReady, UnknownDisbursement
from ledger.aid.outlays import NewRepayment, Repayment, RepaymentNotReady
from ledger.aid.payment_files import (
    AlreadyFiled,
    BadPaymentFile,
    FileDiffers,
    FileWithdrawn,
    NewPaymentFile,
    PaymentFile,
)
from ledger.aliases import AliasTaken, Kind, draw
from ledger.approvals import Agreed, NotAgreed, SamePerson, Verb
from ledger.errors import LedgerError
from ledger.identities import shelves
from ledger.identities.shelves import Access, NewShelf, Reason
from ledger.storage import guards
from tests import places
from tests.cast import LEAF, NOW, SECOND_LEAF, House, Person, a_shelf, agreed_by, byn, eur, give, nothing_written, race
from tests.purses import a_released_batch, an_advance, an_agent, enter, give_euros, items, verified

pytestmark = pytest.mark.place("released_payment")

COMMITMENT = "ab" * 32
FILE_CHECKS = [one for one in checks.CHECKS if one.name in {"payment-files", "signed", "four-eyes"}]
WITHDRAWAL: tuple[Verb, ...] = ("agree_withdrawal", "request_withdrawal")


@pytest.fixture
def released(house: House) -> Disbursement:
    return places.the(house.session, Disbursement)


def a_file(*paying: Disbursement, **facts: Any) -> NewPaymentFile:
    known: dict[str, Any] = {
        "alias": draw(Kind.PAYMENT_FILE),
        "message_id": references.draw(),
        "account": LEAF,
        "references": [one.reference for one in paying],
        "control_sum": sum((one.amount() for one in paying), byn("0.00")),
        "commitment": COMMITMENT,
    }
    return NewPaymentFile(**(known | facts))


def register(house: House, new: NewPaymentFile) -> PaymentFile:
    return payment_files.register(house.session, new, by=house.fund.clara.alias, at=NOW)


def signed(verb: Verb, file: PaymentFile, *, by: Person, **other: Any) -> Agreed:
    seen: dict[str, Any] = {
        "object": file.alias,
        "version": file.version,
        "amount": file.amount().decimal(),
        "currency": file.currency,
        "payee_commitment": file.commitment,
    }
    return agreed_by(by, verb, **(seen | other))


def withdraw(house: House, file: PaymentFile) -> None:
    payment_files.ask_withdrawal(house.session, file.alias, signed("request_withdrawal", file, by=house.fund.clara))
    payment_files.agree_to_withdrawal(house.session, file.alias, signed("agree_withdrawal", file, by=house.fund.boris))


def test_a_file_of_what_was_released_is_noted_with_its_sum(house: House, released: Disbursement) -> None:
    batch = a_released_batch(house, None, LEAF, [house.a_verified_case(), house.a_verified_case()])
    paying = [released, *(item.disbursement for item in items(house, batch))]

    file = register(house, a_file(*paying))

    assert (file.orders, file.amount(), file.made_by) == (3, byn("2430.00"), house.fund.clara.alias)
    lines = payment_files.lines_of(house.session, file.alias)
    assert [line.disbursement_alias for line in lines] == sorted(one.alias for one in paying)


@pytest.mark.parametrize(
    ("facts", "refusal"),
    [
        ({"control_sum": byn("810.01")}, FileDiffers),
        ({"control_sum": byn("0.00")}, FileDiffers),
        ({"account": SECOND_LEAF}, FileDiffers),
        ({"references": []}, BadPaymentFile),
        ({"references": ["RF18000000000000000A"]}, UnknownDisbursement),
        ({"message_id": "Invented court, October"}, BadPaymentFile),
        ({"alias": "C-0000-0000-0000"}, LedgerError),
        ({"commitment": "no digest"}, LedgerError),
    ],
)
def test_what_is_not_what_was_released_is_refused(
    house: House, released: Disbursement, facts: dict[str, Any], refusal: type[LedgerError]
) -> None:
    with nothing_written(house.session), pytest.raises(refusal):
        register(house, a_file(released, **facts))


def test_a_reference_twice_and_what_is_not_released_are_refused(house: House, released: Disbursement) -> None:
    approved = house.an_approved_payment()

    with nothing_written(house.session):
        with pytest.raises(BadPaymentFile):
            register(house, a_file(released, released))
        with pytest.raises(DisbursementNotReady):
            register(house, a_file(released, approved))


def test_a_payment_stands_in_one_file_until_two_people_withdraw_it(house: House, released: Disbursement) -> None:
    first = register(house, a_file(released))
    with nothing_written(house.session), pytest.raises(AlreadyFiled) as refusal:
        register(house, a_file(released))
    assert refusal.value.data == {"disbursement": released.alias, "file": first.alias}

    withdraw(house, first)
    second = register(house, a_file(released))

    assert (first.withdrawal_asked_by, first.withdrawn_by) == (house.fund.clara.alias, house.fund.boris.alias)
    assert second.withdrawn_by is None
    with nothing_written(house.session), pytest.raises(AliasTaken):
        register(house, a_file(released, message_id=second.message_id))


def test_nobody_withdraws_alone_nor_what_the_bank_has_paid(house: House, released: Disbursement) -> None:
    dora = house.fund.boris  # an approver, who is no treasurer
    file = register(house, a_file(released))
    with nothing_written(house.session):
        with pytest.raises(FileWithdrawn):
            payment_files.agree_to_withdrawal(house.session, file.alias, signed("agree_withdrawal", file, by=dora))
        with pytest.raises(LedgerError):
            payment_files.ask_withdrawal(house.session, file.alias, signed("request_withdrawal", file, by=dora))
    payment_files.ask_withdrawal(house.session, file.alias, signed("request_withdrawal", file, by=house.fund.clara))
    own, again = (signed(verb, file, by=house.fund.clara) for verb in WITHDRAWAL)
    with nothing_written(house.session):
        with pytest.raises(SamePerson):
            payment_files.agree_to_withdrawal(house.session, file.alias, own)
        with pytest.raises(FileWithdrawn):
            payment_files.ask_withdrawal(house.session, file.alias, again)
    disbursements.pay(house.session, released, source_key="bank:1", on=NOW.date(), recorded_at=NOW, recorded_by="test")

    with nothing_written(house.session), pytest.raises(DisbursementNotReady):
        payment_files.agree_to_withdrawal(
            house.session, file.alias, signed("agree_withdrawal", file, by=house.fund.boris)
        )


def test_two_files_at_once_for_one_payment_are_one(house: House, released: Disbursement) -> None:
    def run(session: Any) -> str:
        return payment_files.register(session, a_file(released), by="OP-0000-0000-0000", at=NOW).alias

    answers = race(house.session, run, run)

    assert {type(answer) for answer in answers} == {str, AlreadyFiled}


def test_rows_that_nobody_signed_make_no_file(house: House, released: Disbursement) -> None:
    batch = a_released_batch(house, None, LEAF, [house.a_verified_case()])
    (item,) = items(house, batch)
    house.session.commit()
    guards.remove(house.session.connection())
    house.session.connection().execute(text("UPDATE disbursement SET payee_commitment = 'another'"))
    house.session.expire_all()

    with pytest.raises(NotAgreed):
        register(house, a_file(released))
    with pytest.raises(BatchAltered):
        register(house, a_file(item.disbursement))


def test_the_database_refuses_a_second_file_and_a_withdrawal_by_one(house: House, released: Disbursement) -> None:
    file = register(house, a_file(released))
    copy = (
        "INSERT INTO payment_file SELECT 'N-0000-0000-0000', 'RF', account_code, orders, minor, currency, commitment, "
        "version, made_by, made_at, NULL, NULL, NULL FROM payment_file"
    )
    line = (
        "INSERT INTO payment_file_line SELECT 'N-0000-0000-0000', disbursement_alias, withdrawn FROM payment_file_line"
    )
    alone = "UPDATE payment_file SET withdrawal_asked_by = made_by, withdrawn_by = made_by"

    for statements in ([copy, line], [alone]):
        with pytest.raises(IntegrityError):
            run_all(house, statements)

    assert payment_files.listed(house.session) == [file]


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        ("UPDATE payment_file SET minor = minor + 1", "payment-files"),
        ("UPDATE payment_file SET orders = 2", "payment-files"),
        ("UPDATE payment_file SET account_code = '1000:byn-reserve'", "payment-files"),
        ("UPDATE payment_file_line SET withdrawn = true", "payment-files"),
        ("UPDATE payment_file SET withdrawal_asked_by = made_by", "signed"),
    ],
)
def test_a_file_that_somebody_changed_by_hand_is_found(
    house: House, released: Disbursement, statement: str, check: str
) -> None:
    file = register(house, a_file(released))
    before = checks.findings(house.session, checks=FILE_CHECKS)

    run_all(house, [statement])

    assert before == []
    found = checks.findings(house.session, checks=FILE_CHECKS)
    assert {(one.check, one.kind, one.name) for one in found} == {(check, "payment_file", file.alias)}


def test_a_file_that_two_people_withdrew_is_as_it_should_be(house: House, released: Disbursement) -> None:
    withdraw(house, register(house, a_file(released)))

    assert checks.findings(house.session, checks=FILE_CHECKS) == []


def run_all(house: House, statements: list[str]) -> None:
    with house.session.begin_nested():
        for statement in statements:
            house.session.connection().execute(text(statement))


# --- repayments of outlays


def an_outlay(house: House, *, payee: str | None = COMMITMENT, is_agreed: bool = True) -> Repayment:
    """210.00 that an agent laid out; Boris has opened the payee and agreed."""
    give_euros(house)
    give(house.session, byn("5000.00"))
    agent = an_agent(house)
    an_advance(house, agent, received=byn("600.00"), fines=eur("200.00"))
    batch = a_released_batch(house, agent, LEAF, [house.a_verified_case()])
    enter(house, batch, *(verified(item) for item in items(house, batch)))
    told: dict[str, Any] = {"agent": agent.alias, "fund": "fines", "account": LEAF, "payee_commitment": payee}
    new = NewRepayment(alias=draw(Kind.OUTLAY), amount=byn("210.00"), settles=byn("210.00"), **told)
    repayment = outlays.request(house.session, new, by=house.fund.clara.alias)
    house.session.commit()
    if is_agreed:
        agree_to(house, repayment)
    return repayment


def agree_to(house: House, repayment: Repayment) -> None:
    if repayment.payee_commitment is not None:
        seen = Access(
            operator=house.fund.boris.alias,
            shelf_alias=a_shelf_for(house, repayment),
            reason=Reason.APPROVAL,
            at=NOW,
            boxes=repayment.payee_commitment,
        )
        house.session.add(seen)
    agreed = agreed_by(
        house.fund.boris,
        "approve_outlay",
        object=repayment.alias,
        amount="210.00",
        currency="BYN",
        payee_commitment=outlays.commitment_of(repayment),
    )
    agent_acts.approve_outlay(house.session, repayment.alias, agreed)
    house.session.commit()


def a_shelf_for(house: House, repayment: Repayment) -> str:
    shelf = a_shelf(house.fund, repayment.alias, by=house.fund.clara)
    new = NewShelf(shelf.alias, shelf.vault, shelf.epoch, shelf.public, shelf.signature, shelf.wrap)
    shelves.put_up(house.session, new, signer=house.fund.clara.operator, shred_keys=house.shred_keys)
    return shelf.alias


def test_a_repayment_stands_in_a_file_beside_what_was_released(house: House) -> None:
    repayment, released = an_outlay(house), house.a_released_payment()
    paying = a_file(released, references=[repayment.reference, released.reference], control_sum=byn("1020.00"))

    file = register(house, paying)

    assert (file.orders, file.amount()) == (2, byn("1020.00"))
    (filed,) = payment_files.repayments_of(house.session, file.alias)
    assert filed.repayment_alias == repayment.alias
    assert checks.findings(house.session, checks=FILE_CHECKS) == []
    with nothing_written(house.session), pytest.raises(AlreadyFiled):
        register(house, of_repayment(repayment))
    with pytest.raises(AlreadyFiled):
        payment_files.require_unfiled(house.session, [repayment.alias])

    withdraw(house, file)

    assert register(house, of_repayment(repayment)).orders == 1
    assert checks.findings(house.session, checks=FILE_CHECKS) == []


def of_repayment(repayment: Repayment, **other: Any) -> NewPaymentFile:
    return a_file(**({"references": [repayment.reference], "control_sum": repayment.amount()} | other))


def test_only_an_approved_repayment_with_its_payee_to_an_active_agent_is_filed(house: House) -> None:
    repayment = an_outlay(house, is_agreed=False)
    with nothing_written(house.session), pytest.raises(RepaymentNotReady):
        register(house, of_repayment(repayment))
    unseen = agreed_by(house.fund.bella, "approve_outlay", object=repayment.alias)
    with nothing_written(house.session), pytest.raises(EvidenceNotOpened):
        agent_acts.approve_outlay(house.session, repayment.alias, unseen)
    agree_to(house, repayment)
    with nothing_written(house.session), pytest.raises(FileDiffers):
        register(house, of_repayment(repayment, control_sum=byn("210.01")))
    repayment.payee_commitment = "cd" * 32
    with pytest.raises(NotAgreed):
        register(house, of_repayment(repayment))
    repayment.payee_commitment = None
    with pytest.raises(RepaymentNotReady):
        register(house, of_repayment(repayment))
    house.session.rollback()
    agents.freeze(
        house.session, agents.require(house.session, repayment.agent_alias), by=house.fund.clara.alias, on=NOW.date()
    )
    with nothing_written(house.session), pytest.raises(AgentNotActive):
        register(house, of_repayment(repayment))


def test_the_database_keeps_a_repayment_in_one_file_that_stands(house: House) -> None:
    repayment = an_outlay(house)
    file = register(house, of_repayment(repayment))
    house.session.commit()

    with pytest.raises(IntegrityError):
        house.session.connection().execute(
            text("INSERT INTO payment_file_repayment VALUES (:file, :repayment, false)"),
            {"file": file.alias, "repayment": repayment.alias},
        )
    house.session.rollback()
    house.session.connection().execute(text("UPDATE payment_file_repayment SET withdrawn = true"))
    assert [one.check for one in checks.findings(house.session, checks=FILE_CHECKS)] == ["payment-files"]
