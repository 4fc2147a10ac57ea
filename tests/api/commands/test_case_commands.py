"""Several sums of a case, and receipts that are kept, at the command line."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from sqlalchemy import text

from api.client import batches
from tests import terminal
from tests.agency import (
    RESULTS_DAY,
    a_released_batch,
    an_active_agent,
    codes_of,
    results_file,
    verified,
    verified_cases,
)
from tests.bookcheck import owning
from tests.bookkeeping import BYN_LEAF
from tests.office import RELEASE_DAY, Office, on_one_database

Say = Callable[..., Any]


@pytest.fixture
def say(furnished: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Runs `solidarity` with these words at somebody's desk, and gives what it printed, or said of its refusal."""

    def say_words(name: str, *words: str) -> str:
        code = terminal.run(monkeypatch, terminal.environment_of(furnished, name), *words)
        told = capsys.readouterr()
        return told.err if code else told.out

    return say_words


@pytest.fixture(autouse=True)
def _plain_log() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@on_one_database
def test_a_fee_is_added_and_each_sum_is_asked_for_by_commands(furnished: Office, say: Say) -> None:
    (case,) = furnished.take_in()

    added = say("anna", "cases", "owes", case, "--kind", "court_fee", "--amount", "54.00")
    verified = say("anna", "cases", "verify", case)
    shown = say("anna", "cases", "show", case)
    which = say("anna", "disbursements", "request", case, "--account", BYN_LEAF, "--amount", "1.00")
    asked = json.loads(say("anna", "disbursements", "request", case, "--account", BYN_LEAF, "--json"))

    assert f"{case}: owes 864.00 BYN in 2 sums" in added
    assert verified == f"{case}: verified\n"
    assert ("court_fee of 54.00, due" in shown, "fine of 810.00, due" in shown) == (True, True)
    assert "which_obligation" in which
    assert sorted(one["amount"]["amount"] for one in asked) == ["54.00", "810.00"]


@on_one_database
def test_the_client_tells_which_receipts_are_missing_and_sends_them_from_a_folder(furnished: Office, say: Say) -> None:
    verified_cases(furnished)
    batch = a_released_batch(furnished, an_active_agent(furnished))
    (code,) = codes_of(batch)
    with owning(furnished.engine) as connection:  # as an application that came when receipts are kept
        connection.execute(text("UPDATE aid_case SET received_on = '2026-01-05'"))
    furnished.set_clock(RESULTS_DAY)
    file, folder = furnished.folder / "results.csv", furnished.folder / "receipts"
    folder.mkdir()
    file.write_bytes(results_file(verified(code)))

    refused = say("anna", "batches", "results", batch["alias"], str(file))
    (folder / f"{code}.jpg").write_bytes(b"An invented receipt")
    entered = say("anna", "batches", "results", batch["alias"], str(file), "--receipts", str(folder))

    assert ("bad_results" in refused, "lines 2, column receipt" in refused) == (True, True)
    assert "1 results, 1 receipts" in entered
    assert batches.find(furnished.desk("anna"), batch["alias"])["state"] == "reconciled"


@on_one_database
def test_who_was_told_on_another_day_or_cannot_be_told_yet_stops_nobody_else(
    furnished: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def tell(*words: str) -> tuple[int, dict[str, Any]]:
        anna = terminal.environment_of(furnished, "anna")
        code = terminal.run(monkeypatch, anna, "cases", "told", *words, "--json")
        return code, json.loads(capsys.readouterr().out)

    first = furnished.an_approved_payment()["case"]
    too_early = tell("--on", "2020-10-04")
    on_time = tell("--on", "2020-10-05")
    second = furnished.an_approved_payment()["case"]
    furnished.set_clock(RELEASE_DAY)
    next_day = tell("--on", "2020-10-06")
    again = tell("--on", "2020-10-05", first, second)

    assert too_early == (1, {"told": [], "refused": {first: "not_told_yet"}})
    assert on_time == (0, {"told": [first], "refused": {}})
    assert next_day == (0, {"told": [second], "refused": {}})
    assert again == (1, {"told": [first], "refused": {second: "obligation_not_ready"}})


DAYS = [
    ("cases", "told", "--on"),
    ("batches", "told", "BA-0000", "--on"),
    ("batches", "seal-list", "BA-0000", "--last-day"),
    ("advances", "acknowledge", "AV-0000", "--received", "1.00", "--currency", "BYN", "--on"),
    ("purses", "seize", "A-0000", "--amount", "1.00", "--currency", "BYN", "--on"),
    ("purses", "tell", "A-0000", "fee", "--amount", "1.00", "--currency", "BYN", "--on"),
    ("bail", "hearing", "O-0000", "--on"),
    ("position", "--on"),
    ("activities", "--to", "2020-12-31", "--from"),
    ("trial-balance", "--on"),
    ("balance", "1000", "--currency", "BYN", "--on"),
    ("report", "audit", "--out", "nowhere", "--on"),
]


@on_one_database
def test_every_command_calls_what_is_no_day_an_error_of_usage(
    furnished: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    anna = terminal.environment_of(furnished, "anna")

    for words in DAYS:
        for day in ("garbage", "2020-02-30"):
            assert terminal.run(monkeypatch, anna, *words, day) == 2, words
            assert "Invalid value" in capsys.readouterr().err, words
