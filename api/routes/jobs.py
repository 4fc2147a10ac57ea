"""Routes of the jobs: how each stands, what became of its runs, and one asked for."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from api import jobs as schedule
from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import Alias, Page, Wire
from api.transactions import Tx
from ledger import jobs
from ledger.jobs import Job, JobRun

router = APIRouter()


class RunOut(Wire):
    """One run; without `asked_by` the schedule began it. `error` is a rule or a class."""

    alias: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    asked_by: str | None
    counts: dict[str, int]
    error: str | None

    @classmethod
    def of(cls, run: JobRun) -> "RunOut":
        """A run as the wire has it."""
        return cls(
            alias=run.alias,
            started_at=run.started_at,
            ended_at=run.ended_at,
            outcome=run.outcome,
            asked_by=run.asked_by,
            counts=run.counted(),
            error=run.error,
        )


class JobOut(Wire):
    """A job: what it promises, its hours (cron, UTC), its newest run, and when the next is due by schedule or retry."""

    name: str
    promise: str
    hours: str
    failures: int
    asked_at: datetime | None
    next_at: datetime | None
    newest: RunOut | None


class JobsOut(Wire):
    """Every job."""

    jobs: list[JobOut]


class RunsOut(Page):
    """A page of runs, the newest first."""

    runs: list[RunOut]


class AskedOut(Wire):
    """A run that was asked for: a worker begins it within the minute, if one is at work."""

    name: str
    asked_at: datetime


class Nothing(Wire):
    """A body without a field."""


@router.get("/v1/jobs")
def list_jobs(session: Tx, _caller: Admitted) -> JobsOut:
    """How every job stands."""
    standing = jobs.standing(session)
    return JobsOut(
        jobs=[
            JobOut(
                name=one.name,
                promise=one.promise,
                hours=one.hours,
                failures=row.failures if row else 0,
                asked_at=row.asked_at if row else None,
                next_at=_next(one, row),
                newest=RunOut.of(run) if run else None,
            )
            for one in schedule.JOBS
            for row, run in [(standing.get(one.name), jobs.newest(session, one.name))]
        ]
    )


@router.get("/v1/jobs/{name}/runs")
def list_runs(
    name: str,
    session: Tx,
    _caller: Admitted,
    cursor: Annotated[Alias | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> RunsOut:
    """What became of a job's runs."""
    found = jobs.runs(session, schedule.require(name).name, limit=limit, before=cursor)
    return RunsOut(runs=[RunOut.of(run) for run in found], next=found[-1].alias if len(found) == limit else None)


@router.post("/v1/jobs/{name}/runs", status_code=201)
def ask_for_run(name: str, _nothing: Nothing, session: Tx, caller: Admitted, now: Now, once: Claimed) -> AskedOut:
    """Asks for a run soon."""
    job = jobs.ask(session, schedule.require(name).name, by=caller.operator.alias, at=now)
    return once.keep(AskedOut(name=job.name, asked_at=job.asked_at or now))


def _next(one: schedule.ScheduledJob, row: Job | None) -> datetime | None:
    """None: as soon as a worker is at work."""
    if row is None or row.started_at is None or row.asked_at is not None:
        return None
    return row.retry_at or one.next_after(row.started_at)
