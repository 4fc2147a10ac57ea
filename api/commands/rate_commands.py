"""Commands for exchange rates."""

from pathlib import Path
from typing import Annotated

import typer

from api.client import rates as client
from api.commands import output
from api.commands.connection import connect
from api.commands.files import read_file
from api.commands.output import AsJson

app = typer.Typer(help="Exchange rates: added, never changed.", no_args_is_help=True)


@app.command("import")
def import_rates(
    file: Annotated[Path, typer.Argument(help="A CSV file with the columns currency,on,rate,source.")],
    as_json: AsJson = False,
) -> None:
    """Adds the rates of a file, all or none; a day's later rate corrects the one before."""
    rows = client.read(read_file(file))
    with connect() as desk:
        answer = client.add(desk, rows)
    output.show(answer, as_json=as_json, lines=[f"{answer['told']} rates read, {answer['added']} of them new."])


@app.command("list")
def list_rates(
    currency: Annotated[str | None, typer.Option(help="One currency only.")] = None, as_json: AsJson = False
) -> None:
    """Shows what one unit of each currency is worth, by day; of several versions the highest counts."""
    with connect() as desk:
        rows = list(client.listed(desk, currency=currency))
    columns = {"currency": "Currency", "on": "Day", "rate": "Rate", "source": "Source", "version": "Version"}
    output.show_table(rows, columns, as_json=as_json)
