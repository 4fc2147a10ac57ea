import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.books import record_reader, records
from ledger.books.accounts import AccountClass
from ledger.books.journal import Because
from ledger.books.postings import Posting, Side
from ledger.books.record_reader import LONGEST_LINE, BadRecord
from ledger.books.records import AccountRecord, BookRecord, EndRecord, EntryRecord, FundRecord, Record
from ledger.errors import BadInput
from ledger.money import BadAmount, BadCurrency, Money
from tests.journals import a_line, an_entry, as_line

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
days = st.dates()
moments = st.datetimes(timezones=st.just(UTC))
postings = st.builds(
    Posting,
    side=st.sampled_from(Side),
    account=texts,
    money=st.builds(Money, st.integers(-(2**63) + 1, 2**63 - 1), st.sampled_from(["EUR", "JPY", "KWD", "BYN"])),
    fund=texts,
    subject=st.none() | texts,
    case=st.none() | texts,
    rate_on=st.none() | days,
)


@st.composite
def entries(draw: st.DrawFn) -> EntryRecord:
    reverses, because = draw(st.just((None, None)) | st.tuples(texts, st.sampled_from(Because)))
    return EntryRecord(
        source_key=draw(texts),
        kind=draw(texts),
        happened_on=draw(days),
        effective_on=draw(days),
        recorded_at=draw(st.none() | moments),
        recorded_by=draw(st.none() | texts),
        postings=tuple(draw(st.lists(postings, max_size=4))),
        reverses=reverses,
        because=because,
    )


any_record = st.one_of(
    st.builds(BookRecord, texts),
    st.builds(AccountRecord, texts, texts, st.sampled_from(AccountClass), st.none() | texts, st.booleans()),
    st.builds(FundRecord, texts, texts, st.booleans()),
    entries(),
    st.builds(EndRecord, st.integers()),
)


@given(any_record)
def test_what_is_written_is_read_back_and_written_again_the_same(record: Record) -> None:
    line = records.write(record)

    assert record_reader.read(line) == record
    assert records.write(record_reader.read(line)) == line
    assert line.count(b"\n") == 1


@given(st.binary(max_size=300).map(lambda noise: noise + b"\n"))
def test_noise_is_refused_and_nothing_of_it_told(noise: bytes) -> None:
    with pytest.raises(BadRecord):
        record_reader.read(noise)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(field=st.sampled_from([*an_entry(), "recorded_at", "recorded_by", "reverses", "because"]), value=json_values)
def test_an_entry_with_any_value_anywhere_is_read_or_refused(field: str, value: Any) -> None:
    try:
        record = record_reader.read(as_line(an_entry() | {field: value}))
    except BadInput as refusal:
        assert isinstance(refusal, BadRecord | BadAmount | BadCurrency)  # noqa: PT017  # either outcome is right
    else:
        assert isinstance(record, EntryRecord)


def test_an_entry_is_read() -> None:
    line = as_line(
        an_entry(
            recorded_at="2020-11-03T10:00:00.5Z",
            recorded_by="OP-0000-0000-0001",
            lines=[a_line(rate_on="2020-10-31"), a_line("credit", "4000", subject="G-0000-0000-0001")],
        )
    )

    assert record_reader.read(line) == EntryRecord(
        source_key="import:1",
        kind="gift",
        happened_on=date(2020, 11, 1),
        effective_on=date(2020, 11, 2),
        recorded_at=datetime(2020, 11, 3, 10, 0, 0, 500_000, tzinfo=UTC),
        recorded_by="OP-0000-0000-0001",
        postings=(
            Posting(Side.DEBIT, "1000:eur-main", Money(2000, "EUR"), "fines", rate_on=date(2020, 10, 31)),
            Posting(Side.CREDIT, "4000", Money(2000, "EUR"), "fines", subject="G-0000-0000-0001"),
        ),
    )


