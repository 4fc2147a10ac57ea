"""The season's totals from the story alone: every fact by its recipe in signed sums, debit above zero. No ledger."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import chain
from typing import Any

from examples.season_2020 import gifts, plan, rulings, story
from examples.season_2020.gifts import CardGift
from examples.season_2020.rulings import Row
from examples.season_2020.story import ACCOUNTS, BANK_GIFTS, BATCHES, BYN_BANK, EUR_BANK, PAYOUTS, Payout

AGENT = "1200:agent"
"""The agent's leaf; in a book it bears the agent's alias."""

Cell = tuple[str, str, str]
"""Account, fund, currency."""


@dataclass(slots=True)
class Totals:
    """Balances in minor units by cell, also those that came back to zero, and how many entries each event made."""

    cells: Counter[Cell] = field(default_factory=Counter)
    entries: Counter[str] = field(default_factory=Counter)

    def add(self, event: str, *lines: tuple[str, str, str, int]) -> None:
        """One entry: (account, fund, currency, signed sum) for each line.

        Raises:
            ValueError: the lines are not zero per fund and currency: the recipe above is wrong.
        """
        sums: Counter[tuple[str, str]] = Counter()
        for _, fund, currency, minor in lines:
            sums[fund, currency] += minor
        if any(sums.values()):
            raise ValueError(event)
        for account, fund, currency, minor in lines:
            self.cells[account, fund, currency] += minor
        self.entries[event] += 1

    def shares(self, account: str, currency: str) -> dict[str, int]:
        """The funds' shares of a leaf, without those at zero."""
        cells = self.cells.items()
        return {fund: minor for (code, fund, coin), minor in cells if (code, coin) == (account, currency) and minor}


def compute() -> Totals:
    """All facts of the season up to its last day."""
    totals = Totals()
    rows = rulings.rows()
    _add_cards(totals)
    _add_bank_gifts(totals)
    _add_fines(totals, rows)
    _add_bills(totals, rows)
    _add_advances(totals, rows)
    return totals


def write_expected() -> bytes:
    """`expected.json`: balances, entries and the counts a summary tells."""
    totals = compute()
    expected = {
        "as_of": story.LAST_DAY.isoformat(),
        "balances": [
            {"account": account, "fund": fund, "currency": currency, "minor": minor}
            for (account, fund, currency), minor in sorted(totals.cells.items())
        ],
        "entries": dict(sorted(totals.entries.items())),
        "entries_in_all": totals.entries.total(),
        **count(rulings.rows()),
    }
    return (json.dumps(expected, indent=2) + "\n").encode()


def count(rows: list[Row]) -> dict[str, Any]:
    """Gifts by channel and currency, fines and bills; sums in minor units."""
    fines, bills = rulings.payable(rows, "fine"), rulings.payable(rows, "detention")
    unproved = fines[rulings.RECEIPT_REJECTED - 1].minor
    cards = gifts.card_gifts()
    return {
        "card_gifts": {
            currency: {
                "count": sum(1 for gift in cards if gift.currency == currency),
                "minor": sum(gift.minor for gift in cards if gift.currency == currency),
                "fee_minor": sum(gift.fee for gift in cards if gift.currency == currency),
            }
            for currency in ("EUR", "USD")
        },
        "bank_gifts": {
            currency: {
                "count": sum(1 for gift in BANK_GIFTS if ACCOUNTS[gift.account] == currency),
                "minor": sum(gift.minor for gift in BANK_GIFTS if ACCOUNTS[gift.account] == currency),
            }
            for currency in ("EUR", "BYN")
        },
        "rows": {name: sum(1 for row in rows if row.list_name == name) for name in (story.LIST_1, story.LIST_2)},
        "fines": {
            "recognised": {"count": len(fines), "minor": sum(row.minor for row in fines)},
            "verified": {"count": len(fines) - 1, "minor": sum(row.minor for row in fines) - unproved},
            "unproved": {"count": 1, "minor": unproved},
        },
        "bills": {"count": len(bills), "minor": sum(row.minor for row in bills)},
        "rejected": dict(sorted(Counter(row.trouble for row in rows if row.trouble).items())),
    }


