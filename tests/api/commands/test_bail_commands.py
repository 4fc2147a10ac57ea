"""Bail at the command line: a bail fund's people hear of hearings, of returns, and of what the court keeps."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from ledger.aid.obligations import ObligationKind
from tests import bailing, terminal
from tests.bailing import COURT_DAY, usd
from tests.office import Office, on_one_database

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
def test_bail_is_heard_returned_applied_and_forfeited_by_commands(furnished: Office, say: Say) -> None:
    bailing.open_dollars(furnished)
    posted = bailing.a_posted_bail(furnished)["obligation"]
    fined = bailing.a_told_payment(furnished, bailing.a_row("400.00", kind=ObligationKind.FINE))
    furnished.set_clock(COURT_DAY)

    heard = say("anna", "bail", "hearing", posted, "--on", "2020-11-16")
    coming = json.loads(say("anna", "bail", "return", posted, "--amount", "800.00", "--fee", "24.00", "--json"))
    part = say("boris", "bail", "apply", posted, "--to", fined["case"], "--amount", "150.00")
    applied = say("boris", "bail", "apply", posted, "--to", fined["case"])
    refused = say("boris", "bail", "forfeit", posted, "--amount", "300.01")
    kept = say("boris", "bail", "forfeit", posted, "--amount", "300.00")
    (left,) = json.loads(say("anna", "bail", "list", "--json"))

    assert heard == f"{posted}: heard by 2020-11-16\n"
    assert coming["arrives"] == {"amount": "776.00", "currency": "USD"}
    assert part == f"{posted}: 150.00 USD applied, the court holds 1350.00 USD\n"
    assert applied == f"{posted}: 250.00 USD applied, the court holds 1100.00 USD\n"
    assert "over_bail" in refused
    assert kept == f"{posted}: 300.00 USD forfeited, the court holds 800.00 USD\n"
    assert (left["announced"]["amount"], [one["reference"] for one in left["returns"]]) == (
        "800.00",
        [coming["reference"]],
    )
    assert furnished.balance("5300", "USD") == usd("300.00")
