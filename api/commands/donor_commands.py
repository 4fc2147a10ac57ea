"""Commands for donors and their receipts. A name is never an argument: it would stay in the shell's history."""

import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from api.client import donors, receipts
from api.client.donors import Identity
from api.commands import output
from api.commands.connection import connect
from api.commands.files import read_file
from api.commands.output import AsJson
from ledger.errors import BadInput
from ledger.giving.receipts import Voided
from reports.receipts.facts import Letterhead
from reports.receipts.pages import LANGUAGES

app = typer.Typer(help="Donors: aliases, sealed identities, whose gifts are whose.", no_args_is_help=True)
receipts_app = typer.Typer(help="Legal receipts, written on this device; and confirmations.", no_args_is_help=True)
LARGEST_TOML = 64 * 1024
Donor = Annotated[str, typer.Argument(help="The donor's alias, such as P-….")]
Gift = Annotated[str, typer.Argument(help="The gift's alias, such as G-….")]
IdentityFile = Annotated[
    Path, typer.Argument(help="TOML with name, email, address, tax_id and account, as far as they are known.")
]


class BadToml(BadInput):
    """The file is no TOML with these texts."""

    rule = "bad_toml"


@app.command("add")
def add_donor(
    identity: Annotated[Path | None, typer.Option(help="TOML as for `identify`; without it, an alias only.")] = None,
    as_json: AsJson = False,
) -> None:
    """Adds a donor, seals who they are here, and tells who may be the same."""
    told = _identity(identity) if identity else None
    with connect() as desk:
        added = donors.add(desk, told)
        alike = donors.alike(desk, added["alias"])
    said = [f"{added['alias']} is added.", *(f"  perhaps the same as {one}" for one in alike)]
    output.show(added | {"alike": alike}, as_json=as_json, lines=said)


@app.command("identify")
def identify_donor(alias: Donor, identity: IdentityFile, as_json: AsJson = False) -> None:
    """Seals who a donor is, or corrects it; delete the file afterwards."""
    with connect() as desk:
        answer = donors.identify(desk, alias, _identity(identity))
    output.show(answer, as_json=as_json, lines=[f"{alias}: sealed."])


@app.command("list")
def list_donors(as_json: AsJson = False) -> None:
    """Lists all donors by alias."""
    with connect() as desk:
        rows = list(donors.listed(desk))
    output.show_table(rows, {"alias": "Donor", "goes_by": "Goes by", "identity": "Identity"}, as_json=as_json)


@app.command("gifts")
def list_gifts(alias: Donor, as_json: AsJson = False) -> None:
    """Lists a donor's gifts, and what a receipt can certify of each."""
    with connect() as desk:
        rows = donors.gifts(desk, alias)
    columns = {
        "donation": "Gift",
        "received_on": "Received",
        "source": "Source",
        "state": "State",
        "amount": "Amount",
        "left": "Left",
        "receipt": "Receipt",
    }
    output.show_table(rows, columns, as_json=as_json)


@app.command("link")
def link_gift(alias: Donor, gift: Gift, as_json: AsJson = False) -> None:
    """A gift is this donor's from now on."""
    with connect() as desk:
        donors.link(desk, alias, gift)
    output.show({"donor": alias, "donation": gift}, as_json=as_json, lines=[f"{gift} is of {alias}."])


@app.command("unlink")
def unlink_gift(gift: Gift, as_json: AsJson = False) -> None:
    """A gift is nobody's again."""
    with connect() as desk:
        donors.unlink(desk, gift)
    output.show({"donation": gift}, as_json=as_json, lines=[f"{gift} is nobody's."])


@app.command("recognise")
def recognise_donor(gift: Gift, identity: IdentityFile, as_json: AsJson = False) -> None:
    """Links a gift to the one known donor with the file's e-mail or account; nobody's identity is opened."""
    with connect() as desk:
        found = donors.recognise(desk, gift, _identity(identity))
    said = {0: "Nobody known.", 1: f"{gift} is of {', '.join(found)}."}
    lines = [said.get(len(found), f"Several, so none is linked: {', '.join(found)}.")]
    output.show({"donors": found}, as_json=as_json, lines=lines)


@app.command("merge")
def merge_donors(
    alias: Donor,
    into: Annotated[str, typer.Option(help="The alias that the donor goes by from now on.")],
    as_json: AsJson = False,
) -> None:
    """Signs that two aliases are one donor; it is not taken back."""
    with connect() as desk:
        answer = donors.merge(desk, alias, into=into)
    output.show(answer, as_json=as_json, lines=[f"{alias} goes by {into}."])


