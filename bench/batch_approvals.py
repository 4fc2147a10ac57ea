"""How long it takes to approve a batch: every line's evidence opened and held against the books, and one signature."""

from collections.abc import Iterator
from functools import partial

from sqlalchemy import text
from sqlmodel import Session

from api.client import batches
from bench.databases import Books
from bench.list_imports import a_list, send
from bench.offices import NOW, Office, office
from bench.rows import Row, seconds
from ledger.aid.batches import MOST_LINES
from ledger.aliases import Kind, draw
from ledger.books import accounts, journal, recipes
from ledger.money import Money
from ledger.storage.engine import transaction

LEAF = "1000:byn-main"
_AT_MOST_SECONDS = 5
_GIFT_MINOR = 10**9


def rows(_: Books, *, quick: bool) -> Iterator[Row]:
    """The largest batch, on SQLite: fetched, opened, checked and signed, and every rule kept for each line."""
    many = 100 if quick else MOST_LINES
    with office() as opened:
        alias = _a_locked_batch(opened, many)
        spent = seconds(partial(batches.approve, opened.approving, alias))
    yield Row(f"approve a batch of {many:,} lines", None, spent, "s", at_most=_AT_MOST_SECONDS)


def _a_locked_batch(opened: Office, many: int) -> str:
    """The cases are marked as verified past the signed act: for measuring only."""
    send(opened.asking, a_list(many))
    with transaction(opened.engine) as session:
        _give(session)
        session.connection().execute(
            text("UPDATE aid_case SET state = 'verified', version = 2, verified_by = :by"),
            {"by": opened.asking.device.alias},
        )
    chosen = list(batches.candidates(opened.asking))
    if len(chosen) != many:
        raise AssertionError("not every row of the list can be paid")
    alias: str = batches.create(opened.asking, chosen, account=LEAF)["alias"]
    batches.lock(opened.asking, alias)
    return alias


def _give(session: Session) -> None:
    accounts.add_leaf(session, LEAF, name="Current account", currency="BYN")
    journal.post(
        session,
        source_key="bench:gift",
        kind="bank_gift",
        postings=recipes.bank_gift(
            leaf=LEAF, gift=Money(_GIFT_MINOR, "BYN"), fund="fines", donation=draw(Kind.DONATION)
        ),
        happened_on=NOW.date(),
        recorded_at=NOW,
        recorded_by=draw(Kind.OPERATOR),
    )
