"""Matching from the treasurer's side: proposals, and the acts by which lines are matched and matches undone."""

from collections.abc import Sequence
from typing import Any

from api.client.desk import Desk
from ledger.aliases import Kind, draw
from ledger.money import Money
from ledger.reconciliation import matchings
from ledger.reconciliation.matchings import UnknownPairing
from ledger.reconciliation.pairings import Undone


def listed(desk: Desk) -> dict[str, list[dict[str, Any]]]:
    """`proposals` for open lines, and `pairings`: all that was matched."""
    found: dict[str, list[dict[str, Any]]] = desk.api.get("/v1/reconciliations/proposals")
    return found


def match(desk: Desk, *, lines: Sequence[str], entries: Sequence[int]) -> dict[str, Any]:
    """Signs which lines of the bank are which entries."""
    alias = draw(Kind.PAIRING)
    agreed = desk.agree(
        "match_lines",
        alias,
        version=1,
        amount=_moved(desk, lines),
        payee_commitment=matchings.commitment(lines=lines, entries=entries),
    )
    body = {"lines": list(lines), "entries": list(entries), "agreed": agreed}
    answer: dict[str, Any] = desk.api.post(f"/v1/reconciliations/{alias}/match", body, key=f"match:{alias}")
    return answer


def unmatch(desk: Desk, alias: str, *, because: Undone) -> dict[str, Any]:
    """Signs that a match is none.

    Raises:
        UnknownPairing: none with this alias stands.
    """
    standing = [one for one in listed(desk)["pairings"] if one["alias"] == alias and one["undone_by"] is None]
    if not standing:
        raise UnknownPairing("no pairing with this alias stands")
    (made,) = standing
    agreed = desk.agree(
        "unmatch_lines",
        alias,
        version=1,
        detail=because,
        amount=_moved(desk, made["lines"]),
        payee_commitment=matchings.commitment(lines=made["lines"], entries=made["entries"]),
    )
    body = {"because": because, "agreed": agreed}
    answer: dict[str, Any] = desk.api.post(f"/v1/reconciliations/{alias}/unmatch", body, key=f"unmatch:{alias}")
    return answer


def _moved(desk: Desk, lines: Sequence[str]) -> Money:
    """All that lines moved, whichever way: their keys tell leaf, day and minor units."""
    leaf = lines[0].removeprefix("bank:").rsplit(":", 3)[0] if lines else ""
    known = {one["code"]: one["currency"] for one in desk.api.get("/v1/accounts")["accounts"]}
    return Money(sum(abs(int(line.rsplit(":", 2)[1])) for line in lines), str(known.get(leaf) or ""))
