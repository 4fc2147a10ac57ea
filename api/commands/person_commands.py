"""Commands for persons: two cases side by side, and whether they are of one person."""

from collections.abc import Callable
from typing import Annotated

import typer

from api.client import persons
from api.commands import output
from api.commands.connection import connect
from api.commands.output import AsJson

CaseAlias = Annotated[str, typer.Argument(help="The case.")]
COLUMNS = {"what": "", "first": "First", "second": "Second"}


def add_to(app: typer.Typer) -> None:
    """Puts the commands among those for cases."""
    commands: dict[str, Callable[..., None]] = {
        "compare": compare_cases,
        "same-person": join_people,
        "other-person": tell_apart,
    }
    for name, command in commands.items():
        app.command(name)(command)


def compare_cases(
    alias: CaseAlias, other: Annotated[str, typer.Argument(help="Another one.")], as_json: AsJson = False
) -> None:
    """Opens two cases here and shows side by side who they are of; both readings are logged."""
    with connect() as desk:
        first, second = persons.compare(desk, alias, other)
    rows = [
        {"what": name.replace("_", " "), "first": first.identity[name], "second": second.identity.get(name)}
        for name in first.identity
    ]
    books = [(side.case["beneficiary"], side.case["rulings"][0]) for side in (first, second)]
    rows.append({"what": "beneficiary", "first": books[0][0], "second": books[1][0]})
    rows += [
        {"what": name.replace("_", " "), "first": books[0][1][name], "second": books[1][1][name]}
        for name in ("region", "article", "ruled_by")
    ]
    output.show_table(rows, COLUMNS, as_json=as_json)


def join_people(
    alias: CaseAlias,
    other: Annotated[str, typer.Option("--as", help="A case of the same person.")],
    as_json: AsJson = False,
) -> None:
    """Opens both cases here and signs that they are of one person: caps, ledger and erasure take them for one."""
    _say(alias, other, is_one=True, as_json=as_json)


def tell_apart(
    alias: CaseAlias,
    other: Annotated[str, typer.Option("--than", help="A case of somebody else.")],
    as_json: AsJson = False,
) -> None:
    """Opens both cases here and signs that they are of two people; it takes back what was joined, too."""
    _say(alias, other, is_one=False, as_json=as_json)


def _say(alias: str, other: str, *, is_one: bool, as_json: bool) -> None:
    with connect() as desk:
        word = persons.say(desk, alias, other, is_one=is_one)
    said = f"{word['beneficiary']} and {word['other']}: {'one person' if is_one else 'two people'}"
    output.show(word, as_json=as_json, lines=[said])
