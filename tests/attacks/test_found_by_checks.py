"""What no guard can hinder, because somebody owns the database and drops the guards first, is found afterwards.

Every attack starts from a book in which the checks find nothing. The guards are made again when it is done, so that
what is found is the changed row and not the missing guard.
"""

from collections.abc import Callable, Collection
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session

from ledger.aid import disbursements, obligations
from ledger.books import journal, periods, rollups, seals
from ledger.books.journal import Because
from ledger.books.postings import credit, debit
from ledger.giving import donations
from ledger.storage.engine import transaction
from tests import donors as made
from tests.bookcheck import assert_it_holds, deviations_after, found, named_after, owning, told_after
from tests.bookkeeping import DAY, EUR_LEAF, LATER, RECORDER, post
from tests.cast import NOW, TODAY, House, byn, engine_of, eur

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
GIFTS = {"unidentified-gifts", "gift-entries"}
"""The checks of what is known of a gift."""
GIFT, FEE, REVERSAL = 1, 2, 3
"""The entries of the book, in the order in which they are posted."""
pytestmark = pytest.mark.place("released_payment")
LINE = "INSERT INTO line (entry_id, number, xact_id, account_code, fund_code, currency, minor) SELECT "


@pytest.fixture
def book(founded: Session) -> Session:
    """A gift, a fee, and the reversal of the fee, committed."""
    donations.receive_at_bank(
        founded,
        source_key="test:gift",
        leaf=EUR_LEAF,
        gift=eur("20.00"),
        reference=None,
        on=DAY,
        recorded_at=NOW,
        recorded_by=RECORDER,
    )
    fee = eur("5.00")
    post(founded, [debit("6020", fee, "general"), credit(EUR_LEAF, fee, "general")], source_key="test:fee")
    journal.reverse(
        founded,
        FEE,
        source_key="test:reversal",
        because=Because.BOOKED_TWICE,
        on=LATER,
        recorded_at=NOW,
        recorded_by=RECORDER,
    )
    founded.commit()
    return founded


def attack(session: Session, *statements: str, by: Collection[str] = ()) -> set[tuple[str, str, str]]:
    """What the checks find after somebody has run these statements as the owner: check, kind and name.

    `by` names the checks to run; all unless told.
    """
    engine = _engine(session)
    with owning(engine) as connection:
        for statement in statements:
            connection.execute(text(statement))
    with transaction(engine, write=False) as looking:
        return {(one.check, one.kind, one.name) for one in found(looking, by=by)}


def test_before_an_attack_nothing_is_found(book: Session) -> None:
    assert_it_holds(_engine(book))


def test_before_an_attack_on_aid_nothing_is_found(aided: House) -> None:
    assert_it_holds(_engine(aided.session))


