"""One office a test, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.office import Office, open_office


@pytest.fixture
def office(engine: Engine, tmp_path: Path) -> Iterator[Office]:
    """A founded book with nothing in it, and its people: see `tests/office.py`."""
    with open_office(engine, tmp_path) as opened:
        yield opened
