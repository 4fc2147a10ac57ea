"""Commands for people: device keys, the first roster, bearer keys."""

import json
import secrets
import tomllib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel, ConfigDict

from api.client import amending, founding, keyring, recovery
from api.client.fingerprints import in_words
from api.client.founding import Member, Proposal
from api.commands import administration, output
from api.commands.connection import connect, passphrase
from api.commands.files import read_file
from api.commands.output import DAYS, AsJson
from api.commands.roster_files import read_roster_file
from ledger import bearer_keys, people
from ledger.aliases import Kind, draw
from ledger.errors import BadInput
from ledger.identities.person_keys import write_secret
from ledger.people import Limit, Role

operators = typer.Typer(help="Device keys and the roster.", no_args_is_help=True)
keys = typer.Typer(help="Bearer keys.", no_args_is_help=True)

OFFICER = "officer"


class BadLimits(BadInput):
    """A file that does not hold limits."""

    rule = "bad_limits"


class _Limits(BaseModel):
    model_config = ConfigDict(extra="forbid")
    limits: tuple[Limit, ...] = ()


LimitsFile = Annotated[Path | None, typer.Option("--limits", help="A TOML file with what roles may agree to.")]


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
    recovery_card: Annotated[Path | None, typer.Option(help="The card that `recovery draw` wrote.")] = None,
    limits: LimitsFile = None,
    as_json: AsJson = False,
) -> None:
    """Writes the first roster of a new book with its vaults, for every officer to sign."""
    public = read_recovery_card(recovery_card)
    members = [read_member(text) for text in member]
    proposal = founding.propose(
        members, expires_on=expires_on.date(), recovery=public, limits=read_limits(limits) or ()
    )
    write_proposal(out, proposal, signatures={})
    digest = people.digest(proposal.roster)
    words = in_words(digest)
    said = [
        f"Roster {digest}; every officer compares this and signs {out}.",
        f"Every device is told its words at first contact: {words}",
    ]
    output.show({"roster": digest, "words": words, "file": str(out)}, as_json=as_json, lines=said)


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


def write_proposal(out: Path, proposal: Proposal, *, signatures: dict[str, str]) -> None:
    """Writes a roster file: the document, signatures so far, and wraps."""
    content = {
        "document": proposal.roster.canonical().decode(),
        "signatures": signatures,
        "wraps": [amending.wrap_on_wire(wrap) for wrap in proposal.wraps],
    }
    write_secret(out, json.dumps(content).encode())


def read_recovery_card(path: Path | None) -> str | None:
    """The public key of a recovery card, or None without one; raises `BadRecoveryFile` when it is none."""
    if path is None:
        return None
    try:
        return recovery.check_card(json.loads(read_file(path)))
    except ValueError:
        raise recovery.BadRecoveryFile("not the card of a recovery key", where="recovery") from None


def read_limits(file: Path | None) -> list[Limit] | None:
    """Limits as a TOML file tells them: `[[limits]]` with role, currency, per_act, per_day, third_above.

    Raises:
        BadLimits: the file holds something else.
    """
    if file is None:
        return None
    try:
        return list(_Limits.model_validate(tomllib.loads(file.read_text("utf-8"))).limits)
    except (OSError, ValueError):
        raise BadLimits("limits are tables of role, currency and amounts", where="limits") from None


def read_member(text: str) -> Member:
    """A member told as CARD=role,role; raises `BadMember`."""
    path, _, told = text.partition("=")
    try:
        card = json.loads(Path(path).read_bytes())
        roles = [Role(role) for role in told.split(",") if role != OFFICER]
        return Member(card["alias"], card["ed25519"], card["xwing"], tuple(roles), OFFICER in told.split(","))
    except (OSError, ValueError, KeyError, TypeError):
        raise BadMember("a member is CARD=role,role", where="member") from None
