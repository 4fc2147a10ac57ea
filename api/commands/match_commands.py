"""Commands for matching: open lines of the bank, the entries that they are, and what was undone."""

from typing import Annotated

import typer

from api.client import matching
from api.commands import output
from api.commands.connection import connect
from api.commands.output import AsJson
from ledger.reconciliation.pairings import Undone

app = typer.Typer(help="Lines of the bank, and the entries that they are.", no_args_is_help=True)

PROPOSED = {"score": "Score", "lines": "Lines", "entries": "Entries", "reasons": "Because"}
MATCHED = {
    "alias": "Match",
    "lines": "Lines",
    "entries": "Entries",
    "score": "Score",
    "paired_by": "By",
    "undone_by": "Undone by",
}


@app.command("proposals")
def list_proposals(as_json: AsJson = False) -> None:
    """Shows what open lines may be, the best first."""
    with connect() as desk:
        output.show_table(matching.listed(desk)["proposals"], PROPOSED, as_json=as_json)


@app.command("list")
def list_matches(as_json: AsJson = False) -> None:
    """Shows what was matched, and by whom."""
    with connect() as desk:
        output.show_table(matching.listed(desk)["pairings"], MATCHED, as_json=as_json)


@app.command("match")
def match(
    line: Annotated[list[str], typer.Option(help="The key of a line; again for each.")],
    entry: Annotated[list[int] | None, typer.Option(help="The number of an entry; none when lines cancel.")] = None,
    as_json: AsJson = False,
) -> None:
    """Signs that these lines are these entries."""
    with connect() as desk:
        made = matching.match(desk, lines=line, entries=entry or [])
    output.show_table([made], MATCHED, as_json=as_json)


@app.command("unmatch")
def unmatch(
    alias: Annotated[str, typer.Argument(help="The alias of a match.")],
    because: Annotated[Undone, typer.Option(help="Why.")],
    as_json: AsJson = False,
) -> None:
    """Undoes a match: its lines wait again."""
    with connect() as desk:
        made = matching.unmatch(desk, alias, because=because)
    output.show_table([made], MATCHED, as_json=as_json)
