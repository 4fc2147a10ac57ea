"""Books of earlier versions keep what they have when they are migrated."""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

import ledger.storage
from ledger import exceptions
from ledger.aid import agents, bail_parts
from ledger.books import accounts, holds, spending
from ledger.books.holds import Hold
from ledger.exceptions import Difference
from ledger.giving import donations, processor, purposes
from ledger.giving.donations import State
from ledger.money import Money
from ledger.reconciliation.processor import reconcile
from ledger.storage import guards, schema
from ledger.storage.engine import open_database
from tests import purses
from tests.bookkeeping import CARD_LEAF, RECORDER
from tests.cards import a_charge
from tests.cast import LEAF, NOW, TODAY, House, byn, eur, found_without_people, give
from tests.purses import (
    a_locked_batch,
    a_requested_advance,
    a_sent_advance,
    an_agent,
    an_approved_batch,
    approve_advance,
    give_euros,
    release_advance,
)

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
        found_without_people(session)
        accounts.add_leaf(session, CARD_LEAF, name="Cards", currency="EUR")
        purposes.add(session, "FINES", fund="fines", text="For fines.", net_of_costs=False)
        session.execute(
            text(
                f"INSERT INTO donation ({COLUMNS}) VALUES ('G-0000-0000-0001', 'card', 'received', :source_key, "  # noqa: S608  # names of our own
                "'fines', 'FINES', 10000, 320, 'EUR', '2020-09-14')"
            ),
            {"source_key": f"stripe:{CHARGE.balance_transaction}"},
        )
        insert(
            session,
            "entry",
            id=1,
            xact_id=1,
            source_key=f"stripe:{CHARGE.balance_transaction}",
            fingerprint="0" * 64,
            kind="card_gift",
            happened_on="2020-09-14",
            effective_on="2020-09-14",
            recorded_at="2020-10-01 08:00:00",
            recorded_by=RECORDER,
        )
        session.execute(
            text(
                "INSERT INTO exception (alias, difference, account_code, about, minor, currency, opened_on) "
                "VALUES ('X-0000-0000-0001', 'below_zero', :leaf, 'below_zero:test', -100, 'EUR', '2020-11-20')"
            ),
            {"leaf": CARD_LEAF},
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
        assert (gift.purpose_code, gift.purpose_version) == ("FINES", 0)
        assert [one.difference for one in exceptions.listed(session)] == [Difference.BELOW_ZERO]
        found = reconcile(session, CARD_LEAF)
        assert found is not None
        assert found.per_processor == Money(9_680, "EUR")
        (again,) = processor.book(session, [CHARGE], recorded_at=NOW, recorded_by=RECORDER)
        assert (again.about, again.replayed) == ("G-0000-0000-0001", True)


PAYMENTS = ("requested", "approved", "released", "paid")
"""The states of payments before batches."""


def a_book_with_payments(engine: Engine) -> list[tuple[object, ...]]:
    """As the version before agents and batches wrote them: one payment in each state, on an obligation of its own."""
    with Session(engine) as session:
        found_without_people(session)
        accounts.add_leaf(session, LEAF, name="Current account", currency="BYN")
        for nth, state in enumerate(PAYMENTS):
            case = {"case_alias": f"C-{nth}"}
            owed = {"minor": 81_000, "currency": "BYN", "fund_code": "fines"}
            insert(session, "beneficiary", alias=f"B-{nth}", created_at="2020-10-01 08:00:00")
            insert(
                session,
                "aid_case",
                alias=f"C-{nth}",
                beneficiary_alias=f"B-{nth}",
                jurisdiction="by",
                state="approved",
                version=3,
                entered_by="OP-1",
                received_on="2020-10-01",
            )
            insert(
                session,
                "ruling",
                alias=f"R-{nth}",
                article="23.34",
                region="minsk_city",
                ruled_by="2020-10-04",
                payable_from="2020-10-18",
                due_by="2020-11-16",
                force_presumed=True,
                **case,
            )
            of = {"ruling_alias": f"R-{nth}", "kind": "fine", "state": "recognised"}
            insert(session, "obligation", alias=f"O-{nth}", **of, **case, **owed)
            insert(
                session,
                "disbursement",
                alias=f"D-{nth}",
                obligation_alias=f"O-{nth}",
                state=state,
                version=nth,
                payee="authority",
                payee_commitment=f"ab{nth}",
                account_code=LEAF,
                reference=f"RF0{nth}",
                requested_by="OP-1",
                released_on=f"2020-11-0{nth + 1}",
                **case,
                **owed,
            )
        session.commit()
        return payments(session)


def insert(session: Session, into: str, **values: object) -> None:
    names = ", ".join(values)
    places = ", ".join(f":{name}" for name in values)
    session.execute(text(f"INSERT INTO {into} ({names}) VALUES ({places})"), values)  # noqa: S608  # names of our own


def payments(session: Session) -> list[tuple[object, ...]]:
    columns = (
        "alias, obligation_alias, case_alias, state, version, payee, payee_commitment, fund_code, account_code, minor, "
        "currency, reference, requested_by, approved_by, released_by, released_on, paid_on, paid_recorded_on"
    )
    rows = session.execute(text(f"SELECT {columns} FROM disbursement ORDER BY alias"))  # noqa: S608  # names of our own
    return [tuple(row) for row in rows]


def test_payments_of_before_batches_stay_as_they_were(empty: Engine) -> None:
    migrate_to(empty, "0003")
    before = a_book_with_payments(empty)

    schema.migrate(empty)

    with Session(empty) as session:
        assert payments(session) == before
        assert [row[3] for row in before] == list(PAYMENTS)


def test_after_batches_came_states_are_more_and_still_known_ones_only(empty: Engine) -> None:
    migrate_to(empty, "0003")
    a_book_with_payments(empty)
    schema.migrate(empty)
    columns = "case_alias, payee, payee_commitment, fund_code, account_code, minor, currency, requested_by, version"
    again = (
        f"INSERT INTO disbursement (alias, obligation_alias, reference, state, {columns}) "  # noqa: S608  # our own
        f"SELECT 'D-9', obligation_alias, 'RF09', 'requested', {columns} FROM disbursement WHERE alias = 'D-0'"
    )
    refused = (
        "UPDATE disbursement SET state = 'vanished' WHERE alias = 'D-1'",
        "UPDATE disbursement SET payee = 'somebody' WHERE alias = 'D-1'",
        "UPDATE disbursement SET fund_code = 'nowhere' WHERE alias = 'D-1'",
        "UPDATE disbursement SET reference = 'RF00' WHERE alias = 'D-1'",
        "UPDATE obligation SET state = 'vanished' WHERE alias = 'O-1'",
        again,
    )

    for statement in refused:
        with Session(empty) as session, pytest.raises(IntegrityError):
            session.execute(text(statement))
    with Session(empty) as session:
        for state in ("quashed", "refund_due", "refunded"):
            session.execute(text("UPDATE obligation SET state = :state WHERE alias = 'O-1'"), {"state": state})
        session.execute(text("UPDATE disbursement SET state = 'cancelled' WHERE alias = 'D-0'"))
        session.execute(text(again))
        session.commit()
        assert len(payments(session)) == len(PAYMENTS) + 1


def test_what_was_signed_to_be_no_duplicate_and_parts_of_bail_are_kept(empty: Engine) -> None:
    migrate_to(empty, "0003")
    a_book_with_payments(empty)
    migrate_to(empty, "0021")
    acts = {"C-0": "verify_case", "C-1": "verify_case:C-0+C-2", "C-2": "verify_case:C-1+C-GONE"}
    with Session(empty) as session:
        for case, act in acts.items():
            document = json.dumps({"act": act, "object": case})
            signed = {"nonce": case, "verb": "verify_case", "signer": "OP-1", "object": case, "document": document}
            insert(session, "signed_act", **signed, signature="00", roster=1, recorded_at="2020-10-05 08:00:00")
        part = {"obligation_alias": "O-1", "number": 1, "fate": "applied", "minor": 100, "fine_alias": "O-2"}
        insert(session, "bail_part", **part, decided_by="OP-1", decided_on="2020-11-16")
        session.commit()

    schema.migrate(empty)

    with Session(empty) as session:
        pairs = session.execute(text("SELECT case_alias, other_alias, said_by, said_on FROM not_duplicate ORDER BY 1"))
        told = [(one, other, by, str(on)) for one, other, by, on in pairs]
        assert told == [("C-0", "C-1", "OP-1", "2020-10-05"), ("C-1", "C-2", "OP-1", "2020-10-05")]
        assert bail_parts.applied(session, ["O-2", "O-3"]) == {"O-2": 100, "O-3": 0}
        with pytest.raises(IntegrityError):  # one sum of a kind
            session.execute(text("UPDATE obligation SET ruling_alias = 'R-0' WHERE alias = 'O-1'"))


def test_who_had_the_name_of_somebody_else_waits_to_be_compared_since_they_came(empty: Engine) -> None:
    migrate_to(empty, "0003")
    a_book_with_payments(empty)
    migrate_to(empty, "0034")
    with Session(empty) as session:
        for case, field, value in (("C-0", "person", "1"), ("C-1", "person", "1"), ("C-2", "ruling", "1")):
            insert(session, "token", field=field, value=value * 64, alias=case, epoch=1)
        session.commit()

    schema.migrate(empty)

    with Session(empty) as session:
        waiting = session.execute(text("SELECT alias, alike_since FROM beneficiary WHERE alike_since IS NOT NULL"))
        assert sorted((alias, str(since)) for alias, since in waiting) == [("B-0", "2020-10-01"), ("B-1", "2020-10-01")]


def as_before_holds(engine: Engine) -> None:
    """Takes away what the migration to holds has brought; what came later stays, but for what names an exception."""
    columns = "alias, difference, account_code, about, minor, currency, opened_on, resolved_on"
    with engine.begin() as connection:
        guards.remove(connection)
        for statement in (
            "DROP TABLE hold_movement",
            "DROP TABLE hold",
            "DROP TABLE clearing_agreement",
            "DROP TABLE clearing",
            f"CREATE TABLE exception_before AS SELECT {columns} FROM exception",  # noqa: S608  # names of our own
            "DROP TABLE exception",
            "ALTER TABLE exception_before RENAME TO exception",
            "UPDATE account SET liquid = true WHERE parent_code IN ('1200', '1210')",
            "UPDATE alembic_version SET version_num = '0004'",
        ):
            connection.execute(text(statement))


def what_is_held(session: Session) -> list[tuple[str, ...]]:
    """The holds of which something is left."""
    found = [hold for hold in session.exec(select(Hold)) if holds.left(session, hold).minor]
    return sorted(
        tuple(
            str(part)
            for part in (one.source_key, one.reserves, one.fund_code, one.account_code, one.amount(), one.held_for)
        )
        for one in found
    )


def test_a_book_in_the_midst_of_a_season_holds_what_it_had_promised(house: House, engine: Engine) -> None:
    session = house.session
    give(session, byn("5000.00"))
    give_euros(house)
    house.a_requested_payment()
    house.an_approved_payment()
    released = house.a_released_payment()
    batch = an_approved_batch(house, None, LEAF, [house.a_verified_case()])
    purses.approve(house, a_locked_batch(house, None, LEAF, [house.a_verified_case()]))
    agent, frozen = an_agent(house), an_agent(house)
    approve_advance(house, a_requested_advance(house, agent, fines=eur("100.00")))
    sent = a_sent_advance(house, frozen, fines=eur("30.00"))
    advance = release_advance(house, approve_advance(house, a_requested_advance(house, agent, fines=eur("200.00"))))
    agents.freeze(session, frozen, by=house.fund.clara.alias, on=TODAY)
    session.commit()
    before = what_is_held(session)
    free = [spending.spendable(session, "fines"), spending.in_hand(session, "fines")]
    session.commit()
    as_before_holds(engine)

    migrate_to(engine, "0005")

    with Session(engine) as again:
        assert what_is_held(again) == before
        assert [spending.spendable(again, "fines"), spending.in_hand(again, "fines")] == free
        assert {hold.placed_on for hold in again.exec(select(Hold))} == {TODAY}
        held_for = {row[-1] for row in before}
        assert {released.alias, advance.alias} <= held_for
        assert not {sent.alias, batch.alias} & held_for


def test_what_was_said_of_lines_by_one_or_by_two_is_kept_in_one_table(empty: Engine) -> None:
    migrate_to(empty, "0003")
    a_book_with_payments(empty)
    migrate_to(empty, "0028")
    with Session(empty) as session:
        insert(
            session,
            "statement",
            alias="S-1",
            account_code=LEAF,
            currency="BYN",
            content_token="0" * 64,
            received_at="2020-11-20 08:00:00",
            received_by="OP-1",
        )
        for nth, minor in (("1", -500), ("2", -700)):
            of = {"booked_on": "2020-11-20", "minor": minor, "currency": "BYN", "reversal": False}
            insert(session, "statement_line", source_key=f"bank:{nth}", statement_alias="S-1", account_code=LEAF, **of)
            opened = {"difference": "reversal", "about": f"reversal:bank:{nth}", "minor": minor, "currency": "BYN"}
            insert(session, "exception", alias=f"X-{nth}", account_code=LEAF, opened_on="2020-11-20", **opened)
        said = {"asked_by": "OP-1", "asked_on": "2020-11-20", "settles_minor": 700, "currency": "BYN", "number": 1}
        two = {"agreed_by": "OP-2", "agreed_on": "2020-11-21", "minor": 700, "of": "D-1", "because": "in_error"}
        insert(session, "resolution", about="X-2", answer="expected_back", source_key="bank:2", **said, **two)
        left = {"answer": "given_up", "of": "RF01", "because": "uncollectable", "minor": 700}
        insert(session, "resolution", about="O-1", **left, **said)
        one = {"answer": "taken_back", "about": "G-1", "answered_by": "OP-1", "answered_at": "2020-11-20 09:00:00"}
        insert(session, "line_answer", source_key="bank:1", exception_alias="X-1", **one)
        session.commit()

    schema.migrate(empty)

    with Session(empty) as session:
        rows = session.execute(text("SELECT about, of, source_key, minor, settles_minor, alone FROM resolution"))
        assert sorted(tuple(row) for row in rows) == [
            ("O-1", "RF01", "resolution:O-1:1", 700, 700, False),
            ("X-1", "G-1", "bank:1", -500, 500, True),
            ("X-2", "D-1", "bank:2", -700, 700, False),
        ]
        agreed = session.execute(text("SELECT about, number, agreed_by, agreed_on FROM resolution_agreement")).one()
        assert tuple(map(str, agreed)) == ("X-2", "1", "OP-2", "2020-11-21")


def test_refunds_that_two_agreed_to_are_held_and_what_came_to_the_bank_is_settled(empty: Engine) -> None:
    migrate_to(empty, "0037")
    with Session(empty) as session:
        found_without_people(session)
        accounts.add_leaf(session, CARD_LEAF, name="Cards", currency="EUR")
        accounts.add_leaf(session, "1050:eur", name="In transit", currency="EUR")
        facts = {"minor": 10_000, "fee_minor": 0, "currency": "EUR"}
        of_gift = {"source": "card", "fund_code": "fines", "received_on": "2020-09-14", "refunded_minor": 0}
        keys = {"state": "received", "source_key": "stripe:txn_Charge0001:10000", "charge": "ch_Invented0001"}
        insert(session, "donation", alias="G-1", **facts, **of_gift, **keys)
        dispute = {"alias": "Q-1", "source": "dp_1", "donation_alias": "G-1", "opened_on": "2020-09-14"}
        insert(session, "dispute", state="won", **dispute, **facts)
        moved = {"source": "ch_Invented0001", "charge": "ch_Invented0001", "category": "charge", "automatic": False}
        named = {"balance_transaction": "txn_Charge0001", "created_on": "2020-09-14", "cancelled": False}
        nets = {"gross_minor": 10_000, "net_minor": 10_000, "fee_minor": 0, "currency": "EUR"}
        insert(session, "movement", **moved, **named, **nets)
        insert(session, "payout_item", payout="txn_Payout0001", balance_transaction="txn_Charge0001")
        paid = {"id": "po_1", "source_key": "x", "account_code": CARD_LEAF, "transit_code": "1050:eur", "state": "paid"}
        days = {"created_on": "2020-09-15", "paid_on": "2020-09-16"}
        insert(session, "payout", minor=10_000, currency="EUR", items_of="txn_Payout0001", **paid, **days)
        asked = {"version": 1, "requested_by": "OP-1", "requested_at": "2020-10-01 08:00:00", "by_bank": False}
        for state in ("requested", "approved", "failed"):
            order = {"alias": f"Y-{state}", "state": state, "approved_by": None if state == "requested" else "OP-2"}
            insert(session, "refund_order", donation_alias="G-1", minor=100, currency="EUR", **order, **asked)
        session.commit()

    schema.migrate(empty)

    with Session(empty) as session:
        assert what_is_held(session) == [
            ("refund:Y-approved:fund", "spendable", "fines", "None", "1.00 EUR", "Y-approved"),
            ("refund:Y-approved:leaf", "leaf", "None", CARD_LEAF, "1.00 EUR", "Y-approved"),
        ]
        assert session.exec(select(donations.Donation.state)).all() == [State.SETTLED]
        assert session.scalar(text("SELECT returned_minor FROM dispute")) == 10_000
