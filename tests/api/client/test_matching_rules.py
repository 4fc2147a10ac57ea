"""Matching by counterparties' texts: rules and texts are opened on the treasurer's device, and nowhere else."""

import json
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from api.client import matching, matching_rules, shelves, statements
from api.client.http import ApiRefusal
from api.client.matching_rules import BadRule
from ledger.aliases import Kind, draw
from ledger.books import journal
from ledger.books.postings import credit, debit
from ledger.storage.engine import transaction
from tests import terminal
from tests.bookcheck import assert_it_holds
from tests.canaries import sightings
from tests.cast import byn
from tests.office import BANK_DAY, BYN_LEAF, Office, on_one_database
from tests.papers import BankLine, october

ON = date(2020, 10, 9)
NAMES = ("Kanarejka-Bank", "KANAREJKA-BANK", "KANAREJKA-FLAT-7")

pytestmark = on_one_database


@pytest.fixture
def open_lines(furnished: Office) -> Office:
    """Two debits of one amount, and two entries by hand that either may be: a bank's fee and a room's rent."""
    furnished.set_clock(BANK_DAY)
    amount = byn("12.50")
    for account in ("6020", "6300"):
        with transaction(furnished.engine) as session:
            journal.post(
                session,
                source_key=f"test:{account}",
                kind="manual",
                postings=[debit(account, amount, "general"), credit(BYN_LEAF, amount, "general")],
                happened_on=ON,
                recorded_at=furnished.now(),
                recorded_by="test",
            )
    fee = BankLine(-amount, ON, counterparty=NAMES[0], remittance="Monthly  FEE")
    rent = BankLine(-amount, date(2020, 10, 10), counterparty="An invented landlord", remittance=NAMES[2])
    statements.send(furnished.desk("anna"), october(fee, rent, opening="5000.00"), account=BYN_LEAF)
    return furnished


def entry_of(office: Office, account: str) -> int:
    proposed = matching.listed(office.desk("anna"))["proposals"]
    return next(int(one["entries"][0]) for one in proposed if account in one["moves"])


def test_a_rule_tells_apart_what_amount_and_day_cannot(open_lines: Office) -> None:
    anna = open_lines.desk("anna")
    matching_rules.add(anna, words="kanarejka-bank", account="6020")
    matching_rules.add(anna, words="INVENTED LANDLORD", account="6300")
    before = matching.listed(anna)["proposals"]

    found = matching_rules.propose(anna)

    assert [one["score"] for one in before] == [70, 70, 60, 60]
    assert [(one["score"], one["entries"]) for one in found] == [
        (100, [entry_of(open_lines, "6020")]),
        (90, [entry_of(open_lines, "6300")]),
    ]
    assert [one["reasons"][-1] for one in found] == ["counterparty_text"] * 2
    for one in found:
        matching.match(anna, lines=one["lines"], entries=one["entries"])
    assert matching_rules.propose(anna) == []
    assert_it_holds(open_lines.engine)


def test_a_rule_of_another_account_or_of_words_that_do_not_stand_there_proposes_nothing(open_lines: Office) -> None:
    anna = open_lines.desk("anna")
    matching_rules.add(anna, words="kanarejka-bank", account="4300")
    matching_rules.add(anna, words="no such words", account="6020")
    withdrawn = matching_rules.add(anna, words="kanarejka-bank", account="6020")

    matching_rules.withdraw(anna, withdrawn["alias"])

    assert matching_rules.propose(anna) == []
    assert {one.words for one in matching_rules.listed(anna)} == {"kanarejka-bank", "no such words"}
    with open_lines.nothing_written(), pytest.raises(ApiRefusal, match="no rule"):
        matching_rules.withdraw(anna, draw(Kind.MATCHING_RULE))


def test_equal_lines_of_a_day_are_only_told_apart_when_all_their_texts_fit(open_lines: Office) -> None:
    anna = open_lines.desk("anna")
    day = date(2020, 10, 20)
    twins = [BankLine(byn("-12.50"), day, counterparty=name) for name in (NAMES[0], "Somebody else")]
    statements.send(anna, october(*twins, opening="4975.00"), account=BYN_LEAF)
    matching_rules.add(anna, words="Kanarejka", account="6020")

    told = matching_rules.propose(anna)

    assert all(str(day) not in one["lines"][0] for one in told)


