"""Erasure from the operator's side: who is due, asking, and agreeing."""

from typing import Any

from api.client.desk import Desk
from ledger.errors import NotFound
from ledger.identities.erasure import commitment
from ledger.identities.erasure_list import Reason

_PAGE = 500


class NothingAsked(NotFound):
    """Nobody has asked for the erasure of this alias."""

    rule = "nothing_asked"


def due(desk: Desk) -> list[dict[str, Any]]:
    """Who need not be kept any longer: `shelf` and `since`."""
    return _pages(desk, "/v1/retention", "due")


def listed(desk: Desk) -> list[dict[str, Any]]:
    """Every erasure that was asked for, and where it stands."""
    return _pages(desk, "/v1/erasures", "erasures")


def request(desk: Desk, shelf: str, *, reason: Reason) -> dict[str, Any]:
    """Asks that whoever has this alias be erased; another person agrees."""
    agreed = desk.agree("request_erasure", shelf, version=1, evidence=[commitment(shelf, reason)])
    body = {"shelf": shelf, "reason": reason, "agreed": agreed}
    answer: dict[str, Any] = desk.api.post("/v1/erasures", body, key=f"erasure:{shelf}")
    return answer


def agree(desk: Desk, shelf: str) -> dict[str, Any]:
    """Agrees to what was asked, for the reason that is shown; the keys are deleted.

    Raises:
        NothingAsked: see there.
    """
    asked = [one for one in listed(desk) if one["shelf"] == shelf]
    if not asked:
        raise NothingAsked("nobody has asked for this erasure")
    evidence = [commitment(shelf, Reason(asked[0]["reason"]))]
    body = {"agreed": desk.agree("agree_erasure", shelf, version=1, evidence=evidence)}
    answer: dict[str, Any] = desk.api.post(f"/v1/erasures/{shelf}/agree", body, key=f"erase:{shelf}")
    return answer


def _pages(desk: Desk, path: str, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        page = desk.api.get(path, after=found[-1]["shelf"] if found else None, limit=_PAGE)[name]
        found += page
        if len(page) < _PAGE:
            return found
