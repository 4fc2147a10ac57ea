"""Routes of batches: many payments asked for at once, locked, agreed to by one signature, released; their results."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field, StringConstraints
from sqlmodel import Session, col, select

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.aid import PAGE, ObligationOut, RulingOut
from api.routes.evidence import EvidenceOut
from api.routes.wire import (
    Alias,
    AmountOnWire,
    BoxOnWire,
    Code,
    CurrencyCode,
    Day,
    DayCursor,
    Digest,
    Page,
    SignedActOnWire,
    Wire,
    place_of,
)
from api.transactions import Tx
from ledger.aid import agents_lists, batch_acts, batch_lines, batches, disbursements, results
from ledger.aid.batch_lines import Item, Outcome, Receipt
from ledger.aid.batches import Batch, NewLine, Untold
from ledger.aid.cases import Case
from ledger.aid.disbursements import Payee
from ledger.aid.obligations import Obligation, ObligationKind
from ledger.aid.results import Early, Result
from ledger.aid.rulings import Ruling
from ledger.approvals import Agreed
from ledger.errors import BadInput
from ledger.identities import evidence, shelves
from ledger.money import Money

router = APIRouter()

ListCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{6}$")]


class BadPayees(BadInput):
    """A line's box is not the sealed payee of its disbursement; `line` counts from 1."""

    rule = "bad_payee"


class CaseFacts(Wire):
    """What a client holds against a case's boxes before it signs."""

    alias: str
    beneficiary: str
    jurisdiction: str
    received_on: date
    rulings: list[RulingOut]
    obligations: list[ObligationOut]
    evidence_commitments: list[str]
    evidence: list[EvidenceOut]


class CandidateOut(Wire):
    """An obligation that a batch can pay."""

    alias: str
    kind: str
    amount: AmountOnWire
    case: CaseFacts


class CandidatesOut(Page):
    """A page of obligations that wait for a payment to be asked for."""

    obligations: list[CandidateOut]


class LineIn(Wire):
    """One line: which obligation, and who is paid, sealed to the beneficiary's shelf.

    Without an `amount` it pays all that is left.
    `court_token` is a keyed hash of the court, made for this agent alone: told when an agent's courts are counted.
    """

    disbursement: Alias
    obligation: Alias
    payee: Payee
    payee_box: BoxOnWire
    court_token: Digest | None = None
    amount: AmountOnWire | None = None


class FundsIn(Wire):
    """Which fund pays which kind."""

    fine: Code | None = None
    detention: Code | None = None
    court_fee: Code | None = None
    bail: Code | None = None

    def by_kind(self) -> dict[ObligationKind, str]:
        """The funds that are told."""
        return {kind: fund for kind in ObligationKind if (fund := getattr(self, kind)) is not None}


class BatchIn(Wire):
    """Asks for many obligations to be paid: from a bank leaf, or by an agent from their purse."""

    alias: Alias
    agent: Alias | None
    account: Code
    funds: FundsIn
    lines: Annotated[list[LineIn], Field(min_length=1, max_length=batches.MOST_LINES)]


class LineOut(Wire):
    """One line with everything that is agreed of it; `code` names it on an agent's list."""

    disbursement: str
    obligation: str
    kind: str
    state: str
    payee: str
    payee_commitment: str
    fund: str
    amount: AmountOnWire
    reference: str
    code: str | None
    court_token: str | None
    outcome: str | None
    receipt: str | None
    excluded: str | None
    case: CaseFacts


class BatchSummary(Wire):
    """A batch in a list; `digest` is over its lines, once they are locked."""

    alias: str
    agent: str | None
    account: str
    state: str
    version: int
    digest: str | None
    amount: AmountOnWire
    released_on: date | None


class BatchOut(BatchSummary):
    """A batch with its lines, in the order that the digest is over."""

    lines: list[LineOut]


class BatchesOut(Wire):
    """Batches, by alias."""

    batches: list[BatchSummary]


class UntoldOut(Wire):
    """A line of which nobody can have been told: by which rule, and from which day on they can."""

    disbursement: str
    case: str
    rule: str
    earliest: date | None


class BatchToldOut(BatchSummary):
    """A batch whose beneficiaries were told, but for those of the lines in `refused`."""

    refused: list[UntoldOut]


class ReleaseBatchIn(Wire):
    """The treasurer's signed act."""

    agreed: SignedActOnWire


class BatchToldIn(Wire):
    """The day on which the beneficiaries were told that the fund pays."""

    told_on: Day


