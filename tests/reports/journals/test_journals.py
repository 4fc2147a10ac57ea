import csv
import io
from datetime import UTC, date, datetime

import pytest

from ledger.books.accounts import AccountClass
from ledger.books.exports import Numbered
from ledger.books.journal import Because
from ledger.books.postings import credit, debit
from ledger.books.records import AccountRecord, EntryRecord
from reports.journals import beancount, hledger, spreadsheet
from tests.cast import eur

LEAF = AccountRecord("1000:eur_main", 'Kassa "Minsk", type:L', AccountClass.ASSET, "EUR", closed=False)
GIFTS = AccountRecord("4000", "Donations", AccountClass.INCOME, None, closed=False)
REVERSAL = Numbered(
    8,
    7,
    EntryRecord(
        source_key="bank:secret-reference",
        kind="reversal",
        happened_on=date(2020, 11, 2),
        effective_on=date(2020, 11, 2),
        recorded_at=datetime(2020, 11, 3, 9, 0, tzinfo=UTC),
        recorded_by="OP-0000-0000-0001",
        postings=(
            debit("4000", eur("20.00"), "fines", subject="G-0000-0000-0001", rate_on=date(2020, 11, 1)),
            credit("1000:eur_main", eur("20.00"), "fines", case="C-0000-0000-0001"),
        ),
        reverses="bank:secret-original",
        because=Because.WRONG_DATE,
    ),
)


def test_an_entry_for_hledger() -> None:
    assert "".join(hledger.render([LEAF, GIFTS], [REVERSAL])) == (
        "decimal-mark .\n"
        "\n"
        'account Assets:1000:eur_main  ; Kassa "Minsk"  type L\n'
        "account Income:4000  ; Donations\n"
        "\n"
        "2020-11-02 (8) reversal  ; happened_on:2020-11-02, reverses:7, because:wrong_date\n"
        "    Income:4000  20.00 EUR  ; fund:fines, subject:G-0000-0000-0001, rate_on:2020-11-01\n"
        "    Assets:1000:eur_main  -20.00 EUR  ; fund:fines, case:C-0000-0000-0001\n"
    )


def test_an_entry_for_beancount() -> None:
    assert "".join(beancount.render([LEAF, GIFTS], [REVERSAL])) == (
        "1990-01-01 open Assets:1000:Eur-main EUR\n"
        '  code: "1000:eur_main"\n'
        '  name: "Kassa \\"Minsk\\", type:L"\n'
        "1990-01-01 open Income:4000\n"
        '  code: "4000"\n'
        '  name: "Donations"\n'
        "\n"
        '2020-11-02 * "reversal"\n'
        "  number: 8\n"
        "  happened_on: 2020-11-02\n"
        "  reverses: 7\n"
        '  because: "wrong_date"\n'
        "  Income:4000  20.00 EUR\n"
        '    fund: "fines"\n'
        '    subject: "G-0000-0000-0001"\n'
        "    rate_on: 2020-11-01\n"
        "  Assets:1000:Eur-main  -20.00 EUR\n"
        '    fund: "fines"\n'
        '    case: "C-0000-0000-0001"\n'
    )


def test_accounts_that_beancount_could_not_tell_apart_get_numbers() -> None:
    codes = ["1000:Eur-main", "1000:Eur-main-2", "1000:eur-main", "1000:eur_main", "1000:1"]
    accounts = [AccountRecord(code, "Bank", AccountClass.ASSET, "EUR", closed=False) for code in codes]

    opened = [line.split()[2] for line in "".join(beancount.render(accounts, [])).splitlines() if " open " in line]

    assert opened == [
        "Assets:1000:Eur-main",
        "Assets:1000:Eur-main-2",
        "Assets:1000:Eur-main-3",
        "Assets:1000:Eur-main-4",
        "Assets:1000:1",
    ]


def test_a_line_is_a_row_for_spreadsheets() -> None:
    header, *rows = csv.reader(io.StringIO(b"".join(spreadsheet.render([REVERSAL])).decode(), newline=""))

    assert dict(zip(header, rows[0], strict=True)) == {
        "entry": "8",
        "line": "1",
        "effective_on": "2020-11-02",
        "happened_on": "2020-11-02",
        "recorded_at": "2020-11-03T09:00:00Z",
        "kind": "reversal",
        "reverses": "7",
        "because": "wrong_date",
        "side": "debit",
        "account": "4000",
        "amount": "20.00",
        "currency": "EUR",
        "fund": "fines",
        "subject": "G-0000-0000-0001",
        "case": "",
        "rate_on": "2020-11-01",
    }
    assert [row[1] for row in rows] == ["1", "2"]


def test_rows_of_many_entries_end_in_carriage_return_and_line_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheet, "PAGE", 3)

    content = b"".join(spreadsheet.render([REVERSAL] * 4))

    assert content.count(b"\r\n") == content.count(b"\n") == 9
    assert content.startswith(b'"entry","line",')


def test_no_form_tells_source_keys_or_recorders() -> None:
    accounts = [LEAF, GIFTS]
    forms = [*hledger.render(accounts, [REVERSAL]), *beancount.render(accounts, [REVERSAL])]
    content = "".join(forms) + b"".join(spreadsheet.render([REVERSAL])).decode()

    assert "secret" not in content
    assert "OP-0000" not in content
