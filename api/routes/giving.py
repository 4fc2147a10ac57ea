"""Routes of giving: purposes, and donations by card."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import AmountOnWire, Code, Day, Wire
from api.transactions import Tx
from ledger.books.postings import LARGEST_POSTING_MINOR
from ledger.giving import bookings, donations, purpose_versions, purposes, unread
from ledger.giving.bookings import Booking
from ledger.giving.donations import Donation
from ledger.giving.movements import Movement, ReceivedMovement
from ledger.giving.processor import Booked
from ledger.giving.purpose_versions import Terms
from ledger.giving.purposes import Purpose
from ledger.giving.unread import Told
from ledger.money import Money
from ledger.reconciliation import processor

router = APIRouter()

MOST_MOVEMENTS = 500
"""The most movements of one request."""
MOST_BALANCES = 200
"""The most currencies in which the processor tells a balance."""
MOST_PAID_OUT = 20_000
"""The most balance transactions of an automatic payout."""

PurposeCode = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{3,12}$")]
TransactionId = Annotated[str, StringConstraints(pattern=r"^txn_[A-Za-z0-9]{4,58}$")]
Category = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")]
SourceId = Annotated[str, StringConstraints(pattern=r"^(ch|py|re|pyr|dp|du|po|tu)_[A-Za-z0-9]{4,58}$")]
Units = Annotated[int, Field(ge=-LARGEST_POSTING_MINOR, le=LARGEST_POSTING_MINOR, strict=True)]
CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{2,9}$")]
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
    def of(cls, purpose: Purpose, terms: Terms | None = None) -> "PurposeOut":
        """A purpose as the wire has it, with what it was added with, or with the terms of a day."""
        return cls(
            code=purpose.code,
            fund=terms.fund if terms else purpose.fund_code,
            text=purpose.text,
            net_of_costs=terms.net_of_costs if terms else purpose.net_of_costs,
            reference=purpose.reference,
        )


class PurposesOut(Wire):
    """All purposes."""

    purposes: list[PurposeOut]


class MovementIn(Wire):
    """A processor's balance transaction, without anything about the giver.

    `source` is what moved (charge, refund, dispute, payout or top-up; null for a fee), `charge` the charge that it is
    about. Of a refund failure, `cancelled` tells that it was called off. Of a payout, `arriving` is what comes to the
    bank in another currency, `transactions` what an automatic one pays out.
    """

    balance_transaction: TransactionId
    category: Category
    gross: AmountOnWire
    fee: AmountOnWire
    net: AmountOnWire
    created_on: Day
    purpose: PurposeCode | None
    source: SourceId | None
    charge: ChargeId | None
    cancelled: bool = False
    arriving: AmountOnWire | None = None
    transactions: Annotated[list[TransactionId], Field(max_length=MOST_PAID_OUT)] | None = None

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
            cancelled=self.cancelled,
            arriving=self.arriving.money() if self.arriving else None,
            transactions=None if self.transactions is None else tuple(self.transactions),
        )


class ToldIn(Wire):
    """A balance transaction in a currency that the client's version does not know, in the processor's whole units."""

    balance_transaction: TransactionId
    category: Category
    gross: Units
    fee: Units
    net: Units
    currency: CurrencyCode
    created_on: Day
    purpose: PurposeCode | None
    source: SourceId | None
    charge: ChargeId | None
    cancelled: bool
    arriving: Units | None
    arriving_currency: CurrencyCode | None
    transactions: Annotated[list[TransactionId], Field(max_length=MOST_PAID_OUT)] | None

    def told(self) -> Told:
        """As the ledger takes it."""
        items = None if self.transactions is None else tuple(self.transactions)
        return Told(**self.model_dump(exclude={"transactions"}), transactions=items)


class MovementsIn(Wire):
    """Movements in the order in which they happened, and the balances that the processor tells after them.

    `told` are those in a currency that is not known.
    """

    told: Annotated[list[ToldIn], Field(max_length=MOST_MOVEMENTS, default_factory=list)]
    movements: Annotated[list[MovementIn], Field(max_length=MOST_MOVEMENTS)]
    balances: Annotated[list[AmountOnWire], Field(max_length=MOST_BALANCES)]


class BookedOut(Wire):
    """What became of a movement: by which recipe it is booked, and about what; or the reason why it waits."""

    balance_transaction: str
    state: str
    reason: str | None
    recipe: str | None
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
            state=booked.state,
            reason=booked.reason,
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


class MovementOut(Wire):
    """A movement as it was received, with what became of it; `awaits` is what would have it booked."""

    balance_transaction: str
    category: str
    created_on: date
    amount: AmountOnWire
    fee: AmountOnWire
    net: AmountOnWire
    state: str
    reason: str | None
    awaits: str | None
    recipe: str | None
    about: str | None
    fund: str | None

    @classmethod
    def of(cls, booking: Booking, movement: ReceivedMovement) -> "MovementOut":
        """A kept movement as the wire has it."""
        amounts = (movement.gross_minor, movement.fee_minor, movement.net_minor)
        gross, fee, net = (AmountOnWire.of(Money(minor, movement.currency)) for minor in amounts)
        return cls(
            balance_transaction=movement.balance_transaction,
            category=movement.category,
            created_on=movement.created_on,
            amount=gross,
            fee=fee,
            net=net,
            state=booking.state,
            reason=booking.reason,
            awaits=booking.awaits,
            recipe=booking.recipe,
            about=booking.about,
            fund=booking.fund_code,
        )


class UnreadOut(Wire):
    """A movement in a currency that nobody knows, in the processor's whole units."""

    balance_transaction: str
    category: str
    created_on: date
    gross: int
    fee: int
    net: int
    currency: str

    @classmethod
    def of(cls, told: Told) -> "UnreadOut":
        """As the wire has it."""
        return cls(**{name: getattr(told, name) for name in cls.model_fields})