class ResultIn(Wire):
    """What became of a line. `paid_by` is the end of the week of payment (the day itself where the pack says so).

    `early` tells that, by the exact days, it was paid before its ruling was in force, or before its release.
    """

    code: ListCode
    outcome: Outcome
    receipt: Receipt
    paid_by: Day | None = None
    verified_on: Day | None = None
    receipt_box: BoxOnWire | None = None
    early: Early | None = None

    def result(self) -> Result:
        """The result as the ledger takes it."""
        box = self.receipt_box.box() if self.receipt_box else None
        return Result(self.code, self.outcome, self.receipt, self.paid_by, self.verified_on, box, self.early)


class ResultsIn(Wire):
    """The results of one list, or of some of its lines."""

    results: Annotated[list[ResultIn], Field(min_length=1, max_length=batches.MOST_LINES)]


@router.get("/v1/obligations")
def list_candidates(
    session: Tx,
    _caller: Admitted,
    kind: ObligationKind | None = None,
    currency: CurrencyCode | None = None,
    jurisdiction: Code | None = None,
    cursor: DayCursor | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = PAGE,
) -> CandidatesOut:
    """A page of what verified cases owe and nobody has asked to pay yet, or not all of it; the next deadline first."""
    found = batches.candidates(
        session,
        after=place_of(cursor),
        limit=limit,
        kind=kind,
        currency=currency,
        jurisdiction=jurisdiction,
    )
    asked = disbursements.taken(session, [one.alias for one in found])
    of = {obligation.case_alias for obligation in found}
    owing = session.exec(select(Case).where(col(Case.alias).in_(of))).all()
    due_by, facts = {case.alias: case.due_by for case in owing}, _facts(session, owing)
    last = found[-1] if len(found) == limit else None
    return CandidatesOut(
        obligations=[
            CandidateOut(
                alias=obligation.alias,
                kind=obligation.kind,
                amount=AmountOnWire.of(
                    Money(obligation.payable().minor - asked[obligation.alias], obligation.currency)
                ),
                case=facts[obligation.case_alias],
            )
            for obligation in found
        ],
        next=f"{due_by[last.case_alias]}~{last.alias}" if last else None,
    )


@router.get("/v1/batches")
def list_batches(session: Tx, _caller: Admitted, state: batches.State | None = None) -> BatchesOut:
    """All batches, or those in a state."""
    return BatchesOut(batches=[BatchSummary(**_summary(batch)) for batch in batches.listed(session, state=state)])


@router.get("/v1/batches/{alias}")
def read_batch(alias: Alias, session: Tx, _caller: Admitted) -> BatchOut:
    """A batch with its lines and what their cases rest on."""
    return _batch(session, batches.require(session, alias))


@router.post("/v1/batches", status_code=201)
def create_batch(body: BatchIn, session: Tx, caller: Admitted, once: Claimed) -> BatchSummary:
    """Asks for up to 1,000 obligations to be paid together."""
    boxes = [line.payee_box.box() for line in body.lines]
    for number, (line, box) in enumerate(zip(body.lines, boxes, strict=True), start=1):
        if (box.kind, box.alias, box.field) != ("disbursement", line.disbursement, "payee"):
            raise BadPayees("the box is the payee of the line's disbursement", where="payee_box", line=number)
    created = batches.create(
        session,
        body.alias,
        agent=body.agent,
        account=body.account,
        fund_of=body.funds.by_kind(),
        lines=[
            NewLine(
                line.disbursement,
                line.obligation,
                line.payee,
                box.commitment,
                line.court_token,
                line.amount.money() if line.amount else None,
            )
            for line, box in zip(body.lines, boxes, strict=True)
        ],
        requested_by=caller.operator.alias,
    )
    of = [item.case.beneficiary_alias for item in batch_lines.items(session, created.alias)]
    shelves.keep_on_shelves(session, zip(of, boxes, strict=True))
    return once.keep(BatchSummary(**_summary(created)))


@router.post("/v1/batches/{alias}/lock", status_code=201)
def lock_batch(alias: Alias, session: Tx, _caller: Admitted, once: Claimed) -> BatchSummary:
    """Fixes the lines."""
    batch = batches.require(session, alias, lock=True)
    batches.lock(session, batch)
    return once.keep(BatchSummary(**_summary(batch)))


@router.post("/v1/batches/{alias}/cancel", status_code=201)
def cancel_batch(alias: Alias, session: Tx, _caller: Admitted, now: Now, once: Claimed) -> BatchSummary:
    """Withdraws a batch that was not released."""
    batch = batches.require(session, alias, lock=True)
    batches.cancel(session, batch, on=now.date())
    return once.keep(BatchSummary(**_summary(batch)))


