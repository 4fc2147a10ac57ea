from datetime import date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select, text
from sqlmodel import Session

from ledger.books import balances, journal, rollups
from ledger.books.balances import balance, trial_balance
from ledger.books.journal import Because
from ledger.books.rollups import Level, advance, differences
from ledger.money import Money
from ledger.storage.engine import transaction
from tests.bookkeeping import BYN_LEAF, EUR_LEAF, RECORDER, a_gift, post
from tests.cast import NOW, byn, eur, race

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
OCTOBER, NOVEMBER, DECEMBER = date(2020, 10, 30), date(2020, 11, 2), date(2020, 12, 1)
LATE = datetime(2020, 12, 20, 9, tzinfo=NOW.tzinfo)


@pytest.fixture
def rolled(founded: Session) -> Session:
    """Gifts of three months, committed and rolled up; and two more behind the horizon, one of them back-dated."""
    for nth, (day, amount) in enumerate([(OCTOBER, "20.00"), (NOVEMBER, "30.00"), (DECEMBER, "50.00")]):
        post(founded, a_gift(eur(amount)), source_key=f"test:{nth}", on=day, recorded_at=LATE)
    founded.commit()
    assert advance(founded) == 3
    founded.commit()
    late = LATE + timedelta(hours=1)
    post(founded, a_gift(eur("7.00")), source_key="test:tail", on=DECEMBER, recorded_at=late)
    post(founded, a_gift(eur("1.00")), source_key="test:back-dated", on=OCTOBER, recorded_at=late)
    founded.commit()
    return founded


def amounts(session: Session) -> list[tuple[str, int]]:
    return [(row.account.code, row.minor) for row in trial_balance(session)]


# --- balances


@pytest.mark.parametrize(
    ("on", "amount"),
    [
        (OCTOBER - timedelta(days=1), "0.00"),
        (OCTOBER, "21.00"),
        (date(2020, 10, 31), "21.00"),
        (date(2020, 11, 1), "21.00"),
        (NOVEMBER, "51.00"),
        (DECEMBER, "108.00"),
        (date.max, "108.00"),
        (None, "108.00"),
    ],
)
def test_a_balance_is_the_roll_ups_and_the_tail(rolled: Session, on: date | None, amount: str) -> None:
    assert balance(rolled, EUR_LEAF, currency="EUR", on=on) == eur(amount)
    assert trial_balance(rolled, on=on) == balances.recomputed(rolled, on=on)


@pytest.mark.parametrize(
    ("known_at", "amount"),
    [
        (LATE - timedelta(seconds=1), "0.00"),
        (LATE, "100.00"),
        (LATE + timedelta(minutes=59), "100.00"),
        (LATE + timedelta(hours=1), "108.00"),
    ],
)
def test_what_was_known_is_so_on_either_side_of_the_horizon(rolled: Session, known_at: datetime, amount: str) -> None:
    assert balance(rolled, EUR_LEAF, currency="EUR", as_known_at=known_at) == eur(amount)


def test_a_roll_up_that_knows_too_much_is_not_read(rolled: Session) -> None:
    advance(rolled)
    rolled.commit()

    assert not rollups.in_force(rolled, as_known_at=LATE)
    assert balance(rolled, EUR_LEAF, currency="EUR", on=DECEMBER, as_known_at=LATE) == eur("100.00")
    moved = rollups.movements(choice=lambda _: [], dated=False, known=True)
    known = rolled.connection().execute(select(func.sum(func.abs(moved.c.minor))), {"as_known_at": LATE}).scalar_one()
    assert known == 20_000


def test_an_advance_takes_in_what_is_behind_the_horizon_once(rolled: Session) -> None:
    before = amounts(rolled)

    assert (advance(rolled), advance(rolled)) == (2, 0)
    assert amounts(rolled) == before
    assert differences(rolled) == []


def test_a_book_without_entries_has_nothing_to_take_in(founded: Session) -> None:
    assert advance(founded) == 0
    assert not rollups.in_force(founded)
    assert trial_balance(founded) == []
    assert differences(founded) == []


def test_what_is_booked_and_not_committed_counts_at_once(rolled: Session) -> None:
    advance(rolled)
    post(rolled, a_gift(eur("2.00")), source_key="test:mine", on=OCTOBER)

    assert balance(rolled, EUR_LEAF, currency="EUR", on=OCTOBER) == eur("23.00")
    assert balance(rolled, "1000", currency="EUR", fund="fines") == eur("110.00")


def test_a_leaf_that_went_back_to_zero_stays_when_it_is_rolled_up(founded: Session) -> None:
    posted = post(founded, a_gift(byn("5.00")))
    journal.reverse(
        founded,
        posted.entry_id,
        source_key="test:reversal",
        because=Because.BOOKED_TWICE,
        on=NOVEMBER,
        recorded_at=NOW,
        recorded_by=RECORDER,
    )
    founded.commit()
    advance(founded)

    assert amounts(founded) == [(BYN_LEAF, 0), ("4000", 0)]