@pytest.mark.parametrize(
    ("words", "account", "where"), [("  a ", "6020", "words"), ("a" * 201, "6020", "words"), ("fee", "9", "account")]
)
def test_a_rule_that_says_too_little_is_not_sent(open_lines: Office, words: str, account: str, where: str) -> None:
    with open_lines.nothing_written(), pytest.raises(BadRule) as refused:
        matching_rules.add(open_lines.desk("anna"), words=words, account=account)

    assert refused.value.data["where"] == where


def test_neither_words_nor_texts_reach_the_server(open_lines: Office, capfd: pytest.CaptureFixture[str]) -> None:
    anna = open_lines.desk("anna")
    sent: list[bytes] = []
    open_lines.http.event_hooks = {"request": [lambda request: sent.append(request.read())]}
    matching_rules.add(anna, words=NAMES[2], account="6300")
    (found,) = matching_rules.propose(anna)
    matching.match(anna, lines=found["lines"], entries=found["entries"])
    open_lines.http.event_hooks = {}

    for place in (b"".join(sent), repr(open_lines.rows()).encode(), repr(open_lines.logs).encode()):
        assert sightings(NAMES, place) == []
    assert sightings(NAMES, "".join(capfd.readouterr()).encode()) == []
    assert NAMES[2] not in repr(matching_rules.listed(anna))


def test_applying_rules_is_work_that_no_daily_limit_stops_and_that_is_logged(open_lines: Office) -> None:
    anna = open_lines.desk("anna")
    rule = matching_rules.add(anna, words="Kanarejka", account="6020")["alias"]
    open_lines.app.state.settings = open_lines.app.state.settings.model_copy(update={"readings_a_day": 1})

    for _ in range(2):
        matching_rules.propose(anna)

    read = open_lines.desk("clara").api.get("/v1/access-log")["accesses"]
    assert [one["reason"] for one in read if one["alias"] == rule] == ["reconciliation"] * 2


def test_what_was_erased_keeps_no_other_rule_back(open_lines: Office) -> None:
    anna = open_lines.desk("anna")
    gone = matching_rules.add(anna, words="invented landlord", account="6300")["alias"]
    for words in ("kanarejka-bank", "no such words"):
        matching_rules.add(anna, words=words, account="6020")

    with transaction(open_lines.engine) as session:
        session.connection().execute(text("DELETE FROM person_key WHERE alias = :gone"), {"gone": gone})

    assert {one.words for one in matching_rules.listed(anna)} == {"kanarejka-bank", "no such words"}
    assert [one["entries"] for one in matching_rules.propose(anna)] == [[entry_of(open_lines, "6020")]]


def test_a_box_that_holds_no_rule_is_told_and_applied_to_nothing(open_lines: Office) -> None:
    anna = open_lines.desk("anna")
    alias = draw(Kind.MATCHING_RULE)
    shelf = anna.draw_shelf("money", alias=alias)
    box = shelves.seal_json(shelf.public, {"words": 7}, kind="matching_rule", alias=alias, field="rule")
    body: dict[str, Any] = {"alias": alias, "shelf": shelves.shelf_on_wire(shelf), "content": box}
    swapped = body | {"content": box | {"field": "rest"}}

    with open_lines.nothing_written(), pytest.raises(ApiRefusal, match="a rule and its shelf"):
        anna.api.post("/v1/reconciliations/rules", swapped, key="rule:swapped")
    anna.api.post("/v1/reconciliations/rules", body, key="rule:none")
    assert [(one.alias, one.refused) for one in matching_rules.listed(anna)] == [(alias, "cannot_open")]
    assert matching_rules.propose(anna) == []


def test_rules_on_the_command_line(
    open_lines: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def say(*words: str) -> Any:
        assert terminal.run(monkeypatch, terminal.environment_of(open_lines, "anna"), "matches", *words, "--json") == 0
        return json.loads(capsys.readouterr().out)

    added = say("rules", "add", "--words", NAMES[0], "--account", "6020")
    told, listed = say("by-rules"), say("rules", "list")
    withdrawn = say("rules", "withdraw", added["alias"])

    assert [one["rules"] for one in told] == [[added["alias"]]]
    assert [one["words"] for one in listed] == [NAMES[0]]
    assert (withdrawn["alias"], say("rules", "list")) == (added["alias"], [])
