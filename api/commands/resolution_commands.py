"""Commands for resolutions: what the bank shows that answers nothing by itself, and what two people say it is."""

from typing import Annotated

import typer

from api.client import resolutions
from api.commands import output
from api.commands.connection import connect
from api.commands.output import AsJson
from ledger.money import Money
from ledger.reconciliation.answers import Answer
from ledger.reconciliation.resolutions import Because

app = typer.Typer(
    help="What the bank shows and nobody expected so: said by one, agreed to by another.", no_args_is_help=True
)

LINES = {
    "exception": "Exception",
    "difference": "Difference",
    "account": "Account",
    "booked_on": "Booked",
    "amount": "Moved",
    "of": "Of",
}
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
About = Annotated[str, typer.Argument(help="An exception, or of a refund its obligation.")]


@app.command("list")
def list_waiting(as_json: AsJson = False) -> None:
    """Shows the lines that wait for a word."""
    with connect() as desk:
        output.show_table(resolutions.listed(desk)["lines"], LINES, as_json=as_json)


@app.command("said")
def list_said(as_json: AsJson = False) -> None:
    """Shows what was said of lines and refunds, and who agreed."""
    with connect() as desk:
        output.show_table(resolutions.listed(desk)["resolutions"], SAID, as_json=as_json)


@app.command("say")
def say(
    about: About,
    answer: Annotated[Answer, typer.Argument(help="What it is.")],
    of: Annotated[str, typer.Option(help="The payment or bail, or the reference of the refund.")],
    because: Annotated[Because, typer.Option(help="Why.")],
    settles: Annotated[
        str | None, typer.Option(help="How much of that it settles: all that moved unless told.")
    ] = None,
    currency: Annotated[str | None, typer.Option(help="In which currency.")] = None,
    as_json: AsJson = False,
) -> None:
    """Says what a line of the bank is, or what became of a refund: an approver must agree."""
    settled = Money.parse(settles, currency or "") if settles is not None else None
    with connect() as desk:
        said = resolutions.say(desk, about, answer=answer, of=of, because=because, settles=settled)
    output.show_table([said], SAID, as_json=as_json)


@app.command("agree")
def agree(about: About, as_json: AsJson = False) -> None:
    """Shows what was said last, and agrees to it: the line is booked so."""
    with connect() as desk:
        resolutions.agree(desk, about)
        said = [one for one in resolutions.listed(desk)["resolutions"] if one["about"] == about]
    output.show_table(said[-1:], SAID, as_json=as_json)
