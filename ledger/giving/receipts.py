"""Legal receipts: numbered by the server without a gap, written on the treasurer's device, who signs each.

The server keeps number, gifts, amounts and a commitment to the PDF, against which nobody tests a name without the key
of the donor's shelf. What a receipt certifies is all that is left of each gift at that moment, and no gift stands on
two valid ones.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import rfc8785
from sqlalchemy import CheckConstraint, ForeignKeyConstraint, UniqueConstraint, func
from sqlmodel import Field, Session, SQLModel, col, select

from ledger import approvals, book
from ledger.aliases import AliasTaken, Kind, check
from ledger.approvals import Agreed
from ledger.books import recipes
from ledger.errors import BadInput, Conflict, NotFound, Refused
from ledger.giving import donations, donors, gift_returns, refund_orders, steps
from ledger.giving.donations import Donation, Source, State
from ledger.identities import boxes
from ledger.money import Money
from ledger.storage.columns import WITHOUT_ROWID, MinorUnits, enumeration, whole_minor

CERTIFIABLE = (State.RECEIVED, State.MATCHED, State.SETTLED, State.REFUNDED, State.WON)
"""The states of a gift that stands; of a refunded one, what is left."""
MOST_GIFTS = 1000
"""The most gifts on one receipt."""


class Voided(StrEnum):
    """Why a receipt counts no more."""

    REPLACED = "replaced"
    MISTAKE = "mistake"
    GIVEN_BACK = "given_back"
    WISH = "wish"


class UnknownReceipt(NotFound):
    """No receipt has this alias."""

    rule = "unknown_receipt"


class BadReceipt(BadInput):
    """No gifts, one twice, or gifts of several currencies; `where` tells."""

    rule = "bad_receipt"


class NumberTaken(Conflict):
    """Another receipt was issued meanwhile; `next` is the number to write on this one."""

    rule = "number_taken"


class NotCertifiable(Refused):
    """A gift does not stand, goes back, is another donor's, is on a valid receipt, or another amount is left of it."""

    rule = "not_certifiable"


class OnReceipt(Refused):
    """The gift stands on a legal receipt, which is cancelled first."""

    rule = "gift_on_receipt"


class NoIdentity(Refused):
    """Nothing of the donor lies sealed, or it was erased: nobody could write the receipt."""

    rule = "no_identity"


class AlreadyVoid(Conflict):
    """The receipt counts no more already."""

    rule = "already_void"


class Receipt(SQLModel, table=True):
    """One receipt to the donor whose shelf `donor_alias` names; `commitment` is to its PDF."""

    alias: str = Field(primary_key=True, max_length=20)
    year: int
    number: int
    donor_alias: str = Field(foreign_key="donor.alias", max_length=20, index=True)
    minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    commitment: str = Field(max_length=64)
    replaces: str | None = Field(default=None, max_length=20, unique=True)
    issued_on: date
    nonce: str = Field(foreign_key="signed_act.nonce", max_length=32)

    __table_args__ = (
        UniqueConstraint("year", "number"),
        CheckConstraint("number > 0 AND minor > 0", name="receipt_is_above_zero"),
        CheckConstraint("replaces <> alias", name="receipt_replaces_another"),
        # Deferred for a restore, which writes receipts in the order of their aliases.
        ForeignKeyConstraint(["replaces"], ["receipt.alias"], deferrable=True, initially="DEFERRED"),
        *whole_minor("minor"),
        WITHOUT_ROWID,
    )

    def amount(self) -> Money:
        """What it certifies."""
        return Money(self.minor, self.currency)


class ReceiptGift(SQLModel, table=True):
    """What a receipt certifies of one gift. These rows come before their receipt, which seals them."""

    __tablename__ = "receipt_gift"
    receipt_alias: str = Field(primary_key=True, max_length=20)
    donation_alias: str = Field(primary_key=True, foreign_key="donation.alias", max_length=20, index=True)
    minor: int = Field(sa_type=MinorUnits)

    __table_args__ = (
        ForeignKeyConstraint(["receipt_alias"], ["receipt.alias"], deferrable=True, initially="DEFERRED"),
        *whole_minor("minor"),
        WITHOUT_ROWID,
    )


class ReceiptVoid(SQLModel, table=True):
    """A receipt that counts no more, and the act that says so; that of the next one when it was replaced."""

    __tablename__ = "receipt_void"
    receipt_alias: str = Field(primary_key=True, foreign_key="receipt.alias", max_length=20)
    reason: Voided = Field(sa_type=enumeration(Voided))
    nonce: str = Field(foreign_key="signed_act.nonce", max_length=32)

    __table_args__ = (WITHOUT_ROWID,)


