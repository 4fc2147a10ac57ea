"""`solidarity doctor linkage`: what a register of rulings and a seized database would tell together."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from api import settings
from api.client import registers
from api.commands import output
from api.commands.files import read_file
from api.commands.output import AsJson
from ledger import book
from ledger.aid import jurisdictions, linkage
from ledger.aid.linkage import Fit, Grain
from ledger.storage.engine import open_database, transaction

_HEADS = {
    "grain": "Kept",
    "entries": "Entries",
    "absent": "Not in it",
    "unique": "k = 1",
    "few": "k < 10",
    "crowd": "k ≥ 10",
    "smallest": "Smallest",
    "middle": "Median",
    "cases": "Cases",
    "cases_unique": "k = 1",
    "cases_few": "k < 10",
    "people": "People",
    "people_unique": "k = 1",
    "people_few": "k < 10",
}


def add_to(doctor: typer.Typer) -> None:
    """Adds the command to `solidarity doctor`."""
    doctor.command("linkage")(measure_linkage)


def measure_linkage(
    register: Annotated[Path, typer.Option(help="A register of rulings: CSV with amount, date, article, region.")],
    aliases: Annotated[bool, typer.Option("--list", help="Name the aliases of entries with k below 10.")] = False,
    as_json: AsJson = False,
) -> None:
    """Counts how many entries a register of rulings could be joined with, by what is kept of their dates.

    k is how many lines of the register fit an entry. `kept` is what this database tells today; day, week and month are
    what it would tell, at worst, if that were kept. Nothing leaves this machine.
    """
    configured = settings.load()
    jurisdictions.read_folder(configured.jurisdiction_directory)
    engine = open_database(configured.database_url)
    try:
        with transaction(engine, write=False) as session:
            pack = jurisdictions.load(book.require(session).jurisdiction)
            rows = registers.read(read_file(register), currency=pack.currency)
            fits = linkage.measure(session, rows)
            person_of = linkage.people(session)
    finally:
        engine.dispose()
    told = [_line(fits, grain, person_of) for grain in Grain]
    found = [
        {"obligation": fit.obligation, "k": fit.k[Grain.KEPT]} for fit in fits if 0 < fit.k[Grain.KEPT] < linkage.CROWD
    ]
    if as_json:
        answer = {"register": len(rows), "grains": told} | ({"found": found} if aliases else {})
        output.show(answer, as_json=True)
        return
    output.show_table(told, _HEADS, as_json=False)
    if aliases:
        output.show_table(found, {"obligation": "Entry", "k": "k"}, as_json=False)


def _line(fits: list[Fit], grain: Grain, person_of: dict[str, str]) -> dict[str, Any]:
    of_entries, of_cases = linkage.spread(fits, grain), linkage.spread_of_cases(fits, grain)
    of_people = linkage.spread_of_people(fits, grain, person_of=person_of)
    return {
        "grain": grain.value,
        "entries": len(fits),
        **asdict(of_entries),
        "cases": len({fit.case for fit in fits}),
        "cases_absent": of_cases.absent,
        "cases_unique": of_cases.unique,
        "cases_few": of_cases.few,
        "people": len(set(person_of.values())),
        "people_absent": of_people.absent,
        "people_unique": of_people.unique,
        "people_few": of_people.few,
    }
