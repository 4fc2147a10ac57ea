"""The schedule: which duty is done when, and the worker that does it. The only importer of apscheduler.

The alarm clock of each worker rings by itself; whether a job is run is decided by its row in the database. So any
number of workers may run, and each job is run by one of them.
"""

import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from api import duties
from api.duties import Duty, Means
from api.logs import describe
from api.settings import ProcessorSettings, Settings
from ledger import jobs
from ledger.errors import LedgerError
from ledger.giving import notices
from ledger.jobs import JobRun, LeaseLost, UnknownJob
from ledger.storage.engine import transaction
from ledger.storage.inspection import moment

LOOK_SECONDS = 15
"""How often a worker looks for what was asked for, is to be tried again, or was left by a worker that died."""
PAUSE_SECONDS = 60
"""How long after its last run a job runs at the earliest because something has come."""
RENEW_SECONDS = 15
"""How often a lease is moved on: three times before it would run out."""


class Wanted(Protocol):
    """Whether something has come for which a job should run before its hour."""

    def __call__(self, session: Session, /, *, now: datetime) -> bool:
        """By the book's clock; nothing is written."""
        ...


_LOG = structlog.get_logger("solidarity")


@dataclass(frozen=True, slots=True)
class ScheduledJob:
    """A job: its duty, its hours as five fields of cron in UTC, and the keys without which it is not run here.

    `is_wanted` tells by the book's clock that something has come for which it should run before its hour: it does then,
    a minute after its last run at the earliest, and not while its runs fail.
    """

    name: str
    hours: str
    duty: Duty
    promise: str
    is_equipped: Callable[[ProcessorSettings], bool] = lambda _: True
    is_wanted: Wanted = lambda _, *, now: False  # noqa: ARG005  # most keep to their hours

    def next_after(self, moment: datetime) -> datetime:
        """The first of its hours after a moment."""
        trigger = CronTrigger.from_crontab(self.hours, timezone=UTC)
        found: datetime = trigger.get_next_fire_time(None, moment + timedelta(microseconds=1))
        return found


def _can_pull(processor: ProcessorSettings) -> bool:
    return bool(processor.pull_key or processor.pull_key_file)


def _can_refund(processor: ProcessorSettings) -> bool:
    return bool(processor.refund_key or processor.refund_key_file)


JOBS: tuple[ScheduledJob, ...] = (
    ScheduledJob(
        "pull",
        "*/15 * * * *",
        duties.pull_movements,
        "what moved at the card processor is booked",
        _can_pull,
        notices.is_time_to_look,
    ),
    ScheduledJob("refunds", "5-59/15 * * * *", duties.send_refunds, "signed refunds are carried out", _can_refund),
    ScheduledJob("rollups", "*/10 * * * *", duties.take_in_entries, "balances are read from roll-ups"),
    ScheduledJob(
        "expiry", "10 0 * * *", duties.end_what_expires, "approvals and agents' lists end with their last day"
    ),
    ScheduledJob("match", "50 0 * * *", duties.match_lines, "lines of the bank are matched with what they can only be"),
    ScheduledJob("checks", "30 1 * * *", duties.check_books, "every check over the book is run each night"),
    ScheduledJob("reminders", "30 5 * * *", duties.remind, "open months, missing rates and what expires are told of"),
    ScheduledJob("retention", "0 4 * * *", duties.count_retention, "what need not be kept any longer is counted"),
    ScheduledJob("site", "50 * * * *", duties.build_site, "the public site shows what is published"),
)
"""Every job, in the order in which they are told. A later duty gets its line here."""


def require(name: str) -> ScheduledJob:
    """The job of this name.

    Raises:
        UnknownJob: there is none.
    """
    for job in JOBS:
        if job.name == name:
            return job
    raise UnknownJob("no job has this name", where="name")


