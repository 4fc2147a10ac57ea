"""The queue: what waits for the people of a role today, and for nobody who has brought it there themselves."""

from ledger.queue.sections import (
    EXCEPTION_DAYS,
    GIFT_DAYS,
    HOLD_DAYS,
    RECEIPT_DAYS,
    REFUND_DAYS,
    SECTIONS,
    SIGNATURE_DAYS,
    TRANSIT_DAYS,
    UnknownSection,
    Waiting,
    counts,
    page,
)

__all__ = [
    "EXCEPTION_DAYS",
    "GIFT_DAYS",
    "HOLD_DAYS",
    "RECEIPT_DAYS",
    "REFUND_DAYS",
    "SECTIONS",
    "SIGNATURE_DAYS",
    "TRANSIT_DAYS",
    "UnknownSection",
    "Waiting",
    "counts",
    "page",
]
