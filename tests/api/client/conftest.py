"""What a client does is tried on SQLite: it sees the API and no database, and what the API keeps is tried on both."""

import pytest


@pytest.fixture(params=["sqlite"])
def database_url(database_url: str) -> str:
    return database_url
