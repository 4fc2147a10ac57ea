"""Commands for months: list, look at what they come to, close softly and for good."""

from typing import Annotated

import typer

from api.client import periods as client
from api.commands import output
from api.commands.connection import connect
from api.commands.output import AsJson
from ledger.books.periods import last_day_of

app = typer.Typer(help="Months: open, closed softly, closed for good.", no_args_is_help=True)


@app.command("close")
def close_period(
    month: Annotated[str, typer.Argument(help="The month, such as 2020-10.")],
    digest: Annotated[
        str | None, typer.Option(help="The digest that `period figures` showed: nothing else is signed.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Closes a month with your signature over what it comes to: nothing is booked in it any more."""
    last_day_of(month)  # what is no month is not sent
    with connect() as desk:
        answer = client.close(desk, month, digest=digest)
    output.show(answer, as_json=as_json, lines=[f"{month} is closed."])


@app.command("soft-close")
def soft_close_period(
    month: Annotated[str, typer.Argument(help="The month, such as 2020-10.")], as_json: AsJson = False
) -> None:
    """Closes a month softly: it stands still while you look it over."""
    last_day_of(month)
    with connect() as desk:
        answer = client.soft_close(desk, month)
    output.show(answer, as_json=as_json, lines=[f"{month} is closed softly."])


@app.command("figures")
def show_figures(
    month: Annotated[str, typer.Argument(help="The month, such as 2020-10.")], as_json: AsJson = False
) -> None:
    """Shows what a month comes to, fund by fund, and the digest that closing it signs."""
    last_day_of(month)
    with connect() as desk:
        shown = client.figures(desk, month)
    lines = [f"{one['fund']}: {one['amount']['amount']} {one['amount']['currency']}" for one in shown["net_assets"]]
    state = "sealed" if shown["sealed"] else "as booked until now"
    output.show(shown, as_json=as_json, lines=[f"{month}, {state}", *lines, f"digest {shown['digest']}"])


@app.command("admit")
def admit_entry(
    month: Annotated[str, typer.Argument(help="The month, such as 2020-10.")],
    fingerprint: Annotated[str, typer.Argument(help="The fingerprint of the entry.")],
    as_json: AsJson = False,
) -> None:
    """Admits one entry to a softly closed month with your signature."""
    last_day_of(month)
    with connect() as desk:
        answer = client.admit(desk, month, fingerprint=fingerprint)
    output.show(answer, as_json=as_json, lines=[f"The entry is admitted to {month}."])


@app.command("list")
def list_periods(as_json: AsJson = False) -> None:
    """Shows the months from the first in which something was booked until this one."""
    with connect() as desk:
        rows = client.listed(desk)
    columns = {"month": "Month", "state": "State", "closed_by": "Closed by", "closed_at": "At"}
    output.show_table(rows, columns, as_json=as_json)
