"""How fast notices of the card processor are taken in, beside an endpoint that only inserts the same row.

The endpoint stands in the application's own frame (request id, headers, one line in the log), as any other of it would;
a second row tells how fast the framework alone would be.
"""

import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
from fastapi import FastAPI, Request, Response
from pydantic import SecretStr
from sqlalchemy import Engine, insert
from starlette.concurrency import run_in_threadpool

from api import logs
from api.app import attend, create_app
from api.client.http import in_process
from api.settings import Settings
from bench.databases import Books
from bench.rows import Row, side_by_side
from examples.card_processor.notices import sign
from ledger.giving.notices import Notice
from ledger.storage.engine import transaction

SECRET = "whsec_invented"  # noqa: S105  # of a database that lives for one run
PATH = "/v1/webhooks/stripe"


def rows(opened: Books, *, quick: bool) -> Iterator[Row]:
    """Signed notices of a usual size, one after the other, each committed; both through the same framework."""
    rounds, block = (3, 20) if quick else (20, 40)
    logs.write_to(StringIO(), level=logging.INFO)
    for name, engine in opened.empty.items():
        with TemporaryDirectory() as folder:
            settings = Settings(
                database_url=str(engine.url),
                shred_key_directory=Path(folder),
                stripe_webhook_secrets=SecretStr(SECRET),
            )
            app = create_app(settings, engine=engine)
            for what, framed, target in (("", True, 0.8), (", the framework alone", False, None)):
                with in_process(_bare(engine, framed=framed)) as bare, in_process(app) as full:
                    floor, ours = side_by_side(
                        _sender(bare, f"{name}{framed}Bare"),
                        _sender(full, f"{name}{framed}Ours"),
                        rounds=rounds,
                        block=block,
                    )
                yield Row(f"take a notice, {name}{what}", floor, ours, "1/s", target=target)


def _bare(engine: Engine, *, framed: bool) -> FastAPI:
    """The same framework, in the same frame or in none, and nothing but the insert: no signature."""
    app = FastAPI()
    if framed:
        app.middleware("http")(attend)

    @app.post(PATH)
    async def take(request: Request) -> Response:
        told = json.loads(await request.body())
        row = {"id": told["id"], "kind": told["type"], "about": told["data"]["object"]["id"]}
        await run_in_threadpool(_insert, engine, row | {"received_at": datetime.now(UTC)})
        return Response(status_code=200)

    return app


def _insert(engine: Engine, row: dict[str, object]) -> None:
    with transaction(engine) as session:
        session.connection().execute(insert(Notice.__table__), row)  # type: ignore[attr-defined]  # of every table


def _sender(client: httpx2.Client, prefix: str) -> Callable[[int], None]:
    def send(nth: int) -> None:
        told = {
            "id": f"evt_{prefix}{nth + 1:08d}",
            "object": "event",
            "type": "charge.succeeded",
            "data": {"object": {"id": "ch_Invented0001", "object": "charge", "padding": "x" * 3000}},
        }
        body = json.dumps(told).encode()
        signature = sign(body, secret=SECRET, at=int(datetime.now(UTC).timestamp()))
        answer = client.post(PATH, content=body, headers={"Stripe-Signature": signature})
        if answer.status_code != 200:  # noqa: PLR2004  # HTTP's own number
            raise AssertionError("a notice was not taken")

    return send
