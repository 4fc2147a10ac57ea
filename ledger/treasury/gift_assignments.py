"""Gifts whose purpose nobody knew: a treasurer says, once and signed, which purpose each was given for.

It is no change of purpose: nobody had restricted the gift, or nobody could read how. From then on the gift is its
purpose's as if it had come with its code, under the text that stood on the day it was received.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime

import rfc8785
from sqlalchemy import func
from sqlmodel import Field, Session, SQLModel, col, select

from ledger import approvals
from ledger.approvals import Agreed
from ledger.books import accounts, journal, recipes, spending
from ledger.books.entries import Line
from ledger.books.postings import Posting
from ledger.errors import BadInput, Conflict, NotFound, Refused
from ledger.giving import donations, gift_returns, purpose_versions, purposes, steps
from ledger.giving.donations import Donation
from ledger.money import Money
from ledger.storage.columns import MinorUnits, UtcDateTime, whole_minor

KIND = "gift_assigned"
"""The kind of the entry that an assignment is booked by; its source key is `source_key_of`."""
PLACES = ("1000", "1020", "1100")
"""Where the money of a gift may be: at a bank, in cash, at the processor."""


class UnknownGift(NotFound):
    """No gift has this alias."""

    rule = "unknown_gift"


class NotUnassigned(Conflict):
    """The gift has a purpose, is no gift of the books, or its giver's bank calls it back."""

    rule = "not_unassigned"


class NothingLeft(Refused):
    """All of the gift was given back, or some of it is owed to its giver still."""

    rule = "nothing_left"


class BadAssignment(BadInput):
    """The money is not on this leaf, or the purpose has no fund; `where` tells the part."""

    rule = "bad_assignment"


class GiftAssignment(SQLModel, table=True):
    """That a gift is a purpose's; `refunded_minor` is what had been given back of it by then. Rows are only added."""

    __tablename__ = "gift_assignment"
    donation_alias: str = Field(primary_key=True, foreign_key="donation.alias", max_length=20)
    purpose_code: str = Field(foreign_key="purpose.code", max_length=12)
    purpose_version: int
    fund_code: str = Field(foreign_key="fund.code", max_length=30)
    account_code: str = Field(foreign_key="account.code", max_length=45)
    refunded_minor: int = Field(sa_type=MinorUnits)
    assigned_by: str = Field(max_length=20)
    assigned_at: datetime = Field(sa_type=UtcDateTime)

    __table_args__ = whole_minor("refunded_minor")

    def commitment(self) -> str:
        """What the act about it restates beside the amount that is left of the gift."""
        return commitment(purpose=self.purpose_code, account=self.account_code)


def assign(session: Session, alias: str, *, purpose: str, account: str, agreed: Agreed) -> GiftAssignment:
    """Gives a gift of the fund `unassigned` its purpose by a treasurer's signed act, and books it.

    The act restates what is left of the gift, the purpose and the leaf where the money is. The gift's row is locked.

    Raises:
        UnknownGift, UnknownPurpose, UnknownAccount, NotPostable, NotUnassigned, NothingLeft, BadAssignment,
        WouldOverdraw, and what `approvals.accept` raises. Nothing was written.
    """
    gift = donations.find(session, alias, lock=True)
    if gift is None:
        raise UnknownGift("no gift has this alias")
    left = _require_left(session, gift)
    chosen = purposes.by_code(session, purpose)
    if chosen is None:
        raise purpose_versions.UnknownPurpose("no purpose has this code")
    terms = purpose_versions.terms_on(session, chosen, on=gift.received_on)
    if terms.fund == recipes.UNASSIGNED:
        raise BadAssignment("the purpose has no fund of its own", where="purpose")
    place = accounts.postable(session, account, currency=gift.currency)
    if (place.parent_code or place.code) not in PLACES:
        raise BadAssignment("the money of a gift is at a bank, in cash or at the processor", where="account")
    row = GiftAssignment(
        donation_alias=alias,
        purpose_code=purpose,
        purpose_version=terms.number,
        fund_code=terms.fund,
        account_code=account,
        refunded_minor=gift.refunded_minor,
        assigned_by=agreed.signer.alias,
        assigned_at=agreed.now,
    )
    with session.begin_nested():  # act and effect, or neither
        approvals.accept(
            session,
            agreed,
            verb="assign_gift",
            object_alias=alias,
            version=1,
            amount=left,
            payee_commitment=row.commitment(),
        )
        spending.require_spendable(session, recipes.UNASSIGNED, left, on=agreed.now.date())
        journal.post(
            session,
            source_key=source_key_of(alias),
            kind=KIND,
            postings=postings_of(gift, row),
            happened_on=agreed.now.date(),
            recorded_at=agreed.now,
            recorded_by=agreed.signer.alias,
        )
        gift.fund_code, gift.purpose_code, gift.purpose_version = terms.fund, purpose, terms.number
        donations.keep(session, gift)
        session.add(row)
        session.flush()
    return row


def unassigned(session: Session) -> list[Donation]:
    """The gifts that wait for somebody to say what they are for, oldest first."""
    query = select(Donation).where(
        Donation.fund_code == recipes.UNASSIGNED, col(Donation.state).in_(donations.ASSIGNABLE)
    )
    found = [gift for gift in session.exec(query) if gift.refunded_minor < gift.minor]
    return sorted(found, key=lambda gift: (gift.received_on, gift.alias))


def assigned(session: Session) -> Sequence[GiftAssignment]:
    """All assignments, oldest first."""
    return sorted(session.exec(select(GiftAssignment)), key=lambda one: (one.assigned_at, one.donation_alias))


def postings_of(gift: Donation, row: GiftAssignment) -> list[Posting]:
    """How an assignment is booked."""
    refunded = Money(row.refunded_minor, gift.currency)
    return recipes.gift_assigned(
        leaf=row.account_code,
        left=gift.amount() - refunded,
        refunded=refunded,
        fund=row.fund_code,
        donation=gift.alias,
        received_on=gift.received_on,
    )


def commitment(*, purpose: str, account: str) -> str:
    """What the act restates as payee: SHA-256 over the canonical JSON of purpose and leaf."""
    return hashlib.sha256(rfc8785.dumps([purpose, account])).hexdigest()


def source_key_of(alias: str) -> str:
    """The source key of an assignment's entry."""
    return f"assign:{alias}"


def _require_left(session: Session, gift: Donation) -> Money:
    if gift.fund_code != recipes.UNASSIGNED or gift.state not in donations.ASSIGNABLE:
        raise NotUnassigned("the gift does not wait for a purpose", donation=gift.alias, state=gift.state)
    if steps.left(session, gift, recipes.DONATIONS) != gift.amount():
        raise NotUnassigned("a part of the gift was never income", donation=gift.alias, state=gift.state)
    left = gift.amount() - Money(gift.refunded_minor, gift.currency)
    owed = select(func.sum(Line.minor)).where(
        Line.account_code == recipes.DONOR_REFUNDS_PAYABLE, Line.subject == gift.alias
    )
    if left.minor <= 0 or session.exec(owed).one() or gift_returns.goes_back(session, gift):
        raise NothingLeft("the gift went back to its giver, or is owed to them", donation=gift.alias)
    return left
