"""Gifts in kind from the operator's side: a file sealed here that shows the value, and two people who sign it."""

from datetime import date
from pathlib import Path
from typing import Any

from api.client import evidence, sealed_files, shelves
from api.client.case_evidence import EvidenceDiffers
from api.client.desk import Desk
from api.client.evidence import OpenedFile
from ledger.aliases import Kind, draw
from ledger.giving import in_kind
from ledger.identities.boxes import FilePlace
from ledger.identities.evidence import EvidenceKind
from ledger.identities.shelves import Reason
from ledger.money import Money

VAULT = "money"


def value(desk: Desk, file: Path, *, kind: str, fund: str, worth: Money, on: date) -> dict[str, Any]:
    """Seals the file that shows what a gift in kind is worth, sends it, and states the value: the first signature.

    Raises:
        FileTooLarge, FileChanged: nothing counts.
    """
    alias = draw(Kind.DONATION)
    shelf = desk.draw_shelf(VAULT, alias=alias)
    with file.open("rb") as source:
        place = FilePlace(alias, EvidenceKind.BILL.value, draw(Kind.EVIDENCE), 1)
        drafted = sealed_files.draft(source, name=file.name, place=place)
        evidence.send(desk, source, drafted, shelf=shelf, path=f"/v1/gifts-in-kind/{alias}/evidence", new_shelf=True)
    shown = drafted.commitment
    commitment = in_kind.commitment(kind=kind, fund=fund, on=on, evidence=shown)
    agreed = desk.agree("value_gift", alias, version=1, amount=worth, payee_commitment=commitment, evidence=[shown])
    body = {
        "alias": alias,
        "kind": kind,
        "fund": fund,
        "worth": {"amount": worth.decimal(), "currency": worth.currency},
        "evidence": shown,
        "given_on": on.isoformat(),
        "agreed": agreed,
    }
    answer: dict[str, Any] = desk.api.post("/v1/gifts-in-kind", body, key=f"in-kind:{alias}")
    return answer


def listed(desk: Desk) -> list[dict[str, Any]]:
    """All gifts in kind."""
    found: list[dict[str, Any]] = desk.api.get("/v1/gifts-in-kind")["gifts_in_kind"]
    return found


def find(desk: Desk, alias: str) -> dict[str, Any]:
    """One gift in kind.

    Raises:
        UnknownGiftInKind: the API shows none.
    """
    for gift in listed(desk):
        if gift["alias"] == alias:
            return gift
    raise in_kind.UnknownGiftInKind("no gift in kind has this alias")


def open_file(desk: Desk, alias: str, *, into: Path) -> OpenedFile:
    """Opens the file that a gift's value rests on; that it was fetched is logged.

    Raises:
        UnknownGiftInKind: see there. EvidenceDiffers: no file is what the value rests on.
        FileStands, CannotOpen, WrongCommitment, BadSignature: see `evidence.open_file`.
    """
    file = _file_of(desk, find(desk, alias))
    opened = desk.api.get(f"/v1/boxes/{alias}", reason=Reason.APPROVAL)
    shelf, seed = shelves.open_shelf(desk, opened, alias=alias)
    return evidence.open_file(desk, alias, file, shelf=shelf.alias, seed=seed, into=into, reason=Reason.APPROVAL)


def agree(desk: Desk, alias: str) -> dict[str, Any]:
    """Agrees to the value that another person stated, from the file that they sealed: the second signature.

    Raises:
        UnknownGiftInKind: the API shows none. EvidenceDiffers: no file, or another gift, is what was signed first;
            nothing is signed. BadSignature: nobody who had that name brought the file.
    """
    found = find(desk, alias)
    file = _file_of(desk, found)
    shown = shelves.check_file(desk, file, subject=alias, shelf=alias)
    on = date.fromisoformat(found["given_on"])
    commitment = in_kind.commitment(kind=found["kind"], fund=found["fund"], on=on, evidence=shown)
    if commitment != found["commitment"]:
        raise EvidenceDiffers("the value rests on something else", donation=alias, field="evidence")
    agreed = desk.agree(
        "approve_gift_in_kind",
        alias,
        version=1,
        amount=Money.parse(found["worth"]["amount"], found["worth"]["currency"]),
        payee_commitment=commitment,
        evidence=[shown],
    )
    body = {"verb": "approve_gift_in_kind", "object": alias, "agreed": agreed}
    answer: dict[str, Any] = desk.api.post("/v1/approvals", body, key=f"approve:{alias}")
    return answer


def withdraw(desk: Desk, alias: str) -> dict[str, Any]:
    """Gives up a value that nobody has agreed to."""
    answer: dict[str, Any] = desk.api.post(f"/v1/gifts-in-kind/{alias}/withdraw", {}, key=f"withdraw:{alias}")
    return answer


def _file_of(desk: Desk, gift: dict[str, Any]) -> dict[str, Any]:
    files: list[dict[str, Any]] = desk.api.get(f"/v1/gifts-in-kind/{gift['alias']}/evidence")["files"]
    for file in files:
        if file["complete"] and file["commitment"] == gift["evidence"]:
            return file
    raise EvidenceDiffers("no file is what the value rests on", donation=gift["alias"], field="evidence")
