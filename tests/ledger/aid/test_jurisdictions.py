from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from api import settings
from ledger.aid import jurisdictions
from ledger.aid.jurisdictions import Article, BadPack, NotDated, Pack, UnknownJurisdiction
from ledger.aid.obligations import ObligationKind
from ledger.money import Money, exponent


@pytest.fixture
def by() -> Pack:
    return jurisdictions.load("by")


def test_the_pack_of_belarus(by: Pack) -> None:
    assert (by.id, by.currency, by.grain) == ("by", "BYN", "week")
    assert by.ruling_kinds == ("administrative",)
    assert len(by.regions) == 7


def test_a_pack_is_read_once(by: Pack) -> None:
    assert jurisdictions.load("by") is by


@pytest.mark.parametrize("name", ["", "xx", "BY", "../by", "by.toml", "__init__", "Invented Person"])
def test_a_name_without_a_pack_is_refused_and_not_told_back(name: str) -> None:
    with pytest.raises(UnknownJurisdiction) as refusal:
        jurisdictions.load(name)

    assert refusal.value.data == {"known": "by, us-bail"}


def test_articles_follow_each_other_without_gap_or_overlap(by: Pack) -> None:
    last_day, first_day = date(2021, 2, 28), date(2021, 3, 1)
    old, new = by.articles

    assert (old.code, new.code) == ("23.34", "24.23")
    assert old.admits(kind="fine", ruled_on=last_day)
    assert not old.admits(kind="fine", ruled_on=first_day)
    assert new.admits(kind="fine", ruled_on=first_day)
    assert not new.admits(kind="fine", ruled_on=last_day)


def test_an_article_admits_from_its_first_day_and_its_kinds_only() -> None:
    article = Article(code="1", valid_from=date(2020, 1, 1), title="Invented", kinds=("fine",), source="Invented")

    assert article.admits(kind="fine", ruled_on=date(2020, 1, 1))
    assert article.admits(kind="fine", ruled_on=date(2099, 1, 1))
    assert not article.admits(kind="fine", ruled_on=date(2019, 12, 31))
    assert not article.admits(kind="detention", ruled_on=date(2020, 1, 1))


def test_a_pack_names_kinds_and_a_currency_that_the_books_know(by: Pack) -> None:
    assert {kind for article in by.articles for kind in article.kinds} <= set(ObligationKind)
    assert exponent(by.currency) == 2


def byn(amount: str) -> Money:
    return Money.parse(amount, "BYN")


@pytest.mark.parametrize(
    ("day", "amount"),
    [
        (date(2016, 6, 30), None),
        (date(2016, 7, 1), "21.00"),
        (date(2017, 12, 31), "23.00"),
        (date(2018, 1, 1), "24.50"),
        (date(2019, 6, 1), "25.50"),
        (date(2020, 8, 10), "27.00"),
        (date(2020, 12, 31), "27.00"),
        (date(2021, 1, 1), "29.00"),
        (date(2022, 1, 1), "32.00"),
        (date(2023, 1, 1), "37.00"),
        (date(2024, 1, 1), "40.00"),
        (date(2025, 1, 1), "42.00"),
        (date(2026, 1, 1), "45.00"),
    ],
)
def test_the_base_value_of_each_year(by: Pack, day: date, amount: str | None) -> None:
    assert by.base_value(on=day) == (byn(amount) if amount else None)


def test_a_day_in_detention_costs_half_a_base_value_of_its_year(by: Pack) -> None:
    assert by.detention_day(on=date(2020, 9, 1)) == byn("13.50")
    assert by.detention_day(on=date(2021, 9, 1)) == byn("14.50")
    assert by.detention_day(on=date(2018, 9, 1)) == byn("12.25")
    assert by.detention_day(on=date(2010, 1, 1)) is None


