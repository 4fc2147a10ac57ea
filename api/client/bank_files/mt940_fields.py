"""The fields of an MT940 message that hold money and days: `:60:`, `:61:`, `:62:`, `:90:`.

What cannot be read exactly raises BadInput; the caller knows the line.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from api.client.bank_files import amounts
from api.client.bank_files.amounts import was_withdrawn
from api.client.bank_files.lines import Detail, Entry, Status, UnreadableFile
from api.client.bank_files.mt940_texts import read_texts
from ledger.errors import BadInput
from ledger.money import Money, exponent

_BALANCE = re.compile(r"([CD])(\d{6})([A-Z]{3})?(\d{1,18}(?:,\d*)?)\s*", re.ASCII)
_LINE = re.compile(
    r"(?P<value>\d{6})(?P<entry>\d{4}| {4})?"
    r"(?P<mark>R[CD]|E[CD]|[CD])(?P<funds>[A-Z])?"
    r"(?P<amount>\d{1,18}(?:,\d*)?)"
    r"(?P<type>[A-Z][A-Z0-9 ]{3})?"
    r"(?P<rest>.*)",
    re.ASCII | re.DOTALL,
)
_TOTAL = re.compile(r"(\d{1,5})([A-Z]{3})(\d{1,18}(?:,\d*)?)\s*", re.ASCII)
_LIMIT = re.compile(r"([A-Z]{3})[CD]?\d", re.ASCII)
_DEBITS = {"D", "RC", "ED"}
_REVERSALS = {"RC", "RD"}
_NO_REFERENCE = {"", "NONREF", "NOTPROVIDED"}
_POINTERS = {"EREF", "PREF", "KREF", "EREF+", "KREF+", "MARF"}
"""What stands for a reference that is written in the text."""
_REFERENCE_LENGTH = 16
_FIRST_CENTURY_YEAR = 80
_FARTHEST = timedelta(days=183)


@dataclass(frozen=True, slots=True)
class Balance:
    """A balance with the account holder's sign, and its day."""

    amount: Money
    on: date


def read_balance(text: str, *, currency: str | None) -> tuple[Balance, list[str]]:
    """The balance that a `:60:` or `:62:` writes. Where it has no currency of its own, `currency` holds."""
    match = _BALANCE.fullmatch(text)
    if match is None:
        raise UnreadableFile("no balance", where="balance")
    mark, day, written, number = match.groups()
    amount = _read_amount(number, currency=written or currency)
    odd = [] if written else ["the balance has no currency"]
    return Balance(-amount if mark == "D" else amount, _read_day(day)), odd


def read_entry(
    lines: Sequence[str], *, texts: Sequence[tuple[str, list[str]]], currency: str | None
) -> tuple[Entry, list[str]]:
    """The entry in a `:61:` of `lines`, explained by the `:86:` and `:NS:` behind it; and what is odd about it.

    `RC` takes back a credit and so is money out, `RD` the other way round; `EC` and `ED` are expected and so pending.
    `R`, `N` and other letters behind the mark are funds codes: `CR` is a credit, whatever it was meant to be.
    """
    match = _LINE.fullmatch(lines[0])
    if match is None or (match["type"] is None and match["rest"].strip()):
        raise UnreadableFile("no statement line", where="entry")
    amount = _read_amount(match["amount"], currency=currency)
    mark = match["mark"]
    value_on, booked_on, odd = _read_days(match["value"], (match["entry"] or "").strip())
    if was_withdrawn(amount.currency, on=booked_on):
        raise UnreadableFile(f"{amount.currency} had been withdrawn by that day", where="entry")
    signed = -amount if mark in _DEBITS else amount
    own, bank, rest = _split_references(match["rest"])
    told = read_texts(texts, currency=amount.currency)
    additional = "\n".join(filter(None, (rest, *(line.strip() for line in lines[1:]))))
    status: Status = "pending" if mark.startswith("E") else "booked"
    detail = Detail(
        amount=signed,
        end_to_end_id=told.end_to_end_id or own,
        return_reason=told.return_reason,
        fee=told.fee,
        text=told.text,
    )
    entry = Entry(
        amount=signed,
        status=status,
        booked_on=booked_on,
        value_on=value_on,
        reference=bank or own,
        reversal=mark in _REVERSALS,
        details=(detail,),
        text={"additional": additional} if additional else {},
    )
    return entry, odd


