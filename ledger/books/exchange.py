"""Exchange rates: what one unit of a currency is worth in the functional currency. Exact, dated, sourced, only added.

A rate is a fraction: sources quote decimals, the inverse of a decimal, or a decimal for 100 units, and none is rounded.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

from sqlalchemy import BigInteger, CheckConstraint, String, column, table, tuple_
from sqlalchemy import select as select_columns
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, select

from ledger.errors import BadInput, Conflict, Refused
from ledger.money import LARGEST_MINOR, CurrencyMismatch, Money, exponent
from ledger.storage.columns import WITHOUT_ROWID, UtcDateTime, whole_minor
from ledger.storage.engine import looked_up

OLDEST_DAYS = 35
"""How many days before the day asked for a rate may have been quoted: a month between two quotes, and a few days."""
EARLIEST = date(1990, 1, 1)
"""No rate is quoted before this day."""

_TERM = r"\d{1,19}(?:\.\d{1,18})?"
_RATE = re.compile(rf"({_TERM})(?:/({_TERM}))?", re.ASCII)
_SOURCE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,29}", re.ASCII)


class NoRate(Refused):
    """No rate of the currency for the day, or only one that is too old."""

    rule = "no_rate"


class BadRate(BadInput):
    """Not a rate above zero, its day or its source cannot be, or it is of the functional currency, whose rate is 1."""

    rule = "bad_rate"


class RateAddedMeanwhile(Conflict):
    """Somebody else added a rate for the same currency and day at this moment; look, and send again."""

    rule = "rate_added_meanwhile"


class ExchangeRate(SQLModel, table=True):
    """`numerator / scale` functional units for one unit of `currency`. The highest version of a day counts."""

    __tablename__ = "exchange_rate"
    currency: str = Field(primary_key=True, max_length=3)
    quoted_on: date = Field(primary_key=True)
    version: int = Field(primary_key=True)
    numerator: int = Field(sa_type=BigInteger)
    scale: int = Field(sa_type=BigInteger)
    source: str = Field(max_length=30)
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    recorded_by: str = Field(max_length=40)

    __table_args__ = (
        CheckConstraint("numerator > 0 AND scale > 0", name="rate_is_above_zero"),
        *whole_minor("numerator", "scale"),
        WITHOUT_ROWID,
    )

    def value(self) -> Fraction:
        """The rate itself."""
        return Fraction(self.numerator, self.scale)


@dataclass(frozen=True, slots=True)
class Rate:
    """What one unit of `currency` is worth in units of `into`, by the quote of the day `quoted_on`."""

    currency: str
    into: str
    quoted_on: date
    value: Fraction


def rate(
    session: Session, currency: str, *, on: date, as_known_at: datetime | None = None, oldest_days: int = OLDEST_DAYS
) -> Rate:
    """The rate of the day `on`, or the nearest earlier one, by what was recorded until `as_known_at`.

    The functional currency's rate is 1 on every day.

    Raises:
        NoRate: there is none, or it was quoted more than `oldest_days` before.
        BadCurrency: see `money.exponent`.
    """
    into = functional_currency(session)
    if currency == into:
        return Rate(currency, into, on, Fraction(1))
    exponent(currency)
    query = select(ExchangeRate).where(ExchangeRate.currency == currency, ExchangeRate.quoted_on <= on)
    if as_known_at is not None:
        query = query.where(ExchangeRate.recorded_at <= as_known_at)
    newest_first = query.order_by(col(ExchangeRate.quoted_on).desc(), col(ExchangeRate.version).desc())
    found = session.exec(newest_first.limit(1)).first()
    if found is None or (on - found.quoted_on).days > oldest_days:
        raise _no_rate(currency, on=on, oldest_days=oldest_days)
    return Rate(currency, into, found.quoted_on, found.value())


class RateTable:
    """The rates of one transaction for many look-ups, each currency read once: what `rate` gives, day by day."""

    def __init__(
        self, session: Session, *, as_known_at: datetime | None = None, oldest_days: int = OLDEST_DAYS
    ) -> None:
        self.into = functional_currency(session)
        self._session = session
        self._as_known_at = as_known_at
        self._oldest_days = oldest_days
        self._quoted: dict[str, tuple[list[date], list[Fraction]]] = {}

    def rate(self, currency: str, *, on: date) -> Rate:
        """See `rate`, which it agrees with; raises the same."""
        if currency == self.into:
            return Rate(currency, currency, on, Fraction(1))
        if currency not in self._quoted:
            self._quoted[currency] = self._read(currency)
        days, values = self._quoted[currency]
        place = bisect_right(days, on) - 1
        if place < 0 or (on - days[place]).days > self._oldest_days:
            raise _no_rate(currency, on=on, oldest_days=self._oldest_days)
        return Rate(currency, self.into, days[place], values[place])

    def worth(self, minor: int, currency: str, *, on: date) -> Fraction:
        """What so many minor units of `currency` are worth on a day, as `translate` tells it; nothing needs no rate.

        Raises:
            NoRate, BadCurrency: see `rate`.
        """
        return minor * _factor(self.rate(currency, on=on)) if minor else Fraction(0)

    def _read(self, currency: str) -> tuple[list[date], list[Fraction]]:
        exponent(currency)
        query = select_columns(_RATES.c.quoted_on, _RATES.c.numerator, _RATES.c.scale)
        query = query.where(_RATES.c.currency == currency).order_by(_RATES.c.quoted_on, _RATES.c.version)
        if self._as_known_at is not None:
            query = query.where(_RATES.c.recorded_at <= self._as_known_at)
        highest = {row.quoted_on: row for row in self._session.connection().execute(query)}
        return list(highest), [Fraction(row.numerator, row.scale) for row in highest.values()]


def translate(money: Money, by: Rate) -> Fraction:
    """What `money` is worth in minor units of the functional currency, exactly: who shows it rounds it.

    Raises:
        CurrencyMismatch: the rate is of another currency.
    """
    if money.currency != by.currency:
        raise CurrencyMismatch("the rate is of another currency", left=money.currency, right=by.currency)
    return money.minor * _factor(by)


def add(
    session: Session,
    currency: str,
    *,
    on: date,
    value: Fraction,
    source: str,
    recorded_at: datetime,
    recorded_by: str,
) -> ExchangeRate:
    """Adds what a source quotes for a day; when the day has a rate, this one corrects it from now on.

    The rate that counts already, from the same source, is not added again.

    Raises:
        BadRate, BadCurrency: nothing was written. RateAddedMeanwhile: see there.
    """
    _check(session, currency, on=on, value=value, source=source, recorded_at=recorded_at)
    standing = latest(session, currency, on=on)
    if standing is not None and (standing.value(), standing.source) == (value, source):
        return standing
    added = ExchangeRate(
        currency=currency,
        quoted_on=on,
        version=standing.version + 1 if standing else 1,
        numerator=value.numerator,
        scale=value.denominator,
        source=source,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )
    try:
        with session.begin_nested():
            session.add(added)
    except IntegrityError:  # on PostgreSQL another transaction added one between our look and our insert
        raise RateAddedMeanwhile("a rate for the day was added meanwhile", currency=currency, on=str(on)) from None
    return added


def latest(session: Session, currency: str, *, on: date) -> ExchangeRate | None:
    """What counts for a day among what was quoted for this very day."""
    of_day = select(ExchangeRate).where(ExchangeRate.currency == currency, ExchangeRate.quoted_on == on)
    return session.exec(of_day.order_by(col(ExchangeRate.version).desc()).limit(1)).first()


def moments(session: Session, currency: str, *, since: datetime, until: datetime) -> list[datetime]:
    """The moment `since`, and each one up to `until` at which a rate of the currency was recorded, in their order."""
    query = select(ExchangeRate.recorded_at).where(
        ExchangeRate.currency == currency, ExchangeRate.recorded_at > since, ExchangeRate.recorded_at <= until
    )
    return [since, *sorted(set(session.exec(query)))]


def listed(
    session: Session, *, currency: str | None = None, after: tuple[str, date, int] | None = None, limit: int
) -> list[ExchangeRate]:
    """Up to `limit` rates, corrected ones included, in the order of currency, day and version, after that place."""
    place = (col(ExchangeRate.currency), col(ExchangeRate.quoted_on), col(ExchangeRate.version))
    query = select(ExchangeRate).order_by(*place).limit(limit)
    if currency is not None:
        query = query.where(ExchangeRate.currency == currency)
    if after is not None:
        query = query.where(tuple_(*place) > after)
    return list(session.exec(query))


def parse(text: str) -> Fraction:
    """Reads a rate exactly: a decimal such as `0.3305`, or a quotient of two: `1/3.0257`, or `3.44/100` for 100 units.

    Raises:
        BadRate: anything else, zero included.
    """
    match = _RATE.fullmatch(text)
    if match is None or not Fraction(match[1]) or not Fraction(match[2] or 1):
        raise BadRate("a rate is a decimal above zero, or the quotient of two", where="rate")
    return Fraction(match[1]) / Fraction(match[2] or 1)


def write(value: Fraction) -> str:
    """A rate as `parse` reads it: a decimal when it is one of up to 18 digits, else the quotient."""
    for digits in range(19):
        if 10**digits % value.denominator == 0:
            text = str(value.numerator * 10**digits // value.denominator).rjust(digits + 1, "0")
            return f"{text[:-digits]}.{text[-digits:]}" if digits else text
    return f"{value.numerator}/{value.denominator}"


def functional_currency(session: Session) -> str:
    """The currency the book reports in, read once per transaction."""
    known = looked_up(session, _FUNCTIONAL)
    if not known:
        known["code"] = session.connection().execute(_OF_THE_BOOK).scalar_one()
    code: str = known["code"]
    return code


_RATES = SQLModel.metadata.tables["exchange_rate"]
_FUNCTIONAL = "functional_currency"
# By name: the book's own module stands above the books, which it founds.
_OF_THE_BOOK = select_columns(column("functional_currency", String)).select_from(table("book"))


def _factor(by: Rate) -> Fraction:
    """Minor units of the one currency for one minor unit of the other."""
    return by.value * Fraction(10) ** (exponent(by.into) - exponent(by.currency))


def _no_rate(currency: str, *, on: date, oldest_days: int) -> NoRate:
    return NoRate(
        "the books hold no rate of this currency for the day, nor one of the days before it",
        currency=currency,
        on=on.isoformat(),
        oldest_days=oldest_days,
    )


def _check(session: Session, currency: str, *, on: date, value: Fraction, source: str, recorded_at: datetime) -> None:
    exponent(currency)
    if currency == functional_currency(session):
        raise BadRate("the rate of the functional currency is 1", where="currency", currency=currency)
    if not (value > 0 and max(value.numerator, value.denominator) <= LARGEST_MINOR):
        raise BadRate("a rate is above zero and has at most 18 digits", where="rate")
    latest = recorded_at.astimezone(UTC).date() + timedelta(days=1)  # east of Greenwich tomorrow has begun
    if not EARLIEST <= on <= latest:
        raise BadRate("the day is before 1990 or in the future", where="on")
    if not _SOURCE.fullmatch(source):
        raise BadRate("a source is 1 to 30 lower-case letters, digits, points, hyphens or underscores", where="source")
