"""Ledgers of a case or a beneficiary, read page by page."""

from collections.abc import Iterator
from typing import Any

from api.client.desk import Desk


def path_of(*, case: str | None, beneficiary: str | None) -> str:
    """Where the ledger of the one or of the other is read."""
    return f"/v1/cases/{case}/ledger" if case else f"/v1/beneficiaries/{beneficiary}/ledger"


def rows(desk: Desk, path: str, *, as_known_at: str | None = None) -> Iterator[dict[str, Any]]:
    """All rows, oldest day first."""
    cursor: str | None = None
    while True:
        page = desk.api.get(path, as_known_at=as_known_at, cursor=cursor)
        yield from page["rows"]
        cursor = page["next"]
        if cursor is None:
            return


def as_csv(desk: Desk, path: str, *, as_known_at: str | None = None) -> bytes:
    """The whole ledger as a table."""
    return desk.api.download(f"{path}.csv", as_known_at=as_known_at)
