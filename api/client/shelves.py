"""Shelves, files and boxes on the operator's side: opened once their signers stand for them, sealed for the API."""

import json
from contextlib import suppress
from typing import Any

from api.client import sealed_files, sealing
from api.client.desk import Desk
from api.client.sealing import BadSignature, CannotOpen


def open_shelf(desk: Desk, opened: dict[str, Any], *, alias: str) -> tuple[sealing.Shelf, bytes]:
    """A fetched shelf and its seed, in memory only.

    Raises:
        CannotOpen, WrongKey, BadSignature: it is another one, or was altered or swapped.
    """
    shelf = check_shelf(desk, opened["shelf"] | {"signer": opened["signer"]}, alias=alias)
    vault = desk.vault(shelf.vault, opened["wrap_epoch"])
    return shelf, sealing.open_wrap(vault, shelf.wrap, alias=shelf.alias, public=shelf.public)


def check_shelf(desk: Desk, wire: dict[str, Any], *, alias: str) -> sealing.Shelf:
    """A shelf as the API tells of it, once its signer in the roster stands for its key.

    Raises:
        CannotOpen: it is another one. BadSignature: its key is not signed.
    """
    shelf = sealing.Shelf(
        alias=wire["alias"],
        vault=wire["vault"],
        epoch=wire["epoch"],
        public=sealing.from_base64(wire["public"]),
        signature=wire["signature"],
        wrap=sealing.from_base64(wire.get("wrap", "")),
    )
    desk.check_shelf(shelf, signer=wire["signer"])
    if shelf.alias != alias:
        raise CannotOpen("the server answered with another shelf")
    return shelf


def check_file(desk: Desk, file: dict[str, Any], *, subject: str, shelf: str) -> str:
    """The commitment of a file of evidence, once its signer stands for it, though they may have left since.

    Raises:
        BadSignature: no key that they had in any roster signed it.
    """
    keys = {o.signing_key for roster in desk.rosters for o in roster.operators if o.alias == file["signer"]}
    for key in sorted(keys):
        with suppress(BadSignature):
            return sealed_files.check_file(file, subject=subject, shelf=shelf, signed_by=key)
    raise BadSignature("the file is not signed by this operator", alias=file["alias"])


def seal_json(
    public: bytes, content: dict[str, Any], *, kind: str, alias: str, field: str, version: int = 1
) -> dict[str, Any]:
    """A sealed box of JSON, as the API takes it."""
    box = sealing.seal(public, json.dumps(content).encode(), kind=kind, alias=alias, field=field, version=version)
    return {
        "kind": kind,
        "alias": alias,
        "field": field,
        "version": version,
        "bytes": sealing.to_base64(box.data),
        "commitment": box.commitment,
    }


def shelf_on_wire(shelf: sealing.Shelf) -> dict[str, Any]:
    """A shelf as the API takes it."""
    return {
        "alias": shelf.alias,
        "vault": shelf.vault,
        "epoch": shelf.epoch,
        "public": sealing.to_base64(shelf.public),
        "signature": shelf.signature,
        "wrap": sealing.to_base64(shelf.wrap),
    }
