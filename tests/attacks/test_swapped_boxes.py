"""Rows 20, 21 and 33 at the office: a server that swaps, plants or rolls back is found out by the client."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, text

from api.client import case_evidence, keyring, sealing
from api.client.desk import RosterRolledBack
from api.client.sealing import BadSignature, CannotOpen, WrongKey
from ledger.aliases import Kind, draw
from ledger.errors import LedgerError
from ledger.storage import guards
from tests.office import Office, the_next_roster
from tests.papers import a_list_row


def check(office: Office, alias: str) -> case_evidence.Evidence:
    """What Boris does before he signs."""
    boris = office.desk("boris")
    return case_evidence.check_evidence(boris, boris.api.get(f"/v1/cases/{alias}"), reason="audit")


def swap(
    connection: Connection, table: str, columns: list[str], *, key: str, one: str, other: str, more: str = ""
) -> None:
    """Two rows exchange these columns, behind the guards' back."""
    listed = ", ".join(columns)
    rows = {
        alias: connection.execute(text(f"SELECT {listed} FROM {table} WHERE {key} = :a {more}"), {"a": alias}).one()  # noqa: S608
        for alias in (one, other)
    }
    told = ", ".join(f"{column} = :{column}" for column in columns)
    for alias, source in ((one, other), (other, one)):
        values = dict(zip(columns, rows[source], strict=True))
        connection.execute(text(f"UPDATE {table} SET {told} WHERE {key} = :a {more}"), values | {"a": alias})  # noqa: S608


def tamper(office: Office, change: Callable[[Connection], None]) -> None:
    with office.engine.begin() as connection:
        guards.remove(connection)
        change(connection)
        guards.install(connection)


@pytest.fixture
def two(office: Office) -> list[dict[str, Any]]:
    """Two cases as the API shows them, which open as they should."""
    aliases = office.take_in(a_list_row(name="Invented One"), a_list_row(name="Invented Two"))
    for alias in aliases:
        check(office, alias)
    return [office.desk("boris").api.get(f"/v1/cases/{alias}") for alias in aliases]


IDENTITY = ("box", "alias", "beneficiary", "AND field = 'identity'")
DETAILS = ("box", "alias", "ruling", "AND field = 'details'")


@pytest.mark.parametrize("columns", [["data"], ["data", "commitment"]], ids=["boxes", "boxes and commitments"])
@pytest.mark.parametrize("place", [IDENTITY, DETAILS], ids=["identity", "details"])
def test_swapped_boxes_do_not_open(
    office: Office, two: list[dict[str, Any]], place: tuple[str, str, str, str], columns: list[str]
) -> None:
    """Row 20: the boxes of two people change places in the database."""
    table, key, owner, more = place
    one, other = (case["beneficiary"] if owner == "beneficiary" else case["rulings"][0]["alias"] for case in two)

    tamper(office, partial(swap, table=table, columns=columns, key=key, one=one, other=other, more=more))

    for case in two:
        with pytest.raises(CannotOpen):
            check(office, case["alias"])


@pytest.mark.parametrize(
    "columns",
    [["sealing_key"], ["sealing_key", "signature"], ["signature"]],
    ids=["key", "key and signature", "signature"],
)
def test_swapped_shelf_keys_are_told_by_their_signature(
    office: Office, two: list[dict[str, Any]], columns: list[str]
) -> None:
    """Row 20: somebody else's public key, to which the next client would seal."""
    one, other = (case["beneficiary"] for case in two)

    tamper(office, partial(swap, table="shelf", columns=columns, key="alias", one=one, other=other))

    with pytest.raises(BadSignature):
        check(office, two[0]["alias"])


def test_a_swapped_wrap_does_not_even_unlock(office: Office, two: list[dict[str, Any]]) -> None:
    """Row 20: the wraps of two people change places."""
    one, other = (case["beneficiary"] for case in two)

    tamper(office, partial(swap, table="person_key", columns=["locked"], key="alias", one=one, other=other))

    with pytest.raises(LedgerError) as refusal:
        check(office, two[0]["alias"])
    assert refusal.value.rule == "wrap_does_not_unlock"


def plant(office: Office, alias: str, *, signer: keyring.Device, told_as: str) -> None:
    """The server puts up a shelf of its own for somebody: it knows the seed, and `signer` stands for the key."""
    vault = office.desk("boris").vault_public("people")
    shelf = sealing.draw_shelf(vault, alias=alias, signer=partial(keyring.sign, signer))
    locked = office.app.state.shred_keys.lock(shelf.wrap, vault="people", alias=alias, epoch=1)

    def change(connection: Connection) -> None:
        values = {"k": shelf.public, "s": shelf.signature, "w": told_as, "a": alias, "l": locked}
        connection.execute(
            text("UPDATE shelf SET sealing_key = :k, signature = :s, signer = :w WHERE alias = :a"), values
        )
        connection.execute(text("UPDATE person_key SET locked = :l WHERE alias = :a"), values)

    tamper(office, change)


