"""Routes of quashed rulings: that one fell away, and what its authority owes back."""

from datetime import date

from fastapi import APIRouter
from sqlmodel import select

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import Alias, AmountOnWire, SignedActOnWire, Wire
from api.transactions import Tx
from ledger.aid import acts, quashing
from ledger.aid.obligations import Obligation
from ledger.aid.quashing import Refund
from ledger.approvals import Agreed

router = APIRouter()


class QuashIn(Wire):
    """The signed act of the person who has the new decision in their hands."""

    agreed: SignedActOnWire


class QuashedOut(Wire):
    """The obligations of a quashed ruling, and where they stand now."""

    ruling: str
    obligations: dict[str, str]


class RefundOut(Wire):
    """What an authority owes back; `reference` is what its payment is to carry."""

    obligation: str
    case: str
    reference: str
    amount: AmountOnWire
    due_since: date
    received_on: date | None


class RefundsOut(Wire):
    """All refunds, by obligation."""

    refunds: list[RefundOut]


@router.post("/v1/rulings/{alias}/quash", status_code=201)
def quash_ruling(alias: Alias, body: QuashIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> QuashedOut:
    """Notes that a ruling was quashed."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    acts.quash_ruling(session, alias, agreed)
    left = session.exec(select(Obligation).where(Obligation.ruling_alias == alias)).all()
    return once.keep(QuashedOut(ruling=alias, obligations={one.alias: one.state for one in left}))


@router.get("/v1/refunds")
def list_refunds(session: Tx, _caller: Admitted) -> RefundsOut:
    """What authorities owe back, and what they have paid back."""
    return RefundsOut(refunds=[_refund(refund, owed) for refund, owed in quashing.listed(session)])


def _refund(refund: Refund, owed: Obligation) -> RefundOut:
    return RefundOut(
        obligation=owed.alias,
        case=owed.case_alias,
        reference=refund.reference,
        amount=AmountOnWire.of(owed.amount()),
        due_since=refund.due_since,
        received_on=refund.received_on,
    )
