"""Evidence: rulings, bills and receipts as sealed files, brought in chunks, known by one commitment each."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, ForeignKeyConstraint, Index, LargeBinary, and_, func, text
from sqlmodel import Field, Session, SQLModel, col, delete, select

from ledger import people
from ledger.aliases import AliasTaken, check
from ledger.aliases import Kind as AliasKind
from ledger.errors import BadInput, Conflict, NotFound, Refused, Tampered
from ledger.identities import boxes
from ledger.identities.boxes import FilePlace
from ledger.identities.shelves import Access, PersonKey, Reason, UnknownShelf
from ledger.people import Operator
from ledger.storage.columns import UtcDateTime, enumeration
from ledger.storage.locks import locked

MOST_FILES = 100
"""How many files, versions counted, one case has at most."""


class EvidenceKind(StrEnum):
    """What a file shows. `confirmation`: an authority's word that it refunds, or has received."""

    RULING = "ruling"
    BILL = "bill"
    RECEIPT = "receipt"
    CONFIRMATION = "confirmation"


HAS_CONTENT = "completed_at IS NOT NULL AND dropped_on IS NULL"
"""What indexes and the questions that they answer say alike of a file that is here."""


class UnknownEvidence(NotFound):
    """No such file, or unfinished, or its content was dropped or its key erased: all look the same."""

    rule = "unknown_evidence"


class BadEvidence(BadInput):
    """A size that padding cannot give, a number beyond the last chunk, or a retention that ends amid a month."""

    rule = "bad_evidence"


class EvidenceNotSigned(Tampered):
    """The file is not signed by the operator who brings it."""

    rule = "evidence_not_signed"


class VersionTaken(Conflict):
    """Not the next version of this item, or the item is another one."""

    rule = "version_taken"


class TooManyFiles(Refused):
    """The case has as many files as it may have."""

    rule = "too_many_files"


class EvidenceFile(SQLModel, table=True):
    """One version of one item. `size` is padded; name, type and length are sealed.

    Complete once all chunks have come. The row stays when the content is dropped: what was agreed to rests on it.
    """

    __tablename__ = "evidence_file"
    alias: str = Field(primary_key=True, max_length=20)
    version: int = Field(primary_key=True)
    kind: EvidenceKind = Field(sa_type=enumeration(EvidenceKind))
    subject: str = Field(max_length=20, index=True)
    shelf_alias: str = Field(foreign_key="shelf.alias", max_length=20, index=True)
    size: int
    commitment: str = Field(max_length=64, unique=True)
    keep_until: date | None = Field(default=None, index=True)
    signer: str = Field(max_length=20)
    signature: str = Field(max_length=128)
    declared_at: datetime = Field(sa_type=UtcDateTime)
    completed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    dropped_on: date | None = None

    __table_args__ = (
        Index("files_here", "shelf_alias", sqlite_where=text(HAS_CONTENT), postgresql_where=text(HAS_CONTENT)),
        Index(
            "files_by_retention",
            "keep_until",
            "alias",
            sqlite_where=text(HAS_CONTENT),
            postgresql_where=text(HAS_CONTENT),
        ),
    )


class EvidenceChunk(SQLModel, table=True):
    """One sealed chunk, numbered from 1."""

    __tablename__ = "evidence_chunk"
    alias: str = Field(primary_key=True, max_length=20)
    version: int = Field(primary_key=True)
    number: int = Field(primary_key=True)
    data: bytes = Field(sa_type=LargeBinary)

    __table_args__ = (ForeignKeyConstraint(["alias", "version"], ["evidence_file.alias", "evidence_file.version"]),)


@dataclass(frozen=True, slots=True)
class NewFile:
    """What a client says of a file before it sends the chunks; `signature` is over `FilePlace.message`."""

    alias: str
    version: int
    kind: EvidenceKind
    size: int
    commitment: str
    keep_until: date | None
    signature: str


