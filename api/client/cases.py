"""Cases from the operator's side: listed, told of, and which sum of one is meant."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

from api.client.desk import Desk
from api.client.http import ApiRefusal
from ledger.errors import BadInput

VAULT = "people"
TOLD = "told"
"""What became of a case whose beneficiary was told; otherwise the rule of the refusal."""
Progress = Callable[[int, int], None]
"""Called with how many are done, of how many."""


class WhichObligation(BadInput):
    """The case owes several sums and none is named, or the one that is named is of another case."""

    rule = "which_obligation"


def listed(desk: Desk, *, state: str | None = None) -> Iterator[dict[str, Any]]:
    """All cases in a state, page by page."""
    cursor: str | None = None
    while True:
        page = desk.api.get("/v1/cases", state=state, cursor=cursor)
        yield from page["cases"]
        cursor = page["next"]
        if cursor is None:
            return


def chosen(case: dict[str, Any], obligation: str | None) -> dict[str, Any]:
    """The obligation of a case that is named, or its only one: nobody takes the first of several.

    Raises:
        WhichObligation: several are owed and none is named, or none of this case is.
    """
    found = [one for one in case["obligations"] if obligation in {None, one["alias"]}]
    if len(found) != 1:
        raise WhichObligation(
            "tell which obligation of the case is meant", case=case["alias"], obligations=len(case["obligations"])
        )
    (one,) = found
    return dict(one)


def tell(desk: Desk, alias: str, *, told_on: date) -> dict[str, Any]:
    """Notes that the beneficiary of a case was told of all that is approved by now, once for each sum and day."""
    owed = desk.api.get(f"/v1/cases/{alias}")["obligations"]
    # A second sum that is approved on the same day is told of by another request.
    waiting = ":".join(sorted(one["alias"] for one in owed if one["state"] == "approved" and one["told_on"] is None))
    answer: dict[str, Any] = desk.api.post(
        f"/v1/cases/{alias}/told", {"told_on": told_on.isoformat()}, key=f"told:{alias}:{told_on}:{waiting}"
    )
    return answer


def tell_many(desk: Desk, aliases: Sequence[str], *, told_on: date) -> dict[str, str]:
    """As `tell` for many cases: what became of each, `told` or the rule by which it was refused.

    Raises:
        ApiUnreachable: see there.
    """
    answers: dict[str, str] = {}
    for alias in aliases:
        try:
            tell(desk, alias, told_on=told_on)
        except ApiRefusal as refusal:
            answers[alias] = refusal.rule
        else:
            answers[alias] = TOLD
    return answers


def untold(desk: Desk) -> Iterator[str]:
    """The cases of which something is approved that the beneficiary was not told of."""
    for listed_one in listed(desk, state="approved"):
        case = desk.api.get(f"/v1/cases/{listed_one['alias']}")
        if any(one["state"] == "approved" and one["told_on"] is None for one in case["obligations"]):
            yield case["alias"]
