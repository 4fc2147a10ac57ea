"""Commands for the book itself: init, migrate, serve, accounts."""

import logging
import sys
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn

from api import logs, settings
from api.app import create_app
from api.client.keyring import KeyFileExists
from api.client.sealing import from_base64
from api.commands import administration, output, processes
from api.commands.output import AsJson
from api.commands.roster_files import read_roster_file
from api.jobs import Worker
from ledger.identities.person_keys import ShredKeys, write_secret
from ledger.identities.vaults import NewWrap
from ledger.storage import schema
from ledger.storage.engine import open_database

ADMIN_KEY_LIVES = timedelta(days=90)
SERVER: dict[str, Any] = {
    "access_log": False,
    "server_header": False,
    "log_level": "warning",
    "log_config": logs.LIBRARIES,
    "proxy_headers": False,
}
"""How the HTTP server runs: it logs no addresses, no paths and no texts, and believes no proxy's headers."""


def init(
    roster: Annotated[Path, typer.Option(help="The signed roster file.")],
    organisation: Annotated[str, typer.Option(help="The fund's public name.")],
    functional_currency: Annotated[str, typer.Option(help="The currency the fund reports in.")],
    jurisdiction: Annotated[str, typer.Option(help="The jurisdiction pack.")],
    admin: Annotated[str, typer.Option(help="The operator who makes the other keys.")],
    admin_key_file: Annotated[Path, typer.Option(help="Where to write that operator's bearer key.")],
    demo: Annotated[bool, typer.Option(help="A demonstration, whose clock may be set.")] = False,
    as_json: AsJson = False,
) -> None:
    """Founds the book: tables, chart, funds, roster 1, vault keys, and one bearer key for the administrator."""
    configured = settings.load()
    told = read_roster_file(roster)
    if admin_key_file.exists() or not admin_key_file.parent.is_dir():  # afterwards the key would be lost with the book
        raise KeyFileExists("there is a file already, or no folder for it", where="admin_key_file")
    founding = administration.Founding(
        roster=told["document"],
        signatures=told["signatures"],
        wraps=[NewWrap(w["vault"], w["epoch"], w["member"], from_base64(w["wrap"])) for w in told["wraps"]],
        organisation=organisation,
        functional_currency=functional_currency,
        jurisdiction=jurisdiction,
        demo=demo,
    )
    bearer = administration.found_book(
        open_database(configured.database_url),
        founding,
        admin=admin,
        key_expires_on=(configured.now() + ADMIN_KEY_LIVES).date(),
        shred_keys=ShredKeys(configured.shred_key_directory),
        now=configured.now(),
    )
    write_secret(admin_key_file, bearer.encode())
    said = [f"The book is founded. The administrator's bearer key is in {admin_key_file}."]
    output.show({"admin": admin, "admin_key_file": str(admin_key_file)}, as_json=as_json, lines=said)


def migrate(as_json: AsJson = False) -> None:
    """Brings the database to this version's tables and guards."""
    schema.migrate(open_database(settings.load().database_url))
    output.show({"current": True}, as_json=as_json, lines=["The database is current."])


def serve(
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen at.")] = 8000,
    with_jobs: Annotated[
        bool, typer.Option("--jobs", help="Work on jobs too, with the processor's keys: where nothing else does.")
    ] = False,
) -> None:
    """Serves the API. No addresses are logged; put a reverse proxy with TLS in front of it."""
    logs.write_to(sys.stderr, level=logging.INFO)
    processes.stay_undumped()
    configured = settings.load()
    served = create_app(configured)
    working: AbstractContextManager[None] = nullcontext()
    if with_jobs:
        working = Worker(served.state.engine, configured, settings.load_for_processor()).working()
    with working:
        uvicorn.run(served, host=host, port=port, **SERVER)
