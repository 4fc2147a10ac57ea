"""Lines that were booked by themselves as gifts, and are none: reversed, told, answered or matched anew."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ledger import approvals, exceptions
from ledger.aliases import Kind, draw
from ledger.approvals import NotInRole
from ledger.books import balances, journal
from ledger.books.postings import credit, debit
from ledger.errors import LedgerError
from ledger.exceptions import Difference
from ledger.giving import donations
from ledger.giving.donations import Donation, State, WrongState
from ledger.reconciliation import bank, matchings, resolutions, statements, unbookings
from ledger.reconciliation.answers import Answer
from ledger.reconciliation.matchings import NewPairing
from ledger.reconciliation.pairings import LineUnbooked, Undone
from ledger.reconciliation.resolutions import NewResolution
from ledger.reconciliation.statements import Match, NewLine, NewStatement
from ledger.reconciliation.unbookings import NotUnbookable
from tests.bookcheck import found
from tests.cast import LEAF, NOW, House, Person, agreed_by, byn, nothing_written
from tests.saying import on_request

DAY = NOW.date().replace(day=2)


def tell(house: House) -> Donation:
    """A credit that was booked by itself as a gift nobody can place: what a shop gave back."""
    lines = [NewLine(DAY, None, byn("5.00"), None, reversal=False)]
    token = draw(Kind.STATEMENT).encode().hex().ljust(64, "0")
    before = balances.balance(house.session, LEAF, currency="BYN")
    opens_closes = before, before + byn("5.00")
    new = NewStatement(draw(Kind.STATEMENT), LEAF, "BYN", DAY, DAY, *opens_closes, token, lines)
    bank.receive(house.session, new, received_at=NOW, received_by=house.fund.clara.alias)
    return next(gift for gift in donations.listed(house.session) if gift.state is State.UNIDENTIFIED)


def sign(house: House, gift: Donation, by: Person | None = None, **lies: Any) -> approvals.Agreed:
    match = house.session.get_one(Match, gift.source_key)
    seen: dict[str, Any] = {
        "object": gift.alias,
        "amount": "5.00",
        "currency": "BYN",
        "payee_commitment": matchings.commitment(lines=[gift.source_key], entries=[match.entry_id]),
        "detail": "wrong_entry",
    }
    return agreed_by(by or house.fund.clara, "unmatch_lines", **(seen | lies))


def unbook(house: House, gift: Donation, **lies: Any) -> LineUnbooked:
    agreed = sign(house, gift, **lies)
    return unbookings.unbook(house.session, gift.alias, because=Undone.WRONG_ENTRY, agreed=agreed)


def waiting(house: House) -> list[tuple[Difference, int | None]]:
    return [(one.difference, one.minor) for one in exceptions.listed(house.session)]


def match_with_a_refund_by_hand(house: House, gift: Donation) -> None:
    entry = journal.post(
        house.session,
        source_key="test:refund",
        kind="manual",
        postings=[debit(LEAF, byn("5.00"), "general"), credit("6300", byn("5.00"), "general")],
        happened_on=DAY,
        recorded_at=NOW,
        recorded_by="test",
    ).entry_id
    new = NewPairing(alias=draw(Kind.PAIRING), lines=(gift.source_key,), entries=(entry,))
    commitment = matchings.commitment(lines=new.lines, entries=new.entries)
    seen: dict[str, Any] = {"object": new.alias, "amount": "5.00", "currency": "BYN", "payee_commitment": commitment}
    matchings.match(house.session, new, agreed_by(house.fund.clara, "match_lines", **seen))


def test_a_line_that_was_booked_as_a_gift_and_is_none_waits_again_and_is_matched(house: House) -> None:
    gift = tell(house)
    assert waiting(house) == []

    undone = unbook(house, gift)

    assert gift.state is State.NO_GIFT
    assert waiting(house) == [(Difference.UNBOOKED, 500)]
    assert balances.balance(house.session, "2000", currency="BYN") == byn("0.00")
    reconciled = bank.reconcile(house.session, LEAF)
    assert reconciled is not None
    assert (reconciled.not_booked, reconciled.difference) == (byn("5.00"), byn("0.00"))
    assert undone.undone_by == house.fund.clara.alias
    assert found(house.session) == []
    match_with_a_refund_by_hand(house, gift)
    assert (waiting(house), statements.unmatched(house.session, LEAF)) == ([], [])
    assert found(house.session) == []


def test_what_was_unbooked_is_no_gift_by_a_later_answer_nor_by_the_same_line_told_again(house: House) -> None:
    gift = tell(house)
    unbook(house, gift)
    (opened,) = exceptions.listed(house.session)
    new = NewResolution(about=opened.alias, answer=Answer.GIFT)
    agreed = on_request(house, new)

    with nothing_written(house.session), pytest.raises(WrongState):
        resolutions.request(house.session, new, agreed)
    with nothing_written(house.session), pytest.raises(NotUnbookable):
        unbookings.unbook(house.session, gift.alias, because=Undone.WRONG_LINE, agreed=agreed)


@pytest.mark.parametrize(
    ("lies", "refusal"),
    [({"amount": "4.00"}, LedgerError), ({"payee_commitment": "0" * 64}, LedgerError), ({"detail": "x"}, LedgerError)],
)
def test_another_act_unbooks_nothing(house: House, lies: dict[str, Any], refusal: type[LedgerError]) -> None:
    gift = tell(house)

    with nothing_written(house.session), pytest.raises(refusal):
        unbook(house, gift, **lies)
    with nothing_written(house.session), pytest.raises(NotInRole):
        unbook(house, gift, by=house.fund.boris)


def test_a_gift_for_a_purpose_is_what_its_reference_says(house: House) -> None:
    gift = tell(house)
    agreed = sign(house, gift)
    gift.state = State.RECEIVED
    house.session.add(gift)

    with nothing_written(house.session), pytest.raises(NotUnbookable):
        unbookings.unbook(house.session, gift.alias, because=Undone.WRONG_ENTRY, agreed=agreed)


def test_a_line_that_somebody_unbooks_in_the_database_is_found(house: House) -> None:
    gift = tell(house)
    key, entry = gift.source_key, house.session.get_one(Match, gift.source_key).entry_id
    told = {"key": key, "entry": entry, "by": house.fund.clara.alias, "at": "2020-11-20 12:00:00.000000"}
    forged = """
        INSERT INTO line_unbooked (source_key, entry_id, because, undone_by, undone_at)
        VALUES (:key, :entry, 'wrong_line', :by, :at)
    """
    for statement in ("DELETE FROM statement_match WHERE source_key = :key", forged):
        house.session.connection().execute(text(statement), told)
    house.session.expire_all()

    named = {(one.check, one.name) for one in found(house.session)}
    assert {("statement-lines", key), ("signed", gift.alias)} <= named
    with pytest.raises(DBAPIError, match="guard"):
        house.session.connection().execute(text("DELETE FROM line_unbooked"))
