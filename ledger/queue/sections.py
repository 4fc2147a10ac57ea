"""The sections of the queue: what waits for the people of a role today, the most pressing first, page by page."""

import heapq
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice

from sqlalchemy import func, select, tuple_
from sqlmodel import Session

from ledger.errors import NotFound
from ledger.giving.cash_deposits import LONGEST_WAY
from ledger.people import Role
from ledger.queue import agent_work, case_work, exception_work, gift_work, paper_work, promise_work, treasury_work
from ledger.queue.questions import Question

HOLD_DAYS, RECEIPT_DAYS, REFUND_DAYS, GIFT_DAYS, PERSON_DAYS = 14, 30, 60, 30, 14
"""After how many days a hold is too long, a receipt is missing, a refund is asked about, a gift has its purpose, and
who carries the name of another one was compared with them."""
TRANSIT_DAYS, SIGNATURE_DAYS, EXCEPTION_DAYS = 14, 7, 7
"""After how many days an advance has come, what was told has its second signature, and an exception is looked at."""
ORDER_DAYS, CASH_DAYS, REVIEW_DAYS, CLOSING_DAYS, CONDITION_DAYS = 5, LONGEST_WAY.days, 14, 30, 90
"""After how many days the bank has shown an order, or cash; a sheet is reviewed, a month closed, a condition met."""


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
class Section:
    """One kind of work: for whom, and how many days after its day it is late."""

    name: str
    roles: frozenset[Role]
    days: int
    asked: Callable[[str, date], Sequence[Question]]


def counts(session: Session, *, roles: Collection[Role], operator: str, on: date) -> dict[str, int]:
    """How many things wait for somebody with these roles on the day `on`, by section, in the order of work."""
    mine = [section for section in SECTIONS if section.roles & set(roles)]
    return {section.name: count(session, section, operator=operator, on=on) for section in mine}


def count(session: Session, section: Section, *, operator: str, on: date) -> int:
    """How many things of one section wait for somebody who has a role of it."""
    return sum(_count(session, question) for question in section.asked(operator, on))


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
            seen = after[0] - min(grace, after[0] - date.min)  # a cursor may name any day that there is
            narrowed = key > tuple_(seen, after[1])
            query = query.having(narrowed) if question.is_grouped else query.where(narrowed)
        query = query.order_by(question.day, question.alias).limit(limit)
        found.append([tuple(row) for row in session.connection().execute(query)])
    first = islice(heapq.merge(*found), limit)
    return [Waiting(alias, case, day + grace, is_late=day + grace < on) for day, alias, case in first]


def _count(session: Session, question: Question) -> int:
    return int(session.connection().execute(select(func.count()).select_from(question.rows.subquery())).scalar_one())


_INTAKE, _APPROVER, _TREASURER = (frozenset({role}) for role in (Role.INTAKE, Role.APPROVER, Role.TREASURER))
_REVIEWERS = frozenset({Role.APPROVER, Role.TREASURER, Role.AUDITOR})
_ANYBODY = frozenset(Role)

