"""Reconciliation sheets from the preparer's and the reviewer's side: each signs the hash of what they have seen."""

import hashlib
import json
from typing import Any

from api.client.desk import Desk
from ledger.aliases import Kind, draw
from ledger.errors import NotFound, Tampered
from ledger.reconciliation.sheets import VERSION, With


class NotTheSheet(Tampered):
    """A sheet's text is not what its hash says."""

    rule = "not_the_sheet"


class NoSuchSheet(NotFound):
    """No sheet has this alias."""

    rule = "no_such_sheet"


def look(desk: Desk, compared: With, account: str | None = None) -> dict[str, Any]:
    """What a sheet would say now."""
    content: dict[str, Any] = json.loads(_content(desk, compared, account))
    return content


def prepare(desk: Desk, compared: With, account: str | None = None) -> dict[str, Any]:
    """Signs what the books say now, and has it kept as a sheet.

    Raises:
        ApiRefusal: `sheet_outdated` when something was booked in between.
    """
    content = _content(desk, compared, account)
    digest = hashlib.sha256(content.encode()).hexdigest()
    alias = draw(Kind.RECONCILIATION)
    agreed = desk.agree("prepare_reconciliation", alias, version=VERSION, evidence=[digest])
    body = {"alias": alias, "compared": str(compared), "account": account, "agreed": agreed}
    answer: dict[str, Any] = desk.api.post("/v1/reconciliations/sheets", body, key=f"sheet:{alias}")
    return answer


def review(desk: Desk, alias: str) -> dict[str, Any]:
    """Gives the second signature to a sheet as its text stands.

    Raises:
        NoSuchSheet, NotTheSheet: nothing was signed.
    """
    sheet = find(desk, alias)
    agreed = desk.agree("review_reconciliation", alias, version=VERSION, evidence=[sheet["digest"]])
    path = f"/v1/reconciliations/sheets/{alias}/review"
    answer: dict[str, Any] = desk.api.post(path, {"agreed": agreed}, key=f"review:{alias}")
    return answer


def listed(desk: Desk) -> list[dict[str, Any]]:
    """Every sheet, the newest first.

    Raises:
        NotTheSheet: a text does not have its hash.
    """
    sheets: list[dict[str, Any]] = desk.api.get("/v1/reconciliations/sheets")["sheets"]
    for sheet in sheets:
        if hashlib.sha256(sheet["content"].encode()).hexdigest() != sheet["digest"]:
            raise NotTheSheet("the sheet's text is not what its hash says", sheet=sheet["alias"])
    return sheets


def find(desk: Desk, alias: str) -> dict[str, Any]:
    """The sheet of this alias.

    Raises:
        NoSuchSheet, NotTheSheet: see there.
    """
    for sheet in listed(desk):
        if sheet["alias"] == alias:
            return sheet
    raise NoSuchSheet("no sheet has this alias", where="alias")


def _content(desk: Desk, compared: With, account: str | None) -> str:
    content: str = desk.api.get("/v1/reconciliations/content", compared=str(compared), account=account)["content"]
    return content
