"""Commands that show what the card processor holds or has sent."""

import typer

from api.commands import output
from api.commands.connection import connect
from api.commands.output import AsJson

DISPUTES = {
    "alias": "Dispute",
    "donation": "Donation",
    "state": "State",
    "amount": "Amount",
    "fee": "Fee",
    "opened_on": "Opened",
}
PAYOUTS = {
    "id": "Payout",
    "state": "State",
    "amount": "Amount",
    "arriving": "At the bank",
    "created_on": "Left",
    "paid_on": "Seen",
    "failed_on": "Failed",
}
disputes = typer.Typer(help="Gifts by card that their giver's bank calls back.")
payouts = typer.Typer(help="Money on its way from the card processor to the bank.")


def add_to(app: typer.Typer) -> None:
    """Adds the commands to those of donations."""
    app.add_typer(disputes, name="disputes", no_args_is_help=True)
    app.add_typer(payouts, name="payouts", no_args_is_help=True)


@disputes.command("list")
def list_disputes(as_json: AsJson = False) -> None:
    """Lists disputes, oldest first."""
    with connect() as desk:
        output.show_table(desk.api.get("/v1/disputes")["disputes"], DISPUTES, as_json=as_json)


@payouts.command("list")
def list_payouts(as_json: AsJson = False) -> None:
    """Lists payouts, oldest first."""
    with connect() as desk:
        output.show_table(desk.api.get("/v1/payouts")["payouts"], PAYOUTS, as_json=as_json)
