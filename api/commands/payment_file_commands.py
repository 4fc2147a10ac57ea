"""Commands for payment files: shown as the bank will see them, confirmed, written once; withdrawn by two people."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from api.client import payment_files
from api.client.credit_transfers import Debtor, Form, Order
from api.commands import output
from api.commands.connection import connect
from api.commands.output import DAYS, AsJson

app = typer.Typer(help="Files that tell a bank to pay what was released.", no_args_is_help=True)

COLUMNS = {
    "alias": "File",
    "account": "From",
    "orders": "Orders",
    "control_sum": "Sum",
    "made_by": "Made by",
    "withdrawn_by": "Withdrawn by",
}
BANK_SEES = {"payee": "Payee", "account": "Account", "amount": "Amount", "reference": "Reference, and nothing else"}
Alias = Annotated[str, typer.Argument(help="The file.")]


@app.command("file")
def write_file(
    account: Annotated[str, typer.Option(help="The bank leaf to pay from.")],
    debtor_name: Annotated[str, typer.Option(help="The account holder, as the bank knows them.")],
    debtor_account: Annotated[str, typer.Option(help="The IBAN to pay from.")],
    on: Annotated[datetime, typer.Option(formats=DAYS, help="The day on which the bank is to pay.")],
    out: Annotated[Path, typer.Option(help="A folder that is yours alone (chmod 700).")],
    disbursement: Annotated[
        list[str] | None, typer.Argument(help="All released ones that stand in no file unless given.")
    ] = None,
    form: Annotated[Form, typer.Option("--format", help="What the bank takes.")] = Form.PAIN_09,
    bic: Annotated[str | None, typer.Option(help="The BIC of the paying bank, if it asks for it.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="What the bank sees was read: write it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Opens the payees of released payments, shows what the bank will see, and writes the file once confirmed."""
    with connect() as desk:
        collected = payment_files.collect(desk, account=account, only=disbursement)
        orders, left_out = collected.orders, collected.left_out
        if not yes:
            output.show_table([_seen(order) for order in orders], BANK_SEES, as_json=False)
            typer.confirm(f"{len(orders)} payments. Is this what the bank may see?", abort=True)
        written = payment_files.write(
            desk,
            orders,
            account=account,
            debtor=Debtor(debtor_name, debtor_account, bic),
            on=on.date(),
            form=form,
            folder=out,
        )
    said = [f"Written: {written.path}", "Give it to the bank once, then remove it. Its statement tells what was paid."]
    said += [f"left out: {alias}, {why}" for alias, why in left_out.items()]
    told = {"written": str(written.path), "left_out": left_out}
    output.show(written.noted | told, as_json=as_json, lines=said)


@app.command("list")
def list_files(as_json: AsJson = False) -> None:
    """Lists the files that were made."""
    with connect() as desk:
        rows = payment_files.listed(desk)
    output.show_table(rows, COLUMNS, as_json=as_json)


@app.command("withdraw")
def withdraw_file(alias: Alias, as_json: AsJson = False) -> None:
    """Asks that a file counts no more, since the bank never took it; another person must agree."""
    with connect() as desk:
        answer = payment_files.withdraw(desk, alias)
    output.show(answer, as_json=as_json, lines=[f"{alias}: an approver must agree."])


@app.command("agree")
def agree_to_withdrawal(alias: Alias, as_json: AsJson = False) -> None:
    """Agrees that a file counts no more: make sure that the bank never took it."""
    with connect() as desk:
        answer = payment_files.agree(desk, alias)
    output.show(answer, as_json=as_json, lines=[f"{alias} is withdrawn: its payments may stand in another file."])


def _seen(order: Order) -> dict[str, object]:
    amount = {"amount": order.amount.decimal(), "currency": order.amount.currency}
    return {"payee": order.payee, "account": order.account, "amount": amount, "reference": order.reference}
