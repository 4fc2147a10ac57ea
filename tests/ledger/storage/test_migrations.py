"""Books of earlier versions keep what they have when they are migrated."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, text
from sqlmodel import Session

import ledger.storage
from ledger import book, exceptions
from ledger.books import accounts
from ledger.exceptions import Difference
from ledger.giving import donations, processor, purposes
from ledger.giving.donations import State
from ledger.money import Money
from ledger.reconciliation.processor import reconcile
from ledger.storage import guards, schema
from ledger.storage.engine import open_database
from tests.bookkeeping import CARD_LEAF, RECORDER
from tests.cards import a_charge
from tests.cast import BOOK_ID, FOUNDED_AT, NOW, eur

CHARGE = a_charge(eur("100.00"), fee=eur("3.20"))
COLUMNS = "alias, source, state, source_key, fund_code, purpose_code, minor, fee_minor, currency, received_on"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database without a table."""
    if request.param == "sqlite":
        engine = open_database(f"sqlite:///{tmp_path / 'old.db'}")
        yield engine
        engine.dispose()
        return
    server: str = request.getfixturevalue("postgresql")
    administrator = create_engine(server, isolation_level="AUTOCOMMIT")
    name = f"old_{uuid4().hex}"
    with administrator.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine = open_database(server.replace("/postgres?", f"/{name}?"))
    yield engine
    engine.dispose()
    with administrator.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    administrator.dispose()


def migrate_to(engine: Engine, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(ledger.storage.__file__).parent / "migrations"))
    with engine.begin() as connection:
        guards.remove(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def a_book_with_a_card_gift_and_a_difference(engine: Engine) -> None:
    """As the version before refunds wrote them: without a movement, and without the charge."""
    with Session(engine) as session:
        book.found(
            session,
            book_id=BOOK_ID,
            organisation="Invented Fund",
            functional_currency="EUR",
            jurisdiction="by",
            demo=False,
            created_at=FOUNDED_AT,
        )
        accounts.add_leaf(session, CARD_LEAF, name="Cards", currency="EUR")
        purposes.add(session, "FINES", fund="fines", text="For fines.", net_of_costs=False)
        session.execute(
            text(
                f"INSERT INTO donation ({COLUMNS}) VALUES ('G-0000-0000-0001', 'card', 'received', :source_key, "  # noqa: S608  # names of our own
                "'fines', 'FINES', 10000, 320, 'EUR', '2020-09-14')"
            ),
            {"source_key": CHARGE.source_key},
        )
        exceptions.open_once(
            session,
            difference=Difference.BELOW_ZERO,
            account=CARD_LEAF,
            about="test",
            amount=eur("-1.00"),
            on=NOW.date(),
        )
        session.commit()


def test_card_gifts_of_before_are_movements_and_no_difference_is_lost(empty: Engine) -> None:
    migrate_to(empty, "0002")
    a_book_with_a_card_gift_and_a_difference(empty)

    schema.migrate(empty)

    schema.require_current(empty)
    with Session(empty) as session:
        (gift,) = donations.listed(session)
        assert (gift.alias, gift.state, gift.charge, gift.refunded_minor) == (
            "G-0000-0000-0001",
            State.RECEIVED,
            None,
            0,
        )
        assert [one.difference for one in exceptions.listed(session)] == [Difference.BELOW_ZERO]
        found = reconcile(session, CARD_LEAF)
        assert found is not None
        assert found.per_processor == Money(9_680, "EUR")
        (again,) = processor.book(session, [CHARGE], recorded_at=NOW, recorded_by=RECORDER)
        assert (again.about, again.replayed) == ("G-0000-0000-0001", True)
