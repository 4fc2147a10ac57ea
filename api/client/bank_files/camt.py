"""Reader of CAMT: camt.052 reports, camt.053 statements and camt.054 notices of ISO 20022, of every version."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date

from api.client.bank_files.balances import compare_balances
from api.client.bank_files.camt_entries import read_entry
from api.client.bank_files.camt_totals import compare_totals
from api.client.bank_files.camt_values import read_account, read_day, read_reference, read_signed
from api.client.bank_files.lines import Entry, Problem, Statement, StatementFile, UnknownFormat, UnreadableFile, adds_up
from api.client.bank_files.markup import Node, find_first, read_pieces
from api.client.bank_files.refusals import Refusals
from ledger.errors import BadInput
from ledger.money import Money, exponent

_FORMATS = {"BkToCstmrAcctRpt": "camt.052", "BkToCstmrStmt": "camt.053", "BkToCstmrDbtCdtNtfctn": "camt.054"}
_FORMATS |= {f"{message}V01": name for message, name in _FORMATS.items()}
_STATEMENTS = ("Rpt", "Stmt", "Ntfctn")
_LONGEST_COUNT = 9
"""A longer one is no count, but something that may name an account."""
_VERSION = re.compile(r"camt\.05[234]\.\d{3}\.\d{2}", re.ASCII)
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\s\0]*<")


def recognise(data: bytes) -> str | None:
    """`camt.052`, `camt.053` or `camt.054`, by the message inside; None for other files.

    Raises:
        UnreadableFile: it looks like XML and is not harmless or not well-formed.
    """
    return _name_format(_find_message(data))


def read(data: bytes) -> StatementFile:
    """Everything that a CAMT file says, with what is odd in it as problems.

    Raises:
        UnknownFormat: no CAMT message is in it.
        UnreadableFile: something in it cannot be read exactly; `where` tells the first place, such as
            `statement 1, entry 7, line 123`, and `places` the first ten.
    """
    message = _find_message(data)
    name = _name_format(message)
    if message is None or name is None:
        raise UnknownFormat("no CAMT message", where="the whole file")
    reading = _Reading(name)
    for node in read_pieces(data, names=("Ntry", *_STATEMENTS)):
        if node.name == "Ntry":
            reading.take_entry(node)
        elif node.parent is not None and node.parent.name in _FORMATS:
            reading.take_statement(node, message=node.parent.name)
    reading.refusals.check()
    if not reading.statements:
        reading.problems.append(Problem("the whole file", "it holds no statement"))
    found = _VERSION.search(message)
    version = found[0] if found else None
    if version is not None and not version.startswith(name):
        reading.problems.append(Problem("the whole file", f"its namespace is that of {version[:8]}"))
    return StatementFile(name, tuple(reading.statements), tuple(reading.problems), version)


@dataclass
class _Reading:
    """What has been read so far; entries come before the end of their statement."""

    format: str
    statements: list[Statement] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    refusals: Refusals = field(default_factory=Refusals)
    number: int = 1
    entry_number: int = 0
    account: str | None = None

    def take_entry(self, node: Node) -> None:
        self.entry_number += 1
        place = f"{self._place()}, entry {self.entry_number}"
        where = f"{place}, {node.where}"
        try:
            statement = node.parent
            if statement is None or statement.name not in _STATEMENTS:
                raise UnreadableFile("an entry that stands in no statement", where=node.where)
            if self.entry_number == 1:
                self.account = read_account(statement.one("Acct"))
            entry, findings = read_entry(node, account=self.account)
        except BadInput as error:
            self.refusals.add(f"{place}, {error.data['where']}", error.message)
            return
        self.entries.append(entry)
        self.problems.extend(Problem(where, what) for what in findings)
        self.refusals.count(1 + len(entry.details) + len(findings), where=where)

    def take_statement(self, node: Node, *, message: str) -> None:
        place = self._place()
        entries, self.entries, self.entry_number = tuple(self.entries), [], 0
        self.number += 1
        try:
            if _FORMATS[message] != self.format:
                raise UnreadableFile("a message of another kind than the first", where=node.where)
            statement, findings = _read_statement(node, entries=entries)
        except BadInput as error:
            self.refusals.add(f"{place}, {error.data['where']}", error.message)
            return
        self.statements.append(statement)
        self.problems.extend(Problem(place, what) for what in findings)
        self.refusals.count(1, where=place)

    def _place(self) -> str:
        return f"statement {self.number}"


def _read_statement(node: Node, *, entries: tuple[Entry, ...]) -> tuple[Statement, list[str]]:
    balances = node.all("Bal")
    written = _read_currency(node)
    opening, opened_on, odd = _choose_balance(balances, codes=("OPBD", "PRCD"), currency=written, choose=min)
    closing, closed_on, odd_closing = _choose_balance(balances, codes=("CLBD",), currency=written, choose=max)
    currency = written or _find_currency((opening, closing), balances=balances, entries=entries)
    statement = Statement(
        account=read_account(node.one("Acct")),
        identification=read_reference(node.one("Id")),
        currency=currency,
        opening=opening,
        closing=closing,
        opened_on=opened_on,
        closed_on=closed_on,
        adds_up=adds_up(opening=opening, closing=closing, entries=entries),
        entries=entries,
        number=_read_number(node),
    )
    totals = compare_totals(node.one("TxsSummry"), entries=entries, currency=currency)
    return statement, [*odd, *odd_closing, *compare_balances(statement), *totals]


def _read_number(node: Node) -> str | None:
    """The bank's own count of its statements, and the page."""
    counts = (
        node.one("ElctrncSeqNb"),
        node.one("LglSeqNb"),
        node.one("StmtPgntn", "PgNb"),
        node.one("RptPgntn", "PgNb"),
    )
    told = [one.text() if one is not None else None for one in counts]
    kept = [text if text and text.isascii() and text.isdigit() and len(text) <= _LONGEST_COUNT else "" for text in told]
    return "/".join(kept).rstrip("/") or None


