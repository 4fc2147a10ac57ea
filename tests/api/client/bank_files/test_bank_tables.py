"""Banks' tables: a profile in a data file says how to read one, and nothing is guessed beyond it."""

import time
import tomllib
import zipfile
from datetime import date
from importlib import resources
from io import BytesIO
from typing import Any

import openpyxl
import pytest

from api.client.bank_files import bank_tables, detection, profiles, refusals, table_sections, tables
from api.client.bank_files.lines import AmbiguousFormat, Entry, StatementFile, UnknownFormat, UnreadableFile
from api.client.bank_files.profiles import BadProfile, Profile
from ledger.money import Money

HEADER = "Day,What,Sum,Currency"


def a_profile(columns: str = "", **keys: Any) -> Profile:
    """A small bank's, with what a test changes in TOML."""
    told: dict[str, Any] = {
        "bank": "Invented",
        "requires": ["Day", "What"],
        "day": "YMD",
        "columns": {"booked_on": "Day", "amount": "Sum", "currency": "Currency", "remittance": ["What"]},
    }
    told |= keys
    told["columns"] = told["columns"] | tomllib.loads(columns)
    return Profile.model_validate({key: value for key, value in told.items() if value is not None})


def read(text: str | bytes, profile: Profile | None = None, **options: Any) -> StatementFile:
    data = text.encode() if isinstance(text, str) else text
    return detection.read(data, profile=profile or a_profile(), **options)


def the_entry(row: str, profile: Profile | None = None, header: str = HEADER) -> Entry:
    ((entry,),) = (statement.entries for statement in read(f"{header}\n{row}\n", profile).statements)
    return entry


def the_refusal(row: str, profile: Profile | None = None, header: str = HEADER) -> UnreadableFile:
    with pytest.raises(UnreadableFile) as refusal:
        read(f"{header}\n2020-10-01,x,1.00,EUR\n{row}\n", profile)
    return refusal.value


def test_a_row_is_an_entry() -> None:
    file = read(f"{HEADER}\n2020-10-01,An invented gift,-12.35,EUR\n")
    (statement,) = file.statements
    (entry,) = statement.entries

    assert (file.format, file.problems, statement.adds_up) == ("csv.own", (), None)
    assert (entry.amount, entry.booked_on, entry.status) == (Money(-1235, "EUR"), date(2020, 10, 1), "booked")
    assert entry.details[0].text == {"remittance": "An invented gift"}


def test_two_equal_rows_are_two() -> None:
    assert len(read(f"{HEADER}\n2020-10-01,x,1,EUR\n2020-10-01,x,1,EUR\n").statements[0].entries) == 2


@pytest.mark.parametrize(
    ("written", "decimal", "thousands", "symbol", "minor"),
    [
        ("1234.5", ".", ",", "", 123450),
        ("1,234.50", ".", ",", "", 123450),
        ("-1.234,50", ",", ".", "", -123450),
        ("- 12 345,00", ",", " ", "", -1234500),
        ("\u22121\u00a0234,00", ",", " ", "", -123400),
        ("+1'234.00", ".", "'", "", 123400),
        ("-$5", ".", ",", "$", -500),
        ("- $5.10", ".", ",", "$", -510),
        ("$-5", ".", ",", "$", -500),
        ("5,00 \u20ac", ",", ".", "\u20ac", 500),
        (" 0.00 ", ".", "", "", 0),
    ],
)
def test_amounts_are_read_as_the_profile_has_them(
    written: str, decimal: str, thousands: str, symbol: str, minor: int
) -> None:
    profile = a_profile(decimal=decimal, thousands=thousands, symbol=symbol, delimiter=";")

    entry = the_entry(f"2020-10-01;x;{written};EUR", profile, header=HEADER.replace(",", ";"))
    assert entry.amount == Money(minor, "EUR")


@pytest.mark.parametrize(
    "written", ["1.234", "1 000.00", '"1,0"', '"12,345.00"', "1e3", "NaN", "--1", "1.005", "\uff11", ""]
)
def test_an_amount_that_the_bank_would_not_write_is_refused(written: str) -> None:
    refusal = the_refusal(f"2020-10-01,x,{written},EUR")

    assert refusal.data["where"] == "line 3"


