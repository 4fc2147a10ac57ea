"""Rows 18 and 30: guessing persons by their tokens, and asking the server whether it knows somebody."""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import date

import httpx2
from sqlalchemy import text

from api.client import case_imports, case_lives, cases, compared, lists, sealing
from ledger.identities.boxes import length_prefixed
from ledger.people import Role
from tests.office import INTAKE_DAY, Office
from tests.papers import a_list_row

NAMES = ["Invented Person One", "Invented Person Two", "Anna Invented", "Boris Invented", "Канарейка Вымышленная"]
"""The attacker's dictionary: everybody, the person among them."""
TRUE_NAME = NAMES[4]
RULING = {"court": "Invented court no. 1", "ruling_number": "INVENTED-0001", "issued_on": date(2020, 8, 31)}


def kept_tokens(office: Office) -> set[str]:
    """What a dump shows of tokens."""
    with office.engine.connect() as connection:
        return set(connection.scalars(text("SELECT value FROM token")))


def what_a_server_holds(office: Office) -> Iterator[bytes]:
    """Every secret and every public byte string that could be a key: files, rows, and what is derived from them."""
    yield from (b"", b"\0" * 32, office.staff.proposal.roster.book.encode())
    for path in office.folder.rglob("*"):
        if path.is_file() and path.suffix == ".key":
            yield path.read_bytes()
    for vault in office.staff.proposal.roster.vaults:
        yield bytes.fromhex(vault.sealing_key)
    with office.engine.connect() as connection:
        for query in ("SELECT wrap FROM vault_wrap", "SELECT locked FROM person_key", "SELECT sealing_key FROM shelf"):
            yield from map(bytes, connection.scalars(text(query)))
        yield from (digest.encode() for digest in connection.scalars(text("SELECT digest FROM bearer_key")))


def derived(keys: Iterable[bytes]) -> Iterator[bytes]:
    """Each as it is, by its ends, by its hash, and by our own derivation as if it were a vault's seed."""
    for key in keys:
        for form in (key, key[:32], key[-32:], hashlib.sha256(key).digest(), key.hex().encode()):
            yield form
            for vault in ("people", "money"):
                yield sealing.derive(form, length_prefixed("SL1 token", vault, 1))


def guesses(key: bytes) -> set[str]:
    """The tokens of the whole dictionary under one key."""
    row = a_list_row(**RULING)
    told = {"ruling": compared.ruling(row), "figures": compared.figures(row)}
    return {sealing.token(key, field="person", value=compared.person(name)) for name in NAMES} | {
        sealing.token(key, field=field, value=value) for field, value in told.items()
    }


def test_a_dictionary_finds_nobody_with_the_dump_and_the_servers_files(office: Office) -> None:
    """Row 18, with the vault's seed as the control: then it finds person and ruling at once."""
    office.take_in(a_list_row(name=TRUE_NAME, **RULING))
    kept = kept_tokens(office)
    assert len(kept) == 4
    plain = {value for name in NAMES for value in (hashlib.sha256(name.encode()).hexdigest(), name.encode().hex())}

    tried = list(dict.fromkeys(derived(what_a_server_holds(office))))
    found = {token for key in tried for token in guesses(key)} & kept

    assert len(tried) > 200
    assert found == set()
    assert plain & kept == set()
    control = guesses(sealing.token_key(office.desk("anna").vault("people")))
    assert len(control & kept) == 3


def test_a_token_does_not_tell_the_length_nor_the_field_of_its_value(office: Office) -> None:
    """Row 18: the same value in two fields, and values of any length, look alike and unrelated."""
    key = sealing.token_key(office.desk("anna").vault("people"))

    tokens = {
        sealing.token(key, field=field, value=value) for field in ("person", "ruling") for value in ("x", "x" * 999)
    }

    assert len(tokens) == 4
    assert {len(token) for token in tokens} == {64}


# --- 30


def answers_to(office: Office, *rows: lists.ListRow, list_name: str) -> httpx2.Response:
    """What comes back over the line when somebody imports rows."""
    heard: list[httpx2.Response] = []

    def listen(response: httpx2.Response) -> None:
        response.read()
        if response.request.method == "POST":
            heard.append(response)

    office.http.event_hooks = {"response": [listen]}
    try:
        # a desk of their own: its outbox knows nothing of what was sent before
        case_imports.import_rows(office.new_desk("anna"), rows, jurisdiction="by", list_name=list_name)
    finally:
        office.http.event_hooks = {}
    (response,) = heard
    return response


def shape(response: httpx2.Response) -> tuple[int, bytes, dict[str, str]]:
    """Everything of an answer but the request's own id."""
    return response.status_code, response.content, {k: v for k, v in response.headers.items() if k != "x-request-id"}


def test_importing_somebody_who_is_known_answers_as_for_a_stranger(office: Office) -> None:
    """Row 30: the same person, ruling, or very row: status, body and headers are the same bytes."""
    office.set_clock(INTAKE_DAY)
    known = a_list_row(name=TRUE_NAME, **RULING)
    first = shape(answers_to(office, known, list_name="first"))

    again = {
        "the same row of the same list": answers_to(office, known, list_name="first"),
        "the same person and ruling in another list": answers_to(office, known, list_name="second"),
        "the same person": answers_to(office, a_list_row(name=TRUE_NAME), list_name="third"),
        "the same ruling": answers_to(office, a_list_row(**RULING), list_name="fourth"),
        "a stranger": answers_to(office, a_list_row(), list_name="fifth"),
    }

    assert {name: shape(answer) == first for name, answer in again.items()} == dict.fromkeys(again, True)
    dora = office.desk("dora")
    seen = [case_lives.suspicions(dora, case["alias"]) for case in cases.listed(dora)]
    # The control: the very row came once, the others are cases, and their reviewers see which share a ruling.
    assert sorted(len(case["same_ruling"]) for case in seen) == [0, 0, 2, 2, 2]


def test_a_guessed_token_asks_nothing_without_the_vaults_seed(office: Office) -> None:
    """Row 30: a stolen intake key with tokens of the attacker's own meets nobody, whatever the name."""
    office.take_in(a_list_row(name=TRUE_NAME, **RULING))
    kept = kept_tokens(office)

    for key in (b"", bytes(32), base64.b64decode(b"x" * 44)):
        assert guesses(key) & kept == set()


def test_no_route_looks_a_token_up(office: Office) -> None:
    """Row 30: queries are made inside, on rows that were sealed by a member; no door takes a token to look for."""
    (case,) = office.take_in(a_list_row(name=TRUE_NAME, **RULING))
    token = sealing.token(
        sealing.token_key(office.desk("anna").vault("people")), field="person", value=compared.person(TRUE_NAME)
    )
    assert token in kept_tokens(office)

    plain = office.send("GET", "/v1/cases", bearer=office.bearer("anna", Role.INTAKE))
    asked = office.send("GET", f"/v1/cases?token={token}&person={token}", bearer=office.bearer("anna", Role.INTAKE))
    path = office.send("GET", f"/v1/cases/{token}", bearer=office.bearer("anna", Role.INTAKE))

    assert json.loads(plain.content)["cases"][0]["alias"] == case
    assert shape(plain) == shape(asked)
    assert (path.status_code, token in path.text) == (422, False)
