from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from pathlib import Path
from threading import Barrier
from traceback import format_exception

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlmodel import Session

from ledger.books import funds
from ledger.storage.engine import LOCK_WAIT_MS, BadDatabaseUrl, looked_up, open_database, transaction
from tests.bookkeeping import LATER, a_gift, post
from tests.cast import eur

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def funds_seen(session: Session) -> int:
    return len(funds.listed(session))


def add_fund(session: Session, code: str) -> int:
    """Reads, then writes: how many funds stood there before."""
    before = funds_seen(session)
    funds.add(session, code, name="Invented", restricted=False)
    return before


# --- every connection


@on_sqlite
@pytest.mark.parametrize(
    ("pragma", "setting"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),  # FULL
        ("foreign_keys", 1),
        ("recursive_triggers", 1),
        ("secure_delete", 1),
        ("busy_timeout", LOCK_WAIT_MS),
    ],
)
def test_every_connection_to_sqlite_carries_the_settings(engine: Engine, pragma: str, setting: object) -> None:
    reading = engine.execution_options(sqlite_reading=True)
    with ExitStack() as connections:
        opened = [connections.enter_context(reading.connect()) for _ in range(3)]

        found = [connection.scalar(text(f"PRAGMA {pragma}")) for connection in opened]

    assert found == [setting] * 3


@on_postgresql
@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("lock_timeout", f"{LOCK_WAIT_MS // 1000}s"),
        ("TimeZone", "UTC"),
        ("transaction_isolation", "read committed"),
    ],
)
def test_every_connection_to_postgresql_carries_the_settings(engine: Engine, name: str, setting: str) -> None:
    with ExitStack() as connections:
        opened = [connections.enter_context(engine.connect()) for _ in range(3)]

        found = [connection.scalar(text(f"SHOW {name}")) for connection in opened]

    assert found == [setting] * 3


@on_postgresql
def test_the_isolation_is_ours_whatever_the_server_prefers(database_url: str, engine: Engine) -> None:
    with engine.begin() as connection:
        name = connection.scalar(text("SELECT current_database()"))
        connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'"))
    opened = open_database(database_url)

    with opened.connect() as connection:
        assert connection.scalar(text("SHOW transaction_isolation")) == "read committed"

    opened.dispose()


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO fund (code, name, restricted) VALUES (:name, 'x', true), (:name, 'x', true)",
        "UPDATE account SET account_class = :name",
        "UPDATE account SET parent_code = '9999', name = :name",
        "INSERT INTO fund (code, name) VALUES ('bail', :name)",
    ],
    ids=["duplicate", "check", "foreign key", "not null"],
)
def test_an_error_of_the_database_does_not_repeat_the_row(founded: Session, statement: str) -> None:
    parameters = {"name": "Invented Person"}

    with pytest.raises(DBAPIError) as failure:
        founded.connection().execute(text(statement), parameters)

    told = "".join(format_exception(failure.value))
    assert "constraint" in told
    assert parameters["name"] not in told


@on_postgresql
def test_an_error_at_commit_does_not_repeat_the_row(founded: Session) -> None:
    line = (
        "INSERT INTO line (entry_id, number, xact_id, account_code, fund_code, currency, minor) "
        "VALUES (987654, 1, 0, '1000:eur-main', 'fines', 'EUR', 1)"
    )
    founded.connection().execute(text(line))

    with pytest.raises(DBAPIError) as failure:
        founded.commit()

    assert "violates foreign key constraint" in str(failure.value)
    assert "987654" not in "".join(format_exception(failure.value))


def test_many_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    together = Barrier(8)

    def open_new(_: int) -> object:
        engine = open_database(f"sqlite:///{tmp_path}/new.db")
        together.wait()
        with engine.connect() as connection:
            mode = connection.scalar(text("PRAGMA journal_mode"))
        engine.dispose()
        return mode

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(open_new, range(8))) == ["wal"] * 8


@on_postgresql
def test_a_connection_that_died_while_it_lay_idle_is_replaced(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.storage.engine.TRIED_AFTER_IDLE_SECONDS", 0.0)
    with engine.connect() as connection:
        dead = connection.scalar(text("SELECT pg_backend_pid()"))
    another = create_engine(engine.url)
    with another.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:dead, 5000)"), {"dead": dead})
    another.dispose()

    with transaction(engine) as session:
        assert session.connection().scalar(text("SELECT pg_backend_pid()")) != dead


@on_sqlite
def test_a_writer_that_waits_too_long_is_told_as_by_any_statement(founded: Session, database_url: str) -> None:
    add_fund(founded, "first")
    impatient = open_database(database_url)
    with impatient.execution_options(sqlite_reading=True).connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 1")

    with pytest.raises(OperationalError, match="locked"), impatient.connect() as connection:
        connection.execute(text("SELECT 1"))

    impatient.dispose()
    founded.commit()
    assert funds_seen(founded) == 5


# --- addresses


