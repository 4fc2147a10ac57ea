"""Gifts in kind: work or things, at the value that a sealed file shows. Two people sign the value; no money moves.

The file lies on a shelf of the gift's own, brought before anybody signs; who agrees has opened it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

import rfc8785
from sqlalchemy import CheckConstraint
from sqlmodel import Field, Session, SQLModel, select

from ledger import approvals
from ledger.aliases import AliasTaken, Kind, check
from ledger.approvals import Agreed, Verb
from ledger.books import funds, journal, recipes
from ledger.books.postings import LARGEST_POSTING_MINOR
from ledger.errors import BadInput, Conflict, NotFound, Refused
from ledger.giving import donations
from ledger.giving.donations import Donation, Source
from ledger.identities import evidence, shelves
from ledger.identities.boxes import check_commitment
from ledger.identities.evidence import EvidenceFile, NewFile
from ledger.identities.person_keys import ShredKeys
from ledger.identities.shelves import NewShelf
from ledger.money import Money
from ledger.people import Operator
from ledger.storage.columns import MinorUnits, UtcDateTime, enumeration, whole_minor
from ledger.storage.locks import locked

KIND = "gift_in_kind"
"""The kind of the entry that a gift in kind is booked by; its source key is `source_key_of`."""


class GivenKind(StrEnum):
    """What was given: a lawyer's work, or what administration would have cost."""

    LEGAL_AID = "legal_aid"
    ADMINISTRATION = "administration"


class State(StrEnum):
    """Where a gift in kind stands: one person has valued it, another has agreed, or it was given up."""

    VALUED = "valued"
    AGREED = "agreed"
    WITHDRAWN = "withdrawn"


class UnknownGiftInKind(NotFound):
    """No gift in kind has this alias."""

    rule = "unknown_gift_in_kind"


class BadGiftInKind(BadInput):
    """Worth nothing, or given on a day to come."""

    rule = "bad_gift_in_kind"


class GiftInKindNotReady(Conflict):
    """Its value was agreed to, or it was given up."""

    rule = "gift_in_kind_not_ready"


class NoEvidence(Refused):
    """No sealed file that counts is what the value rests on."""

    rule = "evidence_missing"


