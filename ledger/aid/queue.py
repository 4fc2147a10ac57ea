"""The queue: what waits for the people of a role today, the most pressing first, read along indexes page by page."""

import heapq
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Select, func, null, select, text, tuple_
from sqlmodel import Session, col

from ledger.aid import batches, cases, disbursements
from ledger.aid.batch_lines import WITHOUT_RECEIPT, BatchLine
from ledger.aid.batches import Batch
from ledger.aid.cases import SUSPECT, Case
from ledger.aid.disbursements import Disbursement
from ledger.aid.obligations import Obligation
from ledger.aid.refunds import Refund
from ledger.books.recipes import UNASSIGNED
from ledger.errors import NotFound
from ledger.giving.donations import ASSIGNABLE, Donation
from ledger.people import Role

HOLD_DAYS, RECEIPT_DAYS, REFUND_DAYS, GIFT_DAYS = 14, 30, 60, 30
"""After how many days a hold is too long, a receipt is missing, a refund is asked about, and a gift has its purpose."""


class UnknownSection(NotFound):
    """No section of the queue has this name, or not for this caller."""

    rule = "unknown_section"


@dataclass(frozen=True, slots=True)
class Waiting:
    """One thing that waits: its alias (or a refund's reference), its case if it is of one, and until when it may."""

    object: str
    case: str | None
    deadline: date
    is_late: bool


@dataclass(frozen=True, slots=True)
class _Question:
    """One statement about what waits since, or until, a `day`, ordered by that and the `alias`."""

    rows: Select[*tuple[Any, ...]]
    day: Any
    alias: Any
    is_grouped: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """One kind of work: for whom, and how many days after its day it is late."""

    name: str
    roles: frozenset[Role]
    days: int
    asked: Callable[[str, date], Sequence[_Question]]


def counts(session: Session, *, roles: Collection[Role], operator: str, on: date) -> dict[str, int]:
    """How many things wait for somebody with these roles on the day `on`, by section, in the order of work."""
    return {
        section.name: sum(_count(session, question) for question in section.asked(operator, on))
        for section in SECTIONS
        if section.roles & set(roles)
    }


def page(
    session: Session,
    name: str,
    *,
    roles: Collection[Role],
    operator: str,
    on: date,
    after: tuple[date, str] | None,
    limit: int,
) -> list[Waiting]:
    """Up to `limit` things of a section, the oldest deadline first, after the deadline and alias of the last one seen.

    Raises:
        UnknownSection: there is none, or it is no work of these roles.
    """
    section = next((one for one in SECTIONS if one.name == name and one.roles & set(roles)), None)
    if section is None:
        raise UnknownSection("no such section")
    grace = timedelta(days=section.days)
    found = []
    for question in section.asked(operator, on):
        query = question.rows
        if after is not None:
            key = tuple_(question.day, question.alias)
            narrowed = key > tuple_(after[0] - grace, after[1])
            query = query.having(narrowed) if question.is_grouped else query.where(narrowed)
        query = query.order_by(question.day, question.alias).limit(limit)
        found.append([tuple(row) for row in session.connection().execute(query)])
    first = islice(heapq.merge(*found), limit)
    return [Waiting(alias, case, day + grace, is_late=day + grace < on) for day, alias, case in first]


def _count(session: Session, question: _Question) -> int:
    return int(session.connection().execute(select(func.count()).select_from(question.rows.subquery())).scalar_one())


def _of_cases(day: Any, *conditions: Any) -> _Question:
    rows = select(day, col(Case.alias), col(Case.alias).label("of_case")).where(*conditions)
    return _Question(rows, day, col(Case.alias))


def _to_verify(_operator: str, _on: date) -> list[_Question]:
    return [_of_cases(col(Case.due_by), col(Case.state) == cases.State.RECEIVED)]


def _suspects(_operator: str, _on: date) -> list[_Question]:
    return [_of_cases(col(Case.due_by), text(SUSPECT))]


def _overdue(_operator: str, on: date) -> list[_Question]:
    due_by = col(Case.due_by)  # each state along its own part of the index, merged after
    return [_of_cases(due_by, col(Case.state) == state, due_by < on) for state in cases.UNPAID]


def _on_hold(_operator: str, _on: date) -> list[_Question]:
    return [_of_cases(col(Case.state_since), col(Case.state) == cases.State.ON_HOLD)]


def _unconfirmed(_operator: str, _on: date) -> list[_Question]:
    return [_of_cases(col(Case.state_since), col(Case.state) == cases.State.PAID)]


