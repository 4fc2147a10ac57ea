"""Commands for people: device keys, the first roster, bearer keys."""

import json
import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from api.client import founding, keyring
from api.client.founding import Member
from api.client.sealing import to_base64
from api.commands import administration, output
from api.commands.book_commands import read_roster_file
from api.commands.connection import connect, passphrase
from api.commands.output import DAYS, AsJson
from ledger import bearer_keys, people
from ledger.aliases import Kind, draw
from ledger.errors import BadInput
from ledger.identities.person_keys import write_secret
from ledger.people import Role

operators = typer.Typer(help="Device keys and the roster.", no_args_is_help=True)
keys = typer.Typer(help="Bearer keys.", no_args_is_help=True)

OFFICER = "officer"


class BadMember(BadInput):
    """Not CARD=role,role with known roles and a card that `operators create` wrote."""

    rule = "bad_member"


@operators.command("create")
def create_device(
    out: Annotated[Path, typer.Option(help="Where to write the device's key file; the card comes beside it.")],
    as_json: AsJson = False,
) -> None:
    """Makes a device key under a generated passphrase, and a public card for the roster. Run it on the device."""
    device = keyring.create(draw(Kind.OPERATOR))
    words = keyring.draw_passphrase()
    keyring.save(out, device, words)
    card = out.with_suffix(".card.json")
    card.write_text(json.dumps(keyring.card(device), indent=2) + "\n", "utf-8")
    said = [
        f"Operator {device.alias}. Passphrase, shown once: {words}",
        f"Give {card} to who writes the roster; keep {out} and the passphrase apart.",
    ]
    output.show({"operator": device.alias, "passphrase": words, "card": str(card)}, as_json=as_json, lines=said)


@operators.command("propose")
def propose_roster(
    member: Annotated[list[str], typer.Option(help="CARD=role,role; add officer for an officer.")],
    expires_on: Annotated[datetime, typer.Option(formats=DAYS, help="Until when the roster's people may act.")],
    out: Annotated[Path, typer.Option(help="Where to write the roster file.")],
    as_json: AsJson = False,
) -> None:
    """Writes the first roster of a new book with its vaults, for every officer to sign."""
    proposal = founding.propose([_member(text) for text in member], expires_on=expires_on.date())
    content = {
        "document": proposal.roster.canonical().decode(),
        "signatures": {},
        "wraps": [
            {"vault": wrap.vault, "epoch": wrap.epoch, "member": wrap.member, "wrap": to_base64(wrap.wrap)}
            for wrap in proposal.wraps
        ],
    }
    write_secret(out, json.dumps(content).encode())
    digest = people.digest(proposal.roster)
    said = [f"Roster {digest}; every officer compares this and signs {out}."]
    output.show({"roster": digest, "file": str(out)}, as_json=as_json, lines=said)


@operators.command("sign")
def sign_roster(
    roster: Annotated[Path, typer.Argument(help="The roster file.")],
    device: Annotated[Path, typer.Option(help="The officer's key file.")],
    as_json: AsJson = False,
) -> None:
    """Adds an officer's signature to a roster file."""
    told = read_roster_file(roster)
    document = people.read_roster(told["document"])
    officer = keyring.load(device, passphrase())
    told["signatures"][officer.alias] = founding.sign_roster(officer, document)
    roster.write_text(json.dumps(told), "utf-8")
    digest = people.digest(document)
    said = [f"Roster {digest} is signed by {officer.alias}."]
    output.show({"roster": digest, "signer": officer.alias}, as_json=as_json, lines=said)


@keys.command("create")
def create_key(
    operator: Annotated[str, typer.Argument(help="The operator's alias.")],
    role: Annotated[list[Role], typer.Option(help="A role the key carries.")],
    out: Annotated[Path, typer.Option(help="Where to write the bearer key.")],
    days: Annotated[int, typer.Option(help="For how many days it is valid.")] = 90,
    as_json: AsJson = False,
) -> None:
    """Makes a bearer key for an operator: drawn here, of which the server learns the hash."""
    with connect() as desk:
        bearer = administration.draw_bearer()
        alias = draw(Kind.KEY)
        digest = administration.digest_of(bearer)
        expires_on = desk.now().date() + timedelta(days=days)
        committed = bearer_keys.commitment(
            alias=alias, operator=operator, roles=frozenset(role), key_digest=digest, expires_on=expires_on
        )
        write_secret(out, bearer.encode())
        body = {
            "alias": alias,
            "operator": operator,
            "roles": sorted(role),
            "digest": digest,
            "expires_on": expires_on.isoformat(),
            "agreed": desk.agree("create_key", alias, version=1, evidence=[committed]),
        }
        answer = desk.api.post("/v1/keys", body, key=f"key:{secrets.token_hex(8)}")
    output.show(answer, as_json=as_json, lines=[f"Key {alias} for {operator} is in {out}."])


def _member(text: str) -> Member:
    path, _, told = text.partition("=")
    try:
        card = json.loads(Path(path).read_bytes())
        roles = [Role(role) for role in told.split(",") if role != OFFICER]
        return Member(card["alias"], card["ed25519"], card["xwing"], tuple(roles), OFFICER in told.split(","))
    except (OSError, ValueError, KeyError, TypeError):
        raise BadMember("a member is CARD=role,role", where="member") from None