@router.post("/v1/batches/{alias}/told", status_code=201)
def note_batch_told(
    alias: Alias, body: BatchToldIn, session: Tx, caller: Admitted, now: Now, once: Claimed
) -> BatchToldOut:
    """Notes that everybody in the batch was told who can have been; what is in force is recognised."""
    batch = batches.require(session, alias, lock=True)
    untold = batches.tell(
        session,
        batch,
        told_on=body.told_on,
        today=now.date(),
        recorded_at=now,
        recorded_by=caller.operator.alias,
    )
    return once.keep(BatchToldOut.model_validate(_summary(batch) | {"refused": [_untold(one) for one in untold]}))


@router.post("/v1/batches/{alias}/release", status_code=201)
def release_batch(
    alias: Alias, body: ReleaseBatchIn, session: Tx, caller: Admitted, now: Now, once: Claimed
) -> BatchSummary:
    """Releases an approved batch to the bank, or to its agent."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    return once.keep(BatchSummary(**_summary(batch_acts.release_batch(session, alias, agreed))))


@router.post("/v1/batches/{alias}/results", status_code=201)
def enter_results(
    alias: Alias, body: ResultsIn, session: Tx, caller: Admitted, now: Now, once: Claimed
) -> BatchSummary:
    """Enters what became of an agent's lines, by their codes; all of it, or nothing."""
    agents_lists.remove_expired(session, on=now.date())
    batch = results.enter(
        session,
        alias,
        [one.result() for one in body.results],
        recorded_at=now,
        recorded_by=caller.operator.alias,
    )
    return once.keep(BatchSummary(**_summary(batch)))


def _summary(batch: Batch) -> dict[str, object]:
    return {
        "alias": batch.alias,
        "agent": batch.agent_alias,
        "account": batch.account_code,
        "state": batch.state,
        "version": batch.version,
        "digest": batch.digest,
        "amount": AmountOnWire.of(batch.amount()),
        "released_on": batch.released_on,
    }


def _untold(one: Untold) -> dict[str, object]:
    return {
        "disbursement": one.item.disbursement.alias,
        "case": one.item.case.alias,
        "rule": one.refusal.rule,
        "earliest": one.refusal.data.get("earliest"),
    }


def _batch(session: Session, batch: Batch) -> BatchOut:
    found = batch_lines.items(session, batch.alias)
    facts = _facts(session, [item.case for item in found])
    return BatchOut.model_validate(_summary(batch) | {"lines": [_line(item, facts) for item in found]})


def _line(item: Item, facts: dict[str, CaseFacts]) -> LineOut:
    disbursement = item.disbursement
    return LineOut(
        disbursement=disbursement.alias,
        obligation=disbursement.obligation_alias,
        kind=item.obligation.kind,
        state=disbursement.state,
        payee=disbursement.payee,
        payee_commitment=disbursement.payee_commitment,
        fund=disbursement.fund_code,
        amount=AmountOnWire.of(disbursement.amount()),
        reference=disbursement.reference,
        code=item.line.code,
        court_token=item.line.court_token,
        outcome=item.line.outcome,
        receipt=item.line.receipt,
        excluded=item.left_out(),
        case=facts[item.case.alias],
    )


def _facts(session: Session, cases: Iterable[Case]) -> dict[str, CaseFacts]:
    """What the cases rest on, by alias, in six queries."""
    by_alias = {case.alias: case for case in cases}
    rulings: dict[str, list[RulingOut]] = {alias: [] for alias in by_alias}
    owed: dict[str, list[ObligationOut]] = {alias: [] for alias in by_alias}
    for ruling in session.exec(select(Ruling).where(col(Ruling.case_alias).in_(by_alias))):
        out = RulingOut.model_validate(ruling.model_dump(include=set(RulingOut.model_fields)))
        rulings[ruling.case_alias].append(out)
    found = session.exec(select(Obligation).where(col(Obligation.case_alias).in_(by_alias))).all()
    paid = disbursements.taken(session, [one.alias for one in found], states=(disbursements.State.PAID,))
    for obligation in found:
        of_it = Money(paid[obligation.alias], obligation.currency)
        owed[obligation.case_alias].append(ObligationOut.of(obligation, paid=of_it))
    commitments = batch_acts.evidence_of(session, by_alias.values())
    files = evidence.current(session, by_alias)
    return {
        alias: CaseFacts(
            alias=alias,
            beneficiary=case.beneficiary_alias,
            jurisdiction=case.jurisdiction,
            received_on=case.received_on,
            rulings=sorted(rulings[alias], key=lambda one: (one.ruled_by, one.alias)),
            obligations=sorted(owed[alias], key=lambda one: one.alias),
            evidence_commitments=commitments[alias],
            evidence=[EvidenceOut.of(file) for file in files[alias]],
        )
        for alias, case in by_alias.items()
    }