class MovementsOut(Wire):
    """The movements that were kept, oldest first; `unread` wait for a version that knows their currency."""

    movements: list[MovementOut]
    unread: list[UnreadOut]


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
def list_purposes(session: Tx, _caller: Admitted, on: Day | None = None) -> PurposesOut:
    """All purposes as they were added; with `on`, with the fund and the costs of a gift that came on that day."""
    found = purposes.listed(session)
    terms = {one.code: purpose_versions.terms_on(session, one, on=on) for one in found} if on else {}
    return PurposesOut(purposes=[PurposeOut.of(one, terms.get(one.code)) for one in found])


@router.post("/v1/purposes", status_code=201)
def add_purpose(purpose: PurposeIn, session: Tx, once: Claimed) -> PurposeOut:
    """Adds a purpose and draws its reference."""
    added = purposes.add(session, purpose.code, fund=purpose.fund, text=purpose.text, net_of_costs=purpose.net_of_costs)
    return once.keep(PurposeOut.of(added))


@router.get("/v1/donations")
def list_donations(session: Tx, _caller: Admitted) -> DonationsOut:
    """All donations, oldest first."""
    return DonationsOut(donations=[DonationOut.of(donation) for donation in donations.listed(session)])


@router.get("/v1/movements")
def list_movements(session: Tx, _caller: Admitted, *, waiting: bool = False) -> MovementsOut:
    """The processor's balance transactions with what became of each, oldest first; with `waiting`, those that wait."""
    found = bookings.listed(session, waiting_only=waiting)
    return MovementsOut(
        movements=[MovementOut.of(booking, movement) for booking, movement in found],
        unread=[UnreadOut.of(told) for told in unread.listed(session)],
    )


@router.post("/v1/donations", status_code=201)
def receive_movements(body: MovementsIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> BookedAllOut:
    """Keeps the processor's balance transactions, all of the request or none, and books each once by its recipe.

    What cannot be booked yet waits, with an exception, and is booked when what it waits for comes. A difference
    between the books, the movements and the balances that the processor tells opens an exception.
    """
    booked = processor.receive(
        session,
        [one.movement() for one in body.movements],
        told=[one.told() for one in body.told],
        reported=[balance.money() for balance in body.balances],
        received_at=now,
        received_by=caller.operator.alias,
    )
    return once.keep(BookedAllOut(booked=[BookedOut.of(one) for one in booked]))
