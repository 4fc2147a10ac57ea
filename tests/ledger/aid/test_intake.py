from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from api.client import sealing
from ledger.aid import beneficiaries, cases, intake, jurisdictions, obligations, rulings
from ledger.aid.eligibility import Bounds, Rejection
from ledger.aid.intake import BadRow, Row
from ledger.aid.obligations import ObligationKind
from ledger.aliases import AliasTaken, BadAlias
from ledger.identities import shelves
from ledger.identities.boxes import BadDigest, NotASealedBox
from ledger.identities.shelves import ROW, ShelfNotSigned
from tests.cast import (
    FOUNDED_AT,
    NOW,
    House,
    Person,
    a_row,
    byn,
    eur,
    everything,
    nothing_written,
    one_after_the_other,
    race,
)

NAME = "Kanareika Invented-Person"


def count(house: House, *tables: str) -> list[int]:
    rows = everything(house.session)
    return [len(rows[table]) for table in tables]


def test_a_row_becomes_beneficiary_case_ruling_and_obligation(house: House, ana: Person) -> None:
    row = a_row(house.fund, kind=ObligationKind.DETENTION, amount=byn("202.50"), issued_on=date(2020, 9, 28))

    case = house.receive(row, at=FOUNDED_AT)

    assert (case.beneficiary_alias, case.jurisdiction, case.entered_by) == (row.beneficiary, "by", ana.alias)
    assert (case.state, case.version, case.received_on) == (cases.State.RECEIVED, 1, FOUNDED_AT.date())
    (ruling,) = rulings.of_case(house.session, case.alias)
    assert (ruling.alias, ruling.article, ruling.region) == (row.ruling, "23.34", "minsk_city")
    assert (ruling.ruled_by, ruling.payable_from, ruling.due_by) == (
        date(2020, 10, 4),
        date(2020, 10, 11),
        date(2020, 11, 2),
    )
    obligation = house.obligation_of(case)
    assert (obligation.alias, obligation.ruling_alias) == (row.obligation, row.ruling)
    assert (obligation.kind, obligation.amount()) == (ObligationKind.DETENTION, byn("202.50"))
    assert obligation.state is obligations.State.DUE


def test_neither_name_nor_ruling_nor_exact_dates_are_in_the_database(house: House) -> None:
    house.receive(a_row(house.fund, name=NAME, ruling_number="Invented ruling 5-77", issued_on=date(2020, 9, 29)))

    stored = repr(everything(house.session))

    assert not [word for word in (*NAME.split(), "5-77", "2020-09-29", "2020, 9, 29") if word in stored]


def test_a_row_rejected_by_its_facts_is_a_rejected_case(house: House) -> None:
    case = house.receive(a_row(house.fund, rejection=Rejection.NO_RULING))

    assert (case.state, case.rejection) == (cases.State.REJECTED, Rejection.NO_RULING)


# --- once


def test_the_same_bytes_again_change_nothing(house: House) -> None:
    row = a_row(house.fund)
    house.receive(row)

    with nothing_written(house.session):
        house.receive(row, at=NOW)


def test_the_same_row_sealed_anew_makes_no_second_case(house: House) -> None:
    house.receive(a_row(house.fund, name=NAME, ruling_number="5-77"))

    with nothing_written(house.session):
        intake.receive(
            house.session,
            a_row(house.fund, name=NAME, ruling_number="5-77"),
            entered_by=house.fund.ana.operator,
            recorded_at=NOW,
            shred_keys=house.shred_keys,
        )


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_one_row_sent_at_once_by_several_is_one_case(house: House, at_once: int) -> None:
    rows = [a_row(house.fund, name=NAME, ruling_number="5-77") for _ in range(at_once)]

    answers = race(house.session, *[receiving(house, row) for row in rows])

    assert answers == [None] * at_once
    assert count(house, "beneficiary", "aid_case", "ruling", "obligation", "token") == [1, 1, 1, 1, 3]