def test_a_shelf_that_a_stranger_signed_is_refused(office: Office, two: list[dict[str, Any]]) -> None:
    """Row 20: a key that the roster did not sign, under a stranger's alias or under a known one."""
    stranger = keyring.create(draw(Kind.OPERATOR))
    for told_as, rule in ((stranger.alias, "bad_signature"), (office.alias("anna"), "bad_signature")):
        plant(office, two[0]["beneficiary"], signer=stranger, told_as=told_as)

        with pytest.raises(LedgerError) as refusal:
            check(office, two[0]["alias"])
        assert refusal.value.rule == rule
    # The control: signed by somebody of the roster the planted shelf is taken, and what lies on it does not open.
    plant(office, two[0]["beneficiary"], signer=office.staff.devices["anna"], told_as=office.alias("anna"))
    with pytest.raises(CannotOpen):
        check(office, two[0]["alias"])


def test_a_vault_key_of_the_servers_own_is_refused(office: Office, two: list[dict[str, Any]]) -> None:
    """Row 20: the wrap of a vault that the server drew, sealed to the member as an honest one would be."""
    boris = office.staff.devices["boris"]
    own = keyring.create_vault("people")
    wrap = keyring.wrap_vault(own, sealing.public_of(boris.sealing_seed), member=boris.alias)

    def change(connection: Connection) -> None:
        told = {"w": wrap, "m": boris.alias}
        connection.execute(text("UPDATE vault_wrap SET wrap = :w WHERE vault = 'people' AND member = :m"), told)

    tamper(office, change)

    fresh = office.new_desk("boris")
    with pytest.raises(WrongKey):
        case_evidence.check_evidence(fresh, fresh.api.get(f"/v1/cases/{two[0]['alias']}"), reason="audit")


# --- 21


def test_a_short_and_a_long_person_leave_rows_and_requests_of_one_length(office: Office) -> None:
    """Row 21: below the padding steps nothing in the database or on the line tells how long a name is."""
    sent: list[int] = []
    office.http.event_hooks = {
        "request": [lambda request: sent.append(len(request.content)) if request.method == "POST" else None]
    }
    lengths = []
    seen: set[str] = set()
    for name, court, number in (("Y", "C", "1"), ("Invented " * 40, "Invented court " * 15, "INVENTED-" * 20)):
        (alias,) = set(office.take_in(a_list_row(name=name, court=court, ruling_number=number))) - seen
        seen.add(alias)
        case = office.desk("boris").api.get(f"/v1/cases/{alias}")
        lengths.append(lengths_of(office, case["beneficiary"], alias))

    assert lengths[0] == lengths[1]
    assert len(sent) == 2
    assert len(set(sent)) == 1


def lengths_of(office: Office, beneficiary: str, case: str) -> dict[str, list[int]]:
    queries = {
        "boxes": "SELECT length(data) FROM box WHERE shelf_alias = :b ORDER BY field",
        "keys": "SELECT length(locked) FROM person_key WHERE alias = :b",
        "shelves": "SELECT length(sealing_key) FROM shelf WHERE alias = :b",
        "commitments": "SELECT length(commitment) FROM box WHERE shelf_alias = :b",
        "tokens": "SELECT length(value) FROM token WHERE alias = :c",
    }
    with office.engine.connect() as connection:
        told = {"b": beneficiary, "c": case}
        return {name: list(connection.scalars(text(query), told)) for name, query in queries.items()}


# --- 33


def test_a_database_rolled_back_to_an_older_roster_is_refused_by_who_saw_the_newer(office: Office) -> None:
    """Row 33: who left comes back when the server forgets the roster that removed them; the device remembers."""
    pins = office.folder / "boris.roster"
    office.new_desk("boris", pins=pins)
    assert office.post("/v1/roster", the_next_roster(office, without="dora"), by="clara").status_code == 201
    assert len(office.new_desk("boris", pins=pins).roster.operators) == 3
    before = pins.read_bytes()

    def forget(connection: Connection) -> None:
        connection.execute(text("DELETE FROM roster WHERE number = 2"))

    tamper(office, forget)

    with pytest.raises(RosterRolledBack):
        office.new_desk("boris", pins=pins)
    assert pins.read_bytes() == before
    assert len(office.new_desk("boris").roster.operators) == 4  # the control: without a memory it would be believed