@dataclass(frozen=True, slots=True)
class NewReceipt:
    """What a client has written: `gifts` with what is certified of each, `commitment` to the PDF with this number."""

    alias: str
    donor: str
    year: int
    number: int
    gifts: Sequence[tuple[str, Money]]
    commitment: str
    replaces: str | None = None

    def amount(self) -> Money:
        """What it certifies in all; raises `BadReceipt` for gifts of several currencies, or none."""
        if len({money.currency for _, money in self.gifts}) != 1:
            raise BadReceipt("a receipt is of gifts in one currency", where="gifts")
        return Money(sum(money.minor for _, money in self.gifts), self.gifts[0][1].currency)

    def digest(self) -> str:
        """What the act restates as payee: SHA-256 over the canonical JSON of everything that is certified."""
        gifts = sorted([gift, money.decimal(), money.currency] for gift, money in self.gifts)
        said: list[Any] = ["receipt", self.donor, self.year, self.number, gifts, self.commitment, self.replaces]
        return hashlib.sha256(rfc8785.dumps(said)).hexdigest()


def issue(session: Session, new: NewReceipt, agreed: Agreed) -> Receipt:
    """Keeps a receipt that a treasurer has written and signed, under the year's next number.

    Raises:
        BadAlias, AliasTaken, BadReceipt, BadDigest, UnknownDonor, NoIdentity, NumberTaken, NotCertifiable,
        UnknownReceipt, AlreadyVoid, and what `approvals.accept` raises. Nothing was written.
    """
    check(new.alias, Kind.RECEIPT)
    boxes.check_commitment(new.commitment)
    if not 0 < len({gift for gift, _ in new.gifts}) == len(new.gifts) <= MOST_GIFTS:
        raise BadReceipt(f"1 to {MOST_GIFTS} gifts, each once", where="gifts")
    amount = new.amount()
    book.require(session, lock=True)  # one number after the other
    if session.get(Receipt, new.alias) is not None:
        raise AliasTaken("the alias is taken")
    donors.require(session, new.donor)
    if not donors.identified(session, [new.donor]):
        raise NoIdentity("nothing of the donor lies sealed", donor=new.donor)
    following = next_number(session, agreed.now.year)
    if (new.year, new.number) != (agreed.now.year, following):
        raise NumberTaken("another number follows", year=agreed.now.year, next=following)
    replaced = _replaceable(session, new) if new.replaces else None
    _require_certifiable(session, new, but=replaced)
    with session.begin_nested():
        act = approvals.accept(
            session,
            agreed,
            verb="issue_receipt",
            object_alias=new.alias,
            version=1,
            amount=amount,
            payee_commitment=new.digest(),
        )
        if replaced is not None:
            session.add(ReceiptVoid(receipt_alias=replaced.alias, reason=Voided.REPLACED, nonce=act.nonce))
            session.flush()
        session.add_all(
            ReceiptGift(receipt_alias=new.alias, donation_alias=gift, minor=money.minor) for gift, money in new.gifts
        )
        session.flush()
        receipt = Receipt(
            alias=new.alias,
            year=new.year,
            number=new.number,
            donor_alias=new.donor,
            minor=amount.minor,
            currency=amount.currency,
            commitment=new.commitment,
            replaces=new.replaces,
            issued_on=agreed.now.date(),
            nonce=act.nonce,
        )
        session.add(receipt)
        session.flush()
    return receipt


def cancel(session: Session, alias: str, *, reason: Voided, agreed: Agreed) -> ReceiptVoid:
    """A treasurer signs that a receipt counts no more; its number stays taken.

    Raises:
        UnknownReceipt, AlreadyVoid. BadReceipt: a receipt is replaced by the next one only. What `approvals.accept`
        raises. Nothing was written.
    """
    if reason is Voided.REPLACED:
        raise BadReceipt("a receipt is replaced by the next one", where="reason")
    book.require(session, lock=True)
    receipt = require(session, alias)
    _require_valid(session, alias)
    with session.begin_nested():
        act = approvals.accept(
            session,
            agreed,
            verb="cancel_receipt",
            object_alias=alias,
            version=1,
            detail=reason,
            amount=receipt.amount(),
            payee_commitment=receipt.commitment,
        )
        void = ReceiptVoid(receipt_alias=alias, reason=reason, nonce=act.nonce)
        session.add(void)
        session.flush()
    return void


def next_number(session: Session, year: int) -> int:
    """The number of the year's next receipt, from 1 on."""
    newest = session.exec(select(func.max(Receipt.number)).where(Receipt.year == year)).one()
    return (newest or 0) + 1


def require(session: Session, alias: str) -> Receipt:
    """The receipt, or `UnknownReceipt`."""
    found = session.get(Receipt, alias)
    if found is None:
        raise UnknownReceipt("no receipt has this alias")
    return found


