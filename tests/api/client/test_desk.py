"""The desk trusts no server: the roster is checked as a whole, pinned, and vaults are held against it."""

import json
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.client import founding, keyring, sealing
from api.client.desk import Desk, FirstContact, NoVault, RosterRolledBack, WrongFingerprint, open_desk
from api.client.fingerprints import in_words
from api.client.http import Api
from api.client.outbox import Outbox, Request
from api.client.sealing import WrongKey
from ledger import people
from ledger.aliases import Kind, draw
from ledger.approvals import ACT_DOMAIN, Act
from ledger.people import BadRoster, Roster, RosterNotSigned, UnknownOperator
from tests.cast import byn
from tests.office import FOUNDED, Staff, the_staff


class Server:
    """Whoever answers at the API's address: it shows what it is told to show."""

    def __init__(self, *rosters: dict[str, Any]) -> None:
        self.rosters = list(rosters)
        self.wraps: list[dict[str, Any]] = []

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        shown = {"/v1/roster": {"rosters": self.rosters}, "/v1/vaults/people/wraps": {"wraps": self.wraps}}
        return httpx2.Response(200, json=shown[request.url.path])


class Device:
    """Somebody's device before a server of whom nothing is known."""

    def __init__(self, server: Server, folder: Path, staff: Staff) -> None:
        self.http = httpx2.Client(transport=httpx2.MockTransport(server.answer), base_url="http://server")
        self.pins = folder / "anna.roster"
        self._api = Api(self.http, key="sl_invented", outbox=Outbox(folder / "outbox", bytes(32)))
        self._staff = staff
        self.told: str | None = people.digest(staff.proposal.roster)

    def open(self, name: str = "anna", *, pins: Path | None = None) -> Desk:
        return open_desk(
            self._api,
            self._staff.devices[name],
            pins=pins or self.pins,
            now=lambda: FOUNDED,
            fingerprint=None if self.told is None else partial(str, self.told),
        )


@pytest.fixture
def staff() -> Staff:
    return the_staff()


@pytest.fixture
def first(staff: Staff) -> Roster:
    return staff.proposal.roster


@pytest.fixture
def server(first: Roster) -> Server:
    return Server(signed(first))


@pytest.fixture
def device(server: Server, tmp_path: Path, staff: Staff) -> Iterator[Device]:
    anna = Device(server, tmp_path, staff)
    with anna.http:
        yield anna


def signed(roster: Roster, *signers: str) -> dict[str, Any]:
    """A roster as the API shows it, with the signatures of the officers Anna and Boris, or of others."""
    devices = [the_staff().devices[name] for name in signers or ("anna", "boris")]
    signatures = {one.alias: founding.sign_roster(one, roster) for one in devices}
    return {
        "document": roster.canonical().decode(),
        "signatures": signatures,
        "recorded_on": FOUNDED.date().isoformat(),
    }


def the_next(roster: Roster, **changes: Any) -> Roster:
    return roster.model_copy(update={"number": roster.number + 1, "previous": people.digest(roster)} | changes)


def test_the_first_contact_is_remembered_and_a_longer_chain_accepted(
    device: Device, server: Server, first: Roster
) -> None:
    assert device.open().roster == first
    second = the_next(first, operators=first.operators[:3])
    server.rosters.append(signed(second))

    assert device.open().roster == second
    pinned = json.loads(device.pins.read_text("utf-8"))
    assert pinned == {first.book: {"number": 2, "digest": people.digest(second)}}
    assert device.open().roster == second


def test_the_first_roster_is_not_taken_on_trust(device: Device, first: Roster) -> None:
    """A server of somebody else's making has officers of its own, whose signatures hold."""
    device.told = None
    with pytest.raises(FirstContact):
        device.open()
    told = people.digest(first)
    wrong = [told[:-1] + ("0" if told[-1] != "0" else "1"), told[:63], in_words("0" * 64), in_words(told)[:-5], ""]
    for device.told in wrong:
        with pytest.raises(WrongFingerprint):
            device.open()
    assert not device.pins.exists()

    device.told = f" {in_words(told).upper().replace(' ', '  ')} "
    assert device.open().roster == first


def test_the_fingerprint_is_of_the_first_roster_and_asked_once(device: Device, server: Server, first: Roster) -> None:
    server.rosters.append(signed(the_next(first)))
    device.told = people.digest(the_next(first))
    with pytest.raises(WrongFingerprint):
        device.open()
    device.told = people.digest(first)
    device.open()

    device.told = None

    assert device.open().roster.number == 2


def test_what_was_sent_to_one_book_is_not_taken_for_sent_to_another(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, bytes(32))
    request = Request("POST", "/v1/donations", b"{}")
    one, other = outbox.of_book("ab" * 16), outbox.of_book("cd" * 16)
    one.remember("gift:1", request)
    one.answered("gift:1", 201, b"{}")

    assert other.answer("gift:1") is None
    assert outbox.of_book("ab" * 16).answer("gift:1") == (201, b"{}")
    assert "ab" * 16 not in " ".join(path.name for path in tmp_path.rglob("*"))


def test_a_server_that_shows_an_older_roster_is_refused(device: Device, server: Server, first: Roster) -> None:
    server.rosters.append(signed(the_next(first)))
    device.open()
    pinned = device.pins.read_bytes()
    server.rosters.pop()

    with pytest.raises(RosterRolledBack):
        device.open()
    assert device.pins.read_bytes() == pinned


def test_a_server_that_shows_another_roster_of_the_same_number_is_refused(
    device: Device, server: Server, first: Roster
) -> None:
    """Officers who sign two second rosters, for two audiences: a fork."""
    server.rosters.append(signed(the_next(first)))
    device.open()
    fork = the_next(first, operators=first.operators[:2])
    server.rosters[1:] = [signed(fork), signed(the_next(fork))]

    with pytest.raises(RosterRolledBack) as refusal:
        device.open()
    assert refusal.value.data["number"] == 2


