"""Retention: whose identity has been kept for long enough, by what happened to their cases. Nothing is deleted here.

A beneficiary is due when every case of theirs, under whichever alias somebody has signed to be theirs, is over:
rejected, or each obligation paid, quashed or refunded, and no bail of theirs with a court; and the pack's months have
gone by since the last of those events. Operators are shown who is due, and two of them erase.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Mapped
from sqlmodel import Session, col, select

from ledger import approvals, book
from ledger.aid import bail, jurisdictions, likenesses, persons
from ledger.aid.cases import LEFT, Case
from ledger.aid.disbursements import Disbursement
from ledger.aid.obligations import Obligation
from ledger.aid.obligations import State as ObligationState
from ledger.aid.quashing import Quashing
from ledger.aid.refunds import Refund
from ledger.aid.rulings import Ruling
from ledger.approvals import Agreed, SignedAct
from ledger.books.periods import months_later
from ledger.errors import Refused
from ledger.identities import erasure
from ledger.identities.erasure import Erasure
from ledger.identities.erasure_list import ErasureList, Reason
from ledger.identities.shelves import PersonKey

_UNDER_WAY = (
    ObligationState.DUE,
    ObligationState.APPROVED,
    ObligationState.RECOGNISED,
    ObligationState.PART_PAID,
    ObligationState.REFUND_DUE,
)
_AT_ONCE = 500


class NotDue(Refused):
    """A case is not over, or the time of retention runs; only a person's wish, danger or a mistake come before it."""

    rule = "not_due"


class OthersNotAsked(Refused):
    """A person who goes by several aliases is erased under each of them, or stays known by the one that is left."""

    rule = "others_not_asked"


@dataclass(frozen=True, slots=True)
class Due:
    """A beneficiary whose identity need not be kept any longer, and since when."""

    shelf: str
    since: date


def due(session: Session, *, on: date, after: str = "", limit: int = 100) -> list[Due]:
    """Up to `limit` beneficiaries who are due on the day `on`, in the order of their aliases, after the alias `after`.

    Who was erased, or for whom somebody has asked, is not shown.
    """
    found: list[Due] = []
    while len(found) < limit:
        aliases = _with_a_key(session, after=after)
        if not aliases:
            break
        after = aliases[-1]
        found += [one for one in due_among(session, aliases) if one.since <= on]
    return found[:limit]


def request_erasure(session: Session, shelf: str, *, reason: Reason, agreed: Agreed) -> Erasure:
    """As `erasure.request`; for reasons of retention only when it is due.

    Raises:
        NotDue: see there. What `erasure.request` raises.
    """
    if reason is Reason.RETENTION and not any(one.since <= agreed.now.date() for one in due_among(session, [shelf])):
        raise NotDue("a case is not over, or the time of retention runs", shelf=shelf)
    return erasure.request(session, shelf, reason=reason, agreed=agreed)


def carry_out_erasure(session: Session, shelf: str, *, agreed: Agreed, listed: ErasureList) -> Erasure:
    """As `erasure.carry_out`, with the tokens of the beneficiary's cases.

    Raises:
        OthersNotAsked: the same person goes by another alias, whose erasure nobody has asked for. What
        `erasure.carry_out` raises.
    """
    book.require(session, lock=True)  # nobody is joined to somebody who is being erased
    person = persons.joined(session, [shelf])[shelf]
    missing = person - {shelf} - erasure.asked_for(session, person)
    if missing:
        raise OthersNotAsked("the person goes by other aliases too", shelf=shelf, others=",".join(sorted(missing)))
    alike = likenesses.undecided(session, shelf)
    erased = erasure.carry_out(session, shelf, agreed=agreed, listed=listed, things=cases_of(session, [shelf]))
    likenesses.settle(session, [shelf, *alike])
    return erased


def cases_of(session: Session, beneficiaries: Sequence[str]) -> list[str]:
    """The aliases of these beneficiaries' cases: what their tokens stand under."""
    return [case.alias for case in _all_of(session, Case, col(Case.beneficiary_alias), beneficiaries)]