def declare(
    session: Session, new: NewFile, *, subject: str, shelf: str, signer: Operator, at: datetime
) -> EvidenceFile:
    """Makes room for a file about `subject` on a shelf; nothing counts before its last chunk has come.

    What the same operator left unfinished about the subject is dropped.

    Raises:
        BadEvidence, BadAlias, BadDigest: see there. EvidenceNotSigned: `signer` does not stand for it.
        UnknownShelf: none, or its key was erased. VersionTaken, TooManyFiles: see there.
    """
    _check(new)
    place = FilePlace(subject, new.kind, new.alias, new.version)
    message = place.message(shelf=shelf, size=new.size, commitment=new.commitment, keep_until=new.keep_until)
    if not people.holds(signer.signing_key, message, new.signature):
        raise EvidenceNotSigned("the file is not signed by its bringer", signer=signer.alias)
    if not _can_be_opened(session, shelf):
        raise UnknownShelf("no shelf has this alias")
    _drop_unfinished(session, subject, signer.alias)
    if len(of_subject(session, subject)) >= MOST_FILES:
        raise TooManyFiles("the case has as many files as it may have", most=MOST_FILES)
    _require_next(session, place)
    file = EvidenceFile(
        alias=new.alias,
        version=new.version,
        kind=new.kind,
        subject=subject,
        shelf_alias=shelf,
        size=new.size,
        commitment=new.commitment,
        keep_until=new.keep_until,
        signer=signer.alias,
        signature=new.signature,
        declared_at=at,
    )
    session.add(file)
    session.flush()
    return file


def put_chunk(
    session: Session, alias: str, version: int, *, number: int, data: bytes, by: str, at: datetime
) -> EvidenceFile:
    """Keeps chunk `number`, from 1, of a file that `by` has declared; the same bytes again change nothing.

    Raises:
        UnknownEvidence: nobody declared it, or somebody else. BadEvidence: it has no such chunk.
        NotASealedBox: not sealed, or not of the length that the declared size gives. AliasTaken: another one stands.
    """
    query = select(EvidenceFile).where(EvidenceFile.alias == alias, EvidenceFile.version == version)
    file = session.exec(locked(query)).one_or_none()  # two last chunks at once: the second sees the first
    if file is None or file.signer != by or file.dropped_on is not None:
        raise UnknownEvidence("no such file is awaited from this operator")
    lengths = boxes.chunk_lengths(file.size)
    if not 1 <= number <= len(lengths):
        raise BadEvidence("the file has no such chunk", where="number", chunks=len(lengths))
    boxes.check_chunk(data, padded=lengths[number - 1])
    standing = session.get(EvidenceChunk, (alias, version, number))
    if standing is not None and standing.data != data:
        raise AliasTaken("another chunk stands here", number=number)
    if standing is None:
        session.add(EvidenceChunk(alias=alias, version=version, number=number, data=data))
        session.flush()
        if _chunks_kept(session, file) == len(lengths):
            file.completed_at = at
            session.add(file)
            session.flush()
    return file


def hand_out(
    session: Session, alias: str, version: int, *, operator: str, reason: Reason, at: datetime
) -> EvidenceFile:
    """Logs that somebody is handed a file; `chunk` gives its parts. It counts as opened from now on.

    Raises:
        UnknownEvidence: see there.
    """
    file = require(session, alias, version)
    session.add(Access(operator=operator, shelf_alias=file.shelf_alias, reason=reason, at=at, boxes=file.commitment))
    session.flush()
    return file


def require(session: Session, alias: str, version: int) -> EvidenceFile:
    """A complete file whose shelf can still be opened.

    Raises:
        UnknownEvidence: see there.
    """
    file = session.get(EvidenceFile, (alias, version))
    if file is None or not _counts(file) or not _can_be_opened(session, file.shelf_alias):
        raise UnknownEvidence("no such file")
    return file


