"""Commands for backups: made, brought back, and pruned when they expire."""

from pathlib import Path
from typing import Annotated

import typer

from api import settings
from api.commands import backups, output
from api.commands.administration import at_the_database
from api.commands.backups import Lock, Unlock
from api.commands.output import AsJson
from ledger.errors import BadInput
from ledger.identities.erasure_list import FILE_NAME, Erased, ErasureList

app = typer.Typer(help="Backups of books and keyring, apart.", no_args_is_help=True)

PassphraseFile = Annotated[Path | None, typer.Option(help="A file with the keyring's passphrase.")]


class ErasuresNotTold(BadInput):
    """A restore needs the list of erasures, or the word that nobody was erased since: one of the two, not both."""

    rule = "erasures_not_told"


@app.command("create")
def create_backup(
    books: Annotated[Path, typer.Option(help="The folder for the books; it never gets a key.")],
    keyring: Annotated[Path, typer.Option(help="The folder for the encrypted keyring, at another place.")],
    recipient: Annotated[list[str] | None, typer.Option(help="An age public key (age1…) that opens it.")] = None,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Backs up books and keyring as of one moment. The shred keys are in neither: recovery has them."""
    configured = settings.load()
    lock = Lock(recipient or (), _text_of(passphrase_file))
    with at_the_database(configured) as engine:
        made = backups.create(engine, books=books, keyring=keyring, lock=lock, now=configured.now())
    answer = {"books": str(made.books), "keyring": str(made.keyring), "expires_on": made.expires_on.isoformat()}
    said = [f"Books in {made.books}.", f"Keyring in {made.keyring}, to be pruned after {made.expires_on}."]
    output.show(answer, as_json=as_json, lines=said)


@app.command("restore")
def restore_backup(
    books: Annotated[Path, typer.Option(help="The books' file.")],
    keyring: Annotated[Path | None, typer.Option(help="The keyring's file; without it no box opens.")] = None,
    identity_file: Annotated[Path | None, typer.Option(help="A file with the age identity that opens it.")] = None,
    passphrase_file: PassphraseFile = None,
    erasures: Annotated[Path | None, typer.Option(help=f"The list of erasures ({FILE_NAME}).")] = None,
    no_erasures_since: Annotated[
        bool, typer.Option("--no-erasures-since", help="I know that nobody was erased since this backup.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Brings a backup into an empty database and erases anew whoever was erased since."""
    configured = settings.load()
    own = ErasureList(configured.shred_key_directory / FILE_NAME)
    erased = _erased(erasures, own, none_since=no_erasures_since)
    plain = None
    if keyring is not None:
        unlock = Unlock(_text_of(identity_file), _text_of(passphrase_file))
        plain = unlock.decrypt(keyring.read_bytes())
    with at_the_database(configured) as engine:
        restored = backups.restore(engine, books=books, keyring=plain, erased=erased, now=configured.now())
    known = own.read() if own.path.exists() else []
    for one in erased:
        if one not in known:
            own.append(one)
    answer = {"rows": restored.rows, "keys": restored.keys, "erased_again": restored.erased_again}
    said = [f"{restored.rows} rows and {restored.keys} keys are back; {restored.erased_again} people were erased anew."]
    output.show(answer, as_json=as_json, lines=said)


@app.command("prune")
def prune_keyrings(
    keyring: Annotated[Path, typer.Option(help="The folder of keyrings.")], as_json: AsJson = False
) -> None:
    """Removes the keyrings that have expired. Run it daily, at every place that keeps a copy."""
    pruned = backups.prune(keyring, on=settings.load().now().date())
    output.show({"pruned": pruned}, as_json=as_json, lines=[f"{len(pruned)} expired keyrings are removed."])


def _erased(path: Path | None, own: ErasureList, *, none_since: bool) -> list[Erased]:
    """What the given list names, and what the server's own does when there is one."""
    if (path is None) is not none_since:
        raise ErasuresNotTold("tell --erasures FILE, or --no-erasures-since when nobody was", where="erasures")
    lists = [ErasureList(path)] if path is not None else []
    if own.path.exists():
        lists.append(own)
    return list({one.shelf: one for listed in lists for one in listed.read()}.values())


def _text_of(path: Path | None) -> str:
    return path.read_text("utf-8") if path is not None else ""
