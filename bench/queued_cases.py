"""What waits of cases: their payments and files, promises that lapse, hearings, people to forget, what is owed back."""

from datetime import timedelta
from typing import Any

from bench.databases import DAY, NOW, RECORDER
from bench.linkages import AMOUNTS
from bench.unguarded import APPROVER, Rows, act, alias, row
from ledger.aid.bail import BailReturn
from ledger.aid.disbursements import Disbursement
from ledger.aid.hearings import Hearing
from ledger.aid.payment_files import PaymentFile, PaymentFileLine
from ledger.aid.refunds import Refund
from ledger.approvals import SignedAct
from ledger.books.holds import Hold, HoldMovement
from ledger.identities.erasure import Erasure
from ledger.identities.evidence import EvidenceFile

_PAID = dict.fromkeys((2, 3, 4, 6, 9), "paid")
_STATES = {5: "requested", 7: "approved", **_PAID}
"""Of payments, by the last digit of their cases; one of ten of 4 is released."""
_HUNDRED = 100
_MADE = 7
"""Days since the files were made."""


def make(many: int) -> Rows:
    """Nothing is asked for of the last twenty cases."""
    paid = [_payment(nth, state) for nth in range(many - 20) if (state := _state(nth))]
    return {
        Disbursement: paid,
        SignedAct: [act(nth, "approve_disbursement", one["alias"]) for nth, one in _in_state(paid, "approved")],
        **_files_for_banks(paid, many // 50),
        EvidenceFile: [_evidence(nth, many // 50) for nth in range(many - 20)],
        Erasure: [_erasure(nth) for nth in range(0, many, 10)],
        **_promises(many),
        **_bail(many),
        Refund: [_refund(nth) for nth in range(9, many // 10, 10)],
    }


def _state(nth: int) -> str | None:
    return "released" if nth % _HUNDRED == 4 else _STATES.get(nth % 10)  # noqa: PLR2004  # as their cases


def _payment(nth: int, state: str) -> dict[str, Any]:
    return row(
        Disbursement,
        nth,
        state=state,
        obligation_alias=alias("O", nth),
        case_alias=alias("C", nth),
        reference=alias("RF", nth),
        account_code="1000:eur-0",
        approved_by=None if state == "requested" else APPROVER,
        due_by=DAY + timedelta(days=nth % 60),
        payee="authority",
        minor=AMOUNTS[nth % len(AMOUNTS)],
    )


def _in_state(paid: list[dict[str, Any]], state: str) -> list[tuple[int, dict[str, Any]]]:
    return [(nth, one) for nth, one in enumerate(paid) if one["state"] == state]


def _files_for_banks(paid: list[dict[str, Any]], some: int) -> Rows:
    """Every other payment that is released waits in a file; of each twenty files one is not carried out yet.

    Half of these somebody wants withdrawn.
    """
    waiting = [one["alias"] for _, one in _in_state(paid, "released")][::2]
    done = [one["alias"] for _, one in _in_state(paid, "paid")][::5]
    lines = [(_file(20 * nth % some), payment) for nth, payment in enumerate(waiting)]
    lines += [(_file(_carried_out(nth, some)), payment) for nth, payment in enumerate(done)]
    return {
        PaymentFile: [
            row(
                PaymentFile,
                nth,
                message_id=alias("M", nth),
                made_at=NOW - timedelta(days=_MADE),
                withdrawal_asked_by=RECORDER if nth % 40 == 0 else None,
            )
            for nth in range(some)
        ],
        PaymentFileLine: [
            {"file_alias": file, "disbursement_alias": payment, "withdrawn": False} for file, payment in lines
        ],
    }


def _file(nth: int) -> str:
    return alias("Z", nth)


def _carried_out(nth: int, some: int) -> int:
    return nth % some + (1 if nth % some % 20 == 0 else 0)


def _evidence(nth: int, some: int) -> dict[str, Any]:
    was_due = nth % 20 == 2 or (nth % 10 == 0 and nth > some)  # noqa: PLR2004  # of those that are closed or erased
    return row(
        EvidenceFile,
        nth,
        alias=alias("E", nth),
        version=1,
        kind="ruling",
        subject=alias("C", nth),
        shelf_alias=alias("B", nth),
        commitment=alias("E", nth),
        keep_until=DAY - timedelta(days=nth % 900),
        completed_at=NOW,
        dropped_on=DAY if was_due else None,
    )


def _erasure(nth: int) -> dict[str, Any]:
    waits = nth < _HUNDRED * 10
    return {
        "shelf_alias": alias("B", nth),
        "reason": "retention",
        "requested_by": RECORDER,
        "requested_at": NOW,
        "agreed_by": None if waits else APPROVER,
        "erased_at": None if waits else NOW,
    }


def _promises(many: int) -> Rows:
    """Of approved sums, each with its last day; two of a hundred cases were promised something that lapsed.

    One of these was paid all the same.
    """
    standing = [_hold(nth, DAY + timedelta(days=nth // 10 % 180)) for nth in range(7, many, 10)]
    lapsed = [_hold(nth, DAY - timedelta(days=nth % 90)) for end in (1, 16) for nth in range(end, many, 100)]
    return {
        Hold: standing + lapsed,
        HoldMovement: [
            row(
                HoldMovement,
                0,
                hold_key=one["source_key"],
                number=1,
                source_key=f"{one['source_key']}:expired",
                move="expired",
                moved_on=one["expires_on"],
            )
            for one in lapsed
        ],
    }


def _hold(nth: int, until: Any) -> dict[str, Any]:
    return row(
        Hold, nth, source_key=f"bench:{nth}", held_for=alias("O", nth), fund_code="fines", expires_on=until, minor=1
    )


def _bail(many: int) -> Rows:
    """Of each hundred cases two are bail that a court holds; of every other one a hearing was, and of some is near."""
    held = [nth for end in (3, 9) for nth in range(end, many, 100)]
    days = (timedelta(days=-30), timedelta(days=9), timedelta(days=60))
    return {
        Hearing: [
            {"obligation_alias": alias("O", nth), "held_by": DAY + day, "noted_by": RECORDER}
            for place, nth in enumerate(held)
            for day in days[: 1 + place % 3]
        ],
        BailReturn: [
            row(
                BailReturn,
                nth,
                obligation_alias=alias("O", nth),
                minor=AMOUNTS[nth % len(AMOUNTS)],
                fee_minor=0,
                received_on=DAY if nth % 200 < _HUNDRED else None,
            )
            for nth in held[::3]
        ],
    }


def _refund(nth: int) -> dict[str, Any]:
    return {
        "reference": alias("R", nth),
        "obligation_alias": alias("O", nth),
        "debtor": "authority",
        "minor": 100,
        "currency": "BYN",
        "due_since": DAY,
    }
