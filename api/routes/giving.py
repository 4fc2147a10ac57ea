"""Routes of giving: purposes, and donations by card."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import AmountOnWire, Wire
from api.transactions import Tx
from ledger.giving import donations, processor, purposes
from ledger.giving.donations import Donation
from ledger.giving.processor import Movement
from ledger.giving.purposes import Purpose
from ledger.money import Money

router = APIRouter()

PurposeCode = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{3,12}$")]


class PurposeIn(Wire):
    """What donors are told; `net_of_costs`: the gift bears the processor's fee."""

    code: PurposeCode
    fund: Annotated[str, Field(max_length=30)]
    text: Annotated[str, Field(min_length=1, max_length=400)]
    net_of_costs: bool


class PurposeOut(PurposeIn):
    """A purpose with the reference (ISO 11649) that bank donors are asked for."""

    reference: str

    @classmethod
    def of(cls, purpose: Purpose) -> "PurposeOut":
        """A purpose as the wire has it."""
        return cls(
            code=purpose.code,
            fund=purpose.fund_code,
            text=purpose.text,
            net_of_costs=purpose.net_of_costs,
            reference=purpose.reference,
        )


class PurposesOut(Wire):
    """All purposes."""

    purposes: list[PurposeOut]


class MovementIn(Wire):
    """A processor's balance transaction, without anything about the giver."""

    balance_transaction: Annotated[str, StringConstraints(pattern=r"^txn_[A-Za-z0-9]{4,60}$")]
    category: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,60}$")]
    gross: AmountOnWire
    fee: AmountOnWire
    net: AmountOnWire
    created_on: date
    purpose: PurposeCode | None


class DonationOut(Wire):
    """One gift."""

    alias: str
    source: str
    state: str
    fund: str
    purpose: str | None
    amount: AmountOnWire
    fee: AmountOnWire
    received_on: date

    @classmethod
    def of(cls, donation: Donation) -> "DonationOut":
        """A donation as the wire has it."""
        return cls(
            alias=donation.alias,
            source=donation.source,
            state=donation.state,
            fund=donation.fund_code,
            purpose=donation.purpose_code,
            amount=AmountOnWire.of(Money(donation.minor, donation.currency)),
            fee=AmountOnWire.of(Money(donation.fee_minor, donation.currency)),
            received_on=donation.received_on,
        )


class DonationsOut(Wire):
    """All donations, oldest first."""

    donations: list[DonationOut]


@router.get("/v1/purposes")
def list_purposes(session: Tx, _caller: Admitted) -> PurposesOut:
    """All purposes."""
    return PurposesOut(purposes=[PurposeOut.of(purpose) for purpose in purposes.listed(session)])


@router.post("/v1/purposes", status_code=201)
def add_purpose(purpose: PurposeIn, session: Tx, once: Claimed) -> PurposeOut:
    """Adds a purpose and draws its reference."""
    added = purposes.add(session, purpose.code, fund=purpose.fund, text=purpose.text, net_of_costs=purpose.net_of_costs)
    return once.keep(PurposeOut.of(added))


@router.get("/v1/donations")
def list_donations(session: Tx, _caller: Admitted) -> DonationsOut:
    """All donations, oldest first."""
    return DonationsOut(donations=[DonationOut.of(donation) for donation in donations.listed(session)])


@router.post("/v1/donations", status_code=201)
def receive_donation(movement: MovementIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> DonationOut:
    """Books a card gift from the processor's balance transaction, by its recipe, once."""
    donation, _ = processor.book(
        session,
        Movement(
            balance_transaction=movement.balance_transaction,
            category=movement.category,
            gross=movement.gross.money(),
            fee=movement.fee.money(),
            net=movement.net.money(),
            created_on=movement.created_on,
            purpose=movement.purpose,
        ),
        recorded_at=now,
        recorded_by=caller.operator.alias,
    )
    return once.keep(DonationOut.of(donation))
