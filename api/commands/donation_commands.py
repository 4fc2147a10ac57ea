"""Commands for donations."""

from pathlib import Path
from typing import Annotated, Any

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
    "refunded": "Refunded",
    "received_on": "Received",
}
BOOKED = {
    "recipe": "Booked as",
    "reason": "Waits because",
    "about": "About",
    "fund": "Fund",
    "amount": "Amount",
    "fee": "Fee",
    "replayed": "Known before",
}


@app.command("import")
def import_movements(
    file: Annotated[Path, typer.Argument(help="Balance transactions as the processor's API lists them (JSON).")],
    balance: Annotated[
        Path | None, typer.Option(help="The balance as the processor's API tells it after them (JSON).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Books gifts, refunds, disputes, payouts and fees from the processor's balance transactions, each once."""
    with connect() as desk:
        rows = donations.send(desk, read_file(file), balance=read_file(balance) if balance else None)
    output.show_table(rows, BOOKED, as_json=as_json)


MOVEMENTS = {
    "balance_transaction": "Balance transaction",
    "category": "Category",
    "created_on": "Day",
    "amount": "Amount",
    "fee": "Fee",
    "state": "State",
    "recipe": "Booked as",
    "reason": "Waits because",
    "awaits": "Waits for",
}


@app.command("movements")
def list_movements(
    waiting: Annotated[bool, typer.Option("--waiting", help="Only those that are not booked yet.")] = False,
    as_json: AsJson = False,
) -> None:
    """Lists the processor's balance transactions with what became of each, oldest first."""
    with connect() as desk:
        answer = desk.api.get("/v1/movements", waiting=str(waiting).lower())
    output.show_table([*answer["movements"], *map(_unread, answer["unread"])], MOVEMENTS, as_json=as_json)


def _unread(told: dict[str, Any]) -> dict[str, Any]:
    """One in a currency that nobody knows, among those that wait: its units are not known to be cents."""
    units = {name: f"{told[part]} units {told['currency']}" for name, part in (("amount", "gross"), ("fee", "fee"))}
    return told | units | {"state": "waiting", "reason": "unknown_currency", "recipe": None, "awaits": None}


@app.command("list")
def list_donations(as_json: AsJson = False) -> None:
    """Lists all donations, oldest first."""
    with connect() as desk:
        rows = desk.api.get("/v1/donations")["donations"]
    output.show_table(rows, COLUMNS, as_json=as_json)
