"""What anybody may read without a key: the transparency page, its data, and whether the service lives."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from api.authentication import Now
from api.routes.wire import Wire
from api.transactions import Tx
from reports import site

router = APIRouter()


class Alive(Wire):
    """The process answers."""

    alive: bool = True


class Ready(Wire):
    """The process answers, and so does its database."""

    ready: bool = True


class DataFile(StrEnum):
    """The open data: the page's figures."""

    CSV = "paid.csv"
    JSON = "paid.json"


@router.get("/healthz")
def read_health() -> Alive:
    """The process answers."""
    return Alive()


@router.get("/readyz")
def read_readiness(session: Tx) -> Ready:
    """The database answers too."""
    session.connection()
    return Ready()


@router.get("/", response_class=Response)
def read_page(session: Tx, now: Now) -> Response:
    """The transparency page: what is published, and nothing else."""
    return Response(site.gather(session, on=now.date()).page(), media_type="text/html; charset=utf-8")


@router.get("/data/{name}", response_class=Response)
def read_data(name: Annotated[DataFile, Path()], session: Tx, now: Now) -> Response:
    """The page's figures as CSV or JSON."""
    files = site.gather(session, on=now.date()).files()
    media = "text/csv; charset=utf-8" if name is DataFile.CSV else "application/json"
    return Response(files[f"data/{name.value}"], media_type=media)
