"""Profiles: which header is whose, and how cells are written by them."""

from datetime import date
from pathlib import Path

import pytest

from api.client import lists
from api.client.list_files import profiles, writings
from api.client.list_files.faults import BadList
from api.client.list_files.profiles import COLUMNS, BadProfile, UnknownProfile
from api.client.list_files.writings import NotRead

RUSSIAN = """№;ФИО;№ постановления;Суд;Область;Вид дела;Статья КоАП;Дата вынесения;Вид платежа;Сумма;Валюта;Счёт;Количество суток
1;Вымышленная Ольга;ВЫМ-1;Вымышленный суд;г. Минск;административное;ст. 23.34 ч. 1;14 сентября 2020 г.;Штраф;1 110,00;BYN;ВЫМ-Р;3
"""
BELARUSIAN = """№;Прозвішча і імя;Нумар пастановы;Суд;Вобласць;Від справы;Артыкул;Дата пастановы;Від плацяжу;Сума;Валюта;Рахунак;Сутак
1;Вымышленная Ольга;ВЫМ-1;Вымышленный суд;Мінск;адміністрацыйная;23.34 ч.1;14 верасня 2020;штраф;1110;бел. руб.;ВЫМ-Р;3
"""
ENGLISH = """No.|Full name|Ruling number|Court|Region|Kind of ruling|Article|Date of ruling|Kind|Amount|Currency|Account|Days detained
1|Вымышленная Ольга|ВЫМ-1|Вымышленный суд|Minsk city|Administrative|23.34 part 1|14 September 2020|Fine|1,110.00|BYN|ВЫМ-Р|3
"""
MINIMAL = """about = "Invented."
preamble_rows = 2
slashed_days = "day_first"
century_of_two_digits = 2000
columns = { name = ["who"], ruling_number = ["nr"], court = ["court"], issued_on = ["day"], amount = ["sum"] }
[constants]
region = "brest"
ruling_kind = "administrative"
article = "23.34"
kind = "fine"
currency = "BYN"
payee_account = "INVENTED-ACCOUNT"
"""


def test_the_same_list_in_three_languages_is_the_same() -> None:
    readings = [lists.examine(text.encode()) for text in (RUSSIAN, BELARUSIAN, ENGLISH)]

    assert [reading.profile for reading in readings] == ["ru", "be", "en"]
    assert [reading.faults for reading in readings] == [[], [], []]
    first, *others = (reading.rows for reading in readings)
    assert others == [first, first]
    assert (first[0].region, first[0].amount.minor, first[0].issued_on) == ("minsk_city", 111_000, date(2020, 9, 14))
    assert first[0].detained_days == 3


def test_a_profile_of_ones_own_says_what_stands_above_the_header_and_how_days_are_written(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(MINIMAL, "utf-8")
    data = b"An invented fund\nSpring\nWho;Nr;Court;Day;Sum\nAnn;1;Invented court;03/04/20;54,00\n"

    (row,) = lists.read(data, profile=str(own))

    assert (row.line, row.issued_on, row.region, row.payee_account) == (
        4,
        date(2020, 4, 3),
        "brest",
        "INVENTED-ACCOUNT",
    )
    with pytest.raises(BadList):
        lists.read(data)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (MINIMAL.replace('region = "brest"\n', ""), "file"),
        (MINIMAL.replace("preamble_rows = 2", "preamble_rows = -1"), "preamble_rows"),
        (MINIMAL.replace("about", "kanarejka"), "about"),
        (MINIMAL + "kanarejka = 1\n", "constants"),
        (MINIMAL.replace("2000", "2020"), "century_of_two_digits"),
        ("kanarejka", "file"),
        (f'about = "{"x" * 300_000}"', "file"),
    ],
)
def test_a_file_that_is_no_profile_is_refused_and_not_shown(text: str, where: str, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text(text, "utf-8")

    with pytest.raises(BadProfile) as refusal:
        profiles.find(str(tmp_path / "bad.toml"))

    assert refusal.value.data["where"] == where
    assert "kanarejka" not in f"{refusal.value.message} {refusal.value.data}"


def test_a_profile_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownProfile):
        profiles.find("kanarejka")
    with pytest.raises(BadProfile):
        profiles.find(str(tmp_path / "missing.toml"))


def test_what_a_header_lacks_is_told_by_our_names_and_what_is_strange_by_its_place() -> None:
    with pytest.raises(BadList) as refusal:
        lists.read(ENGLISH.replace("|Court|", "|kanarejka|", 1).encode())

    assert refusal.value.message == "columns are missing: court; columns stand twice or are unknown: 4"
    assert refusal.value.data == {"where": "line 1", "profile": "en"}


def test_a_header_that_two_profiles_fit_is_refused_until_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    known = profiles.built_in()
    monkeypatch.setattr(profiles, "built_in", lambda: {**known, "en2": known["en"]})

    with pytest.raises(BadList) as refusal:
        lists.read(ENGLISH.encode())

    assert refusal.value.message.endswith("name one: en, en2")
    assert len(lists.read(ENGLISH.encode(), profile="en2")) == 1


def test_every_built_in_profile_names_every_column_in_one_way() -> None:
    for name, profile in profiles.built_in().items():
        headers = [profiles.fold(header) for told in profile.columns.values() for header in told]

        assert name == "codes" or (len(set(headers)) == len(headers) and set(profile.columns) == set(COLUMNS))
        assert name == "codes" or set(profile.months.values()) == set(range(1, 13))


def test_a_region_is_told_by_a_part_of_a_cell_when_one_alone_is_found() -> None:
    codes = profiles.built_in()["codes"]

    assert codes.ours("region", "Вымышленный суд г. Минска") == "minsk_city"
    assert codes.ours("region", "Вымышленный суд Минской области") == "minsk"
    assert codes.ours("region", "Суд г. Минска, Брест") == "Суд г. Минска, Брест"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2020-09-14", date(2020, 9, 14)),
        ("14.09.2020", date(2020, 9, 14)),
        ("1.9.2020", date(2020, 9, 1)),
        ("14/09/2020", date(2020, 9, 14)),
        ("09/14/2020", date(2020, 9, 14)),
        ("04/04/2020", date(2020, 4, 4)),
        ("29.02.2020", date(2020, 2, 29)),
    ],
)
def test_days_that_can_be_read_in_one_way_are_read(text: str, read: date) -> None:
    assert writings.day(text) == read


@pytest.mark.parametrize(
    "text",
    [
        "03/04/2020",
        "14.09.20",
        "14/09/20",
        "31.02.2020",
        "29.02.2021",
        "00.09.2020",
        "13/13/2020",
        "2020-13-01",
        "14 сентября 2020",
        "44088",
        "\u0661\u0664.09.2020",
        "14.09.2020 12:00",
        "2020/09/14",
        "14-09-2020",
        "0000-01-01",
    ],
)
def test_days_of_no_reading_or_two_are_refused(text: str) -> None:
    with pytest.raises(NotRead) as refusal:
        writings.day(text)

    assert text not in str(refusal.value)


def test_a_profile_says_which_of_two_readings_it_is() -> None:
    assert writings.day("03/04/2020", order="day_first") == date(2020, 4, 3)
    assert writings.day("03/04/2020", order="month_first") == date(2020, 3, 4)
    assert writings.day("14.09.20", century=2000) == date(2020, 9, 14)
    with pytest.raises(NotRead):
        writings.day("14/09/2020", order="month_first")
