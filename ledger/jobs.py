"""Jobs: who runs one now, what became of each run, and when one is due again. What a job does stands elsewhere.

A run needs the job's lease: a row that names its holder until a moment, which the holder moves on while it works. A
holder that died is found by its lease running out. The moments are those of the database's clock, in UTC, so that
machines whose clocks differ keep out of each other's way. What lies in its future was written while it was wrong.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import CheckConstraint
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, delete, select

from ledger import exceptions
from ledger.aliases import Kind, draw
from ledger.errors import Conflict, NotFound
from ledger.exceptions import Difference
from ledger.storage.columns import UtcDateTime, enumeration
from ledger.storage.locks import locked

LEASE = timedelta(seconds=60)
"""How long a lease holds without being renewed: a job of a holder that died waits so long at most."""
MOST_ATTEMPTS = 5
"""After so many failures in a row somebody is told, and the job waits for its next regular hour."""
FIRST_PAUSE = timedelta(minutes=1)
"""Before the second attempt; doubled before each one after it."""
RUNS_KEPT = timedelta(days=400)
"""How long it is kept what became of a run: a year and the audit after it."""

NextAfter = Callable[[datetime], datetime]
"""The first moment after another at which a schedule has the job run."""


class Outcome(StrEnum):
    """What became of a run. Abandoned: its holder died, or went on without the lease."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABANDONED = "abandoned"


class UnknownJob(NotFound):
    """No job has this name."""

    rule = "unknown_job"


class LeaseLost(Conflict):
    """Another holds the job now: the one who finds that out stops."""

    rule = "lease_lost"


class Job(SQLModel, table=True):
    """A job that was run or asked for: its lease, its newest run, and how often it has failed since it last succeeded.

    `exception` is what somebody was told by when it had failed too often, and closes with the next success.
    """

    name: str = Field(primary_key=True, max_length=40)
    holder: str | None = Field(default=None, max_length=32)
    held_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failures: int = 0
    retry_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    asked_by: str | None = Field(default=None, max_length=20)
    asked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    exception: str | None = Field(default=None, max_length=20)

    __table_args__ = (
        CheckConstraint("(holder IS NULL) = (held_until IS NULL)", name="lease_has_an_end"),
        CheckConstraint("(asked_by IS NULL) = (asked_at IS NULL)", name="who_asked_did_so_at_a_moment"),
        CheckConstraint("failures >= 0", name="failures_are_counted"),
    )

    def is_held(self, *, at: datetime) -> bool:
        """Whether somebody's lease stands.

        It may have begun after `at`, which was read before the job's row was waited for, by as much as a lease lasts.
        """
        return self.held_until is not None and at < self.held_until <= at + 2 * LEASE

    def is_ahead(self, *, at: datetime) -> bool:
        """Whether it was begun, or is held, by a clock that was ahead of this one by more than a lease lasts."""
        told = (moment for moment in (self.started_at, self.held_until and self.held_until - LEASE) if moment)
        return any(moment > at + LEASE for moment in told)


class JobRun(SQLModel, table=True):
    """One run. `asked_by` is None when the schedule began it; `counts` is a JSON object of whole numbers.

    `error` is the rule or the class of what ended it, never a text: a text may hold what was being read.
    """

    __tablename__ = "job_run"
    alias: str = Field(primary_key=True, max_length=20)
    job: str = Field(foreign_key="job.name", max_length=40, index=True)
    started_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    outcome: Outcome = Field(sa_type=enumeration(Outcome))
    asked_by: str | None = Field(default=None, max_length=20)
    counts: str = "{}"
    error: str | None = Field(default=None, max_length=80)

    __table_args__ = (CheckConstraint("(ended_at IS NULL) = (outcome = 'running')", name="run_ends_with_an_outcome"),)

    def counted(self) -> dict[str, int]:
        """What the run did, by what it counted."""
        counts: dict[str, int] = json.loads(self.counts)
        return counts


def claim(
    session: Session, name: str, *, holder: str, now: datetime, next_after: NextAfter | None = None
) -> JobRun | None:
    """Begins a run when the job is due and nobody holds it: None otherwise. Without a schedule it is due at once.

    A run whose holder let the lease run out is marked abandoned, and counts as a failure. Of a job that was begun in
    the future an exception tells: the clock of the database was wrong, or is.
    """
    job = _locked(session, name)
    if job.is_ahead(at=now):
        exceptions.open_anew(session, Difference.CLOCK_DIFFERS, about=name, on=now.date())
    if job.is_held(at=now) or (next_after is not None and not is_due(job, now=now, next_after=next_after)):
        return None
    for left in session.exec(select(JobRun).where(JobRun.job == name, JobRun.outcome == Outcome.RUNNING)).all():
        _end(session, job, left, Outcome.ABANDONED, now=now)
    run = JobRun(alias=draw(Kind.JOB_RUN), job=name, started_at=now, outcome=Outcome.RUNNING, asked_by=job.asked_by)
    job.holder, job.held_until, job.started_at = holder, now + LEASE, now
    job.asked_by = job.asked_at = job.retry_at = None
    session.add_all((job, run))
    session.flush()
    return run


