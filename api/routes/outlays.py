"""Routes of outlays: what agents laid out of their own and is to be repaid from a bank leaf."""

from datetime import date

from fastapi import APIRouter, Request
from sqlmodel import Session

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import Alias, AmountOnWire, BoxOnWire, Code, ShelfOnWire, Wire
from api.transactions import Tx
from ledger.aid import agents, outlays, payment_files
from ledger.aid.outlays import NewRepayment, Repayment, UnknownRepayment
from ledger.identities import shelves

router = APIRouter()


class RepaymentIn(Wire):
    """What is to leave a bank leaf, for how much of what the fund owes the agent; the same in one currency.

    With the payee sealed on a shelf of its own in the people's vault, it can stand in a payment file.
    """

    alias: Alias
    fund: Code
    account: Code
    amount: AmountOnWire
    settles: AmountOnWire
    shelf: ShelfOnWire | None = None
    payee_box: BoxOnWire | None = None


class RepaymentOut(Wire):
    """A repayment with everything an act about it restates; `reference` is all the bank is told."""

    alias: str
    agent: str
    fund: str
    account: str
    state: str
    version: int
    amount: AmountOnWire
    settles: AmountOnWire
    reference: str
    requested_by: str
    approved_by: str | None
    paid_on: date | None
    commitment: str
    payee_commitment: str | None

    @classmethod
    def of(cls, repayment: Repayment) -> "RepaymentOut":
        """A repayment as the wire has it."""
        return cls(
            alias=repayment.alias,
            agent=repayment.agent_alias,
            fund=repayment.fund_code,
            account=repayment.account_code,
            state=repayment.state,
            version=repayment.version,
            amount=AmountOnWire.of(repayment.amount()),
            settles=AmountOnWire.of(repayment.settles()),
            reference=repayment.reference,
            requested_by=repayment.requested_by,
            approved_by=repayment.approved_by,
            paid_on=repayment.paid_on,
            commitment=outlays.commitment_of(repayment),
            payee_commitment=repayment.payee_commitment,
        )


class RepaymentsOut(Wire):
    """The repayments to an agent; `filed` are those that stand in a payment file."""

    repayments: list[RepaymentOut]
    filed: list[str]


@router.get("/v1/agents/{alias}/outlays")
def list_repayments(alias: Alias, session: Tx, _caller: Admitted) -> RepaymentsOut:
    """What was, or is to be, repaid to an agent."""
    agent = agents.require(session, alias)
    found = outlays.listed(session, agent=agent.alias)
    filed = sorted(payment_files.filed(session, [one.alias for one in found]))
    return RepaymentsOut(repayments=[RepaymentOut.of(one) for one in found], filed=filed)


@router.post("/v1/agents/{alias}/outlays", status_code=201)
def request_repayment(
    alias: Alias, body: RepaymentIn, request: Request, session: Tx, caller: Admitted, once: Claimed
) -> RepaymentOut:
    """Asks for an agent's outlay to be repaid; another person agrees to it."""
    shelf = body.shelf.shelf() if body.shelf else None
    payee = body.payee_box.box() if body.payee_box else None
    if (shelf and (shelf.alias, shelf.vault)) != (payee and (body.alias, "people")):
        raise outlays.BadRepayment("a payee's shelf is the repayment's, in the people's vault", where="shelf")
    if payee is not None and (payee.kind, payee.alias, payee.field) != ("repayment", body.alias, "payee"):
        raise outlays.BadRepayment("the box is the payee of this repayment", where="payee_box")
    new = NewRepayment(
        alias=body.alias,
        agent=alias,
        fund=body.fund,
        account=body.account,
        amount=body.amount.money(),
        settles=body.settles.money(),
        payee_commitment=payee.commitment if payee else None,
    )
    asked = outlays.request(session, new, by=caller.operator.alias)
    if shelf is not None and payee is not None:
        shelves.put_up(session, shelf, signer=caller.operator, shred_keys=request.app.state.shred_keys)
        shelves.keep(session, [payee], shelf=body.alias)
    return once.keep(RepaymentOut.of(asked))


@router.post("/v1/agents/{alias}/outlays/{repayment}/cancel", status_code=201)
def cancel_repayment(
    alias: Alias, repayment: Alias, session: Tx, _caller: Admitted, now: Now, once: Claimed
) -> RepaymentOut:
    """Gives up a repayment that the bank has not shown, and no file tells it to pay; what was held for it is free."""
    found = _of_agent(session, repayment, agent=alias)
    payment_files.require_unfiled(session, [found.alias])
    outlays.cancel(session, found, on=now.date())
    return once.keep(RepaymentOut.of(found))


def _of_agent(session: Session, alias: str, *, agent: str) -> Repayment:
    found = outlays.require(session, alias, lock=True)
    if found.agent_alias != agent:
        raise UnknownRepayment("no repayment has this alias")
    return found
