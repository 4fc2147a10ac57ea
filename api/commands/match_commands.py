"""Commands for matching: open lines of the bank, the entries that they are, and what was undone."""

from dataclasses import asdict
from typing import Annotated

import typer

from api.client import matching, matching_rules
from api.commands import output
from api.commands.connection import connect
from api.commands.output import AsJson
from ledger.reconciliation.pairings import Undone

app = typer.Typer(help="Lines of the bank, and the entries that they are.", no_args_is_help=True)
rules = typer.Typer(help="What counterparties' texts tell; sealed, and applied on this device.", no_args_is_help=True)
app.add_typer(rules, name="rules")

PROPOSED = {"score": "Score", "lines": "Lines", "entries": "Entries", "reasons": "Because"}
BY_RULE = PROPOSED | {"rules": "Rules"}
RULES = {"alias": "Rule", "words": "Words", "account": "Account", "refused": "Why it cannot be read"}
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


@app.command("by-rules")
def list_by_rules(as_json: AsJson = False) -> None:
    """Shows what of the proposals a rule speaks for; the lines' texts are opened on this device."""
    with connect() as desk:
        output.show_table(matching_rules.propose(desk), BY_RULE, as_json=as_json)


@rules.command("list")
def list_rules(as_json: AsJson = False) -> None:
    """Opens the rules that stand."""
    with connect() as desk:
        output.show_table([asdict(one) for one in matching_rules.listed(desk)], RULES, as_json=as_json)


@rules.command("add")
def add_rule(
    words: Annotated[str, typer.Option(prompt=True, help="What a line's text has; asked for when it is not given.")],
    account: Annotated[str, typer.Option(help="The account that such a line's entry moves, such as 6020.")],
    as_json: AsJson = False,
) -> None:
    """Seals a rule on this device, and has it kept."""
    with connect() as desk:
        added = matching_rules.add(desk, words=words, account=account)
    output.show(added, as_json=as_json, lines=[f"{added['alias']} is kept"])


@rules.command("withdraw")
def withdraw_rule(alias: Annotated[str, typer.Argument(help="The alias of a rule.")], as_json: AsJson = False) -> None:
    """Has a rule not be applied any more."""
    with connect() as desk:
        withdrawn = matching_rules.withdraw(desk, alias)
    output.show(withdrawn, as_json=as_json, lines=[f"{alias} is withdrawn"])
