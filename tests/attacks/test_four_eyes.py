"""Attacks on four eyes: row 32 of the list. What happens at once is in test_four_eyes_at_once.py."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest

from api.client import keyring
from ledger import bearer_keys
from ledger.aid import acts, cases
from ledger.aid.acts import EvidenceNotOpened
from ledger.aid.disbursements import Disbursement, DisbursementNotReady, State
from ledger.aliases import Kind, draw
from ledger.approvals import ActDiffers, ActExpired, Agreed, BadSignature, NonceUsed, NotInRole, SamePerson
from ledger.identities import shelves
from ledger.identities.shelves import Shelf
from ledger.people import Role, UnknownOperator
from tests.cast import (
    FOUNDED_AT,
    NOW,
    House,
    Person,
    a_person,
    byn,
    enrol,
    give,
    nothing_written,
    sealed,
    the_next,
)

pytestmark = pytest.mark.place("requested_payments")

TWO_HEADED = (Role.INTAKE, Role.APPROVER, Role.TREASURER)


def joins(house: House, *roles: Role, officer: bool = False) -> Person:
    """Somebody joins with roster 2, long enough ago to act now."""
    newcomer = a_person(*roles, officer=officer)
    roster = house.fund.roster()
    following = the_next(roster, operators=(*roster.operators, newcomer.operator))
    enrol(house.session, following, house.fund.olga, house.fund.oleg)
    house.session.commit()
    return newcomer


def approve(house: House, disbursement: Disbursement, agreed: Agreed) -> Disbursement:
    return acts.approve_disbursement(house.session, disbursement.alias, agreed)


def release(house: House, disbursement: Disbursement, agreed: Agreed) -> Disbursement:
    return acts.release_disbursement(house.session, disbursement.alias, agreed)


# --- one person, two steps


def test_who_asked_for_a_payment_does_not_approve_it(house: House, boris: Person) -> None:
    give(house.session, byn("810.00"))
    disbursement = house.a_requested_payment(by=boris)
    agreed = house.on_payment("approve_disbursement", disbursement, by=boris)

    with nothing_written(house.session), pytest.raises(SamePerson):
        approve(house, disbursement, agreed)


def test_who_entered_the_case_does_not_approve_its_payment(house: House) -> None:
    give(house.session, byn("810.00"))
    mila = joins(house, *TWO_HEADED)
    case = house.a_verified_case(entered_by=mila)
    disbursement = house.a_requested_payment(of=case)
    house.open(case, by=mila)
    agreed = house.on_payment("approve_disbursement", disbursement, by=mila)

    with nothing_written(house.session), pytest.raises(SamePerson):
        approve(house, disbursement, agreed)


def test_who_verified_the_case_does_not_approve_its_payment(house: House) -> None:
    give(house.session, byn("810.00"))
    mila = joins(house, *TWO_HEADED)
    case = house.a_verified_case(verified_by=mila)
    disbursement = house.a_requested_payment(of=case)
    house.open(case, by=mila)
    agreed = house.on_payment("approve_disbursement", disbursement, by=mila)

    with nothing_written(house.session), pytest.raises(SamePerson):
        approve(house, disbursement, agreed)


def test_who_approved_a_payment_does_not_release_it(house: House) -> None:
    give(house.session, byn("810.00"))
    mila = joins(house, *TWO_HEADED)
    disbursement = house.a_requested_payment()
    house.open(cases.require(house.session, disbursement.case_alias), by=mila)
    approve(house, disbursement, house.on_payment("approve_disbursement", disbursement, by=mila))
    house.tell(disbursement)
    agreed = house.on_payment("release_disbursement", disbursement, by=mila)

    with nothing_written(house.session), pytest.raises(SamePerson):
        release(house, disbursement, agreed)

    release(house, disbursement, house.on_payment("release_disbursement", disbursement, by=house.fund.clara))
    assert disbursement.state is State.RELEASED


def test_a_second_bearer_key_makes_no_second_person(house: House, boris: Person) -> None:
    give(house.session, byn("810.00"))
    disbursement = house.a_requested_payment(by=boris)
    for secret in ("first", "second"):
        bearer_keys.admit(
            house.session,
            alias=draw(Kind.KEY),
            operator=boris.alias,
            roles=frozenset({Role.APPROVER}),
            key_digest=sha256(secret.encode()).hexdigest(),
            expires_on=NOW.date(),
            created_at=NOW,
        )
    caller = bearer_keys.authenticate(house.session, "second", now=NOW)
    agreed = house.on_payment("approve_disbursement", disbursement, by=Person(boris.device, caller.operator))

    with nothing_written(house.session), pytest.raises(SamePerson):
        approve(house, disbursement, agreed)


def test_a_second_device_of_the_same_person_signs_for_nobody(house: House, boris: Person) -> None:
    give(house.session, byn("810.00"))
    disbursement = house.a_requested_payment()
    second = Person(keyring.create(boris.alias), boris.operator)

    with nothing_written(house.session), pytest.raises(BadSignature):
        approve(house, disbursement, house.on_payment("approve_disbursement", disbursement, by=second))


# --- who signs


def test_a_caller_who_brings_an_entry_of_their_own_is_measured_by_the_roster(house: House, boris: Person) -> None:
    give(house.session, byn("810.00"))
    disbursement = house.a_requested_payment()
    device = keyring.create(boris.alias)
    forged = boris.operator.model_copy(update={"signing_key": keyring.card(device)["ed25519"]})
    agreed = house.on_payment("approve_disbursement", disbursement, by=Person(device, forged))

    with nothing_written(house.session), pytest.raises(BadSignature):
        approve(house, disbursement, agreed)


def test_roles_that_a_caller_brings_along_do_not_count(house: House, ana: Person) -> None:
    give(house.session, byn("810.00"))
    disbursement = house.a_requested_payment()
    promoted = Person(ana.device, ana.operator.model_copy(update={"roles": TWO_HEADED}))
    agreed = house.on_payment("release_disbursement", disbursement, by=promoted)

    with nothing_written(house.session), pytest.raises(NotInRole):
        release(house, disbursement, agreed)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.APPROVER])
def test_who_is_no_approver_does_not_approve(house: House, role: Role) -> None:
    give(house.session, byn("810.00"))
    mila = joins(house, role, officer=True)
    disbursement = house.a_requested_payment()
    house.open(cases.require(house.session, disbursement.case_alias), by=mila)
    agreed = house.on_payment("approve_disbursement", disbursement, by=mila)

    with nothing_written(house.session), pytest.raises(NotInRole) as refusal:
        approve(house, disbursement, agreed)

    assert refusal.value.data["role"] == "approver"


def test_a_stranger_is_not_in_the_roster(house: House) -> None:
    give(house.session, byn("810.00"))
    disbursement = house.a_requested_payment()
    stranger = a_person(Role.APPROVER)
    house.open(cases.require(house.session, disbursement.case_alias), by=stranger)
    agreed = house.on_payment("approve_disbursement", disbursement, by=stranger)

    with nothing_written(house.session), pytest.raises(UnknownOperator):
        approve(house, disbursement, agreed)


def test_who_joins_later_waits_72_hours_before_the_first_act(house: House) -> None:
    give(house.session, byn("810.00"))
    mila = joins(house, Role.APPROVER)
    disbursement = house.a_requested_payment()
    house.open(cases.require(house.session, disbursement.case_alias), by=mila)
    over = FOUNDED_AT + timedelta(hours=72)
    early = over - timedelta(seconds=1)

    with nothing_written(house.session), pytest.raises(NotInRole):
        approve(house, disbursement, house.on_payment("approve_disbursement", disbursement, by=mila, now=early))

    # The ruling of 28 September is certain from 4 October, the day on which the waiting ends.
    assert over.date().isoformat() == "2020-10-04"
    approve(house, disbursement, house.on_payment("approve_disbursement", disbursement, by=mila, now=over))
    assert disbursement.approved_by == mila.alias


# --- what is signed


@pytest.mark.parametrize(
    ("field", "lie"),
    [
        ("book", "0" * 32),
        ("object", "D-0000-0000-0000"),
        ("version", 2),
        ("version", 0),
        ("amount", "8100.00"),
        ("amount", "810.0"),
        ("amount", None),
        ("currency", "EUR"),
        ("payee_commitment", "0" * 64),
        ("payee_commitment", None),
        ("evidence_commitments", ()),
        ("evidence_commitments", ("0" * 64, "1" * 64)),
        ("act", "release_disbursement"),
        ("signer", "OP-0000-0000-0000"),
    ],
)
def test_an_act_that_restates_something_else_agrees_to_nothing(
    house: House, boris: Person, field: str, lie: Any
) -> None:
    give(house.session, byn("810.00"))
    disbursement = house.a_requested_payment()
    agreed = house.on_payment("approve_disbursement", disbursement, by=boris, **{field: lie})

    with nothing_written(house.session), pytest.raises(ActDiffers) as refusal:
        approve(house, disbursement, agreed)

    assert refusal.value.data == {"field": field}


@pytest.mark.parametrize(
    ("field", "later"),
    [
        ("amount", "8100.00"),
        ("object", "D-0000-0000-0000"),
        ("payee_commitment", "0" * 64),
        ("evidence_commitments", ()),
        ("nonce", "0" * 32),
    ],
)
def test_an_act_changed_after_it_was_signed_does_not_hold(
    house: House, boris: Person, field: str, later: object
) -> None:
    give(house.session, byn("810.00"))
    disbursement = house.a_requested_payment()
    agreed = house.on_payment("approve_disbursement", disbursement, by=boris)
    changed = replace(agreed, act=agreed.act.model_copy(update={field: later}))

    with nothing_written(house.session), pytest.raises(BadSignature):
        approve(house, disbursement, changed)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda signature: signature[:0],
        lambda signature: signature[:-2],
        lambda signature: signature.upper(),
        lambda signature: f"{signature[:64]} {signature[64:]}",
        lambda signature: signature + "00",
        lambda signature: len(signature) * "0",
        lambda signature: signature[:127] + "x",
    ],
    ids=["none", "short", "upper case", "a blank within", "long", "zeros", "no hex"],
)
def test_a_signature_in_another_spelling_is_none(house: House, boris: Person, spoil: Callable[[str], str]) -> None:
    give(house.session, byn("810.00"))
    disbursement = house.a_requested_payment()
    agreed = house.on_payment("approve_disbursement", disbursement, by=boris)

    with nothing_written(house.session), pytest.raises(BadSignature):
        approve(house, disbursement, replace(agreed, signature=spoil(agreed.signature)))


def test_a_signature_of_another_person_is_none(house: House, boris: Person, clara: Person) -> None:
    give(house.session, byn("810.00"))
    disbursement = house.a_requested_payment()
    agreed = house.on_payment("approve_disbursement", disbursement, by=boris)

    with nothing_written(house.session), pytest.raises(BadSignature):
        approve(house, disbursement, replace(agreed, signature=clara.sign(agreed.act)))


@pytest.mark.parametrize("age", [timedelta(hours=24, seconds=1), timedelta(minutes=-5, seconds=-1)])
def test_an_act_from_a_drawer_or_from_the_future_is_refused(house: House, boris: Person, age: timedelta) -> None:
    give(house.session, byn("810.00"))
    disbursement = house.a_requested_payment()
    agreed = house.on_payment("approve_disbursement", disbursement, by=boris, at=NOW - age)

    with nothing_written(house.session), pytest.raises(ActExpired):
        approve(house, disbursement, agreed)


@pytest.mark.parametrize("age", [timedelta(hours=24), timedelta(minutes=-5)])
def test_an_act_may_lie_in_an_outbox_for_a_day(house: House, boris: Person, age: timedelta) -> None:
    give(house.session, byn("810.00"))
    disbursement = house.a_requested_payment()

    approve(house, disbursement, house.on_payment("approve_disbursement", disbursement, by=boris, at=NOW - age))

    assert disbursement.state is State.APPROVED


# --- again


def test_a_replayed_approval_does_nothing_more(house: House, boris: Person) -> None:
    give(house.session, byn("2000.00"))
    disbursement = house.a_requested_payment()
    agreed = house.on_payment("approve_disbursement", disbursement, by=boris)
    approve(house, disbursement, agreed)

    with nothing_written(house.session), pytest.raises(ActDiffers) as refusal:
        approve(house, disbursement, agreed)

    assert refusal.value.data == {"field": "version"}


def test_a_nonce_is_used_once_whatever_else_the_act_says(house: House, boris: Person) -> None:
    give(house.session, byn("2000.00"))
    first, second = house.a_requested_payment(), house.a_requested_payment()
    approve(house, first, house.on_payment("approve_disbursement", first, by=boris, nonce="5" * 32))

    with nothing_written(house.session), pytest.raises(NonceUsed):
        approve(house, second, house.on_payment("approve_disbursement", second, by=boris, nonce="5" * 32))


def test_an_act_on_what_stood_before_the_approval_does_not_release(house: House, clara: Person) -> None:
    give(house.session, byn("810.00"))
    disbursement = house.a_requested_payment()
    early = house.on_payment("release_disbursement", disbursement, by=clara)
    approve(house, disbursement, house.on_payment("approve_disbursement", disbursement, by=house.fund.boris))
    house.tell(disbursement)

    with nothing_written(house.session), pytest.raises(ActDiffers) as refusal:
        release(house, disbursement, early)

    assert refusal.value.data == {"field": "version"}


def test_an_unapproved_payment_is_not_released(house: House, clara: Person) -> None:
    give(house.session, byn("810.00"))
    disbursement = house.a_requested_payment()
    agreed = house.on_payment("release_disbursement", disbursement, by=clara)

    with nothing_written(house.session), pytest.raises(DisbursementNotReady):
        release(house, disbursement, agreed)


# --- unseen


def test_who_has_not_opened_the_evidence_does_not_approve(house: House) -> None:
    give(house.session, byn("810.00"))
    mila = joins(house, Role.APPROVER)
    disbursement = house.a_requested_payment()
    agreed = house.on_payment("approve_disbursement", disbursement, by=mila)

    with nothing_written(house.session), pytest.raises(EvidenceNotOpened):
        approve(house, disbursement, agreed)


def test_who_has_opened_an_older_version_of_the_evidence_does_not_approve(house: House, boris: Person) -> None:
    give(house.session, byn("810.00"))
    disbursement = house.a_requested_payment()
    case = cases.require(house.session, disbursement.case_alias)
    alias = case.beneficiary_alias
    key = house.session.get_one(Shelf, alias).sealing_key
    newer = sealed(key, kind="beneficiary", alias=alias, field="identity", content="Another name", version=2)
    shelves.keep(house.session, [newer], shelf=alias)
    agreed = house.on_payment("approve_disbursement", disbursement, by=boris)

    with nothing_written(house.session), pytest.raises(EvidenceNotOpened):
        approve(house, disbursement, agreed)

    house.open(case, by=boris)
    approve(house, disbursement, agreed)
    assert disbursement.state is State.APPROVED
