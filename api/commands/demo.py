"""`solidarity demo`: a small invented fund lives through its first season; every step is one an operator would take."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import httpx2
import typer
from fastapi import FastAPI

from api.app import create_app
from api.client import cases, donations, lists, payments, publications, statements
from api.client.desk import Desk
from api.client.http import in_process
from api.commands import administration, demo_bank, demo_people
from api.commands.connection import sit_down
from api.commands.demo_bank import Transfer
from api.commands.demo_people import EXPIRES_ON, ROLES, Person
from api.commands.output import screen
from api.settings import Settings
from ledger.aliases import Kind, draw
from ledger.books import journal
from ledger.identities.person_keys import ShredKeys
from ledger.money import Money
from ledger.storage.engine import open_database, transaction
from reports.transparency.disclosure import StillOpen

EXAMPLES = Path(__file__).parents[2] / "examples" / "first_light"
BYN_LEAF, EUR_LEAF, CARD_LEAF = "1000:byn-main", "1000:eur-main", "1100:eur"
FOUNDING_KEY = "founding"
"""The name under which the administrator's first bearer key is kept."""
FOUNDED = datetime(2020, 8, 24, 9, tzinfo=UTC)
BANK_GIFTS = {"FINES": Money(2_000_000, "BYN"), "DETENTION": Money(300_000, "BYN")}
"""What the two bank donors give, by purpose."""


@dataclass(slots=True)
class Stage:
    """The application with its set clock, and everybody's desk."""

    app: FastAPI
    http: httpx2.Client
    folder: Path
    people: dict[str, Person]
    desks: dict[str, Desk] = field(default_factory=dict)

    def set_clock(self, moment: datetime) -> None:
        """A demonstration's clock stands where it is set."""
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
            )
        return self.desks[kept]


def run_demo(
    folder: Annotated[Path, typer.Option(help="Where the demonstration keeps its book and files.")] = Path("demo"),
    database_url: Annotated[str | None, typer.Option(help="Its database; a file of SQLite unless given.")] = None,
    fresh: Annotated[bool, typer.Option(help="Throw an earlier demonstration in the folder away first.")] = False,
) -> None:
    """Lets a small invented fund receive gifts, pay fines and bills, agree with its bank, and publish."""
    if fresh and demo_people.read_bearers(folder):
        shutil.rmtree(folder)
    with open_stage(folder, database_url or f"sqlite:///{folder / 'book.db'}") as stage:
        before = count_entries(stage)
        for step in (set_up, receive_gifts, take_in_list, decide, pay_out, publish):
            step(stage)
        summarise(stage, before=before)


@contextmanager
def open_stage(folder: Path, database_url: str) -> Iterator[Stage]:
    """The people with their devices, the book founded when there is none, and the application over it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = Settings(database_url=database_url, shred_key_directory=folder / "shred-keys", demo_now=FOUNDED)
    screen.print("[bold]Invented Solidarity Fund[/bold]: a demonstration. Nobody in it exists.\n")
    say("three operators unlock their devices")
    people = demo_people.meet(folder)
    engine = open_database(database_url)
    if not demo_people.read_bearers(folder):
        say("two officers sign the first roster; the book is founded")
        shred_keys = ShredKeys(settings.shred_key_directory)
        bearer = demo_people.found_demo(engine, people, shred_keys=shred_keys, now=FOUNDED)
        demo_people.keep_bearer(folder, FOUNDING_KEY, bearer)
    with ExitStack() as stack:
        app = create_app(settings, engine=engine)
        stack.callback(engine.dispose)
        yield Stage(app, stack.enter_context(in_process(app)), folder, people)


def set_up(stage: Stage) -> None:
    """The administrator makes everybody's keys, the bank and card accounts, and the purposes."""
    stage.set_clock(FOUNDED)
    admin = stage.desk("clara", bearer=FOUNDING_KEY)
    for name, (roles, _) in ROLES.items():
        if name not in demo_people.read_bearers(stage.folder):
            bearer = administration.draw_bearer()
            _make_key(admin, stage.people[name].device.alias, roles, bearer)
            demo_people.keep_bearer(stage.folder, name, bearer)
    clara = stage.desk("clara")
    for code, name, currency in (
        (BYN_LEAF, "Bank, roubles", "BYN"),
        (EUR_LEAF, "Bank, euros", "EUR"),
        (CARD_LEAF, "Card processor, euros", "EUR"),
    ):
        clara.api.post("/v1/accounts", {"code": code, "name": name, "currency": currency}, key=f"account:{code}")
    for code, fund in (("FINES", "fines"), ("DETENTION", "detention")):
        body = {"code": code, "fund": fund, "text": f"For {code.lower()} costs after assemblies", "net_of_costs": False}
        clara.api.post("/v1/purposes", body, key=f"purpose:{code}")


