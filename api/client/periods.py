"""Months from the treasurer's side: looked at, closed softly, and closed by a signed act over what they come to."""

from datetime import date
from typing import Any

from api.client import amounts
from api.client.desk import Desk
from ledger import closing
from ledger.books import exchange
from ledger.books.exchange import Rate
from ledger.books.seals import Figures
from ledger.errors import Tampered


class FiguresDiffer(Tampered):
    """The server names another digest than the figures it shows have; nothing is signed."""

    rule = "figures_differ"


def close(desk: Desk, month: str, *, digest: str | None = None) -> dict[str, Any]:
    """Closes a month such as `2020-10` for good; `digest` is of the figures that were looked at, or looked up now.

    Raises:
        FiguresDiffer, ApiRefusal, ApiUnreachable: see there. `act_differs`: something was booked since they were shown.
    """
    signed = digest or figures(desk, month)["digest"]
    agreed = desk.agree("close_period", month, version=closing.VERSION, evidence=[signed])
    answer: dict[str, Any] = desk.api.post(f"/v1/periods/{month}/close", {"agreed": agreed}, key=f"close:{month}")
    return answer


def soft_close(desk: Desk, month: str) -> dict[str, Any]:
    """Closes a month softly: it stands still while it is looked over."""
    answer: dict[str, Any] = desk.api.post(f"/v1/periods/{month}/soft-close", {}, key=f"soft-close:{month}")
    return answer


def admit(desk: Desk, month: str, *, fingerprint: str) -> dict[str, Any]:
    """Admits one entry to a softly closed month, by its fingerprint (see `journal.fingerprint_of`)."""
    agreed = desk.agree("admit_entry", month, version=closing.VERSION, evidence=[fingerprint])
    body = {"fingerprint": fingerprint, "agreed": agreed}
    answer: dict[str, Any] = desk.api.post(f"/v1/periods/{month}/admissions", body, key=f"admit:{fingerprint}")
    return answer


def figures(desk: Desk, month: str) -> dict[str, Any]:
    """What a month comes to, with the digest computed anew on this device.

    Raises:
        FiguresDiffer, ApiRefusal, ApiUnreachable: see there.
    """
    shown: dict[str, Any] = desk.api.get(f"/v1/periods/{month}/figures")
    if shown["month"] != month or _read(shown).digest() != shown["digest"]:
        raise FiguresDiffer("the digest is not of the figures shown", month=month)
    return shown


def listed(desk: Desk) -> list[dict[str, Any]]:
    """Every month from the first in which something was booked until this one."""
    answer: list[dict[str, Any]] = desk.api.get("/v1/periods")["periods"]
    return answer


def _read(shown: dict[str, Any]) -> Figures:
    into = shown["currency"]
    cells = [(one["account"], one["fund"], amounts.read(one["balance"])) for one in shown["balances"]]
    return Figures(
        month=shown["month"],
        currency=into,
        balances=tuple(((account, fund, held.currency), held.minor) for account, fund, held in cells),
        rates=tuple(
            Rate(one["currency"], into, date.fromisoformat(one["quoted_on"]), exchange.parse(one["rate"]))
            for one in shown["rates"]
        ),
        net_assets=tuple((one["fund"], amounts.read(one["amount"]).minor) for one in shown["net_assets"]),
    )
