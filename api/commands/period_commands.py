"""Commands for months: list and close."""

from typing import Annotated

import typer

from api.client import periods as client
from api.commands import output
from api.commands.connection import connect
from api.commands.output import AsJson
from ledger.books.periods import last_day_of

app = typer.Typer(help="Months: open until they are closed, for good.", no_args_is_help=True)


@app.command("close")
def close_period(
    month: Annotated[str, typer.Argument(help="The month, such as 2020-10.")], as_json: AsJson = False
) -> None:
    """Closes a month with your signature: nothing is booked in it any more."""
    last_day_of(month)  # what is no month is not sent
    with connect() as desk:
        answer = client.close(desk, month)
    output.show(answer, as_json=as_json, lines=[f"{month} is closed."])


@app.command("list")
def list_periods(as_json: AsJson = False) -> None:
    """Shows the months from the first in which something was booked until this one."""
    with connect() as desk:
        rows = client.listed(desk)
    columns = {"month": "Month", "state": "State", "closed_by": "Closed by", "closed_at": "At"}
    output.show_table(rows, columns, as_json=as_json)
