"""The card processor's side: gifts, a refund, a dispute and payouts, as its API lists balance transactions."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from examples.season_2020.story import LAST_DAY, PAYOUTS, draw

EUR_GIFTS, USD_GIFTS = 120, 40
GIVING = date(2020, 8, 3), date(2020, 11, 29)
GENERAL_FROM = date(2020, 9, 10)
"""Before this day donors could not give for costs: at the first payout `general` has only its fees."""
SUMS = (500, 1_000, 1_000, 1_500, 2_000, 2_500, 2_500, 3_000, 5_000, 5_000, 7_500, 10_000, 15_000, 25_000, 50_000)
ODD_SUMS = (888, 1_234, 3_333, 6_667, 12_050)
WITHOUT_PURPOSE = {("EUR", 57), ("USD", 23)}
REFUNDED, DISPUTED = 31, 40
"""The numbers of the EUR gifts that go back: one wholly by refund, one by a dispute that is still open."""
REFUND_ON, DISPUTE_ON = date(2020, 9, 22), date(2020, 10, 6)
FIXED = {("EUR", REFUNDED): (10_000, "FINES"), ("EUR", DISPUTED): (20_000, "DETENTION")}
DISPUTE_FEE = 1_500
SETTLING = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class CardGift:
    """One charge; `purpose` is the code that came back with it, or None."""

    number: int
    currency: str
    minor: int
    fee: int
    purpose: str | None
    at: datetime

    @property
    def charge(self) -> str:
        """The processor's identifier of the charge."""
        return f"ch_Invented{self.currency.capitalize()}{self.number:04d}"


def card_gifts() -> list[CardGift]:
    """All gifts by card, oldest first."""
    gifts = [
        _gift(number, currency, of=of)
        for currency, of in (("EUR", EUR_GIFTS), ("USD", USD_GIFTS))
        for number in range(1, of + 1)
    ]
    return sorted(gifts, key=lambda gift: (gift.at, gift.currency))


def fee_of(minor: int) -> int:
    """2.9 % and 0.30, rounded half-even."""
    whole, rest = divmod(minor * 29, 1_000)
    half = 500
    up = rest > half or (rest == half and whole % 2 == 1)
    return whole + up + 30


def write_movements(currency: str) -> bytes:
    """The balance transactions of one currency as the API lists them with `expand[]=data.source`, newest first.

    Only what the expansion is needed for is expanded: a refund and a dispute tell their charge.
    """
    listed = {
        "object": "list",
        "data": _movements(currency),
        "has_more": False,
        "url": "/v1/balance_transactions",
    }
    return (json.dumps(listed, indent=2) + "\n").encode()


def write_balance() -> bytes:
    """The processor's own balance at the end of the season's last day."""
    parts: dict[str, list[dict[str, Any]]] = {"available": [], "pending": []}
    for currency in ("EUR", "USD"):
        for status, rows in parts.items():
            minor = sum(one["net"] for one in _movements(currency) if one["status"] == status)
            rows.append({"amount": minor, "currency": currency.lower(), "source_types": {"card": minor}})
    return (json.dumps({"object": "balance", "livemode": False, **parts}, indent=2) + "\n").encode()


def payout_name(number: int) -> str:
    """The processor's identifier of a payout, counted from 1."""
    return f"po_InventedEur{number:04d}"


def _movements(currency: str) -> list[dict[str, Any]]:
    gifts = [gift for gift in card_gifts() if gift.currency == currency]
    transactions = [_charge(gift) for gift in gifts]
    if currency == "EUR":
        by_number = {gift.number: gift for gift in gifts}
        transactions += [_refund(by_number[REFUNDED]), _dispute(by_number[DISPUTED])]
        transactions += [_payout(number, *_noon_and_sum(number)) for number in range(1, len(PAYOUTS) + 1)]
    return sorted(transactions, key=lambda one: (one["created"], one["id"]), reverse=True)


