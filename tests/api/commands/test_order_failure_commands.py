"""What the bank never paid: told at one desk, agreed to at another, and owed again."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from api.client import dossiers, payment_files, payments
from reports.dossier.chain import chains
from tests import terminal
from tests.agency import a_released_batch, an_active_agent, verified_cases
from tests.bookkeeping import BYN_LEAF
from tests.office import Office, on_one_database


def at_desks(
    office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, Any]]:
    """Runs `unexecuted` at somebody's desk: the exit code, and what is said."""

    def at(desk: str, *words: str) -> tuple[int, Any]:
        code = terminal.run(monkeypatch, terminal.environment_of(office, desk), "unexecuted", *words, "--json")
        said = capsys.readouterr()
        return code, json.loads(said.out) if code == 0 else said.err

    return at


@on_one_database
def test_two_people_stop_a_line_of_an_agents_list_and_the_dossier_says_why(
    furnished: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    verified_cases(furnished)
    (line,) = a_released_batch(furnished, an_active_agent(furnished))["lines"]
    alias, at = line["disbursement"], at_desks(furnished, monkeypatch, capsys)

    refused, why = at("anna", "tell", alias, "--because", "bank_refused")
    told, _ = at("anna", "tell", alias, "--because", "stopped")
    agreed, _ = at("boris", "agree", alias)

    assert (refused, "order_not_ready" in why, told, agreed) == (1, True, 0, 0)
    assert furnished.payment(alias)["state"] == "failed"
    (chain,) = chains(dossiers.fetch(furnished.desk("anna"), line["case"]["alias"]))
    assert [step for step in chain.steps if "told them not to pay it (stopped)" in step.says]


@on_one_database
def test_two_people_end_a_payment_at_their_desks_and_it_is_asked_for_again(
    furnished: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    released = furnished.a_released_payment()
    alias, file = released["alias"], furnished.a_payment_file().noted["alias"]
    at = at_desks(furnished, monkeypatch, capsys)

    refused, why = at("anna", "tell", alias, "--because", "bank_refused")
    assert (refused, "order_filed" in why or "nothing" in why) == (1, True)
    payment_files.withdraw(furnished.desk("anna"), file)
    payment_files.agree(furnished.desk("boris"), file)
    told_code, told = at("anna", "tell", alias, "--because", "bank_refused")
    agreed_code, _ = at("boris", "agree", alias)
    _, (listed,) = at("anna", "list")

    assert (told_code, agreed_code) == (0, 0)
    assert (told["told_by"], told["agreed_by"], told["version"]) == (furnished.alias("anna"), None, released["version"])
    assert (listed["order"], listed["state"], listed["agreed_by"]) == (alias, "failed", furnished.alias("boris"))
    assert furnished.payment(alias)["state"] == "failed"
    again = payments.request(furnished.desk("anna"), released["case"], account=BYN_LEAF)
    assert again["reference"] != released["reference"]
