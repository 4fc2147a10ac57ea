"""A collection of formulas: in every table that we write for spreadsheets they are text, wherever they may stand.

Workbooks are only read: what is written is CSV. The file is not ours to ship; where it is absent, the tests say so.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from api.client import agents_lists
from api.client.credit_transfers import Debtor, Form, Order, render
from ledger import references
from ledger.aid.subledger import Payment, Row, Way
from ledger.books.exports import Numbered
from ledger.books.journal import Because
from ledger.books.postings import credit, debit
from ledger.books.records import EntryRecord
from reports.audit import subledgers, trial_balance
from reports.journals import spreadsheet
from tests.cast import eur

ROOT = Path(__file__).parents[2]
FILE = ROOT / "../shared/data/hostile/crafted/csv_injection_payloads.txt"
PAYLOADS = FILE.read_text("utf-8").splitlines() if FILE.is_file() else []
IBAN = "DE89370400440532013000"
DAY, MOMENT = date(2020, 10, 6), datetime(2020, 10, 6, 9, tzinfo=UTC)

pytestmark = pytest.mark.skipif(not FILE.is_file(), reason="../shared/data, the collection of test files, is absent")


def journal(payload: str) -> bytes:
    lines = (
        debit("4000", eur("20.00"), "fines", subject="G-0000-0000-0001"),
        credit("1000:eur_main", eur("20.00"), "fines", case="C-0000-0000-0001"),
    )
    changed = tuple(
        replace(line, account=payload, fund=payload, subject=line.subject and payload, case=line.case and payload)
        for line in lines
    )
    entry = EntryRecord(payload, payload, DAY, DAY, MOMENT, payload, changed, payload, Because.WRONG_DATE)
    return b"".join(spreadsheet.render([Numbered(1, None, entry)]))


def subledger(payload: str) -> bytes:
    payment = Payment(payload, Way.AGENT, payload, payload, payload)
    facts: dict[str, Any] = dict.fromkeys(("kind", "case", "obligation", "account", "fund"), payload)
    facts |= {"entry": 1, "number": 1, "effective_on": DAY, "happened_on": DAY, "recorded_at": MOMENT, "reverses": None}
    facts |= {"amount": eur("-20.00"), "balance": eur("-20.00"), "against": (payload, payload), "payment": payment}
    assert set(facts) == {field.name for field in fields(Row)}
    return subledgers.render_csv([Row(**facts)])


def balance(payload: str) -> bytes:
    rows = (
        trial_balance.Row(payload, payload, "asset", "EUR", 2000, 0),
        trial_balance.Row("4000", payload, "income", "EUR", 0, 2000),
    )
    return trial_balance.render_csv(trial_balance.Figures(payload, DAY, None, rows))


def payments(payload: str) -> bytes:
    order = Order(references.draw(), eur("20.00"), payload, IBAN)
    return render([order], debtor=Debtor(payload, IBAN), message_id="SL01", on=DAY, made_at=MOMENT, form=Form.CSV)


def agents_list(payload: str) -> bytes:
    return agents_lists.as_csv([dict.fromkeys(agents_lists.COLUMNS, payload) | {"amount": "-20.00"}])


WRITERS = (journal, subledger, balance, payments, agents_list)


def cells(table: bytes, *, separator: str) -> Iterator[str]:
    for row in csv.reader(io.StringIO(table.decode(), newline=""), delimiter=separator):
        for cell in row:
            yield cell.lstrip('"')


@pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: writer.__name__)
@pytest.mark.parametrize("payload", PAYLOADS, ids=PAYLOADS.index)
def test_a_formula_in_a_table_is_text_whatever_separates_cells(payload: str, writer: Any) -> None:
    table = writer(payload)

    assert payload.encode() in table.replace(b'""', b'"').replace(b";'", b";").replace(b"|'@", b"|@")
    for separator in (",", ";", "\t", "|"):
        begun = [cell for cell in cells(table, separator=separator) if re.match(r"[\s\ufeff]*[=+\-@]|[\t\r]", cell)]
        assert [cell for cell in begun if not re.fullmatch(r"-?\d+\.\d\d", cell.rstrip('"'))] == []


def test_every_module_that_writes_tables_is_among_them_or_writes_only_our_own_words() -> None:
    """Statements of disbursements and open data hold codes of ours and figures, which their own tests hold them to."""
    tried = {"journals/spreadsheet.py", "audit/subledgers.py", "audit/trial_balance.py"}
    tried |= {"client/credit_transfers.py", "client/agents_lists.py"}
    ours = {"audit/disbursements.py", "transparency/open_data.py"}
    modules = [path for part in ("api", "ledger", "reports") for path in (ROOT / part).rglob("*.py")]

    writing = {
        f"{path.parent.name}/{path.name}"
        for path in modules
        if re.search(r"csv\.writer|csv_table|Workbook\(|write_only", path.read_text("utf-8"))
        and path.name != "csv_table.py"
    }

    assert writing == tried | ours
