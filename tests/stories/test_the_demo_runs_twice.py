"""`solidarity demo` on both databases: a season in one run, nothing new in the next, and the list's own sums."""

import csv
import io
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import structlog
from sqlalchemy import Engine

from api.client import keyring
from api.commands import demo, demo_people
from ledger.aliases import Kind, draw
from ledger.books import balances
from ledger.money import Money
from ledger.storage.engine import transaction
from tests.canaries import sightings
from tests.cast import everything
from tests.key_files import write_key_file


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The demonstration's folder, with people who have their devices: their key files open at once."""
    demonstration = tmp_path / "demo"
    demonstration.mkdir()
    for name in demo_people.ROLES:
        write_key_file(demonstration / f"{name}.key", keyring.create(draw(Kind.OPERATOR)))
    with structlog.testing.capture_logs():
        yield demonstration


def rows_of(engine: Engine) -> dict[str, list[str]]:
    with transaction(engine, write=False) as session:
        return everything(session)


def listed() -> list[dict[str, str]]:
    """The list, read without any code of ours."""
    text = (demo.EXAMPLES / "list.csv").read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text), delimiter=";"))


def sums() -> dict[str, Decimal]:
    """What the list says is owed, by kind, reckoned without the ledger."""
    owed: Counter[str] = Counter()
    for row in listed():
        owed[row["kind"]] += Decimal(row["amount"].replace("\u00a0", "").replace(",", "."))  # type: ignore[assignment]  # typeshed knows counters of int only
    return {kind: Decimal(amount) for kind, amount in owed.items()}


def balance(engine: Engine, account: str) -> Money:
    with transaction(engine, write=False) as session:
        return balances.balance(session, account, currency="BYN")


def test_the_demo_books_what_its_list_says_and_a_second_run_books_nothing_new(
    folder: Path, database_url: str, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    demo.run_demo(folder, database_url=database_url)
    first = rows_of(engine)
    said = capsys.readouterr().out

    owed = sums()
    assert owed == {"fine": Decimal("16443.00"), "detention": Decimal("1620.00")}
    assert balance(engine, "5000").decimal() == str(owed["fine"])
    assert balance(engine, "5100").decimal() == str(owed["detention"])
    assert balance(engine, "2100") == Money(0, "BYN")
    gifts = sum(demo.BANK_GIFTS.values(), Money(0, "BYN"))
    assert balance(engine, "1000").decimal() == str(Decimal(gifts.decimal()) - sum(owed.values()))
    assert "open exceptions: 0" in said
    assert "0 of them new" not in said
    published(folder, owed)
    nobody_is_named(folder)

    demo.run_demo(folder, database_url=database_url)

    assert rows_of(engine) == first
    assert "0 of them new in this run" in capsys.readouterr().out

    # Even on devices that lost their outboxes: everything is sealed and sent anew, and nothing new comes of it.
    for outbox in folder.glob("*.outbox"):
        shutil.rmtree(outbox)
    demo.run_demo(folder, database_url=database_url)

    assert {name: rows for name, rows in rows_of(engine).items() if name != "stored_answer"} == {
        name: rows for name, rows in first.items() if name != "stored_answer"
    }


def published(folder: Path, owed: dict[str, Decimal]) -> None:
    """The figures for everybody: rounded sums of groups, close to the list's own."""
    shown = json.loads((folder / "site" / "data" / "paid.json").read_bytes())
    text = json.dumps(shown)
    page = (folder / "site" / "index.html").read_text("utf-8")
    for kind, amount in owed.items():
        rounded = (amount / 100).quantize(Decimal(1)) * 100
        assert kind in text
        assert f"{rounded}.00" in text
        assert f"{rounded:,}".partition(".")[0] in page.replace("\u202f", ",").replace("\u00a0", ",")
    assert (folder / "trial-balance-2020-11-02.pdf").read_bytes().startswith(b"%PDF-")


def nobody_is_named(folder: Path) -> None:
    """No file of the demonstration names anybody on the list, and neither does its database, where that is a file."""
    words = [text for row in listed()[:4] for text in (row["name"], row["ruling_number"], row["payee_account"])]
    kept = b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
    assert sightings(words, kept) == []
