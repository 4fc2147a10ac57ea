"""Intake: a sealed row of a list becomes beneficiary, case, ruling and obligation, once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from ledger import people
from ledger.aid import (
    beneficiaries,
    cases,
    eligibility,
    jurisdictions,
    likenesses,
    not_duplicates,
    obligations,
    rulings,
)
from ledger.aid.beneficiaries import Beneficiary
from ledger.aid.cases import Case
from ledger.aid.eligibility import Bounds, Rejection
from ledger.aid.obligations import Obligation, ObligationKind
from ledger.aid.rulings import Ruling
from ledger.errors import BadInput
from ledger.identities import boxes, shelves
from ledger.identities.person_keys import ShredKeys
from ledger.identities.shelves import OLDER_WRITING, ROW, Box, Made, NewBox, NewShelf
from ledger.money import Money
from ledger.people import Operator, Roster
from ledger.storage import newcomers

PERSON = likenesses.PERSON
RULING = "ruling"
FIGURES = "figures"
"""Token fields by which duplicates are found; figures alone only suggest one, and nobody must answer."""
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


@dataclass(frozen=True, slots=True)
class _Entering:
    """A row that was checked and is not in the books yet."""

    row: Row
    beneficiary: Beneficiary
    shelf: Made
    case: Case
    ruling: Ruling
    obligation: Obligation
    boxes: Sequence[Box]


@dataclass(frozen=True, slots=True)
class _Desk:
    """Who enters, when, and with what a shelf is checked and its key locked."""

    entered_by: Operator
    recorded_at: datetime
    roster: Roster
    shred_keys: ShredKeys


def receive_all(
    session: Session, rows: Sequence[Row], *, entered_by: Operator, recorded_at: datetime, shred_keys: ShredKeys
) -> None:
    """Enters the rows, all or none; one that came before is passed over, and the caller cannot tell which.

    They are checked one after the other, then written table by table: a statement takes as long for many as for few.

    Raises:
        BadRow: parts are missing or do not fit together. NotASealedBox: what should be sealed is not.
        UnknownJurisdiction: see there; with these `line` is the row, counted from 1.
        AliasTaken: a drawn alias is taken. ShelfNotSigned: `entered_by` did not seal it.
    """
    desk = _Desk(entered_by, recorded_at, people.current(session), shred_keys)
    known = _known(session, rows)
    while True:
        entering = _check_all(rows, known, desk)
        try:
            with session.begin_nested():
                _enter(session, entering)
        except IntegrityError:
            # On PostgreSQL another transaction entered some of these rows between our look and our insert.
            before, known = known, _known(session, rows)
            if known <= before:
                raise
        else:
            return


def receive(session: Session, row: Row, *, entered_by: Operator, recorded_at: datetime, shred_keys: ShredKeys) -> None:
    """As `receive_all`, for one row."""
    receive_all(session, [row], entered_by=entered_by, recorded_at=recorded_at, shred_keys=shred_keys)


def possible_duplicates(session: Session, case: str) -> list[str]:
    """Other cases that share the ruling's token with this one, and that nobody found to be others.

    For a reviewer, never for who entered it.
    """
    settled = not_duplicates.found_with(session, case)
    return [other for other in shelves.sharing_tokens(session, case, field=RULING) if other not in settled]


def same_figures(session: Session, case: str) -> list[str]:
    """Cases that share digits of the number, day and sum with this one, and not its ruling's token: worth a look."""
    same = shelves.sharing_tokens(session, case, field=RULING)
    settled = not_duplicates.found_with(session, case)
    return [one for one in shelves.sharing_tokens(session, case, field=FIGURES) if one not in {*same, *settled}]


def same_person(session: Session, case: str) -> list[str]:
    """Other cases of what may be the same person: for a reviewer too. Two rulings on one person are two cases."""
    return likenesses.cases_beside(session, cases.require(session, case))


def settle(session: Session, case: str, others: Collection[str], *, by: str, on: date) -> None:
    """Keeps that a case and these others are two; of each that nothing else is like, nobody is asked any more."""
    not_duplicates.keep(session, case, others, by=by, on=on)
    for alias in (case, *sorted(others)):
        if not possible_duplicates(session, alias):
            cases.clear_suspicion(session, cases.require(session, alias, lock=True))


def note_suspects(session: Session, *noted: str) -> None:
    """Notes which cases share a ruling with one of these; who entered them is told nothing."""
    sharing = shelves.sharing_with_any(session, noted, field=RULING)
    settled = not_duplicates.known_among(session, sharing) if sharing else set()
    sharing -= {alias for alias in settled if not possible_duplicates(session, alias)}
    if sharing:
        cases.suspect(session, sharing)


def _known(session: Session, rows: Sequence[Row]) -> set[str]:
    """The tokens of these rows, of any epoch for which the client has the key, under which a row came before."""
    return shelves.known_tokens(session, {value for row in rows for value in _row_tokens(row)}, field=ROW)


def _row_tokens(row: Row) -> list[str]:
    return [value for _, field, value in row.tokens if field == ROW]


