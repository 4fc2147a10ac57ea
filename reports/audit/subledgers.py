"""A case's or a beneficiary's ledger as a table: debit and credit side by side, as accountants read it."""

from collections.abc import Iterable

from ledger.aid.subledger import Row
from reports.csv_table import as_csv

_HEADER = (
    "effective_on",
    "happened_on",
    "recorded_at",
    "entry",
    "line",
    "kind",
    "reverses",
    "case",
    "obligation",
    "account",
    "fund",
    "currency",
    "debit",
    "credit",
    "balance",
    "against",
    "disbursement",
    "way",
    "agent",
    "batch",
)


def render_csv(rows: Iterable[Row]) -> bytes:
    """One line a row, in their order; a credit balance is negative."""
    return as_csv(_HEADER, rows=(_cells(row) for row in rows))


def _cells(row: Row) -> tuple[str, ...]:
    paid = row.payment
    return (
        row.effective_on.isoformat(),
        row.happened_on.isoformat(),
        row.recorded_at.isoformat(),
        str(row.entry),
        str(row.number),
        row.kind,
        "" if row.reverses is None else str(row.reverses),
        row.case,
        row.obligation,
        row.account,
        row.fund,
        row.amount.currency,
        row.amount.decimal() if row.amount.minor > 0 else "",
        (-row.amount).decimal() if row.amount.minor < 0 else "",
        row.balance.decimal(),
        " ".join(row.against),
        *((paid.disbursement, paid.way, paid.agent or "", paid.batch or "") if paid else ("", "", "", "")),
    )
