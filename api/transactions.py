"""One transaction a request, committed before the answer leaves."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request
from sqlmodel import Session

from api.authorisation import DOORS
from ledger.storage.engine import transaction


def open_transaction(request: Request) -> Iterator[Session]:
    """A session: writing where the route's door says so, else reading. Nothing stays when the route refuses."""
    door = DOORS[request.method, request.scope["route"].path]
    with transaction(request.app.state.engine, write=door.writes) as session:
        yield session


Tx = Annotated[Session, Depends(open_transaction, scope="function")]
