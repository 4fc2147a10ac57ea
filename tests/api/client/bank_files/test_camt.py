"""CAMT messages of our own making: what a reader in a hurry gets wrong."""

import json
from datetime import date

import pytest

from api.client.bank_files import camt, detection, refusals
from api.client.bank_files.lines import (
    Detail,
    Entry,
    Statement,
    UnknownFormat,
    UnreadableFile,
    as_json,
)
from ledger.money import Money

OWN = "XX00FUND"
THEIRS = "XX00ANA"


def a_file(
    *statements: str, version: str = "camt.053.001.08", namespace: bool = True, message: str = "BkToCstmrStmt"
) -> bytes:
    where = f' xmlns="urn:iso:std:iso:20022:tech:xsd:{version}"' if namespace else ""
    body = "\n".join(statements)
    return f'<?xml version="1.0"?>\n<Document{where}><{message}>\n{body}\n</{message}></Document>'.encode()


def a_statement(
    *inside: str, account: str = f"<Acct><Id><IBAN>{OWN}</IBAN></Id><Ccy>EUR</Ccy></Acct>", tag: str = "Stmt"
) -> str:
    return f"<{tag}><Id>S1</Id>{account}\n" + "\n".join(inside) + f"</{tag}>"


def a_balance(code: str, amount: str, *, currency: str = "EUR", sign: str = "CRDT", day: str = "2030-01-31") -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='{currency}'>{amount}</Amt>"
        f"<CdtDbtInd>{sign}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def an_entry(
    amount: str = "10.00",
    sign: str = "CRDT",
    *inside: str,
    currency: str = "EUR",
    status: str = "<Cd>BOOK</Cd>",
    day: str = "<Dt>2030-01-31</Dt>",
    before: str = "",
    reversal: str = "",
) -> str:
    return (
        f"<Ntry>{before}<Amt Ccy='{currency}'>{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd>{reversal}<Sts>{status}</Sts>"
        f"<BookgDt>{day}</BookgDt>{''.join(inside)}</Ntry>"
    )


def details(*transactions: str, batch: str = "") -> str:
    return f"<NtryDtls>{batch}" + "".join(f"<TxDtls>{inside}</TxDtls>" for inside in transactions) + "</NtryDtls>"


def the_statement(*inside: str, **options: str) -> Statement:
    (statement,) = camt.read(a_file(a_statement(*inside, **options))).statements
    return statement


def the_entry(*inside: str, amount: str = "10.00", sign: str = "CRDT", reversal: str = "") -> Entry:
    (entry,) = the_statement(an_entry(amount, sign, *inside, reversal=reversal)).entries
    return entry


def the_problems(*inside: str) -> list[str]:
    return [problem.what for problem in camt.read(a_file(a_statement(*inside))).problems]


def the_refusal(data: bytes) -> UnreadableFile:
    with pytest.raises(UnreadableFile) as refusal:
        camt.read(data)
    return refusal.value


def test_a_statement_is_read_whole() -> None:
    entry = an_entry(
        "12.35",
        "DBIT",
        "<ValDt><DtTm>2030-02-01T23:30:00-11:00</DtTm></ValDt><AcctSvcrRef>BANK-7</AcctSvcrRef>",
        details(
            "<Refs><EndToEndId>OURS-7</EndToEndId></Refs><Amt Ccy='EUR'>12.35</Amt><CdtDbtInd>DBIT</CdtDbtInd>"
            "<Chrgs><Rcrd><Amt Ccy='EUR'>0.35</Amt><CdtDbtInd>DBIT</CdtDbtInd></Rcrd></Chrgs>"
            "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"
        ),
        before="<NtryRef>1</NtryRef>",
    )
    file = camt.read(a_file(a_statement(a_balance("OPBD", "100.00"), a_balance("CLBD", "87.65"), entry)))

    assert (file.version, file.statements[0].identification) == ("camt.053.001.08", "S1")
    assert as_json(file) == {
        "format": "camt.053",
        "statements": [
            {
                "account": OWN,
                "currency": "EUR",
                "opening": "100.00",
                "closing": "87.65",
                "adds_up": True,
                "entries": [
                    {
                        "amount": "-12.35",
                        "currency": "EUR",
                        "status": "booked",
                        "booked_on": "2030-01-31",
                        "value_on": "2030-02-01",
                        "reference": "BANK-7",
                        "reversal": False,
                        "details": [
                            {"amount": "-12.35", "end_to_end_id": "OURS-7", "return_reason": "AC04", "fee": "-0.35"},
                        ],
                    }
                ],
            }
        ],
        "problems": [],
    }


