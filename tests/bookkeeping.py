"""What the tests of the books post: a gift at the bank, dated and keyed, in one line."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from ledger.books import journal, recipes
from ledger.books.journal import Posted
from ledger.books.postings import Posting
from ledger.money import Money
from tests.cast import NOW

EUR_LEAF = "1000:eur-main"
BYN_LEAF = "1000:byn-main"
CARD_LEAF = "1100:eur"
DAY = date(2020, 11, 2)
LATER = date(2020, 11, 9)
DONATION = "G-0000-0000-0001"
OBLIGATION = "O-0000-0000-0001"
CASE = "C-0000-0000-0001"
RECORDER = "OP-0000-0000-0001"


def a_gift(of: Money, *, fund: str = "fines") -> list[Posting]:
    """The postings of a gift at the bank leaf of its currency."""
    leaf = {"EUR": EUR_LEAF, "BYN": BYN_LEAF}[of.currency]
    return recipes.bank_gift(leaf=leaf, gift=of, fund=fund, donation=DONATION)


def post(
    session: Session,
    postings: Sequence[Posting],
    *,
    source_key: str = "test:1",
    on: date = DAY,
    recorded_at: datetime = NOW,
    **facts: Any,
) -> Posted:
    """Posts what does not matter to the test along with what does."""
    stated: dict[str, Any] = {
        "source_key": source_key,
        "kind": "test",
        "postings": postings,
        "happened_on": on,
        "recorded_at": recorded_at,
        "recorded_by": RECORDER,
    }
    return journal.post(session, **(stated | facts))
