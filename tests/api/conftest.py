"""A founded book with what it needs for the card processor, on both databases; and no logs to a stream that is gone."""

from collections.abc import Iterator

import pytest
import structlog
from sqlmodel import Session

from tests import cards


@pytest.fixture
def till(founded: Session) -> Session:
    """Leaves in EUR and USD at the processor and in transit, and three purposes: see `tests/cards.py`."""
    return cards.furnish(founded)


@pytest.fixture(autouse=True)
def _logs_of_their_own() -> Iterator[None]:
    """A command sends the lines of its process to the stream it has, which is closed when its test is over."""
    yield
    structlog.reset_defaults()
