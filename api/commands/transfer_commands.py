"""Commands for transfers between funds."""

from typing import Annotated

import typer

from api.client import transfers as client
from api.commands import output
from api.commands.connection import connect
from api.commands.output import AsJson
from ledger.money import Money

app = typer.Typer(help="Money of one fund that becomes another's.", no_args_is_help=True)

COLUMNS = {
    "alias": "Transfer",
    "state": "State",
    "giver": "From",
    "taker": "To",
    "amount": "Amount",
    "consent": "Consent",
    "booked_on": "Booked on",
}


@app.command("list")
def list_transfers(
    state: Annotated[str | None, typer.Option(help="Only transfers in this state.")] = None, as_json: AsJson = False
) -> None:
    """Lists transfers."""
    with connect() as desk:
        output.show_table(client.listed(desk, state=state), COLUMNS, as_json=as_json)


@app.command("request")
def request_transfer(
    giver: Annotated[str, typer.Option(help="The fund that gives.")],
    taker: Annotated[str, typer.Option(help="The fund that takes.")],
    account: Annotated[str, typer.Option(help="The bank leaf where the money is.")],
    amount: Annotated[str, typer.Option(help="How much.")],
    currency: Annotated[str, typer.Option(help="The currency's code.")],
    consent: Annotated[str | None, typer.Option(help="Out of a restricted fund: the gift whose giver agreed.")] = None,
    as_json: AsJson = False,
) -> None:
    """Asks, with your signature, for money of one fund to become another's."""
    with connect() as desk:
        asked = client.request(
            desk, giver=giver, taker=taker, account=account, amount=Money.parse(amount, currency), consent=consent
        )
    output.show_table([asked], COLUMNS, as_json=as_json)


@app.command("approve")
def approve_transfer(alias: Annotated[str, typer.Argument(help="The transfer.")], as_json: AsJson = False) -> None:
    """Gives the second signature, which books it."""
    with connect() as desk:
        answer = client.approve(desk, client.find(desk, alias))
    output.show(answer, as_json=as_json, lines=[f"{alias}: booked"])
