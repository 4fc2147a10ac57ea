"""Seals: what a closed month came to, kept for good. The next month opens with it, and the treasurer has signed it.

A seal holds the trial balance on the month's last day, computed from the lines alone; the rates of that day; and the
net assets of each fund in the functional currency, by the rule of `valuation.net_assets`: each cell of assets and
liabilities at the rate of the last day, rounded half to even once. Only a fund with nothing left stands here as zero.

A year is closed by its December: no closing entries are posted, and what a year opens with is what the last one was
sealed with.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from sqlalchemy import BigInteger
from sqlmodel import Field, Session, SQLModel, select

from ledger.books import accounts, balances, exchange, periods, rollups
from ledger.books.accounts import AccountClass
from ledger.books.exchange import NoRate, Rate
from ledger.books.periods import IN_FLIGHT, ClosedMonth
from ledger.errors import NotFound
from ledger.money import Money
from ledger.storage import locks
from ledger.storage.columns import WITHOUT_ROWID, MinorUnits, whole_minor

SEAL_DOMAIN = b"solidarity-ledger month 1\x00"
"""What stands before a month's figures when they are hashed."""


class NotSealed(NotFound):
    """No figures are sealed for this month: it is open, or before the first month of the book."""

    rule = "not_sealed"


class SealedMonth(SQLModel, table=True):
    """The seal of a month: the hash of its figures, and the functional currency of its net assets."""

    __tablename__ = "sealed_month"
    last_day: date = Field(primary_key=True)
    currency: str = Field(max_length=3)
    digest: str = Field(max_length=64)

    __table_args__ = (WITHOUT_ROWID,)


class SealedBalance(SQLModel, table=True):
    """The balance of one leaf in one fund and currency; `minor` above zero is a debit balance."""

    __tablename__ = "sealed_balance"
    last_day: date = Field(primary_key=True)
    account_code: str = Field(primary_key=True, foreign_key="account.code", max_length=45)
    fund_code: str = Field(primary_key=True, foreign_key="fund.code", max_length=30)
    currency: str = Field(primary_key=True, max_length=3)
    minor: int = Field(sa_type=MinorUnits)

    __table_args__ = (*whole_minor("minor"), WITHOUT_ROWID)


class SealedRate(SQLModel, table=True):
    """The rate that was used: `numerator / scale` functional units for one unit of `currency`."""

    __tablename__ = "sealed_rate"
    last_day: date = Field(primary_key=True)
    currency: str = Field(primary_key=True, max_length=3)
    quoted_on: date
    numerator: int = Field(sa_type=BigInteger)
    scale: int = Field(sa_type=BigInteger)

    __table_args__ = (*whole_minor("numerator", "scale"), WITHOUT_ROWID)


class SealedNetAssets(SQLModel, table=True):
    """Assets less liabilities of one fund in the functional currency."""

    __tablename__ = "sealed_net_assets"
    last_day: date = Field(primary_key=True)
    fund_code: str = Field(primary_key=True, foreign_key="fund.code", max_length=30)
    minor: int = Field(sa_type=MinorUnits)

    __table_args__ = (*whole_minor("minor"), WITHOUT_ROWID)


