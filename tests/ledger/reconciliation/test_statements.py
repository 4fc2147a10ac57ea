from datetime import date
from itertools import permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from ledger import references
from ledger.aliases import AliasTaken, BadAlias, Kind, draw
from ledger.books import accounts, journal
from ledger.books.accounts import NotPostable, UnknownAccount
from ledger.books.postings import credit, debit
from ledger.identities.boxes import BadDigest
from ledger.reconciliation import chain, statements, tellings
from ledger.reconciliation.statements import (
    BadStatement,
    ContentConflict,
    NewLine,
    NewStatement,
    Statement,
    StatementLine,
)
from tests.cast import LEAF, NOW, SECOND_LEAF, House, byn, eur, everything, nothing_written

DAY = date(2020, 11, 12)


def line(amount: str, *, on: date = DAY, reference: str | None = None) -> NewLine:
    return NewLine(on, None, byn(amount), reference, reversal=False)


def statement(*lines: NewLine, **other: Any) -> NewStatement:
    """A statement of the main leaf; its content is another one each time unless told."""
    said: dict[str, Any] = {
        "alias": draw(Kind.STATEMENT),
        "account": LEAF,
        "currency": "BYN",
        "opened_on": date(2020, 11, 1),
        "closed_on": date(2020, 11, 30),
        "opening": None,
        "closing": None,
        "content_token": draw(Kind.STATEMENT).encode().hex().ljust(64, "0"),
    }
    return NewStatement(lines=lines, **(said | other))


def receive(house: House, new: NewStatement) -> tuple[Statement, list[StatementLine]]:
    return tellings.receive(house.session, new, received_at=NOW, received_by=house.fund.clara.alias)


def keys(lines: list[StatementLine]) -> list[str]:
    return [one.source_key.removeprefix(f"bank:{LEAF}:") for one in lines]


def test_a_statement_is_kept_with_its_lines(house: House) -> None:
    told = NewLine(DAY, date(2020, 11, 13), byn("-12.50"), None, reversal=True)

    kept, fresh = receive(house, statement(told, opening=byn("100.00"), closing=byn("87.50")))

    assert (kept.account_code, kept.currency, kept.received_by) == (LEAF, "BYN", house.fund.clara.alias)
    assert (kept.opening_minor, kept.closing_minor) == (10_000, 8_750)
    (one,) = fresh
    assert (one.booked_on, one.value_on, one.amount(), one.reversal) == (DAY, date(2020, 11, 13), byn("-12.50"), True)
    assert one.source_key == f"bank:{LEAF}:2020-11-12:-1250:1"
    assert statements.lines_of(house.session, kept.alias) == fresh


def test_a_balance_that_the_bank_did_not_write_is_not_zero(house: House) -> None:
    kept, _ = receive(house, statement())

    assert (kept.opening_minor, kept.closing_minor) == (None, None)
    zero, _ = receive(house, statement(opening=byn("0.00"), closing=byn("0.00")))
    assert (zero.opening_minor, zero.closing_minor) == (0, 0)


# --- lines once


def test_lines_of_one_day_and_amount_are_counted(house: House) -> None:
    _, fresh = receive(
        house, statement(line("20.00"), line("20.00"), line("-20.00"), line("20.00", on=date(2020, 11, 13)))
    )

    assert keys(fresh) == ["2020-11-12:2000:1", "2020-11-12:2000:2", "2020-11-12:-2000:1", "2020-11-13:2000:1"]


def test_an_overlapping_statement_brings_its_new_lines_only(house: House) -> None:
    receive(house, statement(line("20.00"), line("30.00")))

    _, fresh = receive(house, statement(line("30.00"), line("20.00"), line("20.00"), line("40.00")))

    assert keys(fresh) == ["2020-11-12:2000:2", "2020-11-12:4000:1"]


