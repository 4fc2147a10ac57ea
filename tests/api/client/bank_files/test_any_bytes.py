"""Whatever bytes call themselves a bank's file: lines, or a refusal with place and reason; soon, and in little room.

Each starts from a file that a reader takes, of which something is cut out, put in, doubled or turned into noise.
"""

import resource
import time
from collections.abc import Callable
from datetime import date
from io import BytesIO
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from api.client.bank_files import detection
from api.client.bank_files.lines import StatementFile
from ledger.errors import LedgerError
from tests.cast import byn
from tests.papers import BankLine, october

MOST_SECONDS = 2.0
MOST_BYTES = 200 * 2**20

CAMT = october(BankLine(byn("12.50"), date(2020, 10, 5), remittance="Invented"), opening="5000.00")
MT940 = b"\r\n".join(
    [
        b":20:S1",
        b":25:INVENTED",
        b":28C:1/1",
        b":60F:C201001EUR100,",
        b":61:2010051005C12,35NTRFNONREF//B1",
        b":86:166?00GIFT?20EREF+INVENTED?32SOMEBODY",
        b":62F:C201031EUR112,35",
        b"-",
    ]
)
_OFX = (
    b"<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR<BANKACCTFROM><ACCTID>INVENTED</BANKACCTFROM><BANKTRANLIST>"
    b"<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20201001120000.000[-5:EST]<TRNAMT>12.35<FITID>B1</STMTTRN></BANKTRANLIST>"
    b"<LEDGERBAL><BALAMT>112.35<DTASOF>20201031</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"
)
SGML = b"OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nENCODING:USASCII\nCHARSET:1252\n\n" + _OFX
XML = b'<?xml version="1.0" encoding="UTF-8"?>\n<?OFX OFXHEADER="200" VERSION="211"?>\n' + _OFX
REVOLUT = b"\n".join(
    [
        b"Type,Product,Started Date,Completed Date,Description,Amount,Fee,Currency,State,Balance",
        b"TOPUP,Current,2020-10-05 10:00:00,2020-10-05 10:00:00,Invented,12.50,0.00,EUR,COMPLETED,112.50",
    ]
)


def a_workbook() -> bytes:
    book, file = Workbook(), BytesIO()
    for row in (
        "Type,Product,Started Date,Completed Date,Description,Amount,Fee,Currency,State,Balance",
        "TOPUP,x,,,,1",
    ):
        book.active.append(row.split(","))
    book.save(file)
    return file.getvalue()


SEEDS = {
    "camt": CAMT,
    "mt940": MT940,
    "ofx.1": SGML,
    "ofx.2": XML,
    "csv.revolut": REVOLUT,
    "xlsx": a_workbook(),
    "nothing": b"",
}
NOISE = st.one_of(
    st.binary(max_size=12),
    st.sampled_from(
        [
            b"\x00",
            b"\xff\xfe",
            b"\xef\xbb\xbf",
            b"<!DOCTYPE a>",
            b"&#x110000;",
            b"]]>",
            b"<a>" * 200,
            b'"' * 99,
            b"," * 99,
        ]
    ),
    st.sampled_from(
        [b"NaN", b"1e400", b"-" * 9, "\u0661\u0662".encode(), b"99999999", b"\n:61:", b"\n:86:", b"9" * 400]
    ),
)
PLACES = st.lists(st.floats(0, 1), min_size=2, max_size=6).map(sorted)
DOINGS: dict[str, Callable[[bytes, bytes], bytes]] = {
    "kept": lambda part, _: part,
    "cut out": lambda _part, _noise: b"",
    "doubled": lambda part, _: part * 2,
    "put in": lambda part, noise: part + noise,
    "turned into noise": lambda _part, noise: noise,
    "backwards": lambda part, _: part[::-1],
}


@st.composite
def damaged(draw: st.DrawFn, seed: bytes) -> bytes:
    places = [0, *(round(one * len(seed)) for one in draw(PLACES)), len(seed)]
    parts = [seed[start:end] for start, end in pairwise(places)]
    return b"".join(DOINGS[draw(st.sampled_from(sorted(DOINGS)))](part, draw(NOISE)) for part in parts)


def read_or_refused(data: bytes, form: str | None) -> tuple[StatementFile | None, LedgerError | None]:
    try:
        return detection.read(data, format=form, currency="EUR" if form == "csv" else None), None
    except LedgerError as refusal:
        return None, refusal


@pytest.mark.parametrize("name", sorted(SEEDS))
def test_any_bytes_are_lines_or_a_refusal_with_its_place(name: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    @settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
    @given(data=damaged(SEEDS[name]), form=st.sampled_from([None, name, "camt", "csv", "own"]))
    def play(data: bytes, form: str | None) -> None:
        began = time.process_time()
        read, refusal = read_or_refused(data, form)

        assert (read is not None and read.statements) or (
            refusal is not None and refusal.data["where"] and str(refusal)
        )
        assert time.process_time() - began < MOST_SECONDS

    play()

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before < MOST_BYTES


@pytest.mark.parametrize("name", sorted(SEEDS.keys() - {"nothing", "xlsx"}))
def test_each_undamaged_file_is_read(name: str) -> None:
    file = detection.read(SEEDS[name])

    assert file.format.startswith(name.partition(".")[0])
    assert len(file.statements[0].entries) == 1
