"""Files of rates as central banks publish them, turned exactly into what one unit is worth in the book's currency.

The European Central Bank quotes units of a currency for one euro, in CSV, with one column a currency. The National Bank
of Belarus quotes roubles for `Cur_Scale` units of a currency, in JSON. A file of neither is read by `rates.read`.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from api import json_texts
from api.client.rates import MOST_ROWS, BadRates, RateRow
from ledger.books import exchange
from ledger.errors import BadInput

ECB, NBRB = "ecb", "nbrb"
_BASE = {ECB: "EUR", NBRB: "BYN"}
_ABSENT = {"", "N/A"}
_DAYS = ("%Y-%m-%d", "%d %B %Y")


@dataclass(frozen=True, slots=True)
class Quote:
    """What one unit of `currency` is worth in the bank's own currency on a day; `where` it stands in the file."""

    currency: str
    on: date
    worth: Fraction
    where: str


def source_of(data: bytes) -> str | None:
    """Whose form the file has: `ecb`, `nbrb`, or None for another."""
    head = data[:200].removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith((b"[", b"{")):
        return NBRB
    return ECB if head.startswith(b"Date,") else None


def read(
    data: bytes, *, into: str, currencies: Sequence[str], since: date | None = None, until: date | None = None
) -> list[RateRow]:
    """The rates of some currencies in a central bank's file, told in the currency `into`, oldest first.

    Where the bank's own currency is another, the file's rate of `into` for the same day is put between.

    Raises:
        BadRates: the file cannot be read exactly, lacks a currency altogether, or has more rates than are sent at once.
    """
    source = source_of(data)
    if source is None:
        raise BadRates("the file is of no central bank that is known", where="file")
    base = _BASE[source]
    wanted = frozenset(currencies) - {into}
    quotes = _quotes(data, source=source, wanted=wanted | {into} - {base})
    days: dict[date, dict[str, Quote]] = {}
    for quote in quotes:
        if (since is None or since <= quote.on) and (until is None or quote.on <= until):
            of_day = days.setdefault(quote.on, {})
            if quote.currency in of_day:
                raise BadRates("the currency and day stand twice", where=quote.where)
            of_day[quote.currency] = quote
    rows = [row for day in sorted(days) for row in _rows(days[day], day, source=source, into=into, wanted=wanted)]
    missing = wanted - {row.currency for row in rows}
    if missing or not rows:
        raise BadRates("the file has no rate of a currency that is asked for", where="file")
    if len(rows) > MOST_ROWS:
        raise BadRates("more than 10,000 rates: choose fewer currencies or days", where="file")
    return rows


def _rows(quotes: dict[str, Quote], on: date, *, source: str, into: str, wanted: frozenset[str]) -> Iterator[RateRow]:
    base = _BASE[source]
    unit = Fraction(1) if into == base else quotes[into].worth if into in quotes else None
    if unit is None:
        return
    for currency in sorted(wanted):
        worth = Fraction(1) if currency == base else quotes[currency].worth if currency in quotes else None
        if worth is not None:
            yield RateRow(currency, on.isoformat(), exchange.write(worth / unit), source)


def _quotes(data: bytes, *, source: str, wanted: frozenset[str]) -> Iterator[Quote]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRates("the file is not UTF-8", where=f"byte {error.start + 1}") from None
    yield from (_ecb if source == ECB else _nbrb)(text, wanted)


def _ecb(text: str, wanted: frozenset[str]) -> Iterator[Quote]:
    """`Date, USD, …`, then rows; `N/A` where nothing was quoted, and an empty last column."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        heads = [cell.strip() for cell in next(reader)]
        places = {head: place for place, head in enumerate(heads) if head in wanted}
        if any(heads.count(head) > 1 for head in places):
            raise BadRates("a currency has two columns", where="line 1")
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            where = f"line {reader.line_num}"
            if len(cells) != len(heads):
                raise BadRates("a row has as many cells as the first one", where=where)
            day = _day(cells[0].strip(), where)
            for currency, place in places.items():
                told = cells[place].strip()
                if told not in _ABSENT:
                    yield Quote(currency, day, 1 / _decimal(told, where), where)
    except csv.Error:
        raise BadRates("the quoting is broken", where=f"line {reader.line_num}") from None


def _nbrb(text: str, wanted: frozenset[str]) -> Iterator[Quote]:
    """One object or a list of them; a number stays the text it is, so that no digit changes."""
    try:
        told = json_texts.read(text, numbers_as_text=True)
    except json_texts.NotJson:
        raise BadRates("the file is not JSON", where="file") from None
    for number, one in enumerate(told if isinstance(told, list) else [told], 1):
        where = f"rate {number}"
        if not isinstance(one, dict):
            raise BadRates("a rate is an object", where=where)
        currency = one.get("Cur_Abbreviation")  # real files leave it out at times: such a rate is nobody's
        if currency in wanted:
            day = str(one.get("Date")).removesuffix("T00:00:00")
            scale = _decimal(one.get("Cur_Scale"), where)
            yield Quote(str(currency), _day(day, where), _decimal(one.get("Cur_OfficialRate"), where) / scale, where)


def _decimal(told: Any, where: str) -> Fraction:
    try:
        if not isinstance(told, str) or "/" in told:
            raise BadRates("a rate is a decimal above zero", where=where)
        return exchange.parse(told)
    except BadInput:
        raise BadRates("a rate is a decimal above zero", where=where) from None


def _day(told: str, where: str) -> date:
    for form in _DAYS:
        try:
            return datetime.strptime(told, form).date()  # noqa: DTZ007  # a day, in no zone
        except ValueError:
            continue
    raise BadRates("not a day such as 2020-10-31", where=where)
