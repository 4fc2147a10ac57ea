"""Erasure from the operator's side: who is due, asking, and agreeing."""

from typing import Any

from api.client import persons
from api.client.desk import Desk
from ledger.aliases import Kind, kind_of
from ledger.errors import NotFound
from ledger.identities.erasure import State, commitment
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
    """Asks that whoever has this alias be erased; another person agrees.

    Who was signed to go by other aliases too is to be erased under each of them: it is asked for all.
    """
    asked = {one["shelf"] for one in listed(desk)} if len(person := _person(desk, shelf)) > 1 else set()
    for other in sorted({*person} - {shelf} - asked):
        _request(desk, other, reason=reason)
    return _request(desk, shelf, reason=reason)


def _request(desk: Desk, shelf: str, *, reason: Reason) -> dict[str, Any]:
    agreed = desk.agree("request_erasure", shelf, version=1, evidence=[commitment(shelf, reason)])
    body = {"shelf": shelf, "reason": reason, "agreed": agreed}
    answer: dict[str, Any] = desk.api.post("/v1/erasures", body, key=f"erasure:{shelf}")
    return answer


def agree(desk: Desk, shelf: str) -> dict[str, Any]:
    """Agrees to what was asked, for the reason that is shown; the keys are deleted, under every alias of the person.

    Raises:
        NothingAsked: see there.
    """
    asked = {one["shelf"]: one for one in listed(desk)}
    if shelf not in asked:
        raise NothingAsked("nobody has asked for this erasure")
    for other in _person(desk, shelf):
        if other != shelf and other in asked and asked[other]["state"] == State.REQUESTED:
            _agree(desk, other, Reason(asked[other]["reason"]))
    return _agree(desk, shelf, Reason(asked[shelf]["reason"]))


def _person(desk: Desk, shelf: str) -> list[str]:
    """All aliases of the person; a donor's or a statement's shelf is one by itself."""
    return persons.aliases_of(desk, shelf) if kind_of(shelf) is Kind.BENEFICIARY else [shelf]


def _agree(desk: Desk, shelf: str, reason: Reason) -> dict[str, Any]:
    evidence = [commitment(shelf, reason)]
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