@pytest.mark.parametrize(
    ("name", "message", "tag"),
    [
        ("camt.052", "BkToCstmrAcctRpt", "Rpt"),
        ("camt.053", "BkToCstmrStmt", "Stmt"),
        ("camt.054", "BkToCstmrDbtCdtNtfctn", "Ntfctn"),
        ("camt.052", "BkToCstmrAcctRptV01", "Rpt"),
    ],
)
@pytest.mark.parametrize("namespace", [True, False])
def test_the_message_tells_the_format_with_or_without_a_namespace(
    name: str, message: str, tag: str, *, namespace: bool
) -> None:
    version = f"{name}.001.02"
    file = detection.read(
        a_file(a_statement(an_entry(), tag=tag), version=version, namespace=namespace, message=message)
    )

    assert (file.format, file.version) == (name, version if namespace else None)
    assert [entry.amount for entry in file.statements[0].entries] == [Money(1000, "EUR")]
    assert file.problems == ()


def test_a_message_in_an_envelope_with_prefixes_is_read() -> None:
    message = (
        "<c:Document><c:BkToCstmrStmt><c:Stmt><c:Ntry><c:Amt Ccy='EUR'>5</c:Amt><c:CdtDbtInd>CRDT</c:CdtDbtInd>"
        "<c:Sts>BOOK</c:Sts></c:Ntry></c:Stmt></c:BkToCstmrStmt></c:Document>"
    )
    file = camt.read(f"<Envelope xmlns:c='urn:x:camt.053.001.08'><Header/>{message}</Envelope>".encode())

    assert file.version == "camt.053.001.08"
    assert [entry.amount for entry in file.statements[0].entries] == [Money(500, "EUR")]


def test_the_first_version_keeps_its_transactions_in_the_entry() -> None:
    entry = an_entry("10.00", "CRDT", "<TxDtls><Refs><EndToEndId>E1</EndToEndId></Refs></TxDtls>", status="BOOK")
    account = "<Acct><Id><PrtryAcct><Id>12 34</Id></PrtryAcct></Id></Acct>"
    statement = the_statement(entry, account=account)

    assert (statement.account, statement.currency) == ("1234", "EUR")
    assert [detail.end_to_end_id for detail in statement.entries[0].details] == ["E1"]


def test_only_booked_entries_move_money() -> None:
    statement = the_statement(
        a_balance("OPBD", "0.00"),
        a_balance("CLBD", "10.00"),
        an_entry("10.00"),
        an_entry("20.00", status="<Cd>PDNG</Cd>"),
        an_entry("30.00", status="INFO"),
        an_entry("40.00", status="FUTR"),
    )

    assert [entry.status for entry in statement.entries] == ["booked", "pending", "info", "pending"]
    assert statement.adds_up is True


@pytest.mark.parametrize(("sign", "minor"), [("CRDT", 1000), ("DBIT", -1000)])
def test_a_reversal_does_not_turn_the_sign(sign: str, minor: int) -> None:
    entry = the_entry(sign=sign, reversal="<RvslInd>true</RvslInd>")

    assert (entry.amount.minor, entry.reversal) == (minor, True)


@pytest.mark.parametrize(("status", "taken"), [("BOOK", date(2030, 1, 30)), ("PDNG", None)])
def test_a_booked_entry_without_a_booking_day_counts_on_its_value_day_and_that_is_shown(
    status: str, taken: date | None
) -> None:
    written = an_entry("10.00", "CRDT", "<ValDt><Dt>2030-01-30</Dt></ValDt>", status=f"<Cd>{status}</Cd>")
    file = camt.read(a_file(a_statement(written.replace("<BookgDt><Dt>2030-01-31</Dt></BookgDt>", ""))))

    assert file.statements[0].entries[0].booked_on == taken
    told = [problem.what for problem in file.problems]
    assert told == (["it has no booking day: its value day is taken"] if taken else [])


def test_details_that_sum_to_something_else_are_told_and_add_no_money() -> None:
    entry = an_entry("10.00", "CRDT", details("<Amt Ccy='EUR'>4.00</Amt>", "<Amt Ccy='EUR'>7.00</Amt>"))
    inside = a_balance("OPBD", "0.00"), a_balance("CLBD", "10.00"), entry

    assert the_statement(*inside).adds_up is True
    assert the_problems(*inside) == ["the details sum to 11.00 EUR, the entry is 10.00 EUR"]


