"""The recipes of assistance: recognised, paid, cancelled, quashed, and what comes back of it.

A place is the leaf of a bank, cash in hand, or the purse of an agent. `earlier_year` compares the fiscal year of the
expense with that of this entry.
"""

from datetime import date

from ledger.books.postings import Posting, credit, debit
from ledger.books.recipes.codes import (
    APPROVED_ASSISTANCE,
    DETENTION_COSTS,
    EARLIER_YEARS,
    FINES,
    LEGAL_AID,
    LOSSES,
    RECOVERABLE,
    RECOVERIES,
    REFUNDS_RECEIVABLE,
)
from ledger.books.recipes.legs import BadFacts, Place, balanced, exchanged, paid_in, paid_out
from ledger.money import Money

AID_EXPENSE = {"fine": FINES, "detention": DETENTION_COSTS, "court_fee": LEGAL_AID}
"""The expense account of each kind of obligation that is no bail."""


def aid_recognised(*, kind: str, amount: Money, fund: str, obligation: str, case: str) -> list[Posting]:
    """Assistance approved, its ruling in force, the beneficiary told: expense against approved assistance."""
    named = {"subject": obligation, "case": case}
    return balanced(debit(_expense(kind), amount, fund, **named), credit(APPROVED_ASSISTANCE, amount, fund, **named))


def aid_paid(
    *, leaf: Place, amount: Money, fund: str, obligation: str, case: str, spent: Money | None = None
) -> list[Posting]:
    """Recognised assistance paid to the authority or to the beneficiary.

    `spent` is what left the leaf for `amount`, when the leaf has another currency.
    """
    settled = debit(APPROVED_ASSISTANCE, amount, fund, subject=obligation, case=case)
    return exchanged(settled, paid_out(leaf, spent or amount, fund, case=case))


def aid_payment_returned(
    *, leaf: Place, amount: Money, fund: str, obligation: str, case: str, came: Money | None = None
) -> list[Posting]:
    """A payment that the bank has returned: `amount` is owed again, `came` is what arrived in another currency."""
    owed = credit(APPROVED_ASSISTANCE, amount, fund, subject=obligation, case=case)
    return exchanged(paid_in(leaf, came or amount, fund, case=case), owed)


def aid_cancelled(
    *, kind: str, amount: Money, fund: str, obligation: str, case: str, rate_on: date, earlier_year: bool
) -> list[Posting]:
    """Recognised assistance that is not owed any more: the expense is taken back, or recovered in a later year.

    `rate_on` is the day of the recognition: within its year it gives the expense back at the rate it was taken at.
    """
    named = {"subject": obligation, "case": case}
    expense = _expense(kind)
    if earlier_year:
        return balanced(debit(APPROVED_ASSISTANCE, amount, fund, **named), credit(EARLIER_YEARS, amount, fund, **named))
    return balanced(
        debit(APPROVED_ASSISTANCE, amount, fund, **named, rate_on=rate_on),
        credit(expense, amount, fund, **named, rate_on=rate_on),
    )


def refund_due(*, kind: str, amount: Money, fund: str, obligation: str, case: str, earlier_year: bool) -> list[Posting]:
    """What was paid for a ruling that was quashed: the authority has confirmed that it owes it back."""
    named = {"subject": obligation, "case": case}
    return balanced(
        debit(REFUNDS_RECEIVABLE, amount, fund, **named),
        credit(_recovery(kind, earlier_year=earlier_year), amount, fund, **named),
    )


def refund_paid_unannounced(
    *,
    leaf: Place,
    kind: str,
    amount: Money,
    fund: str,
    obligation: str,
    case: str,
    earlier_year: bool,
    came: Money | None = None,
) -> list[Posting]:
    """What was paid for a ruling that was quashed: the authority pays it back, and had not said that it would."""
    recovered = _recovery(kind, earlier_year=earlier_year)
    return exchanged(
        paid_in(leaf, came or amount, fund, case=case), credit(recovered, amount, fund, subject=obligation, case=case)
    )


def refund_received(
    *, leaf: Place, amount: Money, fund: str, obligation: str, case: str, came: Money | None = None
) -> list[Posting]:
    """The authority has paid back what it owed: `amount` of it, which `came` in another currency."""
    received = credit(REFUNDS_RECEIVABLE, amount, fund, subject=obligation, case=case)
    return exchanged(paid_in(leaf, came or amount, fund, case=case), received)


def refund_kept_by_beneficiary(*, amount: Money, fund: str, obligation: str, case: str) -> list[Posting]:
    """The authority has paid it back to the beneficiary, from whom it is recoverable now."""
    named = {"subject": obligation, "case": case}
    return balanced(debit(RECOVERABLE, amount, fund, **named), credit(REFUNDS_RECEIVABLE, amount, fund, **named))


def recoverable_waived(*, kind: str, amount: Money, fund: str, obligation: str, case: str) -> list[Posting]:
    """What the beneficiary holds, or a payee has rightly kept, is left to them: approved like any assistance."""
    named = {"subject": obligation, "case": case}
    return balanced(debit(_expense(kind), amount, fund, **named), credit(RECOVERABLE, amount, fund, **named))


def duplicate_acknowledged(
    *, kind: str, amount: Money, fund: str, obligation: str, case: str, earlier_year: bool
) -> list[Posting]:
    """Another organisation has paid the same obligation and says that it owes the fund its part."""
    named = {"subject": obligation, "case": case}
    recovered = _recovery(kind, earlier_year=earlier_year)
    return balanced(debit(RECOVERABLE, amount, fund, **named), credit(recovered, amount, fund, **named))


def recoverable_repaid(
    *, leaf: Place, amount: Money, fund: str, obligation: str, case: str, came: Money | None = None
) -> list[Posting]:
    """The other organisation, or the beneficiary, repays `amount`, which `came` in another currency."""
    repaid = credit(RECOVERABLE, amount, fund, subject=obligation, case=case)
    return exchanged(paid_in(leaf, came or amount, fund, case=case), repaid)


def money_to_come_back(*, leaf: Place, amount: Money, fund: str, obligation: str, case: str) -> list[Posting]:
    """Money that left, or did not come back with the rest, and is no payment: who has it owes it to the fund."""
    owed = debit(RECOVERABLE, amount, fund, subject=obligation, case=case)
    return balanced(owed, paid_out(leaf, amount, fund, case=case))


def recoverable_lost(
    *, amount: Money, fund: str, obligation: str, case: str, by_authority: bool = False
) -> list[Posting]:
    """What an authority, an organisation or somebody else owes the fund will not come."""
    gone = credit(REFUNDS_RECEIVABLE if by_authority else RECOVERABLE, amount, fund, subject=obligation, case=case)
    return balanced(debit(LOSSES, amount, fund, case=case), gone)


def _expense(kind: str) -> str:
    if kind not in AID_EXPENSE:
        raise BadFacts("assistance is a fine, detention or a court fee; bail is no expense", where="kind")
    return AID_EXPENSE[kind]


def _recovery(kind: str, *, earlier_year: bool) -> str:
    _expense(kind)
    return EARLIER_YEARS if earlier_year else f"{RECOVERIES}:{kind}"
