"""Duties: what each job does. Any of them may be done again without harm, and most find nothing to do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from api import pulling, refunding
from api.settings import ProcessorSettings, Settings
from api.stripe_link import Link
from ledger import jobs, reminders
from ledger.aid import agents_lists, file_retention, lapses
from ledger.books import rollups
from ledger.giving import notices
from ledger.reconciliation import bank, matchings, pairings, shelf_retention
from ledger.storage.engine import transaction
from reports import site

MOST_DUE = 1_000
"""How many things whose retention has ended are counted of each kind; whoever has more needs to begin, not to count."""

Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Means:
    """What a duty is done with. `still_held` raises `LeaseLost` when another does it meanwhile: asked between parts."""

    engine: Engine
    settings: Settings
    processor: ProcessorSettings
    still_held: Callable[[], None]

    def now(self) -> datetime:
        """The moment by the book's clock."""
        return self.settings.now()


Duty = Callable[[Means], Counts]


def pull_movements(means: Means) -> Counts:
    """Books what moved at the card processor; payouts are tied to the bank's lines in the same transactions."""

    def reached(_: int) -> None:
        means.still_held()

    with Link(means.processor.key_to_pull(), base=means.processor.address) as link:
        return {"booked": len(pulling.pull(means.engine, link, now=means.now(), reached=reached))}


def send_refunds(means: Means) -> Counts:
    """Carries out refunds that two people signed, and asks how earlier ones stand."""
    with Link(means.processor.key_to_refund(), base=means.processor.address) as link:
        outcomes = refunding.carry_out(means.engine, link, now=means.now())
    return {"orders": len(outcomes), "refused": sum(one.rule is not None for one in outcomes)}


def take_in_entries(means: Means) -> Counts:
    """Brings the roll-ups, from which balances are read, up to what was booked."""
    taken = 0
    while True:
        means.still_held()
        with transaction(means.engine) as session:
            step = rollups.advance(session)
        taken += step
        if not step:
            return {"entries": taken}


def match_lines(means: Means) -> Counts:
    """Books lines of the bank that waited for the processor's side, matches what is exact and unique, tells the rest.

    The rest is what the bank should have shown by now.
    """
    at = means.now()
    with transaction(means.engine) as session:
        booked = bank.look_again(session, recorded_at=at, recorded_by=pairings.MACHINE)
    means.still_held()
    with transaction(means.engine) as session:
        matched = matchings.match_unique(session, at=at)
        bank.tell_overdue(session, on=at.date())
    return {"booked": booked, "matched": matched}


def check_books(means: Means) -> Counts:
    """Runs every check over the book, which is only read; whatever is not as promised waits as an exception."""
    with transaction(means.engine, write=False) as session:
        failed = reminders.failed_checks(session)
    means.still_held()
    with transaction(means.engine) as session:
        return reminders.tell_of_checks(session, failed, on=means.now().date())


def remind(means: Means) -> Counts:
    """Tells of months that should be closed, of currencies without a rate of the day, and of what expires soon."""
    with transaction(means.engine) as session:
        on = means.now().date()
        return {
            **reminders.tell_of_open_months(session, on=on),
            **reminders.tell_of_missing_rates(session, on=on),
            **reminders.tell_of_expiries(session, on=on),
        }


def end_what_expires(means: Means) -> Counts:
    """Ends approvals that led to nothing within the days of the pack, and removes agents' lists past their last day."""
    on = means.now().date()
    with transaction(means.engine) as session:
        return {
            "holds": len(lapses.end(session, on=on)),
            "lists": agents_lists.remove_expired(session, on=on),
        }


def count_retention(means: Means) -> Counts:
    """Counts what need not be kept any longer, for people to agree to; old runs and notices it removes itself."""
    on = means.now().date()
    with transaction(means.engine, write=False) as session:
        found = shelf_retention.due_by_kind(session, on=on, limit=MOST_DUE)
        counts = {
            **{f"{kind}_due": len(due) for kind, due in found.items()},
            "files_due": len(file_retention.due(session, on=on, limit=MOST_DUE)),
        }
    with transaction(means.engine) as session:
        return {
            **counts,
            "runs_removed": jobs.prune(session, now=means.now()),
            "notices_removed": notices.prune(session, now=means.now()),
        }


def build_site(means: Means) -> Counts:
    """Writes the public site's files from what is published, and nothing else, into the folder that mirrors serve."""
    folder = means.settings.site_directory
    if folder is None:
        return {"files": 0}
    with transaction(means.engine, write=False) as session:
        gathered = site.gather(session, on=means.now().date())
    return {"files": len(site.write(gathered, folder))}
