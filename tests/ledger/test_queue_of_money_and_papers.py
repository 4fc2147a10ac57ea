"""The fund's own money, gifts and papers stand in the queue of who takes the next step, until it is taken."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from ledger import exceptions, publications, queue
from ledger.aid import acts, advances, batches, cases, disbursements, file_retention, payment_files, retention, returns
from ledger.aid.payment_files import NewPaymentFile
from ledger.aliases import Kind, draw
from ledger.books import periods, seals
from ledger.giving import cash_deposits, refund_orders
from ledger.giving.donations import Donation
from ledger.giving.gift_returns import GiftReturn
from ledger.identities.erasure_list import ErasureList
from ledger.identities.evidence import EvidenceFile
from ledger.people import Role
from ledger.reconciliation import sheets
from ledger.reconciliation.sheets import With
from ledger.treasury import conversions, transfers
from tests import cards, coffers, erasing, filing, given, giving_back, purses, saying, tills, told
from tests.cast import LEAF, NOW, TODAY, House, agreed_by, byn, eur, give
from tests.office import on_one_database
from tests.queues import OTHER, Work, follow, waiting

Begun = tuple[str, Role, int, Callable[[House], Work]]
"""A section, a role that it is of, its days, and what has something wait there."""


# --- the fund's own money


def transfer_asked_for(house: House) -> Work:
    coffers.prepare_conversions(house)
    coffers.give_freely(house, eur("500.00"))
    transfer = coffers.a_requested_transfer(house)
    agreed = coffers.on_transfer(transfer, by=house.fund.boris)
    return Work(
        transfer.alias,
        TODAY,
        lambda: transfers.approve(house.session, transfer.alias, agreed),
        not_for=house.fund.clara.alias,
    )


def conversion_asked_for(house: House) -> Work:
    conversion = coffers.a_requested_conversion(house)
    return Work(
        conversion.alias,
        TODAY,
        lambda: coffers.approve_conversion(house, conversion),
        not_for=house.fund.clara.alias,
    )


def conversion_in_doubt(house: House) -> Work:
    conversion = coffers.approve_conversion(house, coffers.a_requested_conversion(house, expected="250.00"))
    assert conversion.state is conversions.State.DOUBTFUL
    return Work(
        conversion.alias,
        TODAY,
        lambda: coffers.approve_conversion(house, conversion, by=house.fund.bella),
        not_for=house.fund.boris.alias,
    )


def conversion_approved(house: House) -> Work:
    for before in waiting(house, "conversions_to_release", Role.TREASURER):
        conversions.cancel(house.session, before.object, on=TODAY)
    conversion = coffers.approve_conversion(house, coffers.a_requested_conversion(house))
    return Work(
        conversion.alias,
        TODAY,
        lambda: conversions.cancel(house.session, conversion.alias, on=TODAY),
        not_for=house.fund.boris.alias,
    )


def conversion_released(house: House) -> Work:
    conversion = coffers.a_released_conversion(house)
    return Work(conversion.alias, TODAY, lambda: conversions.cancel(house.session, conversion.alias, on=TODAY))


def advance_released(house: House) -> Work:
    advance = purses.a_requested_advance(house, purses.an_agent(house))
    purses.release_advance(house, purses.approve_advance(house, advance))
    told_by: dict[str, Any] = {"on": TODAY, "recorded_at": NOW, "recorded_by": OTHER}
    return Work(advance.alias, TODAY, lambda: advances.send(house.session, advance, source_key="bank:a", **told_by))


def sheet_prepared(house: House) -> Work:
    def prepare(minute: int) -> str:
        alias, content = draw(Kind.RECONCILIATION), f"{{{minute}}}"
        agreed = agreed_by(
            house.fund.clara,
            "prepare_reconciliation",
            object=alias,
            evidence_commitments=(sheets.digest_of(content),),
            now=NOW.replace(minute=minute),
        )
        sheets.prepare(house.session, alias, compared=With.BANK, account=LEAF, content=content, agreed=agreed)
        return alias

    def review(alias: str) -> None:
        digest = sheets.require(house.session, alias).digest
        agreed = agreed_by(house.fund.boris, "review_reconciliation", object=alias, evidence_commitments=(digest,))
        sheets.review(house.session, alias, agreed=agreed)

    first = prepare(1)

    def prepare_and_review_the_next() -> None:
        second = prepare(2)
        assert len(waiting(house, "sheets_to_review", Role.AUDITOR)) == 2
        review(second)

    return Work(first, TODAY, prepare_and_review_the_next, not_for=house.fund.clara.alias)


def month_closed_softly(house: House) -> Work:
    periods.soft_close(house.session, "2020-10", by=OTHER, at=NOW)
    return Work("2020-10", date(2020, 10, 31), lambda: seals.close(house.session, "2020-10", by=OTHER, at=NOW))


def return_shown(house: House) -> Work:
    advance = purses.an_advance(house, purses.an_agent(house), received=byn("3000.00"))
    clara = house.fund.clara.alias
    announced = returns.announce(house.session, advance, stands_for=byn("1500.00"), by=clara, on=TODAY)
    opened = saying.shown(house, eur("400.00"), announced.reference, leaf=purses.EUR_LEAF)
    return Work(
        opened.alias, TODAY, lambda: exceptions.resolve(house.session, opened, on=TODAY), not_for=announced.announced_by
    )


MONEY: list[Begun] = [
    ("transfers_to_approve", Role.APPROVER, queue.SIGNATURE_DAYS, transfer_asked_for),
    ("conversions_to_approve", Role.APPROVER, 0, conversion_asked_for),
    ("conversions_to_approve", Role.APPROVER, 0, conversion_in_doubt),
    ("conversions_to_release", Role.TREASURER, 0, conversion_approved),
    ("orders_for_the_bank", Role.TREASURER, queue.ORDER_DAYS, conversion_released),
    ("orders_for_the_bank", Role.TREASURER, queue.ORDER_DAYS, advance_released),
    ("returns_to_confirm", Role.APPROVER, queue.SIGNATURE_DAYS, return_shown),
    ("sheets_to_review", Role.AUDITOR, queue.REVIEW_DAYS, sheet_prepared),
    ("months_to_close", Role.TREASURER, queue.CLOSING_DAYS, month_closed_softly),
]


# --- gifts


def gift_unidentified(house: House) -> Work:
    gift = given.a_stray_gift(house, byn("50.00"))
    return Work(gift.alias, given.RECEIVED, lambda: given.match(house, gift))


def gift_conditional(house: House) -> Work:
    gift = given.place_conditional(house, given.a_stray_gift(house, byn("51.00")))
    return Work(
        gift.alias,
        given.RECEIVED,
        lambda: given.meet(house, gift, byn("51.00")),
        not_for=house.fund.clara.alias,
    )


def gift_asked_back(house: House) -> Work:
    order = given.ask_back(house, given.a_stray_gift(house, byn("52.00")), byn("52.00"))
    return Work(order.alias, TODAY, lambda: given.agree_back(house, order), not_for=house.fund.clara.alias)


def gift_sent_back(house: House) -> Work:
    (order,) = waiting(house, "orders_for_the_bank", Role.TREASURER)
    reference = house.session.get_one(GiftReturn, order.object).reference
    return Work(order.object, TODAY, lambda: given.shown(house, byn("-52.00"), reference=reference))


def gift_by_card(house: House) -> Donation:
    return house.session.exec(select(Donation).where(col(Donation.charge).is_not(None))).one()


def refund_asked_for(house: House) -> Work:
    tills.open_till(house)
    order = giving_back.ask(house, gift_by_card(house))
    return Work(order.alias, TODAY, lambda: giving_back.agree(house, order), not_for=house.fund.clara.alias)


def refund_that_failed(house: House) -> Work:
    (before,) = refund_orders.listed(house.session)
    refund_orders.withdraw(house.session, before.alias, on=TODAY)
    order = giving_back.agree(house, giving_back.ask(house, gift_by_card(house)))
    refund_orders.begin_sending(house.session, order.alias)
    refund_orders.note(
        house.session, order.alias, state=refund_orders.State.FAILED, refund="re_Invented0009", on=NOW.date()
    )
    return Work(order.alias, TODAY, lambda: giving_back.ask(house, gift_by_card(house)))


def refund_by_bank(house: House) -> Work:
    refund = cards.a_refund(tills.GIFT, eur("10.00"))
    tills.receive(house, refund, cards.a_refund_failure(refund))
    asked = giving_back.ask(house, gift_by_card(house), account=purses.EUR_LEAF)
    order = giving_back.agree(house, asked)
    return Work(order.alias, TODAY, lambda: refund_orders.withdraw(house.session, order.alias, on=TODAY))


def gift_called_back(house: House) -> Work:
    called = cards.a_charge(eur("20.00"), nth=2)
    dispute = cards.a_dispute(called, eur("20.00"))
    tills.receive(house, called, dispute)
    (waits,) = waiting(house, "disputes", Role.TREASURER)
    return Work(waits.object, cards.DAY, lambda: tills.receive(house, cards.a_dispute_won(dispute)))


def gift_in_kind_valued(house: House) -> Work:
    new = given.a_shown_gift_in_kind(house, byn("300.00"))
    gift = given.value(house, new)

    def agree() -> None:
        given.open_for(house, new)
        given.agree_value(house, new)

    return Work(gift.alias, TODAY, agree, not_for=house.fund.clara.alias)


def cash_counted(house: House) -> Work:
    counted = given.a_count(house, byn("70.00"))
    return Work(counted.alias, TODAY, lambda: given.witness(house, counted), not_for=house.fund.clara.alias)


def cash_taken(house: House) -> Work:
    deposit = given.take_to_bank(house, byn("70.00"))
    return Work(deposit.alias, TODAY, lambda: cash_deposits.cancel(house.session, deposit.alias, on=TODAY))


GIFTS: list[Begun] = [
    ("gifts_to_match", Role.TREASURER, queue.GIFT_DAYS, gift_unidentified),
    ("conditions_to_meet", Role.APPROVER, queue.CONDITION_DAYS, gift_conditional),
    ("gift_returns_to_approve", Role.APPROVER, queue.SIGNATURE_DAYS, gift_asked_back),
    ("orders_for_the_bank", Role.TREASURER, queue.ORDER_DAYS, gift_sent_back),
    ("refund_orders_to_approve", Role.APPROVER, queue.SIGNATURE_DAYS, refund_asked_for),
    ("refunds_failed", Role.TREASURER, queue.SIGNATURE_DAYS, refund_that_failed),
    ("orders_for_the_bank", Role.TREASURER, queue.ORDER_DAYS, refund_by_bank),
    ("disputes", Role.TREASURER, queue.SIGNATURE_DAYS, gift_called_back),
    ("gifts_in_kind_to_approve", Role.APPROVER, queue.SIGNATURE_DAYS, gift_in_kind_valued),
    ("cash_to_witness", Role.PUBLISHER, 0, cash_counted),
    ("cash_on_its_way", Role.TREASURER, queue.CASH_DAYS, cash_taken),
]


# --- cases and papers


def owed_and_not_asked_for(house: House) -> Work:
    give(house.session, byn("9000.00"))
    case = house.a_verified_case()

    return Work(case.alias, case.due_by, lambda: house.a_requested_payment(of=case))


def rest_of_a_part(house: House) -> Work:
    case = house.a_verified_case()
    part = house.a_requested_payment(of=case, amount=byn("300.00"))
    acts.approve_disbursement(
        house.session, part.alias, house.on_payment("approve_disbursement", part, by=house.fund.boris)
    )
    house.tell(part)
    acts.release_disbursement(
        house.session, part.alias, house.on_payment("release_disbursement", part, by=house.fund.clara)
    )
    assert waiting(house, "to_ask_for", Role.TREASURER) == []
    told_by: dict[str, Any] = {"on": TODAY, "recorded_at": NOW, "recorded_by": OTHER}
    disbursements.pay(house.session, part, source_key="bank:2", **told_by)
    return Work(case.alias, case.due_by, lambda: house.a_requested_payment(of=case))


def batch_put_together(house: House) -> Work:
    case = house.a_verified_case()
    batch = purses.create(house, purses.lines_for(house, [case]), account=LEAF)
    return Work(batch.alias, case.due_by, lambda: batches.lock(house.session, batch))


def payment_released(house: House) -> Work:
    payment = house.a_released_payment()
    new = NewPaymentFile(
        alias=draw(Kind.PAYMENT_FILE),
        message_id=payment.reference,
        account=LEAF,
        references=[payment.reference],
        control_sum=payment.amount(),
        commitment="ab" * 32,
    )
    return Work(payment.alias, payment.due_by, lambda: payment_files.register(house.session, new, by=OTHER, at=NOW))


def results_awaited(house: House) -> Work:
    agent = purses.an_agent(house)
    purses.an_advance(house, agent, received=byn("1000.00"))
    batch = purses.a_released_batch(house, agent, LEAF, [house.a_verified_case()])
    return Work(
        batch.alias,
        TODAY,
        lambda: purses.enter(house, batch, *(purses.verified(item) for item in purses.items(house, batch))),
    )


def case_confirmed(house: House) -> Work:
    payment = house.a_released_payment()
    told_by: dict[str, Any] = {"on": TODAY, "recorded_at": NOW, "recorded_by": OTHER}
    disbursements.pay(house.session, payment, source_key="bank:1", **told_by)
    case = house.case_of(payment)
    cases.confirm(house.session, case, on=TODAY)
    return Work(case.alias, TODAY, lambda: cases.close(house.session, case, on=TODAY))


def purpose_drafted(house: House) -> Work:
    draft = told.a_draft(house)
    return Work(draft.alias, TODAY, lambda: told.publish(house, draft), not_for=draft.drafted_by)


def publication_drafted(house: House) -> Work:
    alias, content = draw(Kind.PUBLICATION), "{}"
    digest = sheets.digest_of(content)
    said: dict[str, Any] = {"object": alias, "version": 1, "evidence_commitments": (digest,)}
    publications.draft(
        house.session,
        alias,
        content=content,
        agreed=agreed_by(house.fund.dina, "draft_publication", **said),
    )
    agreed = agreed_by(house.fund.boris, "approve_publication", **said)
    return Work(
        alias,
        TODAY,
        lambda: publications.approve(house.session, alias, agreed=agreed),
        not_for=house.fund.dina.alias,
    )


def drop(house: House, file: EvidenceFile) -> None:
    agreed = agreed_by(
        house.fund.boris,
        "drop_evidence",
        object=file.alias,
        version=file.version,
        evidence_commitments=(file.commitment,),
    )
    file_retention.drop(house.session, file.alias, file.version, agreed=agreed)


def file_no_longer_kept(house: House) -> Work:
    kept, case = date(2020, 10, 31), house.a_case()
    file = filing.bring(house, case, keep_until=kept)
    assert waiting(house, "files_to_drop", Role.APPROVER) == []
    cases.withdraw(house.session, case, on=TODAY)
    return Work(file.alias, kept, lambda: drop(house, file), not_for=file.signer)


def erasure_asked_for(house: House) -> Work:
    case = house.a_case()
    filing.bring(house, case, keep_until=date(2020, 10, 31))
    erasing.ask(house, case)
    shelf = case.beneficiary_alias
    agreed = erasing.signed(house.fund.boris, "agree_erasure", shelf)
    listed = ErasureList(Path(house.shred_keys.directory) / "list")
    return Work(
        shelf,
        TODAY,
        lambda: retention.carry_out_erasure(house.session, shelf, agreed=agreed, listed=listed),
        not_for=house.fund.ana.alias,
    )


def file_of_the_erased(house: House) -> Work:
    file = house.session.exec(select(EvidenceFile).where(col(EvidenceFile.dropped_on).is_(None))).one()
    return Work(file.alias, TODAY, lambda: drop(house, file), not_for=file.signer)


PAPERS: list[Begun] = [
    ("to_ask_for", Role.TREASURER, 0, owed_and_not_asked_for),
    ("to_ask_for", Role.TREASURER, 0, rest_of_a_part),
    ("batches_to_lock", Role.TREASURER, 0, batch_put_together),
    ("payments_to_file", Role.TREASURER, 0, payment_released),
    ("cases_to_close", Role.INTAKE, queue.RECEIPT_DAYS, case_confirmed),
    ("results_missing", Role.TREASURER, queue.TRANSIT_DAYS, results_awaited),
    ("purposes_to_approve", Role.APPROVER, queue.SIGNATURE_DAYS, purpose_drafted),
    ("publications_to_approve", Role.APPROVER, queue.SIGNATURE_DAYS, publication_drafted),
    ("files_to_drop", Role.APPROVER, queue.RECEIPT_DAYS, file_no_longer_kept),
    ("erasures_to_agree", Role.APPROVER, 0, erasure_asked_for),
    ("files_to_drop", Role.APPROVER, queue.RECEIPT_DAYS, file_of_the_erased),
]


@pytest.mark.parametrize("begun", [MONEY, GIFTS, PAPERS], ids=["money", "gifts", "papers"])
def test_it_waits_until_it_is_done_and_not_for_who_began_it(house: House, begun: list[Begun]) -> None:
    purses.give_euros(house)

    for name, role, days, begin in begun:
        follow(house, name, role, days=days, work=begin(house))


@on_one_database
def test_versions_of_an_item_are_dropped_as_one(house: House) -> None:
    case = house.a_case()
    first = filing.bring(house, case, keep_until=date(2020, 10, 31))
    filing.bring(house, case, keep_until=date(2020, 9, 30), alias=first.alias, version=2)
    cases.withdraw(house.session, case, on=TODAY)

    (found,) = waiting(house, "files_to_drop", Role.APPROVER)

    assert (found.object, (found.deadline - date(2020, 9, 30)).days) == (first.alias, queue.RECEIPT_DAYS)
