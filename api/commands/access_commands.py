"""The command for the log of readings: who opened which shelf, when and why."""

from datetime import datetime
from typing import Annotated

import typer

from api.client import accesses
from api.commands import output
from api.commands.connection import connect
from api.commands.output import DAYS, AsJson

COLUMNS = {"at": "When", "operator": "Operator", "alias": "Shelf", "reason": "Reason"}


def list_accesses(
    operator: Annotated[str | None, typer.Option(help="Only readings by this operator.")] = None,
    shelf: Annotated[str | None, typer.Option(help="Only readings of this shelf.")] = None,
    on: Annotated[datetime | None, typer.Option(formats=DAYS, help="Only readings of this day (UTC).")] = None,
    most: Annotated[int, typer.Option(help="At most so many, the newest.", min=1)] = 100,
    as_json: AsJson = False,
) -> None:
    """Lists who opened whose boxes and files, the newest first."""
    with connect() as desk:
        rows = accesses.listed(desk, operator=operator, shelf=shelf, on=on.date() if on else None, most=most)
    output.show_table(rows, COLUMNS, as_json=as_json)
