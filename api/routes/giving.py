"""Routes of giving: purposes, and donations by card."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import AmountOnWire, Code, Day, Wire
from api.transactions import Tx
from ledger.giving import donations, purposes
from ledger.giving.donations import Donation
from ledger.giving.movements import Category, Movement
from ledger.giving.processor import Booked
from ledger.giving.purposes import Purpose
from ledger.money import Money
from ledger.reconciliation import processor

router = APIRouter()

MOST_MOVEMENTS = 500
"""The most movements of one request."""
MOST_BALANCES = 200
"""The most currencies in which the processor tells a balance."""

PurposeCode = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{3,12}$")]
SourceId = Annotated[str, StringConstraints(pattern=r"^(ch|py|re|pyr|dp|du|po)_[A-Za-z0-9]{4,58}$")]
ChargeId = Annotated[str, StringConstraints(pattern=r"^(ch|py)_[A-Za-z0-9]{4,58}$")]


class PurposeIn(Wire):
    """What donors are told; `net_of_costs`: the gift bears the processor's fee."""

    code: PurposeCode
    fund: Code
    text: Annotated[str, StringConstraints(pattern=r"^\P{Cc}{1,400}$")]
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
    """A processor's balance transaction, without anything about the giver.

    `source` is what moved (charge, refund, dispute or payout; null for a fee), `charge` the charge that it is about.
    """

    balance_transaction: Annotated[str, StringConstraints(pattern=r"^txn_[A-Za-z0-9]{4,58}$")]
    category: Category
    gross: AmountOnWire
    fee: AmountOnWire
    net: AmountOnWire
    created_on: Day
    purpose: PurposeCode | None
    source: SourceId | None
    charge: ChargeId | None

    def movement(self) -> Movement:
        """The movement as the ledger takes it."""
        return Movement(
            balance_transaction=self.balance_transaction,
            category=self.category,
            gross=self.gross.money(),
            fee=self.fee.money(),
            net=self.net.money(),
            created_on=self.created_on,
            purpose=self.purpose,
            source=self.source,
            charge=self.charge,
        )


class MovementsIn(Wire):
    """Movements in the order in which they happened, and the balances that the processor tells after them."""

    movements: Annotated[list[MovementIn], Field(max_length=MOST_MOVEMENTS)]
    balances: Annotated[list[AmountOnWire], Field(max_length=MOST_BALANCES)]


class BookedOut(Wire):
    """What became of a movement: by which recipe it is booked, and about which donation, dispute or payout."""

    balance_transaction: str
    recipe: str
    about: str | None
    fund: str | None
    amount: AmountOnWire
    fee: AmountOnWire
    replayed: bool

    @classmethod
    def of(cls, booked: Booked) -> "BookedOut":
        """A booked movement as the wire has it."""
        return cls(
            balance_transaction=booked.movement.balance_transaction,
            recipe=booked.recipe,
            about=booked.about,
            fund=booked.fund,
            amount=AmountOnWire.of(booked.movement.gross),
            fee=AmountOnWire.of(booked.movement.fee),
            replayed=booked.replayed,
        )


class BookedAllOut(Wire):
    """What became of each movement, in their order."""

    booked: list[BookedOut]


class DonationOut(Wire):
    """One gift, and how much of it was given back."""

    alias: str
    source: str
    state: str
    fund: str
    purpose: str | None
    amount: AmountOnWire
    fee: AmountOnWire
    refunded: AmountOnWire
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
            amount=AmountOnWire.of(donation.amount()),
            fee=AmountOnWire.of(Money(donation.fee_minor, donation.currency)),
            refunded=AmountOnWire.of(Money(donation.refunded_minor, donation.currency)),
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
def receive_movements(body: MovementsIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> BookedAllOut:
    """Books the processor's balance transactions, each once by its recipe: all of the request, or none.

    A difference between the books, the movements and the balances that the processor tells opens an exception.
    """
    booked = processor.receive(
        session,
        [one.movement() for one in body.movements],
        reported=[balance.money() for balance in body.balances],
        received_at=now,
        received_by=caller.operator.alias,
    )
    return once.keep(BookedAllOut(booked=[BookedOut.of(one) for one in booked]))
