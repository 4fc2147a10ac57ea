"""Transfers between funds: two people sign that one fund's money is another's from now on, and it is booked at once.

Out of a restricted fund nothing moves but gifts whose givers agreed: of each gift never more than is left of it, and
on evidence of the agreement that is sealed before anybody signs, and opened by who books it.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

import rfc8785
from sqlalchemy import CheckConstraint, func
from sqlmodel import Field, Session, SQLModel, select

from ledger import approvals
from ledger.aliases import AliasTaken, Kind, check
from ledger.approvals import Agreed, Verb
from ledger.books import accounts, funds, journal, recipes, spending
from ledger.books.postings import LARGEST_POSTING_MINOR
from ledger.errors import BadInput, Conflict, NotFound, Refused
from ledger.giving import donations
from ledger.giving.donations import Donation
from ledger.identities import shelves
from ledger.money import Money
from ledger.storage.columns import MinorUnits, UtcDateTime, enumeration, whole_minor
from ledger.storage.locks import locked

BANK = "1000"
KIND = "moved_between_funds"
"""The kind of the entry that a transfer is booked by; its source key is `source_key_of`."""
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


class State(StrEnum):
    """Where a transfer stands. Nothing is held for one that is only asked for."""

    REQUESTED = "requested"
    BOOKED = "booked"


class UnknownTransfer(NotFound):
    """No transfer has this alias."""

    rule = "unknown_transfer"


class BadTransfer(BadInput):
    """A transfer that cannot be; `where` tells the part."""

    rule = "bad_transfer"


class TransferNotReady(Conflict):
    """The transfer is booked already."""

    rule = "transfer_not_ready"


class NoConsent(Refused):
    """The fund is restricted, and no gift to it whose giver agreed covers the amount, or no evidence of that is sealed.

    Amounts are in minor units.
    """

    rule = "no_consent"


class Transfer(SQLModel, table=True):
    """`consent_alias` is the gift to the giving fund whose giver agreed; it stands where that fund is restricted.

    `consent_commitment` is to the sealed evidence that they did; only transfers of before it was asked for lack it.
    """

    alias: str = Field(primary_key=True, max_length=20)
    giver_code: str = Field(foreign_key="fund.code", max_length=30)
    taker_code: str = Field(foreign_key="fund.code", max_length=30)
    account_code: str = Field(foreign_key="account.code", max_length=45)
    consent_alias: str | None = Field(default=None, foreign_key="donation.alias", max_length=20, index=True)
    consent_commitment: str | None = Field(default=None, max_length=64)
    state: State = Field(sa_type=enumeration(State))
    version: int
    minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    requested_by: str = Field(max_length=20)
    requested_at: datetime = Field(sa_type=UtcDateTime)
    approved_by: str | None = Field(default=None, max_length=20)
    booked_on: date | None = None

    __table_args__ = (
        CheckConstraint("minor > 0", name="transfer_is_above_zero"),
        CheckConstraint("giver_code <> taker_code", name="transfer_is_between_two_funds"),
        CheckConstraint(
            "(state = 'booked') = (approved_by IS NOT NULL) AND (state = 'booked') = (booked_on IS NOT NULL)",
            name="transfer_is_booked_when_approved",
        ),
        CheckConstraint("approved_by <> requested_by", name="transfer_is_of_two_people"),
        *whole_minor("minor"),
    )

    def amount(self) -> Money:
        """What moves."""
        return Money(self.minor, self.currency)

    def commitment(self) -> str:
        """What an act about it restates beside its amount."""
        return commitment(
            giver=self.giver_code, taker=self.taker_code, account=self.account_code, consent=self.consent_alias
        )

    def evidence(self) -> list[str]:
        """The commitments that an act about it restates."""
        return [self.consent_commitment] if self.consent_commitment else []


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTransfer:
    """From the fund `giver` to the fund `taker`, with the money on the bank leaf `account`.

    `consent` is a gift whose giver agreed, `consent_commitment` to the sealed evidence of it: both or none.
    """

    alias: str
    giver: str
    taker: str
    account: str
    amount: Money
    consent: str | None = None
    consent_commitment: str | None = None


def request(session: Session, new: NewTransfer, agreed: Agreed) -> Transfer:
    """Asks for a transfer by the first of two signatures: a treasurer's.

    Raises:
        AliasTaken, BadAlias, UnknownFund, UnknownAccount, NotPostable: see there. BadTransfer: not above zero or too
        much, one fund, no bank leaf, or a consent where none is needed. NoConsent: see there. What `approvals.accept`
        raises. Nothing was written.
    """
    _check(session, new)
    with session.begin_nested():  # act and effect, or neither
        transfer = Transfer(
            alias=new.alias,
            giver_code=new.giver,
            taker_code=new.taker,
            account_code=new.account,
            consent_alias=new.consent,
            consent_commitment=new.consent_commitment,
            state=State.REQUESTED,
            version=1,
            minor=new.amount.minor,
            currency=new.amount.currency,
            requested_by=agreed.signer.alias,
            requested_at=agreed.now,
        )
        _accept(session, agreed, "request_transfer", transfer)
        _require_consent(session, transfer)
        session.add(transfer)
        session.flush()
    return transfer


def approve(session: Session, alias: str, agreed: Agreed) -> Transfer:
    """Books a transfer that another person asked for, by the second signature: an approver's.

    The giving fund must have it free, both of what it may spend and in hand; its row is locked, and the gift's.

    Raises:
        UnknownTransfer, SamePerson, TransferNotReady, NotAgreed, NoConsent, WouldOverdraw, NoRate, and what
        `approvals.accept` raises. NotOpened: they have not opened the giver's words. Nothing was written.
    """
    transfer = require(session, alias, lock=True)
    if transfer.state is not State.REQUESTED:
        raise TransferNotReady("the transfer is booked already", transfer=alias)
    signers = {kept.signer for kept in approvals.of_object(session, alias)}  # whatever the row says
    approvals.require_other(agreed.signer.alias, than={transfer.requested_by, *signers})
    approvals.require_agreed(
        session,
        alias,
        verb="request_transfer",
        amount=transfer.amount(),
        payee_commitment=transfer.commitment(),
        evidence=transfer.evidence(),
    )
    shelves.require_opened(session, operator=agreed.signer.alias, shelf=alias, needed=transfer.evidence())
    today = agreed.now.date()
    with session.begin_nested():  # act and effect, or neither
        _accept(session, agreed, "approve_transfer", transfer)
        _require_consent(session, transfer)
        spending.require_spendable(session, transfer.giver_code, transfer.amount(), on=today)
        spending.require_in_hand(session, transfer.giver_code, transfer.amount(), on=today)
        journal.post(
            session,
            source_key=source_key_of(alias),
            kind=KIND,
            postings=recipes.moved_between_funds(
                leaf=transfer.account_code,
                amount=transfer.amount(),
                giver=transfer.giver_code,
                taker=transfer.taker_code,
            ),
            happened_on=today,
            recorded_at=agreed.now,
            recorded_by=agreed.signer.alias,
        )
        transfer.state, transfer.approved_by, transfer.booked_on = State.BOOKED, agreed.signer.alias, today
        transfer.version += 1
        session.add(transfer)
        session.flush()
    return transfer


def commitment(*, giver: str, taker: str, account: str, consent: str | None) -> str:
    """What an act restates as payee: SHA-256 over the canonical JSON of both funds, leaf and gift."""
    return hashlib.sha256(rfc8785.dumps([giver, taker, account, consent])).hexdigest()


def source_key_of(alias: str) -> str:
    """The source key of a transfer's entry."""
    return f"transfer:{alias}"


