import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from tests import terminal
from tests.agency import an_agent_who_is_owed, receive_euros
from tests.bookkeeping import BYN_LEAF, CARD_LEAF, EUR_LEAF
from tests.cast import eur
from tests.coffers import ask_to_convert
from tests.office import Office, a_gift_by_card, on_one_database
from tests.told import TEXTS, a_file, a_gift_without_purpose

Say = Callable[..., Any]


@pytest.fixture
def say(furnished: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Runs `solidarity` with these words at somebody's desk, and gives what it printed."""
    receive_euros(furnished)
    ask_to_convert(furnished)  # with the leaf and the rate that it needs

    def say_words(name: str, *words: str) -> Any:
        assert terminal.run(monkeypatch, terminal.environment_of(furnished, name), *words, "--json") == 0
        return json.loads(capsys.readouterr().out)

    return say_words


@pytest.fixture(autouse=True)
def _plain_log() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@on_one_database
def test_a_transfer_is_asked_for_and_booked_by_two_people(furnished: Office, say: Say) -> None:
    gifts = furnished.desk("anna").api.get("/v1/donations")["donations"]
    (alias,) = [one["alias"] for one in gifts if one["amount"]["currency"] == "EUR"]
    (furnished.folder / "consent.txt").write_text("I agree, writes Kanarejka.")
    consent = ("--consent", alias, "--consent-file", str(furnished.folder / "consent.txt"))
    move = ("--giver", "fines", "--taker", "detention", "--account", EUR_LEAF, "--amount", "25.00", "--currency", "EUR")

    (asked,) = say("anna", "transfers", "request", *move, *consent)
    assert "Kanarejka" in say("boris", "transfers", "consent", asked["alias"])["consent"]
    say("boris", "transfers", "approve", asked["alias"])

    assert [one["state"] for one in say("anna", "transfers", "list")] == ["booked"]
    assert furnished.balance(EUR_LEAF, "EUR", fund="detention") == eur("25.00")


@on_one_database
def test_a_conversion_is_asked_for_agreed_to_released_and_given_up(say: Say) -> None:
    leaves = ("--source", EUR_LEAF, "--target", BYN_LEAF, "--currency", "EUR", "--expected", "300.00", "--into", "BYN")

    (asked,) = say("anna", "conversions", "request", *leaves, "fines=100.00")
    say("boris", "conversions", "approve", asked["alias"])
    (released,) = say("anna", "conversions", "release", asked["alias"])
    (given_up,) = say("anna", "conversions", "cancel", asked["alias"])

    assert (released["state"], released["reference"]) == ("released", asked["reference"])
    assert given_up["state"] == "cancelled"
    assert [one["alias"] for one in say("boris", "conversions", "list", "--state", "cancelled")] == [asked["alias"]]


@on_one_database
def test_what_an_agent_laid_out_is_asked_for_agreed_to_and_given_up(furnished: Office, say: Say) -> None:
    agent = an_agent_who_is_owed(furnished)["alias"]
    leaves = ("--account", BYN_LEAF, "--fund", "fines", "--amount", "10.00", "--currency", "BYN")

    (asked,) = say("anna", "outlays", "request", agent, *leaves)
    (approved,) = say("boris", "outlays", "approve", agent, asked["alias"])
    (given_up,) = say("anna", "outlays", "cancel", agent, asked["alias"])

    assert [one["state"] for one in (asked, approved, given_up)] == ["requested", "approved", "cancelled"]
    assert [one["alias"] for one in say("anna", "outlays", "list", agent)] == [asked["alias"]]


@on_one_database
def test_what_donors_are_told_is_drafted_read_and_published_by_two_people(furnished: Office, say: Say) -> None:
    (furnished.folder / "fines.json").write_bytes(a_file(furnished))

    drafted = say("clara", "purposes", "draft", "FINES", str(furnished.folder / "fines.json"))
    read = say("boris", "purposes", "read", drafted["alias"])
    waiting = say("boris", "purposes", "versions")
    say("boris", "purposes", "publish", drafted["alias"])

    assert read["texts"] == TEXTS
    assert [one["state"] for one in (*waiting, *say("anna", "purposes", "versions"))] == ["waiting", "published"]
    assert {one["code"] for one in say("anna", "purposes", "list")} == {"FINES", "DETENTION"}


@on_one_database
def test_a_gift_without_a_purpose_is_found_given_one_and_its_life_is_told(furnished: Office, say: Say) -> None:
    gift = a_gift_by_card(id="txn_InventedGift0009", source="ch_InventedGift0009", description=None)
    alias = a_gift_without_purpose(furnished, gift)
    assert [one["alias"] for one in say("anna", "donations", "unassigned")] == [alias]

    said = say("anna", "donations", "assign", alias, "--purpose", "FINES", "--account", CARD_LEAF)

    assert (said["purpose"], said["fund"]) == ("FINES", "fines")
    assert say("anna", "donations", "unassigned") == []
    assert [one["kind"] for one in say("anna", "donations", "history", alias)["events"]] == [
        "card_gift",
        "gift_assigned",
    ]
