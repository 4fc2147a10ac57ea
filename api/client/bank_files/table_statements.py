"""Statements of a bank's table: its rows as entries, by account and currency, held against balances and totals."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from api.client.bank_files.amounts import was_withdrawn
from api.client.bank_files.balances import compare_balances
from api.client.bank_files.lines import Detail, Entry, Problem, Statement, Status, UnreadableFile, adds_up
from api.client.bank_files.profiles import Profile
from api.client.bank_files.refusals import Refusals
from api.client.bank_files.table_sections import Section
from api.client.bank_files.table_values import is_debit, read_day, read_reference, read_signed, read_status
from api.client.bank_files.tables import Row
from ledger.errors import BadInput
from ledger.money import Money

_BREAKS_TOLD = 10
_COLUMNS_TOLD = 20


@dataclass(frozen=True, slots=True)
class _Line:
    """An entry with what the table says beside it."""

    line: int
    entry: Entry
    account: str | None
    balance: Money | None


def read_section(
    section: Section, *, profile: Profile, named: str | None, refusals: Refusals, begins_at: int
) -> tuple[list[Statement], list[Problem]]:
    """The statements of one section and what is odd about them; unreadable rows go to `refusals`.

    `named` is the currency that somebody told; `begins_at` is the number of the first statement.
    """
    try:
        currency = _find_currency(section, profile=profile, named=named)
    except BadInput as error:
        refusals.add("the whole file", error.message)
        return [], []
    groups: dict[tuple[str | None, str | None], list[_Line]] = {}
    for row in section.rows:
        try:
            line = _read_line(_Cells(row, section), profile=profile, currency=currency)
        except BadInput as error:
            refusals.add(row.where, error.message)
            continue
        groups.setdefault((line.account, line.entry.amount.currency), []).append(line)
    if not section.rows:
        groups[None, currency] = []
    statements: list[Statement] = []
    problems: list[Problem] = []
    strange = profile.strange(section.header)
    if strange:
        told = ", ".join(map(str, strange[:_COLUMNS_TOLD]))
        problems.append(Problem(f"statement {begins_at}", f"columns that the profile does not know: {told}"))
    for number, ((account, own), lines) in enumerate(groups.items(), begins_at):
        alone = len(groups) == 1
        statement, odd = _build(lines, account=account, currency=own, section=section, profile=profile, alone=alone)
        statements.append(statement)
        problems.extend(Problem(f"statement {number}", what) for what in odd)
    return statements, problems


class _Cells:
    """The cells of a row by the bank's headings. An absent cell is empty, one beyond the header is a fault."""

    def __init__(self, row: Row, section: Section) -> None:
        if any(cell.strip() for cell in row.cells[section.width :]):
            raise UnreadableFile("more cells than the header has", where=row.where)
        self.row = row
        self.header = section.header

    def text(self, heading: str | None) -> str:
        index = None if heading is None else self.header.get(heading)
        return "" if index is None or index >= len(self.row.cells) else self.row.cells[index].strip()

    def money(self, heading: str | None, *, profile: Profile, currency: str | None) -> Money | None:
        is_number = heading is not None and self.header.get(heading) in self.row.numbers
        return read_signed(self.text(heading), profile=profile, currency=currency, is_number=is_number)

    def joined(self, headings: Sequence[str]) -> str:
        return "\n".join(filter(None, map(self.text, headings)))


def _find_currency(section: Section, *, profile: Profile, named: str | None) -> str | None:
    """What the labels tell, else the profile, else the rows that were not converted, else what somebody named."""
    columns = profile.columns
    told = section.labels.get("currency") or profile.currency
    if told is None and columns.original_currency is not None:
        unconverted = set()
        for row in section.rows:
            cells = _Cells(row, section)
            amount = cells.text(columns.amount)
            if amount == cells.text(columns.original_amount) and any("1" <= digit <= "9" for digit in amount):
                unconverted.add(cells.text(columns.original_currency))
        if len(unconverted) == 1:
            told = unconverted.pop()
    if named is not None and told is not None and named != told:
        raise UnreadableFile(f"the currency named is {named}, the file's is another", where="currency")
    return told or named


