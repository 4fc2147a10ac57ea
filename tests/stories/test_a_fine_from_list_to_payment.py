from datetime import UTC, date, datetime, timedelta

import pytest

from api.client import sealing
from ledger import approvals, exceptions, publications
from ledger.aid import acts, cases, disbursements, obligations
from ledger.aid.disbursements import Payee
from ledger.aid.eligibility import NotEligible
from ledger.aid.obligations import ObligationKind, ObligationNotReady
from ledger.aliases import Kind, draw
from ledger.books import balances
from ledger.identities import shelves
from ledger.identities.shelves import NewBox
from ledger.publications import Payment
from ledger.reconciliation import bank
from ledger.reconciliation.bank import Outcome, Reconciliation
from ledger.reconciliation.statements import NewLine, NewStatement
from tests.cast import LEAF, TODAY, House, a_row, byn, everything, give

THURSDAY = datetime(2020, 11, 19, 9, 0, tzinfo=UTC)
SUNDAY = datetime(2020, 11, 22, 9, 0, tzinfo=UTC)
MONDAY = datetime(2020, 11, 23, 9, 0, tzinfo=UTC)
NAME = "Invented Person of the story"


def test_a_fine_goes_from_a_list_to_a_payment_that_the_bank_confirms(house: House) -> None:
    session, fund = house.session, house.fund
    give(session, byn("1000.00"))

    # Ana enters a row of a list: fined on 9 November; without an appeal the ruling is in force ten days later.
    row = a_row(fund, name=NAME, issued_on=date(2020, 11, 9), amount=byn("810.00"))
    case = house.receive(row, at=THURSDAY)
    obligation = house.obligation_of(case)
    assert (case.state, obligation.state) == (cases.State.RECEIVED, obligations.State.DUE)

    # Anton opens the case on his device, tests its exact dates, and signs that they are right.
    opened = house.open(case, by=fund.anton, at=THURSDAY)
    seed = sealing.open_wrap(fund.vault, opened.wrap, alias=case.beneficiary_alias, public=opened.shelf.sealing_key)
    identity = next(box for box in opened.boxes if box.field == "identity")
    read = sealing.open_box(seed, identity.data, kind="beneficiary", alias=case.beneficiary_alias, field="identity")
    assert read.decode() == NAME
    acts.verify_case(session, case.alias, house.on_case("verify_case", case, by=fund.anton, now=THURSDAY))

    # Clara asks for the payment, Boris looks at the evidence and at the payee, and approves.
    alias = draw(Kind.DISBURSEMENT)
    payee = sealing.seal(
        opened.shelf.sealing_key, b"Invented authority", kind="disbursement", alias=alias, field="payee"
    )
    disbursement = disbursements.request(
        session,
        alias,
        obligation=obligation,
        payee=Payee.AUTHORITY,
        payee_commitment=payee.commitment,
        fund="fines",
        account=LEAF,
        requested_by=fund.clara.alias,
    )
    box = NewBox("disbursement", alias, "payee", 1, payee.data, payee.commitment)
    shelves.keep(session, [box], shelf=case.beneficiary_alias)
    house.open(case, by=fund.boris, at=THURSDAY)
    agreed = house.on_payment("approve_disbursement", disbursement, by=fund.boris, now=THURSDAY)
    acts.approve_disbursement(session, alias, agreed)
    assert disbursements.spendable(session, "fines", currency="BYN") == byn("190.00")
    assert balances.balance(session, "2100", currency="BYN") == byn("0.00")

    # Nobody was told, so nothing is owed yet and nothing can leave.
    early = house.on_payment("release_disbursement", disbursement, by=fund.clara, now=THURSDAY)
    with pytest.raises(ObligationNotReady):
        acts.release_disbursement(session, alias, early)

    # The family is told. In force on 19 November, so for certain at the end of that week: on Sunday.
    house.tell(disbursement, on=date(2020, 11, 20), at=THURSDAY + timedelta(days=1))
    assert house.obligation_of(case).state == obligations.State.APPROVED
    early = house.on_payment("release_disbursement", disbursement, by=fund.clara, now=THURSDAY + timedelta(days=1))
    with pytest.raises(NotEligible) as refusal:
        acts.release_disbursement(session, alias, early)
    assert refusal.value.data["payable_from"] == "2020-11-22"

    # On Sunday Clara releases it: expense and liability are booked, and the bank leaf holds the money back.
    agreed = house.on_payment("release_disbursement", disbursement, by=fund.clara, now=SUNDAY)
    acts.release_disbursement(session, alias, agreed)
    assert balances.balance(session, "5000", currency="BYN", fund="fines") == byn("810.00")
    assert balances.balance(session, "2100", currency="BYN", fund="fines") == byn("-810.00")
    assert balances.balance(session, LEAF, currency="BYN") == byn("1000.00")
    assert disbursements.available(session, LEAF, currency="BYN") == byn("190.00")
    assert disbursements.spendable(session, "fines", currency="BYN") == byn("190.00")

    # On Monday the bank's statement brings our reference back: paid, and books and bank agree.
    statement = NewStatement(
        alias=draw(Kind.STATEMENT),
        account=LEAF,
        currency="BYN",
        opened_on=date(2020, 11, 1),
        closed_on=date(2020, 11, 23),
        opening=byn("1000.00"),
        closing=byn("190.00"),
        content_token="ab" * 32,
        lines=[NewLine(date(2020, 11, 23), None, byn("-810.00"), disbursement.reference, reversal=False)],
    )
    outcome = bank.receive(session, statement, received_at=MONDAY, received_by=fund.clara.alias)
    session.commit()
    assert (outcome.fresh, outcome.booked) == (1, 1)
    assert (case.state, disbursement.state) == (cases.State.PAID, disbursements.State.PAID)
    assert disbursement.paid_on == date(2020, 11, 23)
    assert house.obligation_of(case).state == obligations.State.PAID
    assert balances.balance(session, "2100", currency="BYN") == byn("0.00")
    assert balances.balance(session, LEAF, currency="BYN") == byn("190.00")
    assert exceptions.listed(session) == []
    assert bank.reconcile(session, LEAF) == Reconciliation(
        LEAF, "BYN", date(2020, 11, 23), byn("190.00"), byn("190.00"), byn("0.00"), byn("0.00")
    )

    # The same statement again changes nothing; every signature of the chain still holds; the page can count it.
    before = everything(session)
    again = bank.receive(session, statement, received_at=MONDAY, received_by=fund.clara.alias)
    assert again == Outcome(outcome.statement, fresh=0, booked=0)
    assert everything(session) == before
    chain = [*approvals.of_object(session, case.alias), *approvals.of_object(session, alias)]
    assert [kept.verb for kept in chain] == ["verify_case", "approve_disbursement", "release_disbursement"]
    assert [kept.signer for kept in chain] == [fund.anton.alias, fund.boris.alias, fund.clara.alias]
    assert all(approvals.still_holds(session, kept) for kept in chain)
    assert publications.payments(session) == [
        Payment(case.beneficiary_alias, byn("810.00"), ObligationKind.FINE, date(2020, 11, 23))
    ]
    assert NAME not in repr(before)
    assert TODAY < MONDAY.date()