SECTIONS = (
    Section("overdue", _INTAKE | _TREASURER, 0, case_work.overdue),
    Section("to_verify", _INTAKE, 0, case_work.to_verify),
    Section("possible_duplicates", _INTAKE, 0, case_work.suspects),
    Section("persons_to_compare", _INTAKE, PERSON_DAYS, case_work.persons_to_compare),
    Section("to_ask_for", _TREASURER, 0, case_work.to_ask_for),
    Section("batches_to_lock", _TREASURER, 0, case_work.batches_to_lock),
    Section("to_approve", _APPROVER, 0, case_work.to_approve),
    Section("batches_to_approve", _APPROVER, 0, case_work.batches_to_approve),
    Section("to_release", _TREASURER, 0, case_work.to_release),
    Section("batches_to_release", _TREASURER, 0, case_work.batches_to_release),
    Section("payments_to_file", _TREASURER, 0, treasury_work.payments_to_file),
    Section("promises_ending", _INTAKE | _TREASURER, 0, promise_work.ending),
    Section("hearings_near", _INTAKE | _TREASURER, 0, agent_work.hearings_near),
    Section("advances_to_approve", _APPROVER, 0, agent_work.advances_to_approve),
    Section("advances_to_release", _TREASURER, 0, agent_work.advances_to_release),
    Section("advances_to_acknowledge", _TREASURER, TRANSIT_DAYS, agent_work.advances_to_acknowledge),
    Section("agents_to_activate", _APPROVER, 0, agent_work.agents_to_activate),
    Section("results_missing", _TREASURER, TRANSIT_DAYS, agent_work.results_missing),
    Section("outlays_to_approve", _APPROVER, 0, agent_work.outlays_to_approve),
    Section("outlays_to_pay", _TREASURER, 0, agent_work.outlays_to_pay),
    Section("conversions_to_approve", _APPROVER, 0, treasury_work.conversions_to_approve),
    Section("conversions_to_release", _TREASURER, 0, treasury_work.conversions_to_release),
    Section("orders_for_the_bank", _TREASURER, ORDER_DAYS, treasury_work.orders_for_the_bank),
    Section("movements_to_agree", _APPROVER, SIGNATURE_DAYS, agent_work.movements_to_agree),
    Section("failures_to_agree", _APPROVER, SIGNATURE_DAYS, agent_work.failures_to_agree),
    Section("unexecuted_to_agree", _APPROVER, SIGNATURE_DAYS, agent_work.unexecuted_to_agree),
    Section("withdrawals_to_agree", _APPROVER, 0, agent_work.withdrawals_to_agree),
    Section("erasures_to_agree", _APPROVER, 0, paper_work.erasures_to_agree),
    Section("transfers_to_approve", _APPROVER, SIGNATURE_DAYS, treasury_work.transfers_to_approve),
    Section("refund_orders_to_approve", _APPROVER, SIGNATURE_DAYS, gift_work.refund_orders_to_approve),
    Section("gift_returns_to_approve", _APPROVER, SIGNATURE_DAYS, gift_work.gift_returns_to_approve),
    Section("gifts_in_kind_to_approve", _APPROVER, SIGNATURE_DAYS, gift_work.gifts_in_kind_to_approve),
    Section("cash_to_witness", _ANYBODY, 0, gift_work.cash_to_witness),
    Section("purposes_to_approve", _APPROVER, SIGNATURE_DAYS, paper_work.purposes_to_approve),
    Section("publications_to_approve", _APPROVER, SIGNATURE_DAYS, paper_work.publications_to_approve),
    Section("returns_to_confirm", _APPROVER, SIGNATURE_DAYS, exception_work.returns_to_confirm),
    Section("resolutions_to_agree", _APPROVER, SIGNATURE_DAYS, exception_work.resolutions_to_agree),
    Section("exceptions_to_agree", _APPROVER, SIGNATURE_DAYS, exception_work.exceptions_to_agree),
    Section("exceptions", _TREASURER, EXCEPTION_DAYS, exception_work.exceptions_open),
    Section("disputes", _TREASURER, SIGNATURE_DAYS, gift_work.disputes_open),
    Section("refunds_failed", _TREASURER, SIGNATURE_DAYS, gift_work.refunds_failed),
    Section("cash_on_its_way", _TREASURER, CASH_DAYS, gift_work.cash_on_its_way),
    Section("sheets_to_review", _REVIEWERS, REVIEW_DAYS, treasury_work.sheets_to_review),
    Section("months_to_close", _TREASURER, CLOSING_DAYS, treasury_work.months_to_close),
    Section("on_hold", _INTAKE, HOLD_DAYS, case_work.on_hold),
    Section("receipts_missing", _INTAKE | _TREASURER, RECEIPT_DAYS, case_work.unconfirmed),
    Section("gifts_to_match", _TREASURER, GIFT_DAYS, gift_work.gifts_to_match),
    Section("gifts_without_purpose", _TREASURER, GIFT_DAYS, case_work.unassigned),
    Section("conditions_to_meet", _APPROVER, CONDITION_DAYS, gift_work.conditions_to_meet),
    Section("agents_receipts", _TREASURER, RECEIPT_DAYS, case_work.agents_receipts),
    Section("refunds_due", _INTAKE | _TREASURER, REFUND_DAYS, case_work.refunds),
    Section("cases_to_close", _INTAKE, RECEIPT_DAYS, case_work.to_close),
    Section("files_to_drop", _APPROVER, RECEIPT_DAYS, paper_work.files_to_drop),
)
"""In the order of work. `overdue` are unpaid cases whose deadline has passed, wherever they stand."""
