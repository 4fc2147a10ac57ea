"""Retention of a statement's shelf: what a bank wrote beyond numbers is proposed for erasure after the policy's months.

Beneficiaries have theirs by the jurisdiction's pack (`aid.retention`), agents who were repaid by `aid.payee_retention`,
donors by `giving.donor_retention`; all are erased by the same two signatures.
"""

import tomllib
from datetime import date
from functools import cache
from heapq import merge
from importlib import resources

from sqlmodel import Session, col, select

from ledger.aid import outlays, payee_retention, retention
from ledger.aid.retention import Due, NotDue
from ledger.aliases import Kind, kind_of
from ledger.approvals import Agreed
from ledger.books.periods import months_later
from ledger.giving import donor_retention
from ledger.identities import erasure
from ledger.identities.erasure import Erasure
from ledger.identities.erasure_list import Reason
from ledger.identities.shelves import PersonKey
from ledger.reconciliation.statements import Statement

_AT_ONCE = 500


def due(session: Session, *, on: date, after: str = "", limit: int = 100) -> list[Due]:
    """Up to `limit` people, payees, donors and statements whose shelves need not be kept, by alias, after `after`."""
    found = due_by_kind(session, on=on, after=after, limit=limit)
    return list(merge(*found.values(), key=lambda one: one.shelf))[:limit]


def due_by_kind(session: Session, *, on: date, after: str = "", limit: int = 100) -> dict[str, list[Due]]:
    """The same, up to `limit` of each kind: `beneficiaries`, `payees`, `donors`, `statements`."""
    payees = payee_retention.due(session, on=on, after=after, limit=limit)
    donors = donor_retention.due(session, on=on, after=after, limit=limit)
    return {
        "beneficiaries": retention.due(session, on=on, after=after, limit=limit),
        "payees": [Due(*one) for one in payees],
        "donors": [Due(*one) for one in donors],
        "statements": _statements_due(session, on=on, after=after, limit=limit),
    }


def request_erasure(session: Session, shelf: str, *, reason: Reason, agreed: Agreed) -> Erasure:
    """As `retention.request_erasure`, for a statement's shelf too, and for a donor's.

    Raises:
        NotDue: reasons of retention, and its months are not over. What `retention.request_erasure` raises.
    """
    if kind_of(shelf) is Kind.DONOR:
        until = donor_retention.kept_until(session, [shelf]).get(shelf)
        if reason is Reason.RETENTION and (until is None or until > agreed.now.date()):
            raise NotDue("the time of retention runs", shelf=shelf)
        return erasure.request(session, shelf, reason=reason, agreed=agreed)
    if kind_of(shelf) is Kind.OUTLAY:
        paid_until = payee_retention.kept_until(outlays.require(session, shelf))
        if reason is Reason.RETENTION and (paid_until is None or paid_until > agreed.now.date()):
            raise NotDue("the time of retention runs", shelf=shelf)
        return erasure.request(session, shelf, reason=reason, agreed=agreed)
    if kind_of(shelf) is not Kind.STATEMENT:
        return retention.request_erasure(session, shelf, reason=reason, agreed=agreed)
    statement = session.get(Statement, shelf)
    if reason is Reason.RETENTION and (statement is None or kept_until(statement) > agreed.now.date()):
        raise NotDue("the time of retention runs", shelf=shelf)
    return erasure.request(session, shelf, reason=reason, agreed=agreed)


def kept_until(statement: Statement) -> date:
    """The first day on which a statement's shelf is due: so many months after its last day, or after it came in."""
    return months_later(statement.closed_on or statement.received_at.date(), _statement_months())


def _statements_due(session: Session, *, on: date, after: str, limit: int) -> list[Due]:
    found: list[Due] = []
    while len(found) < limit:
        query = select(Statement).where(
            Statement.alias > after,
            col(Statement.alias).in_(select(PersonKey.alias)),
            col(Statement.alias).not_in(select(Erasure.shelf_alias)),
        )
        page = session.exec(query.order_by(Statement.alias).limit(_AT_ONCE)).all()
        if not page:
            break
        after = page[-1].alias
        found += [Due(one.alias, kept_until(one)) for one in page if kept_until(one) <= on]
    return found[:limit]


@cache
def _statement_months() -> int:
    policy = tomllib.loads(resources.files("ledger.reconciliation").joinpath("retention.toml").read_text("utf-8"))
    return int(policy["statement_months"])
