"""Routes of paying: disbursements asked for, approved by a second signature, released."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from sqlmodel import Session

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.aid import PAGE
from api.routes.wire import Alias, AmountOnWire, BoxOnWire, Code, Page, SignedActOnWire, Wire
from api.transactions import Tx
from ledger import approvals, publications
from ledger.aid import (
    acts,
    agent_acts,
    batch_acts,
    batch_lines,
    cases,
    disbursements,
    line_failures,
    obligations,
    order_failures,
    payment_files,
)
from ledger.aid.disbursements import Disbursement, Payee
from ledger.approvals import Agreed, SignedAct
from ledger.errors import BadInput
from ledger.giving import bank_refunds, gift_returns, in_kind, purpose_versions
from ledger.identities import shelves
from ledger.reconciliation import confirmations, resolutions
from ledger.treasury import conversion_acts, transfers

router = APIRouter()


class BadPayee(BadInput):
    """The payee's box is not the sealed payee of this disbursement."""

    rule = "bad_payee"


class DisbursementIn(Wire):
    """Asks for an obligation to be paid; who receives it is sealed to the beneficiary's shelf.

    Without an `amount`, all that is left of it.
    """

    alias: Alias
    obligation: Alias
    payee: Payee
    payee_box: BoxOnWire
    fund: Code
    account: Code
    amount: AmountOnWire | None = None


class DisbursementOut(Wire):
    """A disbursement with everything an act about it restates. `reference` is all the bank is told of the purpose."""

    alias: str
    case: str
    obligation: str
    state: str
    version: int
    payee: str
    payee_commitment: str
    fund: str
    account: str
    amount: AmountOnWire
    reference: str
    paid_on: date | None
    returned_on: date | None

    @classmethod
    def of(cls, disbursement: Disbursement) -> "DisbursementOut":
        """A disbursement as the wire has it."""
        return cls(
            alias=disbursement.alias,
            case=disbursement.case_alias,
            obligation=disbursement.obligation_alias,
            state=disbursement.state,
            version=disbursement.version,
            payee=disbursement.payee,
            payee_commitment=disbursement.payee_commitment,
            fund=disbursement.fund_code,
            account=disbursement.account_code,
            amount=AmountOnWire.of(disbursement.amount()),
            reference=disbursement.reference,
            paid_on=disbursement.paid_on,
            returned_on=disbursement.returned_on,
        )


class DisbursementsOut(Page):
    """A page of disbursements; `filed` are those that stand in a payment file."""

    disbursements: list[DisbursementOut]
    filed: list[str]


class ReleaseIn(Wire):
    """The treasurer's signed act."""

    agreed: SignedActOnWire


class ApprovalIn(Wire):
    """A second signature, on what pays, on an agent, or on a draft for publication."""

    verb: Literal[
        "approve_disbursement",
        "approve_batch",
        "approve_advance",
        "activate_agent",
        "approve_purse_movement",
        "approve_outlay",
        "agree_failure",
        "agree_unexecuted",
        "confirm_return",
        "agree_resolution",
        "agree_loss",
        "approve_conversion",
        "approve_transfer",
        "approve_refund",
        "approve_gift_return",
        "approve_gift_in_kind",
        "approve_publication",
        "approve_purpose",
    ]
    object: Alias
    agreed: SignedActOnWire


class ApprovalOut(Wire):
    """What was agreed to."""

    verb: str
    object: str
    signer: str
    recorded_at: datetime
    document: str
    signature: str

    @classmethod
    def of(cls, kept: SignedAct) -> "ApprovalOut":
        """A kept act as the wire has it."""
        return cls.model_validate(kept.model_dump(include=set(cls.model_fields)))


class ApprovalsOut(Wire):
    """The acts about one object."""

    approvals: list[ApprovalOut]


