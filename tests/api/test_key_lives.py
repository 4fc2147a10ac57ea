"""Keys over their lives: somebody joins, leaves, is stopped; vaults are rotated; what is lost is recovered."""

import json
import shutil
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from api.client import (
    amending,
    case_evidence,
    case_imports,
    cases,
    donors,
    founding,
    keyring,
    recovery,
    sealing,
    verifications,
    wrapping,
)
from api.client.amending import Changes, WrapMissing
from api.client.desk import Desk, NoVault, open_desk
from api.client.founding import BadProposal
from api.client.http import Api, ApiRefusal, in_process
from api.client.keyring import Device
from api.client.outbox import Outbox
from api.client.sealing import BadSignature, CannotOpen, WrongKey
from api.commands.administration import digest_of, draw_bearer, export_recovery, restore_shred_keys
from ledger import bearer_keys, people
from ledger.aliases import Kind, draw
from ledger.identities import rewrapping
from ledger.identities.person_keys import ShredKeyExists, ShredKeyMissing, ShredKeys, WrapDoesNotUnlock
from ledger.identities.shelves import PersonKey, Shelf, Token, VaultWrap
from ledger.identities.vaults import ShredKeyCopy, fingerprint, recovery_member
from ledger.people import Role
from ledger.storage.engine import transaction
from tests.donors import ELISABET, a_known_donor
from tests.key_files import write_key_file
from tests.office import EXPIRES_ON, Office, change, on_one_database, rotate, rotate_people, suspend
from tests.papers import a_list_row


@dataclass(frozen=True)
class Newcomer:
    """Somebody who joins, with a device of their own."""

    device: Device
    bearer: str

    def desk(self, office: Office) -> Desk:
        outbox = Outbox(office.folder / f"outbox-{self.device.alias}", keyring.outbox_key(self.device))
        return open_desk(Api(office.http, key=self.bearer, outbox=outbox), self.device, pins=None, now=office.now)


def a_newcomer(office: Office, *roles: Role, **changes: Any) -> Newcomer:
    """Joins by a roster that both officers sign, and is given a bearer key."""
    newcomer = Newcomer(keyring.create(draw(Kind.OPERATOR)), draw_bearer())
    member = founding.member(newcomer.device, roles=roles, officer=False)
    change(office, Changes(join=[member], **changes))
    with transaction(office.engine) as session:
        bearer_keys.admit(
            session,
            alias=draw(Kind.KEY),
            operator=newcomer.device.alias,
            roles=frozenset(roles),
            key_digest=digest_of(newcomer.bearer),
            expires_on=EXPIRES_ON,
            created_at=office.now(),
        )
    return newcomer


def enter(desk: Desk, *rows: Any, list_name: str = "a list") -> list[str]:
    before = {case["alias"] for case in cases.listed(desk)}
    case_imports.import_rows(desk, list(rows) or [a_list_row()], jurisdiction="by", list_name=list_name)
    return sorted({case["alias"] for case in cases.listed(desk)} - before)


def read(desk: Desk, alias: str) -> case_evidence.Evidence:
    return case_evidence.check_evidence(desk, desk.api.get(f"/v1/cases/{alias}"), reason="verification")


def epochs(office: Office) -> list[int]:
    with transaction(office.engine, write=False) as session:
        return sorted(key.epoch for key in session.exec(select(PersonKey).join(Shelf).where(Shelf.vault == "people")))


def rewrap(office: Office, *names: str) -> list[wrapping.Rewrapped]:
    return [wrapping.rewrap(office.new_desk(name), "people") for name in names]


# --- joining


def test_who_joins_is_given_the_vaults_by_the_proposer_and_opens_what_was_sealed_before(furnished: Office) -> None:
    (case,) = enter(furnished.desk("dora"))
    newcomer = a_newcomer(furnished, Role.INTAKE)

    assert read(newcomer.desk(furnished), case).identity
    assert wrapping.wrap_missing(furnished.new_desk("boris")) == []
    (own,) = enter(newcomer.desk(furnished), list_name="theirs")
    assert read(furnished.new_desk("boris"), own).identity


