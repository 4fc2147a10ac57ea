"""The same money told twice, in whatever format and under whatever day: booked once, or held until two people say."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ledger import exceptions
from ledger.aliases import Kind, draw
from ledger.books import balances, journal
from ledger.books.postings import credit, debit
from ledger.exceptions import Difference, OpenException
from ledger.giving import donations, donor_links, purposes, receipts
from ledger.giving.donations import State
from ledger.giving.receipts import OnReceipt
from ledger.money import Money
from ledger.reconciliation import bank, chain, matchings, retellings, statements, unbookings, waits
from ledger.reconciliation.answers import Answer, Because
from ledger.reconciliation.bank import Outcome
from ledger.reconciliation.pairings import LineToldTwice, Undone
from ledger.reconciliation.retellings import NotToldTwice
from ledger.reconciliation.statements import NewLine, NewStatement, Part
from ledger.reconciliation.unbookings import NotUnbookable
from tests import donors as made
from tests.bookcheck import found
from tests.cast import LEAF, NOW, TODAY, House, agreed_by, byn, give, nothing_written
from tests.saying import resolve, say, saying

DAY = date(2020, 11, 18)
NEXT = DAY + timedelta(days=1)
TOLD_TWICE, BOOKED = Difference.PERHAPS_TOLD_TWICE, Difference.PERHAPS_BOOKED


def line(amount: str, on: Any = DAY, reference: Any = None, **other: Any) -> NewLine:
    return NewLine(on, None, byn(amount), reference, reversal=False, **other)


def tell(house: House, *lines: NewLine, **other: Any) -> Outcome:
    """A statement without days and balances, unless told."""
    facts: dict[str, Any] = {"opened_on": None, "closed_on": None, "opening": None, "closing": None}
    facts |= {"alias": draw(Kind.STATEMENT), "account": LEAF, "currency": "BYN", "lines": lines}
    facts["content_token"] = draw(Kind.STATEMENT).encode().hex().ljust(64, "0")
    new = NewStatement(**(facts | other))
    return bank.receive(house.session, new, received_at=NOW, received_by=house.fund.clara.alias)


def of_day(opening: str, closing: str, on: Any = DAY, **other: Any) -> dict[str, Any]:
    return {"opened_on": on, "closed_on": on, "opening": byn(opening), "closing": byn(closing), **other}


def waiting(house: House) -> list[tuple[Difference, int | None]]:
    return [(one.difference, one.minor) for one in exceptions.listed(house.session)]


def opened(house: House) -> OpenException:
    (one,) = exceptions.listed(house.session)
    return one


def books(house: House) -> Money:
    return balances.balance(house.session, LEAF, currency="BYN")


def token(letter: str) -> tuple[str, ...]:
    return (letter * 64,)


# --- one day that ends with what it began with


def test_a_second_statement_of_a_level_day_is_held_when_nothing_tells_it_from_the_first(house: House) -> None:
    tell(house, line("50.00"), line("-50.00"), **of_day("0.00", "0.00"))
    tell(house, line("50.00"), line("-50.00"), **of_day("0.00", "0.00"))

    assert sorted(waiting(house)) == [(TOLD_TWICE, -5_000), (TOLD_TWICE, 5_000), (Difference.UNMATCHED_DEBIT, -5_000)]
    assert books(house) == byn("50.00")
    assert found(house.session) == []


def test_its_number_tells_that_it_is_another(house: House) -> None:
    tell(house, line("50.00"), line("-50.00"), **of_day("0.00", "0.00", format="mt940", number="7/1"))
    outcome = tell(house, line("50.00"), line("-50.00"), **of_day("0.00", "0.00", format="mt940", number="7/2"))

    assert (outcome.fresh, books(house)) == (2, byn("100.00"))
    assert TOLD_TWICE not in [difference for difference, _ in waiting(house)]


@pytest.mark.parametrize(
    "second", [{"format": "mt940", "number": "7/1"}, {"format": "camt.053", "number": "8"}, {"format": "ofx"}]
)
def test_the_same_number_or_another_format_tells_that_it_is_the_same(house: House, second: dict[str, str]) -> None:
    tell(house, line("50.00"), line("-50.00"), **of_day("0.00", "0.00", format="mt940", number="7/1"))
    outcome = tell(house, line("50.00"), line("-50.00"), **of_day("0.00", "0.00", **second))

    assert (outcome.fresh, books(house)) == (0, byn("50.00"))


def test_what_follows_a_level_statement_on_its_day_is_not_lost(house: House) -> None:
    tell(house, line("50.00"), line("-50.00"), **of_day("0.00", "0.00"))
    outcome = tell(house, line("50.00"), **of_day("0.00", "50.00"))

    assert (outcome.fresh, outcome.booked) == (1, 0)
    assert (TOLD_TWICE, 5_000) in waiting(house)


def test_numbers_of_zeros_tell_nothing(house: House) -> None:
    tell(house, line("50.00"), line("-50.00"), **of_day("0.00", "0.00", format="mt940", number="0/0"))
    tell(house, line("50.00"), **of_day("0.00", "50.00", format="mt940", number="0/0"))

    assert (TOLD_TWICE, 5_000) in waiting(house)


# --- the same day and amount, and another token


@pytest.mark.parametrize("known_by", ["marks", "traces"])
@pytest.mark.parametrize("format_", ["csv.1", "camt.053"])
def test_lines_of_a_day_and_amount_whose_tokens_differ_are_two_and_the_second_is_held(
    house: House, known_by: str, format_: str
) -> None:
    tell(house, line("50.00", **{known_by: token("a")}), format="csv.1")
    outcome = tell(house, line("50.00", **{known_by: token("b")}), format=format_)

    assert (outcome.fresh, outcome.booked, waiting(house)) == (1, 0, [(TOLD_TWICE, 5_000)])
    assert found(house.session) == []


def test_lines_of_a_day_and_amount_with_different_references_of_ours_are_two(house: House) -> None:
    other = purposes.add(house.session, "OTHER", fund="detention", text="For bills.", net_of_costs=False)
    known = purposes.by_code(house.session, "FINES")
    assert known is not None
    tell(house, line("50.00", reference=known.reference))
    outcome = tell(house, line("50.00", reference=other.reference))

    assert (outcome.booked, waiting(house), books(house)) == (1, [], byn("100.00"))


@pytest.mark.parametrize(
    ("first", "second", "fresh", "held"),
    [
        ("a", "a", 0, 0),
        ("a", "ab", 1, 0),
        ("ab", "ba", 0, 0),
        ("ab", "c", 1, 1),
        ("ab", "bc", 1, 1),
        ("ab", "cde", 3, 3),
        ("a", "-", 0, 0),
        ("-", "a", 0, 0),
        ("-a", "ab", 0, 0),
        ("a", "-b", 1, 0),
    ],
)
def test_which_of_equal_lines_are_new_their_tokens_tell(
    house: House, first: str, second: str, fresh: int, held: int
) -> None:
    def told(letters: str) -> list[NewLine]:
        return [line("50.00", marks=() if letter == "-" else token(letter)) for letter in letters]

    tell(house, *told(first), format="csv.1")
    outcome = tell(house, *told(second), format="csv.1")

    assert (outcome.fresh, waiting(house)) == (fresh, [(TOLD_TWICE, 5_000)] * held)


def test_between_two_formats_the_end_to_end_id_tells_before_the_banks_own_reference(house: House) -> None:
    tell(house, line("50.00", traces=token("a"), marks=token("b")), format="mt940")
    same = tell(house, line("50.00", traces=token("a"), marks=token("c")), format="camt.053")
    other = tell(house, line("50.00", traces=token("d"), marks=token("b")), format="camt.053")

    assert (same.fresh, other.fresh, waiting(house)) == (0, 1, [(TOLD_TWICE, 5_000)])


# --- another format, another day


@pytest.mark.parametrize("known_by", ["marks", "traces"])
def test_a_line_that_another_format_dates_otherwise_is_known_by_a_token(house: House, known_by: str) -> None:
    tell(house, line("100.00", **{known_by: token("a")}), format="camt.052")
    outcome = tell(house, line("100.00", NEXT, **{known_by: token("a")}), format="camt.053")

    assert (outcome.fresh, books(house), waiting(house)) == (0, byn("100.00"), [])


def test_a_line_of_the_same_format_is_known_by_the_banks_own_reference_only(house: House) -> None:
    tell(house, line("100.00", marks=token("a")), line("7.00", traces=token("b")), format="csv.1")
    outcome = tell(house, line("100.00", NEXT, marks=token("a")), line("7.00", NEXT, traces=token("b")), format="csv.1")

    assert (outcome.fresh, books(house)) == (1, byn("114.00"))


def test_a_token_that_several_lines_share_tells_nothing(house: House) -> None:
    tell(house, line("100.00", marks=token("a")), line("100.00", NEXT, marks=token("a")), format="csv.1")
    later = DAY + timedelta(days=2)
    outcome = tell(house, line("100.00", later, marks=token("a")), format="csv.1")

    assert (outcome.fresh, books(house)) == (1, byn("300.00"))


def test_the_next_days_statement_with_a_constant_reference_is_not_lost(house: House) -> None:
    tell(house, line("100.00", marks=token("a")), **of_day("0.00", "100.00", format="camt.053"))
    outcome = tell(house, line("100.00", NEXT, marks=token("a")), **of_day("100.00", "200.00", NEXT, format="camt.053"))

    assert (outcome.booked, books(house)) == (1, byn("200.00"))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (["100.00"], ["100.00"]),
        (["100.00", "100.00", "100.00"], ["300.00"]),
        (["300.00"], ["100.00", "100.00", "100.00"]),
        (["-20.00"], ["-20.00"]),
    ],
)
def test_without_tokens_what_another_format_dates_otherwise_is_held(
    house: House, first: list[str], second: list[str]
) -> None:
    tell(house, *(line(amount) for amount in first), format="camt.054")
    standing = books(house)
    tell(house, *(line(amount, NEXT) for amount in second), format="camt.053")

    assert [minor for difference, minor in waiting(house) if difference is TOLD_TWICE] == [
        byn(amount).minor for amount in second
    ]
    assert books(house) == standing
    assert found(house.session) == []


def test_a_line_that_was_told_again_under_its_own_day_makes_no_other_doubtful(house: House) -> None:
    tell(house, line("10.00"), format="camt.054")
    outcome = tell(house, line("10.00"), line("10.00", NEXT), format="camt.053")

    assert (outcome.fresh, outcome.booked, waiting(house)) == (1, 1, [])


def test_a_statement_that_begins_where_one_of_another_format_ends_tells_of_its_own_lines(house: House) -> None:
    tell(house, line("10.00"), **of_day("0.00", "10.00", format="mt940"))
    outcome = tell(house, line("10.00", NEXT), **of_day("10.00", "20.00", NEXT, format="camt.053"))

    assert (outcome.booked, waiting(house)) == (1, [])


def test_lines_of_one_format_are_not_held_for_being_alike(house: House) -> None:
    tell(house, line("10.00"), format="csv.1")
    outcome = tell(house, line("10.00", NEXT), format="csv.1")

    assert (outcome.booked, waiting(house)) == (1, [])


# --- what two people say of it


def held(house: House) -> OpenException:
    tell(house, line("100.00"), closed_on=DAY, closing=byn("100.00"), format="ofx")
    tell(house, line("100.00", DAY - timedelta(days=1)), **of_day("0.00", "100.00", format="camt.053"))
    house.session.commit()
    return opened(house)


def test_a_line_that_was_told_twice_is_ended_by_two_people_and_moves_nothing(house: House) -> None:
    about = held(house)
    resolve(house, about.alias, Answer.TOLD_TWICE, None, byn("100.00"), Because.TOLD_BY_BANK)

    reconciled = bank.reconcile(house.session, LEAF)
    assert reconciled is not None
    assert (reconciled.difference, reconciled.not_booked) == (byn("0.00"), byn("0.00"))
    assert (books(house), waiting(house)) == (byn("100.00"), [])
    assert found(house.session) == []


def test_a_line_that_was_not_told_twice_is_answered_like_any_other(house: House) -> None:
    about = held(house)
    new = resolve(house, about.alias, Answer.UNIDENTIFIED, None, byn("100.00"), Because.DECIDED_SO)

    assert new.answer is Answer.UNIDENTIFIED
    assert books(house) == byn("200.00")


def test_the_line_that_may_tell_the_same_is_named(house: House) -> None:
    about = held(house)
    (held_line,) = statements.unmatched(house.session, LEAF)

    (other,) = retellings.others_of(house.session, held_line)

    assert waits.line_of(house.session, about) == held_line
    assert other.statement_alias != held_line.statement_alias
    assert (other.booked_on, other.minor) == (DAY, 10_000)


def test_several_lines_that_come_to_it_are_named(house: House) -> None:
    tell(house, *(line("100.00") for _ in range(3)), line("7.00"), format="camt.054")
    tell(house, line("300.00", NEXT), format="camt.053")
    (held_line,) = statements.unmatched(house.session, LEAF)

    others = retellings.others_of(house.session, held_line)

    assert [one.minor for one in others] == [10_000] * 3


def test_no_line_was_told_twice_of_which_no_other_tells(house: House) -> None:
    tell(house, line("-5.00"), format="ofx")
    new = saying(opened(house).alias, Answer.TOLD_TWICE, None, byn("5.00"), Because.TOLD_BY_BANK)

    with nothing_written(house.session), pytest.raises(NotToldTwice):
        say(house, new)


def test_two_lines_that_wait_do_not_end_each_other(house: House) -> None:
    tell(house, line("-5.00"), format="ofx")
    tell(house, line("-5.00", NEXT), format="mt940")
    about = next(one for one in exceptions.listed(house.session) if one.difference is TOLD_TWICE)

    with nothing_written(house.session), pytest.raises(NotToldTwice):
        say(house, saying(about.alias, Answer.TOLD_TWICE, None, byn("5.00"), Because.TOLD_BY_BANK))


def test_that_a_line_was_told_twice_is_neither_written_nor_removed_by_hand(house: House) -> None:
    about = held(house)
    said = resolve(house, about.alias, Answer.TOLD_TWICE, None, byn("100.00"), Because.TOLD_BY_BANK)
    first = next(one for one in chain.of_account(house.session, LEAF) if one.format == "ofx")
    for statement in ("DELETE FROM line_told_twice", "UPDATE line_told_twice SET told_by = 'OP-AAAA-AAAA-AAAA'"):
        with pytest.raises(DBAPIError), house.session.begin_nested():
            house.session.connection().execute(text(statement))

    (another,) = statements.lines_of(house.session, first.alias)
    house.session.add(LineToldTwice(source_key=another.source_key, told_by=said.asked_by, told_at=NOW))
    house.session.flush()
    assert "unsaid" in {finding.check for finding in found(house.session)}


# --- what was booked twice already


@pytest.mark.parametrize("purpose", ["FINES", None])
def test_a_gift_that_was_booked_twice_is_unbooked_and_told_twice(house: House, purpose: str | None) -> None:
    known = purposes.by_code(house.session, purpose) if purpose else None
    reference = known.reference if known else None
    tell(house, line("100.00", reference=reference))
    tell(house, line("100.00", NEXT, reference))
    gift = next(one for one in donations.listed(house.session) if one.received_on == NEXT)
    unbook(house, gift.alias, gift.source_key)
    resolve(house, opened(house).alias, Answer.TOLD_TWICE, None, byn("100.00"), Because.TOLD_BY_BANK)

    assert gift.state is State.NO_GIFT
    assert (books(house), waiting(house)) == (byn("100.00"), [])
    assert found(house.session) == []


def test_a_gift_with_a_purpose_of_which_no_other_line_tells_is_not_unbooked(house: House) -> None:
    known = purposes.by_code(house.session, "FINES")
    assert known is not None
    tell(house, line("100.00", reference=known.reference))
    (gift,) = donations.listed(house.session)

    with nothing_written(house.session), pytest.raises(NotUnbookable):
        unbook(house, gift.alias, gift.source_key)


def test_a_gift_on_a_receipt_is_unbooked_when_the_receipt_is_cancelled(house: House) -> None:
    made.furnish(house)
    known = purposes.by_code(house.session, "FINES")
    assert known is not None
    tell(house, line("100.00", reference=known.reference))
    tell(house, line("100.00", NEXT, known.reference))
    gift = next(one for one in donations.listed(house.session) if one.received_on == NEXT)
    donor = made.a_donor(house)
    donor_links.link(house.session, gift.alias, donor=donor, by=house.fund.clara.alias, at=NOW)
    receipt = made.issue(house, made.a_new_receipt(house.session, donor, gift))

    with nothing_written(house.session), pytest.raises(OnReceipt):
        unbook(house, gift.alias, gift.source_key)
    made.cancel(house, receipt)
    unbook(house, gift.alias, gift.source_key)

    assert gift.state is State.NO_GIFT
    assert receipts.left_of(house.session, gift) is None
    assert found(house.session) == []


def unbook(house: House, gift: str, source_key: str) -> None:
    entry = house.session.get_one(statements.Match, source_key).entry_id
    commitment = matchings.commitment(lines=[source_key], entries=[entry])
    signed: dict[str, Any] = {"object": gift, "amount": "100.00", "currency": "BYN", "detail": "wrong_line"}
    agreed = agreed_by(house.fund.clara, "unmatch_lines", payee_commitment=commitment, **signed)
    unbookings.unbook(house.session, gift, because=Undone.WRONG_LINE, agreed=agreed)
    house.session.commit()


# --- what somebody has entered by hand


def enter(house: House, amount: str, on: date = DAY) -> int:
    return journal.post(
        house.session,
        source_key="test:interest",
        kind="manual",
        postings=[debit(LEAF, byn(amount), "general"), credit("4300", byn(amount), "general")],
        happened_on=on,
        recorded_at=NOW,
        recorded_by=house.fund.clara.alias,
    ).entry_id


def test_a_credit_that_was_entered_by_hand_is_not_booked_again(house: House) -> None:
    entry = enter(house, "9.00")
    tell(house, line("9.00", NEXT))

    assert (waiting(house), books(house)) == ([(BOOKED, 900)], byn("9.00"))
    (proposal,) = matchings.propose(house.session, LEAF)
    assert proposal.entries == (str(entry),)
    assert matchings.match_unique(house.session, at=NOW) == 1
    assert (waiting(house), books(house)) == ([], byn("9.00"))
    assert found(house.session) == []


def test_a_credit_far_from_the_day_or_amount_of_what_was_entered_is_a_gift(house: House) -> None:
    enter(house, "9.00", DAY - timedelta(days=11))
    outcome = tell(house, line("9.00"), line("9.01"))

    assert (outcome.booked, waiting(house)) == (2, [])


# --- lines of several payments


def test_a_debit_of_several_released_payments_books_each_by_its_reference(house: House) -> None:
    one, other = released(house), released(house)
    parts = tuple(Part(-each.amount(), each.reference) for each in (one, other))
    outcome = tell(house, line("-1620.00", TODAY, parts=parts))
    house.session.commit()

    assert (outcome.fresh, outcome.booked, waiting(house)) == (1, 1, [])
    assert [str(each.state) for each in (one, other)] == ["paid", "paid"]
    assert statements.unmatched(house.session, LEAF) == []
    assert found(house.session) == []


def test_a_line_of_several_is_held_whole_unless_each_is_told_exactly(house: House) -> None:
    one, other = released(house), released(house)
    whole = [Part(-each.amount(), each.reference) for each in (one, other)]
    for parts in (
        [whole[0], whole[0]],
        [whole[0], Part(whole[1].amount, None)],
        [Part(byn("-811.00"), one.reference), Part(byn("-809.00"), other.reference)],
        [*whole, Part(byn("-1.00"), None)],
    ):
        tell(house, line("-1620.00", TODAY + timedelta(days=len(waiting(house))), parts=tuple(parts)))

    assert waiting(house) == [(Difference.SEVERAL_PAYMENTS, -162_000)] * 4
    assert [str(each.state) for each in (one, other)] == ["released", "released"]


def test_a_credit_of_several_gifts_is_as_many_gifts(house: House) -> None:
    fines = purposes.by_code(house.session, "FINES")
    assert fines is not None
    parts = (Part(byn("100.00"), fines.reference), Part(byn("150.00"), None), Part(byn("50.00"), None))
    tell(house, line("300.00", parts=parts))

    gifts = sorted((one.minor, one.fund_code) for one in donations.listed(house.session))
    assert gifts == [(5_000, "unassigned"), (10_000, "fines"), (15_000, "unassigned")]
    assert (books(house), waiting(house)) == (byn("300.00"), [])
    assert found(house.session) == []


def test_a_credit_of_several_that_gives_a_payment_back_is_held(house: House) -> None:
    payment = released(house)
    standing = books(house)
    tell(house, line("910.00", TODAY, parts=(Part(byn("810.00"), payment.reference), Part(byn("100.00"), None))))

    assert (waiting(house), books(house)) == ([(Difference.SEVERAL_PAYMENTS, 91_000)], standing)


def test_a_foreign_reference_of_a_part_is_not_kept(house: House) -> None:
    tell(house, line("3.00", parts=(Part(byn("1.00"), "RF18KANAREJKA"), Part(byn("2.00"), None))))

    (kept,) = statements.lines_of(house.session, chain.of_account(house.session, LEAF)[0].alias)
    assert kept.parts == "[[100,null],[200,null]]"


def released(house: House) -> Any:
    give(house.session, byn("810.00"))
    return house.a_released_payment()
