"""The worker: one job in one hand at a time, whatever dies meanwhile; and the jobs as operators see them."""

import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text

from api import jobs as schedule
from api.duties import Counts, Means
from api.jobs import JOBS, ScheduledJob, Worker
from api.settings import ProcessorSettings, Settings
from ledger import exceptions, jobs
from ledger.exceptions import Difference
from ledger.giving import notices
from ledger.jobs import JobRun, Outcome
from ledger.storage.engine import open_database, transaction
from tests.attempts import refused
from tests.office import Office

NO_KEYS = ProcessorSettings()
HOLDER = """
import sys, time
from datetime import UTC, datetime
from ledger import jobs
from ledger.storage.engine import open_database, transaction
with transaction(open_database(sys.argv[1])) as session:
    jobs.claim(session, "count", holder="died", now=datetime.now(UTC))
print("held", flush=True)
time.sleep(60)
"""


def settings_for(engine: Engine, folder: Path) -> Settings:
    url = engine.url.render_as_string(hide_password=False)
    return Settings(database_url=url, shred_key_directory=folder, site_directory=folder / "site")


@pytest.fixture
def settings(engine: Engine, tmp_path: Path) -> Settings:
    return settings_for(engine, tmp_path)


def a_job(duty: Callable[[Means], Counts]) -> ScheduledJob:
    return ScheduledJob("count", "0 3 * * *", duty, "something is counted")


def runs_of(engine: Engine, name: str = "count") -> list[JobRun]:
    with transaction(engine, write=False) as session:
        return jobs.runs(session, name, limit=99)


def four_at_once(settings: Settings) -> int:
    """How many of four workers, each with connections of its own, did the job: who has it waits for all the others."""
    all_began, looked, did = threading.Barrier(4), threading.Semaphore(0), []

    def count(_: Means) -> Counts:
        did.append(1)
        for _other in range(3):
            looked.acquire(timeout=3)
        return {"done": 1}

    def work() -> None:
        own = open_database(settings.database_url)
        all_began.wait()
        Worker(own, settings, NO_KEYS, jobs=(a_job(count),)).run_due()
        looked.release()
        own.dispose()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return len(did)


@pytest.mark.usefixtures("founded")
def test_of_four_workers_one_runs_the_job_and_none_beside_it(engine: Engine, settings: Settings) -> None:
    assert four_at_once(settings) == 1
    assert [(run.outcome, run.counted()) for run in runs_of(engine)] == [(Outcome.SUCCEEDED, {"done": 1})]


@pytest.mark.usefixtures("founded")
def test_what_a_killed_worker_held_is_run_by_one_of_four_when_its_lease_has_run_out(
    engine: Engine, settings: Settings
) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, settings.database_url], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        holder.kill()
    assert four_at_once(settings) == 0
    with transaction(engine) as session:
        session.connection().execute(text("UPDATE job SET held_until = started_at"))  # a minute later

    assert four_at_once(settings) == 1
    assert [one.outcome for one in runs_of(engine)] == [Outcome.SUCCEEDED, Outcome.ABANDONED]


@pytest.mark.usefixtures("founded")
def test_what_a_duty_fails_by_is_kept_without_its_text(engine: Engine, settings: Settings) -> None:
    def fail(_: Means) -> Counts:
        raise RuntimeError("kanarejka")

    (run,) = Worker(engine, settings, NO_KEYS, jobs=(a_job(fail),)).run_due()

    assert (run.outcome, run.error) == (Outcome.FAILED, "RuntimeError")
    with engine.connect() as connection:
        kept = str(connection.execute(text("SELECT * FROM job_run")).all())
    assert "kanarejka" not in kept


@pytest.mark.usefixtures("founded")
def test_a_duty_whose_lease_was_taken_stops_at_its_next_part(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "RENEW_SECONDS", 0.01)
    parts = []

    def count(means: Means) -> Counts:
        with transaction(engine) as session:
            session.connection().execute(text("UPDATE job SET holder = 'another'"))
        for part in range(500):
            means.still_held()
            parts.append(part)
            threading.Event().wait(0.01)
        return {"done": 1}

    assert Worker(engine, settings, NO_KEYS, jobs=(a_job(count),)).run_due() == []
    assert len(parts) < 500
    assert [run.outcome for run in runs_of(engine)] == [Outcome.RUNNING]


@pytest.mark.usefixtures("founded")
def test_while_a_duty_is_done_its_lease_is_moved_on(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "RENEW_SECONDS", 0.01)

    def held_until() -> datetime:
        with transaction(engine, write=False) as session:
            until = jobs.standing(session)["count"].held_until
            assert until is not None
            return until

    def count(_: Means) -> Counts:
        first = held_until()
        waited = 0
        while held_until() == first:
            waited += 1
            assert waited < 500
            threading.Event().wait(0.01)
        return {"waited": waited}

    (run,) = Worker(engine, settings, NO_KEYS, jobs=(a_job(count),)).run_due()

    assert run.outcome is Outcome.SUCCEEDED


