from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from ledger import checks, references
from ledger.aid import disbursements, payment_files
from ledger.aid.batches import BatchAltered
from ledger.aid.disbursements import Disbursement, DisbursementNotReady, UnknownDisbursement
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
from ledger.storage import guards
from tests.cast import LEAF, NOW, SECOND_LEAF, House, Person, agreed_by, byn, give, nothing_written, race
from tests.purses import a_released_batch, items

COMMITMENT = "ab" * 32
FILE_CHECKS = [one for one in checks.CHECKS if one.name in {"payment-files", "signed", "four-eyes"}]
WITHDRAWAL: tuple[Verb, ...] = ("agree_withdrawal", "request_withdrawal")


@pytest.fixture
def released(house: House) -> Disbursement:
    give(house.session, byn("5000.00"))
    return house.a_released_payment()


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
