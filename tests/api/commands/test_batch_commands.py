"""One signature for many lines: what is unusual is shown before, and nobody signs by mistake."""

import io
import json
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from api.client import batches, case_lives, cases
from tests import terminal
from tests.agency import a_draft, verified_cases
from tests.bookcheck import owning
from tests.cast import byn
from tests.office import DECISION_DAY, Office, on_one_database
from tests.papers import a_list_row


@pytest.fixture
def locked(furnished: Office) -> dict[str, Any]:
    """A batch of a fine, and of another one that is above what the article threatens."""
    verified_cases(
        furnished,
        a_list_row(amount=byn("810.00"), in_force_on=date(2020, 9, 14)),
        a_list_row(amount=byn("1400.00"), in_force_on=date(2020, 9, 14)),
    )
    furnished.set_clock(DECISION_DAY)
    draft = a_draft(furnished)
    batches.lock(furnished.desk("anna"), draft["alias"])
    return batches.find(furnished.desk("anna"), draft["alias"])


def signed(office: Office) -> int:
    return len([row for row in office.rows()["signed_act"] if "approve_batch" in row])


@on_one_database
def test_what_is_unusual_is_shown_first_and_a_no_signs_nothing(
    furnished: Office, locked: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))

    code = terminal.run(monkeypatch, terminal.environment_of(furnished, "boris"), "batches", "approve", locked["alias"])

    said = capsys.readouterr().out
    (unusual,) = [line["case"]["alias"] for line in locked["lines"] if line["amount"]["amount"] == "1400.00"]
    assert code != 0
    assert said.splitlines()[0] == "To look at, lines: 1"
    assert said.index(unusual) < said.index("fine: 2210.00 BYN, lines: 2")
    assert "difference 590.00" in said
    assert signed(furnished) == 0


@on_one_database
def test_all_lines_that_do_not_hold_are_named_at_once_with_what_to_do_and_nothing_is_signed(
    furnished: Office, locked: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with owning(furnished.engine) as connection:
        connection.execute(text("UPDATE ruling SET article = '24.23'"))

    code = terminal.run(monkeypatch, terminal.environment_of(furnished, "boris"), "batches", "approve", locked["alias"])

    said = capsys.readouterr().err
    assert (code, signed(furnished)) == (1, 0)
    assert "cases hold" in said
    assert all(f"{line['case']['alias']} evidence_differs" in said for line in locked["lines"])


@on_one_database
def test_who_cannot_have_been_told_is_named_and_the_command_says_so_to_a_shell(
    furnished: Office, locked: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    batches.approve(furnished.desk("boris"), locked["alias"])
    anna, answers = terminal.environment_of(furnished, "anna"), []

    for day in ("2020-10-04", "2020-10-05"):
        code = terminal.run(monkeypatch, anna, "batches", "told", locked["alias"], "--on", day, "--json")
        refused = json.loads(capsys.readouterr().out)["refused"]
        answers.append((code, {one["case"]: (one["rule"], one["earliest"]) for one in refused}))

    too_early = {line["case"]["alias"]: ("not_told_yet", "2020-10-05") for line in locked["lines"]}
    assert answers == [(1, too_early), (0, {})]


@on_one_database
def test_a_yes_signs_once_and_tells_what_was_shown(
    furnished: Office, locked: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = terminal.environment_of(furnished, "boris")

    code = terminal.run(monkeypatch, told, "batches", "approve", locked["alias"], "--yes", "--json")

    print_ = capsys.readouterr()
    assert code == 0, print_.err
    review = json.loads(print_.out)["review"]
    assert code == 0
    assert [one["amount"] for one in review["exceptions"]] == ["1400.00"]
    assert review["by_kind"] == {"fine": {"lines": 2, "amount": "2210.00"}}
    assert signed(furnished) == 1
    states = {case["state"] for case in cases.listed(furnished.desk("anna"))}
    assert states == {"approved"}


@on_one_database
def test_a_line_whose_case_was_withdrawn_is_shown_first_and_the_others_are_agreed_to(
    furnished: Office, locked: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small, large = sorted(locked["lines"], key=lambda line: float(line["amount"]["amount"]))
    case_lives.step(furnished.desk("anna"), small["case"]["alias"], "withdraw")
    told = terminal.environment_of(furnished, "boris")

    code = terminal.run(monkeypatch, told, "batches", "approve", locked["alias"], "--yes", "--json")

    print_ = capsys.readouterr()
    assert code == 0, print_.err
    review = json.loads(print_.out)["review"]
    assert [one["excluded"] for one in review["exceptions"]] == ["withdrawn", None]
    assert review["by_kind"] == {"fine": {"lines": 1, "amount": "1400.00"}}
    batch = batches.find(furnished.desk("anna"), locked["alias"])
    assert {line["disbursement"]: (line["excluded"], line["state"]) for line in batch["lines"]} == {
        small["disbursement"]: ("withdrawn", "cancelled"),
        large["disbursement"]: (None, "approved"),
    }
