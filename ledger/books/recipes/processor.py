"""The recipes of the card processor: gifts by card, refunds, disputes, payouts, top-ups and reserves.

`leaf` is the leaf of 1100, `transit` that of 1050 in the same currency.
"""

from ledger.books.postings import Posting, credit, debit
from ledger.books.recipes.codes import (
    DISPUTE_FEES,
    DISPUTES_RECEIVABLE,
    DONATION_REFUNDS,
    DONATIONS,
    DONOR_REFUNDS_PAYABLE,
    GENERAL,
    LOSSES,
    LOST_DISPUTES,
    PROCESSING_FEES,
    RESERVED,
)
from ledger.books.recipes.legs import (
    Place,
    Shares,
    arrived,
    balanced,
    exchanged,
    left,
    moved,
    paid_out,
    require_same_funds,
)
from ledger.money import Money


def card_gift(*, leaf: str, gift: Money, fee: Money, fund: str, donation: str, net_of_costs: bool) -> list[Posting]:
    """A card gift with the processor's fee, which may be zero.

    The gift is income in full. The fee is borne by `general`, or by the gift when its purpose text says "net of costs".
    """
    bearer = fund if net_of_costs else GENERAL
    income = credit(DONATIONS, gift, fund, subject=donation)
    if not fee.minor:
        return balanced(debit(leaf, gift, fund), income)
    if bearer != fund:
        borne = [debit(PROCESSING_FEES, fee, bearer), income, credit(leaf, fee, bearer)]
        return balanced(debit(leaf, gift, fund), *borne)
    costs = [debit(PROCESSING_FEES, fee, fund), income]
    if fee < gift:
        return balanced(debit(leaf, gift - fee, fund), *costs)
    return balanced(*costs, credit(leaf, fee - gift, fund)) if gift < fee else balanced(*costs)


def processor_fee(*, leaf: str, fee: Money) -> list[Posting]:
    """A fee that the processor takes by itself; `general` bears it."""
    return balanced(debit(PROCESSING_FEES, fee, GENERAL), credit(leaf, fee, GENERAL))


def processor_fee_returned(*, leaf: str, fee: Money) -> list[Posting]:
    """A fee that the processor gives back."""
    return balanced(debit(leaf, fee, GENERAL), credit(PROCESSING_FEES, fee, GENERAL))


def lost_at_processor(*, leaf: str, loss: Money) -> list[Posting]:
    """Money that the processor took and nobody can say for what; `general` bears it."""
    return balanced(debit(LOSSES, loss, GENERAL), credit(leaf, loss, GENERAL))


def processor_loss_returned(*, leaf: str, loss: Money) -> list[Posting]:
    """Of such a loss something comes back."""
    return balanced(debit(leaf, loss, GENERAL), credit(LOSSES, loss, GENERAL))


def gift_refunded(*, leaf: str, refund: Money, fund: str, donation: str, spent: Money | None = None) -> list[Posting]:
    """A card gift, or a part of it, given back; `spent` is what that took when the leaf has another currency."""
    return exchanged(debit(DONATION_REFUNDS, refund, fund, subject=donation), credit(leaf, spent or refund, fund))


def refund_cancelled(*, leaf: str, refund: Money, fund: str, donation: str, came: Money | None = None) -> list[Posting]:
    """A refund taken back before it reached the donor: the gift stands again; `came` is in the leaf's currency."""
    return exchanged(debit(leaf, came or refund, fund), credit(DONATION_REFUNDS, refund, fund, subject=donation))


def refund_failed(*, leaf: str, refund: Money, fund: str, donation: str) -> list[Posting]:
    """A refund that did not reach the donor's card: the money is back, and still owed."""
    return balanced(debit(leaf, refund, fund), credit(DONOR_REFUNDS_PAYABLE, refund, fund, subject=donation))


def refund_paid_by_bank(
    *, leaf: Place, refund: Money, fund: str, donation: str, spent: Money | None = None
) -> list[Posting]:
    """A failed refund sent from the bank; `spent` is what it cost when the bank's leaf has another currency."""
    owed = debit(DONOR_REFUNDS_PAYABLE, refund, fund, subject=donation)
    return exchanged(owed, paid_out(leaf, spent or refund, fund))


