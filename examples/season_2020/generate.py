"""Makes a whole autumn of an invented fund: what comes in from outside, what happens when, and what the books must say.

Run it again and it writes the same bytes: `python -m examples.season_2020.generate`.
"""

import csv
import io
from pathlib import Path

from examples.season_2020 import gifts, page, plan, rulings, story, totals

HERE = Path(__file__).parent


def write_files() -> dict[str, bytes]:
    """The files of the season by name."""
    return {
        "processor-eur.json": gifts.write_movements("EUR"),
        "processor-usd.json": gifts.write_movements("USD"),
        "processor-balance.json": gifts.write_balance(),
        "rates.csv": write_rates(),
        story.LIST_1: rulings.write_list(story.LIST_1),
        story.LIST_2: rulings.write_list(story.LIST_2),
        "plan.json": plan.write_plan(),
        "expected.json": totals.write_expected(),
        "EXPECTED.md": page.write_page(),
    }


def write_rates() -> bytes:
    """Euros for one unit of each other currency, each valid until the next day told."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("currency", "on", "rate", "source"))
    for currency, rates in story.RATES.items():
        writer.writerows((currency, on.isoformat(), rate, "invented") for on, rate in rates.items())
    return out.getvalue().encode()


if __name__ == "__main__":
    for name, data in write_files().items():
        (HERE / name).write_bytes(data)