@on_one_database
def test_a_member_gives_the_vaults_to_who_joined_by_the_hand_of_an_officer_without_them(furnished: Office) -> None:
    (case,) = enter(furnished.desk("dora"))
    joining = keyring.create(draw(Kind.OPERATOR))
    clara = furnished.new_desk("clara")
    member = founding.member(joining, roles=[Role.APPROVER], officer=False)
    proposal = amending.propose_next(clara, Changes(join=[member]))
    assert proposal.wraps == []
    officers = [furnished.staff.devices[name] for name in ("anna", "boris")]
    signatures = {one.alias: founding.sign_roster(one, proposal.roster) for one in officers}
    amending.enrol(clara, proposal.roster, signatures, proposal.wraps)

    made = wrapping.wrap_missing(furnished.new_desk("boris"))

    assert {(one.vault, one.member) for one in made} == {(vault, joining.alias) for vault in founding.VAULTS}
    assert read(furnished.new_desk("anna"), case).identity


# --- leaving


def test_what_a_leaver_signed_still_opens_and_what_comes_after_is_closed_to_them(furnished: Office) -> None:
    dora = furnished.desk("dora")
    (before,) = enter(dora)
    old_seed = dora.vault("people")
    change(furnished, Changes(leave=[furnished.alias("dora")]))
    anna = furnished.new_desk("anna")
    (after,) = enter(anna, list_name="later")
    assert rewrap(furnished, "anna", "boris") == [wrapping.Rewrapped(1, 0, 0), wrapping.Rewrapped(0, 1, 0)]

    assert all(read(anna, case).identity for case in (before, after))
    # Their device and a copy of everything that stands on the server now, shred keys included:
    shred_keys = ShredKeys(furnished.folder / "shred-keys")
    with transaction(furnished.engine, write=False) as session:
        members = {wrap.member for wrap in session.exec(select(VaultWrap))}
        for key in session.exec(select(PersonKey).join(Shelf).where(Shelf.vault == "people")):
            wrap = shred_keys.unlock(key.locked, vault="people", alias=key.alias, epoch=key.epoch)
            public = session.get_one(Shelf, key.alias).sealing_key
            for seed in (old_seed, sealing.VaultSeed("people", 2, old_seed.seed)):
                with pytest.raises(CannotOpen):
                    sealing.open_wrap(seed, wrap, alias=key.alias, public=public)
    assert furnished.alias("dora") not in members
    assert epochs(furnished) == [2, 2]


@on_one_database
def test_a_leaver_puts_up_no_shelf_in_an_epoch_after_them(furnished: Office) -> None:
    """With the help of a server that takes it: the client knows who stood for which epoch."""
    dora = furnished.desk("dora")
    shelf = dora.draw_shelf("people", alias=draw(Kind.BENEFICIARY))
    change(furnished, Changes(leave=[furnished.alias("dora")]))
    anna = furnished.new_desk("anna")
    later = sealing.draw_shelf(anna.vault_public("people"), alias=draw(Kind.BENEFICIARY), signer=dora.sign)

    anna.check_shelf(shelf, signer=furnished.alias("dora"))

    with pytest.raises(BadSignature):
        anna.check_shelf(later, signer=furnished.alias("dora"))
    with pytest.raises(BadSignature):
        anna.check_shelf(shelf, signer=furnished.alias("boris"))


@on_one_database
def test_a_new_device_under_an_old_alias_gets_wraps_of_its_own(furnished: Office) -> None:
    (case,) = enter(furnished.desk("dora"))
    lost = furnished.staff.devices["dora"]
    device = Device(lost.alias, keyring.create(lost.alias).signing_seed, keyring.create(lost.alias).sealing_seed)

    change(furnished, Changes(join=[founding.member(device, roles=[Role.INTAKE], officer=False)]))

    with transaction(furnished.engine, write=False) as session:
        wraps = session.exec(select(VaultWrap).where(VaultWrap.member == lost.alias, VaultWrap.vault == "people")).all()
    newest = furnished.new_desk("anna").roster
    assert sorted(wrap.epoch for wrap in wraps) == [1, 2]
    for wrap in wraps:
        (vault,) = [v for v in newest.vaults if (v.name, v.epoch) == ("people", wrap.epoch)]
        public = sealing.VaultPublic("people", wrap.epoch, bytes.fromhex(vault.sealing_key))
        assert keyring.unwrap_vault(device, wrap.wrap, vault=public).public() == public
        with pytest.raises(CannotOpen):
            keyring.unwrap_vault(lost, wrap.wrap, vault=public)
    assert read(furnished.new_desk("anna"), case).identity


