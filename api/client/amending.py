"""The next roster: who joins, leaves, or has a new device; vaults rotated, recovery named, suspensions ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from api.client import founding, keyring, sealing
from api.client.desk import Desk, NoVault
from api.client.founding import BadProposal, Member, Proposal
from api.client.keyring import Device
from api.client.sealing import VaultPublic, VaultSeed
from ledger import people
from ledger.errors import Tampered
from ledger.identities.vaults import NewWrap, recovery_member
from ledger.people import Form, Limit, Operator, Roster


class WrapMissing(Tampered):
    """A vault key of the proposal was not wrapped for this officer, who is to be its member, nor for recovery."""

    rule = "wrap_missing"


@dataclass(frozen=True, slots=True)
class Changes:
    """What the next roster changes. Who joins under an alias of the roster replaces it: a new device, other roles.

    `rotate` names vaults for a new epoch; when somebody leaves or changes devices, all of them get one.
    """

    join: Sequence[Member] = ()
    leave: Sequence[str] = ()
    rotate: Sequence[str] = ()
    reinstate: Sequence[str] = ()
    recovery: str | None = None
    expires_on: date | None = None
    limits: Sequence[Limit] | None = None
    """All limits from now on; None leaves them as they are."""


def propose_next(desk: Desk, changes: Changes) -> Proposal:
    """The next roster of the desk's book, unsigned, with the wraps that it needs.

    A new epoch is wrapped to every member and to recovery. Who joins, and a new recovery key, are given the older
    epochs too as far as this device holds them; `wrapping.wrap_missing` by a member adds the rest.

    Raises:
        BadProposal: somebody is to leave, or a vault to rotate, that the roster does not name, or nothing changes.
    """
    before = desk.roster
    operators = _operators(before, changes)
    names = sorted({vault.name for vault in before.vaults})
    if not set(changes.rotate) <= {*names, *founding.VAULTS}:
        raise BadProposal("there is no such vault", where="rotate")
    rotated = {*changes.rotate, *(name for name in names if _needs_rotation(before, operators, name))}
    fresh = [_next_epoch(before, name) for name in sorted(rotated)]
    recovery = changes.recovery or before.recovery
    limits = before.limits if changes.limits is None else tuple(changes.limits)
    is_first_form = before.format == "solidarity-roster-1" and not recovery and not changes.reinstate
    plain: Form = "solidarity-roster-1" if is_first_form else "solidarity-roster-2"
    roster = Roster(
        format="solidarity-roster-3" if limits or before.format == "solidarity-roster-3" else plain,
        book=before.book,
        number=before.number + 1,
        previous=people.digest(before),
        operators=operators,
        vaults=(*before.vaults, *(founding.named(vault) for vault in fresh)),
        recovery=recovery,
        reinstated=tuple(sorted(changes.reinstate)),
        limits=limits,
    )
    if not differences(before, roster):
        raise BadProposal("nothing changes", where="changes")
    wraps = [wrap for vault in fresh for wrap in founding.wraps_for(vault, founding.holders(roster, vault.name))]
    for name in names:
        known = founding.holders(before, name)
        newcomers = {one: key for one, key in founding.holders(roster, name).items() if known.get(one) != key}
        if newcomers:
            wraps += [wrap for vault in _held(desk, [name]) for wrap in founding.wraps_for(vault, newcomers)]
    return Proposal(roster, wraps)


def differences(before: Roster, after: Roster) -> list[str]:
    """What the roster `after` changes, a line each: what an officer reads before signing it."""
    old, new = ({operator.alias: operator for operator in roster.operators} for roster in (before, after))
    said = [f"joins: {_described(new[alias])}" for alias in new if alias not in old]
    said += [f"leaves: {alias}" for alias in old if alias not in new]
    for alias in old.keys() & new.keys():
        if (old[alias].signing_key, old[alias].sealing_key) != (new[alias].signing_key, new[alias].sealing_key):
            said.append(f"new device: {alias}")
        if _described(old[alias]) != _described(new[alias]):
            said.append(f"was: {_described(old[alias])}; becomes: {_described(new[alias])}")
    said += [f"new vault key: {v.name}, epoch {v.epoch}" for v in after.vaults if v not in before.vaults]
    if after.recovery != before.recovery:
        said.append(f"recovery: {recovery_member(after) or 'none'}")
    said += [f"limit: {_limit(limit)}" for limit in after.limits if limit not in before.limits]
    said += [f"limit no more: {_limit(limit)}" for limit in before.limits if limit not in after.limits]
    return [*sorted(said), *(f"suspension ends: {alias}" for alias in after.reinstated)]


def check_wraps(device: Device, roster: Roster, before: Roster, wraps: Sequence[NewWrap]) -> None:
    """Opens, before signing, this officer's wraps of the epochs that a roster adds, if they are to be a member.

    A vault key of which nobody has the seed would swallow everything that is sealed to it.

    Raises:
        WrapMissing: there is none for this officer or for recovery. CannotOpen, WrongKey: it is of another key.
    """
    own = {(wrap.vault, wrap.epoch): wrap for wrap in wraps if wrap.member == device.alias}
    recovery = recovery_member(roster)
    for vault in (vault for vault in roster.vaults if vault not in before.vaults):
        place = (vault.name, vault.epoch)
        if recovery and not any((wrap.vault, wrap.epoch) == place and wrap.member == recovery for wrap in wraps):
            raise WrapMissing("recovery has no wrap of the vault", vault=vault.name, epoch=vault.epoch)
        if device.alias in founding.holders(roster, vault.name):
            if place not in own:
                raise WrapMissing("this officer has no wrap of the vault", vault=vault.name, epoch=vault.epoch)
            public = VaultPublic(vault.name, vault.epoch, bytes.fromhex(vault.sealing_key))
            keyring.unwrap_vault(device, own[place].wrap, vault=public)


def enrol(desk: Desk, roster: Roster, signatures: dict[str, str], wraps: Sequence[NewWrap]) -> None:
    """Sends a roster that two officers have signed."""
    body = {
        "document": roster.canonical().decode(),
        "signatures": signatures,
        "wraps": [wrap_on_wire(wrap) for wrap in wraps],
    }
    desk.api.post("/v1/roster", body, key=f"roster:{people.digest(roster)}")


def wrap_on_wire(wrap: NewWrap) -> dict[str, Any]:
    """A wrap as the API and roster files have it."""
    return {"vault": wrap.vault, "epoch": wrap.epoch, "member": wrap.member, "wrap": sealing.to_base64(wrap.wrap)}


def _limit(limit: Limit) -> str:
    told = limit.model_dump(exclude={"role", "currency"}, exclude_none=True)
    most = ", ".join(f"{name.replace('_', ' ')} {amount}" for name, amount in told.items())
    return f"{limit.role}, {limit.currency}: {most or 'nothing set'}"


def _operators(before: Roster, changes: Changes) -> tuple[Operator, ...]:
    known = {operator.alias for operator in before.operators}
    if not set(changes.leave) <= known:
        raise BadProposal("the roster names nobody of this alias", where="leave")
    until = changes.expires_on or max(operator.expires_on for operator in before.operators)
    joining = {member.alias: member.operator(expires_on=until) for member in changes.join}
    kept = [joining.pop(o.alias, o) for o in before.operators if o.alias not in changes.leave]
    if changes.expires_on:
        kept = [operator.model_copy(update={"expires_on": until}) for operator in kept]
    return (*kept, *joining.values())


def _needs_rotation(before: Roster, operators: Sequence[Operator], vault: str) -> bool:
    """Whether a device that knew the vault is not to know it any more."""
    knowing = founding.VAULT_ROLES[vault]
    staying = {operator.sealing_key for operator in operators if knowing & set(operator.roles)}
    return not {o.sealing_key for o in before.operators if knowing & set(o.roles)} <= staying


def _next_epoch(roster: Roster, name: str) -> VaultSeed:
    """The first epoch of a vault that the roster does not name yet: books of earlier versions have fewer."""
    epochs = [vault.epoch for vault in roster.vaults if vault.name == name]
    return keyring.create_vault(name, max(epochs, default=0) + 1)


def _held(desk: Desk, names: Sequence[str]) -> list[VaultSeed]:
    """What this device holds of the standing epochs: nothing when its operator is no member."""
    held: list[VaultSeed] = []
    for name in names:
        try:
            held += desk.vaults(name)
        except NoVault:
            continue
    return held


def _described(operator: Operator) -> str:
    roles = ", ".join([*sorted(operator.roles), *(["officer"] if operator.officer else [])])
    return f"{operator.alias} ({roles or 'no role'}, until {operator.expires_on})"
