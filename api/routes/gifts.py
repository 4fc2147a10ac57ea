"""Routes of single gifts: those without a purpose, the signed decision that gives them one, what became of each."""

from datetime import date, datetime

from fastapi import APIRouter

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.giving import DonationOut, PurposeCode
from api.routes.wire import Alias, AmountOnWire, Code, SignedActOnWire, Wire
from api.transactions import Tx
from ledger.approvals import Agreed
from ledger.treasury import gift_assignments, gift_histories
from ledger.treasury.gift_assignments import GiftAssignment
from ledger.treasury.gift_histories import Event

router = APIRouter()


class AssignmentIn(Wire):
    """The purpose of a gift and the leaf where its money is, with the treasurer's signed act."""

    purpose: PurposeCode
    account: Code
    agreed: SignedActOnWire


class AssignmentOut(Wire):
    """A gift that has its purpose, under the version that stood on the day it was received."""

    donation: str
    purpose: str
    purpose_version: int
    fund: str
    account: str
    assigned_by: str
    assigned_at: datetime

    @classmethod
    def of(cls, one: GiftAssignment) -> "AssignmentOut":
        """An assignment as the wire has it."""
        return cls(
            donation=one.donation_alias,
            purpose=one.purpose_code,
            purpose_version=one.purpose_version,
            fund=one.fund_code,
            account=one.account_code,
            assigned_by=one.assigned_by,
            assigned_at=one.assigned_at,
        )


class UnassignedOut(Wire):
    """The gifts that wait for somebody to say what they are for, oldest first."""

    donations: list[DonationOut]


class EventOut(Wire):
    """One thing that happened to a gift; `fund` is whose the amount is from then on."""

    on: date
    kind: str
    amount: AmountOnWire
    fund: str
    out_of: str | None
    transfer: str | None

    @classmethod
    def of(cls, event: Event) -> "EventOut":
        """An event as the wire has it."""
        return cls(
            on=event.on,
            kind=event.kind,
            amount=AmountOnWire.of(event.amount),
            fund=event.fund,
            out_of=event.out_of,
            transfer=event.transfer,
        )


class HistoryOut(Wire):
    """A gift, the version of its purpose under which it was given, and what became of it, oldest first."""

    donation: DonationOut
    purpose_version: int | None
    events: list[EventOut]


@router.get("/v1/donations/unassigned")
def list_unassigned(session: Tx, _caller: Admitted) -> UnassignedOut:
    """The gifts whose purpose nobody has said yet."""
    return UnassignedOut(donations=[DonationOut.of(gift) for gift in gift_assignments.unassigned(session)])


@router.get("/v1/donations/{alias}/history")
def read_history(alias: Alias, session: Tx, _caller: Admitted) -> HistoryOut:
    """What became of a gift."""
    gift, events = gift_histories.of_gift(session, alias)
    return HistoryOut(
        donation=DonationOut.of(gift),
        purpose_version=gift.purpose_version,
        events=[EventOut.of(event) for event in events],
    )


@router.post("/v1/donations/{alias}/assign", status_code=201)
def assign_gift(
    alias: Alias, body: AssignmentIn, session: Tx, caller: Admitted, now: Now, once: Claimed
) -> AssignmentOut:
    """Gives a gift of the fund `unassigned` its purpose, and books it."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    assigned = gift_assignments.assign(session, alias, purpose=body.purpose, account=body.account, agreed=agreed)
    return once.keep(AssignmentOut.of(assigned))