class GiftInKind(SQLModel, table=True):
    """What was given, and the commitment to the sealed file that shows its value; agreed to, it is a donation."""

    __tablename__ = "gift_in_kind"
    alias: str = Field(primary_key=True, max_length=20)
    state: State = Field(sa_type=enumeration(State))
    kind: GivenKind = Field(sa_type=enumeration(GivenKind))
    fund_code: str = Field(foreign_key="fund.code", max_length=30)
    minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    evidence: str = Field(max_length=64)
    given_on: date
    valued_by: str = Field(max_length=20)
    valued_at: datetime = Field(sa_type=UtcDateTime)
    agreed_by: str | None = Field(default=None, max_length=20)

    __table_args__ = (
        CheckConstraint("minor > 0", name="gift_in_kind_is_above_zero"),
        CheckConstraint("agreed_by <> valued_by", name="gift_in_kind_is_of_two_people"),
        CheckConstraint("(state = 'agreed') = (agreed_by IS NOT NULL)", name="gift_in_kind_is_agreed_by_somebody"),
        *whole_minor("minor"),
    )

    def worth(self) -> Money:
        """Its value."""
        return Money(self.minor, self.currency)

    def commitment(self) -> str:
        """What both acts restate beside the value."""
        return commitment(kind=self.kind, fund=self.fund_code, on=self.given_on, evidence=self.evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGiftInKind:
    """What was given on a day to a fund; `evidence` commits to the sealed file that shows its worth."""

    alias: str
    kind: GivenKind
    fund: str
    worth: Money
    evidence: str
    on: date


def bring_file(
    session: Session,
    alias: str,
    file: NewFile,
    *,
    shelf: NewShelf | None,
    signer: Operator,
    at: datetime,
    shred_keys: ShredKeys,
) -> EvidenceFile:
    """Makes room for the sealed file that shows a gift's value, on the gift's own shelf, which comes with the first.

    Raises:
        BadAlias, GiftInKindNotReady: see there. BadGiftInKind: the shelf is another's. What `shelves.put_up` and
        `evidence.declare` raise.
    """
    check(alias, Kind.DONATION)
    standing = session.get(GiftInKind, alias)
    if donations.find(session, alias) is not None or (standing and standing.state is not State.VALUED):
        raise GiftInKindNotReady("the gift is in another state", donation=alias)
    if shelf is not None:
        if shelf.alias != alias:
            raise BadGiftInKind("the shelf is the gift's own", where="shelf")
        shelves.put_up(session, shelf, signer=signer, shred_keys=shred_keys)
    return evidence.declare(session, file, subject=alias, shelf=alias, signer=signer, at=at)


def value(session: Session, new: NewGiftInKind, agreed: Agreed) -> GiftInKind:
    """States what a gift in kind is worth: the first of two signatures. Nothing is booked yet.

    Raises:
        AliasTaken, BadAlias, BadDigest, UnknownFund, BadGiftInKind, and what `approvals.accept` raises. Nothing was
        written.
    """
    check(new.alias, Kind.DONATION)
    check_commitment(new.evidence)
    funds.require(session, new.fund)
    if not 0 < new.worth.minor <= LARGEST_POSTING_MINOR or new.on > agreed.now.date():
        raise BadGiftInKind("a gift in kind is worth something, and not given in the future", where="worth, on")
    if session.get(GiftInKind, new.alias) is not None or donations.find(session, new.alias) is not None:
        raise AliasTaken("the alias is taken")
    gift = GiftInKind(
        alias=new.alias,
        state=State.VALUED,
        kind=new.kind,
        fund_code=new.fund,
        minor=new.worth.minor,
        currency=new.worth.currency,
        evidence=new.evidence,
        given_on=new.on,
        valued_by=agreed.signer.alias,
        valued_at=agreed.now,
    )
    with session.begin_nested():  # act and effect, or neither
        _accept(session, agreed, "value_gift", gift)
        session.add(gift)
        session.flush()
    return gift


def agree(session: Session, alias: str, agreed: Agreed) -> Donation:
    """Books a gift in kind at the value that another person stated: income and the expense that it saved.

    Raises:
        UnknownGiftInKind, GiftInKindNotReady, SamePerson, NotAgreed, NoEvidence, and what `approvals.accept` raises.
        NotOpened: they have not opened the file that it rests on. Nothing was written.
    """
    gift = require(session, alias, lock=True)
    _require_valued(gift)
    signed = approvals.signers_of(session, alias, verb="value_gift")  # whatever the row says
    approvals.require_other(agreed.signer.alias, than={gift.valued_by, *signed})
    approvals.require_agreed(session, alias, verb="value_gift", amount=gift.worth(), payee_commitment=gift.commitment())
    if gift.evidence not in {one.commitment for one in evidence.current(session, [alias])[alias]}:
        raise NoEvidence("no sealed file is what the value rests on", donation=alias)
    shelves.require_opened(session, operator=agreed.signer.alias, shelf=alias, needed=[gift.evidence])
    with session.begin_nested():
        _accept(session, agreed, "approve_gift_in_kind", gift)
        gift.state, gift.agreed_by = State.AGREED, agreed.signer.alias
        session.add(gift)
        journal.post(
            session,
            source_key=source_key_of(alias),
            kind=KIND,
            postings=recipes.gift_in_kind(kind=gift.kind, worth=gift.worth(), fund=gift.fund_code, donation=alias),
            happened_on=gift.given_on,
            recorded_at=agreed.now,
            recorded_by=agreed.signer.alias,
        )
        return donations.keep(session, _donation_of(gift))


def withdraw(session: Session, alias: str) -> GiftInKind:
    """Gives up a value that nobody has agreed to.

    Raises:
        UnknownGiftInKind, GiftInKindNotReady: see there.
    """
    gift = require(session, alias, lock=True)
    _require_valued(gift)
    gift.state = State.WITHDRAWN
    session.add(gift)
    session.flush()
    return gift


def source_key_of(alias: str) -> str:
    """The source key of the entry of a gift in kind."""
    return f"in-kind:{alias}"


def commitment(*, kind: str, fund: str, on: date, evidence: str) -> str:
    """What an act restates as payee: SHA-256 over the canonical JSON of kind, fund, day and evidence."""
    return hashlib.sha256(rfc8785.dumps(["in kind", kind, fund, on.isoformat(), evidence])).hexdigest()


def require(session: Session, alias: str, *, lock: bool = False) -> GiftInKind:
    """The gift; with `lock`, as it stands now, and nobody else changes it until the transaction ends.

    Raises:
        UnknownGiftInKind: there is none.
    """
    query = select(GiftInKind).where(GiftInKind.alias == alias)
    found = session.exec(locked(query) if lock else query).one_or_none()
    if found is None:
        raise UnknownGiftInKind("no gift in kind has this alias")
    return found


def listed(session: Session) -> Sequence[GiftInKind]:
    """All of them, oldest first."""
    return sorted(session.exec(select(GiftInKind)), key=lambda one: (one.valued_at, one.alias))


def _donation_of(gift: GiftInKind) -> Donation:
    return Donation(
        alias=gift.alias,
        source=Source.IN_KIND,
        state=donations.State.RECEIVED,
        source_key=source_key_of(gift.alias),
        fund_code=gift.fund_code,
        minor=gift.minor,
        fee_minor=0,
        currency=gift.currency,
        received_on=gift.given_on,
    )


def _accept(session: Session, agreed: Agreed, verb: Verb, gift: GiftInKind) -> None:
    approvals.accept(
        session,
        agreed,
        verb=verb,
        object_alias=gift.alias,
        version=1,
        amount=gift.worth(),
        payee_commitment=gift.commitment(),
        evidence_commitments=[gift.evidence],
    )


def _require_valued(gift: GiftInKind) -> None:
    if gift.state is not State.VALUED:
        raise GiftInKindNotReady("the gift is in another state", donation=gift.alias, state=gift.state)
