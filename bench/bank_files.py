"""How fast banks' files are read, beside a parser that only looks at each element, row or line. All are invented."""

import csv
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO

from lxml import etree

from api.client.bank_files import detection
from bench.databases import Books
from bench.rows import Row, seconds

_FIRST = date(2020, 10, 1)
_AT_MOST_SECONDS = 2
_OPENING = 100_000_000


def rows(_: Books, *, quick: bool) -> Iterator[Row]:
    """Files of 10,000 entries in each kind of format, read whole; the target is for that size."""
    entries = 1_000 if quick else 10_000
    camt, mt940, ofx, table = a_camt_file(entries), an_mt940_file(entries), an_ofx_file(entries), a_table(entries)
    yield _row("a CAMT.053", camt, entries, floor=lambda: list(etree.fromstring(camt).iter()))
    yield _row("an MT940", mt940, entries, floor=lambda: mt940.decode().splitlines())
    yield _row("an OFX", ofx, entries, floor=lambda: re.findall(r"<[^>]*>[^<]*", ofx.decode()))
    yield _row("a CSV", table, entries, floor=lambda: list(csv.reader(StringIO(table.decode()))))


def _row(name: str, data: bytes, entries: int, *, floor: Callable[[], object]) -> Row:
    (statement,) = detection.read(data).statements
    if len(statement.entries) != entries or statement.adds_up is False:
        raise AssertionError("the file was not read as it was made")
    ours = seconds(lambda: detection.read(data), repeats=3)
    return Row(f"read {name} of {entries:,} entries", seconds(floor, repeats=3), ours, "s", at_most=_AT_MOST_SECONDS)


def an_mt940_file(entries: int) -> bytes:
    """The same month as MT940, with texts as German banks write them."""
    amounts = _amounts(entries)
    lines = [":20:INVENTED", ":25:INVENTED-ACCOUNT", ":28C:1/1", f":60F:C{_FIRST:%y%m%d}EUR{_comma(_OPENING)}"]
    for nth, amount in enumerate(amounts):
        on = _FIRST + timedelta(days=nth % 31)
        lines.append(f":61:{on:%y%m%d}{on:%m%d}{'C' if amount > 0 else 'D'}R{_comma(amount)}NTRFNONREF//INVENTED-{nth}")
        lines.append(f":86:166?00INVENTED?20EREF+E2E-{nth}?21SVWZ+An invented gift,?22 number {nth}")
        lines.append(f"?31INVENTED-{nth}?32Invented Person {nth}")
    closing = _OPENING + sum(amounts)
    return "\r\n".join([*lines, f":62F:C{_FIRST:%y%m%d}EUR{_comma(closing)}", "-", ""]).encode()


def an_ofx_file(entries: int) -> bytes:
    """The same month as OFX 1."""
    lines = [
        f"<STMTTRN>\n<TRNTYPE>OTHER\n<DTPOSTED>{_FIRST + timedelta(days=nth % 31):%Y%m%d}\n<TRNAMT>{_point(amount)}\n"
        f"<FITID>INVENTED-{nth}\n<NAME>Invented Person {nth}\n<MEMO>An invented gift, number {nth}\n</STMTTRN>\n"
        for nth, amount in enumerate(_amounts(entries))
    ]
    account = "<BANKACCTFROM>\n<ACCTID>INVENTED\n</BANKACCTFROM>\n"
    body = f"<STMTRS>\n<CURDEF>EUR\n{account}<BANKTRANLIST>\n{''.join(lines)}</BANKTRANLIST>\n</STMTRS>\n"
    return f"OFXHEADER:100\nCHARSET:1252\n\n<OFX>\n{body}</OFX>\n".encode()


def a_table(entries: int) -> bytes:
    """The same month as a table with a column of balances."""
    balance = _OPENING
    rows = ["Datum,Munt,IBAN/BBAN,Volgnr,Rentedatum,Bedrag,Saldo na trn,Naam tegenpartij,Omschrijving-1"]
    for nth, amount in enumerate(_amounts(entries)):
        on = _FIRST + timedelta(days=nth % 31)
        balance += amount
        money = f'"{_comma(amount, sign=True)}","{_comma(balance)}"'
        rows.append(f'{on},EUR,INVENTED,{nth},{on},{money},Invented Person {nth},"An invented gift, number {nth}"')
    return "\n".join(rows).encode()


def a_camt_file(entries: int) -> bytes:
    """One statement of a month whose lines come in and go out in turn, each with what banks write about it."""
    amounts = _amounts(entries)
    opening = _OPENING
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>'
        "<GrpHdr><MsgId>INVENTED</MsgId></GrpHdr><Stmt><Id>INVENTED-1</Id>"
        "<Acct><Id><Othr><Id>INVENTED-ACCOUNT</Id></Othr></Id><Ccy>EUR</Ccy></Acct>"
        f"{_balance('OPBD', opening, _FIRST)}{_balance('CLBD', opening + sum(amounts), _FIRST + timedelta(days=30))}"
        f"{''.join(_entry(nth, amount) for nth, amount in enumerate(amounts))}"
        "</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def _amounts(entries: int) -> list[int]:
    return [(-1 if nth % 3 == 0 else 1) * (500 + nth % 90_000) for nth in range(entries)]


def _point(minor: int) -> str:
    return f"{Decimal(minor).scaleb(-2):.2f}"


def _comma(minor: int, *, sign: bool = False) -> str:
    return _point(minor if sign else abs(minor)).replace(".", ",")


def _balance(code: str, minor: int, on: date) -> str:
    return f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_amount(minor)}<Dt><Dt>{on}</Dt></Dt></Bal>"


def _entry(nth: int, minor: int) -> str:
    on = _FIRST + timedelta(days=nth % 31)
    side = "Dbtr" if minor > 0 else "Cdtr"
    return (
        f"<Ntry><NtryRef>{nth}</NtryRef>{_amount(minor)}<Sts><Cd>BOOK</Cd></Sts>"
        f"<BookgDt><Dt>{on}</Dt></BookgDt><ValDt><Dt>{on}</Dt></ValDt><AcctSvcrRef>INVENTED-{nth}</AcctSvcrRef>"
        f"<NtryDtls><TxDtls><Refs><EndToEndId>E2E-{nth}</EndToEndId></Refs>"
        f"<RltdPties><{side}><Pty><Nm>Invented Person {nth}</Nm></Pty></{side}></RltdPties>"
        f"<RmtInf><Ustrd>An invented gift, number {nth}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
    )


def _amount(minor: int) -> str:
    sign = "CRDT" if minor >= 0 else "DBIT"
    return f'<Amt Ccy="EUR">{Decimal(abs(minor)).scaleb(-2):.2f}</Amt><CdtDbtInd>{sign}</CdtDbtInd>'
