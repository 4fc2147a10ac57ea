"""Reader of OFX, versions 1 (SGML) and 2 (XML): bank and credit-card statements."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from api.client.bank_files import amounts
from api.client.bank_files.balances import compare_balances
from api.client.bank_files.lines import (
    Detail,
    Entry,
    Problem,
    Statement,
    StatementFile,
    Status,
    UnknownFormat,
    UnreadableFile,
)
from api.client.bank_files.ofx_markup import Aggregate, read_aggregates
from api.client.bank_files.refusals import Refusals
from api.client.bank_files.texts import choose_encoding, read_head, read_text
from ledger.errors import BadInput
from ledger.money import Money, exponent

LARGEST_FILE = 16 * 2**20
"""Bytes: some 60,000 lines."""

_BEGINNING = re.compile(r"<OFX>", re.IGNORECASE)
_XML = re.compile(r"<\?(?:xml|OFX)\b", re.IGNORECASE)
_CODE_PAGE = re.compile(r"(?:CHARSET\s*[:>]|encoding\s*=\s*[\"'])\s*([\w-]+)", re.IGNORECASE | re.ASCII)
_OTHER_MESSAGE = re.compile(r"<\w*:?(?:Document|BkToCstmr)")
_STATEMENTS = ("STMTRS", "CCSTMTRS")
_LINES = {"STMTTRN": "booked", "STMTTRNP": "pending"}
_AMOUNT = re.compile(r"([+-]?)(\d{1,18})(?:[.,](\d*))?|([+-]?)[.,](\d+)", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}", re.ASCII)
"""What may be thousands as well as three decimals."""
_THREE_DECIMALS = 3
_SIGNS = {"DEBIT": -1, "CREDIT": 1}
"""The kinds of line that tell a sign themselves; fees and checks may come back."""
_DAY = re.compile(r"(\d{4})(\d\d)(\d\d)(?:\d{2,6})?(?:[.:]\d+)?(?:\[[^\]]*\])?", re.ASCII)
_CODE = re.compile(r"\d{1,6}", re.ASCII)


def recognise(data: bytes) -> str | None:
    """`ofx.1` for SGML, `ofx.2` for XML; None for other files."""
    head = read_head(data)
    found = _BEGINNING.search(head)
    if found is None or _OTHER_MESSAGE.search(head, 0, found.start()):
        return None
    return "ofx.2" if _XML.search(head, 0, found.start()) else "ofx.1"


def read(data: bytes) -> StatementFile:
    """Every bank and credit-card statement in the file. OFX gives no opening balance, so none adds up or fails to.

    Raises:
        UnknownFormat: it is not OFX.
        UnreadableFile: something in it cannot be read exactly; see `Refusals.check`.
    """
    name = recognise(data)
    if name is None:
        raise UnknownFormat("no OFX", where="the whole file")
    if len(data) > LARGEST_FILE:
        raise UnreadableFile(f"a file of more than {LARGEST_FILE} bytes", where="the whole file")
    text = _decode(data)
    found = _BEGINNING.search(text)
    if found is None:
        raise UnknownFormat("no OFX", where="the whole file")
    if "<!DOCTYPE" in text[: found.start()].upper():
        raise UnreadableFile("a DOCTYPE, which no bank needs", where="before the first element")
    reading = _Reading()
    begins_on = text.count("\n", 0, found.start()) + 1
    released = (*_LINES, *_STATEMENTS)
    for aggregate, around in read_aggregates(text[found.start() :], begins_on=begins_on, released=released):
        reading.take(aggregate, around)
    reading.refusals.check()
    if not reading.statements:
        reading.problems.append(Problem("the whole file", "it holds no statement"))
    return StatementFile(name, tuple(reading.statements), tuple(reading.problems))


def _decode(data: bytes) -> str:
    """A mark or valid UTF-8 decides; else the code page that the header names, and windows-1252 where it names none."""
    named = _CODE_PAGE.search(read_head(data))
    page = named[1].lower() if named else ""
    otherwise = {"iso-8859-1": "latin-1", "8859-1": "latin-1", "utf-8": "utf-8"}.get(page)
    if otherwise is None:
        otherwise = f"cp{page.removeprefix('windows-')}" if re.fullmatch(r"(windows-)?125\d", page) else "cp1252"
    encoding = choose_encoding(data, otherwise=otherwise)
    return read_text(data, encoding=encoding)


@dataclass(slots=True)
class _Reading:
    """What has been read so far; the lines of a statement come before its end."""

    statements: list[Statement] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    refusals: Refusals = field(default_factory=Refusals)
    lines: list[tuple[Aggregate, Status]] = field(default_factory=list)

    def take(self, aggregate: Aggregate, around: list[str]) -> None:
        if aggregate.name in _LINES and any(name in _STATEMENTS for name in around):
            self.lines.append((aggregate, "booked" if aggregate.name == "STMTTRN" else "pending"))
            self.refusals.count(2, where=aggregate.where)
        elif aggregate.name in _STATEMENTS:
            self._take_statement(aggregate)
        elif aggregate.name == "STATUS" and "ERROR" in aggregate.values.get("SEVERITY", ()):
            code = next(iter(aggregate.values.get("CODE", ())), "")
            told = f" {code}" if _CODE.fullmatch(code) else ""
            self.problems.append(Problem(aggregate.where, f"the bank answers with error{told}"))

    def _take_statement(self, node: Aggregate) -> None:
        place = f"statement {len(self.statements) + 1}"
        lines, self.lines = self.lines, []
        entries: list[Entry] = []
        currency = _read_currency(node)
        for number, (line, status) in enumerate(lines, 1):
            where = f"{place}, entry {number}, {line.where}"
            try:
                entry, odd = _read_entry(line, status=status, currency=currency)
            except BadInput as error:
                self.refusals.add(where, error.message)
                continue
            entries.append(entry)
            self.problems.extend(Problem(where, what) for what in odd)
            self.refusals.count(len(odd), where=where)
        try:
            statement, odd = _build(node, entries=tuple(entries), currency=currency)
        except BadInput as error:
            self.refusals.add(f"{place}, {node.where}", error.message)
            return
        self.statements.append(statement)
        odd = [*odd, *compare_balances(statement), *_find_repeated(entries)]
        self.problems.extend(Problem(place, what) for what in odd)


def _build(node: Aggregate, *, entries: tuple[Entry, ...], currency: str | None) -> tuple[Statement, list[str]]:
    account = node.part("BANKACCTFROM", "CCACCTFROM")
    number = None if account is None else account.value("ACCTID")
    booked = next((entry.amount.currency for entry in entries), None)
    closing, closed_on, odd = _read_balance(node.part("LEDGERBAL"), currency=currency or booked)
    statement = Statement(
        account=None if number is None else number.replace(" ", ""),
        identification=None,
        currency=currency or booked,
        opening=None,
        closing=closing,
        opened_on=None,
        closed_on=closed_on,
        adds_up=None,
        entries=entries,
    )
    return statement, odd


def _read_currency(node: Aggregate) -> str | None:
    currency = node.value("CURDEF")
    if currency is not None:
        exponent(currency)
    return currency


def _read_balance(node: Aggregate | None, *, currency: str | None) -> tuple[Money | None, date | None, list[str]]:
    """The balance that is booked. `AVAILBAL` is never taken: it counts what is not there yet."""
    if node is None:
        return None, None, []
    text = node.value("BALAMT")
    if text is None:
        return None, None, ["the closing balance is empty"]
    return _read_amount(text, currency=currency), _read_day(node.value("DTASOF")), []


def _read_entry(node: Aggregate, *, status: Status, currency: str | None) -> tuple[Entry, list[str]]:
    """The entry in a `STMTTRN`. `CURRENCY` says what the amount is in, `ORIGCURRENCY` only what it was."""
    text = node.value("TRNAMT")
    if text is None:
        raise UnreadableFile("no amount", where=node.where)
    own = node.part("CURRENCY")
    amount = _read_amount(text, currency=(own and own.value("CURSYM")) or currency)
    booked_on, odd = _read_booking_day(node.value("DTPOSTED"), status=status)
    if amounts.was_withdrawn(amount.currency, on=booked_on):
        raise UnreadableFile(f"{amount.currency} had been withdrawn by that day", where=node.where)
    if node.value("CORRECTFITID") is not None:
        odd.append("the bank says that it corrects an earlier line")
    kind = node.value("TRNTYPE") or ""
    if amount.minor * _SIGNS.get(kind, 0) < 0:
        odd.append(f"the bank calls it a {kind.lower()}, and its amount is {amount}: the amount holds")
    payee, other = node.part("PAYEE"), node.part("BANKACCTTO", "CCACCTTO")
    told = {
        "counterparty": node.value("NAME") or (payee and payee.value("NAME")),
        "counterparty_account": other and other.value("ACCTID"),
        "remittance": node.value("MEMO"),
        "additional": node.value("CHECKNUM"),
    }
    detail = Detail(
        amount=amount,
        end_to_end_id=node.value("REFNUM"),
        text={key: value for key, value in told.items() if value},
    )
    value_on = _read_day(node.value("DTAVAIL"))
    reference = node.value("FITID")
    return Entry(amount, status, booked_on, value_on, reference, details=(detail,)), odd


def _find_repeated(entries: list[Entry]) -> Iterator[str]:
    """A bank's number stands for one line; where it stands on two, they are still two."""
    seen: set[str] = set()
    for number, entry in enumerate(entries, 1):
        if entry.reference in seen:
            yield f"entry {number} has the bank's number of an earlier entry"
        elif entry.reference is not None:
            seen.add(entry.reference)