def is_due(job: Job | None, *, now: datetime, next_after: NextAfter) -> bool:
    """Whether a run should begin: somebody asked, an attempt is to be made again, or the schedule's moment has come.

    A job that its holder left is begun again at once, unless it seems to be the job that ends its holders.

    However many of the schedule's moments have passed since the newest run, one run makes up for them. One that was
    begun in the future is due: nobody knows when it was.
    """
    if job is None or job.started_at is None or job.asked_at is not None or job.is_ahead(at=now):
        return True
    if job.holder is not None and job.failures + 1 < MOST_ATTEMPTS:
        return True  # its holder died; whoever claims it knows that the lease has run out
    if job.retry_at is not None:
        return job.retry_at <= now
    return next_after(job.started_at) <= now


def renew(session: Session, name: str, *, holder: str, now: datetime) -> None:
    """Moves the end of the lease on.

    Raises:
        LeaseLost: another holds it, or nobody.
    """
    job = _locked(session, name)
    _require_held(job, holder)
    job.held_until = now + LEASE
    session.add(job)
    session.flush()


def succeed(session: Session, run: str, *, holder: str, now: datetime, counts: Mapping[str, int]) -> JobRun:
    """Ends a run that did what it should; an exception that told of failures is closed.

    Raises:
        LeaseLost: it was given up meanwhile, and its outcome stands as abandoned.
    """
    job, ending = _held(session, run, holder=holder)
    ending.counts = json.dumps(dict(counts), sort_keys=True)
    return _end(session, job, ending, Outcome.SUCCEEDED, now=now)


def fail(session: Session, run: str, *, holder: str, now: datetime, error: str) -> JobRun:
    """Ends a run that `error`, a rule or a class, has stopped: it is tried again after a pause that grows.

    After `MOST_ATTEMPTS` in a row an exception opens, and the job waits for its schedule.

    Raises:
        LeaseLost: as `succeed`.
    """
    job, ending = _held(session, run, holder=holder)
    ending.error = error
    return _end(session, job, ending, Outcome.FAILED, now=now)


def ask(session: Session, name: str, *, by: str, at: datetime) -> Job:
    """Has whoever works on jobs run one soon, whatever its schedule says; asked again before that, it is run once."""
    job = _locked(session, name)
    if job.asked_at is None:
        job.asked_by, job.asked_at = by, at
    session.add(job)
    session.flush()
    return job


def find(session: Session, name: str) -> Job | None:
    """The job, if it was run or asked for."""
    return session.get(Job, name)


def standing(session: Session) -> dict[str, Job]:
    """Every job that was run or asked for, by its name."""
    return {job.name: job for job in session.exec(select(Job)).all()}


def newest(session: Session, name: str) -> JobRun | None:
    """The newest run of a job."""
    return next(iter(runs(session, name, limit=1)), None)


def runs(session: Session, name: str, *, limit: int, before: str | None = None) -> list[JobRun]:
    """Up to `limit` runs of a job, the newest first, from the one before the run `before` on."""
    query = select(JobRun).where(JobRun.job == name)
    last = session.get(JobRun, before) if before else None
    if last is not None:
        older = col(JobRun.started_at) < last.started_at
        same = (col(JobRun.started_at) == last.started_at) & (col(JobRun.alias) < last.alias)
        query = query.where(older | same)
    return list(session.exec(query.order_by(col(JobRun.started_at).desc(), col(JobRun.alias).desc()).limit(limit)))


def prune(session: Session, *, now: datetime) -> int:
    """Removes what became of runs that ended more than `RUNS_KEPT` ago; how many."""
    return session.exec(delete(JobRun).where(col(JobRun.ended_at) < now - RUNS_KEPT)).rowcount


def _locked(session: Session, name: str) -> Job:
    query = locked(select(Job).where(Job.name == name))
    job = session.exec(query).one_or_none()
    if job is None:
        job = Job(name=name)
        try:
            with session.begin_nested():
                session.add(job)
        except IntegrityError:  # on PostgreSQL another was first
            job = session.exec(query).one()
    return job


def _held(session: Session, run: str, *, holder: str) -> tuple[Job, JobRun]:
    ending = session.get_one(JobRun, run)
    job = _locked(session, ending.job)
    _require_held(job, holder)
    return job, ending


def _require_held(job: Job, holder: str) -> None:
    if job.holder != holder:
        raise LeaseLost("another holds this job now", job=job.name)


def _end(session: Session, job: Job, run: JobRun, outcome: Outcome, *, now: datetime) -> JobRun:
    run.outcome, run.ended_at = outcome, now
    job.holder = job.held_until = None
    if outcome is Outcome.SUCCEEDED:
        job.failures, job.retry_at = 0, None
        _close_exception(session, job, now=now)
    else:
        job.failures += 1
        spent = job.failures >= MOST_ATTEMPTS
        job.retry_at = None if spent else now + FIRST_PAUSE * 2 ** (job.failures - 1)
        if spent and job.exception is None:
            told = exceptions.open_once(session, difference=Difference.JOB_FAILED, about=run.alias, on=now.date())
            job.exception = told.alias
    session.add_all((job, run))
    session.flush()
    return run


def _close_exception(session: Session, job: Job, *, now: datetime) -> None:
    if job.exception is not None:
        told = exceptions.find_open(session, job.exception)
        if told is not None:
            exceptions.resolve(session, told, on=now.date())
        job.exception = None
