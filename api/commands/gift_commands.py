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


def assign_gifts(
    aliases: Annotated[list[str], typer.Argument(help="The gifts.")],
    purpose: Annotated[str, typer.Option(help="What they were given for.")],
    account: Annotated[str, typer.Option(help="The leaf where their money is now.")],
    as_json: AsJson = False,
) -> None:
    """Says, with your signature on each, what gifts were given for; this is said once. The first refusal ends it."""
    assigned = []
    with connect() as desk:
        for alias in dict.fromkeys(aliases):
            answer = client.assign(desk, alias, purpose=purpose, account=account)
            assigned.append({"donation": alias, **answer})
    lines = [f"{one['donation']}: {one['purpose']}, fund {one['fund']}" for one in assigned]
    output.show(assigned[0] if len(assigned) == 1 else {"assigned": assigned}, as_json=as_json, lines=lines)


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
    app.command("assign")(assign_gifts)
    app.command("history")(show_history)
