"""Other people's journals, brought in through our own format, reproduce the balances that other programs computed.

Compared is every account that is moved by readable transactions only. The journals are not ours to ship; where they are
absent, the tests say so.
"""

import csv
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ledger.books import balances, imports
from ledger.money import Money
from tests.conformance.plain_text import Cells, Journal, Left, read_journal, read_reference
from tests.journals import a_file, a_line, an_empty_book, an_entry

DATA = Path(__file__).parents[2] / "../shared/data"
AT = datetime(2026, 1, 1, tzinfo=UTC)
PARENTS = {"assets": "1400", "liabilities": "2200", "equity": "3000", "income": "4300", "expenses": "6300"}
"""Below which account of our chart an account's leaf is made, by its first part; any other is an asset."""

CHECKED = {
    "examples/Cody.journal": (40, 44, 20),
    "examples/bcexample.journal": (741, 1035, 12),
    "examples/budgeting/envelope-budget-manual-1.journal": (4, 10, 6),
    "examples/example.beancount": (825, 1146, 14),
    "examples/i18n/ar2.journal": (1, 1, 2),
    "examples/invoicing/accrual.journal": (2, 2, 2),
    "examples/multicurrency.journal": (2, 4, 2),
    "examples/quickstart.journal": (3, 3, 7),
    "examples/sample.journal": (5, 5, 7),
    "examples/shared-finances/household.journal": (3, 3, 3),
    "examples/shared-finances/household2.journal": (3, 4, 2),
    "examples/shared-finances/me+household.journal": (3, 3, 5),
    "examples/shared-finances/me.journal": (1, 1, 2),
    "examples/simple/basic.beancount": (58, 61, 25),
    "examples/vat.journal": (4, 4, 4),
    "examples/vesting/vesting.beancount": (3, 7, 7),
}
"""Transactions brought in, of how many, and accounts that are not zero at the end and compared."""

NOT_ISO = "not an amount of one currency of ISO 4217"
LEFT_OUT = {
    "examples/1ktxns-100accts.journal": {"costs or lots", NOT_ISO},
    "examples/borrowing.journal": {"no transaction with a year"},
    "examples/budgeting/envelope-budget-auto-1.journal": {"automatic or periodic transactions"},
    "examples/budgeting/goal-budget-1.journal": {"automatic or periodic transactions"},
    "examples/budgeting/goal-budget-2.journal": {"automatic or periodic transactions"},
    "examples/budgeting/goal-budget-3.journal": {"automatic or periodic transactions"},
    "examples/budgeting/goal-budget-4.journal": {"no reference: hledger 1.25 cannot read it"},
    "examples/chinese.journal": {NOT_ISO},
    "examples/costs/1.j": {NOT_ISO},
    "examples/costs/2a.j": {"costs or lots"},
    "examples/costs/2b.j": {"costs or lots"},
    "examples/costs/3.j": {NOT_ISO},
    "examples/costs/4.j": {"no reference: hledger 1.25 cannot read it"},
    **{
        f"examples/i18n/{language}.journal": {"no transaction with a year"}
        for language in ("ar", "da", "de", "en", "es", "fr", "ja", "ko", "no", "pt", "se", "vi", "zh")
    },
    "examples/investing/investment-gains-balancing.journal": {"costs or lots"},
    "examples/investing/roi-unrealised.ledger": {"no currency", "costs or lots"},
    "examples/invoicing/cash.journal": {"virtual lines"},
    "examples/lots/irr.journal": {"costs or lots"},
    "examples/lots/lots.journal": {"no reference: hledger 1.25 cannot read it"},
    "examples/multi-year/2021-closed.journal": {"no currency", NOT_ISO},
    "examples/multi-year/2021.journal": {"no currency", NOT_ISO},
    "examples/multi-year/2022-closed.journal": {"no currency", NOT_ISO},
    "examples/multi-year/2022.journal": {"no currency", NOT_ISO},
    "examples/multi-year/2023.journal": {"no currency", NOT_ISO},
    "examples/simple/starter.beancount": {"costs or lots"},
    "examples/unicode.journal": {"virtual lines"},
    "hledger/bench/10000x1000x10.journal": {"no currency"},
}
"""Why nothing of a journal can be compared."""

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data, the collection of test files, is not here")


