"""Corrections: an intake amended before it is verified. What was sealed before stays, in its earlier version."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlmodel import Field, Session, SQLModel, col, select

from ledger.aid import cases, intake, obligations, rulings
from ledger.aid.cases import Case, CaseNotReady
from ledger.aid.eligibility import Bounds
from ledger.aid.intake import BadRow
from ledger.aid.obligations import ObligationKind
from ledger.identities import shelves
from ledger.identities.shelves import NewBox
from ledger.money import Money


class Correction(SQLModel, table=True):
    """Who amended a case, which had `version` after it. They approve it as little as who entered it."""

    case_alias: str = Field(foreign_key="aid_case.alias", primary_key=True, max_length=20)
    version: int = Field(primary_key=True)
    corrected_by: str = Field(max_length=20)
    corrected_on: date


@dataclass(frozen=True, slots=True)
class Amended:
    """All coarse facts as they should have been, and the next versions of the boxes that say something else now."""

    article: str
    region: str
    kind: ObligationKind
    amount: Money
    bounds: Bounds
    boxes: Sequence[NewBox]
    tokens: Sequence[tuple[int, str, str]]


def correct(session: Session, alias: str, amended: Amended, *, version: int, by: str, on: date) -> Case:
    """Amends a received case that stands at `version`. No act that was signed before covers it any more.

    Raises:
        CaseNotReady: it is not newly received, or somebody changed it meanwhile. BadRow: the facts cannot be, or a box
        is none of the case's, or it has another number of rulings than one. AliasTaken: a box is not the next version.
        UnknownCase, NotASealedBox, BadDigest: see there.
    """
    case = cases.require(session, alias, lock=True)
    if case.state is not cases.State.RECEIVED or case.version != version:
        raise CaseNotReady("the case is not as it was looked at", case=alias, state=case.state)
    intake.check_facts(
        case.jurisdiction, amount=amended.amount, region=amended.region, bounds=amended.bounds, tokens=amended.tokens
    )
    found, owed = rulings.of_case(session, alias), obligations.of_case(session, alias)
    if len(found) != 1 or len(owed) != 1:
        raise BadRow("one ruling and one obligation are corrected at once", where="case")
    ruling, obligation = found[0], owed[0]
    places = {("beneficiary", case.beneficiary_alias, "identity"), ("ruling", ruling.alias, "details")}
    if any((box.kind, box.alias, box.field) not in places or box.version == 1 for box in amended.boxes):
        raise BadRow("a correction brings a next version of identity or details", where="boxes")
    with session.begin_nested():  # all of it, or nothing
        shelves.keep(session, amended.boxes, shelf=case.beneficiary_alias)
        ruling.article, ruling.region = amended.article, amended.region
        ruling.ruled_by, ruling.payable_from = amended.bounds.ruled_by, amended.bounds.payable_from
        ruling.due_by, ruling.force_presumed = amended.bounds.due_by, amended.bounds.force_presumed
        obligation.kind, obligation.minor = amended.kind, amended.amount.minor
        case.due_by = amended.bounds.due_by
        session.add_all([ruling, obligation])
        cases.touch(session, case)
        session.add(Correction(case_alias=alias, version=case.version, corrected_by=by, corrected_on=on))
        shelves.note_tokens(session, amended.tokens, alias=alias)
        intake.note_suspects(session, alias)
    return case


def authors_of(session: Session, found: Sequence[Case]) -> dict[str, set[str]]:
    """By case: who entered it, and who has amended it since."""
    authors = {case.alias: {case.entered_by} for case in found}
    query = select(Correction.case_alias, Correction.corrected_by)
    for alias, person in session.exec(query.where(col(Correction.case_alias).in_(authors))):
        authors[alias].add(person)
    return authors