@pytest.mark.parametrize(
    ("code", "part", "day", "threat"),
    [
        ("23.34", "1", date(2020, 9, 1), ("0", "810.00", 15)),
        ("23.34", "3", date(2020, 9, 1), ("0", "1350.00", 15)),
        ("24.23", "1", date(2021, 9, 1), ("0", "2900.00", 15)),
        ("24.23", "2", date(2021, 9, 1), ("580.00", "4350.00", 15)),
        ("24.23", None, date(2021, 9, 1), ("580.00", "5800.00", 30)),
    ],
)
def test_what_an_article_threatens(
    by: Pack, code: str, part: str | None, day: date, threat: tuple[str, str, int]
) -> None:
    article = by.article(code, on=day)
    assert article is not None
    (found,) = [one for one in article.parts if one.number == part]

    least, most = by.worth(found.least_base_values, on=day), by.worth(found.most_base_values or "", on=day)

    assert (least, most, found.most_arrest_days) == (byn(threat[0]), byn(threat[1]), threat[2])


def test_a_part_that_is_not_listed_has_the_range_of_the_whole_article(by: Pack) -> None:
    article = by.article("24.23", on=date(2022, 1, 1))
    assert article is not None

    assert [one.number for one in article.threatens("2")] == ["2"]
    assert article.threatens("9") == article.threatens(None) == article.parts


def test_every_day_of_the_years_has_deadlines(by: Pack) -> None:
    for day in (date(2016, 1, 1), date(2021, 2, 28), date(2021, 3, 1), date(2026, 12, 31)):
        deadlines = by.deadlines_on(day)
        assert (deadlines.appeal_days, deadlines.payment_months, deadlines.new_sanction_months) == (10, 1, 2)

    with pytest.raises(NotDated):
        by.deadlines_on(date(2007, 2, 28))


def test_files_are_asked_for_from_a_day_on(by: Pack) -> None:
    assert by.files_for("fine", received_on=date(2025, 12, 31)) == ()
    assert by.files_for("fine", received_on=date(2026, 1, 1)) == ("ruling",)
    assert by.files_for("detention", received_on=date(2026, 1, 1)) == ("bill",)
    assert by.files_for("bail", received_on=date(2026, 1, 1)) == ()


def test_the_bail_fund_is_the_same_code_and_another_file() -> None:
    pack = jurisdictions.load("us-bail")

    assert (pack.currency, pack.grain, pack.base_values) == ("USD", "day", ())
    assert pack.detention_day(on=date(2026, 1, 1)) is None
    assert {kind for article in pack.articles for kind in article.kinds} <= set(ObligationKind)


@pytest.mark.parametrize(
    ("ruling_kind", "kind", "leads"),
    [
        ("bail_order", "bail", True),
        ("bail_order", "fine", False),
        ("sentence", "bail", False),
        ("sentence", "court_fee", True),
        ("unheard_of", "bail", False),
    ],
)
def test_a_kind_of_ruling_leads_to_its_own_kinds_of_obligations(ruling_kind: str, kind: str, *, leads: bool) -> None:
    pack = jurisdictions.load("us-bail")

    assert pack.leads_to(ruling_kind, kind, on=date(2020, 11, 2)) is leads


def test_every_kind_that_a_shipped_pack_admits_needs_a_file_and_has_a_cap() -> None:
    for pack in map(jurisdictions.load, ("by", "us-bail")):
        for kind in {kind for article in pack.articles for kind in article.kinds}:
            assert pack.files_for(kind, received_on=date(2026, 1, 1))
            assert pack.caps_on(kind, on=date(2020, 11, 2))


# --- a pack of one's own

SMALL = """
id = "xx"
name = "Invented"
currency = "EUR"
grain = "day"
ruling_kinds = ["invented"]
regions = ["all"]
[retention]
paid_months = 1
rejected_months = 1
quashed_months = 1
[[deadlines]]
valid_from = 2020-01-01
appeal_days = 5
payment_months = 1
source = "Invented"
[[articles]]
code = "1"
title = "Invented"
kinds = ["fine"]
valid_from = 2020-01-01
source = "Invented"
[[base_values]]
valid_from = 2020-01-01
valid_until = 2020-12-31
amount = "10.00"
source = "Invented"
"""


LEADS = '[[ruling_leads_to]]\nruling_kind = "unknown"\nkinds = ["fine"]\nvalid_from = 2020-01-01\nsource = "Invented"'


