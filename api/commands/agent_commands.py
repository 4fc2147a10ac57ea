"""Commands for agents and their advances."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import typer

from api.client import advances, agents, purses
from api.commands import output
from api.commands.connection import connect
from api.commands.output import DAYS, AsJson
from ledger.errors import BadInput
from ledger.money import Money

agents_app = typer.Typer(help="People who pay on the fund's behalf.", no_args_is_help=True)
advances_app = typer.Typer(help="The fund's money in agents' hands.", no_args_is_help=True)

AGENT_COLUMNS = {
    "alias": "Agent",
    "state": "State",
    "cap": "May hold",
    "exposure": "Holds",
    "cap_lines": "Lines at most",
    "open_lines": "Open",
    "purse": "Purse",
}
ADVANCE_COLUMNS = {
    "alias": "Advance",
    "agent": "Agent",
    "state": "State",
    "amount": "Amount",
    "received": "Received",
    "reference": "The bank sees",
}
EXPOSURE_COLUMNS = {
    "agent": "Agent",
    "state": "State",
    "worth": "Open cash",
    "cap": "May hold",
    "open_lines": "Open lines",
    "courts": "Courts",
    "oldest_days": "Oldest (days)",
    "rejected_receipts": "Rejected",
    "rejected_days": "Since (days)",
}
AgentAlias = Annotated[str, typer.Argument(help="The agent.")]
AdvanceAlias = Annotated[str, typer.Argument(help="The advance.")]
Currency = Annotated[str, typer.Option(help="The currency's code.")]


class BadShare(BadInput):
    """A share is written FUND=AMOUNT."""

    rule = "bad_share"


@agents_app.command("add")
def add_agent(
    cap: Annotated[str, typer.Option(help="The most cash they may hold.")],
    currency: Currency,
    lines: Annotated[int, typer.Option(help="The most lines they may work on.")],
    courts: Annotated[
        int | None, typer.Option(help="The most courts that their open lists may tell of, all together.")
    ] = None,
    list_key: Annotated[str | None, typer.Option(help="The age public key that they gave at vetting.")] = None,
    as_json: AsJson = False,
) -> None:
    """Enters a vetted agent; a second person activates them."""
    with connect() as desk:
        added = agents.add(desk, cap=Money.parse(cap, currency), cap_lines=lines, cap_courts=courts, list_key=list_key)
    output.show_table([added], AGENT_COLUMNS, as_json=as_json)


@agents_app.command("list")
def list_agents(as_json: AsJson = False) -> None:
    """Lists agents, what they hold, and which receipts are wanting."""
    with connect() as desk:
        rows = agents.listed(desk)
    output.show_table(rows, AGENT_COLUMNS, as_json=as_json)
    for row in rows if not as_json else ():
        for one in row["ageing"]:
            amount = f"{one['amount']['amount']} {one['amount']['currency']}"
            output.screen.print(f"  {row['alias']}: receipt {one['receipt']} since {one['paid_by']}, {amount}")


@agents_app.command("activate")
def activate_agent(
    alias: AgentAlias,
    list_key: Annotated[str | None, typer.Option(help="The agent's key as they told it, to be compared.")] = None,
    as_json: AsJson = False,
) -> None:
    """Gives the second signature on an agent, their caps and the key that their lists are sealed to."""
    with connect() as desk:
        agent = agents.find(desk, alias)
        answer = agents.activate(desk, agent, list_key=list_key)
    output.show(
        answer, as_json=as_json, lines=[f"{alias}: active, lists are sealed to {agent['list_key'] or 'nobody'}"]
    )


@agents_app.command("freeze")
def freeze_agent(alias: AgentAlias, as_json: AsJson = False) -> None:
    """Stops everything that was not released to an agent yet, at once."""
    with connect() as desk:
        answer = agents.freeze(desk, agents.find(desk, alias))
    output.show_table([answer], AGENT_COLUMNS, as_json=as_json)


@agents_app.command("compromise")
def compromise_agent(alias: AgentAlias, as_json: AsJson = False) -> None:
    """Freezes an agent for good and removes their lists: others may know what they know."""
    with connect() as desk:
        answer = agents.compromise(desk, agents.find(desk, alias))
    output.show_table([answer], AGENT_COLUMNS, as_json=as_json)


@agents_app.command("exposure")
def show_exposure(as_json: AsJson = False) -> None:
    """Shows what is at stake with each agent: cash, lines, courts, ages. No names."""
    with connect() as desk:
        output.show_table(agents.exposures(desk), EXPOSURE_COLUMNS, as_json=as_json)


@agents_app.command("cases")
def list_known_cases(alias: AgentAlias, as_json: AsJson = False) -> None:
    """Lists the cases that an agent knows, open ones first: whom to warn when the agent is in danger."""
    with connect() as desk:
        rows = agents.cases_known(desk, alias)
    output.show_table(rows, {"case": "Case", "batch": "List", "open": "Open"}, as_json=as_json)


@agents_app.command("close")
def close_agent(alias: AgentAlias, as_json: AsJson = False) -> None:
    """Ends the work with an agent who holds nothing and is owed nothing."""
    with connect() as desk:
        answer = agents.close(desk, agents.find(desk, alias))
    output.show_table([answer], AGENT_COLUMNS, as_json=as_json)


@advances_app.command("list")
def list_advances(
    state: Annotated[str | None, typer.Option(help="Only advances in this state.")] = None, as_json: AsJson = False
) -> None:
    """Lists advances."""
    with connect() as desk:
        _show(advances.listed(desk, state=state), as_json=as_json)


@advances_app.command("request")
def request_advance(
    agent: Annotated[str, typer.Option(help="The agent.")],
    account: Annotated[str, typer.Option(help="The bank leaf to send from.")],
    currency: Currency,
    share: Annotated[list[str], typer.Argument(help="FUND=AMOUNT, once for each fund.")],
    as_json: AsJson = False,
) -> None:
    """Asks for money to be sent to an agent."""
    with connect() as desk:
        shares = read_shares(share, currency)
        _show([advances.request(desk, agent=agent, account=account, shares=shares)], as_json=as_json)


@advances_app.command("approve")
def approve_advance(alias: AdvanceAlias, as_json: AsJson = False) -> None:
    """Gives the second signature on an advance."""
    with connect() as desk:
        answer = advances.approve(desk, advances.find(desk, alias))
    output.show(answer, as_json=as_json, lines=[f"{alias}: approved"])


@advances_app.command("release")
def release_advance(alias: AdvanceAlias, as_json: AsJson = False) -> None:
    """Releases an approved advance and shows what the bank sees."""
    with connect() as desk:
        _show([advances.release(desk, advances.find(desk, alias))], as_json=as_json)


@advances_app.command("cancel")
def cancel_advance(alias: AdvanceAlias, as_json: AsJson = False) -> None:
    """Gives up an advance of which the bank was not told."""
    with connect() as desk:
        _show([advances.cancel(desk, alias)], as_json=as_json)


@advances_app.command("acknowledge")
def acknowledge_advance(
    alias: AdvanceAlias,
    received: Annotated[str, typer.Option(help="What the agent really received.")],
    currency: Currency,
    on: Annotated[datetime, typer.Option(formats=DAYS, help="The day they received it.")],
    as_json: AsJson = False,
) -> None:
    """Enters what the agent really received, in their own currency."""
    with connect() as desk:
        money = Money.parse(received, currency)
        _show([advances.acknowledge(desk, alias, received=money, on=on.date())], as_json=as_json)


@advances_app.command("return")
def return_unspent(
    alias: AdvanceAlias,
    stands_for: Annotated[str, typer.Option(help="What leaves the agent's purse.")],
    currency: Currency,
    as_json: AsJson = False,
) -> None:
    """Draws the reference under which unspent money comes back to the bank."""
    with connect() as desk:
        answer = advances.give_back(desk, advances.find(desk, alias), stands_for=Money.parse(stands_for, currency))
    references = [one["reference"] for one in answer["returns"] if one["received_on"] is None]
    output.show(answer, as_json=as_json, lines=[f"{alias}: comes back under {reference}" for reference in references])


@advances_app.command("withdraw-return")
def withdraw_return(
    alias: AdvanceAlias,
    reference: Annotated[str, typer.Option(help="The reference under which it was to come.")],
    as_json: AsJson = False,
) -> None:
    """Takes an announced return back."""
    with connect() as desk:
        _show([advances.withdraw_return(desk, alias, reference=reference)], as_json=as_json)


@advances_app.command("confirm-returns")
def confirm_returns(as_json: AsJson = False) -> None:
    """Gives the second signature on returns that came far from the rate, or after they were withdrawn."""
    with connect() as desk:
        waiting = purses.waiting_returns(desk)
        for one in waiting:
            purses.confirm_return(desk, one)
    output.show({"confirmed": len(waiting)}, as_json=as_json, lines=[f"{len(waiting)} returns confirmed"])


def read_shares(texts: Sequence[str], currency: str) -> dict[str, Money]:
    """What each fund has, from texts such as `fines=700.00`.

    Raises:
        BadShare: a text is another, or a fund is told twice. BadAmount, BadCurrency: see `Money.parse`.
    """
    shares: dict[str, Money] = {}
    for text in texts:
        fund, equals, amount = text.partition("=")
        if not equals or fund in shares:
            raise BadShare("a share is written FUND=AMOUNT, once for each fund", where="share")
        shares[fund] = Money.parse(amount, currency)
    return shares


def _show(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    output.show_table(rows, ADVANCE_COLUMNS, as_json=as_json)
