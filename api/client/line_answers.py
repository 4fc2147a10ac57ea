"""Answers from the treasurer's side: what a line of the bank is that waits with an exception."""

from typing import Any

from api.client.desk import Desk
from ledger.exceptions import UnknownException
from ledger.money import Money
from ledger.reconciliation import line_answers
from ledger.reconciliation.line_answers import Answer


def answer(desk: Desk, exception: str, what: Answer, *, about: str | None = None) -> dict[str, Any]:
    """Says, signed, what the line of an exception is: `about` a conversion, a deposit, a gift, or a payout's id.

    Raises:
        UnknownException: the API shows none about money.
    """
    found = [one for one in desk.api.get("/v1/exceptions")["exceptions"] if one["alias"] == exception]
    if not found or found[0]["amount"] is None:
        raise UnknownException("no exception that waits has this alias")
    amount = Money.parse(found[0]["amount"]["amount"], found[0]["amount"]["currency"])
    agreed = desk.agree(
        "answer_line",
        exception,
        version=1,
        detail=what.value,
        amount=amount,
        payee_commitment=line_answers.commitment(answer=what, about=about),
    )
    body = {"answer": what.value, "about": about, "agreed": agreed}
    told: dict[str, Any] = desk.api.post(f"/v1/exceptions/{exception}/answer", body, key=f"answer:{exception}")
    return told
