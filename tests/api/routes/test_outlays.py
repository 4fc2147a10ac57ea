from typing import Any

import pytest

from api.client import outlays
from api.client.http import ApiRefusal
from tests import agency
from tests.agency import RESULTS_DAY
from tests.bookkeeping import BYN_LEAF
from tests.cast import byn
from tests.office import Office, on_one_database


@pytest.fixture
def agent(furnished: Office) -> dict[str, Any]:
    agency.receive_euros(furnished)
    return agency.an_agent_who_is_owed(furnished)


@on_one_database
def test_an_outlay_is_asked_for_agreed_to_and_paid_as_the_bank_shows(furnished: Office, agent: dict[str, Any]) -> None:
    anna, boris = furnished.desk("anna"), furnished.desk("boris")
    assert furnished.balance("2150") == byn("-10.00")
    with furnished.nothing_written_but("bearer_key"), pytest.raises(ApiRefusal) as refusal:
        outlays.request(anna, agent["alias"], fund="fines", account=BYN_LEAF, amount=byn("10.01"))

    asked = outlays.request(anna, agent["alias"], fund="fines", account=BYN_LEAF, amount=byn("10.00"))
    outlays.approve(boris, asked)
    (answer,) = agency.bank_line(
        furnished, byn("-10.00"), reference=asked["reference"], leaf=BYN_LEAF, on=RESULTS_DAY.date()
    )

    assert (refusal.value.rule, refusal.value.data["owed_minor"]) == ("over_owed", 1_000)
    assert answer["booked"] == 1
    assert outlays.find(anna, agent["alias"], asked["alias"])["state"] == "paid"
    assert furnished.balance("2150") == byn("0.00")


@on_one_database
def test_a_repayment_is_found_with_its_own_agent_only(furnished: Office, agent: dict[str, Any]) -> None:
    anna = furnished.desk("anna")
    asked = outlays.request(anna, agent["alias"], fund="fines", account=BYN_LEAF, amount=byn("1.00"))
    other = agency.an_active_agent(furnished)

    with furnished.nothing_written(), pytest.raises(ApiRefusal) as refusal:
        outlays.cancel(anna, asked | {"agent": other["alias"]})

    assert refusal.value.rule == "unknown_repayment"