def test_a_server_with_a_first_roster_of_its_own_is_refused_by_who_knows_the_book(
    device: Device, server: Server, first: Roster
) -> None:
    device.open()
    server.rosters = [signed(first.model_copy(update={"operators": first.operators[:3]}))]

    with pytest.raises(RosterRolledBack):
        device.open()


def test_another_book_has_a_pin_of_its_own(device: Device, server: Server, first: Roster) -> None:
    device.open()
    other = first.model_copy(update={"book": "ab" * 16})
    server.rosters = [signed(other)]
    with pytest.raises(WrongFingerprint):
        device.open()
    device.told = people.digest(other)
    device.open()

    assert json.loads(device.pins.read_text("utf-8")).keys() == {first.book, "ab" * 16}


def test_a_chain_that_does_not_hold_is_refused_and_not_remembered(
    device: Device, server: Server, first: Roster
) -> None:
    second = the_next(first)
    chains = {
        "one officer": ([signed(first), signed(second, "anna")], RosterNotSigned),
        "no officers": ([signed(first), signed(second, "clara", "dora")], RosterNotSigned),
        "an officer short in the first": ([signed(first, "anna")], RosterNotSigned),
        "a gap": ([signed(first), signed(the_next(second))], BadRoster),
        "the middle": ([signed(second)], BadRoster),
        "not chained": ([signed(first), signed(second.model_copy(update={"previous": "0" * 64}))], BadRoster),
        "another book": ([signed(first), signed(second.model_copy(update={"book": "ab" * 16}))], BadRoster),
        "nothing": ([], RosterRolledBack),
    }

    for name, (chain, refusal) in chains.items():
        server.rosters = chain
        with pytest.raises(refusal):
            device.open()
        assert not device.pins.exists(), name


def test_a_document_that_was_altered_after_signing_is_refused(device: Device, server: Server, first: Roster) -> None:
    shown = signed(first)
    server.rosters = [shown | {"document": shown["document"].replace('"officer":false', '"officer":true', 1)}]

    with pytest.raises(RosterNotSigned):
        device.open()


def test_who_is_not_in_the_newest_roster_sits_at_no_desk(device: Device, server: Server, first: Roster) -> None:
    server.rosters.append(signed(the_next(first, operators=first.operators[:2])))

    with pytest.raises(UnknownOperator):
        device.open("clara")


def test_a_vault_is_opened_with_the_wrap_for_this_device_and_only_once(
    device: Device, server: Server, staff: Staff
) -> None:
    server.wraps = wraps_of(staff, "anna")
    desk = device.open()

    seed = desk.vault("people")
    server.wraps = []

    assert seed.public() == desk.vault_public("people")
    assert desk.vault("people") is seed


def test_a_vault_that_the_roster_does_not_name_is_refused(device: Device, server: Server, staff: Staff) -> None:
    server.wraps = wraps_of(staff, "boris")
    desk = device.open()

    with pytest.raises(NoVault):
        desk.vault("gold")
    with pytest.raises(sealing.CannotOpen):
        desk.vault("people")


def test_a_vault_of_the_servers_own_is_refused(device: Device, server: Server, staff: Staff) -> None:
    """A server cannot have rows sealed to a key that it holds itself."""
    own = keyring.create_vault("people")
    anna = staff.devices["anna"]
    wrap = keyring.wrap_vault(own, sealing.public_of(anna.sealing_seed), member=anna.alias)
    server.wraps = [{"epoch": 1, "member": anna.alias, "wrap": sealing.to_base64(wrap)}]

    with pytest.raises(WrongKey):
        device.open().vault("people")


def test_a_member_without_a_wrap_is_told_so(device: Device, server: Server, staff: Staff) -> None:
    server.wraps = []
    with pytest.raises(NoVault):
        device.open().vault("people")
    server.wraps = [wrap | {"epoch": 2} for wrap in wraps_of(staff, "anna")]
    with pytest.raises(NoVault):
        device.open().vault("people")


def test_an_act_is_signed_over_everything_it_states(device: Device, staff: Staff, first: Roster) -> None:
    alias = draw(Kind.DISBURSEMENT)
    desk = device.open()

    agreed = desk.agree(
        "approve_disbursement", alias, version=3, amount=byn("1.00"), payee_commitment="ab" * 32, evidence=["cd" * 32]
    )

    act = Act.model_validate(agreed["act"])
    (anna,) = [one for one in first.operators if one.alias == staff.devices["anna"].alias]
    assert (act.book, act.signer, act.object, act.version) == (first.book, anna.alias, alias, 3)
    assert (act.amount, act.currency, act.at) == ("1.00", "BYN", FOUNDED)
    assert people.holds(anna.signing_key, ACT_DOMAIN + act.canonical(), agreed["signature"])
    later = act.model_copy(update={"at": FOUNDED + timedelta(seconds=1)})
    assert not people.holds(anna.signing_key, ACT_DOMAIN + later.canonical(), agreed["signature"])
    again = desk.agree("approve_disbursement", alias, version=3)
    assert again["act"]["nonce"] != agreed["act"]["nonce"]


def wraps_of(staff: Staff, name: str) -> list[dict[str, Any]]:
    """The people vault's wraps for somebody, as the API shows them."""
    member = staff.devices[name].alias
    return [
        {"epoch": wrap.epoch, "member": wrap.member, "wrap": sealing.to_base64(wrap.wrap)}
        for wrap in staff.proposal.wraps
        if (wrap.vault, wrap.member) == ("people", member)
    ]
