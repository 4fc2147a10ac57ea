"""Founding a book: operators' cards become roster 1 with its vaults, which every officer signs on their own device."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from api.client import keyring
from api.client.keyring import Device
from ledger import people
from ledger.errors import BadInput
from ledger.people import Operator, Role, Roster, Vault

VAULTS = ("people", "money")
"""The vaults of a new book; `donors` comes with legal receipts."""
VAULT_ROLES = frozenset({Role.INTAKE, Role.APPROVER, Role.TREASURER})
"""Who is given the vaults' keys."""


class BadProposal(BadInput):
    """The people proposed cannot run a fund: two officers, an approver, and somebody else to ask and release."""

    rule = "bad_proposal"


@dataclass(frozen=True, slots=True)
class Member:
    """One person for the roster: the public card of their device, and what they may do."""

    alias: str
    signing_key: str
    sealing_key: str
    roles: tuple[Role, ...]
    officer: bool


@dataclass(frozen=True, slots=True)
class Wrap:
    """A vault's seed, sealed to one member's device."""

    vault: str
    epoch: int
    member: str
    wrap: bytes


@dataclass(frozen=True, slots=True)
class Proposal:
    """Roster 1 as it is to be signed, and the vault keys for its members; the seeds themselves are forgotten."""

    roster: Roster
    wraps: list[Wrap]


def propose(members: Sequence[Member], *, expires_on: date) -> Proposal:
    """Draws book id and vaults, and puts everything into a first roster.

    Raises:
        BadProposal: fewer than two officers, or nobody for intake, approval, release or administration.
    """
    held = {role for member in members for role in member.roles}
    missing = {Role.INTAKE, Role.APPROVER, Role.TREASURER, Role.ADMIN} - held
    approvers = {member.alias for member in members if Role.APPROVER in member.roles}
    askers = {member.alias for member in members if {Role.INTAKE, Role.TREASURER} & set(member.roles)}
    if missing or sum(member.officer for member in members) < people.OFFICERS_TO_AMEND or approvers == askers:
        raise BadProposal("a fund needs two officers, and approval by others than those who ask", where="members")
    vaults = [keyring.create_vault(name) for name in VAULTS]
    roster = Roster(
        format="solidarity-roster-1",
        book=secrets.token_hex(16),
        number=1,
        previous=None,
        operators=tuple(
            Operator(
                alias=member.alias,
                signing_key=member.signing_key,
                sealing_key=member.sealing_key,
                roles=member.roles,
                officer=member.officer,
                expires_on=expires_on,
            )
            for member in members
        ),
        vaults=tuple(
            Vault.model_validate({"name": vault.name, "epoch": vault.epoch, "sealing_key": vault.public().public.hex()})
            for vault in vaults
        ),
    )
    wraps = [
        Wrap(
            vault=vault.name,
            epoch=vault.epoch,
            member=member.alias,
            wrap=keyring.wrap_vault(vault, bytes.fromhex(member.sealing_key), member=member.alias),
        )
        for vault in vaults
        for member in members
        if VAULT_ROLES & set(member.roles)
    ]
    return Proposal(roster, wraps)


def sign_roster(device: Device, roster: Roster) -> str:
    """An officer's signature, in hexadecimal digits."""
    return keyring.sign(device, people.ROSTER_DOMAIN + roster.canonical())


def member(device: Device, *, roles: Sequence[Role], officer: bool) -> Member:
    """A person by their own device."""
    card = keyring.card(device)
    return Member(device.alias, card["ed25519"], card["xwing"], tuple(roles), officer)
