"""MT940: every mark, page, year turn and text of the banks, and what is refused."""

from datetime import date

import pytest

from api.client.bank_files import detection, mt940, refusals
from api.client.bank_files.lines import Entry, Statement, StatementFile, UnreadableFile
from ledger.money import Money

OPENING, CLOSING = ":60F:C201001EUR100,00", ":62F:C201031EUR100,00"


def a_message(*fields: str, opening: str = OPENING, closing: str = CLOSING, reference: str = "S1") -> str:
    return "\r\n".join([f":20:{reference}", ":25:XX00FUND", ":28C:1/1", opening, *fields, closing, "-", ""])


def read(*fields: str, **options: str) -> StatementFile:
    return mt940.read(a_message(*fields, **options).encode())


def the_statement(*fields: str, **options: str) -> Statement:
    (statement,) = read(*fields, **options).statements
    return statement


def the_entry(*fields: str) -> Entry:
    (entry,) = the_statement(*fields).entries
    return entry


def the_refusal(*fields: str, **options: str) -> UnreadableFile:
    with pytest.raises(UnreadableFile) as refusal:
        read(*fields, **options)
    return refusal.value


def test_a_statement_says_its_account_days_and_balances() -> None:
    statement = the_statement(":61:2010011001C12,35NTRFNONREF//B1", closing=":62F:C201031EUR112,35")

    assert (statement.account, statement.identification, statement.currency) == ("XX00FUND", "S1 1/1", "EUR")
    assert (statement.opening, statement.closing, statement.adds_up) == (Money(10000, "EUR"), Money(11235, "EUR"), True)
    assert (statement.opened_on, statement.closed_on) == (date(2020, 10, 1), date(2020, 10, 31))


@pytest.mark.parametrize(
    ("mark", "minor", "status", "reversal"),
    [
        ("C", 1235, "booked", False),
        ("D", -1235, "booked", False),
        ("RC", -1235, "booked", True),
        ("RD", 1235, "booked", True),
        ("EC", 1235, "pending", False),
        ("ED", -1235, "pending", False),
        ("CR", 1235, "booked", False),  # a credit, with the funds code R of EUR
        ("DR", -1235, "booked", False),
        ("CN", 1235, "booked", False),
        ("DF", -1235, "booked", False),
        ("DD", -1235, "booked", False),
        ("RCR", -1235, "booked", True),
        ("RDR", 1235, "booked", True),
    ],
)
def test_a_mark_tells_side_status_and_reversal(mark: str, minor: int, status: str, *, reversal: bool) -> None:
    entry = the_entry(f":61:2010011001{mark}12,35NTRFNONREF")

    assert (entry.amount, entry.status, entry.reversal) == (Money(minor, "EUR"), status, reversal)


@pytest.mark.parametrize(("amount", "minor"), [("5,", 500), ("5", 500), ("5,0", 500), ("000005,10", 510), ("0,01", 1)])
def test_amounts_are_read_as_banks_write_them(amount: str, minor: int) -> None:
    assert the_entry(f":61:2010011001C{amount}NTRFNONREF").amount == Money(minor, "EUR")


@pytest.mark.parametrize(
    ("days", "booked_on", "value_on"),
    [
        ("2010051006", date(2020, 10, 6), date(2020, 10, 5)),
        ("2012310102", date(2021, 1, 2), date(2020, 12, 31)),  # booked in the new year, worth it in the old
        ("2101021231", date(2020, 12, 31), date(2021, 1, 2)),
        ("2002280229", date(2020, 2, 29), date(2020, 2, 28)),
        ("201005", date(2020, 10, 5), date(2020, 10, 5)),  # no booking day is written
        ("201005    ", date(2020, 10, 5), date(2020, 10, 5)),
        ("9912310102", date(2000, 1, 2), date(1999, 12, 31)),
    ],
)
def test_the_year_of_the_booking_day_is_the_nearest(days: str, booked_on: date, value_on: date) -> None:
    entry = the_entry(f":61:{days}C12,35NTRFNONREF")

    assert (entry.booked_on, entry.value_on) == (booked_on, value_on)