def find_currency(text: str) -> str | None:
    """The currency that a `:34F:` or `:90C:` writes."""
    match = _TOTAL.fullmatch(text)
    limit = _LIMIT.match(text)
    return match[2] if match else limit[1] if limit else None


def compare_total(text: str, *, is_debit: bool, amounts: Sequence[Money]) -> Iterator[str]:
    """What a `:90C:` or `:90D:` says of the entries and is not so."""
    kind = "debit" if is_debit else "credit"
    match = _TOTAL.fullmatch(text)
    try:
        said = _read_amount(match[3], currency=match[2]) if match else None
    except BadInput:
        said = None
    if match is None or said is None:
        yield f"the bank's sum of {kind} entries cannot be read"
        return
    if int(match[1]) != len(amounts):
        yield f"the bank counts {int(match[1])} {kind} entries, {len(amounts)} are there"
    there = Money(sum(abs(amount.minor) for amount in amounts), said.currency)
    if said != there:
        yield f"the bank's sum of {kind} entries is {said}, that of the entries {there}"


def _read_amount(number: str, *, currency: str | None) -> Money:
    whole, _, fraction = number.partition(",")
    if currency is not None:
        exponent(currency)
    return amounts.read_unsigned(f"{whole}.{fraction}" if fraction else whole, currency=currency)


def _read_day(text: str) -> date:
    """The day in `YYMMDD`; years from 80 are of the last century."""
    year = int(text[:2])
    try:
        return date(year + (1900 if year >= _FIRST_CENTURY_YEAR else 2000), int(text[2:4]), int(text[4:]))
    except ValueError:
        raise UnreadableFile("no day of the calendar", where="day") from None


def _read_days(value: str, entry: str) -> tuple[date | None, date, list[str]]:
    """The value day, the booking day, and what is odd. Where no booking day is written it is the value day.

    Banks that count thirty days in each month write a 30 February: then there is a booking day and no value day.
    """
    try:
        value_on: date | None = _read_day(value)
    except UnreadableFile:
        if not entry:
            raise
        value_on = None
    if not entry or entry == "0000":
        return value_on, value_on or _read_day(value), []
    near = value_on or _read_day(f"{value[:4]}15")
    booked_on = _choose_year(entry, near=near)
    return value_on, booked_on, [] if value_on else ["its value day is no day of the calendar"]


def _choose_year(entry: str, *, near: date) -> date:
    """The `MMDD` that is nearest: what is booked in January may have its value in December, and the other way."""
    for year in (near.year, near.year - 1, near.year + 1):
        try:
            day = date(year, int(entry[:2]), int(entry[2:]))
        except ValueError:
            continue
        if abs(day - near) <= _FARTHEST:
            return day
    raise UnreadableFile("no booking day of the calendar", where="day")


def _split_references(text: str) -> tuple[str | None, str | None, str]:
    """The account holder's reference, the bank's, and what some banks write behind the 16 places of the first."""
    before, _, bank = text.partition("//")
    own, rest = before[:_REFERENCE_LENGTH].strip(), before[_REFERENCE_LENGTH:].strip()
    if bank and rest:  # an old bank writes a longer one
        own, rest = before.strip(), ""
    own_reference = None if own.upper() in _NO_REFERENCE | _POINTERS else own
    bank_reference = None if bank.strip().upper() in _NO_REFERENCE else bank.strip()
    return own_reference, bank_reference, rest
