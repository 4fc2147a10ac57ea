"""Forms: the direction, the fee and the references that the recipe of each category asks a movement for."""

from ledger.books.postings import LARGEST_POSTING_MINOR
from ledger.giving.movements import Category, Movement

_PREFIXES = {
    Category.CHARGE: ("ch_", "py_"),
    Category.REFUND: ("re_", "pyr_"),
    Category.PARTIAL_CAPTURE: ("re_", "pyr_", "ch_", "py_"),
    Category.CHARGE_FAILURE: ("re_", "pyr_", "ch_", "py_"),
    Category.REFUND_FAILURE: ("re_", "pyr_"),
    Category.DISPUTE: ("dp_", "du_"),
    Category.DISPUTE_REVERSAL: ("dp_", "du_"),
    Category.PAYOUT: ("po_",),
    Category.PAYOUT_REVERSAL: ("po_",),
    Category.TOP_UP: ("tu_",),
    Category.TOP_UP_REVERSAL: ("tu_",),
}
"""How the processor's ids of each category's source begin."""
_OF_CHARGES = (
    Category.CHARGE,
    Category.REFUND,
    Category.PARTIAL_CAPTURE,
    Category.CHARGE_FAILURE,
    Category.REFUND_FAILURE,
    Category.DISPUTE,
    Category.DISPUTE_REVERSAL,
)
_COMING_IN = {
    Category.CHARGE,
    Category.REFUND_FAILURE,
    Category.DISPUTE_REVERSAL,
    Category.TOP_UP,
    Category.MINIMUM_RELEASED,
}
_GOING_OUT = {
    Category.REFUND,
    Category.PARTIAL_CAPTURE,
    Category.CHARGE_FAILURE,
    Category.DISPUTE,
    Category.TOP_UP_REVERSAL,
    Category.MINIMUM_HELD,
}
_EITHER_WAY = {Category.PAYOUT, Category.PAYOUT_REVERSAL}
"""What refunds and fees leave below zero the processor takes from the bank, and calls a payout too."""
_FEE_ABOVE_ZERO = {Category.CHARGE, Category.DISPUTE}
_FEE_BELOW_ZERO = {Category.DISPUTE_REVERSAL}


def has_recipe(movement: Movement) -> bool:
    """Whether a movement of a known category has the direction, the fee and the references that its recipe asks for.

    One of an amount that no line of an entry holds has none: it waits, and holds nothing up.
    """
    category, gross, fee = movement.category, movement.gross.minor, movement.fee.minor
    is_too_large = max(abs(gross), abs(fee), abs(movement.net.minor)) > LARGEST_POSTING_MINOR
    wrong_way = (category in _COMING_IN and gross <= 0) or (category in _GOING_OUT and gross >= 0)
    if is_too_large or wrong_way or (category in _EITHER_WAY and not gross):
        return False
    if (category in _FEE_ABOVE_ZERO and fee < 0) or (category in _FEE_BELOW_ZERO and fee > 0):
        return False
    if category in {Category.FEE, Category.TAX, Category.NETWORK_COST}:
        return gross != 0 and fee == 0
    if category in _PREFIXES and not (movement.source or "").startswith(_PREFIXES[Category(category)]):
        return False
    if category == Category.CHARGE:
        return movement.charge == movement.source
    return category not in _OF_CHARGES or (movement.charge or "").startswith(_PREFIXES[Category.CHARGE])
