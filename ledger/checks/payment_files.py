"""Checks of payment files: each is still what was released, and its payments count no more once it is withdrawn."""

from collections.abc import Iterator

from sqlmodel import Session, col, select

from ledger.aid.disbursements import Disbursement
from ledger.aid.outlays import Repayment
from ledger.aid.payment_files import Paying, PaymentFile, PaymentFileLine, PaymentFileRepayment
from ledger.checks.findings import Check, Finding, Tell, paged

Line = tuple[PaymentFileLine | PaymentFileRepayment, Paying]
"""A payment of a file."""


def find_differences(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Files whose payments are other ones than were noted, or stand although the file was withdrawn."""
    for page in paged(session, PaymentFile, PaymentFile.alias):
        paid: dict[str, list[Line]] = {file.alias: [] for file in page}
        query = (
            select(PaymentFileLine, Disbursement)
            .join(Disbursement, col(Disbursement.alias) == PaymentFileLine.disbursement_alias)
            .where(col(PaymentFileLine.file_alias).in_(paid))
        )
        for line, payment in session.exec(query.execution_options(populate_existing=True)):
            paid[line.file_alias].append((line, payment))
        owed = (
            select(PaymentFileRepayment, Repayment)
            .join(Repayment, col(Repayment.alias) == PaymentFileRepayment.repayment_alias)
            .where(col(PaymentFileRepayment.file_alias).in_(paid))
        )
        for filed, repayment in session.exec(owed.execution_options(populate_existing=True)):
            paid[filed.file_alias].append((filed, repayment))
        for file in page:
            where = _why_not(file, paid[file.alias])
            if where is not None:
                yield Finding("payment-files", "payment_file", file.alias, {"where": where})


def _why_not(file: PaymentFile, paid: list[Line]) -> str | None:
    """Which part of a file does not hold, or None."""
    if len(paid) != file.orders:
        return "orders"
    if sum(payment.minor for _, payment in paid) != file.minor:
        return "control_sum"
    if any((payment.account_code, payment.currency) != (file.account_code, file.currency) for _, payment in paid):
        return "account"
    if any(line.withdrawn is not (file.withdrawn_by is not None) for line, _ in paid):
        return "withdrawn"
    return None


CHECKS = (
    Check(
        "payment-files",
        "every payment file is what was released, and withdrawn with all its payments or not at all",
        find_differences,
    ),
)
