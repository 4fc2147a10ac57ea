from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import select

from ledger.aid import cases, intake
from ledger.aid.intake import BadRow, Row
from ledger.aliases import AliasTaken
from ledger.errors import BadInput
from ledger.identities import shelves
from ledger.identities.boxes import BadDigest, NotASealedBox
from ledger.identities.shelves import ROW, ShelfNotSigned, UnknownVault
from tests.cast import NOW, House, Person, a_row, byn, everything, nothing_written, one_after_the_other, race

NAME = "Kanareika Invented-Person"


def count(house: House, *tables: str) -> list[int]:
    rows = everything(house.session)
    return [len(rows[table]) for table in tables]


def receiving(house: House, rows: Sequence[Row]) -> Callable[[Any], None]:
    return lambda own: intake.receive_all(
        own, rows, entered_by=house.fund.ana.operator, recorded_at=NOW, shred_keys=house.shred_keys
    )


def receive(house: House, rows: Sequence[Row]) -> None:
    receiving(house, rows)(house.session)


def some_rows(house: House, many: int = 3) -> list[Row]:
    return [a_row(house.fund) for _ in range(many)]


def sealed_anew(house: House) -> list[Row]:
    """Two rows that are the same whenever they are sealed."""
    return [a_row(house.fund, name=f"{NAME} {nth}", ruling_number=f"5-{nth}") for nth in range(2)]


def test_many_rows_are_as_many_cases(house: House) -> None:
    rows = some_rows(house)

    receive(house, rows)

    assert {row.case for row in rows} == {
        case.alias for case in cases.page(house.session, state=None, after="", limit=9)
    }
    assert count(house, "beneficiary", "shelf", "person_key", "aid_case", "ruling", "obligation") == [3] * 6
    assert count(house, "box", "token") == [6, 9]


def test_rows_that_came_before_are_passed_over_and_the_others_entered(house: House) -> None:
    receive(house, sealed_anew(house))

    receive(house, [*some_rows(house, 1), *sealed_anew(house), *some_rows(house, 1)])

    assert count(house, "aid_case", "token") == [4, 12]


def test_one_row_twice_in_a_request_is_one_case(house: House) -> None:
    receive(house, [*sealed_anew(house), *sealed_anew(house)])

    assert count(house, "beneficiary", "shelf", "aid_case", "box", "token") == [2, 2, 2, 4, 6]


def test_no_rows_write_nothing(house: House) -> None:
    with nothing_written(house.session):
        receive(house, [])


def test_possible_duplicates_are_found_within_a_request_and_before_it(house: House) -> None:
    before, one, other, stranger = (a_row(house.fund, ruling_number=f"5-{nth}") for nth in (1, 1, 1, 2))
    house.receive(before)

    receive(house, [one, stranger, other])

    suspects = {case.alias for case in cases.page(house.session, state=None, after="", limit=9) if case.is_suspect}
    assert suspects == {before.case, one.case, other.case}
    assert intake.possible_duplicates(house.session, one.case) == sorted([before.case, other.case])


def test_tokens_of_an_older_epoch_are_followed_within_a_request(house: House) -> None:
    """As one after the other: whoever carries the older one gets the newer one, and the later row meets both."""
    told = {
        "C-1": [(1, "ruling", "a" * 64)],
        "C-2": [(1, "ruling", "a" * 64), (2, "ruling", "b" * 64)],
        "C-3": [(2, "ruling", "b" * 64), (3, "ruling", "c" * 64)],
        "C-4": [(3, "ruling", "d" * 64)],
    }

    shelves.note_tokens_of_many(house.session, told)

    kept = sorted((token.alias, token.value[0], token.epoch) for token in house.session.exec(select(shelves.Token)))
    assert kept == [
        ("C-1", "a", 1),
        ("C-1", "b", 2),
        ("C-1", "c", 3),
        ("C-2", "b", 2),
        ("C-2", "c", 3),
        ("C-3", "c", 3),
        ("C-4", "d", 3),
    ]
    assert shelves.sharing_with_any(house.session, ["C-3", "C-4"], field="ruling") == {"C-1", "C-2", "C-3"}


