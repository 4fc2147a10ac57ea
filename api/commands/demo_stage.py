"""The demonstration's stage: the application with its set clock, everybody's desk, the bank, and the plan."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import httpx2
from fastapi import FastAPI

from api.app import create_app
from api.client import lists, statements
from api.client.desk import Desk
from api.client.http import in_process
from api.client.lists import ListRow
from api.commands import demo_people
from api.commands.connection import sit_down
from api.commands.demo_bank import BankAccount
from api.commands.demo_people import Person
from api.commands.output import screen
from api.settings import Settings
from ledger.books import journal
from ledger.identities.person_keys import ShredKeys
from ledger.people import versions
from ledger.storage.engine import open_database, transaction

STORY = Path(__file__).parents[2] / "examples" / "season_2020"
FOUNDING_KEY = "founding"
"""The name under which the administrator's first bearer key is kept."""
FORMATS = {"1000:eur-main": "02", "1000:byn-main": "08"}
"""Which version of CAMT.053 the bank writes for which account."""


@dataclass(slots=True)
class Stage:
    """Where the story plays. `bank` is by leaf, `plan` what `plan.json` of the story holds."""

    app: FastAPI
    http: httpx2.Client
    folder: Path
    people: dict[str, Person]
    plan: dict[str, Any]
    bank: dict[str, BankAccount]
    desks: dict[str, Desk] = field(default_factory=dict)
    batches: dict[tuple[str, int], str] = field(default_factory=dict)
    """The batches made in this run: what they pay and with which handover they came, to alias."""
    paid: set[str] = field(default_factory=set)
    """The batches of bills that were released in this run."""
    pull: Callable[[date], int] | None = None
    """Pulls from a card processor that answers, and tells how much was booked; None where its lists are read."""
    _places: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)

    def set_clock(self, day: date, *, hour: int = 9) -> None:
        """A demonstration's clock stands where it is set."""
        moment = datetime.combine(day, time(hour), UTC)
        settings: Settings = self.app.state.settings
        self.app.state.settings = settings.model_copy(update={"demo_now": moment})

    def now(self) -> datetime:
        """The moment on the demonstration's clock."""
        settings: Settings = self.app.state.settings
        return settings.now()

    def desk(self, name: str, *, bearer: str | None = None) -> Desk:
        """A person's desk, with the bearer key kept under their name or under `bearer`."""
        kept = bearer or name
        if kept not in self.desks:
            person = self.people[name]
            self.desks[kept] = sit_down(
                self.http,
                person.device,
                key_file=person.key_file,
                bearer=demo_people.read_bearers(self.folder)[kept],
                now=self.now,
                fingerprint=self.fingerprint,
            )
        return self.desks[kept]

    def fingerprint(self) -> str:
        """The first roster's, which all three have signed at one table."""
        with transaction(self.app.state.engine, write=False) as session:
            return versions(session)[0].digest

    def rows(self, name: str) -> list[ListRow]:
        """A list of the story, read."""
        return lists.read((STORY / name).read_bytes())

    def place_of(self, ruling_number: str, kind: str) -> tuple[str, int]:
        """Which list and line a ruling stands on first: what the agent and the bank's clients know by themselves."""
        if not self._places:
            for name in ("list-2.csv", "list-1.csv"):
                self._places |= {(row.ruling_number, row.kind.value): (name, row.line) for row in self.rows(name)}
        return self._places[ruling_number, kind]

    def take_statement(self, leaf: str, until: date) -> None:
        """The bank writes its next file, once; the treasurer imports it, as often as they like."""
        path = self.bank[leaf].write_statement(until)
        for answer in statements.send(self.desk("anna"), path.read_bytes(), account=leaf):
            if "fresh" not in answer:  # what is odd in the file
                continue
            say(f"{until}  statement of {leaf}: {answer['booked']} of {answer['fresh']} lines booked")

    def count_entries(self) -> int:
        """How many entries the journal holds."""
        with transaction(self.app.state.engine, write=False) as session:
            return journal.count(session)


@contextmanager
def open_stage(folder: Path, database_url: str, *, people: dict[str, Person] | None = None) -> Iterator[Stage]:
    """The people with their devices, the book founded when there is none, and the application over it.

    `people` are told where their devices are unlocked already; else they unlock them, or get new ones, in `folder`.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    plan = json.loads((STORY / "plan.json").read_text("utf-8"))
    founded = datetime.combine(date.fromisoformat(plan["first_day"]), time(9), UTC)
    settings = Settings(database_url=database_url, shred_key_directory=folder / "shred-keys", demo_now=founded)
    say(f"[bold]{plan['organisation']}[/bold]: a demonstration. Nobody in it exists.", indent=False)
    people = people or demo_people.meet(folder)
    engine = open_database(database_url)
    if not demo_people.read_bearers(folder):
        bearer = demo_people.found_demo(
            engine,
            people,
            organisation=plan["organisation"],
            shred_keys=ShredKeys(settings.shred_key_directory),
            now=founded,
        )
        demo_people.keep_bearer(folder, FOUNDING_KEY, bearer)
        say("two officers have signed the first roster; the book is founded")
    bank = {
        leaf: BankAccount(leaf, _currency(plan, leaf), version, folder, founded.date())
        for leaf, version in FORMATS.items()
    }
    with ExitStack() as stack:
        app = create_app(settings, engine=engine)
        stack.callback(engine.dispose)
        yield Stage(app, stack.enter_context(in_process(app)), folder, people, plan, bank)


def say(what: str, *, indent: bool = True) -> None:
    """One line of the story."""
    screen.print(f"  · {what}" if indent else f"{what}\n")


def _currency(plan: dict[str, Any], leaf: str) -> str:
    return next(str(account["currency"]) for account in plan["accounts"] if account["code"] == leaf)
