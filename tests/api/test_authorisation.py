"""Attack 29: every role at every door, with a foreign, a missing and a real thing behind it.

Who comes in is decided from a key and the roster alone, before a route's own code runs; both are read in
`tests/ledger/test_bearer_keys.py` and `test_people.py` on both databases. So the doors themselves are tried on one.
"""

from collections import defaultdict
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter

from api import app as application
from api.app import UnlistedRoute, create_app
from api.authorisation import DOORS, PUBLIC
from api.routes import books
from ledger.aliases import Kind, draw
from ledger.people import Role
from tests.attempts import told
from tests.office import AT_THEIR_DESK, Office, on_one_database, the_next_roster

SAMPLES = {"{alias}": "C-0000-0000-0000", "{form}": "json", "{version}": "1", "{number}": "1", "{language}": "en"}


def a_path(template: str) -> str:
    """A path that the template matches."""
    path = template.replace("{name}", "paid.json" if template.startswith("/data") else "people")
    for part, sample in SAMPLES.items():
        path = path.replace(part, sample)
    return path


def knock(office: Office, door: tuple[str, str], *, bearer: str | None, **request: Any) -> httpx2.Response:
    method, template = door
    body: dict[str, Any] = {"json": {}} if method in {"POST", "PUT"} else {}
    return office.send(method, a_path(template), bearer=bearer, **(body | request))


LOCKED = sorted(door for door, opens in DOORS.items() if opens.roles is not None)
OPEN = sorted(door for door, opens in DOORS.items() if opens is PUBLIC)


@on_one_database
def test_each_door_opens_to_its_roles_and_to_no_other(office: Office) -> None:
    with office.nothing_written():
        refused = {
            (door, role): knock(office, door, bearer=office.bearer_of(role))
            for door in LOCKED
            for role in Role
            if role not in (DOORS[door].roles or ())
        }
    opened = {
        (door, role): knock(office, door, bearer=office.bearer_of(role)).status_code
        for door in LOCKED
        for role in DOORS[door].roles or ()
    }

    assert {told(answer) for answer in refused.values()} == {(403, "not_allowed")}
    assert {(answer.json()["detail"], len(answer.json())) for answer in refused.values()} == {
        ("the key's roles do not open this route", 5)
    }
    assert {status for status in opened.values() if status in {401, 403}} == set()
    assert len(refused) + len(opened) == len(LOCKED) * len(Role)


NO_KEYS = (
    None,
    "",
    "Bearer",
    "Bearer ",
    "Basic dXNlcjpwYXNz",
    "sl_unknown",
    "Bearer sl_unknown",
    "Bearer \u00e9",
    "Bearer two words",
)


@on_one_database
def test_no_door_with_a_lock_opens_without_a_valid_key(office: Office) -> None:
    almost = [f"Bearer {office.staff.expired}", f"Bearer {office.bearer('dora')[:-1]}"]
    tried = [(door, text) for door in LOCKED for text in (None, *almost)]
    tried += [(("POST", "/v1/donations"), text) for text in NO_KEYS]

    with office.nothing_written():
        answers = [
            knock(office, door, bearer=None, headers={} if text is None else {"Authorization": text.encode("latin-1")})
            for door, text in tried
        ]

    assert {told(answer) for answer in answers} == {(401, "no_key"), (401, "key_refused")}
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {"Bearer"}


@on_one_database
def test_public_doors_open_to_everybody_and_show_no_more_to_a_key(office: Office) -> None:
    for door in OPEN:
        answers = [knock(office, door, bearer=bearer) for bearer in (None, "sl_unknown", office.bearer("dora"))]

        assert [answer.status_code for answer in answers] == [200, 200, 200]
        assert len({answer.content for answer in answers}) == 1


@on_one_database
def test_a_key_carries_no_role_that_the_roster_took_away(office: Office) -> None:
    dora = office.bearer("dora", Role.AUDITOR)
    assert office.send("GET", "/v1/book", bearer=dora).status_code == 200
    office.desk("clara").api.post("/v1/roster", the_next_roster(office, without="dora"), key="roster:2")

    with office.nothing_written():
        answers = [
            knock(office, door, bearer=office.bearer("dora", role))
            for door in LOCKED
            for role in (None, *(DOORS[door].roles or ()))
        ]

    assert {told(answer) for answer in answers} == {(401, "key_refused")}
    assert office.send("GET", "/v1/book", bearer=office.bearer("anna")).status_code == 200


