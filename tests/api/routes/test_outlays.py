from typing import Any

import pytest

from api.client import outlays, payment_files, shelves
from api.client.case_evidence import EvidenceDiffers
from api.client.credit_transfers import Form
from api.client.http import ApiRefusal
from api.client.payment_files import NothingReleased
from ledger.aliases import Kind, draw
from tests import agency
from tests.agency import RESULTS_DAY
from tests.bookkeeping import BYN_LEAF
from tests.canaries import sightings
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
@pytest.mark.parametrize("form", [Form.PAIN_09, Form.CSV])
def test_an_outlay_with_its_payee_is_repaid_by_a_file_which_the_server_never_sees(
    furnished: Office, agent: dict[str, Any], form: Form
) -> None:
    anna, boris = furnished.desk("anna"), furnished.desk("boris")
    payee = outlays.Payee("Kanarejka Agentova", "KANARACCT0077")
    asked = outlays.request(anna, agent["alias"], fund="fines", account=BYN_LEAF, amount=byn("10.00"), payee=payee)
    with pytest.raises(NothingReleased):
        payment_files.collect(anna, account=BYN_LEAF)
    outlays.approve(boris, asked)

    written = furnished.a_payment_file(form)

    content = written.path.read_bytes()
    assert [sightings([told], content) != [] for told in (payee.name, payee.account, asked["reference"])] == [True] * 3
    assert sightings([payee.name, payee.account], str(furnished.rows()).encode()) == []
    approved = outlays.find(anna, agent["alias"], asked["alias"])
    with furnished.nothing_written(), pytest.raises(ApiRefusal) as refusal:
        outlays.cancel(anna, approved)
    assert refusal.value.rule == "already_filed"
    agency.bank_line(furnished, byn("-10.00"), reference=asked["reference"], leaf=BYN_LEAF, on=RESULTS_DAY.date())
    assert outlays.find(anna, agent["alias"], asked["alias"])["state"] == "paid"


@on_one_database
def test_another_payee_than_the_repayments_own_is_neither_kept_nor_agreed_to(
    furnished: Office, agent: dict[str, Any]
) -> None:
    anna, boris = furnished.desk("anna"), furnished.desk("boris")
    payee = outlays.Payee("Invented Payee", "INVENTED-02")
    told: dict[str, Any] = {"fund": "fines", "account": BYN_LEAF, "amount": byn("10.00"), "payee": payee}
    asked = outlays.request(anna, agent["alias"], **told)

    with pytest.raises(EvidenceDiffers):
        outlays.approve(boris, asked | {"payee_commitment": "0" * 64})
    body = {"alias": draw(Kind.OUTLAY), "fund": "fines", "account": BYN_LEAF, "payee_box": None}
    body |= {"amount": asked["amount"], "settles": asked["settles"]}
    shelf = shelves.shelf_on_wire(anna.draw_shelf("people", alias=draw(Kind.OUTLAY)))
    with furnished.nothing_written(), pytest.raises(ApiRefusal) as refusal:
        anna.api.post(f"/v1/agents/{agent['alias']}/outlays", body | {"shelf": shelf}, key="outlay:bad")
    assert refusal.value.rule == "bad_repayment"


@on_one_database
def test_a_repayment_is_found_with_its_own_agent_only(furnished: Office, agent: dict[str, Any]) -> None:
    anna = furnished.desk("anna")
    asked = outlays.request(anna, agent["alias"], fund="fines", account=BYN_LEAF, amount=byn("1.00"))
    other = agency.an_active_agent(furnished)

    with furnished.nothing_written(), pytest.raises(ApiRefusal) as refusal:
        outlays.cancel(anna, asked | {"agent": other["alias"]})

    assert refusal.value.rule == "unknown_repayment"