def _check_all(rows: Sequence[Row], known: Collection[str], desk: _Desk) -> list[_Entering]:
    """The rows that are to be entered, each checked by itself; the same row twice is one."""
    came = set(known)
    entering = []
    for line, row in enumerate(rows, start=1):
        try:
            _check(row)
            tokens = {boxes.check_token(value) for value in _row_tokens(row)}
            if not came & tokens:
                entering.append(_make(row, desk))
                came |= tokens
        except BadInput as error:
            error.data["line"] = line
            raise
    return entering


def _make(row: Row, desk: _Desk) -> _Entering:
    beneficiary = beneficiaries.make(row.beneficiary, created_at=desk.recorded_at)
    shelf = shelves.make_shelf(row.shelf, signer=desk.entered_by, roster=desk.roster, shred_keys=desk.shred_keys)
    case = cases.make(
        row.case,
        beneficiary=row.beneficiary,
        jurisdiction=row.jurisdiction,
        rejection=row.rejection,
        entered_by=desk.entered_by.alias,
        received_on=desk.recorded_at.date(),
        due_by=row.bounds.due_by,
    )
    ruling = rulings.make(row.ruling, case=row.case, article=row.article, region=row.region, bounds=row.bounds)
    obligation = obligations.make(row.obligation, case=row.case, ruling=row.ruling, kind=row.kind, amount=row.amount)
    kept = [shelves.make_box(box, shelf=row.beneficiary) for box in row.boxes]
    for _, _, value in row.tokens:
        boxes.check_token(value)
    return _Entering(row, beneficiary, shelf, case, ruling, obligation, kept)


def _enter(session: Session, entering: Sequence[_Entering]) -> None:
    newcomers.enter(session, [one.beneficiary for one in entering])
    shelves.enter(session, [one.shelf for one in entering])
    newcomers.enter(session, [one.case for one in entering])
    newcomers.enter(session, [one.ruling for one in entering])
    newcomers.enter(session, [one.obligation for one in entering])
    shelves.place(session, [box for one in entering for box in one.boxes])
    shelves.note_tokens_of_many(session, {one.row.case: one.row.tokens for one in entering})
    note_suspects(session, *(one.row.case for one in entering))
    if entering:
        received_on = entering[0].case.received_on
        likenesses.note(session, [one.beneficiary.alias for one in entering], on=received_on)


def check_facts(
    jurisdiction: str,
    *,
    kind: ObligationKind,
    amount: Money,
    region: str,
    bounds: Bounds,
    tokens: Sequence[tuple[int, str, str]],
) -> None:
    """Refuses coarse facts that cannot be, and tokens that are not one each of person and ruling for every epoch.

    Figures may have one for every epoch too, and older writings of person and ruling any number.

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
    if bounds.payable_from < eligibility.payable_from(pack, bounds, kind=kind):
        raise BadRow("what is presumed to be in force is payable after the days of appeal", where="bounds")
    epochs = {epoch for epoch, _, _ in tokens} - {OLDER_WRITING}
    brought = [(epoch, field) for epoch, field, _ in tokens if field != ROW and epoch != OLDER_WRITING]
    wanted = (PERSON, RULING, *([FIGURES] if any(field == FIGURES for _, field in brought) else []))
    if not epochs or sorted(brought) != sorted((epoch, field) for epoch in epochs for field in wanted):
        raise BadRow("there is one token each of person and ruling, for every epoch", where="tokens")
    if any(epoch == OLDER_WRITING and field not in {PERSON, RULING, ROW} for epoch, field, _ in tokens):
        raise BadRow("an older writing is one of person, ruling or row", where="tokens")


def _check(row: Row) -> None:
    check_facts(
        row.jurisdiction, kind=row.kind, amount=row.amount, region=row.region, bounds=row.bounds, tokens=row.tokens
    )
    if row.shelf.alias != row.beneficiary or row.shelf.vault != "people":
        raise BadRow("the shelf is the beneficiary's, in the people vault", where="shelf")
    brought = {(box.kind, box.field) for box in row.boxes}
    owners = {"beneficiary": row.beneficiary, "ruling": row.ruling}
    if brought != BOXES or len(row.boxes) != len(BOXES) or any(owners[box.kind] != box.alias for box in row.boxes):
        raise BadRow("a row brings the beneficiary's identity and the ruling's details, sealed", where="boxes")
    if any(box.version != 1 for box in row.boxes):
        raise BadRow("a row brings the first version of its boxes", where="boxes")
    epochs = {epoch for epoch, _, _ in row.tokens} - {OLDER_WRITING}
    of_row = [epoch for epoch, field, _ in row.tokens if field == ROW and epoch != OLDER_WRITING]
    if sorted(of_row) != sorted(epochs):
        raise BadRow("a row brings one token each of row, person and ruling, for every epoch", where="tokens")
    if max(epochs, default=0) != row.shelf.epoch:
        raise BadRow("the newest tokens are of the epoch of the shelf", where="tokens")
