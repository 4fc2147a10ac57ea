"""Two worked years of an invented fund, posted: 74 entries in three currencies and five funds, in a book of their own.

`load` needs nothing but the database. What a reference made of the same events is not ours to ship: see
`tests/conformance/test_two_years_postings.py`.
"""

from datetime import UTC, date, datetime
from fractions import Fraction

from sqlmodel import Session

from ledger import book
from ledger.books import accounts, exchange, funds, journal
from ledger.books.journal import Because, Posted
from tests.cast import BOOK_ID
from tests.two_years_events import EVENTS, Event

YEAR_ENDS = (date(2020, 12, 31), date(2021, 12, 31))
RECORDED_AT = datetime(2022, 1, 10, 9, 0, tzinfo=UTC)
RECORDER = "OP-0000-0000-0001"
QUOTED_ON = (
    date(2020, 8, 1),
    date(2020, 10, 1),
    date(2020, 11, 1),
    date(2020, 12, 1),
    date(2020, 12, 31),
    date(2021, 2, 1),
    date(2021, 6, 1),
    date(2021, 12, 31),
)
RATES = {
    "USD": (".85", ".86", ".84", ".82", ".80", ".82", ".84", ".88"),
    "BYN": (".34", ".33", ".32", ".31", ".30", ".32", ".33", ".35"),
}
"""What one unit is worth in EUR. Each rate is valid until the next, for up to 213 days: over `exchange.OLDEST_DAYS`."""
LEAVES = {
    "1000:eur": "EUR",
    "1000:usd": "USD",
    "1000:byn": "BYN",
    "1050:eur": "EUR",
    "1050:usd": "USD",
    "1100:eur": "EUR",
    "1100:usd": "USD",
    "1200:A-1": None,
    "1200:A-2": None,
    "1210:A-1": None,
    "1210:A-2": None,
}


def load(session: Session) -> dict[int, Posted]:
    """Founds the book, with its rates, accounts and funds, and posts both years; flushes, and does not commit.

    Returns what the journal made of each entry of the reference, by its number from 1 to 74.
    """
    found(session)
    posted: dict[int, Posted] = {}
    for event in EVENTS:
        posted[event.number] = post(session, event, posted)
    return posted


def found(session: Session) -> None:
    """Founds the book, with its rates, accounts and funds."""
    book.found(
        session,
        book_id=BOOK_ID,
        organisation="Invented Fund",
        functional_currency="EUR",
        jurisdiction="by",
        demo=False,
        created_at=datetime(2020, 8, 1, 8, 0, tzinfo=UTC),
    )
    for code, currency in LEAVES.items():
        accounts.add_leaf(session, code, name="Leaf", currency=currency)
    funds.add(session, "bail", name="Bail", restricted=True)
    for currency, values in RATES.items():
        for day, value in zip(QUOTED_ON, values, strict=True):
            exchange.add(
                session,
                currency,
                on=day,
                value=Fraction(value),
                source="reference",
                recorded_at=RECORDED_AT,
                recorded_by=RECORDER,
            )


def post(session: Session, event: Event, posted: dict[int, Posted]) -> Posted:
    """Posts one event; `posted` are those before it."""
    source_key = f"two-years:{event.number}"
    if event.reverses is not None:
        return journal.reverse(
            session,
            posted[event.reverses].entry_id,
            source_key=source_key,
            because=Because.FACT_WITHDRAWN,
            on=event.on,
            recorded_at=RECORDED_AT,
            recorded_by=RECORDER,
        )
    return journal.post(
        session,
        source_key=source_key,
        kind="two_years",
        postings=event.postings,
        happened_on=event.on,
        recorded_at=RECORDED_AT,
        recorded_by=RECORDER,
    )