@on_sqlite
def test_on_sqlite_an_advance_stops_after_so_many_entries(rolled: Session) -> None:
    rollups.rebuild(rolled)
    rolled.execute(text("UPDATE rollup_horizon SET entry_id = 0, known_at = NULL"))
    rolled.execute(text("DELETE FROM rollup"))
    rolled.expire_all()

    assert [advance(rolled, most_entries=2) for _ in range(4)] == [2, 2, 1, 0]
    assert differences(rolled) == []
    assert trial_balance(rolled) == balances.recomputed(rolled)


# --- differences


@pytest.mark.parametrize(
    ("attack", "count"),
    [
        ("UPDATE rollup SET minor = minor + 1 WHERE account_code = '4000' AND starts_on = '2020-11-02'", 1),
        ("DELETE FROM rollup WHERE level = 'month' AND account_code = '4000' AND starts_on = '2020-11-01'", 1),
        ("UPDATE rollup SET starts_on = '2020-11-03' WHERE account_code = '4000' AND starts_on = '2020-11-02'", 2),
        ("UPDATE rollup SET fund_code = 'general' WHERE account_code = '4000' AND starts_on = '2020-11-02'", 2),
    ],
)
def test_a_roll_up_that_its_lines_do_not_give_is_found_and_built_anew(rolled: Session, attack: str, count: int) -> None:
    rolled.execute(text(attack))

    found = differences(rolled)

    assert len(found) == count
    assert {one.account for one in found} == {"4000"}
    assert all(one.rolled_up != one.recomputed for one in found)
    assert rollups.rebuild(rolled) == 5
    assert differences(rolled) == []
    assert trial_balance(rolled) == balances.recomputed(rolled)


def test_a_difference_says_where_it_is(rolled: Session) -> None:
    rolled.execute(text("UPDATE rollup SET minor = 9 WHERE account_code = '4000' AND starts_on = '2020-11-02'"))

    (found,) = differences(rolled)

    assert (found.level, found.starts_on, found.account, found.fund) == (Level.DAY, NOVEMBER, "4000", "fines")
    assert (found.currency, found.rolled_up, found.recomputed) == ("EUR", 9, -3_000)


def test_a_horizon_that_was_moved_is_found(rolled: Session) -> None:
    rolled.execute(text("UPDATE rollup_horizon SET xact_id = 0, entry_id = 2"))
    assert differences(rolled)

    rolled.execute(text("UPDATE rollup_horizon SET xact_id = 0, entry_id = 5"))
    assert differences(rolled)


@on_sqlite
def test_on_sqlite_no_entry_slips_in_before_the_horizon(rolled: Session) -> None:
    rolled.execute(text("PRAGMA defer_foreign_keys = ON"))
    line = "INSERT INTO line (entry_id, number, xact_id, account_code, fund_code, currency, minor) VALUES (-1, {}, 0, "
    rolled.execute(text(line.format(1) + "'4300', 'fines', 'EUR', 5)"))
    rolled.execute(text(line.format(2) + "'4300', 'fines', 'EUR', -5)"))

    with pytest.raises(Exception, match="guard: an entry is numbered after those that are rolled up"):
        rolled.execute(
            text(
                "INSERT INTO entry (id, xact_id, source_key, fingerprint, kind, happened_on, effective_on, recorded_at,"
                " recorded_by) VALUES (-1, 0, 'a', 'f', 'attack', '2020-11-02', '2020-11-02', '2020-11-20 09:00', 'x')"
            )
        )


# --- at once, on PostgreSQL: numbers become visible out of order


@on_postgresql
def test_an_entry_in_flight_is_never_skipped(founded: Session, engine: Engine) -> None:
    with Session(engine) as slow, transaction(engine) as quick:
        post(slow, a_gift(eur("20.00")), source_key="test:slow")  # number 1, not committed
        post(quick, a_gift(eur("5.00")), source_key="test:quick")
        quick.commit()  # number 2
        roll_up(engine)
        assert balance(quick, EUR_LEAF, currency="EUR") == eur("5.00")
        quick.commit()
        slow.commit()

        assert balance(quick, EUR_LEAF, currency="EUR") == eur("25.00")
        quick.commit()
        assert roll_up(engine) == 2
        assert trial_balance(quick) == balances.recomputed(quick)
    assert differences(founded) == []


