"""Payments that the bank gives back: the money is on the leaf again, and what it was to pay is owed again.

Only what comes back whole, to the leaf that it had left, for what is still simply paid, is booked without asking. Of
all else two people say what it is, see `ledger.reconciliation.resolutions` and docs/payments-that-come-back.md.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from ledger.aid import cases, disbursements, obligations, refunds
from ledger.aid.disbursements import Disbursement, DisbursementNotReady, State
from ledger.aid.obligations import Obligation, ObligationKind
from ledger.aid.refunds import Debtor
from ledger.books import journal, recipes
from ledger.books.postings import Posting
from ledger.money import Money


def receive(
    session: Session,
    disbursement: Disbursement,
    *,
    source_key: str,
    on: date,
    recorded_at: datetime,
    recorded_by: str,
    leaf: str | None = None,
    settles: Money | None = None,
    came: Money | None = None,
    beside: Sequence[Posting] = (),
) -> journal.Posted:
    """Books what the bank's line says: the payment came back on the day `on`. Its case, settled before, is open again.

    What the authority owes back of it since an appeal has come with it, and only the rest is owed again. On another
    leaf when `leaf` says so. When the line `settles` less than the payment, who had it owes the rest, and it is a
    payment no more. What `came` is told when that is another currency: then it is the whole payment, and nothing of it
    is owed back already. `beside` is what else the line says: a fee that a bank took, or what came beyond.

    Raises:
        DisbursementNotReady: see `may_come_back`, or it settles nothing, or more.
    """
    obligation = obligations.require(session, disbursement.obligation_alias, lock=True)
    amount = disbursement.amount()
    settled = amount if settles is None else settles
    is_part = settled.currency == amount.currency and 0 < settled.minor <= amount.minor
    is_part = is_part and (came is None or settled == amount)
    simply = settled == amount and came is None
    void = _owed_back(session, disbursement, obligation) if simply else Money(0, amount.currency)
    if not is_part or not (may_come_back(session, disbursement) or void.minor):
        raise DisbursementNotReady(
            "no payment that can come back so", disbursement=disbursement.alias, state=disbursement.state
        )
    bail = obligation.kind is ObligationKind.BAIL
    posted = journal.post(
        session,
        source_key=source_key,
        kind="bail_payment_returned" if bail else "aid_payment_returned",
        postings=[
            *_owed_again(
                disbursement,
                leaf=leaf or disbursement.account_code,
                missing=amount - settled,
                void=void,
                bail=bail,
                came=came,
            ),
            *beside,
        ],
        happened_on=on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )
    refunds.void(session, obligation, void, on=on)
    _mark(session, disbursement, obligation, void=void, source_key=source_key, on=on, recorded_on=recorded_at.date())
    if settled != amount:
        refunds.expect_from_payee(session, obligation, amount - settled, fund=disbursement.fund_code, on=on)
    return posted


def is_whole(session: Session, disbursement: Disbursement, *, account: str, came: Money) -> bool:
    """Whether what came to a leaf is a whole payment from there, that can simply come back, and no bail."""
    if (account, came) != (disbursement.account_code, disbursement.amount()):
        return False
    obligation = obligations.require(session, disbursement.obligation_alias)
    return obligation.kind is not ObligationKind.BAIL and may_come_back(session, disbursement)


def may_come_back(session: Session, disbursement: Disbursement) -> bool:
    """Whether a payment is paid, and nothing of what it paid is owed back already: then what comes settles that."""
    obligation = obligations.require(session, disbursement.obligation_alias)
    still_paid = obligation.state in {obligations.State.PAID, obligations.State.PART_PAID}
    return (
        disbursement.state is State.PAID
        and still_paid
        and not refunds.of_obligation(session, disbursement.obligation_alias)
    )


def _owed_back(session: Session, disbursement: Disbursement, obligation: Obligation) -> Money:
    """What of a payment an authority owes back since an appeal left less, when nothing else became of that."""
    found = refunds.of_obligation(session, obligation.alias)
    back = Money(sum(one.minor for one in found), obligation.currency)
    only_reduced = all(one.is_waiting() and one.debtor is Debtor.AUTHORITY for one in found)
    if disbursement.state is not State.PAID or not only_reduced or back == obligation.payable():
        return Money(0, obligation.currency)
    return min(back, disbursement.amount(), key=lambda one: one.minor)


def _owed_again(
    disbursement: Disbursement, *, leaf: str, missing: Money, void: Money, bail: bool, came: Money | None
) -> list[Posting]:
    """The whole payment back, and what is missing of it out again, to who has it."""
    named: dict[str, Any] = {
        "leaf": leaf,
        "fund": disbursement.fund_code,
        "obligation": disbursement.obligation_alias,
        "case": disbursement.case_alias,
    }
    amount = disbursement.amount()
    if void.minor:
        rest = amount - void
        again = recipes.aid_payment_returned(**named, amount=rest) if rest.minor else []
        return [*recipes.refund_received(**named, amount=void), *again]
    if bail:
        postings = recipes.bail_returned(**named, amount=amount, fee=Money(0, amount.currency), came=came)
    else:
        postings = recipes.aid_payment_returned(**named, amount=amount, came=came)
    return [*postings, *recipes.money_to_come_back(**named, amount=missing)] if missing.minor else postings


def _mark(
    session: Session,
    disbursement: Disbursement,
    obligation: Obligation,
    *,
    void: Money,
    source_key: str,
    on: date,
    recorded_on: date,
) -> None:
    disbursement.state = State.RETURNED
    disbursement.version += 1
    disbursement.returned_on, disbursement.returned_recorded_on = on, recorded_on
    disbursement.returned_key = source_key
    session.add(disbursement)
    session.flush()
    if obligation.kind is ObligationKind.BAIL:
        obligations.unpost(session, obligation)
    else:
        is_owed_back = any(one.is_waiting() for one in refunds.of_obligation(session, obligation.alias))
        paid = disbursements.paid(session, obligation)
        obligations.mark_returned(session, obligation, paid=paid, void=void, is_owed_back=is_owed_back)
    case = cases.require(session, obligation.case_alias, lock=True)
    obligations.follow(session, case, on=recorded_on)
