"""Routes that steer a case: held, resumed, withdrawn, confirmed, closed, corrected, a duplicate, ruled on again."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from sqlmodel import Session

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.aid import Article, CaseOut, RulingOut, case_out
from api.routes.wire import Alias, AmountOnWire, BoxOnWire, Day, SignedActOnWire, TokenOnWire, Wire
from api.transactions import Tx
from ledger.aid import acts, case_acts, cases, corrections, intake, likenesses, quashing, sequels
from ledger.aid.cases import Case
from ledger.aid.corrections import Amended, Further
from ledger.aid.eligibility import Bounds
from ledger.aid.obligations import ObligationKind
from ledger.aid.sequels import Sequel
from ledger.approvals import Agreed
from ledger.bearer_keys import Caller

router = APIRouter()


class StepIn(Wire):
    """The signed act."""

    agreed: SignedActOnWire

    def by(self, caller: Caller, now: Now) -> Agreed:
        """The act as it is handed in."""
        return Agreed(self.agreed.act, self.agreed.signature, caller.operator, now)


class DuplicateIn(StepIn):
    """The reviewer's signed act, and the case that this one is again."""

    of: Alias


class SuspicionOut(Wire):
    """Cases that share the ruling, and others of what may be the same person, for a reviewer to look at.

    `to_compare` are those of the same name, of whom nobody has said whether they are this person's.
    """

    same_ruling: list[str]
    same_person: list[str]
    same_figures: list[str]
    to_compare: list[str]


class FactsIn(Wire):
    """The coarse facts of a ruling and of what it asks for, and tokens for duplicates."""

    article: Article
    region: Annotated[str, Field(pattern=r"^[a-z_]{2,20}$")]
    kind: ObligationKind
    amount: AmountOnWire
    ruled_by: Day
    payable_from: Day
    due_by: Day
    force_presumed: bool
    tokens: Annotated[list[TokenOnWire], Field(max_length=300)]

    def bounds(self) -> Bounds:
        """The bounds of its dates."""
        return Bounds(self.ruled_by, self.payable_from, self.due_by, self.force_presumed)

    def token_values(self) -> list[tuple[int, str, str]]:
        """The tokens as the ledger takes them."""
        return [(token.epoch, token.field, token.value) for token in self.tokens]


class CorrectionIn(FactsIn):
    """An intake amended: all coarse facts as they should have been, next versions of boxes, and what was looked at."""

    version: Annotated[int, Field(ge=1)]
    boxes: Annotated[list[BoxOnWire], Field(max_length=2)]


class FurtherIn(Wire):
    """One more sum that the ruling of a case leads to, its exact facts sealed, and the version that was looked at."""

    version: Annotated[int, Field(ge=1)]
    obligation: Alias
    kind: ObligationKind
    amount: AmountOnWire
    details: BoxOnWire


class SequelIn(FactsIn):
    """A new ruling on the same event: aliases the client drew, and its details sealed to the same shelf."""

    replaces: Alias
    case: Alias
    ruling: Alias
    obligation: Alias
    details: BoxOnWire


class LinkOut(RulingOut):
    """One ruling of a chain, and its case."""

    case: str
    case_state: str
    is_quashed: bool


class ChainOut(Wire):
    """All rulings on one event, the first one first."""

    rulings: list[LinkOut]


def _take(
    session: Session,
    alias: str,
    body: StepIn,
    caller: Caller,
    now: Now,
    *,
    verb: Callable[[Session, str, Agreed], Case],
) -> CaseOut:
    return case_out(session, verb(session, alias, body.by(caller, now)))


