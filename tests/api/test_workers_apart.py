"""Workers as processes of their own: nothing runs twice at once, whoever is killed, and what was missed is run once."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ledger import jobs
from ledger.jobs import JobRun, Outcome
from ledger.storage.engine import transaction

LAUNCHER = """
import os, sys, time
from datetime import timedelta
from pathlib import Path
from api import jobs as schedule
from api.settings import ProcessorSettings, Settings
from ledger import jobs
from ledger.errors import LedgerError
from ledger.storage.engine import open_database

jobs.LEASE, schedule.RENEW_SECONDS = timedelta(seconds=2), 0.3  # a minute is long for a test
url, folder = sys.argv[1], Path(sys.argv[2])

def count(means):
    try:
        os.close(os.open(folder / "at-it", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        (folder / "two-at-once").touch()
    (folder / "who").write_text(str(os.getpid()))
    while (folder / "hang").exists():
        time.sleep(0.02)
    means.still_held()
    (folder / "at-it").unlink()
    return {"done": 1}

def work():
    engine = open_database(url)
    job = schedule.ScheduledJob("count", "0 3 1 1 *", count, "something is counted")
    settings = Settings(database_url=url, shred_key_directory=folder, site_directory=folder / "site")
    worker = schedule.Worker(engine, settings, ProcessorSettings(), jobs=(job,))
    while not (folder / "end").exists():
        worker.run_due()
        time.sleep(0.15)
    engine.dispose()

workers = []
for _ in range(4):
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    workers.append(child)
print(*workers, flush=True)
codes = [os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]) for worker in workers]
(folder / "codes").write_text(" ".join(map(str, sorted(codes))))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "four"
    made.mkdir()
    return made


@pytest.fixture
def four(engine: Engine, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Four worker processes; they end with the test, or when the file `end` stands there."""
    url = engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", LAUNCHER, url, str(folder)]
    (folder / "hang").touch()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as launched:
        yield launched
        (folder / "hang").unlink(missing_ok=True)
        (folder / "end").touch()


def waited_for(happened: Callable[[], bool]) -> bool:
    for _ in range(400):
        if happened():
            return True
        time.sleep(0.02)
    return False


def runs_of(engine: Engine) -> list[JobRun]:
    with transaction(engine, write=False) as session:
        return jobs.runs(session, "count", limit=99)


def outcomes(engine: Engine) -> list[Outcome]:
    return [one.outcome for one in runs_of(engine)]


@pytest.mark.usefixtures("founded")
def test_of_four_processes_one_runs_the_job_and_when_it_is_killed_another_takes_it_over_once(
    engine: Engine, folder: Path, four: subprocess.Popen[str]
) -> None:
    assert four.stdout is not None
    workers = {int(pid) for pid in four.stdout.readline().split()}
    assert waited_for((folder / "who").exists)
    assert waited_for(lambda: bool((folder / "who").read_text("utf-8")))
    holder = int((folder / "who").read_text("utf-8"))
    time.sleep(2.2)  # longer than its lease, which it moves on while the other three look
    assert outcomes(engine) == [Outcome.RUNNING]

    os.kill(holder, signal.SIGKILL)
    for left in ("at-it", "hang"):  # what a dead process leaves, and what it waited for
        (folder / left).unlink()

    assert waited_for(lambda: outcomes(engine) == [Outcome.SUCCEEDED, Outcome.ABANDONED])
    taken_over = int((folder / "who").read_text("utf-8"))
    assert taken_over in workers - {holder}
    with transaction(engine) as session:  # three years of hours were missed: one run makes up for them
        row = jobs.standing(session)["count"]
        assert row.started_at is not None
        row.started_at -= timedelta(days=3 * 366)
        session.add(row)
    assert waited_for(lambda: len(outcomes(engine)) == 3 and Outcome.RUNNING not in outcomes(engine))
    time.sleep(0.3)
    (folder / "end").touch()
    assert four.wait(timeout=10) == 0
    assert outcomes(engine) == [Outcome.SUCCEEDED, Outcome.SUCCEEDED, Outcome.ABANDONED]
    assert [one.counted() for one in runs_of(engine)] == [{"done": 1}, {"done": 1}, {}]
    assert not (folder / "two-at-once").exists()
    assert (folder / "codes").read_text("utf-8") == "-9 0 0 0"
