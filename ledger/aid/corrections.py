"""Corrections: an intake amended or completed before it is verified. What was sealed before stays as it was."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlmodel import Field, Session, SQLModel, col, select

from ledger.aid import cases, intake, jurisdictions, likenesses, obligations, rulings
from ledger.aid.cases import Case, CaseNotReady
from ledger.aid.eligibility import Bounds
from ledger.aid.intake import BadRow
from ledger.aid.obligations import Obligation, ObligationKind
from ledger.identities import shelves
from ledger.identities.shelves import NewBox
from ledger.money import Money


class Correction(SQLModel, table=True):
    """Who amended or completed a case, which had `version` after it. They approve it as little as who entered it."""

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


@dataclass(frozen=True, slots=True)
class Further:
    """One more sum that the case's ruling leads to: a fee of the court, a bill. What it says exactly is sealed."""

    obligation: str
    kind: ObligationKind
    amount: Money
    details: NewBox


def correct(session: Session, alias: str, amended: Amended, *, version: int, by: str, on: date) -> Case:
    """Amends a received case that stands at `version`. No act that was signed before covers it any more.

    Raises:
        CaseNotReady: it is not newly received, or somebody changed it meanwhile. BadRow: the facts cannot be, or a box
        is none of the case's, or it has another number of rulings than one. AliasTaken: a box is not the next version.
        UnknownCase, NotASealedBox, BadDigest: see there.
    """
    case = _require_received(session, alias, version=version)
    intake.check_facts(
        case.jurisdiction,
        kind=amended.kind,
        amount=amended.amount,
        region=amended.region,
        bounds=amended.bounds,
        tokens=amended.tokens,
    )
    found = rulings.of_case(session, alias)
    if len(found) != 1:
        raise BadRow("one ruling is corrected at once", where="case")
    (ruling,) = found
    obligation, further = _of_ruling(session, alias)
    if further:
        _check_kinds([amended.kind, *(one.kind for one in further)])
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
        _note(session, case, by=by, on=on)
        shelves.note_tokens(session, amended.tokens, alias=alias)
        intake.note_suspects(session, alias)
        likenesses.note(session, [case.beneficiary_alias], on=on)
    return case


def add_obligation(session: Session, alias: str, further: Further, *, version: int, by: str, on: date) -> Obligation:
    """Adds a sum to a received case that stands at `version`: it rests on the case's ruling, and on its dates.

    Its exact facts are sealed to the beneficiary's shelf as a box of its own, which every act about the case restates
    from now on. Who adds it approves the case as little as who entered it. See docs/decisions/0064.

    Raises:
        CaseNotReady: it is not newly received, or somebody changed it meanwhile. BadRow: the sum cannot be, the kind
        stands already, or does not go with the others; or the box is another. BadAlias, AliasTaken: see there.
        UnknownCase, NotASealedBox, BadDigest: see there.
    """
    case = _require_received(session, alias, version=version)
    found = rulings.of_case(session, alias)
    if len(found) != 1:
        raise BadRow("one ruling leads to several sums", where="case")
    first, others = _of_ruling(session, alias)
    _check_sum(case, further, beside=[first, *others])
    if further.details.version != 1:
        raise BadRow("a further obligation brings the first version of its details, sealed", where="details")
    with session.begin_nested():  # all of it, or nothing
        added = obligations.add(
            session,
            further.obligation,
            case=alias,
            ruling=found[0].alias,
            kind=further.kind,
            amount=further.amount,
        )
        shelves.keep(session, [further.details], shelf=case.beneficiary_alias)
        _note(session, case, by=by, on=on)
    return added


def correct_obligation(
    session: Session, alias: str, amended: Further, *, version: int, by: str, on: date
) -> Obligation:
    """Amends a further sum of a received case that stands at `version`: its kind, its amount, and what is sealed of it.

    Raises:
        CaseNotReady: it is not newly received, or somebody changed it meanwhile. BadRow: it is no further sum of the
        case, it cannot be so, or the box is another. AliasTaken: the box is not the next version of its details.
        UnknownCase, NotASealedBox, BadDigest: see there.
    """
    case = _require_received(session, alias, version=version)
    first, others = _of_ruling(session, alias)
    standing = next((one for one in others if one.alias == amended.obligation), None)
    if standing is None:
        raise BadRow("a further sum of this case is amended", where="obligation")
    _check_sum(case, amended, beside=[first, *(one for one in others if one is not standing)])
    if amended.details.version == 1:
        raise BadRow("a correction brings a next version of the details", where="details")
    with session.begin_nested():
        standing.kind, standing.minor = amended.kind, amended.amount.minor
        session.add(standing)
        shelves.keep(session, [amended.details], shelf=case.beneficiary_alias)
        _note(session, case, by=by, on=on)
    return standing


def authors_of(session: Session, found: Sequence[Case]) -> dict[str, set[str]]:
    """By case: who entered it, and who has amended it since."""
    authors = {case.alias: {case.entered_by} for case in found}
    query = select(Correction.case_alias, Correction.corrected_by)
    for alias, person in session.exec(query.where(col(Correction.case_alias).in_(authors))):
        authors[alias].add(person)
    return authors


def _note(session: Session, case: Case, *, by: str, on: date) -> None:
    """Counts the change, and keeps whose it is."""
    cases.touch(session, case)
    session.add(Correction(case_alias=case.alias, version=case.version, corrected_by=by, corrected_on=on))
    session.flush()


def _check_sum(case: Case, further: Further, *, beside: Sequence[Obligation]) -> None:
    """Refuses a sum that cannot be, or not beside these of which the first stands in the ruling's details."""
    if further.amount.minor <= 0 or further.amount.currency != jurisdictions.load(case.jurisdiction).currency:
        raise BadRow("an obligation is above zero, in the jurisdiction's currency", where="amount")
    _check_kinds([*(one.kind for one in beside), further.kind])
    box = further.details
    if (box.kind, box.alias, box.field) != ("obligation", further.obligation, "details"):
        raise BadRow("a further obligation brings its details, sealed", where="details")


def _require_received(session: Session, alias: str, *, version: int) -> Case:
    case = cases.require(session, alias, lock=True)
    if case.state is not cases.State.RECEIVED or case.version != version:
        raise CaseNotReady("the case is not as it was looked at", case=alias, state=case.state)
    return case


def _of_ruling(session: Session, case: str) -> tuple[Obligation, list[Obligation]]:
    """The obligation that the ruling's own details tell of, and the further ones, each with a box of its own."""
    owed = obligations.of_case(session, case)
    own = shelves.commitments_by_alias(session, [one.alias for one in owed])
    first = [one for one in owed if one.alias not in own]
    if len(first) != 1:
        raise BadRow("one obligation stands in the ruling's details", where="case")
    return first[0], [one for one in owed if one.alias in own]


def _check_kinds(kinds: Sequence[ObligationKind]) -> None:
    """Refuses what does not go together on one ruling; `kinds` has the one of the ruling's details first.

    A bill is payable from its service, which may be before the ruling is in force: nothing else rests on its bounds.
    """
    if len(set(kinds)) != len(kinds):
        raise BadRow("a ruling leads to one sum of each kind", where="kind")
    if ObligationKind.BAIL in kinds or kinds[0] is ObligationKind.DETENTION:
        raise BadRow("bail, and a bill that came first, stand alone: the other is a case of its own", where="kind")
