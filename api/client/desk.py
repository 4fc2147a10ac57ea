"""An operator's desk: their device, the API, the roster they trust, and the vaults they may open."""

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from api.client import keyring, sealing
from api.client.http import Api
from api.client.keyring import Device
from api.client.sealing import VaultPublic, VaultSeed
from ledger import people
from ledger.approvals import ACT_DOMAIN, Act, Verb
from ledger.errors import Tampered
from ledger.identities.person_keys import sync_directory
from ledger.money import Money
from ledger.people import Roster

PINS = ".roster"
"""The file beside the device key that remembers the newest roster seen."""


class RosterRolledBack(Tampered):
    """The server shows an older roster than this device has seen, or another one of the same number."""

    rule = "roster_rolled_back"


class NoVault(Tampered):
    """The roster names no such vault, or the device was given no wrap of it."""

    rule = "no_vault"


@dataclass(slots=True)
class Desk:
    """Where an operator works. `now` tells the moment that acts are signed at."""

    api: Api
    device: Device
    roster: Roster
    now: Callable[[], datetime]
    _vaults: dict[str, VaultSeed] = field(default_factory=dict, repr=False)

    def sign(self, message: bytes) -> str:
        """An Ed25519 signature by this device, in hexadecimal digits."""
        return keyring.sign(self.device, message)

    def agree(
        self,
        verb: Verb,
        object_alias: str,
        *,
        version: int,
        amount: Money | None = None,
        payee_commitment: str | None = None,
        evidence: Sequence[str] = (),
    ) -> dict[str, Any]:
        """A signed act, as the API takes it."""
        act = Act(
            act=verb,
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

    def vault_public(self, name: str) -> VaultPublic:
        """The newest public key of a vault, by the roster.

        Raises:
            NoVault: the roster names none.
        """
        found = [vault for vault in self.roster.vaults if vault.name == name]
        if not found:
            raise NoVault("the roster names no such vault", vault=name)
        newest = max(found, key=lambda vault: vault.epoch)
        return VaultPublic(newest.name, newest.epoch, bytes.fromhex(newest.sealing_key))

    def vault(self, name: str) -> VaultSeed:
        """The newest seed of a vault, opened once and kept in memory.

        Raises:
            NoVault: the device was given no wrap. CannotOpen, WrongKey: the wrap is not what it should be.
        """
        if name not in self._vaults:
            public = self.vault_public(name)
            wraps = self.api.get(f"/v1/vaults/{name}/wraps")["wraps"]
            own = [wrap for wrap in wraps if wrap["epoch"] == public.epoch]
            if not own:
                raise NoVault("this device was given no key of the vault", vault=name, epoch=public.epoch)
            self._vaults[name] = keyring.unwrap_vault(self.device, sealing.from_base64(own[0]["wrap"]), vault=public)
        return self._vaults[name]

    def draw_shelf(self, vault: str, *, alias: str) -> sealing.Shelf:
        """A fresh shelf for `alias`, signed by this device."""
        return sealing.draw_shelf(self.vault_public(vault), alias=alias, signer=partial(keyring.sign, self.device))


def open_desk(api: Api, device: Device, *, pins: Path | None, now: Callable[[], datetime]) -> Desk:
    """Fetches the rosters, checks the whole chain, and refuses one older than this device has seen.

    Raises:
        BadRoster, RosterNotSigned: the chain does not hold. RosterRolledBack: see there.
        UnknownOperator: the device's operator is not in the newest roster.
    """
    before: Roster | None = None
    seen: dict[int, str] = {}
    for version in api.get("/v1/roster")["rosters"]:
        roster = people.read_roster(version["document"])
        recorded_on = date.fromisoformat(version["recorded_on"])
        people.verify_roster(roster, version["signatures"], before=before, on=recorded_on)
        seen[roster.number] = people.digest(roster)
        before = roster
    if before is None:
        raise RosterRolledBack("the server shows no roster")
    before.operator(device.alias, on=now().date())
    if pins is not None:
        _pin(pins, before, seen)
    return Desk(api, device, before, now)


def _pin(path: Path, roster: Roster, seen: dict[int, str]) -> None:
    """Compares with what was seen before, per book, and remembers the newest; the first contact is trusted."""
    pins: dict[str, dict[str, Any]] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    pinned = pins.get(roster.book)
    if pinned is not None and seen.get(pinned["number"]) != pinned["digest"]:
        raise RosterRolledBack("the server shows another roster than this device has seen", number=pinned["number"])
    newest = {"number": roster.number, "digest": people.digest(roster)}
    if pinned != newest:
        unfinished = path.with_name(path.name + ".new")
        unfinished.write_text(json.dumps(pins | {roster.book: newest}), "utf-8")
        unfinished.replace(path)
        sync_directory(path.parent)
