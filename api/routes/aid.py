"""Routes of aid: imports of sealed rows, cases, verification and rejection."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field, StringConstraints, ValidationError
from sqlmodel import Session

from api.authentication import Admitted, Now
from api.idempotency import Body, Claimed
from api.problems import place_of
from api.routes.evidence import EvidenceOut
from api.routes.wire import Alias, AmountOnWire, BoxOnWire, Day, Page, ShelfOnWire, SignedActOnWire, TokenOnWire, Wire
from api.transactions import Tx
from ledger.aid import acts, cases, disbursements, intake, obligations, rulings
from ledger.aid.assessments import Assessed, NewAssessment
from ledger.aid.cases import Case
from ledger.aid.eligibility import Bounds, Rejection
from ledger.aid.obligations import Obligation, ObligationKind
from ledger.approvals import Agreed
from ledger.errors import BadInput
from ledger.money import Money

router = APIRouter()

MOST_ROWS = 500
"""The most rows of one import request."""
PAGE = 100
"""How many items a list answers by default."""

Article = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,4}(\.[0-9]{1,3}){0,3}$")]
"""The number of an article, and no word: a name would fit."""


class BadImport(BadInput):
    """A request that is not 1 to 500 rows of JSON; `where` names the line."""

    rule = "bad_import"


class RowIn(Wire):
    """One application: aliases the client drew, coarse facts, and everything else sealed."""

    case: Alias
    ruling: Alias
    obligation: Alias
    jurisdiction: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{2,10}$")]
    article: Article
    region: Annotated[str, StringConstraints(pattern=r"^[a-z_]{2,20}$")]
    kind: ObligationKind
    amount: AmountOnWire
    ruled_by: Day
    payable_from: Day
    due_by: Day
    force_presumed: bool
    rejection: Rejection | None
    shelf: ShelfOnWire
    boxes: Annotated[list[BoxOnWire], Field(max_length=10)]
    tokens: Annotated[list[TokenOnWire], Field(max_length=300)]

    def row(self) -> intake.Row:
        """The row as intake takes it."""
        return intake.Row(
            beneficiary=self.shelf.alias,
            case=self.case,
            ruling=self.ruling,
            obligation=self.obligation,
            jurisdiction=self.jurisdiction,
            article=self.article,
            region=self.region,
            kind=self.kind,
            amount=self.amount.money(),
            bounds=Bounds(self.ruled_by, self.payable_from, self.due_by, self.force_presumed),
            rejection=self.rejection,
            shelf=self.shelf.shelf(),
            boxes=[box.box() for box in self.boxes],
            tokens=[(token.epoch, token.field, token.value) for token in self.tokens],
        )


class ImportOut(Wire):
    """How many rows were taken in; rows that came before look the same."""

    accepted: int


class ObligationOut(Wire):
    """What is owed, and what of it payments that stand have paid."""

    alias: str
    ruling: str
    kind: str
    state: str
    amount: AmountOnWire
    paid: AmountOnWire
    fund: str | None
    told_on: date | None

    @classmethod
    def of(cls, obligation: Obligation, *, paid: Money) -> "ObligationOut":
        """An obligation as the wire has it."""
        return cls(
            alias=obligation.alias,
            ruling=obligation.ruling_alias,
            kind=obligation.kind,
            state=obligation.state,
            amount=AmountOnWire.of(obligation.amount()),
            paid=AmountOnWire.of(paid),
            fund=obligation.fund_code,
            told_on=obligation.told_on,
        )


class RulingOut(Wire):
    """A ruling's coarse facts."""

    alias: str
    article: str
    region: str
    ruled_by: date
    payable_from: date
    due_by: date
    force_presumed: bool
    replaces: str | None


class CaseSummary(Wire):
    """A case in a list."""

    alias: str
    state: str
    rejection: str | None
    version: int
    received_on: date
    due_by: date
    state_since: date
    resumes_as: str | None
    duplicate_of: str | None


class CaseOut(CaseSummary):
    """A case with everything an act about it restates."""

    beneficiary: str
    jurisdiction: str
    owed: AmountOnWire
    evidence_commitments: list[str]
    evidence: list[EvidenceOut]
    duplicates: list[str]
    rulings: list[RulingOut]
    obligations: list[ObligationOut]


class CasesOut(Page):
    """A page of cases."""

    cases: list[CaseSummary]


class VerifyIn(Wire):
    """The verifier's signed act, which commits to `assessed`; `box` holds what the rules answered on exact facts.

    `not_duplicates` are cases they looked at and found to be others.
    """

    agreed: SignedActOnWire
    assessed: Assessed
    box: BoxOnWire
    not_duplicates: Annotated[tuple[Alias, ...], Field(max_length=100)] = ()


