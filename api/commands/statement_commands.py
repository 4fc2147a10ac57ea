"""Commands for bank statements."""

from pathlib import Path
from typing import Annotated

import typer

from api.client import statements
from api.client.bank_files import detection
from api.client.bank_files.lines import as_json as file_as_json
from api.commands import output
from api.commands.connection import connect
from api.commands.files import read_file
from api.commands.output import AsJson

app = typer.Typer(help="Bank statements.", no_args_is_help=True)


@app.command("read")
def read_statement(
    file: Annotated[Path, typer.Argument(help="A bank's file.")],
    form: Annotated[str | None, typer.Option("--format", help="The format it must have, such as camt.053.")] = None,
    as_json: AsJson = False,
) -> None:
    """Reads a bank's file and shows its lines: no database, nothing sent."""
    read = detection.read(read_file(file), format=form)
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
    file: Annotated[Path, typer.Argument(help="A bank's file.")],
    account: Annotated[str, typer.Option(help="The bank leaf it is of.")],
    as_json: AsJson = False,
) -> None:
    """Reads a bank's file here, seals what names anybody, sends the lines, and shows what they answered."""
    with connect() as desk:
        answers = statements.send(desk, read_file(file), account=account)
    said = [f"{one['fresh']} new lines, {one['booked']} of them booked." for one in answers]
    output.show(answers, as_json=as_json, lines=said)