@router.post("/v1/cases/{alias}/hold", status_code=201)
def hold_case(alias: Alias, body: StepIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> CaseOut:
    """Stops a case: nothing of it is approved or released."""
    return once.keep(_take(session, alias, body, caller, now, verb=case_acts.hold_case))


@router.post("/v1/cases/{alias}/resume", status_code=201)
def resume_case(alias: Alias, body: StepIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> CaseOut:
    """Lets a case go on from where it was held."""
    return once.keep(_take(session, alias, body, caller, now, verb=case_acts.resume_case))


@router.post("/v1/cases/{alias}/withdraw", status_code=201)
def withdraw_case(alias: Alias, body: StepIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> CaseOut:
    """The beneficiary does not want the aid; what was recognised and not paid is taken back."""
    return once.keep(_take(session, alias, body, caller, now, verb=case_acts.withdraw_case))


@router.post("/v1/cases/{alias}/confirm", status_code=201)
def confirm_case(alias: Alias, body: StepIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> CaseOut:
    """Confirms the receipts of a paid case."""
    return once.keep(_take(session, alias, body, caller, now, verb=case_acts.confirm_case))


@router.post("/v1/cases/{alias}/close", status_code=201)
def close_case(alias: Alias, body: StepIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> CaseOut:
    """Closes a confirmed case of which nothing is open."""
    return once.keep(_take(session, alias, body, caller, now, verb=case_acts.close_case))


@router.get("/v1/cases/{alias}/suspicions")
def read_suspicions(alias: Alias, session: Tx, caller: Admitted) -> SuspicionOut:
    """Which cases this one may be a duplicate of: told to who has opened its evidence, which is logged."""
    case = cases.require(session, alias)
    acts.require_opened(session, case, caller.operator, acts.boxes_of(session, case))
    return SuspicionOut(
        same_ruling=intake.possible_duplicates(session, alias),
        same_person=intake.same_person(session, alias),
        same_figures=intake.same_figures(session, alias),
        to_compare=likenesses.cases_to_compare(session, case),
    )


@router.post("/v1/cases/{alias}/duplicate", status_code=201)
def mark_duplicate(alias: Alias, body: DuplicateIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> CaseOut:
    """A reviewer who has opened both confirms that this case is another one again."""
    case = case_acts.mark_duplicate(session, alias, body.by(caller, now), of=body.of)
    return once.keep(case_out(session, case))


@router.post("/v1/cases/{alias}/correction", status_code=201)
def correct_case(alias: Alias, body: CorrectionIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> CaseOut:
    """Amends an intake that nobody has verified yet."""
    amended = Amended(
        article=body.article,
        region=body.region,
        kind=body.kind,
        amount=body.amount.money(),
        bounds=body.bounds(),
        boxes=[box.box() for box in body.boxes],
        tokens=body.token_values(),
    )
    case = corrections.correct(session, alias, amended, version=body.version, by=caller.operator.alias, on=now.date())
    return once.keep(case_out(session, case))


@router.post("/v1/cases/{alias}/obligations", status_code=201)
def add_obligation(alias: Alias, body: FurtherIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> CaseOut:
    """Adds a sum to a case that nobody has verified yet: a fee of the court or a bill beside the fine."""
    further = Further(body.obligation, body.kind, body.amount.money(), body.details.box())
    corrections.add_obligation(session, alias, further, version=body.version, by=caller.operator.alias, on=now.date())
    return once.keep(case_out(session, cases.require(session, alias)))


@router.post("/v1/cases/{alias}/obligations/correction", status_code=201)
def correct_obligation(
    alias: Alias, body: FurtherIn, session: Tx, caller: Admitted, now: Now, once: Claimed
) -> CaseOut:
    """Amends a sum that was added to a case which nobody has verified yet; its details are sealed anew."""
    amended = Further(body.obligation, body.kind, body.amount.money(), body.details.box())
    by, on = caller.operator.alias, now.date()
    corrections.correct_obligation(session, alias, amended, version=body.version, by=by, on=on)
    return once.keep(case_out(session, cases.require(session, alias)))


@router.get("/v1/cases/{alias}/rulings")
def read_chain(alias: Alias, session: Tx, _caller: Admitted) -> ChainOut:
    """All rulings on the event of a case, whichever of them it rests on."""
    cases.require(session, alias)
    return ChainOut(
        rulings=[
            LinkOut(
                **ruling.model_dump(include=set(RulingOut.model_fields)),
                case=ruling.case_alias,
                case_state=cases.require(session, ruling.case_alias).state,
                is_quashed=quashing.is_quashed(session, ruling.alias),
            )
            for ruling in sequels.chain_of(session, alias)
        ]
    )


@router.post("/v1/cases/{alias}/rulings", status_code=201)
def add_ruling(alias: Alias, body: SequelIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> CaseOut:
    """Enters a new ruling on the event of a case whose ruling was quashed: a new case that goes the whole way again."""
    sequel = Sequel(
        case=body.case,
        ruling=body.ruling,
        obligation=body.obligation,
        article=body.article,
        region=body.region,
        kind=body.kind,
        amount=body.amount.money(),
        bounds=body.bounds(),
        details=body.details.box(),
        tokens=body.token_values(),
    )
    case = sequels.receive(
        session,
        body.replaces,
        sequel,
        of_case=alias,
        entered_by=caller.operator.alias,
        recorded_at=now,
    )
    return once.keep(case_out(session, case))