@receipts_app.command("issue")
def issue_receipt(
    alias: Donor,
    letterhead: Annotated[Path, typer.Option(help="TOML with the fund's name, address, registration and note.")],
    out: Annotated[Path, typer.Option(help="Your own folder (chmod 700).")],
    gift: Annotated[list[str] | None, typer.Option(help="A gift; may be repeated.")] = None,
    year: Annotated[int | None, typer.Option(help="All gifts of this year instead.")] = None,
    lang: Annotated[str, typer.Option(help=f"One of {', '.join(LANGUAGES)}.")] = "en",
    replaces: Annotated[str | None, typer.Option(help="The receipt that this one replaces.")] = None,
    as_json: AsJson = False,
) -> None:
    """Opens the donor here, writes a receipt with the next number, and signs it."""
    if (gift is None) == (year is None):
        raise typer.BadParameter("name gifts or a year", param_hint="--gift, --year")
    head = _letterhead(letterhead)
    with connect() as desk:
        chosen = receipts.choose(desk, alias, gift=gift or (), year=year, replaces=replaces)
        written = receipts.issue(desk, alias, chosen, letterhead=head, lang=lang, folder=out, replaces=replaces)
    said = [f"Written: {written.path}", "Hand it to the donor and delete it here."]
    output.show(written.receipt | {"written": str(written.path)}, as_json=as_json, lines=said)


@receipts_app.command("cancel")
def cancel_receipt(
    alias: Annotated[str, typer.Argument(help="The receipt's alias, such as RT-….")],
    reason: Annotated[Voided, typer.Option(help="Why; a receipt is replaced by issuing the next one.")],
    letterhead: Annotated[Path | None, typer.Option(help="As for the receipt, for the note to its donor.")] = None,
    out: Annotated[Path | None, typer.Option(help="Your own folder (chmod 700), for the note.")] = None,
    lang: Annotated[str, typer.Option(help=f"One of {', '.join(LANGUAGES)}.")] = "en",
    without_note: Annotated[bool, typer.Option("--without-note", help="Write no note: the donor was erased.")] = False,
    as_json: AsJson = False,
) -> None:
    """Writes the note that a receipt counts no more here, and signs that; its number stays taken."""
    if without_note != (letterhead is None) or without_note != (out is None):
        raise typer.BadParameter("a note needs both", param_hint="--letterhead, --out")
    head = None if letterhead is None else _letterhead(letterhead)
    with connect() as desk:
        if head is None or out is None:
            answer, said = receipts.cancel(desk, alias, reason=reason), []
        else:
            written = receipts.note_cancellation(desk, alias, reason=reason, letterhead=head, lang=lang, folder=out)
            answer = written.receipt | {"written": str(written.path)}
            said = [f"Written: {written.path}", "Hand it to the donor and delete it here."]
    output.show(answer, as_json=as_json, lines=[f"{answer['year']}/{answer['number']} counts no more.", *said])


@receipts_app.command("list")
def list_receipts(
    year: Annotated[int | None, typer.Option(help="The year; this one unless given.")] = None, as_json: AsJson = False
) -> None:
    """Lists a year's receipts: which are void, which replace which, and which certify gifts that went back since."""
    with connect() as desk:
        rows = list(receipts.listed(desk, year=year))
    shown = rows if as_json else [row | {"uncovered": ", ".join(row["uncovered"])} for row in rows]
    columns = {
        "number": "No.",
        "alias": "Receipt",
        "donor": "Donor",
        "issued_on": "Issued",
        "amount": "Amount",
        "void": "Void",
        "replaced_by": "Replaced by",
        "uncovered": "Went back",
    }
    output.show_table(shown, columns, as_json=as_json)


@receipts_app.command("verify")
def verify_receipt(
    alias: Annotated[str, typer.Argument(help="The receipt's alias.")],
    file: Annotated[Path, typer.Argument(help="The PDF.")],
    as_json: AsJson = False,
) -> None:
    """Tells whether a PDF is the receipt that was issued under its number, and whether it still counts."""
    with connect() as desk:
        receipt = receipts.verify(desk, alias, read_file(file))
    said = f"It is no. {receipt['year']}/{receipt['number']}" + (
        f", void: {receipt['void']}." if receipt["void"] else "."
    )
    output.show(receipt, as_json=as_json, lines=[said])


@receipts_app.command("confirmations")
def show_confirmations(
    switch: Annotated[bool | None, typer.Option("--on/--off", help="Switch, signed by an administrator.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tells, or switches, whether the book confirms gifts to their donors; off unless switched on."""
    with connect() as desk:
        setting = receipts.confirmations(desk) if switch is None else receipts.set_confirmations(desk, on=switch)
    output.show(setting, as_json=as_json, lines=[f"Confirmations are {'on' if setting['on'] else 'off'}."])


@receipts_app.command("confirm")
def confirm_gift(gift: Gift, as_json: AsJson = False) -> None:
    """Shows what the books hold of one gift, without who gave; refused unless confirmations are on."""
    with connect() as desk:
        made = receipts.confirm(desk, gift)
    amount = f"{made['amount']['amount']} {made['amount']['currency']}"
    said = [
        f"{amount}, received {made['received_on']}, purpose {made['purpose']} ({made['purpose_version']}).",
        f"Entry {made['entry']}: {made['fingerprint']}",
    ]
    output.show(made, as_json=as_json, lines=said)


def _identity(path: Path) -> Identity:
    return donors.read_identity(_toml(path))


def _letterhead(path: Path) -> Letterhead:
    told = _toml(path)
    if not {"name"} <= told.keys() <= set(Letterhead.__slots__) or not all(isinstance(v, str) for v in told.values()):
        raise BadToml("a letterhead has a name, and perhaps address, registration and note", where="letterhead")
    return Letterhead(**told)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_file(path, at_most=LARGEST_TOML).decode())
    except ValueError:
        raise BadToml("the file is no TOML", where="file") from None
