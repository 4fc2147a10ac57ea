"""A collection of JSON that readers must take (`y_`), must refuse (`n_`), or may take either way (`i_`).

The files are not ours to ship; where they are absent, the tests say so.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from api import json_texts
from api.json_texts import NotJson
from tests.attempts import is_problem
from tests.office import Office, on_one_database

SUITE = Path(__file__).parents[2] / "../shared/data/hostile/nst+JSONTestSuite/test_parsing"
FILES = sorted(SUITE.glob("*.json"))

pytestmark = pytest.mark.skipif(not SUITE.is_dir(), reason="../shared/data, the collection of test files, is absent")


def numbers(told: Any) -> list[Any]:
    parts = told.values() if isinstance(told, dict) else told if isinstance(told, list) else None
    return [told] if parts is None else [number for part in parts for number in numbers(part)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_json_is_taken_or_refused_by_its_name(path: Path) -> None:
    """None is excepted. Of what may be taken either way, what is taken has every number as it is written."""
    data = path.read_bytes()
    if path.name.startswith("n_"):
        for as_text in (False, True):
            with pytest.raises(NotJson) as refusal:
                json_texts.read(data, numbers_as_text=as_text)
            assert set(refusal.value.data) == {"where"}
        return
    try:
        told = json_texts.read(data)
    except NotJson:
        assert path.name.startswith("i_")
        return
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    written = numbers(json_texts.read(data, numbers_as_text=True))
    assert all(number in data.decode(json.detect_encoding(data)) for number in written)


def test_all_three_kinds_are_there() -> None:
    kinds = [path.name[:2] for path in FILES]

    assert {kind: kinds.count(kind) for kind in kinds} == {"i_": 21, "n_": 81, "y_": 18}


@on_one_database
def test_as_bodies_of_the_api_all_are_refused_without_their_text(office: Office) -> None:
    """They are JSON at best, and never what the route asks for."""
    bearer = office.bearer("anna")
    headers = {"Content-Type": "application/json"}
    with office.nothing_written_but("bearer_key"):
        answers = [
            office.send("POST", "/v1/accounts", bearer=bearer, headers=headers, content=path.read_bytes())
            for path in FILES
        ]

    for answer in answers:
        assert is_problem(answer, answer.status_code)
        assert 400 <= answer.status_code < 500
        assert not {"error", "ctx", "input"} & set(answer.json())
