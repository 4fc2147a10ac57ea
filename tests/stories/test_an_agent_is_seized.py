"""An agent is seized with money and an open list: stopped at once, booked as lost, and a part comes back next year."""

from datetime import UTC, date, datetime

import pyrage
import pytest

from api.client import advances, agents, agents_lists, dossiers, payments, purses, subledgers
from api.client.http import ApiRefusal
from ledger.books.recipes import LOSSES
from tests.agency import (
    LIST_IDENTITY,
    RESULTS_DAY,
    a_released_batch,
    a_requested_advance,
    an_active_agent,
    an_advance,
    codes_of,
    enter,
    failed,
    receive_euros,
    verified,
    verified_cases,
)
from tests.bookcheck import assert_it_holds
from tests.bookkeeping import BYN_LEAF
from tests.cast import byn
from tests.office import Office
from tests.papers import a_list_row
from tests.proofs import ledger_told, told

SEIZED_ON = date(2020, 10, 12)
NEXT_YEAR = datetime(2021, 3, 1, 9, tzinfo=UTC)


def test_an_agent_is_seized_and_a_part_of_the_money_comes_back_next_year(office: Office) -> None:
    office.furnish()
    receive_euros(office)
    anna = office.desk("anna")
    agent = an_active_agent(office)
    an_advance(office, agent, received="3000.00")
    cases = verified_cases(office, *(a_list_row(line=line) for line in (2, 3)))
    batch = a_released_batch(office, agent)

    # The list is sealed on Anna's device: the agent alone reads it, with a program of their own.
    agents_lists.put(anna, batch["alias"], expires_on=date(2020, 10, 20))
    opened = pyrage.decrypt(agents_lists.fetch(anna, batch["alias"]), [LIST_IDENTITY]).decode().rstrip("\n")
    assert [row.split(",")[0].strip('"') for row in opened.splitlines()[1:]] == sorted(codes_of(batch))

    # One fine is paid and proven. Then the agent is seized with 2,190.00 roubles and the other line.
    first, _ = batch["lines"]
    enter(office, batch, verified(first["code"]))
    office.set_clock(RESULTS_DAY)
    purses.seize(anna, agent["alias"], amount=byn("2190.00"), on=SEIZED_ON)
    stopped(office, agent["alias"])
    agents.compromise(anna, agents.find(anna, agent["alias"]))
    with pytest.raises(ApiRefusal) as refusal:
        agents_lists.fetch(anna, batch["alias"])
    assert refusal.value.rule == "agent_not_active"

    # Who is in danger is told by alias; who they are, the people vault tells on an operator's device.
    known = agents.cases_known(anna, agent["alias"])
    assert [one["open"] for one in known] == [True, False]
    assert {one["case"] for one in known} == set(cases)
    (exposed,) = agents.exposures(anna)
    assert (exposed["state"], exposed["holds"], exposed["open_lines"]) == ("compromised", [], 1)
    assert office.balance(LOSSES) == byn("2190.00")

    # The line that was with them has failed, and the fund pays that fine itself.
    (open_line,) = [line for line in batch["lines"] if line != first]
    enter(office, batch, failed(open_line["code"]))
    case = office.payment(open_line["disbursement"])["case"]
    asked = payments.request(anna, case, account=BYN_LEAF)
    payments.approve(office.desk("boris"), asked)

    # Next year 1,000.00 come back; the fund of that year has it, and the loss of this one stays.
    office.set_clock(NEXT_YEAR)
    (loss,) = purses.listed(anna, agent["alias"])
    purses.move(anna, agent["alias"], what="recovered", amount=byn("1000.00"), on=NEXT_YEAR.date(), loss=loss["alias"])
    assert (office.balance(LOSSES), office.balance("4200")) == (byn("2190.00"), byn("-1000.00"))
    assert office.balance(agent["purse"]) == byn("1000.00")
    agreed = [one for one in anna.api.get("/v1/reconciliations")["reconciliations"] if one["kind"] == "agent"]
    assert {one["difference"]["amount"] for one in agreed} == {"0.00"}
    (ended,) = advances.listed(anna, agent=agent["alias"])
    assert ended["state"] == "seized"

    # One case is proven to its end, the other one waits for its release.
    (proven,) = set(cases) - {case}
    established = {"Ruling", "Eligibility", "Approval", "Recognition", "Release", "Payment"}
    assert told(dossiers.fetch(anna, proven)) == {"established": established, "not established": {"Receipt"}}
    waiting = told(dossiers.fetch(anna, case))
    assert {"Approval", "Recognition"} <= waiting["established"]
    assert waiting["not established"] == {"Release", "Payment", "Receipt"}
    rows = subledgers.rows(anna, subledgers.path_of(case=proven, beneficiary=None))
    assert ledger_told(rows) == {}
    assert_it_holds(office.engine)


def stopped(office: Office, agent: str) -> None:
    """Nothing more goes to them: no advance, and no list."""
    frozen = agents.find(office.desk("anna"), agent)
    assert frozen["state"] == "frozen"
    with pytest.raises(ApiRefusal) as refusal:
        a_requested_advance(office, frozen)
    assert refusal.value.rule == "agent_not_active"
