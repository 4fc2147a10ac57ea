"""Commands for exceptions: what waits, and what it comes to."""

from typing import Annotated

import typer

from api.client import exceptions
from api.commands import output
from api.commands.connection import connect
from api.commands.output import AsJson
from ledger.reconciliation.clearings import Because

app = typer.Typer(help="Differences between the books and the world, and what each comes to.")

WAITING = {
    "alias": "Exception",
    "difference": "Difference",
    "account": "Account",
    "fund": "Fund",
    "about": "About",
    "amount": "Amount",
    "opened_on": "Opened",
    "age_days": "Days",
    "severity": "Severity",
    "next": "Next",
}
TOLD_BY = {
    "alias": "Exception",
    "line": "The same, perhaps, as line",
    "statement": "Of statement",
    "on": "Day",
    "amount": "Amount",
}
SAID = {
    "alias": "Clearing",
    "exception": "Exception",
    "because": "Because",
    "entry": "Entry",
    "amount": "Amount",
    "asked_by": "Said by",
    "agreed_by": "Agreed by",
}
Exception_ = Annotated[str, typer.Argument(metavar="EXCEPTION", help="The alias of an exception.")]


@app.callback(invoke_without_command=True)
def show(context: typer.Context, as_json: AsJson = False) -> None:
    """Differences between the books and the world, the gravest first."""
    if context.invoked_subcommand is None:
        list_waiting(as_json=as_json)


@app.command("list")
def list_waiting(as_json: AsJson = False) -> None:
    """Shows what waits: how old it is, and how grave from 1 to 3."""
    with connect() as desk:
        found = exceptions.listed(desk)["exceptions"]
    output.show_table(found, WAITING, as_json=as_json)
    others = [{"alias": one["alias"], **other} for one in found for other in one["told_by"]]
    if others and not as_json:
        output.show_table(others, TOLD_BY, as_json=False)


@app.command("said")
def list_said(as_json: AsJson = False) -> None:
    """Shows what was said of exceptions, and who agreed."""
    with connect() as desk:
        output.show_table(exceptions.listed(desk)["clearings"], SAID, as_json=as_json)


@app.command("resolve")
def resolve(
    exception: Exception_,
    because: Annotated[Because, typer.Option(help="Why; booked goes with an entry.")],
    entry: Annotated[int | None, typer.Option(help="The number of the entry that explains it.")] = None,
    note: Annotated[str | None, typer.Option(help="More about it; sealed on this device.")] = None,
    as_json: AsJson = False,
) -> None:
    """Closes it by an entry, or dismisses it: above what the roster lets a treasurer, an approver must agree."""
    with connect() as desk:
        said = exceptions.resolve(desk, exception, because=because, entry=entry, note=note)
    output.show_table([said], SAID, as_json=as_json)


@app.command("agree")
def agree(exception: Exception_, as_json: AsJson = False) -> None:
    """Agrees, as another person, to what was said last of an exception: it is closed."""
    with connect() as desk:
        said = exceptions.agree(desk, exception)
    output.show_table([said], SAID, as_json=as_json)
