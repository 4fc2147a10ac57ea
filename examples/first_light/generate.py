"""Makes the demonstration's input: a list of 30 fines and 15 detention bills, and one card gift. Nobody in it exists.

Run it again and it writes the same bytes: `python examples/first_light/generate.py`.
"""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

HERE = Path(__file__).parent
BASE_VALUE_KOPECKS = 2_700
"""The base value of 2020: 27.00 roubles."""
FINES, BILLS = 30, 15
REGIONS = ("minsk_city", "minsk", "brest", "grodno", "gomel", "vitebsk", "mogilev")
TREES = ("Alder", "Birch", "Cedar", "Elder", "Hazel", "Juniper", "Larch", "Maple", "Oak", "Poplar", "Rowan", "Willow")
HEADER = (
    "name",
    "ruling_number",
    "court",
    "region",
    "ruling_kind",
    "article",
    "issued_on",
    "in_force_on",
    "served_on",
    "kind",
    "amount",
    "currency",
    "payee_account",
)


def write_list() -> bytes:
    """The list as a spreadsheet of the region writes it: semicolons, decimal commas, NBSP between thousands."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEADER)
    for number in range(1, FINES + BILLS + 1):
        writer.writerow(_row(number))
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def write_gift() -> bytes:
    """One card gift of 100.00 EUR with a fee of 3.20 EUR, as the processor's API lists balance transactions."""
    created = int(datetime(2020, 9, 14, 18, 30, tzinfo=UTC).timestamp())
    transaction = {
        "id": "txn_InventedGift0001",
        "object": "balance_transaction",
        "amount": 10_000,
        "available_on": created + 2 * 86_400,
        "created": created,
        "currency": "eur",
        "description": "FINES",
        "exchange_rate": None,
        "fee": 320,
        "fee_details": [{"amount": 320, "application": None, "currency": "eur", "type": "stripe_fee"}],
        "net": 9_680,
        "reporting_category": "charge",
        "source": "ch_InventedGift0001",
        "status": "available",
        "type": "charge",
    }
    listed = {"object": "list", "data": [transaction], "has_more": False, "url": "/v1/balance_transactions"}
    return (json.dumps(listed, indent=2) + "\n").encode()


def _row(number: int) -> tuple[str, ...]:
    issued = date(2020, 8, 17) + timedelta(days=number * 7 % 27)
    fine = number <= FINES
    kopecks = BASE_VALUE_KOPECKS * (10 + number * 5 % 21) if fine else BASE_VALUE_KOPECKS // 2 * (1 + number * 4 % 15)
    court = 1 + number % 9
    return (
        f"Invented {TREES[number % len(TREES)]} {number:02d}",
        f"INVENTED-{number:04d}",
        f"Invented court no. {court}",
        REGIONS[number % len(REGIONS)],
        "administrative",
        "23.34 part 1",
        issued.strftime("%d.%m.%Y"),
        "",
        "" if fine else (issued + timedelta(days=12)).strftime("%d.%m.%Y"),
        "fine" if fine else "detention",
        _amount(kopecks),
        "BYN",
        f"INVENTED-TREASURY-{court:02d}",
    )


def _amount(kopecks: int) -> str:
    whole = f"{kopecks // 100:,}".replace(",", "\u00a0")
    return f"{whole},{kopecks % 100:02d}"


if __name__ == "__main__":
    (HERE / "list.csv").write_bytes(write_list())
    (HERE / "gift.json").write_bytes(write_gift())
