"""What is said of what waits, over HTTP and on the command line: by whom, once, and with all of it signed."""

import json
from typing import Any

import pytest

from api.client import donations, resolutions
from api.client.case_evidence import EvidenceDiffers
from ledger.people import Role
from ledger.reconciliation.answers import Answer, Because
from ledger.reconciliation.resolutions import UnknownResolution
from tests import terminal
from tests.attempts import catch, refused, told
from tests.bookcheck import assert_it_holds
from tests.cards import a_fee, listing, transaction
from tests.cast import eur
from tests.office import Office, on_one_database

COST, TOLD = Answer.COST, Because.TOLD_BY_PROCESSOR


def a_movement(office: Office, nth: int = 1) -> str:
    """1.00 EUR left the processor, and no recipe knows why: its exception."""
    anna = office.desk("anna")
    unknown = transaction(a_fee(eur("1.00"), nth=nth)) | {"reporting_category": "other_adjustment"}
    donations.send(anna, listing([unknown]))
    (waiting,) = [one for one in resolutions.listed(anna)["waiting"] if one["of"] == unknown["id"]]
    assert (waiting["thing"], waiting["difference"], waiting["amount"]["amount"]) == (
        "movement",
        "movement_waits",
        "-1.00",
    )
    assert "cost" in waiting["may_be"]
    assert "gift" not in waiting["may_be"]
    return str(waiting["about"])


@on_one_database
def test_nothing_is_booked_until_another_person_has_agreed(furnished: Office) -> None:
    anna, boris, about = furnished.desk("anna"), furnished.desk("boris"), a_movement(furnished)

    said = resolutions.say(anna, about, COST, because=TOLD)
    assert (said["alone"], said["agreed_by"], furnished.balance("6000", "EUR")) == (False, None, eur("0.00"))
    with refused(furnished, "not_allowed", status=403):
        resolutions.agree(anna, about)
    with refused(furnished, "not_allowed", status=403):
        resolutions.say(boris, about, COST, because=TOLD)
    resolutions.agree(boris, about)

    assert furnished.balance("6000", "EUR") == eur("1.00")
    (standing,) = resolutions.listed(furnished.desk("clara", role=Role.AUDITOR))["resolutions"]
    assert (standing["agreed_by"], standing["verb"]) == (furnished.alias("boris"), "agree_resolution")
    with furnished.nothing_written(), pytest.raises(UnknownResolution):
        resolutions.agree(boris, about)
    with furnished.nothing_written(), pytest.raises(UnknownResolution):
        resolutions.say(anna, about, COST, because=TOLD)
    assert_it_holds(furnished.engine)


@on_one_database
def test_a_request_that_was_handed_in_is_replayed_and_never_said_twice_or_otherwise(furnished: Office) -> None:
    anna, about = furnished.desk("anna"), a_movement(furnished)
    request = catch(furnished, "POST", lambda: resolutions.say(anna, about, COST, because=TOLD))
    body = json.loads(request.content)
    lies: list[tuple[dict[str, Any], tuple[int, str]]] = [
        ({"answer": "loss"}, (409, "act_differs")),
        ({"because": "decided_so"}, (409, "act_differs")),
        ({"because": None}, (422, "bad_resolution")),
        ({"settles": {"amount": "0.99", "currency": "EUR"}}, (422, "bad_resolution")),
        ({"of": "G-7K3M-22QX-9XNN"}, (422, "bad_resolution")),
        ({"happened_on": "2020-09-15"}, (422, "bad_resolution")),
        ({"about": "X-7K3M-22QX-9XNN"}, (404, "unknown_exception")),
        ({"agreed": body["agreed"] | {"signature": "0" * 128}}, (403, "bad_signature")),
        ({"answer": "theft"}, (422, "bad_input")),
        ({"of": "no alias"}, (422, "bad_input")),
    ]
    with furnished.nothing_written():
        answers = [furnished.post("/v1/resolutions", body | lie, by="anna") for lie, _ in lies]
    assert [told(one) for one in answers] == [refusal for _, refusal in lies]

    first = furnished.post("/v1/resolutions", body, by="anna", key="test:once")
    with furnished.nothing_written_but("stored_answer"):
        again = furnished.post("/v1/resolutions", body, by="anna", key="test:once")
        other = furnished.post("/v1/resolutions", body, by="anna", key="test:other")

    assert (first.status_code, again.json(), told(other)) == (201, first.json(), (409, "act_differs"))
    assert again.headers["Idempotent-Replay"] == "true"


@on_one_database
def test_a_client_agrees_to_what_it_is_shown_and_to_nothing_else(
    furnished: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    about, boris = a_movement(furnished), furnished.desk("boris")
    resolutions.say(furnished.desk("anna"), about, COST, because=TOLD)
    shown = resolutions.listed(boris)
    shown["resolutions"][0]["answer"] = "loss"
    monkeypatch.setattr(boris.api, "get", lambda *_: shown)

    with furnished.nothing_written(), pytest.raises(EvidenceDiffers):
        resolutions.agree(boris, about)


@on_one_database
def test_it_is_told_said_and_agreed_to_on_the_command_line(
    furnished: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def say(name: str, *words: str, code: int = 0) -> Any:
        environment = terminal.environment_of(furnished, name)
        assert terminal.run(monkeypatch, environment, "resolutions", *words, "--json") == code
        printed = capsys.readouterr()
        return json.loads(printed.out) if code == 0 else printed.err

    about = a_movement(furnished)

    assert [one["about"] for one in say("anna", "list")] == [about]
    table = {one["answer"]: one for one in say("anna", "answers")}
    assert (table["payout"]["people"], table["cost"]["people"], table["cost"]["names"]) == (1, 2, None)
    assert "bad_resolution" in say("anna", "say", about, "cost", code=65)
    (said,) = say("anna", "say", about, "cost", "--because", "told_by_processor")
    assert (said["about"], said["agreed_by"], said["alone"]) == (about, None, False)
    (agreed,) = say("boris", "agree", about)
    assert agreed["agreed_by"] == furnished.alias("boris")
    assert [one["answer"] for one in say("anna", "said")] == ["cost"]
    assert "unknown_resolution" in say("boris", "agree", about, code=1)


@on_one_database
def test_what_nobody_may_say_without_a_signature_has_no_route_of_its_own_any_more(furnished: Office) -> None:
    for path in (
        "/v1/movements/txn_Invented0001/explain",
        "/v1/disputes/Q-0000-0000-0000/lose",
        "/v1/payouts/po_Invented0001/answer",
        "/v1/refund-orders/Y-0000-0000-0000/answer",
        "/v1/exceptions/X-0000-0000-0000/answer",
    ):
        assert furnished.post(path, {}, by="anna").status_code == 404
