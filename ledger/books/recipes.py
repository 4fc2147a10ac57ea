"""The posting recipes: one function an event. They are pure: facts in, postings out.

Every one balances per currency and fund: costs of one fund borne by another move as two lines on the pooled leaf.
"""

from ledger.books.postings import Posting, credit, debit
from ledger.money import Money

GENERAL = "general"
"""The fund that bears costs unless the purpose text says otherwise."""
UNASSIGNED = "unassigned"
"""The fund of money whose purpose is not known yet."""
APPROVED_ASSISTANCE = "2100"
DONATIONS = "4000"
UNIDENTIFIED = "2000"
PROCESSING_FEES = "6000"
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
