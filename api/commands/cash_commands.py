"""Commands for cash, which two people count, and for gifts in kind."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from api.client import cash as client
from api.client import in_kind as in_kind_client
from api.commands import output
from api.commands.connection import connect
from api.commands.output import AsJson
from ledger.giving.in_kind import GivenKind
from ledger.money import Money

COUNTS = {
    "alias": "Donation",
    "state": "State",
    "account": "Lies on",
    "purpose": "Purpose",
    "amount": "Amount",
    "counted_on": "Counted",
}
DEPOSITS = {
    "alias": "Deposit",
    "state": "State",
    "source": "From",
    "target": "To",
    "amount": "Taken",
    "came": "Counted by the bank",
    "reference": "For the bank's slip",
}
IN_KIND = {"alias": "Donation", "state": "State", "kind": "Kind", "fund": "Fund", "worth": "Worth", "given_on": "Given"}
Currency = Annotated[str, typer.Option(help="The currency's code.")]
On = Annotated[datetime, typer.Option("--on", formats=output.DAYS, help="The day.")]
GiftInKind = Annotated[str, typer.Argument(help="The gift.")]

cash = typer.Typer(help="Cash: counted by two, taken to the bank.", no_args_is_help=True)
in_kind = typer.Typer(help="Gifts in kind, at the value that a sealed file shows.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Puts the commands beside the others for donations."""
    app.add_typer(cash, name="cash")
    app.add_typer(in_kind, name="in-kind")


@cash.command("list")
def list_counts(
    state: Annotated[str | None, typer.Option(help="Only counts in this state.")] = None, as_json: AsJson = False
) -> None:
    """Lists counts of cash."""
    with connect() as desk:
        _show(client.counts(desk, state=state), COUNTS, as_json=as_json)


@cash.command("count")
def count_cash(
    purpose: Annotated[str, typer.Option(help="What it is for.")],
    amount: Annotated[str, typer.Option(help="How much you have counted.")],
    currency: Currency,
    on: On,
    account: Annotated[str, typer.Option(help="Where it lies.")] = "1020",
    as_json: AsJson = False,
) -> None:
    """Notes, with your signature, what you have counted; somebody else has to count it too."""
    with connect() as desk:
        counted = client.count(
            desk, account=account, purpose=purpose, amount=Money.parse(amount, currency), on=on.date()
        )
        _show([counted], COUNTS, as_json=as_json)


@cash.command("witness")
def witness_cash(
    alias: Annotated[str, typer.Argument(help="The count.")],
    amount: Annotated[str, typer.Option(help="How much you have counted yourself.")],
    currency: Currency,
    as_json: AsJson = False,
) -> None:
    """Signs that you have counted the same, which books it."""
    with connect() as desk:
        gift = client.witness(desk, alias, amount=Money.parse(amount, currency))
    output.show(gift, as_json=as_json, lines=[f"{alias}: booked"])


@cash.command("withdraw")
def withdraw_count(alias: Annotated[str, typer.Argument(help="The count.")], as_json: AsJson = False) -> None:
    """Gives up a count that nobody has witnessed, to count anew."""
    with connect() as desk:
        _show([client.withdraw_count(desk, alias)], COUNTS, as_json=as_json)


@cash.command("bank")
def take_to_bank(
    target: Annotated[str, typer.Option(help="The bank leaf.")],
    amount: Annotated[str, typer.Option(help="How much you take there.")],
    currency: Currency,
    source: Annotated[str, typer.Option(help="Where it lies.")] = "1020",
    as_json: AsJson = False,
) -> None:
    """Takes cash to the bank, with your signature; the bank's statement books it."""
    with connect() as desk:
        taken = client.take_to_bank(desk, source=source, target=target, amount=Money.parse(amount, currency))
        _show([taken], DEPOSITS, as_json=as_json)


@cash.command("deposits")
def list_deposits(as_json: AsJson = False) -> None:
    """Lists what was taken to the bank."""
    with connect() as desk:
        _show(client.deposits(desk), DEPOSITS, as_json=as_json)


@cash.command("bring-back")
def bring_back(alias: Annotated[str, typer.Argument(help="The deposit.")], as_json: AsJson = False) -> None:
    """Brings cash back that the bank has not shown."""
    with connect() as desk:
        _show([client.bring_back(desk, alias)], DEPOSITS, as_json=as_json)


@in_kind.command("list")
def list_in_kind(as_json: AsJson = False) -> None:
    """Lists gifts in kind."""
    with connect() as desk:
        _show(in_kind_client.listed(desk), IN_KIND, as_json=as_json)


@in_kind.command("value")
def value_in_kind(
    file: Annotated[
        Path, typer.Argument(help="What shows its value, such as an invoice.", exists=True, dir_okay=False)
    ],
    kind: Annotated[GivenKind, typer.Option(help="What was given.")],
    fund: Annotated[str, typer.Option(help="The fund whose expense it saves.")],
    worth: Annotated[str, typer.Option(help="Its value.")],
    currency: Currency,
    on: On,
    as_json: AsJson = False,
) -> None:
    """Seals the file here, sends it, and states, with your signature, what a gift in kind is worth."""
    of = Money.parse(worth, currency)
    with connect() as desk:
        gift = in_kind_client.value(desk, file, kind=kind.value, fund=fund, worth=of, on=on.date())
        _show([gift], IN_KIND, as_json=as_json)


@in_kind.command("open")
def open_in_kind(
    alias: GiftInKind,
    out: Annotated[Path, typer.Option(help="The directory to write into.", exists=True, file_okay=False)],
    as_json: AsJson = False,
) -> None:
    """Opens the file that shows the value here, as whoever agrees must; the reading is logged."""
    with connect() as desk:
        opened = in_kind_client.open_file(desk, alias, into=out)
    told = {"path": str(opened.path), "name": opened.description.name}
    output.show(told, as_json=as_json, lines=[f"{opened.path} written. Delete it after use."])


@in_kind.command("agree")
def agree_value(alias: GiftInKind, as_json: AsJson = False) -> None:
    """Gives the second signature, which books it."""
    with connect() as desk:
        answer = in_kind_client.agree(desk, alias)
    output.show(answer, as_json=as_json, lines=[f"{alias}: booked"])


@in_kind.command("withdraw")
def withdraw_in_kind(alias: GiftInKind, as_json: AsJson = False) -> None:
    """Gives up a value that nobody has agreed to."""
    with connect() as desk:
        _show([in_kind_client.withdraw(desk, alias)], IN_KIND, as_json=as_json)


def _show(rows: list[dict[str, Any]], columns: dict[str, str], *, as_json: bool) -> None:
    output.show_table(rows, columns, as_json=as_json)