@pytest.mark.usefixtures("founded")
def test_a_worker_looks_at_once_when_it_begins_and_ends_after_what_it_is_at(engine: Engine, settings: Settings) -> None:
    began, may_end = threading.Event(), threading.Event()

    def count(_: Means) -> Counts:
        began.set()
        may_end.wait(10)
        return {"done": 1}

    with Worker(engine, settings, NO_KEYS, jobs=(a_job(count),)).working():
        assert began.wait(10)
        may_end.set()

    assert [run.outcome for run in runs_of(engine)] == [Outcome.SUCCEEDED]


def test_every_job_is_run_on_a_furnished_book_and_finds_it_in_order(furnished: Office) -> None:
    settings = settings_for(furnished.engine, furnished.folder)
    ran = Worker(furnished.engine, settings, NO_KEYS).run_due()
    counted = {run.job: run.counted() for run in ran}

    assert {run.outcome for run in ran} == {Outcome.SUCCEEDED}
    assert set(counted) == {job.name for job in JOBS} - {"pull", "refunds"}
    assert counted["rollups"]["entries"] > 0
    pages = [
        "index.html",
        "give/index.html",
        *(f"give/{tag}/index.html" for tag in ("be", "de", "en", "pl", "ru", "uk")),
    ]
    for page in pages:
        assert (furnished.folder / "site" / page).read_bytes().startswith(b"<!DOCTYPE html>")


def test_jobs_that_need_a_key_run_only_where_it_is(furnished: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.stripe_link.FIRST_PAUSE_SECONDS", 0.0)
    settings = settings_for(furnished.engine, furnished.folder)
    keys = ProcessorSettings(pull_key=SecretStr("rk_invented0"), address="http://127.0.0.1:9")
    (run,) = Worker(furnished.engine, settings, keys, jobs=JOBS[:2]).run_due()

    assert (run.job, run.outcome, run.error) == ("pull", Outcome.FAILED, "processor_unavailable")


def test_the_books_damage_is_told_of_by_an_exception(furnished: Office) -> None:
    with transaction(furnished.engine) as session:
        session.connection().execute(text("DROP INDEX ix_job_run_job"))
    settings = settings_for(furnished.engine, furnished.folder)
    Worker(furnished.engine, settings, NO_KEYS).run(schedule.require("checks"))

    with transaction(furnished.engine, write=False) as session:
        told = {one.about for one in exceptions.listed(session) if one.difference is Difference.CHECK_FAILED}
    assert any(about.startswith("check_failed:schema@") for about in told)


def test_operators_see_the_jobs_and_ask_for_a_run(furnished: Office) -> None:
    clara = furnished.desk("clara")
    asked = clara.api.post("/v1/jobs/rollups/runs", {}, key="job:1")
    (told,) = [one for one in clara.api.get("/v1/jobs")["jobs"] if one["name"] == "rollups"]
    assert (told["asked_at"], told["newest"]) == (asked["asked_at"], None)

    settings = settings_for(furnished.engine, furnished.folder)
    Worker(furnished.engine, settings, NO_KEYS, jobs=(schedule.require("rollups"),)).run_due()
    (run,) = furnished.desk("anna").api.get("/v1/jobs/rollups/runs")["runs"]

    assert (run["asked_by"], run["outcome"]) == (furnished.alias("clara"), "succeeded")


def test_a_job_that_is_none_and_who_may_not_ask_are_refused(furnished: Office) -> None:
    with refused(furnished, "unknown_job", status=404):
        furnished.desk("clara").api.post("/v1/jobs/nothing/runs", {}, key="job:1")
    with refused(furnished, "not_allowed", status=403):
        furnished.desk("boris").api.post("/v1/jobs/rollups/runs", {}, key="job:2")


@pytest.mark.parametrize(
    ("seconds", "failures", "wanted", "runs"), [(61, 0, True, 1), (61, 0, False, 0), (50, 0, True, 0), (61, 1, True, 0)]
)
@pytest.mark.usefixtures("founded")
def test_a_job_that_something_has_come_for_runs_before_its_hour_once_a_minute_and_not_while_it_fails(
    engine: Engine, settings: Settings, *, seconds: int, failures: int, wanted: bool, runs: int
) -> None:
    job = replace(a_job(lambda _: {}), hours=an_hour_ago(), is_wanted=lambda _, *, now: wanted and now is not None)
    with transaction(engine) as session:
        began = datetime.now(UTC) - timedelta(seconds=seconds)
        session.add(jobs.Job(name="count", started_at=began, failures=failures))

    ran = Worker(engine, settings, NO_KEYS, jobs=(job,)).run_due()

    assert len(ran) == runs


def an_hour_ago() -> str:
    """Hours that do not come while the test runs."""
    return f"0 {(datetime.now(UTC) - timedelta(hours=1)).hour} * * *"


def test_it_is_the_pull_that_notices_ask_for() -> None:
    assert [job.name for job in JOBS if job.is_wanted == notices.is_time_to_look] == ["pull"]


def test_every_job_has_hours_that_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    now = datetime(2020, 11, 30, 23, 59, tzinfo=UTC)

    for job in JOBS:
        assert now < job.next_after(now) <= now + timedelta(days=1)
    assert schedule.require("expiry").next_after(now) == datetime(2020, 12, 1, 0, 10, tzinfo=UTC)
