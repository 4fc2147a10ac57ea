"""The command `solidarity`: it reads only the part that is asked for, and ends with a code that tells what happened."""

import logging
import os
import sys
from functools import cache
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from api import logs
from api.commands import processes
from api.commands.parts import PARTS, load


class Program(TyperGroup):
    """Knows its parts by name and in one line each; a part is read when it is run, or asked for its own help."""

    def __init__(self, **told: Any) -> None:
        super().__init__(**told)
        self.commands.update((name, TyperCommand(name, help=line)) for name, line in PARTS.items())

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """As Typer's own, with the part in place of its name."""
        if args[0] in PARTS:
            self.commands[args[0]] = load(args[0])
        return super().resolve_command(ctx, args)


app = typer.Typer(
    name="solidarity",
    cls=Program,
    help="A double-entry ledger for funds that pay fines and detention costs after peaceful assemblies.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def take_options(
    roster_fingerprint: Annotated[
        str | None,
        typer.Option(
            envvar="SOLIDARITY_ROSTER_FINGERPRINT", help="The first roster's fingerprint, said at first contact."
        ),
    ] = None,
) -> None:
    """A double-entry ledger for funds that pay fines and detention costs after peaceful assemblies."""
    if roster_fingerprint:
        os.environ["SOLIDARITY_ROSTER_FINGERPRINT"] = roster_fingerprint


def run() -> None:
    """Runs the command line and exits with a code that tells what happened."""
    logs.write_to(sys.stderr, level=logging.WARNING)
    processes.dump_no_core()
    try:
        typer.main.get_command(app)()
    except Exception as error:  # noqa: BLE001  # a traceback would show what was read: names stand in it
        from api.commands import endings  # noqa: PLC0415  # it knows all kinds of errors, and takes long to read

        sys.exit(endings.tell(error))


@cache
def command() -> Any:
    """The whole tree, all parts of it read: for who walks through all commands."""
    whole = typer.main.get_group(app)
    whole.commands.update((name, load(name)) for name in PARTS)
    return whole