Cell = tuple[str, str, str]
"""Account, fund and currency."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a month came to: `balances` in minor units by cell, `net_assets` in `currency` by fund, all in order."""

    month: str
    currency: str
    balances: tuple[tuple[Cell, int], ...]
    rates: tuple[Rate, ...]
    net_assets: tuple[tuple[str, int], ...]

    def digest(self) -> str:
        """SHA-256 in hexadecimal digits over `SEAL_DOMAIN` and the figures as JSON: what the treasurer signs."""
        content = {
            "month": self.month,
            "currency": self.currency,
            "balances": [[*cell, str(minor)] for cell, minor in self.balances],
            "rates": [
                [one.currency, one.quoted_on.isoformat(), str(one.value.numerator), str(one.value.denominator)]
                for one in self.rates
            ],
            "net_assets": [[fund, str(minor)] for fund, minor in self.net_assets],
        }
        return hashlib.sha256(SEAL_DOMAIN + json.dumps(content, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Difference:
    """A sealed figure that the books do not give; None where only one side has it.

    `what` is `balance`, `rate`, `net_assets`, `digest` or `missing` (a closed month without a seal). `name` tells which
    one: a cell's account, fund and currency, a currency, or a fund.
    """

    month: str
    what: str
    name: tuple[str, ...]
    sealed: str | None
    found: str | None


def close(session: Session, month: str, *, by: str, at: datetime) -> ClosedMonth:
    """Seals what a month such as `2020-10` came to, and closes it for good, in the caller's transaction.

    Raises:
        BadMonth, AlreadyClosed, MonthNotOver, MonthOutOfOrder: see `periods`. NoRate: a balance in another currency has
            no rate on the last day. Nothing was written.
    """
    with session.begin_nested():
        locks.close_alone(session)
        periods.look_again(session)
        last_day = periods.require_closable(session, month, at=at)
        figures = gather(session, month)
        session.add(SealedMonth(last_day=last_day, currency=figures.currency, digest=figures.digest()))
        for (account, fund, currency), minor in figures.balances:
            session.add(
                SealedBalance(last_day=last_day, account_code=account, fund_code=fund, currency=currency, minor=minor)
            )
        for rate in figures.rates:
            session.add(
                SealedRate(
                    last_day=last_day,
                    currency=rate.currency,
                    quoted_on=rate.quoted_on,
                    numerator=rate.value.numerator,
                    scale=rate.value.denominator,
                )
            )
        for fund, minor in figures.net_assets:
            session.add(SealedNetAssets(last_day=last_day, fund_code=fund, minor=minor))
        session.flush()
        return periods.close(session, month, by=by, at=at)


def gather(session: Session, month: str) -> Figures:
    """What a month comes to by the lines booked until now: what closing it would seal.

    Raises:
        BadMonth: it is none. NoRate: see `close`.
    """
    last_day = periods.last_day_of(month)
    found = {(one.account.code, one.fund, one.currency): one.minor for one in balances.recomputed(session, on=last_day)}
    valued = _valued(session, found)
    functional = exchange.functional_currency(session)
    used = sorted({currency for (_, _, currency), minor in valued.items() if minor and currency != functional})
    rates = tuple(exchange.rate(session, currency, on=last_day) for currency in used)
    return Figures(
        month=month,
        currency=functional,
        balances=tuple(sorted(found.items())),
        rates=rates,
        net_assets=_net_assets(valued, rates, functional),
    )


def sealed(session: Session, month: str) -> Figures:
    """What was sealed when the month was closed.

    Raises:
        BadMonth: it is none. NotSealed: see there.
    """
    last_day = periods.last_day_of(month)
    seal = session.get(SealedMonth, last_day)
    if seal is None:
        raise NotSealed("the month's figures are not sealed", month=month)
    held = session.exec(select(SealedBalance).where(SealedBalance.last_day == last_day))
    rates = session.exec(select(SealedRate).where(SealedRate.last_day == last_day))
    nets = session.exec(select(SealedNetAssets).where(SealedNetAssets.last_day == last_day))
    return Figures(
        month=month,
        currency=seal.currency,
        balances=tuple(sorted(((one.account_code, one.fund_code, one.currency), one.minor) for one in held)),
        rates=tuple(
            Rate(one.currency, seal.currency, one.quoted_on, Fraction(one.numerator, one.scale))
            for one in sorted(rates, key=lambda one: one.currency)
        ),
        net_assets=tuple(sorted((one.fund_code, one.minor) for one in nets)),
    )


def opening_net_assets(session: Session, month: str) -> dict[str, Money]:
    """What each fund opens a month with, in the functional currency: what the month before was sealed with.

    Raises:
        BadMonth: it is none. NotSealed: the month before is not closed.
    """
    first_day = periods.last_day_of(month).replace(day=1)
    before = sealed(session, f"{date.fromordinal(first_day.toordinal() - 1):%Y-%m}")
    return {fund: Money(minor, before.currency) for fund, minor in before.net_assets}


def differences(session: Session) -> list[Difference]:
    """Every sealed figure that the lines and rates do not give any more; the lines are read once for all months."""
    closings = {one.last_day: one for one in session.exec(select(ClosedMonth))}
    running: dict[Cell, int] = {}
    moved = rollups.recomputed_by_month(session)
    found: list[Difference] = []
    for last_day in sorted(closings):
        while moved and moved[0][0] <= last_day:
            _, cell, minor = moved.pop(0)
            running[cell] = running.get(cell, 0) + minor
        found += _differences(session, closings[last_day], running)
    return found


def _differences(session: Session, closing: ClosedMonth, running: dict[Cell, int]) -> Iterator[Difference]:
    month = f"{closing.last_day:%Y-%m}"
    try:
        seal = sealed(session, month)
    except NotSealed:
        yield Difference(month, "missing", (), None, None)
        return
    kept = session.get_one(SealedMonth, closing.last_day)
    if kept.digest != seal.digest():
        yield Difference(month, "digest", (), kept.digest, seal.digest())
    yield from _compare(month, "balance", _amounts(seal.balances), _amounts(running.items()))
    known = [_known_then(session, one, closing) for one in seal.rates]
    yield from _compare(month, "rate", _texts(seal.rates), _texts(one for one in known if one))
    nets = _net_assets(_valued(session, running), seal.rates, seal.currency)
    yield from _compare(
        month,
        "net_assets",
        {(fund,): Money(minor, seal.currency).decimal() for fund, minor in seal.net_assets},
        {(fund,): Money(minor, seal.currency).decimal() for fund, minor in nets},
    )


def _known_then(session: Session, used: Rate, closing: ClosedMonth) -> Rate | None:
    """The rate that the closing could know: `used` itself, if it was the one at any moment of the time in flight.

    What is recorded while a month is closed bears a moment before or after it, whether or not the closing saw it.
    """
    standing: list[Rate] = []
    for moment in exchange.moments(
        session, used.currency, since=closing.closed_at - IN_FLIGHT, until=closing.closed_at + IN_FLIGHT
    ):
        with suppress(NoRate):
            standing.append(exchange.rate(session, used.currency, on=closing.last_day, as_known_at=moment))
    return used if used in standing else next(iter(standing), None)


def _compare(
    month: str, what: str, kept: dict[tuple[str, ...], str], found: dict[tuple[str, ...], str]
) -> Iterator[Difference]:
    for name in sorted({*kept, *found}):
        if kept.get(name) != found.get(name):
            yield Difference(month, what, name, kept.get(name), found.get(name))


def _amounts(cells: Iterable[tuple[Cell, int]]) -> dict[tuple[str, ...], str]:
    return {cell: Money(minor, cell[2]).decimal() for cell, minor in cells}


def _texts(rates: Iterable[Rate]) -> dict[tuple[str, ...], str]:
    return {(one.currency,): f"{one.quoted_on} {exchange.write(one.value)}" for one in rates}


def _valued(session: Session, cells: dict[Cell, int]) -> dict[Cell, int]:
    """The cells of assets and liabilities."""
    counted = (AccountClass.ASSET, AccountClass.LIABILITY)
    codes = {account.code for account in accounts.listed(session) if account.account_class in counted}
    return {cell: minor for cell, minor in cells.items() if cell[0] in codes}


def _net_assets(valued: dict[Cell, int], rates: Sequence[Rate], functional: str) -> tuple[tuple[str, int], ...]:
    """By fund: each cell translated exactly and rounded half to even once; totals add cells (see docs/architecture)."""
    by_currency = {one.currency: one for one in rates}
    by_currency[functional] = Rate(functional, functional, date.min, Fraction(1))
    nets: dict[str, int] = {}
    for (_, fund, currency), minor in valued.items():
        # A currency without a rate is one in which nothing stood when the rates were sealed.
        worth = round(exchange.translate(Money(minor, currency), by_currency[currency])) if minor else 0
        nets[fund] = nets.get(fund, 0) + worth
    return tuple(sorted(nets.items()))
