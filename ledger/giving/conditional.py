"""Conditional gifts: another person than who placed one says that its condition is met, wholly or in part."""

import hashlib

import rfc8785
from sqlmodel import Session

from ledger import approvals
from ledger.approvals import Agreed
from ledger.books import recipes
from ledger.errors import BadInput
from ledger.giving import donations, gift_returns, steps
from ledger.giving.donations import Donation, State
from ledger.giving.steps import NewStep, NothingLeft, Step
from ledger.money import Money


class BadPart(BadInput):
    """Not above zero, or in another currency than the gift."""

    rule = "bad_part"


def meet(session: Session, alias: str, *, amount: Money, agreed: Agreed) -> Donation:
    """Says that the condition of `amount` of a gift is met: income, on the day of the act. An approver's signature.

    Raises:
        UnknownDonation, BadPart, and what `approvals.accept` raises. WrongState: it is not conditional. SamePerson:
        they have placed it. NothingLeft: less is left that is not asked to go back. Nothing was written.
    """
    gift = donations.require(session, alias)
    if gift.state is not State.CONDITIONAL:
        raise donations.WrongState("the gift is not conditional", donation=alias, state=gift.state)
    if amount.minor <= 0 or amount.currency != gift.currency:
        raise BadPart("a part is above zero, in the currency of the gift", where="amount")
    placed = {one.taken_by for one in steps.of(session, [alias])[alias] if one.step is Step.CONDITIONAL}
    signed = approvals.signers_of(session, alias, verb="condition_gift")  # whatever the rows say
    approvals.require_other(agreed.signer.alias, than=placed | signed)
    free = gift_returns.left_to_send(session, gift, recipes.CONDITIONAL_GIFTS)
    if free < amount:
        raise NothingLeft("of the gift less is left", donation=alias, left_minor=free.minor, currency=gift.currency)
    with session.begin_nested():  # act and effect, or neither
        approvals.accept(
            session,
            agreed,
            verb="meet_condition",
            object_alias=alias,
            version=steps.next_number(session, gift),
            amount=amount,
            payee_commitment=commitment(donation=alias, fund=gift.fund_code),
        )
        new = NewStep(
            step=Step.MET,
            amount=amount,
            fund=gift.fund_code,
            postings=recipes.condition_met(amount=amount, fund=gift.fund_code, donation=alias),
            debit=recipes.CONDITIONAL_GIFTS,
            credit=recipes.DONATIONS,
        )
        steps.take(session, gift, new, on=agreed.now.date(), recorded_at=agreed.now, recorded_by=agreed.signer.alias)
    return gift


def commitment(*, donation: str, fund: str) -> str:
    """What an act restates as payee: SHA-256 over the canonical JSON of gift and fund."""
    return hashlib.sha256(rfc8785.dumps(["condition", donation, fund])).hexdigest()
