"""Commands for publication: draft, approve, list, and the static site."""

from pathlib import Path
from typing import Annotated

import typer

from api import settings
from api.client import publications as client
from api.commands import output
from api.commands.connection import connect
from api.commands.output import AsJson
from ledger.storage.engine import open_database, transaction
from reports import site as static_site

publications = typer.Typer(help="Transparency reports: released once, never changed.", no_args_is_help=True)
site = typer.Typer(help="The public page as static files.", no_args_is_help=True)


@publications.command("draft")
def draft_publication(as_json: AsJson = False) -> None:
    """Runs the release rule for the next block and hands it in as a signed draft."""
    with connect() as desk:
        answer = client.draft(desk)
    said = [f"Draft {answer['alias']} of publication {answer['number']} waits for a second person."]
    output.show(answer, as_json=as_json, lines=said)


@publications.command("approve")
def approve_publication(alias: Annotated[str, typer.Argument(help="The draft.")], as_json: AsJson = False) -> None:
    """Gives the second signature: the draft is published and never changes again."""
    with connect() as desk:
        waiting = [one for one in client.listed(desk)["drafts"] if one["alias"] == alias]
        if not waiting:
            raise client.NoSuchDraft("no draft of this alias waits")
        answer = client.approve(desk, waiting[0])
    output.show(answer, as_json=as_json, lines=[f"{alias} is published."])


@publications.command("list")
def list_publications(as_json: AsJson = False) -> None:
    """Shows drafts that wait, and what is published."""
    with connect() as desk:
        answer = client.listed(desk)
    said = [f"waiting   {one['number']}  {one['alias']}" for one in answer["drafts"]]
    said += [f"published {one['number']}  {one['alias']}  {one['digest']}" for one in answer["publications"]]
    output.show(answer, as_json=as_json, lines=said)


@site.command("build")
def build_site(out: Annotated[Path, typer.Option(help="The folder to write to.")], as_json: AsJson = False) -> None:
    """Writes the public page, its data and the donation page as static files that any mirror can serve."""
    server = settings.load()
    with transaction(open_database(server.database_url), write=False) as session:
        written = static_site.gather(session, on=server.now().date())
    paths = [str(path) for path in static_site.write(written, out)]
    output.show({"written": paths}, as_json=as_json, lines=[f"Written: {path}" for path in paths])
