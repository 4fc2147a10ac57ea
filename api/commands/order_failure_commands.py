"""Commands for orders that the bank never carried out: payments, advances and repayments, ended by two people."""

from typing import Annotated

import typer

from api.client import order_failures
from api.commands import output
from api.commands.connection import connect
from api.commands.output import AsJson
from ledger.aid.order_failures import Reason

app = typer.Typer(help="What the bank was told to pay and never paid, ended by two people.", no_args_is_help=True)

COLUMNS = {
    "order": "Order",
    "state": "State",
    "amount": "Amount",
    "account": "From",
    "because": "Because",
    "told_by": "Told by",
    "agreed_by": "Agreed by",
}
Order = Annotated[str, typer.Argument(help="A disbursement (D-…), an advance (V-…) or a repayment (J-…).")]


@app.command("list")
def list_unexecuted(as_json: AsJson = False) -> None:
    """Lists what was told of each order."""
    with connect() as desk:
        rows = order_failures.listed(desk)
    output.show_table(rows, COLUMNS, as_json=as_json)


@app.command("tell")
def tell_unexecuted(
    order: Order,
    because: Annotated[Reason, typer.Option(help="Why the bank did not carry it out.")],
    as_json: AsJson = False,
) -> None:
    """Tells that the bank never carried an order out; ask the bank first. Another person must agree."""
    with connect() as desk:
        answer = order_failures.tell(desk, order, because=because)
    output.show(answer, as_json=as_json, lines=[f"{order}: {answer['because']}, an approver must agree."])


@app.command("agree")
def agree_unexecuted(order: Order, as_json: AsJson = False) -> None:
    """Agrees that an order was never carried out: what it was to pay may be asked for again."""
    with connect() as desk:
        answer = order_failures.agree(desk, order_failures.waiting(desk, order))
    output.show(answer, as_json=as_json, lines=[f"{order} has failed: what it was to pay may be asked for again."])