def require(session: Session, alias: str, *, lock: bool = False) -> Transfer:
    """The transfer; with `lock`, as it stands now, and nobody else changes it until the transaction ends.

    Raises:
        UnknownTransfer: there is none.
    """
    query = select(Transfer).where(Transfer.alias == alias)
    found = session.exec(locked(query) if lock else query).one_or_none()
    if found is None:
        raise UnknownTransfer("no transfer has this alias")
    return found


def listed(session: Session) -> Sequence[Transfer]:
    """All transfers, oldest first."""
    return sorted(session.exec(select(Transfer)), key=lambda one: (one.requested_at, one.alias))


def moved_of(session: Session, donation: Donation) -> Money:
    """What of a gift was moved to other funds."""
    query = select(func.sum(Transfer.minor)).where(
        Transfer.consent_alias == donation.alias, Transfer.state == State.BOOKED
    )
    return Money(int(session.exec(query).one() or 0), donation.currency)


def _check(session: Session, new: NewTransfer) -> None:
    check(new.alias, Kind.TRANSFER)
    if not 0 < new.amount.minor <= LARGEST_POSTING_MINOR:
        raise BadTransfer("a transfer is above zero and at most 10^15", where="amount")
    if new.giver == new.taker:
        raise BadTransfer("giver and taker are one fund", where="taker")
    giver = funds.require(session, new.giver)
    funds.require(session, new.taker)
    if new.consent is not None and not giver.restricted:
        raise BadTransfer("of a fund without restriction no consent is asked", where="consent")
    if (new.consent is None) != (new.consent_commitment is None):
        raise NoConsent("a giver's consent comes with sealed evidence of it", fund=new.giver)
    if new.consent_commitment is not None:
        _require_fresh(session, new.consent_commitment)
    if accounts.postable(session, new.account, currency=new.amount.currency).parent_code != BANK:
        raise BadTransfer("the money of a transfer is on a bank leaf", where="account")
    if session.get(Transfer, new.alias) is not None:
        raise AliasTaken("the alias is taken")


def _require_fresh(session: Session, consent_commitment: str) -> None:
    """One sealed agreement is for one change: a second one would rest on words that were not about it."""
    if not _DIGEST.fullmatch(consent_commitment):
        raise BadTransfer("a commitment is 64 hexadecimal digits", where="consent_commitment")
    used = select(Transfer.alias).where(Transfer.consent_commitment == consent_commitment)
    if session.exec(used).first() is not None:
        raise NoConsent("another transfer rests on this evidence")


def _require_consent(session: Session, transfer: Transfer) -> None:
    """Refuses what the giver of the gift has not agreed to; the gift's row is locked: a refund waits, or is seen."""
    if not funds.require(session, transfer.giver_code).restricted:
        return
    gift = donations.find(session, transfer.consent_alias, lock=True) if transfer.consent_alias else None
    if gift is None or gift.state not in donations.ASSIGNABLE or not transfer.consent_commitment:
        raise NoConsent("no gift stands whose giver agreed", fund=transfer.giver_code)
    if (gift.fund_code, gift.currency) != (transfer.giver_code, transfer.currency):
        raise NoConsent("the gift is of another fund or currency", donation=gift.alias, fund=gift.fund_code)
    left = gift.amount() - Money(gift.refunded_minor, gift.currency) - moved_of(session, gift)
    if left < transfer.amount():
        raise NoConsent("of the gift less is left", donation=gift.alias, left_minor=left.minor, currency=gift.currency)


def _accept(session: Session, agreed: Agreed, verb: Verb, transfer: Transfer) -> None:
    approvals.accept(
        session,
        agreed,
        verb=verb,
        object_alias=transfer.alias,
        version=transfer.version,
        amount=transfer.amount(),
        payee_commitment=transfer.commitment(),
        evidence_commitments=transfer.evidence(),
    )
