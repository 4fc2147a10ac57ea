"""The shared files of the card processor: which hold balance transactions, and by which recipe each is booked.

The table stands in docs/processor.md too. Some of the files were made for other programs: of what these masked or left
out, the test says what it puts in its place.
"""

import csv
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from api.stripe_gateway import BadMovements, read_movements
from ledger.books import accounts
from ledger.giving import processor
from ledger.giving.bookings import Reason
from ledger.giving.movements import Category
from tests import cards
from tests.bookcheck import found
from tests.bookkeeping import RECORDER
from tests.cards import USD_CARD_LEAF, listing

DATA = Path(__file__).parents[2] / "../shared/data"
STRIPE = DATA / "stripe"

pytestmark = pytest.mark.skipif(not STRIPE.is_dir(), reason="../shared/data/stripe is not here")

LATER = datetime(2026, 1, 1, tzinfo=UTC)
MASKED = "<VENDOR_AUTH_CODE>"
"""What stands in recorded answers in the place of each letter x."""
BOOKED_BY = {
    "test_stripe_can_capture_an_authorized_charge.jsonl": "card_gift",
    "test_stripe_can_issue_credit_note_for_a_refund_for_Stripe_tax.jsonl": "card_gift",
    "test_stripe_subscription_and_one_time_charge.jsonl": "card_gift",
    "fixtures3.json": "card_gift",
    "fixtures3.beta.json": "card_gift",
    "charge.dispute.funds_withdrawn.json": "gift_disputed",
    "charge.dispute.funds_reinstated.json": "gift_disputed",
}
"""Every file with a balance transaction, and its recipe. All other files are not of balance transactions."""


def test_every_file_of_the_list_is_here_and_parses() -> None:
    with (DATA / "MANIFEST.tsv").open(encoding="utf-8", newline="") as lines:
        listed = {row["file"] for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)}

    files = {path.relative_to(DATA).as_posix(): path for path in STRIPE.rglob("*") if path.is_file()}

    assert set(files) == {file for file in listed if file.startswith("stripe/")}
    assert {path.suffix for path in files.values()} == {".json", ".jsonl", ".csv", ".rules"}
    assert all(documents(path) for path in files.values() if path.suffix.startswith(".json"))


def test_these_files_and_no_others_hold_balance_transactions() -> None:
    with_one = {path.name for path in STRIPE.rglob("*.json*") if list(transactions(path))}

    assert with_one == set(BOOKED_BY)


@pytest.mark.parametrize(("name", "recipe"), BOOKED_BY.items())
def test_each_balance_transaction_is_booked_by_its_recipe(founded: Session, name: str, recipe: str) -> None:
    accounts.add_leaf(founded, USD_CARD_LEAF, name="A leaf", currency="USD")
    (path,) = STRIPE.rglob(name)
    (item,) = transactions(path)
    charge = completed(item)
    (movement,) = cards.read(listing([item]))

    (booked,) = processor.book(founded, [movement], recorded_at=LATER, recorded_by=RECORDER)

    if charge is not None:  # a dispute waits for its gift, which the file does not hold
        assert booked.reason is Reason.CAUSE_MISSING
        (gift,) = cards.read(listing([charge]))
        processor.book(founded, [gift], recorded_at=LATER, recorded_by=RECORDER)
        (booked,) = processor.book(founded, [movement], recorded_at=LATER, recorded_by=RECORDER)
    assert booked.recipe == recipe
    assert found(founded) == []


def test_the_table_of_the_documentation_is_this_one() -> None:
    page = (Path(__file__).parents[2] / "docs/processor.md").read_text(encoding="utf-8")
    lines = page.partition("## The shared files")[2].splitlines()
    rows = [line.split("|")[1:3] for line in lines if line.startswith("| `")]

    table = {
        Path(name).name: re.findall(r"`(\w+)`", recipe)[0]
        for names, recipe in rows
        for name in re.findall(r"`([^`]+)`", names)
    }

    assert table == BOOKED_BY
    files = sum(path.is_file() for path in STRIPE.rglob("*"))
    assert (files, "Ninety-five files" in page) == (95, True)


def test_a_balance_transaction_of_before_reporting_categories_is_refused() -> None:
    (path,) = STRIPE.rglob("charge.dispute.funds_withdrawn.json")

    with pytest.raises(BadMovements):
        read_movements(listing(list(transactions(path))))


def documents(path: Path) -> list[Any]:
    text = path.read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()] if path.suffix == ".jsonl" else [json.loads(text)]


def transactions(path: Path) -> Iterator[dict[str, Any]]:
    for document in documents(path):
        yield from within(document)


def within(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        if part.get("object") == "balance_transaction":
            yield part
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from within(one)


def completed(item: dict[str, Any]) -> dict[str, Any] | None:
    """Puts in what the file lacks; of a dispute also the gift that it is about."""
    item["id"] = item["id"].replace(MASKED, "x")
    if item.get("reporting_category"):
        return None
    charge = "ch_Invented0001"
    item["reporting_category"] = Category.DISPUTE
    item["source"] = {"id": item["source"], "object": "dispute", "charge": charge}
    gift = {"id": "txn_Invented0001", "reporting_category": "charge", "source": charge, "fee": 0}
    amount = -int(item["amount"])
    return item | gift | {"amount": amount, "net": amount}
