"""`./run bench [NAME …] [--quick]`: every group of rows, or those named; a table, and `bench/results.json`."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import (
    balances,
    bank_files,
    batch_approvals,
    card_movements,
    erasure,
    growth,
    hot_account,
    keys,
    linkages,
    list_imports,
    matching,
    peers,
    posting,
    queues,
    releases,
    sealing,
    webhooks,
)
from bench.databases import Books, books
from bench.rows import Row

GROUPS: dict[str, Callable[..., Iterator[Row]]] = {
    "posting": posting.rows,
    "webhooks": webhooks.rows,
    "hot_account": hot_account.rows,
    "sealing": sealing.rows,
    "keys": keys.rows,
    "bank_files": bank_files.rows,
    "list_imports": list_imports.rows,
    "batch_approvals": batch_approvals.rows,
    "card_movements": card_movements.rows,
    "releases": releases.rows,
    "linkages": linkages.rows,
    "matching": matching.rows,
    "queues": queues.rows,
    "balances": balances.rows,
    "growth": growth.rows,
    "erasure": erasure.rows,
    "peers": peers.rows,
}
"""In the order in which they run. A group is a module with `rows(books, *, quick)`; filling for balances takes longest.

Growth comes after balances: both ask for the same book, and growth adds to it.
"""

RESULTS = Path(__file__).parent / "results.json"


def main() -> int:
    """0, or 1 when a target was missed. Only whole runs at full size are kept in `results.json`."""
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(GROUPS)}")
    parser.add_argument("--quick", action="store_true", help="a small size, to try: its ratios do not hold")
    asked = parser.parse_args()
    unknown = set(asked.names) - GROUPS.keys()
    if unknown:
        parser.error(f"no group is called {', '.join(sorted(unknown))}")
    console = Console()
    with books(tell=lambda line: _tell(console, line)) as opened:
        found = [row for name in asked.names or GROUPS for row in _run(console, name, opened, quick=asked.quick)]
    console.print(_table(found))
    if not (asked.quick or asked.names):
        RESULTS.write_text(json.dumps([_as_json(row) for row in found], indent=2) + "\n", encoding="utf-8")
    return 0 if all(row.reached for row in found) else 1


def _run(console: Console, name: str, opened: Books, *, quick: bool) -> Iterator[Row]:
    started = time.perf_counter()
    console.print(f"{name} …", style="dim")
    for row in GROUPS[name](opened, quick=quick):
        _tell(console, f"{row.name}: {_figure(row.ours)} {row.unit}")
        yield row
    _tell(console, f"{time.perf_counter() - started:.0f} s")


def _tell(console: Console, line: str) -> None:
    console.print(f"  {line}", style="dim", highlight=False)


def _table(found: list[Row]) -> Table:
    table = Table()
    for title in ("What", "Floor", "Ours", "Unit", "Ratio", "Target"):
        table.add_column(title, justify="left" if title in {"What", "Unit"} else "right")
    for row in found:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        floor = "" if row.floor is None else _figure(row.floor)
        style = None if row.reached else "red"
        table.add_row(row.name, floor, _figure(row.ours), row.unit, ratio, _target(row), style=style)
    return table


def _target(row: Row) -> str:
    if row.at_most is not None:
        return f"≤ {row.at_most:g} {row.unit}"
    return "" if row.target is None else f"ratio ≥ {row.target:.2f}"


def _figure(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:,.2f}"  # noqa: PLR2004 - three digits are enough


def _as_json(row: Row) -> dict[str, str | float | None]:
    return {
        "name": row.name,
        "floor": None if row.floor is None else round(row.floor, 3),
        "ours": round(row.ours, 3),
        "ratio": None if row.ratio is None else round(row.ratio, 3),
        "unit": row.unit,
        "target": row.target,
        "at_most": row.at_most,
    }


if __name__ == "__main__":
    sys.exit(main())
