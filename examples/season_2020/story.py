"""The facts of the season that its author chose: days, sums, sizes. Everything else follows from them.

Sums are in minor units (cents, kopecks). Nobody in the story exists.
"""

import hashlib
from dataclasses import dataclass
from datetime import date

NAME = "Invented Autumn Fund"
FUNCTIONAL_CURRENCY, JURISDICTION = "EUR", "by"
FIRST_DAY, LAST_DAY = date(2020, 8, 1), date(2020, 11, 30)
EUR_BANK, BYN_BANK = "1000:eur-main", "1000:byn-main"
ACCOUNTS = {EUR_BANK: "EUR", BYN_BANK: "BYN", "1050:eur": "EUR", "1100:eur": "EUR", "1100:usd": "USD"}
"""The leaves of pooled accounts, each with its currency."""
FUND_OF = {"FINES": "fines", "DETENTION": "detention", "GENERAL": "general"}
"""The fund of each purpose code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """Euros sent to the agent, and the roubles that really arrived."""

    sent_on: date
    acknowledged_on: date
    eur: int
    byn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Fines released together for the agent to pay; they come with one handover of a list.

    `issued` and `pays` are first and last days: of the rulings, of the agent's payments. `results_on` is the day on
    which the agent's results and receipts arrive.
    """

    list_name: str
    handed_over_on: date
    fines: int
    issued: tuple[date, date]
    released_on: date
    advance: Advance
    pays: tuple[date, date]
    results_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Bills:
    """Detention bills that come with the handover of a batch; the bank reimburses them on the two `paid` days."""

    batch: int
    count: int
    served: tuple[date, date]
    released_on: date
    paid: tuple[date, date]


@dataclass(frozen=True, slots=True, kw_only=True)
class BankGift:
    """A gift seen at the bank; without a purpose it is unidentified."""

    account: str
    on: date
    minor: int
    purpose: str | None
    giver: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payout:
    """A manual payout of the card processor in euros."""

    created_on: date
    seen_on: date
    minor: int


def _on(month: int, day: int) -> date:
    return date(2020, month, day)


