"""Commands for bank statements."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from api.client import statements
from api.client.bank_files import detection, profiles
from api.client.bank_files.lines import as_json as file_as_json
from api.client.desk import Desk
from api.commands import folders, output
from api.commands.connection import connect
from api.commands.files import read_file
from api.commands.output import AsJson

Format = Annotated[
    str | None,
    typer.Option("--format", help="The format it must have: camt.053, mt940, csv.dkb, or camt for any of them."),
]
ProfileFile = Annotated[Path | None, typer.Option(help="A profile of your own for a table: a TOML file.")]
Currency = Annotated[str | None, typer.Option(help="The currency of a table that does not say its own.")]
Number = Annotated[
    str | None,
    typer.Option(help="The number of the leaf's account, as the bank writes it: with its first file, or to choose."),
]

app = typer.Typer(help="Bank statements.", no_args_is_help=True)


@app.command("read")
def read_statement(
    file: Annotated[Path, typer.Argument(help="A bank's file.")],
    form: Format = None,
    profile: ProfileFile = None,
    currency: Currency = None,
    as_json: AsJson = False,
) -> None:
    """Reads a bank's file and shows its lines: no database, nothing sent."""
    read = detection.read(read_file(file), format=form, profile=_read_profile(profile), currency=currency)
    said = []
    for number, statement in enumerate(read.statements, start=1):
        adds_up = {True: "adds up", False: "DOES NOT ADD UP", None: "cannot be added up"}[statement.adds_up]
        said.append(
            f"Statement {number}: {len(statement.entries)} lines, {statement.currency or 'no currency'}, "
            f"opening {statement.opening or 'missing'}, closing {statement.closing or 'missing'}, {adds_up}"
        )
        said += [
            f"  {entry.booked_on}  {entry.amount.decimal():>16} {entry.amount.currency}  {entry.status}"
            for entry in statement.entries
        ]
    said += [f"Problem, {problem.where}: {problem.what}" for problem in read.problems]
    output.show(file_as_json(read), as_json=as_json, lines=said)


@app.command("import")
def import_statement(
    file: Annotated[Path, typer.Argument(metavar="FILE|DIR", help="A bank's file, or a folder of such files.")],
    account: Annotated[str, typer.Option(help="The bank leaf it is of.")],
    form: Format = None,
    profile: ProfileFile = None,
    currency: Currency = None,
    number: Number = None,
    watch: folders.Watch = False,  # a flag
    pause: folders.Pause = 30.0,
    looks: folders.Looks = None,
    as_json: AsJson = False,
) -> None:
    """Reads a bank's file here, seals what names anybody, sends the lines, and shows what they answered."""
    own = _read_profile(profile)

    def send(desk: Desk, path: Path) -> list[dict[str, Any]]:
        data = read_file(path)
        return statements.send(
            desk,
            data,
            account=account,
            format=form,
            profile=own,
            currency=currency,
            number=number,
            must_say_first=True,
        )

    with connect() as desk:
        folders.take(file, partial(send, desk), say=_said, watch=watch, pause=pause, looks=looks, as_json=as_json)


def _said(one: dict[str, Any]) -> str:
    if "left_out" in one:
        return f"Left for another account: {one['lines']} lines in {one['left_out'] or 'no currency'}."
    if "problem" in one:
        return f"Problem, {one['where']}: {one['problem']}"
    at_zero = f" {one['at_zero']} lines of zero were not sent: they move nothing." if "at_zero" in one else ""
    return f"{one['fresh']} new lines, {one['booked']} of them booked.{at_zero}"


def _read_profile(file: Path | None) -> profiles.Profile | None:
    return None if file is None else profiles.parse(read_file(file))
