"""Commands for agents' purses: what moved in them, and what two people decide."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from api.client import purses
from api.commands import output
from api.commands.connection import connect
from api.commands.output import DAYS, AsJson
from ledger.money import Money

app = typer.Typer(help="What moves in agents' purses beside claims and returns.", no_args_is_help=True)

COLUMNS = {
    "alias": "Movement",
    "agent": "Agent",
    "what": "What",
    "state": "State",
    "amount": "Amount",
    "happened_on": "On",
    "agreed_by": "Agreed by",
}


class Loss(StrEnum):
    """How money went."""

    SEIZED = "seized"
    LOST = "lost"


class Move(StrEnum):
    """What else moves."""

    CONVERTED = "converted"
    HANDED_OVER = "handed_over"
    FEE = "fee"
    SET_OFF = "set_off"
    RECOVERED = "recovered"


Agent = Annotated[str, typer.Argument(help="The agent.")]
On = Annotated[datetime, typer.Option(formats=DAYS, help="The day it happened.")]
Currency = Annotated[str, typer.Option(help="The currency's code.")]


@app.command("list")
def list_movements(agent: Agent, as_json: AsJson = False) -> None:
    """Lists what moved, and what waits for a second person."""
    with connect() as desk:
        output.show_table(purses.listed(desk, agent), COLUMNS, as_json=as_json)


@app.command("seize")
def seize(
    agent: Agent,
    on: On,
    amount: Annotated[str | None, typer.Option(help="How much of the purse; none for an advance on its way.")] = None,
    currency: Annotated[str | None, typer.Option(help="The currency's code.")] = None,
    advance: Annotated[str | None, typer.Option(help="An advance that was on its way.")] = None,
    what: Annotated[Loss, typer.Option(help="Whether it was seized, which freezes the agent, or lost.")] = Loss.SEIZED,
    as_json: AsJson = False,
) -> None:
    """Tells, with your signature, what was seized from an agent, or lost."""
    money = Money.parse(amount, currency or "") if amount is not None else None
    with connect() as desk:
        told = purses.seize(desk, agent, on=on.date(), amount=money, advance=advance, what=what.value)
    output.show_table([told], COLUMNS, as_json=as_json)


@app.command("tell")
def tell(
    agent: Agent,
    what: Annotated[Move, typer.Argument(help="What moved, or is to move.")],
    amount: Annotated[str, typer.Option(help="How much.")],
    currency: Currency,
    on: On,
    bought: Annotated[str | None, typer.Option(help="What a conversion brought, such as 25.00.")] = None,
    bought_currency: Annotated[str | None, typer.Option(help="In which currency.")] = None,
    taker: Annotated[str | None, typer.Option(help="The agent to whom it is handed over.")] = None,
    loss: Annotated[str | None, typer.Option(help="The seizure or loss that came back.")] = None,
    fund: Annotated[str | None, typer.Option(help="The fund that bears a fee.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tells, with your signature, of a fact, which is booked, or of a decision, which waits for a second person."""
    came = Money.parse(bought, bought_currency or "") if bought is not None else None
    more = {"bought": came, "taker": taker, "loss": loss, "fund": fund}
    with connect() as desk:
        told = purses.move(desk, agent, what=what.value, amount=Money.parse(amount, currency), on=on.date(), **more)
    output.show_table([told], COLUMNS, as_json=as_json)


@app.command("approve")
def approve(
    agent: Agent, movement: Annotated[str, typer.Argument(help="The movement.")], as_json: AsJson = False
) -> None:
    """Gives the second signature on a movement."""
    with connect() as desk:
        found = purses.find(desk, agent, movement)
        answer = purses.approve(desk, found)
    output.show(answer, as_json=as_json, lines=[f"{movement}: booked"])


@app.command("withdraw")
def withdraw(
    agent: Agent, movement: Annotated[str, typer.Argument(help="The movement.")], as_json: AsJson = False
) -> None:
    """Takes back what waits for a second person."""
    with connect() as desk:
        found = purses.find(desk, agent, movement)
        answer = purses.withdraw(desk, found)
    output.show_table([answer], COLUMNS, as_json=as_json)