class RejectIn(Wire):
    """The rejecting person's signed act, and the code."""

    agreed: SignedActOnWire
    because: Rejection


class ToldIn(Wire):
    """The day on which the beneficiary was told that the fund pays."""

    told_on: Day


def _read_rows(body: Body) -> list[RowIn]:
    lines = body.splitlines()
    if not 0 < len(lines) <= MOST_ROWS:
        raise BadImport(f"an import has 1 to {MOST_ROWS} rows", where="body", rows=len(lines))
    return list(_parse(lines))


def _parse(lines: list[bytes]) -> Iterator[RowIn]:
    for number, line in enumerate(lines, start=1):
        try:
            yield RowIn.model_validate_json(line)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False, include_context=False)[0]
            where = f"line {number}: {place_of(first)}"
            raise BadImport("a row cannot be read", where=where, reason=first["type"]) from None


@router.post("/v1/case-imports", status_code=201)
def import_cases(
    request: Request,
    rows: Annotated[list[RowIn], Depends(_read_rows)],
    session: Tx,
    caller: Admitted,
    now: Now,
    once: Claimed,
) -> ImportOut:
    """Takes up to 500 sealed rows (NDJSON), all or none; a row that came before is passed over in silence."""
    intake.receive_all(
        session,
        [row.row() for row in rows],
        entered_by=caller.operator,
        recorded_at=now,
        shred_keys=request.app.state.shred_keys,
    )
    return once.keep(ImportOut(accepted=len(rows)))


@router.get("/v1/cases")
def list_cases(
    session: Tx,
    _caller: Admitted,
    state: cases.State | None = None,
    cursor: Alias | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = PAGE,
) -> CasesOut:
    """A page of cases in the order of their aliases."""
    found = cases.page(session, state=state, after=cursor or "", limit=limit)
    return CasesOut(
        cases=[CaseSummary.model_validate(case.model_dump(include=set(CaseSummary.model_fields))) for case in found],
        next=found[-1].alias if len(found) == limit else None,
    )


@router.get("/v1/cases/{alias}")
def read_case(alias: Alias, session: Tx, _caller: Admitted) -> CaseOut:
    """A case with everything an act about it restates."""
    return case_out(session, cases.require(session, alias))


@router.post("/v1/cases/{alias}/verify", status_code=201)
def verify_case(alias: Alias, body: VerifyIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> CaseOut:
    """Verifies a case: the rules were asked about its exact dates, and what they answered is signed."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    assessment = NewAssessment(body.assessed, body.box.box())
    case = acts.verify_case(session, alias, agreed, assessment=assessment, not_duplicates=body.not_duplicates)
    return once.keep(case_out(session, case))


@router.post("/v1/cases/{alias}/reject", status_code=201)
def reject_case(alias: Alias, body: RejectIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> CaseOut:
    """Rejects a case with a code."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    case = acts.reject_case(session, alias, agreed, because=body.because)
    return once.keep(case_out(session, case))


@router.post("/v1/cases/{alias}/told", status_code=201)
def note_told(alias: Alias, body: ToldIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> CaseOut:
    """Notes that the beneficiary was told of all that is approved by now; what is in force becomes a liability.

    Of what is approved later they are told anew.
    """
    case = cases.require(session, alias)
    owed = obligations.of_case(session, alias)
    waiting = [one for one in owed if one.state is obligations.State.APPROVED and one.told_on is None]
    for obligation in waiting or owed:
        obligations.tell(
            session,
            obligation,
            told_on=body.told_on,
            today=now.date(),
            recorded_at=now,
            recorded_by=caller.operator.alias,
        )
    return once.keep(case_out(session, case))


def case_out(session: Session, case: Case) -> CaseOut:
    """A case as the wire has it; which others may be its duplicates is told to reviewers only."""
    return CaseOut(
        **case.model_dump(include=set(CaseSummary.model_fields)),
        beneficiary=case.beneficiary_alias,
        jurisdiction=case.jurisdiction,
        owed=AmountOnWire.of(acts.owed(session, case)),
        evidence_commitments=acts.evidence_of(session, case),
        evidence=[EvidenceOut.of(file) for file in acts.files_of(session, case)],
        duplicates=[other.alias for other in cases.duplicates_of(session, case.alias)],
        rulings=[
            RulingOut.model_validate(ruling.model_dump(include=set(RulingOut.model_fields)))
            for ruling in rulings.of_case(session, case.alias)
        ],
        obligations=[
            ObligationOut.of(obligation, paid=disbursements.paid(session, obligation))
            for obligation in obligations.of_case(session, case.alias)
        ],
    )
