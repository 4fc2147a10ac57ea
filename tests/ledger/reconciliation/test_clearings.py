from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session

from ledger import approvals, exceptions
from ledger.aliases import Kind, draw
from ledger.approvals import NonceUsed, NotInRole, SamePerson
from ledger.books import journal
from ledger.books.postings import credit, debit
from ledger.errors import LedgerError
from ledger.exceptions import Difference, OpenException, UnknownException
from ledger.money import Money
from ledger.people import Limit, Role
from ledger.reconciliation import bank, clearings
from ledger.reconciliation.clearings import (
    BadClearing,
    Because,
    Clearing,
    ClosedByMachines,
    EntryTaken,
    LineWaits,
    MovementWaits,
    NewClearing,
    UnknownClearing,
)
from ledger.reconciliation.statements import NewLine, NewStatement
from ledger.reconciliation.suggestions import WAYS, NoPosting
from ledger.reconciliation.waits import OF_LINES
from tests.bookcheck import found
from tests.cast import LEAF, NOW, TODAY, House, Person, agreed_by, byn, enrol, nothing_written, the_next

NOTE = "ab" * 32
MINE = {"exceptions", "clearings", "acts", "signed", "four-eyes"}


def differ(
    house: House, difference: Difference = Difference.BALANCE_DIFFERS, amount: Money | None = None, about: str = "S-1"
) -> OpenException:
    return exceptions.open_once(
        house.session, difference=difference, account=LEAF, about=about, amount=amount or byn("5.00"), on=TODAY
    )


def say(
    house: House,
    opened: OpenException,
    *,
    because: Because = Because.LOOKED_INTO,
    entry_id: int | None = None,
    note: str | None = None,
    by: Person | None = None,
    **lies: Any,
) -> Clearing:
    """Clara says what an exception comes to; `lies` are fields in which an attacker lies."""
    new = NewClearing(
        alias=draw(Kind.CLEARING), exception=opened.alias, because=because, entry_id=entry_id, note_commitment=note
    )
    return clearings.request(house.session, new, sign(by or house.fund.clara, "clear_exception", new, opened, **lies))


def sign(
    person: Person, verb: approvals.Verb, new: NewClearing, opened: OpenException, **lies: Any
) -> approvals.Agreed:
    amount = opened.amount()
    seen: dict[str, Any] = {
        "object": new.alias,
        "amount": amount.decimal() if amount else None,
        "currency": opened.currency,
        "payee_commitment": clearings.commitment(exception=opened.alias, because=new.because, entry_id=new.entry_id),
        "evidence_commitments": (new.note_commitment,) if new.note_commitment else (),
    }
    return agreed_by(person, verb, detail=new.because, **(seen | lies))


def agree(house: House, said: Clearing, *, by: Person | None = None) -> Clearing:
    opened = house.session.get_one(OpenException, said.exception_alias)
    new = NewClearing(
        alias=said.alias,
        exception=opened.alias,
        because=said.because,
        entry_id=said.entry_id,
        note_commitment=said.note_commitment,
    )
    agreed = sign(by or house.fund.boris, "agree_clearing", new, opened)
    return clearings.agree(house.session, said.alias, agreed, exception=said.exception_alias)


def limit_treasurers(house: House, **most: str) -> None:
    roster = house.fund.roster()
    limit = Limit(role=Role.TREASURER, currency="BYN", **most)
    changed = the_next(roster, format="solidarity-roster-3", limits=(limit,))
    enrol(house.session, changed, house.fund.olga, house.fund.oleg)


def a_fee(house: House, amount: str = "5.00") -> int:
    """An entry by which the leaf gains what it lacked."""
    came = byn(amount)
    return journal.post(
        house.session,
        source_key=f"test:{draw(Kind.EXCEPTION)}",
        kind="manual",
        postings=[debit(LEAF, came, "general"), credit("6020", came, "general")],
        happened_on=TODAY,
        recorded_at=NOW,
        recorded_by=house.fund.clara.alias,
    ).entry_id


# --- two people, or one within limits


def test_a_dismissal_closes_when_a_second_person_agrees(house: House) -> None:
    opened = differ(house)
    said = say(house, opened, note=NOTE)
    waiting = exceptions.listed(house.session)

    agree(house, said)

    assert (waiting, said.alone) == ([opened], False)
    assert opened.resolved_on == TODAY
    assert found(house.session, by=MINE) == []