def test_a_value_day_that_no_calendar_has_is_left_out_and_shown() -> None:
    file = read(":61:1602300301DR6,00N024NONREF")

    assert (file.statements[0].entries[0].booked_on, file.statements[0].entries[0].value_on) == (date(2016, 3, 1), None)
    assert "its value day is no day of the calendar" in [problem.what for problem in file.problems]


def test_references_are_the_banks_and_the_holders() -> None:
    both = the_entry(":61:2010011001C1,00NTRFRF18ABC//BANK-7")
    neither = the_entry(":61:2010011001C1,00NTRFNONREF", ":86:000")

    assert (both.reference, both.details[0].end_to_end_id) == ("BANK-7", "RF18ABC")
    assert (neither.reference, neither.details[0].end_to_end_id) == (None, None)


def test_a_german_text_is_taken_apart_and_its_pieces_joined() -> None:
    (detail,) = the_entry(
        ":61:2010011001CR1,00NTRFNONREF",
        ":86:166?00GUTSCHRIFT?100399?20EREF+E2E-1?21SVWZ+Invented gi?22ft RF18 5390?30BANKXX",
        "?31XX99INVENTED?32Ana Inven?33ted?60 0075 4703 4",
    ).details

    assert detail.end_to_end_id == "E2E-1"
    assert detail.text == {
        "counterparty": "Ana Invented",
        "counterparty_account": "XX99INVENTED",
        "remittance": "Invented gift RF18 5390 0075 4703 4",
        "additional": "GUTSCHRIFT",
    }


def test_a_dutch_text_is_taken_apart() -> None:
    (detail,) = the_entry(
        ":61:2010011001D1,00NRTIEREF//1",
        ":86:/RTRN/MS03//EREF/E2E-2//CNTP/XX98INVENTED/BANKXX/Ben Invented///REMI/USTD//An inv",
        "ented note/",
    ).details

    assert (detail.end_to_end_id, detail.return_reason) == ("E2E-2", "MS03")
    assert detail.text["counterparty"] == "Ben Invented"
    assert detail.text["remittance"] == "An invented note"


def test_a_text_without_structure_keeps_its_lines() -> None:
    (detail,) = the_entry(":61:2010011001C1,00NTRFNONREF", ":86:One line", ":12:30 is no tag", ":86:two").details

    assert detail.text == {"remittance": "One line\n:12:30 is no tag\ntwo"}


def test_a_text_in_ns_is_read() -> None:
    (detail,) = the_entry(":61:2010011001C1,00NTRFNONREF", ":NS:01An invented", "02gift", "15Ana", "34XX97").details

    assert detail.text == {"remittance": "An invented\ngift", "counterparty": "Ana", "counterparty_account": "XX97"}


def test_not_provided_is_no_reference() -> None:
    (detail,) = the_entry(":61:2010011001C1,00NTRFNONREF//NONREF", ":86:166?00X?20EREF+NOTPROVIDED?21SVWZ+Y").details

    assert detail.end_to_end_id is None


def test_charges_in_the_currency_of_the_entry_are_a_fee() -> None:
    texts = {"EUR0,5": Money(-50, "EUR"), "USD0,5": None}
    for written, fee in texts.items():
        assert the_entry(":61:2010011001D1,00NTRFNONREF", f":86:/CHGS/{written}/").details[0].fee == fee


def test_two_equal_lines_are_two() -> None:
    line = ":61:2010011001D1,00NTRFNONREF"

    assert len(the_statement(line, line).entries) == 2


def test_prose_before_between_and_behind_messages_is_passed_over() -> None:
    message = a_message(":61:2010011001C1,00NTRFNONREF", closing=":62F:C201031EUR101,00")
    file = mt940.read(f"BANKXX\r\n940\r\n{message}BANKXX\r\n940\r\n{message}Goodbye".encode())

    assert [len(statement.entries) for statement in file.statements] == [1, 1]
    assert file.problems == ()


