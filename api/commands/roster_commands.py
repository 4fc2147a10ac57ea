"""Commands for the roster's life: amended, reviewed, enrolled; an operator suspended."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from api import settings
from api.client import amending, founding
from api.client.amending import Changes
from api.client.fingerprints import in_words
from api.client.sealing import from_base64
from api.commands import administration, output
from api.commands.connection import connect
from api.commands.operator_commands import LimitsFile, read_limits, read_member, read_recovery_card, write_proposal
from api.commands.output import DAYS, AsJson
from api.commands.roster_files import read_roster_file
from ledger import people
from ledger.identities.person_keys import ShredKeys
from ledger.identities.vaults import NewWrap
from ledger.storage.engine import open_database


def add_to(operators: typer.Typer) -> None:
    """Adds the commands to `solidarity operators`."""
    operators.command("amend")(amend_roster)
    operators.command("review")(review_roster)
    operators.command("enrol")(enrol_roster)
    operators.command("fingerprint")(show_fingerprint)
    operators.command("suspend")(suspend_operator)
    operators.command("suspensions")(list_suspensions)


def amend_roster(
    out: Annotated[Path, typer.Option(help="Where to write the roster file.")],
    join: Annotated[
        list[str] | None, typer.Option(help="CARD=role,role; an alias of the roster gets a new device or other roles.")
    ] = None,
    leave: Annotated[list[str] | None, typer.Option(help="The alias of who leaves; every vault is rotated.")] = None,
    rotate: Annotated[list[str] | None, typer.Option(help="A vault that gets a new key.")] = None,
    reinstate: Annotated[list[str] | None, typer.Option(help="Whose suspension ends.")] = None,
    recovery_card: Annotated[Path | None, typer.Option(help="The card that `recovery draw` wrote.")] = None,
    expires_on: Annotated[
        datetime | None, typer.Option(formats=DAYS, help="Until when the roster's people may act.")
    ] = None,
    limits: LimitsFile = None,
    as_json: AsJson = False,
) -> None:
    """Writes the next roster, signed by this device when its operator is an officer; a second officer reviews it."""
    changes = Changes(
        join=[read_member(text) for text in join or ()],
        leave=leave or (),
        rotate=rotate or (),
        reinstate=reinstate or (),
        recovery=read_recovery_card(recovery_card),
        expires_on=expires_on.date() if expires_on else None,
        limits=read_limits(limits),
    )
    with connect() as desk:
        proposal = amending.propose_next(desk, changes)
        said = amending.differences(desk.roster, proposal.roster)
        is_officer = any(o.alias == desk.device.alias and o.officer for o in desk.roster.operators)
        signature = founding.sign_roster(desk.device, proposal.roster)
        write_proposal(out, proposal, signatures={desk.device.alias: signature} if is_officer else {})
    digest = people.digest(proposal.roster)
    answer = {"roster": digest, "file": str(out), "changes": said}
    output.show(answer, as_json=as_json, lines=[*said, f"Roster {proposal.roster.number}, {digest}, is in {out}."])


def review_roster(
    roster: Annotated[Path, typer.Argument(help="The roster file.")],
    sign: Annotated[bool, typer.Option(help="Sign it with this device, after these checks.")] = False,
    as_json: AsJson = False,
) -> None:
    """Shows what a roster changes, against the chain that this device has checked, and tries its new vault keys."""
    told = read_roster_file(roster)
    following = people.read_roster(told["document"])
    wraps = [NewWrap(one["vault"], one["epoch"], one["member"], from_base64(one["wrap"])) for one in told["wraps"]]
    with connect() as desk:
        before = desk.roster
        if (following.book, following.number, following.previous) != (
            before.book,
            before.number + 1,
            people.digest(before),
        ):
            raise people.BadRoster("not the next roster of this book", where="previous")
        amending.check_wraps(desk.device, following, before, wraps)
        said = amending.differences(before, following)
        if sign:
            signed = founding.sign_roster(desk.device, following)
            proposal = founding.Proposal(following, wraps)
            unfinished = roster.with_name(roster.name + ".new")
            write_proposal(unfinished, proposal, signatures=told["signatures"] | {desk.device.alias: signed})
            unfinished.replace(roster)
    digest = people.digest(following)
    answer = {"roster": digest, "changes": said, "signed": sign}
    ending = "It is signed by this device." if sign else "Nothing was signed."
    output.show(answer, as_json=as_json, lines=[*said, f"Roster {following.number}, {digest}. {ending}"])


def enrol_roster(
    roster: Annotated[Path, typer.Argument(help="The roster file, signed by two officers.")],
    on_server: Annotated[
        bool, typer.Option(help="On the server itself, without a key: when the API lets nobody in any more.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Enrols a signed roster: from now on it says who may do what."""
    told = read_roster_file(roster)
    if on_server:
        configured = settings.load()
        enrolled = administration.enrol_roster(
            open_database(configured.database_url),
            told,
            shred_keys=ShredKeys(configured.shred_key_directory),
            now=configured.now(),
        )
    else:
        enrolled = people.read_roster(told["document"])
        wraps = [NewWrap(one["vault"], one["epoch"], one["member"], from_base64(one["wrap"])) for one in told["wraps"]]
        with connect() as desk:
            amending.enrol(desk, enrolled, told["signatures"], wraps)
    answer = {"number": enrolled.number, "roster": people.digest(enrolled)}
    output.show(answer, as_json=as_json, lines=[f"Roster {enrolled.number} is enrolled."])


def show_fingerprint(as_json: AsJson = False) -> None:
    """Shows the fingerprint of the first roster, as this device has checked it: for who joins."""
    with connect() as desk:
        digest = people.digest(desk.rosters[0])
    words = in_words(digest)
    output.show({"roster": digest, "words": words}, as_json=as_json, lines=[words, digest])


def suspend_operator(
    alias: Annotated[str, typer.Argument(help="Whom to stop.")],
    as_json: AsJson = False,
) -> None:
    """Suspends an operator at once: the server refuses their keys and acts until two officers reinstate them."""
    with connect() as desk:
        agreed = desk.agree("suspend_operator", alias, version=desk.roster.number)
        body = {"operator": alias, "agreed": agreed}
        answer = desk.api.post("/v1/suspensions", body, key=f"suspend:{agreed['act']['nonce']}")
    output.show(answer, as_json=as_json, lines=[f"{alias} is suspended."])


def list_suspensions(as_json: AsJson = False) -> None:
    """Shows who is suspended."""
    with connect() as desk:
        rows = desk.api.get("/v1/suspensions")["suspensions"]
    columns = {"operator": "Operator", "suspended_by": "By", "at": "At"}
    output.show_table(rows, columns, as_json=as_json)
