"""Evidence from the operator's side: files sealed here and sent in chunks, opened here into files of the operator's."""

import io
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

from api.client import private_files, sealed_files, sealing, shelves
from api.client.desk import Desk
from api.client.private_files import FileStands
from api.client.sealed_files import Description, Draft
from ledger.aliases import Kind, draw
from ledger.errors import NotFound
from ledger.identities.boxes import FilePlace, chunk_lengths
from ledger.identities.evidence import EvidenceKind
from ledger.identities.person_keys import sync_directory

Progress = Callable[[int, int], None]
"""Called with how many chunks are sent, of how many."""
_PAGE = 500
SUFFIXES = {
    "application/pdf": ".pdf",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/tiff": ".tif",
    "image/webp": ".webp",
    "image/heic": ".heic",
    "text/plain": ".txt",
}
"""How an opened file's name ends, by its type; any other ends in `.bin`: what it was called does not choose."""


class NoSuchItem(NotFound):
    """The case has no such item of evidence."""

    rule = "unknown_evidence"


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """Where an opened file lies, and what its box tells of it."""

    alias: str
    version: int
    kind: str
    path: Path
    description: Description = field(repr=False)


def add(
    desk: Desk,
    case: str,
    file: Path,
    *,
    kind: EvidenceKind,
    replaces: str | None = None,
    keep_until: date | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Seals a file and sends it, chunk by chunk; with `replaces` it is the next version of that item.

    What this operator began before and did not finish about the case is dropped by the server.

    Raises:
        FileTooLarge, FileChanged: nothing counts. NoSuchItem: there is nothing to replace.
        BadSignature: somebody offers another shelf's key.
        ApiRefusal, ApiUnreachable: unfinished; the same call begins anew.
    """
    kept = desk.api.get(f"/v1/cases/{case}/evidence")
    shelf = shelves.check_shelf(desk, kept["shelf"], alias=kept["shelf"]["alias"])
    with file.open("rb") as source:
        place = _next_place(kept["files"], case, kind=kind, replaces=replaces)
        drafted = sealed_files.draft(source, name=file.name, place=place)
        path = f"/v1/cases/{case}/evidence"
        return send(desk, source, drafted, shelf=shelf, path=path, keep_until=keep_until, progress=progress)


def send(
    desk: Desk,
    source: BinaryIO,
    drafted: Draft,
    *,
    shelf: sealing.Shelf,
    path: str,
    keep_until: date | None = None,
    new_shelf: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Declares a drafted file at `path`, and sends its sealed chunks; a shelf that is new comes with it.

    Raises:
        As `add`.
    """
    place = drafted.place
    message = place.message(shelf=shelf.alias, size=drafted.size, commitment=drafted.commitment, keep_until=keep_until)
    body = {
        "alias": place.alias,
        "version": place.version,
        "kind": place.kind,
        "size": drafted.size,
        "commitment": drafted.commitment,
        "keep_until": keep_until.isoformat() if keep_until else None,
        "signature": desk.sign(message),
    }
    body |= {"shelf": shelves.shelf_on_wire(shelf)} if new_shelf else {}
    answer: dict[str, Any] = desk.api.post(path, body, key=f"evidence:{drafted.commitment}")
    lengths = len(chunk_lengths(drafted.size))
    for number, data in enumerate(sealed_files.seal_chunks(source, drafted, public=shelf.public), start=1):
        to = f"/v1/evidence/{place.alias}/{place.version}/chunks/{number}"
        answer |= desk.api.put(to, {"bytes": sealing.to_base64(data)})
        if progress:
            progress(number, lengths)
    return answer


def listed(desk: Desk, case: str) -> list[dict[str, Any]]:
    """Every version of every item of a case."""
    found: list[dict[str, Any]] = desk.api.get(f"/v1/cases/{case}/evidence")["files"]
    return found


def due(desk: Desk) -> list[dict[str, Any]]:
    """The files whose retention has ended: `alias`, `case`, `shelf`, `since`, and the `file` itself."""
    found: list[dict[str, Any]] = []
    while True:
        after = found[-1]["alias"] if found else None
        page = desk.api.get("/v1/evidence-retention", after=after, limit=_PAGE)["due"]
        found += page
        if not page:
            return found


def drop(desk: Desk, alias: str) -> list[dict[str, Any]]:
    """Drops the content of every version of an item that is due; each is a signed act, and none is undone.

    Raises:
        NoSuchItem: no version of it is due. BadSignature: it is not as its bringer signed it.
    """
    found = [one for one in due(desk) if one["alias"] == alias]
    if not found:
        raise NoSuchItem("no such item of evidence is due", evidence=alias)
    answers = []
    for one in found:
        version = one["file"]["version"]
        commitment = shelves.check_file(desk, one["file"], subject=one["case"], shelf=one["shelf"])
        body = {"agreed": desk.agree("drop_evidence", alias, version=version, evidence=[commitment])}
        answers.append(desk.api.post(f"/v1/evidence/{alias}/{version}/drop", body, key=f"drop:{alias}:{version}"))
    return answers


def open_files(
    desk: Desk, case: dict[str, Any], *, into: Path, reason: str, items: set[str] | None = None
) -> list[OpenedFile]:
    """Opens the current files of a case, or some items of it, into a directory; each reading is logged.

    Files are called by alias and version, can be read by their owner alone, and are never overwritten.

    Raises:
        NoSuchItem, FileStands: see there. CannotOpen, WrongCommitment, WrongKey, BadSignature: something was altered or
            swapped; of that file nothing stays.
    """
    chosen = [file for file in case["evidence"] if items is None or file["alias"] in items]
    if items is not None and len(chosen) != len(items):
        raise NoSuchItem("the case has no such item of evidence", case=case["alias"])
    if not chosen:
        return []
    opened = desk.api.get(f"/v1/boxes/{case['beneficiary']}", reason=reason)
    shelf, seed = shelves.open_shelf(desk, opened, alias=case["beneficiary"])
    return [
        open_file(desk, case["alias"], file, shelf=shelf.alias, seed=seed, into=into, reason=reason) for file in chosen
    ]


def check_contents(desk: Desk, case: dict[str, Any], *, reason: str) -> list[str]:
    """Opens every current file of a case in memory, and gives the commitments that their contents agree with.

    Raises:
        CannotOpen, WrongCommitment, WrongKey, BadSignature: something was altered or swapped.
    """
    if not case["evidence"]:
        return []
    opened = desk.api.get(f"/v1/boxes/{case['beneficiary']}", reason=reason)
    shelf, seed = shelves.open_shelf(desk, opened, alias=case["beneficiary"])
    return [_check(desk, case["alias"], file, shelf=shelf.alias, seed=seed, reason=reason) for file in case["evidence"]]


def _check(desk: Desk, subject: str, file: dict[str, Any], *, shelf: str, seed: bytes, reason: str) -> str:
    commitment = shelves.check_file(desk, file, subject=subject, shelf=shelf)
    path = f"/v1/evidence/{file['alias']}/{file['version']}"
    with io.BytesIO() as unread, desk.api.stream(path, reason=reason) as pieces:
        place = sealed_files.place_of(file, subject)
        sealed_files.open_chunks(pieces, unread, seed=seed, place=place, size=file["size"], commitment=commitment)
    return commitment


def open_file(
    desk: Desk, subject: str, file: dict[str, Any], *, shelf: str, seed: bytes, into: Path, reason: str
) -> OpenedFile:
    """Opens one file about `subject` with its shelf's seed into a new one of the operator's; the reading is logged.

    Raises:
        FileStands, CannotOpen, WrongCommitment, BadSignature: see there.
    """
    commitment = shelves.check_file(desk, file, subject=subject, shelf=shelf)
    alias, version = file["alias"], file["version"]
    unnamed = into / f"{alias}-{version}.part"
    with (
        private_files.create(unnamed) as sink,
        desk.api.stream(f"/v1/evidence/{alias}/{version}", reason=reason) as pieces,
    ):
        description = sealed_files.open_chunks(
            pieces,
            sink,
            seed=seed,
            place=sealed_files.place_of(file, subject),
            size=file["size"],
            commitment=commitment,
        )
    path = unnamed.with_suffix(SUFFIXES.get(description.media_type or "", ".bin"))
    try:
        os.link(unnamed, path)  # unlike a rename, it never replaces what stands there
    except FileExistsError:
        raise FileStands("a file of this name stands there", where="out", alias=alias) from None
    finally:
        unnamed.unlink()
        sync_directory(into)
    return OpenedFile(alias, version, file["kind"], path, description)


def _next_place(files: list[dict[str, Any]], case: str, *, kind: EvidenceKind, replaces: str | None) -> FilePlace:
    if replaces is None:
        return FilePlace(case, kind.value, draw(Kind.EVIDENCE), 1)
    versions = [file for file in files if file["alias"] == replaces and file["complete"]]
    if not versions:
        raise NoSuchItem("the case has no such item of evidence", case=case)
    return FilePlace(case, versions[0]["kind"], replaces, max(file["version"] for file in versions) + 1)
