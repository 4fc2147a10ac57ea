"""Who calls: the bearer key, checked against the roster and the route's door on every request."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from sqlmodel import Session

from api.authorisation import DOORS, Door
from api.problems import NoKey, NotAllowed
from api.transactions import Tx
from ledger import bearer_keys
from ledger.bearer_keys import Caller


def admit(request: Request, session: Tx) -> Caller:
    """The caller, when their key opens this route; see `knock`. A change notes the day on which the key was used."""
    door = DOORS[request.method, request.scope["route"].path]
    caller = knock(request, session, door=door)
    request.state.operator = caller.operator.alias
    if door.writes:
        bearer_keys.note_use(session, caller, on=now(request).date())
    return caller


def knock(request: Request, session: Session, *, door: Door) -> Caller:
    """The caller, when their key opens the door. Reads headers only, and writes nothing.

    Raises:
        NoKey, KeyRefused, NotAllowed: in this order; what lies behind the route does not show.
    """
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not bearer:
        raise NoKey("the request carries no bearer key")
    caller = bearer_keys.authenticate(session, bearer, now=now(request))
    if door.roles is None or not caller.roles & door.roles:
        raise NotAllowed("the key's roles do not open this route")
    return caller


def now(request: Request) -> datetime:
    """The moment of this request, read once."""
    if not hasattr(request.state, "now"):
        request.state.now = request.app.state.settings.now()
    moment: datetime = request.state.now
    return moment


Admitted = Annotated[Caller, Depends(admit, scope="function")]
Now = Annotated[datetime, Depends(now)]
