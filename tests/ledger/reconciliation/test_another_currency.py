"""What the bank shows in another currency than it settles: two people say it; what the rates differ is on 3900."""

from typing import Any

import pytest

from ledger import exceptions
from ledger.aid import acts, disbursements, obligations, refunds
from ledger.aid.disbursements import Disbursement, DisbursementNotReady
from ledger.aid.refunds import Refund
from ledger.books import balances
from ledger.errors import LedgerError
from ledger.money import Money
from ledger.reconciliation.answers import Answer
from ledger.reconciliation.waits import BadResolution
from tests.bookcheck import assert_it_holds
from tests.cast import House, byn, engine_of, eur, give, nothing_written
from tests.courts import open_dollars, posted_bail, usd
from tests.office import on_one_database
from tests.purses import EUR_LEAF, give_euros
from tests.saying import resolve, say, saying, show, shown


@pytest.fixture
def paid(house: House) -> Disbursement:
    """A fine of 810.00 BYN, which the bank has paid, beside a leaf in euros."""
    give(house.session, byn("2000.00"))
    give_euros(house, "1000.00")
    payment = house.a_released_payment()
    assert show(house, byn("-810.00"), payment.reference) == []
    house.session.refresh(payment)
    return payment


def standing(house: House, *accounts: tuple[str, str]) -> list[Money]:
    return [balances.balance(house.session, account, currency=currency) for account, currency in accounts]


def refused(house: House, error: type[LedgerError], *said: Any) -> None:
    with nothing_written(house.session), pytest.raises(error):
        say(house, saying(*said))


def quash(house: House, paid: Disbursement) -> Refund:
    case, ruling = house.case_of(paid), obligations.require(house.session, paid.obligation_alias).ruling_alias
    house.open(case, by=house.fund.ana)
    acts.quash_ruling(house.session, ruling, house.on_case("quash_ruling", case, by=house.fund.ana, object=ruling))
    house.session.commit()
    (refund,) = refunds.of_obligation(house.session, paid.obligation_alias)
    return refund


def test_a_payment_in_roubles_comes_back_in_euros_whole(house: House, paid: Disbursement) -> None:
    opened = shown(house, eur("270.00"), paid.reference, leaf=EUR_LEAF)
    refused(house, DisbursementNotReady, opened.alias, Answer.PAYMENT_RETURNED, paid.alias, byn("800.00"))
    refused(house, DisbursementNotReady, opened.alias, Answer.PAYMENT_RETURNED, paid.alias, eur("270.00"))

    resolve(house, opened.alias, Answer.PAYMENT_RETURNED, paid.alias, byn("810.00"))

    assert paid.state is disbursements.State.RETURNED
    assert standing(house, ("2100", "BYN"), (EUR_LEAF, "EUR"), ("3900", "EUR"), ("3900", "BYN")) == [
        byn("-810.00"),
        eur("1270.00"),
        eur("-270.00"),
        byn("810.00"),
    ]
    assert exceptions.listed(house.session) == []
    assert_it_holds(engine_of(house.session))


def test_an_authority_pays_a_part_back_in_euros_and_the_rest_stays_due(house: House, paid: Disbursement) -> None:
    refund = quash(house, paid)
    opened = shown(house, eur("100.00"), refund.reference, leaf=EUR_LEAF)

    resolve(house, opened.alias, Answer.REFUND, refund.reference, byn("300.00"))

    assert standing(house, ("1350", "BYN"), (EUR_LEAF, "EUR"), ("3900", "EUR")) == [
        byn("510.00"),
        eur("1100.00"),
        eur("-100.00"),
    ]
    assert show(house, byn("510.00"), refund.reference) == []
    assert_it_holds(engine_of(house.session))


@on_one_database
def test_bail_in_dollars_comes_back_in_euros(house: House) -> None:
    give_euros(house, "1000.00")
    open_dollars(house)
    posted = posted_bail(house)
    opened = shown(house, eur("1200.00"), None, leaf=EUR_LEAF, reversal=True)

    resolve(house, opened.alias, Answer.BAIL_RETURNED, posted.alias, usd("1500.00"))

    assert standing(house, ("1300", "USD"), ("5400", "USD"), (EUR_LEAF, "EUR"), ("3900", "USD")) == [
        usd("0.00"),
        usd("0.00"),
        eur("2200.00"),
        usd("1500.00"),
    ]
    assert_it_holds(engine_of(house.session))


@on_one_database
def test_what_left_in_another_currency_is_no_payment(house: House) -> None:
    give(house.session, byn("2000.00"))
    give_euros(house, "1000.00")
    payment = house.a_released_payment()
    opened = shown(house, eur("-270.00"), payment.reference, leaf=EUR_LEAF)

    refused(house, BadResolution, opened.alias, Answer.PAYMENT, payment.alias, byn("810.00"))
    refused(house, BadResolution, opened.alias, Answer.EXPECTED_BACK, payment.alias, byn("810.00"))
    resolve(house, opened.alias, Answer.EXPECTED_BACK, payment.alias, eur("270.00"))

    assert standing(house, ("1380", "EUR"), ("3900", "EUR")) == [eur("270.00"), eur("0.00")]
    assert payment.state is disbursements.State.RELEASED
    assert_it_holds(engine_of(house.session))
