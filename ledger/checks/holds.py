"""Checks of holds: none gives more than it has, and what stands is what promises and orders to the bank need."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, SQLModel, col

from ledger.aid import advances, disbursements, obligations, outlays
from ledger.aid.advances import Advance
from ledger.aid.disbursements import BANK, Disbursement
from ledger.aid.obligations import Obligation
from ledger.aid.outlays import Repayment
from ledger.books import recipes
from ledger.books.holds import Hold, HoldMovement, Move, Reserve
from ledger.checks.findings import Check, Fact, Finding, Tell, paged
from ledger.giving import gift_returns, refund_orders
from ledger.giving.gift_returns import GiftReturn
from ledger.giving.refund_orders import RefundOrder
from ledger.treasury import conversions
from ledger.treasury.conversions import Conversion

_HOLDS = SQLModel.metadata.tables[str(Hold.__tablename__)]
_MOVEMENTS = SQLModel.metadata.tables[str(HoldMovement.__tablename__)]
Needs = Mapping[tuple[Reserve, str], int]
"""By what is reserved and its currency: how much, in minor units."""


def find_overdrawn(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Holds of which more moved than they have, or whose movements are not numbered from one."""
    moved = (
        select(
            _HOLDS.c.held_for, _HOLDS.c.minor, func.sum(_MOVEMENTS.c.minor), func.count(), func.max(_MOVEMENTS.c.number)
        )
        .join(_MOVEMENTS, _MOVEMENTS.c.hold_key == _HOLDS.c.source_key)
        .group_by(_HOLDS.c.source_key, _HOLDS.c.held_for, _HOLDS.c.minor)
    )
    for held_for, minor, total, count, last in session.connection().execute(moved):
        if total > minor or count != last:
            yield Finding("holds", "hold", held_for, {"minor": minor, "moved_minor": int(total), "movements": count})


