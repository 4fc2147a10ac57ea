"""A fine and a fee of one ruling: entered, verified, paid by the bank or an agent, reduced, each by its own alias."""

from datetime import date
from typing import Any

import pytest

from api.client import batches, case_evidence, case_lives, cases, dossiers, payments, statements, verifications
from api.client.case_evidence import EvidenceDiffers
from api.client.cases import WhichObligation
from ledger.aid.obligations import ObligationKind
from reports.dossier.chain import chains
from tests.agency import a_released_batch, an_active_agent, an_advance, codes_of, enter, receive_euros, verified
from tests.bookkeeping import BYN_LEAF
from tests.cast import byn
from tests.office import DECISION_DAY, INTAKE_DAY, RELEASE_DAY, Office, on_one_database
from tests.papers import BankLine, a_camt_file, a_payment_line


def the_case(office: Office, alias: str) -> dict[str, Any]:
    case: dict[str, Any] = office.desk("anna").api.get(f"/v1/cases/{alias}")
    return case


def a_fined_case(office: Office) -> dict[str, Any]:
    """A fine of 810.00 and a fee of the court of 54.00, verified."""
    anna = office.desk("anna")
    (alias,) = office.take_in()
    case_lives.add_obligation(anna, alias, kind=ObligationKind.COURT_FEE, amount="54.00")
    assert verifications.verify(anna, alias) is None
    return the_case(office, alias)


def give_to_the_general_fund(office: Office) -> None:
    """A gift for anything the fund does, from which fees of the court are paid."""
    body = {"code": "GENERAL", "fund": "general", "text": "For anything.", "net_of_costs": False}
    made = office.desk("clara").api.post("/v1/purposes", body, key="purpose:GENERAL")
    line = BankLine(byn("100.00"), INTAKE_DAY.date(), reference=made["reference"])
    file = a_camt_file([line], opening=byn("5000.00"), first=date(2020, 10, 1), last=INTAKE_DAY.date())
    office.set_clock(DECISION_DAY)
    statements.send(office.desk("anna"), file, account=BYN_LEAF)


def of_kind(case: dict[str, Any], kind: str) -> dict[str, Any]:
    (found,) = [one for one in case["obligations"] if one["kind"] == kind]
    return dict(found)


def test_the_bank_pays_each_of_them_and_an_appeal_leaves_less_of_one(furnished: Office) -> None:
    office = furnished
    anna, boris = office.desk("anna"), office.desk("boris")
    case = a_fined_case(office)
    fine, fee = of_kind(case, "fine")["alias"], of_kind(case, "court_fee")["alias"]
    office.set_clock(DECISION_DAY)

    # Whoever names none of several sums is asked which one they mean.
    with office.nothing_written(), pytest.raises(WhichObligation):
        payments.request(anna, case["alias"], account=BYN_LEAF)

    # The fine is asked for, agreed to, told and released; the fee waits.
    asked = payments.request(anna, case["alias"], account=BYN_LEAF, obligation=fine)
    payments.approve(boris, asked)
    cases.tell(anna, case["alias"], told_on=DECISION_DAY.date())
    office.set_clock(RELEASE_DAY)
    released = payments.release(anna, office.payment(asked["alias"]))
    assert (released["obligation"], released["amount"]["amount"]) == (fine, "810.00")

    # An appeal leaves half of the fee, and its payment is asked for by a batch, of what is left.
    with pytest.raises(WhichObligation):
        case_lives.reduce(anna, case["alias"], to=byn("27.00"))
    case_lives.reduce(anna, case["alias"], to=byn("27.00"), obligation=fee)
    batch = a_released_batch(office, fund_of={"court_fee": "fines"})
    (line,) = batch["lines"]
    assert (line["obligation"], line["amount"]["amount"]) == (fee, "27.00")

    # The bank shows both; only then is the case paid.
    office.import_october(a_payment_line(released), a_payment_line(line), opening="5000.00")
    paid = the_case(office, case["alias"])
    assert {one["kind"]: one["paid"]["amount"] for one in paid["obligations"]} == {
        "fine": "810.00",
        "court_fee": "27.00",
    }
    assert paid["state"] == "paid"
    told = chains(dossiers.fetch(anna, case["alias"]))
    assert {chain.obligation.alias for chain in told} == {fine, fee}


@on_one_database
def test_each_of_them_is_told_on_the_day_on_which_both_were_approved(furnished: Office) -> None:
    office = furnished
    anna, boris = office.desk("anna"), office.desk("boris")
    give_to_the_general_fund(office)
    case = a_fined_case(office)
    office.set_clock(DECISION_DAY)
    day = DECISION_DAY.date()

    told = []
    for kind in ("fine", "court_fee"):
        owed = of_kind(case, kind)["alias"]
        payments.approve(boris, payments.request(anna, case["alias"], account=BYN_LEAF, obligation=owed))
        cases.tell(anna, case["alias"], told_on=day)
        told.append({one["kind"]: one["told_on"] for one in the_case(office, case["alias"])["obligations"]})

    assert told == [{"fine": str(day), "court_fee": None}, {"fine": str(day), "court_fee": str(day)}]


@on_one_database
def test_an_agent_gets_a_line_for_each_and_brings_a_result_for_each(furnished: Office) -> None:
    office = furnished
    receive_euros(office)
    agent = an_active_agent(office)
    an_advance(office, agent, received="3000.00")
    case = a_fined_case(office)

    batch = a_released_batch(office, agent, fund_of={"fine": "fines", "court_fee": "fines"})
    rows = batches.agents_list(office.desk("anna"), batch["alias"]).rows
    assert sorted((row["kind"], row["amount"]) for row in rows) == [("court_fee", "54.00"), ("fine", "810.00")]
    assert len({row["code"] for row in rows}) == 2
    first, second = codes_of(batch)
    enter(office, batch, verified(first))
    assert the_case(office, case["alias"])["state"] == "approved"
    enter(office, batch, verified(second))

    assert {one["state"] for one in the_case(office, case["alias"])["obligations"]} == {"paid"}
    assert batches.find(office.desk("anna"), batch["alias"])["state"] == "reconciled"


@on_one_database
def test_a_server_that_lies_about_one_of_them_is_found_out_before_anything_is_signed(
    furnished: Office,
) -> None:
    anna = furnished.desk("anna")
    case = a_fined_case(furnished)

    def lies(told: dict[str, Any], **changes: Any) -> dict[str, Any]:
        owed = [one | (changes if one["kind"] == "court_fee" else {}) for one in told["obligations"]]
        return told | {"obligations": owed}

    for changes, field in (
        ({"amount": {"amount": "540.00", "currency": "BYN"}}, "amount"),
        ({"kind": "detention"}, "kind"),
        ({"alias": "O-2222-2222"}, "evidence_commitments"),
    ):
        with pytest.raises(EvidenceDiffers) as found:
            case_evidence.check_evidence(anna, lies(case, **changes), reason="approval")
        assert found.value.data["field"] == field
