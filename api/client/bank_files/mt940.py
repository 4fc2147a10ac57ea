"""Reader of SWIFT's MT940 statements and MT942 interim reports, as banks write them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from api.client.bank_files import mt940_fields
from api.client.bank_files.balances import compare_balances
from api.client.bank_files.lines import Entry, Problem, Statement, StatementFile, UnknownFormat, UnreadableFile, adds_up
from api.client.bank_files.mt940_fields import Balance
from api.client.bank_files.refusals import Refusals
from api.client.bank_files.texts import choose_encoding, read_head, read_lines
from ledger.errors import BadInput

MOST_FIELDS = 400_000
"""In one file: four for each line that it may hold."""
MOST_TEXT = 200_000
"""Characters behind one line, where each field counts for a hundred more."""
LONGEST_FIELD = 100_000
"""Characters, with the prose behind it. SWIFT allows 400."""

_NUMBER = re.compile(r"[0-9]{1,5}(/[0-9]{1,5})?", re.ASCII)
"""A statement's number and page in `:28C:`."""
_PER_FIELD = 100
_TAG = re.compile(r":(20|21|25P?|28C?|13D|34F|60[FM]?|61|62[FM]?|64|65|86|90[CD]|NS):", re.ASCII)
"""Only these begin a field: banks break texts where it pleases them, also just before a `:12:30`."""
_ACCOUNT = re.compile(r"^:25P?:", re.MULTILINE)
_STATEMENT = re.compile(r"^:(?:60[FM]?|61|62[FM]?):", re.MULTILINE)
_INTERIM = re.compile(r"^:(?:34F|90[CD]):", re.MULTILINE)
_END = re.compile(r"-[}\x03\s]*")
_CURRENCY = re.compile(r"(?<=[\d ])[A-Z]{3}$")
_LEGACY = "latin-1"


def recognise(data: bytes) -> str | None:
    """`mt940`, or `mt942` for a report in the course of a day; None for other files."""
    head = read_head(data).replace("\r\n", "\n").replace("\r", "\n")
    if not _ACCOUNT.search(head) or not (_STATEMENT.search(head) or _INTERIM.search(head)):
        return None
    return "mt942" if _INTERIM.search(head) and not re.search(r"^:60[FM]?:", head, re.MULTILINE) else "mt940"


def read(data: bytes) -> StatementFile:
    """Everything that an MT940 or MT942 file says: each message is a statement, and so is each page of a long one.

    Raises:
        UnknownFormat: there is no message in it.
        UnreadableFile: something in it cannot be read exactly; see `Refusals.check`.
    """
    name = recognise(data)
    if name is None:
        raise UnknownFormat("no MT940 message", where="the whole file")
    encoding = choose_encoding(data, otherwise=_LEGACY)
    reading = _Reading()
    if encoding == _LEGACY:
        reading.problems.append(Problem("the whole file", "its texts are not UTF-8 and are read as ISO 8859-1"))
    for one in _split_fields(data, encoding=encoding):
        reading.take(one)
    reading.end_message()
    reading.refusals.check()
    return StatementFile(name, tuple(reading.statements), tuple(reading.problems))


@dataclass(slots=True)
class _Field:
    """A field: its tag, the line on which it begins, and its lines without their ends."""

    tag: str
    line: int
    lines: list[str]

    @property
    def where(self) -> str:
        return f"line {self.line}"


def _split_fields(data: bytes, *, encoding: str) -> Iterator[_Field]:
    """The fields one by one. What stands before the first, and behind the mark that ends a message, is prose."""
    current: _Field | None = None
    fields = size = 0
    for number, line in read_lines(data, encoding=encoding):
        tag = _TAG.match(line)
        if tag:
            fields, size = fields + 1, 0
            if fields > MOST_FIELDS:
                raise UnreadableFile(f"more than {MOST_FIELDS} fields in one file", where=f"line {number}")
            if current:
                yield _cut_at_end(current, before=tag[1])
            current = _Field(tag[1], number, [line[tag.end() :].rstrip("\r\n")])
        elif current:
            current.lines.append(line.rstrip("\r\n"))
            size += len(line)
            if size > LONGEST_FIELD:
                raise UnreadableFile(f"a field of more than {LONGEST_FIELD} characters", where=current.where)
    if current:
        yield _cut_at_end(current, before="20")


def _cut_at_end(one: _Field, *, before: str) -> _Field:
    """A line of `-` ends a message where a new one follows, and is a part of a text elsewhere."""
    if before == "20":
        ends = [nth for nth, line in enumerate(one.lines) if nth and _END.fullmatch(line)]
        if ends:
            del one.lines[ends[-1] :]
    return one


@dataclass(slots=True)
class _Message:
    """What one message has said so far."""

    reference: str
    number: str | None = None
    account: str | None = None
    currency: str | None = None
    openings: list[Balance] = field(default_factory=list)
    closings: list[Balance] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    entry_number: int = 0
    totals: list[_Field] = field(default_factory=list)