def chunk(session: Session, alias: str, version: int, number: int) -> bytes | None:
    """One sealed chunk, or None when it has been dropped."""
    found = select(EvidenceChunk.data).where(
        EvidenceChunk.alias == alias, EvidenceChunk.version == version, EvidenceChunk.number == number
    )
    return session.exec(found).one_or_none()


def current(session: Session, subjects: Collection[str]) -> dict[str, list[EvidenceFile]]:
    """By subject: its items in their newest complete version, by alias. What every act about it restates."""
    query = select(EvidenceFile).where(col(EvidenceFile.subject).in_(subjects))
    newest = {file.alias: file for file in sorted(session.exec(query), key=_by_version) if file.completed_at}
    kept: dict[str, list[EvidenceFile]] = {subject: [] for subject in subjects}
    for file in newest.values():
        if _counts(file):
            kept[file.subject].append(file)
    return kept


def of_subject(session: Session, subject: str) -> list[EvidenceFile]:
    """Every version of every item about a subject, unfinished and dropped ones too."""
    return sorted(session.exec(select(EvidenceFile).where(EvidenceFile.subject == subject)), key=_by_version)


def overdue(session: Session, *, on: date) -> list[EvidenceFile]:
    """The files whose retention has ended before the day `on` and whose content is still here."""
    query = select(EvidenceFile).where(col(EvidenceFile.keep_until) < on, col(EvidenceFile.dropped_on).is_(None))
    return sorted(session.exec(query), key=_by_version)


def drop(session: Session, file: EvidenceFile, *, on: date) -> None:
    """Removes a file's chunks; the row with its commitment stays, and nobody is asked to open it any more."""
    session.exec(delete(EvidenceChunk).where(_chunks_of(file)))
    file.dropped_on = on
    session.add(file)
    session.flush()


def _check(new: NewFile) -> None:
    check(new.alias, AliasKind.EVIDENCE)
    boxes.check_commitment(new.commitment)
    admitted = boxes.SMALLEST_PADDED <= new.size <= boxes.LARGEST_PADDED_FILE
    if not admitted or boxes.padded_length(new.size, largest=boxes.LARGEST_PADDED_FILE) != new.size:
        raise BadEvidence("not a size that padding gives", where="size", largest=boxes.LARGEST_PADDED_FILE)
    if new.keep_until is not None and (new.keep_until + timedelta(days=1)).day != 1:
        # "five years after the ruling" would tell the exact day of the ruling
        raise BadEvidence("a retention ends with a month", where="keep_until")


def _require_next(session: Session, place: FilePlace) -> None:
    versions = session.exec(select(EvidenceFile).where(EvidenceFile.alias == place.alias)).all()
    newest = max((file.version for file in versions), default=0)
    if place.version != newest + 1:
        raise VersionTaken("not the next version of this item", newest=newest)
    if any((file.subject, file.kind.value) != (place.subject, place.kind) for file in versions):
        raise VersionTaken("the item is another one", newest=newest)


def _drop_unfinished(session: Session, subject: str, signer: str) -> None:
    for file in of_subject(session, subject):
        if file.completed_at is None and file.signer == signer:
            session.exec(delete(EvidenceChunk).where(_chunks_of(file)))
            session.delete(file)
    session.flush()


def _can_be_opened(session: Session, shelf: str) -> bool:
    return session.exec(select(PersonKey.alias).where(PersonKey.alias == shelf)).first() is not None


def _chunks_kept(session: Session, file: EvidenceFile) -> int:
    return session.exec(select(func.count()).select_from(EvidenceChunk).where(_chunks_of(file))).one()


def _chunks_of(file: EvidenceFile) -> ColumnElement[bool]:
    return and_(col(EvidenceChunk.alias) == file.alias, col(EvidenceChunk.version) == file.version)


def _counts(file: EvidenceFile) -> bool:
    return file.completed_at is not None and file.dropped_on is None


def _by_version(file: EvidenceFile) -> tuple[str, int]:
    return file.alias, file.version
