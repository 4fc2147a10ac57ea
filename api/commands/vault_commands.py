"""Commands for keys after a change of people: bearer keys listed and revoked, vaults shared, shelves re-wrapped."""

from typing import Annotated

import typer

from api.client import wrapping
from api.commands import output
from api.commands.connection import connect
from api.commands.output import AsJson, Steps


def add_to(keys: typer.Typer) -> None:
    """Adds the commands to `solidarity keys`."""
    keys.command("list")(list_keys)
    keys.command("revoke")(revoke_key)
    keys.command("share")(share_vaults)
    keys.command("rewrap")(rewrap_shelves)


def list_keys(as_json: AsJson = False) -> None:
    """Shows all bearer keys: whose, for which roles, when last used for a change, revoked or not."""
    with connect() as desk:
        rows = desk.api.get("/v1/keys")["keys"]
    shown = rows if as_json else [one | {"roles": ", ".join(one["roles"])} for one in rows]
    columns = {
        "alias": "Key",
        "operator": "Operator",
        "roles": "Roles",
        "expires_on": "Until",
        "last_used_on": "Used on",
        "revoked": "Revoked",
    }
    output.show_table(shown, columns, as_json=as_json)


def revoke_key(
    alias: Annotated[str, typer.Argument(help="The key's alias, such as K-….")], as_json: AsJson = False
) -> None:
    """Ends a bearer key at once."""
    with connect() as desk:
        answer = desk.api.post(f"/v1/keys/{alias}/revoke", {}, key=f"revoke:{alias}")
    output.show(answer, as_json=as_json, lines=[f"{alias} is revoked."])


def share_vaults(as_json: AsJson = False) -> None:
    """Wraps the vault keys that this device holds for members, and recovery, who lack them: after somebody joined."""
    with connect() as desk:
        made = wrapping.wrap_missing(desk)
    answer = [{"vault": one.vault, "epoch": one.epoch, "member": one.member} for one in made]
    output.show(answer, as_json=as_json, lines=[f"{len(made)} wraps made."])


def rewrap_shelves(as_json: AsJson = False) -> None:
    """Re-wraps shelves to the newest vault keys; another member runs it too, and only then the old wraps go."""
    answer: dict[str, dict[str, int]] = {}
    with connect() as desk, Steps("Re-wrapping") as progress:
        for vault in wrapping.own_vaults(desk):
            done = wrapping.rewrap(desk, vault, progress=lambda number: progress(number, number))
            answer[vault] = {"appended": done.appended, "confirmed": done.confirmed, "waiting": done.waiting}
    said = [
        f"{vault}: {one['appended']} re-wrapped, {one['confirmed']} of another member's confirmed, "
        f"{one['waiting']} wait for another member"
        for vault, one in answer.items()
    ]
    output.show(answer, as_json=as_json, lines=said)
