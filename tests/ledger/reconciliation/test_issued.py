import pytest

from ledger.aid import obligations, quashing, refunds, returns, rulings
from ledger.exceptions import Difference
from ledger.money import Money
from ledger.reconciliation import issued
from ledger.reconciliation.issued import Issued
from tests.cast import LEAF, NOW, SECOND_LEAF, TODAY, House, byn, eur, give, nothing_written
from tests.purses import (
    EUR_LEAF,
    a_locked_batch,
    a_released_batch,
    a_requested_advance,
    an_advance,
    an_agent,
    approve_advance,
    give_euros,
    items,
    release_advance,
)


def found(house: House, reference: str) -> Issued:
    answer = issued.find(house.session, reference)
    assert answer is not None
    return answer


def difference(house: House, reference: str, moved: Money, *, account: str = LEAF) -> Difference | None:
    return issued.difference(house.session, found(house, reference), account=account, moved=moved, on=TODAY)


def book(house: House, reference: str, moved: Money, *, account: str = LEAF) -> None:
    issued.book(
        house.session,
        found(house, reference),
        source_key=f"bank:{reference}",
        account=account,
        moved=moved,
        on=TODAY,
        recorded_at=NOW,
        recorded_by="test",
    )
    house.session.commit()


def test_a_reference_of_nobody_finds_nothing(house: House) -> None:
    assert issued.find(house.session, "RF18539007547034") is None


@pytest.mark.parametrize(
    ("moved", "account", "told"),
    [
        ("-810.00", LEAF, None),
        ("810.00", LEAF, Difference.PAYMENT_RETURNED),
        ("-810.01", LEAF, Difference.AMOUNT_DIFFERS),
        ("-810.00", SECOND_LEAF, Difference.AMOUNT_DIFFERS),
    ],
)
def test_a_line_of_a_batch_answers_with_its_own_amount_on_its_own_leaf(
    house: House, moved: str, account: str, told: Difference | None
) -> None:
    give(house.session, byn("1620.00"))
    batch = a_released_batch(house, None, LEAF, [house.a_verified_case() for _ in range(2)])
    reference = items(house, batch)[0].disbursement.reference

    assert difference(house, reference, byn(moved), account=account) is told


def test_the_bank_pays_nothing_that_was_not_released_and_nothing_twice(house: House) -> None:
    give(house.session, byn("1620.00"))
    give_euros(house)
    waiting = a_locked_batch(house, None, LEAF, [house.a_verified_case()])
    asked_for = a_requested_advance(house, an_agent(house))
    paid = house.a_released_payment()
    book(house, paid.reference, byn("-810.00"))

    assert difference(house, items(house, waiting)[0].disbursement.reference, byn("-810.00")) is Difference.NOT_RELEASED
    assert difference(house, asked_for.reference, eur("-1000.00"), account=EUR_LEAF) is Difference.NOT_RELEASED
    assert difference(house, paid.reference, byn("-810.00")) is Difference.NOT_RELEASED


def test_no_bank_pays_a_line_of_an_agents_list(house: House) -> None:
    give(house.session, byn("810.00"))
    batch = a_released_batch(house, an_agent(house), LEAF, [house.a_verified_case()])
    reference = items(house, batch)[0].disbursement.reference

    assert difference(house, reference, byn("-810.00")) is Difference.AMOUNT_DIFFERS


def test_a_released_advance_is_sent_by_the_banks_line(house: House) -> None:
    give_euros(house)
    advance = release_advance(house, approve_advance(house, a_requested_advance(house, an_agent(house))))

    assert difference(house, advance.reference, eur("-999.99"), account=EUR_LEAF) is Difference.AMOUNT_DIFFERS
    assert difference(house, advance.reference, eur("-1000.00"), account=EUR_LEAF) is None
    book(house, advance.reference, eur("-1000.00"), account=EUR_LEAF)

    assert advance.sent_on == TODAY
    assert difference(house, advance.reference, eur("-1000.00"), account=EUR_LEAF) is Difference.NOT_RELEASED


def test_unspent_money_comes_back_once_whole_or_in_another_currency(house: House) -> None:
    give_euros(house)
    advance = an_advance(house, an_agent(house), received=byn("3000.00"))
    announced = returns.announce(house.session, advance, stands_for=byn("600.00"), by="test", on=TODAY)
    house.session.commit()
    reference = announced.reference

    assert difference(house, reference, byn("600.00")) is None
    assert difference(house, reference, byn("599.99")) is Difference.AMOUNT_DIFFERS
    assert difference(house, reference, byn("600.01")) is Difference.AMOUNT_DIFFERS
    assert difference(house, reference, eur("190.00"), account=EUR_LEAF) is None
    assert difference(house, reference, byn("-600.00")) is Difference.UNMATCHED_DEBIT
    book(house, reference, eur("190.00"), account=EUR_LEAF)
    assert difference(house, reference, eur("190.00"), account=EUR_LEAF) is Difference.NOT_RELEASED


def test_an_authority_pays_back_what_it_owes_no_more_no_less_and_once(house: House) -> None:
    give(house.session, byn("810.00"))
    paid = house.a_released_payment()
    book(house, paid.reference, byn("-810.00"))
    owed = obligations.require(house.session, paid.obligation_alias)
    of = rulings.require(house.session, owed.ruling_alias)
    quashing.quash(house.session, of, by="test", on=TODAY, recorded_at=NOW)
    house.session.commit()
    ((refund, _),) = refunds.listed(house.session)

    for moved in ("809.99", "810.01", "1620.00"):
        assert difference(house, refund.reference, byn(moved)) is Difference.AMOUNT_DIFFERS
    assert difference(house, refund.reference, eur("810.00"), account=EUR_LEAF) is Difference.AMOUNT_DIFFERS
    assert difference(house, refund.reference, byn("-810.00")) is Difference.UNMATCHED_DEBIT
    book(house, refund.reference, byn("810.00"))
    assert difference(house, refund.reference, byn("810.00")) is Difference.NOT_RELEASED
    with nothing_written(house.session), pytest.raises(refunds.NotWaiting):
        refunds.receive(
            house.session, refund, source_key="bank:2", leaf=LEAF, on=TODAY, recorded_at=NOW, recorded_by="test"
        )