ONE_ROW = {
    "an amount": ("UPDATE line SET minor = minor + 1 WHERE entry_id = 2 AND number = 1", FEE, "balanced"),
    "both amounts": ("UPDATE line SET minor = minor * 2 WHERE entry_id = 2", FEE, "as-agreed"),
    "both sides": ("UPDATE line SET minor = -minor WHERE entry_id = 2", FEE, "as-agreed"),
    "the day of effect": ("UPDATE entry SET effective_on = '2020-11-03' WHERE id = 2", FEE, "as-agreed"),
    "the day it happened": ("UPDATE entry SET happened_on = '2020-11-01' WHERE id = 2", FEE, "as-agreed"),
    "an account": ("UPDATE line SET account_code = '6000' WHERE entry_id = 2 AND number = 1", FEE, "as-agreed"),
    "a fund": ("UPDATE line SET fund_code = 'fines' WHERE entry_id = 2 AND number = 1", FEE, "balanced"),
    "both funds": ("UPDATE line SET fund_code = 'fines' WHERE entry_id = 2", FEE, "as-agreed"),
    "both currencies": ("UPDATE line SET currency = 'USD' WHERE entry_id = 2", FEE, "accounts"),
    "a subject": ("UPDATE line SET subject = 'G-0000-0000-0002' WHERE entry_id = 1 AND number = 2", GIFT, "as-agreed"),
    "a subject's kind": ("UPDATE line SET subject = 'A-0000-0000-0002' WHERE entry_id = 1", GIFT, "subjects"),
    "no subject": ("UPDATE line SET subject = NULL WHERE entry_id = 1", GIFT, "subjects"),
    "a case": ("UPDATE line SET case_alias = 'C-0000-0000-0002' WHERE entry_id = 2", FEE, "as-agreed"),
    "a day of the rate": ("UPDATE line SET rate_on = '2020-10-01' WHERE entry_id = 2", FEE, "as-agreed"),
    "the key": ("UPDATE entry SET source_key = 'test:other' WHERE id = 2", FEE, "as-agreed"),
    "the kind": ("UPDATE entry SET kind = 'other' WHERE id = 2", FEE, "as-agreed"),
    "the fingerprint": ("UPDATE entry SET fingerprint = 'f' WHERE id = 2", FEE, "as-agreed"),
    "the future": ("UPDATE entry SET effective_on = '2031-01-01' WHERE id = 2", FEE, "readable"),
    "what is reversed": ("UPDATE entry SET reverses_id = 1 WHERE id = 3", REVERSAL, "reversals"),
    "that it reverses": ("UPDATE entry SET reverses_id = NULL WHERE id = 3", REVERSAL, "reversals"),
    "why it reverses": ("UPDATE entry SET because = 'wrong_date' WHERE id = 3", REVERSAL, "as-agreed"),
    "a mirrored amount": ("UPDATE line SET minor = minor * 3 WHERE entry_id = 3", REVERSAL, "reversals"),
    "a line less": ("DELETE FROM line WHERE entry_id = 2 AND number = 1", FEE, "numbered"),
    "a line more": (f"{LINE} 2, 3, xact_id, '6300', 'general', 'EUR', 1 FROM entry WHERE id = 2", FEE, "balanced"),
    "an entry less": ("DELETE FROM entry WHERE id = 2", FEE, "orphans"),
    "a line elsewhere": ("UPDATE line SET entry_id = 9 WHERE entry_id = 2 AND number = 2", 9, "orphans"),
    "a number": ("UPDATE line SET number = 5 WHERE entry_id = 2 AND number = 2", FEE, "numbered"),
}


def test_a_changed_row_is_found_and_its_entry_is_named(book: Session) -> None:
    told = named_after(_engine(book), {name: (statement, check) for name, (statement, _, check) in ONE_ROW.items()})

    expected = {name: (check, "entry", str(entry)) for name, (_, entry, check) in ONE_ROW.items()}
    assert {name: told[name] for name, one in expected.items() if one not in told[name]} == {}


def test_lines_that_cancel_out_are_found_in_the_entry_they_joined(book: Session) -> None:
    told = attack(
        book,
        f"{LINE} 2, 3, xact_id, '6300', 'general', 'EUR', 700 FROM entry WHERE id = 2",
        f"{LINE} 2, 4, xact_id, '{EUR_LEAF}', 'general', 'EUR', -700 FROM entry WHERE id = 2",
        by={"as-agreed"},
    )

    assert ("as-agreed", "entry", str(FEE)) in told


def test_a_gift_whose_entry_is_gone_with_its_lines_is_found(book: Session) -> None:
    (gift,) = donations.listed(book)

    told = attack(book, "DELETE FROM line WHERE entry_id = 1", "DELETE FROM entry WHERE id = 1", by=GIFTS)

    assert {("unidentified-gifts", "donation", gift.alias), ("gift-entries", "donation", gift.alias)} <= told


@on_sqlite
def test_a_number_that_is_missing_on_sqlite_is_found(book: Session) -> None:
    told = attack(book, "DELETE FROM line WHERE entry_id = 2", "DELETE FROM entry WHERE id = 2", by={"gaps"})

    assert ("gaps", "entry", str(FEE)) in told


