"""An operator's desk: their device, the API, the roster they trust, and the vaults they may open."""

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from api.client import fingerprints, keyring, sealing
from api.client.http import Api
from api.client.keyring import Device
from api.client.sealing import BadSignature, Shelf, VaultPublic, VaultSeed
from ledger import people
from ledger.approvals import ACT_DOMAIN, Act, Verb, stated
from ledger.errors import Refused, Tampered
from ledger.identities.boxes import shelf_message
from ledger.identities.person_keys import sync_directory, write_secret
from ledger.money import Money
from ledger.people import Roster

PINS = ".roster"
"""The file beside the device key that remembers the newest roster seen, of each book."""

Fingerprint = Callable[[], str]
"""Asks the operator for the fingerprint of roster 1."""


class RosterRolledBack(Tampered):
    """The server shows an older roster than this device has seen, or another one of the same number."""

    rule = "roster_rolled_back"


class FirstContact(Refused):
    """This device never saw the book: its operator says the fingerprint of roster 1, as the officers told it."""

    rule = "first_contact"


class WrongFingerprint(Tampered):
    """The server's first roster is not the one whose fingerprint the operator was told; nothing was remembered."""

    rule = "wrong_fingerprint"


class NoVault(Tampered):
    """The roster names no such vault, or the device was given no wrap of it."""

    rule = "no_vault"


@dataclass(slots=True)
class Desk:
    """Where an operator works. `rosters` is the checked chain, `now` tells the moment that acts are signed at."""

    api: Api
    device: Device
    rosters: tuple[Roster, ...]
    now: Callable[[], datetime]
    _vaults: dict[tuple[str, int], VaultSeed] = field(default_factory=dict, repr=False)

    @property
    def roster(self) -> Roster:
        """The newest roster."""
        return self.rosters[-1]

    def sign(self, message: bytes) -> str:
        """An Ed25519 signature by this device, in hexadecimal digits."""
        return keyring.sign(self.device, message)

    def agree(
        self,
        verb: Verb,
        object_alias: str,
        *,
        version: int,
        detail: str | None = None,
        amount: Money | None = None,
        payee_commitment: str | None = None,
        evidence: Sequence[str] = (),
    ) -> dict[str, Any]:
        """A signed act, as the API takes it; `detail` is what it says behind its verb."""
        act = Act(
            act=stated(verb, detail),
            book=self.roster.book,
            signer=self.device.alias,
            object=object_alias,
            version=version,
            amount=amount.decimal() if amount else None,
            currency=amount.currency if amount else None,
            payee_commitment=payee_commitment,
            evidence_commitments=tuple(sorted(evidence)),
            at=self.now(),
            nonce=secrets.token_hex(16),
        )
        return {"act": act.model_dump(mode="json"), "signature": self.sign(ACT_DOMAIN + act.canonical())}

    def vault_public(self, name: str, epoch: int | None = None) -> VaultPublic:
        """A public key of a vault by the roster, the newest unless an epoch is given.

        Raises:
            NoVault: the roster names none.
        """
        found = [vault for vault in self.roster.vaults if vault.name == name and epoch in {None, vault.epoch}]
        if not found:
            raise NoVault("the roster names no such vault", vault=name)
        newest = max(found, key=lambda vault: vault.epoch)
        return VaultPublic(newest.name, newest.epoch, bytes.fromhex(newest.sealing_key))

    def vault(self, name: str, epoch: int | None = None) -> VaultSeed:
        """A seed of a vault, the newest unless an epoch is given; opened once and kept in memory.

        Raises:
            NoVault: the device was given no wrap. CannotOpen, WrongKey: the wrap is not what it should be.
        """
        public = self.vault_public(name, epoch)
        if (name, public.epoch) not in self._vaults:
            own = [wrap for wrap in self._wraps(name) if wrap["epoch"] == public.epoch]
            if not own:
                raise NoVault("this device was given no key of the vault", vault=name, epoch=public.epoch)
            seed = keyring.unwrap_vault(self.device, sealing.from_base64(own[0]["wrap"]), vault=public)
            self._vaults[name, public.epoch] = seed
        return self._vaults[name, public.epoch]

    def vaults(self, name: str) -> list[VaultSeed]:
        """The seeds of all epochs of a vault that this device was given, the newest first.

        Raises:
            NoVault: not even the newest. CannotOpen, WrongKey: a wrap is not what it should be.
        """
        newest = self.vault(name)
        held = sorted((wrap["epoch"] for wrap in self._wraps(name)), reverse=True)
        return [newest, *(self.vault(name, epoch) for epoch in held if epoch != newest.epoch)]

    def check_shelf(self, shelf: Shelf, *, signer: str) -> None:
        """Tells that `signer` stands for a shelf, though they may have left since.

        What counts are the keys they had in those rosters of the chain that name the shelf's epoch of its vault: who
        left before a rotation puts up nothing in the epochs after it.

        Raises:
            BadSignature: none of these keys signed it.
        """
        place = (shelf.vault, shelf.epoch)
        knowing = [one for one in self.rosters if place in {(vault.name, vault.epoch) for vault in one.vaults}]
        keys = {o.signing_key for roster in knowing for o in roster.operators if o.alias == signer}
        message = shelf_message(shelf.alias, shelf.public, shelf.vault, shelf.epoch)
        if not any(people.holds(key, message, shelf.signature) for key in keys):
            raise BadSignature("the shelf's key is not signed by this operator", alias=shelf.alias)

    def draw_shelf(self, vault: str, *, alias: str) -> sealing.Shelf:
        """A fresh shelf for `alias`, signed by this device."""
        return sealing.draw_shelf(self.vault_public(vault), alias=alias, signer=partial(keyring.sign, self.device))

    def _wraps(self, name: str) -> list[dict[str, Any]]:
        wraps: list[dict[str, Any]] = self.api.get(f"/v1/vaults/{name}/wraps")["wraps"]
        return wraps


