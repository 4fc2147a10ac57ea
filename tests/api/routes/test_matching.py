"""Matching over HTTP and on the command line."""

import json
from datetime import date
from typing import Any

import pytest

from api.client import matching, statements
from api.duties import Means
from api.jobs import require
from api.settings import ProcessorSettings
from ledger.books import journal
from ledger.books.postings import credit, debit
from ledger.reconciliation.matchings import UnknownPairing
from ledger.reconciliation.pairings import Undone
from ledger.storage.engine import transaction
from tests import terminal
from tests.bookcheck import assert_it_holds
from tests.cast import byn
from tests.journals import a_file, an_entry
from tests.office import BANK_DAY, BYN_LEAF, Office, on_one_database
from tests.papers import BankLine, a_camt_file


def book_fee(office: Office, amount: str, *, on: date) -> int:
    """A fee that was booked by hand before the bank showed it."""
    office.set_clock(BANK_DAY)
    fee = byn(amount)
    with transaction(office.engine) as session:
        return journal.post(
            session,
            source_key=f"test:fee:{on}:{amount}",
            kind="manual",
            postings=[debit("6020", fee, "general"), credit(BYN_LEAF, fee, "general")],
            happened_on=on,
            recorded_at=office.now(),
            recorded_by="test",
        ).entry_id


def tell_bank(office: Office, *lines: BankLine) -> None:
    file = a_camt_file(list(lines), opening=byn("5000.00"), first=date(2020, 10, 1), last=date(2020, 10, 31))
    statements.send(office.desk("anna"), file, account=BYN_LEAF)


@on_one_database
def test_a_line_is_matched_and_unmatched_on_the_command_line(
    furnished: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def say(*words: str) -> list[dict[str, Any]]:
        assert terminal.run(monkeypatch, terminal.environment_of(furnished, "anna"), "matches", *words, "--json") == 0
        told: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
        return told

    entry = book_fee(furnished, "12.50", on=date(2020, 10, 1))
    tell_bank(furnished, BankLine(byn("-12.50"), date(2020, 10, 5)))
    (proposed,) = say("proposals")
    (made,) = say("match", "--line", proposed["lines"][0], "--entry", str(entry))
    left = say("proposals")
    say("unmatch", made["alias"], "--because", "wrong_line")

    assert (proposed["entries"], proposed["score"], proposed["reasons"]) == ([entry], 80, ["same_amount", "only_one"])
    assert left == []
    assert [one["undone_by"] for one in say("list")] == [furnished.alias("anna")]
    assert say("proposals") == [proposed]
    assert_it_holds(furnished.engine)


@on_one_database
def test_a_line_is_resolved_by_an_entry_with_commands_alone(
    furnished: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def say(*words: str) -> Any:
        assert terminal.run(monkeypatch, terminal.environment_of(furnished, "anna"), *words, "--json") == 0
        return json.loads(capsys.readouterr().out)

    furnished.set_clock(BANK_DAY)
    tell_bank(furnished, BankLine(byn("-12.50"), date(2020, 10, 5)))
    (waiting,) = say("exceptions", "list")
    debited, credited = (
        {"side": side, "account": waiting["suggested"][side], "amount": "12.50", "currency": "BYN", "fund": "general"}
        for side in ("debit", "credit")
    )
    entry = an_entry(
        source_key="import:fee-1", happened_on="2020-10-05", effective_on="2020-10-05", lines=[debited, credited]
    )
    file = furnished.folder / "fee.jsonl"
    file.write_bytes(b"".join(a_file(entry)))
    number = say("entries", "import", str(file))["entries"]["import:fee-1"]
    (proposed,) = say("matches", "proposals")
    say("matches", "match", "--line", proposed["lines"][0], "--entry", str(number))

    assert waiting["next"] == "matches proposals"
    assert say("exceptions", "list") == []
    assert_it_holds(furnished.engine)


@on_one_database
def test_the_nightly_job_matches_what_is_exact_and_unique(furnished: Office) -> None:
    entry = book_fee(furnished, "12.50", on=date(2020, 10, 5))
    tell_bank(furnished, BankLine(byn("-12.50"), date(2020, 10, 5)), BankLine(byn("-3.00"), date(2020, 10, 5)))

    means = Means(furnished.engine, furnished.app.state.settings, ProcessorSettings(), still_held=lambda: None)
    assert require("match").duty(means) == {"booked": 0, "matched": 1}
    (made,) = matching.listed(furnished.desk("anna"))["pairings"]
    assert (made["entries"], made["automatic"]) == ([entry], True)
    assert_it_holds(furnished.engine)


@on_one_database
def test_a_credit_that_was_booked_as_a_gift_by_itself_is_unmatched_by_the_gifts_alias(furnished: Office) -> None:
    furnished.set_clock(BANK_DAY)
    tell_bank(furnished, BankLine(byn("31.00"), date(2020, 10, 5), counterparty="An invented shop"))
    anna = furnished.desk("anna")
    (booked,) = [one for one in matching.listed(anna)["pairings"] if one["lines"][0].endswith(":3100:1")]

    undone = matching.unmatch(anna, booked["alias"], because=Undone.WRONG_ENTRY)

    assert booked["alias"].startswith("G-")
    assert (undone["lines"], undone["undone_by"]) == (booked["lines"], furnished.alias("anna"))
    with furnished.nothing_written(), pytest.raises(UnknownPairing):
        matching.unmatch(anna, booked["alias"], because=Undone.WRONG_ENTRY)
    assert_it_holds(furnished.engine)