def _read_amount(text: str, *, currency: str | None) -> Money:
    """A point or a comma stands before the decimals, and nothing between thousands: `1,230` euros are refused."""
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise UnreadableFile("no amount", where="amount")
    if _THOUSANDS.fullmatch(text) and currency is not None and exponent(currency) != _THREE_DECIMALS:
        raise UnreadableFile("an amount that may be thousands or three decimals", where="amount")
    sign, whole, fraction = match[1] or match[4], match[2] or "0", match[3] or match[5]
    amount = amounts.read_unsigned(f"{whole}.{fraction}" if fraction else whole, currency=currency)
    return -amount if sign == "-" else amount


def _read_booking_day(text: str | None, *, status: Status) -> tuple[date | None, list[str]]:
    """The day, or that there is none: such a line can be looked at, and a booked one cannot be imported."""
    try:
        day = _read_day(text)
    except UnreadableFile:
        return None, ["its booking day is no day of the calendar"]
    return day, [] if day or status == "pending" else ["it has no booking day"]


def _read_day(text: str | None) -> date | None:
    """The calendar day that the bank wrote, in whatever zone."""
    if text is None:
        return None
    match = _DAY.fullmatch(text)
    try:
        return date(int(match[1]), int(match[2]), int(match[3])) if match else date.fromisoformat("")
    except ValueError:
        raise UnreadableFile("no day", where="day") from None