def _read_currency(node: Node) -> str | None:
    written = node.one("Acct", "Ccy")
    currency = None if written is None else written.text()
    if written is not None and currency is not None:
        _check_currency(currency, at=written)
    return currency


def _find_currency(chosen: tuple[Money | None, ...], *, balances: list[Node], entries: tuple[Entry, ...]) -> str | None:
    """Where the bank does not write the account's currency: that of a balance taken, a booked entry, any other."""
    booked = (entry.amount for entry in entries if entry.status == "booked")
    for money in (*chosen, *booked):
        if money is not None:
            return money.currency
    for balance in balances:
        written = balance.one("Amt")
        currency = None if written is None else written.attribute("Ccy")
        if written is not None and currency is not None:
            _check_currency(currency, at=written)
            return currency
    return entries[0].amount.currency if entries else None


def _check_currency(currency: str, *, at: Node) -> None:
    try:
        exponent(currency)
    except BadInput as error:
        raise UnreadableFile(error.message, where=at.where) from None


def _choose_balance(
    balances: list[Node],
    *,
    codes: tuple[str, ...],
    currency: str | None,
    choose: Callable[[Iterable[date]], date],
) -> tuple[Money | None, date | None, list[str]]:
    """The balance with the first of `codes` that the bank gives, in the account's currency where there is such a one.

    Of several days (a statement over a week may give each day's) it is the one that `choose` takes. A balance of
    another kind, such as an available or an interim one, is never taken. Where two are left that differ, none is
    taken, and the third value says so.
    """
    for code in codes:
        found = [balance for balance in balances if _read_code(balance) == code]
        read = [(read_signed(balance), read_day(balance.one("Dt"))) for balance in found]
        own = [pair for pair in read if pair[0].currency == currency] or read
        days = [day for _, day in own if day is not None]
        if len(own) > 1 and len(days) == len(own):
            own = [pair for pair in own if pair[1] == choose(days)]
        if len(set(own)) > 1:
            return None, None, [f"{len(own)} balances {code} differ, so that none of them holds"]
        if own:
            return *own[0], []
    return None, None, []


def _read_code(balance: Node) -> str | None:
    code = balance.any(("Tp", "CdOrPrtry", "Cd"), ("Tp", "Cd"))
    return None if code is None else code.text()


def _find_message(data: bytes) -> str | None:
    """The full tag of the message; it may stand inside an envelope."""
    if not _MARKUP.match(data):
        return None
    return find_first(data, names=_FORMATS)


def _name_format(tag: str | None) -> str | None:
    return None if tag is None else _FORMATS[tag.rpartition("}")[2]]
