"""Assessments: what the rules answered when a case was verified, by which pack; whoever verified it has signed that.

What the books keep is told by a ruling's bounds: every other day of the same weeks gives the same words. The answers on
exact facts lie in a sealed box on the beneficiary's shelf, whose commitment stands in the same signed document.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Annotated, Literal

import rfc8785
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlmodel import Field as Column
from sqlmodel import Session, SQLModel

from ledger.aid import jurisdictions, obligations, rules
from ledger.aid.cases import Case
from ledger.aid.eligibility import Bounds
from ledger.aid.jurisdictions import NotDated, Pack
from ledger.aid.obligations import Obligation
from ledger.aid.rules import Answer, Application, Outcome, Span
from ledger.aid.rulings import Ruling
from ledger.errors import BadInput, Conflict
from ledger.identities import shelves
from ledger.identities.shelves import NewBox
from ledger.people import Hex32

KIND, FIELD = "case", "assessment"
"""What the box with the answers on exact facts is of, and called."""
BY_BOUNDS = (
    "after_not_before",
    "assembly_articles",
    "in_force_at_payment",
    "appeal_deadline",
    "payment_deadline",
    "evidence_at_hand",
)
"""The rules whose facts the books hold, all of them: what is told of these, the server finds itself."""
_OF_RULING = frozenset(BY_BOUNDS) - {"evidence_at_hand"}
"""Those of them that rest on what a verified ruling says, which changes no more."""
_CERTAIN = ("ruling_kind", "not_paid_before", "obligation_of_ruling")
"""Rules that hold of every case that is verified, by facts that only the verifier has seen."""
_WEEK = timedelta(days=6)
_NAME = r"^[a-z_]{1,40}$"


class PackDiffers(Conflict):
    """The verifier's device reads other rules than the server: both are given the same pack first."""

    rule = "pack_differs"


class AssessmentDiffers(Conflict):
    """What is told of the rules is not what the books give; `field` tells which part, `name` which rule."""

    rule = "assessment_differs"


class BadAssessment(BadInput):
    """The box with the exact answers is not the one that the signed document names."""

    rule = "bad_assessment"


class Told(BaseModel):
    """What one rule answered of an obligation, by the ruling's bounds, and the names of the facts it answered on."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    obligation: Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,2}(-[0-9A-Z]{4}){3}$")]
    rule: Annotated[str, StringConstraints(pattern=_NAME)]
    outcome: Outcome
    facts: Annotated[tuple[Annotated[str, StringConstraints(pattern=_NAME)], ...], Field(max_length=20)]


class Assessed(BaseModel):
    """The document that a verification commits to: the pack by its digest, each rule's answer, and what is sealed."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    format: Literal["solidarity-assessment-1"] = "solidarity-assessment-1"
    case: Annotated[str, StringConstraints(max_length=20)]
    on: date
    pack: Annotated[str, StringConstraints(max_length=10)]
    pack_digest: Hex32
    sealed: Hex32
    answers: Annotated[tuple[Told, ...], Field(max_length=500)]

    def canonical(self) -> str:
        """The text that is kept: JSON by RFC 8785."""
        return rfc8785.dumps(self.model_dump(mode="json")).decode()

    def commitment(self) -> str:
        """What the act restates: see `commitment_to`."""
        return commitment_to(self.canonical())


@dataclass(frozen=True, slots=True)
class NewAssessment:
    """What a client sends: the document, and the box with the answers on exact facts."""

    assessed: Assessed
    box: NewBox


class Assessment(SQLModel, table=True):
    """The document of the verification of a case, as it was signed."""

    case_alias: str = Column(foreign_key="aid_case.alias", primary_key=True, max_length=20)
    document: str


def keep(session: Session, case: Case, new: NewAssessment, *, signed_on: date, files: Sequence[str]) -> None:
    """Keeps what a verifier signed of the rules, once it is what the books give: `files` are the kinds at hand.

    Raises:
        PackDiffers, AssessmentDiffers, BadAssessment: see there. NotASealedBox, BadDigest, AliasTaken: the box.
    """
    pack, assessed, box = jurisdictions.load(case.jurisdiction), new.assessed, new.box
    if (assessed.pack, assessed.pack_digest) != (pack.id, jurisdictions.digest(pack)):
        raise PackDiffers("the device and the server read different rules", jurisdiction=pack.id)
    for field, told, known in (("case", assessed.case, case.alias), ("on", assessed.on, signed_on)):
        if told != known:
            raise AssessmentDiffers("the rules were asked about something else", field=field, name=None)
    if (box.kind, box.alias, box.field, box.commitment) != (KIND, case.alias, FIELD, assessed.sealed):
        raise BadAssessment("the box is not the one that was signed", where="box")
    owed = obligations.of_case(session, case.alias)
    rulings = {one.alias: obligations.ruling_of(session, one) for one in owed}
    known_of = {}
    for one in owed:
        ruling = rulings[one.alias]
        bounds = Bounds(ruling.ruled_by, ruling.payable_from, ruling.due_by, ruling.force_presumed)
        application = _application(case, one, article=ruling.article, files=files)
        known_of[one.alias] = by_bounds(pack, application, bounds, on=signed_on)
    _require_same(assessed, known_of)
    shelves.keep(session, [box], shelf=case.beneficiary_alias)
    session.add(Assessment(case_alias=case.alias, document=assessed.canonical()))
    session.flush()


