"""What is written as OFX, SGML or XML, reads back the same."""

from datetime import date
from html import escape

from hypothesis import given, settings
from hypothesis import strategies as st

from api.client.bank_files import detection
from api.client.bank_files.lines import Detail, Entry, Statement
from ledger.errors import BadInput
from ledger.money import Money

words = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=30)
days = st.dates(date(1990, 1, 1), date(2099, 12, 31))


@st.composite
def generated_statements(draw: st.DrawFn) -> Statement:
    currency = draw(st.sampled_from(["EUR", "BYN", "JPY", "KWD"]))
    moneys = st.integers(-(10**12), 10**12).map(lambda minor: Money(minor, currency))
    texts = st.dictionaries(st.sampled_from(["counterparty", "counterparty_account", "remittance"]), words)
    entries = []
    for nth in range(draw(st.integers(0, 4))):
        amount = draw(moneys)
        detail = Detail(amount=amount, end_to_end_id=draw(st.none() | words), text=draw(texts))
        value_on = draw(st.none() | days)
        entries.append(Entry(amount, "booked", draw(days), value_on, reference=f"B{nth}", details=(detail,)))
    closing = draw(st.none() | moneys)
    closed_on = draw(days) if closing else None
    return Statement("XX00FUND", None, currency, None, closing, None, closed_on, None, tuple(entries))


def tagged(tag: str, text: str | None, *, closed: bool) -> str:
    return "" if text is None else f"<{tag}>{escape(text)}" + (f"</{tag}>" if closed else "\n")


def written(statement: Statement, *, closed: bool) -> str:
    lines = ""
    for entry in statement.entries:
        (detail,) = entry.details
        account = tagged("ACCTID", detail.text.get("counterparty_account"), closed=closed)
        lines += "<STMTTRN>" + "".join(
            tagged(tag, text, closed=closed)
            for tag, text in (
                ("DTPOSTED", f"{entry.booked_on:%Y%m%d}"),
                ("DTAVAIL", f"{entry.value_on:%Y%m%d120000}" if entry.value_on else None),
                ("TRNAMT", entry.amount.decimal()),
                ("FITID", entry.reference),
                ("REFNUM", detail.end_to_end_id),
                ("NAME", detail.text.get("counterparty")),
                ("MEMO", detail.text.get("remittance")),
            )
        )
        lines += (f"<BANKACCTTO>{account}</BANKACCTTO>" if account else "") + "</STMTTRN>"
    balance = ""
    if statement.closing is not None:
        amount, day = statement.closing.decimal(), f"{statement.closed_on:%Y%m%d}"
        inside = tagged("BALAMT", amount, closed=closed) + tagged("DTASOF", day, closed=closed)
        balance = f"<LEDGERBAL>{inside}</LEDGERBAL>"
    account = f"<BANKACCTFROM>{tagged('ACCTID', statement.account, closed=closed)}</BANKACCTFROM>"
    currency = tagged("CURDEF", statement.currency, closed=closed)
    return f"<STMTRS>{currency}{account}<BANKTRANLIST>{lines}</BANKTRANLIST>{balance}</STMTRS>"


@settings(deadline=None, max_examples=25)
@given(statements=st.lists(generated_statements(), min_size=1, max_size=2), closed=st.booleans())
def test_a_written_statement_reads_back_the_same(statements: list[Statement], *, closed: bool) -> None:
    head = '<?xml version="1.0" encoding="UTF-8"?>' if closed else "OFXHEADER:100\nCHARSET:NONE\n"
    body = "".join(written(statement, closed=closed) for statement in statements)
    file = detection.read(f"{head}<OFX>{body}</OFX>".encode())

    assert file.statements == tuple(statements)
    assert file.format == ("ofx.2" if closed else "ofx.1")
    assert file.problems == ()


@settings(deadline=None, max_examples=25)
@given(st.lists(st.sampled_from(["<A>", "</A>", "x", "<B/>", "<!--", "-->", "<", "&", "<![CDATA[", "]]>", "\n"])))
def test_any_markup_is_read_or_refused(parts: list[str]) -> None:
    try:
        file = detection.read(f"<OFX>{''.join(parts)}</OFX>".encode())
    except BadInput:
        return

    assert file.statements == ()
