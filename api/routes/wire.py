"""The forms that several areas share on the wire: amounts, signed acts, sealed shelves and boxes."""

import base64
import binascii
from datetime import UTC, date, datetime
from typing import Annotated, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)

from ledger.approvals import Act
from ledger.books.postings import LARGEST_POSTING_MINOR
from ledger.errors import BadInput
from ledger.identities.shelves import NewBox, NewShelf
from ledger.money import BadAmount, Money


class Wire(BaseModel):
    """A form that admits no unknown field: a misspelt one is refused, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class BadCursor(BadInput):
    """Not a cursor of this list."""

    rule = "bad_cursor"


class AmountOnWire(Wire):
    """`{"amount": "810.00", "currency": "BYN"}`."""

    amount: str = Field(examples=["810.00"], max_length=30)
    currency: str = Field(examples=["BYN"], max_length=3)

    @classmethod
    def of(cls, money: Money) -> Self:
        """Money as the wire has it."""
        return cls(amount=money.decimal(), currency=money.currency)

    def money(self) -> Money:
        """Exact money; raises `BadAmount` or `BadCurrency`."""
        money = Money.parse(self.amount, self.currency)
        if (
            abs(money.minor) > LARGEST_POSTING_MINOR
        ):  # a balance or a bank's line is not posted, and summed all the same
            raise BadAmount("an amount is at most 10^15 minor units", where="amount")
        return money


def _decode(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise ValueError("base64 text")  # noqa: TRY004  # pydantic turns ValueError into a place
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        raise ValueError("base64 text") from None


Base64 = Annotated[
    bytes,
    PlainValidator(_decode),
    PlainSerializer(lambda data: base64.b64encode(data).decode(), return_type=str),
    WithJsonSchema({"type": "string", "format": "byte"}),
]
Hex64 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{128}$")]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Alias = Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,2}(-[0-9A-Z]{4}){3}$")]
Reference = Annotated[str, StringConstraints(pattern=r"^RF[0-9]{2}[0-9A-Z]{1,21}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9:_.-]{1,45}$")]
CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Epoch = Annotated[int, Field(ge=1, le=10_000)]
VaultMember = Annotated[str, StringConstraints(pattern=r"^(OP(-[0-9A-Z]{4}){3}|recovery-[0-9a-f]{8})$")]
VaultName = Literal["people", "money", "donors"]
Day = Annotated[date, Field(ge=date(1990, 1, 1), le=date(2199, 12, 31))]
Moment = Annotated[AwareDatetime, Field(ge=datetime(1990, 1, 1, tzinfo=UTC), le=datetime(2199, 12, 31, tzinfo=UTC))]
"""Days and moments within which weeks, months and time zones can be reckoned with."""


class SignedActOnWire(Wire):
    """What somebody agrees to, and their Ed25519 signature over it."""

    act: Act
    signature: Hex64


class BoxOnWire(Wire):
    """One sealed box."""

    kind: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,20}$")]
    alias: Alias
    field: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,20}$")]
    version: Annotated[int, Field(ge=1, le=10_000)]
    bytes: Base64
    commitment: Digest

    def box(self) -> NewBox:
        """The box as the shelf takes it."""
        return NewBox(self.kind, self.alias, self.field, self.version, self.bytes, self.commitment)


class TokenOnWire(Wire):
    """A keyed hash. Epoch 0: of a value as earlier versions wrote it, which only asks for what came before."""

    epoch: Annotated[int, Field(ge=0, le=10_000)]
    field: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,20}$")]
    value: Digest


class ShelfOnWire(Wire):
    """A shelf's public key with its signature and wrap."""

    alias: Alias
    vault: VaultName
    epoch: Epoch
    public: Base64
    signature: Hex64
    wrap: Base64

    def shelf(self) -> NewShelf:
        """The shelf as the ledger puts it up."""
        return NewShelf(self.alias, self.vault, self.epoch, self.public, self.signature, self.wrap)


class Done(Wire):
    """Nothing more to say than that it is done."""

    done: bool = True


DayCursor = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}~[A-Z0-9-]{1,25}$")]
"""Where a page of a list by day and alias begins: after these."""


def place_of(cursor: str | None) -> tuple[date, str] | None:
    """The day and alias that a cursor names.

    Raises:
        BadCursor: no such day.
    """
    if cursor is None:
        return None
    day, _, alias = cursor.partition("~")
    try:
        return date.fromisoformat(day), alias
    except ValueError:
        raise BadCursor("not a cursor of this list", where="cursor") from None


class Page(Wire):
    """How a list is cut: `next` is the cursor of the following page, absent on the last one."""

    next: str | None = None