# --- refusals


SPOILS: dict[str, tuple[Callable[[Row], Row], type[BadInput]]] = {
    "an amount of nothing": (lambda row: replace(row, amount=byn("0.00")), BadRow),
    "a vault's epoch that is not yet": (lambda row: replace(row, shelf=replace(row.shelf, epoch=2)), BadRow),
    "a box that is none": (
        lambda row: replace(row, boxes=[replace(row.boxes[0], data=b"1"), row.boxes[1]]),
        NotASealedBox,
    ),
    "a commitment that is none": (
        lambda row: replace(row, boxes=[row.boxes[0], replace(row.boxes[1], commitment=NAME)]),
        BadDigest,
    ),
    "a token that is none": (lambda row: replace(row, tokens=[*row.tokens[:2], (1, intake.RULING, NAME)]), BadDigest),
    "a vault of nobody": (
        lambda row: replace(
            row,
            shelf=replace(row.shelf, epoch=7),
            tokens=[(7, field, value) for _, field, value in row.tokens],
        ),
        UnknownVault,
    ),
}


@pytest.mark.parametrize("spoil", SPOILS)
def test_one_bad_row_refuses_its_whole_request_and_its_line_is_told(house: House, spoil: str) -> None:
    change, kind = SPOILS[spoil]
    rows = some_rows(house)

    with nothing_written(house.session), pytest.raises(kind) as refusal:
        receive(house, [rows[0], change(rows[1]), change(rows[2])])

    assert refusal.value.data["line"] == 2


@pytest.mark.parametrize("taken", ["beneficiary", "case", "ruling", "obligation"])
@pytest.mark.parametrize("by", ["a row before", "a row of the request"])
def test_one_taken_alias_refuses_its_whole_request(house: House, taken: str, by: str) -> None:
    standing, first, other = some_rows(house)
    clash = with_alias_of(standing, other, taken)
    if by == "a row before":
        house.receive(standing)
    request = [first, clash] if by == "a row before" else [first, standing, clash]

    with nothing_written(house.session), pytest.raises((AliasTaken, ShelfNotSigned)):
        receive(house, request)


def with_alias_of(standing: Row, row: Row, taken: str) -> Row:
    alias = getattr(standing, taken)
    row = replace(row, **{taken: alias})
    if taken == "ruling":
        row = replace(row, boxes=[row.boxes[0], replace(row.boxes[1], alias=alias)])
    if taken == "beneficiary":
        row = replace(row, shelf=standing.shelf, boxes=[replace(row.boxes[0], alias=alias), row.boxes[1]])
    return row


def test_one_row_that_somebody_else_sealed_refuses_its_whole_request(house: House, boris: Person) -> None:
    rows = [*some_rows(house, 2), a_row(house.fund, by=boris)]

    with nothing_written(house.session), pytest.raises(ShelfNotSigned):
        receive(house, rows)


# --- at once


def test_the_same_rows_sent_at_once_in_another_order_are_entered_once(house: House) -> None:
    one, other = sealed_anew(house), [*reversed(sealed_anew(house)), *some_rows(house, 1)]

    answers = race(house.session, receiving(house, one), receiving(house, other))

    assert answers == [None, None]
    assert count(house, "beneficiary", "shelf", "aid_case", "box", "token") == [3, 3, 3, 6, 9]


def test_rows_that_another_was_sending_are_passed_over_and_the_others_entered(house: House) -> None:
    first, second = sealed_anew(house), [*sealed_anew(house), *some_rows(house, 1)]
    (token,) = [value for _, field, value in first[0].tokens if field == ROW]

    answers = one_after_the_other(
        house.session,
        receiving(house, first),
        look=lambda own: shelves.aliases_with(own, field=ROW, value=token),
        then=receiving(house, second),
    )

    assert answers == [None, None]
    assert count(house, "beneficiary", "shelf", "person_key", "aid_case", "box") == [3, 3, 3, 3, 6]
