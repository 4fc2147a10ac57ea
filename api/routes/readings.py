"""Routes of readings: shelves opened within a daily limit, and the log of who opened what for the auditors."""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlmodel import Session

from api.authentication import Admitted, Now
from api.routes.wire import Alias, BoxOnWire, Day, Page, ShelfOnWire, Wire
from api.transactions import Tx
from ledger.aid.assignments import assigned
from ledger.bearer_keys import Caller
from ledger.identities import readings, shelves
from ledger.identities.readings import TooManyReadings
from ledger.identities.shelves import Access, Opened, Reason
from ledger.people import Role
from ledger.reconciliation import matching_rules

router = APIRouter()

MOST_SHELVES = 100
"""The most shelves that one request opens."""


class OpenedOut(Wire):
    """What a vault member needs to open a shelf on their device."""

    shelf: ShelfOnWire
    signer: str
    wrap_epoch: int
    boxes: list[BoxOnWire]


class ManyOpenedOut(Wire):
    """What a vault member needs to open many shelves."""

    opened: list[OpenedOut]


class AccessOut(Wire):
    """One reading."""

    operator: str
    alias: str
    reason: str
    at: datetime


class AccessLogOut(Page):
    """A page of readings, the newest first."""

    accesses: list[AccessOut]


@router.get("/v1/boxes")
def open_shelves(
    alias: Annotated[list[Alias], Query(min_length=1, max_length=MOST_SHELVES)],
    reason: Reason,
    request: Request,
    session: Tx,
    caller: Admitted,
    now: Now,
) -> ManyOpenedOut:
    """As for one shelf, for many at once, all or none: each reading is logged by itself."""
    return ManyOpenedOut(opened=_open(request, session, alias, reason=reason, caller=caller, now=now))


@router.get("/v1/boxes/{alias}")
def open_shelf(alias: Alias, reason: Reason, request: Request, session: Tx, caller: Admitted, now: Now) -> OpenedOut:
    """Hands out a shelf's sealed boxes and wrap; who asked, and the reason, are logged for the auditors."""
    (opened,) = _open(request, session, [alias], reason=reason, caller=caller, now=now)
    return opened


@router.get("/v1/access-log")
def read_access_log(
    session: Tx,
    _caller: Admitted,
    operator: Alias | None = None,
    shelf: Alias | None = None,
    on: Day | None = None,
    cursor: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> AccessLogOut:
    """Who opened what, when and why: a page, of one operator, one shelf or one day (UTC) if told."""
    found = readings.page(session, operator=operator, shelf=shelf, on=on, before=cursor, limit=limit)
    return AccessLogOut(
        accesses=[_access(access) for access in found], next=str(found[-1].id) if len(found) == limit else None
    )


def require_room(
    request: Request, session: Session, aliases: Collection[str], *, caller: Caller, now: datetime
) -> None:
    """Refuses a caller who opens more shelves a day than the settings admit beyond their work.

    Raises:
        TooManyReadings: an exception about it stays open, though nothing else of the request does.
    """
    operator = caller.operator.alias
    try:
        readings.require_room(
            session,
            aliases,
            operator=operator,
            at=now,
            assigned=_assigned(session, aliases, caller=caller),
            limit=request.app.state.settings.readings_a_day,
        )
    except TooManyReadings:
        session.rollback()
        readings.report(session, operator=operator, on=now.date())
        session.commit()
        raise


def _assigned(session: Session, aliases: Collection[str], *, caller: Caller) -> set[str]:
    """What their work asks for; that of treasurers is to match lines of the bank, too."""
    found = assigned(session, aliases, operator=caller.operator.alias, roles=caller.roles)
    return found | matching_rules.needed(session, aliases) if Role.TREASURER in caller.roles else found


def _open(
    request: Request, session: Session, aliases: list[str], *, reason: Reason, caller: Caller, now: datetime
) -> list[OpenedOut]:
    readings.require_role(session, aliases, roles=caller.roles)
    require_room(request, session, aliases, caller=caller, now=now)
    found = shelves.open_shelves(
        session,
        aliases,
        operator=caller.operator.alias,
        reason=reason,
        at=now,
        shred_keys=request.app.state.shred_keys,
    )
    return [_opened(one) for one in found]


def _opened(opened: Opened) -> OpenedOut:
    shelf = opened.shelf
    return OpenedOut(
        shelf=ShelfOnWire(
            alias=shelf.alias,
            vault=shelf.vault,
            epoch=shelf.epoch,
            public=shelf.sealing_key,
            signature=shelf.signature,
            wrap=opened.wrap,
        ),
        signer=shelf.signer,
        wrap_epoch=opened.wrap_epoch,
        boxes=[
            BoxOnWire(
                kind=box.kind,
                alias=box.alias,
                field=box.field,
                version=box.version,
                bytes=box.data,
                commitment=box.commitment,
            )
            for box in opened.boxes
        ],
    )


def _access(access: Access) -> AccessOut:
    return AccessOut(operator=access.operator, alias=access.shelf_alias, reason=access.reason, at=access.at)