def _with_a_key(session: Session, *, after: str) -> list[str]:
    """The next beneficiaries who can still be identified, and for whom no erasure stands."""
    asked = select(Erasure.shelf_alias)
    query = select(Case.beneficiary_alias).distinct().where(Case.beneficiary_alias > after)
    query = query.where(
        col(Case.beneficiary_alias).in_(select(PersonKey.alias)), col(Case.beneficiary_alias).not_in(asked)
    )
    return list(session.exec(query.order_by(Case.beneficiary_alias).limit(_AT_ONCE)))


def due_among(session: Session, beneficiaries: Sequence[str]) -> Iterator[Due]:
    """Since when each of these beneficiaries is due; whoever has a case under way is left out.

    Who was signed to be one person is due at once, under every alias: the last of them to go would tell of the others.
    """
    person = persons.joined(session, beneficiaries)
    cases = _all_of(session, Case, col(Case.beneficiary_alias), sorted({one for of in person.values() for one in of}))
    until = ends(session, cases)
    by_alias: dict[str, list[date | None]] = defaultdict(list)
    for case in cases:
        by_alias[case.beneficiary_alias].append(until[case.alias])
    for alias in sorted(beneficiaries):
        days = [day for one in person[alias] for day in by_alias[one]]
        known = [day for day in days if day is not None]
        if days and len(known) == len(days):
            yield Due(alias, max(known))


def ends(session: Session, cases: Sequence[Case]) -> dict[str, date | None]:
    """By the alias of each of these cases, until when it is kept; None while it is under way."""
    aliases = [case.alias for case in cases]
    obligations = _all_of(session, Obligation, col(Obligation.case_alias), aliases)
    of_obligation = {one.alias: one.case_alias for one in obligations}
    of_ruling = {one.alias: one.case_alias for one in _all_of(session, Ruling, col(Ruling.case_alias), aliases)}
    paid = _all_of(session, Disbursement, col(Disbursement.case_alias), aliases)
    quashed = _all_of(session, Quashing, col(Quashing.ruling_alias), list(of_ruling))
    refunds = _all_of(session, Refund, col(Refund.obligation_alias), list(of_obligation))
    rejections = _all_of(session, SignedAct, col(SignedAct.object), aliases)
    events: dict[str, list[tuple[str, date]]] = defaultdict(list)
    for payment in paid:
        if payment.paid_recorded_on:
            events[payment.case_alias].append(("paid", payment.paid_recorded_on))
    for one in quashed:
        events[of_ruling[one.ruling_alias]].append(("quashed", one.recorded_on))
    for refund in refunds:
        if settled_on := refund.received_on or refund.given_up_on:
            events[of_obligation[refund.obligation_alias]].append(("quashed", settled_on))
    for act in rejections:
        if act.verb == _REJECTION:
            events[act.object].append(("rejected", act.recorded_at.date()))
    under_way = {one.case_alias for one in obligations if one.state in _UNDER_WAY or bail.is_held(session, one)}
    under_way |= {of_obligation[one.obligation_alias] for one in refunds if one.is_waiting()}
    return {case.alias: _end(case, events[case.alias], is_under_way=case.alias in under_way) for case in cases}


_REJECTION: approvals.Verb = "reject_case"


def _end(case: Case, events: Iterable[tuple[str, date]], *, is_under_way: bool) -> date | None:
    happened = list(events)
    if case.state in LEFT:
        happened = happened or [("rejected", case.state_since)]  # on the list already, or withdrawn, or a duplicate
    elif is_under_way or not happened:
        return None
    kept = jurisdictions.load(case.jurisdiction).retention.model_dump()
    return max(months_later(day, kept[f"{event}_months"]) for event, day in happened)


def _all_of(session: Session, table: type[Any], column: Mapped[str], values: Sequence[str]) -> list[Any]:
    found: list[Any] = []
    for start in range(0, len(values), _AT_ONCE):
        found += session.exec(select(table).where(column.in_(values[start : start + _AT_ONCE])))
    return found