def test_an_entry_with_a_right_fingerprint_is_still_no_second_reversal(book: Session) -> None:
    """A fingerprint is no secret: whoever writes an entry can write its fingerprint too."""
    fingerprint = journal.fingerprint_of(
        journal.postings_of(book, REVERSAL),
        source_key="test:again",
        kind="reversal",
        happened_on=LATER,
        effective_on=LATER,
        reverses_id=FEE,
        because="booked_twice",
    )
    copy = (
        "INSERT INTO entry (id, xact_id, source_key, fingerprint, kind, happened_on, effective_on, recorded_at, "
        "recorded_by, reverses_id, because) SELECT 4, xact_id, 'test:again', 'FINGERPRINT', kind, happened_on, "
        "effective_on, recorded_at, recorded_by, reverses_id, because FROM entry WHERE id = 3"
    )
    lines = f"{LINE} 4, number, xact_id, account_code, fund_code, currency, minor FROM line WHERE entry_id = 3"
    rates = "UPDATE line SET rate_on = (SELECT max(rate_on) FROM line WHERE entry_id = 3) WHERE entry_id = 4"

    copied = [copy.replace("FINGERPRINT", fingerprint), lines, rates]
    told = attack(book, *_without_unique_reversals(book), *copied, by={"once", "as-agreed"})

    assert ("once", "entry", "4") in told
    assert not {one for one in told if one[0] == "as-agreed"}


@pytest.mark.parametrize("close", [seals.close, periods.soft_close])
def test_an_entry_that_slipped_into_a_closed_month_is_found(book: Session, close: Callable[..., object]) -> None:
    close(book, "2020-11", by=RECORDER, at=NOW.replace(month=12))
    book.commit()
    late = "UPDATE entry SET recorded_at = '2020-12-20 10:00:00+00:00' WHERE id = 2"
    if _engine(book).dialect.name == "sqlite":
        late = late.replace("+00:00", ".000000")

    told = attack(book, late, by={"open-month"})

    assert ("open-month", "entry", str(FEE)) in told


@pytest.mark.parametrize("close", [seals.close, periods.soft_close])
def test_a_fact_that_was_moved_out_of_a_closed_month_is_not_found(book: Session, close: Callable[..., object]) -> None:
    close(book, "2020-11", by=RECORDER, at=NOW.replace(month=12))
    post(
        book,
        [debit("6020", eur("1.00"), "general"), credit(EUR_LEAF, eur("1.00"), "general")],
        source_key="test:late",
        recorded_at=NOW.replace(month=12, day=21),
    )
    book.commit()

    told = attack(book)

    assert {name for _, kind, name in told if kind == "entry"} == set()


def test_a_changed_roll_up_is_found(book: Session) -> None:
    rollups.advance(book)
    book.commit()

    told = attack(
        book, "UPDATE rollup SET minor = minor + 1 WHERE account_code = '6020' AND level = 'month'", by={"rollups"}
    )

    assert ("rollups", "month", "2020-11-01") in told


def test_a_seal_that_was_changed_and_one_that_nobody_signed_are_found(book: Session) -> None:
    seals.close(book, "2020-11", by=RECORDER, at=NOW.replace(month=12))
    book.commit()

    told = attack(book, "UPDATE sealed_net_assets SET minor = minor + 1", by={"seals", "sealed-as-signed"})

    assert {("seals", "month", "2020-11"), ("sealed-as-signed", "month", "2020-11")} <= told


def test_a_day_of_effect_that_only_looks_moved_is_found(book: Session) -> None:
    moved = "UPDATE entry SET effective_on = '2020-11-03', happened_on = '2020-10-31' WHERE id = 2"

    told = attack(book, moved, by={"as-agreed"})

    assert ("as-agreed", "entry", str(FEE)) in told