@router.get("/v1/disbursements")
def list_disbursements(
    session: Tx,
    _caller: Admitted,
    state: disbursements.State | None = None,
    cursor: Alias | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = PAGE,
) -> DisbursementsOut:
    """A page of disbursements in the order of their aliases."""
    found = disbursements.page(session, state=state, after=cursor or "", limit=limit)
    return DisbursementsOut(
        disbursements=[DisbursementOut.of(disbursement) for disbursement in found],
        filed=sorted(payment_files.filed(session, [one.alias for one in found])),
        next=found[-1].alias if len(found) == limit else None,
    )


@router.post("/v1/disbursements", status_code=201)
def request_disbursement(body: DisbursementIn, session: Tx, caller: Admitted, once: Claimed) -> DisbursementOut:
    """Asks for an obligation to be paid."""
    box = body.payee_box.box()
    if (box.kind, box.alias, box.field) != ("disbursement", body.alias, "payee"):
        raise BadPayee("the box is the payee of this disbursement", where="payee_box")
    obligation = obligations.require(session, body.obligation)
    requested = disbursements.request(
        session,
        body.alias,
        obligation=obligation,
        payee=body.payee,
        payee_commitment=box.commitment,
        fund=body.fund,
        account=body.account,
        requested_by=caller.operator.alias,
        amount=body.amount.money() if body.amount else None,
    )
    shelves.keep(session, [box], shelf=cases.require(session, obligation.case_alias).beneficiary_alias)
    return once.keep(DisbursementOut.of(requested))


@router.post("/v1/disbursements/{alias}/release", status_code=201)
def release_disbursement(
    alias: Alias, body: ReleaseIn, session: Tx, caller: Admitted, now: Now, once: Claimed
) -> DisbursementOut:
    """Releases an approved disbursement to the bank."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    return once.keep(DisbursementOut.of(acts.release_disbursement(session, alias, agreed)))


@router.post("/v1/disbursements/{alias}/cancel", status_code=201)
def cancel_disbursement(alias: Alias, session: Tx, now: Now, once: Claimed) -> DisbursementOut:
    """Withdraws a disbursement that was not released; what its fund held for it is free."""
    disbursement = disbursements.require(session, alias, lock=True)
    batch_lines.require_single(session, alias)
    disbursements.cancel(session, disbursement, on=now.date())
    return once.keep(DisbursementOut.of(disbursement))


@router.get("/v1/approvals")
def list_approvals(session: Tx, _caller: Admitted, of: Alias) -> ApprovalsOut:
    """The signed acts about one object, so that anybody with the roster can check them again."""
    return ApprovalsOut(approvals=[ApprovalOut.of(kept) for kept in approvals.of_object(session, of)])


@router.post("/v1/approvals", status_code=201)
def approve(body: ApprovalIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> ApprovalOut:
    """Gives the second signature: what was asked for is approved, the agent is activated, or the draft is published."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    _EFFECTS[body.verb](session, body.object, agreed)
    kept = session.get_one(SignedAct, body.agreed.act.nonce)
    return once.keep(ApprovalOut.of(kept))


_EFFECTS: dict[str, Callable[[Session, str, Agreed], object]] = {
    "approve_disbursement": acts.approve_disbursement,
    "approve_batch": batch_acts.approve_batch,
    "approve_advance": agent_acts.approve_advance,
    "activate_agent": agent_acts.activate_agent,
    "approve_purse_movement": agent_acts.approve_movement,
    "approve_outlay": agent_acts.approve_outlay,
    "agree_failure": line_failures.agree,
    "agree_unexecuted": order_failures.agree,
    "confirm_return": confirmations.confirm_return,
    "agree_resolution": resolutions.agree,
    "agree_loss": resolutions.agree,
    "approve_conversion": conversion_acts.approve,
    "approve_transfer": transfers.approve,
    "approve_refund": bank_refunds.approve,
    "approve_gift_return": gift_returns.approve,
    "approve_gift_in_kind": in_kind.agree,
    "approve_publication": lambda session, alias, agreed: publications.approve(session, alias, agreed=agreed),
    "approve_purpose": purpose_versions.approve,
}
"""What each second signature does."""
