"""Founding a book: operators' cards become roster 1 with its vaults, which every officer signs on their own device."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from api.client import keyring
from api.client.keyring import Device
from api.client.sealing import VaultSeed
from ledger import people
from ledger.errors import BadInput
from ledger.identities.vaults import NewWrap, recovery_member
from ledger.people import Form, Limit, Operator, Role, Roster, Vault

VAULTS = ("people", "money", "donors")
"""The vaults of a book."""
VAULT_ROLES = {
    "people": frozenset({Role.INTAKE, Role.APPROVER, Role.TREASURER}),
    "money": frozenset({Role.INTAKE, Role.APPROVER, Role.TREASURER}),
    "donors": frozenset({Role.APPROVER, Role.TREASURER}),  # an approver re-wraps, and is handed no donor's box
}
"""Who is given which vault's keys."""


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

    def operator(self, *, expires_on: date) -> Operator:
        """The person as the roster names them."""
        return Operator(
            alias=self.alias,
            signing_key=self.signing_key,
            sealing_key=self.sealing_key,
            roles=self.roles,
            officer=self.officer,
            expires_on=expires_on,
        )


@dataclass(frozen=True, slots=True)
class Proposal:
    """A roster as it is to be signed, and vault keys for its members and recovery; seeds drawn here are forgotten."""

    roster: Roster
    wraps: list[NewWrap]


def propose(
    members: Sequence[Member], *, expires_on: date, recovery: str | None = None, limits: Sequence[Limit] = ()
) -> Proposal:
    """Draws book id and vaults, and puts everything into a first roster; `recovery` is a public key in hex digits.

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
    plain: Form = "solidarity-roster-2" if recovery else "solidarity-roster-1"
    roster = Roster(
        format="solidarity-roster-3" if limits else plain,
        book=secrets.token_hex(16),
        number=1,
        previous=None,
        operators=tuple(member.operator(expires_on=expires_on) for member in members),
        vaults=tuple(named(vault) for vault in vaults),
        recovery=recovery,
        limits=tuple(limits),
    )
    return Proposal(roster, [wrap for vault in vaults for wrap in wraps_for(vault, holders(roster, vault.name))])


def holders(roster: Roster, vault: str) -> dict[str, str]:
    """Who is given a vault's keys, by name, with their X-Wing public keys: its members, and recovery."""
    members = {o.alias: o.sealing_key for o in roster.operators if VAULT_ROLES[vault] & set(o.roles)}
    recovery = recovery_member(roster)
    return members | ({recovery: roster.recovery} if recovery and roster.recovery else {})


def wraps_for(vault: VaultSeed, to: Mapping[str, str]) -> list[NewWrap]:
    """A vault's seed wrapped to each of these holders."""
    return [
        NewWrap(vault.name, vault.epoch, member, keyring.wrap_vault(vault, bytes.fromhex(sealing_key), member=member))
        for member, sealing_key in to.items()
    ]


def named(vault: VaultSeed) -> Vault:
    """A vault's epoch as the roster names it."""
    public = vault.public().public.hex()
    return Vault.model_validate({"name": vault.name, "epoch": vault.epoch, "sealing_key": public})


def sign_roster(device: Device, roster: Roster) -> str:
    """An officer's signature, in hexadecimal digits."""
    return keyring.sign(device, people.ROSTER_DOMAIN + roster.canonical())


def member(device: Device, *, roles: Sequence[Role], officer: bool) -> Member:
    """A person by their own device."""
    card = keyring.card(device)
    return Member(device.alias, card["ed25519"], card["xwing"], tuple(roles), officer)
