"""Months from the treasurer's side: looked at, and closed by a signed act."""

from typing import Any

from api.client.desk import Desk
from ledger import closing


def close(desk: Desk, month: str) -> dict[str, Any]:
    """Closes a month such as `2020-10` for good.

    Raises:
        ApiRefusal, ApiUnreachable: see there.
    """
    agreed = desk.agree("close_period", month, version=closing.VERSION)
    answer: dict[str, Any] = desk.api.post(f"/v1/periods/{month}/close", {"agreed": agreed}, key=f"close:{month}")
    return answer


def listed(desk: Desk) -> list[dict[str, Any]]:
    """Every month from the first in which something was booked until this one."""
    answer: list[dict[str, Any]] = desk.api.get("/v1/periods")["periods"]
    return answer
