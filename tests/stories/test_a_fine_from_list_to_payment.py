from datetime import UTC, date, datetime, timedelta

import pytest

from api.client import keyring, sealing
from ledger import approvals, exceptions, publications
from ledger.aid import acts, cases, disbursements, obligations
from ledger.aid.cases import Case
from ledger.aid.disbursements import Disbursement, Payee
from ledger.aid.eligibility import NotEligible
from ledger.aid.obligations import ObligationKind, ObligationNotReady
from ledger.aliases import Kind, draw
from ledger.books import balances, spending
from ledger.identities import shelves, vaults
from ledger.identities.shelves import NewBox, Opened
from ledger.identities.vaults import NewWrap
from ledger.reconciliation import bank
from ledger.reconciliation.bank import Outcome, Reconciliation
from ledger.reconciliation.statements import NewLine, NewStatement
from tests.bookcheck import assert_it_holds
from tests.cast import LEAF, NOW, House, Person, a_row, byn, engine_of, everything, give

THURSDAY = datetime(2020, 11, 19, 9, 0, tzinfo=UTC)
FRIDAY = THURSDAY + timedelta(days=1)
SUNDAY = datetime(2020, 11, 22, 9, 0, tzinfo=UTC)
MONDAY = datetime(2020, 11, 23, 9, 0, tzinfo=UTC)
NAME = "Invented Person of the story"


def test_a_fine_goes_from_a_list_to_a_payment_that_the_bank_confirms(house: House) -> None:
    give(house.session, byn("1000.00"))

    # Ana enters a row of a list: fined on 9 November; without an appeal the ruling is in force ten days later.
    case = house.receive(a_row(house.fund, name=NAME, issued_on=date(2020, 11, 9), amount=byn("810.00")), at=THURSDAY)
    assert (case.state, house.obligation_of(case).state) == (cases.State.RECEIVED, obligations.State.DUE)

    disbursement = verified_and_approved(house, case)
    told_and_released(house, disbursement)
    seen_at_the_bank(house, case, disbursement)

    chain = [*approvals.of_object(house.session, case.alias), *approvals.of_object(house.session, disbursement.alias)]
    signers = [house.fund.anton.alias, house.fund.boris.alias, house.fund.clara.alias]
    assert [kept.verb for kept in chain] == ["verify_case", "approve_disbursement", "release_disbursement"]
    assert [kept.signer for kept in chain] == signers
    assert all(approvals.still_holds(house.session, kept) for kept in chain)
    (payment,) = publications.payments(house.session)
    assert (payment.person, payment.amount, payment.way) == (case.beneficiary_alias, byn("810.00"), "authority")
    assert (payment.kind, payment.recorded_on) == (ObligationKind.FINE, date(2020, 11, 23))
    assert NAME not in repr(everything(house.session))
    assert_it_holds(engine_of(house.session))


