"""The demonstration's people: three invented operators with real devices, and a book founded by their signatures."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import Engine

from api.client import founding, keyring
from api.client.keyring import Device
from api.commands import administration
from ledger.aliases import Kind, draw
from ledger.identities.person_keys import ShredKeys, write_secret
from ledger.people import Role

ROLES: dict[str, tuple[tuple[Role, ...], bool]] = {
    "anna": ((Role.INTAKE, Role.TREASURER), True),
    "boris": ((Role.APPROVER,), True),
    "clara": ((Role.ADMIN, Role.PUBLISHER, Role.AUDITOR), False),
}
"""What each may do, and whether they are an officer."""
BEARERS = "bearer-keys.json"
EXPIRES_ON = date(2030, 12, 31)
"""A demonstration's roster and keys end here."""


@dataclass(frozen=True, slots=True)
class Person:
    """An operator with their unlocked device."""

    device: Device
    key_file: Path


def meet(folder: Path) -> dict[str, Person]:
    """The three, with the devices they have in `folder`, or with new ones."""
    people = {}
    for name in ROLES:
        key_file = folder / f"{name}.key"
        words = folder / f"{name}.passphrase"
        if key_file.exists():
            people[name] = Person(keyring.load(key_file, words.read_text("utf-8")), key_file)
            continue
        write_secret(words, keyring.draw_passphrase().encode())
        people[name] = Person(keyring.create(draw(Kind.OPERATOR)), key_file)
        keyring.save(key_file, people[name].device, words.read_text("utf-8"))
    return people


def found_demo(
    engine: Engine, people: dict[str, Person], *, organisation: str, shred_keys: ShredKeys, now: datetime
) -> str:
    """Founds the demonstration's book, and returns the administrator's bearer key."""
    members = [
        founding.member(people[name].device, roles=roles, officer=officer) for name, (roles, officer) in ROLES.items()
    ]
    proposal = founding.propose(members, expires_on=EXPIRES_ON)
    officers = [people[name].device for name, (_, officer) in ROLES.items() if officer]
    return administration.found_book(
        engine,
        administration.Founding(
            roster=proposal.roster.canonical().decode(),
            signatures={device.alias: founding.sign_roster(device, proposal.roster) for device in officers},
            wraps=proposal.wraps,
            organisation=organisation,
            functional_currency="EUR",
            jurisdiction="by",
            demo=True,
        ),
        admin=people["clara"].device.alias,
        key_expires_on=EXPIRES_ON,
        shred_keys=shred_keys,
        now=now,
    )


def read_bearers(folder: Path) -> dict[str, str]:
    """The bearer keys the demonstration has made so far, by name."""
    path = folder / BEARERS
    text = path.read_text("utf-8") if path.exists() else ""
    bearers: dict[str, str] = json.loads(text) if text else {}
    return bearers


def keep_bearer(folder: Path, name: str, bearer: str) -> None:
    """Adds a bearer key to those of the demonstration."""
    path = folder / BEARERS
    path.touch(mode=0o600)
    path.write_text(json.dumps(read_bearers(folder) | {name: bearer}), "utf-8")