UNREADABLE = {
    "a day in words": "UPDATE entry SET effective_on = 'tomorrow' WHERE id = 2",
    "a moment as a number": "UPDATE entry SET recorded_at = 17 WHERE id = 2",
    "no day": "UPDATE entry SET happened_on = '' WHERE id = 2",
    "no currency": "UPDATE line SET currency = '' WHERE entry_id = 2",
    "an unknown currency": "UPDATE line SET currency = 'XXX' WHERE entry_id = 2",
    "a part of a cent": "UPDATE line SET minor = 1.5 WHERE entry_id = 2 AND number = 1",
    "an amount in words": "UPDATE line SET minor = 'much' WHERE entry_id = 2 AND number = 1",
}


@on_sqlite
def test_what_is_no_day_and_no_amount_ends_no_check(book: Session) -> None:
    pragma = "PRAGMA ignore_check_constraints"
    attacks = {name: (f"{pragma} = ON;{one};{pragma} = OFF", "readable") for name, one in UNREADABLE.items()}

    told = named_after(_engine(book), attacks)

    assert {name: one for name, one in told.items() if ("readable", "entry", str(FEE)) not in one} == {}


# --- guards and tables


Deviating = dict[str, tuple[list[str], tuple[str, str, str, str]]]
ON_SQLITE: Deviating = {
    "dropped": (["DROP TRIGGER guard_line_no_update"], ("guards", "guard", "guard_line_no_update", "missing")),
    "lenient": (
        [
            "DROP TRIGGER guard_line_no_update",
            "CREATE TRIGGER guard_line_no_update BEFORE UPDATE ON line WHEN 0 BEGIN SELECT 1; END",
        ],
        ("guards", "guard", "guard_line_no_update", "changed"),
    ),
    "a trigger more": (
        ["CREATE TRIGGER own AFTER INSERT ON fund BEGIN DELETE FROM fund WHERE code = NEW.code; END"],
        ("guards", "guard", "own", "unknown"),
    ),
    "no index": (["DROP INDEX line_by_account"], ("schema", "index", "line_by_account", "missing")),
    "a table more": (["CREATE TABLE own (id int)"], ("schema", "table", "own", "unknown")),
    "a column more": (["ALTER TABLE fund ADD COLUMN own int"], ("schema", "table", "fund", "changed")),
}
ON_POSTGRESQL: Deviating = {
    "dropped": (
        ["DROP TRIGGER guard_line_append_only ON line"],
        ("guards", "guard", "guard_line_append_only", "missing"),
    ),
    "disabled": (
        ["ALTER TABLE line DISABLE TRIGGER guard_line_append_only"],
        ("guards", "guard", "guard_line_append_only", "disabled"),
    ),
    "all disabled": (
        ["ALTER TABLE entry DISABLE TRIGGER USER"],
        ("guards", "guard", "guard_entry_seals", "disabled"),
    ),
    "of replicas only": (
        ["ALTER TABLE line ENABLE REPLICA TRIGGER guard_line_append_only"],
        ("guards", "guard", "guard_line_append_only", "disabled"),
    ),
    "a function that does nothing": (
        ["CREATE OR REPLACE FUNCTION guard_append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"],
        ("guards", "guard", "guard_line_append_only", "changed"),
    ),
    "of each statement": (
        [
            (
                "CREATE OR REPLACE TRIGGER guard_line_append_only BEFORE UPDATE ON line FOR EACH STATEMENT "
                "EXECUTE FUNCTION guard_append_only()"
            )
        ],
        ("guards", "guard", "guard_line_append_only", "changed"),
    ),
    "never": (
        [
            (
                "CREATE OR REPLACE TRIGGER guard_entry_seals BEFORE INSERT ON entry FOR EACH ROW "
                "WHEN (false) EXECUTE FUNCTION guard_entry()"
            )
        ],
        ("guards", "guard", "guard_entry_seals", "changed"),
    ),
    "a function without its settings": (
        ["ALTER FUNCTION post_entry RESET ALL"],
        ("guards", "guard", "post_entry", "changed"),
    ),
    "a function by another name": (
        ["ALTER FUNCTION post_entry RENAME TO post_entry_of_before"],
        ("guards", "guard", "post_entry", "missing"),
    ),
    "a guard's function without its settings": (
        ["ALTER FUNCTION guard_line() RESET ALL"],
        ("guards", "guard", "guard_line_before_its_entry", "changed"),
    ),
    "a trigger more": (
        ["CREATE TRIGGER own BEFORE INSERT ON fund FOR EACH ROW EXECUTE FUNCTION guard_append_only()"],
        ("guards", "guard", "own", "unknown"),
    ),
    "no constraint": (
        ["ALTER TABLE line DROP CONSTRAINT minor_is_not_zero"],
        ("schema", "constraint", "line.minor_is_not_zero", "missing"),
    ),
    "another type": (
        ["ALTER TABLE entry ALTER COLUMN kind TYPE text"],
        ("schema", "table", "modify_type.entry.kind", "changed"),
    ),
    "no index": (["DROP INDEX line_by_account"], ("schema", "table", "add_index.line_by_account", "changed")),
}


