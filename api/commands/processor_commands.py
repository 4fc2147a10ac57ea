"""Commands at the card processor: pulling what moved, and refunds that two people signed."""

from collections import Counter
from datetime import date
from typing import Annotated

import typer

from api import pulling, refunding, settings
from api.client import refund_orders
from api.commands import output
from api.commands.administration import at_the_database
from api.commands.connection import connect
from api.commands.output import AsJson
from api.stripe_link import Link
from ledger.money import Money
from ledger.storage import schema

ORDERS = {
    "alias": "Order",
    "donation": "Donation",
    "amount": "Amount",
    "state": "State",
    "requested_by": "Asked",
    "approved_by": "Agreed",
    "refund": "Refund",
    "account": "By bank from",
}
OUTCOMES = {"order": "Order", "state": "State", "rule": "Refused by"}
OrderAlias = Annotated[str, typer.Argument(help="The refund order.")]

refunds = typer.Typer(help="Gifts by card that go back: two people sign, a job tells the processor.")


def add_to(app: typer.Typer) -> None:
    """Adds the commands to those of donations."""
    app.command("pull")(pull_movements)
    app.add_typer(refunds, name="refunds", no_args_is_help=True)


def pull_movements(
    since: Annotated[
        str | None, typer.Option(metavar="DAY", help="From this day on, whatever was pulled before.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Books what moved at the card processor since the last pull; needs the server's database and the pulling key."""
    configured, server = settings.load_for_processor(), settings.load()
    with (
        at_the_database(server) as engine,
        Link(configured.key_to_pull(), base=configured.address) as link,
    ):
        schema.require_current(engine)
        day = date.fromisoformat(since) if since else None
        new = pulling.pull(engine, link, now=server.now(), since=day)
    by_recipe = Counter(one.recipe for one in new)
    lines = [f"{count:>6}  {recipe}" for recipe, count in sorted(by_recipe.items())]
    output.show({"booked": len(new), "by_recipe": dict(by_recipe)}, as_json=as_json, lines=lines or ["nothing new"])


@refunds.command("list")
def list_orders(
    state: Annotated[str | None, typer.Option(help="Only orders in this state.")] = None, as_json: AsJson = False
) -> None:
    """Lists refund orders and how they stand."""
    with connect() as desk:
        output.show_table(refund_orders.listed(desk, state=state), ORDERS, as_json=as_json)


@refunds.command("request")
def request_refund(
    donation: Annotated[str, typer.Argument(help="The gift.")],
    amount: Annotated[str, typer.Argument(help="How much goes back.")],
    currency: Annotated[str, typer.Argument(help="In the currency of the gift.")],
    account: Annotated[
        str | None,
        typer.Option("--by-bank", help="From this leaf of the bank, what could not go by card."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Asks for a gift by card, or a part of it, to go back: the first signature."""
    with connect() as desk:
        asked = refund_orders.request(desk, donation=donation, amount=Money.parse(amount, currency), account=account)
    output.show_table([asked], ORDERS, as_json=as_json)


@refunds.command("approve")
def approve_refund(alias: OrderAlias, as_json: AsJson = False) -> None:
    """Agrees to what another person asked for: the second signature."""
    with connect() as desk:
        refund_orders.approve(desk, refund_orders.find(desk, alias))
        order = refund_orders.find(desk, alias)
    output.show_table([order], ORDERS, as_json=as_json)


@refunds.command("withdraw")
def withdraw_refund(alias: OrderAlias, as_json: AsJson = False) -> None:
    """Gives up an order that was not sent."""
    with connect() as desk:
        output.show_table([refund_orders.withdraw(desk, alias)], ORDERS, as_json=as_json)


@refunds.command("send")
def send_refunds(as_json: AsJson = False) -> None:
    """Carries out signed orders, and asks how the earlier ones stand; needs the database and the refunding key."""
    configured, server = settings.load_for_processor(), settings.load()
    with (
        at_the_database(server) as engine,
        Link(configured.key_to_refund(), base=configured.address) as link,
    ):
        schema.require_current(engine)
        outcomes = refunding.carry_out(engine, link, now=server.now())
    rows = [{"order": one.order, "state": one.state, "rule": one.rule} for one in outcomes]
    output.show_table(rows, OUTCOMES, as_json=as_json)
