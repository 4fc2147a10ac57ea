from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from ledger import approvals, exceptions
from ledger.aliases import Kind, draw
from ledger.approvals import NonceUsed, NotInRole
from ledger.books import journal
from ledger.books.postings import credit, debit
from ledger.errors import LedgerError
from ledger.exceptions import Difference
from ledger.money import Money
from ledger.reconciliation import bank, matchings, statements
from ledger.reconciliation.matchings import BadMatch, NewPairing, UnknownPairing
from ledger.reconciliation.pairings import Pairing, Undone
from ledger.reconciliation.statements import NewLine, NewStatement, UnknownLine
from tests.bookcheck import found
from tests.cast import LEAF, NOW, SECOND_LEAF, House, Person, agreed_by, byn, give, nothing_written

DAY = date(2020, 11, 18)
MINE = {"exceptions", "pairings", "acts", "signed", "statement-lines", "statements"}


def tell(house: House, *amounts: str, leaf: str = LEAF, reversal: bool = False) -> list[str]:
    """Debits that nobody expected, by their keys; a credit when it is a reversal."""
    lines = [NewLine(DAY, None, byn(amount), None, reversal=reversal) for amount in amounts]
    token = draw(Kind.STATEMENT).encode().hex().ljust(64, "0")
    new = NewStatement(draw(Kind.STATEMENT), leaf, "BYN", DAY, None, None, None, token, lines)
    outcome = bank.receive(house.session, new, received_at=NOW, received_by=house.fund.clara.alias)
    return [one.source_key for one in statements.lines_of(house.session, outcome.statement.alias)]


def book(house: House, amount: str, *, leaf: str = LEAF, days: int = 0) -> int:
    """A fee that was booked by hand."""
    fee = byn(amount)
    return journal.post(
        house.session,
        source_key=f"test:{draw(Kind.EXCEPTION)}",
        kind="manual",
        postings=[debit("6020", fee, "general"), credit(leaf, fee, "general")],
        happened_on=DAY + timedelta(days=days),
        recorded_at=NOW,
        recorded_by=house.fund.clara.alias,
    ).entry_id


def sign(person: Person, verb: approvals.Verb, new: NewPairing, moved: Money, **other: Any) -> approvals.Agreed:
    seen: dict[str, Any] = {
        "object": new.alias,
        "amount": moved.decimal(),
        "currency": moved.currency,
        "payee_commitment": matchings.commitment(lines=new.lines, entries=new.entries),
    }
    return agreed_by(person, verb, **(seen | other))


def match(
    house: House, lines: list[str], *entries: int, by: Person | None = None, moved: str = "5.00", **lies: Any
) -> Pairing:
    new = NewPairing(alias=draw(Kind.PAIRING), lines=tuple(lines), entries=entries)
    return matchings.match(house.session, new, sign(by or house.fund.clara, "match_lines", new, byn(moved), **lies))


def unmatch(house: House, made: Pairing, *, moved: str = "5.00") -> None:
    parts = matchings.parts_of(house.session, made.alias)
    new = NewPairing(
        alias=made.alias,
        lines=tuple(one.source_key for one in parts if one.source_key),
        entries=tuple(one.entry_id for one in parts if one.entry_id),
    )
    agreed = sign(house.fund.clara, "unmatch_lines", new, byn(moved), detail="wrong_entry")
    matchings.unmatch(house.session, made.alias, because=Undone.WRONG_ENTRY, agreed=agreed)


def waiting(house: House) -> list[Difference]:
    return [one.difference for one in exceptions.listed(house.session) if one.difference in LINES]


LINES = {Difference.UNMATCHED_DEBIT, Difference.REVERSAL}


def test_a_line_that_was_booked_by_hand_is_matched_and_waits_no_more(house: House) -> None:
    entry = book(house, "5.00", days=-8)
    lines = tell(house, "-5.00")

    made = match(house, lines, entry)

    assert (made.score, made.automatic) == (80, False)
    assert waiting(house) == []
    assert statements.unmatched(house.session, LEAF) == []
    assert matchings.propose(house.session, LEAF) == []
    assert found(house.session, by=MINE) == []


def test_what_is_undone_waits_again_and_may_be_matched_anew(house: House) -> None:
    entry = book(house, "5.00")
    lines = tell(house, "-5.00")
    made = match(house, lines, entry)

    unmatch(house, made)

    assert waiting(house) == [Difference.UNMATCHED_DEBIT]
    assert found(house.session, by=MINE) == []
    with nothing_written(house.session), pytest.raises(UnknownPairing):
        unmatch(house, made)
    match(house, lines, entry)
    assert waiting(house) == []
    assert found(house.session, by=MINE) == []


def test_lines_and_entries_of_one_sum_are_matched_however_many(house: House) -> None:
    one, two, three = tell(house, "-1.00", "-2.00", "-3.00")
    first, second = book(house, "3.00"), book(house, "1.00")
    third = book(house, "2.00")

    match(house, [one, two], first, moved="3.00")
    match(house, [three], second, third, moved="3.00")

    assert waiting(house) == []
    assert found(house.session, by=MINE) == []


