"""What happens when: the days on which the files are handed in, decided on and answered, and the sums that move."""

import json
from datetime import date
from typing import Any

from examples.season_2020 import gifts, rulings, story
from examples.season_2020.rulings import Row
from examples.season_2020.story import ACCOUNTS, BANK_GIFTS, BATCHES, BILLS, BYN_BANK, EUR_BANK, PAYOUTS, decimal


def write_plan() -> bytes:
    """`plan.json`: days as 2020-08-21, sums as the API takes them, rows by list and line (the header is line 1)."""
    rows = rulings.rows()
    plan = {
        "organisation": story.NAME,
        "functional_currency": story.FUNCTIONAL_CURRENCY,
        "jurisdiction": story.JURISDICTION,
        "first_day": story.FIRST_DAY,
        "last_day": story.LAST_DAY,
        "accounts": [{"code": code, "currency": currency} for code, currency in ACCOUNTS.items()],
        "purposes": [{"code": code, "fund": fund} for code, fund in story.FUND_OF.items()],
        "handovers": [_handover(rows, number) for number in range(1, len(BATCHES) + 1)],
        "batches": [_batch(rows, number) for number in range(1, len(BATCHES) + 1)],
        "reimbursements": [_reimbursement(rows, number) for number in range(1, len(BILLS) + 1)],
        "rejected_receipt": _rejected_receipt(rows),
        "quashed": _quashed(rows),
        "troubles": [_trouble(rows, row) for row in rows if row.trouble],
        "bank_gifts": [
            {
                "account": gift.account,
                "on": gift.on,
                **_sum(gift.minor, ACCOUNTS[gift.account]),
                "purpose": gift.purpose,
                "giver": gift.giver,
            }
            for gift in BANK_GIFTS
        ],
        "payouts": [
            {
                "payout": gifts.payout_name(number),
                "created_on": payout.created_on,
                "seen_on": payout.seen_on,
                "account": EUR_BANK,
                **_sum(payout.minor, "EUR"),
            }
            for number, payout in enumerate(PAYOUTS, start=1)
        ],
        "unspent": {
            "returned_on": story.RETURNED_ON,
            "account": EUR_BANK,
            "given_back": _sum(unspent(rows), "BYN"),
            "arrived": _sum(story.RETURNED_EUR, "EUR"),
        },
        "months": [{"last_day": last, "closed_on": closed} for last, closed in story.MONTHS.items()],
    }
    return (json.dumps(plan, indent=2, ensure_ascii=False, default=date.isoformat) + "\n").encode()


def unspent(rows: list[Row]) -> int:
    """The roubles that the agent got and no payable fine needed."""
    needed = sum(row.minor for row in rulings.payable(rows, "fine"))
    return sum(batch.advance.byn for batch in BATCHES) - needed


def _handover(rows: list[Row], number: int) -> dict[str, Any]:
    lines = [row.line for row in rows if row.batch == number]
    batch = BATCHES[number - 1]
    return {"list": batch.list_name, "on": batch.handed_over_on, "first_line": lines[0], "last_line": lines[-1]}


def _batch(rows: list[Row], number: int) -> dict[str, Any]:
    batch = BATCHES[number - 1]
    fines = [row for row in rulings.payable(rows, "fine") if row.batch == number]
    first, last = batch.pays
    span, gaps = (last - first).days, len(fines) - 1
    paid = [date.fromordinal(first.toordinal() + index * span // gaps) for index in range(len(fines))]
    return {
        "number": number,
        "told_on": batch.handed_over_on,
        "released_on": batch.released_on,
        "advance": {
            "account": EUR_BANK,
            "sent_on": batch.advance.sent_on,
            "sent": _sum(batch.advance.eur, "EUR"),
            "split": {"fines": decimal(batch.advance.eur)},
            "acknowledged_on": batch.advance.acknowledged_on,
            "received": _sum(batch.advance.byn, "BYN"),
        },
        "results_on": batch.results_on,
        "sum": _sum(sum(row.minor for row in fines), "BYN"),
        "fines": [{**_place(row), "paid_on": day} for row, day in zip(fines, paid, strict=True)],
    }


def _reimbursement(rows: list[Row], number: int) -> dict[str, Any]:
    bills = BILLS[number - 1]
    owed = [row for row in rulings.payable(rows, "detention") if row.batch == bills.batch]
    return {
        "number": number,
        "account": BYN_BANK,
        "told_on": BATCHES[bills.batch - 1].handed_over_on,
        "released_on": bills.released_on,
        "sum": _sum(sum(row.minor for row in owed), "BYN"),
        "bills": [{**_place(row), "paid_on": bills.paid[index % 2]} for index, row in enumerate(owed)],
    }


def _rejected_receipt(rows: list[Row]) -> dict[str, Any]:
    row = rulings.payable(rows, "fine")[rulings.RECEIPT_REJECTED - 1]
    return {
        **_place(row),
        "batch": row.batch,
        "because": "illegible",
        "rejected_on": story.RECEIPT_REJECTED_ON,
        **_sum(row.minor, "BYN"),
    }


def _quashed(rows: list[Row]) -> dict[str, Any]:
    row = rulings.payable(rows, "fine")[rulings.QUASHED - 1]
    return {
        **_place(row),
        "batch": row.batch,
        "quashed_on": story.QUASHED_ON,
        "confirmed_on": story.CONFIRMED_ON,
        "refunded_on": story.REFUNDED_ON,
        "account": BYN_BANK,
        **_sum(row.minor, "BYN"),
    }


def _trouble(rows: list[Row], row: Row) -> dict[str, Any]:
    told: dict[str, Any] = {**_place(row), "rejection": row.trouble}
    if row.trouble == "duplicate":
        told["same_as"] = _place(rulings.payable(rows, "fine")[rulings.DUPLICATED - 1])
    return told


def _place(row: Row) -> dict[str, Any]:
    return {"list": row.list_name, "line": row.line}


def _sum(minor: int, currency: str) -> dict[str, str]:
    return {"amount": decimal(minor), "currency": currency}