@dataclass(slots=True)
class _Reading:
    """What has been read so far. An entry is complete when a field comes that does not explain it."""

    statements: list[Statement] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    refusals: Refusals = field(default_factory=Refusals)
    message: _Message | None = None
    line: _Field | None = None
    texts: list[_Field] = field(default_factory=list)
    text_size: int = 0

    def take(self, one: _Field) -> None:
        if one.tag in {"86", "NS"}:
            if self.line is not None:
                self.texts.append(one)
                self.text_size += _PER_FIELD + sum(map(len, one.lines))
                if self.text_size > MOST_TEXT:
                    raise UnreadableFile(f"texts of more than {MOST_TEXT} characters behind one line", where=one.where)
            return  # behind a balance it is a text on the whole statement
        self.end_entry()
        try:
            self._take(one)
        except BadInput as error:
            self.refusals.add(f"{self._place()}, {one.where}", error.message)

    def _take(self, one: _Field) -> None:
        if one.tag == "20":
            self.end_message()
            self.message = _Message(one.lines[0].strip())
            return
        message = self.message
        if message is None:
            raise UnreadableFile("a field that stands in no message", where=one.where)
        match one.tag:
            case "25" | "25P":
                self._take_account(one, message)
            case "28" | "28C":
                message.number = one.lines[0].strip()
            case "60" | "60F" | "60M" | "62" | "62F" | "62M":
                self._take_balance(one, message)
            case "34F" | "90C" | "90D":
                message.currency = message.currency or mt940_fields.find_currency(one.lines[0])
                message.totals.append(one)
                self.refusals.count(1, where=one.where)
            case "61":
                self.line = one

    def _take_account(self, one: _Field, message: _Message) -> None:
        """A second account begins a second statement: what stands behind it is not of the first."""
        if message.account is not None:
            self.problems.append(Problem(f"{self._place()}, {one.where}", "a second account in one message"))
            self.end_message()
            message = self.message = _Message(message.reference, message.number, currency=message.currency)
        message.account = one.lines[0].strip().replace(" ", "")

    def _take_balance(self, one: _Field, message: _Message) -> None:
        kept = message.openings if one.tag.startswith("60") else message.closings
        balance, odd = mt940_fields.read_balance(one.lines[0], currency=message.currency)
        message.currency = message.currency or balance.amount.currency
        if kept is message.openings and message.closings and message.closings[-1].amount != balance.amount:
            odd = [*odd, "a page begins with another balance than the one before it ends with"]
        kept.append(balance)
        self.refusals.count(1 + len(odd), where=one.where)
        self.problems.extend(Problem(f"{self._place()}, {one.where}", what) for what in odd)

    def end_entry(self) -> None:
        line, self.line = self.line, None
        texts, self.texts, self.text_size = self.texts, [], 0
        message = self.message
        if line is None or message is None:
            return
        message.entry_number += 1
        where = f"{self._place()}, entry {message.entry_number}, {line.where}"
        currency = message.currency or _find_in_account(message.account)
        try:
            entry, odd = mt940_fields.read_entry(
                line.lines, texts=[(one.tag, one.lines) for one in texts], currency=currency
            )
        except BadInput as error:
            self.refusals.add(where, error.message)
            return
        if message.closings and len(message.closings) == len(message.openings):
            odd = [*odd, "it stands behind the closing balance"]
        message.entries.append(entry)
        self.problems.extend(Problem(where, what) for what in odd)
        self.refusals.count(1 + len(entry.details) + len(odd), where=where)

    def end_message(self) -> None:
        self.end_entry()
        message, self.message = self.message, None
        if message is None:
            return
        place = f"statement {len(self.statements) + 1}"
        statement = _build(message)
        odd = [*compare_balances(statement), *_compare_totals(message)]
        self.statements.append(statement)
        self.problems.extend(Problem(place, what) for what in odd)
        self.refusals.count(1 + len(odd), where=place)

    def _place(self) -> str:
        return f"statement {len(self.statements) + 1}"


def _build(message: _Message) -> Statement:
    opening = message.openings[0] if message.openings else None
    closing = message.closings[-1] if message.closings else None
    opening_amount = None if opening is None else opening.amount
    closing_amount = None if closing is None else closing.amount
    entries = tuple(message.entries)
    return Statement(
        account=message.account,
        identification=" ".join(filter(None, (message.reference, message.number))) or None,
        currency=message.currency or _find_in_account(message.account),
        opening=opening_amount,
        closing=closing_amount,
        opened_on=opening.on if opening else None,
        closed_on=closing.on if closing else None,
        adds_up=adds_up(opening=opening_amount, closing=closing_amount, entries=entries),
        entries=entries,
        number=message.number if message.number and _NUMBER.fullmatch(message.number) else None,
    )


def _find_in_account(account: str | None) -> str | None:
    found = _CURRENCY.search(account or "")
    return found[0] if found else None


def _compare_totals(message: _Message) -> Iterator[str]:
    """The bank's own counts and sums (`:90C:`, `:90D:`), where it gives them."""
    for one in message.totals:
        if one.tag in {"90C", "90D"}:
            is_debit = one.tag == "90D"
            chosen = [entry.amount for entry in message.entries if (entry.amount.minor < 0) == is_debit]
            yield from mt940_fields.compare_total(one.lines[0], is_debit=is_debit, amounts=chosen)
