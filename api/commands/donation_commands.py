"""Commands for donations."""

from pathlib import Path
from typing import Annotated

import typer

from api.client import donations
from api.commands import output
from api.commands.connection import connect
from api.commands.files import read_file
from api.commands.output import AsJson

app = typer.Typer(help="Gifts by card and bank.", no_args_is_help=True)

COLUMNS = {
    "alias": "Donation",
    "source": "Source",
    "state": "State",
    "fund": "Fund",
    "amount": "Amount",
    "fee": "Fee",
    "received_on": "Received",
}


@app.command("import")
def import_movements(
    file: Annotated[Path, typer.Argument(help="Balance transactions as the processor's API lists them (JSON).")],
    as_json: AsJson = False,
) -> None:
    """Books card gifts from the processor's balance transactions, each once."""
    with connect() as desk:
        rows = donations.send(desk, read_file(file))
    output.show_table(rows, COLUMNS, as_json=as_json)


@app.command("list")
def list_donations(as_json: AsJson = False) -> None:
    """Lists all donations, oldest first."""
    with connect() as desk:
        rows = desk.api.get("/v1/donations")["donations"]
    output.show_table(rows, COLUMNS, as_json=as_json)
