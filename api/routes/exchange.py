"""Routes of exchange rates: many in one request, and a list that shows corrected ones too."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field, StringConstraints

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import CurrencyCode, Day, Page, Wire
from api.transactions import Tx
from ledger.books import exchange
from ledger.books.exchange import BadRate, ExchangeRate
from ledger.errors import BadInput

MOST_RATES = 10_000
"""How many rates one request adds at most."""
PAGE = 500
"""How many rates a page holds unless told otherwise, and at most."""

router = APIRouter()


class RateIn(Wire):
    """Functional units for one unit of `currency`: a decimal, or a quotient such as `1/3.0257` or `3.44/100`."""

    currency: CurrencyCode
    on: Day
    rate: Annotated[str, Field(max_length=80, examples=["0.3305"])]
    source: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,29}$")]


class RatesIn(Wire):
    """Rates to add, all or none; each currency and day once."""

    rates: Annotated[list[RateIn], Field(min_length=1, max_length=MOST_RATES)]


class RatesAdded(Wire):
    """How many were told, and how many of them were not known yet."""

    told: int
    added: int


class RateOut(Wire):
    """One rate; of a day's versions the highest counts."""

    currency: str
    on: date
    version: int
    rate: str
    source: str
    recorded_at: datetime

    @classmethod
    def of(cls, row: ExchangeRate) -> "RateOut":
        """A rate as the wire has it."""
        return cls(
            currency=row.currency,
            on=row.quoted_on,
            version=row.version,
            rate=exchange.write(row.value()),
            source=row.source,
            recorded_at=row.recorded_at,
        )


class RatesOut(Page):
    """A page of rates, and the currency they are told in."""

    functional_currency: str
    rates: list[RateOut]


@router.get("/v1/exchange-rates")
def list_rates(
    session: Tx,
    _caller: Admitted,
    currency: CurrencyCode | None = None,
    cursor: Annotated[str, Query(pattern=r"^[A-Z]{3}\.(19|20|21)\d\d-\d\d-\d\d\.\d{1,6}$")] | None = None,
    limit: Annotated[int, Query(ge=1, le=PAGE)] = PAGE,
) -> RatesOut:
    """A page of rates in the order of currency, day and version."""
    after = _read_cursor(cursor) if cursor else None
    found = exchange.listed(session, currency=currency, after=after, limit=limit)
    last = found[-1] if len(found) == limit else None
    return RatesOut(
        functional_currency=exchange.functional_currency(session),
        rates=[RateOut.of(row) for row in found],
        next=f"{last.currency}.{last.quoted_on}.{last.version}" if last else None,
    )


@router.post("/v1/exchange-rates", status_code=201)
def add_rates(body: RatesIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> RatesAdded:
    """Adds rates, all or none. A day's later rate corrects the one before; both stay."""
    told = {(one.currency, one.on) for one in body.rates}
    if len(told) < len(body.rates):
        raise BadRate("a currency and day stand twice", where="rates")
    added = [_add(session, one, number, at=now, by=caller.operator.alias) for number, one in enumerate(body.rates, 1)]
    return once.keep(RatesAdded(told=len(added), added=sum(added)))


def _add(session: Tx, told: RateIn, number: int, *, at: datetime, by: str) -> bool:
    """Whether the rate is new; a refusal tells its number, from 1."""
    before = exchange.latest(session, told.currency, on=told.on)
    try:
        value = exchange.parse(told.rate)
        kept = exchange.add(
            session, told.currency, on=told.on, value=value, source=told.source, recorded_at=at, recorded_by=by
        )
    except BadInput as refusal:
        refusal.data["number"] = number
        raise
    return before is None or kept.version != before.version


def _read_cursor(cursor: str) -> tuple[str, date, int]:
    currency, day, version = cursor.split(".")
    try:
        return currency, date.fromisoformat(day), int(version)
    except ValueError:
        raise BadInput("the cursor is none of ours", where="cursor") from None
