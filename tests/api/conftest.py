"""A founded book with what it needs for the card processor, on both databases."""

import pytest
from sqlmodel import Session

from tests import cards


@pytest.fixture
def till(founded: Session) -> Session:
    """Leaves in EUR and USD at the processor and in transit, and three purposes: see `tests/cards.py`."""
    return cards.furnish(founded)
