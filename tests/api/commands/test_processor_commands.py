"""The commands at the card processor, with its keys in the environment or in files."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from api.commands.endings import BAD_INPUT, REFUSED, SERVICE_DOWN
from examples.card_processor.server import Processor, Trouble, serve
from tests import terminal
from tests.canaries import sightings
from tests.office import Office, on_one_database
from tests.processors import PULL_KEY, REFUND_KEY, a_processor

Say = Callable[..., tuple[int, Any]]


@pytest.fixture
def processor() -> Processor:
    """One gift for fines."""
    made = a_processor()
    made.account.charge(10_000, "eur", description="FINES")
    return made


@pytest.fixture
def say(
    furnished: Office,
    processor: Processor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Say]:
    """Runs `solidarity` with these words at somebody's desk; gives the exit code and what it printed."""
    refund_key = tmp_path / "refund.key"
    refund_key.write_text(REFUND_KEY + "\n", "utf-8")
    monkeypatch.setattr("api.stripe_link.FIRST_PAUSE_SECONDS", 0.0)

    def say_words(name: str, *words: str, **environment: str) -> tuple[int, Any]:
        own = {
            "SOLIDARITY_STRIPE_ADDRESS": address,
            "SOLIDARITY_STRIPE_PULL_KEY": PULL_KEY,
            "SOLIDARITY_STRIPE_REFUND_KEY_FILE": str(refund_key),
        }
        told = terminal.environment_of(furnished, name) | own | environment
        code = terminal.run(monkeypatch, told, *words, "--json")
        printed = capsys.readouterr()
        assert sightings((PULL_KEY, REFUND_KEY, "anarejka"), (printed.out + printed.err).encode()) == []
        return code, printed.err if code else json.loads(printed.out)

    with serve(processor) as address:
        yield say_words


@pytest.fixture(autouse=True)
def _plain_log() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@on_one_database
def test_a_gift_is_pulled_and_goes_back_by_two_people_and_a_key_of_its_own(say: Say, processor: Processor) -> None:
    assert say("anna", "donations", "pull") == (0, {"booked": 1, "by_recipe": {"card_gift": 1}})
    _, gifts = say("anna", "donations", "list")
    (gift,) = [one["alias"] for one in gifts if one["source"] == "card"]

    _, (asked,) = say("anna", "donations", "refunds", "request", gift, "25.00", "EUR")
    _, (agreed,) = say("boris", "donations", "refunds", "approve", asked["alias"])
    _, sent = say("anna", "donations", "refunds", "send")
    _, (shown,) = say("anna", "donations", "refunds", "list")

    assert (asked["state"], agreed["state"], shown["state"]) == ("requested", "approved", "succeeded")
    assert sent == [{"order": asked["alias"], "state": "succeeded", "rule": None}]
    assert shown["refund"] in processor.account.refunds
    assert say("anna", "donations", "pull") == (0, {"booked": 1, "by_recipe": {"gift_refunded": 1}})


@on_one_database
def test_what_goes_wrong_has_an_exit_code_and_a_rule(say: Say, furnished: Office, processor: Processor) -> None:
    with furnished.nothing_written():
        full_key = say("anna", "donations", "pull", SOLIDARITY_STRIPE_PULL_KEY="sk_test_everything")
        elsewhere = say("anna", "donations", "pull", SOLIDARITY_STRIPE_ADDRESS="https://api.example.invalid")
        wrong_key = say("anna", "donations", "pull", SOLIDARITY_STRIPE_PULL_KEY=REFUND_KEY)
        processor.troubles.extend([Trouble.BROKEN] * 5)
        away = say("anna", "donations", "pull", SOLIDARITY_STRIPE_PULL_KEY=PULL_KEY)

    assert [(code, told.partition(":")[0]) for code, told in (full_key, elsewhere, wrong_key, away)] == [
        (BAD_INPUT, "bad_settings"),
        (BAD_INPUT, "bad_settings"),
        (REFUSED, "processor_key_refused"),
        (SERVICE_DOWN, "processor_unavailable"),
    ]


@on_one_database
def test_what_waits_is_explained_and_then_waits_no_more(say: Say, processor: Processor) -> None:
    processor.account.adjust("other_adjustment", 100, "eur")
    say("anna", "donations", "pull")
    (_, [waiting]) = say("anna", "donations", "movements", "--waiting")

    _, [about] = say("anna", "resolutions", "list")
    say("anna", "resolutions", "say", about["about"], "other_income", "--because", "told_by_processor")
    code, [booked] = say("boris", "resolutions", "agree", about["about"])

    assert (code, booked["answer"], about["of"]) == (0, "other_income", waiting["balance_transaction"])
    assert say("anna", "donations", "movements", "--waiting") == (0, [])
    assert [say("anna", "donations", part, "list") for part in ("disputes", "payouts")] == [(0, []), (0, [])]
