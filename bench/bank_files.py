"""How fast a bank's file is read, beside a parser of XML that only looks at every element. The file is invented."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from lxml import etree

from api.client.bank_files import detection
from bench.databases import Books
from bench.rows import Row, seconds

_FIRST = date(2020, 10, 1)
_AT_MOST_SECONDS = 2


def rows(_: Books, *, quick: bool) -> Iterator[Row]:
    """A CAMT.053 file of 10,000 entries, read whole; the target is for that size."""
    entries = 1_000 if quick else 10_000
    data = a_camt_file(entries)
    (statement,) = detection.read(data).statements
    if len(statement.entries) != entries or not statement.adds_up:
        raise AssertionError("the file was not read as it was made")
    floor = seconds(lambda: list(etree.fromstring(data).iter()), repeats=3)
    ours = seconds(lambda: detection.read(data), repeats=3)
    yield Row(f"read a CAMT.053 of {entries:,} entries", floor, ours, "s", at_most=_AT_MOST_SECONDS)


def a_camt_file(entries: int) -> bytes:
    """One statement of a month whose lines come in and go out in turn, each with what banks write about it."""
    amounts = [(-1 if nth % 3 == 0 else 1) * (500 + nth % 90_000) for nth in range(entries)]
    opening = 100_000_000
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>'
        "<GrpHdr><MsgId>INVENTED</MsgId></GrpHdr><Stmt><Id>INVENTED-1</Id>"
        "<Acct><Id><Othr><Id>INVENTED-ACCOUNT</Id></Othr></Id><Ccy>EUR</Ccy></Acct>"
        f"{_balance('OPBD', opening, _FIRST)}{_balance('CLBD', opening + sum(amounts), _FIRST + timedelta(days=30))}"
        f"{''.join(_entry(nth, amount) for nth, amount in enumerate(amounts))}"
        "</Stmt></BkToCstmrStmt></Document>"
    ).encode()


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