def test_the_end_mark_is_no_part_of_a_text_and_a_wrapped_hyphen_is() -> None:
    line = ":61:2010011001C1,00NTRF\n"
    data = f":20:S1\n:25:XX\n:60F:C201001EUR0,\n{line}:86:a\n-\nb\n{line}:86:c\n-}}"
    first, second = mt940.read(data.encode()).statements[0].entries

    assert (first.details[0].text["remittance"], second.details[0].text["remittance"]) == ("a\n-\nb", "c")


def test_pages_are_statements_whose_balances_meet() -> None:
    first = a_message(":61:2010011001C1,00NTRFNONREF", closing=":62M:C201031EUR101,00")
    second = a_message(
        ":61:2010011001C1,00NTRFNONREF", opening=":60M:C201031EUR101,00", closing=":62F:C201031EUR102,00"
    )
    file = mt940.read((first + second).encode())

    assert [statement.adds_up for statement in file.statements] == [True, True]
    assert file.statements[0].closing == file.statements[1].opening


def test_pages_inside_one_message_are_one_statement() -> None:
    meeting = read(
        ":61:2010011001C1,00NTRF", ":62M:C201031EUR101,00", ":60M:C201031EUR101,00", closing=":62F:C201031EUR101,"
    )
    not_meeting = read(":62M:C201031EUR101,00", ":60M:C201031EUR102,00")

    assert (meeting.statements[0].adds_up, meeting.problems) == (True, ())
    assert any("a page begins with another balance" in problem.what for problem in not_meeting.problems)


def test_a_sum_that_does_not_close_is_shown() -> None:
    file = read(":61:2010011001C1,00NTRFNONREF")

    assert file.statements[0].adds_up is False
    assert [problem.what for problem in file.problems] == [
        "it does not add up: opening 100.00 EUR, booked 1.00 EUR, closing 100.00 EUR"
    ]


def test_a_line_behind_the_closing_balance_counts_and_is_shown() -> None:
    data = a_message() + ":61:2010011001C1,00NTRFNONREF\r\n"
    file = mt940.read(data.encode())

    assert len(file.statements[0].entries) == 1
    assert "it stands behind the closing balance" in [problem.what for problem in file.problems]


def test_a_second_account_begins_a_second_statement() -> None:
    file = read(":61:2010011001C1,00NTRFNONREF", ":25:YY00FUND", ":61:2010011001C2,00NTRFNONREF")

    assert [statement.account for statement in file.statements] == ["XX00FUND", "YY00FUND"]
    assert "a second account in one message" in [problem.what for problem in file.problems]


def test_balances_in_two_currencies_contradict_each_other() -> None:
    file = read(closing=":62F:C201031USD100,00")

    assert file.statements[0].adds_up is False
    assert "the closing balance is in USD, the statement in EUR" in [problem.what for problem in file.problems]


def test_an_interim_report_takes_its_currency_from_its_limit_and_shows_wrong_totals() -> None:
    head = ":20:S1\n:25:XX00\n:28C:1/1\n:34F:EURD0,\n:13D:2010011200+0100\n"
    data = f"{head}:61:2010011001D0,42NMSC\n:90D:2EUR2,30\n:90C:x\n-"
    file = detection.read(data.encode())

    assert (file.format, file.statements[0].entries[0].amount) == ("mt942", Money(-42, "EUR"))
    assert [problem.what for problem in file.problems] == [
        "the bank counts 2 debit entries, 1 are there",
        "the bank's sum of debit entries is 2.30 EUR, that of the entries 0.42 EUR",
        "the bank's sum of credit entries cannot be read",
    ]


