"""Attack 32 on the newest acts: handed in again, signed of another state, and by two at once. Each has one effect."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from sqlmodel import Session, col, select

from ledger.aid import order_failures
from ledger.approvals import Agreed, SignedAct
from ledger.books import accounts
from ledger.errors import Conflict, LedgerError
from ledger.giving import bank_refunds, donations, early_payouts, in_kind, steps
from ledger.giving.donations import Donation
from ledger.people import Role
from ledger.reconciliation import matchings, resolutions, unbookings
from ledger.reconciliation.answers import Answer, Because
from ledger.reconciliation.pairings import Undone
from ledger.reconciliation.resolutions import NewResolution, Resolution, ResolutionReplaced
from ledger.reconciliation.statements import Match
from tests import unexecuted
from tests.bookcheck import found
from tests.cards import DAY, a_charge, a_move, a_payout, a_refund, a_refund_failure
from tests.cast import House, byn, eur, nothing_written, one_after_the_other, race
from tests.coffers import joins
from tests.given import (
    a_shown_gift_in_kind,
    a_stray_gift,
    match,
    on_gift_in_kind,
    open_for,
    shown,
    signed,
    the_exception,
    value,
)
from tests.giving_back import ask, on_order
from tests.purses import EUR_LEAF
from tests.saying import on_agreement, on_request, say
from tests.tills import open_till, receive, waits

STRANGE = a_move("other_adjustment", eur("-7.00"))
DONE_ONCE = {
    *("once", "balanced", "as-agreed", "acts", "signed", "idle-acts", "four-eyes", "brought-and-agreed"),
    *("exceptions", "exceptions-dated", "pairings", "resolutions", "answers", "unsaid", "unheard"),
    *("gifts", "gift-entries", "gift-steps", "gift-rows", "gifts-in-kind", "gifts-given-back", "donor-refunds"),
    *("processor", "payouts", "payout-arrivals", "refunds-held", "payments-held", "orders-failed", "payments"),
}
"""The checks of acts, of entries, and of whatever is decided here."""
LOSS: dict[str, Any] = {"answer": Answer.LOSS, "because": Because.TOLD_BY_PROCESSOR}


@dataclass(frozen=True)
class Decision:
    """What two people are about to do: how each of them signs it, of another version if told, and what it then does."""

    sign: Callable[..., Agreed]
    """By number of the person; `version` is a lie."""
    act: Callable[[Session, Agreed], object]


def deciding(people: list[Any], sign: Callable[..., Agreed], act: Callable[[Session, Agreed], object]) -> Decision:
    return Decision(lambda nth, **lie: sign(by=people[nth], **lie), act)


# --- what is decided


def two_are_needed(house: House) -> Decision:
    open_till(house)
    new = NewResolution(about=waits(house, STRANGE), **LOSS)
    people = [house.fund.clara, joins(house, Role.TREASURER)]
    return deciding(people, partial(on_request, house, new), lambda own, yes: resolutions.request(own, new, yes))


def one_suffices(house: House) -> Decision:
    open_till(house)
    accounts.add_leaf(house.session, EUR_LEAF, name="A leaf", currency="EUR")
    receive(house, a_payout(eur("5.00")), a_payout(eur("5.00"), nth=2))
    shown(house, eur("5.00"), leaf=EUR_LEAF, on=DAY)
    new = NewResolution(about=the_exception(house).alias, answer=Answer.PAYOUT, of="po_Invented0001")
    people = [house.fund.clara, joins(house, Role.TREASURER)]
    return deciding(people, partial(on_request, house, new), lambda own, yes: resolutions.request(own, new, yes))


def another_agrees(house: House) -> Decision:
    open_till(house)
    said = say(house, NewResolution(about=waits(house, STRANGE), **LOSS))
    about, sign = said.about, partial(on_agreement, house, said)
    return deciding(approvers(house), sign, lambda own, yes: resolutions.agree(own, about, yes))


def it_was_no_gift(house: House) -> Decision:
    gift = a_stray_gift(house, byn("5.00"))
    entry = house.session.get_one(Match, gift.source_key).entry_id
    commitment = matchings.commitment(lines=[gift.source_key], entries=[entry])
    people = [house.fund.clara, joins(house, Role.TREASURER)]
    sign = partial(on_gift, "unmatch_lines", gift, commitment=commitment, detail="wrong_entry")
    because = Undone.WRONG_ENTRY
    alias = gift.alias
    return deciding(people, sign, lambda own, yes: unbookings.unbook(own, alias, because=because, agreed=yes))


def it_was_a_payout(house: House) -> Decision:
    open_till(house)
    accounts.add_leaf(house.session, EUR_LEAF, name="A leaf", currency="EUR")
    gift = match(house, a_stray_gift(house, eur("96.80"), on=DAY, leaf=EUR_LEAF))
    receive(house, a_payout(eur("96.80")))
    payout, alias = "po_Invented0001", gift.alias
    sign = partial(
        on_gift,
        "tell_payout",
        gift,
        commitment=early_payouts.commitment(donation=alias, payout=payout),
        version=steps.next_number(house.session, gift),
    )
    people = [joins(house, Role.TREASURER)] * 2
    return deciding(people, sign, lambda own, yes: early_payouts.tell(own, alias, payout=payout, agreed=yes))


def it_goes_back_by_bank(house: House) -> Decision:
    open_till(house)
    accounts.add_leaf(house.session, EUR_LEAF, name="A leaf", currency="EUR")
    a_stray_gift(house, eur("40.00"), leaf=EUR_LEAF)
    given = a_charge(eur("50.00"), nth=2)
    refund = a_refund(given, eur("40.00"))
    receive(house, given, refund, a_refund_failure(refund))
    gift = next(one for one in donations.listed(house.session) if one.charge == given.charge)
    order = ask(house, gift, eur("40.00"), account=EUR_LEAF)
    alias, of = order.alias, order.amount()
    sign = partial(on_order, "approve_refund", alias, gift=gift.alias, of=of, account=EUR_LEAF)
    return deciding(approvers(house), sign, lambda own, yes: bank_refunds.approve(own, alias, yes))


def it_is_worth_that(house: House) -> Decision:
    new = a_shown_gift_in_kind(house, byn("30.00"))
    value(house, new)
    for person in approvers(house):
        open_for(house, new, by=person)
    sign = partial(on_gift_in_kind, "approve_gift_in_kind", new)
    return deciding(approvers(house), sign, lambda own, yes: in_kind.agree(own, new.alias, yes))


def the_bank_never_paid(house: House) -> Decision:
    order = unexecuted.a_payment(house)
    unexecuted.tell(house, order)
    alias, sign = order.alias, partial(unexecuted.on_order, house, "agree_unexecuted", order)
    return deciding(approvers(house), sign, lambda own, yes: order_failures.agree(own, alias, yes))


def approvers(house: House) -> list[Any]:
    return [house.fund.boris, house.fund.bella]


def on_gift(verb: Any, gift: Donation, *, by: Any, **stated: Any) -> Agreed:
    return signed(verb, gift.alias, by=by, of=gift.amount(), **stated)


@pytest.mark.parametrize(
    "decided",
    [
        two_are_needed,
        one_suffices,
        another_agrees,
        it_was_no_gift,
        it_was_a_payout,
        it_goes_back_by_bank,
        it_is_worth_that,
        the_bank_never_paid,
    ],
)
def test_what_is_handed_in_twice_or_by_two_at_once_is_done_once(
    house: House, decided: Callable[[House], Decision]
) -> None:
    decision = decided(house)
    stale, first, second, later = (
        decision.sign(nth, **lie) for nth, lie in ((0, {"version": 9}), (0, {}), (1, {}), (1, {}))
    )
    house.session.commit()
    with nothing_written(house.session), pytest.raises(Conflict):
        decision.act(house.session, stale)

    answers = race(house.session, *(lambda own, yes=yes: decision.act(own, yes) for yes in (first, first, second)))

    assert sum(not isinstance(one, LedgerError) for one in answers) == 1
    kept = house.session.exec(
        select(SignedAct).where(col(SignedAct.nonce).in_([one.act.nonce for one in (stale, first, second)]))
    )
    assert len(kept.all()) == 1
    for again in (first, second, later):
        with nothing_written(house.session), pytest.raises(LedgerError):
            decision.act(house.session, again)
    assert found(house.session, by=DONE_ONCE) == []


def test_nobody_agrees_to_what_is_being_replaced(house: House) -> None:
    open_till(house)
    said = say(house, NewResolution(about=waits(house, STRANGE), **LOSS))
    other = NewResolution(about=said.about, answer=Answer.COST, because=Because.TOLD_BY_PROCESSOR)
    again, agreed = on_request(house, other), on_agreement(house, said)
    about = said.about
    house.session.commit()

    answers: list[Resolution | LedgerError] = list(
        one_after_the_other(
            house.session,
            lambda own: resolutions.request(own, other, again),
            look=lambda own: resolutions.newest(own, about),
            then=lambda own: resolutions.agree(own, about, agreed),
        )
    )

    assert isinstance(answers[1], ResolutionReplaced)
    assert resolutions.newest(house.session, about).answer is Answer.COST
