"""Two decisions at once: row 32 of the attack list, and money that both reach for. Exactly one wins."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, event
from sqlmodel import Session, select

from ledger.aid import acts, disbursements, obligations
from ledger.aid.disbursements import Disbursement, State
from ledger.approvals import ActDiffers, Agreed, NonceUsed, SignedAct
from ledger.books import balances, spending
from ledger.books.spending import WouldOverdraw
from ledger.errors import LedgerError
from ledger.money import Money
from ledger.storage.engine import transaction
from tests.cast import (
    LEAF,
    NOW,
    SECOND_LEAF,
    House,
    Person,
    byn,
    give,
    one_after_the_other,
    race,
)

pytestmark = pytest.mark.place("requested_payments")


def test_of_two_approvers_at_once_exactly_one_wins(house: House, engine: Engine) -> None:
    give(house.session, byn("2000.00"))
    disbursement = house.a_requested_payment()
    agreed = [
        house.on_payment("approve_disbursement", disbursement, by=person)
        for person in (house.fund.boris, house.fund.bella)
    ]

    answers = race(house.session, *(approving(disbursement.alias, one) for one in agreed))

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
        house.session,
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

    answers = race(house.session, *[approving(disbursement.alias, agreed)] * 2)

    assert winners(answers) == 1
    assert kept_acts(engine, "approve_disbursement") == 1


def test_one_nonce_on_two_payments_at_once_agrees_to_one(house: House, engine: Engine, boris: Person) -> None:
    give(house.session, byn("2000.00"))
    payments = [house.a_requested_payment(), house.a_requested_payment()]
    agreed = [house.on_payment("approve_disbursement", one, by=boris, nonce="5" * 32) for one in payments]

    answers = one_after_the_other(
        house.session,
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

    answers = race(house.session, *(approving(one.alias, yes) for one, yes in zip(payments, agreed, strict=True)))

    assert winners(answers) == 1
    assert [type(answer) for answer in answers if isinstance(answer, LedgerError)] == [WouldOverdraw]
    assert spendable(engine) == byn("0.00")


def test_the_last_money_of_a_fund_is_not_promised_to_who_waited_for_it(house: House, engine: Engine) -> None:
    give(house.session, byn("810.00"))
    first, second = house.a_requested_payment(), house.a_requested_payment()
    agreed = [house.on_payment("approve_disbursement", one, by=house.fund.boris) for one in (first, second)]

    answers = one_after_the_other(
        house.session,
        approving(first.alias, agreed[0]),
        look=lambda session: spending.spendable(session, "fines")["BYN"],
        then=approving(second.alias, agreed[1]),
    )

    assert isinstance(answers[1], WouldOverdraw)
    assert answers[1].data["free_minor"] == 0
    assert spendable(engine) == byn("0.00")


def test_the_last_money_of_a_leaf_is_released_once(house: House, engine: Engine) -> None:
    payments, agreed = two_ready_for_the_last_money(house)

    answers = race(house.session, *(releasing(one.alias, yes) for one, yes in zip(payments, agreed, strict=True)))

    assert winners(answers) == 1
    assert [type(answer) for answer in answers if isinstance(answer, LedgerError)] == [WouldOverdraw]
    assert available(engine) == byn("0.00")


def test_the_last_money_of_a_leaf_is_not_released_to_who_waited_for_it(house: House, engine: Engine) -> None:
    payments, agreed = two_ready_for_the_last_money(house)

    answers = one_after_the_other(
        house.session,
        releasing(payments[0].alias, agreed[0]),
        look=lambda session: spending.available(session, LEAF, currency="BYN"),
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

    with transaction(engine) as session:
        after_the_first_sum(engine, session, recognise)
        with pytest.raises(WouldOverdraw):
            acts.approve_disbursement(session, second.alias, agreed)

    assert obligations.require(house.session, first.obligation_alias, lock=True).state is obligations.State.RECOGNISED
    assert spendable(engine) == byn("1.00")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_payment_in_the_midst_of_a_release_does_not_free_its_hold(house: House, engine: Engine) -> None:
    payments, agreed = two_ready_for_the_last_money(house)
    acts.release_disbursement(house.session, payments[0].alias, agreed[0])
    house.session.commit()

    def pay(session: Session) -> None:
        disbursement = disbursements.require(session, payments[0].alias, lock=True)
        disbursements.pay(
            session, disbursement, source_key="bank:1", on=NOW.date(), recorded_at=NOW, recorded_by="test"
        )

    with transaction(engine) as session:
        after_the_first_sum(engine, session, pay)
        with pytest.raises(WouldOverdraw):
            acts.release_disbursement(session, payments[1].alias, agreed[1])

    with Session(engine) as session:
        assert balances.balance(session, LEAF, currency="BYN") == byn("0.00")
        assert disbursements.require(session, payments[1].alias).state is State.APPROVED


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


def spendable(engine: Engine) -> Money:
    with Session(engine) as session:
        return spending.spendable(session, "fines")["BYN"]


def available(engine: Engine) -> Money:
    with Session(engine) as session:
        return spending.available(session, LEAF, currency="BYN")


def after_the_first_sum(engine: Engine, session: Session, act: Callable[[Session], object]) -> None:
    """Lets another transaction act and commit as soon as `session` has added up the first of its two sums."""
    done: list[str] = []

    def interrupt(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "sum(" in statement.lower() and not done:
            done.append(statement)
            with transaction(engine) as other:
                act(other)

    event.listen(session.connection(), "after_cursor_execute", interrupt)
