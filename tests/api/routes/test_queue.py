"""The queue over HTTP and at the command line: every section of every role, once."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from api.client import agents
from ledger import queue
from ledger.people import Role
from tests import terminal
from tests.attempts import told
from tests.cast import eur
from tests.office import INTAKE_DAY, ROLES, Office, on_one_database


@pytest.fixture(autouse=True)
def _plain_log() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def vetted(office: Office) -> str:
    """Anna enters an agent, who waits for Boris."""
    office.set_clock(INTAKE_DAY)
    return str(agents.add(office.desk("anna"), cap=eur("9000.00"), cap_lines=500)["alias"])


def sections_of(name: str) -> list[str]:
    return [one.name for one in queue.SECTIONS if one.roles & set(ROLES[name][0])]


@on_one_database
def test_everybody_reads_their_sections_and_no_others(furnished: Office) -> None:
    alias, day = vetted(furnished), INTAKE_DAY.date().isoformat()

    for name in ("anna", "boris"):
        waiting = furnished.desk(name).api.get("/v1/queue")["waiting"]
        assert list(waiting) == sections_of(name)
        for section in queue.SECTIONS:
            answer = furnished.send("GET", f"/v1/queue/{section.name}", bearer=furnished.bearer(name))
            if section.name in waiting:
                assert (answer.status_code, len(answer.json()["waiting"])) == (200, waiting[section.name])
            else:
                assert told(answer) == (404, "unknown_section")

    read = furnished.desk("boris").api.get
    page: dict[str, Any] = read("/v1/queue/agents_to_activate", limit=1)
    assert page["waiting"] == [{"object": alias, "case": None, "deadline": day, "is_late": False}]
    assert page["next"] == f"{day}~{alias}"
    assert read("/v1/queue/agents_to_activate", cursor=page["next"])["waiting"] == []


@on_one_database
@pytest.mark.parametrize("day", ["2020-13-45", "2021-02-29", "0000-01-01"])
def test_a_cursor_that_names_no_day_is_refused(furnished: Office, day: str) -> None:
    bearer = furnished.bearer_of(Role.TREASURER)

    answer = furnished.send("GET", "/v1/queue/exceptions", bearer=bearer, params={"cursor": f"{day}~A"})

    assert told(answer) == (422, "bad_cursor")
    assert day not in answer.text


@on_one_database
def test_a_cursor_may_name_any_day_that_there_is(furnished: Office) -> None:
    for section in sections_of("anna"):
        for day in ("0001-01-01", "9999-12-31"):
            answer = furnished.send(
                "GET", f"/v1/queue/{section}", bearer=furnished.bearer("anna"), params={"cursor": f"{day}~A"}
            )
            assert answer.status_code == 200


@on_one_database
def test_the_whole_queue_is_shown_at_the_command_line(
    furnished: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def say(*words: str) -> str:
        assert terminal.run(monkeypatch, terminal.environment_of(furnished, "boris"), "queue", *words) == 0
        return capsys.readouterr().out

    alias = vetted(furnished)

    counted = json.loads(say("--json"))
    assert sorted(counted) == sorted(sections_of("boris"))
    assert counted["agents_to_activate"] == sum(counted.values()) == 1
    (line,) = say().splitlines()
    assert line.split() == ["1", "agents", "to", "activate", "solidarity", "queue", "agents_to_activate"]
    (_, line) = say("agents_to_activate").splitlines()
    assert line.split() == [
        alias,
        INTAKE_DAY.date().isoformat(),
        "today",
        *f"solidarity agents activate {alias}".split(),
    ]
    for section in sections_of("boris"):
        assert (alias in say(section)) == (section == "agents_to_activate")
