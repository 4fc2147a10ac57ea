"""Exchange rates from the treasurer's side: a file read exactly or not at all, sent in one request.

CSV in UTF-8 with the columns `currency,on,rate,source`: `BYN,2020-10-01,0.33,nbrb`. A rate is what one unit is worth in
the book's functional currency: a decimal, or a quotient of two, `1/3.0257`, or `3.44/100` where 100 units are quoted.
"""

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from api.client.desk import Desk
from ledger.books import exchange
from ledger.errors import BadInput, LedgerError
from ledger.money import exponent

COLUMNS = ["currency", "on", "rate", "source"]
MOST_ROWS = 10_000
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_SOURCE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,29}", re.ASCII)


class BadRates(BadInput):
    """The file is no list of rates, or one of its rows cannot be read; `where` is the place, nothing is imported."""

    rule = "bad_rates"


@dataclass(frozen=True, slots=True)
class RateRow:
    """One row, as the API takes it; `rate` is exact text."""

    currency: str
    on: str
    rate: str
    source: str


def read(data: bytes) -> list[RateRow]:
    """All rows of a file of rates.

    Raises:
        BadRates: the first place that cannot be read exactly; no row is returned.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRates("the file is not UTF-8", where=f"byte {error.start + 1}") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        if [cell.strip().lower() for cell in next(reader, [])] != COLUMNS:
            raise BadRates("the columns are currency,on,rate,source", where="line 1")
        rows = list(_rows(reader))
    except csv.Error:
        raise BadRates("the quoting is broken", where=f"line {reader.line_num}") from None
    if not rows:
        raise BadRates("the file has no rates", where="file")
    return rows


def send(desk: Desk, data: bytes) -> dict[str, Any]:
    """Reads a file of rates and adds them all, or none; again, it adds nothing new.

    Raises:
        BadRates: nothing is sent. ApiRefusal, ApiUnreachable: see there; nothing was added.
    """
    return add(desk, read(data))


def add(desk: Desk, rows: list[RateRow]) -> dict[str, Any]:
    """Adds rates, all or none; the answer tells how many were `told` and how many `added`."""
    body = {"rates": [asdict(row) for row in rows]}
    told = {(row.currency, row.on) for row in rows}
    corrected = [  # what stands already is part of the key: a rate may be corrected back to what it was
        [rate["currency"], rate["on"], rate["version"]]
        for currency in sorted({row.currency for row in rows})
        for rate in listed(desk, currency=currency)
        if (rate["currency"], rate["on"]) in told
    ]
    digest = hashlib.sha256(json.dumps([body, corrected]).encode()).hexdigest()
    answer: dict[str, Any] = desk.api.post("/v1/exchange-rates", body, key=f"rates:{digest}")
    return answer


def functional_currency(desk: Desk) -> str:
    """The currency that the book's rates are told in."""
    return str(desk.api.get("/v1/exchange-rates", limit=1)["functional_currency"])


def listed(desk: Desk, *, currency: str | None = None) -> Iterator[dict[str, Any]]:
    """All rates, corrected ones included, page by page."""
    cursor: str | None = None
    while True:
        page = desk.api.get("/v1/exchange-rates", currency=currency, cursor=cursor)
        yield from page["rates"]
        cursor = page["next"]
        if cursor is None:
            return


def _rows(reader: Any) -> Iterator[RateRow]:
    seen: set[tuple[str, str]] = set()
    for cells in reader:
        line = reader.line_num
        if not any(cell.strip() for cell in cells):
            continue
        if len(seen) == MOST_ROWS:
            raise BadRates("a file has at most 10,000 rates", where=f"line {line}")
        if len(cells) != len(COLUMNS):
            raise BadRates("a row has four cells", where=f"line {line}")
        row = RateRow(*(cell.strip() for cell in cells))
        _check(row, line)
        if (row.currency, row.on) in seen:
            raise BadRates("the currency and day stand twice", where=f"line {line}")
        seen.add((row.currency, row.on))
        yield row


def _check(row: RateRow, line: int) -> None:
    try:
        exponent(row.currency)
        exchange.parse(row.rate)
    except LedgerError as error:
        raise BadRates(error.message, where=f"line {line}, column {error.data['where']}") from None
    if not (_DAY.fullmatch(row.on) and _is_day(row.on)):
        raise BadRates("not a day such as 2020-10-31", where=f"line {line}, column on")
    if not _SOURCE.fullmatch(row.source):
        raise BadRates("not a source such as nbrb", where=f"line {line}, column source")


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
