"""The versions of purposes: drafted by a publisher, agreed to by an approver, in force from a later day, never changed.

What is published says where donors send their money: two people sign it, and it starts on a day that has not begun, so
that no gift is ever given under a text that its giver could not have read.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, select

from ledger import approvals, book
from ledger.aliases import AliasTaken, Kind, check
from ledger.approvals import Agreed, Verb
from ledger.books import funds
from ledger.books.recipes import GENERAL, UNASSIGNED
from ledger.errors import Conflict, NotFound, Refused, Tampered
from ledger.giving import purpose_texts, purposes
from ledger.giving.purpose_texts import BadPurposeText, PurposeText
from ledger.giving.purposes import Purpose
from ledger.storage.columns import UtcDateTime
from ledger.storage.engine import looked_up

_VERSIONS = "purpose_versions"


class UnknownPurpose(NotFound):
    """No purpose has this code."""

    rule = "unknown_purpose"


class UnknownPurposeDraft(NotFound):
    """No draft of a purpose's text has this alias."""

    rule = "unknown_purpose_draft"


class PurposeDraftOutdated(Conflict):
    """Another version was published since the draft was made; make it again."""

    rule = "purpose_draft_outdated"


class PurposeDraftAltered(Tampered):
    """The draft is not what its publisher has signed."""

    rule = "purpose_draft_altered"


class NotToCome(Refused):
    """A version starts on a day after today, and after the day on which the one before it started."""

    rule = "not_to_come"


class LinkTaken(Refused):
    """The payment link is another purpose's: gifts by it come back with that one's code."""

    rule = "link_taken"


class PurposeDraft(SQLModel, table=True):
    """What is proposed: the canonical text of a version, its SHA-256, and who proposes it. Rows are only added."""

    __tablename__ = "purpose_draft"
    alias: str = Field(primary_key=True, max_length=20)
    purpose_code: str = Field(foreign_key="purpose.code", max_length=12, index=True)
    number: int
    document: str
    digest: str = Field(max_length=64)
    drafted_by: str = Field(max_length=20)
    drafted_at: datetime = Field(sa_type=UtcDateTime)


class PurposeVersion(SQLModel, table=True):
    """A published version; its text is its draft's. Numbers have no gaps, and rows are only added.

    What bookings ask of it stands beside the text: one of a thousand gifts is not a reason to read forty languages.
    """

    __tablename__ = "purpose_version"
    purpose_code: str = Field(primary_key=True, foreign_key="purpose.code", max_length=12)
    number: int = Field(primary_key=True)
    alias: str = Field(foreign_key="purpose_draft.alias", max_length=20, unique=True)
    document: str
    effective_from: date
    fund_code: str = Field(foreign_key="fund.code", max_length=30)
    net_of_costs: bool
    approved_by: str = Field(max_length=20)
    published_at: datetime = Field(sa_type=UtcDateTime)

    def text(self) -> PurposeText:
        """What donors are told; raises `BadPurposeText` where the row was altered."""
        return purpose_texts.read(self.document)


@dataclass(frozen=True, slots=True)
class Terms:
    """Under what a gift is given: version 0 is what a purpose was added with, before anything of it was published."""

    number: int
    fund: str
    net_of_costs: bool


def draft(session: Session, alias: str, *, document: str, agreed: Agreed) -> PurposeDraft:
    """Proposes the next version of a purpose by the first of two signatures: a publisher's.

    Raises:
        BadAlias, AliasTaken, BadPurposeText, UnknownPurpose, UnknownFund, PurposeDraftOutdated, NotToCome, LinkTaken,
        and what `approvals.accept` raises. Nothing was written.
    """
    check(alias, Kind.PURPOSE_DRAFT)
    if session.get(PurposeDraft, alias) is not None:
        raise AliasTaken("the alias is taken")
    text = purpose_texts.read(document)
    _require_next(session, text, on=agreed.now.date())
    kept = PurposeDraft(
        alias=alias,
        purpose_code=text.code,
        number=text.number,
        document=document,
        digest=purpose_texts.digest(document),
        drafted_by=agreed.signer.alias,
        drafted_at=agreed.now,
    )
    with session.begin_nested():  # act and effect, or neither
        _accept(session, "draft_purpose", kept, agreed)
        session.add(kept)
        session.flush()
    return kept


