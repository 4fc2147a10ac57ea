"""Collectives: a line of several payments, each of which has its own entry; line and entries are one pairing."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from ledger.aid.advances import Advance
from ledger.aid.disbursements import Disbursement
from ledger.aid.outlays import Repayment
from ledger.aliases import Kind, draw
from ledger.giving import donations, purposes
from ledger.reconciliation import issued, pairings
from ledger.reconciliation.issued import Issued
from ledger.reconciliation.pairings import Pairing, PairingPart
from ledger.reconciliation.statements import Part, StatementLine

PART = ":part:"
"""Between the key of a line and the number of a payment behind it, in the source key of that one's entry."""
_SCORE = 100


def book(session: Session, line: StatementLine, *, recorded_at: datetime, recorded_by: str) -> bool:
    """Books each payment behind a line by its reference; nothing, when that cannot be told of every one of them.

    What left are payments, advances or repayments that were released, each of that amount and told once. What came are
    gifts: for the purpose that a reference names, else unidentified. Together they are exactly what moved.
    """
    parts = line.told_parts()
    found = _find(session, line, parts)
    if found is None:
        return False
    entries = []
    for number, (part, expected) in enumerate(zip(parts, found, strict=True), start=1):
        fact: dict[str, Any] = {
            "source_key": f"{pairings.booking_key(session, line.source_key)}{PART}{number}",
            "on": line.booked_on,
            "recorded_at": recorded_at,
            "recorded_by": recorded_by,
        }
        if expected is not None:
            posted = issued.book(session, expected, account=line.account_code, moved=part.amount, **fact)
        else:
            leaf, gift = line.account_code, part.amount
            _, posted = donations.receive_at_bank(session, leaf=leaf, gift=gift, reference=part.reference, **fact)
        entries.append(posted.entry_id)
    _pair(session, line, entries, at=recorded_at)
    return True


def _find(session: Session, line: StatementLine, parts: Sequence[Part]) -> list[Issued | None] | None:
    """What each payment is, None standing for a gift; None altogether where that cannot be told."""
    same_way = all((part.amount.minor > 0) == (line.minor > 0) for part in parts)
    if line.reversal or not same_way or sum(part.amount.minor for part in parts) != line.minor:
        return None
    if line.minor > 0:
        gifts = all(not part.reference or purposes.by_reference(session, part.reference) for part in parts)
        return [None] * len(parts) if gifts else None
    references = {part.reference for part in parts}
    found = [issued.find(session, part.reference) if part.reference else None for part in parts]
    if len(references) < len(parts) or not all(
        isinstance(one, Disbursement | Advance | Repayment)
        and issued.difference(session, one, account=line.account_code, moved=part.amount, on=line.booked_on) is None
        for part, one in zip(parts, found, strict=True)
    ):
        return None
    return found


def _pair(session: Session, line: StatementLine, entries: Sequence[int], *, at: datetime) -> None:
    made = Pairing(
        alias=draw(Kind.PAIRING),
        account_code=line.account_code,
        score=_SCORE,
        automatic=True,
        paired_by=pairings.MACHINE,
        paired_at=at,
    )
    session.add(made)
    session.flush()
    session.add(PairingPart(pairing_alias=made.alias, number=1, source_key=line.source_key))
    numbered = enumerate(entries, start=2)
    session.add_all(PairingPart(pairing_alias=made.alias, number=number, entry_id=entry) for number, entry in numbered)
    session.flush()