# --- re-wrapping


def test_the_old_wraps_go_only_when_a_second_member_has_opened_the_new_ones(furnished: Office) -> None:
    enter(furnished.desk("anna"), a_list_row(), a_list_row())
    rotate_people(furnished)

    assert rewrap(furnished, "anna", "anna") == [wrapping.Rewrapped(2, 0, 0), wrapping.Rewrapped(0, 0, 2)]
    assert epochs(furnished) == [1, 1, 2, 2]
    assert rewrap(furnished, "boris", "boris") == [wrapping.Rewrapped(0, 2, 0), wrapping.Rewrapped(0, 0, 0)]
    assert epochs(furnished) == [2, 2]


def test_one_member_alone_cannot_make_anybody_unreadable(furnished: Office) -> None:
    (case,) = enter(furnished.desk("anna"))
    alias = furnished.desk("anna").api.get(f"/v1/cases/{case}")["beneficiary"]
    rotate_people(furnished)
    anna = furnished.new_desk("anna")
    rubbish = sealing.to_base64(sealing.rewrap(anna.vault_public("people"), bytes(32), alias=alias))
    path = "/v1/vaults/people/rewraps"
    told = {"epoch": 2, "wraps": [{"alias": alias, "wrap": rubbish}], "confirmed": []}
    anna.api.post(path, told, key="rubbish")

    digest = rewrapping.digest_of(sealing.from_base64(rubbish))
    confirmed = {"epoch": 2, "wraps": [], "confirmed": [{"alias": alias, "digest": digest}]}
    with furnished.nothing_written(), pytest.raises(ApiRefusal) as refusal:
        anna.api.post(path, confirmed, key="oneself")
    assert refusal.value.rule == "same_person"
    assert read(furnished.new_desk("boris"), case).identity
    assert rewrap(furnished, "boris", "anna") == [wrapping.Rewrapped(1, 0, 0), wrapping.Rewrapped(0, 1, 0)]
    assert read(furnished.new_desk("dora"), case).identity


@on_one_database
def test_rewraps_that_do_not_fit_are_refused(furnished: Office) -> None:
    (case,) = enter(furnished.desk("anna"))
    alias = furnished.desk("anna").api.get(f"/v1/cases/{case}")["beneficiary"]
    anna = furnished.new_desk("anna")
    wrap = sealing.to_base64(sealing.rewrap(anna.vault_public("people"), bytes(32), alias=alias))
    path, one = "/v1/vaults/people/rewraps", {"alias": alias, "wrap": wrap}
    attempts: list[tuple[dict[str, Any], str]] = [
        ({"epoch": 1, "wraps": [one], "confirmed": []}, "unknown_shelf"),  # nothing of it is older
        ({"epoch": 2, "wraps": [one], "confirmed": []}, "unknown_vault"),
        ({"epoch": 1, "wraps": [one | {"alias": draw(Kind.BENEFICIARY)}], "confirmed": []}, "unknown_shelf"),
        ({"epoch": 1, "wraps": [], "confirmed": [{"alias": alias, "digest": "0" * 64}]}, "nothing_to_confirm"),
    ]

    for number, (body, rule) in enumerate(attempts):
        with furnished.nothing_written(), pytest.raises(ApiRefusal) as refusal:
            anna.api.post(path, body, key=f"attempt:{number}")
        assert refusal.value.rule == rule
    rotate_people(furnished)
    with furnished.nothing_written(), pytest.raises(ApiRefusal) as refusal:
        anna.api.post(path, {"epoch": 1, "wraps": [one], "confirmed": []}, key="old epoch")
    assert refusal.value.rule == "unknown_vault"


