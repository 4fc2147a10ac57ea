"""Intake: a sealed row of a list becomes beneficiary, case, ruling and obligation, once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from ledger.aid import beneficiaries, cases, eligibility, jurisdictions, obligations, rulings
from ledger.aid.eligibility import Bounds, Rejection
from ledger.aid.obligations import ObligationKind
from ledger.errors import BadInput
from ledger.identities import shelves
from ledger.identities.person_keys import ShredKeys
from ledger.identities.shelves import ROW, NewBox, NewShelf
from ledger.money import Money
from ledger.people import Operator

PERSON = "person"
RULING = "ruling"
"""Token fields by which duplicates are found."""
BOXES = {("beneficiary", "identity"), ("ruling", "details")}
"""The boxes every row brings: (kind, field)."""


class BadRow(BadInput):
    """A row that cannot be a case; `where` tells the part."""

    rule = "bad_row"


@dataclass(frozen=True, slots=True)
class Row:
    """One application as the client sends it: aliases it drew, coarse facts, and everything else sealed."""

    beneficiary: str
    case: str
    ruling: str
    obligation: str
    jurisdiction: str
    article: str
    region: str
    kind: ObligationKind
    amount: Money
    bounds: Bounds
    rejection: Rejection | None
    shelf: NewShelf
    boxes: Sequence[NewBox]
    tokens: Sequence[tuple[int, str, str]]


def receive(session: Session, row: Row, *, entered_by: Operator, recorded_at: datetime, shred_keys: ShredKeys) -> None:
    """Enters the row, or nothing when this very row of its list came before: the caller cannot tell which.

    Raises:
        BadRow: parts are missing or do not fit together. NotASealedBox: what should be sealed is not.
        AliasTaken: a drawn alias is taken. UnknownJurisdiction: see there.
    """
    _check(row)
    if _came_before(session, row):
        return
    try:
        with session.begin_nested():  # the whole row, or nothing of it
            _enter(session, row, entered_by=entered_by, recorded_at=recorded_at, shred_keys=shred_keys)
    except IntegrityError:
        # On PostgreSQL another transaction entered the same row between our look and our insert.
        if not _came_before(session, row):
            raise


def possible_duplicates(session: Session, case: str) -> list[str]:
    """Other cases that share the ruling's token with this one: for a reviewer, never for who entered it."""
    return shelves.sharing_tokens(session, case, field=RULING)


def same_person(session: Session, case: str) -> list[str]:
    """Other cases of what may be the same person: for a reviewer too. Two rulings on one person are two cases."""
    return shelves.sharing_tokens(session, case, field=PERSON)


def note_suspects(session: Session, case: str) -> None:
    """Notes which cases share a ruling with this one; who entered it is told nothing."""
    others = possible_duplicates(session, case)
    if others:
        cases.suspect(session, {case, *others})


def _came_before(session: Session, row: Row) -> bool:
    """Whether this row of its list came in any epoch for which the client has the key."""
    tokens = [value for _, field, value in row.tokens if field == ROW]
    return any(shelves.aliases_with(session, field=ROW, value=value) for value in tokens)


def _enter(session: Session, row: Row, *, entered_by: Operator, recorded_at: datetime, shred_keys: ShredKeys) -> None:
    beneficiaries.add(session, row.beneficiary, created_at=recorded_at)
    shelves.put_up(session, row.shelf, signer=entered_by, shred_keys=shred_keys)
    cases.add(
        session,
        row.case,
        beneficiary=row.beneficiary,
        jurisdiction=row.jurisdiction,
        rejection=row.rejection,
        entered_by=entered_by.alias,
        received_on=recorded_at.date(),
        due_by=row.bounds.due_by,
    )
    rulings.add(session, row.ruling, case=row.case, article=row.article, region=row.region, bounds=row.bounds)
    obligations.add(session, row.obligation, case=row.case, ruling=row.ruling, kind=row.kind, amount=row.amount)
    shelves.keep(session, row.boxes, shelf=row.beneficiary)
    shelves.note_tokens(session, row.tokens, alias=row.case)
    note_suspects(session, row.case)


def check_facts(
    jurisdiction: str, *, amount: Money, region: str, bounds: Bounds, tokens: Sequence[tuple[int, str, str]]
) -> None:
    """Refuses coarse facts that cannot be, and tokens that are not one each of person and ruling for every epoch.

    Raises:
        BadRow: `where` tells the part. UnknownJurisdiction: see there.
    """
    pack = jurisdictions.load(jurisdiction)
    if amount.minor <= 0 or amount.currency != pack.currency:
        raise BadRow("an obligation is above zero, in the jurisdiction's currency", where="amount")
    if region not in pack.regions:
        raise BadRow("the jurisdiction pack has no such region", where="region")
    if not eligibility.at_grain(pack, bounds) or bounds.payable_from < bounds.ruled_by:
        raise BadRow("bounds are in their order, and no finer than the jurisdiction's grain", where="bounds")
    epochs = {epoch for epoch, _, _ in tokens}
    brought = [(epoch, field) for epoch, field, _ in tokens if field != ROW]
    if not epochs or sorted(brought) != sorted((epoch, field) for epoch in epochs for field in (PERSON, RULING)):
        raise BadRow("there is one token each of person and ruling, for every epoch", where="tokens")


def _check(row: Row) -> None:
    check_facts(row.jurisdiction, amount=row.amount, region=row.region, bounds=row.bounds, tokens=row.tokens)
    if row.shelf.alias != row.beneficiary or row.shelf.vault != "people":
        raise BadRow("the shelf is the beneficiary's, in the people vault", where="shelf")
    brought = {(box.kind, box.field) for box in row.boxes}
    owners = {"beneficiary": row.beneficiary, "ruling": row.ruling}
    if brought != BOXES or len(row.boxes) != len(BOXES) or any(owners[box.kind] != box.alias for box in row.boxes):
        raise BadRow("a row brings the beneficiary's identity and the ruling's details, sealed", where="boxes")
    if any(box.version != 1 for box in row.boxes):
        raise BadRow("a row brings the first version of its boxes", where="boxes")
    epochs = {epoch for epoch, _, _ in row.tokens}
    if sorted(epoch for epoch, field, _ in row.tokens if field == ROW) != sorted(epochs):
        raise BadRow("a row brings one token each of row, person and ruling, for every epoch", where="tokens")
    if max(epochs, default=0) != row.shelf.epoch:
        raise BadRow("the newest tokens are of the epoch of the shelf", where="tokens")
