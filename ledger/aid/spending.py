"""What a fund may still promise: its liquid money less what it owes and holds, valued in the functional currency."""

from datetime import date
from fractions import Fraction
from math import floor

from sqlalchemy import func
from sqlmodel import Session, col, select

from ledger.aid import agents
from ledger.aid.obligations import Obligation, State
from ledger.books import balances, exchange
from ledger.errors import Refused
from ledger.money import Money


class WouldOverdraw(Refused):
    """The fund, or the account, has not enough that is free; amounts are in minor units."""

    rule = "would_overdraw"


def require_spendable(session: Session, fund: str, amount: Money, *, on: date) -> None:
    """Refuses a promise of `amount` that the fund could not keep; the caller holds the fund's lock.

    Where the money in the amount's own currency suffices and the fund is below zero in no other, no rate is asked for:
    the rest can only add. Nor is one where there is no other currency. Else everything is valued at the latest rates
    until the day `on`, exactly.

    Raises:
        WouldOverdraw: not enough, in the amount's currency or, valued, in the functional one.
        NoRate: it cannot be told without a rate that the books do not hold.
    """
    _require(session, fund, spendable(session, fund), amount, on=on)


def require_in_hand(session: Session, fund: str, amount: Money, *, on: date) -> None:
    """Refuses to send `amount` to an agent when the fund itself has not that much at the banks and on the way to them.

    An advance lowers nothing that is spendable, but no fund's agent lives on another fund's money. The caller holds
    the fund's lock; valued as in `require_spendable`.

    Raises:
        WouldOverdraw, NoRate: see there.
    """
    _require(session, fund, balances.cash(session, fund), amount, on=on)


def spendable(session: Session, fund: str) -> dict[str, Money]:
    """By currency: a fund's liquid assets less its liabilities less what is approved and not yet recognised.

    What frozen agents hold does not count.
    """
    # Held first: what another transaction recognises between the two looks counts twice then, never not at all.
    held = session.exec(
        select(Obligation.currency, func.sum(Obligation.minor))
        .where(Obligation.fund_code == fund, Obligation.state == State.APPROVED)
        .group_by(col(Obligation.currency))
    ).all()
    free = balances.liquid_nets(session, fund)
    promised = [Money(int(minor), currency) for currency, minor in held]
    for money in (*promised, *agents.out_of_reach(session, fund)):
        free[money.currency] = free.get(money.currency, Money(0, money.currency)) - money
    return free


def _require(session: Session, fund: str, free: dict[str, Money], amount: Money, *, on: date) -> None:
    own = free.pop(amount.currency, Money(0, amount.currency))
    others = [money for money in free.values() if money.minor]
    if amount <= own and all(money.minor > 0 for money in others):
        return
    if not others:
        raise WouldOverdraw("the fund has not enough", fund=fund, free_minor=own.minor, currency=own.currency)
    worth = sum((_value(session, money, on=on) for money in (own, *others)), Fraction(0))
    if worth < _value(session, amount, on=on):
        functional = exchange.functional_currency(session)
        raise WouldOverdraw("the fund has not enough", fund=fund, free_minor=floor(worth), currency=functional)


def _value(session: Session, money: Money, *, on: date) -> Fraction:
    """In minor units of the functional currency; nothing is worth nothing at any rate."""
    return exchange.translate(money, exchange.rate(session, money.currency, on=on)) if money.minor else Fraction(0)
