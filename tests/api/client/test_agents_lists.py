"""Lists on the treasurer's device: sealed to a key that an approver of the roster stands for, and to no other."""

from typing import Any

import pyrage
import pytest
from sqlalchemy import text

from api.client import agents, agents_lists, batches
from api.client.agents import WrongKey
from api.client.case_evidence import EvidenceDiffers
from ledger.errors import LedgerError
from ledger.storage import guards
from ledger.storage.engine import transaction
from tests.agency import (
    LIST_IDENTITY,
    LIST_KEY,
    WEEK_END,
    a_draft,
    a_released_batch,
    an_active_agent,
    codes_of,
    verified_cases,
)
from tests.cast import eur
from tests.office import DECISION_DAY, Office, on_one_database
from tests.papers import a_list_row

STRANGER = str(pyrage.x25519.Identity.generate().to_public())


def alter(office: Office, statement: str, **values: Any) -> None:
    with transaction(office.engine) as session:
        session.execute(text(statement), values)


@on_one_database
def test_the_list_names_people_to_the_agent_and_tells_the_server_nothing(furnished: Office) -> None:
    anna = furnished.desk("anna")
    verified_cases(furnished, a_list_row(line=2, name="Kanarejka Invented"))
    batch = a_released_batch(furnished, an_active_agent(furnished))

    agents_lists.put(anna, batch["alias"], expires_on=WEEK_END)

    handed = agents_lists.fetch(anna, batch["alias"])
    opened = pyrage.decrypt(handed, [LIST_IDENTITY]).decode()
    assert "Kanarejka Invented" in opened
    assert codes_of(batch)[0] in opened
    assert b"Kanarejka" not in handed
    assert len(handed) in range(1_024, 2_048)


@on_one_database
def test_nothing_is_sealed_to_a_key_that_the_server_put_there(furnished: Office) -> None:
    anna, boris = furnished.desk("anna"), furnished.desk("boris")
    verified_cases(furnished)
    agent = an_active_agent(furnished)
    batch = a_released_batch(furnished, agent)

    alter(furnished, "UPDATE agent SET list_key = :stranger", stranger=STRANGER)

    with furnished.nothing_written(), pytest.raises(WrongKey):
        agents_lists.put(anna, batch["alias"], expires_on=WEEK_END)
    added = agents.add(anna, cap=eur("1.00"), cap_lines=1, list_key=STRANGER)
    with furnished.nothing_written(), pytest.raises(WrongKey):
        agents.activate(boris, added, list_key=LIST_KEY)
    with pytest.raises(WrongKey):
        agents.agreed_key(anna, added)  # nobody has agreed to it yet


@on_one_database
@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE signed_act SET signature = :zeros WHERE verb = 'activate_agent'",
        "UPDATE signed_act SET document = '{}' WHERE verb = 'activate_agent'",
        "UPDATE signed_act SET object = 'A-0000-0000-0000' WHERE verb = 'activate_agent'",
    ],
)
def test_an_act_that_does_not_hold_stands_for_no_key(furnished: Office, attack: str) -> None:
    anna = furnished.desk("anna")
    agent = an_active_agent(furnished)
    assert agents.agreed_key(anna, agent) == LIST_KEY

    with furnished.engine.begin() as connection:
        guards.remove(connection)
        connection.execute(text(attack), {"zeros": "0" * 128} if ":zeros" in attack else {})
        guards.install(connection)

    with pytest.raises(WrongKey):
        agents.agreed_key(anna, agent)


@on_one_database
def test_a_court_that_is_counted_as_another_is_not_agreed_to(furnished: Office) -> None:
    anna, boris = furnished.desk("anna"), furnished.desk("boris")
    agent = an_active_agent(furnished, cap_courts=1)
    verified_cases(furnished, a_list_row(line=2), a_list_row(line=3, court="Invented court no. 2"))
    furnished.set_clock(DECISION_DAY)
    draft = a_draft(furnished, agent)
    batches.lock(anna, draft["alias"])
    tokens = [line["court_token"] for line in batches.find(anna, draft["alias"])["lines"]]
    assert len(set(tokens)) == 2
    verified_cases(furnished, a_list_row(line=4))
    furnished.set_clock(DECISION_DAY)
    another = a_draft(furnished, agent)
    assert next(line["court_token"] for line in batches.find(anna, another["alias"])["lines"]) in tokens

    with pytest.raises(LedgerError) as refusal:
        batches.approve(boris, draft["alias"])
    assert refusal.value.rule == "over_agent_cap"

    alter(furnished, "UPDATE batch_line SET court_token = :one", one=tokens[0])
    with pytest.raises(EvidenceDiffers):
        batches.approve(boris, draft["alias"])