def manifest() -> dict[str, tuple[Path, Path | None]]:
    """Every journal with its reference, by its name without the repository's."""
    if not DATA.is_dir():
        return {}
    with (DATA / "MANIFEST.tsv").open(encoding="utf-8", newline="") as lines:
        rows = [
            row for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE) if row["kind"] == "journals"
        ]
    references = {row["file"]: row["control_totals"] for row in rows}
    return {
        name.split("/", 2)[2]: (DATA / name, DATA / told if told.startswith("REFERENCE/") else None)
        for name, told in references.items()
    }


def test_every_journal_is_compared_or_its_reason_named() -> None:
    assert sorted(manifest()) == sorted([*CHECKED, *LEFT_OUT])


@pytest.mark.parametrize("name", LEFT_OUT)
def test_a_journal_is_left_out_for_the_reasons_named(name: str) -> None:
    path, reference = manifest()[name]

    assert reasons(path, reference) == LEFT_OUT[name]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", CHECKED)
def test_a_journal_brought_in_has_the_balances_that_another_program_computed(engine: Engine, name: str) -> None:
    path, reference = manifest()[name]
    assert reference is not None
    journal = read_journal(path)
    lines, codes, unclear = converted(journal)

    with an_empty_book(engine) as session:
        booked = imports.book(session, lines, at=AT).booked
        ours: Cells = Counter()
        for balance in balances.trial_balance(session):
            ours[codes[balance.account.code], balance.currency] += balance.minor

    expected = {cell: minor for cell, minor in read_reference(reference).items() if cell[0] not in unclear}
    assert {cell: minor for cell, minor in ours.items() if minor and cell[0] not in unclear} == expected
    assert (booked, len(journal.transactions), len(expected)) == CHECKED[name]


def reasons(path: Path, reference: Path | None) -> set[str]:
    if reference is None:
        return {"no reference: hledger 1.25 cannot read it"}
    try:
        journal = read_journal(path)
    except Left as left:
        return {str(left)}
    found = set()
    for transaction in journal.transactions:
        with pytest.raises(Left) as left_out:
            transaction.moves()
        found.add(str(left_out.value))
    return found or {"no transaction with a year"}


def converted(journal: Journal) -> tuple[list[bytes], dict[str, str], set[str]]:
    """The lines of our file, the name of each leaf's account, and the accounts that something unreadable moves too."""
    unclear = set(journal.foreign)
    codes: dict[str, str] = {}
    entries = []
    for number, transaction in enumerate(journal.transactions):
        try:
            moves = transaction.moves()
        except Left:
            unclear |= {account.strip("()[]") for account, _ in transaction.raw}
            continue
        told = {
            "source_key": f"import:{number}",
            "happened_on": str(transaction.on),
            "effective_on": str(transaction.on),
            "lines": [as_told(leaf_of(account, codes), money) for account, money in moves],
        }
        entries.append(an_entry(**told))
    leaves = [declared(code) for code in codes.values()]
    return a_file(*leaves, *entries), {code: account for account, code in codes.items()}, unclear


def leaf_of(account: str, codes: dict[str, str]) -> str:
    parent = PARENTS.get(account.partition(":")[0].lower(), PARENTS["assets"])
    return codes.setdefault(account, f"{parent}:a{len(codes)}")


def as_told(code: str, money: Money) -> dict[str, object]:
    side, amount = ("debit", money) if money.minor > 0 else ("credit", -money)
    return a_line(side, code, amount=amount.decimal(), currency=money.currency, fund="general")


def declared(code: str) -> dict[str, object]:
    classes = {"1400": "asset", "2200": "liability", "3000": "net_assets", "4300": "income", "6300": "expense"}
    return {
        "record": "account",
        "code": code,
        "name": code,
        "class": classes[code.partition(":")[0]],
        "closed": False,
    }
