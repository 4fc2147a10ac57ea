"""Files of evidence at the API: declared, brought, opened, needed for approvals; and what somebody tries there."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.client import batches, case_evidence, case_imports, evidence, payments, sealing, verifications
from api.client.http import ApiRefusal
from api.client.private_files import FileStands
from api.client.sealing import BadSignature, CannotOpen
from ledger.aid.eligibility import Rejection
from ledger.aliases import Kind, draw
from ledger.identities import envelopes
from ledger.identities.boxes import LARGEST_PADDED_FILE
from ledger.identities.evidence import EvidenceKind
from tests.attempts import act_on, approve, catch, told
from tests.canaries import sightings
from tests.office import BYN_LEAF, DECISION_DAY, Office, on_one_database
from tests.papers import a_list_row

CANARY = "Kanareika Invented-Person Канарейка"
SHORT = b"An invented ruling."
LONG = bytes(range(251)) * 13_000
STRANGER = sealing.public_of(bytes(range(1, 33)))


def bring(office: Office, case: str, **stated: Any) -> Any:
    """The declaration that Anna's client makes, with whatever is stated otherwise."""
    file = office.folder / "scan.pdf"
    file.write_bytes(SHORT)
    request = catch(office, "POST", lambda: evidence.add(office.desk("anna"), case, file, kind=EvidenceKind.RULING))
    return office.post(f"/v1/cases/{case}/evidence", json.loads(request.content) | stated, by="anna")


@on_one_database
def test_a_file_is_declared_as_it_was_signed_or_not_at_all(furnished: Office) -> None:
    (case, other) = furnished.take_in(*two_rows())
    lies: list[tuple[dict[str, Any], tuple[int, str]]] = [
        ({"size": 10 * 2**30}, (422, "bad_input")),
        ({"size": LARGEST_PADDED_FILE + 1}, (422, "bad_input")),
        ({"size": 1025}, (422, "bad_evidence")),
        ({"size": 2048}, (422, "evidence_not_signed")),
        ({"commitment": "0" * 64}, (422, "evidence_not_signed")),
        ({"kind": "bill"}, (422, "evidence_not_signed")),
        ({"version": 2}, (422, "evidence_not_signed")),
        ({"alias": draw(Kind.EVIDENCE)}, (422, "evidence_not_signed")),
        ({"alias": draw(Kind.CASE)}, (422, "bad_alias")),
        ({"keep_until": "2025-12-31"}, (422, "evidence_not_signed")),
        ({"keep_until": "2025-12-30"}, (422, "bad_evidence")),
        ({"name": CANARY}, (422, "bad_input")),
    ]

    with furnished.nothing_written_but("bearer_key"):
        answers = [told(bring(furnished, case, **lie)) for lie, _ in lies]

    assert answers == [expected for _, expected in lies]
    assert bring(furnished, other).status_code == 201


@on_one_database
def test_only_who_declared_a_file_brings_its_chunks_and_only_sealed_ones_of_their_length(furnished: Office) -> None:
    (case,) = furnished.take_in(*two_rows()[:1])
    kept = bring(furnished, case).json()
    path = f"/v1/evidence/{kept['alias']}/1/chunks/"
    honest = envelopes.seal(STRANGER, bytes(1024), bound_to=b"")
    attempts = [
        ("anna", "1", SHORT, (422, "not_a_sealed_box")),
        ("anna", "1", bytes(len(honest)), (422, "not_a_sealed_box")),
        ("anna", "1", honest + b"\0", (422, "not_a_sealed_box")),
        ("anna", "2", honest, (422, "bad_evidence")),
        ("anna", "1000000", honest, (422, "bad_input")),
        ("dora", "1", honest, (404, "unknown_evidence")),
    ]

    with furnished.nothing_written_but("bearer_key"):
        answers = [told(put(furnished, path + number, data, by=name)) for name, number, data, _ in attempts]

    assert answers == [expected for *_, expected in attempts]
    assert put(furnished, path + "1", honest, by="anna").json() == {"complete": True}
    with furnished.nothing_written():
        assert put(furnished, path + "1", honest, by="anna").json() == {"complete": True}
        other = envelopes.seal(STRANGER, bytes(1024), bound_to=b"")
        assert told(put(furnished, path + "1", other, by="anna")) == (409, "alias_taken")


def put(office: Office, path: str, data: bytes, *, by: str) -> Any:
    return office.send("PUT", path, bearer=office.bearer(by), json={"bytes": sealing.to_base64(data)})