@pytest.mark.parametrize(
    ("written", "order", "day"),
    [
        ("2020-10-05", "DMY", date(2020, 10, 5)),
        ("05.10.2020", "DMY", date(2020, 10, 5)),
        ("5/10/20", "DMY", date(2020, 10, 5)),
        ("10/5/2020", "MDY", date(2020, 10, 5)),
        ("2020/10/5", "YMD", date(2020, 10, 5)),
        ("2020.10.05.", "YMD", date(2020, 10, 5)),
        ("05 Oct 20", "DMY", date(2020, 10, 5)),
        ("05-Oct-2020", "MDY", date(2020, 10, 5)),
        ("2020-10-05T23:59:59.123Z", "YMD", date(2020, 10, 5)),
        ("05.10.2020 00:00:00", "DMY", date(2020, 10, 5)),
        ("2020-10-05 08:40 +0000", "YMD", date(2020, 10, 5)),
    ],
)
def test_days_are_read_in_the_order_of_the_profile(written: str, order: str, day: date) -> None:
    assert the_entry(f"{written},x,1,EUR", a_profile(day=order)).booked_on == day


@pytest.mark.parametrize("written", ["2020-02-30", "13/13/2020", "today", "2020-10-01 or so", "1.2020", ""])
def test_a_day_that_is_none_is_refused(written: str) -> None:
    assert "day" in the_refusal(f"{written},x,1,EUR").message


def test_debit_and_credit_columns_are_arithmetic_and_no_absolute_values() -> None:
    header, plus, minus = "Day,What,Out,In", two_columns(), two_columns(debit_written="minus")
    told = {"5.00,": -500, ",5.00": 500, "0.00,5.00": 500, ",-5.00": -500, "-5.00,": 500}

    for cells, minor in told.items():
        assert the_entry(f"2020-10-01,x,{cells}", plus, header=header).amount.minor == minor
    assert the_entry("2020-10-01,x,-5.00,", minus, header=header).amount.minor == -500
    with pytest.raises(UnreadableFile, match="no amount"):
        the_entry("2020-10-01,x,,", plus, header=header)


def two_columns(**keys: Any) -> Profile:
    columns = {"booked_on": "Day", "debit": "Out", "credit": "In"}
    whole = {"bank": "Invented", "requires": ["Day", "What"], "day": "YMD", "currency": "EUR", "columns": columns}
    return Profile.model_validate(whole | keys)


def test_a_side_in_words_turns_the_amount_and_an_unknown_word_is_refused() -> None:
    profile = a_profile('side = "Side"', debit_words=["Af"], credit_words=["Bij"])
    header = f"{HEADER},Side"

    assert the_entry("2020-10-01,x,5,EUR,af", profile, header=header).amount.minor == -500
    assert the_entry("2020-10-01,x,5,EUR,Bij", profile, header=header).amount.minor == 500
    with pytest.raises(UnreadableFile, match="neither debit nor credit"):
        the_entry("2020-10-01,x,5,EUR,", profile, header=header)


def test_only_a_word_for_booked_books() -> None:
    profile = a_profile('status = "State"', booked=["Done"], pending=["Waiting"], info=["Declined"])
    header = f"{HEADER},State"
    rows = "2020-10-01,x,1,EUR,done\n,x,2,EUR,Waiting\n2020-10-01,x,4,EUR,Declined"
    (statement,) = read(f"{header}\n{rows}", profile).statements

    assert [entry.status for entry in statement.entries] == ["booked", "pending", "info"]
    with pytest.raises(UnreadableFile, match="a status that the profile does not know"):
        read(f"{header}\n2020-10-01,x,1,EUR,New", profile)


def test_a_fee_beside_the_amount_is_money_and_one_inside_is_not() -> None:
    header = f"{HEADER},Fee"
    inside = a_profile('fee = "Fee"')
    beside = a_profile('fee = "Fee"', fee="beside", fee_written="plus")
    net, gross = (
        the_entry("2020-10-01,x,10.00,EUR,-1.00", inside, header=header),
        the_entry("2020-10-01,x,10.00,EUR,1.00", beside, header=header),
    )

    assert (net.amount.minor, gross.amount.minor) == (1000, 900)
    assert net.details[0].fee == gross.details[0].fee == Money(-100, "EUR")