def test_the_same_day_on_another_leaf_is_another_line(house: House) -> None:
    receive(house, statement(line("20.00")))

    _, fresh = receive(house, statement(line("20.00"), account=SECOND_LEAF))

    assert [one.source_key for one in fresh] == [f"bank:{SECOND_LEAF}:2020-11-12:2000:1"]


def test_of_two_payments_of_one_amount_the_unseen_one_is_new_in_whatever_order_they_are_told(house: House) -> None:
    first, second = (house.a_requested_payment().reference for _ in range(2))
    receive(house, statement(line("-810.00", reference=first)))

    _, fresh = receive(house, statement(line("-810.00", reference=second), line("-810.00", reference=first)))

    assert [(one.reference, one.source_key[-2:]) for one in fresh] == [(second, ":2")]


def test_a_line_whose_reference_one_file_tells_and_the_other_not_comes_once(house: House) -> None:
    reference = house.a_requested_payment().reference
    receive(house, statement(line("-810.00", reference=reference), line("5.00")))

    _, fresh = receive(house, statement(line("-810.00"), line("5.00")))

    assert fresh == []


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_day_told_in_parts_and_then_whole_is_told_once(house: House, order: tuple[int, ...]) -> None:
    references_ = [house.a_requested_payment().reference for _ in range(3)]
    receive(house, statement(line("-810.00", reference=references_[0])))
    receive(house, statement(line("-810.00", reference=references_[0]), line("-810.00", reference=references_[1])))

    receive(house, statement(*[line("-810.00", reference=references_[at]) for at in order]))

    told = [one.reference for one in statements.unmatched(house.session, LEAF)]
    assert sorted(told, key=str) == sorted(references_)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whole_days_in_overlapping_statements_come_once_each(house: House, data: st.DataObject) -> None:
    whole = data.draw(st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["1.00", "2.00", "-1.00"])), max_size=12))
    spans = data.draw(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=4))
    lines = [line(amount, on=date(2020, 11, day)) for day, amount in whole]

    with house.session.begin_nested() as savepoint:
        covered: set[int] = set()
        for first, last in spans:
            days = range(first, last + 1)
            covered |= set(days)
            receive(house, statement(*data.draw(st.permutations([one for one in lines if one.booked_on.day in days]))))
        told = statements.unmatched(house.session, LEAF)
        savepoint.rollback()

    expected = [(one.booked_on, one.amount.minor) for one in lines if one.booked_on.day in covered]
    assert sorted((one.booked_on, one.minor) for one in told) == sorted(expected)


# --- privacy


def test_a_reference_that_we_did_not_issue_is_not_kept(house: House) -> None:
    stranger = references.draw()

    _, fresh = receive(house, statement(line("20.00", reference=stranger), line("30.00", reference="Invented Person")))

    assert [one.reference for one in fresh] == [None, None]
    assert stranger not in repr(everything(house.session))
    assert "Invented Person" not in repr(everything(house.session)["statement_line"])


# --- refusals

