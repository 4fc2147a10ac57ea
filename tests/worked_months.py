"""Two worked months in two currencies, small enough to be reckoned by hand.

BYN is worth .30 from 1 October, .40 from 20 October, .50 from 1 November, .40 from 15 November. All is of `fines`.

October: a gift of 100.00 EUR; 30.00 EUR become 97.00 BYN, worth 29.10; a fine of 80 BYN is recognised at .30, 60 of
them are paid at .40. Left are 70.00 EUR and 37 - 20 BYN at .40, together 76.80: 100.00 - 24.00 + 0.80, the last being
17 BYN times .10, less the 0.90 that the exchange cost.

November: the 20 BYN are quashed before payment, at the rate of their recognition; fines of 300 BYN are recognised at
.50. Left are 70.00 EUR and 37 - 300 BYN at .40, together -35.20: 76.80 + 6.00 - 150.00 + 32.00, the last being 17 BYN
times .10 and -263 BYN times -.10, and 20 BYN times the .20 by which the quashed ones count for less.
"""

from datetime import UTC, date, datetime

from sqlmodel import Session

from ledger.books import exchange
from ledger.books.postings import Posting, credit, debit
from tests.bookkeeping import BYN_LEAF, DONATION, EUR_LEAF, OBLIGATION, post
from tests.cast import byn, eur

RECORDED_AT = datetime(2021, 1, 15, 9, 0, tzinfo=UTC)
OCTOBER = (date(2020, 10, 1), date(2020, 10, 31))
NOVEMBER = (date(2020, 11, 1), date(2020, 11, 30))
RECOGNISED_ON = date(2020, 10, 15)
RATES = {date(2020, 10, 1): "0.30", date(2020, 10, 20): "0.40", date(2020, 11, 1): "0.50", date(2020, 11, 15): "0.40"}


def book_two_months(session: Session) -> None:
    """Books both months and their rates; flushed, not committed."""
    for day, quoted in RATES.items():
        quote(session, quoted, on=day)
    a_gift_of_euros(session, "100.00", on=date(2020, 10, 5))
    fact(session, an_exchange(), key="exchange", on=date(2020, 10, 10))
    fact(session, a_fine("80.00"), key="fine", on=RECOGNISED_ON)
    paid = [debit("2100", byn("60.00"), "fines", subject=OBLIGATION), credit(BYN_LEAF, byn("60.00"), "fines")]
    fact(session, paid, key="paid", on=date(2020, 10, 25))
    quashed = [
        debit("2100", byn("20.00"), "fines", subject=OBLIGATION),
        credit("5000", byn("20.00"), "fines", subject=OBLIGATION, rate_on=RECOGNISED_ON),
    ]
    fact(session, quashed, key="quashed", on=date(2020, 11, 5))
    fact(session, a_fine("300.00"), key="fines", on=date(2020, 11, 12))


def quote(session: Session, quoted: str, *, on: date, recorded_at: datetime = RECORDED_AT) -> None:
    """Adds a rate of the rouble."""
    exchange.add(
        session,
        "BYN",
        on=on,
        value=exchange.parse(quoted),
        source="worked",
        recorded_at=recorded_at,
        recorded_by="test",
    )


def fact(session: Session, postings: list[Posting], *, key: str, on: date, recorded_at: datetime = RECORDED_AT) -> None:
    """Books a fact of the worked months."""
    post(session, postings, source_key=f"worked:{key}", on=on, recorded_at=recorded_at)


def a_gift_of_euros(session: Session, amount: str, *, on: date) -> None:
    """A gift to the fund for fines."""
    gift = [debit(EUR_LEAF, eur(amount), "fines"), credit("4000", eur(amount), "fines", subject=DONATION)]
    fact(session, gift, key=f"gift:{on}", on=on)


def an_exchange() -> list[Posting]:
    """30.00 EUR become 97.00 BYN."""
    return [
        debit(BYN_LEAF, byn("97.00"), "fines"),
        credit("3900", byn("97.00"), "fines"),
        debit("3900", eur("30.00"), "fines"),
        credit(EUR_LEAF, eur("30.00"), "fines"),
    ]


def a_fine(amount: str) -> list[Posting]:
    """A fine that is recognised."""
    return [
        debit("5000", byn(amount), "fines", subject=OBLIGATION),
        credit("2100", byn(amount), "fines", subject=OBLIGATION),
    ]