def _gift(number: int, currency: str, *, of: int) -> CardGift:
    first, last = GIVING
    day = first + timedelta(days=(number - 1) * (last - first).days // (of - 1))
    if day in {payout.created_on for payout in PAYOUTS}:  # so that the shares at a payout are beyond dispute
        day += timedelta(days=1)
    sums = SUMS if draw("odd", number, below=8) else ODD_SUMS
    minor = sums[draw(f"sum {currency}", number, below=len(sums))]
    purpose: str | None = _purpose(number, currency, day)
    minor, purpose = FIXED.get((currency, number), (minor, purpose))
    if (currency, number) in WITHOUT_PURPOSE:
        purpose = None
    at = datetime(day.year, day.month, day.day, 7 + draw("hour", number, below=15), number % 60, tzinfo=UTC)
    return CardGift(number, currency, minor, fee_of(minor), purpose, at)


def _purpose(number: int, currency: str, day: date) -> str:
    codes: tuple[str, ...] = ("FINES", "FINES", "FINES", "DETENTION", "DETENTION")
    if day >= GENERAL_FROM:
        codes += ("GENERAL", "GENERAL")
    return codes[draw(f"purpose {currency}", number, below=len(codes))]


def _charge(gift: CardGift) -> dict[str, Any]:
    return _transaction(
        f"txn_Invented{gift.currency.capitalize()}{gift.number:04d}",
        gift.at,
        amount=gift.minor,
        fee=gift.fee,
        fee_words="Stripe processing fees",
        currency=gift.currency,
        description=gift.purpose,
        category="charge",
        kind="charge",
        source=gift.charge,
    )


def _refund(gift: CardGift) -> dict[str, Any]:
    return _transaction(
        "txn_InventedRefund0001",
        datetime(REFUND_ON.year, REFUND_ON.month, REFUND_ON.day, 10, tzinfo=UTC),
        amount=-gift.minor,
        category="refund",
        kind="refund",
        source={
            "id": "re_InventedRefund0001",
            "object": "refund",
            "amount": gift.minor,
            "charge": gift.charge,
            "currency": "eur",
            "status": "succeeded",
        },
    )


def _dispute(gift: CardGift) -> dict[str, Any]:
    return _transaction(
        "txn_InventedDispute0001",
        datetime(DISPUTE_ON.year, DISPUTE_ON.month, DISPUTE_ON.day, 10, tzinfo=UTC),
        amount=-gift.minor,
        fee=DISPUTE_FEE,
        fee_words="Dispute fee",
        category="dispute",
        kind="adjustment",
        source={
            "id": "dp_InventedDispute0001",
            "object": "dispute",
            "amount": gift.minor,
            "charge": gift.charge,
            "currency": "eur",
            "status": "under_review",
        },
    )


def _payout(number: int, at: datetime, minor: int) -> dict[str, Any]:
    return _transaction(
        f"txn_InventedPayout{number:04d}",
        at,
        amount=-minor,
        category="payout",
        kind="payout",
        source=payout_name(number),
    )


def _noon_and_sum(number: int) -> tuple[datetime, int]:
    payout = PAYOUTS[number - 1]
    day = payout.created_on
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC), payout.minor


def _transaction(
    identifier: str,
    at: datetime,
    *,
    amount: int,
    category: str,
    kind: str,
    source: str | dict[str, Any],
    fee: int = 0,
    fee_words: str = "",
    currency: str = "EUR",
    description: str | None = None,
) -> dict[str, Any]:
    coin = currency.lower()
    detail = {"amount": fee, "application": None, "currency": coin, "description": fee_words, "type": "stripe_fee"}
    available = at + SETTLING
    return {
        "id": identifier,
        "object": "balance_transaction",
        "amount": amount,
        "available_on": int(available.timestamp()),
        "created": int(at.timestamp()),
        "currency": coin,
        "description": description,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [detail] if fee else [],
        "net": amount - fee,
        "reporting_category": category,
        "source": source,
        "status": "available" if available.date() <= LAST_DAY else "pending",
        "type": kind,
    }