@pytest.mark.parametrize(
    ("limit", "amount", "alone"),
    [
        ({"per_act": "5.00"}, "5.00", True),
        ({"per_act": "5.00"}, "-5.00", True),
        ({"per_act": "4.99"}, "5.00", False),
        ({"per_act": "4.99"}, "-5.00", False),
        ({"per_act": "9.00", "per_day": "4.00"}, "5.00", False),
        ({"per_day": "9.00"}, "5.00", False),
    ],
)
def test_a_treasurer_dismisses_alone_what_the_roster_says(
    house: House, limit: dict[str, str], amount: str, alone: bool
) -> None:
    limit_treasurers(house, **limit)
    opened = differ(house, amount=byn(amount))

    said = say(house, opened)

    assert (said.alone, opened.resolved_on is not None) == (alone, alone)
    assert found(house.session, by=MINE) == []


def test_a_sum_that_is_split_is_counted_over_the_day(house: House) -> None:
    limit_treasurers(house, per_act="5.00", per_day="9.00")

    alone = [say(house, differ(house, about=f"S-{nth}")).alone for nth in range(3)]

    assert alone == [True, False, False]


def test_what_is_not_about_money_takes_two(house: House) -> None:
    limit_treasurers(house, per_act="1000.00")
    opened = exceptions.open_anew(house.session, Difference.CHECK_FAILED, about="chains", on=TODAY)

    said = say(house, opened, because=Because.PUT_RIGHT)

    assert opened.resolved_on is None
    agree(house, said)
    assert opened.resolved_on == TODAY
    assert found(house.session, by=MINE) == []


def test_nobody_agrees_to_their_own_dismissal(house: House) -> None:
    opened = differ(house)
    said = say(house, opened, by=house.fund.clara)

    with nothing_written(house.session), pytest.raises((SamePerson, NotInRole)):
        agree(house, said, by=house.fund.clara)

    assert opened.resolved_on is None


def test_who_reads_too_much_neither_dismisses_that_nor_agrees(house: House) -> None:
    boris, clara = house.fund.boris, house.fund.clara
    for reader in (boris, clara):
        exceptions.open_once(
            house.session, difference=Difference.TOO_MANY_READINGS, about=f"{reader.alias}:{TODAY}", on=TODAY
        )
    of_boris, of_clara = sorted(
        exceptions.listed(house.session), key=lambda one: one.about.split(":")[1] == clara.alias
    )

    with nothing_written(house.session), pytest.raises(SamePerson):
        say(house, of_clara)
    said = say(house, of_boris)
    with nothing_written(house.session), pytest.raises(SamePerson):
        agree(house, said, by=boris)


def test_a_clearing_is_agreed_to_once_and_an_exception_closed_once(house: House) -> None:
    opened = differ(house)
    first, second = say(house, opened), say(house, opened)
    agree(house, first)

    with nothing_written(house.session), pytest.raises(UnknownClearing):
        agree(house, first, by=house.fund.bella)
    with nothing_written(house.session), pytest.raises(UnknownException):
        agree(house, second)
    with nothing_written(house.session), pytest.raises(UnknownException):
        say(house, opened)


# --- who closes what: the table of docs/exceptions.md