REFUSED: dict[str, tuple[dict[str, Any], type[Exception]]] = {
    "an unknown account": ({"account": "1000:nowhere"}, UnknownAccount),
    "no leaf": ({"account": "1000"}, NotPostable),
    "another currency than the leaf's": ({"currency": "EUR"}, NotPostable),
    "no bank leaf": ({"account": "1020"}, BadStatement),
    "an opening in another currency": ({"opening": eur("1.00")}, BadStatement),
    "a closing in another currency": ({"closing": eur("1.00")}, BadStatement),
    "no statement's alias": ({"alias": "C-0000-0000-0001"}, BadAlias),
    "a text in place of the token": ({"content_token": "Invented bank, account of Invented Person"}, BadDigest),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_statement_that_cannot_be_is_refused(house: House, what: str) -> None:
    change, kind = REFUSED[what]

    with nothing_written(house.session), pytest.raises(kind) as refusal:
        receive(house, statement(line("20.00"), **change))

    assert "Invented" not in f"{refusal.value} {vars(refusal.value)}"


def test_a_line_of_zero_or_in_another_currency_is_refused_by_its_number(house: House) -> None:
    strange = NewLine(DAY, None, eur("1.00"), None, reversal=False)

    with nothing_written(house.session), pytest.raises(BadStatement) as refusal:
        receive(house, statement(line("20.00"), line("0.00")))
    assert refusal.value.data == {"where": "line 2"}
    with nothing_written(house.session), pytest.raises(BadStatement):
        receive(house, statement(line("20.00"), strange))


def test_a_statements_alias_is_taken_once(house: House) -> None:
    kept, _ = receive(house, statement())

    with nothing_written(house.session), pytest.raises(AliasTaken):
        receive(house, statement(line("20.00"), alias=kept.alias))


# --- contents


def test_a_content_that_came_before_is_found(house: House) -> None:
    new = statement(line("20.00"), opening=byn("0.00"), closing=byn("20.00"))
    assert statements.by_content(house.session, new) is None

    kept, _ = receive(house, new)

    assert statements.by_content(house.session, new) == kept
    assert statements.by_content(house.session, statement(line("20.00"))) is None


@pytest.mark.parametrize(
    "other",
    [{"account": SECOND_LEAF}, {"closing": byn("30.00")}, {"opening": None}, {"opening": byn("0.01")}],
    ids=["another account", "another closing", "no opening", "another opening"],
)
def test_a_content_that_came_before_as_something_else_is_a_conflict(house: House, other: dict[str, Any]) -> None:
    said = {"opening": byn("0.00"), "closing": byn("20.00"), "content_token": "ab" * 32}
    receive(house, statement(line("20.00"), **said))

    with nothing_written(house.session), pytest.raises(ContentConflict) as refusal:
        statements.by_content(house.session, statement(line("20.00"), **(said | other)))

    assert refusal.value.data == {"account": LEAF}


# --- found


def test_a_line_that_an_entry_answers_is_not_unmatched(house: House) -> None:
    _, (first, second) = receive(house, statement(line("20.00"), line("30.00")))
    assert statements.unmatched(house.session, LEAF) == [first, second]
    postings = [debit(LEAF, byn("20.00"), "general"), credit("4300", byn("20.00"), "general")]
    posted = journal.post(
        house.session,
        source_key=first.source_key,
        kind="interest",
        postings=postings,
        happened_on=DAY,
        recorded_at=NOW,
        recorded_by="test",
    )

    statements.answer(house.session, first, entry_id=posted.entry_id)

    assert statements.unmatched(house.session, LEAF) == [second]
    assert statements.unmatched(house.session, SECOND_LEAF) == []


def test_statements_of_a_leaf_are_told_by_their_closing_days(house: House) -> None:
    october, _ = receive(house, statement(closed_on=date(2020, 10, 31)))
    december, _ = receive(house, statement(closed_on=date(2020, 12, 31)))
    november, _ = receive(house, statement(closed_on=date(2020, 11, 30)))
    undated, _ = receive(house, statement(closed_on=None))

    assert chain.of_account(house.session, LEAF) == [undated, october, november, december]
    assert chain.of_account(house.session, SECOND_LEAF) == []


def test_a_closed_leaf_takes_no_statement(house: House) -> None:
    close(house.session)

    with nothing_written(house.session), pytest.raises(NotPostable):
        receive(house, statement(line("20.00")))


def close(session: Session) -> None:
    leaf = session.get_one(accounts.Account, LEAF)
    leaf.closed = True
    session.add(leaf)
    session.commit()


def test_other_lines_between_the_same_balances_are_not_told_again(house: House) -> None:
    same: dict[str, Any] = {"opening": byn("0.00"), "closing": byn("0.00"), "opened_on": None}
    same |= {"format": "mt940", "number": "12/1"}
    receive(house, statement(line("50.00"), line("-50.00"), **same))

    _, again = receive(house, statement(line("50.00"), line("-50.00"), **same))
    _, others = receive(house, statement(line("30.00"), line("-30.00"), **same))

    assert again == []
    assert [one.minor for one in others] == [3000, -3000]
