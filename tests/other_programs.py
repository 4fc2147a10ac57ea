"""What other accounting programs make of our journal. They are run as programs and never imported."""

import csv
import io
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from sqlmodel import Session

from ledger.books import balances, exports
from ledger.money import Money
from reports.journals import beancount, hledger, spreadsheet

Cells = dict[tuple[str, str, str], int]
"""Debit balances that are not zero, in minor units, by account, fund and currency."""

FUND_OF_A_LINE = """
    SELECT getitem(open_meta(account), 'code') AS code, meta('fund') AS fund, currency, sum(number) AS total
    GROUP BY code, fund, currency
"""


def told_by_beancount(session: Session, folder: Path) -> Cells:
    """beancount's own check finds nothing, and its query tells the balances."""
    path = folder / "journal.beancount"
    path.write_text("".join(beancount.render(exports.declared_accounts(session), exports.entries(session))), "utf-8")
    assert run(sys.executable, "-m", "beancount.scripts.check", path) == ""
    return cells(csv.DictReader(io.StringIO(run(sys.executable, "-m", "beanquery", "-f", "csv", path, FUND_OF_A_LINE))))


def told_by_hledger(session: Session, folder: Path) -> Cells:
    """hledger's check of accounts finds nothing, and its register of every line tells the balances."""
    if shutil.which("hledger") is None:
        pytest.skip("hledger is not installed here")
    path = folder / "journal.hledger"
    path.write_text("".join(hledger.render(exports.declared_accounts(session), exports.entries(session))), "utf-8")
    assert run("hledger", "-f", path, "check", "accounts") == ""
    found: Cells = {}
    for fund in sorted({balance.fund for balance in balances.trial_balance(session)}):
        of_fund = ("bal", f"tag:fund=^{fund}$", "--flat", "--no-total", "-O", "csv", "--layout=bare")
        for row in csv.DictReader(io.StringIO(run("hledger", "-f", path, *of_fund))):
            code = row["account"].partition(":")[2]
            found |= cells([{"code": code, "fund": fund, "currency": row["commodity"], "total": row["balance"]}])
    return found


def told_by_the_table(session: Session, _folder: Path) -> Cells:
    """What somebody sums in a spreadsheet."""
    content = b"".join(spreadsheet.render(exports.entries(session))).decode()
    sums: Counter[tuple[str, str, str]] = Counter()
    for row in csv.DictReader(io.StringIO(content, newline="")):
        minor = Money.parse(row["amount"], row["currency"]).minor
        sums[row["account"], row["fund"], row["currency"]] += minor if row["side"] == "debit" else -minor
    return {cell: minor for cell, minor in sums.items() if minor}


def our_cells(session: Session) -> Cells:
    found = {
        (balance.account.code, balance.fund, balance.currency): balance.minor
        for balance in balances.trial_balance(session)
        if balance.minor
    }
    assert len(found) > 10
    return found


def cells(rows: Iterable[dict[str, str]]) -> Cells:
    told = {
        (row["code"], row["fund"], row["currency"]): Money.parse(row["total"].strip(), row["currency"]).minor
        for row in rows
    }
    return {cell: minor for cell, minor in told.items() if minor}


def run(*words: str | Path) -> str:
    return subprocess.run(list(map(str, words)), capture_output=True, text=True, check=True, timeout=60).stdout
