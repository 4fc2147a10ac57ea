"""Reconciliation sheets: prepared by one, reviewed by another, and drawn as both have signed them."""

import json
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from api.client import reconciliations, statements
from api.client.reconciliations import NotTheSheet
from ledger.reconciliation.sheets import With
from ledger.storage.engine import transaction
from tests import terminal
from tests.attempts import refused
from tests.bookcheck import assert_it_holds
from tests.cast import byn
from tests.office import BYN_LEAF, CARD_LEAF, EUR_LEAF, Office
from tests.papers import BankLine, a_camt_file


def amounts(told: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["amount"] for one in told["figures"]}


def test_a_bank_sheet_shows_both_balances_and_what_is_in_transit_each_way(furnished: Office) -> None:
    released = furnished.a_released_payment()
    line = BankLine(byn("-12.50"), date(2020, 10, 5))
    first, last = date(2020, 10, 1), date(2020, 10, 31)
    file = a_camt_file([line], opening=byn("5000.00"), first=first, last=last)
    statements.send(furnished.desk("anna"), file, account=BYN_LEAF)

    told = reconciliations.look(furnished.desk("anna"), With.BANK, BYN_LEAF)

    assert amounts(told) == {
        "per_bank": "4987.50",
        "coming": "0.00",
        "going": "0.00",
        "not_booked": "-12.50",
        "per_books": "5000.00",
    }
    assert [one["amount"] for one in told["differences"]] == ["0.00"]
    on_its_way, shown = told["items"]
    assert (shown["side"], shown["amount"], shown["about"][:2]) == ("out", "12.50", "X-")
    assert (on_its_way["side"], on_its_way["about"]) == ("out", released["alias"])


def test_a_sheet_is_prepared_by_one_reviewed_by_another_and_drawn(furnished: Office, tmp_path: Path) -> None:
    anna, boris = furnished.desk("anna"), furnished.desk("boris")
    sheet = reconciliations.prepare(anna, With.BANK, BYN_LEAF)
    with refused(furnished, "same_person", status=403):
        reconciliations.review(anna, sheet["alias"])
    reviewed = reconciliations.review(boris, sheet["alias"])
    drawn = tmp_path / "sheet.pdf"
    drawn.write_bytes(anna.api.download(f"/v1/reconciliations/sheets/{sheet['alias']}.pdf"))

    assert (reviewed["prepared_by"], reviewed["reviewed_by"]) == (furnished.alias("anna"), furnished.alias("boris"))
    read = subprocess.run(["pdftotext", "-layout", drawn, "-"], capture_output=True, check=True, text=True).stdout
    for said in ("Bank reconciliation", "5,000.00", f"Prepared by {furnished.alias('anna')}", "Reviewed by"):
        assert said in read
    assert_it_holds(furnished.engine)


def test_the_ledger_is_compared_with_itself(furnished: Office) -> None:
    told = reconciliations.look(furnished.desk("anna"), With.LEDGER)

    assert amounts(told) == {"debit": "5000.00", "credit": "5000.00", "debit_by_roll_ups": "5000.00"}
    assert [one["amount"] for one in told["differences"]] == ["0.00", "0.00"]
    assert (told["failed_checks"], "balanced" in told["checks"]) == ([], True)


@pytest.mark.parametrize(
    ("compared", "account", "rule", "status"),
    [
        (With.BANK, EUR_LEAF, "nothing_to_compare", 404),
        (With.BANK, None, "nothing_to_compare", 404),
        (With.BANK, CARD_LEAF, "unknown_account", 422),
        (With.PROCESSOR, CARD_LEAF, "nothing_to_compare", 404),
        (With.AGENT, "1200:nobody", "unknown_account", 422),
    ],
)
def test_what_nobody_told_of_is_not_compared(
    furnished: Office, compared: With, account: str | None, rule: str, status: int
) -> None:
    with refused(furnished, rule, status=status):
        reconciliations.look(furnished.desk("anna"), compared, account)


def test_what_moved_since_the_preparer_looked_is_not_signed_for_them(
    furnished: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = furnished.desk("anna")
    stale = json.dumps(reconciliations.look(anna, With.BANK, BYN_LEAF) | {"on": "2020-08-31"})
    monkeypatch.setattr(reconciliations, "_content", lambda *_: stale)

    with refused(furnished, "sheet_outdated", status=409):
        reconciliations.prepare(anna, With.BANK, BYN_LEAF)


def test_a_sheet_is_reviewed_once_and_only_as_it_was_signed(furnished: Office) -> None:
    sheet = reconciliations.prepare(furnished.desk("anna"), With.BANK, BYN_LEAF)["alias"]
    reconciliations.review(furnished.desk("boris"), sheet)
    with refused(furnished, "already_reviewed", status=409):
        reconciliations.review(furnished.new_desk("clara"), sheet)

    with pytest.raises(DBAPIError, match="guard"), transaction(furnished.engine) as session:
        session.connection().execute(text("UPDATE reconciliation_sheet SET content = '{}'"))
    with pytest.raises(DBAPIError, match="guard"), transaction(furnished.engine) as session:
        session.connection().execute(text("DELETE FROM reconciliation_review"))


def test_a_sheet_whose_text_was_exchanged_is_not_signed(furnished: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    boris = furnished.desk("boris")
    sheet = reconciliations.prepare(furnished.desk("anna"), With.BANK, BYN_LEAF)
    monkeypatch.setattr(boris.api, "get", lambda *_, **__: {"sheets": [sheet | {"content": "{}"}]})

    with pytest.raises(NotTheSheet):
        reconciliations.review(boris, sheet["alias"])


def test_the_commands_prepare_review_list_and_write(
    furnished: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def say(name: str, *words: str) -> str:
        environment = terminal.environment_of(furnished, name)
        assert terminal.run(monkeypatch, environment, "reconciliations", *words) == 0
        return capsys.readouterr().out

    assert "Both sides agree." in say("anna", "look", "bank", BYN_LEAF)
    (sheet,) = json.loads(say("anna", "prepare", "bank", BYN_LEAF, "--json"))
    say("boris", "review", sheet["alias"])
    (listed,) = json.loads(say("anna", "list", "--json"))
    for form in ("pdf", "json"):
        say("anna", "write", sheet["alias"], str(tmp_path / f"sheet.{form}"))

    assert listed["reviewed_by"] == furnished.alias("boris")
    assert (tmp_path / "sheet.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "sheet.json").read_text("utf-8") == sheet["content"]
