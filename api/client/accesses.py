"""The log of readings from the auditor's side."""

from datetime import date
from typing import Any

from api.client.desk import Desk

A_PAGE = 1000


def listed(
    desk: Desk, *, operator: str | None = None, shelf: str | None = None, on: date | None = None, most: int
) -> list[dict[str, Any]]:
    """Up to `most` readings, the newest first: of one operator, one shelf, one day (UTC) if told."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while len(found) < most:
        page = desk.api.get(
            "/v1/access-log",
            operator=operator,
            shelf=shelf,
            on=on.isoformat() if on else None,
            cursor=cursor,
            limit=min(A_PAGE, most - len(found)),
        )
        found += page["accesses"]
        cursor = page["next"]
        if cursor is None:
            break
    return found
