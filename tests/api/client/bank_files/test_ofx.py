"""OFX: SGML without end tags, XML, what banks leave empty, and what is refused."""

from datetime import date

import pytest

from api.client.bank_files import detection, ofx, ofx_markup
from api.client.bank_files.lines import Entry, StatementFile, UnreadableFile
from ledger.money import Money

SGML = "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nENCODING:USASCII\nCHARSET:1252\n\n"
XML = '<?xml version="1.0" encoding="UTF-8"?>\n<?OFX OFXHEADER="200" VERSION="211"?>\n'
LINE = "<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20201001120000.000[-5:EST]<TRNAMT>12.35<FITID>B1</STMTTRN>"
BALANCE = "<LEDGERBAL><BALAMT>112.35<DTASOF>20201031</LEDGERBAL><AVAILBAL><BALAMT>999<DTASOF>20201031</AVAILBAL>"


def a_file(*lines: str, head: str = SGML, balance: str = BALANCE, currency: str = "<CURDEF>EUR") -> bytes:
    account = "<BANKACCTFROM><BANKID>1<ACCTID>XX00 FUND<ACCTTYPE>CHECKING</BANKACCTFROM>"
    body = f"{currency}{account}<BANKTRANLIST>{''.join(lines)}</BANKTRANLIST>{balance}"
    return f"{head}<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS>\n{body}\n</STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>".encode()


def a_line(inside: str, *, amount: str = "12.35", day: str = "20201001") -> str:
    return f"<STMTTRN><DTPOSTED>{day}<TRNAMT>{amount}{inside}</STMTTRN>"


def the_entry(line: str) -> Entry:
    (entry,) = ofx.read(a_file(line)).statements[0].entries
    return entry


def the_refusal(data: bytes) -> UnreadableFile:
    with pytest.raises(UnreadableFile) as refusal:
        detection.read(data)
    return refusal.value


def whats(file: StatementFile) -> list[str]:
    return [problem.what for problem in file.problems]


def test_a_statement_has_a_closing_and_never_an_opening_balance() -> None:
    file = detection.read(a_file(LINE))
    (statement,) = file.statements

    assert (file.format, statement.account, statement.currency) == ("ofx.1", "XX00FUND", "EUR")
    assert (statement.opening, statement.closing, statement.adds_up) == (None, Money(11235, "EUR"), None)
    assert statement.closed_on == date(2020, 10, 31)
    assert (statement.entries[0].amount, statement.entries[0].booked_on) == (Money(1235, "EUR"), date(2020, 10, 1))
    assert (statement.entries[0].reference, statement.entries[0].status) == ("B1", "booked")


def test_xml_reads_like_sgml() -> None:
    closed = "<STMTTRN><DTPOSTED>20201001</DTPOSTED><TRNAMT>12.35</TRNAMT><MEMO/><FITID>B1</FITID></STMTTRN>"
    xml, sgml = detection.read(a_file(closed, head=XML)), detection.read(a_file(closed))

    assert (xml.format, sgml.format) == ("ofx.2", "ofx.1")
    assert xml.statements == sgml.statements


def test_an_empty_value_that_is_not_closed_hides_nothing() -> None:
    entry = the_entry("<STMTTRN><TRNTYPE>\n<NAME>\n<DTPOSTED>20201001\n<MEMO>\n<TRNAMT>-1.00\n</STMTTRN>")

    assert (entry.amount, entry.booked_on) == (Money(-100, "EUR"), date(2020, 10, 1))


def test_texts_are_kept_for_the_box_with_entities_and_bare_ampersands() -> None:
    (detail,) = the_entry(a_line("<NAME>Ana &amp; Ben<MEMO>A & B &#1046;<BANKACCTTO><ACCTID>XX1</BANKACCTTO>")).details

    assert detail.text == {"counterparty": "Ana & Ben", "remittance": "A & B Ж", "counterparty_account": "XX1"}


def test_comments_are_no_part_and_raw_texts_are() -> None:
    entry = the_entry(a_line("<!-- <TRNAMT>99 --><NAME><![CDATA[Ana <Invented>]]></NAME>"))

    assert entry.details[0].text == {"counterparty": "Ana <Invented>"}
    assert entry.amount == Money(1235, "EUR")


def test_the_currency_of_a_line_holds_before_that_of_the_statement() -> None:
    own = the_entry(a_line("<CURRENCY><CURRATE>1.1<CURSYM>USD</CURRENCY>"))
    original = the_entry(a_line("<ORIGCURRENCY><CURRATE>1.1<CURSYM>USD</ORIGCURRENCY>"))

    assert (own.amount.currency, original.amount.currency) == ("USD", "EUR")


def test_a_pending_line_is_never_booked() -> None:
    pending = "<STMTTRNP><DTTRAN>20201001<TRNAMT>-5<NAME>Shop</STMTTRNP>"
    (entry,) = ofx.read(a_file(pending)).statements[0].entries

    assert (entry.status, entry.booked_on) == ("pending", None)


def test_a_bank_number_on_two_lines_is_shown_and_they_are_two() -> None:
    file = ofx.read(a_file(LINE, LINE))

    assert len(file.statements[0].entries) == 2
    assert whats(file) == ["entry 2 has the bank's number of an earlier entry"]


