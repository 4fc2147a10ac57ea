"""The recipes of bail: money that a court holds and may give back. Approved bail is a hold on the fund, no entry."""

from ledger.books.postings import Posting, credit, debit
from ledger.books.recipes.codes import APPROVED_ASSISTANCE, BAIL_FEES, BAIL_FORFEITED, BAIL_RECOVERABLE
from ledger.books.recipes.legs import Place, balanced, between_funds, exchanged, paid_in, paid_out
from ledger.money import Money


def bail_posted(
    *, leaf: Place, amount: Money, fund: str, obligation: str, case: str, spent: Money | None = None
) -> list[Posting]:
    """Bail posted, from the bank, in cash or by an agent; `spent` when it was bought with another currency."""
    recoverable = debit(BAIL_RECOVERABLE, amount, fund, subject=obligation, case=case)
    return exchanged(recoverable, paid_out(leaf, spent or amount, fund, case=case))


def bail_returned(
    *, leaf: Place, amount: Money, fee: Money, fund: str, obligation: str, case: str, came: Money | None = None
) -> list[Posting]:
    """The court gives back `amount` of the bail less its `fee`, which may be zero.

    `came` is what arrived for the rest, when the leaf has another currency.
    """
    named = {"subject": obligation, "case": case}
    settled = [credit(BAIL_RECOVERABLE, amount, fund, **named)]
    if fee.minor:
        settled.insert(0, debit(BAIL_FEES, fee, fund, **named))
    if came is None and fee == amount:
        return balanced(*settled)
    return exchanged(paid_in(leaf, came or amount - fee, fund, case=case), *settled)


def bail_applied(
    *, leaf: Place, amount: Money, bail_fund: str, bail: str, fund: str, obligation: str, case: str
) -> list[Posting]:
    """The court keeps bail as payment of an obligation of recognised assistance.

    `bail` is the obligation that the bail was. When its fund is another, it gets its money back on the pooled `leaf`.
    """
    return balanced(
        debit(APPROVED_ASSISTANCE, amount, fund, subject=obligation, case=case),
        *between_funds(leaf, amount, giver=fund, taker=bail_fund),
        credit(BAIL_RECOVERABLE, amount, bail_fund, subject=bail, case=case),
    )


def bail_forfeited(*, amount: Money, fund: str, obligation: str, case: str) -> list[Posting]:
    """The court keeps the bail for good."""
    named = {"subject": obligation, "case": case}
    return balanced(debit(BAIL_FORFEITED, amount, fund, **named), credit(BAIL_RECOVERABLE, amount, fund, **named))
