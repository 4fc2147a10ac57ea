"""Checks of files of evidence: each signed by who brought it, and all there."""

import json
from collections.abc import Iterator

from sqlalchemy import func, tuple_
from sqlmodel import Session, col
from sqlmodel import select as select_rows

from ledger import approvals, people
from ledger.checks.findings import Check, Finding, Tell, paged
from ledger.identities import boxes
from ledger.identities.boxes import FilePlace
from ledger.identities.evidence import EvidenceChunk, EvidenceFile


def find_files(session: Session, tell: Tell) -> Iterator[Finding]:
    """Files that say something else than was signed, and complete ones that lack a chunk or have a cut one."""
    keys: dict[str, set[str]] = {}
    for version in people.versions(session):
        for operator in people.read_roster(version.document).operators:
            keys.setdefault(operator.alias, set()).add(operator.signing_key)
    done = 0
    for page in paged(session, EvidenceFile, EvidenceFile.commitment):
        kept = _lengths(session, [(file.alias, file.version) for file in page])
        for file in page:
            if not any(people.holds(key, _message(file), file.signature) for key in keys.get(file.signer, ())):
                yield Finding("files", "evidence", file.alias, {"version": file.version, "where": "signature"})
            there = kept.get((file.alias, file.version), [])
            awaited = [boxes.sealed_length(length) for length in boxes.chunk_lengths(file.size)]
            if file.completed_at is not None and there != ([] if file.dropped_on else awaited):
                yield Finding("files", "evidence", file.alias, {"version": file.version, "where": "chunks"})
            if file.dropped_on is not None and not _was_agreed(session, file):
                yield Finding("files", "evidence", file.alias, {"version": file.version, "where": "dropped_on"})
        done += len(page)
        tell(done, done)


CHECKS = (Check("files", "every file of evidence is as its bringer signed it, and all there", find_files),)


def _was_agreed(session: Session, file: EvidenceFile) -> bool:
    """Whether somebody who did not bring it signed that this very content is dropped."""
    return any(
        kept.verb == "drop_evidence"
        and kept.signer != file.signer
        and json.loads(kept.document)["evidence_commitments"] == [file.commitment]
        and approvals.still_holds(session, kept)
        for kept in approvals.of_object(session, file.alias)
    )


def _message(file: EvidenceFile) -> bytes:
    place = FilePlace(file.subject, file.kind, file.alias, file.version)
    return place.message(shelf=file.shelf_alias, size=file.size, commitment=file.commitment, keep_until=file.keep_until)


def _lengths(session: Session, files: list[tuple[str, int]]) -> dict[tuple[str, int], list[int]]:
    """How long the chunks of these files are, in their order; their bytes are not read."""
    of = tuple_(col(EvidenceChunk.alias), col(EvidenceChunk.version))
    query = select_rows(EvidenceChunk.alias, EvidenceChunk.version, func.length(EvidenceChunk.data))
    found: dict[tuple[str, int], list[int]] = {}
    for alias, version, length in session.exec(query.where(of.in_(files)).order_by(col(EvidenceChunk.number))):
        found.setdefault((alias, version), []).append(length)
    return found
