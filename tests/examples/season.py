"""The season's files as the tests read them: rows of the lists, the plan, the processor's movements, the balances."""

import json
from collections import Counter
from datetime import date
from functools import cache
from typing import Any

from api.client import lists
from api.client.lists import ListRow
from examples.season_2020 import generate
from ledger.money import Money

HERE = generate.HERE
LISTS = ("list-1.csv", "list-2.csv")
PURPOSES = {"FINES": "fines", "DETENTION": "detention", "GENERAL": "general", None: "unassigned"}
Cells = Counter[tuple[str, str, str]]


def read_json(name: str) -> Any:
    return json.loads((HERE / name).read_bytes())


@cache
def rows() -> dict[tuple[str, int], ListRow]:
    return {(name, row.line): row for name in LISTS for row in lists.read((HERE / name).read_bytes())}


def row_at(place: dict[str, Any]) -> ListRow:
    return rows()[place["list"], place["line"]]


@cache
def plan() -> Any:
    return read_json("plan.json")


@cache
def movements() -> list[Any]:
    data = [*read_json("processor-eur.json")["data"], *read_json("processor-usd.json")["data"]]
    return sorted(data, key=lambda one: one["created"])


def of_category(category: str) -> list[Any]:
    return [one for one in movements() if one["reporting_category"] == category]


@cache
def balances() -> Cells:
    return Counter(
        {
            (cell["account"], cell["fund"], cell["currency"]): cell["minor"]
            for cell in read_json("expected.json")["balances"]
        }
    )


def balance(account: str, currency: str, *, fund: str | None = None) -> int:
    return sum(
        minor
        for (code, of, coin), minor in balances().items()
        if (code, coin) == (account, currency) and fund in {None, of}
    )


def minor(money: dict[str, Any]) -> int:
    return Money.parse(money["amount"], money["currency"]).minor


def day(text: str) -> date:
    return date.fromisoformat(text)


def paid_fines() -> list[dict[str, Any]]:
    return [fine for batch in plan()["batches"] for fine in batch["fines"]]


def paid_bills() -> list[dict[str, Any]]:
    return [bill for reimbursement in plan()["reimbursements"] for bill in reimbursement["bills"]]