@on_one_database
def test_a_rewrapping_that_was_cut_off_goes_on_with_what_is_left(
    furnished: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wrapping, "SHELVES_A_PAGE", 2)
    enter(furnished.desk("anna"), *(a_list_row() for _ in range(5)))
    rotate_people(furnished)

    def stop(done: int) -> None:
        if done >= 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        wrapping.rewrap(furnished.new_desk("anna"), "people", progress=stop)
    assert epochs(furnished) == [1] * 5 + [2] * 2

    assert rewrap(furnished, "anna", "boris") == [wrapping.Rewrapped(3, 0, 2), wrapping.Rewrapped(0, 5, 0)]
    assert epochs(furnished) == [2] * 5


# --- duplicates over epochs


def test_duplicates_are_found_over_epochs_and_no_old_token_is_kept_of_anything_new(furnished: Office) -> None:
    row = a_list_row()
    (first,) = enter(furnished.desk("anna"), row, list_name="one")
    rotate_people(furnished)
    anna = furnished.new_desk("anna")

    assert enter(anna, row, list_name="one") == []  # the very same row: nothing, though its tokens are others
    (second,) = enter(anna, row, list_name="two")
    with pytest.raises(ApiRefusal) as refusal:
        verifications.verify(anna, second)
    assert refusal.value.rule == verifications.POSSIBLE_DUPLICATE
    with transaction(furnished.engine, write=False) as session:
        kept = {(token.alias, token.field, token.epoch) for token in session.exec(select(Token))}
    assert {epoch for alias, _, epoch in kept if alias == second} == {2}
    assert {(field, epoch) for alias, field, epoch in kept if alias == first} >= {("ruling", 1), ("ruling", 2)}


# --- rosters


@on_one_database
def test_who_is_of_the_intake_only_goes_on_without_the_donors_vault(furnished: Office) -> None:
    newcomer = a_newcomer(furnished, Role.INTAKE).desk(furnished)

    assert wrapping.own_vaults(newcomer) == ["money", "people"]
    assert wrapping.wrap_missing(newcomer) == []
    with pytest.raises(NoVault):
        newcomer.vault("donors")
    with pytest.raises(NoVault):
        wrapping.wrap_missing(furnished.new_desk("clara"))


def test_donors_are_opened_after_a_rotation_that_a_second_member_has_confirmed(furnished: Office) -> None:
    donor = a_known_donor(furnished.desk("anna"))
    rotate(furnished, "donors")

    for name in ("anna", "boris"):
        wrapping.rewrap(furnished.new_desk(name), "donors")

    again = furnished.new_desk("anna")
    assert donors.open_donor(again, donor).identity == ELISABET
    assert donors.alike(again, a_known_donor(again)) == [donor]  # though the key of the tokens is another


@on_one_database
def test_a_book_of_an_earlier_version_gets_the_vault_of_donors_by_its_rotation(furnished: Office) -> None:
    anna = furnished.new_desk("anna")
    earlier = tuple(vault for vault in anna.roster.vaults if vault.name != "donors")
    anna.rosters = (anna.roster.model_copy(update={"vaults": earlier}),)

    proposal = amending.propose_next(anna, Changes(rotate=["donors"]))

    assert [(vault.name, vault.epoch) for vault in proposal.roster.vaults if vault not in earlier] == [("donors", 1)]
    assert {wrap.member for wrap in proposal.wraps} == {furnished.alias(name) for name in ("anna", "boris", "dora")}


@on_one_database
def test_a_roster_that_drops_a_vault_is_refused(furnished: Office) -> None:
    anna = furnished.new_desk("anna")
    for vaults in (anna.roster.vaults[:1], ()):
        changes = {"number": 2, "previous": people.digest(anna.roster), "vaults": vaults}
        roster = anna.roster.model_copy(update=changes)
        officers = [furnished.staff.devices[name] for name in ("anna", "boris")]
        signatures = {one.alias: founding.sign_roster(one, roster) for one in officers}
        with furnished.nothing_written(), pytest.raises(ApiRefusal) as refusal:
            amending.enrol(furnished.desk("clara"), roster, signatures, [])
        assert refusal.value.rule == "bad_roster"


