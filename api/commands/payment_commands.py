"""Commands for disbursements: asked for, approved, released."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from api.client import cases, payments
from api.client.desk import Desk
from api.commands import output
from api.commands.connection import connect
from api.commands.output import AsJson, Steps
from ledger.aid.disbursements import Payee

app = typer.Typer(help="Money leaving for one obligation each.", no_args_is_help=True)

COLUMNS = {"alias": "Disbursement", "case": "Case", "state": "State", "amount": "Amount", "reference": "The bank sees"}


@app.command("list")
def list_disbursements(
    state: Annotated[str, typer.Option(help="requested, approved, released, paid or returned.")],
    as_json: AsJson = False,
) -> None:
    """Lists disbursements in a state."""
    with connect() as desk:
        rows = list(payments.listed(desk, state=state))
    output.show_table(rows, COLUMNS, as_json=as_json)


@app.command("request")
def request_disbursements(
    account: Annotated[str, typer.Option(help="The bank leaf to pay from.")],
    case: Annotated[list[str] | None, typer.Argument(help="The cases; all verified ones unless given.")] = None,
    to: Annotated[Payee, typer.Option(help="Who receives the money.")] = Payee.AUTHORITY,
    amount: Annotated[
        str | None, typer.Option(help="A part of what one case owes, as 400.00; all that is left unless given.")
    ] = None,
    obligation: Annotated[
        str | None, typer.Option(help="Which one, when the case owes several sums; each of them unless given.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Asks for the obligations of verified cases to be paid, or a part of one."""
    if (amount or obligation) and len(case or ()) != 1:
        raise typer.BadParameter("a part, or one of several sums, is of one case", param_hint="--amount, --obligation")
    with connect() as desk, Steps("Requesting") as progress:
        chosen = case or [one["alias"] for one in cases.listed(desk, state="verified")]
        rows = []
        for number, alias in enumerate(chosen, start=1):
            sums = [obligation] if obligation or amount else payments.owed(desk, alias)
            rows += [payments.request(desk, alias, account=account, to=to, amount=amount, obligation=o) for o in sums]
            progress(number, len(chosen))
    output.show_table(rows, COLUMNS, as_json=as_json)


@app.command("approve")
def approve_disbursements(
    alias: Annotated[list[str] | None, typer.Argument(help="All requested ones unless given.")] = None,
    as_json: AsJson = False,
) -> None:
    """Opens the evidence of each, holds it against the books, and gives the second signature."""
    with connect() as desk:
        rows = act_on_all(desk, payments.approve, alias, state="requested", what="Approving")
    output.show(rows, as_json=as_json, lines=[f"{len(rows)} approved."])


@app.command("release")
def release_disbursements(
    alias: Annotated[list[str] | None, typer.Argument(help="All approved ones unless given.")] = None,
    as_json: AsJson = False,
) -> None:
    """Releases approved disbursements to the bank and shows what the bank sees."""
    with connect() as desk:
        rows = act_on_all(desk, payments.release, alias, state="approved", what="Releasing")
    output.show_table(rows, COLUMNS, as_json=as_json)


@app.command("cancel")
def cancel_disbursements(
    alias: Annotated[list[str], typer.Argument(help="Requested or approved ones.")], as_json: AsJson = False
) -> None:
    """Withdraws disbursements that were not released; their obligations may be asked for again."""
    with connect() as desk:
        rows = [one for state in ("requested", "approved") for one in payments.listed(desk, state=state)]
        answers = [payments.cancel(desk, one) for one in rows if one["alias"] in alias]
    output.show_table(answers, COLUMNS, as_json=as_json)


def act_on_all(
    desk: Desk,
    verb: Callable[[Desk, dict[str, Any]], dict[str, Any]],
    chosen: list[str] | None,
    *,
    state: str,
    what: str,
) -> list[dict[str, Any]]:
    """Does `verb` to the disbursements in a state, or to the chosen ones among them, with a bar on a terminal."""
    waiting = [one for one in payments.listed(desk, state=state) if not chosen or one["alias"] in chosen]
    answers = []
    with Steps(what) as progress:
        for number, disbursement in enumerate(waiting, start=1):
            answers.append(verb(desk, disbursement))
            progress(number, len(waiting))
    return answers
