"""Exits: a case leaves before anything of it is paid, for good: rejected, withdrawn, or a duplicate of another.

What it had led to is taken back: payments not released are cancelled, holds freed, recognitions booked back.
"""

from collections.abc import Sequence
from datetime import date, datetime

from sqlmodel import Session, select

from ledger.aid import cases, obligations, unwinding
from ledger.aid.cases import Case, CaseNotReady
from ledger.aid.obligations import Obligation, State
from ledger.errors import Refused

_NEVER_PAID = {State.DUE, State.QUASHED}


class NotADuplicate(Refused):
    """A case is the duplicate of another one, which is none itself and has none of its own taken for it."""

    rule = "not_a_duplicate"


def clear(
    session: Session, alias: str, *, by: str, on: date, recorded_at: datetime, beside: Sequence[str] = ()
) -> Case:
    """Takes back, on the day `on`, whatever an unpaid case had led to, and gives the case, locked.

    Cases `beside` it are locked with it, in the order in which everybody locks cases.

    Raises:
        MoneyUnderWay: a payment was released and neither paid nor failed. CaseNotReady: something was paid.
        UnknownCase: there is none. Who catches these rolls back.
    """
    found = list(session.exec(select(Obligation.alias).where(Obligation.case_alias == alias)))
    for obligation in unwinding.stop_payments(session, found, on=on):
        if obligation.state is State.RECOGNISED:
            unwinding.take_back(
                session,
                obligation,
                obligation.amount(),
                source_key=f"obligation:{obligation.alias}:left",
                on=on,
                recorded_at=recorded_at,
                recorded_by=by,
            )
            obligations.let_go(session, obligation)
        elif obligation.state not in _NEVER_PAID:
            raise CaseNotReady("something was paid already", case=alias, obligation=obligation.alias)
    locked = {one: cases.require(session, one, lock=True) for one in sorted({alias, *beside})}
    return locked[alias]


def mark_duplicate(session: Session, case: Case, *, of: str, on: date) -> None:
    """Marks a cleared case as the same application as the case `of`, which is none itself.

    Raises:
        UnknownCase: there is no such other. NotADuplicate: it is the case itself, or a duplicate, or others are
            duplicates of the cleared one.
        CaseNotReady: see `cases.mark_duplicate`.
    """
    if of == case.alias or cases.require(session, of).state is cases.State.DUPLICATE:
        raise NotADuplicate("a duplicate is of another case that is none", case=case.alias)
    if cases.duplicates_of(session, case.alias):
        raise NotADuplicate("others are duplicates of this case", case=case.alias)
    cases.mark_duplicate(session, case, of=of, on=on)