def split(minor: int, shares: Mapping[str, int]) -> dict[str, int]:
    """`minor` pro rata to signed shares with a sum above zero: each rounded down, the rest by largest remainder.

    Ties go by fund code. A fund whose share is below zero takes less than nothing.
    """
    whole = sum(shares.values())
    parts = {fund: minor * share // whole for fund, share in shares.items()}
    by_remainder = sorted(shares, key=lambda fund: (-(minor * shares[fund] % whole), fund))
    for fund in by_remainder[: minor - sum(parts.values())]:
        parts[fund] += 1
    return parts


def _add_cards(totals: Totals) -> None:
    """What the processor did, day by day: a payout divides what is there at its moment, on a day of its own."""
    cards = gifts.card_gifts()
    euros = {gift.number: gift for gift in cards if gift.currency == "EUR"}
    facts: list[tuple[date, Callable[[], None]]] = [
        *((gift.at.date(), partial(_add_card_gift, totals, gift)) for gift in cards),
        (gifts.REFUND_ON, partial(_add_refund, totals, euros[gifts.REFUNDED])),
        (gifts.DISPUTE_ON, partial(_add_dispute, totals, euros[gifts.DISPUTED])),
        *((payout.created_on, partial(_add_payout, totals, payout)) for payout in PAYOUTS),
    ]
    for _, add in sorted(facts, key=lambda fact: fact[0]):
        add()


def _add_card_gift(totals: Totals, gift: CardGift) -> None:
    leaf, fund, currency = f"1100:{gift.currency.lower()}", _fund_of(gift), gift.currency
    totals.add(
        "card_gift",
        (leaf, fund, currency, gift.minor),
        ("4000", fund, currency, -gift.minor),
        ("6000", "general", currency, gift.fee),
        (leaf, "general", currency, -gift.fee),
    )


def _add_refund(totals: Totals, gift: CardGift) -> None:
    fund = _fund_of(gift)
    totals.add("gift_refunded", ("4190", fund, "EUR", gift.minor), ("1100:eur", fund, "EUR", -gift.minor))


def _add_dispute(totals: Totals, gift: CardGift) -> None:
    fund, fee = _fund_of(gift), gifts.DISPUTE_FEE
    totals.add(
        "gift_disputed",
        ("1150", fund, "EUR", gift.minor),
        ("1100:eur", fund, "EUR", -gift.minor),
        ("6010", "general", "EUR", fee),
        ("1100:eur", "general", "EUR", -fee),
    )


def _add_payout(totals: Totals, payout: Payout) -> None:
    parts = split(payout.minor, totals.shares("1100:eur", "EUR"))
    for event, into, out_of in (("payout_created", "1050:eur", "1100:eur"), ("payout_arrived", EUR_BANK, "1050:eur")):
        lines = [((into, fund, "EUR", part), (out_of, fund, "EUR", -part)) for fund, part in parts.items()]
        totals.add(event, *chain.from_iterable(lines))


def _add_bank_gifts(totals: Totals) -> None:
    for gift in BANK_GIFTS:
        fund = story.FUND_OF[gift.purpose] if gift.purpose else "unassigned"
        event, income = ("bank_gift", "4000") if gift.purpose else ("bank_gift_unidentified", "2000")
        currency = ACCOUNTS[gift.account]
        totals.add(event, (gift.account, fund, currency, gift.minor), (income, fund, currency, -gift.minor))


def _add_fines(totals: Totals, rows: list[Row]) -> None:
    """Fines are recognised when they are released, and leave the agent's advance when their receipt is verified."""
    fines = rulings.payable(rows, "fine")
    for number, row in enumerate(fines, start=1):
        _move(totals, "aid_recognised", debit="5000", credit="2100", fund="fines", minor=row.minor)
        if number != rulings.RECEIPT_REJECTED:
            _move(totals, "agent_paid", debit="2100", credit=AGENT, fund="fines", minor=row.minor)
    quashed = fines[rulings.QUASHED - 1].minor
    _move(totals, "recovery_confirmed", debit="1350", credit="5900:fine", fund="fines", minor=quashed)
    _move(totals, "recovery_received", debit=BYN_BANK, credit="1350", fund="fines", minor=quashed)


def _add_bills(totals: Totals, rows: list[Row]) -> None:
    for row in rulings.payable(rows, "detention"):
        _move(totals, "aid_recognised", debit="5100", credit="2100", fund="detention", minor=row.minor)
        _move(totals, "aid_paid", debit="2100", credit=BYN_BANK, fund="detention", minor=row.minor)


def _add_advances(totals: Totals, rows: list[Row]) -> None:
    """Euros out, roubles in; what was not needed comes back the other way. Both cross through 3900."""
    for batch in BATCHES:
        sent = batch.advance
        _move(totals, "advance_sent", debit="1210", credit=EUR_BANK, fund="fines", minor=sent.eur, currency="EUR")
        _exchange(totals, "advance_acknowledged", into=(AGENT, "BYN", sent.byn), out_of=("1210", "EUR", sent.eur))
    back = ("BYN", plan.unspent(rows)), ("EUR", story.RETURNED_EUR)
    _exchange(totals, "advance_returned", into=(EUR_BANK, *back[1]), out_of=(AGENT, *back[0]))


def _move(totals: Totals, event: str, *, debit: str, credit: str, fund: str, minor: int, currency: str = "BYN") -> None:
    totals.add(event, (debit, fund, currency, minor), (credit, fund, currency, -minor))


def _exchange(totals: Totals, event: str, *, into: tuple[str, str, int], out_of: tuple[str, str, int]) -> None:
    (gets, new, gained), (gives, old, given) = into, out_of
    totals.add(
        event,
        (gets, "fines", new, gained),
        ("3900", "fines", new, -gained),
        ("3900", "fines", old, given),
        (gives, "fines", old, -given),
    )


def _fund_of(gift: CardGift) -> str:
    return story.FUND_OF[gift.purpose] if gift.purpose else "unassigned"