@on_sqlite
def test_on_sqlite_a_changed_guard_or_table_is_found(book: Session) -> None:
    assert not_found(book, ON_SQLITE) == {}


@on_postgresql
def test_on_postgresql_a_changed_guard_or_table_is_found(book: Session) -> None:
    assert not_found(book, ON_POSTGRESQL) == {}


def not_found(book: Session, attacks: Deviating) -> dict[str, set[tuple[str, ...]]]:
    """Of attacks that were not found as they should: what was found instead."""
    told = deviations_after(_engine(book), {name: (said, expected[0]) for name, (said, expected) in attacks.items()})
    return {name: told[name] for name, (_, expected) in attacks.items() if expected not in told[name]}


@on_postgresql
def test_on_postgresql_a_sequence_that_was_set_back_is_found(book: Session) -> None:
    told = attack(book, "SELECT setval('entry_number', 1)", by={"sequences"})

    assert ("sequences", "sequence", "entry_number") in told


# --- aid


@pytest.fixture
def aided(house: House) -> House:
    """A released payment of a fine, out of a gift, committed."""
    return house


def the_obligation(house: House) -> Any:
    (alias,) = house.session.connection().scalars(text("SELECT alias FROM obligation"))
    return obligations.require(house.session, alias)


def the_payment(house: House) -> str:
    (alias,) = house.session.connection().scalars(text("SELECT alias FROM disbursement"))
    return str(alias)


ON_AID: dict[str, tuple[str, Callable[[House], str], str]] = {
    "a state": ("UPDATE obligation SET state = 'paid'", lambda house: the_obligation(house).alias, "payments"),
    "a liability": (
        "UPDATE obligation SET state = 'due'",
        lambda house: the_obligation(house).alias,
        "approved-assistance",
    ),
    "a sum": ("UPDATE disbursement SET minor = minor + 1", lambda house: the_obligation(house).alias, "payments"),
    "an approver": ("UPDATE disbursement SET approved_by = requested_by", the_payment, "four-eyes"),
    "a releaser": (
        "UPDATE disbursement SET released_by = 'OP-0000-0000-0001'",
        the_payment,
        "signed",
    ),
    "a payee": (
        "UPDATE disbursement SET payee_commitment = 'f' || substr(payee_commitment, 1, 63)",
        the_payment,
        "commitments",
    ),
    "a ruling's day": (
        "UPDATE ruling SET payable_from = '2020-12-01'",
        the_payment,
        "after-not-before",
    ),
    "an act's verb": (
        "UPDATE signed_act SET verb = 'approve_batch' WHERE verb = 'approve_disbursement'",
        the_payment,
        "signed",
    ),
    "a roster": ("UPDATE roster SET signatures = '{}'", lambda _: "1", "rosters"),
    "a rejection": ("UPDATE aid_case SET state = 'rejected'", lambda house: the_obligation(house).case_alias, "cases"),
    "a hold less": ("DELETE FROM hold WHERE reserves = 'leaf'", the_payment, "payments-held"),
    "a hold more": ("UPDATE hold SET minor = minor + 1 WHERE reserves = 'leaf'", the_payment, "payments-held"),
    "a hold freed": (
        "DELETE FROM hold_movement",
        lambda house: the_obligation(house).alias,
        "promises-held",
    ),
    "a hold overdrawn": (
        "UPDATE hold_movement SET minor = minor * 2",
        lambda house: the_obligation(house).alias,
        "holds",
    ),
    "a reference": ("UPDATE disbursement SET reference = 'RF00'", the_payment, "references"),
}


