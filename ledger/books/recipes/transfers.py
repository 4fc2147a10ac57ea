"""The recipes of money between currencies and between funds."""

from ledger.books.postings import Posting, credit, debit
from ledger.books.recipes.codes import TRANSFERS
from ledger.books.recipes.legs import (
    BadFacts,
    Place,
    Shares,
    arrived,
    balanced,
    between_funds,
    exchanged,
    left,
    moved,
    paid_in,
    paid_out,
    require_exchange,
    require_same_funds,
)
from ledger.money import Money


def currency_converted(*, source: Place, target: Place, sold: Shares, bought: Shares) -> list[Posting]:
    """A bank changes what each fund `sold` at one leaf into what it has `bought` at another."""
    require_same_funds(bought, sold)
    require_exchange(bought, sold)
    return exchanged(*arrived(target, bought), *left(source, sold))


def conversion_left(*, source: Place, transit: Place, sold: Shares) -> list[Posting]:
    """What each fund has `sold` has left a leaf, and nothing is known yet of what it bought.

    `currency_converted` from `transit` follows, or has come before: banks show the two sides in any order.
    """
    return moved(sold, source=source, target=transit)


def moved_between_funds(*, leaf: Place, amount: Money, giver: str, taker: str) -> list[Posting]:
    """The net assets of `giver` are those of `taker` from now on, and the money on the pooled leaf with them.

    Raises:
        BadFacts: the two funds are one, or what `balanced` refuses.
    """
    _require_two_funds(giver, taker)
    return balanced(
        debit(TRANSFERS, amount, giver),
        *between_funds(leaf, amount, giver=giver, taker=taker),
        credit(TRANSFERS, amount, taker),
    )


def shares_settled(
    *, leaf: Place, amount: Money, price_leaf: Place, price: Money, giver: str, taker: str
) -> list[Posting]:
    """Two funds settle their shares by paired lines: `giver` leaves `amount` on one leaf to `taker` for its `price`.

    No net assets move: at the day's rate the price is worth the amount. In one currency it is the amount.

    Raises:
        BadFacts: the two funds are one, or what `exchanged` refuses.
    """
    _require_two_funds(giver, taker)
    return exchanged(
        paid_in(leaf, amount, taker),
        paid_out(price_leaf, price, taker),
        paid_in(price_leaf, price, giver),
        paid_out(leaf, amount, giver),
    )


def _require_two_funds(giver: str, taker: str) -> None:
    if giver == taker:
        raise BadFacts("giver and taker are one fund", where="fund")