def approve(session: Session, alias: str, agreed: Agreed) -> PurposeVersion:
    """Publishes a draft by the second signature, another person's: an approver's.

    Raises:
        UnknownPurposeDraft, SamePerson. PurposeDraftAltered: the row is not what was signed. What `draft` refuses too,
        as it stands now. Nothing was written.
    """
    book.require(session, lock=True)  # two purposes at once with one link take turns
    kept = session.get(PurposeDraft, alias, populate_existing=True)
    if kept is None:
        raise UnknownPurposeDraft("no draft has this alias")
    signers = approvals.signers_of(session, alias, verb="draft_purpose")  # whatever the row says
    approvals.require_other(agreed.signer.alias, than={kept.drafted_by, *signers})
    if kept.digest != purpose_texts.digest(kept.document):
        raise PurposeDraftAltered("the draft was altered", draft=alias)
    text = purpose_texts.read(kept.document)
    if (text.code, text.number) != (kept.purpose_code, kept.number):
        raise PurposeDraftAltered("the draft was altered", draft=alias)
    _require_next(session, text, on=agreed.now.date())
    version = PurposeVersion(
        purpose_code=text.code,
        number=text.number,
        alias=alias,
        document=kept.document,
        effective_from=text.starts_on,
        fund_code=text.fund,
        net_of_costs=text.net_of_costs,
        approved_by=agreed.signer.alias,
        published_at=agreed.now,
    )
    try:
        with session.begin_nested():  # act and effect, or neither
            _accept(session, "approve_purpose", kept, agreed)
            session.add(version)
    except IntegrityError:  # another transaction was first
        raise PurposeDraftOutdated("a version was published since this draft", number=kept.number) from None
    looked_up(session, _VERSIONS).clear()
    return version


def terms_on(session: Session, purpose: Purpose, *, on: date) -> Terms:
    """Under what a gift of the day `on` is given for a purpose."""
    version = in_force(session, purpose.code, on=on)
    return _terms(purpose, version)


def bearer_of_costs(session: Session, fund: str, *, on: date) -> str:
    """The fund that bears a bank's charge of a day on a fund's money: itself when all its purposes say net of costs."""
    terms = [terms_on(session, purpose, on=on) for purpose in purposes.listed(session)]
    own = [one.net_of_costs for one in terms if one.fund == fund]
    return fund if own and all(own) else GENERAL


def terms_of(session: Session, purpose: Purpose, number: int) -> Terms:
    """Under what a gift was given that names the version `number`.

    Raises:
        UnknownPurpose: there is no such version.
    """
    if number == 0:
        return _terms(purpose, None)
    for version in versions(session, purpose.code):
        if version.number == number:
            return _terms(purpose, version)
    raise UnknownPurpose("no such version", purpose=purpose.code, number=number)


def in_force(session: Session, code: str, *, on: date) -> PurposeVersion | None:
    """The version of a purpose that donors read on a day, or None while there is none."""
    begun = [version for version in versions(session, code) if version.effective_from <= on]
    return begun[-1] if begun else None


def versions(session: Session, code: str) -> list[PurposeVersion]:
    """The versions of a purpose from the first on, read once per transaction."""
    known = looked_up(session, _VERSIONS)
    if code not in known:
        query = select(PurposeVersion).where(PurposeVersion.purpose_code == code).order_by(col(PurposeVersion.number))
        known[code] = list(session.exec(query))
    found: list[PurposeVersion] = known[code]
    return found


def shown(session: Session, *, on: date) -> list[tuple[Purpose, PurposeText]]:
    """Every purpose that donors may read of on a day, with what they are told, in the order of the codes."""
    in_use = [(purpose, in_force(session, purpose.code, on=on)) for purpose in purposes.listed(session)]
    return [(purpose, version.text()) for purpose, version in in_use if version is not None]


def waiting(session: Session) -> list[PurposeDraft]:
    """The drafts of next versions, which wait for a second signature, oldest first."""
    drafts = session.exec(select(PurposeDraft)).all()
    open_ones = [one for one in drafts if one.number == len(versions(session, one.purpose_code)) + 1]
    return sorted(open_ones, key=lambda one: (one.drafted_at, one.alias))


def _terms(purpose: Purpose, version: PurposeVersion | None) -> Terms:
    if version is None:
        return Terms(0, purpose.fund_code, purpose.net_of_costs)
    return Terms(version.number, version.fund_code, version.net_of_costs)


def _require_next(session: Session, text: PurposeText, *, on: date) -> None:
    if session.get(Purpose, text.code) is None:
        raise UnknownPurpose("no purpose has this code")
    funds.require(session, text.fund)
    if text.fund == UNASSIGNED:
        raise BadPurposeText("a purpose has a fund of its own", where="fund")
    looked_up(session, _VERSIONS).clear()
    before = versions(session, text.code)
    if text.number != len(before) + 1:
        raise PurposeDraftOutdated("another version is the next one", purpose=text.code, next=len(before) + 1)
    if text.starts_on <= max([on, *(version.effective_from for version in before)]):
        raise NotToCome("a version starts after today, and after the one before", purpose=text.code)
    if text.link is not None:
        others = session.exec(select(PurposeVersion).where(PurposeVersion.purpose_code != text.code))
        if any(version.text().link == text.link for version in others):
            raise LinkTaken("the link is another purpose's", purpose=text.code)


def _accept(session: Session, verb: Verb, kept: PurposeDraft, agreed: Agreed) -> None:
    approvals.accept(
        session,
        agreed,
        verb=verb,
        object_alias=kept.alias,
        version=kept.number,
        evidence_commitments=[kept.digest],
    )
