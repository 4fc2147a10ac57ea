from datetime import date

import pytest
from sqlmodel import Session

from ledger.aid import acts
from ledger.aid.disbursements import State
from ledger.books import exchange, recipes, spending
from ledger.books.exchange import NoRate
from ledger.books.postings import Posting, credit, debit
from ledger.books.spending import WouldOverdraw
from ledger.money import Money
from tests.bookkeeping import BYN_LEAF, CASE, OBLIGATION, a_gift, post
from tests.cast import NOW, TODAY, House, Person, byn, eur, give, nothing_written

FUND = "fines"


def hold(session: Session, *gifts: Money) -> None:
    for nth, gift in enumerate(gifts):
        post(session, a_gift(gift, fund=FUND), source_key=f"test:{nth}")


def owe(session: Session, amount: Money) -> None:
    recognised = recipes.aid_recognised(kind="fine", amount=amount, fund=FUND, obligation=OBLIGATION, case=CASE)
    post(session, recognised, source_key="test:owed")


def quote(session: Session, rate: str, *, on: date = TODAY) -> None:
    value = exchange.parse(rate)
    exchange.add(session, "BYN", on=on, value=value, source="nbrb", recorded_at=NOW, recorded_by="test")


def require(session: Session, amount: Money) -> None:
    spending.require_spendable(session, FUND, amount, on=TODAY)


def test_what_is_free_is_told_by_currency(founded: Session) -> None:
    hold(founded, byn("1000.00"), eur("50.00"))
    owe(founded, byn("810.00"))

    assert spending.spendable(founded, FUND) == {"BYN": byn("190.00"), "EUR": eur("50.00")}
    assert spending.spendable(founded, "general") == {}


def test_what_is_approved_is_held_though_the_fund_has_nothing_in_its_currency(house: House) -> None:
    give(house.session, byn("810.00"))
    house.an_approved_payment()

    assert spending.spendable(house.session, FUND) == {"BYN": byn("0.00")}


def test_a_fund_of_one_currency_needs_no_rate(founded: Session) -> None:
    hold(founded, byn("810.00"))

    require(founded, byn("810.00"))
    with pytest.raises(WouldOverdraw) as refusal:
        require(founded, byn("810.01"))

    assert refusal.value.data == {"fund": FUND, "free_minor": 81_000, "currency": "BYN"}


def test_a_fund_without_anything_needs_no_rate_to_be_refused(founded: Session) -> None:
    with pytest.raises(WouldOverdraw) as refusal:
        require(founded, byn("0.01"))

    assert refusal.value.data == {"fund": FUND, "free_minor": 0, "currency": "BYN"}


def test_what_the_same_currency_covers_needs_no_rate_when_the_rest_can_only_add(founded: Session) -> None:
    hold(founded, byn("810.00"), eur("50.00"))

    require(founded, byn("810.00"))
    with pytest.raises(NoRate):
        require(founded, byn("810.01"))


def test_what_the_fund_owes_in_another_currency_needs_a_rate(founded: Session) -> None:
    hold(founded, eur("300.00"))
    owe(founded, byn("810.00"))

    with pytest.raises(NoRate) as refusal:
        require(founded, eur("1.00"))

    assert (refusal.value.data["currency"], refusal.value.data["on"]) == ("BYN", TODAY.isoformat())


def test_money_in_another_currency_covers_a_promise_at_the_latest_rate(founded: Session) -> None:
    hold(founded, eur("267.30"))
    quote(founded, "0.34", on=date(2020, 11, 1))
    quote(founded, "0.33")

    require(founded, byn("810.00"))
    with pytest.raises(WouldOverdraw) as refusal:
        require(founded, byn("810.01"))

    assert refusal.value.data == {"fund": FUND, "free_minor": 26_730, "currency": "EUR"}


def test_what_is_owed_in_another_currency_is_kept_back_at_the_latest_rate(founded: Session) -> None:
    hold(founded, eur("300.00"))
    owe(founded, byn("810.00"))
    quote(founded, "0.33")

    require(founded, eur("32.70"))
    with pytest.raises(WouldOverdraw) as refusal:
        require(founded, eur("32.71"))

    assert refusal.value.data == {"fund": FUND, "free_minor": 3_270, "currency": "EUR"}


def test_a_rate_that_is_too_old_decides_nothing(founded: Session) -> None:
    hold(founded, eur("1000.00"))
    quote(founded, "0.33", on=date(2020, 10, 15))

    with pytest.raises(NoRate):
        require(founded, byn("810.00"))


def test_a_currency_that_is_back_at_zero_needs_no_rate(founded: Session) -> None:
    hold(founded, eur("50.00"), byn("10.00"))
    spent: list[Posting] = [debit("6300", byn("10.00"), FUND), credit(BYN_LEAF, byn("10.00"), FUND)]
    post(founded, spent, source_key="test:spent")

    require(founded, eur("50.00"))
    with pytest.raises(WouldOverdraw):
        require(founded, eur("50.01"))


def test_a_payment_that_another_currencys_money_covers_is_approved_by_its_rate(house: House, boris: Person) -> None:
    session = house.session
    give(session, byn("100.00"))
    disbursement = house.a_requested_payment()
    cash = eur("234.30")  # with 100.00 BYN at 0.33 just the 810.00 BYN
    post(session, [debit("1020", cash, FUND), credit("4300", cash, FUND)], source_key="test:cash")
    agreed = house.on_payment("approve_disbursement", disbursement, by=boris)
    with nothing_written(session), pytest.raises(NoRate):
        acts.approve_disbursement(session, disbursement.alias, agreed)
    quote(session, "0.33")

    acts.approve_disbursement(session, disbursement.alias, agreed)

    assert disbursement.state is State.APPROVED
    assert spending.spendable(session, FUND) == {"BYN": byn("-710.00"), "EUR": cash}
