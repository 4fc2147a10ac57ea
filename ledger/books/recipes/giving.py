"""The recipes of gifts that come by bank, in cash or in kind, with a purpose, a condition, or neither known yet."""

from datetime import date

from ledger.books.postings import Posting, credit, debit
from ledger.books.recipes.codes import (
    ADMINISTRATION,
    CONDITIONAL_GIFTS,
    DONATION_REFUNDS,
    DONATIONS,
    GENERAL,
    GIFTS_IN_KIND,
    INTEREST,
    LEGAL_AID,
    LOSSES,
    UNASSIGNED,
    UNIDENTIFIED,
)
from ledger.books.recipes.legs import (
    BadFacts,
    Place,
    Shares,
    balanced,
    between_funds,
    exchanged,
    moved,
    paid_in,
    paid_out,
)
from ledger.money import Money

IN_KIND_EXPENSE = {"legal_aid": LEGAL_AID, "administration": ADMINISTRATION}
"""The expense that each kind of gift in kind saves the fund."""


def bank_gift(*, leaf: Place, gift: Money, fund: str, donation: str) -> list[Posting]:
    """A gift seen at the bank whose purpose is known."""
    return balanced(paid_in(leaf, gift, fund), credit(DONATIONS, gift, fund, subject=donation))


def bank_gift_unidentified(*, leaf: Place, gift: Money, donation: str) -> list[Posting]:
    """Money seen at the bank, nobody knows yet what for: a liability in the fund `unassigned`."""
    return balanced(paid_in(leaf, gift, UNASSIGNED), credit(UNIDENTIFIED, gift, UNASSIGNED, subject=donation))


def unidentified_matched(*, leaf: Place, gift: Money, fund: str, donation: str, received_on: date) -> list[Posting]:
    """The purpose of an unidentified gift is known: income of `fund`, at the rate of the day it was received.

    `leaf` is where the money is now; the fund gets its share there from `unassigned`.
    """
    return balanced(
        debit(UNIDENTIFIED, gift, UNASSIGNED, subject=donation),
        *between_funds(leaf, gift, giver=UNASSIGNED, taker=fund),
        credit(DONATIONS, gift, fund, subject=donation, rate_on=received_on),
    )


def bank_gift_mistaken(*, leaf: Place, gift: Money, fund: str, donation: str, received_on: date) -> list[Posting]:
    """What was matched was no gift: income of no fund, at the rate at which it was some, nor money that came by it."""
    return balanced(debit(DONATIONS, gift, fund, subject=donation, rate_on=received_on), paid_out(leaf, gift, fund))


def unidentified_unclaimed(*, leaf: Place, gift: Money, donation: str, received_on: date) -> list[Posting]:
    """Nobody has claimed an unidentified gift in time: income of `general`."""
    return unidentified_matched(leaf=leaf, gift=gift, fund=GENERAL, donation=donation, received_on=received_on)


def unidentified_sent_back(*, leaf: Place, gift: Money, donation: str, spent: Money | None = None) -> list[Posting]:
    """An unidentified gift goes back; `spent` is what it cost when the leaf has another currency."""
    owed = debit(UNIDENTIFIED, gift, UNASSIGNED, subject=donation)
    return exchanged(owed, paid_out(leaf, spent or gift, UNASSIGNED))


def gift_assigned(
    *, leaf: Place, left: Money, refunded: Money, fund: str, donation: str, received_on: date
) -> list[Posting]:
    """A gift of the fund `unassigned` has a purpose: income of `fund`, as if known on the day it was received.

    What was given back of it moves too, and `fund` gets what is left of it on the leaf where the money is now.
    """
    gift = left + refunded
    postings = [
        debit(DONATIONS, gift, UNASSIGNED, subject=donation, rate_on=received_on),
        *between_funds(leaf, left, giver=UNASSIGNED, taker=fund),
        credit(DONATIONS, gift, fund, subject=donation, rate_on=received_on),
    ]
    if refunded.minor:
        postings += [
            debit(DONATION_REFUNDS, refunded, fund, subject=donation, rate_on=received_on),
            credit(DONATION_REFUNDS, refunded, UNASSIGNED, subject=donation, rate_on=received_on),
        ]
    return balanced(*postings)


def conditional_gift(*, leaf: Place, gift: Money, fund: str, donation: str) -> list[Posting]:
    """A gift that goes back unless its condition is met: owed until then."""
    return balanced(paid_in(leaf, gift, fund), credit(CONDITIONAL_GIFTS, gift, fund, subject=donation))


def unidentified_conditional(*, leaf: Place, gift: Money, fund: str, donation: str) -> list[Posting]:
    """An unidentified gift goes back unless its condition is met: owed by `fund` until then, with the money."""
    return balanced(
        debit(UNIDENTIFIED, gift, UNASSIGNED, subject=donation),
        *between_funds(leaf, gift, giver=UNASSIGNED, taker=fund),
        credit(CONDITIONAL_GIFTS, gift, fund, subject=donation),
    )


def condition_met(*, amount: Money, fund: str, donation: str) -> list[Posting]:
    """The condition of a gift, or of a part of it, is met: income."""
    return balanced(
        debit(CONDITIONAL_GIFTS, amount, fund, subject=donation), credit(DONATIONS, amount, fund, subject=donation)
    )


def conditional_gift_returned(
    *, leaf: Place, amount: Money, fund: str, donation: str, spent: Money | None = None
) -> list[Posting]:
    """The condition was not met: the gift, or the rest of it, goes back."""
    owed = debit(CONDITIONAL_GIFTS, amount, fund, subject=donation)
    return exchanged(owed, paid_out(leaf, spent or amount, fund))


def gift_in_kind(*, kind: str, worth: Money, fund: str, donation: str) -> list[Posting]:
    """Work or things given, at the value that their evidence shows: `legal_aid` or `administration`.

    Raises:
        BadFacts: another kind, or what `balanced` refuses.
    """
    if kind not in IN_KIND_EXPENSE:
        raise BadFacts("a gift in kind is legal aid or administration", where="kind")
    return balanced(
        debit(IN_KIND_EXPENSE[kind], worth, fund, subject=donation),
        credit(GIFTS_IN_KIND, worth, fund, subject=donation),
    )


def cash_gift(*, cash: str, gift: Money, fund: str, donation: str) -> list[Posting]:
    """A gift in cash, which two witnesses have counted; `cash` is 1020 or its leaf."""
    return bank_gift(leaf=cash, gift=gift, fund=fund, donation=donation)


def cash_banked(
    *, cash: str, leaf: str, shares: Shares, missing: Shares | None = None, surplus: Money | None = None
) -> list[Posting]:
    """Cash in hand paid in at the bank; `missing` is what the bank counted less, by fund, `surplus` what it did more.

    Missing cash is a loss of its funds; a surplus is nobody's gift: other income of `general`.
    """
    postings = moved(shares, source=cash, target=leaf)
    for fund, lost in sorted((missing or {}).items()):
        if lost.minor:
            postings += [debit(LOSSES, lost, fund), paid_out(cash, lost, fund)]
    if surplus is not None:
        postings += [paid_in(leaf, surplus, GENERAL), credit(INTEREST, surplus, GENERAL)]
    return balanced(*postings)
