"""Retention of payees: to whom a repayment of an outlay was sent is proposed for erasure after the policy's months."""

import tomllib
from datetime import date
from functools import cache
from importlib import resources

from sqlmodel import Session, col, select

from ledger.aid.outlays import Repayment
from ledger.books.periods import months_later
from ledger.identities.erasure import Erasure
from ledger.identities.shelves import PersonKey

_AT_ONCE = 500


def due(session: Session, *, on: date, after: str, limit: int) -> list[tuple[str, date]]:
    """Up to `limit` repayments whose payees are due on the day `on`, by alias, after `after`; and since when."""
    found: list[tuple[str, date]] = []
    while len(found) < limit:
        query = select(Repayment).where(
            Repayment.alias > after,
            col(Repayment.alias).in_(select(PersonKey.alias)),
            col(Repayment.alias).not_in(select(Erasure.shelf_alias)),
        )
        page = session.exec(query.order_by(Repayment.alias).limit(_AT_ONCE)).all()
        if not page:
            break
        after = page[-1].alias
        found += [(one.alias, until) for one in page if (until := kept_until(one)) is not None and until <= on]
    return found[:limit]


def kept_until(repayment: Repayment) -> date | None:
    """The first day on which its payee is due; None while the bank may still be told, or has still to show it."""
    ended_on = repayment.paid_on or repayment.cancelled_on
    return None if ended_on is None else months_later(ended_on, _months())


@cache
def _months() -> int:
    policy = tomllib.loads(resources.files("ledger.aid").joinpath("retention.toml").read_text("utf-8"))
    return int(policy["repayment_payee_months"])
