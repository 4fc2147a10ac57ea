"""Commands for figures: trial balance, balance, reconcile, reports as files."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from api.commands import output
from api.commands.connection import connect
from api.commands.output import DAYS, AsJson


def trial_balance(
    on: Annotated[datetime | None, typer.Option(formats=DAYS, help="The day; all days unless given.")] = None,
    as_known_at: Annotated[str | None, typer.Option(help="Leave out what was recorded after this moment.")] = None,
    as_json: AsJson = False,
) -> None:
    """Every account that moved, per fund and currency; a credit balance is negative."""
    with connect() as desk:
        answer = desk.api.get("/v1/trial-balance", on=on.date().isoformat() if on else None, as_known_at=as_known_at)
    columns = {"account": "Account", "name": "Name", "fund": "Fund", "balance": "Balance"}
    output.show_table(answer["rows"], columns, as_json=as_json)


def balance(
    account: Annotated[str, typer.Argument(help="A leaf, or a code with all its leaves.")],
    currency: Annotated[str, typer.Option(help="In which currency.")],
    fund: Annotated[str | None, typer.Option(help="Of one fund only.")] = None,
    on: Annotated[datetime | None, typer.Option(formats=DAYS, help="At the end of this day.")] = None,
    as_json: AsJson = False,
) -> None:
    """What stands on an account."""
    with connect() as desk:
        answer = desk.api.get(
            "/v1/balances", account=account, currency=currency, fund=fund, on=on.date().isoformat() if on else None
        )
    said = [f"{answer['account']}: {answer['balance']['amount']} {answer['balance']['currency']}"]
    output.show(answer, as_json=as_json, lines=said)


def reconcile(as_json: AsJson = False) -> None:
    """Books against bank, for every bank leaf that has a statement."""
    with connect() as desk:
        rows = desk.api.get("/v1/reconciliations")["reconciliations"]
    columns = {
        "account": "Account",
        "on": "On",
        "per_bank": "Per bank",
        "coming": "Coming",
        "going": "Going",
        "not_booked": "Not booked yet",
        "per_books": "Per books",
        "difference": "Difference",
    }
    output.show_table(rows, columns, as_json=as_json)


def report(
    name: Annotated[str, typer.Argument(help="audit (all statements, one PDF), trial-balance or disbursements.")],
    on: Annotated[datetime, typer.Option(formats=DAYS, help="The day.")],
    out: Annotated[Path, typer.Option(help="The folder to write to.")],
    form: Annotated[str, typer.Option("--format", help="pdf, csv or json.")] = "pdf",
    as_json: AsJson = False,
) -> None:
    """Writes a report for auditors."""
    with connect() as desk:
        content = desk.api.download(f"/v1/reports/{name}.{form}", on=on.date().isoformat())
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{name}-{on:%Y-%m-%d}.{form}"
    path.write_bytes(content)
    output.show({"written": [str(path)]}, as_json=as_json, lines=[f"Written: {path}"])
