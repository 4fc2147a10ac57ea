"""The recipes of agents: advances sent, acknowledged and returned, what agents pay, and what is lost with them.

A purse is an agent's leaf of 1200, the transit their leaf of 1210.
"""

from ledger.books.postings import Posting, credit, debit
from ledger.books.recipes.codes import (
    AGENTS_FEES,
    APPROVED_ASSISTANCE,
    BANK_FEES,
    EARLIER_YEARS,
    GENERAL,
    LOSSES,
    OWED_TO_AGENTS,
    RECOVERABLE,
)
from ledger.books.recipes.legs import (
    Place,
    Purse,
    Shares,
    arrived,
    balanced,
    exchanged,
    left,
    moved,
    moving,
    paid_out,
    require_exchange,
    require_same_funds,
)
from ledger.money import Money


def advance_sent(*, leaf: Place, transit: str, shares: Shares, advance: str, fee: Money | None = None) -> list[Posting]:
    """An advance seen leaving the bank, on its way to the agent; `general` bears the bank's fee."""
    sent = moved(shares, source=leaf, target=Purse(transit, advance))
    if fee is None or not fee.minor:
        return sent
    return balanced(*sent, debit(BANK_FEES, fee, GENERAL), paid_out(leaf, fee, GENERAL))


def advance_acknowledged(*, transit: str, purse: str, sent: Shares, received: Shares, advance: str) -> list[Posting]:
    """The agent has the money: what they really received, of each fund, for what was sent."""
    require_same_funds(received, sent)
    return exchanged(*arrived(Purse(purse, advance), received), *left(Purse(transit, advance), sent))


def advance_returned(
    *,
    leaf: Place,
    purse: str,
    came: Shares,
    stood_for: Shares,
    advance: str,
    own: Shares | None = None,
    agent: str | None = None,
) -> list[Posting]:
    """Unspent money is back at the bank: `came` there, for what it `stood_for` in the agent's purse.

    `own` of it was never in the purse: it is owed to the `agent`.
    """
    require_same_funds(came, stood_for)
    owed = moving(own or {})
    taken = {fund: share - (own or {}).get(fund, share - share) for fund, share in stood_for.items()}
    owing = [credit(OWED_TO_AGENTS, share, fund, subject=agent) for fund, share in owed]
    return exchanged(*arrived(leaf, came), *left(Purse(purse, advance), taken), *owing)


def aid_paid_by_agent(
    *, purse: str, amount: Money, from_purse: Money, fund: str, obligation: str, case: str, agent: str
) -> list[Posting]:
    """Recognised assistance that an agent paid: `from_purse` of the fund's money they hold, the rest from their own."""
    postings = [debit(APPROVED_ASSISTANCE, amount, fund, subject=obligation, case=case)]
    if from_purse.minor:
        postings.append(credit(purse, from_purse, fund, subject=agent, case=case))
    if from_purse < amount:
        postings.append(credit(OWED_TO_AGENTS, amount - from_purse, fund, subject=agent, case=case))
    return balanced(*postings)


def agent_paid_in_error(
    *, purse: str, amount: Money, from_purse: Money, fund: str, obligation: str, case: str, agent: str
) -> list[Posting]:
    """What an agent paid though nothing was to be paid any more: who has it owes it to the fund."""
    postings = [debit(RECOVERABLE, amount, fund, subject=obligation, case=case)]
    if from_purse.minor:
        postings.append(credit(purse, from_purse, fund, subject=agent, case=case))
    if from_purse < amount:
        postings.append(credit(OWED_TO_AGENTS, amount - from_purse, fund, subject=agent, case=case))
    return balanced(*postings)


def purse_converted(*, purse: Purse, sold: Shares, bought: Shares) -> list[Posting]:
    """An agent changes money of one currency that they hold into another."""
    require_same_funds(bought, sold)
    require_exchange(bought, sold)
    return exchanged(*arrived(purse, bought), *left(purse, sold))


def purse_handed_over(*, giver: Purse, taker: Purse, shares: Shares) -> list[Posting]:
    """An agent hands money to another one."""
    return moved(shares, source=giver, target=taker)


def agent_fee_taken(*, purse: Purse, fee: Money, fund: str = GENERAL) -> list[Posting]:
    """An agent keeps their fee of what they hold; `general` bears it unless another fund's purpose says so."""
    return balanced(debit(AGENTS_FEES, fee, fund), paid_out(purse, fee, fund))


def outlay_repaid(*, leaf: Place, amount: Money, fund: str, agent: str, spent: Money | None = None) -> list[Posting]:
    """What an agent laid out of their own is repaid; `spent` is what it cost when the leaf has another currency."""
    return exchanged(debit(OWED_TO_AGENTS, amount, fund, subject=agent), paid_out(leaf, spent or amount, fund))


def outlay_repayment_returned(*, leaf: str, amount: Money, fund: str, agent: str, came: Money) -> list[Posting]:
    """A repayment that the bank has returned: `amount` is owed again, `came` is what that was on the leaf."""
    return exchanged(debit(leaf, came, fund), credit(OWED_TO_AGENTS, amount, fund, subject=agent))


def outlay_set_off(*, purse: Purse, amount: Money, fund: str, spent: Money | None = None) -> list[Posting]:
    """What an agent laid out of their own is set off against the next advance that they hold."""
    return outlay_repaid(leaf=purse, amount=amount, fund=fund, agent=purse.agent, spent=spent)


def money_lost(*, held: Purse, shares: Shares) -> list[Posting]:
    """Money with an agent, or on its way to them (`held` is then their leaf of 1210), was seized or lost."""
    losses = [debit(LOSSES, share, fund, subject=held.agent) for fund, share in moving(shares)]
    return balanced(*losses, *left(held, shares))


def lost_money_recovered(*, purse: Purse, shares: Shares, earlier_year: bool) -> list[Posting]:
    """Money seized or lost is with the agent again; `earlier_year` when it was lost in an earlier fiscal year."""
    account = EARLIER_YEARS if earlier_year else LOSSES
    back = [credit(account, share, fund, subject=purse.agent) for fund, share in moving(shares)]
    return balanced(*arrived(purse, shares), *back)
