"""Commands of an emergency: sealing off at once, ending it with recovered keys, and shredding by two officers."""

import json
import secrets
from pathlib import Path
from typing import Annotated, Any

import typer

from api import settings
from api.client import keyring
from api.commands import output
from api.commands.administration import at_the_database
from api.commands.connection import passphrase
from api.commands.output import AsJson
from ledger import book, emergency, people
from ledger.emergency import SHRED_DOMAIN, BadShredOrder, ShredOrder
from ledger.identities import sealing_off
from ledger.identities.erasure import KEYRING
from ledger.identities.person_keys import ShredKeys, write_secret
from ledger.storage import residue
from ledger.storage.engine import transaction

app = typer.Typer(help="When somebody is at the door.", no_args_is_help=True)


@app.command("seal")
def seal_off(as_json: AsJson = False) -> None:
    """Destroys the server's shred keys and suspends every bearer key, at once and without a question.

    It needs neither key nor passphrase: run it on the server. Recovered shred keys undo it.
    """
    configured = settings.load()
    with at_the_database(configured) as engine:
        shred_keys = ShredKeys(configured.shred_key_directory)
        destroyed = sealing_off.seal_off(engine, shred_keys=shred_keys, at=configured.now())
    said = [f"Sealed off: {destroyed} shred keys destroyed, every bearer key suspended."]
    output.show({"destroyed": destroyed}, as_json=as_json, lines=said)


@app.command("lift")
def lift_emergency(
    recovered: Annotated[Path, typer.Option(help="A folder with the recovered shred keys, VAULT.key each.")],
    as_json: AsJson = False,
) -> None:
    """Tries recovered shred keys on what they should open, puts them back, and ends the emergency."""
    configured = settings.load()
    with at_the_database(configured) as engine, transaction(engine) as session:
        vaults = sealing_off.put_back(
            session,
            recovered=ShredKeys(recovered),
            into=ShredKeys(configured.shred_key_directory),
            at=configured.now(),
        )
    said = ["The emergency is over. Revoke the keys of whoever was taken, then remove the folder of recovered keys."]
    output.show({"vaults": vaults}, as_json=as_json, lines=said)


@app.command("order")
def order_shredding(
    out: Annotated[Path, typer.Option(help="Where to write the order.")], as_json: AsJson = False
) -> None:
    """Writes an order to shred everybody, on the server, sealed off or not; two officers sign it within a day."""
    configured = settings.load()
    with at_the_database(configured) as engine, transaction(engine, write=False) as session:
        order = ShredOrder(
            format="solidarity-shred-1",
            book=book.require(session).book_id,
            roster=people.digest(people.current(session)),
            at=configured.now(),
            nonce=secrets.token_hex(16),
        )
    write_secret(out, _file_of(order, {}))
    output.show({"file": str(out)}, as_json=as_json, lines=[f"Two officers sign {out} with `emergency sign`."])


@app.command("sign")
def sign_order(
    order: Annotated[Path, typer.Argument(help="The order's file.")],
    device: Annotated[Path, typer.Option(help="The officer's key file.")],
    as_json: AsJson = False,
) -> None:
    """Adds an officer's signature to an order."""
    document, signatures = _read(order)
    officer = keyring.load(device, passphrase())
    signatures[officer.alias] = keyring.sign(officer, SHRED_DOMAIN + document.canonical())
    order.write_bytes(_file_of(document, signatures))
    output.show({"signer": officer.alias}, as_json=as_json, lines=[f"Signed by {officer.alias}."])


@app.command("shred")
def shred(order: Annotated[Path, typer.Argument(help="The signed order.")], as_json: AsJson = False) -> None:
    """Deletes everybody's keys for good, on the server. Nobody opens any box again; the books stay."""
    configured = settings.load()
    document, signatures = _read(order)
    with at_the_database(configured) as engine, transaction(engine) as session:
        shredded = sealing_off.shred(
            session,
            document.canonical(),
            signatures,
            shred_keys=ShredKeys(configured.shred_key_directory),
            now=configured.now(),
        )
    output.show({"shredded": shredded}, as_json=as_json, lines=[f"{shredded} keys are deleted."])
    with at_the_database(configured) as engine:
        residue.clear(engine, tables=KEYRING)


def _file_of(order: ShredOrder, signatures: dict[str, str]) -> bytes:
    return json.dumps({"document": order.canonical().decode(), "signatures": signatures}).encode()


def _read(path: Path) -> tuple[ShredOrder, dict[str, str]]:
    try:
        told: dict[str, Any] = json.loads(path.read_bytes())
        document, signatures = str(told["document"]), dict(told["signatures"])
    except (OSError, ValueError, KeyError, TypeError):
        raise BadShredOrder("the file is no order", where="order") from None
    return emergency.read_order(document), {str(who): str(text) for who, text in signatures.items()}
