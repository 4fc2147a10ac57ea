import json
from contextlib import suppress
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.client import rate_files
from api.client.rates import BadRates, RateRow

ECB = b"Date,USD,CYP,PLN,\n2020-10-02,1.25,N/A,4.5,\n2020-10-01,1.6,0.58,N/A,\n"


def nbrb(**facts: Any) -> bytes:
    told = {"Date": "2020-10-01T00:00:00", "Cur_Abbreviation": "USD", "Cur_Scale": 1, "Cur_OfficialRate": 2.5}
    return json.dumps(
        [told | facts, {"Date": "2020-10-01T00:00:00", "Cur_Scale": 10, "Cur_OfficialRate": 6.5}]
    ).encode()


def test_units_for_one_euro_are_turned_round() -> None:
    rows = rate_files.read(ECB, into="EUR", currencies=["USD", "PLN"])

    assert rows == [
        RateRow("USD", "2020-10-01", "0.625", "ecb"),
        RateRow("PLN", "2020-10-02", "2/9", "ecb"),
        RateRow("USD", "2020-10-02", "0.8", "ecb"),
    ]


def test_days_are_chosen_both_ends_included() -> None:
    rows = rate_files.read(ECB, into="EUR", currencies=["USD"], since=date(2020, 10, 2), until=date(2020, 10, 2))

    assert [row.on for row in rows] == ["2020-10-02"]


def test_a_day_without_the_books_currency_tells_nothing_in_it() -> None:
    rows = rate_files.read(ECB, into="PLN", currencies=["USD", "EUR"])

    assert rows == [RateRow("EUR", "2020-10-02", "4.5", "ecb"), RateRow("USD", "2020-10-02", "3.6", "ecb")]


def test_a_scale_is_divided_by() -> None:
    rows = rate_files.read(nbrb(Cur_Scale=100), into="BYN", currencies=["USD"])

    assert rows == [RateRow("USD", "2020-10-01", "0.025", "nbrb")]


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"", "file"),
        (b"currency,on,rate,source\n", "file"),
        (b"Date,USD,\n2020-10-01,1e3,\n", "line 2"),
        (b"Date,USD,\n2020-10-01,0,\n", "line 2"),
        (b"Date,USD,\n2020-10-01,1/2,\n", "line 2"),
        (b"Date,USD,\n2020-10-01,1.5\n", "line 2"),
        (b"Date,USD,\n01/10/2020,1.5,\n", "line 2"),
        (b"Date,USD,USD,\n2020-10-01,1.5,1.5,\n", "line 1"),
        (b"Date,USD,\n2020-10-01,1.5,\n2020-10-01,1.6,\n", "line 3"),
        (b'Date,USD,\n2020-10-01,"1.5" x,\n', "line 2"),
        (b"Date,PLN,\n2020-10-01,4.5,\n", "file"),
        (b"Date,USD,\n2020-10-01,\xff,\n", "byte 22"),
        (nbrb(Cur_OfficialRate="2.5/1"), "rate 1"),
        (nbrb(Cur_OfficialRate=None), "rate 1"),
        (nbrb(Cur_OfficialRate=-2.5), "rate 1"),
        (nbrb(Cur_Scale=0), "rate 1"),
        (nbrb(Date="yesterday"), "rate 1"),
        (nbrb(Cur_Abbreviation="EUR"), "file"),
        (b"[1]", "rate 1"),
        (b"[", "file"),
        (b"[" * 100_000, "file"),
    ],
)
def test_what_cannot_be_read_exactly_is_told_by_its_place_alone(data: bytes, where: str) -> None:
    into = "BYN" if data.startswith(b"[") else "EUR"

    with pytest.raises(BadRates) as refusal:
        rate_files.read(data, into=into, currencies=["USD"])

    assert refusal.value.data == {"where": where}


@given(st.sampled_from([b"Date,USD,\n", b"["]), st.binary(max_size=100))
def test_whatever_the_bytes_are_it_is_rates_or_a_refusal(head: bytes, data: bytes) -> None:
    with suppress(BadRates):
        assert rate_files.read(head + data, into="EUR", currencies=["USD"])