def test_two_equal_entries_of_one_day_are_two() -> None:
    statement = the_statement(a_balance("OPBD", "0"), a_balance("CLBD", "20"), an_entry(), an_entry())

    assert statement.entries[0] == statement.entries[1]
    assert statement.adds_up is True


def test_notprovided_is_no_reference() -> None:
    entry = the_entry(
        "<AcctSvcrRef>NOTPROVIDED</AcctSvcrRef>", details("<Refs><EndToEndId>NotProvided</EndToEndId></Refs>")
    )

    assert (entry.reference, entry.details[0].end_to_end_id) == (None, None)


def test_the_bank_s_own_reference_goes_before_the_count_of_lines() -> None:
    line = "<NtryRef>1</NtryRef>"
    own = details("<Refs><AcctSvcrRef>BANK-8</AcctSvcrRef></Refs>")

    assert the_statement(an_entry("1", "CRDT", own, before=line)).entries[0].reference == "BANK-8"
    assert the_statement(an_entry("1", "CRDT", before=line)).entries[0].reference == "1"


def test_an_entry_in_another_currency_leaves_the_sum_undecided() -> None:
    statement = the_statement(
        a_balance("OPBD", "0.00"), a_balance("CLBD", "10.00"), an_entry("10.00"), an_entry("5.00", currency="USD")
    )

    assert [entry.amount.currency for entry in statement.entries] == ["EUR", "USD"]
    assert statement.adds_up is None


def test_balances_in_two_currencies_do_not_add_up() -> None:
    inside = a_balance("OPBD", "0.00"), a_balance("CLBD", "10.00", currency="SEK"), an_entry("10.00")

    assert the_statement(*inside).adds_up is False
    assert the_problems(*inside) == ["the closing balance is in SEK, the statement in EUR"]


def test_the_last_closing_stands_in_for_a_missing_opening() -> None:
    statement = the_statement(
        a_balance("PRCD", "5.00", day="2030-01-30"), a_balance("CLBD", "15.00"), an_entry("10.00")
    )

    assert (statement.opening, statement.opened_on) == (Money(500, "EUR"), date(2030, 1, 30))
    assert (statement.closed_on, statement.adds_up) == (date(2030, 1, 31), True)


def test_a_missing_balance_is_null_and_never_zero() -> None:
    others = [a_balance(code, "7.00") for code in ("ITBD", "ITAV", "OPAV", "CLAV", "FWAV", "XPCD", "INFO")]
    statement = the_statement(*others, an_entry("10.00"))

    assert (statement.opening, statement.closing, statement.adds_up) == (None, None, None)


def test_a_statement_over_days_opens_with_its_first_and_closes_with_its_last() -> None:
    statement = the_statement(
        a_balance("OPBD", "10.00", day="2030-01-30"),
        a_balance("CLBD", "20.00", day="2030-01-30"),
        a_balance("OPBD", "20.00", day="2030-01-31"),
        a_balance("CLBD", "30.00", day="2030-01-31"),
        an_entry("10.00"),
        an_entry("10.00"),
    )

    assert (statement.opening, statement.closing, statement.adds_up) == (Money(1000, "EUR"), Money(3000, "EUR"), True)


def test_of_two_balances_that_differ_on_one_day_none_is_taken() -> None:
    inside = a_balance("OPBD", "10.00"), a_balance("OPBD", "11.00"), a_balance("CLBD", "10.00")

    assert the_statement(*inside).opening is None
    assert the_problems(*inside) == ["2 balances OPBD differ, so that none of them holds"]


def test_a_negative_balance_has_its_sign() -> None:
    statement = the_statement(a_balance("OPBD", "5.00", sign="DBIT"), a_balance("CLBD", "5.00"), an_entry("10.00"))

    assert (statement.opening, statement.adds_up) == (Money(-500, "EUR"), True)


def test_a_statement_that_does_not_add_up_says_by_which_figures() -> None:
    inside = a_balance("OPBD", "10.00"), a_balance("CLBD", "99.00"), an_entry("5.00", "DBIT")

    assert the_statement(*inside).adds_up is False
    assert the_problems(*inside) == ["it does not add up: opening 10.00 EUR, booked -5.00 EUR, closing 99.00 EUR"]