@on_one_database
def test_an_officer_does_not_sign_a_vault_key_that_they_were_not_given(furnished: Office) -> None:
    anna, boris = furnished.new_desk("anna"), furnished.staff.devices["boris"]
    proposal = amending.propose_next(anna, Changes(rotate=["people"]))
    others = [wrap for wrap in proposal.wraps if wrap.member != boris.alias]
    swapped = founding.wraps_for(keyring.create_vault("people", 2), founding.holders(proposal.roster, "people"))

    amending.check_wraps(boris, proposal.roster, anna.roster, proposal.wraps)

    with pytest.raises(WrapMissing):
        amending.check_wraps(boris, proposal.roster, anna.roster, others)
    with pytest.raises(WrongKey):
        amending.check_wraps(boris, proposal.roster, anna.roster, swapped)


@on_one_database
def test_what_a_roster_changes_is_told_line_by_line(furnished: Office) -> None:
    anna = furnished.new_desk("anna")
    drawn, joining = recovery.draw(), keyring.create(draw(Kind.OPERATOR))
    changes = Changes(
        join=[founding.member(joining, roles=[Role.INTAKE], officer=False)],
        leave=[furnished.alias("dora")],
        reinstate=[furnished.alias("boris")],
        recovery=drawn.public,
    )

    proposal = amending.propose_next(anna, changes)

    assert amending.differences(anna.roster, proposal.roster) == [
        f"joins: {joining.alias} (intake, until 2025-12-31)",
        f"leaves: {furnished.alias('dora')}",
        "new vault key: donors, epoch 2",
        "new vault key: money, epoch 2",
        "new vault key: people, epoch 2",
        f"recovery: {recovery_member(proposal.roster)}",
        f"suspension ends: {furnished.alias('boris')}",
    ]
    refused = (Changes(), Changes(leave=[draw(Kind.OPERATOR)]), Changes(rotate=["gold"]))
    for wrong in refused:
        with pytest.raises(BadProposal):
            amending.propose_next(anna, wrong)


# --- suspension, and keys revoked


def test_who_is_suspended_passes_no_door_and_signs_nothing_until_two_officers_say_so(furnished: Office) -> None:
    dora = furnished.desk("dora")
    agreed = dora.agree("close_period", "2020-09", version=1)
    suspend(furnished.new_desk("boris"), furnished.alias("dora"))

    for role in (None, *Role):
        answer = furnished.send("GET", "/v1/book", bearer=furnished.bearer("dora", role))
        assert answer.status_code == 401
    with furnished.nothing_written():
        answer = furnished.post("/v1/periods/2020-09/close", {"agreed": agreed}, by="dora")
        assert answer.status_code == 401
    rotate_people(furnished)  # a roster made for something else lets nobody in again
    assert furnished.send("GET", "/v1/book", bearer=furnished.bearer("dora")).status_code == 401
    change(furnished, Changes(reinstate=[furnished.alias("dora")]))
    assert furnished.send("GET", "/v1/book", bearer=furnished.bearer("dora")).status_code == 200
    assert furnished.desk("anna").api.get("/v1/suspensions") == {"suspensions": []}
    suspend(furnished.new_desk("anna"), furnished.alias("dora"))  # and again, under the later roster
    assert furnished.send("GET", "/v1/book", bearer=furnished.bearer("dora")).status_code == 401


@on_one_database
def test_a_suspension_is_signed_for_this_person_and_nobody_suspends_themselves(furnished: Office) -> None:
    boris = furnished.desk("boris")
    anna, dora = furnished.alias("anna"), furnished.alias("dora")
    about_anna = boris.agree("suspend_operator", anna, version=1)
    attempts = [
        ({"operator": dora, "agreed": about_anna}, "act_differs"),
        ({"operator": boris.device.alias, "agreed": boris.agree("suspend_operator", boris.device.alias, version=1)},
         "oneself_suspended"),
        ({"operator": anna, "agreed": boris.agree("suspend_operator", anna, version=2)}, "act_differs"),
        ({"operator": anna, "agreed": furnished.desk("dora").agree("suspend_operator", anna, version=1)},
         "bad_signature"),
    ]  # fmt: skip

    for number, (body, rule) in enumerate(attempts):
        with furnished.nothing_written(), pytest.raises(ApiRefusal) as refusal:
            boris.api.post("/v1/suspensions", body, key=f"attempt:{number}")
        assert refusal.value.rule == rule
    stranger = draw(Kind.OPERATOR)
    with furnished.nothing_written(), pytest.raises(ApiRefusal) as refusal:
        suspend(boris, stranger)
    assert refusal.value.rule == "unknown_operator"


