import secrets
from datetime import date, datetime, timedelta
from functools import cache, partial

import pyrage
import pytest
from sqlmodel import Session

from api.client.agents_lists import seal
from ledger import exceptions
from ledger.aid import agents, agents_lists, batches
from ledger.aid.agents import Agent, AgentNotActive, BadAgent, OverCap
from ledger.aid.agents_lists import BadList, NoList, NoListKey
from ledger.aid.batches import BadBatch, Batch, BatchNotReady
from ledger.exceptions import Difference, OpenException
from ledger.identities.boxes import NotASealedBox
from tests import places
from tests.cast import LEAF, NOW, TODAY, House, byn, eur, give, nothing_written, race
from tests.purses import (
    a_locked_batch,
    a_released_batch,
    a_vetted_agent,
    an_agent,
    approve,
    enter,
    give_euros,
    items,
    verified,
)

pytestmark = pytest.mark.place("agent_with_a_list")

IDENTITY = places.LIST_IDENTITY
KEY = str(IDENTITY.to_public())
LAST_DAY = TODAY + timedelta(days=3)
COURT, OTHER_COURT = "c" * 64, "d" * 64
TEXT = b"code;amount\nABCDEF;810.00\n"


@pytest.fixture
def agent(house: House) -> Agent:
    return places.the(house.session, Agent)


@pytest.fixture
def batch(house: House) -> Batch:
    """A released list of one fine."""
    return places.the(house.session, Batch)


def put(house: House, batch: Batch, sealed: bytes = b"", *, expires_on: date = LAST_DAY, at: datetime = NOW) -> bytes:
    sealed = sealed or seal(KEY, TEXT)
    clara = house.fund.clara.alias
    agents_lists.put(house.session, batch.alias, sealed=sealed, expires_on=expires_on, by=clara, at=at)
    house.session.commit()
    return sealed


def test_the_agent_alone_opens_a_list_with_any_age_program(house: House, batch: Batch) -> None:
    put(house, batch)

    handed = agents_lists.hand_out(house.session, batch.alias, on=LAST_DAY).sealed

    assert handed is not None
    assert pyrage.decrypt(handed, [IDENTITY]).rstrip(b"\n") == TEXT.rstrip(b"\n")
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(handed, [pyrage.x25519.Identity.generate()])


@pytest.mark.parametrize("length", [1, 900, 1_024])
def test_the_length_of_a_list_tells_only_its_class(length: int) -> None:
    assert len(pyrage.decrypt(seal(KEY, b"x" * length), [IDENTITY])) == 1_024
    assert len(pyrage.decrypt(seal(KEY, b"x" * 1_025), [IDENTITY])) == 2_048


def test_after_its_last_day_a_list_is_gone(house: House, batch: Batch) -> None:
    put(house, batch)

    kept = agents_lists.hand_out(house.session, batch.alias, on=LAST_DAY + timedelta(days=1))

    assert (kept.sealed, kept.removed_on) == (None, LAST_DAY + timedelta(days=1))
    assert agents_lists.remove_expired(house.session, on=LAST_DAY + timedelta(days=2)) == 0


def test_who_fetches_another_list_removes_what_has_expired(house: House, batch: Batch) -> None:
    put(house, batch)

    removed = [agents_lists.remove_expired(house.session, on=LAST_DAY + timedelta(days=days)) for days in (0, 1)]

    assert removed == [0, 1]


def test_the_same_list_again_changes_nothing_and_another_takes_its_place(house: House, batch: Batch) -> None:
    sealed = put(house, batch)
    with nothing_written(house.session):
        put(house, batch, sealed, at=NOW + timedelta(hours=1))

    other = put(house, batch, expires_on=LAST_DAY + timedelta(days=1))

    assert agents_lists.hand_out(house.session, batch.alias, on=LAST_DAY + timedelta(days=1)).sealed == other


@cache
def by_a_word() -> bytes:
    """What is slow to make, as it is slow to guess: once for both databases."""
    return bytes(pyrage.passphrase.encrypt(b"\n" * 1_024, "seven words"))


def test_what_no_client_sealed_is_refused(house: House, batch: Batch) -> None:
    honest = seal(KEY, TEXT)
    two = pyrage.encrypt(b"\n" * 1_024, [pyrage.x25519.Recipient.from_str(KEY), IDENTITY.to_public()])
    header = honest[: honest.index(b"\n--- ")]
    for bad in (
        TEXT,
        b"",
        secrets.token_bytes(1_400),
        honest[:-1],
        two,
        pyrage.encrypt(TEXT, [IDENTITY.to_public()]),
        by_a_word(),
        header + b"\n--- mac\n" + b"a name, " * 132,
        header.replace(b"X25519 ", b"X25519 " + b"a name, " * 200) + honest[len(header) :],
    ):
        with nothing_written(house.session), pytest.raises(NotASealedBox):
            put(house, batch, bad or b"-")


@pytest.mark.parametrize("days", [-1, 61])
def test_a_last_day_that_has_passed_or_is_far_is_refused(house: House, batch: Batch, days: int) -> None:
    with nothing_written(house.session), pytest.raises(BadList):
        put(house, batch, expires_on=TODAY + timedelta(days=days))


