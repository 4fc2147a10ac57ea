"""Commands for reconciliation sheets: looked at, prepared, reviewed, drawn."""

from pathlib import Path
from typing import Annotated

import typer

from api.client import reconciliations
from api.commands import output
from api.commands.connection import connect
from api.commands.output import AsJson
from ledger.reconciliation.sheets import With

SHEETS = {
    "alias": "Sheet",
    "compared": "With",
    "account": "Account",
    "prepared_at": "Prepared",
    "prepared_by": "By",
    "reviewed_by": "Reviewed by",
}
Compared = Annotated[With, typer.Argument(help="With whom the books are compared.")]
Account = Annotated[str | None, typer.Argument(help="The leaf or purse; none for the ledger with itself.")]
SheetAlias = Annotated[str, typer.Argument(help="The sheet.")]

app = typer.Typer(help="Reconciliations as signed sheets: one person prepares, another reviews.")


@app.command("list")
def list_sheets(as_json: AsJson = False) -> None:
    """Lists the sheets, the newest first."""
    with connect() as desk:
        output.show_table(reconciliations.listed(desk), SHEETS, as_json=as_json)


@app.command("look")
def look(compared: Compared, account: Account = None, as_json: AsJson = False) -> None:
    """Shows what a sheet would say now, and keeps nothing."""
    with connect() as desk:
        told = reconciliations.look(desk, compared, account)
    lines = [f"{one['name']:>20}  {one['amount']:>16} {one['currency']}" for one in told["figures"]]
    lines += [
        f"{one['where']:>20}  {one['amount']:>16} {one['currency']} {one['side']:<3} {one['about']}"
        for one in told["items"]
    ]
    open_differences = [one for one in told["differences"] if one["amount"].strip("-0.")]
    lines += [f"{'difference':>20}  {one['amount']:>16} {one['currency']}" for one in told["differences"]]
    lines += [f"{'failed check':>20}  {one}" for one in told["failed_checks"]]
    if not open_differences and not told["failed_checks"]:
        lines.append("Both sides agree.")
    output.show(told, as_json=as_json, lines=lines)


@app.command("prepare")
def prepare(compared: Compared, account: Account = None, as_json: AsJson = False) -> None:
    """Signs what the books say now, and has it kept."""
    with connect() as desk:
        output.show_table([reconciliations.prepare(desk, compared, account)], SHEETS, as_json=as_json)


@app.command("review")
def review(alias: SheetAlias, as_json: AsJson = False) -> None:
    """Agrees to a sheet that another person prepared."""
    with connect() as desk:
        output.show_table([reconciliations.review(desk, alias)], SHEETS, as_json=as_json)


@app.command("write")
def write(
    alias: SheetAlias,
    out: Annotated[Path, typer.Argument(help="The file to write: .pdf or .json.")],
    as_json: AsJson = False,
) -> None:
    """Writes a sheet as PDF, or its content as it was signed."""
    with connect() as desk:
        if out.suffix == ".json":
            content = str(reconciliations.find(desk, alias)["content"]).encode()
        else:
            content = desk.api.download(f"/v1/reconciliations/sheets/{alias}.pdf")
    out.write_bytes(content)
    output.show({"path": str(out)}, as_json=as_json, lines=[f"Written: {out}"])
