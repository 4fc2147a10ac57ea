"""The journal as a table for spreadsheets: one row a line."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice

from ledger.books.exports import PAGE, Numbered
from ledger.books.records import write_moment
from reports.csv_table import as_csv, rows_as_csv

HEADER = (
    "entry",
    "line",
    "effective_on",
    "happened_on",
    "recorded_at",
    "kind",
    "reverses",
    "because",
    "side",
    "account",
    "amount",
    "currency",
    "fund",
    "subject",
    "case",
    "rate_on",
)


def render(entries: Iterable[Numbered]) -> Iterator[bytes]:
    """A CSV file in pieces, as `csv_table` writes it: a header, then every line of every entry, in order."""
    yield as_csv(HEADER, rows=())
    remaining = chain.from_iterable(map(_rows, entries))
    while page := list(islice(remaining, PAGE)):
        yield rows_as_csv(page)


def _rows(numbered: Numbered) -> Iterator[list[str]]:
    entry = numbered.entry
    for number, posting in enumerate(entry.postings, start=1):
        cells = (
            numbered.number,
            number,
            entry.effective_on,
            entry.happened_on,
            None if entry.recorded_at is None else write_moment(entry.recorded_at),
            entry.kind,
            numbered.reverses,
            entry.because,
            posting.side,
            posting.account,
            posting.money.decimal(),
            posting.money.currency,
            posting.fund,
            posting.subject,
            posting.case,
            posting.rate_on,
        )
        yield ["" if cell is None else str(cell) for cell in cells]