def test_an_unfinished_file_is_none_and_makes_room_for_the_next(furnished: Office) -> None:
    (case,) = furnished.take_in(*two_rows()[:1])
    left = bring(furnished, case).json()
    anna = furnished.desk("anna")
    read = partial_get(furnished, f"/v1/evidence/{left['alias']}/1?reason=approval")

    assert anna.api.get(f"/v1/cases/{case}")["evidence"] == []
    assert told(read()) == (404, "unknown_evidence")
    kept = furnished.bring_evidence(case)
    assert [(file["alias"], file["complete"]) for file in evidence.listed(anna, case)] == [(kept["alias"], True)]


def partial_get(office: Office, path: str) -> Callable[[], Any]:
    return lambda: office.send("GET", path, bearer=office.bearer("boris"))


def test_a_file_goes_up_and_down_and_lies_where_the_operator_says_for_them_alone(
    furnished: Office, tmp_path: Path
) -> None:
    (case,) = furnished.take_in(*two_rows()[:1])
    furnished.bring_evidence(case, LONG)
    anna = furnished.desk("anna")
    shown = anna.api.get(f"/v1/cases/{case}")

    (one,) = evidence.open_files(anna, shown, into=tmp_path, reason="verification")

    assert one.path.read_bytes() == LONG
    assert (one.path.parent, one.path.suffix, one.path.stat().st_mode & 0o777) == (tmp_path, ".pdf", 0o600)
    with pytest.raises(FileStands):
        evidence.open_files(anna, shown, into=tmp_path, reason="verification")
    assert one.path.read_bytes() == LONG
    assert [file.suffix for file in tmp_path.iterdir() if file.name.startswith("E-")] == [".pdf"]


@on_one_database
def test_the_name_inside_does_not_choose_where_a_file_is_written(furnished: Office, tmp_path: Path) -> None:
    (case,) = furnished.take_in(*two_rows()[:1])
    evil = furnished.folder / "..sh"
    evil.write_bytes(b"#!/bin/sh")
    anna = furnished.desk("anna")
    evidence.add(anna, case, evil, kind=EvidenceKind.BILL)

    (one,) = evidence.open_files(anna, anna.api.get(f"/v1/cases/{case}"), into=tmp_path, reason="verification")

    assert (one.path, one.description.name) == (tmp_path / f"{one.alias}-1.bin", "..sh")


def test_nobody_approves_before_they_have_opened_every_file_in_its_newest_version(
    furnished: Office, tmp_path: Path
) -> None:
    alias = furnished.a_verified_case()
    item = furnished.bring_evidence(alias)
    furnished.set_clock(DECISION_DAY)
    requested = payments.request(furnished.desk("anna"), alias, account=BYN_LEAF)
    boris = furnished.desk("boris")

    with pytest.raises(ApiRefusal, match="not opened"):
        payments.approve(boris, requested)
    look(boris, alias, into=tmp_path / "first")
    furnished.bring_evidence(alias, b"A better scan.", replaces=item["alias"])
    with pytest.raises(ApiRefusal, match="not opened"):
        payments.approve(boris, requested)
    look(boris, alias, into=tmp_path / "second")

    payments.approve(boris, requested)
    assert furnished.payment(requested["alias"])["state"] == "approved"


@on_one_database
def test_who_has_brought_a_file_verifies_and_others_open_it_before(furnished: Office, tmp_path: Path) -> None:
    first, second = furnished.take_in(*two_rows())
    for case in (first, second):
        furnished.bring_evidence(case)
    anna, dora = furnished.desk("anna"), furnished.desk("dora")

    assert verifications.verify_many(dora, [second]) == {second: "evidence_not_opened"}
    assert verifications.verify_many(anna, [first]) == {first: "verified"}
    look(dora, second, into=tmp_path / "seen")
    assert verifications.verify_many(dora, [second]) == {second: "verified"}


def test_a_batch_is_approved_once_the_files_of_all_its_cases_were_opened(furnished: Office, tmp_path: Path) -> None:
    taken = furnished.take_in(*two_rows())
    for case in taken:
        furnished.bring_evidence(case)
    anna, boris = furnished.desk("anna"), furnished.desk("boris")
    verifications.verify_many(anna, taken)
    furnished.set_clock(DECISION_DAY)
    alias = batches.create(anna, list(batches.candidates(anna)), account=BYN_LEAF)["alias"]
    batches.lock(anna, alias)

    look(boris, taken[0], into=tmp_path / "one")
    with pytest.raises(ApiRefusal, match="not opened"):
        batches.approve(boris, alias)
    look(boris, taken[1], into=tmp_path / "other")

    batches.approve(boris, alias)
    assert batches.find(boris, alias)["state"] == "approved"


