"""Suggestions: each kind of exception has a next step, and a posting or the reason why there is none."""

from datetime import date
from typing import Any

import pytest

from api.commands import main
from ledger import exceptions
from ledger.aliases import Kind, draw
from ledger.books import accounts, journal
from ledger.books.postings import credit, debit
from ledger.exceptions import Difference, OpenException
from ledger.money import Money
from ledger.reconciliation import bank, suggestions
from ledger.reconciliation.statements import NewLine, NewStatement
from ledger.reconciliation.suggestions import WAYS, NoPosting, Suggested
from tests.bookkeeping import CARD_LEAF
from tests.cast import LEAF, NOW, TODAY, House, byn, eur, give

DAY = date(2020, 11, 18)


def tell(house: House, amount: Money, *, reference: str | None = None, reversal: bool = False) -> None:
    """A line of the bank that waits."""
    token = draw(Kind.STATEMENT).encode().hex().ljust(64, "0")
    lines = [NewLine(DAY, None, amount, reference, reversal=reversal)]
    new = NewStatement(draw(Kind.STATEMENT), LEAF, "BYN", DAY, None, None, None, token, lines)
    bank.receive(house.session, new, received_at=NOW, received_by=house.fund.clara.alias)


def the_one(house: House, difference: Difference) -> OpenException:
    (opened,) = [one for one in exceptions.listed(house.session) if one.difference is difference]
    return opened


def suggested(house: House, opened: OpenException) -> Suggested | NoPosting:
    return suggestions.of(house.session, opened)[1]


def test_each_difference_has_a_next_step_that_is_a_command_and_a_posting_or_a_reason() -> None:
    known: Any = main.command()

    assert set(WAYS) == set(Difference)
    for difference, way in WAYS.items():
        first, *more = way.next.split()
        found = known.commands[first]
        assert more[0] in found.commands if more else not hasattr(found, "commands"), difference
        has_posting = bool(way.came or way.went or way.takes_back)
        assert has_posting == (way.why_none is None), difference


@pytest.mark.parametrize(
    ("amount", "reversal", "difference", "posting"),
    [
        ("-5.00", False, Difference.UNMATCHED_DEBIT, Suggested("6020", LEAF, byn("5.00"))),
        ("-5.00", True, Difference.REVERSAL, Suggested("4190", LEAF, byn("5.00"))),
        ("5.00", True, Difference.REVERSAL, Suggested(LEAF, "2000", byn("5.00"))),
    ],
)
def test_of_a_line_that_waits_a_posting_is_suggested(
    house: House, amount: str, *, reversal: bool, difference: Difference, posting: Suggested
) -> None:
    tell(house, byn(amount), reversal=reversal)

    assert suggested(house, the_one(house, difference)) == posting


def test_of_a_payment_what_left_too_much_is_owed_back_and_what_came_back_in_part_is_owed_again(house: House) -> None:
    give(house.session, byn("810.00"))
    payment = house.a_released_payment()
    tell(house, byn("-810.01"), reference=payment.reference)
    tell(house, byn("800.00"), reference=payment.reference)

    assert suggested(house, the_one(house, Difference.AMOUNT_DIFFERS)) == Suggested("1380", LEAF, byn("810.01"))
    assert suggested(house, the_one(house, Difference.PAYMENT_RETURNED)) == Suggested(LEAF, "2100", byn("800.00"))


@pytest.mark.parametrize(
    ("difference", "account", "amount", "posting"),
    [
        (Difference.BALANCE_DIFFERS, LEAF, byn("5.00"), Suggested(LEAF, "4300", byn("5.00"))),
        (Difference.BALANCE_DIFFERS, LEAF, byn("-5.00"), Suggested("6020", LEAF, byn("5.00"))),
        (Difference.PROCESSOR_DIFFERS, CARD_LEAF, eur("-5.00"), Suggested("6000", CARD_LEAF, eur("5.00"))),
        (Difference.PAYOUT_DIFFERS, CARD_LEAF, eur("-5.00"), Suggested("6000", CARD_LEAF, eur("5.00"))),
        (Difference.STATEMENT_DOES_NOT_ADD_UP, LEAF, byn("5.00"), NoPosting.NOT_OURS),
        (Difference.BELOW_ZERO, LEAF, byn("-5.00"), NoPosting.DECISION),
        (Difference.OVER_REFUNDED, CARD_LEAF, eur("5.00"), NoPosting.BOOKED_ALREADY),
        (Difference.AMOUNT_DIFFERS, LEAF, byn("5.00"), NoPosting.BOOKED_ALREADY),
        (Difference.MOVEMENT_WAITS, CARD_LEAF, eur("5.00"), NoPosting.ANSWER_BOOKS),
        (Difference.BALANCE_DIFFERS, LEAF, byn("0.00"), NoPosting.NO_MONEY),
        (Difference.CHECK_FAILED, None, None, NoPosting.NO_MONEY),
    ],
)
def test_of_what_is_no_line_a_posting_is_suggested_or_a_reason_told(
    house: House, difference: Difference, account: str | None, amount: Money | None, posting: Suggested | NoPosting
) -> None:
    if account == CARD_LEAF:
        accounts.add_leaf(house.session, CARD_LEAF, name="A processor", currency="EUR")
    opened = exceptions.open_once(
        house.session, difference=difference, about="x", on=TODAY, account=account, amount=amount
    )

    assert suggested(house, opened) == posting


def test_of_a_payout_that_may_have_been_booked_as_a_gift_the_correction_is_suggested(house: House) -> None:
    accounts.add_leaf(house.session, "1050:eur", name="In transit", currency="EUR")
    opened = exceptions.open_once(
        house.session,
        difference=Difference.AMBIGUOUS_PAYOUT,
        about="stripe:txn_1:po_1",
        on=TODAY,
        account="1050:eur",
        amount=eur("96.80"),
    )

    assert suggested(house, opened) == Suggested("2000", "1050:eur", eur("96.80"))


def test_of_an_entry_that_no_bank_shows_its_mirror_is_suggested(house: House) -> None:
    postings = [debit("6020", byn("5.00"), "general"), credit(LEAF, byn("5.00"), "general")]
    facts: dict[str, Any] = {"source_key": "test:fee", "kind": "manual", "recorded_at": NOW, "recorded_by": "test"}
    entry = journal.post(house.session, postings=postings, happened_on=date(2020, 11, 1), **facts).entry_id
    opened = exceptions.open_once(
        house.session,
        difference=Difference.ENTRY_NOT_SEEN,
        about=f"{LEAF}:{entry}",
        on=TODAY,
        account=LEAF,
        amount=byn("-5.00"),
    )

    assert suggested(house, opened) == Suggested(LEAF, "6020", byn("5.00"))
