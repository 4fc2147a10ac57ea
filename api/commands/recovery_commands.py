"""Commands for recovery: a key drawn and split, joined again, and what it opens when devices or shred keys are lost."""

import json
from pathlib import Path
from typing import Annotated

import typer

from api import settings
from api.client import recovery, wrapping
from api.client.recovery import BadRecoveryFile
from api.commands import administration, output
from api.commands.connection import connect
from api.commands.files import read_file
from api.commands.output import AsJson
from ledger.identities.person_keys import ShredKeys, write_secret
from ledger.identities.vaults import fingerprint
from ledger.storage.engine import open_database

app = typer.Typer(help="The recovery key: three of five people join it.", no_args_is_help=True)

CARD = "recovery.card.json"
Share = Annotated[list[Path], typer.Option(help="A file with one share; three of them.")]
Exported = Annotated[Path, typer.Argument(help="The file that `recovery export` wrote.")]


@app.command("draw")
def draw_key(
    out: Annotated[Path, typer.Option(help="A new folder for five shares and the card.")], as_json: AsJson = False
) -> None:
    """Draws a recovery key, offline: five shares to be given away and deleted here, and the card for the roster."""
    drawn = recovery.draw()
    out.mkdir(mode=0o700)
    for number, share in enumerate(drawn.shares, start=1):
        write_secret(out / f"share-{number}.txt", f"{share}\n".encode())
    told = {"xwing": drawn.public, "fingerprint": fingerprint(drawn.public)}
    (out / CARD).write_text(json.dumps(told, indent=2) + "\n", "utf-8")
    said = [
        f"Recovery key {told['fingerprint']}.",
        f"Give each share in {out} to another person, in another country; then delete them. {CARD} is public.",
    ]
    output.show({"fingerprint": told["fingerprint"], "folder": str(out)}, as_json=as_json, lines=said)


@app.command("check")
def check_shares(
    share: Share, card: Annotated[Path, typer.Option(help="The recovery card.")], as_json: AsJson = False
) -> None:
    """Joins three shares and compares with the card: an exercise, once a year. Nothing is written or shown."""
    public = recovery.check_card(json.loads(read_file(card)))
    recovery.join(_read(share), public=public)
    said = ["The shares join to the key of the card."]
    output.show({"fingerprint": fingerprint(public), "joins": True}, as_json=as_json, lines=said)


@app.command("export")
def export_sealed(out: Annotated[Path, typer.Option(help="Where to write the file.")], as_json: AsJson = False) -> None:
    """Writes, on the server, what it keeps for recovery: all of it sealed or public."""
    content = administration.export_recovery(open_database(settings.load().database_url))
    write_secret(out, json.dumps(content).encode())
    counted = {"vault_wraps": len(content["vault_wraps"]), "shred_keys": len(content["shred_keys"])}
    said = [f"{counted['vault_wraps']} vault keys and {counted['shred_keys']} shred keys, sealed, are in {out}."]
    output.show(counted | {"file": str(out)}, as_json=as_json, lines=said)


@app.command("vaults")
def recover_vaults(file: Exported, share: Share, as_json: AsJson = False) -> None:
    """Opens the vault keys with three shares and wraps them for the roster's members, whose devices are new."""
    sealed = recovery.read(read_file(file))
    with connect() as desk:
        if desk.roster != sealed.roster or desk.roster.recovery is None:
            raise BadRecoveryFile("the file is not of the newest roster: export it again", where="file")
        seeds = recovery.open_vaults(recovery.join(_read(share), public=desk.roster.recovery), sealed)
        made = wrapping.give_missing(desk, seeds)
    answer = [{"vault": one.vault, "epoch": one.epoch, "member": one.member} for one in made]
    output.show(answer, as_json=as_json, lines=[f"{len(seeds)} vault keys recovered, {len(made)} wraps made."])


@app.command("shred-keys")
def open_shred_keys(
    file: Exported,
    share: Share,
    out: Annotated[Path, typer.Option(help="A new folder for the opened keys.")],
    as_json: AsJson = False,
) -> None:
    """Opens the shred keys with three shares, offline; carry the folder to the server for `recovery restore`."""
    sealed = recovery.read(read_file(file))
    seed = recovery.join(_read(share), public=str(sealed.roster.recovery))
    names = recovery.open_shred_keys(seed, sealed, out)
    output.show({"vaults": names, "folder": str(out)}, as_json=as_json, lines=[f"Opened: {', '.join(names)}."])


@app.command("restore")
def restore_shred_keys(
    folder: Annotated[Path, typer.Argument(help="The folder that `recovery shred-keys` wrote.")],
    as_json: AsJson = False,
) -> None:
    """Takes opened shred keys back on the server, where they are missing; each must unlock what stands there."""
    configured = settings.load()
    names = administration.restore_shred_keys(
        open_database(configured.database_url),
        ShredKeys(folder),
        shred_keys=ShredKeys(configured.shred_key_directory),
    )
    said = [f"Restored: {', '.join(names) or 'none was missing'}. Destroy {folder} now."]
    output.show({"restored": names}, as_json=as_json, lines=said)


def _read(shares: list[Path]) -> list[str]:
    try:
        return [read_file(path).decode() for path in shares]
    except UnicodeDecodeError:
        raise recovery.BadShares("a share is a line of words", where="shares") from None
