"""Commands by which a treasurer tells what the card processor's side was: nothing there waits for ever."""

from datetime import datetime
from typing import Annotated

import typer

from api.client import processor_told as client
from api.commands import output
from api.commands.connection import connect
from api.commands.output import AsJson
from ledger.giving.explanations import What
from ledger.money import Money

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
BOOKED = {"balance_transaction": "Balance transaction", "recipe": "Booked as", "about": "About", "amount": "Amount"}
GIFT = {"alias": "Donation", "state": "State", "fund": "Fund", "amount": "Amount"}
Line = Annotated[str, typer.Option("--exception", help="The exception that the bank's line has opened.")]

disputes = typer.Typer(help="Gifts by card that their giver's bank calls back.")
payouts = typer.Typer(help="Money on its way from the card processor to the bank.")


def add_to(app: typer.Typer, *, refunds: typer.Typer) -> None:
    """Adds the commands to those of donations and of refunds."""
    app.command("explain")(explain_movement)
    refunds.command("answer")(answer_with_refund)
    app.add_typer(disputes, name="disputes", no_args_is_help=True)
    app.add_typer(payouts, name="payouts", no_args_is_help=True)


def explain_movement(
    balance_transaction: Annotated[str, typer.Argument(help="As `donations movements --waiting` shows it.")],
    amount: Annotated[str, typer.Argument(help="Its amount, as shown there; below zero after `--`.")],
    currency: Annotated[str, typer.Argument(help="Its currency.")],
    what: Annotated[What, typer.Argument(help="What it was.")],
    gift: Annotated[str | None, typer.Option(help="The gift that a refund is of.")] = None,
    counted: Annotated[str | None, typer.Option(help="Of it so much, in the gift's currency: 12.50 EUR.")] = None,
    as_json: AsJson = False,
) -> None:
    """Says what a balance transaction was that no recipe books by itself, and books it."""
    of_gift = Money.parse(*_two(counted)) if counted else None
    with connect() as desk:
        booked = client.explain(
            desk,
            balance_transaction,
            amount=Money.parse(amount, currency),
            what=what,
            gift=gift,
            counted=of_gift,
        )
    output.show_table([booked], BOOKED, as_json=as_json)


def answer_with_refund(
    order: Annotated[str, typer.Argument(help="The refund order by bank.")], exception: Line, as_json: AsJson = False
) -> None:
    """Says that a debit of the bank is the payment of a refund by bank, and books it."""
    with connect() as desk:
        paid = client.answer_with_refund(desk, order, exception=exception)
    output.show_table([paid], {"alias": "Order", "amount": "Amount", "state": "State"}, as_json=as_json)


@disputes.command("list")
def list_disputes(as_json: AsJson = False) -> None:
    """Lists disputes, oldest first."""
    with connect() as desk:
        output.show_table(desk.api.get("/v1/disputes")["disputes"], DISPUTES, as_json=as_json)


@disputes.command("lose")
def lose_dispute(
    alias: Annotated[str, typer.Argument(help="The dispute.")],
    on: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day on which it was decided.")],
    as_json: AsJson = False,
) -> None:
    """Says that a dispute is decided for the giver: nothing moves at the processor."""
    with connect() as desk:
        lost = client.lose_dispute(desk, alias, on=on.date().isoformat())
    output.show_table([lost], DISPUTES, as_json=as_json)


@payouts.command("list")
def list_payouts(as_json: AsJson = False) -> None:
    """Lists payouts, oldest first."""
    with connect() as desk:
        output.show_table(desk.api.get("/v1/payouts")["payouts"], PAYOUTS, as_json=as_json)


@payouts.command("answer")
def answer_with_payout(
    payout: Annotated[str, typer.Argument(help="The payout.")], exception: Line, as_json: AsJson = False
) -> None:
    """Says that a credit of the bank is this payout, and books it with the bank's figure."""
    with connect() as desk:
        found = client.answer_with_payout(desk, payout, exception=exception)
    output.show_table([found], PAYOUTS, as_json=as_json)


def _two(counted: str) -> tuple[str, str]:
    amount, _, currency = counted.partition(" ")
    return amount, currency
