"""Reconciliation sheets: what was compared on a day, as one person has prepared it and another has reviewed it.

A sheet is the exact text of its content. The preparer signs its hash, the reviewer the same hash: what an auditor is
shown afterwards is what both have seen, whatever was booked since.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, Session, SQLModel, col, select

from ledger import approvals
from ledger.aliases import AliasTaken, Kind, check
from ledger.approvals import Agreed, Verb
from ledger.errors import Conflict, NotFound, Tampered
from ledger.storage.columns import WITHOUT_ROWID, UtcDateTime, enumeration

VERSION = 1
"""A sheet never changes, so this is the state of it that everybody signs."""


class With(StrEnum):
    """With whom the books are compared; the ledger with itself is one of them."""

    BANK = "bank"
    PROCESSOR = "processor"
    AGENT = "agent"
    LEDGER = "ledger"


class UnknownSheet(NotFound):
    """No sheet has this alias."""

    rule = "unknown_sheet"


class SheetOutdated(Conflict):
    """Books or statements have moved since the preparer looked: look again."""

    rule = "sheet_outdated"


class SheetAltered(Tampered):
    """The sheet is not what its preparer has signed."""

    rule = "sheet_altered"


class AlreadyReviewed(Conflict):
    """Somebody has reviewed this sheet."""

    rule = "already_reviewed"


class Sheet(SQLModel, table=True):
    """A prepared sheet: its canonical JSON, the SHA-256 of that, and who prepared it. Rows are only added."""

    __tablename__ = "reconciliation_sheet"
    alias: str = Field(primary_key=True, max_length=20)
    compared: With = Field(sa_type=enumeration(With))
    account: str | None = Field(default=None, max_length=45, index=True)
    content: str
    digest: str = Field(max_length=64)
    prepared_by: str = Field(max_length=20)
    prepared_at: datetime = Field(sa_type=UtcDateTime, index=True)

    __table_args__ = (WITHOUT_ROWID,)


class Review(SQLModel, table=True):
    """That another person has reviewed a sheet. Rows are only added."""

    __tablename__ = "reconciliation_review"
    sheet: str = Field(primary_key=True, foreign_key="reconciliation_sheet.alias", max_length=20)
    reviewed_by: str = Field(max_length=20)
    reviewed_at: datetime = Field(sa_type=UtcDateTime)

    __table_args__ = (WITHOUT_ROWID,)


def prepare(
    session: Session, alias: str, *, compared: With, account: str | None, content: str, agreed: Agreed
) -> Sheet:
    """Keeps a sheet whose content the books give at this moment, with the preparer's signed act over its hash.

    Raises:
        SheetOutdated: the act is over another content. AliasTaken, BadAlias, and what `approvals.accept` raises.
    """
    check(alias, Kind.RECONCILIATION)
    if session.get(Sheet, alias) is not None:
        raise AliasTaken("the alias is taken")
    digest = digest_of(content)
    if agreed.act.evidence_commitments != (digest,):
        raise SheetOutdated("the books say something else by now", where="evidence_commitments")
    sheet = Sheet(
        alias=alias,
        compared=compared,
        account=account,
        content=content,
        digest=digest,
        prepared_by=agreed.signer.alias,
        prepared_at=agreed.now,
    )
    with session.begin_nested():  # act and effect, or neither
        _accept(session, "prepare_reconciliation", sheet, agreed)
        session.add(sheet)
    return sheet


def review(session: Session, alias: str, *, agreed: Agreed) -> Review:
    """Notes that another person than the preparer agrees to the content of a sheet.

    Raises:
        UnknownSheet, AlreadyReviewed, SheetAltered: see there. SamePerson, and what `approvals.accept` raises.
    """
    sheet = require(session, alias)
    approvals.require_other(agreed.signer.alias, than={sheet.prepared_by})
    if review_of(session, sheet) is not None:
        raise AlreadyReviewed("this sheet was reviewed", sheet=alias)
    if sheet.digest != digest_of(sheet.content):
        raise SheetAltered("the sheet was altered", sheet=alias)
    reviewed = Review(sheet=alias, reviewed_by=agreed.signer.alias, reviewed_at=agreed.now)
    with session.begin_nested():
        _accept(session, "review_reconciliation", sheet, agreed)
        session.add(reviewed)
    return reviewed


def require(session: Session, alias: str) -> Sheet:
    """The sheet.

    Raises:
        UnknownSheet: there is none.
    """
    sheet = session.get(Sheet, alias)
    if sheet is None:
        raise UnknownSheet("no sheet has this alias")
    return sheet


def review_of(session: Session, sheet: Sheet) -> Review | None:
    """Who reviewed the sheet, if somebody did."""
    return session.get(Review, sheet.alias)


def listed(session: Session) -> Sequence[tuple[Sheet, Review | None]]:
    """Every sheet with its review, the newest first."""
    query = (
        select(Sheet, Review)
        .join(Review, col(Review.sheet) == Sheet.alias, isouter=True)
        .order_by(col(Sheet.prepared_at).desc(), col(Sheet.alias))
    )
    return [(sheet, reviewed) for sheet, reviewed in session.exec(query)]


def digest_of(content: str) -> str:
    """What is signed: the SHA-256 of the content's UTF-8, in hexadecimal digits."""
    return hashlib.sha256(content.encode()).hexdigest()


def _accept(session: Session, verb: Verb, sheet: Sheet, agreed: Agreed) -> None:
    approvals.accept(
        session,
        agreed,
        verb=verb,
        object_alias=sheet.alias,
        version=VERSION,
        evidence_commitments=[sheet.digest],
    )
