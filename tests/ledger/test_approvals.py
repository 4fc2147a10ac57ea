import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import rfc8785
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from ledger import approvals, people
from ledger.approvals import (
    ROLE_OF,
    Act,
    ActDiffers,
    ActExpired,
    Agreed,
    BadAct,
    NonceUsed,
    NotInRole,
    SamePerson,
    SignedAct,
)
from tests.cast import (
    BOOK_ID,
    FOUNDED_AT,
    NOW,
    House,
    agreed_by,
    byn,
    enrol,
    nothing_written,
    race,
    the_next,
)

OBJECT = "K-0000-0000-0001"


def accept(house: House, agreed: Agreed, **other: Any) -> SignedAct:
    """Hands in an act of the admin about a key."""
    said: dict[str, Any] = {"verb": "create_key", "object_alias": OBJECT, "version": 1}
    return approvals.accept(house.session, agreed, **(said | other))


def test_an_accepted_act_is_kept_with_its_signature_and_roster(house: House) -> None:
    agreed = agreed_by(house.fund.olga, "create_key", object=OBJECT)

    kept = accept(house, agreed)

    assert kept.document == agreed.act.canonical().decode()
    assert (kept.verb, kept.signer, kept.object) == ("create_key", house.fund.olga.alias, OBJECT)
    assert (kept.signature, kept.roster, kept.recorded_at) == (agreed.signature, 1, NOW)
    assert approvals.of_object(house.session, OBJECT) == [kept]
    assert approvals.of_object(house.session, "K-0000-0000-0002") == []


def test_what_is_signed_is_the_label_and_the_canonical_json(house: House) -> None:
    agreed = agreed_by(house.fund.olga, "create_key", object=OBJECT)
    restated: dict[str, Any] = {
        "act": "create_key",
        "amount": None,
        "at": "2020-11-20T08:59:00Z",
        "book": BOOK_ID,
        "currency": None,
        "evidence_commitments": [],
        "nonce": agreed.act.nonce,
        "object": OBJECT,
        "payee_commitment": None,
        "signer": house.fund.olga.alias,
        "version": 1,
    }
    signed = b"solidarity-ledger act 1\x00" + rfc8785.dumps(restated)

    assert people.holds(house.fund.olga.operator.signing_key, signed, agreed.signature)


def test_the_order_in_which_evidence_is_named_does_not_matter_to_the_server(house: House) -> None:
    evidence = ("b" * 64, "a" * 64)
    agreed = agreed_by(house.fund.olga, "create_key", object=OBJECT, evidence_commitments=tuple(sorted(evidence)))

    assert accept(house, agreed, evidence_commitments=evidence).nonce == agreed.act.nonce


def test_every_verb_needs_its_role_and_nobody_elses_will_do(house: House) -> None:
    asked = [(verb, role, person) for verb, role in ROLE_OF.items() for person in house.fund.people()]
    admitted = [(role is None or role in person.operator.roles) for _, role, person in asked]

    with nothing_written(house.session):
        for (verb, role, person), is_admitted in zip(asked, admitted, strict=True):
            if not is_admitted:
                with pytest.raises(NotInRole) as refusal:
                    accept(house, agreed_by(person, verb, object=OBJECT), verb=verb)  # type: ignore[arg-type]  # a verb
                assert refusal.value.data == {"role": role}, verb
    for (verb, _, person), is_admitted in zip(asked, admitted, strict=True):
        if is_admitted:
            agreed = agreed_by(person, verb, object=OBJECT)  # type: ignore[arg-type]  # a verb
            assert accept(house, agreed, verb=verb).signer == person.alias


def test_every_verb_has_a_role() -> None:
    assert set(ROLE_OF) == set(approvals.Verb.__args__)  # type: ignore[attr-defined]  # what Literal holds


