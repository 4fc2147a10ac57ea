"""Commands for gifts by bank: matched, conditional, claimed, sent back, or none at all."""

from typing import Annotated, Any

import typer

from api.client import bank_gifts as client
from api.commands import output
from api.commands.connection import connect
from api.commands.output import AsJson
from ledger.money import Money

GIFT = {"alias": "Donation", "state": "State", "fund": "Fund", "purpose": "Purpose", "amount": "Amount"}
STEPS = {"step": "Step", "amount": "Amount", "fund": "Fund", "about": "About", "taken_by": "By", "taken_on": "Day"}
RETURNS = {
    "alias": "Sent back",
    "donation": "Donation",
    "state": "State",
    "account": "From",
    "amount": "Amount",
    "reference": "The bank sees",
}
GiftAlias = Annotated[str, typer.Argument(help="The donation.")]
ReturnAlias = Annotated[str, typer.Argument(help="What goes back.")]

returns = typer.Typer(help="Gifts that go back from the bank.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Puts the commands beside the others for donations."""
    app.command("match")(match_gift)
    app.command("meet")(meet_condition)
    app.command("unclaimed")(list_unclaimed)
    app.command("claim")(claim_gift)
    app.command("payout")(tell_payout)
    app.command("steps")(list_steps)
    app.add_typer(returns, name="returns")


def match_gift(
    alias: GiftAlias,
    purpose: Annotated[str, typer.Option(help="What it is for.")],
    conditional: Annotated[bool, typer.Option("--conditional", help="It goes back unless a condition is met.")] = False,
    as_json: AsJson = False,
) -> None:
    """Says, with your signature, what an unidentified gift is for."""
    with connect() as desk:
        _show([client.match(desk, alias, purpose=purpose, on_condition=conditional)], GIFT, as_json=as_json)


def meet_condition(
    alias: GiftAlias,
    amount: Annotated[str | None, typer.Option(help="Of how much; of all that is left unless told.")] = None,
    as_json: AsJson = False,
) -> None:
    """Says, with an approver's signature, that the condition of a gift is met."""
    with connect() as desk:
        currency = client.steps_of(desk, alias)["conditional"]["currency"]
        part = Money.parse(amount, currency) if amount else None
        _show([client.meet(desk, alias, part)], GIFT, as_json=as_json)


def list_unclaimed(as_json: AsJson = False) -> None:
    """Lists the unidentified gifts for whose givers nobody waits any longer."""
    with connect() as desk:
        _show(client.unclaimed(desk), GIFT, as_json=as_json)


def claim_gift(alias: GiftAlias, as_json: AsJson = False) -> None:
    """Takes, with your signature, a gift whose giver did not say in time what it is for."""
    with connect() as desk:
        _show([client.claim(desk, alias)], GIFT, as_json=as_json)


def tell_payout(
    alias: GiftAlias,
    payout: Annotated[str, typer.Option(help="The payout's id at the processor.")],
    as_json: AsJson = False,
) -> None:
    """Says, with your signature, that an unidentified gift was a payout of the processor."""
    with connect() as desk:
        _show([client.tell_payout(desk, alias, payout=payout)], GIFT, as_json=as_json)


def list_steps(alias: GiftAlias, as_json: AsJson = False) -> None:
    """Lists what became of a gift."""
    with connect() as desk:
        _show(client.steps_of(desk, alias)["steps"], STEPS, as_json=as_json)


@returns.command("list")
def list_returns(
    state: Annotated[str | None, typer.Option(help="Only those in this state.")] = None, as_json: AsJson = False
) -> None:
    """Lists what goes or went back."""
    with connect() as desk:
        _show(client.returns(desk, state=state), RETURNS, as_json=as_json)


@returns.command("request")
def request_return(
    donation: GiftAlias,
    account: Annotated[str, typer.Option(help="The bank leaf from which it goes back.")],
    amount: Annotated[str, typer.Option(help="How much.")],
    currency: Annotated[str, typer.Option(help="The currency's code.")],
    as_json: AsJson = False,
) -> None:
    """Asks, with your signature, for a gift or a part of it to go back."""
    money = Money.parse(amount, currency)
    with connect() as desk:
        asked = client.request_return(desk, donation=donation, account=account, amount=money)
        _show([asked], RETURNS, as_json=as_json)


@returns.command("approve")
def approve_return(alias: ReturnAlias, as_json: AsJson = False) -> None:
    """Gives the second signature, after which the bank may be told."""
    with connect() as desk:
        answer = client.approve_return(desk, client.find_return(desk, alias))
        told = client.find_return(desk, alias)
    output.show(answer, as_json=as_json, lines=[f"{alias}: {told['state']}, the bank sees {told['reference']}"])


@returns.command("cancel")
def cancel_return(alias: ReturnAlias, as_json: AsJson = False) -> None:
    """Gives up what the bank has not shown."""
    with connect() as desk:
        _show([client.cancel_return(desk, alias)], RETURNS, as_json=as_json)


def _show(rows: list[dict[str, Any]], columns: dict[str, str], *, as_json: bool) -> None:
    output.show_table(rows, columns, as_json=as_json)