ALONE, TWO, TWO_WHO_LOOKED = "within the roster's limits", "two people", "two people who have looked into it"
CLOSED_BY: dict[Difference, object] = {
    **dict.fromkeys(OF_LINES, LineWaits),
    Difference.MOVEMENT_WAITS: MovementWaits,
    **dict.fromkeys(
        (
            Difference.ACCESS_EXPIRES,
            Difference.ENTRY_NOT_SEEN,
            Difference.JOB_FAILED,
            Difference.OFFICERS_EXPIRE,
            Difference.PERIOD_OPEN,
            Difference.RATE_MISSING,
            Difference.UNKNOWN_CURRENCY,
        ),
        ClosedByMachines,
    ),
    Difference.PAID_AFTER_STOP: TWO_WHO_LOOKED,
    Difference.PAID_BEFORE_FORCE: TWO_WHO_LOOKED,
    Difference.PAID_BEFORE_RELEASE: TWO_WHO_LOOKED,
    Difference.CHECK_FAILED: TWO,
    Difference.CLOCK_DIFFERS: TWO,
    Difference.LATE_RESULT: TWO,
    Difference.TOO_MANY_READINGS: TWO,
    Difference.BALANCE_DIFFERS: ALONE,
    Difference.BELOW_ZERO: ALONE,
    Difference.OVER_REFUNDED: ALONE,
    Difference.PAYOUT_DIFFERS: ALONE,
    Difference.PAYOUT_NOT_SEEN: ALONE,
    Difference.PROCESSOR_DIFFERS: ALONE,
    Difference.STATEMENTS_OVERLAP: ALONE,
    Difference.STATEMENT_DOES_NOT_ADD_UP: ALONE,
    Difference.STATEMENT_DOES_NOT_FOLLOW: ALONE,
    Difference.STATEMENT_MISSING: ALONE,
    Difference.TOLD_OTHERWISE: ALONE,
    Difference.UNREADABLE: ALONE,
}


def closers(house: House, opened: OpenException) -> object:
    """Who closes an exception by a word, or the refusal of whoever tries."""
    is_clearable = clearings.is_clearable(house.session, opened)
    try:
        with house.session.begin_nested():
            said = say(house, opened, because=Because.TIMING)
    except BadClearing:
        assert is_clearable
        said = say(house, opened, because=Because.LOOKED_INTO)
        return TWO_WHO_LOOKED if not said.alone else None
    except LedgerError as refusal:
        assert not is_clearable
        return type(refusal)
    return ALONE if said.alone else TWO


def test_who_closes_each_difference_is_as_the_table_says(house: House) -> None:
    limit_treasurers(house, per_act="1000.00")
    line = of_a_line(house).about.partition(":")[2]
    told: dict[Difference, object] = {}

    for difference in Difference:
        about = line if difference in OF_LINES else f"{house.fund.boris.alias}:{difference}"
        if difference in {Difference.CHECK_FAILED, *NO_MONEY}:
            opened = exceptions.open_once(house.session, difference=difference, about=about, on=TODAY)
        else:
            opened = differ(house, difference, about=about)
        told[difference] = closers(house, opened)

    assert told == CLOSED_BY


NO_MONEY = {one for one, way in WAYS.items() if way.why_none is NoPosting.NO_MONEY}


def test_two_people_close_no_line_that_waits_by_the_time_the_second_signs(house: House) -> None:
    about = of_a_line(house).about.partition(":")[2]
    of_the_line = differ(house, Difference.BELOW_ZERO, about=about[:-1])
    said = say(house, of_the_line)
    of_the_line.about = f"{Difference.BELOW_ZERO}:{about}"
    house.session.flush()

    with nothing_written(house.session), pytest.raises(LineWaits):
        agree(house, said)


def test_a_movement_that_was_dismissed_past_the_verbs_is_found(house: House) -> None:
    opened = differ(house, Difference.BALANCE_DIFFERS, about="movement:txn_1:500")
    agree(house, say(house, opened))
    assert found(house.session, by={"exceptions"}) == []

    opened.difference = Difference.MOVEMENT_WAITS

    assert [one.name for one in found(house.session, by={"exceptions"})] == [opened.alias]


# --- by an entry


def test_an_entry_that_moves_the_difference_closes_it_at_once(house: House) -> None:
    opened = differ(house)

    said = say(house, opened, because=Because.BOOKED, entry_id=a_fee(house))

    assert (said.alone, opened.resolved_on) == (True, TODAY)
    assert found(house.session, by=MINE) == []


def test_an_entry_explains_one_exception(house: House) -> None:
    entry_id = a_fee(house)
    say(house, differ(house), because=Because.BOOKED, entry_id=entry_id)
    other = differ(house, about="S-2")

    with nothing_written(house.session), pytest.raises(EntryTaken):
        say(house, other, because=Because.BOOKED, entry_id=entry_id)


def of_a_line(house: House) -> OpenException:
    line = NewLine(TODAY, None, byn("-5.00"), None, reversal=False)
    told = NewStatement(draw(Kind.STATEMENT), LEAF, "BYN", None, TODAY, None, None, "cd" * 32, [line])
    bank.receive(house.session, told, received_at=NOW, received_by=house.fund.clara.alias)
    (opened, *_) = [one for one in exceptions.listed(house.session) if one.difference is Difference.UNMATCHED_DEBIT]
    return opened


