"""The recipes of the fund's own affairs: invoices, fees, interest, allowances, the first balances, and old errors."""

from ledger.books.postings import Posting, Side, credit, debit
from ledger.books.recipes.codes import (
    ACCRUALS,
    ADMINISTRATION,
    ALLOWANCE,
    BAIL_FORFEITED,
    BAIL_RECOVERABLE,
    BANK_FEES,
    DISPUTES_RECEIVABLE,
    GENERAL,
    GRANTS_RECEIVABLE,
    INTEREST,
    LOSSES,
    LOST_DISPUTES,
    OPENING,
    RECOVERABLE,
    REFUNDS_RECEIVABLE,
    RESTATEMENT,
)
from ledger.books.recipes.legs import BadFacts, Place, balanced, exchanged, paid_in, paid_out
from ledger.money import Money

ALLOWANCE_EXPENSE = {
    DISPUTES_RECEIVABLE: LOST_DISPUTES,
    BAIL_RECOVERABLE: BAIL_FORFEITED,
    REFUNDS_RECEIVABLE: LOSSES,
    RECOVERABLE: LOSSES,
    GRANTS_RECEIVABLE: LOSSES,
}
"""What an allowance for each receivable is charged to."""


def invoice_accrued(*, amount: Money, fund: str = GENERAL) -> list[Posting]:
    """An invoice, or work done without one yet, that is not paid."""
    return balanced(debit(ADMINISTRATION, amount, fund), credit(ACCRUALS, amount, fund))


def invoice_paid(
    *, leaf: Place, invoice: Money, accrued: Money, fund: str = GENERAL, spent: Money | None = None
) -> list[Posting]:
    """An invoice paid, of which `accrued` stood in the books, or zero: what it differs by is administration.

    `spent` is what left the leaf, when it has another currency.
    """
    postings = [debit(ACCRUALS, accrued, fund)] if accrued.minor else []
    if accrued < invoice:
        postings.append(debit(ADMINISTRATION, invoice - accrued, fund))
    elif invoice < accrued:
        postings.append(credit(ADMINISTRATION, accrued - invoice, fund))
    return exchanged(*postings, paid_out(leaf, spent or invoice, fund))


def bank_fee(*, leaf: Place, fee: Money, fund: str = GENERAL) -> list[Posting]:
    """A fee that the bank takes by itself."""
    return balanced(debit(BANK_FEES, fee, fund), paid_out(leaf, fee, fund))


def interest_received(*, leaf: Place, interest: Money, fund: str = GENERAL) -> list[Posting]:
    """Interest that the bank pays."""
    return balanced(paid_in(leaf, interest, fund), credit(INTEREST, interest, fund))


def allowance_made(*, receivable: str, amount: Money, fund: str, subject: str) -> list[Posting]:
    """A receivable (1150, 1300, 1350, 1380, 1400) may not come in: `amount` of it is charged to its expense."""
    expense = _expense_of(receivable)
    return balanced(debit(expense, amount, fund, subject=subject), credit(ALLOWANCE, amount, fund, subject=subject))


def allowance_used(*, receivable: str, amount: Money, fund: str, subject: str) -> list[Posting]:
    """A receivable did not come in: the allowance made for it bears it."""
    _expense_of(receivable)
    return balanced(debit(ALLOWANCE, amount, fund, subject=subject), credit(receivable, amount, fund, subject=subject))


def allowance_released(*, receivable: str, amount: Money, fund: str, subject: str) -> list[Posting]:
    """An allowance is not needed: its receivable came in, or was written off otherwise."""
    expense = _expense_of(receivable)
    return balanced(debit(ALLOWANCE, amount, fund, subject=subject), credit(expense, amount, fund, subject=subject))


def opening_balance(*, account: str, side: Side, amount: Money, fund: str, subject: str | None = None) -> list[Posting]:
    """What stands on `side` of a balance account when the books move here from elsewhere."""
    return _against(OPENING, account=account, side=side, amount=amount, fund=fund, subject=subject)


def earlier_year_corrected(
    *, account: str, side: Side, amount: Money, fund: str, subject: str | None = None
) -> list[Posting]:
    """A material error of an earlier year: `side` of the balance account is what was missing there."""
    return _against(RESTATEMENT, account=account, side=side, amount=amount, fund=fund, subject=subject)


def _against(contra: str, *, account: str, side: Side, amount: Money, fund: str, subject: str | None) -> list[Posting]:
    if side is Side.DEBIT:
        return balanced(debit(account, amount, fund, subject=subject), credit(contra, amount, fund))
    return balanced(debit(contra, amount, fund), credit(account, amount, fund, subject=subject))


def _expense_of(receivable: str) -> str:
    if receivable not in ALLOWANCE_EXPENSE:
        raise BadFacts("no allowance is made for this account", where="receivable")
    return ALLOWANCE_EXPENSE[receivable]
