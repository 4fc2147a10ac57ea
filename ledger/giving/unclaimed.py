"""Unclaimed gifts: those whose givers did not say in time what they are for. A job asks which are due, people claim."""

from datetime import date

from sqlmodel import Session, select

from ledger.approvals import Agreed
from ledger.books import recipes
from ledger.errors import Refused
from ledger.giving import donations, unidentified
from ledger.giving.donations import Donation, State
from ledger.giving.steps import Step

MONTHS = 24
"""How many months an unidentified gift waits for its giver: a policy of the fund, see docs/decisions."""
_A_YEAR = 12


class NotUnclaimedYet(Refused):
    """Its giver may still say what it is for; `months` is how long one waits."""

    rule = "not_unclaimed_yet"


def claim(session: Session, alias: str, agreed: Agreed) -> Donation:
    """Takes what is left of an unidentified gift whose giver did not say in time what it is for: income of `general`.

    A gift of which a part was matched goes where that went.

    Raises:
        UnknownDonation, WrongState, NothingLeft, and what `approvals.accept` raises. NotUnclaimedYet: it is not `due`.
        Nothing was written.
    """
    gift = donations.require(session, alias)
    unidentified.require_unidentified(gift)
    if not _is_due(gift, agreed.now.date()):
        raise NotUnclaimedYet("its giver may still claim it", donation=alias, months=MONTHS)
    amount = unidentified.left_of(session, gift)
    fund = recipes.GENERAL if gift.purpose_code is None else gift.fund_code
    with session.begin_nested():
        unidentified.accept(session, agreed, "claim_gift", gift, amount, fund=fund, purpose=None)
        gift.fund_code = fund
        unidentified.take_up(session, gift, amount, Step.UNCLAIMED, agreed)
    return gift


def due(session: Session, today: date) -> list[Donation]:
    """The unidentified gifts for whose givers nobody waits any longer, oldest first; `claim` takes each."""
    found = session.exec(select(Donation).where(Donation.state == State.UNIDENTIFIED))
    return sorted((one for one in found if _is_due(one, today)), key=lambda one: (one.received_on, one.alias))


def _is_due(gift: Donation, today: date) -> bool:
    since = gift.received_on
    months = (today.year - since.year) * _A_YEAR + today.month - since.month - (today.day < since.day)
    return months >= MONTHS