def receive_gifts(stage: Stage) -> None:
    """One gift by card, two by bank."""
    stage.set_clock(datetime(2020, 10, 1, 9, tzinfo=UTC))
    anna = stage.desk("anna")
    for gift in donations.send(anna, (EXAMPLES / "gift.json").read_bytes()):
        say(f"card gift {_amount(gift)} for {gift['fund']}, fee {_amount(gift, 'fee')} borne by general")
    references = {one["code"]: one["reference"] for one in anna.api.get("/v1/purposes")["purposes"]}
    gifts = [
        Transfer(gift, date(2020, 9, 10), references[purpose], "An invented donor")
        for purpose, gift in BANK_GIFTS.items()
    ]
    _import_statement(stage, 1, gifts, opening=Money(0, "BYN"), month=date(2020, 9, 1))


def take_in_list(stage: Stage) -> None:
    """The list of fined and detained people is sealed on Anna's device and taken in; she verifies each case."""
    stage.set_clock(datetime(2020, 10, 2, 9, tzinfo=UTC))
    anna = stage.desk("anna")
    rows = lists.read((EXAMPLES / "list.csv").read_bytes())
    imported = cases.import_rows(anna, rows, jurisdiction="by", list_name="list.csv")
    say(f"list of {imported.rows} people sealed and taken in; the server learns no name")
    received = [case["alias"] for case in cases.listed(anna, state="received")]
    for alias in received:
        cases.verify(anna, alias)
    say(f"{len(received)} cases opened and verified on the device: each ruling came before any help")


def decide(stage: Stage) -> None:
    """Anna asks, Boris opens and approves, the beneficiaries are told."""
    stage.set_clock(datetime(2020, 10, 5, 9, tzinfo=UTC))
    anna, boris = stage.desk("anna"), stage.desk("boris")
    for case in list(cases.listed(anna, state="verified")):
        payments.request(anna, case["alias"], account=BYN_LEAF)
    waiting = list(payments.listed(boris, state="requested"))
    for disbursement in waiting:
        payments.approve(boris, disbursement)
    say(f"{len(waiting)} disbursements asked for by one person, opened and approved by another")
    for case in list(cases.listed(anna, state="approved")):
        cases.tell(anna, case["alias"], told_on=date(2020, 10, 5))


def pay_out(stage: Stage) -> None:
    """Anna releases; the bank pays; its statement is read, matched and booked."""
    stage.set_clock(datetime(2020, 10, 6, 9, tzinfo=UTC))
    anna = stage.desk("anna")
    released = [payments.release(anna, one) for one in list(payments.listed(anna, state="approved"))]
    say(f"{len(released)} disbursements released; the bank sees a reference such as {_some_reference(anna, released)}")
    stage.set_clock(datetime(2020, 10, 31, 18, tzinfo=UTC))
    paid = [
        Transfer(-_money(one), date(2020, 10, 7) + timedelta(days=n % 3), one["reference"], "An invented treasury")
        for n, one in enumerate(released)
    ]
    _import_statement(stage, 2, paid, opening=sum(BANK_GIFTS.values(), Money(0, "BYN")), month=date(2020, 10, 1))