def test_the_bank_s_own_wrong_totals_are_shown() -> None:
    totals = (
        "<TxsSummry><TtlNtries><NbOfNtries>3</NbOfNtries><Sum>15.00</Sum></TtlNtries>"
        "<TtlCdtNtries><NbOfNtries>1</NbOfNtries><Sum>11.00</Sum></TtlCdtNtries>"
        "<TtlDbtNtries><NbOfNtries>one</NbOfNtries><Sum>five</Sum></TtlDbtNtries></TxsSummry>"
    )

    assert the_problems(totals, an_entry("10.00"), an_entry("5.00", "DBIT")) == [
        "the bank counts 3 entries, 2 are there",
        "the bank's sum of credit entries is 11.00 EUR, that of the entries 10.00 EUR",
        "the bank's number of debit entries cannot be read",
        "the bank's sum of debit entries cannot be read",
    ]


def test_right_totals_with_or_without_pending_entries_are_no_problem() -> None:
    pending = an_entry("5.00", status="PDNG")
    for count, total in (("1", "10.00000"), ("02", "15")):
        totals = f"<TxsSummry><TtlNtries><NbOfNtries>{count}</NbOfNtries><Sum>{total}</Sum></TtlNtries></TxsSummry>"

        assert the_problems(totals, an_entry("10.00"), pending) == []


def test_a_batch_of_another_size_is_told_unless_it_has_no_details() -> None:
    batch = "<Btch><NbOfTxs>3</NbOfTxs></Btch>"

    assert the_problems(an_entry("1", "CRDT", details("", "", batch=batch))) == [
        "the bank counts 3 details, 2 are there"
    ]
    assert the_problems(an_entry("1", "CRDT", details(batch=batch))) == []


def test_a_namespace_that_contradicts_the_message_is_told() -> None:
    file = camt.read(a_file(a_statement(), version="camt.052.001.08"))

    assert [problem.what for problem in file.problems] == ["its namespace is that of camt.052"]


def test_a_message_without_statements_says_so() -> None:
    file = camt.read(a_file())

    assert (file.statements, file.problems[0].what) == ((), "it holds no statement")


@pytest.mark.parametrize(
    ("day", "read"),
    [
        ("<Dt>2030-01-31</Dt>", date(2030, 1, 31)),
        ("<Dt>2030-01-31+14:00</Dt>", date(2030, 1, 31)),
        ("<DtTm>2030-01-31T23:59:59.999999999-12:00</DtTm>", date(2030, 1, 31)),
        ("<DtTm>2030-01-31T00:00:00Z</DtTm>", date(2030, 1, 31)),
        ("<DtTm>\n2030-01-31T24:00:00\n</DtTm>", date(2030, 1, 31)),
    ],
)
def test_a_day_is_the_one_that_the_bank_wrote(day: str, read: date) -> None:
    assert the_statement(an_entry(day=day)).entries[0].booked_on == read


@pytest.mark.parametrize(
    "day",
    [
        "",
        "<Dt/>",
        "<Dt>31.01.2030</Dt>",
        "<Dt>2030-02-30</Dt>",
        "<Dt>20300131</Dt>",
        "<Dt>\uff12\uff10\uff13\uff10-01-31</Dt>",
        "2030-01-31",
    ],
)
def test_an_unreadable_day_refuses_the_file(day: str) -> None:
    assert the_refusal(a_file(a_statement(an_entry(day=day)))).data["where"] == "statement 1, entry 1, line 4"


@pytest.mark.parametrize(
    "entry",
    [
        an_entry("1.234,56"),
        an_entry("0.005"),
        an_entry("-5.00"),
        an_entry(""),
        an_entry("1<b/>0"),
        an_entry("10", currency="XXX"),
        an_entry("10", currency="BYR"),
        an_entry("10", "CREDIT"),
        an_entry("10", ""),
        an_entry("10", status=""),
        an_entry("10", status="<Prtry>BOOK</Prtry>"),
        an_entry("10", reversal="<RvslInd>maybe</RvslInd>"),
        an_entry("10", "CRDT", "<Amt Ccy='EUR'>11</Amt>"),
        an_entry("10", "CRDT", details("<Amt Ccy='EUR'>1,0</Amt>")),
        an_entry("10", "CRDT", details("<Amt>10</Amt>")),
        an_entry("10", "CRDT", details("<Chrgs><TtlChrgsAndTaxAmt Ccy='EUR'>x</TtlChrgsAndTaxAmt></Chrgs>")),
        an_entry().replace("Ccy='EUR'", ""),
        "<Ntry><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts></Ntry>",
        "<More>" + an_entry() + "</More>",
        a_balance("OPBD", "1,00") + an_entry(),
        a_balance("CLBD", "1.00", sign="?") + an_entry(),
        a_balance("CLBD", "1.00", day="?") + an_entry(),
    ],
)
def test_what_cannot_be_read_exactly_refuses_the_whole_file(entry: str) -> None:
    refusal = the_refusal(a_file(a_statement(an_entry(), entry, an_entry())))

    assert refusal.data["count"] == 1
    assert str(refusal.data["where"]).startswith("statement 1")