def open_desk(
    api: Api, device: Device, *, pins: Path | None, now: Callable[[], datetime], fingerprint: Fingerprint | None = None
) -> Desk:
    """Fetches the rosters, checks the whole chain, and refuses one older than this device has seen.

    `fingerprint` is asked at the first contact with a book only. Without `pins` nothing is remembered, nor compared.

    Raises:
        BadRoster, RosterNotSigned: the chain does not hold.
        RosterRolledBack, FirstContact, WrongFingerprint: see there.
        UnknownOperator: the device's operator is not in the newest roster.
    """
    rosters: list[Roster] = []
    for version in api.get("/v1/roster")["rosters"]:
        roster = people.read_roster(version["document"])
        recorded_on = date.fromisoformat(version["recorded_on"])
        before = rosters[-1] if rosters else None
        people.verify_roster(roster, version["signatures"], before=before, on=recorded_on)
        rosters.append(roster)
    if not rosters:
        raise RosterRolledBack("the server shows no roster")
    if pins is not None:
        _pin(pins, rosters, fingerprint)
    rosters[-1].operator(device.alias, on=now().date())
    return Desk(api.for_book(rosters[-1].book), device, tuple(rosters), now)


def _pin(path: Path, rosters: list[Roster], fingerprint: Fingerprint | None) -> None:
    """Compares with what was seen before, per book, and remembers the newest."""
    pins: dict[str, dict[str, Any]] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    newest = rosters[-1]
    pinned = pins.get(newest.book)
    if pinned is None:
        if fingerprint is None:
            raise FirstContact("say the fingerprint of the first roster, as the officers told it")
        if not fingerprints.matches(fingerprint(), people.digest(rosters[0])):
            raise WrongFingerprint("the server's first roster has another fingerprint")
    elif {roster.number: people.digest(roster) for roster in rosters}.get(pinned["number"]) != pinned["digest"]:
        raise RosterRolledBack("the server shows another roster than this device has seen", number=pinned["number"])
    seen = {"number": newest.number, "digest": people.digest(newest)}
    if pinned != seen:
        unfinished = path.with_name(path.name + ".new")
        unfinished.unlink(missing_ok=True)
        write_secret(unfinished, json.dumps(pins | {newest.book: seen}).encode())
        unfinished.replace(path)
        sync_directory(path.parent)
