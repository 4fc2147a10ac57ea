"""Dossiers over HTTP and on a device: coarse from the server, exact where opened, and told when something is wrong."""

import json
import stat
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import text

from api.client import dossiers
from ledger.aliases import Kind, draw
from ledger.people import Role
from ledger.storage import guards
from reports.dossier import pages
from reports.dossier.chain import chains
from reports.dossier.facts import Facts
from reports.dossier.steps import Standing
from tests import terminal
from tests.canaries import sightings, text_of_pdf
from tests.office import Office, on_one_database
from tests.papers import a_list_row

CANARIES = {
    "name": "Kanarejka Иванова",
    "court": "Суд Канарейкинского района",
    "ruling_number": "KANAR-17/2020",
    "payee_account": "KANARACCT0042",
}
Run = Callable[..., int]


@pytest.fixture
def paid(furnished: Office) -> dict[str, Any]:
    """A fine whose every sealed part is a canary, paid by the bank, with a scan."""
    released = furnished.a_released_payment(a_list_row(**CANARIES))
    furnished.confirm(released)
    return released


def ask(office: Office, alias: str, form: str, *, role: Role = Role.AUDITOR) -> Any:
    return office.send("GET", f"/v1/cases/{alias}/dossier.{form}", bearer=office.bearer_of(role))


def standings(facts: Facts) -> dict[str, str]:
    (chain,) = chains(facts)
    return {step.title: step.standing.value for step in chain.steps}


def test_the_servers_dossier_carries_no_canary_no_exact_day_and_no_author(
    furnished: Office, paid: dict[str, Any]
) -> None:
    pdf, told = ask(furnished, paid["case"], "pdf"), ask(furnished, paid["case"], "json")

    written = text_of_pdf(pdf.content)
    hidden = [*CANARIES.values(), "31 August", "2020-08-31", "/Author", "/Creator", "ModDate", furnished.alias("clara")]
    assert sightings(hidden, written + told.content) == []
    assert (pdf.headers["content-type"], pdf.headers["cache-control"]) == ("application/pdf", "no-store")
    facts = Facts.model_validate(told.json()["facts"])
    assert standings(facts)["Payment"] == Standing.ESTABLISHED.value
    assert sightings([paid["alias"], paid["case"]], told.content) == [paid["alias"], paid["case"]]


@on_one_database
def test_a_foreign_and_a_missing_case_look_the_same_and_a_publisher_sees_none(
    furnished: Office, paid: dict[str, Any]
) -> None:
    with furnished.nothing_written():
        answers = [
            ask(furnished, alias, form) for form in ("pdf", "json") for alias in (paid["alias"], draw(Kind.CASE))
        ]
        closed = ask(furnished, paid["case"], "pdf", role=Role.PUBLISHER)

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.json()["detail"] for answer in answers}) == 1
    assert closed.status_code == 403


@on_one_database
def test_a_device_checks_again_and_opens_exact_facts_but_never_a_name(furnished: Office, paid: dict[str, Any]) -> None:
    furnished.bring_evidence(paid["case"])
    boris = furnished.desk("boris")

    facts = dossiers.open_facts(boris, dossiers.fetch(boris, paid["case"]))

    assert facts.checked_by == furnished.alias("boris")
    opened = facts.opened
    assert opened is not None
    assert (opened.issued_on, opened.court, opened.ruling_number) == (
        date(2020, 8, 31).isoformat(),
        CANARIES["court"],
        CANARIES["ruling_number"],
    )
    assert opened.files == tuple(file.commitment for file in facts.files) != ()
    exact = {one.rule: one.facts for one in opened.answers or ()}
    assert exact["after_not_before"] == {"on": "2020-10-02", "issued": "2020-08-31"}
    assert exact["sanction_within_article"]["amount"] == "810.00"
    assert standings(facts)["Eligibility"] == Standing.ESTABLISHED.value
    written = text_of_pdf(pages.render_pdf(facts))
    assert sightings([CANARIES["name"], CANARIES["payee_account"]], written) == []
    assert sightings([CANARIES["ruling_number"]], written) != []
    log = furnished.send("GET", "/v1/access-log", bearer=furnished.bearer_of(Role.AUDITOR)).json()["accesses"]
    assert {(one["operator"], one["reason"]) for one in log[:2]} == {(furnished.alias("boris"), "audit")}


@on_one_database
def test_a_server_that_lies_about_signatures_and_details_is_told_by_the_device(
    furnished: Office, paid: dict[str, Any]
) -> None:
    boris = furnished.desk("boris")
    honest = dossiers.fetch(boris, paid["case"])
    act = honest.acts[0]
    lies = [
        act.model_copy(update={"signature": "0" * 128}),
        act.model_copy(update={"document": act.document.replace("810.00", "910.00")}),
        act.model_copy(update={"signer": furnished.alias("anna")}),
        act.model_copy(update={"object": draw(Kind.CASE)}),
        act.model_copy(update={"roster": 7}),
        act.model_copy(update={"document": "[]"}),
    ]
    with furnished.engine.begin() as connection:
        guards.remove(connection)
        connection.execute(text("UPDATE box SET commitment = replace(commitment, 'a', 'b') WHERE field = 'details'"))

    refused = dossiers.open_facts(boris, honest)

    assert all(one.holds for one in honest.acts)
    assert not any(dossiers.holds(boris, lie) for lie in lies[:2] + lies[3:])
    assert standings(refused)["Ruling"] == Standing.CONTRADICTED.value
    assert refused.opened is not None
    assert refused.opened.refused == "wrong_commitment"


@pytest.fixture
def run(furnished: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs `solidarity` with these words at Boris's desk, and gives its exit code."""
    yield lambda *words: terminal.run(monkeypatch, terminal.environment_of(furnished, "boris"), *words)
    structlog.reset_defaults()


@on_one_database
def test_an_opened_dossier_is_written_once_for_its_owner_alone_into_a_private_folder(
    paid: dict[str, Any], run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shared, private = tmp_path / "shared", tmp_path / "private"
    shared.mkdir(mode=0o755)
    private.mkdir(mode=0o700)

    assert run("cases", "dossier", paid["case"], "--opened", "--out", shared) == 1
    assert run("cases", "dossier", paid["case"], "--opened", "--out", private, "--json") == 0
    assert run("cases", "dossier", paid["case"], "--opened", "--out", private) == 1

    assert list(shared.iterdir()) == []
    (written,) = private.iterdir()
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    said = capsys.readouterr()
    assert json.loads(said.out) == {"holds": False, "written": str(written)}
    assert [line.partition(":")[0] for line in said.err.splitlines()] == ["folder_not_private", "file_exists"]
