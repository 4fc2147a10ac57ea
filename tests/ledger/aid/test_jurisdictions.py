from datetime import date

import pytest
from pydantic import ValidationError

from ledger.aid import jurisdictions
from ledger.aid.jurisdictions import Article, Pack, UnknownJurisdiction
from ledger.aid.obligations import ObligationKind
from ledger.money import exponent


@pytest.fixture
def by() -> Pack:
    return jurisdictions.load("by")


def test_the_pack_of_belarus(by: Pack) -> None:
    assert (by.id, by.currency, by.grain) == ("by", "BYN", "week")
    assert (by.appeal_days, by.payment_months, by.ruling_kinds) == (10, 1, ("administrative",))
    assert len(by.regions) == 7


def test_a_pack_is_read_once(by: Pack) -> None:
    assert jurisdictions.load("by") is by


@pytest.mark.parametrize("name", ["", "xx", "BY", "../by", "by.toml", "__init__", "Invented Person"])
def test_a_name_without_a_pack_is_refused_and_not_told_back(name: str) -> None:
    with pytest.raises(UnknownJurisdiction) as refusal:
        jurisdictions.load(name)

    assert refusal.value.data == {"known": "by"}


def test_articles_follow_each_other_without_gap_or_overlap(by: Pack) -> None:
    last_day, first_day = date(2021, 2, 28), date(2021, 3, 1)
    old, new = by.articles

    assert (old.code, new.code) == ("23.34", "24.23")
    assert old.admits(kind="fine", ruled_on=last_day)
    assert not old.admits(kind="fine", ruled_on=first_day)
    assert new.admits(kind="fine", ruled_on=first_day)
    assert not new.admits(kind="fine", ruled_on=last_day)


def test_an_article_admits_from_its_first_day_and_its_kinds_only() -> None:
    article = Article(code="1", valid_from=date(2020, 1, 1), title="Invented", kinds=("fine",))

    assert article.admits(kind="fine", ruled_on=date(2020, 1, 1))
    assert article.admits(kind="fine", ruled_on=date(2099, 1, 1))
    assert not article.admits(kind="fine", ruled_on=date(2019, 12, 31))
    assert not article.admits(kind="detention", ruled_on=date(2020, 1, 1))


def test_a_pack_names_kinds_and_a_currency_that_the_books_know(by: Pack) -> None:
    assert {kind for article in by.articles for kind in article.kinds} <= set(ObligationKind)
    assert exponent(by.currency) == 2


def test_a_misspelt_rule_of_a_pack_is_refused(by: Pack) -> None:
    with pytest.raises(ValidationError):
        Pack.model_validate(by.model_dump() | {"apeal_days": 10})
    with pytest.raises(ValidationError):
        Pack.model_validate(by.model_dump() | {"grain": "hour"})