def _payments(state: disbursements.State, before: Any, operator: str) -> _Question:
    """Payments in a state that stand alone, and that somebody else has brought there."""
    in_batch = select(col(BatchLine.number)).where(col(BatchLine.disbursement_alias) == col(Disbursement.alias))
    rows = select(col(Disbursement.due_by), col(Disbursement.alias), col(Disbursement.case_alias)).where(
        col(Disbursement.state) == state, before != operator, ~in_batch.exists()
    )
    return _Question(rows, col(Disbursement.due_by), col(Disbursement.alias))


def _batches(state: batches.State, before: Any, operator: str) -> _Question:
    """Batches in a state that somebody else has brought there, by the earliest deadline of their lines."""
    day = func.min(col(Disbursement.due_by))
    rows = (
        select(day, col(Batch.alias), null().label("of_case"))
        .join(BatchLine, col(BatchLine.batch_alias) == col(Batch.alias))
        .join(Disbursement, col(Disbursement.alias) == col(BatchLine.disbursement_alias))
        .where(col(Batch.state) == state, before != operator)
        .group_by(col(Batch.alias))
    )
    return _Question(rows, day, col(Batch.alias), is_grouped=True)


def _to_approve(operator: str, _on: date) -> list[_Question]:
    return [_payments(disbursements.State.REQUESTED, col(Disbursement.requested_by), operator)]


def _batches_to_approve(operator: str, _on: date) -> list[_Question]:
    return [_batches(batches.State.LOCKED, col(Batch.requested_by), operator)]


def _to_release(operator: str, _on: date) -> list[_Question]:
    return [_payments(disbursements.State.APPROVED, col(Disbursement.approved_by), operator)]


def _batches_to_release(operator: str, _on: date) -> list[_Question]:
    return [_batches(batches.State.APPROVED, col(Batch.approved_by), operator)]


def _agents_receipts(_operator: str, _on: date) -> list[_Question]:
    rows = (
        select(col(BatchLine.paid_by), col(BatchLine.disbursement_alias), col(Disbursement.case_alias))
        .join(Disbursement, col(Disbursement.alias) == col(BatchLine.disbursement_alias))
        .where(WITHOUT_RECEIPT)
    )
    return [_Question(rows, col(BatchLine.paid_by), col(BatchLine.disbursement_alias))]


def _refunds(_operator: str, _on: date) -> list[_Question]:
    rows = (
        select(col(Refund.due_since), col(Refund.reference), col(Obligation.case_alias))
        .join(Obligation, col(Obligation.alias) == col(Refund.obligation_alias))
        .where(text("received_on IS NULL"), col(Refund.given_up_on).is_(None))
    )
    return [_Question(rows, col(Refund.due_since), col(Refund.reference))]


def _unassigned(_operator: str, _on: date) -> list[_Question]:
    rows = select(col(Donation.received_on), col(Donation.alias), null().label("of_case")).where(
        col(Donation.fund_code) == UNASSIGNED,
        col(Donation.state).in_(ASSIGNABLE),
        col(Donation.refunded_minor) < col(Donation.minor),
    )
    return [_Question(rows, col(Donation.received_on), col(Donation.alias))]


_INTAKE, _APPROVER, _TREASURER = (frozenset({role}) for role in (Role.INTAKE, Role.APPROVER, Role.TREASURER))

SECTIONS = (
    Section("overdue", _INTAKE | _TREASURER, 0, _overdue),
    Section("to_verify", _INTAKE, 0, _to_verify),
    Section("possible_duplicates", _INTAKE, 0, _suspects),
    Section("to_approve", _APPROVER, 0, _to_approve),
    Section("batches_to_approve", _APPROVER, 0, _batches_to_approve),
    Section("to_release", _TREASURER, 0, _to_release),
    Section("batches_to_release", _TREASURER, 0, _batches_to_release),
    Section("on_hold", _INTAKE, HOLD_DAYS, _on_hold),
    Section("receipts_missing", _INTAKE | _TREASURER, RECEIPT_DAYS, _unconfirmed),
    Section("gifts_without_purpose", _TREASURER, GIFT_DAYS, _unassigned),
    Section("agents_receipts", _TREASURER, RECEIPT_DAYS, _agents_receipts),
    Section("refunds_due", _INTAKE | _TREASURER, REFUND_DAYS, _refunds),
)
"""In the order of work. `overdue` are unpaid cases whose deadline has passed, wherever they stand."""