def test_three_decimals_are_read_where_the_currency_has_them() -> None:
    file = ofx.read(a_file(a_line("", amount="-1,230"), currency="<CURDEF>KWD", balance=""))

    assert file.statements[0].entries[0].amount == Money(-1230, "KWD")


@pytest.mark.parametrize(
    ("kind", "amount", "said"),
    [("DEBIT", "1.00", "a debit"), ("CREDIT", "-1.00", "a credit"), ("DEBIT", "-1.00", ""), ("FEE", "1.00", "")],
)
def test_a_kind_that_contradicts_the_sign_is_shown_and_the_amount_holds(kind: str, amount: str, said: str) -> None:
    file = ofx.read(a_file(a_line(f"<TRNTYPE>{kind}", amount=amount)))

    assert file.statements[0].entries[0].amount == Money.parse(amount, "EUR")
    assert [f"calls it {said}," in what for what in whats(file)] == ([True] if said else [])


@pytest.mark.parametrize(
    ("day", "what"), [("", "it has no booking day"), ("20200231", "its booking day is no day of the calendar")]
)
def test_a_missing_or_impossible_day_is_shown(day: str, what: str) -> None:
    file = ofx.read(a_file(a_line("", day=day)))

    assert file.statements[0].entries[0].booked_on is None
    assert whats(file) == [what]


def test_an_empty_balance_is_none_and_shown() -> None:
    file = ofx.read(a_file(LINE, balance="<LEDGERBAL><BALAMT><DTASOF>20201031</LEDGERBAL>"))

    assert file.statements[0].closing is None
    assert whats(file) == ["the closing balance is empty"]


def test_an_error_of_the_bank_is_shown_by_its_number() -> None:
    file = ofx.read(f"{SGML}<OFX><STATUS><CODE>2000<SEVERITY>ERROR<MESSAGE>canary</STATUS></OFX>".encode())

    assert whats(file) == ["the bank answers with error 2000", "it holds no statement"]


@pytest.mark.parametrize(
    ("amount", "minor"),
    [
        ("+5", 500),
        ("-0.05", -5),
        ("5,25", 525),
        (".5", 50),
        ("5.", 500),
        ("5.2500", 525),
        ("0,250", 25),
        ("1230,000", 123000),
    ],
)
def test_amounts_are_read_as_banks_write_them(amount: str, minor: int) -> None:
    assert the_entry(a_line("", amount=amount)).amount == Money(minor, "EUR")


@pytest.mark.parametrize(
    "amount",
    [
        "1,234.56",
        "1,234",
        "-1,230",
        "1.000",
        "+999,000",
        "$5",
        "1e3",
        "NaN",
        "--5",
        "\uff15",
        "5.001",
        "1 000",
        "",
        "1_0",
    ],
)
def test_an_amount_that_is_not_exact_is_refused(amount: str) -> None:
    refusal = the_refusal(a_file(LINE, a_line("", amount=amount)))

    assert str(refusal.data["where"]).startswith("statement 1, entry 2, line ")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (
            b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><OFX><A>&e;</A></OFX>',
            "DOCTYPE",
        ),
        (b"OFXHEADER:100\n<OFX><!DOCTYPE x></OFX>", "DOCTYPE"),
        (b"<OFX><A>" + b"<B>" * 30_000 + b"</OFX>", "too deep"),
        (b"<OFX><MEMO>" + b"x" * 3_000_000 + b"</MEMO></OFX>", "a value of more than 10000 characters"),
        (b"<OFX><A>" + b"<B>x" * 3_000 + b"</A></OFX>", "too much in one element"),
        (b"<OFX><STMTRS><CURDEF>EUR", "the file ends before its last element"),
        (b"<OFX><A></B></OFX>", "an end tag without its beginning"),
        (b"<OFX><A>x</A>y</OFX>", "a text that is no value"),
        (b"<OFX><xi:include href='x'/></OFX>", "a tag that OFX does not know"),
        (b"<OFX><A href='x'>1</A></OFX>", "a tag that OFX does not know"),
        (b"<OFX><A>1\0</A></OFX>", "a NUL character"),
        (b"<OFX><A>1&#0;</A></OFX>", "a NUL character"),
        (b'<?xml encoding="UTF-8"?><OFX><A>\xff</A></OFX>', "bytes that are not in utf-8"),
    ],
)
def test_hostile_markup_is_refused_with_its_place(data: bytes, what: str) -> None:
    refusal = the_refusal(data)

    assert what in refusal.message
    assert refusal.data["where"]


def test_a_statement_may_have_more_lines_than_an_element_has_parts() -> None:
    lines = a_line("") * (ofx_markup.MOST_PARTS + 1)

    assert len(ofx.read(a_file(lines)).statements[0].entries) == ofx_markup.MOST_PARTS + 1


def test_a_currency_that_stands_nowhere_is_refused() -> None:
    assert "no currency is given" in the_refusal(a_file(LINE, currency="")).message


def test_a_file_that_is_too_large_is_refused() -> None:
    assert "more than" in the_refusal(a_file(LINE) + b" " * ofx.LARGEST_FILE).message


def test_a_refusal_holds_none_of_the_text() -> None:
    refusal = the_refusal(a_file(a_line("<NAME>canary", amount="canary"), a_line("", amount="canary")))

    assert refusal.data["count"] == 2
    assert "canary" not in f"{refusal}{refusal.data}"