def verified_and_approved(house: House, case: Case) -> Disbursement:
    # Anton opens the case on his device, tests its exact dates, and signs that they are right.
    session, fund = house.session, house.fund
    opened = house.open(case, by=fund.anton, at=THURSDAY)
    assert name_on(opened, house, by=fund.anton) == NAME
    assert name_on(opened, house, by=fund.boris) == NAME
    answered = house.assessed(case, now=THURSDAY)
    acts.verify_case(
        session, case.alias, house.on_case("verify_case", case, by=fund.anton, now=THURSDAY), assessment=answered
    )

    # Clara asks for the payment, Boris looks at the evidence and at the payee, and approves.
    alias = draw(Kind.DISBURSEMENT)
    key = opened.shelf.sealing_key
    payee = sealing.seal(key, b"Invented authority", kind="disbursement", alias=alias, field="payee")
    disbursement = disbursements.request(
        session,
        alias,
        obligation=house.obligation_of(case),
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

    assert spending.spendable(session, "fines")["BYN"] == byn("190.00")
    assert balances.balance(session, "2100", currency="BYN") == byn("0.00")
    return disbursement


def told_and_released(house: House, disbursement: Disbursement) -> None:
    # Nobody was told, so nothing is owed yet and nothing can leave.
    session, clara = house.session, house.fund.clara
    early = house.on_payment("release_disbursement", disbursement, by=clara, now=THURSDAY)
    with pytest.raises(ObligationNotReady):
        acts.release_disbursement(session, disbursement.alias, early)

    # The family is told. In force on 19 November, so for certain at the end of that week: on Sunday.
    obligation = house.tell(disbursement, on=date(2020, 11, 20), at=FRIDAY)
    assert obligation.state == obligations.State.APPROVED
    early = house.on_payment("release_disbursement", disbursement, by=clara, now=FRIDAY)
    with pytest.raises(NotEligible) as refusal:
        acts.release_disbursement(session, disbursement.alias, early)
    assert refusal.value.data["payable_from"] == "2020-11-22"

    # On Sunday Clara releases it: expense and liability are booked, and the bank leaf holds the money back.
    agreed = house.on_payment("release_disbursement", disbursement, by=clara, now=SUNDAY)
    acts.release_disbursement(session, disbursement.alias, agreed)

    assert balances.balance(session, "5000", currency="BYN", fund="fines") == byn("810.00")
    assert balances.balance(session, "2100", currency="BYN", fund="fines") == byn("-810.00")
    assert balances.balance(session, LEAF, currency="BYN") == byn("1000.00")
    assert spending.available(session, LEAF, currency="BYN") == byn("190.00")
    assert spending.spendable(session, "fines")["BYN"] == byn("190.00")


def seen_at_the_bank(house: House, case: Case, disbursement: Disbursement) -> None:
    # On Monday the bank's statement brings our reference back: paid, and books and bank agree.
    session, clara = house.session, house.fund.clara
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
    outcome = bank.receive(session, statement, received_at=MONDAY, received_by=clara.alias)

    assert (outcome.fresh, outcome.booked) == (1, 1)
    assert (case.state, disbursement.state) == (cases.State.PAID, disbursements.State.PAID)
    assert (disbursement.paid_on, house.obligation_of(case).state) == (date(2020, 11, 23), obligations.State.PAID)
    assert balances.balance(session, "2100", currency="BYN") == byn("0.00")
    assert balances.balance(session, LEAF, currency="BYN") == byn("190.00")
    assert exceptions.listed(session) == []
    assert bank.reconcile(session, LEAF) == Reconciliation(
        LEAF,
        "BYN",
        date(2020, 11, 23),
        per_bank=byn("190.00"),
        coming=byn("0.00"),
        going=byn("0.00"),
        not_booked=byn("0.00"),
        per_books=byn("190.00"),
        difference=byn("0.00"),
    )

    # The same statement again changes nothing.
    before = everything(session)
    again = bank.receive(session, statement, received_at=MONDAY, received_by=clara.alias)
    assert again == Outcome(outcome.statement, fresh=0, booked=0)
    assert everything(session) == before


def name_on(opened: Opened, house: House, *, by: Person) -> str:
    """The name on a shelf, opened with a device: the vault's wrap for this member, the shelf's wrap, the box."""
    sealed = keyring.wrap_vault(house.fund.vault, bytes.fromhex(by.operator.sealing_key), member=by.alias)
    vaults.keep_wrap(house.session, NewWrap("people", 1, by.alias, sealed), at=NOW)
    (kept,) = shelves.vault_wraps(house.session, vault="people", member=by.alias)
    vault = keyring.unwrap_vault(by.device, kept.wrap, vault=house.fund.vault.public())
    alias = opened.shelf.alias
    seed = sealing.open_wrap(vault, opened.wrap, alias=alias, public=opened.shelf.sealing_key)
    (identity,) = [box for box in opened.boxes if box.field == "identity"]
    return sealing.open_box(seed, identity.data, kind="beneficiary", alias=alias, field="identity").decode()