@pytest.mark.parametrize(
    ("field", "lie"),
    [
        ("act", "verify_case"),
        ("book", "0" * 32),
        ("signer", "OP-0000-0000-0000"),
        ("object", "K-0000-0000-0002"),
        ("version", 2),
        ("amount", "810.01"),
        ("amount", "810.000"),
        ("currency", "EUR"),
        ("payee_commitment", "2" * 64),
        ("evidence_commitments", ("3" * 64,)),
        ("evidence_commitments", ("4" * 64, "3" * 64)),
        ("evidence_commitments", ("3" * 64, "3" * 64, "4" * 64)),
    ],
)
def test_an_act_that_restates_another_thing_is_refused_by_its_field(house: House, field: str, lie: object) -> None:
    truth: dict[str, Any] = {
        "object": OBJECT,
        "amount": "810.00",
        "currency": "BYN",
        "payee_commitment": "1" * 64,
        "evidence_commitments": ("3" * 64, "4" * 64),
    }
    done = {
        "amount": byn("810.00"),
        "payee_commitment": "1" * 64,
        "evidence_commitments": ["4" * 64, "3" * 64],
    }

    with nothing_written(house.session), pytest.raises(ActDiffers) as refusal:
        accept(house, agreed_by(house.fund.olga, "create_key", **(truth | {field: lie})), **done)

    assert refusal.value.data == {"field": field}
    assert accept(house, agreed_by(house.fund.olga, "create_key", **truth), **done).object == OBJECT


@pytest.mark.parametrize(
    "at",
    [
        NOW - timedelta(hours=24),
        NOW + timedelta(minutes=5),
        (NOW - timedelta(hours=23)).astimezone(timezone(timedelta(hours=3))),
    ],
)
def test_an_act_is_taken_within_a_day_and_a_little_clock_skew(house: House, at: datetime) -> None:
    assert accept(house, agreed_by(house.fund.olga, "create_key", object=OBJECT, at=at)).recorded_at == NOW


@pytest.mark.parametrize(
    "at",
    [
        NOW - timedelta(hours=24, microseconds=1),
        NOW + timedelta(minutes=5, microseconds=1),
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
        datetime(9999, 12, 31, 23, 59, tzinfo=UTC),
    ],
)
def test_an_act_too_old_or_from_the_future_is_refused(house: House, at: datetime) -> None:
    with nothing_written(house.session), pytest.raises(ActExpired):
        accept(house, agreed_by(house.fund.olga, "create_key", object=OBJECT, at=at))


def test_an_act_without_a_time_zone_is_none() -> None:
    with pytest.raises(ValidationError):
        Act.model_validate(_fields(at="2020-11-20T08:59:00"))


