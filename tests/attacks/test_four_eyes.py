"""Attacks on four eyes: row 32 of the list, and money that two decisions reach for at once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlmodel import Session, select

from api.client import keyring
from ledger import approvals, bearer_keys
from ledger.aid import acts, cases, disbursements, obligations
from ledger.aid.acts import EvidenceNotOpened
from ledger.aid.disbursements import Disbursement, DisbursementNotReady, State, WouldOverdraw
from ledger.aliases import Kind, draw
from ledger.approvals import ActDiffers, ActExpired, Agreed, BadSignature, NonceUsed, NotInRole, SamePerson, SignedAct
from ledger.books import balances
from ledger.errors import LedgerError
from ledger.identities import shelves
from ledger.people import Role, UnknownOperator
from ledger.storage.engine import transaction
from tests.cast import (
    BOOK_ID,
    FOUNDED_AT,
    LEAF,
    NOW,
    SECOND_LEAF,
    House,
    Person,
    a_person,
    agreed_by,
    byn,
    enrol,
    give,
    nothing_written,
    one_after_the_other,
    race,
    sealed,
    the_next,
)

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
    disbursement = house.a_requested_payment()
    case = cases.require(house.session, disbursement.case_alias)
    case.entered_by = mila.alias
    house.session.commit()
    house.open(case, by=mila)
    agreed = house.on_payment("approve_disbursement", disbursement, by=mila)

    with nothing_written(house.session), pytest.raises(SamePerson):
        approve(house, disbursement, agreed)


def test_who_verified_the_case_does_not_approve_its_payment(house: House) -> None:
    give(house.session, byn("810.00"))
    mila = joins(house, *TWO_HEADED)
    case = house.a_case()
    house.open(case, by=mila)
    acts.verify_case(house.session, case.alias, house.on_case("verify_case", case, by=mila))
    disbursement = house.a_payment_of(case)
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

    assert release(house, disbursement, house.on_payment("release_disbursement", disbursement, by=house.fund.clara))


def test_a_second_bearer_key_makes_no_second_person(house: House, boris: Person) -> None:
    give(house.session, byn("810.00"))
    disbursement = house.a_requested_payment(by=boris)
    for secret in ("first", "second"):
        bearer_keys.admit(
            house.session,
            alias=draw(Kind.KEY),
            operator=boris.alias,
            roles=frozenset({Role.APPROVER}),
            key_digest=bearer_keys.digest_of(secret),
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


@pytest.mark.parametrize("name", ["anton", "clara", "dina", "olga", "oleg"])
def test_who_is_no_approver_does_not_approve(house: House, name: str) -> None:
    give(house.session, byn("810.00"))
    person: Person = getattr(house.fund, name)
    disbursement = house.a_requested_payment(by=house.fund.bella)
    case = cases.require(house.session, disbursement.case_alias)
    case.verified_by = house.fund.bella.alias  # so that nothing but the role stands against this person
    house.session.commit()
    house.open(case, by=person)
    agreed = house.on_payment("approve_disbursement", disbursement, by=person)

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
    house: House, boris: Person, field: str, lie: object
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
        lambda signature: "",
        lambda signature: signature[:-2],
        lambda signature: signature.upper(),
        lambda signature: f"{signature[:64]} {signature[64:]}",
        lambda signature: signature + "00",
        lambda signature: "00" * 64,
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
    shelf = shelves.put_down(house.session, case.beneficiary_alias)
    newer = sealed(
        shelf, kind="beneficiary", alias=case.beneficiary_alias, field="identity", content="Invented", version=2
    )
    shelves.keep(house.session, [newer], shelf=case.beneficiary_alias)
    agreed = house.on_payment("approve_disbursement", disbursement, by=boris)

    with nothing_written(house.session), pytest.raises(EvidenceNotOpened):
        approve(house, disbursement, agreed)

    house.open(case, by=boris)
    approve(house, disbursement, agreed)
    assert disbursement.state is State.APPROVED


# --- at once


def test_of_two_approvers_at_once_exactly_one_wins(house: House, engine: Engine) -> None:
    give(house.session, byn("2000.00"))
    disbursement = house.a_requested_payment()
    agreed = [
        house.on_payment("approve_disbursement", disbursement, by=person)
        for person in (house.fund.boris, house.fund.bella)
    ]

    answers = race(engine, *(approving(disbursement.alias, one) for one in agreed))

    assert winners(answers) == 1
    assert kept_acts(engine, "approve_disbursement") == 1


def test_who_looked_before_another_approved_does_not_approve_again(house: House, engine: Engine) -> None:
    give(house.session, byn("2000.00"))
    disbursement = house.a_requested_payment()
    first, second = (
        house.on_payment("approve_disbursement", disbursement, by=person)
        for person in (house.fund.boris, house.fund.bella)
    )

    answers = one_after_the_other(
        engine,
        approving(disbursement.alias, first),
        look=lambda session: disbursements.require(session, disbursement.alias),
        then=approving(disbursement.alias, second),
    )

    assert isinstance(answers[1], ActDiffers)
    assert answers[1].data == {"field": "version"}
    assert kept_acts(engine, "approve_disbursement") == 1


def test_the_same_act_twice_at_once_is_done_once(house: House, engine: Engine, boris: Person) -> None:
    give(house.session, byn("2000.00"))
    disbursement = house.a_requested_payment()
    agreed = house.on_payment("approve_disbursement", disbursement, by=boris)

    answers = race(engine, *[approving(disbursement.alias, agreed)] * 2)

    assert winners(answers) == 1
    assert kept_acts(engine, "approve_disbursement") == 1


def test_one_nonce_on_two_payments_at_once_agrees_to_one(house: House, engine: Engine, boris: Person) -> None:
    give(house.session, byn("2000.00"))
    payments = [house.a_requested_payment(), house.a_requested_payment()]
    agreed = [house.on_payment("approve_disbursement", one, by=boris, nonce="5" * 32) for one in payments]

    answers = one_after_the_other(
        engine,
        approving(payments[0].alias, agreed[0]),
        look=lambda session: session.get(SignedAct, "5" * 32),
        then=approving(payments[1].alias, agreed[1]),
    )

    assert isinstance(answers[1], NonceUsed)
    assert kept_acts(engine, "approve_disbursement") == 1


def test_the_last_money_of_a_fund_is_promised_once(house: House, engine: Engine) -> None:
    give(house.session, byn("810.00"))
    payments = [house.a_requested_payment(), house.a_requested_payment()]
    agreed = [house.on_payment("approve_disbursement", one, by=house.fund.boris) for one in payments]

    answers = race(engine, *(approving(one.alias, yes) for one, yes in zip(payments, agreed, strict=True)))

    assert winners(answers) == 1
    assert [type(answer) for answer in answers if isinstance(answer, LedgerError)] == [WouldOverdraw]
    assert spendable(engine) == byn("0.00")


def test_the_last_money_of_a_fund_is_not_promised_to_who_waited_for_it(house: House, engine: Engine) -> None:
    give(house.session, byn("810.00"))
    first, second = house.a_requested_payment(), house.a_requested_payment()
    agreed = [house.on_payment("approve_disbursement", one, by=house.fund.boris) for one in (first, second)]

    answers = one_after_the_other(
        engine,
        approving(first.alias, agreed[0]),
        look=lambda session: disbursements.spendable(session, "fines", currency="BYN"),
        then=approving(second.alias, agreed[1]),
    )

    assert isinstance(answers[1], WouldOverdraw)
    assert answers[1].data["free_minor"] == 0
    assert spendable(engine) == byn("0.00")


def test_the_last_money_of_a_leaf_is_released_once(house: House, engine: Engine) -> None:
    payments, agreed = two_ready_for_the_last_money(house)

    answers = race(engine, *(releasing(one.alias, yes) for one, yes in zip(payments, agreed, strict=True)))

    assert winners(answers) == 1
    assert [type(answer) for answer in answers if isinstance(answer, LedgerError)] == [WouldOverdraw]
    assert available(engine) == byn("0.00")


def test_the_last_money_of_a_leaf_is_not_released_to_who_waited_for_it(house: House, engine: Engine) -> None:
    payments, agreed = two_ready_for_the_last_money(house)

    answers = one_after_the_other(
        engine,
        releasing(payments[0].alias, agreed[0]),
        look=lambda session: disbursements.available(session, LEAF, currency="BYN"),
        then=releasing(payments[1].alias, agreed[1]),
    )

    assert isinstance(answers[1], WouldOverdraw)
    assert available(engine) == byn("0.00")
    assert kept_acts(engine, "release_disbursement") == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_recognition_in_the_midst_of_an_approval_does_not_free_its_hold(house: House, engine: Engine) -> None:
    give(house.session, byn("810.00"))
    first = house.an_approved_payment()
    give(house.session, byn("1.00"))
    second = house.a_requested_payment()
    agreed = house.on_payment("approve_disbursement", second, by=house.fund.boris)

    def recognise(session: Session) -> None:
        house.in_another(session).tell(disbursements.require(session, first.alias))

    with transaction(engine) as session, pytest.raises(WouldOverdraw):
        after_the_first_sum(engine, session, recognise)
        acts.approve_disbursement(session, second.alias, agreed)

    assert obligations.require(house.session, first.obligation_alias, lock=True).state is obligations.State.RECOGNISED
    assert spendable(engine) == byn("1.00")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_payment_in_the_midst_of_a_release_does_not_free_its_hold(house: House, engine: Engine) -> None:
    payments, agreed = two_ready_for_the_last_money(house)
    release(house, payments[0], agreed[0])
    house.session.commit()

    def pay(session: Session) -> None:
        disbursement = disbursements.require(session, payments[0].alias, lock=True)
        disbursements.pay(
            session, disbursement, source_key="bank:1", on=NOW.date(), recorded_at=NOW, recorded_by="test"
        )

    with transaction(engine) as session, pytest.raises(WouldOverdraw):
        after_the_first_sum(engine, session, pay)
        acts.release_disbursement(session, payments[1].alias, agreed[1])

    with Session(engine) as session:
        assert balances.balance(session, LEAF, currency="BYN") == byn("0.00")
        assert disbursements.require(session, payments[1].alias).state is State.APPROVED


def test_the_waiting_of_a_newcomer_is_for_each_role(house: House) -> None:
    mila = joins(house, Role.APPROVER)
    assert NOW > FOUNDED_AT + timedelta(hours=72)
    agreed = agreed_by(mila, "draft_publication", object="U-0000-0000-0000", book=BOOK_ID)

    with nothing_written(house.session), pytest.raises(NotInRole):
        approvals.accept(
            house.session, agreed, verb="draft_publication", object_alias="U-0000-0000-0000", version=1
        )


def two_ready_for_the_last_money(house: House) -> tuple[list[Disbursement], list[Agreed]]:
    """The fund has enough for two, the leaf they are to be paid from has enough for one."""
    give(house.session, byn("810.00"))
    give(house.session, byn("810.00"), leaf=SECOND_LEAF)
    payments = [house.an_approved_payment(), house.an_approved_payment()]
    for disbursement in payments:
        house.tell(disbursement)
    agreed = [house.on_payment("release_disbursement", one, by=house.fund.clara) for one in payments]
    return payments, agreed


def approving(alias: str, agreed: Agreed) -> Callable[[Session], Disbursement]:
    return lambda session: acts.approve_disbursement(session, alias, agreed)


def releasing(alias: str, agreed: Agreed) -> Callable[[Session], Disbursement]:
    return lambda session: acts.release_disbursement(session, alias, agreed)


def winners(answers: list[Disbursement | LedgerError]) -> int:
    return sum(not isinstance(answer, LedgerError) for answer in answers)


def kept_acts(engine: Engine, verb: str) -> int:
    with Session(engine) as session:
        return len(session.exec(select(SignedAct).where(SignedAct.verb == verb)).all())


def spendable(engine: Engine) -> Any:
    with Session(engine) as session:
        return disbursements.spendable(session, "fines", currency="BYN")


def available(engine: Engine) -> Any:
    with Session(engine) as session:
        return disbursements.available(session, LEAF, currency="BYN")


def after_the_first_sum(engine: Engine, session: Session, act: Callable[[Session], object]) -> None:
    """Lets another transaction act and commit as soon as `session` has added up the first of its two sums."""
    done: list[str] = []

    def interrupt(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "sum(" in statement.lower() and not done:
            done.append(statement)
            with transaction(engine) as other:
                act(other)

    event.listen(session.connection(), "after_cursor_execute", interrupt)
