"""Resolutions from the operator's side: what waits, what it is said to be, and who agrees."""

from datetime import date
from typing import Any

from api.client.case_evidence import EvidenceDiffers
from api.client.desk import Desk
from ledger.approvals import Verb
from ledger.money import Money
from ledger.reconciliation import answers
from ledger.reconciliation.answers import Answer, Because
from ledger.reconciliation.resolutions import UnknownResolution


def listed(desk: Desk) -> dict[str, list[dict[str, Any]]]:
    """`waiting`: what waits for a word, and `resolutions`: all that was said."""
    found: dict[str, list[dict[str, Any]]] = desk.api.get("/v1/resolutions")
    return found


def say(
    desk: Desk,
    about: str,
    answer: Answer,
    *,
    of: str | None = None,
    because: Because | None = None,
    settles: Money | None = None,
    happened_on: date | None = None,
) -> dict[str, Any]:
    """Signs what it is; it settles all that moved unless told. Where one signature suffices, it is booked.

    Raises:
        UnknownResolution: nothing such waits, and nothing is told of what is settled.
    """
    found = listed(desk)
    waiting = next((one for one in found["waiting"] if one["about"] == about), None)
    moved = settles if waiting is None else _money(waiting["amount"])
    if moved is None:
        raise UnknownResolution("nothing waits under this alias", about=about)
    number = len([one for one in found["resolutions"] if one["about"] == about]) + 1
    settled = settles or answers.magnitude(moved)
    alone = answers.suffices(answer, moved=moved, settles=settled)
    agreed = desk.agree(
        "answer_line" if alone else "request_resolution",
        about,
        version=number,
        amount=moved if alone else answers.magnitude(moved),
        payee_commitment=answers.commitment(
            answer=answer, of=of, settles=settled, because=because, happened_on=happened_on
        ),
        detail=answer,
    )
    body = {
        "about": about,
        "answer": answer,
        "of": of,
        "settles": {"amount": settled.decimal(), "currency": settled.currency},
        "because": because,
        "happened_on": happened_on.isoformat() if happened_on is not None else None,
        "agreed": agreed,
    }
    answered: dict[str, Any] = desk.api.post("/v1/resolutions", body, key=f"resolution:{about}:{number}")
    return answered


def agree(desk: Desk, about: str) -> dict[str, Any]:
    """Agrees, as another person, to what was said last.

    Raises:
        UnknownResolution: nothing waits. EvidenceDiffers: the API's commitment is not to what it shows.
    """
    said = [one for one in listed(desk)["resolutions"] if one["about"] == about]
    newest = max(said, key=lambda one: one["number"], default=None)
    if newest is None or newest["alone"] or newest["agreed_by"] is not None:
        raise UnknownResolution("nothing was said of it that waits", about=about)
    happened_on = newest["happened_on"]
    commitment = answers.commitment(
        answer=newest["answer"],
        of=newest["of"],
        settles=_money(newest["settles"]),
        because=newest["because"],
        happened_on=date.fromisoformat(happened_on) if happened_on is not None else None,
    )
    if commitment != newest["commitment"]:
        raise EvidenceDiffers("what was said is not what the commitment is to", about=about, field="commitment")
    verb: Verb = "agree_loss" if newest["answer"] == Answer.GIVEN_UP else "agree_resolution"
    agreed = desk.agree(
        verb,
        about,
        version=newest["number"],
        amount=answers.magnitude(_money(newest["amount"])),
        payee_commitment=commitment,
        detail=newest["answer"],
    )
    body = {"verb": verb, "object": about, "agreed": agreed}
    desk.api.post("/v1/approvals", body, key=f"agree:{about}:{newest['number']}")
    return newest


def _money(amount: dict[str, str]) -> Money:
    return Money.parse(amount["amount"], amount["currency"])
