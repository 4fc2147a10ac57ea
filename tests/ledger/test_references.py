import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.references import draw, found_in, is_reference

references = st.builds(draw)
without_references = st.text(alphabet="abcdeghijkABCDEGHIJK ,.:0123456789", max_size=40)  # no R, no F


@given(references)
def test_a_drawn_reference_is_valid_and_has_no_letter_that_is_read_as_a_digit(reference: str) -> None:
    assert is_reference(reference)
    assert re.fullmatch(r"RF\d\d[0-9A-HJ-NP-Z]{16}", reference)


def test_references_do_not_repeat() -> None:
    assert len({draw() for _ in range(1_000)}) == 1_000


@pytest.mark.parametrize("reference", ["RF18539007547034", "RF332348236", "RF18000000000539007547034"])
def test_references_of_others_are_valid_too(reference: str) -> None:
    assert is_reference(reference)


@given(references, st.integers(4, 19), st.sampled_from("0123456789"), st.sampled_from("ABCDEFGHJKLMNPQRSTUVWXYZ"))
def test_one_wrong_digit_or_letter_is_found(reference: str, at: int, digit: str, letter: str) -> None:
    wrong = reference[:at] + (digit if reference[at].isdigit() else letter) + reference[at + 1 :]

    assert is_reference(wrong) == (wrong == reference)


@given(references, st.integers(4, 18))
def test_two_swapped_digits_or_letters_are_found(reference: str, at: int) -> None:
    one, other = reference[at], reference[at + 1]
    if one.isdigit() != other.isdigit():
        return  # a letter counts as two digits: a letter and a digit may change places unseen
    swapped = reference[:at] + other + one + reference[at + 2 :]

    assert is_reference(swapped) == (swapped == reference)


@pytest.mark.parametrize(
    "text",
    [
        *("", "RF", "RF18", "RF19539007547034", "rf18539007547034", "RF18 5390 0754 7034", "RF18539007547034\n"),
        *("DE18539007547034", "RF185390075470340000000000000", "RF\uff11\uff18539007547034", "RF1853900754703\u0664"),
    ],
)
def test_what_is_no_reference_is_told(text: str) -> None:
    assert not is_reference(text)


@pytest.mark.parametrize(("other", "right"), [("RF0072", "RF9772"), ("RF0154", "RF9854"), ("RF991X", "RF021X")])
def test_check_digits_that_only_divide_alike_are_refused(other: str, right: str) -> None:
    assert is_reference(right)
    assert not is_reference(other)


@given(references, without_references, without_references)
def test_a_reference_is_found_in_what_stands_around_it(reference: str, before: str, after: str) -> None:
    assert found_in(f"{before} {reference} {after}") == reference


@given(references, st.sampled_from([" ", "  ", "\n", "/", "\u00a0", "\t"]), st.integers(1, 19))
def test_a_reference_is_found_when_the_bank_cut_it(reference: str, gap: str, size: int) -> None:
    groups = [reference[at : at + size] for at in range(0, len(reference), size)]

    assert found_in(gap.join(groups).lower()) == reference


@given(references, references)
def test_two_references_are_none(one: str, other: str) -> None:
    assert found_in(f"{one} {other}") is None


@given(references)
def test_one_reference_named_twice_is_one(reference: str) -> None:
    assert found_in(f"{reference} {reference}") == reference


@pytest.mark.parametrize(
    "text", ["", "for the fund", "RF", "RF18 5390", "RF00 0000 0000 0000 0000", "\ud800RF18\u0130"]
)
def test_no_reference_is_none(text: str) -> None:
    assert found_in(text) is None