def test_a_refusal_lists_the_first_places_and_none_of_the_text() -> None:
    wrong = [an_entry("secret"), an_entry("secret", "CRDT", details("<Refs/>")), an_entry("10", "secret")]
    refusal = the_refusal(a_file(a_statement(an_entry(), *wrong), a_statement(an_entry("10", currency="secret"))))

    assert (refusal.data["where"], refusal.data["count"]) == ("statement 1, entry 2, line 5", 4)
    assert "statement 1, entry 4, line 7: neither credit nor debit" in str(refusal.data["places"])
    assert "statement 2, entry 1, line 9: not an ISO 4217 currency" in str(refusal.data["places"])
    assert "secret" not in str(refusal) + str(refusal.data)


def test_reading_stops_after_a_thousand_places() -> None:
    assert the_refusal(a_file(a_statement("<Ntry/>" * 5_000))).data["count"] == refusals.MOST_PLACES


def test_more_lines_than_anybody_can_check_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "MOST_LINES", 10)

    assert "more than 10 lines" in the_refusal(a_file(a_statement(*[an_entry()] * 11))).message


def test_two_kinds_of_message_in_one_file_are_refused() -> None:
    first = a_file(a_statement(an_entry()), namespace=False).decode().split("\n", 1)[1]
    second = first.replace("BkToCstmrStmt", "BkToCstmrAcctRpt")

    assert "another kind" in the_refusal(f"<Both>{first}{second}</Both>".encode()).message


def test_another_format_than_the_one_asked_for_is_refused() -> None:
    data = a_file(a_statement(an_entry()))

    assert detection.read(data, format="camt.053") == detection.read(data, format="camt") == detection.read(data)
    with pytest.raises(UnknownFormat):
        detection.read(data, format="camt.054")


def test_a_detail_in_another_currency_has_no_amount_in_the_printed_form() -> None:
    inside = an_entry("10.00", "CRDT", details("<AmtDtls><TxAmt><Amt Ccy='USD'>12.00</Amt></TxAmt></AmtDtls>"))
    file = camt.read(a_file(a_statement(inside)))

    assert file.statements[0].entries[0].details[0].amount == Money(1200, "USD")
    assert '"details": [{"amount": null' in json.dumps(as_json(file))
    assert the_problems(inside) == ["detail 1: its amount is in USD, the entry's in EUR"]


def test_the_counter_value_is_preferred_where_it_is_in_the_entry_s_currency() -> None:
    both = "<TxAmt><Amt Ccy='USD'>12.00</Amt></TxAmt><CntrValAmt><Amt Ccy='EUR'>10.00</Amt></CntrValAmt>"
    entry = the_entry(details(f"<AmtDtls>{both}</AmtDtls>"), sign="DBIT")

    assert entry.details[0].amount == Money(-1000, "EUR")


DEBIT = "<CdtDbtInd>DBIT</CdtDbtInd>"


@pytest.mark.parametrize(
    ("charges", "fee"),
    [
        (f"<Chrgs><Amt Ccy='EUR'>0.30</Amt>{DEBIT}</Chrgs><Chrgs><Amt Ccy='EUR'>0.05</Amt></Chrgs>", -35),
        ("<Chrgs><TtlChrgsAndTaxAmt Ccy='EUR'>0.35</TtlChrgsAndTaxAmt></Chrgs>", -35),
        ("<Chrgs><Rcrd><Amt Ccy='EUR'>0.35</Amt><CdtDbtInd>CRDT</CdtDbtInd></Rcrd></Chrgs>", 35),
    ],
)
def test_charges_of_every_version_are_fees(charges: str, fee: int) -> None:
    inside = the_entry(details(charges))
    outside = the_entry(charges)
    above = the_entry(charges, details("<Refs><EndToEndId>E1</EndToEndId></Refs>"))

    assert inside.details == (Detail(fee=Money(fee, "EUR")),)
    assert outside.details == (Detail(amount=outside.amount, fee=Money(fee, "EUR")),)
    assert above.details == (Detail(end_to_end_id="E1", fee=Money(fee, "EUR")),)


