"""Commands for evidence: scans sealed here and sent, listed, and opened into a directory that the operator names."""

import calendar
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from api import settings
from api.client import batches, evidence
from api.client.desk import Desk
from api.commands import output
from api.commands.administration import at_the_database
from api.commands.connection import connect
from api.commands.output import AsJson, Steps
from ledger.aliases import Kind, kind_of
from ledger.identities.evidence import EvidenceChunk, EvidenceKind
from ledger.identities.shelves import Reason
from ledger.storage import residue

app = typer.Typer(help="Rulings, bills and receipts as sealed files.", no_args_is_help=True)

COLUMNS = {
    "alias": "Item",
    "version": "Version",
    "kind": "Kind",
    "added_on": "Added",
    "keep_until": "Keep until",
    "complete": "Complete",
    "dropped_on": "Dropped",
}
Case = Annotated[str, typer.Argument(help="The case.")]


@app.command("add")
def add_file(
    case: Case,
    file: Annotated[Path, typer.Argument(help="The file, of at most 25 MiB.", exists=True, dir_okay=False)],
    kind: Annotated[EvidenceKind, typer.Option(help="What it shows.")],
    replaces: Annotated[str | None, typer.Option(help="The item of which this is a new version.")] = None,
    keep_until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m"], help="The month with which its retention ends.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Seals a file here and sends it. What the file says of itself (camera, place, author) is sealed with it."""
    with connect() as desk, Steps("Sealing and sending") as progress:
        answer = evidence.add(
            desk,
            case,
            file,
            kind=kind,
            replaces=replaces,
            keep_until=_end_of_month(keep_until.date()) if keep_until else None,
            progress=progress,
        )
    output.show(answer, as_json=as_json, lines=[f"{answer['alias']}: version {answer['version']} is kept."])


@app.command("list")
def list_files(case: Case, as_json: AsJson = False) -> None:
    """Lists the files of a case, older versions too."""
    with connect() as desk:
        rows = evidence.listed(desk, case)
    output.show_table(rows, COLUMNS, as_json=as_json)


@app.command("open")
def open_files(
    alias: Annotated[str, typer.Argument(help="A case, or a batch for the cases of all its lines.")],
    out: Annotated[Path, typer.Option(help="The directory to write into.", exists=True, file_okay=False)],
    reason: Annotated[Reason, typer.Option(help="Why; it is logged.")],
    item: Annotated[list[str] | None, typer.Option(help="Only this item; may be told several times.")] = None,
    as_json: AsJson = False,
) -> None:
    """Opens the newest files here, into new files that only their owner can read; the reading is logged."""
    with connect() as desk:
        opened = [
            one
            for case in _cases(desk, alias)
            for one in evidence.open_files(desk, case, into=out, reason=reason, items=set(item) if item else None)
        ]
    rows = [
        {
            "alias": one.alias,
            "version": one.version,
            "kind": one.kind,
            "path": str(one.path),
            "name": one.description.name,
            "type": one.description.media_type,
        }
        for one in opened
    ]
    said = [f"{row['kind']} {row['alias']}, version {row['version']}: {row['path']}" for row in rows]
    output.show(rows, as_json=as_json, lines=[*said, f"{len(rows)} files written. Delete them after use."])


@app.command("due")
def show_due(as_json: AsJson = False) -> None:
    """Shows the files whose retention has ended. Nothing is dropped by this."""
    with connect() as desk:
        rows = [{**one["file"], **one} for one in evidence.due(desk)]
    columns = {"alias": "Item", "version": "Version", "kind": "Kind", "case": "Case", "since": "Due since"}
    output.show_table(rows, columns, as_json=as_json)


@app.command("drop")
def drop_item(
    item: Annotated[str, typer.Argument(help="An item that is due, such as E-7K3M-Q2XD-9F4T.")],
    as_json: AsJson = False,
) -> None:
    """Drops the content of an item that is due, in all versions that are; somebody else brought it. Not undone."""
    with connect() as desk:
        answers = evidence.drop(desk, item)
    said = (
        f"{item}: {len(answers)} versions dropped; their commitments stay. On the server: `solidarity evidence clear`."
    )
    backups = "Backups of the books that were made before hold the sealed content for as long as they are kept."
    output.show(answers, as_json=as_json, lines=[said, backups])


@app.command("clear")
def clear_residue(as_json: AsJson = False) -> None:
    """Rewrites the files that held dropped content, and checks it. On the server; again when it is refused."""
    with at_the_database(settings.load()) as engine:
        residue.clear(engine, tables=[EvidenceChunk.__tablename__])
    output.show({"cleared": True}, as_json=as_json, lines=["No file of the database holds content that was dropped."])


def _cases(desk: Desk, alias: str) -> list[dict[str, Any]]:
    if kind_of(alias) is not Kind.BATCH:
        return [desk.api.get(f"/v1/cases/{alias}")]
    by_alias = {line["case"]["alias"]: line["case"] for line in batches.find(desk, alias)["lines"]}
    return list(by_alias.values())


def _end_of_month(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])
