"""Euros given for fines become roubles at the bank; what their giver allows becomes money for detention bills."""

import pytest

from api.client import conversions, transfers
from api.client.http import ApiRefusal
from tests.agency import receive_euros
from tests.bookcheck import assert_it_holds
from tests.bookkeeping import BYN_LEAF, EUR_LEAF
from tests.cast import byn, eur
from tests.coffers import ask_to_convert, convert, release_conversion, told
from tests.office import Office


def test_euros_become_roubles_and_a_gift_for_fines_becomes_one_for_detention(office: Office) -> None:
    office.furnish()
    receive_euros(office, "1000.00")
    anna, boris = office.desk("anna"), office.desk("boris")

    # 100.00 EUR leave; 299.50 BYN arrive under our reference, and the bank's two lines are no gift and no exception.
    done = convert(office)
    assert (done["state"], done["arrived"]["amount"]) == ("done", "299.50")
    assert office.balance(BYN_LEAF, fund="fines") == byn("299.50")

    # The next one comes without a reference and a little short: Anna says what it is.
    released = release_conversion(office, ask_to_convert(office))
    told(office, released, amount="297.01")
    assert office.balance(BYN_LEAF, fund="fines") == byn("596.51")
    assert anna.api.get("/v1/exceptions")["exceptions"] == []

    # A rate that nobody else offers needs a third person, and Boris is still the second.
    far = ask_to_convert(office, expected="200.00")
    conversions.approve(boris, far)
    doubtful = conversions.find(boris, far["alias"])
    assert doubtful["state"] == "doubtful"
    with office.nothing_written(), pytest.raises(ApiRefusal) as same:
        conversions.approve(boris, doubtful)
    conversions.cancel(anna, far["alias"])

    # The giver agrees that 400.00 EUR are for detention bills; nothing moves without that, nor twice.
    (gift,) = anna.api.get("/v1/donations")["donations"]
    move = {"giver": "fines", "taker": "detention", "account": EUR_LEAF}
    with office.nothing_written(), pytest.raises(ApiRefusal) as nobody_agreed:
        transfers.request(anna, amount=eur("400.00"), **move)
    asked = transfers.request(anna, amount=eur("400.00"), consent=gift["alias"], evidence="I agree.", **move)
    with office.nothing_written(), pytest.raises(ApiRefusal) as unread:
        transfers.approve(boris, asked)
    assert transfers.read_consent(boris, asked) == "I agree."
    transfers.approve(boris, asked)
    again = transfers.request(anna, amount=eur("600.00"), consent=gift["alias"], evidence="I agree.", **move)
    transfers.read_consent(boris, again)
    with office.nothing_written(), pytest.raises(ApiRefusal) as too_much:
        transfers.approve(boris, again)

    refusals = [refusal.value.rule for refusal in (same, nobody_agreed, unread, too_much)]
    assert refusals == ["same_person", "no_consent", "evidence_not_opened", "would_overdraw"]
    assert office.balance(EUR_LEAF, "EUR", fund="detention") == eur("400.00")
    assert_it_holds(office.engine)