def test_charges_that_belong_to_no_detail_are_told() -> None:
    charge = "<Chrgs><TtlChrgsAndTaxAmt Ccy='{}'>0.35</TtlChrgsAndTaxAmt></Chrgs>"

    assert the_problems(an_entry("1", "CRDT", charge.format("EUR"), details("", ""))) == [
        "charges of -0.35 EUR stand on the entry and on none of its 2 details"
    ]
    assert the_problems(an_entry("1", "CRDT", charge.format("USD"))) == ["a charge of -0.35 USD, in another currency"]


def a_party(role: str, name: str, account: str = "") -> str:
    number = f"<{role}Acct><Id><IBAN>{account}</IBAN></Id></{role}Acct>" if account else ""
    return f"<{role}><Nm>{name}</Nm></{role}>{number}"


BOTH = a_party("Dbtr", "Ana Invented", THEIRS) + a_party("Cdtr", "The Fund", OWN)
SWAPPED = a_party("Dbtr", "The Fund", OWN) + a_party("Cdtr", "Ana Invented", THEIRS)
NAMELESS = a_party("Dbtr", "Ana Invented") + a_party("Cdtr", "The Fund")


@pytest.mark.parametrize(
    ("sign", "parties", "returned"),
    [
        ("CRDT", BOTH, ""),
        ("DBIT", SWAPPED, ""),
        ("CRDT", NAMELESS, ""),
        ("DBIT", NAMELESS, "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"),
        ("CRDT", SWAPPED, "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"),
        ("CRDT", SWAPPED, ""),
        ("DBIT", BOTH, ""),
        ("DBIT", a_party("Dbtr", "Ana Invented", THEIRS), ""),
        ("CRDT", "<Dbtr><Pty><Nm>Ana Invented</Nm></Pty></Dbtr>", ""),
        ("CRDT", "<Dbtr><Agt><FinInstnId><Nm>Ana Invented</Nm></FinInstnId></Agt></Dbtr>", ""),
    ],
)
def test_the_counterparty_is_the_other_side(sign: str, parties: str, returned: str) -> None:
    entry = the_entry(details(f"<RltdPties>{parties}</RltdPties>{returned}"), sign=sign)

    assert entry.details[0].text["counterparty"] == "Ana Invented"
    assert entry.details[0].text.get("counterparty_account") == (THEIRS if THEIRS in parties else None)


def test_the_account_holder_is_never_its_own_counterparty() -> None:
    parties = a_party("Dbtr", "The Fund", OWN)

    assert the_entry(details(f"<RltdPties>{parties}</RltdPties>")).details[0].text == {}


def test_an_account_that_is_not_told_hides_nobody() -> None:
    parties = a_party("Cdtr", "Ana Invented")
    statement = the_statement(an_entry("1", "CRDT", details(f"<RltdPties>{parties}</RltdPties>")), account="")

    assert statement.entries[0].details[0].text == {"counterparty": "Ana Invented"}


def test_texts_are_kept_for_the_box_and_not_printed() -> None:
    transaction = (
        f"<RltdPties>{a_party('Dbtr', 'Ана Ўяўная', THEIRS)}{a_party('UltmtDbtr', 'Bo Invented')}</RltdPties>"
        "<RmtInf><Ustrd>for the\nfine</Ustrd><Ustrd> of Bo </Ustrd><Ustrd>NOTPROVIDED</Ustrd>"
        "<Strd><CdtrRefInf><Ref>RF18</Ref></CdtrRefInf><AddtlRmtInf>more</AddtlRmtInf></Strd></RmtInf>"
        "<AddtlTxInf>by phone</AddtlTxInf>"
    )
    entry = an_entry("10.00", "CRDT", details(transaction), "<AddtlNtryInf>transfer</AddtlNtryInf>")
    file = camt.read(a_file(a_statement(entry)))
    (read,) = file.statements[0].entries

    assert read.text == {"additional": "transfer"}
    assert read.details[0].text == {
        "counterparty": "Ана Ўяўная",
        "counterparty_account": THEIRS,
        "counterparty_ultimate": "Bo Invented",
        "remittance": "for the\nfine\nof Bo\nmore",
        "creditor_reference": "RF18",
        "additional": "by phone",
    }
    printed = json.dumps(as_json(file), ensure_ascii=False) + repr(file)
    assert not any(word in printed for word in ("Ана", "Bo", "fine", "RF18", "phone", "transfer", THEIRS))
    assert OWN not in repr(file)
