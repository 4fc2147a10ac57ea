"""Peers: the same by other double-entry programs, each in a process and an environment of its own."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from bench.databases import Books
from bench.filling import FIRST_DAY, YEARS_DAYS
from bench.posting import post_one
from bench.rows import Row, rate, seconds
from ledger.books import balances
from ledger.storage.engine import transaction

ENVIRONMENT = Path(__file__).parents[2] / ".venv-peers" / "bin" / "python"
"""Made by `./run peers`, where its packages can be built."""
PROGRAM = Path(__file__).parent / "posting_by_python_accounting.py"
AT_LEAST = 15
"""How many times as fast as python-accounting one entry is posted and committed."""


def rows(books: Books, *, quick: bool) -> Iterator[Row]:
    """One entry posted and committed, by python-accounting; all balances, by beancount."""
    if ENVIRONMENT.exists():
        lasting = 1.0 if quick else 10.0
        done = _printed([str(ENVIRONMENT), "-P", str(PROGRAM), str(lasting)])
        numbers = iter(range(10**9))
        ours = rate(lambda: post_one(books.empty["sqlite"], next(numbers), prefix="peer"), lasting)
        yield Row("post by python-accounting, sqlite", float(done), ours, "entries/s", AT_LEAST)
    else:
        sys.stderr.write("  python-accounting is not measured: ./run peers makes its environment\n")
    entries = 1_000 if quick else 100_000
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "gifts.beancount"
        journal.write_text(_gifts(entries), encoding="utf-8")
        started = time.perf_counter()
        _printed([sys.executable, "-m", "beanquery", str(journal), "SELECT account, sum(position) GROUP BY account"])
        theirs = time.perf_counter() - started
    engine = books.filled(entries)["sqlite"]
    with transaction(engine, write=False) as session:
        ours = seconds(lambda: balances.trial_balance(session), repeats=5)
    yield Row(f"all balances over {entries:,} entries, by beancount", 1 / theirs, 1 / ours, "times/s", 1.0)


def _gifts(many: int) -> str:
    """So many gifts in the form of beancount, spread over ten years, as in the book they are compared with."""
    opened = "".join(f"{FIRST_DAY} open {account} EUR\n" for account in ("Assets:Bank", "Income:Donations"))
    return opened + "".join(
        f'{FIRST_DAY + timedelta(days=nth % YEARS_DAYS)} * "gift"\n'
        f"  Assets:Bank {nth % 9_000 + 1}.00 EUR\n  Income:Donations\n"
        for nth in range(many)
    )


def _printed(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=600).stdout
