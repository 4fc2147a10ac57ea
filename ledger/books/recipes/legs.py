"""What recipes are made of: a place where money is, shares of funds, and the two rules that complete every row.

*Currency*: where a fund's sides are in two currencies, it gets two legs on 3900. *Fund*: where sides are in two funds,
they get two lines on the pooled leaf, never 3800. So every entry sums to zero per currency and fund.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ledger.books.postings import BadPosting, Posting, Side, credit, debit
from ledger.books.recipes.codes import EXCHANGE
from ledger.errors import BadInput
from ledger.money import CurrencyMismatch, Money

_MOST_CURRENCIES = 2


class BadFacts(BadInput):
    """Facts that make no entry: a share that is missing, a kind that cannot be, nothing that moves.

    Or what came or went stands for another amount of its own currency: `residual_minor` tells by how much.
    """

    rule = "bad_facts"


@dataclass(frozen=True, slots=True)
class Purse:
    """Money that an agent holds: a leaf of 1200, and the agent's alias, which every line on it names."""

    code: str
    agent: str


Place = str | Purse
"""Where money is: the code of a leaf (of 1000, 1020, 1100), or an agent's purse."""
Shares = Mapping[str, Money]
"""What each fund has of a sum. Nothing is said of a share of zero, and it gets no line."""


def balanced(*postings: Posting) -> list[Posting]:
    """The postings of an event in one currency.

    Raises:
        BadPosting: an amount is not above zero. BadFacts: nothing moves, or a fund's sides differ.
        CurrencyMismatch: there are two currencies.
    """
    _require_above_zero(postings)
    first, *others = sorted({posting.money.currency for posting in postings})
    if others:
        raise CurrencyMismatch("amounts in two currencies", left=first, right=others[0])
    if any(_residuals(postings).values()):
        raise BadFacts(
            "the sides of a fund differ",
            where="amount",
            currency=first,
            residual_minor=max(_residuals(postings).values(), key=abs),
        )
    return list(postings)


def exchanged(*postings: Posting) -> list[Posting]:
    """The postings, and where they are in two currencies, each fund's two legs on 3900: what came, then what went.

    A fund whose share is too small for a unit of the other currency has the one leg only.

    Raises:
        BadPosting, BadFacts: see `balanced`, or money of both currencies came, or went, in one fund.
        CurrencyMismatch: there are three currencies.
    """
    currencies = sorted({posting.money.currency for posting in postings})
    if len(currencies) < _MOST_CURRENCIES:
        return balanced(*postings)
    if len(currencies) > _MOST_CURRENCIES:
        raise CurrencyMismatch("amounts in three currencies", left=currencies[0], right=currencies[-1])
    _require_above_zero(postings)
    legs: dict[Side, list[Posting]] = {Side.CREDIT: [], Side.DEBIT: []}
    per_fund: defaultdict[str, set[Side]] = defaultdict(set)
    for (fund, currency), minor in sorted(_residuals(postings).items()):
        if not minor:
            continue
        side = Side.CREDIT if minor > 0 else Side.DEBIT
        if side in per_fund[fund]:
            raise BadFacts("in one fund, money of both currencies came, or went", where="amount", currency=currency)
        per_fund[fund].add(side)
        legs[side].append(Posting(side, EXCHANGE, Money(abs(minor), currency), fund))
    return [*postings, *legs[Side.CREDIT], *legs[Side.DEBIT]]


def between_funds(place: Place, amount: Money, *, giver: str, taker: str) -> list[Posting]:
    """The two lines on the pooled leaf by which `giver` bears what `taker` gets; none when they are one fund."""
    if giver == taker:
        return []
    return [paid_out(place, amount, giver), paid_in(place, amount, taker)]


def paid_in(place: Place, money: Money, fund: str, *, case: str | None = None) -> Posting:
    """Money arrives at a place."""
    if isinstance(place, Purse):
        return debit(place.code, money, fund, subject=place.agent, case=case)
    return debit(place, money, fund, case=case)


def paid_out(place: Place, money: Money, fund: str, *, case: str | None = None) -> Posting:
    """Money leaves a place."""
    if isinstance(place, Purse):
        return credit(place.code, money, fund, subject=place.agent, case=case)
    return credit(place, money, fund, case=case)


def moved(shares: Shares, *, source: Place, target: Place) -> list[Posting]:
    """From one pooled leaf to another, fund by fund; a share below zero moves the other way.

    Raises:
        BadFacts: nothing moves. CurrencyMismatch: the shares are in two currencies.
    """
    postings = []
    for fund, share in moving(shares):
        if share.minor > 0:
            postings += [paid_in(target, share, fund), paid_out(source, share, fund)]
        else:
            postings += [paid_in(source, -share, fund), paid_out(target, -share, fund)]
    return balanced(*postings)


def arrived(place: Place, shares: Shares) -> list[Posting]:
    """Each fund's share arrives at a place; one below zero leaves it."""
    return [
        paid_in(place, share, fund) if share.minor > 0 else paid_out(place, -share, fund)
        for fund, share in moving(shares)
    ]


def left(place: Place, shares: Shares) -> list[Posting]:
    """Each fund's share leaves a place; one below zero arrives."""
    return arrived(place, {fund: -share for fund, share in shares.items()})


def moving(shares: Shares) -> list[tuple[str, Money]]:
    """The shares that are not zero, in the order of their funds: of few kopecks a small fund may get none."""
    return [(fund, shares[fund]) for fund in sorted(shares) if shares[fund].minor]


def require_same_funds(came: Shares, went: Shares) -> None:
    """Refuses what came for other funds than it went from.

    Raises:
        BadFacts: a fund's share of the one or the other is missing; zero must be said.
    """
    if missing := set(came) ^ set(went):
        raise BadFacts("a fund's share is missing", where="shares", missing=len(missing))


def require_exchange(came: Shares, went: Shares) -> None:
    """Refuses a conversion of a currency into itself.

    Raises:
        BadFacts: something in the same currency came and went.
    """
    if both := {share.currency for share in came.values()} & {share.currency for share in went.values()}:
        raise BadFacts("a currency is not converted into itself", where="currency", currency=min(both))


def apportion(total_minor: int, *, by: Mapping[str, int]) -> dict[str, int]:
    """`total_minor` in shares as `by` weighs them, whole and exact: largest remainder, ties by the name.

    A weight below zero gets a share of the other sign. While none is, a share is over its weight only when the total is
    over the sum of the weights.

    Raises:
        BadFacts: the weights do not sum to more than zero.
    """
    whole = sum(by.values())
    if whole <= 0:
        raise BadFacts("shares are weighed by what is above zero together", where="shares", sum=whole)
    shares = {name: total_minor * weight // whole for name, weight in by.items()}
    missing = total_minor - sum(shares.values())
    by_remainder = sorted(by, key=lambda name: (-(total_minor * by[name] % whole), name))
    for name in by_remainder[:missing]:
        shares[name] += 1
    return shares


def _require_above_zero(postings: Sequence[Posting]) -> None:
    if not postings:
        raise BadFacts("nothing moves", where="amount")
    for number, posting in enumerate(postings, start=1):
        if posting.money.minor <= 0:
            raise BadPosting("an amount is above zero, the verb tells its direction", line=number)


def _residuals(postings: Iterable[Posting]) -> Counter[tuple[str, str]]:
    """What each fund's debits exceed its credits by, in each currency."""
    sums: Counter[tuple[str, str]] = Counter()
    for posting in postings:
        sums[posting.fund, posting.money.currency] += (
            posting.money.minor if posting.side is Side.DEBIT else -posting.money.minor
        )
    return sums
