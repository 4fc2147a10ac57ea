"""Files of evidence as an operator's client brings them to the ledger: sealed, signed, declared, and put in parts."""

import io
from datetime import date
from typing import Any

from sqlmodel import Session

from api.client import keyring, sealed_files
from ledger.aid.cases import Case
from ledger.aliases import Kind, draw
from ledger.giving import in_kind
from ledger.identities import evidence
from ledger.identities.boxes import FilePlace
from ledger.identities.evidence import EvidenceFile, EvidenceKind, NewFile
from ledger.identities.shelves import NewShelf, Shelf
from tests.cast import NOW, House, Person, a_shelf


def declare(house: House, case: Case, *, by: Person | None = None, content: bytes = b"invented", **other: Any) -> Any:
    """A file that somebody's client seals, declared: what stands, and its chunks."""
    signer = by or house.fund.ana
    kind: EvidenceKind = other.get("kind") or EvidenceKind.RULING
    place = FilePlace(case.alias, kind, other.get("alias") or draw(Kind.EVIDENCE), other.get("version", 1))
    shelf = house.session.get_one(Shelf, case.beneficiary_alias)
    source = io.BytesIO(content)
    draft = sealed_files.draft(source, name="scan.pdf", place=place)
    keep_until: date | None = other.get("keep_until")
    message = place.message(shelf=shelf.alias, size=draft.size, commitment=draft.commitment, keep_until=keep_until)
    signature = keyring.sign(signer.device, message)
    new = NewFile(place.alias, place.version, kind, draft.size, draft.commitment, keep_until, signature)
    file = evidence.declare(house.session, new, subject=case.alias, shelf=shelf.alias, signer=signer.operator, at=NOW)
    return file, list(sealed_files.seal_chunks(source, draft, public=shelf.sealing_key))


def bring_for_gift(
    house: House, alias: str, *, by: Person | None = None, keep_until: date | None = None
) -> EvidenceFile:
    """Clara seals a file that shows the value of a gift in kind, on a shelf of its own."""
    signer = by or house.fund.clara
    place = FilePlace(alias, EvidenceKind.BILL, draw(Kind.EVIDENCE), 1)
    source = io.BytesIO(b"invented invoice")
    draft = sealed_files.draft(source, name="invoice.pdf", place=place)
    standing = house.session.get(Shelf, alias)
    drawn = None if standing else a_shelf(house.fund, alias, by=signer)
    message = place.message(shelf=alias, size=draft.size, commitment=draft.commitment, keep_until=keep_until)
    signature = keyring.sign(signer.device, message)
    new = NewFile(place.alias, 1, EvidenceKind.BILL, draft.size, draft.commitment, keep_until, signature)
    shelf = NewShelf(alias, drawn.vault, drawn.epoch, drawn.public, drawn.signature, drawn.wrap) if drawn else None
    file = in_kind.bring_file(
        house.session, alias, new, shelf=shelf, signer=signer.operator, at=NOW, shred_keys=house.shred_keys
    )
    public = house.session.get_one(Shelf, alias).sealing_key
    for number, data in enumerate(sealed_files.seal_chunks(source, draft, public=public), start=1):
        put(house.session, file, number, data)
    house.session.commit()
    return file


def bring(house: House, case: Case, **other: Any) -> EvidenceFile:
    file, chunks = declare(house, case, **other)
    for number, data in enumerate(chunks, start=1):
        put(house.session, file, number, data)
    house.session.commit()
    found: EvidenceFile = file
    return found


def put(session: Session, file: EvidenceFile, number: int, data: bytes) -> EvidenceFile:
    return evidence.put_chunk(session, file.alias, file.version, number=number, data=data, by=file.signer, at=NOW)
