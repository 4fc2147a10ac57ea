"""Leases and runs of jobs: one holder at a time, one run for what was missed, pauses that grow, and somebody told."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from ledger import exceptions, jobs
from ledger.exceptions import Difference
from ledger.jobs import Job, JobRun, LeaseLost, Outcome
from tests.cast import NOW, nothing_written, race

HOUR = timedelta(hours=1)
ALL_OF_IT = jobs.FIRST_PAUSE * 2**jobs.MOST_ATTEMPTS


def next_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0) + HOUR


def claim(
    session: Session, *, holder: str = "one", at: datetime = NOW, due: Callable[[datetime], datetime] | None = next_hour
) -> JobRun | None:
    return jobs.claim(session, "pull", holder=holder, now=at, next_after=due)


def claimed(session: Session, *, holder: str = "one", at: datetime = NOW) -> JobRun:
    run = claim(session, holder=holder, at=at)
    assert run is not None
    return run


def the_job(session: Session) -> Job:
    return jobs.standing(session)["pull"]


def failed(session: Session, *, at: datetime) -> Job:
    run = claimed(session, at=at)
    jobs.fail(session, run.alias, holder="one", now=at, error="processor_unavailable")
    return the_job(session)


def test_a_job_that_never_ran_is_due_and_its_run_is_kept(founded: Session) -> None:
    run = claimed(founded)
    ended = jobs.succeed(founded, run.alias, holder="one", now=NOW + HOUR, counts={"booked": 3})

    assert (ended.outcome, ended.counted(), ended.error) == (Outcome.SUCCEEDED, {"booked": 3}, None)
    assert (ended.started_at, ended.ended_at) == (NOW, NOW + HOUR)


def test_while_one_holds_a_job_no_other_runs_it(founded: Session) -> None:
    claimed(founded)

    with nothing_written(founded):
        assert claim(founded, holder="two", at=NOW + jobs.LEASE - timedelta(seconds=1), due=None) is None


def test_a_renewed_lease_holds_longer(founded: Session) -> None:
    claimed(founded)
    jobs.renew(founded, "pull", holder="one", now=NOW + jobs.LEASE / 2)

    assert claim(founded, holder="two", at=NOW + jobs.LEASE, due=None) is None


def test_of_a_holder_that_died_the_run_is_abandoned_and_another_begins_one(founded: Session) -> None:
    left = claimed(founded)
    begun = claim(founded, holder="two", at=NOW + jobs.LEASE)

    assert begun is not None
    assert (left.outcome, left.ended_at) == (Outcome.ABANDONED, NOW + jobs.LEASE)
    assert the_job(founded).failures == 1


def test_a_job_that_ends_its_holders_waits_for_its_hour(founded: Session) -> None:
    at = NOW
    for _ in range(jobs.MOST_ATTEMPTS):
        claimed(founded, at=at)
        at += jobs.LEASE

    assert claim(founded, at=at) is None
    claimed(founded, at=next_hour(at))
    assert [one.difference for one in exceptions.listed(founded)] == [Difference.JOB_FAILED]


def test_who_lost_the_lease_changes_nothing(founded: Session) -> None:
    left = claimed(founded)
    claim(founded, holder="two", at=NOW + jobs.LEASE, due=None)

    for end in (
        lambda: jobs.succeed(founded, left.alias, holder="one", now=NOW, counts={}),
        lambda: jobs.fail(founded, left.alias, holder="one", now=NOW, error="x"),
        lambda: jobs.renew(founded, "pull", holder="one", now=NOW),
    ):
        with nothing_written(founded), pytest.raises(LeaseLost):
            end()


def test_a_job_is_due_again_at_its_hour_and_one_run_makes_up_for_all_that_were_missed(founded: Session) -> None:
    jobs.succeed(founded, claimed(founded).alias, holder="one", now=NOW, counts={})

    assert claim(founded, at=next_hour(NOW) - timedelta(seconds=1)) is None
    late = next_hour(NOW) + timedelta(days=3)
    jobs.succeed(founded, claimed(founded, at=late).alias, holder="one", now=late, counts={})
    assert claim(founded, at=late + timedelta(seconds=1)) is None


def test_pauses_between_attempts_double(founded: Session) -> None:
    job = failed(founded, at=NOW)
    assert job.retry_at == NOW + jobs.FIRST_PAUSE
    assert claim(founded, at=NOW + jobs.FIRST_PAUSE - timedelta(seconds=1)) is None

    job = failed(founded, at=NOW + jobs.FIRST_PAUSE)

    assert job.retry_at == NOW + 3 * jobs.FIRST_PAUSE


def test_after_the_last_attempt_somebody_is_told_once_and_a_success_closes_it(founded: Session) -> None:
    at = NOW
    for _ in range(jobs.MOST_ATTEMPTS):
        failed(founded, at=at)
        at += ALL_OF_IT
    job = the_job(founded)
    assert (job.retry_at, job.failures) == (None, jobs.MOST_ATTEMPTS)
    told = [one for one in exceptions.listed(founded) if one.difference is Difference.JOB_FAILED]
    assert len(told) == 1

    failed(founded, at=next_hour(at))
    again = next_hour(at) + HOUR
    jobs.succeed(founded, claimed(founded, at=again).alias, holder="one", now=again, counts={})

    assert [one for one in exceptions.listed(founded) if one.difference is Difference.JOB_FAILED] == []
    assert (the_job(founded).failures, the_job(founded).exception) == (0, None)


def test_what_is_asked_for_is_due_at_once_and_run_once(founded: Session) -> None:
    jobs.succeed(founded, claimed(founded).alias, holder="one", now=NOW, counts={})
    for person in ("OP-0000-0000-0001", "OP-0000-0000-0002"):
        jobs.ask(founded, "pull", by=person, at=NOW)
    run = claimed(founded, at=NOW + timedelta(seconds=1))

    assert run.asked_by == "OP-0000-0000-0001"
    jobs.succeed(founded, run.alias, holder="one", now=NOW + timedelta(seconds=1), counts={})
    assert claim(founded, at=NOW + timedelta(seconds=2)) is None


def test_runs_are_told_the_newest_first_page_by_page(founded: Session) -> None:
    for hour in range(5):
        at = NOW + hour * HOUR
        jobs.succeed(founded, claimed(founded, at=at).alias, holder="one", now=at, counts={"hour": hour})
    first = jobs.runs(founded, "pull", limit=2)
    rest = jobs.runs(founded, "pull", limit=9, before=first[-1].alias)

    assert [run.counted()["hour"] for run in (*first, *rest)] == [4, 3, 2, 1, 0]


def test_old_runs_are_removed_and_the_running_one_never(founded: Session) -> None:
    jobs.succeed(founded, claimed(founded).alias, holder="one", now=NOW, counts={})
    running = claimed(founded, at=NOW + HOUR)

    assert jobs.prune(founded, now=NOW + jobs.RUNS_KEPT) == 0
    assert jobs.prune(founded, now=NOW + 2 * jobs.RUNS_KEPT) == 1
    assert jobs.runs(founded, "pull", limit=9) == [running]


def test_of_many_who_claim_at_once_one_gets_the_job(founded: Session) -> None:
    def claim_as(holder: str) -> Callable[[Session], JobRun | None]:
        return lambda session: claim(session, holder=holder)

    answers = race(founded, *(claim_as(f"{n}") for n in range(4)))

    assert [type(answer) for answer in answers if answer is not None] == [JobRun]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE job SET held_until = NULL",
        "UPDATE job SET failures = -1",
        "UPDATE job_run SET outcome = 'succeeded'",
        "UPDATE job_run SET outcome = 'done', ended_at = started_at",
    ],
)
def test_the_database_refuses_a_row_that_cannot_be(founded: Session, change: str) -> None:
    claimed(founded)

    with pytest.raises(IntegrityError):
        founded.connection().execute(text(change))


# --- clocks that were wrong


@pytest.mark.parametrize("ended", [True, False])
def test_a_job_that_was_begun_in_the_future_is_run_and_told_of_once(founded: Session, ended: bool) -> None:
    ahead = NOW + timedelta(days=365)
    run = claimed(founded, at=ahead)
    if ended:
        jobs.succeed(founded, run.alias, holder="one", now=ahead, counts={})
    again = claimed(founded, holder="two")
    jobs.succeed(founded, again.alias, holder="two", now=NOW, counts={})

    assert [one.difference for one in exceptions.listed(founded)] == [Difference.CLOCK_DIFFERS]
    assert claim(founded, holder="three", at=NOW + timedelta(seconds=1)) is None
    assert len(exceptions.listed(founded)) == 1


def test_who_looked_at_the_clock_before_another_began_does_not_begin_beside_them(founded: Session) -> None:
    claimed(founded, at=NOW + timedelta(seconds=1))

    assert claim(founded, holder="two", at=NOW) is None
    assert claim(founded, holder="two", at=NOW, due=None) is None


def test_a_clock_that_goes_back_by_less_than_a_lease_begins_nothing_twice(founded: Session) -> None:
    run = claimed(founded, at=NOW + timedelta(seconds=59))
    jobs.succeed(founded, run.alias, holder="one", now=NOW + timedelta(seconds=59), counts={})

    assert claim(founded, holder="two", at=NOW) is None
    assert exceptions.listed(founded) == []