def differing(
    case: Case, document: str, ruled: Mapping[str, tuple[Obligation, Ruling]], *, pack: Pack, pack_digest: str
) -> list[str]:
    """The rules by which the books, by their articles and bounds, give another answer now than was signed.

    `ruled` are the obligations of the case with their rulings, by alias. Files may have come since, and are not asked
    about. Of a document by another pack than this one nothing can be told, nor of one that cannot be read.
    """
    try:
        assessed = Assessed.model_validate_json(document)
    except ValueError:
        return []
    if assessed.pack_digest != pack_digest:
        return []
    found: set[str] = set()
    for alias in {told.obligation for told in assessed.answers}:
        told_of = {told.rule: told.outcome for told in assessed.answers if told.obligation == alias}
        if alias not in ruled:
            return ["obligation"]
        owed, ruling = ruled[alias]
        application = _application(case, owed, article=ruling.article, files=())
        try:
            known = by_bounds(pack, application, ruling.bounds(), on=assessed.on)
        except NotDated:
            return ["appeal_deadline"]
        found |= {one.rule for one in known if one.rule in _OF_RULING and told_of.get(one.rule) not in _admitted(one)}
    return sorted(found)


def by_bounds(pack: Pack, application: Application, bounds: Bounds, *, on: date) -> list[Answer]:
    """What the rules answer when no more of a ruling's days is known than its bounds.

    That it was issued is not certain before its week is over, and waits: the verifier, who has seen the day, knows it.
    """
    width = timedelta(0) if pack.grain == "day" else _WEEK
    coarse = replace(
        application,
        issued=rules.ruled_within(pack, bounds.ruled_by),
        payable=Span(bounds.payable_from - width, bounds.payable_from),
        due=Span(bounds.due_by, bounds.due_by + width),
    )
    answers = rules.answer(pack, coarse, on=on)
    return [replace(one, outcome=Outcome.WAITS) if _is_young(one) else one for one in answers]


def assess(pack: Pack, case: str, answers: Mapping[str, Sequence[Answer]], *, on: date, sealed: str) -> Assessed:
    """The document, of the answers by bounds of each obligation and the commitment to the box with the exact ones."""
    return Assessed(
        case=case,
        on=on,
        pack=pack.id,
        pack_digest=jurisdictions.digest(pack),
        sealed=sealed,
        answers=tuple(
            Told(obligation=alias, rule=one.rule, outcome=one.outcome, facts=tuple(sorted(one.facts)))
            for alias, found in sorted(answers.items())
            for one in found
        ),
    )


def of_case(session: Session, case: str) -> str | None:
    """The document of a case's verification, or None."""
    kept = session.get(Assessment, case)
    return kept.document if kept else None


def commitment_to(document: str) -> str:
    """What an act about a document restates: its SHA-256 in hexadecimal digits."""
    return hashlib.sha256(document.encode()).hexdigest()


def _application(case: Case, obligation: Obligation, *, article: str, files: Sequence[str]) -> Application:
    """What the books hold of an obligation, but for its days."""
    return Application(
        article=article,
        kind=obligation.kind,
        issued=None,
        amount=obligation.amount(),
        received_on=case.received_on,
        files=files,
    )


def _require_same(assessed: Assessed, known_of: Mapping[str, Sequence[Answer]]) -> None:
    known = [(alias, one) for alias, found in sorted(known_of.items()) for one in found]
    if [(one.obligation, one.rule) for one in assessed.answers] != [(alias, one.rule) for alias, one in known]:
        raise AssessmentDiffers("each rule answers of each obligation", field="answers", name=None)
    for told, (_, own) in zip(assessed.answers, known, strict=True):
        if told.outcome not in _admitted(own):
            raise AssessmentDiffers("the books give another answer", field="outcome", name=own.rule)


def _is_young(one: Answer) -> bool:
    return one.rule == "after_not_before" and one.outcome is Outcome.REFUSED


def _admitted(own: Answer) -> set[Outcome]:
    """What a verifier may have been answered, where the server has this answer: an exact fact may decide it."""
    if own.outcome is Outcome.REFUSED:
        return set()
    if own.rule in BY_BOUNDS:
        return {own.outcome}
    if own.rule in _CERTAIN:
        return {Outcome.HOLDS}
    if own.outcome is Outcome.UNKNOWN:
        return {own.outcome}
    return {Outcome.HOLDS, Outcome.SHOWN, Outcome.UNKNOWN}  # the part of the article, and the days, are sealed
