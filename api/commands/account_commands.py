"""The command for the chart of accounts."""

from typing import Annotated

import typer

from api.commands import output
from api.commands.connection import connect
from api.commands.output import AsJson


def accounts(
    add: Annotated[str | None, typer.Option(help="A leaf to add, such as 1000:eur-main.")] = None,
    name: Annotated[str | None, typer.Option(help="Its name.")] = None,
    currency: Annotated[str | None, typer.Option(help="Its one currency.")] = None,
    as_json: AsJson = False,
) -> None:
    """Shows the chart of accounts, or adds a leaf."""
    with connect() as desk:
        if add:
            body = {"code": add, "name": name or add, "currency": currency}
            desk.api.post("/v1/accounts", body, key=f"account:{add}")
        rows = desk.api.get("/v1/accounts")["accounts"]
    columns = {"code": "Code", "name": "Name", "account_class": "Class", "currency": "Currency"}
    output.show_table(rows, columns, as_json=as_json)
