"""Payments that the bank gives back: the money is on the leaf again, and what it was to pay is owed again.

Only what comes back whole, to the leaf that it had left, for what is still simply paid, is booked without asking. Less
than the payment, another leaf, bail, and what is owed back by others as well wait for a person as an exception.
"""

from datetime import date, datetime

from sqlmodel import Session

from ledger.aid import cases, disbursements, obligations, refunds
from ledger.aid.disbursements import Disbursement, DisbursementNotReady, State
from ledger.aid.obligations import ObligationKind
from ledger.books import journal, recipes
from ledger.money import Money


def receive(
    session: Session, disbursement: Disbursement, *, source_key: str, on: date, recorded_at: datetime, recorded_by: str
) -> journal.Posted:
    """Books what the bank's line says: the payment came back on the day `on`. Its case, settled before, is open again.

    Raises:
        DisbursementNotReady: see `is_whole`.
    """
    obligation = obligations.require(session, disbursement.obligation_alias, lock=True)
    if not is_whole(session, disbursement, account=disbursement.account_code, came=disbursement.amount()):
        raise DisbursementNotReady(
            "no payment that can simply come back", disbursement=disbursement.alias, state=disbursement.state
        )
    posted = journal.post(
        session,
        source_key=source_key,
        kind="aid_payment_returned",
        postings=recipes.aid_payment_returned(
            leaf=disbursement.account_code,
            amount=disbursement.amount(),
            fund=disbursement.fund_code,
            obligation=disbursement.obligation_alias,
            case=disbursement.case_alias,
        ),
        happened_on=on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )
    disbursement.state = State.RETURNED
    disbursement.version += 1
    disbursement.returned_on, disbursement.returned_recorded_on = on, recorded_at.date()
    disbursement.returned_key = source_key
    session.add(disbursement)
    session.flush()
    obligations.mark_returned(session, obligation, paid=disbursements.paid(session, obligation))
    case = cases.require(session, obligation.case_alias, lock=True)
    obligations.follow(session, case, on=recorded_at.date())
    return posted


def is_whole(session: Session, disbursement: Disbursement, *, account: str, came: Money) -> bool:
    """Whether what came to a leaf is a whole payment from there, and nothing of what it paid is owed back already."""
    if disbursement.state is not State.PAID or (account, came) != (disbursement.account_code, disbursement.amount()):
        return False
    obligation = obligations.require(session, disbursement.obligation_alias)
    if obligation.kind is ObligationKind.BAIL or refunds.of_obligation(session, obligation.alias):
        return False
    return obligation.state in {obligations.State.PAID, obligations.State.PART_PAID}