def find_expired(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Holds that expired though they have no last day, or before it was over."""
    moved = (
        select(_HOLDS.c.held_for, _HOLDS.c.expires_on, _MOVEMENTS.c.moved_on)
        .join(_MOVEMENTS, _MOVEMENTS.c.hold_key == _HOLDS.c.source_key)
        .where(_MOVEMENTS.c.move == Move.EXPIRED)
    )
    for held_for, expires_on, moved_on in session.connection().execute(moved):
        if expires_on is None or moved_on <= expires_on:
            yield Finding("holds-expired", "hold", held_for, {"expires_on": str(expires_on), "on": str(moved_on)})


def find_unheld(
    model: type[Any], needs: Callable[[Any], Needs], session: Session, _tell: Tell, *, check: str, kind: str
) -> Iterator[Finding]:
    """Things for which more or less is held than their state needs."""
    for page in paged(session, model, model.alias):
        left = _left(session, [one.alias for one in page])
        for one in page:
            expected, standing = needs(one), left.get(one.alias, Counter())
            for reserves, currency in sorted({*expected, *standing}):
                needed, held = expected.get((reserves, currency), 0), standing[reserves, currency]
                if needed != held:
                    facts: dict[str, Fact] = {"reserves": reserves, "currency": currency}
                    yield Finding(check, kind, one.alias, facts | {"needed_minor": needed, "held_minor": held})


def find_unheld_refunds(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Refunds by bank for which nothing is held on their leaf while they are under way, less than goes, or afterwards.

    On a leaf of another currency what is held was reckoned at the rates of its day.
    """
    for page in paged(session, RefundOrder, RefundOrder.alias, col(RefundOrder.account_code).is_not(None)):
        left = _left(session, [one.alias for one in page])
        for one in page:
            held = {currency: minor for (_, currency), minor in left.get(one.alias, Counter()).items() if minor}
            is_under_way = one.state is refund_orders.State.APPROVED
            is_enough = held.get(one.currency, one.minor) == one.minor
            if bool(held) != is_under_way or not is_enough:
                yield Finding("refunds-held", "refund_order", one.alias, {"held_minor": sum(held.values())})


def find_unheld_cards(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Refunds by card that are agreed to and not booked, and not held on their fund and leaf; holds of others."""
    for page in paged(session, RefundOrder, RefundOrder.alias, col(RefundOrder.by_bank).is_(False)):
        left = _left(session, [one.alias for one in page])
        for one in page:
            needed = one.minor if refund_orders.is_under_way(session, one) else 0
            held = left.get(one.alias, Counter())
            if any(held[reserves, one.currency] != needed for reserves in (Reserve.LEAF, Reserve.SPENDABLE)):
                facts: dict[str, Fact] = {"needed_minor": needed, "held_minor": held[Reserve.SPENDABLE, one.currency]}
                yield Finding("cards-held", "refund_order", one.alias, facts)


def _left(session: Session, aliases: Sequence[str]) -> dict[str, Counter[tuple[Reserve, str]]]:
    """What is left of the holds for each of these."""
    moved = select(func.sum(_MOVEMENTS.c.minor)).where(_MOVEMENTS.c.hold_key == _HOLDS.c.source_key).scalar_subquery()
    left = _HOLDS.c.minor - func.coalesce(moved, 0)
    query = select(_HOLDS.c.held_for, _HOLDS.c.reserves, _HOLDS.c.currency, left).where(_HOLDS.c.held_for.in_(aliases))
    found: dict[str, Counter[tuple[Reserve, str]]] = {}
    for held_for, reserves, currency, minor in session.connection().execute(query):
        found.setdefault(held_for, Counter())[reserves, currency] += int(minor)
    return found


def _of_obligation(one: Obligation) -> Needs:
    promised = one.state is obligations.State.APPROVED
    return {(Reserve.SPENDABLE, one.currency): one.minor} if promised else {}


def _of_disbursement(one: Disbursement) -> Needs:
    ordered = one.state is disbursements.State.RELEASED and one.account_code.partition(":")[0] == BANK
    return {(Reserve.LEAF, one.currency): one.minor} if ordered else {}


def _of_advance(one: Advance) -> Needs:
    needed = {}
    if one.state in {advances.State.APPROVED, advances.State.RELEASED}:
        needed[Reserve.IN_HAND, one.currency] = one.minor
    if one.state is advances.State.RELEASED:
        needed[Reserve.LEAF, one.currency] = one.minor
    return needed


def _of_repayment(one: Repayment) -> Needs:
    return {(Reserve.LEAF, one.currency): one.minor} if one.state is outlays.State.APPROVED else {}


def _of_gift_return(one: GiftReturn) -> Needs:
    if one.state is not gift_returns.State.APPROVED:
        return {}
    reserved = [Reserve.LEAF, Reserve.SPENDABLE] if one.owed_code == recipes.DONATION_REFUNDS else [Reserve.LEAF]
    return {(reserves, one.currency): one.minor for reserves in reserved}


def _of_conversion(one: Conversion) -> Needs:
    ordered = one.state is conversions.State.RELEASED and one.left_key is None
    return {(Reserve.LEAF, one.currency): one.minor} if ordered else {}


CHECKS = (
    Check("holds", "no hold gives more than it has", find_overdrawn),
    Check("holds-expired", "what expired had a last day, and it was over", find_expired),
    Check(
        "promises-held",
        "every approved and not recognised obligation is held on its fund, and nothing else",
        partial(find_unheld, Obligation, _of_obligation, check="promises-held", kind="obligation"),
    ),
    Check(
        "payments-held",
        "every payment the bank was told of and has not shown is held on its leaf, and nothing else",
        partial(find_unheld, Disbursement, _of_disbursement, check="payments-held", kind="disbursement"),
    ),
    Check(
        "advances-held",
        "every advance agreed to and not sent is held on its funds and its leaf, and nothing else",
        partial(find_unheld, Advance, _of_advance, check="advances-held", kind="advance"),
    ),
    Check(
        "outlays-held",
        "every repayment of an outlay agreed to and not shown by the bank is held on its leaf, and nothing else",
        partial(find_unheld, Repayment, _of_repayment, check="outlays-held", kind="repayment"),
    ),
    Check(
        "conversions-held",
        "every conversion the bank was told of and has not shown to leave is held on its leaf, and nothing else",
        partial(find_unheld, Conversion, _of_conversion, check="conversions-held", kind="conversion"),
    ),
    Check(
        "returns-held",
        "every gift that is agreed to go back and was not shown to leave is held, and nothing else",
        partial(find_unheld, GiftReturn, _of_gift_return, check="returns-held", kind="gift_return"),
    ),
    Check(
        "refunds-held", "every refund by bank that is under way is held on its leaf, and no other", find_unheld_refunds
    ),
    Check(
        "cards-held",
        "every refund by card that is agreed to and not booked is held on its fund and its leaf, and no other",
        find_unheld_cards,
    ),
)
