"""Commands for resolutions: what waits for a word on what it is, and what was said of it, by one or by two."""

from datetime import datetime
from typing import Annotated

import typer

from api.client import resolutions
from api.commands import output
from api.commands.connection import connect
from api.commands.output import AsJson
from ledger.money import Money
from ledger.reconciliation.answers import RULES, Answer, Because

app = typer.Typer(
    help="What bank and processor show and nobody expected so: said by one, agreed to by another.",
    no_args_is_help=True,
)

WAITING = {
    "about": "About",
    "thing": "What",
    "difference": "Difference",
    "account": "Account",
    "on": "Booked",
    "amount": "Moved",
    "of": "Of",
}
ANSWERS = {"answer": "Answer", "said_of": "Said of", "names": "--of names", "people": "Signatures"}
SAID = {
    "about": "About",
    "answer": "Answer",
    "of": "Of",
    "amount": "Moved",
    "settles": "Settles",
    "because": "Because",
    "asked_by": "Said by",
    "agreed_by": "Agreed by",
}
About = Annotated[str, typer.Argument(help="An exception, a dispute, or of a refund its obligation.")]


@app.command("list")
def list_waiting(as_json: AsJson = False) -> None:
    """Shows what waits for a word: lines of the bank, movements at the processor, disputes."""
    with connect() as desk:
        output.show_table(resolutions.listed(desk)["waiting"], WAITING, as_json=as_json)


@app.command("answers")
def list_answers(as_json: AsJson = False) -> None:
    """Shows what can be said of what, and how many sign."""
    rows = [
        {
            "answer": answer,
            "said_of": ", ".join(sorted(rule.of)),
            "names": rule.names,
            "people": 1 if rule.alone else 2,
        }
        for answer, rule in RULES.items()
    ]
    output.show_table(rows, ANSWERS, as_json=as_json)


@app.command("said")
def list_said(as_json: AsJson = False) -> None:
    """Shows what was said, and who agreed."""
    with connect() as desk:
        output.show_table(resolutions.listed(desk)["resolutions"], SAID, as_json=as_json)


@app.command("say")
def say(
    about: About,
    answer: Annotated[Answer, typer.Argument(help="What it is.")],
    of: Annotated[str | None, typer.Option(help="What the answer names: see `resolutions answers`.")] = None,
    because: Annotated[Because | None, typer.Option(help="Why; where two people sign.")] = None,
    settles: Annotated[
        str | None, typer.Option(help="How much of that it settles: all that moved unless told.")
    ] = None,
    currency: Annotated[str | None, typer.Option(help="In which currency.")] = None,
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day on which a dispute was decided.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Says what it is. It is booked where one signature suffices; else an approver must agree."""
    settled = Money.parse(settles, currency or "") if settles is not None else None
    with connect() as desk:
        said = resolutions.say(
            desk,
            about,
            answer,
            of=of,
            because=because,
            settles=settled,
            happened_on=on.date() if on is not None else None,
        )
    output.show_table([said], SAID, as_json=as_json)


@app.command("agree")
def agree(about: About, as_json: AsJson = False) -> None:
    """Shows what was said last, and agrees to it: it is booked so."""
    with connect() as desk:
        resolutions.agree(desk, about)
        said = [one for one in resolutions.listed(desk)["resolutions"] if one["about"] == about]
    output.show_table(said[-1:], SAID, as_json=as_json)
