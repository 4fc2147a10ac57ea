"""Routes of the queue: what waits for the caller's roles today; counts first, then a section page by page."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query

from api.authentication import Admitted, Now
from api.routes.wire import DayCursor, Page, Wire, place_of
from api.transactions import Tx
from ledger import queue

router = APIRouter()

PAGE = 50
"""How many things a page has by default: about what one person does in a day."""


class QueueOut(Wire):
    """How many things wait, by section, in the order of work."""

    waiting: dict[str, int]


class WaitingOut(Wire):
    """One thing that waits."""

    object: str
    case: str | None
    deadline: date
    is_late: bool


class SectionOut(Page):
    """A page of a section, the oldest deadline first."""

    waiting: list[WaitingOut]


@router.get("/v1/queue")
def read_queue(session: Tx, caller: Admitted, now: Now) -> QueueOut:
    """How much waits for the caller's roles."""
    counted = queue.counts(session, roles=caller.roles, operator=caller.operator.alias, on=now.date())
    return QueueOut(waiting=counted)


@router.get("/v1/queue/{section}")
def read_section(
    section: str,
    session: Tx,
    caller: Admitted,
    now: Now,
    cursor: DayCursor | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = PAGE,
) -> SectionOut:
    """A page of what waits."""
    found = queue.page(
        session,
        section,
        roles=caller.roles,
        operator=caller.operator.alias,
        on=now.date(),
        after=place_of(cursor),
        limit=limit,
    )
    last = found[-1] if len(found) == limit else None
    return SectionOut(
        waiting=[
            WaitingOut(object=one.object, case=one.case, deadline=one.deadline, is_late=one.is_late) for one in found
        ],
        next=f"{last.deadline}~{last.object}" if last else None,
    )
