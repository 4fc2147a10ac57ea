"""Unwinding: what a case had led to and is not paid is taken back: payments not released, holds, recognitions."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlmodel import Session

from ledger.aid import disbursements, obligations
from ledger.aid.obligations import Obligation
from ledger.books import journal, recipes
from ledger.errors import Conflict
from ledger.money import Money


class MoneyUnderWay(Conflict):
    """A payment for it was released: wait until the bank or the agent has told what became of it."""

    rule = "money_under_way"


def stop_payments(session: Session, aliases: Sequence[str], *, on: date) -> list[Obligation]:
    """Cancels, on the day `on`, what was asked for and not released, and gives the obligations, locked, by alias.

    Everybody locks disbursements first, obligations after them, and cases last.

    Raises:
        MoneyUnderWay: a payment was released and neither paid nor failed. Nothing was done.
    """
    paying = disbursements.standing(session, aliases, lock=True)
    if any(one.state is disbursements.State.RELEASED for one in paying):
        raise MoneyUnderWay("a payment for it was released")
    for disbursement in paying:
        if disbursement.state is not disbursements.State.PAID:
            disbursements.cancel(session, disbursement, on=on)
    owed = [obligations.require(session, alias, lock=True) for alias in sorted(aliases)]
    for disbursement in disbursements.standing(session, aliases):  # asked for while nobody held the obligation
        if disbursement.state is disbursements.State.REQUESTED:
            disbursements.cancel(session, disbursement, on=on)
    return owed


def take_back(
    session: Session,
    obligation: Obligation,
    amount: Money,
    *,
    source_key: str,
    on: date,
    recorded_at: datetime,
    recorded_by: str,
) -> None:
    """Books that `amount` of what was recognised and not paid is not owed any more: DOMAIN's recipe by the year.

    Raises:
        ObligationNotReady: it was never recognised.
    """
    recognised_on = obligations.recognised_on(session, obligation)
    journal.post(
        session,
        source_key=source_key,
        kind="aid_cancelled",
        postings=recipes.aid_cancelled(
            kind=obligation.kind,
            amount=amount,
            fund=obligations.fund_of(obligation),
            obligation=obligation.alias,
            case=obligation.case_alias,
            rate_on=recognised_on,
            earlier_year=recognised_on.year < on.year,
        ),
        happened_on=on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )
