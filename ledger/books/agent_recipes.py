"""The posting recipes of agents: advances sent, acknowledged and returned, and what agents pay. Facts in, postings out.

A purse is an agent's leaf of 1200, the transit their leaf of 1210. Where money changes its currency, each fund gets two
legs on 3900, so that every entry sums to zero per currency and fund.
"""

from collections.abc import Mapping

from ledger.books.postings import Posting, credit, debit
from ledger.books.recipes import APPROVED_ASSISTANCE
from ledger.money import Money

EXCHANGE = "3900"
OWED_TO_AGENTS = "2150"
Shares = Mapping[str, Money]
"""What each fund has of a sum."""


def advance_sent(*, leaf: str, transit: str, shares: Shares, advance: str) -> list[Posting]:
    """An advance seen leaving the bank, on its way to the agent."""
    pairs = [
        (debit(transit, share, fund, subject=advance), credit(leaf, share, fund)) for fund, share in _moving(shares)
    ]
    return [posting for pair in pairs for posting in pair]


def advance_acknowledged(*, transit: str, purse: str, sent: Shares, received: Shares, advance: str) -> list[Posting]:
    """The agent has the money: what they really received, of each fund, for what was sent."""
    arrived = [debit(purse, share, fund, subject=advance) for fund, share in _moving(received)]
    gone = [credit(transit, share, fund, subject=advance) for fund, share in _moving(sent)]
    return [*arrived, *gone, *_exchanged(came=received, went=sent)]


def advance_returned(*, leaf: str, purse: str, came: Shares, stood_for: Shares, advance: str) -> list[Posting]:
    """Unspent money is back at the bank: `came` there, for what it `stood_for` in the agent's purse."""
    arrived = [debit(leaf, share, fund) for fund, share in _moving(came)]
    gone = [credit(purse, share, fund, subject=advance) for fund, share in _moving(stood_for)]
    return [*arrived, *gone, *_exchanged(came=came, went=stood_for)]


def aid_paid_by_agent(
    *, purse: str, amount: Money, from_purse: Money, fund: str, obligation: str, case: str, agent: str
) -> list[Posting]:
    """Recognised assistance that an agent paid: `from_purse` of the fund's money they hold, the rest from their own."""
    postings = [debit(APPROVED_ASSISTANCE, amount, fund, subject=obligation, case=case)]
    if from_purse.minor:
        postings.append(credit(purse, from_purse, fund, subject=agent, case=case))
    if from_purse < amount:
        postings.append(credit(OWED_TO_AGENTS, amount - from_purse, fund, subject=agent, case=case))
    return postings


def apportion(total_minor: int, *, by: Mapping[str, int]) -> dict[str, int]:
    """`total_minor` in shares as `by` weighs them, whole and exact: largest remainder, ties by the name.

    The weights are not negative and not all zero, the total is not negative. A share is over its weight only when the
    total is over the sum of the weights.
    """
    whole = sum(by.values())
    shares = {name: total_minor * weight // whole for name, weight in by.items()}
    left = total_minor - sum(shares.values())
    by_remainder = sorted(by, key=lambda name: (-(total_minor * by[name] % whole), name))
    for name in by_remainder[:left]:
        shares[name] += 1
    return shares


def _exchanged(*, came: Shares, went: Shares) -> list[Posting]:
    """The two legs of each fund; none where the currency stays."""
    if {share.currency for share in came.values()} == {share.currency for share in went.values()}:
        return []
    given = [credit(EXCHANGE, share, fund) for fund, share in _moving(came)]
    taken = [debit(EXCHANGE, share, fund) for fund, share in _moving(went)]
    return [*given, *taken]


def _moving(shares: Shares) -> list[tuple[str, Money]]:
    """The shares above zero in the order of their funds: of few kopecks a small fund may get none."""
    return [(fund, shares[fund]) for fund in sorted(shares) if shares[fund].minor]