GOOD = as_line(an_entry())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"\xef\xbb\xbf" + GOOD, "byte order mark"),
        (GOOD[:-1] + b"\r\n", "carriage return"),
        (GOOD[:-1], "cut"),
        (GOOD[:60], "cut"),
        (GOOD[:60] + b"\n", "not JSON"),
        (b"\n", "not JSON"),
        (b"\xff" + GOOD, "not UTF-8"),
        (GOOD.replace(b"gift", b"gi\xed\xa0\x80ft"), "not UTF-8"),
        (b"[1]\n", "an object is missing"),
        (b'"text"\n', "an object is missing"),
        (GOOD.replace(b'"kind"', b'"kind":"gift","kind"'), "key twice"),
        (GOOD.replace(b'"fund"', b'"fund":"fines","fund"'), "key twice"),
        (GOOD.replace(b'"20.00"', b"20.00"), "decimals or an exponent"),
        (GOOD.replace(b'"20.00"', b"NaN"), "decimals or an exponent"),
        (GOOD.replace(b'"20.00"', b"-Infinity"), "decimals or an exponent"),
        (GOOD.replace(b'"20.00"', b"1e3"), "decimals or an exponent"),
        (GOOD.replace(b'"20.00"', b"20"), "a text is missing"),
        (GOOD.replace(b'"20.00"', b"9" * 5000), "not JSON"),
        (b"[" * 100_000 + b"\n", "not JSON"),
        (b"[" * 10_000_000 + b"\n", "longer than 4 MiB"),
        (GOOD[:-1] + b" " * LONGEST_LINE + b"\n", "longer than 4 MiB"),
        (GOOD + GOOD, "not JSON"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_is_no_line_of_the_format_is_refused_with_what_is_wrong(line: bytes, message: str) -> None:
    with pytest.raises(BadRecord, match=message):
        record_reader.read(line)


@pytest.mark.parametrize(
    ("amount", "error"),
    [
        *((text, BadAmount) for text in ("NaN", "1e3", "1_000", "+5", " 5", "5.", ".5", "", "1,000.00", "-", "0x10")),
        ("\uff12\uff10", BadAmount),  # full-width digits
        ("\u0662\u0660", BadAmount),  # Arabic-Indic digits
        ("20.001", BadAmount),
        ("92233720368547758.08", BadAmount),
        ("9" * 19, BadAmount),
        ("9" * 5000, BadAmount),
    ],
)
def test_an_amount_that_is_no_exact_decimal_is_refused_with_its_place(amount: str, error: type[BadInput]) -> None:
    with pytest.raises(error) as refusal:
        record_reader.read(as_line(an_entry(lines=[a_line(), a_line("credit", amount=amount)])))

    assert refusal.value.data["posting"] == 2
    assert refusal.value.data["where"] == "amount"


@pytest.mark.parametrize("currency", ["eur", "XXX", "XAU", "EURO", "", "A" * 100])
def test_a_currency_without_minor_units_is_refused(currency: str) -> None:
    with pytest.raises(BadCurrency):
        record_reader.read(as_line(an_entry(lines=[a_line(currency=currency)])))


def test_decimals_are_those_of_the_currency() -> None:
    yen = record_reader.read(as_line(an_entry(lines=[a_line(amount="20", currency="JPY")])))

    assert isinstance(yen, EntryRecord)
    assert yen.postings[0].money == Money(20, "JPY")
    with pytest.raises(BadAmount, match="JPY has 0 decimals"):
        record_reader.read(as_line(an_entry(lines=[a_line(amount="20.0", currency="JPY")])))


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"record": "note"}, "record"),
        ({"record": 1}, "record"),
        ({"kind": None}, "kind"),
        ({"source_key": 7}, "source_key"),
        ({"happened_on": "2020-02-30"}, "happened_on"),
        ({"happened_on": "20201101"}, "happened_on"),
        ({"happened_on": "2020-W45-1"}, "happened_on"),
        ({"effective_on": "0000-01-01"}, "effective_on"),
        ({"recorded_at": "2020-11-03"}, "recorded_at"),
        ({"recorded_at": "2020-11-03T10:00:00"}, "recorded_at"),
        ({"recorded_at": "2020-11-03T10:00:00+03:00"}, "recorded_at"),
        ({"recorded_at": "2020-11-03T25:00:00Z"}, "recorded_at"),
        ({"lines": "none"}, "lines"),
        ({"lines": {}}, "lines"),
        ({"lines": [7]}, "line"),
        ({"lines": [a_line("left")]}, "side"),
        ({"lines": [a_line(fund=None)]}, "fund"),
        ({"lines": [a_line(rate_on="soon")]}, "rate_on"),
        ({"because": "mood"}, "because"),
        ({"because": "wrong_fund"}, "because"),
        ({"reverses": "import:0"}, "because"),
        ({"name": "Kanarejka"}, None),
        ({"lines": [a_line(name="Kanarejka")]}, None),
    ],
    ids=str,
)
def test_a_field_that_is_missing_too_many_or_another_type_is_refused(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(BadRecord) as refusal:
        record_reader.read(as_line(an_entry(**changes)))

    assert refusal.value.data["where"] == where
    assert "Kanarejka" not in str(refusal.value) + repr(refusal.value.data)


def test_ten_thousand_and_one_lines_are_too_many() -> None:
    with pytest.raises(BadRecord, match="at most 10000 lines"):
        record_reader.read(as_line(an_entry(lines=[a_line()] * 10_001)))


@pytest.mark.parametrize("changes", [{"format": "other"}, {"version": 2}, {"version": "1"}, {"version": True}])
def test_another_format_or_version_is_refused(changes: dict[str, Any]) -> None:
    head = {"record": "book", "format": "solidarity-entries", "version": 1, "functional_currency": "EUR"}
    assert record_reader.read(as_line(head)) == BookRecord("EUR")

    with pytest.raises(BadRecord):
        record_reader.read(as_line(head | changes))


def test_the_longest_entry_fits_a_line() -> None:
    longest = a_line(
        account="1200:" + "A" * 40,
        amount="10000000000000.00",
        fund="f" * 30,
        subject="OP-0000-0000-0001",
        case="C-0000-0000-0001",
        rate_on="2020-11-01",
    )
    line = json.dumps(an_entry(lines=[longest] * 10_000), separators=(",", ":")).encode() + b"\n"

    record = record_reader.read(line)

    assert isinstance(record, EntryRecord)
    assert len(record.postings) == 10_000
