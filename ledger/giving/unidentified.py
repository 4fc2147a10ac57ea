"""Unidentified gifts: a treasurer says what one is for, or that it is conditional.

Each is a signed act on what is left of the gift; what is asked to go back is none of it.
"""

import hashlib

import rfc8785
from sqlmodel import Session

from ledger import approvals
from ledger.approvals import Agreed, Verb
from ledger.books import recipes
from ledger.giving import donations, gift_returns, purpose_versions, purposes, steps
from ledger.giving.donations import Donation, State
from ledger.giving.purpose_versions import Terms, UnknownPurpose
from ledger.giving.steps import NewStep, NothingLeft, Step
from ledger.money import Money


def match(session: Session, alias: str, *, purpose: str, agreed: Agreed) -> Donation:
    """Says what is left of an unidentified gift is for: income of the purpose's fund, at the rate of its own day.

    Raises:
        UnknownDonation, UnknownPurpose, and what `approvals.accept` raises. WrongState: it is not unidentified, or a
        part of it was matched to another purpose. NothingLeft: all that is left is asked to go back. Nothing was
        written.
    """
    gift, terms = _require(session, alias, purpose)
    amount = left_of(session, gift)
    with session.begin_nested():  # act and effect, or neither
        accept(session, agreed, "match_gift", gift, amount, fund=terms.fund, purpose=purpose)
        gift.fund_code, gift.purpose_code, gift.purpose_version = terms.fund, purpose, terms.number
        take_up(session, gift, amount, Step.MATCHED, agreed)
    return gift


def place_conditional(session: Session, alias: str, *, purpose: str, agreed: Agreed) -> Donation:
    """Says that what is left of an unidentified gift is for a purpose on a condition: owed until that is met.

    Raises:
        As `match`.
    """
    gift, terms = _require(session, alias, purpose)
    amount = left_of(session, gift)
    postings = recipes.unidentified_conditional(
        leaf=steps.leaf_of(session, gift), gift=amount, fund=terms.fund, donation=alias
    )
    with session.begin_nested():
        accept(session, agreed, "condition_gift", gift, amount, fund=terms.fund, purpose=purpose)
        gift.fund_code, gift.purpose_code, gift.purpose_version = terms.fund, purpose, terms.number
        new = NewStep(
            step=Step.CONDITIONAL,
            amount=amount,
            fund=terms.fund,
            postings=postings,
            debit=recipes.UNIDENTIFIED,
            credit=recipes.CONDITIONAL_GIFTS,
            about=purpose,
        )
        steps.take(session, gift, new, on=agreed.now.date(), recorded_at=agreed.now, recorded_by=agreed.signer.alias)
    return gift


def left_of(session: Session, gift: Donation) -> Money:
    """What of an unidentified gift can be matched or claimed.

    Raises:
        NothingLeft: all that is left is asked to go back.
    """
    amount = gift_returns.left_to_send(session, gift, recipes.UNIDENTIFIED)
    if amount.minor <= 0:
        raise NothingLeft("all that is left is asked to go back", donation=gift.alias, left_minor=amount.minor)
    return amount


def commitment(*, donation: str, fund: str, purpose: str | None) -> str:
    """What an act restates as payee: SHA-256 over the canonical JSON of gift, fund and purpose (none: unclaimed)."""
    return hashlib.sha256(rfc8785.dumps(["gift", donation, fund, purpose])).hexdigest()


def take_up(session: Session, gift: Donation, amount: Money, step: Step, agreed: Agreed) -> None:
    """Books what was unidentified as income of the gift's fund."""
    postings = recipes.unidentified_matched(
        leaf=steps.leaf_of(session, gift),
        gift=amount,
        fund=gift.fund_code,
        donation=gift.alias,
        received_on=gift.received_on,
    )
    new = NewStep(
        step=step,
        amount=amount,
        fund=gift.fund_code,
        postings=postings,
        debit=recipes.UNIDENTIFIED,
        credit=recipes.DONATIONS,
        about=gift.purpose_code if step is Step.MATCHED else None,
    )
    steps.take(session, gift, new, on=agreed.now.date(), recorded_at=agreed.now, recorded_by=agreed.signer.alias)


def _require(session: Session, alias: str, purpose: str) -> tuple[Donation, Terms]:
    """The gift, and what donors were told on its day."""
    gift = donations.require(session, alias)
    require_unidentified(gift)
    known = purposes.by_code(session, purpose)
    if known is None:
        raise UnknownPurpose("no purpose has this code")
    if gift.purpose_code not in {None, purpose}:
        raise donations.WrongState("a part of the gift has another purpose", donation=alias, state=gift.state)
    return gift, purpose_versions.terms_on(session, known, on=gift.received_on)


def require_unidentified(gift: Donation) -> None:
    """Refuses a gift of which nothing waits for a purpose.

    Raises:
        WrongState: it is in another state.
    """
    if gift.state is not State.UNIDENTIFIED:
        raise donations.WrongState("the gift is not unidentified", donation=gift.alias, state=gift.state)


def accept(
    session: Session, agreed: Agreed, verb: Verb, gift: Donation, amount: Money, *, fund: str, purpose: str | None
) -> None:
    """Keeps the act that says where what is left of a gift belongs; raises what `approvals.accept` does."""
    approvals.accept(
        session,
        agreed,
        verb=verb,
        object_alias=gift.alias,
        version=steps.next_number(session, gift),
        amount=amount,
        payee_commitment=commitment(donation=gift.alias, fund=fund, purpose=purpose),
    )
