from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.exc import DBAPIError, StatementError
from sqlmodel import Session, select

from ledger import book
from ledger.book import Book
from ledger.storage.columns import UtcDateTime
from tests.bookkeeping import EUR_LEAF
from tests.cast import FOUNDED_AT

MINSK = timezone(timedelta(hours=3))
zones = st.timezones() | st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
DIALECTS: list[Dialect] = [make_url(url).get_dialect()() for url in ("sqlite://", "postgresql+psycopg://")]
moments = st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=zones)  # noqa: DTZ001  # zones are drawn


class Nowhere(tzinfo):
    """A zone that does not know its offset: as good as none."""

    def utcoffset(self, _moment: datetime | None) -> None:
        return None

    dst = utcoffset

    def tzname(self, _moment: datetime | None) -> str:
        return "nowhere"


@given(moments, st.sampled_from(DIALECTS))
def test_a_moment_comes_back_as_the_same_moment_in_utc(moment: datetime, dialect: Dialect) -> None:
    column = UtcDateTime()

    back = column.process_result_value(column.process_bind_param(moment, dialect), dialect)

    assert back == moment.astimezone(UTC)
    assert back is not None
    assert back.tzinfo is UTC


@pytest.mark.parametrize("naive", [datetime(2020, 11, 20, 9), datetime(2020, 11, 20, 9, tzinfo=Nowhere())])  # noqa: DTZ001  # the point
def test_a_moment_without_an_offset_is_refused(founded: Session, naive: datetime) -> None:
    book.require(founded).created_at = naive

    with pytest.raises(StatementError, match="a moment needs its time zone"):
        founded.flush()


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2020, 11, 20, 12, 0, 0, 1, tzinfo=MINSK),
        datetime(2020, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=0),
        datetime(2020, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1),
        datetime(1990, 1, 1, tzinfo=UTC),
    ],
    ids=["microsecond", "summer", "winter", "old"],
)
def test_the_database_keeps_a_moment_to_the_microsecond(founded: Session, moment: datetime) -> None:
    book.require(founded).created_at = moment
    founded.commit()
    founded.expire_all()

    kept = book.require(founded).created_at

    assert kept == moment.astimezone(UTC)
    assert kept.tzinfo is UTC


@pytest.mark.parametrize("hours", [-1, 0, 1])
def test_moments_are_compared_as_moments_whatever_their_zone(founded: Session, hours: int) -> None:
    asked = (FOUNDED_AT + timedelta(hours=hours)).astimezone(MINSK)

    found = founded.exec(select(Book).where(Book.created_at <= asked)).all()

    assert len(found) == (1 if hours >= 0 else 0)


def test_no_moment_is_no_moment() -> None:
    for dialect in DIALECTS:
        assert UtcDateTime().process_bind_param(None, dialect) is None
        assert UtcDateTime().process_result_value(None, dialect) is None


def test_an_enumeration_admits_its_values_and_no_others(founded: Session, engine: Engine) -> None:
    founded.close()
    change = text("UPDATE account SET account_class = :value WHERE code = :code")

    with pytest.raises(DBAPIError, match="accountclass_is_known"), engine.begin() as connection:
        connection.execute(change, {"value": "ASSET", "code": EUR_LEAF})
    with engine.begin() as connection:
        connection.execute(change, {"value": "asset", "code": EUR_LEAF})