def test_what_was_changed_of_aid_is_found(aided: House) -> None:
    expected = {name: (check, of(aided)) for name, (_, of, check) in ON_AID.items()}

    told = named_after(_engine(aided.session), {name: (said, check) for name, (said, _, check) in ON_AID.items()})

    found_of = {name: {(check, of) for check, _, of in one} for name, one in told.items()}
    assert {name: one for name, one in found_of.items() if expected[name] not in one} == {}


ON_FACTS: dict[str, tuple[str, str]] = {
    "a day of told": ("UPDATE obligation SET told_on = '2020-11-19'", "told"),
    "a day of told, long before": ("UPDATE obligation SET told_on = '2019-01-01'", "told"),
    "a day of told that never was": ("UPDATE obligation SET told_on = '2020-11-21'", "told"),
    "a kind": ("UPDATE obligation SET kind = 'detention'", "kinds"),
    "a kind that is never booked": ("UPDATE obligation SET kind = 'bail'", "kinds"),
    "a day of arrival": ("UPDATE aid_case SET received_on = '2020-01-01'", "days"),
    "a day of arrival after the verification": ("UPDATE aid_case SET received_on = '2020-12-01'", "days"),
    "a case's deadline": ("UPDATE aid_case SET due_by = '2030-01-07'", "days"),
    "a ruling's deadline": ("UPDATE ruling SET due_by = '2030-01-07'", "days"),
    "a payment's deadline": ("UPDATE disbursement SET due_by = '2030-01-07'", "days"),
    "an article that is none": ("UPDATE ruling SET article = '0.0'", "days"),
    "a region that is none": ("UPDATE ruling SET region = 'nowhere'", "days"),
    "a ruling's exact day": ("UPDATE ruling SET ruled_by = '2020-09-30'", "days"),
    "tokens": ("DELETE FROM token", "tokens"),
    "a day of payment": ("UPDATE disbursement SET paid_on = '2020-11-19'", "paid"),
    "a place of payment": ("UPDATE disbursement SET account_code = '1000:elsewhere'", "paid"),
    "a hold taken by another entry": ("UPDATE hold_movement SET source_key = source_key || 'x'", "paid"),
    "before the days of appeal": (
        "UPDATE ruling SET force_presumed = true; UPDATE disbursement SET released_on = '2020-10-12'",
        "after-not-before",
    ),
}
"""Rows of aid that say something else than their entries, their acts, or each other: a statement, and who finds it."""


def test_what_rows_of_aid_say_is_held_against_entries_acts_and_each_other(aided: House) -> None:
    disbursements.pay(
        aided.session,
        disbursements.require(aided.session, the_payment(aided)),
        source_key="bank:the line",
        on=TODAY,
        recorded_at=NOW,
        recorded_by=aided.fund.clara.alias,
    )
    lawful = {"": ("UPDATE disbursement SET released_on = '2020-10-12'", "after-not-before")}

    told = told_after(engine_of(aided.session), ON_FACTS)

    assert told == {name: {check} for name, (_, check) in ON_FACTS.items()}
    assert told_after(engine_of(aided.session), lawful) == {"": set()}


