"""What others write as JSON is read exactly, or refused without a word of it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api import json_texts
from api.json_texts import NotJson

TEXT = st.text(st.characters(codec="utf-8"))
VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | TEXT,
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(TEXT, parts),
    max_leaves=6,
)


@settings(max_examples=50, deadline=None)
@given(value=VALUES)
def test_what_is_written_comes_back(value: Any) -> None:
    assert json_texts.read(json.dumps(value)) == value
    assert json_texts.read(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "kanarejka",
        "NaN",
        "[-Infinity]",
        '{"kanarejka": 1e400}',
        '{"kanarejka": 1, "kanarejka": 1}',
        '[{"a": {"b": 1, "\\u0062": 2}}]',
        '["\\ud800"]',
        '{"\\udead": 1}',
        "[" * 100_000,
        "1" * 5_000,
        b"\xff",
        b'["\xed\xa0\x80"]',
    ],
)
def test_what_does_not_say_one_thing_is_refused(text: str | bytes) -> None:
    with pytest.raises(NotJson) as refusal:
        json_texts.read(text)

    assert "kanarejka" not in repr((refusal.value, refusal.value.data))


def test_numbers_stay_the_digits_they_are() -> None:
    read = json_texts.read("[1.10, 1e400, -0, 9007199254740993]", numbers_as_text=True)

    assert read == ["1.10", "1e400", "-0", "9007199254740993"]
