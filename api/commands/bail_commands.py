"""Commands for bail: what courts hold, by age, hearings, and what becomes of it."""

from datetime import datetime
from typing import Annotated, Any

import typer

from api.client import bail
from api.commands import output
from api.commands.connection import connect
from api.commands.output import DAYS, AsJson

app = typer.Typer(help="Bail that courts hold: heard, returned, applied to a fine, forfeited.", no_args_is_help=True)

COLUMNS = {
    "obligation": "Bail",
    "case": "Case",
    "outstanding": "The court holds",
    "announced": "To come back",
    "posted_on": "Posted",
    "group": "Age",
    "last_hearing": "Last hearing",
    "next_hearing": "Next hearing",
}

Bail = Annotated[str, typer.Argument(help="The bail, an obligation's alias as `bail list` shows it.")]


@app.command("list")
def show_ages(as_json: AsJson = False) -> None:
    """Shows what courts hold of posted bail, the oldest first."""
    with connect() as desk:
        rows = bail.listed(desk)
    told = [row | {name: _amount(row[name]) for name in ("outstanding", "announced")} for row in rows]
    output.show_table(rows if as_json else told, COLUMNS, as_json=as_json)


@app.command("hearing")
def note_hearing(
    alias: Bail,
    on: Annotated[datetime, typer.Option(formats=DAYS, help="The day of the hearing.")],
    as_json: AsJson = False,
) -> None:
    """Notes a day on which the court hears the case."""
    with connect() as desk:
        noted = bail.note_hearing(desk, alias, on=on.date())
    output.show(noted, as_json=as_json, lines=[f"{alias}: heard by {noted['held_by']}"])


@app.command("return")
def announce_return(
    alias: Bail,
    amount: Annotated[str, typer.Option(help="How much of the bail comes back, the fee with it.")],
    fee: Annotated[str, typer.Option(help="What the court keeps of that as its fee.")] = "0",
    as_json: AsJson = False,
) -> None:
    """Announces that bail comes back, and draws the reference that the court's payment is to carry."""
    with connect() as desk:
        announced = bail.announce_return(desk, alias, amount=amount, fee=fee)
    said = f"{alias}: {_amount(announced['arrives'])} to come as {announced['reference']}"
    output.show(announced, as_json=as_json, lines=[said])


@app.command("withdraw-return")
def withdraw_return(
    alias: Bail,
    reference: Annotated[str, typer.Argument(help="The reference that was drawn for it.")],
    as_json: AsJson = False,
) -> None:
    """Takes an announced return back: the court sends nothing so, or decided otherwise."""
    with connect() as desk:
        withdrawn = bail.withdraw_return(desk, alias, reference)
    output.show(
        withdrawn, as_json=as_json, lines=[f"{alias}: {_amount(withdrawn['amount'])} is not announced any more"]
    )


@app.command("apply")
def apply_bail(
    alias: Bail,
    to: Annotated[str, typer.Option(help="The case whose recognised fine or fee the court counts it against.")],
    amount: Annotated[
        str | None, typer.Option(help="A part of it, as 400.00; all that is not paid unless given.")
    ] = None,
    obligation: Annotated[str | None, typer.Option(help="Which one, when the case owes several sums.")] = None,
    as_json: AsJson = False,
) -> None:
    """Opens both cases here and signs that the court counts bail as the payment of a fine, or of a part."""
    with connect() as desk:
        part = bail.apply(desk, alias, to=to, amount=amount, obligation=obligation)
    _show_part(part, as_json=as_json)


@app.command("forfeit")
def forfeit_bail(
    alias: Bail,
    amount: Annotated[str, typer.Option(help="How much of the bail the court keeps.")],
    as_json: AsJson = False,
) -> None:
    """Opens the case here and signs that the court keeps a part of the bail for good, or all of it."""
    with connect() as desk:
        part = bail.forfeit(desk, alias, amount=amount)
    _show_part(part, as_json=as_json)


def _show_part(part: dict[str, Any], *, as_json: bool) -> None:
    left = _amount(part["outstanding"])
    said = f"{part['obligation']}: {_amount(part['amount'])} {part['fate']}, the court holds {left}"
    output.show(part, as_json=as_json, lines=[said])


def _amount(told: dict[str, str]) -> str:
    return f"{told['amount']} {told['currency']}"
