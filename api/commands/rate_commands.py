"""Commands for exchange rates."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from api.client import rate_files
from api.client import rates as client
from api.client.desk import Desk
from api.client.rates import BadRates
from api.commands import folders, output
from api.commands.connection import connect
from api.commands.files import read_file
from api.commands.output import AsJson

app = typer.Typer(help="Exchange rates: added, never changed.", no_args_is_help=True)


@app.command("import")
def import_rates(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE|DIR",
            help="A CSV file with the columns currency,on,rate,source, or one of the ECB (CSV) or NBRB (JSON).",
        ),
    ],
    currency: Annotated[
        list[str] | None, typer.Option(help="Of a central bank's file: which currency; again for more.")
    ] = None,
    since: Annotated[
        datetime | None, typer.Option("--from", formats=output.DAYS, help="Of a central bank's file: from this day.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--to", formats=output.DAYS, help="Of a central bank's file: to this day.")
    ] = None,
    watch: folders.Watch = False,  # a flag
    pause: folders.Pause = 30.0,
    looks: folders.Looks = None,
    as_json: AsJson = False,
) -> None:
    """Adds the rates of a file, all or none, or of a folder's files; a day's later rate corrects the one before."""
    days = {"since": since and since.date(), "until": until and until.date()}

    def read(path: Path) -> Callable[[Desk], dict[str, Any]]:
        """What is to be sent: a file is read as far as nobody need be asked."""
        data = read_file(path)
        is_of_bank = rate_files.source_of(data) is not None
        if is_of_bank is not bool(currency) or (not is_of_bank and (since or until)):
            raise BadRates(
                "currencies and days are chosen from a central bank's file, and only there", where="--currency"
            )
        rows = [] if is_of_bank else client.read(data)

        def send(desk: Desk) -> dict[str, Any]:
            if not is_of_bank:
                return client.add(desk, rows)
            into = client.functional_currency(desk)
            return client.add(desk, rate_files.read(data, into=into, currencies=currency or [], **days))

        return send

    if not file.is_dir():
        send = read(file)
        with connect() as desk:
            answer = send(desk)
        output.show(answer, as_json=as_json, lines=[_said(answer)])
        return
    with connect() as desk:
        folders.take(
            file, lambda path: [read(path)(desk)], say=_said, watch=watch, pause=pause, looks=looks, as_json=as_json
        )


def _said(one: dict[str, Any]) -> str:
    return f"{one['told']} rates read, {one['added']} of them new."


@app.command("list")
def list_rates(
    currency: Annotated[str | None, typer.Option(help="One currency only.")] = None, as_json: AsJson = False
) -> None:
    """Shows what one unit of each currency is worth, by day; of several versions the highest counts."""
    with connect() as desk:
        rows = list(client.listed(desk, currency=currency))
    columns = {"currency": "Currency", "on": "Day", "rate": "Rate", "source": "Source", "version": "Version"}
    output.show_table(rows, columns, as_json=as_json)
