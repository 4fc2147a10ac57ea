"""Commands for conversions between the fund's own bank leaves."""

from typing import Annotated, Any

import typer

from api.client import conversions as client
from api.commands import output
from api.commands.agent_commands import read_shares
from api.commands.connection import connect
from api.commands.output import AsJson
from ledger.money import Money

app = typer.Typer(help="Money that a bank changes into another currency.", no_args_is_help=True)

COLUMNS = {
    "alias": "Conversion",
    "state": "State",
    "source": "From",
    "amount": "Leaves",
    "target": "To",
    "expected": "Is expected",
    "arrived": "Arrived",
    "reference": "The bank sees",
}
ConversionAlias = Annotated[str, typer.Argument(help="The conversion.")]


@app.command("list")
def list_conversions(
    state: Annotated[str | None, typer.Option(help="Only conversions in this state.")] = None, as_json: AsJson = False
) -> None:
    """Lists conversions."""
    with connect() as desk:
        _show(client.listed(desk, state=state), as_json=as_json)


@app.command("request")
def request_conversion(
    source: Annotated[str, typer.Option(help="The bank leaf that the money leaves.")],
    target: Annotated[str, typer.Option(help="The bank leaf where it arrives.")],
    currency: Annotated[str, typer.Option(help="The currency that leaves.")],
    expected: Annotated[str, typer.Option(help="How much is to arrive.")],
    into: Annotated[str, typer.Option(help="The currency that arrives.")],
    share: Annotated[list[str], typer.Argument(help="FUND=AMOUNT, once for each fund.")],
    as_json: AsJson = False,
) -> None:
    """Asks for money to be changed into another currency."""
    with connect() as desk:
        asked = client.request(
            desk,
            source=source,
            target=target,
            shares=read_shares(share, currency),
            expected=Money.parse(expected, into),
        )
        _show([asked], as_json=as_json)


@app.command("approve")
def approve_conversion(alias: ConversionAlias, as_json: AsJson = False) -> None:
    """Agrees to a conversion with your signature; far from the stored rate, a third person has to as well."""
    with connect() as desk:
        answer = client.approve(desk, client.find(desk, alias))
        state = client.find(desk, alias)["state"]
    output.show(answer, as_json=as_json, lines=[f"{alias}: {state}"])


@app.command("release")
def release_conversion(alias: ConversionAlias, as_json: AsJson = False) -> None:
    """Releases an approved conversion and shows what the bank sees."""
    with connect() as desk:
        _show([client.release(desk, client.find(desk, alias))], as_json=as_json)


@app.command("cancel")
def cancel_conversion(alias: ConversionAlias, as_json: AsJson = False) -> None:
    """Gives up a conversion of which the bank has shown nothing."""
    with connect() as desk:
        _show([client.cancel(desk, alias)], as_json=as_json)


def _show(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    output.show_table(rows, COLUMNS, as_json=as_json)
