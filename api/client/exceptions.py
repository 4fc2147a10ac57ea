"""Exceptions from the operator's side: what waits, and what somebody says that it comes to."""

from typing import Any

from api.client import shelves
from api.client.case_evidence import EvidenceDiffers
from api.client.desk import Desk
from api.client.statements import VAULT
from ledger.aliases import Kind, draw
from ledger.exceptions import UnknownException
from ledger.money import Money
from ledger.reconciliation import clearings
from ledger.reconciliation.clearings import Because, UnknownClearing


def listed(desk: Desk) -> dict[str, list[dict[str, Any]]]:
    """`exceptions` that wait, the gravest first, and `clearings`: all that was said of any."""
    found: dict[str, list[dict[str, Any]]] = desk.api.get("/v1/exceptions")
    return found


def resolve(
    desk: Desk, exception: str, *, because: Because, entry: int | None = None, note: str | None = None
) -> dict[str, Any]:
    """Signs what an exception comes to; a note is sealed here, for those who open the vault of money.

    Raises:
        UnknownException: it does not wait.
    """
    opened = next((one for one in listed(desk)["exceptions"] if one["alias"] == exception), None)
    if opened is None:
        raise UnknownException("no exception that waits has this alias")
    alias = draw(Kind.CLEARING)
    shelf = desk.draw_shelf(VAULT, alias=alias) if note is not None else None
    box = (
        shelves.seal_json(shelf.public, {"note": note}, kind="clearing", alias=alias, field="note")
        if shelf is not None
        else None
    )
    agreed = desk.agree(
        "clear_exception",
        alias,
        version=1,
        detail=because,
        amount=_money(opened["amount"]),
        payee_commitment=clearings.commitment(exception=exception, because=because, entry_id=entry),
        evidence=[box["commitment"]] if box is not None else [],
    )
    body = {
        "alias": alias,
        "because": because,
        "entry": entry,
        "shelf": shelves.shelf_on_wire(shelf) if shelf is not None else None,
        "note": box,
        "agreed": agreed,
    }
    answer: dict[str, Any] = desk.api.post(f"/v1/exceptions/{exception}/resolve", body, key=f"clearing:{alias}")
    return answer


def agree(desk: Desk, exception: str) -> dict[str, Any]:
    """Agrees, as another person, to what was said last of an exception.

    Raises:
        UnknownClearing: nothing waits. EvidenceDiffers: the API's commitment is not to what it shows.
    """
    found = listed(desk)
    waiting = [one for one in found["clearings"] if one["exception"] == exception and one["agreed_by"] is None]
    opened = next((one for one in found["exceptions"] if one["alias"] == exception), None)
    if not waiting or opened is None:
        raise UnknownClearing("nothing was said of it that waits", exception=exception)
    said = waiting[-1]
    commitment = clearings.commitment(exception=exception, because=said["because"], entry_id=said["entry"])
    if (commitment, said["amount"]) != (said["commitment"], opened["amount"]):
        raise EvidenceDiffers("what was said is not what the commitment is to", about=said["alias"], field="commitment")
    agreed = desk.agree(
        "agree_clearing",
        said["alias"],
        version=1,
        detail=said["because"],
        amount=_money(said["amount"]),
        payee_commitment=commitment,
        evidence=[said["note_commitment"]] if said["note_commitment"] else [],
    )
    body = {"clearing": said["alias"], "agreed": agreed}
    answer: dict[str, Any] = desk.api.post(f"/v1/exceptions/{exception}/agree", body, key=f"agree:{said['alias']}")
    return answer


def _money(amount: dict[str, str] | None) -> Money | None:
    return None if amount is None else Money.parse(amount["amount"], amount["currency"])
