"""The search for canaries is searched itself: what is planted in any spelling is found, and nothing else is."""

import os

import pytest

from tests.canaries import LATIN, in_latin, sightings, spellings

NAMES = ("Юрий Щукин", "Шчыглёў", "Хведаровіч", "Kanarejka", "Цётка Жывая")
NOISE = bytes(range(256))


@pytest.mark.parametrize("name", NAMES)
def test_each_spelling_is_found_amid_other_bytes(name: str) -> None:
    for spelling in spellings(name):
        assert sightings([name], NOISE + spelling + NOISE) == [name], spelling


@pytest.mark.parametrize(
    ("name", "written"),
    [
        (
            "Юрий Щукин",
            ["Iurii Shchukin", "Yuriy Shchukin", "Ûrij Ŝukin", "Jurij Ščukin", "jurij schukin", "YURIY SHCHUKIN"],
        ),
        ("Хведаровіч", ["Khvedarovich", "Chvedarovič", "Hvedarovič", "xvedarovič", "Hvedarovic"]),
        ("Канарейка", ["Kanareika", "Kanarejka", "KANAREYKA", "kAnArEjKa"]),
    ],
)
def test_the_schemes_are_those_in_use(name: str, written: list[str]) -> None:
    for text in written:
        for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
            assert sightings([name], b"\x00" * 3 + text.encode(encoding) + NOISE) == [name], (text, encoding)


def test_mixed_letters_are_found_in_cyrillic_too() -> None:
    assert sightings(["Канарейка"], "x кАнАрЕйКа x".encode()) == ["Канарейка"]
    assert sightings(["Канарейка"], "x кАнАрЕйКа x".encode("utf-16-le")) == ["Канарейка"]


def test_nothing_is_found_where_nothing_is() -> None:
    assert sightings(NAMES, NOISE * 50 + os.urandom(1_000_000)) == []
    assert in_latin("Kanarejka") == set()
    assert len(LATIN) >= 6
