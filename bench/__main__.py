"""`./run bench [NAME …] [--quick]`: every group of rows, or those named; a table, and `bench/results.json`."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from bench import growth, hot_account, posting
from bench.databases import databases
from bench.rows import Row

GROUPS: dict[str, Callable[..., Iterator[Row]]] = {
    "posting": posting.rows,
    "hot_account": hot_account.rows,
    "growth": growth.rows,
}
"""In the order in which they run. A group is a module with `rows(engines, *, quick)`; growth takes longest."""

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
    with databases() as engines:
        found = [row for name in asked.names or GROUPS for row in _run(console, name, engines, quick=asked.quick)]
    console.print(_table(found))
    if not (asked.quick or asked.names):
        RESULTS.write_text(json.dumps([_as_json(row) for row in found], indent=2) + "\n", encoding="utf-8")
    return 0 if all(row.reached for row in found) else 1


def _run(console: Console, name: str, engines: dict[str, Engine], *, quick: bool) -> Iterator[Row]:
    console.print(f"{name} …", style="dim")
    for row in GROUPS[name](engines, quick=quick):
        console.print(f"  {row.name}: {row.ratio:.2f}", style="dim", highlight=False)
        yield row


def _table(found: list[Row]) -> Table:
    table = Table()
    for title in ("What", "Floor", "Ours", "Unit", "Ratio", "Target"):
        table.add_column(title, justify="left" if title in {"What", "Unit"} else "right")
    for row in found:
        target = f"≥ {row.target:.2f}"
        style = None if row.reached else "red"
        table.add_row(
            row.name, f"{row.floor:,.0f}", f"{row.ours:,.0f}", row.unit, f"{row.ratio:.2f}", target, style=style
        )
    return table


def _as_json(row: Row) -> dict[str, str | float]:
    return {
        "name": row.name,
        "floor": round(row.floor, 1),
        "ours": round(row.ours, 1),
        "ratio": round(row.ratio, 3),
        "unit": row.unit,
        "target": row.target,
    }


if __name__ == "__main__":
    sys.exit(main())
