"""Resolutions from the operator's side: what a waiting line, or a refund, is said to be, and agreed to."""

from typing import Any, cast

from api.client.cases import EvidenceDiffers
from api.client.desk import Desk
from ledger.approvals import Verb
from ledger.money import Money
from ledger.reconciliation import resolutions
from ledger.reconciliation.answers import WITHOUT_LINE, Answer
from ledger.reconciliation.resolutions import Because, UnknownResolution


def listed(desk: Desk) -> dict[str, list[dict[str, Any]]]:
    """`lines` that wait for a word, and `resolutions`: all that was said."""
    found: dict[str, list[dict[str, Any]]] = desk.api.get("/v1/resolutions")
    return found


def say(
    desk: Desk, about: str, *, answer: Answer, of: str, because: Because, settles: Money | None = None
) -> dict[str, Any]:
    """Signs what a line is, or what became of a refund; it settles all that the line moved unless told.

    Raises:
        UnknownResolution: no such line waits, and nothing is told of what is settled.
    """
    found = listed(desk)
    line = next((one for one in found["lines"] if one["exception"] == about), None)
    amount = settles if answer in WITHOUT_LINE else _moved(line)
    if amount is None:
        raise UnknownResolution("no line that waits has this exception", about=about)
    number = len([one for one in found["resolutions"] if one["about"] == about]) + 1
    settled = settles or amount
    commitment = resolutions.commitment(answer=answer, of=of, settles=settled, because=because)
    agreed = desk.agree(
        "request_resolution", about, version=number, amount=amount, payee_commitment=commitment, detail=answer
    )
    body = {
        "about": about,
        "answer": answer,
        "of": of,
        "settles": {"amount": settled.decimal(), "currency": settled.currency},
        "because": because,
        "agreed": agreed,
    }
    answered: dict[str, Any] = desk.api.post("/v1/resolutions", body, key=f"resolution:{about}:{number}")
    return answered


def agree(desk: Desk, about: str) -> dict[str, Any]:
    """Agrees, as another person, to what was said last of a line or a refund.

    Raises:
        UnknownResolution: nothing waits. EvidenceDiffers: the API's commitment is not to what it shows.
    """
    said = [one for one in listed(desk)["resolutions"] if one["about"] == about and one["agreed_by"] is None]
    if not said:
        raise UnknownResolution("nothing was said of it that waits", about=about)
    newest = max(said, key=lambda one: one["number"])
    commitment = resolutions.commitment(
        answer=newest["answer"], of=newest["of"], settles=_money(newest["settles"]), because=newest["because"]
    )
    if commitment != newest["commitment"]:
        raise EvidenceDiffers("what was said is not what the commitment is to", about=about, field="commitment")
    verb: Verb = "agree_loss" if newest["answer"] == Answer.GIVEN_UP else "agree_resolution"
    agreed = desk.agree(
        verb,
        about,
        version=newest["number"],
        amount=_money(newest["amount"]),
        payee_commitment=commitment,
        detail=newest["answer"],
    )
    body = {"verb": verb, "object": about, "agreed": agreed}
    desk.api.post("/v1/approvals", body, key=f"agree:{about}:{newest['number']}")
    return newest


def _moved(line: dict[str, Any] | None) -> Money | None:
    return None if line is None else resolutions.abs_of(_money(cast("dict[str, str]", line["amount"])))


def _money(amount: dict[str, str]) -> Money:
    return Money.parse(amount["amount"], amount["currency"])
