"""The invented card processor of the tests, on loopback, and a founded book that pulls from it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlmodel import Session

from api import pulling
from api.stripe_link import Link
from examples.card_processor.account import Account
from examples.card_processor.server import READS, REFUNDS, Processor, serve
from ledger.giving.processor import Booked
from tests.cast import NOW, engine_of

PULL_KEY, REFUND_KEY = "rk_test_pulls", "rk_test_refunds"
BEGAN = int(datetime(2020, 9, 14, 8, tzinfo=UTC).timestamp())
IMPATIENT = 0.3
"""Seconds that a test waits for an answer."""


def a_processor() -> Processor:
    return Processor(Account(BEGAN), {PULL_KEY: READS, REFUND_KEY: REFUNDS})


@contextmanager
def linked(processor: Processor, *, key: str = PULL_KEY, pauses: list[float] | None = None) -> Iterator[Link]:
    """A link to a processor that answers; it never really waits between its tries."""
    waited = [] if pauses is None else pauses
    with (
        serve(processor) as address,
        Link(key, base=address, pause=waited.append, timeout_seconds=IMPATIENT) as link,
    ):
        yield link


def pull(session: Session, link: Link, **told: Any) -> list[Booked]:
    """Books what moved, in transactions of its own."""
    session.rollback()  # what the test has read is of an older moment
    return partial(pulling.pull, engine_of(session), link, now=NOW)(**told)