LIST_1, LIST_2 = "list-1.csv", "list-2.csv"
BATCHES = (
    Batch(
        list_name=LIST_1,
        handed_over_on=_on(8, 20),
        fines=62,
        issued=(_on(8, 10), _on(8, 13)),
        released_on=_on(8, 21),
        advance=Advance(sent_on=_on(8, 21), acknowledged_on=_on(8, 22), eur=1_200_000, byn=3_486_000),
        pays=(_on(8, 22), _on(9, 4)),
        results_on=_on(9, 7),
    ),
    Batch(
        list_name=LIST_1,
        handed_over_on=_on(9, 10),
        fines=55,
        issued=(_on(8, 17), _on(8, 27)),
        released_on=_on(9, 11),
        advance=Advance(sent_on=_on(9, 11), acknowledged_on=_on(9, 12), eur=1_070_000, byn=3_158_640),
        pays=(_on(9, 12), _on(9, 18)),
        results_on=_on(9, 21),
    ),
    Batch(
        list_name=LIST_2,
        handed_over_on=_on(10, 1),
        fines=52,
        issued=(_on(8, 31), _on(9, 17)),
        released_on=_on(10, 2),
        advance=Advance(sent_on=_on(10, 2), acknowledged_on=_on(10, 3), eur=980_000, byn=2_943_920),
        pays=(_on(10, 3), _on(10, 9)),
        results_on=_on(10, 12),
    ),
    Batch(
        list_name=LIST_2,
        handed_over_on=_on(10, 22),
        fines=46,
        issued=(_on(9, 21), _on(10, 8)),
        released_on=_on(10, 23),
        advance=Advance(sent_on=_on(10, 23), acknowledged_on=_on(10, 24), eur=920_000, byn=2_754_020),
        pays=(_on(10, 24), _on(10, 30)),
        results_on=_on(11, 2),
    ),
    Batch(
        list_name=LIST_2,
        handed_over_on=_on(11, 4),
        fines=36,
        issued=(_on(10, 9), _on(10, 25)),
        released_on=_on(11, 5),
        advance=Advance(sent_on=_on(11, 5), acknowledged_on=_on(11, 6), eur=720_000, byn=2_179_800),
        pays=(_on(11, 6), _on(11, 9)),
        results_on=_on(11, 16),
    ),
)
BILLS = (
    Bills(
        batch=2,
        count=16,
        served=(_on(8, 31), _on(9, 8)),
        released_on=_on(9, 15),
        paid=(_on(9, 16), _on(9, 17)),
    ),
    Bills(
        batch=3,
        count=8,
        served=(_on(9, 21), _on(9, 29)),
        released_on=_on(10, 6),
        paid=(_on(10, 7), _on(10, 8)),
    ),
    Bills(
        batch=4,
        count=8,
        served=(_on(10, 8), _on(10, 20)),
        released_on=_on(10, 27),
        paid=(_on(10, 28), _on(10, 29)),
    ),
    Bills(
        batch=5,
        count=8,
        served=(_on(10, 19), _on(10, 28)),
        released_on=_on(11, 12),
        paid=(_on(11, 13), _on(11, 16)),
    ),
)
BANK_GIFTS = (
    BankGift(account=EUR_BANK, on=_on(8, 14), minor=6_000_000, purpose="FINES", giver="An invented foundation"),
    BankGift(account=BYN_BANK, on=_on(9, 1), minor=600_000, purpose="DETENTION", giver="An invented association"),
    BankGift(account=EUR_BANK, on=_on(9, 24), minor=15_000, purpose=None, giver="An invented stranger"),
)
PAYOUTS = (
    Payout(created_on=_on(9, 8), seen_on=_on(9, 10), minor=380_000),
    Payout(created_on=_on(10, 13), seen_on=_on(10, 15), minor=250_000),
    Payout(created_on=_on(11, 17), seen_on=_on(11, 19), minor=175_000),
)
RETURNED_ON, RETURNED_EUR = _on(11, 20), 87_971
"""The agent gives back, in euros at a rate of their own, the roubles that no fine needed."""
QUASHED_ON, CONFIRMED_ON, REFUNDED_ON = _on(10, 14), _on(10, 28), _on(11, 18)
"""A paid fine is quashed; the authority confirms in writing that it will pay back; it pays back."""
RECEIPT_REJECTED_ON = _on(11, 3)
MONTHS = {_on(8, 31): _on(9, 7), _on(9, 30): _on(10, 7), _on(10, 31): _on(11, 6), _on(11, 30): date(2020, 12, 4)}
"""The last day of each month, and the day on which its books are closed."""
RATES = {
    "BYN": {
        _on(8, 1): "0.3440",
        _on(8, 20): "0.3410",
        _on(8, 31): "0.3380",
        _on(9, 10): "0.3350",
        _on(9, 30): "0.3300",
        _on(10, 15): "0.3310",
        _on(10, 31): "0.3270",
        _on(11, 15): "0.3240",
        _on(11, 30): "0.3200",
    },
    "USD": {
        _on(8, 1): "0.8460",
        _on(8, 31): "0.8400",
        _on(9, 15): "0.8420",
        _on(9, 30): "0.8540",
        _on(10, 15): "0.8530",
        _on(10, 31): "0.8570",
        _on(11, 15): "0.8460",
        _on(11, 30): "0.8410",
    },
}
"""Euros for one unit, each from its day until the next."""


def draw(label: str, *numbers: int, below: int) -> int:
    """A number from 0 up to `below`, the same for the same label and numbers on every machine."""
    text = " ".join((label, *map(str, numbers)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % below


def decimal(minor: int) -> str:
    """Minor units as a plain decimal such as `-1234.50`."""
    whole, fraction = divmod(abs(minor), 100)
    return f"{'-' if minor < 0 else ''}{whole}.{fraction:02d}"
