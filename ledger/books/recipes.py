"""The posting recipes: one function an event. They are pure: facts in, postings out.

Every one balances per currency and fund: costs of one fund borne by another move as two lines on the pooled leaf.
"""

from collections.abc import Mapping
from datetime import date

from ledger.books.postings import Posting, credit, debit
from ledger.money import Money

GENERAL = "general"
"""The fund that bears costs unless the purpose text says otherwise."""
UNASSIGNED = "unassigned"
"""The fund of money whose purpose is not known yet."""
APPROVED_ASSISTANCE = "2100"
DONATIONS = "4000"
DONATION_REFUNDS = "4190"
DISPUTES_RECEIVABLE = "1150"
UNIDENTIFIED = "2000"
PROCESSING_FEES = "6000"
REFUNDS_RECEIVABLE = "1350"
RECOVERIES = "5900"
EARLIER_YEARS = "4200"
DISPUTE_FEES = "6010"
AID_EXPENSE = {"fine": "5000", "detention": "5100", "court_fee": "5200"}
"""The expense account of each kind of obligation that is no bail."""


def card_gift(*, leaf: str, gift: Money, fee: Money, fund: str, donation: str, net_of_costs: bool) -> list[Posting]:
    """A card gift with the processor's fee; `leaf` is the 1100 leaf of the gift's currency.

    The gift is income in full. The fee is borne by `general`, or by the gift when its purpose text says "net of costs".
    """
    bearer = fund if net_of_costs else GENERAL
    income = credit(DONATIONS, gift, fund, subject=donation)
    if not fee.minor:
        return [debit(leaf, gift, fund), income]
    if bearer == fund:
        costs = [debit(PROCESSING_FEES, fee, fund), income]
        if fee < gift:
            return [debit(leaf, gift - fee, fund), *costs]
        return [*costs, credit(leaf, fee - gift, fund)] if gift < fee else costs
    return [debit(leaf, gift, fund), debit(PROCESSING_FEES, fee, bearer), income, credit(leaf, fee, bearer)]


def processor_fee(*, leaf: str, fee: Money) -> list[Posting]:
    """A fee that the processor takes by itself; `general` bears it."""
    return [debit(PROCESSING_FEES, fee, GENERAL), credit(leaf, fee, GENERAL)]


def processor_fee_returned(*, leaf: str, fee: Money) -> list[Posting]:
    """A fee that the processor gives back."""
    return [debit(leaf, fee, GENERAL), credit(PROCESSING_FEES, fee, GENERAL)]


def gift_refunded(*, leaf: str, refund: Money, fund: str, donation: str) -> list[Posting]:
    """A card gift, or a part of it, given back; `fund` is the gift's."""
    return [debit(DONATION_REFUNDS, refund, fund, subject=donation), credit(leaf, refund, fund)]


def gift_disputed(*, leaf: str, withdrawn: Money, fee: Money, fund: str, dispute: str) -> list[Posting]:
    """A card gift that its giver's bank calls back: receivable until it is won or lost; `general` bears the fee."""
    taken = [debit(DISPUTES_RECEIVABLE, withdrawn, fund, subject=dispute), credit(leaf, withdrawn, fund)]
    if not fee.minor:
        return taken
    return [*taken, debit(DISPUTE_FEES, fee, GENERAL), credit(leaf, fee, GENERAL)]


def payout_created(*, leaf: str, transit: str, shares: Mapping[str, Money]) -> list[Posting]:
    """Money leaves the processor's leaf for the bank, each fund with its share; a share may be below zero."""
    return _moved(shares, source=leaf, target=transit)


def payout_arrived(*, transit: str, bank: str, shares: Mapping[str, Money]) -> list[Posting]:
    """A payout is seen at the bank, with the shares it was created with."""
    return _moved(shares, source=transit, target=bank)


def bank_gift(*, leaf: str, gift: Money, fund: str, donation: str) -> list[Posting]:
    """A gift seen at the bank whose purpose is known."""
    return [debit(leaf, gift, fund), credit(DONATIONS, gift, fund, subject=donation)]


def bank_gift_unidentified(*, leaf: str, gift: Money, donation: str) -> list[Posting]:
    """Money seen at the bank, nobody knows yet what for: a liability in the fund `unassigned`."""
    return [debit(leaf, gift, UNASSIGNED), credit(UNIDENTIFIED, gift, UNASSIGNED, subject=donation)]


def aid_recognised(*, kind: str, amount: Money, fund: str, obligation: str, case: str) -> list[Posting]:
    """Assistance approved, its ruling in force, the beneficiary told: expense against approved assistance."""
    named = {"subject": obligation, "case": case}
    return [debit(AID_EXPENSE[kind], amount, fund, **named), credit(APPROVED_ASSISTANCE, amount, fund, **named)]


def aid_paid(*, leaf: str, amount: Money, fund: str, obligation: str, case: str) -> list[Posting]:
    """Recognised assistance paid from the bank, to the authority or to the beneficiary."""
    return [
        debit(APPROVED_ASSISTANCE, amount, fund, subject=obligation, case=case),
        credit(leaf, amount, fund, case=case),
    ]


def aid_cancelled(
    *, kind: str, amount: Money, fund: str, obligation: str, case: str, rate_on: date, earlier_year: bool
) -> list[Posting]:
    """Recognised assistance that is not owed any more: the expense is taken back, or recovered in a later year.

    `rate_on` is the day of the recognition: within its year it gives the expense back at the rate it was taken at.
    """
    named = {"subject": obligation, "case": case}
    if earlier_year:
        return [debit(APPROVED_ASSISTANCE, amount, fund, **named), credit(EARLIER_YEARS, amount, fund, **named)]
    return [
        debit(APPROVED_ASSISTANCE, amount, fund, **named, rate_on=rate_on),
        credit(AID_EXPENSE[kind], amount, fund, **named, rate_on=rate_on),
    ]


def refund_due(*, kind: str, amount: Money, fund: str, obligation: str, case: str, earlier_year: bool) -> list[Posting]:
    """What was paid for a ruling that was quashed: the authority owes it back."""
    named = {"subject": obligation, "case": case}
    income = EARLIER_YEARS if earlier_year else f"{RECOVERIES}:{kind}"
    return [debit(REFUNDS_RECEIVABLE, amount, fund, **named), credit(income, amount, fund, **named)]


def refund_received(*, leaf: str, amount: Money, fund: str, obligation: str, case: str) -> list[Posting]:
    """The authority has paid it back to the bank."""
    return [
        debit(leaf, amount, fund, case=case),
        credit(REFUNDS_RECEIVABLE, amount, fund, subject=obligation, case=case),
    ]


def _moved(shares: Mapping[str, Money], *, source: str, target: str) -> list[Posting]:
    """From one pooled leaf to another, fund by fund; a share below zero moves the other way."""
    postings = []
    for fund, share in sorted(shares.items()):
        if share.minor > 0:
            postings += [debit(target, share, fund), credit(source, share, fund)]
        elif share.minor:
            postings += [debit(source, -share, fund), credit(target, -share, fund)]
    return postings
