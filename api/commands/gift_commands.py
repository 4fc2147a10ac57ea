"""Commands for single gifts: those without a purpose, the decision that gives them one, and what became of each."""

from typing import Annotated

import typer

from api.client import gifts as client
from api.commands import output
from api.commands.connection import connect
from api.commands.output import AsJson

WAITING = {
    "alias": "Donation",
    "source": "Source",
    "state": "State",
    "amount": "Amount",
    "refunded": "Refunded",
    "received_on": "Received",
}
EVENTS = {
    "on": "Day",
    "kind": "What happened",
    "amount": "Amount",
    "fund": "Fund",
    "out_of": "Out of",
    "transfer": "Transfer",
}


def list_unassigned(as_json: AsJson = False) -> None:
    """Lists the gifts whose purpose nobody has said yet, oldest first."""
    with connect() as desk:
        output.show_table(client.unassigned(desk), WAITING, as_json=as_json)


def assign_gift(
    alias: Annotated[str, typer.Argument(help="The gift.")],
    purpose: Annotated[str, typer.Option(help="What it was given for.")],
    account: Annotated[str, typer.Option(help="The leaf where its money is now.")],
    as_json: AsJson = False,
) -> None:
    """Says, with your signature, what a gift was given for; this is said once."""
    with connect() as desk:
        answer = client.assign(desk, alias, purpose=purpose, account=account)
    output.show(answer, as_json=as_json, lines=[f"{alias}: {answer['purpose']}, fund {answer['fund']}"])


def show_history(alias: Annotated[str, typer.Argument(help="The gift.")], as_json: AsJson = False) -> None:
    """Shows what became of a gift, oldest first."""
    with connect() as desk:
        told = client.history(desk, alias)
    if as_json:
        output.show(told, as_json=True, lines=[])
    else:
        output.show_table(told["events"], EVENTS, as_json=False)


def add_to(app: typer.Typer) -> None:
    """Adds them to the commands for donations."""
    app.command("unassigned")(list_unassigned)
    app.command("assign")(assign_gift)
    app.command("history")(show_history)