@on_postgresql
@pytest.mark.parametrize("savepoint", [False, True])
def test_neither_is_one_that_took_its_number_long_before_it_writes(
    founded: Session, engine: Engine, *, savepoint: bool
) -> None:
    for nth in range(3):
        post(founded, a_gift(eur("1.00")), source_key=f"test:{nth}")
    founded.commit()
    with Session(engine) as slow:
        slow.execute(text("SELECT nextval('entry_number')"))  # no transaction number yet
        roll_up(engine)
        post(founded, a_gift(eur("1.00")), source_key="test:between")
        founded.commit()
        if savepoint:
            with slow.begin_nested():
                post(slow, a_gift(eur("20.00")), source_key="test:slow")
        else:
            post(slow, a_gift(eur("20.00")), source_key="test:slow")
        roll_up(engine)
        slow.commit()

    assert balance(founded, EUR_LEAF, currency="EUR") == eur("24.00")
    founded.commit()
    roll_up(engine)
    assert balance(founded, EUR_LEAF, currency="EUR") == eur("24.00")
    assert differences(founded) == []


@on_postgresql
def test_what_is_rolled_back_leaves_nothing(founded: Session, engine: Engine) -> None:
    post(founded, a_gift(eur("1.00")), source_key="test:kept")
    founded.commit()
    with Session(engine) as slow:
        post(slow, a_gift(eur("20.00")), source_key="test:slow")
        roll_up(engine)
        slow.rollback()
    roll_up(engine)

    assert balance(founded, EUR_LEAF, currency="EUR") == eur("1.00")
    assert differences(founded) == []


@on_postgresql
def test_an_advance_between_two_looks_changes_no_balance(founded: Session, engine: Engine) -> None:
    post(founded, a_gift(eur("20.00")), source_key="test:1")
    founded.commit()
    roll_up(engine)
    post(founded, a_gift(eur("3.00")), source_key="test:2")
    founded.commit()
    moved = rollups.movements(choice=lambda columns: [columns.account_code == EUR_LEAF], dated=False, known=False)
    query = select(func.sum(moved.c.minor))
    assert founded.connection().execute(query).scalar() == 2_300

    roll_up(engine)

    assert founded.connection().execute(query).scalar() == 2_300


@on_postgresql
def test_two_who_advance_at_once_take_in_everything_once(rolled: Session) -> None:
    assert sorted(map(str, race(rolled, *[advance] * 3))) == ["0", "0", "2"]
    assert differences(rolled) == []


@on_postgresql
def test_a_book_restored_on_another_server_is_rolled_up_anew(rolled: Session) -> None:
    """There transactions are counted anew: the horizon and the entries of the backup lie ahead of all to come."""
    for statement in (
        "ALTER TABLE entry DISABLE TRIGGER USER",
        "ALTER TABLE line DISABLE TRIGGER USER",
        "UPDATE line SET xact_id = xact_id + 1000000000",
        "UPDATE entry SET xact_id = xact_id + 1000000000",
        "SET CONSTRAINTS ALL IMMEDIATE",
        "ALTER TABLE line ENABLE TRIGGER USER",
        "ALTER TABLE entry ENABLE TRIGGER USER",
        "UPDATE rollup_horizon SET xact_id = xact_id + 1000000000",
    ):
        rolled.execute(text(statement))
    rolled.commit()
    rolled.expire_all()
    post(rolled, a_gift(eur("2.00")), source_key="test:here", on=NOVEMBER)
    rolled.commit()
    assert not rollups.in_force(rolled)
    assert balance(rolled, EUR_LEAF, currency="EUR") == eur("110.00")

    assert advance(rolled) == 6
    rolled.commit()
    post(rolled, a_gift(eur("4.00")), source_key="test:then", on=NOVEMBER)
    rolled.commit()

    assert rollups.in_force(rolled)
    assert balance(rolled, EUR_LEAF, currency="EUR") == eur("114.00")
    assert advance(rolled) == 1
    assert trial_balance(rolled) == balances.recomputed(rolled)
    assert differences(rolled) == []


def roll_up(engine: Engine) -> int:
    with transaction(engine) as session:
        return advance(session)


# --- whatever comes


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.one_of(
            st.just("advance"),
            st.tuples(st.integers(0, 70), st.integers(1, 500), st.sampled_from(["fines", "general"])),
        ),
        max_size=12,
    ),
    asked=st.integers(-1, 71),
)
def test_balances_are_what_the_lines_give_whenever_the_job_ran(
    founded: Session, steps: list[tuple[int, int, str] | str], asked: int
) -> None:
    first = date(2020, 9, 20)
    savepoint = founded.begin_nested()
    for nth, step in enumerate(steps):
        if isinstance(step, str):
            advance(founded)
        else:
            days, minor, fund = step
            gift = a_gift(Money(minor, "EUR"), fund=fund)
            post(founded, gift, source_key=f"test:{nth}", on=first + timedelta(days=days), recorded_at=LATE)

    on = first + timedelta(days=asked)
    assert trial_balance(founded, on=on) == balances.recomputed(founded, on=on)
    assert trial_balance(founded) == balances.recomputed(founded)
    assert differences(founded) == []
    savepoint.rollback()
