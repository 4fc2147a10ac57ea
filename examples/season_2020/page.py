"""EXPECTED.md: the same totals as `expected.json`, for people."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from examples.season_2020 import gifts, plan, rulings, story, totals
from examples.season_2020.rulings import Row
from examples.season_2020.story import ACCOUNTS, BANK_GIFTS, BATCHES, PAYOUTS
from examples.season_2020.totals import Totals

NAMES = {
    "1000:byn-main": "Bank, roubles",
    "1000:eur-main": "Bank, euros",
    "1050:eur": "Payouts in transit",
    "1100:eur": "Card processor, euros",
    "1100:usd": "Card processor, dollars",
    "1150": "Disputes receivable",
    "1200:agent": "Advances to the agent",
    "1210": "Advances in transit",
    "1350": "Fine refunds receivable",
    "2000": "Unidentified receipts",
    "2100": "Approved assistance",
    "3900": "Currency exchange",
    "4000": "Donations",
    "4190": "Donation refunds",
    "5000": "Fines",
    "5100": "Detention costs",
    "5900:fine": "Recoveries of fines",
    "6000": "Processing fees",
    "6010": "Dispute fees",
}
EVENTS = {
    "advance_acknowledged": "advance acknowledged by the agent",
    "advance_returned": "unspent advance returned",
    "advance_sent": "advance sent",
    "agent_paid": "fine paid by the agent, receipt verified",
    "aid_paid": "bill reimbursed by the bank",
    "aid_recognised": "fine or bill recognised",
    "bank_gift": "bank gift",
    "bank_gift_unidentified": "bank gift, unidentified",
    "card_gift": "card gift",
    "gift_refunded": "card gift refunded",
    "gift_disputed": "dispute: sum and fee withdrawn",
    "payout_created": "payout created",
    "payout_arrived": "payout seen at the bank",
    "recovery_confirmed": "refund of a quashed fine confirmed",
    "recovery_received": "refund of a quashed fine received",
}


FUNDS = ("detention", "fines", "general", "unassigned")


def write_page() -> bytes:
    """The page, as Markdown."""
    computed, rows = totals.compute(), rulings.rows()
    parts = (_income(rows), _aid(rows), _troubles(rows), _balances(computed), _entries(computed))
    return ("\n\n".join(chunk for part in parts for chunk in part) + "\n").encode()


def _income(rows: list[Row]) -> Iterator[str]:
    counts = totals.count(rows)
    card, bank = counts["card_gifts"], counts["bank_gifts"]
    yield f"# What the books must say on {_day(story.LAST_DAY)}"
    yield (
        f"The {story.NAME} lives through one autumn; nobody in it exists. This page was computed from the story's "
        "facts, by the posting recipes and without the ledger, so that the ledger can be held against it. "
        "`expected.json` has the same figures for programs, `plan.json` the days. "
        "`python -m examples.season_2020.generate` writes all of it again, byte for byte."
    )
    yield "## What came in"
    yield _table(
        "lrrr",
        ("", "Gifts", "Sum", "Fees"),
        [
            *(
                (f"By card, {coin}", of["count"], _money(of["minor"]), _money(of["fee_minor"]))
                for coin, of in card.items()
            ),
            *((f"By bank, {coin}", of["count"], _money(of["minor"]), "") for coin, of in bank.items()),
        ],
    )
    paid_out = _money(sum(payout.minor for payout in PAYOUTS))
    yield (
        f"The processor paid out {len(PAYOUTS)} times in euros, {paid_out} in all, each time because the organisation "
        "asked for it, so pro rata to the funds' shares; never in dollars."
    )


def _aid(rows: list[Row]) -> Iterator[str]:
    fines, bills = rulings.payable(rows, "fine"), rulings.payable(rows, "detention")
    advances = [batch.advance for batch in BATCHES]
    yield "## What went out"
    yield _table(
        "rrrlllrr",
        ("Batch", "Fines", "Sum, BYN", "Released", "Paid from", "to", "Sent, EUR", "Received, BYN"),
        [
            *(
                (
                    number,
                    batch.fines,
                    _money(sum(row.minor for row in fines if row.batch == number)),
                    _day(batch.released_on),
                    _day(batch.pays[0]),
                    _day(batch.pays[1]),
                    _money(batch.advance.eur),
                    _money(batch.advance.byn),
                )
                for number, batch in enumerate(BATCHES, start=1)
            ),
            (
                "**all**",
                len(fines),
                _money(sum(row.minor for row in fines)),
                *("", "", ""),
                _money(sum(advance.eur for advance in advances)),
                _money(sum(advance.byn for advance in advances)),
            ),
        ],
    )
    verified = sum(row.minor for row in fines) - fines[rulings.RECEIPT_REJECTED - 1].minor
    reimbursed = sum(row.minor for row in bills)
    yield (
        f"**{len(fines) - 1} fines, {_money(verified)} BYN**, are paid with a verified receipt. **{len(bills)} "
        f"detention bills, {_money(reimbursed)} BYN**, were reimbursed from the rouble account."
    )


def _troubles(rows: list[Row]) -> Iterator[str]:
    yield "## Each trouble, and what became of it"
    yield _table("llr", ("Where", "What became of it", "Sum"), [*_in_lists(rows), *_in_payments(rows), *_in_gifts()])


def _in_lists(rows: list[Row]) -> Iterator[tuple[str, str, str]]:
    twin = rulings.payable(rows, "fine")[rulings.DUPLICATED - 1]
    became = {
        "criminal_charge": "A criminal ruling.",
        "no_ruling": "Paid before it was ruled.",
        "not_assembly_related": "An article that is not on the list.",
        "duplicate": f"The ruling of {_place(twin)} again, the name spelled otherwise; paid once.",
    }
    for row in rows:
        if row.trouble:
            yield _place(row), f"{became[row.trouble]} Rejected: `{row.trouble}`.", f"{_money(row.minor)} BYN"


def _in_payments(rows: list[Row]) -> Iterator[tuple[str, str, str]]:
    fines = rulings.payable(rows, "fine")
    unproved, quashed = fines[rulings.RECEIPT_REJECTED - 1], fines[rulings.QUASHED - 1]
    yield (
        _place(unproved),
        "The receipt is illegible and rejected: still owed in 2100, still with the agent in 1200.",
        f"{_money(unproved.minor)} BYN",
    )
    back = f"The authority confirmed on {_day(story.CONFIRMED_ON)} and paid back on {_day(story.REFUNDED_ON)}."
    yield (
        _place(quashed),
        f"Paid, then quashed on {_day(story.QUASHED_ON)}. {back}",
        f"{_money(quashed.minor)} BYN",
    )
    yield (
        "the agent",
        f"{_money(plan.unspent(rows))} BYN of the advances were not needed; they came back in euros.",
        f"{_money(story.RETURNED_EUR)} EUR",
    )


def _in_gifts() -> Iterator[tuple[str, str, str]]:
    euros = {gift.number: gift for gift in gifts.card_gifts() if gift.currency == "EUR"}
    yield (
        "processor-eur.json",
        f"A gift refunded in full on {_day(gifts.REFUND_ON)}; the processor keeps its fee.",
        f"{_money(euros[gifts.REFUNDED].minor)} EUR",
    )
    yield (
        "processor-eur.json",
        f"A gift disputed on {_day(gifts.DISPUTE_ON)} with a fee of {_money(gifts.DISPUTE_FEE)}; still open in 1150.",
        f"{_money(euros[gifts.DISPUTED].minor)} EUR",
    )
    for gift in BANK_GIFTS:
        if gift.purpose is None:
            what = f"A bank gift of {_day(gift.on)} that nobody can place; owed in 2000."
            yield gift.account, what, f"{_money(gift.minor)} {ACCOUNTS[gift.account]}"


def _balances(computed: Totals) -> Iterator[str]:
    yield "## Balances"
    yield (
        "Debits above zero, credits below. Every column adds up to zero. What moved and came back to zero is shown as "
        "0.00; a dash stands where nothing moved."
    )
    for currency in sorted({coin for _, _, coin in computed.cells}):
        cells = {(code, fund): minor for (code, fund, coin), minor in computed.cells.items() if coin == currency}
        codes = sorted({code for code, _ in cells})
        yield f"### {currency}"
        yield _table(
            "llrrrrr",
            ("Account", "", *FUNDS, "all funds"),
            [
                (code, NAMES[code], *(_cell(cells, code, fund) for fund in FUNDS), _all_funds(cells, code))
                for code in codes
            ],
        )


def _cell(cells: dict[tuple[str, str], int], code: str, fund: str) -> str:
    return _money(cells[code, fund]) if (code, fund) in cells else "-"


def _all_funds(cells: dict[tuple[str, str], int], code: str) -> str:
    return f"**{_money(sum(minor for (of, _), minor in cells.items() if of == code))}**"


def _entries(computed: Totals) -> Iterator[str]:
    yield "## Entries"
    told = [(EVENTS[event], number) for event, number in sorted(computed.entries.items())]
    yield _table("lr", ("Event", "Entries"), [*told, ("**all**", computed.entries.total())])


def _table(sides: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; `sides` says of each column whether it stands to the left (l) or right (r)."""
    rule = ["--:" if side == "r" else "---" for side in sides]
    return "\n".join("| " + " | ".join(map(str, cells)) + " |" for cells in (header, rule, *rows))


def _place(row: Row) -> str:
    return f"{row.list_name}, line {row.line}"


def _money(minor: int) -> str:
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100:,}.{abs(minor) % 100:02d}"


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
