"""`solidarity demo --with-processor`: a demonstration as somebody starts it, up to its first look at the processor."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api.commands.demo_stage import STORY
from ledger.books import balances
from ledger.giving import bookings
from ledger.storage.engine import open_database, transaction
from tests import terminal
from tests.bookcheck import assert_it_holds

UNTIL = "2020-08-14"
NEXT_DAY = int(datetime(2020, 8, 15, tzinfo=UTC).timestamp())


def test_the_demonstration_pulls_its_gifts_from_a_processor_that_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "demo"

    code = terminal.run(monkeypatch, {}, "demo", "--with-processor", "--until", UNTIL, "--folder", folder)

    said = capsys.readouterr().out
    assert code == 0
    assert "the card processor answers on http://127.0.0.1:" in said
    assert (folder / f"audit-{UNTIL}.pdf").read_bytes().startswith(b"%PDF")
    assert (folder / "site" / "give" / "index.html").is_file()
    engine = open_database(f"sqlite:///{folder / 'book.db'}")
    with transaction(engine, write=False) as session:
        found = {row.balance_transaction for _, row in bookings.listed(session)}
        held = balances.balance(session, "1100:eur", currency="EUR").minor
    assert found == {one["id"] for currency in ("eur", "usd") for one in moved(currency)}
    assert held == sum(one["net"] for one in moved("eur")) > 0
    assert_it_holds(engine)
    engine.dispose()


def moved(currency: str) -> list[dict[str, Any]]:
    """What the story's processor tells of these first days."""
    listed = json.loads((STORY / f"processor-{currency}.json").read_text("utf-8"))["data"]
    return [one for one in listed if one["created"] < NEXT_DAY]