def test_a_list_is_of_a_released_batch_of_an_agent_with_a_key(house: House, agent: Agent) -> None:
    give(house.session, byn("3240.00"))
    keyless = an_agent(house)
    found = [house.a_verified_case() for _ in range(3)]
    locked = a_locked_batch(house, agent, LEAF, found[:1])
    of_bank = a_released_batch(house, None, LEAF, found[1:2])
    without = a_released_batch(house, keyless, LEAF, found[2:])

    for one, error in ((locked, BatchNotReady), (of_bank, BatchNotReady), (without, NoListKey)):
        with nothing_written(house.session), pytest.raises(error):
            put(house, one)
    with pytest.raises(NoList):
        agents_lists.hand_out(house.session, without.alias, on=TODAY)


def test_nothing_is_handed_to_a_frozen_agent_and_a_compromised_ones_lists_are_removed(
    house: House, agent: Agent, batch: Batch
) -> None:
    put(house, batch)
    agents.freeze(house.session, agent, by=house.fund.clara.alias, on=TODAY)

    with pytest.raises(AgentNotActive):
        agents_lists.hand_out(house.session, batch.alias, on=TODAY)
    assert agents_lists.remove_of(house.session, agent, on=TODAY) == 1
    (kept,) = agents_lists.of_agent(house.session, agent.alias)
    assert kept.sealed is None


def late(house: House) -> list[OpenException]:
    return [one for one in exceptions.listed(house.session) if one.difference is Difference.LATE_RESULT]


def test_a_result_after_the_last_day_is_booked_and_an_exception(house: House, batch: Batch) -> None:
    put(house, batch, expires_on=TODAY)
    (item,) = items(house, batch)

    enter(house, batch, verified(item), at=NOW + timedelta(days=1))

    assert batches.require(house.session, batch.alias).state is batches.State.RECONCILED
    (opened,) = late(house)
    assert opened.amount() is None


def test_a_result_on_the_last_day_is_none(house: House, batch: Batch) -> None:
    put(house, batch, expires_on=TODAY)
    (item,) = items(house, batch)

    enter(house, batch, verified(item))

    assert late(house) == []


# --- courts


@pytest.mark.parametrize(
    "key",
    ["age1", KEY.upper(), KEY[:-1] + "b", "AGE-SECRET-KEY-1" + "Q" * 58, KEY + "\n"],
    ids=["its beginning", "in capitals", "with another end", "a secret one", "with a line's end"],
)
def test_a_key_for_lists_is_an_age_public_key(house: House, key: str) -> None:
    with nothing_written(house.session), pytest.raises(BadAgent):
        a_vetted_agent(house, list_key=key)


@pytest.mark.place("verified_cases")
def test_a_list_tells_of_no_more_courts_than_agreed(house: House) -> None:
    give_euros(house)
    give(house.session, byn("3240.00"))
    agent = an_agent(house, cap_courts=1)
    found = [house.a_verified_case() for _ in range(4)]
    over = a_locked_batch(house, agent, LEAF, found[:2], courts=[COURT, OTHER_COURT])
    within = a_locked_batch(house, agent, LEAF, found[2:], courts=[COURT, COURT])

    with nothing_written(house.session), pytest.raises(OverCap) as refusal:
        approve(house, over)

    assert (refusal.value.data["courts"], refusal.value.data["cap_courts"]) == (2, 1)
    assert approve(house, within).state is batches.State.APPROVED


@pytest.mark.place("verified_cases")
def test_lists_together_tell_of_no_more_courts_than_agreed_however_they_are_cut(house: House) -> None:
    give_euros(house)
    give(house.session, byn("3240.00"))
    agent = an_agent(house, cap_courts=1)
    found = [house.a_verified_case() for _ in range(3)]
    first, same, other = (
        a_locked_batch(house, agent, LEAF, [case], courts=[court])
        for case, court in zip(found, (COURT, COURT, OTHER_COURT), strict=True)
    )
    approve(house, first)

    with nothing_written(house.session), pytest.raises(OverCap) as refusal:
        approve(house, other)

    assert refusal.value.data["courts"] == 2
    assert approve(house, same).state is batches.State.APPROVED


@pytest.mark.place("verified_cases")
def test_a_court_that_is_not_counted_is_refused_where_they_are(house: House) -> None:
    give_euros(house)
    agent = an_agent(house, cap_courts=1)

    with pytest.raises(BadBatch):
        a_locked_batch(house, agent, LEAF, [house.a_verified_case()])


@pytest.mark.place("verified_cases")
def test_two_lists_at_once_do_not_both_find_the_same_room(house: House) -> None:
    give_euros(house)
    give(house.session, byn("1620.00"))
    agent = an_agent(house, cap=eur("5000.00"), cap_lines=1)
    drafts = [a_locked_batch(house, agent, LEAF, [house.a_verified_case()]).alias for _ in range(2)]

    def approve_one(alias: str, session: Session) -> Batch:
        return approve(house.in_another(session), batches.require(session, alias))

    answers = race(house.session, *(partial(approve_one, alias) for alias in drafts))

    assert sorted(type(answer).__name__ for answer in answers) == ["Batch", "OverCap"]