def test_a_pack_is_a_file_and_no_code() -> None:
    pack = jurisdictions.read(SMALL.encode(), name="xx")

    assert pack.worth("1.5", on=date(2020, 5, 1)) == Money.parse("15.00", "EUR")
    assert pack.detention_day(on=date(2020, 5, 1)) is None


@pytest.mark.parametrize(
    ("before", "after", "where"),
    [
        ('name = "Invented"', "", "xx: name"),
        ('currency = "EUR"', 'currency = "EURO"', "xx: currency"),
        ('grain = "day"', 'grain = "hour"', "xx: grain"),
        ('grain = "day"', 'grian = "day"', "xx: grain"),
        ("paid_months = 1", "paid_months = 1\npayd_months = 1", "xx: retention"),
        ("[retention]", 'secret = "Invented Person"\n[retention]', "xx"),
        ('source = "Invented"\n[[articles]]', "[[articles]]", "xx: deadlines.0.source"),
        ('source = "Invented"\n[[articles]]', 'source = " "\n[[articles]]', "xx: deadlines.0.source"),
        ("appeal_days = 5", "appeal_days = -5", "xx: deadlines.0.appeal_days"),
        ('kinds = ["fine"]', 'kinds = ["ransom"]', "xx: articles.0.kinds.0"),
        ('amount = "10.00"', 'amount = "10.001"', "xx: amount"),
        ('amount = "10.00"', 'amount = "0.00"', "xx"),
        ("valid_until = 2020-12-31", "valid_until = 2019-12-31", "xx: base_values.0"),
        ("[[articles]]", f"{LEADS}\n[[articles]]", "xx"),
        ('id = "xx"', 'id = "yy"', "xx: id"),
        ('id = "xx"', "id = ", "xx"),
    ],
)
def test_what_is_no_pack_is_refused_with_its_place_and_nothing_of_it(before: str, after: str, where: str) -> None:
    assert before in SMALL

    with pytest.raises(BadPack) as refusal:
        jurisdictions.read(SMALL.replace(before, after, 1).encode(), name="xx")

    assert refusal.value.data == {"where": where}
    assert "Invented Person" not in str(refusal.value)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("table", ["deadlines", "articles", "base_values"])
def test_two_values_of_one_day_are_refused(table: str) -> None:
    tables = SMALL.split("[[")
    (again,) = [one for one in tables if one.startswith(f"{table}]]")]

    with pytest.raises(BadPack, match=f"{table}: two hold on 2020-12-31"):
        jurisdictions.read(f"{SMALL}[[{again.replace('2020-01-01', '2020-12-31')}".encode(), name="xx")


@pytest.mark.parametrize("name", ["X", "../xx", "a-much-too-long-name", "XX", ""])
def test_a_pack_has_a_short_plain_name(name: str) -> None:
    with pytest.raises(BadPack):
        jurisdictions.read(SMALL.replace('id = "xx"', f'id = "{name}"').encode(), name=name)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    jurisdictions.read_folder(None)


def test_a_pack_of_a_folder_stands_beside_ours_or_in_place_of_one(folder: Path) -> None:
    (folder / "xx.toml").write_text(SMALL)
    (folder / "by.toml").write_text(SMALL.replace('"xx"', '"by"'))
    (folder / "notes.txt").write_text("no pack")

    read = jurisdictions.read_folder(folder)

    assert [pack.id for pack in read] == ["by", "xx"]
    assert jurisdictions.load("xx").currency == jurisdictions.load("by").currency == "EUR"
    jurisdictions.read_folder(None)
    assert jurisdictions.load("by").currency == "BYN"
    with pytest.raises(UnknownJurisdiction):
        jurisdictions.load("xx")


def test_a_folder_with_one_bad_pack_changes_nothing(folder: Path) -> None:
    (folder / "xx.toml").write_text(SMALL)
    jurisdictions.read_folder(folder)
    (folder / "yy.toml").write_text(SMALL)

    with pytest.raises(BadPack):
        jurisdictions.read_folder(folder)
    with pytest.raises(BadPack):
        jurisdictions.read_folder(folder / "missing")

    assert jurisdictions.load("xx").id == "xx"


def test_the_folder_is_a_setting(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLIDARITY_JURISDICTION_DIRECTORY", str(folder))

    assert settings.load_packs().jurisdiction_directory == folder
