"""Premises: what every entry rests on (accounts, funds, closed months), read together, once per transaction."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from sqlmodel import Session

from ledger.books import accounts, funds, periods
from ledger.books.accounts import Leaf
from ledger.books.postings import Posting
from ledger.storage.driver import driver_of, told_shortly

_LOOK = """
    SELECT 'account', code, parent_code, currency, subject, pooled, closed,
           EXISTS (SELECT 1 FROM account AS below WHERE below.parent_code = account.code), CAST(NULL AS date)
    FROM account WHERE code {among}
    UNION ALL SELECT 'fund', code, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM fund
    UNION ALL SELECT 'month', NULL, NULL, NULL, NULL, NULL, NULL, NULL, max(last_day) FROM closed_month
    UNION ALL SELECT 'soft month', NULL, NULL, NULL, NULL, NULL, NULL, NULL, max(last_day) FROM soft_closed_month
"""
LOOK_UP = {
    "sqlite": _LOOK.format(among="IN (SELECT value FROM json_each(?))"),
    "postgresql": _LOOK.format(among="IN (SELECT json_array_elements_text(%s))"),
}
"""The statement of each database; its one parameter is the codes of the accounts, as JSON."""


class Premises(NamedTuple):
    """The chart (None under a code that is not in it), every fund's code, and the last day that is not open, if any.

    That day was closed for good or softly.
    """

    chart: Mapping[str, Leaf | None]
    funds: Collection[str]
    still_through: date | None


def look_up(session: Session, postings: Sequence[Posting]) -> Premises:
    """What these postings rest on, read by one statement: on PostgreSQL each would be a journey of its own."""
    chart, known_funds = accounts.known(session), funds.known(session)
    missing = {posting.account for posting in postings if posting.account not in chart}
    if missing or not known_funds or not periods.is_known(session):
        _read(session, missing)
    return Premises(chart, known_funds, periods.still_through(session))


def _read(session: Session, codes: Collection[str]) -> None:
    driver = driver_of(session)
    with told_shortly(driver) as connection:
        rows = connection.execute(LOOK_UP[driver.dialect], (json.dumps(sorted(codes)),)).fetchall()
    leaves, all_funds, closed, softly = _parsed(tuple(rows))
    accounts.remember(session, codes, leaves)
    funds.remember(session, all_funds)
    periods.remember(session, closed=closed, softly=softly)


@lru_cache(maxsize=1024)
def _parsed(rows: tuple[tuple[Any, ...], ...]) -> tuple[tuple[Leaf, ...], tuple[str, ...], date | None, date | None]:
    """The same rows come again and again, transaction after transaction: they are read anew, but not built anew."""
    leaves = tuple(_leaf(row) for row in rows if row[0] == "account")
    all_funds = tuple(row[1] for row in rows if row[0] == "fund")
    return leaves, all_funds, _last_day(rows, "month"), _last_day(rows, "soft month")


def _last_day(rows: Sequence[tuple[Any, ...]], of: str) -> date | None:
    (last_day,) = (row[8] for row in rows if row[0] == of)
    return date.fromisoformat(last_day) if isinstance(last_day, str) else last_day


def _leaf(row: Sequence[Any]) -> Leaf:
    _, code, parent_code, currency, subject, pooled, closed, has_leaves, _ = row
    return Leaf(code, parent_code, currency, subject, bool(pooled), bool(closed), bool(has_leaves))