def of_year(session: Session, year: int, *, after: int = 0, limit: int = 500) -> list[Receipt]:
    """Up to `limit` receipts of a year in the order of their numbers, after the number `after`."""
    query = select(Receipt).where(Receipt.year == year, col(Receipt.number) > after)
    return list(session.exec(query.order_by(col(Receipt.number)).limit(limit)))


def gifts_on(session: Session, aliases: Collection[str]) -> dict[str, list[tuple[ReceiptGift, Donation]]]:
    """By receipt what it certifies of which gifts, as they stand in the tables now."""
    found: dict[str, list[tuple[ReceiptGift, Donation]]] = {alias: [] for alias in aliases}
    query = select(ReceiptGift, Donation).join(Donation, col(Donation.alias) == col(ReceiptGift.donation_alias))
    query = query.where(col(ReceiptGift.receipt_alias).in_(found)).order_by(col(ReceiptGift.donation_alias))
    for part, gift in session.exec(query.execution_options(populate_existing=True)):
        found[part.receipt_alias].append((part, gift))
    return found


def voids(session: Session, aliases: Collection[str]) -> dict[str, ReceiptVoid]:
    """Those of these receipts that count no more, and why."""
    rows = session.exec(select(ReceiptVoid).where(col(ReceiptVoid.receipt_alias).in_(aliases)))
    return {row.receipt_alias: row for row in rows}


def require_none(session: Session, gift: str) -> None:
    """Refuses what makes a gift none while a receipt tells its donor that it is one; the gift's row is locked.

    Raises:
        OnReceipt: see there.
    """
    receipt = on_valid(session, [gift]).get(gift)
    if receipt is not None:
        raise OnReceipt("the gift stands on a receipt", donation=gift, receipt=receipt)


def on_valid(session: Session, gifts: Collection[str]) -> dict[str, str]:
    """Those of these gifts that stand on a valid receipt, and on which."""
    query = select(ReceiptGift).where(
        col(ReceiptGift.donation_alias).in_(gifts),
        col(ReceiptGift.receipt_alias).not_in(select(ReceiptVoid.receipt_alias)),
    )
    return {row.donation_alias: row.receipt_alias for row in session.exec(query)}


def left_of(session: Session, gift: Donation) -> Money | None:
    """What a receipt can certify of a gift: all that is left of it; None while it does not stand or goes back."""
    left = _standing(session, gift)
    if left.minor <= 0 or refund_orders.goes_back(session, gift) or gift_returns.goes_back(session, gift):
        return None
    return left


def uncovered(session: Session, gift: Donation, certified_minor: int) -> bool:
    """Whether more is certified than is left of a gift: it went back after its receipt was issued."""
    return certified_minor > _standing(session, gift).minor


def _standing(session: Session, gift: Donation) -> Money:
    """What of a gift is income still: of one that came without a purpose, what was matched, and did not go back."""
    if gift.state not in CERTIFIABLE:
        return Money(0, gift.currency)
    account = recipes.GIFTS_IN_KIND if gift.source is Source.IN_KIND else recipes.DONATIONS
    return steps.left(session, gift, account) - Money(gift.refunded_minor, gift.currency)


def _require_certifiable(session: Session, new: NewReceipt, *, but: Receipt | None) -> None:
    """Refuses gifts that the receipt cannot certify; their rows are locked in the order of their aliases."""
    gifts = dict(new.gifts)
    root = donors.roots(session).get(new.donor, new.donor)
    owners = donors.owners(session, set(gifts))
    for alias in sorted(gifts):
        gift = donations.find(session, alias, lock=True)
        if gift is None or owners.get(alias) != root:
            raise NotCertifiable("the gift is not this donor's", donation=alias)
        left = left_of(session, gift)
        if left != gifts[alias]:
            raise NotCertifiable("something else is left of the gift", donation=alias, left=str(left) if left else None)
    for alias, receipt in sorted(on_valid(session, set(gifts)).items()):
        if but is None or receipt != but.alias:
            raise NotCertifiable("the gift is on a valid receipt", donation=alias, receipt=receipt)


def _replaceable(session: Session, new: NewReceipt) -> Receipt:
    replaced = require(session, str(new.replaces))
    _require_valid(session, replaced.alias)
    if replaced.donor_alias not in donors.aliases_of(session, new.donor):
        raise NotCertifiable("the receipt is another donor's", receipt=replaced.alias)
    return replaced


def _require_valid(session: Session, alias: str) -> None:
    if session.get(ReceiptVoid, alias) is not None:
        raise AlreadyVoid("the receipt counts no more", receipt=alias)