def test_one_row_that_two_were_sending_is_one_case(house: House) -> None:
    first, second = (a_row(house.fund, name=NAME, ruling_number="5-77") for _ in range(2))
    (token,) = [value for _, field, value in first.tokens if field == ROW]

    answers = one_after_the_other(
        house.session,
        receiving(house, first),
        look=lambda own: shelves.aliases_with(own, field=ROW, value=token),
        then=receiving(house, second),
    )

    assert answers == [None, None]
    assert count(house, "beneficiary", "shelf", "person_key", "aid_case", "box") == [1, 1, 1, 1, 2]


def receiving(house: House, row: Row) -> Callable[[Any], None]:
    return lambda own: intake.receive(
        own, row, entered_by=house.fund.ana.operator, recorded_at=NOW, shred_keys=house.shred_keys
    )


# --- duplicates


def test_two_rows_about_one_ruling_are_possible_duplicates_of_each_other(house: House) -> None:
    one = house.receive(a_row(house.fund, name=NAME, ruling_number="5-77"))
    other = house.receive(a_row(house.fund, name="Kanareyka Invented-Person", ruling_number="5-77"))
    third = house.receive(a_row(house.fund, name=NAME, ruling_number="5-78"))

    assert intake.possible_duplicates(house.session, one.alias) == [other.alias]
    assert intake.possible_duplicates(house.session, other.alias) == [one.alias]
    assert intake.possible_duplicates(house.session, third.alias) == []


# --- refusals


def with_box(row: Row, place: int, **changes: Any) -> Row:
    boxes = list(row.boxes)
    boxes[place] = replace(boxes[place], **changes)
    return replace(row, boxes=boxes)


EXACT = Bounds(date(2020, 9, 28), date(2020, 10, 8), date(2020, 11, 8), force_presumed=True)
BY_SERVICE = Bounds(date(2020, 10, 4), date(2020, 10, 4), date(2020, 11, 2), force_presumed=True)
BACKWARDS = Bounds(date(2020, 10, 11), date(2020, 10, 4), date(2020, 11, 2), force_presumed=True)

SPOILS: dict[str, Callable[[Row], Row]] = {
    "amount: zero": lambda row: replace(row, amount=byn("0.00")),
    "amount: below zero": lambda row: replace(row, amount=byn("-810.00")),
    "amount: another currency": lambda row: replace(row, amount=eur("810.00")),
    "region: unknown": lambda row: replace(row, region="Invented street 5"),
    "bounds: exact": lambda row: replace(row, bounds=EXACT),
    "bounds: presumed in force, and payable before": lambda row: replace(row, bounds=BY_SERVICE),
    "bounds: in force before issued": lambda row: replace(row, bounds=BACKWARDS),
    "shelf: of somebody else": lambda row: replace(row, shelf=replace(row.shelf, alias="B-0000-0000-0001")),
    "shelf: in another vault": lambda row: replace(row, shelf=replace(row.shelf, vault="money")),
    "boxes: none": lambda row: replace(row, boxes=[]),
    "boxes: one missing": lambda row: replace(row, boxes=row.boxes[:1]),
    "boxes: one twice": lambda row: replace(row, boxes=[*row.boxes, row.boxes[0]]),
    "boxes: of another thing": lambda row: with_box(row, 0, alias="B-0000-0000-0001"),
    "boxes: of another kind": lambda row: with_box(row, 1, kind="evidence"),
    "boxes: of another field": lambda row: with_box(row, 1, field="number"),
    "boxes: not the first version": lambda row: with_box(row, 1, version=2),
    "tokens: none": lambda row: replace(row, tokens=[]),
    "tokens: one missing": lambda row: replace(row, tokens=row.tokens[1:]),
    "tokens: one twice": lambda row: replace(row, tokens=[*row.tokens, row.tokens[0]]),
    "tokens: of another field": lambda row: replace(row, tokens=[*row.tokens[:2], (1, "passport", "a" * 64)]),
}


