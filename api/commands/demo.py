"""`solidarity demo`: an invented fund lives through a whole autumn; every step is one an operator would take."""

import shutil
from contextlib import ExitStack
from datetime import date, datetime
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import typer

from api.client import agents, cases, quashing
from api.commands import demo_people, demo_season
from api.commands.demo_processor import open_processor
from api.commands.demo_stage import Stage, open_stage, say
from api.commands.output import DAYS, Steps, screen
from ledger.money import Money
from ledger.storage.engine import transaction
from reports import site


def run_demo(
    folder: Annotated[Path, typer.Option(help="Where the demonstration keeps its book and files.")] = Path("demo"),
    database_url: Annotated[str | None, typer.Option(help="Its database; a file of SQLite unless given.")] = None,
    with_processor: Annotated[
        bool, typer.Option(help="Start an invented card processor on loopback, and pull from it.")
    ] = False,
    until: Annotated[
        datetime | None, typer.Option(formats=DAYS, help="Only up to this day, such as 2020-08-31.")
    ] = None,
    fresh: Annotated[bool, typer.Option(help="Throw an earlier demonstration in the folder away first.")] = False,
) -> None:
    """Lets an invented fund live through the autumn of 2020: gifts, lists, an agent, the bank, publication."""
    started = perf_counter()
    if fresh and demo_people.read_bearers(folder):
        shutil.rmtree(folder)
    with ExitStack() as stack:
        stage = stack.enter_context(open_stage(folder, database_url or f"sqlite:///{folder / 'book.db'}"))
        if with_processor:
            say(f"the card processor answers on {stack.enter_context(open_processor(stage))}")
        before = stage.count_entries()
        play(stage, until=until.date() if until else None)
        write_files(stage)
        summarise(stage, before=before, seconds=perf_counter() - started)


def play(stage: Stage, *, until: date | None = None) -> None:
    """Every step of the season, each on its day, up to `until`; what was played already changes nothing."""
    story = [(day, step) for day, step in demo_season.steps(stage) if until is None or day <= until]
    if until is not None:
        stage.plan["last_day"] = min(str(until), stage.plan["last_day"])
    with Steps("The season") as progress:
        for number, (day, step) in enumerate(story, start=1):
            stage.set_clock(day)
            step(stage)
            progress(number, len(story))


def write_files(stage: Stage) -> None:
    """The public site as its job writes it, and the auditors' statements as an auditor would fetch them."""
    clara = stage.desk("clara")
    with transaction(stage.app.state.engine, write=False) as session:
        gathered = site.gather(session, on=stage.now().date())
    site.write(gathered, stage.folder / "site")
    audit_file(stage).write_bytes(clara.api.download("/v1/reports/audit.pdf", on=stage.plan["last_day"]))


def audit_file(stage: Stage) -> Path:
    """Where the auditors' statements are written, all in one file."""
    return stage.folder / f"audit-{stage.plan['last_day']}.pdf"


def summarise(stage: Stage, *, before: int, seconds: float) -> None:
    """What a treasurer would like to read."""
    clara, anna = stage.desk("clara"), stage.desk("anna")
    after = stage.count_entries()
    _show_gifts(clara.api.get("/v1/donations")["donations"])
    _show_aid(stage)
    _show_troubles(stage)
    screen.print("\n[bold]Do bank, processor and agent agree?[/bold]")
    for one in anna.api.get("/v1/reconciliations")["reconciliations"]:
        screen.print(
            f"  {one['kind']:<10} {one['account']:<22} theirs {_amount(one['per_bank']):>18}   "
            f"ours {_amount(one['per_books']):>18}   difference {one['difference']['amount']}"
        )
    screen.print(f"\n{after} entries in the journal, {after - before} of them new in this run ({seconds:.0f} s).")
    screen.print("\n[bold]Where to look[/bold]")
    screen.print(f"  public page   {stage.folder / 'site' / 'index.html'}")
    screen.print(f"  its data      {stage.folder / 'site' / 'data' / 'paid.csv'}")
    screen.print(f"  for donors    {stage.folder / 'site' / 'give' / 'index.html'}")
    screen.print(f"  for auditors  {audit_file(stage)}")


def _show_gifts(donations: list[dict[str, Any]]) -> None:
    screen.print("\n[bold]Gifts[/bold]")
    by_source: dict[tuple[str, str], list[Money]] = {}
    for gift in donations:
        by_source.setdefault((gift["source"], gift["amount"]["currency"]), []).append(_money(gift["amount"]))
    for (source, currency), gifts in sorted(by_source.items()):
        total = sum(gifts, Money(0, currency))
        screen.print(f"  {len(gifts):>4} by {source:<10} {total.decimal():>12} {currency}")


def _show_aid(stage: Stage) -> None:
    screen.print("\n[bold]Aid[/bold]")
    report = stage.desk("clara").api.get("/v1/reports/disbursements.json", on=stage.plan["last_day"])
    for section in report["sections"]:
        for row in section["rows"]:
            screen.print(
                f"  {row['payments']:>4} {row['kind']:<10} by {row['way']:<12} {row['paid']:>12} {section['currency']}"
            )


def _show_troubles(stage: Stage) -> None:
    anna = stage.desk("anna")
    screen.print("\n[bold]Troubles, and what became of them[/bold]")
    for case in cases.listed(anna, state="rejected"):
        screen.print(f"  case {case['alias']} rejected: {case['rejection']}; it can never be paid")
    for refund in quashing.refunds(anna):
        became = f"paid back on {refund['received_on']}" if refund["received_on"] else "owed by the authority"
        screen.print(f"  a paid fine was quashed: {_amount(refund['amount'])} {became}")
    for gift in stage.desk("clara").api.get("/v1/donations")["donations"]:
        if gift["state"] not in {"received", "unidentified"}:
            screen.print(f"  gift {gift['alias']} of {_amount(gift['amount'])}: {gift['state']}")
        elif gift["state"] == "unidentified":
            screen.print(
                f"  gift {gift['alias']} of {_amount(gift['amount'])}: nobody knows yet what for; owed in 2000"
            )
    for agent in agents.listed(anna):
        for line in agent["ageing"]:
            screen.print(
                f"  agent {agent['alias']}: receipt {line['receipt']}, {_amount(line['amount'])} stay with them and age"
            )
    for found in anna.api.get("/v1/exceptions")["exceptions"]:
        place = found["fund"] or found["account"] or found["about"]
        amount = f", {_amount(found['amount'])}" if found["amount"] else ""
        screen.print(f"  open exception on {place}: {found['difference']}{amount}")


def _amount(amount: dict[str, str]) -> str:
    return f"{amount['amount']} {amount['currency']}"


def _money(amount: dict[str, str]) -> Money:
    return Money.parse(amount["amount"], amount["currency"])
