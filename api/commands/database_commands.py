"""Commands for the database itself, run by who owns it."""

import typer

from api import settings
from api.commands import output
from api.commands.output import AsJson
from ledger.storage import roles, schema
from ledger.storage.engine import open_database

app = typer.Typer(help="The database: who may do what on it.", no_args_is_help=True)


@app.callback()
def database() -> None:
    """Keeps the subcommand's name though there is one only."""


@app.command("roles")
def create_roles(as_json: AsJson = False) -> None:
    """Makes the role of the program that serves, which can change neither booked entries nor their guards (PostgreSQL).

    Then: CREATE ROLE name LOGIN PASSWORD '…' IN ROLE solidarity_application; and give the server that login.
    """
    engine = open_database(settings.load().database_url)
    schema.require_current(engine)
    with engine.begin() as connection:
        roles.create(connection)
    engine.dispose()
    output.show(
        {"role": roles.APPLICATION},
        as_json=as_json,
        lines=[f"The role {roles.APPLICATION} has its rights. Give them to the server's login: IN ROLE."],
    )
