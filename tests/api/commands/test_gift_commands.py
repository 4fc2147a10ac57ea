import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from tests import terminal
from tests.bookkeeping import BYN_LEAF, EUR_LEAF
from tests.cast import byn, eur
from tests.giving_walk import ON, show, stray_gifts
from tests.office import BANK_DAY, Office, on_one_database

Say = Callable[..., Any]
EUROS = ("--currency", "EUR")


@pytest.fixture
def say(furnished: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Runs `solidarity` with these words at somebody's desk, and gives what it printed."""
    furnished.set_clock(BANK_DAY)

    def say_words(name: str, *words: str) -> Any:
        assert terminal.run(monkeypatch, terminal.environment_of(furnished, name), *words, "--json") == 0
        return json.loads(capsys.readouterr().out)

    return say_words


@pytest.fixture(autouse=True)
def _plain_log() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@on_one_database
def test_a_gift_that_nobody_can_place_is_matched_sent_back_or_claimed(furnished: Office, say: Say) -> None:
    show(furnished, "3.00", on=date(2018, 10, 10))
    show(furnished, "1.00", "2.00", "4.00")
    gifts = {amount: gift["alias"] for amount, gift in stray_gifts(furnished).items()}

    say("anna", "donations", "match", gifts["1.00"], "--purpose", "FINES")
    say("anna", "donations", "match", gifts["2.00"], "--purpose", "FINES", "--conditional")
    (met,) = say("boris", "donations", "meet", gifts["2.00"], "--amount", "2.00")
    (due,) = say("anna", "donations", "unclaimed")
    (claimed,) = say("anna", "donations", "claim", due["alias"])
    back = ("--account", EUR_LEAF, "--amount", "4.00", *EUROS)
    (asked,) = say("anna", "donations", "returns", "request", gifts["4.00"], *back)
    say("boris", "donations", "returns", "approve", asked["alias"])
    show(furnished, "-4.00", on=BANK_DAY.date(), reference=asked["reference"])

    assert (met["state"], claimed["fund"]) == ("matched", "general")
    assert [one["state"] for one in say("anna", "donations", "returns", "list")] == ["paid"]
    assert [one["step"] for one in say("anna", "donations", "steps", gifts["2.00"])] == ["conditional", "met"]
    assert furnished.balance(EUR_LEAF, "EUR") == eur("6.00")
    assert furnished.balance("2000", "EUR") == eur("0.00")


@on_one_database
def test_cash_is_counted_by_two_and_taken_to_the_bank_which_counts_less(furnished: Office, say: Say) -> None:
    on = ("--on", ON.isoformat())
    (counted,) = say("anna", "donations", "cash", "count", "--purpose", "FINES", "--amount", "20.00", *EUROS, *on)
    say("boris", "donations", "cash", "witness", counted["alias"], "--amount", "20.00", *EUROS)
    (kept,) = say("anna", "donations", "cash", "bank", "--target", EUR_LEAF, "--amount", "5.00", *EUROS)
    say("anna", "donations", "cash", "bring-back", kept["alias"])
    (taken,) = say("anna", "donations", "cash", "bank", "--target", EUR_LEAF, "--amount", "20.00", *EUROS)
    show(furnished, "19.50", on=BANK_DAY.date() - timedelta(days=1))
    (waiting,) = furnished.desk("anna").api.get("/v1/exceptions")["exceptions"]

    less = ("--settles", "20.00", *EUROS, "--because", "told_by_bank")
    say("dora", "resolutions", "say", waiting["alias"], "deposit", "--of", taken["alias"], *less)
    say("boris", "resolutions", "agree", waiting["alias"])

    states = [one["state"] for one in say("anna", "donations", "cash", "deposits")]
    assert sorted(states) == ["banked", "cancelled"]
    assert [one["state"] for one in say("anna", "donations", "cash", "list")] == ["witnessed"]
    assert [furnished.balance(code, "EUR") for code in (EUR_LEAF, "1020", "6200")] == [
        eur("19.50"),
        eur("0.00"),
        eur("0.50"),
    ]


@on_one_database
def test_a_gift_in_kind_is_valued_and_agreed_to(furnished: Office, say: Say) -> None:
    invoice = furnished.folder / "invoice.txt"
    invoice.write_text("Invented hours.")
    said = ("--kind", "legal_aid", "--fund", "fines", "--worth", "30.00", "--currency", "BYN", "--on", ON.isoformat())
    (valued,) = say("anna", "donations", "in-kind", "value", str(invoice), *said)
    (other,) = say("anna", "donations", "in-kind", "value", str(invoice), *said)

    opened = say("boris", "donations", "in-kind", "open", valued["alias"], "--out", str(furnished.folder))
    say("boris", "donations", "in-kind", "agree", valued["alias"])
    say("anna", "donations", "in-kind", "withdraw", other["alias"])

    assert (Path(opened["path"]).read_text(), opened["name"]) == ("Invented hours.", "invoice.txt")
    states = [one["state"] for one in say("anna", "donations", "in-kind", "list")]
    assert sorted(states) == ["agreed", "withdrawn"]
    assert furnished.balance("4050", "BYN") == byn("-30.00")
    assert furnished.balance(BYN_LEAF, "BYN") == byn("5000.00")