def publish(stage: Stage) -> None:
    """Clara drafts what the release rule admits, Boris approves, and the site and the auditors' report are written."""
    stage.set_clock(datetime(2020, 11, 2, 12, tzinfo=UTC))
    clara, boris = stage.desk("clara"), stage.desk("boris")
    try:
        publications.draft(clara)
    except StillOpen:
        say("nothing new to publish: the next block is not over")
    for waiting in publications.listed(boris)["drafts"]:
        publications.approve(boris, waiting)
        say(f"publication {waiting['number']} drafted by one person, approved by another")
    for name in ("index.html", "data/paid.csv", "data/paid.json"):
        path = stage.folder / "site" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(clara.api.download("/" if name == "index.html" else f"/{name}"))
    pdf = clara.api.download("/v1/reports/trial-balance.pdf", on="2020-11-02")
    (stage.folder / "trial-balance-2020-11-02.pdf").write_bytes(pdf)


def summarise(stage: Stage, *, before: int) -> None:
    """What a treasurer would like to read."""
    clara = stage.desk("clara")
    rows = clara.api.get("/v1/trial-balance")["rows"]
    after = count_entries(stage)
    screen.print("\n[bold]Where the money is[/bold]")
    for row in rows:
        if row["balance"]["amount"].strip("0.-"):
            name = f"{row['name']}, {row['fund']}"
            screen.print(
                f"  {row['account']:<14} {name:<40} {row['balance']['amount']:>12} {row['balance']['currency']}"
            )
    screen.print("\n[bold]Does the bank agree?[/bold]")
    for one in clara.api.get("/v1/reconciliations")["reconciliations"]:
        screen.print(
            f"  {one['account']} on {one['on']}: bank {_amount(one, 'per_bank')}, books {_amount(one, 'per_books')}, "
            f"difference {one['difference']['amount']}"
        )
    found = clara.api.get("/v1/exceptions")["exceptions"]
    screen.print(f"  open exceptions: {len(found)}")
    screen.print(f"\n{after} entries in the journal, {after - before} of them new in this run.")
    screen.print("\n[bold]Where to look[/bold]")
    for what, name in (
        ("public page", "site/index.html"),
        ("its data", "site/data/paid.csv"),
        ("for auditors", "trial-balance-2020-11-02.pdf"),
    ):
        screen.print(f"  {what:<13} {stage.folder / name}")


def count_entries(stage: Stage) -> int:
    """How many entries the journal holds."""
    with transaction(stage.app.state.engine, write=False) as session:
        return journal.count(session)


def say(what: str) -> None:
    """One step of the story."""
    screen.print(f"  · {what}")


def _import_statement(stage: Stage, number: int, transfers: list[Transfer], *, opening: Money, month: date) -> None:
    """The bank writes its file once; the treasurer imports it, as often as they like."""
    path = stage.folder / f"statement-{number}.xml"
    last_day = (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    if not path.exists():
        path.write_bytes(
            demo_bank.write_statement(transfers, opening=opening, first_day=month, last_day=last_day, number=number)
        )
    for answer in statements.send(stage.desk("anna"), path.read_bytes(), account=BYN_LEAF):
        say(f"bank statement {number}: {answer['booked']} of {answer['fresh']} lines booked")


def _make_key(admin: Desk, operator: str, roles: tuple[Any, ...], bearer: str) -> None:
    alias, digest = draw(Kind.KEY), administration.digest_of(bearer)
    body = {
        "alias": alias,
        "operator": operator,
        "roles": sorted(roles),
        "digest": digest,
        "expires_on": EXPIRES_ON.isoformat(),
        "agreed": admin.agree("create_key", alias, version=1, evidence=[digest]),
    }
    admin.api.post("/v1/keys", body, key=f"key:{alias}")


def _some_reference(desk: Desk, released: list[dict[str, Any]]) -> str:
    shown = released or list(payments.listed(desk, state="paid"))
    return str(shown[0]["reference"])


def _money(item: dict[str, Any]) -> Money:
    return Money.parse(item["amount"]["amount"], item["amount"]["currency"])


def _amount(item: dict[str, Any], name: str = "amount") -> str:
    return f"{item[name]['amount']} {item[name]['currency']}"