def test_each_account_and_currency_is_a_statement() -> None:
    profile = a_profile('account = "Of"')
    rows = "2020-10-01,x,1,EUR,A\n2020-10-01,x,2,USD,A\n2020-10-01,x,4,EUR,B\n2020-10-01,x,8,eur,A"
    statements = read(f"{HEADER},Of\n{rows}", profile).statements

    found = [(one.account, one.currency, sum(entry.amount.minor for entry in one.entries)) for one in statements]
    assert found == [("A", "EUR", 900), ("A", "USD", 200), ("B", "EUR", 400)]


def test_a_file_that_does_not_say_its_currency_needs_one_named() -> None:
    columns = {"booked_on": "Day", "amount": "Sum"}
    profile = a_profile().model_copy(update={"columns": profiles.Columns.model_validate(columns)})
    data = "Day,What,Sum\n2020-10-01,x,1\n"

    with pytest.raises(UnreadableFile, match="does not say its currency"):
        read(data, profile)
    assert read(data, profile, currency="BYN").statements[0].currency == "BYN"


def test_a_named_currency_never_overrules_the_file() -> None:
    with pytest.raises(UnreadableFile, match="the currency named is USD"):
        read("Day,What,Out,In\n2020-10-01,x,1,\n", two_columns(), currency="USD")


@pytest.mark.parametrize(("order", "rows"), [("oldest_first", (1, 2, 3)), ("newest_first", (3, 2, 1))])
def test_a_column_of_balances_gives_both_and_is_followed(order: str, rows: tuple[int, ...]) -> None:
    profile = a_profile('balance = "Left"', order=order)
    told = {1: "2020-10-01,x,1,EUR,11", 2: "2020-10-02,x,1,EUR,", 3: "2020-10-03,x,1,EUR,13"}
    (statement,) = read("\n".join([f"{HEADER},Left", *(told[row] for row in rows)]), profile).statements

    assert (statement.opening, statement.closing, statement.adds_up) == (Money(1000, "EUR"), Money(1300, "EUR"), True)


def test_a_balance_that_does_not_follow_is_shown() -> None:
    profile = a_profile('balance = "Left"', order="oldest_first")
    file = read(f"{HEADER},Left\n2020-10-01,x,1,EUR,11\n2020-10-02,x,1,EUR,13\n", profile)

    assert file.statements[0].adds_up is False
    assert file.problems[0].what == "the balance on line 3 is 13.00 EUR, the entries before it give 12.00 EUR"


def test_labels_above_and_totals_below_are_read() -> None:
    labels = {"account": ["Account:"], "opening": ["Before"], "closing": ["After"], "change": ["Change"]}
    profile = a_profile(labels=labels, ends=["Totals"])
    above, below = "Report\nAccount: XX 1,,\n,,\nBefore,,10.00\nAfter,12.00", "Totals,,Change\n,,3.00\n"
    file = read(f"{above}\n{HEADER}\n2020-10-01,x,2,EUR\n{below}", profile)
    (statement,) = file.statements

    assert (statement.account, statement.opening, statement.closing) == ("XX 1", Money(1000, "EUR"), Money(1200, "EUR"))
    assert statement.adds_up is True
    assert [problem.what for problem in file.problems] == ["the bank's total is 3.00 EUR, that of the entries 2.00 EUR"]


def test_a_second_header_begins_a_second_part() -> None:
    profile = a_profile(labels={"account": ["Card"]}, ends=["End"])
    part = "{}\n" + HEADER + "\n2020-10-01,x,{},EUR\nEnd\n"
    statements = read(part.format("Card A", 1) + part.format("Card B", 2), profile).statements

    assert [(one.account, one.entries[0].amount.minor) for one in statements] == [("A", 100), ("B", 200)]


def test_the_account_currency_is_that_of_rows_which_were_not_converted() -> None:
    file = detection.read((PRIORBANK_HEADER + "\n" + "\n".join(PRIORBANK_ROWS)).encode("cp1251"))
    (statement,) = file.statements

    assert (file.format, statement.currency) == ("csv.priorbank", "BYN")
    assert [entry.amount.minor for entry in statement.entries] == [-300000, -108]
    assert [problem.what for problem in file.problems] == [
        "the bank's total is -3001.00 BYN, that of the entries -3001.08 BYN"
    ]


