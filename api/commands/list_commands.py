"""`cases import`: a list read on this device, tried or sent."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from api.client import case_imports, lists, previews
from api.client.list_files.faults import LARGEST_FILE, BadList
from api.client.previews import Preview
from api.commands import output
from api.commands.connection import connect, moment
from api.commands.files import read_file
from api.commands.output import AsJson, Steps
from ledger.aid import jurisdictions


def import_list(
    file: Annotated[Path, typer.Argument(help="A list as CSV or XLSX.")],
    jurisdiction: Annotated[str, typer.Option(help="The jurisdiction pack.")],
    list_name: Annotated[str | None, typer.Option(help="The list's name; the file's name unless given.")] = None,
    profile: Annotated[
        str | None, typer.Option(help="Name of a profile, or a file NAME.toml; found by the header unless given.")
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Read and check only: tells what would become of each row.")] = False,
    skip_unreadable: Annotated[bool, typer.Option(help="Send the other rows, and tell which were left out.")] = False,
    as_json: AsJson = False,
) -> None:
    """Reads a list here, seals its rows and sends them; the same list again sends nothing new.

    Without --skip-unreadable nothing is sent of a list of which a row cannot be read.
    """
    pack = jurisdictions.load(jurisdiction)
    reading = lists.examine(read_file(file, at_most=LARGEST_FILE), profile=profile)
    found = previews.preview(reading, pack, on=moment().date())
    refused = found.unreadable > 0 and not skip_unreadable
    if dry_run or refused:
        output.show(found.on_wire() | {"sent": 0}, as_json=as_json, lines=list(_told(found, "would be taken in")))
        if refused:
            where = found.faults[0].where
            raise BadList("rows cannot be read; nothing was sent", where=where, unreadable=found.unreadable)
        return
    with connect() as desk, Steps("Sealing and sending") as progress:
        imported = case_imports.import_rows(
            desk, found.rows, jurisdiction=jurisdiction, list_name=list_name or file.name, progress=progress
        )
    output.show(found.on_wire() | {"sent": imported.rows}, as_json=as_json, lines=list(_told(found, "taken in")))


def _told(found: Preview, taken: str) -> Iterator[str]:
    """The preview in sentences: what becomes of the rows, then every place that a person should look at."""
    reading = found.reading
    yield f"{reading.rows_found} rows of a list as {reading.form}, by the profile {reading.profile}."
    yield f"  {found.taken} {taken}"
    yield from (f"  {count} rejected: {code}" for code, count in sorted(found.rejected.items()))
    if found.identical:
        yield f"  {len(found.identical)} said the same as another"
    if found.unreadable:
        yield f"  {found.unreadable} unreadable and left out"
    yield from (f"{fault.where}: {fault.what}" for fault in found.faults)
    yield from (f"line {line}: rejected as {code}" for line, code in found.rejections.items())
    yield from (
        f"line {line}: says the same as line {first}, and is one case with it" for line, first in found.identical
    )
    for lines in found.same_ruling:
        yield f"lines {', '.join(map(str, lines))}: one ruling, told in different words; reviewers will be asked"