def gift_disputed(*, leaf: str, withdrawn: Money, fee: Money, fund: str, dispute: str) -> list[Posting]:
    """A card gift that its giver's bank calls back: receivable until it is won or lost; `general` bears the fee."""
    taken = [debit(DISPUTES_RECEIVABLE, withdrawn, fund, subject=dispute), credit(leaf, withdrawn, fund)]
    if not fee.minor:
        return balanced(*taken)
    return balanced(*taken, debit(DISPUTE_FEES, fee, GENERAL), credit(leaf, fee, GENERAL))


def dispute_won(
    *, leaf: str, returned: Money, fee_returned: Money, fund: str, dispute: str, was_lost: bool = False
) -> list[Posting]:
    """A dispute decided for the fund, or a part of it; `fee_returned` is zero where the processor keeps its fee.

    One that somebody had said was lost raises the income again that it had lowered.
    """
    account = LOST_DISPUTES if was_lost else DISPUTES_RECEIVABLE
    back = [debit(leaf, returned, fund), credit(account, returned, fund, subject=dispute)]
    if not fee_returned.minor:
        return balanced(*back)
    return balanced(*back, debit(leaf, fee_returned, GENERAL), credit(DISPUTE_FEES, fee_returned, GENERAL))


def dispute_lost(*, withdrawn: Money, fund: str, dispute: str) -> list[Posting]:
    """A dispute decided for the giver: what was receivable lowers the income of its fund."""
    return balanced(
        debit(LOST_DISPUTES, withdrawn, fund, subject=dispute),
        credit(DISPUTES_RECEIVABLE, withdrawn, fund, subject=dispute),
    )


def payout_created(*, leaf: str, transit: str, shares: Shares) -> list[Posting]:
    """Money leaves the processor's leaf for the bank, each fund with its share; a share may be below zero."""
    return moved(shares, source=leaf, target=transit)


def payout_arrived(*, transit: str, bank: str, shares: Shares, came: Shares | None = None) -> list[Posting]:
    """A payout is seen at the bank, with the shares it was created with; `came` when it came in another currency."""
    if came is None:
        return moved(shares, source=transit, target=bank)
    require_same_funds(came, shares)
    return exchanged(*arrived(bank, came), *left(transit, shares))


def payout_failed(*, leaf: str, transit: str, shares: Shares) -> list[Posting]:
    """A payout that the processor takes back onto its leaf, whether or not the bank has seen it."""
    return moved(shares, source=transit, target=leaf)


def payout_pulled_back(*, transit: str, bank: str, shares: Shares, went: Shares | None = None) -> list[Posting]:
    """A payout that the bank gives back to the processor; `went` when it went in another currency."""
    if went is None:
        return moved(shares, source=bank, target=transit)
    require_same_funds(shares, went)
    return exchanged(*arrived(transit, shares), *left(bank, went))


def top_up_sent(*, transit: str, bank: str, shares: Shares) -> list[Posting]:
    """Money leaves the bank for the processor."""
    return moved(shares, source=bank, target=transit)


def top_up_arrived(*, leaf: str, transit: str, shares: Shares) -> list[Posting]:
    """A top-up is on the processor's leaf."""
    return moved(shares, source=transit, target=leaf)


def top_up_reversed(*, leaf: str, transit: str, shares: Shares) -> list[Posting]:
    """The processor gives a top-up back: it is on its way to the bank."""
    return moved(shares, source=leaf, target=transit)


def reserve_taken(*, leaf: str, shares: Shares, reserve: str = RESERVED) -> list[Posting]:
    """The processor sets money aside against disputes to come."""
    return moved(shares, source=leaf, target=reserve)


def reserve_returned(*, leaf: str, shares: Shares, reserve: str = RESERVED) -> list[Posting]:
    """The processor gives back what it had set aside."""
    return moved(shares, source=reserve, target=leaf)