@pytest.fixture
def certified(house: House) -> House:
    """Two gifts of one donor, one certified twice over, one on a cancelled receipt; a merged alias; a setting."""
    made.furnish(house)
    donor, twin = made.a_donor(house), made.a_donor(house)
    gift, other = (made.a_gift(house, byn(amount), of=donor) for amount in ("10.00", "2.00"))
    first = made.issue(house, made.a_new_receipt(house.session, donor, gift))
    made.issue(house, made.a_new_receipt(house.session, donor, gift, replaces=first.alias))
    made.cancel(house, made.issue(house, made.a_new_receipt(house.session, donor, other)))
    made.merge(house, twin, donor)
    return house


ON_RECEIPTS = {
    "a number": ("UPDATE receipt SET number = 9 WHERE number = 3", "receipt-numbers"),
    "an amount": ("UPDATE receipt SET minor = minor + 1 WHERE number = 2", "receipts"),
    "a certified part": ("UPDATE receipt_gift SET minor = minor + 1 WHERE minor = 1000", "receipts"),
    "a cancellation taken back": ("DELETE FROM receipt_void WHERE reason = 'replaced'", "receipts"),
    "a receipt less": ("DELETE FROM receipt WHERE number = 3", "receipts"),
    "a gift given back": ("UPDATE donation SET refunded_minor = 1 WHERE minor = 1000", "receipts"),
    "another donor's gift": ("UPDATE donor_link SET donor_alias = NULL", "receipts"),
    "a commitment": ("UPDATE receipt SET commitment = 'f' || substr(commitment, 1, 63)", "receipts-signed"),
    "a reason": ("UPDATE receipt_void SET reason = 'wish' WHERE reason = 'mistake'", "receipts-signed"),
    "a cancellation for a replacement": ("UPDATE receipt_void SET reason = 'replaced'", "receipts-signed"),
    "a merge the other way": ("UPDATE donor_merge SET alias = into_alias, into_alias = alias", "receipts-signed"),
    "a merge's act": ("UPDATE donor_merge SET nonce = (SELECT nonce FROM receipt WHERE number = 1)", "receipts-signed"),
    "a link's number": ("UPDATE donor_link SET number = 2", "receipt-numbers"),
}


@pytest.mark.place("house")
def test_what_was_changed_of_receipts_is_found(certified: House) -> None:
    told = told_after(_engine(certified.session), ON_RECEIPTS)

    assert told == {name: {check} for name, (_, check) in ON_RECEIPTS.items()}


def test_a_signature_that_does_not_hold_is_found(aided: House) -> None:
    told = attack(aided.session, "UPDATE signed_act SET signature = 'f' || substr(signature, 1, 127)", by={"acts"})

    assert "acts" in {check for check, _, _ in told}


def test_nothing_found_names_a_reference_or_a_key(aided: House) -> None:
    reference = aided.session.connection().scalar(text("SELECT reference FROM disbursement"))
    engine = _engine(aided.session)

    with owning(engine) as connection:
        connection.execute(
            text("UPDATE disbursement SET minor = 5, payee_commitment = 'x', approved_by = requested_by")
        )
    with transaction(engine, write=False) as looking:
        told = repr(found(looking))

    assert reference is not None
    assert reference not in told


def _engine(session: Session) -> Engine:
    session.commit()
    bound = session.get_bind()
    assert isinstance(bound, Engine)
    return bound


def _without_unique_reversals(session: Session) -> list[str]:
    """The owner takes the database's own rule away."""
    if _engine(session).dialect.name == "postgresql":
        return ["ALTER TABLE entry DROP CONSTRAINT entry_reverses_id_key"]
    return [
        "CREATE TABLE copied AS SELECT * FROM entry",
        "DROP TABLE entry",
        "ALTER TABLE copied RENAME TO entry",
    ]