@pytest.mark.parametrize(
    "url",
    [
        *("", "nonsense", "/book.db", "file:book.db", "mysql://h/d", "postgres://h/d", "oracle://h/d"),
        *(
            "sqlite://",
            "sqlite:///",
            "sqlite:///:memory:",
            "sqlite:///file::memory:?uri=true",
            "sqlite:///file:book.db",
        ),
        *("sqlite:///book.db?mode=memory", "sqlite:///book.db?timeout=1", "sqlite://host/book.db"),
        *("postgresql://invented:pass@word@h:port/d", "postgresql://invented:secret@h:se:cret/d"),
    ],
)
def test_any_other_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(BadDatabaseUrl) as refusal:
        open_database(url)

    assert str(refusal.value) == "the database is sqlite:///FILE or postgresql://…"
    assert refusal.value.data == {"where": "SOLIDARITY_DATABASE_URL"}
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("postgresql://h/d", "postgresql+psycopg"),
        ("postgresql+asyncpg://h/d", "postgresql+psycopg"),
        ("sqlite+aiosqlite:///book.db", "sqlite"),
    ],
)
def test_the_driver_is_ours_whichever_was_named(url: str, driver: str) -> None:
    assert open_database(url).url.drivername == driver


def test_a_printed_engine_does_not_tell_the_password() -> None:
    assert "hidden" not in repr(open_database("postgresql://invented:hidden@h/d"))


# --- one transaction


def test_a_transaction_is_committed_at_its_end(founded: Session, engine: Engine) -> None:
    founded.close()
    with transaction(engine) as session:
        add_fund(session, "legal_aid")

    with transaction(engine, write=False) as session:
        assert funds_seen(session) == 5


def test_a_transaction_that_raises_leaves_nothing(founded: Session, engine: Engine) -> None:
    def fail_after_writing() -> None:
        with transaction(engine) as session:
            add_fund(session, "legal_aid")
            raise ConnectionError

    founded.close()
    with pytest.raises(ConnectionError):
        fail_after_writing()

    with transaction(engine, write=False) as session:
        assert funds_seen(session) == 4


def test_what_was_looked_up_is_forgotten_with_the_transaction(founded: Session) -> None:
    looked_up(founded, "fund")["fines"] = True
    assert looked_up(founded, "fund") == {"fines": True}
    assert looked_up(founded, "account") == {}

    founded.commit()

    assert looked_up(founded, "fund") == {}


def test_a_savepoint_looks_for_itself(founded: Session) -> None:
    looked_up(founded, "fund")["fines"] = True

    with founded.begin_nested():
        assert looked_up(founded, "fund") == {}


# --- two at once


@on_sqlite
def test_a_second_writer_waits_before_its_first_word(founded: Session, engine: Engine) -> None:
    def write() -> int:
        with transaction(engine) as session:
            return add_fund(session, "second")

    add_fund(founded, "first")
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(write)
        finished, _ = wait([waiting], timeout=0.2)
        founded.commit()

        assert not finished
        assert waiting.result() == 5


def test_writers_that_read_first_take_turns_and_none_fails(founded: Session, engine: Engine) -> None:
    together = Barrier(8)

    def write(nth: int) -> int:
        together.wait()
        with transaction(engine) as session:
            return add_fund(session, f"fund_{nth}")

    with ThreadPoolExecutor(8) as threads:
        seen = list(threads.map(write, range(8)))

    assert all(4 <= before <= 11 for before in seen)
    assert funds_seen(founded) == 12


@on_postgresql
def test_a_writer_after_a_reader_on_the_same_connection_sees_what_others_commit(
    founded: Session, engine: Engine
) -> None:
    founded.close()
    with transaction(engine, write=False) as reader:
        assert funds_seen(reader) == 4

    with transaction(engine) as writer:
        assert writer.connection().scalar(text("SHOW transaction_isolation")) == "read committed"


def test_a_reader_neither_waits_for_a_writer_nor_sees_what_is_not_committed(founded: Session, engine: Engine) -> None:
    post(founded, a_gift(eur("20.00")))
    add_fund(founded, "legal_aid")

    with transaction(engine, write=False) as reader:
        assert funds_seen(reader) == 4

    founded.commit()
    with transaction(engine, write=False) as reader:
        assert funds_seen(reader) == 5


def test_a_writer_does_not_wait_for_a_reader(founded: Session, engine: Engine) -> None:
    founded.close()
    with transaction(engine, write=False) as reader:
        assert funds_seen(reader) == 4

        with transaction(engine) as writer:
            add_fund(writer, "legal_aid")
            post(writer, a_gift(eur("20.00")), on=LATER)


def test_a_reader_sees_one_moment_throughout(founded: Session, engine: Engine) -> None:
    founded.close()
    with transaction(engine, write=False) as reader:
        assert funds_seen(reader) == 4
        with transaction(engine) as writer:
            add_fund(writer, "legal_aid")

        assert funds_seen(reader) == 4


def test_a_reader_does_not_write_and_leaves_its_connection_to_writers(founded: Session, engine: Engine) -> None:
    def write_as_reader() -> None:
        with transaction(engine, write=False) as reader:
            add_fund(reader, "first")

    founded.close()
    with pytest.raises(DBAPIError, match=r"read-?only"):
        write_as_reader()

    with transaction(engine) as writer:
        assert add_fund(writer, "second") == 4