PRIORBANK_HEADER = (
    "Операции по ........0000\nДата транзакции,Операция,Сумма,Валюта,Дата операции по счету,Комиссия/Money-back,"
    "Обороты по счету,Цифровая карта,Категория операции,"
)
PRIORBANK_ROWS = (
    '25.03.2024 12:29:59,Invented,"-3 000,00",BYN,25.03.2024,"0,00","-3 000,00",,,',
    '29.02.2024 19:05:54,Invented,"0,00",USD,29.02.2024,"-1,08","-1,08",,,',
    "Всего по контракту,Зачислено,Списано,Комиссия/Money-back,Изменение баланса,",
    ',"0,00","3 000,00","-1,08","-3 001,00",',
)


def test_a_workbook_is_read_by_the_same_profile() -> None:
    book = openpyxl.Workbook()
    for row in (
        ["Report"],
        [],
        HEADER.split(","),
        [date(2020, 10, 1), "x", -12.5, "EUR"],
        ["2020-10-02", "y", "7", "EUR"],
    ):
        book.active.append(row)
    kept = BytesIO()
    book.save(kept)
    file = read(kept.getvalue())

    assert file.format == "xlsx.own"
    assert [entry.amount.minor for entry in file.statements[0].entries] == [-1250, 700]


def test_columns_that_the_profile_does_not_know_are_told_by_their_places() -> None:
    file = read(f"{HEADER},Canary\n2020-10-01,x,1,EUR,canary\n")

    assert [problem.what for problem in file.problems] == ["columns that the profile does not know: 5"]


def test_a_cell_beyond_the_header_is_refused() -> None:
    assert "more cells than the header" in the_refusal("2020-10-01,x,1,EUR,2").message


def test_a_refusal_tells_every_place_and_no_text() -> None:
    with pytest.raises(UnreadableFile) as refusal:
        read(f"{HEADER}\ncanary,x,1,EUR\n2020-10-01,canary,canary,EUR\n2020-10-01,x,1,canary\n")

    assert (refusal.value.data["where"], refusal.value.data["count"]) == ("line 2", 3)
    assert "canary" not in f"{refusal.value}{refusal.value.data}"


def test_days_that_can_be_read_in_two_orders_are_not_guessed() -> None:
    header = "Date,Time,TimeZone,Name,Type,Status,Currency,Gross,Fee,Net,Transaction ID"
    row = "{},12:00:00,CET,Invented,Payment,Completed,EUR,5.00,-1.00,4.00,T1"
    with pytest.raises(AmbiguousFormat) as refusal:
        detection.read(f"{header}\n{row.format('05/10/2020')}".encode())

    assert refusal.value.data["candidates"] == "csv.paypal-dmy, csv.paypal-mdy"
    assert "--format" in refusal.value.message
    named = detection.read(f"{header}\n{row.format('05/10/2020')}".encode(), format="csv.paypal-dmy")
    assert named.statements[0].entries[0].booked_on == date(2020, 10, 5)
    proven = detection.read(f"{header}\n{row.format('10/25/2020')}".encode())
    assert proven.format == "csv.paypal-mdy"


@pytest.mark.parametrize("form", ["csv.dkb", "xlsx", "mt940", "camt"])
def test_another_format_than_the_one_asked_for_is_refused(form: str) -> None:
    data = b"Datum,Bedrag,Rekening,Tegenrekening,Naam,Omschrijving\n2020-10-01,5,X,,,\n"

    assert detection.read(data, format="csv").format == "csv.bunq-nl"
    with pytest.raises(UnknownFormat):
        detection.read(data, format=form)


def test_a_text_that_looks_like_another_format_makes_a_file_none() -> None:
    injected = "\n:20:S\n:25:XX\n:60F:C201001EUR0,\n:61:2010011001C999,00NTRF\n"
    table = f'Datum,Bedrag,Rekening,Tegenrekening,Naam,Omschrijving\n2020-10-01,5,X,,,"{injected}"\n'.encode()
    with pytest.raises(AmbiguousFormat) as refusal:
        detection.read(table)

    assert refusal.value.data["candidates"] == "mt940, csv.bunq-nl"
    assert detection.read(table, format="csv").statements[0].entries[0].amount == Money(500, "EUR")


def test_marks_of_another_format_inside_xml_are_only_texts() -> None:
    amount = "<Amt Ccy='EUR'>5.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>"
    text = "\n:20:S\n:25:XX\n:61:2010011001C999,00NTRF\n&lt;OFX&gt;"
    entry = f"<Ntry>{amount}<AddtlNtryInf>{text}</AddtlNtryInf></Ntry>"
    data = f"<Document><BkToCstmrStmt><Stmt>{entry}</Stmt></BkToCstmrStmt></Document>".encode()

    assert detection.read(data).format == "camt.053"