@pytest.mark.parametrize("spoil", SPOILS)
def test_a_row_whose_parts_do_not_fit_is_refused_by_its_part(house: House, spoil: str) -> None:
    row = SPOILS[spoil](a_row(house.fund))

    with nothing_written(house.session), pytest.raises(BadRow) as refusal:
        house.receive(row)

    assert refusal.value.data == {"where": spoil.partition(":")[0], "line": 1}


UNSEALED: dict[str, tuple[Callable[[Row], Row], type[Exception]]] = {
    "a name in a box": (lambda row: with_box(row, 0, data=NAME.encode()), NotASealedBox),
    "a name as a commitment": (lambda row: with_box(row, 1, commitment=NAME), BadDigest),
    "a name as a token": (
        lambda row: replace(row, tokens=[*row.tokens[:1], (1, intake.PERSON, NAME), row.tokens[2]]),
        BadDigest,
    ),
    "a name as a row's token": (
        lambda row: replace(row, tokens=[(1, ROW, NAME), *row.tokens[1:]]),
        BadDigest,
    ),
    "a key that nobody drew": (lambda row: replace(row, shelf=replace(row.shelf, public=bytes(1216))), NotASealedBox),
    "another signature": (lambda row: replace(row, shelf=replace(row.shelf, signature="0" * 128)), ShelfNotSigned),
    "a case's alias that is none": (lambda row: replace(row, case=NAME), BadAlias),
    "a ruling's alias that is an obligation's": (
        lambda row: with_box(replace(row, ruling=row.obligation), 1, alias=row.obligation),
        BadAlias,
    ),
    "an obligation's alias that is none": (lambda row: replace(row, obligation=NAME), BadAlias),
    "an unknown jurisdiction": (lambda row: replace(row, jurisdiction=NAME), jurisdictions.UnknownJurisdiction),
}


@pytest.mark.parametrize("spoil", UNSEALED)
def test_what_is_not_sealed_signed_or_drawn_is_refused_and_not_told_back(house: House, spoil: str) -> None:
    change, kind = UNSEALED[spoil]

    with nothing_written(house.session), pytest.raises(kind) as refusal:
        house.receive(change(a_row(house.fund)))

    assert "Kanareika" not in f"{refusal.value} {vars(refusal.value)}"


@pytest.mark.parametrize("taken", ["case", "obligation", "ruling"])
def test_an_alias_that_names_something_already_is_refused_and_the_whole_row_with_it(house: House, taken: str) -> None:
    standing, row = a_row(house.fund), a_row(house.fund)
    house.receive(standing)
    alias = getattr(standing, taken)
    clash = replace(row, **{taken: alias})
    if taken == "ruling":
        clash = with_box(clash, 1, alias=alias)

    with nothing_written(house.session), pytest.raises(AliasTaken):
        house.receive(clash)


def test_a_beneficiarys_alias_is_taken_once(house: House) -> None:
    row = a_row(house.fund)
    beneficiaries.add(house.session, row.beneficiary, created_at=NOW)

    with nothing_written(house.session), pytest.raises(AliasTaken):
        house.receive(row)
    with nothing_written(house.session), pytest.raises(BadAlias):
        beneficiaries.add(house.session, row.case, created_at=NOW)


def test_somebody_else_than_who_sealed_a_row_does_not_enter_it(house: House, boris: Person) -> None:
    with nothing_written(house.session), pytest.raises(ShelfNotSigned):
        house.receive(a_row(house.fund), by=boris)


def test_what_is_sealed_at_intake_opens_with_the_vault(house: House) -> None:
    case = house.receive(a_row(house.fund, name=NAME))

    opened = house.open(case, by=house.fund.anton)
    seed = sealing.open_wrap(
        house.fund.vault, opened.wrap, alias=case.beneficiary_alias, public=opened.shelf.sealing_key
    )
    told = {
        box.field: sealing.open_box(seed, box.data, kind=box.kind, alias=box.alias, field=box.field)
        for box in opened.boxes
    }

    assert told["identity"].decode() == NAME
    assert set(told) == {"identity", "details"}
