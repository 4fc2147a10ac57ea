"""Commands for outlays: what agents laid out of their own, and is repaid from a bank leaf."""

from typing import Annotated

import typer

from api.client import outlays
from api.client.outlays import Payee
from api.commands import output
from api.commands.connection import connect
from api.commands.output import AsJson
from ledger.money import Money

app = typer.Typer(help="What agents laid out of their own, repaid from a bank leaf.", no_args_is_help=True)

COLUMNS = {
    "alias": "Repayment",
    "agent": "Agent",
    "state": "State",
    "amount": "Leaves",
    "settles": "Settles",
    "fund": "Fund",
    "reference": "Reference",
    "paid_on": "Paid",
}

Agent = Annotated[str, typer.Argument(help="The agent.")]
Repayment = Annotated[str, typer.Argument(help="The repayment.")]


@app.command("list")
def list_repayments(agent: Agent, as_json: AsJson = False) -> None:
    """Lists what was, or is to be, repaid to an agent."""
    with connect() as desk:
        output.show_table(outlays.listed(desk, agent), COLUMNS, as_json=as_json)


@app.command("request")
def request_repayment(
    agent: Agent,
    account: Annotated[str, typer.Option(help="The bank leaf that it leaves from.")],
    fund: Annotated[str, typer.Option(help="The fund that owes it.")],
    amount: Annotated[str, typer.Option(help="What leaves.")],
    currency: Annotated[str, typer.Option(help="In which currency.")],
    settles: Annotated[str | None, typer.Option(help="What is owed no more by it, in another currency.")] = None,
    settles_currency: Annotated[str | None, typer.Option(help="Which currency that is.")] = None,
    payee_name: Annotated[
        str | None, typer.Option(help="Who the bank is to pay, sealed here: for a payment file.")
    ] = None,
    payee_account: Annotated[str | None, typer.Option(help="Their account, sealed here.")] = None,
    as_json: AsJson = False,
) -> None:
    """Asks for an agent's outlay to be repaid."""
    payee = Payee(payee_name, payee_account or "") if payee_name is not None else None
    owed = Money.parse(settles, settles_currency or "") if settles is not None else None
    with connect() as desk:
        asked = outlays.request(
            desk,
            agent,
            fund=fund,
            account=account,
            amount=Money.parse(amount, currency),
            settles=owed,
            payee=payee,
        )
    output.show_table([asked], COLUMNS, as_json=as_json)


@app.command("approve")
def approve_repayment(agent: Agent, repayment: Repayment, as_json: AsJson = False) -> None:
    """Gives the second signature on a repayment."""
    with connect() as desk:
        outlays.approve(desk, outlays.find(desk, agent, repayment))
        output.show_table([outlays.find(desk, agent, repayment)], COLUMNS, as_json=as_json)


@app.command("cancel")
def cancel_repayment(agent: Agent, repayment: Repayment, as_json: AsJson = False) -> None:
    """Gives up a repayment that the bank has not shown."""
    with connect() as desk:
        output.show_table([outlays.cancel(desk, outlays.find(desk, agent, repayment))], COLUMNS, as_json=as_json)