class Worker:
    """Runs jobs on a database: each that is due, and none that another worker holds.

    Its lease is renewed by a thread of its own while a duty is done. What a duty fails by is kept as a rule or a class.
    """

    def __init__(
        self, engine: Engine, settings: Settings, processor: ProcessorSettings, *, jobs: Sequence[ScheduledJob] = JOBS
    ) -> None:
        self._engine, self._settings, self._processor = engine, settings, processor
        self._jobs = [job for job in jobs if job.is_equipped(processor)]
        self._holder = secrets.token_hex(16)
        self._busy = threading.Lock()

    def run_due(self) -> list[JobRun]:
        """Runs what is due now, one job after the other; gives the runs that ended."""
        if not self._busy.acquire(blocking=False):  # this worker is at it: what comes due meanwhile is found next time
            return []
        try:
            ran = [self.run(job, next_after=job.next_after) for job in self._jobs]
            return [run for run in ran if run is not None]
        finally:
            self._busy.release()

    def run(self, job: ScheduledJob, *, next_after: jobs.NextAfter | None = None) -> JobRun | None:
        """Runs one job, if it is due by `next_after` and nobody holds it; without a schedule it is due at once.

        None: it is not due, or another holds it, or took it over meanwhile.
        """
        with transaction(self._engine) as session:
            if next_after is not None and self._is_wanted(session, job):
                next_after = _a_pause_after
            run = jobs.claim(
                session, job.name, holder=self._holder, now=moment(session.connection()), next_after=next_after
            )
        if run is None:
            return None
        _compare_clocks(run)
        with self._renewing(job.name) as lost:
            means = Means(self._engine, self._settings, self._processor, still_held=_raising(lost, job.name))
            counts, error = _do(job.duty, means)
        try:
            with transaction(self._engine) as session:
                if error is None:
                    ended = jobs.succeed(
                        session, run.alias, holder=self._holder, now=moment(session.connection()), counts=counts
                    )
                else:
                    ended = jobs.fail(
                        session, run.alias, holder=self._holder, now=moment(session.connection()), error=error
                    )
        except LeaseLost:
            return None
        _LOG.info("job", job=job.name, outcome=str(ended.outcome), rule=ended.error)
        return ended

    @contextmanager
    def working(self) -> Iterator[None]:
        """Looks for work in the background until the block ends, which waits for the job that is being run."""
        scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        for job in self._jobs:
            scheduler.add_job(self._look, CronTrigger.from_crontab(job.hours, timezone=UTC))
        scheduler.add_job(self._look, "interval", seconds=LOOK_SECONDS, next_run_time=datetime.now(UTC))
        scheduler.start()
        try:
            yield
        finally:
            scheduler.shutdown(wait=True)

    def _is_wanted(self, session: Session, job: ScheduledJob) -> bool:
        standing = jobs.find(session, job.name)
        return (standing is None or not standing.failures) and job.is_wanted(session, now=self._settings.now())

    def _look(self) -> None:
        try:
            self.run_due()
        except (LedgerError, SQLAlchemyError, OSError) as error:  # the database is gone: the next look may find it
            _LOG.warning("jobs_not_looked_at", what=describe(error))

    @contextmanager
    def _renewing(self, name: str) -> Iterator[threading.Event]:
        """Keeps the lease while the block runs; the event is set when another took it."""
        done, lost = threading.Event(), threading.Event()

        def renew() -> None:
            while not done.wait(RENEW_SECONDS):
                try:
                    with transaction(self._engine) as session:
                        jobs.renew(session, name, holder=self._holder, now=moment(session.connection()))
                except LeaseLost:
                    lost.set()
                    return
                except SQLAlchemyError as error:  # a long transaction holds the database: there is time for another try
                    _LOG.warning("lease_not_renewed", job=name, what=describe(error))

        thread = threading.Thread(target=renew, name=f"lease of {name}")
        thread.start()
        try:
            yield lost
        finally:
            done.set()
            thread.join()


def _do(duty: Duty, means: Means) -> tuple[duties.Counts, str | None]:
    """What the duty counted, or by what rule or class it failed."""
    try:
        return duty(means), None
    except LedgerError as refusal:
        return {}, refusal.rule
    except Exception as error:  # noqa: BLE001  # whatever it is: it is kept, told of, and tried again
        _LOG.warning("job_failed", what=describe(error), error=type(error).__name__)
        return {}, type(error).__name__


def _compare_clocks(run: JobRun) -> None:
    """Tells when this machine's clock is far from the database's, by which leases go: its hours come at other times."""
    if abs(datetime.now(UTC) - run.started_at) > jobs.LEASE:
        _LOG.warning("clock_differs", job=run.job)


def _raising(lost: threading.Event, name: str) -> Callable[[], None]:
    def still_held() -> None:
        if lost.is_set():
            raise LeaseLost("another holds this job now", job=name)

    return still_held


def _a_pause_after(moment: datetime) -> datetime:
    """When what is wanted runs again: a flood of notices is looked at once a minute."""
    return moment + timedelta(seconds=PAUSE_SECONDS)