def test_a_revoked_key_opens_nothing_and_the_list_tells_it(furnished: Office) -> None:
    clara = furnished.desk("clara")
    held = clara.api.get("/v1/keys")["keys"]
    (key,) = [one for one in held if (one["operator"], one["roles"]) == (furnished.alias("boris"), ["approver"])][:1]
    assert "digest" not in key

    revoked = clara.api.post(f"/v1/keys/{key['alias']}/revoke", {}, key="revoke:1")

    assert revoked == key | {"revoked": True}
    bearers = [furnished.bearer("boris", role) for role in (None, Role.APPROVER)]
    statuses = [furnished.send("GET", "/v1/book", bearer=bearer).status_code for bearer in bearers]
    assert sorted(statuses) == [200, 401]


# --- recovery


@dataclass(frozen=True)
class Kept:
    """A fund with a recovery key."""

    shares: list[str]
    public: str


@pytest.fixture
def kept(furnished: Office) -> Kept:
    drawn = recovery.draw()
    change(furnished, Changes(recovery=drawn.public))
    return Kept(drawn.shares, drawn.public)


def exported(office: Office) -> recovery.Sealed:
    return recovery.read(json.dumps(export_recovery(office.engine)).encode())


def test_when_all_members_are_lost_three_shares_open_the_vaults_for_new_devices(furnished: Office, kept: Kept) -> None:
    (case,) = enter(furnished.new_desk("anna"))
    joining = keyring.create(draw(Kind.OPERATOR))
    clara = furnished.new_desk("clara")
    member = founding.member(joining, roles=[Role.APPROVER], officer=False)
    proposal = amending.propose_next(clara, Changes(join=[member]))
    officers = [furnished.staff.devices[name] for name in ("anna", "boris")]
    signatures = {one.alias: founding.sign_roster(one, proposal.roster) for one in officers}
    amending.enrol(clara, proposal.roster, signatures, proposal.wraps)
    seed = recovery.join([kept.shares[number] for number in (4, 0, 2)], public=kept.public)

    seeds = recovery.open_vaults(seed, exported(furnished))
    made = wrapping.give_missing(clara_now := furnished.new_desk("clara"), seeds)

    assert {wrap.member for wrap in made} == {joining.alias}
    (people_seed,) = [one for one in seeds if one.name == "people"]
    assert people_seed == furnished.new_desk("anna").vault("people")
    assert clara_now.api.get(f"/v1/cases/{case}")["alias"] == case


def test_destroyed_shred_keys_come_back_from_recovery(furnished: Office, kept: Kept, tmp_path: Path) -> None:
    (case,) = enter(furnished.new_desk("anna"))
    directory = furnished.folder / "shred-keys"
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    sealed = exported(furnished)
    shutil.rmtree(directory)
    with pytest.raises(ApiRefusal) as refusal:
        read(furnished.new_desk("boris"), case)
    assert refusal.value.rule == "shred_key_missing"

    names = recovery.open_shred_keys(recovery.join(kept.shares[:3], public=kept.public), sealed, tmp_path / "opened")
    assert names == ["donors", "money", "people"]
    assert (
        restore_shred_keys(furnished.engine, ShredKeys(tmp_path / "opened"), shred_keys=ShredKeys(directory)) == names
    )

    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before
    assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o600}
    assert read(furnished.new_desk("boris"), case).identity


@on_one_database
@pytest.mark.usefixtures("kept")
def test_a_shred_key_of_another_book_is_not_taken(furnished: Office, tmp_path: Path) -> None:
    enter(furnished.new_desk("anna"))
    directory = ShredKeys(furnished.folder / "shred-keys")
    other = ShredKeys(tmp_path / "other")
    for name in ("money", "people"):
        other.create(name)
    assert restore_shred_keys(furnished.engine, other, shred_keys=directory) == []
    with pytest.raises(ShredKeyExists):
        directory.restore("people", other.read("people"))
    directory.path("people").unlink()

    with pytest.raises(WrapDoesNotUnlock):
        restore_shred_keys(furnished.engine, other, shred_keys=directory)
    assert not directory.has("people")
    with pytest.raises(ShredKeyMissing):
        restore_shred_keys(furnished.engine, ShredKeys(tmp_path / "none"), shred_keys=directory)


