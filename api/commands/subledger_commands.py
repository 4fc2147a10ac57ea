"""The command for the ledger of one case or of one beneficiary."""

from pathlib import Path
from typing import Annotated

import typer

from api.client import private_files, subledgers
from api.commands import output
from api.commands.connection import connect
from api.commands.output import AsJson

COLUMNS = {
    "effective_on": "Day",
    "entry": "Entry",
    "kind": "What",
    "account": "Account",
    "debit": "Debit",
    "credit": "Credit",
    "balance": "Balance",
    "way": "Paid by way of",
    "disbursement": "Disbursement",
}


def show_ledger(
    case: Annotated[str | None, typer.Option(help="Of this case.")] = None,
    beneficiary: Annotated[str | None, typer.Option(help="Of all cases of this beneficiary.")] = None,
    as_known_at: Annotated[str | None, typer.Option(help="Leave out what was recorded after this moment.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write it as a table to this new file.")] = None,
    as_json: AsJson = False,
) -> None:
    """What the fund has recognised and paid for somebody, with the balance after each line."""
    if (case is None) == (beneficiary is None):
        raise typer.BadParameter("say --case or --beneficiary, one of them")
    path = subledgers.path_of(case=case, beneficiary=beneficiary)
    with connect() as desk:
        if csv is not None:
            private_files.write(csv, subledgers.as_csv(desk, path, as_known_at=as_known_at))
            output.show({"written": str(csv)}, as_json=as_json, lines=[f"Written: {csv}"])
            return
        rows = list(subledgers.rows(desk, path, as_known_at=as_known_at))
    shown = rows if as_json else [row | _way(row) for row in rows]
    output.show_table(shown, COLUMNS, as_json=as_json)


def _way(row: dict[str, object]) -> dict[str, str]:
    """How and by which disbursement an entry was paid, for the columns of a table."""
    paid = row["payment"]
    if not isinstance(paid, dict):
        return {"way": "", "disbursement": ""}
    return {"way": paid["agent"] or f"bank, to the {paid['way']}", "disbursement": paid["disbursement"]}