def test_a_text_in_an_old_encoding_is_read_and_the_guess_is_told() -> None:
    data = a_message(":61:2010011001C1,00NTRFNONREF", ":86:M\u00fcller").encode("latin-1")
    file = mt940.read(data)

    assert file.statements[0].entries[0].details[0].text == {"remittance": "M\u00fcller"}
    assert file.problems[0].what == "its texts are not UTF-8 and are read as ISO 8859-1"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_marked_encodings_are_read(encoding: str) -> None:
    data = a_message(":61:2010011001C1,00NTRFNONREF", ":86:Ўладзімір").encode(encoding)

    assert detection.read(data).statements[0].entries[0].details[0].text == {"remittance": "Ўладзімір"}


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (":61:2010011001X1,00NTRF", "no statement line"),
        (":61:2010011001C1.00NTRF", "no statement line"),
        (":61:2010011001C-1,00NTRF", "no statement line"),
        (":61:2010011001C1,005NTRF", "EUR has 2 decimals"),
        (":61:2010011001C1e3NTRF", "no statement line"),
        (":61:2010011001C\uff11,00NTRF", "no statement line"),
        (":61:2010011001CNTRF", "no statement line"),
        (":61:2013011301C1,00NTRF", "no day of the calendar"),
        (":61:201301C1,00NTRF", "no day of the calendar"),
        (":61:2010010231C1,00NTRF", "no booking day of the calendar"),
        (":61:", "no statement line"),
        (":61:2010011001C99999999999999999,00NTRF", "the amount is over 2^63 minor units"),
        (":62M:C201031EUR1.234,00", "no balance"),
        (":60M:X201031EUR1,00", "no balance"),
        (":60M:C201031XXX1,00", "not an ISO 4217 currency with minor units"),
    ],
)
def test_what_cannot_be_read_exactly_is_refused_with_its_line(line: str, what: str) -> None:
    refusal = the_refusal(":61:2010011001C1,00NTRFNONREF", line)

    assert refusal.message.startswith(what)
    assert str(refusal.data["where"]).endswith("line 6")


def test_lines_without_any_currency_are_refused() -> None:
    data = b":20:S1\n:25:XX00\n:28C:1\n:61:2010011001C1,00NTRF\n"
    with pytest.raises(UnreadableFile, match="no currency is given"):
        mt940.read(data)


def test_a_currency_that_was_withdrawn_is_refused_on_a_later_day() -> None:
    options = {"opening": ":60F:C201001BYR0,", "closing": ":62F:C201031BYR0,"}

    assert "withdrawn" in the_refusal(":61:2010011001C100,NTRF", **options).message
    assert the_statement(":61:1510011001C100,NTRF", **options).entries[0].amount == Money(100, "BYR")


def test_a_field_before_any_message_is_refused() -> None:
    with pytest.raises(UnreadableFile, match="stands in no message"):
        mt940.read(b":25:XX00\n:60F:C201001EUR0,\n")


def test_all_places_are_told_and_none_of_the_text() -> None:
    refusal = the_refusal(":61:canary", ":86:canary", ":61:2010011001C1,00NTRF", ":61:2010011001C1,00canary")

    assert refusal.data["count"] == 2
    assert refusal.data["places"] == (
        "statement 1, entry 1, line 5: no statement line; statement 1, entry 3, line 8: no statement line"
    )
    assert "canary" not in f"{refusal}{refusal.data}"


def test_more_lines_than_anybody_can_check_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "MOST_LINES", 10)

    assert "more than 10 lines" in the_refusal(*[":61:2010011001C1,00NTRF"] * 11).message


@pytest.mark.parametrize("texts", [[":86:"] * 2_001, [":86:" + "x" * 60_000] * 4])
def test_texts_without_end_behind_one_line_are_refused(texts: list[str]) -> None:
    refusal = the_refusal(":61:2010091009C1,00NTRFNONREF", *texts)

    assert "texts of more than" in refusal.message


def test_balances_and_sums_count_among_the_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "MOST_LINES", 10)

    assert "more than 10 lines" in the_refusal(*[":90C:1EUR1,00"] * 11).message


def test_more_fields_than_lines_can_have_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mt940, "MOST_FIELDS", 10)

    assert "more than 10 fields" in the_refusal(*[":86:"] * 11).message


def test_a_text_without_end_is_refused() -> None:
    refusal = the_refusal(":61:2010011001C1,00NTRF", ":86:x", *["y" * 60] * 2_000)

    assert (refusal.message, refusal.data["where"]) == ("a field of more than 100000 characters", "line 6")


def test_nothing_of_a_person_stands_in_a_repr() -> None:
    assert "canary" not in repr(the_entry(":61:2010011001C1,00NTRFcanary//canary", ":86:canary"))
