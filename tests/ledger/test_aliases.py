import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.aliases import BadAlias, Kind, check, draw, kind_of

kinds = st.sampled_from(Kind)


@given(kinds)
def test_a_drawn_alias_is_one_of_its_kind(kind: Kind) -> None:
    alias = draw(kind)

    assert check(alias, kind) == alias
    assert kind_of(alias) is kind


@given(kinds, kinds)
def test_an_alias_of_one_kind_is_none_of_another(kind: Kind, other: Kind) -> None:
    alias = draw(kind)

    if kind is other:
        return
    with pytest.raises(BadAlias):
        check(alias, other)


def test_aliases_do_not_repeat() -> None:
    drawn = {draw(Kind.CASE) for _ in range(1_000)}

    assert len(drawn) == 1_000


def test_an_alias_has_no_letter_that_is_read_as_a_digit() -> None:
    letters = {letter for _ in range(200) for letter in draw(Kind.BENEFICIARY).partition("-")[2]}

    assert letters == set("0123456789ABCDEFGHJKMNPQRSTVWXYZ-")


@pytest.mark.parametrize(
    "text",
    [
        *("", "B", "B-", "7K3M-Q2XD-9F4T", "B7K3M-Q2XD-9F4T", "B-7K3M-Q2XD", "B-7K3M-Q2XD-9F4T-0000", "B-7K3MQ2XD9F4T"),
        *("b-7K3M-Q2XD-9F4T", "B-7k3m-q2xd-9f4t", "B-7K3I-Q2XD-9F4T", "B-7K3L-Q2XD-9F4T", "B-7K3O-Q2XD-9F4T"),
        *(" B-7K3M-Q2XD-9F4T", "B-7K3M-Q2XD-9F4T\n", "B-7K3M-Q2XD-9F4T ", "B-\uff17K3M-Q2XD-9F4T", "B-Invented Person"),
        *("I-7K3M-Q2XD-9F4T", "OPB-7K3M-Q2XD-9F4T", "--7K3M-Q2XD-9F4T", "\ud800-7K3M-Q2XD-9F4T"),
    ],
)
def test_what_is_no_alias_is_refused_and_not_repeated(text: str) -> None:
    assert kind_of(text) is None

    with pytest.raises(BadAlias) as refusal:
        check(text, Kind.BENEFICIARY)

    assert str(refusal.value) == "not an alias of the kind beneficiary"
    assert refusal.value.data == {"where": "beneficiary"}


@given(st.text(max_size=25))
def test_free_text_is_no_alias(text: str) -> None:
    assert kind_of(text) is None
