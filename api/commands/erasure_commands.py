"""Commands for erasure: who is due, asking, agreeing, and clearing what is left in the database's files."""

from typing import Annotated

import typer

from api import settings
from api.client import erasures
from api.commands import output
from api.commands.administration import at_the_database
from api.commands.connection import connect
from api.commands.output import AsJson
from ledger.identities import erasure
from ledger.identities.erasure import KEYRING
from ledger.identities.erasure_list import Reason
from ledger.storage import residue
from ledger.storage.engine import transaction

app = typer.Typer(help="Erasing people: two operators, for a reason.", no_args_is_help=True)

Shelf = Annotated[str, typer.Argument(help="The alias of the person, such as B-7K3M-Q2XD-9F4T.")]


@app.command("due")
def show_due(as_json: AsJson = False) -> None:
    """Shows who, and which bank statements, need not be kept any longer. Nothing is erased by this."""
    with connect() as desk:
        output.show_table(erasures.due(desk), {"shelf": "Person or statement", "since": "Due since"}, as_json=as_json)


@app.command("list")
def show_erasures(as_json: AsJson = False) -> None:
    """Shows every erasure and where it stands."""
    columns = {"shelf": "Person", "reason": "Reason", "state": "State", "until": "Pending until"}
    with connect() as desk:
        output.show_table(erasures.listed(desk), columns, as_json=as_json)


@app.command("request")
def request_erasure(
    shelf: Shelf, reason: Annotated[Reason, typer.Option(help="Why.")], as_json: AsJson = False
) -> None:
    """Asks that a person be erased; another operator agrees."""
    with connect() as desk:
        answer = erasures.request(desk, shelf, reason=reason)
    output.show(answer, as_json=as_json, lines=[f"Asked for {shelf}; an approver agrees with `erasures agree`."])


@app.command("agree")
def agree_erasure(shelf: Shelf, as_json: AsJson = False) -> None:
    """Agrees to an erasure: from now on nobody opens this person's boxes."""
    with connect() as desk:
        answer = erasures.agree(desk, shelf)
    said = [f"The key of {shelf} is deleted; pending until {answer['until']}. Run `solidarity erasures clear`."]
    output.show(answer, as_json=as_json, lines=said)


@app.command("clear")
def clear_residue(as_json: AsJson = False) -> None:
    """Rewrites the files that held deleted keys, and checks it. On the server; again when it is refused."""
    configured = settings.load()
    with at_the_database(configured) as engine:
        residue.clear(engine, tables=KEYRING)
        with transaction(engine) as session:
            cleared = erasure.mark_cleared(session, at=configured.now())
    said = [f"No file of the database holds a deleted key; {cleared} erasures wait for backups only."]
    output.show({"cleared": cleared}, as_json=as_json, lines=said)
