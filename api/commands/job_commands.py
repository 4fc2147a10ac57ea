"""Commands for jobs: how they stand, one run now, and the worker that runs them all."""

import logging
import signal
import sys
import threading
from types import FrameType
from typing import Annotated, Any

import typer

from api import jobs as schedule
from api import logs, settings
from api.commands import output, processes
from api.commands.administration import at_the_database
from api.commands.output import AsJson
from ledger import jobs
from ledger.errors import Conflict
from ledger.storage import schema
from ledger.storage.engine import transaction

JOBS = {
    "name": "Job",
    "hours": "Hours (UTC)",
    "newest": "Newest run",
    "outcome": "Outcome",
    "error": "Error",
    "missing": "Missing here",
}
RUN = {"name": "Job", "outcome": "Outcome", "counts": "Counted", "error": "Error"}

app = typer.Typer(help="What the server does by itself: pulling, checks, reminders, expiry. On the server only.")


class JobHeld(Conflict):
    """Another worker is running this job."""

    rule = "job_held"


@app.command("list")
def list_jobs(as_json: AsJson = False) -> None:
    """Lists the jobs with their hours and newest runs, and those that a worker of these settings would leave out."""
    configured, processor = settings.load(), settings.load_for_processor()
    with at_the_database(configured) as engine, transaction(engine, write=False) as session:
        newest = {one.name: jobs.newest(session, one.name) for one in schedule.JOBS}
    rows: list[dict[str, Any]] = [
        {
            "name": one.name,
            "hours": one.hours,
            "newest": run.started_at.isoformat(timespec="seconds") if run else None,
            "outcome": str(run.outcome) if run else None,
            "error": run.error if run else None,
            "missing": None if one.is_equipped(processor) else "key",
        }
        for one in schedule.JOBS
        for run in [newest[one.name]]
    ]
    output.show_table(rows, JOBS, as_json=as_json)


@app.command("run")
def run_job(
    name: Annotated[str, typer.Argument(help="The job, as `solidarity jobs list` names it.")], as_json: AsJson = False
) -> None:
    """Runs one job now, whatever its hours; not while a worker is at it."""
    job = schedule.require(name)
    configured = settings.load()
    with at_the_database(configured) as engine:
        schema.require_current(engine)
        ran = schedule.Worker(engine, configured, settings.load_for_processor(), jobs=(job,)).run(job)
    if ran is None:
        raise JobHeld("another worker is running this job", job=name)
    counts = ran.counted()
    told = {"name": name, "outcome": str(ran.outcome), "counts": counts, "error": ran.error}
    lines = [f"{name}: {ran.outcome}" + (f" ({ran.error})" if ran.error else "")]
    output.show(told, as_json=as_json, lines=[*lines, *(f"{count:>8}  {what}" for what, count in counts.items())])
    if ran.outcome is not jobs.Outcome.SUCCEEDED:
        raise typer.Exit(3)


@app.command("worker")
def work() -> None:
    """Runs every job at its hours until it is told to end; the job that is being run is brought to its end first."""
    logs.write_to(sys.stderr, level=logging.INFO)
    processes.stay_undumped()
    ended = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        ended.set()

    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, end)
    configured = settings.load()
    with at_the_database(configured) as engine:
        schema.require_current(engine)
        with schedule.Worker(engine, configured, settings.load_for_processor()).working():
            ended.wait()