def look(desk: Any, alias: str, *, into: Path) -> None:
    into.mkdir()
    evidence.open_files(desk, desk.api.get(f"/v1/cases/{alias}"), into=into, reason="approval")


def test_an_act_signed_before_a_file_came_does_not_count_after_it(furnished: Office) -> None:
    requested = furnished.a_requested_payment()
    boris = furnished.desk("boris")
    case_evidence.check_evidence(boris, boris.api.get(f"/v1/cases/{requested['case']}"), reason="approval")
    agreed = act_on(boris, "approve_disbursement", requested)
    furnished.bring_evidence(requested["case"])

    with furnished.nothing_written():
        answer = approve(furnished, "boris", requested, agreed)

    assert told(answer) == (409, "evidence_not_opened")


@on_one_database
def test_who_brings_a_file_does_not_approve_on_it(furnished: Office, tmp_path: Path) -> None:
    requested = furnished.a_requested_payment()
    dora = furnished.desk("dora")
    file = tmp_path / "scan"
    file.write_bytes(SHORT)
    evidence.add(dora, requested["case"], file, kind=EvidenceKind.RECEIPT)
    look(dora, requested["case"], into=tmp_path / "seen")

    with pytest.raises(ApiRefusal) as refusal:
        payments.approve(dora, requested)

    assert refusal.value.rule == "same_person"


@on_one_database
def test_a_file_that_the_server_swaps_or_forges_is_refused_before_anything_is_signed(furnished: Office) -> None:
    """The server rewrites what it tells of a file: nothing of it passes the signature of who brought it."""
    alias = furnished.a_verified_case()
    furnished.bring_evidence(alias)
    boris = furnished.desk("boris")
    case = boris.api.get(f"/v1/cases/{alias}")
    (file,) = case["evidence"]
    lies: list[dict[str, Any]] = [
        {"commitment": "0" * 64},
        {"size": 2048},
        {"version": 2},
        {"kind": "bill"},
        {"alias": draw(Kind.EVIDENCE)},
        {"keep_until": "2021-01-31"},
        {"signer": furnished.alias("dora")},
    ]

    for lie in lies:
        with pytest.raises(BadSignature):
            case_evidence.check_evidence(boris, case | {"evidence": [file | lie]}, reason="approval")
    assert case_evidence.check_evidence(boris, case, reason="approval").commitments == case["evidence_commitments"]


def test_nothing_of_a_file_or_its_name_is_in_database_or_log(
    furnished: Office, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (case,) = furnished.take_in(*two_rows()[:1])
    file = tmp_path / f"{CANARY}.pdf"
    file.write_bytes(CANARY.encode() * 50)
    evidence.add(furnished.desk("anna"), case, file, kind=EvidenceKind.RULING)
    words = [CANARY, "application/pdf"]

    assert sightings(words, repr(furnished.rows()).encode()) == []
    assert sightings(words, repr(furnished.logs).encode() + "".join(capfd.readouterr()).encode()) == []
    assert sightings([CANARY], file.read_bytes()) == [CANARY]  # it is found where it is


# --- rows that look random


@on_one_database
def test_a_row_that_was_sealed_to_nobody_stops_no_other_and_is_rejected_as_illegible(furnished: Office) -> None:
    good, bad = two_rows()
    anna = furnished.desk("anna")
    request = catch(
        furnished, "POST", lambda: case_imports.import_rows(anna, [bad], jurisdiction="by", list_name="a list of noise")
    )
    row = json.loads(request.content)
    for box in row["boxes"]:
        place = {name: box[name] for name in ("kind", "alias", "field", "version")}
        box["bytes"] = sealing.to_base64(sealing.seal(STRANGER, b"{}", **place).data)
    sent = dict(request.headers) | {"idempotency-key": "noise"}
    sent.pop("content-length")
    assert furnished.send("POST", "/v1/case-imports", headers=sent, content=json.dumps(row)).status_code == 201
    (fine,) = furnished.take_in(good)

    answers = verifications.verify_many(anna, [row["case"], fine])

    assert answers == {row["case"]: "cannot_open", fine: "verified"}
    with pytest.raises(CannotOpen):
        verifications.reject(anna, row["case"], because=Rejection.DUPLICATE)
    verifications.reject(anna, row["case"], because=Rejection.ILLEGIBLE)
    assert anna.api.get(f"/v1/cases/{row['case']}")["state"] == "rejected"


def two_rows() -> list[Any]:
    return [a_list_row(), a_list_row()]
