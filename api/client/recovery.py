"""Recovery: a key split among five people of whom three can join it, offline, and what it opens.

The split is SLIP-39 with an empty passphrase. A wrong passphrase, or a share of another split, would silently give
another secret: what was joined is therefore held against the public half that the officers signed into the roster.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from shamir_mnemonic import MnemonicError, combine_mnemonics, generate_mnemonics

from api.client import keyring, sealing
from api.client.sealing import VaultPublic, VaultSeed
from ledger import people
from ledger.errors import BadInput, Tampered
from ledger.identities.boxes import SEED_BYTES
from ledger.identities.person_keys import KEY_BYTES, ShredKeys, copy_place, write_secret
from ledger.identities.vaults import fingerprint, recovery_member
from ledger.people import Roster

NEEDED, SHARES = 3, 5
"""How many people join the key, of how many that hold a share."""


class BadShares(BadInput):
    """Too few shares, a mistyped word, or shares of different splits."""

    rule = "bad_shares"


class WrongShares(Tampered):
    """The shares join to a key, but not to the one that the roster names."""

    rule = "wrong_shares"


class BadRecoveryFile(BadInput):
    """Not the file that `solidarity recovery export` wrote."""

    rule = "bad_recovery_file"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A fresh recovery key: its public half in hexadecimal digits, and five shares. The seed itself is forgotten."""

    public: str
    shares: list[str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a server keeps for recovery: the chain of rosters, vault wraps and shred-key copies."""

    roster: Roster
    vault_wraps: list[tuple[str, int, bytes]]
    shred_keys: dict[str, bytes]


def draw() -> Drawn:
    """Draws a key and splits it; three of the five shares (33 words each) join it."""
    return split(secrets.token_bytes(SEED_BYTES))


def split(seed: bytes) -> Drawn:
    """Splits a recovery seed anew, after at least three holders have joined it."""
    (shares,) = generate_mnemonics(1, [(NEEDED, SHARES)], seed)
    drawn = Drawn(sealing.public_of(seed).hex(), shares)
    join(shares[-NEEDED:], public=drawn.public)  # never hand out what does not join again
    return drawn


def join(shares: Sequence[str], *, public: str) -> bytes:
    """The recovery seed out of three shares, held against its public half.

    Raises:
        BadShares: they do not join. WrongShares: they join to another key than `public`.
    """
    try:
        seed: bytes = combine_mnemonics([" ".join(share.lower().split()) for share in shares])
    except MnemonicError:  # its text shows words of the share
        raise BadShares("the shares do not join", where="shares", given=len(shares)) from None
    if len(seed) != SEED_BYTES or sealing.public_of(seed).hex() != public:
        raise WrongShares("the shares join to another key than the roster names", given=len(shares))
    return seed


def read(content: bytes) -> Sealed:
    """Reads the file of `recovery export`, and checks its chain of rosters.

    The first roster's fingerprint is for people to compare: this file may be all that is left.

    Raises:
        BadRecoveryFile: it is none, or its book has no recovery key. BadRoster, RosterNotSigned: see there.
    """
    try:
        told: dict[str, Any] = json.loads(content)
        rosters = [_roster(told["rosters"][:number]) for number in range(1, len(told["rosters"]) + 1)]
        wraps = [(one["vault"], one["epoch"], sealing.from_base64(one["wrap"])) for one in told["vault_wraps"]]
        copies = {one["vault"]: sealing.from_base64(one["sealed"]) for one in told["shred_keys"]}
    except (ValueError, KeyError, TypeError):
        raise BadRecoveryFile("not a recovery file", where="file") from None
    if not rosters or rosters[-1].recovery is None:
        raise BadRecoveryFile("the book has no recovery key", where="file")
    return Sealed(rosters[-1], wraps, copies)


def open_vaults(seed: bytes, sealed: Sealed) -> list[VaultSeed]:
    """The seeds of every vault epoch that recovery has a wrap of, each held against the roster.

    Raises:
        CannotOpen, WrongKey: a wrap is altered, or of another key than the officers signed.
    """
    member = recovery_member(sealed.roster)
    publics = {(str(v.name), v.epoch): bytes.fromhex(v.sealing_key) for v in sealed.roster.vaults}
    return [
        keyring.unwrap_vault_as(str(member), seed, wrap, vault=VaultPublic(name, epoch, publics[name, epoch]))
        for name, epoch, wrap in sealed.vault_wraps
        if (name, epoch) in publics
    ]


def open_shred_keys(seed: bytes, sealed: Sealed, directory: Path) -> list[str]:
    """Opens the copies of the shred keys into files of a new directory, for `recovery restore`; names the vaults.

    Raises:
        CannotOpen: a copy is altered, or of another vault. FileExistsError: the directory is not new.
    """
    keys = {
        name: sealing.open_sealed(seed, copy, bound_to=copy_place(name)) for name, copy in sealed.shred_keys.items()
    }
    if any(len(key) != KEY_BYTES for key in keys.values()):
        raise sealing.CannotOpen("a shred key is 32 bytes")
    directory.mkdir(mode=0o700)
    for name, key in keys.items():
        write_secret(ShredKeys(directory).path(name), key)
    return sorted(keys)


def check_card(told: dict[str, Any]) -> str:
    """The public key of a recovery card, when its fingerprint is its own.

    Raises:
        BadRecoveryFile: it is not.
    """
    try:
        public = str(told["xwing"])
        holds = fingerprint(public) == told["fingerprint"]
    except (KeyError, ValueError, TypeError):
        holds, public = False, ""
    if not holds:
        raise BadRecoveryFile("not the card of a recovery key", where="recovery")
    return public


def _roster(versions: list[dict[str, Any]]) -> Roster:
    """The last of these rosters, held against the one before."""
    *earlier, last = versions
    before = people.read_roster(earlier[-1]["document"]) if earlier else None
    roster = people.read_roster(last["document"])
    people.verify_roster(roster, last["signatures"], before=before, on=date.fromisoformat(last["recorded_on"]))
    return roster
