"""Commands for transfers between funds."""

from pathlib import Path
from typing import Annotated

import typer

from api.client import transfers as client
from api.commands import output
from api.commands.connection import connect
from api.commands.files import read_file
from api.commands.output import AsJson
from ledger.errors import BadInput
from ledger.money import Money

app = typer.Typer(help="Money of one fund that becomes another's.", no_args_is_help=True)

MOST_WORDS = 1024 * 1024
"""The most bytes of the words in which a giver agreed."""
COLUMNS = {
    "alias": "Transfer",
    "state": "State",
    "giver": "From",
    "taker": "To",
    "amount": "Amount",
    "consent": "Consent",
    "booked_on": "Booked on",
}


@app.command("list")
def list_transfers(
    state: Annotated[str | None, typer.Option(help="Only transfers in this state.")] = None, as_json: AsJson = False
) -> None:
    """Lists transfers."""
    with connect() as desk:
        output.show_table(client.listed(desk, state=state), COLUMNS, as_json=as_json)


@app.command("request")
def request_transfer(
    giver: Annotated[str, typer.Option(help="The fund that gives.")],
    taker: Annotated[str, typer.Option(help="The fund that takes.")],
    account: Annotated[str, typer.Option(help="The bank leaf where the money is.")],
    amount: Annotated[str, typer.Option(help="How much.")],
    currency: Annotated[str, typer.Option(help="The currency's code.")],
    consent: Annotated[str | None, typer.Option(help="Out of a restricted fund: the gift whose giver agreed.")] = None,
    consent_file: Annotated[
        Path | None, typer.Option(help="The words in which they did (text); they are sealed on this device.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Asks, with your signature, for money of one fund to become another's."""
    with connect() as desk:
        asked = client.request(
            desk,
            giver=giver,
            taker=taker,
            account=account,
            amount=Money.parse(amount, currency),
            consent=consent,
            evidence=_read_words(consent_file) if consent_file else None,
        )
    output.show_table([asked], COLUMNS, as_json=as_json)


@app.command("consent")
def read_consent(alias: Annotated[str, typer.Argument(help="The transfer.")], as_json: AsJson = False) -> None:
    """Opens, on this device, the words in which the giver agreed: read them before you approve."""
    with connect() as desk:
        words = client.read_consent(desk, client.find(desk, alias))
    output.show({"consent": words}, as_json=as_json, lines=[words])


@app.command("approve")
def approve_transfer(alias: Annotated[str, typer.Argument(help="The transfer.")], as_json: AsJson = False) -> None:
    """Gives the second signature, which books it."""
    with connect() as desk:
        answer = client.approve(desk, client.find(desk, alias))
    output.show(answer, as_json=as_json, lines=[f"{alias}: booked"])


def _read_words(path: Path) -> str:
    try:
        return read_file(path, at_most=MOST_WORDS).decode()
    except UnicodeDecodeError:
        raise BadInput("the words of a consent are text in UTF-8", where="consent_file") from None