REFUSED: dict[str, tuple[Callable[[House], object], type[LedgerError]]] = {
    "a line of the bank": (lambda h: say(h, of_a_line(h)), LineWaits),
    "what a machine closes": (
        lambda h: say(h, exceptions.open_anew(h.session, Difference.RATE_MISSING, about="BYN", on=TODAY)),
        ClosedByMachines,
    ),
    "booked without an entry": (lambda h: say(h, differ(h), because=Because.BOOKED), BadClearing),
    "dismissed with an entry": (lambda h: say(h, differ(h), entry_id=a_fee(h)), BadClearing),
    "no such entry": (lambda h: say(h, differ(h), because=Because.BOOKED, entry_id=99), BadClearing),
    "an entry of another amount": (
        lambda h: say(h, differ(h), because=Because.BOOKED, entry_id=a_fee(h, "4.00")),
        BadClearing,
    ),
    "an entry for what none explains": (
        lambda h: say(h, differ(h, Difference.STATEMENT_DOES_NOT_ADD_UP), because=Because.BOOKED, entry_id=a_fee(h)),
        BadClearing,
    ),
    "another amount signed": (lambda h: say(h, differ(h), amount="4.00"), approvals.ActDiffers),
    "another reason signed": (lambda h: say(h, differ(h), payee_commitment="0" * 64), approvals.ActDiffers),
    "another note signed": (lambda h: say(h, differ(h), evidence_commitments=(NOTE,)), approvals.ActDiffers),
    "not the treasurer": (lambda h: say(h, differ(h), by=h.fund.ana), NotInRole),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_closes_no_exception_is_refused(house: House, what: str) -> None:
    attempt, refusal = REFUSED[what]
    before = house.session.exec(text("SELECT count(*) FROM clearing")).scalar_one()  # type: ignore[call-overload]  # plain SQL

    with pytest.raises(refusal):
        attempt(house)

    assert house.session.exec(text("SELECT count(*) FROM clearing")).scalar_one() == before  # type: ignore[call-overload]  # plain SQL
    assert all(one.resolved_on is None for one in exceptions.listed(house.session, open_only=False))


def test_an_act_is_handed_in_once(house: House) -> None:
    opened = differ(house)
    new = NewClearing(alias=draw(Kind.CLEARING), exception=opened.alias, because=Because.TIMING)
    agreed = sign(house.fund.clara, "clear_exception", new, opened)
    clearings.request(house.session, new, agreed)

    with nothing_written(house.session), pytest.raises(LedgerError):
        clearings.request(house.session, new, agreed)
    other = NewClearing(alias=draw(Kind.CLEARING), exception=opened.alias, because=Because.TIMING)
    with nothing_written(house.session), pytest.raises((approvals.ActDiffers, NonceUsed)):
        clearings.request(house.session, other, agreed)


# --- past the verbs


def closed_by_nobody(session: Session, _opened: OpenException) -> None:
    session.connection().execute(text("UPDATE exception SET resolved_on = '2020-11-20'"))


def dismissed_alone(session: Session, opened: OpenException) -> None:
    row = "VALUES ('CL-0000-0000-0000', :about, 'timing', 500, 'BYN', :yes, 'OP-1', '2020-11-20 09:00:00')"
    columns = "(alias, exception_alias, because, minor, currency, alone, asked_by, asked_at)"
    given = {"about": opened.alias, "yes": True}
    session.connection().execute(text(f"INSERT INTO clearing {columns} {row}"), given)
    closed_by_nobody(session, opened)


@pytest.mark.parametrize(
    ("attack", "checks"),
    [(closed_by_nobody, {"exceptions"}), (dismissed_alone, {"clearings", "signed"})],
)
def test_what_is_closed_past_the_verbs_is_found(
    house: House, attack: Callable[[Session, OpenException], None], checks: set[str]
) -> None:
    opened = differ(house)
    assert found(house.session, by=MINE) == []

    attack(house.session, opened)

    assert {one.check for one in found(house.session, by=MINE)} == checks