def test_a_label_with_a_colon_has_its_value_in_the_next_cell() -> None:
    above = '"Girokonto";"XX99 INVENTED"\n"Kontostand vom 05.10.2020:";"1.234,56 €"\n""\n'
    dkb = profiles.built_in()["dkb"]
    header = ";".join(f'"{heading}"' for heading in dkb.requires)
    row = '"05.10.20";"05.10.20";"Gebucht";"Ana";"Fund";"An invented gift";"12,00";"E2E"'
    (statement,) = detection.read(f"{above}{header}\n{row}\n".encode()).statements

    assert (statement.account, statement.closing) == ("XX99 INVENTED", Money(123456, "EUR"))
    assert statement.entries[0].details[0].text["counterparty"] == "Ana\nFund"


def test_a_table_of_nobody_is_no_known_format() -> None:
    with pytest.raises(UnknownFormat):
        detection.read(b"Day,What,Sum\n2020-10-01,x,1\n")


def hostile_book() -> bytes:
    kept = BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"<row>" + b" " * 10_000_000)
    return kept.getvalue()


HOSTILE: dict[str, str | bytes] = {
    "a quote that is never closed": f'{HEADER}\n"' + "x,\n" * 1_000_000,
    "one line of 3 MB": f"{HEADER}\n" + "x" * 3_000_000,
    "a million cells": f"{HEADER}\n" + "," * 60_000,
    "a NUL": f"{HEADER}\n2020-10-01,x\0,1,EUR",
    "cut UTF-8": HEADER.encode() + b"\n2020-10-01,\xd0,1,EUR\n",
    "cut UTF-16": HEADER.encode("utf-16") + b"\x00",
    "too large": b" " * (tables.LARGEST_FILE + 1),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_table_is_refused_quickly_with_its_place(name: str) -> None:
    began = time.process_time()
    with pytest.raises((UnreadableFile, UnknownFormat)) as refusal:
        read(HOSTILE[name])

    assert refusal.value.data["where"]
    assert time.process_time() - began < 2


def test_more_rows_than_anybody_can_check_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "MOST_LINES", 10)

    assert "more than 10 lines" in the_refusal("2020-10-01,x,1,EUR\n" * 10).message


def test_empty_rows_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_sections, "MOST_ROWS", 10)

    assert "more than 10 rows" in the_refusal("\n" * 10).message


def test_a_workbook_that_unfolds_too_far_is_refused() -> None:
    with pytest.raises(UnreadableFile, match="unfolds"):
        read(hostile_book())


def test_every_profile_that_comes_along_is_sound_and_has_its_own_header() -> None:
    built_in = profiles.built_in()
    files = {file.name for file in resources.files(profiles).iterdir() if file.name.endswith(".toml")}

    assert {f"{name}.toml" for name in built_in} == files
    for name, profile in built_in.items():
        header = profile.delimiter.join([*profile.requires, *(set(profile.columns.decisive()) - set(profile.requires))])
        assert name in bank_tables.find(f"{header}\n".encode(), profiles=built_in), name


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "bank"),
        ("bank = 1", "bank"),
        ('canary = "canary"', "bank"),
        ("not TOML", "file"),
        ('bank="x"\nrequires=["A","B"]\nday="DMY"\n[columns]\nbooked_on="A"', "columns"),
        (
            'bank="x"\nrequires=["A","B"]\nday="DMY"\n[columns]\nbooked_on="A"\nside="B"\ndebit="C"\ncredit="D"',
            "columns",
        ),
        ('bank="x"\nrequires=["A"]\nday="DMY"\n[columns]\nbooked_on="A"\namount="B"', "requires"),
        ('bank="x"\nrequires=["A","B"]\nday="YDM"\n[columns]\nbooked_on="A"\namount="B"', "day"),
    ],
)
def test_a_profile_that_is_none_is_refused_by_its_key(text: str, where: str) -> None:
    with pytest.raises(BadProfile) as refusal:
        profiles.parse(text.encode())

    assert refusal.value.data["where"] == where
    assert "canary" not in f"{refusal.value}{refusal.value.data}"
