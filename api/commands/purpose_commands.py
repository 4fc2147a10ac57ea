"""Commands for purposes: what gifts are for, and what donors are told of it in each language."""

from pathlib import Path
from typing import Annotated, Any

import typer

from api.client import purpose_texts as client
from api.commands import output
from api.commands.connection import connect
from api.commands.files import read_file
from api.commands.output import AsJson
from ledger.giving.purpose_texts import PurposeText

app = typer.Typer(help="What gifts are for, and what donors are told.", no_args_is_help=True)

COLUMNS = {"code": "Code", "fund": "Fund", "reference": "Reference"}
VERSIONS = {
    "purpose": "Purpose",
    "number": "Version",
    "state": "State",
    "alias": "Draft",
    "effective_from": "From",
    "fund": "Fund",
    "languages": "Languages",
    "link": "Payment link",
}


@app.command("list")
def list_purposes(as_json: AsJson = False) -> None:
    """Shows the purposes with the references that bank donors are asked for."""
    with connect() as desk:
        rows = desk.api.get("/v1/purposes")["purposes"]
    output.show_table(rows, COLUMNS, as_json=as_json)


@app.command("add")
def add_purpose(
    code: Annotated[str, typer.Argument(help="3 to 12 capital letters and digits; payment links carry it.")],
    fund: Annotated[str, typer.Option(help="Its fund until a version is published.")],
    text: Annotated[str, typer.Option(help="What it is for, for ourselves.")],
    net_of_costs: Annotated[bool, typer.Option(help="Until then the gift bears the processor's fee.")] = False,
    as_json: AsJson = False,
) -> None:
    """Adds a purpose and draws its reference. Donors read of it once a version is published."""
    with connect() as desk:
        body = {"code": code, "fund": fund, "text": text, "net_of_costs": net_of_costs}
        desk.api.post("/v1/purposes", body, key=f"purpose:{code}")
        rows = desk.api.get("/v1/purposes")["purposes"]
    output.show_table(rows, COLUMNS, as_json=as_json)


@app.command("versions")
def list_versions(as_json: AsJson = False) -> None:
    """Shows what donors were and are told, and the drafts that wait for a second person."""
    with connect() as desk:
        told = client.listed(desk)
    rows = [_row(one, "waiting") for one in told["drafts"]] + [_row(one, "published") for one in told["versions"]]
    output.show_table(rows, VERSIONS, as_json=as_json)


@app.command("draft")
def draft_version(
    code: Annotated[str, typer.Argument(help="The purpose.")],
    file: Annotated[Path, typer.Argument(help="The next version (JSON): see docs/purposes.md.")],
    as_json: AsJson = False,
) -> None:
    """Proposes, with your signature, what donors are to be told from a later day on."""
    with connect() as desk:
        answer = client.draft(desk, code, data=read_file(file))
    said = [f"Draft {answer['alias']} of version {answer['number']} of {code} waits for a second person."]
    output.show(answer, as_json=as_json, lines=said)


@app.command("read")
def read_draft(alias: Annotated[str, typer.Argument(help="The draft.")], as_json: AsJson = False) -> None:
    """Shows all that a draft says, in every language: read it, and open its link, before you publish it."""
    with connect() as desk:
        text = client.read_document(client.find_draft(desk, alias))
    output.show(text.model_dump(mode="json"), as_json=as_json, lines=_lines(text))


@app.command("publish")
def publish_version(alias: Annotated[str, typer.Argument(help="The draft.")], as_json: AsJson = False) -> None:
    """Gives the second signature: donors are told so from the version's first day on, and it never changes."""
    with connect() as desk:
        waiting = client.find_draft(desk, alias)
        text = client.read_document(waiting)
        answer = client.approve(desk, waiting)
    output.show(answer, as_json=as_json, lines=[f"{text.code}, version {text.number}: from {text.effective_from}"])


def _row(shown: dict[str, Any], state: str) -> dict[str, Any]:
    text = client.read_document(shown)
    return {
        "purpose": text.code,
        "number": text.number,
        "state": state,
        "alias": shown["alias"],
        "effective_from": text.effective_from,
        "fund": text.fund,
        "languages": " ".join(sorted(text.texts)),
        "link": text.link,
    }


def _lines(text: PurposeText) -> list[str]:
    costs = "the gift" if text.net_of_costs else "the fund general"
    bank = f"{text.bank.holder}, {text.bank.iban} {text.bank.bic or ''}".strip() if text.bank else "none"
    said = [
        f"{text.code}, version {text.number}, from {text.effective_from}",
        f"fund {text.fund}; the processor's fee is borne by {costs}",
        f"the donor's statement shows: {text.statement_shows}",
        f"payment link: {text.link or 'none'}",
        f"bank account: {bank}",
    ]
    for tag, told in sorted(text.texts.items()):
        said += ["", f"[{tag}] {told.title}", told.text]
    return said