def _read_line(cells: _Cells, *, profile: Profile, currency: str | None) -> _Line:
    columns = profile.columns
    own = cells.text(columns.currency).upper() or (None if columns.currency else currency)
    if own is None:
        raise UnreadableFile("the file does not say its currency: name it", where="currency")
    amount = _read_amount(cells, profile=profile, currency=own)
    fee = cells.money(columns.fee, profile=profile, currency=own)
    if fee is not None:
        fee = fee if profile.fee_written == "minus" else -fee
        amount = amount + fee if profile.fee == "beside" else amount
    status: Status = read_status(cells.text(columns.status), profile=profile) if columns.status else "booked"
    booked_on = read_day(cells.text(columns.booked_on), order=profile.day)
    if booked_on is None and status == "booked":
        raise UnreadableFile("no booking day", where="day")
    if was_withdrawn(own, on=booked_on):
        raise UnreadableFile(f"{own} had been withdrawn by that day", where="currency")
    told = {
        "counterparty": cells.joined(columns.counterparty),
        "counterparty_account": cells.joined(columns.counterparty_account),
        "remittance": cells.joined(columns.remittance),
        "additional": cells.joined(columns.additional),
    }
    detail = Detail(
        amount=amount,
        end_to_end_id=read_reference(cells.text(columns.end_to_end_id)),
        fee=fee if fee is not None and fee.minor else None,
        text={key: text for key, text in told.items() if text},
    )
    entry = Entry(
        amount=amount,
        status=status,
        booked_on=booked_on,
        value_on=read_day(cells.text(columns.value_on), order=profile.day),
        reference=read_reference(cells.text(columns.reference)),
        details=(detail,),
    )
    account = cells.text(columns.account).replace(" ", "") or None
    return _Line(cells.row.line, entry, account, cells.money(columns.balance, profile=profile, currency=own))


def _read_amount(cells: _Cells, *, profile: Profile, currency: str) -> Money:
    """The money of a row. A minus in a column of one side takes back: it is arithmetic, never an absolute value."""
    columns = profile.columns
    if columns.amount is not None:
        amount = cells.money(columns.amount, profile=profile, currency=currency)
        if amount is None:
            raise UnreadableFile("no amount", where="amount")
        turned = columns.side is not None and is_debit(cells.text(columns.side), profile=profile)
        return -amount if turned else amount
    debit = cells.money(columns.debit, profile=profile, currency=currency)
    credit = cells.money(columns.credit, profile=profile, currency=currency)
    if debit is None and credit is None:
        raise UnreadableFile("no amount", where="amount")
    debit, credit = debit or Money(0, currency), credit or Money(0, currency)
    return credit + debit if profile.debit_written == "minus" else credit - debit


def _build(
    lines: list[_Line], *, account: str | None, currency: str | None, section: Section, profile: Profile, alone: bool
) -> tuple[Statement, list[str]]:
    """`alone`: the labels around the table are about these lines only."""
    ordered = lines[::-1] if profile.order == "newest_first" else lines
    opening, closing, odd = (None, None, []) if profile.order == "none" else _follow_balances(ordered)
    labels = section.labels if alone else {}
    told_opening, told_closing, change = (
        read_signed(labels.get(key, ""), profile=profile, currency=currency) for key in ("opening", "closing", "change")
    )
    for key, told, from_column in (("opening", told_opening, opening), ("closing", told_closing, closing)):
        if told is not None and from_column is not None and told != from_column:
            odd.append(f"the {key} balance is {told} around the table and {from_column} in it")
    opening, closing = told_opening or opening, told_closing or closing
    entries = tuple(line.entry for line in lines)
    booked = [entry.amount.minor for entry in entries if entry.status == "booked"]
    if change is not None and change.minor != sum(booked):
        odd.append(f"the bank's total is {change}, that of the entries {Money(sum(booked), change.currency)}")
    days = [entry.booked_on for entry in entries if entry.booked_on]
    statement = Statement(
        account=account or labels.get("account"),
        identification=None,
        currency=currency,
        opening=opening,
        closing=closing,
        opened_on=min(days, default=None) if opening else None,
        closed_on=max(days, default=None) if closing else None,
        adds_up=adds_up(opening=opening, closing=closing, entries=entries),
        entries=entries,
    )
    return statement, [*odd, *compare_balances(statement)]


def _follow_balances(lines: Sequence[_Line]) -> tuple[Money | None, Money | None, list[str]]:
    """Opening and closing balance as the column of balances has them, and where one does not follow from the other."""
    opening: Money | None = None
    running: Money | None = None
    passed = 0
    odd: list[str] = []
    for line in _booked(lines):
        passed += line.entry.amount.minor
        running = None if running is None else running + line.entry.amount
        if line.balance is None:
            continue
        if running is None:
            opening = line.balance - Money(passed, line.balance.currency)
        elif running != line.balance and len(odd) < _BREAKS_TOLD:
            odd.append(f"the balance on line {line.line} is {line.balance}, the entries before it give {running}")
        running = line.balance
    return opening, running, odd


def _booked(lines: Sequence[_Line]) -> Iterator[_Line]:
    return (line for line in lines if line.entry.status == "booked")
