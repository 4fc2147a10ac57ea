"""What is written as a table by any profile that comes along reads back the same, as CSV and as a workbook."""

import csv
import re
from datetime import date
from io import BytesIO, StringIO

import openpyxl
from hypothesis import given, settings
from hypothesis import strategies as st

from api.client.bank_files import detection
from api.client.bank_files.lines import Entry
from api.client.bank_files.profiles import Profile, built_in
from ledger.errors import BadInput
from ledger.money import Money

ROUND = {
    name: profile
    for name, profile in built_in().items()
    if profile.columns.original_amount is None and profile.columns.balance is None
}
"""What a converted amount is in and what is left are told by other rows; those columns have tests of their own."""

texts = st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=20)


@st.composite
def generated_rows(draw: st.DrawFn, currency: str) -> list[tuple[date, Money, str]]:
    day = st.dates(date(2000, 1, 13), date(2098, 12, 31)).map(lambda one: one.replace(day=max(one.day, 13)))
    minor = st.integers(-(10**12), 10**12)
    return draw(st.lists(st.tuples(day, minor.map(lambda one: Money(one, currency)), texts), max_size=4))


def written_amount(money: Money, profile: Profile) -> str:
    sign = "-" if money.minor < 0 else ""
    whole, _, fraction = Money(abs(money.minor), money.currency).decimal().partition(".")
    grouped = f"{int(whole):,}".replace(",", profile.thousands)
    return f"{sign}{grouped}{profile.decimal}{fraction}" if fraction else f"{sign}{grouped}"


def written_day(day: date, profile: Profile) -> str:
    forms = {"DMY": f"{day:%d.%m.%Y}", "MDY": f"{day:%m/%d/%Y}", "YMD": f"{day:%Y-%m-%d}"}
    return forms[profile.day]


def cells_of(row: tuple[date, Money, str], profile: Profile) -> dict[str, str]:
    day, money, text = row
    columns = profile.columns
    cells = {columns.booked_on: written_day(day, profile)}
    cells |= dict.fromkeys(columns.remittance[:1], text)
    if columns.currency:
        cells[columns.currency] = money.currency
    if columns.status:
        cells[columns.status] = profile.booked[0]
    if columns.debit and columns.credit:
        turned = money if profile.debit_written == "minus" else -money
        out = money.minor < 0
        cells[columns.debit if out else columns.credit] = written_amount(turned if out else money, profile)
    elif columns.amount and columns.side:
        is_debit = money.minor < 0
        cells[columns.amount] = written_amount(-money if is_debit else money, profile)
        cells[columns.side] = (profile.debit_words if is_debit else profile.credit_words)[0]
    elif columns.amount:
        cells[columns.amount] = written_amount(money, profile)
    return cells


def header_of(profile: Profile) -> list[str]:
    wanted = [*profile.requires, *profile.columns.decisive(), *profile.columns.remittance[:1]]
    header: list[str] = []
    for heading in dict.fromkeys(wanted):
        second = re.fullmatch(r"(.+)#(\d)", heading)
        name, times = (second[1], int(second[2])) if second else (heading, 1)
        header += [name] * (times - header.count(name))
    return header


def table_of(rows: list[tuple[date, Money, str]], profile: Profile) -> list[list[str]]:
    header = header_of(profile)
    return [header, *([cells_of(row, profile).get(heading, "") for heading in header] for row in rows)]


def as_csv(table: list[list[str]], profile: Profile) -> bytes:
    kept = StringIO()
    csv.writer(kept, delimiter=profile.delimiter).writerows(table)
    return kept.getvalue().encode()


def as_workbook(table: list[list[str]]) -> bytes:
    book = openpyxl.Workbook()
    for number, row in enumerate(table, 1):
        for place, text in enumerate(row, 1):
            cell = book.active.cell(number, place, text)
            cell.data_type = "s"  # also where it looks like a formula
    kept = BytesIO()
    book.save(kept)
    return kept.getvalue()


def told(entry: Entry) -> tuple[date | None, Money, str]:
    return entry.booked_on, entry.amount, entry.details[0].text.get("remittance", "")


@settings(deadline=None, max_examples=30)
@given(data=st.data(), name=st.sampled_from(sorted(ROUND)))
def test_a_written_table_reads_back_the_same(data: st.DataObject, name: str) -> None:
    profile = ROUND[name]
    told_by_row = st.sampled_from(["EUR", "JPY", "KWD"])
    currency = data.draw(told_by_row) if profile.columns.currency else profile.currency or "EUR"
    rows = data.draw(generated_rows(currency))
    named = None if profile.columns.currency else currency
    file = detection.read(as_csv(table_of(rows, profile), profile), format=f"csv.{name}", currency=named)

    entries = [told(entry) for statement in file.statements for entry in statement.entries]
    has_text = bool(profile.columns.remittance)
    assert entries == [(day, money, text.strip() if has_text else "") for day, money, text in rows]


@settings(deadline=None, max_examples=3)
@given(rows=generated_rows("EUR"))
def test_a_written_workbook_reads_back_the_same(rows: list[tuple[date, Money, str]]) -> None:
    profile = ROUND["oca-sheet"]
    file = detection.read(as_workbook(table_of(rows, profile)), format="xlsx.oca-sheet")

    assert [told(entry) for statement in file.statements for entry in statement.entries] == [
        (day, money, text.strip()) for day, money, text in rows
    ]


@settings(deadline=None, max_examples=40)
@given(st.text(st.sampled_from('",\n\r;x1-.€')))
def test_any_rows_below_a_header_are_read_or_refused(text: str) -> None:
    header = ",".join(ROUND["bunq"].requires)
    try:
        file = detection.read(f"{header}\n2020-10-01,5,X,,,\n{text}".encode())
    except BadInput:
        return

    assert file.statements
