"""Two worked years of an invented fund: 74 entries in three currencies and five funds, in a book of their own.

The rates, the accounts and the dates are those of the reference, which is not ours to ship.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path

from sqlmodel import Session

from ledger import book
from ledger.books import accounts, exchange, funds, journal
from ledger.books.postings import Posting, Side
from ledger.money import Money
from tests.cast import BOOK_ID

REFERENCE = Path(__file__).parents[1] / "../shared/reference/two-years"
FIRST_DAY = date(2020, 8, 1)
YEAR_ENDS = (date(2020, 12, 31), date(2021, 12, 31))
RECORDED_AT = datetime(2022, 1, 10, 9, 0, tzinfo=UTC)
RECORDER = "OP-0000-0000-0001"
QUOTED_ON = (
    "2020-08-01",
    "2020-10-01",
    "2020-11-01",
    "2020-12-01",
    "2020-12-31",
    "2021-02-01",
    "2021-06-01",
    "2021-12-31",
)
RATES = {
    "USD": (".85", ".86", ".84", ".82", ".80", ".82", ".84", ".88"),
    "BYN": (".34", ".33", ".32", ".31", ".30", ".32", ".33", ".35"),
}
"""What one unit is worth in EUR; each rate is valid until the next, however long that is."""
LEAVES = {
    "1000:eur": "EUR",
    "1000:usd": "USD",
    "1000:byn": "BYN",
    "1050:eur": "EUR",
    "1050:usd": "USD",
    "1100:eur": "EUR",
    "1100:usd": "USD",
    "1200:A-1": "BYN",
    "1200:A-2": "BYN",
}
SUBJECTS = {
    "obligation": "O-0000-0000-0001",
    "donation": "G-0000-0000-0001",
    "dispute": "Q-0000-0000-0001",
    "advance,agent": "A-0000-0000-0001",
    "obligation,donation": "G-0000-0000-0001",
}


@dataclass(frozen=True, slots=True)
class Expected:
    """One entry of the reference."""

    number: int
    on: date
    event: str
    postings: list[Posting]


def load(session: Session) -> None:
    """Founds the book, with its rates, accounts and funds, and posts the two years."""
    found(session)
    subjects = {account.code: SUBJECTS.get(account.subject) for account in accounts.listed(session)}
    for entry in expected():
        named = [
            Posting(one.side, one.account, one.money, one.fund, subject=subjects[one.account], rate_on=one.rate_on)
            for one in entry.postings
        ]
        journal.post(
            session,
            source_key=f"two-years:{entry.number}",
            kind="two_years",
            postings=named,
            happened_on=entry.on,
            recorded_at=RECORDED_AT,
            recorded_by=RECORDER,
        )


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
        accounts.add_leaf(session, code, name=code, currency=currency)
    funds.add(session, "bail", name="Bail", restricted=True)
    for currency, values in RATES.items():
        for day, value in zip(QUOTED_ON, values, strict=True):
            exchange.add(
                session,
                currency,
                on=date.fromisoformat(day),
                value=Fraction(value),
                source="reference",
                recorded_at=RECORDED_AT,
                recorded_by=RECORDER,
            )
    session.flush()


def expected() -> Iterator[Expected]:
    """The entries of the reference, in their order; recoveries on the leaf of their kind."""
    with (REFERENCE / "postings.tsv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            number, rate_on = int(row["n"]), row["rate_on"]
            postings = [
                _posting(text, number=number, rate_on=date.fromisoformat(rate_on) if rate_on else None)
                for text in row["postings"].split(";")
            ]
            yield Expected(number, date.fromisoformat(row["date"]), row["event"], postings)


def _posting(text: str, *, number: int, rate_on: date | None) -> Posting:
    side, account, amount, currency, fund = text.split()
    if account == "5900":
        account = {51: "5900:fine", 54: "5900:detention"}[number]
    return Posting(
        Side.DEBIT if side == "dr" else Side.CREDIT, account, Money.parse(amount, currency), fund, rate_on=rate_on
    )
