"""The donation page, for anybody: what the fund publishes about its purposes, in the reader's language."""

from typing import Annotated

from fastapi import APIRouter, Header, Path
from fastapi.responses import Response

from api.authentication import Now
from api.transactions import Tx
from ledger.errors import NotFound
from reports import donation_page, offers
from reports.offers import Offers

router = APIRouter()

_KEPT_FOR = "public, max-age=300"
"""For how long browsers and mirrors may show what they have: a version that begins at midnight is there soon after."""


class UnknownLanguage(NotFound):
    """The page has no such language."""

    rule = "unknown_language"


@router.get("/give", response_class=Response)
def read_page(session: Tx, now: Now, accept_language: Annotated[str, Header(max_length=4_000)] = "") -> Response:
    """The donation page in the language that the reader's browser asks for."""
    gathered = offers.gather(session, on=now.date())
    return _answer(gathered, gathered.choose(accept_language), varies=True)


@router.get("/give/{language}", response_class=Response)
def read_page_in(language: Annotated[str, Path(max_length=35)], session: Tx, now: Now) -> Response:
    """The donation page in one language."""
    gathered = offers.gather(session, on=now.date())
    if language not in gathered.languages():
        raise UnknownLanguage("the page has no such language")
    return _answer(gathered, language, varies=False)


def _answer(gathered: Offers, language: str, *, varies: bool) -> Response:
    headers = {
        "Cache-Control": _KEPT_FOR,
        "Content-Language": language,
        "Content-Security-Policy": f"{donation_page.policy()}; frame-ancestors 'none'",
    }
    if varies:
        headers["Vary"] = "Accept-Language"
    return Response(gathered.page(language), media_type="text/html; charset=utf-8", headers=headers)
