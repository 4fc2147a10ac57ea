"""The commands for jobs: listed, run at once, and worked on by a program that ends when it is told to."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.commands.endings import REFUSED
from ledger import jobs
from ledger.storage.engine import transaction
from tests import terminal
from tests.office import Office


def test_a_job_is_run_now_and_listed_with_its_outcome_and_the_key_that_it_lacks(
    furnished: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = terminal.environment_of(furnished, "clara")
    assert terminal.run(monkeypatch, environment, "jobs", "run", "rollups", "--json") == 0
    ran = json.loads(capsys.readouterr().out)
    assert terminal.run(monkeypatch, environment, "jobs", "list", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    listed = {one["name"]: one["outcome"] for one in told}

    assert (ran["outcome"], ran["counts"]["entries"] > 0) == ("succeeded", True)
    assert (listed["rollups"], listed["checks"]) == ("succeeded", None)
    assert {one["name"] for one in told if one["missing"] == "key"} == {"pull", "refunds"}
    (tmp_path / "key").write_text("rk_test_invented\n", "utf-8")
    with_key = environment | {"SOLIDARITY_STRIPE_PULL_KEY_FILE": str(tmp_path / "key")}
    assert terminal.run(monkeypatch, with_key, "jobs", "list", "--json") == 0
    assert {one["name"] for one in json.loads(capsys.readouterr().out) if one["missing"]} == {"refunds"}


def test_a_job_that_another_runs_and_one_that_is_none_are_refused(
    furnished: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with transaction(furnished.engine) as session:
        jobs.claim(session, "rollups", holder="another", now=datetime.now(UTC))
    environment = terminal.environment_of(furnished, "clara")

    assert terminal.run(monkeypatch, environment, "jobs", "run", "rollups") == REFUSED
    assert terminal.run(monkeypatch, environment, "jobs", "run", "nothing") == REFUSED
    assert "another worker is running this job" in capsys.readouterr().err


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # what it runs is tried on both elsewhere
def test_a_worker_runs_what_is_due_and_ends_when_it_is_told_to(furnished: Office) -> None:
    environment = os.environ | terminal.environment_of(furnished, "clara")
    command = [sys.executable, "-c", "from api.commands.main import run; run()", "jobs", "worker"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as worker:
        for _ in range(300):
            with transaction(furnished.engine, write=False) as session:
                if jobs.runs(session, "site", limit=1) and not jobs.standing(session)["site"].holder:
                    break
            time.sleep(0.1)
        worker.send_signal(signal.SIGTERM)
        _, said = worker.communicate(timeout=20)

    assert worker.returncode == 0, said
    assert '"job": "site"' in said


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_server_that_works_on_jobs_too_tells_of_them_and_ends_when_it_is_told_to(furnished: Office) -> None:
    environment = os.environ | terminal.environment_of(furnished, "clara")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["serve", "--jobs", "--port", str(port)]
    command = [sys.executable, "-c", "from api.commands.main import run; run()", *words]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as server:
        ran = _await_run(f"http://127.0.0.1:{port}/v1/jobs", furnished.bearer("clara"), job="site")
        server.send_signal(signal.SIGTERM)
        _, said = server.communicate(timeout=20)

    assert server.returncode in {0, -signal.SIGTERM}, said
    assert (ran["outcome"], ran["asked_by"]) == ("succeeded", None)
    assert '"job": "site"' in said
    with transaction(furnished.engine, write=False) as session:
        assert [job.name for job in jobs.standing(session).values() if job.holder] == []


def _await_run(address: str, key: str, *, job: str) -> dict[str, Any]:
    """The newest run of a job, as the API tells it once it has ended; empty when nobody answers."""
    for _ in range(300):
        try:
            told = httpx2.get(address, headers={"Authorization": f"Bearer {key}"}, trust_env=False).json()["jobs"]
        except httpx2.TransportError:
            told = []
        for one in told:
            run: dict[str, Any] | None = one["newest"]
            if one["name"] == job and run is not None and run["ended_at"] is not None:
                return run
        time.sleep(0.1)
    return {}
