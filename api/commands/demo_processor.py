"""The demonstration's card processor: on loopback, with the season's movements, each told from its own second on."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time

from api import pulling
from api.commands.demo_stage import STORY, Stage
from api.stripe_link import Link
from ledger.giving import cursors
from ledger.storage.engine import transaction

MOVEMENTS = ("processor-eur.json", "processor-usd.json")
KEY = "rk_invented_pulls"


@contextmanager
def open_processor(stage: Stage) -> Iterator[str]:
    """Starts the processor and lets the stage pull from it instead of reading files; gives its address."""
    # here: who plays the season from files needs no server, and who installs the ledger alone has no examples
    from examples.card_processor.account import Account  # noqa: PLC0415
    from examples.card_processor.server import READS, Processor, serve  # noqa: PLC0415

    account = Account(now=0)
    for name in MOVEMENTS:
        account.expect(json.loads((STORY / name).read_text("utf-8"))["data"])
    processor = Processor(account, {KEY: READS})
    engine = stage.app.state.engine

    def pull(until: date) -> int:
        with transaction(engine, write=False) as session:
            pulled = cursors.find_start(session) + cursors.OVERLAP_SECONDS
        end = int(datetime.combine(until, time.max, UTC).timestamp())
        with processor.lock:
            account.go_on(max(end, pulled))  # a season that was played before is not turned back
        return len(pulling.pull(engine, link, now=stage.now()))

    with serve(processor) as address, Link(KEY, base=address) as link:
        stage.pull = pull
        try:
            yield address
        finally:
            stage.pull = None
