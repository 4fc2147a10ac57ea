"""The two sides of a conversion as the bank shows them: what left, what arrived, in any order, each booked as it comes.

Between the two the money is in transit: it has left a leaf, or has arrived, and the other statement is not there yet.
"""

from datetime import date, datetime, timedelta
from fractions import Fraction

from sqlmodel import Session, select

from ledger import exceptions
from ledger.books import holds, journal, recipes
from ledger.books.postings import Posting
from ledger.exceptions import Difference
from ledger.money import Money
from ledger.storage.locks import locked
from ledger.treasury import conversions
from ledger.treasury.conversions import Conversion, ConversionNotReady, State

LONGEST_WAY = timedelta(days=10)
"""How long after its release a conversion is still looked for among the bank's lines without a reference."""


def difference(conversion: Conversion, *, account: str, moved: Money) -> Difference | None:
    """Why what the bank says `moved` on a leaf is no side of a conversion, or None; above zero it came in."""
    shown = conversion.left_key if moved.minor < 0 else conversion.arrived_key
    if moved.minor < 0 and (account, -moved) != (conversion.source_code, conversion.sold()):
        return Difference.AMOUNT_DIFFERS
    if moved.minor > 0 and account != conversion.target_code:
        return Difference.PAYMENT_RETURNED if account == conversion.source_code else Difference.AMOUNT_DIFFERS
    return None if conversion.state is State.RELEASED and shown is None else Difference.NOT_RELEASED


def book(
    session: Session,
    conversion: Conversion,
    *,
    source_key: str,
    moved: Money,
    on: date,
    recorded_at: datetime,
    recorded_by: str,
) -> journal.Posted:
    """Books the side of a released conversion that the bank shows: it left, or, above zero, it arrived.

    What arrived is shared as what left was. Farther from what was expected than `FARTHEST`, it opens an exception.

    Raises:
        ConversionNotReady: it is not released, or the side was shown before.
    """
    left = moved.minor < 0
    conversions.require_state(conversion, State.RELEASED)
    if (conversion.left_key if left else conversion.arrived_key) is not None:
        raise ConversionNotReady("the bank has shown this side", conversion=conversion.alias, state=conversion.state)
    if left:
        conversion.left_key = source_key
    else:
        conversion.arrived_key, conversion.arrived_minor = source_key, moved.minor
    both = conversion.left_key is not None and conversion.arrived_key is not None
    conversions.move(session, conversion, State.DONE if both else State.RELEASED)
    if left:
        order = conversions.order_of(conversion)
        holds.capture(session, order.source_key, order.amount, source_key=source_key, on=on)
    elif not is_near(conversion, moved):
        exceptions.open_once(
            session,
            difference=Difference.AMOUNT_DIFFERS,
            account=conversion.target_code,
            about=source_key,
            amount=moved - conversion.expected(),
            on=recorded_at.date(),
        )
    return journal.post(
        session,
        source_key=source_key,
        kind="conversion_left" if left else "conversion_arrived",
        postings=left_postings(session, conversion) if left else arrived_postings(session, conversion),
        happened_on=on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )


def left_postings(session: Session, conversion: Conversion) -> list[Posting]:
    """How it is booked that the money has left its leaf: it is in transit."""
    return recipes.conversion_left(
        source=conversion.source_code, transit=conversion.transit_code, sold=conversions.shares_of(session, conversion)
    )


def arrived_postings(session: Session, conversion: Conversion) -> list[Posting]:
    """How it is booked that what was bought has arrived, once it has."""
    sold = conversions.shares_of(session, conversion)
    came = recipes.apportion(conversion.arrived_minor or 0, by={fund: share.minor for fund, share in sold.items()})
    bought = {fund: Money(minor, conversion.expected_currency) for fund, minor in came.items()}
    return recipes.currency_converted(
        source=conversion.transit_code, target=conversion.target_code, sold=sold, bought=bought
    )


def candidates(session: Session, *, account: str, moved: Money, on: date, exactly: bool) -> list[Conversion]:
    """The released conversions of which a line without a reference can be the side that the bank has not shown yet.

    What arrives is what was expected, or, unless `exactly`, not farther from it than `FARTHEST`.
    """
    query = select(Conversion).where(
        Conversion.state == State.RELEASED, (Conversion.source_code == account) | (Conversion.target_code == account)
    )
    return [
        one
        for one in sorted(session.exec(locked(query)), key=lambda one: one.alias)
        if one.released_on is not None
        and one.released_on <= on <= one.released_on + LONGEST_WAY
        and difference(one, account=account, moved=moved) is None
        and (moved.minor < 0 or moved == one.expected() or (not exactly and is_near(one, moved)))
    ]


def is_near(conversion: Conversion, moved: Money) -> bool:
    """Whether what arrived is not farther from what was expected than `FARTHEST`; what left always is exact."""
    return moved.minor < 0 or not conversions.differs(Fraction(moved.minor), Fraction(conversion.expected_minor))
