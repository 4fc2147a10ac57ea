from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.client.rates import BadRates, RateRow, read

HEADER = "currency,on,rate,source\n"


def test_a_file_is_read_as_it_stands() -> None:
    data = (HEADER + 'BYN,2020-10-01,0.3300,nbrb\r\n\n USD , 2020-10-01 ,"1/1.1797",ecb\n').encode()

    assert read(data) == [
        RateRow("BYN", "2020-10-01", "0.3300", "nbrb"),
        RateRow("USD", "2020-10-01", "1/1.1797", "ecb"),
    ]


def test_a_byte_order_mark_is_no_part_of_the_header() -> None:
    assert len(read(b"\xef\xbb\xbf" + (HEADER + "BYN,2020-10-01,0.33,nbrb").encode())) == 1


@pytest.mark.parametrize(
    ("row", "where"),
    [
        ("byn,2020-10-01,0.33,nbrb", "line 3, column currency"),
        ("XXX,2020-10-01,0.33,nbrb", "line 3, column currency"),
        ("BYN,01.10.2020,0.33,nbrb", "line 3, column on"),
        ("BYN,2020-02-30,0.33,nbrb", "line 3, column on"),
        ("BYN,20201001,0.33,nbrb", "line 3, column on"),
        ("BYN,2020-10-01,0,nbrb", "line 3, column rate"),
        ("BYN,2020-10-01,-0.33,nbrb", "line 3, column rate"),
        ("BYN,2020-10-01,3.3e-1,nbrb", "line 3, column rate"),
        ("BYN,2020-10-01,NaN,nbrb", "line 3, column rate"),
        ('BYN,2020-10-01,"0,33",nbrb', "line 3, column rate"),
        ("BYN,2020-10-01,0.33,", "line 3, column source"),
        ("BYN,2020-10-01,0.33,National Bank", "line 3, column source"),
        ("BYN,2020-10-01,0.33", "line 3"),
        ("BYN,2020-10-01,0.33,nbrb,x", "line 3"),
        ('BYN,2020-10-01,0.33,"nbrb" x', "line 3"),
        ("USD,2020-09-01,0.85,ecb", "line 3"),
    ],
)
def test_a_row_that_cannot_be_read_exactly_is_told_by_its_place_alone(row: str, where: str) -> None:
    with pytest.raises(BadRates) as refusal:
        read((HEADER + "USD,2020-09-01,0.84,ecb\n" + row + "\nBYN,2020-10-02,0.33,nbrb\n").encode())

    assert refusal.value.data == {"where": where}


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"", "line 1"),
        (b"currency;on;rate;source\n", "line 1"),
        (b"on,currency,rate,source\n", "line 1"),
        (HEADER.encode(), "file"),
        (HEADER.encode() + b"BYN,2020-10-01,0.33,\xff", "byte 45"),
    ],
)
def test_what_is_no_file_of_rates_is_refused(data: bytes, where: str) -> None:
    with pytest.raises(BadRates) as refusal:
        read(data)

    assert refusal.value.data == {"where": where}


def test_a_file_has_at_most_ten_thousand_rates() -> None:
    days = [
        f"{year}-{month:02}-{day:02}" for year in range(1990, 2021) for month in range(1, 13) for day in range(1, 29)
    ]
    rows = [f"BYN,{day},0.33,nbrb\n" for day in days[:10_001]]

    assert len(read((HEADER + "".join(rows[:-1])).encode())) == 10_000
    with pytest.raises(BadRates) as refusal:
        read((HEADER + "".join(rows)).encode())
    assert refusal.value.data == {"where": "line 10002"}


@given(st.binary(max_size=200))
def test_whatever_the_bytes_are_it_is_rows_or_a_refusal(data: bytes) -> None:
    with suppress(BadRates):
        assert read(HEADER.encode() + data)
