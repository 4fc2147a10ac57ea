"""Golden forms of keys over their lives: what was stored once must be read for ever."""

import base64
import json
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any

from api.client import fingerprints, keyring, recovery, sealing
from api.client.sealing import VaultPublic, VaultSeed
from ledger import people
from ledger.approvals import ACT_DOMAIN, Act
from ledger.identities import boxes
from ledger.identities.person_keys import ShredKeys, copy_place, write_secret
from ledger.identities.vaults import recovery_member
from ledger.people import Roster

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parent / "golden" / "keys-1.json").read_text("utf-8"))
RECOVERY: dict[str, Any] = GOLDEN["recovery"]
VAULT = VaultSeed("people", 2, bytes.fromhex(GOLDEN["vault_2_seed"]))


def roster(name: str) -> Roster:
    return people.read_roster(GOLDEN[name]["document"])


def test_the_golden_rosters_still_verify_in_both_forms() -> None:
    first, second = roster("roster_1"), roster("roster_2")

    people.verify_roster(first, GOLDEN["roster_1"]["signatures"], before=None, on=date(2020, 11, 20))
    people.verify_roster(second, GOLDEN["roster_2"]["signatures"], before=first, on=date(2020, 11, 20))
    assert (people.digest(first), people.digest(second)) == (GOLDEN["roster_1"]["digest"], GOLDEN["roster_2"]["digest"])
    assert (first.recovery, second.reinstated) == (None, ("OP-0000-0000-0002",))
    assert fingerprints.matches(GOLDEN["roster_1"]["words"], people.digest(first))


def test_the_golden_act_still_has_its_bytes_and_signature() -> None:
    told = GOLDEN["act"]
    act = Act.model_validate_json(told["document"])
    signer = roster("roster_1").operators[0]

    assert act.canonical().decode() == told["document"]
    assert people.holds(signer.signing_key, ACT_DOMAIN + act.canonical(), told["signature"])
    seeds = GOLDEN["devices"][signer.alias]
    device = keyring.Device(signer.alias, bytes.fromhex(seeds["signing_seed"]), bytes.fromhex(seeds["sealing_seed"]))
    assert keyring.sign(device, ACT_DOMAIN + act.canonical()) == told["signature"]


def test_the_golden_lock_still_unlocks_to_a_wrap_that_opens(tmp_path: Path) -> None:
    keys, alias = ShredKeys(tmp_path), GOLDEN["shelf"]["alias"]
    write_secret(keys.path("people"), bytes.fromhex(GOLDEN["shred_key"]))

    wrap = keys.unlock(base64.b64decode(GOLDEN["locked"]), vault="people", alias=alias, epoch=2)

    boxes.check_wrap(wrap)
    assert wrap == base64.b64decode(GOLDEN["rewrap"])
    seed = bytes.fromhex(GOLDEN["shelf"]["seed"])
    assert sealing.open_wrap(VAULT, wrap, alias=alias, public=sealing.public_of(seed)) == seed


def test_any_three_of_the_golden_shares_still_join_and_open_what_recovery_holds() -> None:
    second = roster("roster_2")
    joined = {recovery.join(three, public=str(second.recovery)).hex() for three in combinations(RECOVERY["shares"], 3)}
    seed = bytes.fromhex(RECOVERY["seed"])
    public = VaultPublic("people", 2, bytes.fromhex(second.vaults[1].sealing_key))

    assert (joined, recovery_member(second)) == ({RECOVERY["seed"]}, RECOVERY["member"])
    wrap = base64.b64decode(RECOVERY["vault_wrap"])
    assert keyring.unwrap_vault_as(RECOVERY["member"], seed, wrap, vault=public) == VAULT
    copy = base64.b64decode(RECOVERY["shred_key_copy"])
    assert sealing.open_sealed(seed, copy, bound_to=copy_place("people")).hex() == GOLDEN["shred_key"]