@on_one_database
def test_an_operator_whose_time_in_the_roster_is_over_is_nobody(office: Office) -> None:
    last_day = office.now().replace(year=2025, month=12, day=31)

    office.set_clock(last_day)
    assert office.send("GET", "/v1/book", bearer=office.bearer("anna")).status_code == 200
    office.set_clock(last_day + timedelta(days=1))
    assert office.send("GET", "/v1/book", bearer=office.bearer("anna")).status_code == 401


def test_a_foreign_and_a_missing_thing_look_the_same(furnished: Office) -> None:
    case, person, payment = a_case_with_everything(furnished)
    others = {"case": draw(Kind.CASE), "person": draw(Kind.BENEFICIARY), "payment": draw(Kind.DISBURSEMENT)}
    pairs = [  # what exists and is not theirs or not of this kind, and what does not exist
        ("GET", f"/v1/cases/{person}", f"/v1/cases/{others['case']}", Role.AUDITOR),
        ("GET", f"/v1/boxes/{case}?reason=approval", f"/v1/boxes/{others['person']}?reason=approval", Role.APPROVER),
        ("GET", "/v1/vaults/people/wraps", "/v1/vaults/donors/wraps", Role.AUDITOR),
        ("GET", f"/v1/approvals?of={person}", f"/v1/approvals?of={others['payment']}", Role.AUDITOR),
        ("POST", f"/v1/cases/{payment}/told", f"/v1/cases/{others['case']}/told", Role.INTAKE),
    ]

    for method, foreign, missing, role in pairs:
        body: dict[str, Any] = {"json": {"told_on": "2020-10-05"}} if method == "POST" else {}
        with furnished.nothing_written():
            answers = [
                furnished.send(method, path, bearer=furnished.bearer_of(role), **body) for path in (foreign, missing)
            ]

        assert answers[0].status_code == answers[1].status_code
        assert without_id(answers[0]) == without_id(answers[1])


@on_one_database
def test_nobody_is_shown_another_ones_wrap_of_a_vault(office: Office) -> None:
    held = {name: office.desk(name).api.get("/v1/vaults/people/wraps")["wraps"] for name in ("anna", "boris", "clara")}

    assert {wrap["member"] for wrap in held["anna"]} == {office.alias("anna")}
    assert {wrap["member"] for wrap in held["boris"]} == {office.alias("boris")}
    assert held["clara"] == []


@on_one_database
def test_a_route_without_a_door_and_a_door_without_a_route_do_not_start(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    router = APIRouter()
    router.add_api_route("/v1/forgotten", lambda: None)
    monkeypatch.setattr(application, "ROUTERS", (*application.ROUTERS, router))
    with pytest.raises(UnlistedRoute, match="/v1/forgotten"):
        create_app(office.app.state.settings, engine=office.engine)

    monkeypatch.setattr(application, "ROUTERS", [one for one in application.ROUTERS if one is not books.router])
    with pytest.raises(UnlistedRoute, match="/v1/accounts"):
        create_app(office.app.state.settings, engine=office.engine)


@on_one_database
def test_the_application_has_no_route_beside_those_with_doors(office: Office) -> None:
    for path in ("/docs", "/redoc", "/openapi.json", "/metrics", "/v1", "/v1/", "/v1/entries", "/.env", "/static/x"):
        assert office.send("GET", path, bearer=office.bearer("dora")).status_code == 404
    methods = defaultdict(set)
    for method, template in DOORS:
        methods[template].add(method)
    for template, known in methods.items():
        for other in {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"} - known:
            answer = office.send(other, a_path(template), bearer=office.bearer("dora"))

            assert answer.status_code == 405, (other, template)
            assert set(answer.headers["Allow"].split(", ")) <= known


def test_everybody_at_their_desk_has_just_the_roles_of_this_office() -> None:
    assert set(AT_THEIR_DESK) == set(Role)


def a_case_with_everything(office: Office) -> tuple[str, str, str]:
    payment = office.a_requested_payment()
    case = office.desk("anna").api.get(f"/v1/cases/{payment['case']}")
    return case["alias"], case["beneficiary"], payment["alias"]


def without_id(answer: httpx2.Response) -> dict[str, object]:
    return {name: value for name, value in answer.json().items() if name != "instance"}
