"""What waits of gifts, of what moves between funds, of books and papers, and of exceptions."""

from datetime import date, timedelta

from bench.databases import DAY, NOW, RECORDER
from bench.unguarded import APPROVER, Rows, alias, row
from ledger.books.periods import SoftClosedMonth
from ledger.exceptions import OpenException
from ledger.giving.cash import CashCount
from ledger.giving.cash_deposits import CashDeposit
from ledger.giving.disputes import Dispute
from ledger.giving.donations import Donation
from ledger.giving.gift_returns import GiftReturn
from ledger.giving.in_kind import GiftInKind
from ledger.giving.purpose_versions import PurposeDraft
from ledger.giving.refund_orders import RefundOrder
from ledger.publications import Draft
from ledger.reconciliation.clearings import Clearing
from ledger.reconciliation.resolutions import Resolution
from ledger.reconciliation.sheets import Sheet
from ledger.reconciliation.statements import StatementLine
from ledger.treasury.conversions import Conversion
from ledger.treasury.transfers import Transfer


def make(some: int) -> Rows:
    """`some` of most kinds, and fifty times as many gifts."""
    return {**_of_gifts(some), **_of_papers(some)}


def _of_gifts(some: int) -> Rows:
    """Fifty gifts for each thing that waits; of a hundred one is unidentified, one conditional, one without purpose."""
    states = {0: "unidentified", 1: "conditional"}
    return {
        Donation: [
            row(
                Donation,
                nth,
                state=states.get(nth % 100, "received"),
                source="bank",
                source_key=f"bench:{nth}",
                minor=2_000,
                refunded_minor=0,
                fund_code="unassigned" if nth % 50 == 0 else "fines",
            )
            for nth in range(some * 50)
        ],
        RefundOrder: [
            row(
                RefundOrder,
                nth,
                state=("requested", "approved", "failed", "succeeded")[nth % 4],
                approved_by=APPROVER,
                donation_alias=alias("G", nth),
                by_bank=nth % 8 == 1,
            )
            for nth in range(some)
        ],
        GiftReturn: [
            row(GiftReturn, nth, state=("requested", "approved")[nth % 2], approved_by=APPROVER, approved_on=DAY)
            for nth in range(some)
        ],
        GiftInKind: [row(GiftInKind, nth, state="valued", kind="legal_aid") for nth in range(some // 10)],
        CashCount: [row(CashCount, nth, state="counted") for nth in range(some // 10)],
        CashDeposit: [row(CashDeposit, nth, state="taken") for nth in range(some // 10)],
        Dispute: [
            row(Dispute, nth, state="open" if nth % 2 else "won", source=alias("DP", nth)) for nth in range(some)
        ],
    }


def _of_papers(some: int) -> Rows:
    return {
        Transfer: [row(Transfer, nth, state="requested", taker_code="detention") for nth in range(some // 10)],
        Conversion: [
            row(
                Conversion,
                nth,
                state=("requested", "doubtful", "approved", "released")[nth % 4],
                expected_currency="BYN",
            )
            for nth in range(some // 10)
        ],
        Sheet: [
            row(Sheet, nth, compared="bank", account=f"1000:eur-{nth % 4}", prepared_at=NOW + timedelta(hours=nth))
            for nth in range(some)
        ],
        SoftClosedMonth: [
            {"last_day": date(1900 + nth, 1, 31), "closed_by": RECORDER, "closed_at": NOW} for nth in range(100)
        ],
        Draft: [row(Draft, nth, number=1) for nth in range(some // 10)],
        PurposeDraft: [row(PurposeDraft, nth, number=1, purpose_code=f"P{nth}") for nth in range(some // 10)],
        **_of_exceptions(some * 3),
    }


def _of_exceptions(many: int) -> Rows:
    """A third is open. Of these half are about a line of the bank, and half of these lines can be a return."""
    return {
        OpenException: [
            row(
                OpenException,
                nth,
                difference="amount_differs" if nth % 2 else "check_failed",
                about=f"amount_differs:bank:{nth}",
                account_code=None,
                minor=None,
                currency=None,
                resolved_on=DAY if nth % 3 else None,
            )
            for nth in range(many)
        ],
        StatementLine: [
            row(
                StatementLine,
                nth,
                source_key=f"bank:{nth}",
                booked_on=DAY,
                reference=alias("RF", nth) if nth % 4 == 3 else None,  # noqa: PLR2004  # see `queued_orders`
            )
            for nth in range(1, many, 2)
        ],
        Clearing: [
            row(Clearing, nth, exception_alias=alias("X", nth), because="looked_into", alone=False, currency=None)
            for nth in range(0, many, 9)
        ],
        Resolution: [
            row(
                Resolution,
                nth,
                about=alias("X", nth),
                number=1,
                answer="unidentified",
                because="in_error",
                alone=False,
            )
            for nth in range(0, many, 3)
        ],
    }
