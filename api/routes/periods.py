"""Routes of periods: months, what they come to, and their closing by a signed act."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import AmountOnWire, SignedActOnWire, Wire
from api.transactions import Tx
from ledger import closing
from ledger.approvals import Agreed
from ledger.books import exchange, periods, seals
from ledger.books.periods import Period
from ledger.books.seals import Figures, NotSealed
from ledger.money import Money

router = APIRouter()

Month = Annotated[str, Path(pattern=r"^\d{4}-\d{2}$", examples=["2020-10"])]


class PeriodOut(Wire):
    """A month; `state` is `open`, `soft_closed` or `closed`, and the rest tells of the last closing."""

    month: str
    last_day: date
    state: str
    closed_by: str | None
    closed_at: datetime | None

    @classmethod
    def of(cls, period: Period) -> "PeriodOut":
        """A month as the wire has it."""
        closing = period.closed or period.soft_closed
        return cls(
            month=period.month,
            last_day=periods.last_day_of(period.month),
            state=period.state,
            closed_by=closing.closed_by if closing else None,
            closed_at=closing.closed_at if closing else None,
        )


class PeriodsOut(Wire):
    """Every month from the first in which something was booked until this one."""

    periods: list[PeriodOut]


class CellOut(Wire):
    """What stands on a leaf in one fund."""

    account: str
    fund: str
    balance: AmountOnWire


class MonthRateOut(Wire):
    """A rate of the month's last day, exactly."""

    currency: str
    quoted_on: date
    rate: str


class NetAssetsOut(Wire):
    """A fund's assets less its liabilities in the functional currency."""

    fund: str
    amount: AmountOnWire


class FiguresOut(Wire):
    """What a month comes to, or was sealed with; `digest` is what the treasurer signs to close it."""

    month: str
    sealed: bool
    currency: str
    balances: list[CellOut]
    rates: list[MonthRateOut]
    net_assets: list[NetAssetsOut]
    digest: str

    @classmethod
    def of(cls, figures: Figures, *, sealed: bool) -> "FiguresOut":
        """Figures as the wire has them."""
        return cls(
            month=figures.month,
            sealed=sealed,
            currency=figures.currency,
            balances=[
                CellOut(account=account, fund=fund, balance=AmountOnWire.of(Money(minor, currency)))
                for (account, fund, currency), minor in figures.balances
            ],
            rates=[
                MonthRateOut(currency=one.currency, quoted_on=one.quoted_on, rate=exchange.write(one.value))
                for one in figures.rates
            ],
            net_assets=[
                NetAssetsOut(fund=fund, amount=AmountOnWire.of(Money(minor, figures.currency)))
                for fund, minor in figures.net_assets
            ],
            digest=figures.digest(),
        )


class CloseIn(Wire):
    """The treasurer's signed act; its object is the month, its evidence the digest of the month's figures."""

    agreed: SignedActOnWire


class SoftCloseIn(Wire):
    """Nothing but the month in the path."""


class AdmitIn(Wire):
    """The treasurer's signed act; its object is the month, its evidence the fingerprint of the entry."""

    fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    agreed: SignedActOnWire


class AdmittedOut(Wire):
    """An entry that may be booked in a softly closed month."""

    month: str
    fingerprint: str


@router.get("/v1/periods")
def list_periods(session: Tx, _caller: Admitted, now: Now) -> PeriodsOut:
    """The months, closed and open."""
    return PeriodsOut(periods=[PeriodOut.of(period) for period in periods.listed(session, today=now.date())])


@router.get("/v1/periods/{month}/figures")
def read_figures(month: Month, session: Tx, _caller: Admitted) -> FiguresOut:
    """What a closed month was sealed with, or what closing an open one would seal by what is booked until now."""
    try:
        return FiguresOut.of(seals.sealed(session, month), sealed=True)
    except NotSealed:
        return FiguresOut.of(seals.gather(session, month), sealed=False)


@router.post("/v1/periods/{month}/soft-close", status_code=201)
def soft_close_period(
    month: Month, _body: SoftCloseIn, session: Tx, caller: Admitted, now: Now, once: Claimed
) -> PeriodOut:
    """Closes a month softly: from now on it takes only entries that the treasurer admits."""
    closed = periods.soft_close(session, month, by=caller.operator.alias, at=now)
    return once.keep(PeriodOut.of(Period(month, closed, None)))


@router.post("/v1/periods/{month}/admissions", status_code=201)
def admit_entry(month: Month, body: AdmitIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> AdmittedOut:
    """Admits one entry to a softly closed month."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    admitted = closing.admit(session, month, agreed, fingerprint=body.fingerprint)
    return once.keep(AdmittedOut(month=month, fingerprint=admitted.fingerprint))


@router.post("/v1/periods/{month}/close", status_code=201)
def close_period(month: Month, body: CloseIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> PeriodOut:
    """Closes a month for good, and seals its figures: nothing is booked in it any more."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    closed = closing.close(session, month, agreed)
    return once.keep(PeriodOut.of(Period(month, None, closed)))