def test_a_line_and_what_takes_it_back_cancel_each_other(house: House) -> None:
    lines = [*tell(house, "-5.00"), *tell(house, "5.00", reversal=True)]

    (proposed,) = matchings.propose(house.session, LEAF)
    match(house, lines, moved="10.00")

    assert set(proposed.lines) == set(lines)
    assert waiting(house) == []
    assert found(house.session, by=MINE) == []


def test_a_machine_matches_what_is_exact_and_unique_and_again_nothing(house: House) -> None:
    book(house, "5.00"), book(house, "7.00"), book(house, "7.00")
    tell(house, "-5.00", "-7.00")

    assert matchings.match_unique(house.session, at=NOW) == 1
    assert matchings.match_unique(house.session, at=NOW) == 0

    assert [one.minor for one in statements.unmatched(house.session, LEAF)] == [-700]
    assert found(house.session, by=MINE) == []


def with_a_reference(house: House) -> object:
    """A payment that left before its release, and somebody who would have it be a fee."""
    give(house.session, byn("810.00"))
    payment = house.an_approved_payment()
    line = NewLine(DAY, None, byn("-810.00"), payment.reference, reversal=False)
    new = NewStatement(draw(Kind.STATEMENT), LEAF, "BYN", DAY, None, None, None, "ef" * 32, [line])
    outcome = bank.receive(house.session, new, received_at=NOW, received_by=house.fund.clara.alias)
    (known,) = statements.lines_of(house.session, outcome.statement.alias)
    return match(house, [known.source_key], book(house, "810.00"), moved="810.00")


def twice(house: House) -> object:
    entry = book(house, "5.00")
    one, two = tell(house, "-5.00", "-5.00")
    match(house, [one], entry)
    return match(house, [two], entry)


def the_same_line_twice(house: House) -> object:
    entry, other = book(house, "5.00"), book(house, "5.00")
    lines = tell(house, "-5.00")
    match(house, lines, entry)
    return match(house, lines, other)


REFUSED: dict[str, tuple[Callable[[House], object], type[LedgerError]]] = {
    "another sum": (lambda h: match(h, tell(h, "-5.00"), book(h, "4.00")), BadMatch),
    "another leaf": (lambda h: match(h, tell(h, "-5.00"), book(h, "5.00", leaf=SECOND_LEAF)), BadMatch),
    "lines of two leaves": (
        lambda h: match(h, [*tell(h, "-5.00"), *tell(h, "-5.00", leaf=SECOND_LEAF)], book(h, "5.00")),
        BadMatch,
    ),
    "lines of two leaves that cancel out": (
        lambda h: match(h, [*tell(h, "-5.00"), *tell(h, "5.00", leaf=SECOND_LEAF, reversal=True)], moved="10.00"),
        BadMatch,
    ),
    "nothing": (lambda h: match(h, [], book(h, "5.00")), BadMatch),
    "a line alone": (lambda h: match(h, tell(h, "-5.00")), BadMatch),
    "no such entry": (lambda h: match(h, tell(h, "-5.00"), 999), BadMatch),
    "an entry of another line": (twice, BadMatch),
    "a line that is matched": (the_same_line_twice, UnknownLine),
    "a line of ours": (with_a_reference, BadMatch),
    "another amount signed": (
        lambda h: match(h, tell(h, "-5.00"), book(h, "5.00"), moved="4.00"),
        approvals.ActDiffers,
    ),
    "other lines signed": (
        lambda h: match(h, tell(h, "-5.00"), book(h, "5.00"), payee_commitment="0" * 64),
        approvals.ActDiffers,
    ),
    "not the treasurer": (lambda h: match(h, tell(h, "-5.00"), book(h, "5.00"), by=h.fund.ana), NotInRole),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_the_same_is_not_matched(house: House, what: str) -> None:
    attempt, refusal = REFUSED[what]

    with pytest.raises(refusal):
        attempt(house)

    assert len(matchings.listed(house.session)) == (what in {"an entry of another line", "a line that is matched"})
    assert len(waiting(house)) == len(statements.unmatched(house.session, LEAF)) + len(
        statements.unmatched(house.session, SECOND_LEAF)
    ) - (what == "a line of ours")


def test_an_act_of_matching_is_handed_in_once(house: House) -> None:
    entry = book(house, "5.00")
    new = NewPairing(alias=draw(Kind.PAIRING), lines=tuple(tell(house, "-5.00")), entries=(entry,))
    agreed = sign(house.fund.clara, "match_lines", new, byn("5.00"))
    made = matchings.match(house.session, new, agreed)
    unmatch(house, made)

    with nothing_written(house.session), pytest.raises((LedgerError, NonceUsed)):
        matchings.match(house.session, new, agreed)


def test_a_pairing_written_past_the_verbs_is_found(house: House) -> None:
    entry = book(house, "4.00")
    (line,) = tell(house, "-5.00")
    connection = house.session.connection()
    made = Pairing(
        alias="PG-0000-0000-0000", account_code=LEAF, score=100, automatic=False, paired_by="OP-1", paired_at=NOW
    )
    house.session.add(made)
    house.session.flush()
    for number, (key, its) in enumerate(((line, None), (None, entry)), start=1):
        connection.execute(
            text("INSERT INTO pairing_part VALUES ('PG-0000-0000-0000', :number, :line, :entry)"),
            {"number": number, "line": key, "entry": its},
        )

    assert {one.check for one in found(house.session, by=MINE)} == {"pairings", "signed"}
