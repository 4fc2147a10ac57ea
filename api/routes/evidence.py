"""Routes of evidence: sealed files brought chunk by chunk, and handed out as a stream; every reading is logged."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Self

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import Field

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.readings import require_room
from api.routes.wire import Alias, Base64, Day, Digest, Hex64, SignedActOnWire, Wire
from api.transactions import Tx
from ledger.aid import cases, file_retention
from ledger.approvals import Agreed
from ledger.identities import boxes, evidence
from ledger.identities.boxes import LARGEST_PADDED_FILE
from ledger.identities.evidence import EvidenceFile, EvidenceKind, NewFile
from ledger.identities.shelves import Reason, Shelf, UnknownShelf
from ledger.storage.engine import transaction

router = APIRouter()

Version = Annotated[int, Path(ge=1, le=10_000)]
Limit = Annotated[int, Query(ge=1, le=500)]
After = Annotated[str, Query(pattern=r"^([A-Z]{1,2}(-[0-9A-Z]{4}){3})?$")]
Number = Annotated[int, Path(ge=1, le=1_000)]


class FileIn(Wire):
    """What a file is, before its chunks come: `size` with its padding, and a signature over all of this."""

    alias: Alias
    version: Annotated[int, Field(ge=1, le=10_000)]
    kind: EvidenceKind
    size: Annotated[int, Field(ge=1, le=LARGEST_PADDED_FILE)]
    commitment: Digest
    keep_until: Day | None
    signature: Hex64

    def file(self) -> NewFile:
        """The file as the ledger takes it."""
        return NewFile(self.alias, self.version, self.kind, self.size, self.commitment, self.keep_until, self.signature)


class EvidenceOut(Wire):
    """One version of one item. Name, type and exact length are inside."""

    alias: str
    version: int
    kind: str
    size: int
    commitment: str
    keep_until: date | None
    signer: str
    signature: str
    added_on: date
    complete: bool
    dropped_on: date | None

    @classmethod
    def of(cls, file: EvidenceFile) -> Self:
        """A file as the wire has it."""
        return cls(
            alias=file.alias,
            version=file.version,
            kind=file.kind,
            size=file.size,
            commitment=file.commitment,
            keep_until=file.keep_until,
            signer=file.signer,
            signature=file.signature,
            added_on=file.declared_at.date(),
            complete=file.completed_at is not None,
            dropped_on=file.dropped_on,
        )


class SealingKeyOut(Wire):
    """A shelf's public key: anyone can seal to it, and check by the signature whose it is."""

    alias: str
    vault: str
    epoch: int
    public: Base64
    signature: str
    signer: str

    @classmethod
    def of(cls, shelf: Shelf) -> Self:
        """A shelf's key as the wire has it."""
        return cls(
            alias=shelf.alias,
            vault=shelf.vault,
            epoch=shelf.epoch,
            public=shelf.sealing_key,
            signature=shelf.signature,
            signer=shelf.signer,
        )


class FilesOut(Wire):
    """Every version of every item of a case, and what further ones are sealed to."""

    shelf: SealingKeyOut
    files: list[EvidenceOut]


class ChunkIn(Wire):
    """One sealed chunk, of the exact length that the file's size gives it."""

    bytes: Base64


class DueFileOut(Wire):
    """A file that need not be kept any longer, with the case (or the gift in kind) and the shelf it was signed for."""

    alias: str
    case: str
    shelf: str
    since: date
    file: EvidenceOut


class DueFilesOut(Wire):
    """A page of them: all versions of each item, by alias."""

    due: list[DueFileOut]


class DropIn(Wire):
    """The act by which somebody who did not bring the file drops it. Its one evidence commitment is the file's."""

    agreed: SignedActOnWire


class ChunkOut(Wire):
    """Whether that was the last one."""

    complete: bool


@router.get("/v1/cases/{alias}/evidence")
def list_files(alias: Alias, session: Tx, _caller: Admitted) -> FilesOut:
    """The files of a case, unfinished and older ones too."""
    case = cases.require(session, alias)
    shelf = session.get(Shelf, case.beneficiary_alias)
    if shelf is None:
        raise UnknownShelf("no shelf has this alias")
    return FilesOut(
        shelf=SealingKeyOut.of(shelf),
        files=[EvidenceOut.of(file) for file in evidence.of_subject(session, alias)],
    )


@router.post("/v1/cases/{alias}/evidence", status_code=201)
def declare_file(alias: Alias, body: FileIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> EvidenceOut:
    """Makes room for a file; it counts once its last chunk has come."""
    case = cases.require(session, alias, lock=True)
    file = evidence.declare(
        session, body.file(), subject=alias, shelf=case.beneficiary_alias, signer=caller.operator, at=now
    )
    return once.keep(EvidenceOut.of(file))


@router.put("/v1/evidence/{alias}/{version}/chunks/{number}")
def put_chunk(
    alias: Alias, version: Version, number: Number, body: ChunkIn, session: Tx, caller: Admitted, now: Now
) -> ChunkOut:
    """Keeps a chunk of a file that the caller has declared; the same again changes nothing."""
    file = evidence.put_chunk(session, alias, version, number=number, data=body.bytes, by=caller.operator.alias, at=now)
    return ChunkOut(complete=file.completed_at is not None)


@router.get("/v1/evidence/{alias}/{version}")
def open_file(
    alias: Alias, version: Version, reason: Reason, request: Request, session: Tx, caller: Admitted, now: Now
) -> StreamingResponse:
    """Hands out a file's sealed chunks, one after the other; who asked, and the reason, are logged before."""
    shelf = evidence.require(session, alias, version).shelf_alias
    require_room(request, session, [shelf], caller=caller, now=now)
    file = evidence.hand_out(session, alias, version, operator=caller.operator.alias, reason=reason, at=now)
    return StreamingResponse(_chunks(request, file), media_type="application/octet-stream")


@router.get("/v1/evidence-retention")
def list_due_files(session: Tx, _caller: Admitted, now: Now, after: After = "", limit: Limit = 100) -> DueFilesOut:
    """The files whose retention has ended; nothing is dropped by this."""
    found = file_retention.due(session, on=now.date(), after=after, limit=limit)
    return DueFilesOut(
        due=[
            DueFileOut(
                alias=one.file.alias,
                case=one.file.subject,
                shelf=one.file.shelf_alias,
                since=one.since,
                file=EvidenceOut.of(one.file),
            )
            for one in found
        ]
    )


@router.post("/v1/evidence/{alias}/{version}/drop", status_code=201)
def drop_file(
    alias: Alias, version: Version, body: DropIn, session: Tx, caller: Admitted, now: Now, once: Claimed
) -> EvidenceOut:
    """Drops the content of a file that is due; what it was stays signed and committed to."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    return once.keep(EvidenceOut.of(file_retention.drop(session, alias, version, agreed=agreed)))


def _chunks(request: Request, file: EvidenceFile) -> Iterator[bytes]:
    """One short transaction a chunk. What is dropped meanwhile ends the stream, and the client sees that it is cut."""
    for number in range(1, len(boxes.chunk_lengths(file.size)) + 1):
        with transaction(request.app.state.engine, write=False) as session:
            data = evidence.chunk(session, file.alias, file.version, number)
        if data is None:
            return
        yield data
