"""What is free: of a fund, in the hands of a fund, on a leaf. Decisions that would take more are refused.

A decision locks the rows of the funds and of the leaves it is about, in the order of their codes, funds first, and
looks at what they have only then: two decisions on one fund take turns. What is booked as a fact locks nothing here.

What is held is always read before what stands in the journal: a hold that another transaction turns into an entry
between the two looks counts twice then, never not at all.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from math import floor

from sqlmodel import Session, select

from ledger.books import balances, exchange, funds, holds
from ledger.books.accounts import Account
from ledger.books.holds import Hold, NewHold, Reserve
from ledger.errors import Refused
from ledger.money import Money
from ledger.storage.locks import locked


class WouldOverdraw(Refused):
    """The fund, or the account, has not enough that is free; amounts are in minor units."""

    rule = "would_overdraw"


def reserve(session: Session, wanted: Sequence[NewHold], *, on: date) -> list[Hold]:
    """Places holds, all or none, when there is enough for all of them together; those that stand take nothing more.

    Raises:
        WouldOverdraw: a fund or a leaf has not enough. NoRate: it cannot be told without a rate that the books do not
            hold. UnknownFund, and what `holds.place` raises. Nothing was written.
    """
    _lock(session, wanted)
    needed: dict[tuple[Reserve, str], Counter[str]] = {}
    standing = holds.standing(session, wanted)
    for new in wanted:
        if new.source_key not in standing:
            of = new.account if new.reserves is Reserve.LEAF else new.fund
            needed.setdefault((new.reserves, of or ""), Counter())[new.amount.currency] += new.amount.minor
    for (reserves, code), sums in sorted(needed.items()):
        if reserves is Reserve.LEAF:
            _require_on_leaf(session, code, sums)
        else:
            free = spendable(session, code) if reserves is Reserve.SPENDABLE else in_hand(session, code)
            _require_of_fund(session, code, free, sums, on=on)
    with session.begin_nested():  # all of them, or none
        return holds.place_all(session, wanted, on=on)


def require_spendable(session: Session, fund: str, amount: Money, *, on: date) -> None:
    """Refuses a decision that takes `amount` of what a fund does not have free; the fund's row is locked.

    Where every currency stays at zero or above, no rate is asked for, nor where there is only one. Else everything is
    valued at the latest rates until the day `on`, exactly.

    Raises:
        UnknownFund: see there. WouldOverdraw: not enough, in the amount's currency or, valued, in the functional one.
        NoRate: it cannot be told without a rate that the books do not hold.
    """
    funds.require(session, fund, lock=True)
    _require_of_fund(session, fund, spendable(session, fund), {amount.currency: amount.minor}, on=on)


def require_in_hand(session: Session, fund: str, amount: Money, *, on: date) -> None:
    """Refuses a decision that takes `amount` of the cash that a fund does not have free; the fund's row is locked.

    Raises:
        UnknownFund, WouldOverdraw, NoRate: as `require_spendable`.
    """
    funds.require(session, fund, lock=True)
    _require_of_fund(session, fund, in_hand(session, fund), {amount.currency: amount.minor}, on=on)


def require_available(session: Session, account: str, amount: Money) -> None:
    """Refuses what would overdraw a leaf; its row is locked.

    Raises:
        WouldOverdraw: it has not enough.
    """
    _lock_leaf(session, account)
    _require_on_leaf(session, account, {amount.currency: amount.minor})


def spendable(session: Session, fund: str) -> dict[str, Money]:
    """By currency: a fund's liquid assets less its liabilities less what it has promised and not recognised yet."""
    held = holds.held_of_fund(session, fund, Reserve.SPENDABLE)
    return _less(balances.liquid_nets(session, fund), held)


def in_hand(session: Session, fund: str) -> dict[str, Money]:
    """By currency: what a fund has at banks and processors less what is to leave from there.

    An advance lowers nothing that is spendable, but no fund's agent lives on another fund's money.
    """
    held = holds.held_of_fund(session, fund, Reserve.IN_HAND, Reserve.LEAF)
    return _less(balances.cash(session, fund), held)


def available(session: Session, account: str, *, currency: str) -> Money:
    """What a leaf may still pay: its balance less what the bank was told to pay and has not shown yet."""
    held = holds.held_on_leaf(session, account, currency=currency)
    return balances.balance(session, account, currency=currency) - held


def shortfall(session: Session, fund: str, *, on: date) -> Money | None:
    """By how much a fund has promised more than it has, below zero, in the functional currency; None when it has not.

    Where that cannot be told for want of a rate: the currency in which most minor units are missing.
    """
    standing = {currency: money for currency, money in spendable(session, fund).items() if money.minor}
    missing = [money for money in standing.values() if money.minor < 0]
    if not missing:
        return None
    if len(standing) == 1:
        return missing[0]
    try:
        worth = floor(_worth(session, standing, on=on))
    except exchange.NoRate:
        return min(missing, key=lambda money: (money.minor, money.currency))
    return Money(worth, exchange.functional_currency(session)) if worth < 0 else None


def _require_of_fund(
    session: Session, fund: str, free: Mapping[str, Money], needed: Mapping[str, int], *, on: date
) -> None:
    after = _less(free, {currency: Money(minor, currency) for currency, minor in needed.items()})
    if all(money.minor >= 0 for money in after.values()):
        return
    own = {currency: free.get(currency, Money(0, currency)) for currency in needed}
    if len(own) == 1 and not any(money.minor for currency, money in free.items() if currency not in own):
        (only,) = own.values()
        raise WouldOverdraw("the fund has not enough", fund=fund, free_minor=only.minor, currency=only.currency)
    if _worth(session, after, on=on) < 0:
        functional = exchange.functional_currency(session)
        worth = floor(_worth(session, free, on=on))
        raise WouldOverdraw("the fund has not enough", fund=fund, free_minor=worth, currency=functional)


def _require_on_leaf(session: Session, account: str, needed: Mapping[str, int]) -> None:
    for currency, minor in sorted(needed.items()):
        free = available(session, account, currency=currency)
        if free.minor < minor:
            raise WouldOverdraw("the account has not enough", account=account, free_minor=free.minor, currency=currency)


def _worth(session: Session, amounts: Mapping[str, Money], *, on: date) -> Fraction:
    """In minor units of the functional currency; nothing is worth nothing at any rate."""
    standing = [money for money in amounts.values() if money.minor]
    valued = (exchange.translate(money, exchange.rate(session, money.currency, on=on)) for money in standing)
    return sum(valued, Fraction(0))


def _less(free: Mapping[str, Money], taken: Mapping[str, Money]) -> dict[str, Money]:
    rest = dict(free)
    for currency, money in taken.items():
        rest[currency] = rest.get(currency, Money(0, currency)) - money
    return rest


def _lock(session: Session, wanted: Sequence[NewHold]) -> None:
    """Everybody locks funds before leaves, each in the order of their codes: nobody waits in a circle."""
    of_funds = {new.fund for new in wanted if new.reserves is not Reserve.LEAF and new.fund is not None}
    for fund in sorted(of_funds):
        funds.require(session, fund, lock=True)
    for account in sorted({new.account for new in wanted if new.account is not None}):
        _lock_leaf(session, account)


def _lock_leaf(session: Session, account: str) -> None:
    session.exec(locked(select(Account).where(Account.code == account))).one()
