"""Routes of appeals: that a ruling fell away, is less or stands, and what is owed back."""

from datetime import date

from fastapi import APIRouter
from sqlmodel import Session, select

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import Alias, AmountOnWire, BoxOnWire, SignedActOnWire, Wire
from api.transactions import Tx
from ledger.aid import acts, obligations, refunds, ruling_acts
from ledger.aid.obligations import Obligation
from ledger.aid.refunds import Refund
from ledger.approvals import Agreed

router = APIRouter()


class QuashIn(Wire):
    """The signed act of the person who has the new decision in their hands."""

    agreed: SignedActOnWire


class ReduceIn(QuashIn):
    """The signed act, what is left, and the details anew, sealed, unless it was paid already.

    `obligation` is the one that is reduced, where several rest on the ruling.
    """

    to: AmountOnWire
    obligation: Alias | None = None
    details: BoxOnWire | None = None


class AcknowledgedIn(QuashIn):
    """The signed act, and what the other organisation owes."""

    amount: AmountOnWire


class QuashedOut(Wire):
    """The obligations of a quashed ruling, and where they stand now."""

    ruling: str
    obligations: dict[str, str]


class RefundOut(Wire):
    """What is owed back, by the authority or who `debtor` is; `reference` is what its payment is to carry."""

    obligation: str
    case: str
    reference: str
    debtor: str
    amount: AmountOnWire
    due_since: date
    received_on: date | None
    given_up_on: date | None


class RefundsOut(Wire):
    """All refunds, by obligation."""

    refunds: list[RefundOut]


@router.post("/v1/rulings/{alias}/quash", status_code=201)
def quash_ruling(alias: Alias, body: QuashIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> QuashedOut:
    """Notes that a ruling was quashed."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    acts.quash_ruling(session, alias, agreed)
    return once.keep(_left(session, alias))


@router.post("/v1/rulings/{alias}/reduce", status_code=201)
def reduce_ruling(alias: Alias, body: ReduceIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> QuashedOut:
    """Notes that an appeal left less of a ruling."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    details = body.details.box() if body.details else None
    ruling_acts.reduce_ruling(session, alias, agreed, to=body.to.money(), details=details, of=body.obligation)
    return once.keep(_left(session, alias))


@router.post("/v1/rulings/{alias}/uphold", status_code=201)
def uphold_ruling(alias: Alias, body: QuashIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> QuashedOut:
    """Notes that an appeal left a ruling as it was."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    ruling_acts.uphold_ruling(session, alias, agreed)
    return once.keep(_left(session, alias))


@router.post("/v1/obligations/{alias}/acknowledge", status_code=201)
def acknowledge_duplicate(
    alias: Alias, body: AcknowledgedIn, session: Tx, caller: Admitted, now: Now, once: Claimed
) -> RefundOut:
    """Another organisation had paid the same, and says what it owes the fund of it."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    refund = ruling_acts.acknowledge_duplicate(session, alias, agreed, amount=body.amount.money())
    return once.keep(_refund(refund, obligations.require(session, alias)))


@router.get("/v1/refunds")
def list_refunds(session: Tx, _caller: Admitted) -> RefundsOut:
    """What authorities owe back, and what they have paid back."""
    return RefundsOut(refunds=[_refund(refund, owed) for refund, owed in refunds.listed(session)])


def _left(session: Session, ruling: str) -> QuashedOut:
    left = session.exec(select(Obligation).where(Obligation.ruling_alias == ruling)).all()
    return QuashedOut(ruling=ruling, obligations={one.alias: one.state for one in left})


def _refund(refund: Refund, owed: Obligation) -> RefundOut:
    return RefundOut(
        obligation=owed.alias,
        case=owed.case_alias,
        reference=refund.reference,
        debtor=refund.debtor,
        amount=AmountOnWire.of(refund.amount()),
        due_since=refund.due_since,
        received_on=refund.received_on,
        given_up_on=refund.given_up_on,
    )
