from dataclasses import replace
from typing import Any

import pytest

from ledger.aid import cases, quashing, rulings, sequels
from ledger.aid.cases import Case, State
from ledger.aid.intake import BadRow
from ledger.aid.rulings import Ruling, UnknownRuling
from ledger.aid.sequels import AlreadyReplaced, NotQuashed, Sequel
from ledger.aliases import AliasTaken
from tests.cast import NOW, TODAY, House, byn, nothing_written
from tests.sequences import a_sequel

pytestmark = pytest.mark.place("verified_cases")


def ruling_of(house: House, case: Case) -> Ruling:
    (ruling,) = rulings.of_case(house.session, case.alias)
    return ruling


def a_quashed_case(house: House) -> Case:
    case = house.a_verified_case()
    quashing.quash(house.session, ruling_of(house, case), by="test", on=TODAY, recorded_at=NOW)
    house.session.commit()
    return case


def receive(house: House, case: Case, sequel: Sequel) -> Case:
    return sequels.receive(
        house.session,
        ruling_of(house, case).alias,
        sequel,
        of_case=case.alias,
        entered_by=house.fund.ana.alias,
        recorded_at=NOW,
    )


def test_a_new_ruling_is_a_new_case_of_the_same_person_that_goes_the_whole_way(house: House) -> None:
    old = a_quashed_case(house)

    new = receive(house, old, a_sequel(house, old))

    assert (old.state, new.state) == (State.CLOSED, State.RECEIVED)
    assert new.beneficiary_alias == old.beneficiary_alias
    assert house.verify(new, by=house.fund.anton).state is State.VERIFIED
    assert house.a_requested_payment(of=new).amount() == byn("405.00")


def test_the_chain_reads_the_same_from_every_ruling(house: House) -> None:
    first = a_quashed_case(house)
    second = receive(house, first, a_sequel(house, first))
    quashing.quash(house.session, ruling_of(house, second), by="test", on=TODAY, recorded_at=NOW)
    third = receive(house, second, a_sequel(house, second))

    chain = [ruling_of(house, case) for case in (first, second, third)]

    for case in (first, second, third):
        assert sequels.chain_of(house.session, case.alias) == chain
    assert [ruling.replaces for ruling in chain] == [None, chain[0].alias, chain[1].alias]


def test_nothing_follows_a_ruling_that_stands_or_one_that_is_followed(house: House) -> None:
    standing, quashed = house.a_verified_case(), a_quashed_case(house)
    with nothing_written(house.session), pytest.raises(NotQuashed):
        receive(house, standing, a_sequel(house, standing))
    receive(house, quashed, a_sequel(house, quashed))

    with nothing_written(house.session), pytest.raises(AlreadyReplaced):
        receive(house, quashed, a_sequel(house, quashed))


def test_a_ruling_of_another_case_is_unknown_here(house: House) -> None:
    one, other = a_quashed_case(house), a_quashed_case(house)

    with nothing_written(house.session), pytest.raises(UnknownRuling):
        sequels.receive(
            house.session,
            ruling_of(house, other).alias,
            a_sequel(house, one),
            of_case=one.alias,
            entered_by="test",
            recorded_at=NOW,
        )


def test_what_does_not_fit_is_refused_whole(house: House) -> None:
    case = a_quashed_case(house)
    good = a_sequel(house, case)
    wrong: list[tuple[dict[str, Any], type[Exception]]] = [
        ({"amount": byn("0.00")}, BadRow),
        ({"region": "atlantis"}, BadRow),
        ({"tokens": good.tokens[:1]}, BadRow),
        ({"details": replace(good.details, alias=ruling_of(house, case).alias)}, BadRow),
        ({"case": case.alias}, AliasTaken),
    ]

    for facts, refusal in wrong:
        with nothing_written(house.session), pytest.raises(refusal):
            receive(house, case, replace(good, **facts))


def test_a_ring_of_rulings_by_raw_hand_is_no_endless_walk(house: House) -> None:
    first = a_quashed_case(house)
    second = receive(house, first, a_sequel(house, first))
    ruling_of(house, first).replaces = ruling_of(house, second).alias
    house.session.flush()

    assert len(sequels.chain_of(house.session, first.alias)) == 2
    assert cases.require(house.session, second.alias).state is State.RECEIVED