@pytest.mark.parametrize(
    "fields",
    [
        {"note": "invented"},
        {"act": "spend"},
        {"nonce": "5" * 31},
        {"nonce": "A" * 32},
        {"nonce": "5" * 32 + "\n"},
        {"payee_commitment": "1" * 63},
        {"evidence_commitments": ["x" * 64]},
    ],
)
def test_an_act_of_another_form_is_none(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Act.model_validate(_fields(**fields))


@pytest.mark.parametrize("fields", [{"version": 2**53}, {"version": -(2**53)}, {"object": "K-\ud800"}])
def test_what_json_does_not_hold_exactly_cannot_be_signed_or_handed_in(house: House, fields: dict[str, Any]) -> None:
    act = Act.model_validate(_fields(signer=house.fund.olga.alias, **fields))

    with nothing_written(house.session), pytest.raises(BadAct) as refusal:
        accept(house, Agreed(act, "0" * 128, house.fund.olga.operator, NOW))

    assert refusal.value.data == {"where": "act"}


def test_a_nonce_is_used_once(house: House) -> None:
    agreed = agreed_by(house.fund.olga, "create_key", object=OBJECT)
    accept(house, agreed)

    with nothing_written(house.session), pytest.raises(NonceUsed):
        accept(house, agreed)


def test_the_same_act_handed_in_twice_at_once_is_kept_once(house: House) -> None:
    agreed = agreed_by(house.fund.olga, "create_key", object=OBJECT)

    answers = race(
        house.session,
        *[lambda own: approvals.accept(own, agreed, verb="create_key", object_alias=OBJECT, version=1)] * 3,
    )

    assert sorted(type(answer).__name__ for answer in answers) == ["NonceUsed", "NonceUsed", "SignedAct"]
    assert len(house.session.exec(select(SignedAct)).all()) == 1


def test_four_eyes_are_two_people() -> None:
    approvals.require_other("OP-1", than={"OP-2", None})

    with pytest.raises(SamePerson) as refusal:
        approvals.require_other("OP-1", than={"OP-2", "OP-1"})

    assert refusal.value.data == {"operator": "OP-1"}


def test_acts_about_one_thing_are_told_in_their_order(house: House) -> None:
    later = NOW + timedelta(minutes=1)
    second = accept(house, agreed_by(house.fund.olga, "create_key", object=OBJECT, now=later))
    first = accept(house, agreed_by(house.fund.olga, "create_key", object=OBJECT))

    assert approvals.of_object(house.session, OBJECT) == [first, second]


# --- kept acts


def test_a_kept_act_holds_by_the_roster_of_its_time(house: House) -> None:
    fund = house.fund
    kept = accept(house, agreed_by(fund.olga, "create_key", object=OBJECT))
    enrol(house.session, the_next(fund.roster(), operators=fund.roster().operators[1:]), fund.olga, fund.oleg, at=NOW)

    assert approvals.still_holds(house.session, kept)


@pytest.mark.parametrize(
    ("column", "forged"),
    [
        ("verb", "approve_disbursement"),
        ("object", "K-0000-0000-0002"),
        ("nonce", "7" * 32),
        ("signature", "0" * 128),
        ("signature", "no hex"),
        ("document", "no json"),
        ("document", "{}"),
        ("roster", 0),
        ("roster", 2),
    ],
)
def test_a_kept_act_that_somebody_altered_does_not_hold(house: House, column: str, forged: object) -> None:
    kept = accept(house, agreed_by(house.fund.olga, "create_key", object=OBJECT))

    assert approvals.still_holds(house.session, kept)
    assert not approvals.still_holds(house.session, SignedAct(**(kept.model_dump() | {column: forged})))


def test_a_kept_act_moved_to_another_signer_does_not_hold(house: House) -> None:
    kept = accept(house, agreed_by(house.fund.olga, "create_key", object=OBJECT))
    altered = json.loads(kept.document) | {"signer": house.fund.oleg.alias}
    document = rfc8785.dumps(altered).decode()

    for change in ({"signer": house.fund.oleg.alias}, {"signer": house.fund.oleg.alias, "document": document}):
        assert not approvals.still_holds(house.session, SignedAct(**(kept.model_dump() | change)))


def test_a_kept_act_is_never_changed_or_removed(house: House) -> None:
    accept(house, agreed_by(house.fund.olga, "create_key", object=OBJECT))

    for statement in ("UPDATE signed_act SET object = 'x'", "DELETE FROM signed_act"):
        refused = pytest.raises(DBAPIError, match="rows are only added")
        with nothing_written(house.session), refused, house.session.begin_nested():
            house.session.connection().execute(text(statement))


def test_a_signer_whose_time_has_run_out_signs_nothing(house: House) -> None:
    late = FOUNDED_AT.replace(year=2022)
    agreed = agreed_by(house.fund.olga, "create_key", object=OBJECT, now=late)

    with nothing_written(house.session), pytest.raises(people.UnknownOperator):
        accept(house, replace(agreed, now=late))


def _fields(**other: Any) -> dict[str, Any]:
    stated: dict[str, Any] = {
        "act": "create_key",
        "book": BOOK_ID,
        "signer": "OP-0000-0000-0000",
        "object": OBJECT,
        "version": 1,
        "amount": None,
        "currency": None,
        "payee_commitment": None,
        "evidence_commitments": [],
        "at": NOW,
        "nonce": "5" * 32,
    }
    return stated | other
