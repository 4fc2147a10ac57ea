"""Contents of boxes: what our client seals is read, and everything else is one refusal."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.client import case_imports, contents
from api.client.contents import Content
from api.client.sealing import CannotOpen
from tests.papers import a_list_row

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
CONTENTS = Content.__subclasses__() + contents.Owed.__subclasses__()


@given(st.sampled_from(CONTENTS), st.one_of(ANY_JSON.map(json.dumps).map(str.encode), st.binary(max_size=50)))
def test_a_content_is_read_or_cannot_be_opened(content: type[Content], plaintext: bytes) -> None:
    with suppress(CannotOpen):  # and nothing else
        assert isinstance(contents.read(content, plaintext), content)


def test_nesting_without_end_is_refused() -> None:
    with pytest.raises(CannotOpen):
        contents.read(contents.Person, b'{"name":' * 100_000)


def test_what_a_row_says_is_what_its_box_says_when_it_is_read() -> None:
    for row in (a_list_row(), a_list_row(detained_days=3, part=None)):
        details, identity = case_imports.details_of(row), case_imports.identity_of(row)

        read = [contents.read(contents.Ruled, json.dumps(details).encode())]
        assert [one.model_dump(mode="json", exclude_unset=True) for one in read] == [details]
        assert contents.read(contents.Person, json.dumps(identity).encode()).model_dump() == identity