@on_one_database
def test_shares_that_do_not_join_to_the_rosters_key_are_refused(kept: Kept) -> None:
    other = recovery.draw()
    first_word = kept.shares[0].split()[0]
    attempts: list[tuple[list[str], type[Exception]]] = [
        (kept.shares[:2], recovery.BadShares),
        ([*kept.shares[:2], kept.shares[1]], recovery.BadShares),
        ([*kept.shares[:2], other.shares[2]], recovery.BadShares),
        ([*kept.shares[:2], kept.shares[2].replace(first_word, "academic", 1)], recovery.BadShares),
        ([], recovery.BadShares),
        (other.shares[:3], recovery.WrongShares),
    ]

    for shares, refusal in attempts:
        with pytest.raises(refusal) as refused:
            recovery.join(shares, public=kept.public)
        said = {word for word in kept.shares[2].split() if len(word) > 5} & set(str(refused.value).split())
        assert len(said) <= 1  # a word of our own may be one of the list by chance
    assert sealing.public_of(recovery.join([s.upper() for s in kept.shares[1:4]], public=kept.public))


@on_one_database
def test_a_new_epoch_is_wrapped_to_recovery_and_a_new_recovery_key_replaces_the_old(
    furnished: Office, kept: Kept
) -> None:
    rotate_people(furnished)
    assert len(exported(furnished).vault_wraps) == 4
    drawn = recovery.draw()

    change(furnished, Changes(recovery=drawn.public))

    seeds = recovery.open_vaults(recovery.join(drawn.shares[:3], public=drawn.public), exported(furnished))
    assert {(one.name, one.epoch) for one in seeds} == {("people", 1), ("people", 2), ("money", 1), ("donors", 1)}
    with transaction(furnished.engine, write=False) as session:
        members = {wrap.member for wrap in session.exec(select(VaultWrap))}
        copies = {copy.recovery for copy in session.exec(select(ShredKeyCopy))}
    assert copies == {fingerprint(drawn.public)}
    assert f"recovery-{fingerprint(kept.public)[:8]}" not in members
    seed = recovery.join(kept.shares[:3], public=kept.public)
    with pytest.raises(CannotOpen):
        recovery.open_vaults(seed, exported(furnished))


@on_one_database
def test_a_recovery_key_is_replaced_and_never_dropped(furnished: Office, kept: Kept) -> None:
    anna = furnished.new_desk("anna")
    changes = {"number": 3, "previous": people.digest(anna.roster), "recovery": None}
    roster = anna.roster.model_copy(update=changes)
    officers = [furnished.staff.devices[name] for name in ("anna", "boris")]
    signatures = {one.alias: founding.sign_roster(one, roster) for one in officers}

    with furnished.nothing_written(), pytest.raises(ApiRefusal) as refusal:
        amending.enrol(furnished.desk("clara"), roster, signatures, [])

    assert (refusal.value.rule, kept.public) == ("bad_roster", anna.roster.recovery)


# --- what the pages tell


@on_one_database
def test_the_client_of_the_documentation_runs(furnished: Office, tmp_path: Path) -> None:
    enter(furnished.desk("anna"))
    page = (Path(__file__).parents[2] / "docs" / "keys.md").read_text("utf-8")
    program = textwrap.dedent(page.partition("The least that a client does:")[2].partition("What a client must")[0])
    words = write_key_file(tmp_path / "anna.key", furnished.staff.devices["anna"])
    known: dict[str, Any] = {
        "key_file": tmp_path / "anna.key",
        "passphrase": words.read_text("utf-8"),
        "url": "http://in-process",
        "bearer": furnished.bearer("anna"),
        "outbox_folder": tmp_path / "outbox",
        "pins": tmp_path / "pins",
        "now": furnished.now,
        "ask": lambda: people.digest(furnished.staff.proposal.roster),
        "in_process": in_process,
        "app": furnished.app,
    }

    exec(program.replace("over_network(url)", "in_process(app)"), known)  # noqa: S102  # our own page

    assert known["evidence"].identity["name"]
    assert (tmp_path / "pins").exists()
