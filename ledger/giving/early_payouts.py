"""Payouts that the bank showed before the processor told of them: booked as gifts nobody could place, they were none.

One entry takes the gift back and lets the payout arrive in its place, once: by itself where only one can be meant, else
by a treasurer's signed act. One for which somebody has signed a purpose takes another person's.
"""

import hashlib
from datetime import datetime
from typing import Any

import rfc8785
from sqlalchemy import func, tuple_
from sqlmodel import Session, col, select

from ledger import approvals, exceptions, overdrafts
from ledger.approvals import Agreed
from ledger.books import recipes
from ledger.books.postings import Posting
from ledger.errors import NotFound, Refused
from ledger.exceptions import Difference, OpenException
from ledger.giving import donations, gift_returns, payouts, receipts, sightings, steps
from ledger.giving.donations import Donation, Source
from ledger.giving.donations import State as GiftState
from ledger.giving.payouts import Payout
from ledger.giving.steps import NewStep, Step
from ledger.money import Money
from ledger.storage.locks import locked

_NOBODYS = (col(Donation.state) == GiftState.UNIDENTIFIED, col(Donation.source) == Source.BANK)
SAID = frozenset({Step.MATCHED, Step.UNCLAIMED, Step.CONDITIONAL, Step.MET})
"""The steps by which somebody said what a gift is for: who did does not say that it was none."""


class UnknownPayout(NotFound):
    """No payout that waits for the bank has this id."""

    rule = "unknown_payout"


class NotThisPayout(Refused):
    """The gift and the payout differ in amount or time, or a part of the gift became something else."""

    rule = "not_this_payout"


def look_again(session: Session, *, recorded_at: datetime, recorded_by: str) -> None:
    """Lets the payouts arrive that were booked as gifts; an exception is opened where several can be meant.

    A line of the bank about which somebody was asked is what they said: its gift stays one.
    """
    for payout in _that_may_be_gifts(session):
        gifts = [gift for gift in _gifts_like(session, payout) if _can_be(session, gift, payout)]
        if not gifts:
            continue
        rivals = sightings.candidates(session, amount=payout.arriving(), on=gifts[0].received_on)
        if (len(gifts), len(rivals)) == (1, 1):
            _correct(session, gifts[0], payout, recorded_at=recorded_at, recorded_by=recorded_by)
            continue
        exceptions.open_once(
            session,
            difference=Difference.AMBIGUOUS_PAYOUT,
            account=payout.transit_code,
            about=payout.source_key,
            amount=payout.amount(),
            on=recorded_at.date(),
        )


def tell(session: Session, alias: str, *, payout: str, agreed: Agreed) -> Donation:
    """Says that a gift by bank was the arrival of a payout, by a treasurer's signature; closes its exception.

    Raises:
        UnknownDonation, UnknownPayout, NotThisPayout, and what `approvals.accept` raises. WrongState: nothing of the
        gift is owed or income. SamePerson: they said what the gift was for. OnReceipt: see there. Nothing was written.
    """
    found = session.exec(locked(select(Payout).where(Payout.id == payout))).one_or_none()  # first, as `look_again` does
    gift = donations.require(session, alias)
    if gift.state not in _STANDS_ON:
        raise donations.WrongState("the gift is neither owed nor matched", donation=alias, state=gift.state)
    if found is None or found.paid_on is not None:
        raise UnknownPayout("no payout that waits for the bank has this id")
    if not _is_like(session, gift, found):
        raise NotThisPayout("the gift is not what the payout brings", donation=alias)
    receipts.require_none(session, alias)
    placed = {one.taken_by for one in steps.of(session, [alias])[alias] if one.step in SAID}
    with session.begin_nested(), overdrafts.noted(session, on=agreed.now.date()):  # act and effect, or neither
        approvals.require_other(agreed.signer.alias, than=placed)
        approvals.accept(
            session,
            agreed,
            verb="tell_payout",
            object_alias=alias,
            version=steps.next_number(session, gift),
            amount=gift.amount(),
            payee_commitment=commitment(donation=alias, payout=payout),
        )
        _correct(session, gift, found, recorded_at=agreed.now, recorded_by=agreed.signer.alias)
    return gift


def commitment(*, donation: str, payout: str) -> str:
    """What an act restates as payee: SHA-256 over the canonical JSON of gift and payout."""
    return hashlib.sha256(rfc8785.dumps(["payout", donation, payout])).hexdigest()


def _correct(session: Session, gift: Donation, payout: Payout, *, recorded_at: datetime, recorded_by: str) -> None:
    """Books, with the gift's row locked, that the payout arrived on the day and the leaf of the gift.

    What somebody said about the gift meanwhile is taken back on the day on which another person says so.
    """
    leaf, stands_on = steps.leaf_of(session, gift), _STANDS_ON[gift.state]
    was_placed = stands_on != recipes.UNIDENTIFIED
    fund = gift.fund_code if was_placed else recipes.UNASSIGNED
    new = NewStep(
        step=Step.PAYOUT,
        amount=gift.amount(),
        fund=fund,
        postings=[*_taken_back(gift, leaf), *payouts.arrival_of(session, payout, bank=leaf)],
        debit=stands_on,
        about=payout.id,
    )
    on = recorded_at.date() if was_placed else gift.received_on
    steps.take(session, gift, new, on=on, recorded_at=recorded_at, recorded_by=recorded_by)
    payouts.note_arrival(session, payout, on=gift.received_on)
    for difference in (Difference.AMBIGUOUS_PAYOUT, Difference.PAYOUT_NOT_SEEN):
        exceptions.settle(session, difference, about=payout.source_key, on=recorded_at.date())


def _taken_back(gift: Donation, leaf: str) -> list[Posting]:
    facts: dict[str, Any] = {"leaf": leaf, "donation": gift.alias}
    if gift.state is GiftState.UNIDENTIFIED:
        return recipes.unidentified_sent_back(gift=gift.amount(), **facts)
    if gift.state is GiftState.CONDITIONAL:
        return recipes.conditional_gift_returned(amount=gift.amount(), fund=gift.fund_code, **facts)
    return recipes.bank_gift_mistaken(gift=gift.amount(), fund=gift.fund_code, received_on=gift.received_on, **facts)


def _that_may_be_gifts(session: Session) -> list[Payout]:
    """Those on their way of whose amount there is a gift: asked at once, for after a season many are on their way."""
    amounts = select(Donation.minor, Donation.currency).where(*_NOBODYS)
    minor, currency = Payout.arriving_minor, Payout.arriving_currency
    arriving = tuple_(func.coalesce(minor, Payout.minor), func.coalesce(currency, Payout.currency))
    query = select(Payout).where(
        Payout.state == payouts.State.CREATED, col(Payout.paid_on).is_(None), arriving.in_(amounts)
    )
    return sorted(session.exec(locked(query)), key=lambda one: (one.created_on, one.id))


def _gifts_like(session: Session, payout: Payout) -> list[Donation]:
    arriving: Money = payout.arriving()
    query = select(Donation).where(*_NOBODYS, Donation.minor == arriving.minor, Donation.currency == arriving.currency)
    return sorted(session.exec(locked(query)), key=lambda one: (one.received_on, one.alias))


def _can_be(session: Session, gift: Donation, payout: Payout) -> bool:
    """Whether a gift can be a payout without asking: of its amount and time, untouched, and nobody was asked before."""
    asked = [f"{difference}:{gift.source_key}" for difference in Difference]
    was_asked = session.exec(select(OpenException.alias).where(col(OpenException.about).in_(asked))).first()
    return was_asked is None and _is_like(session, gift, payout)


def _is_like(session: Session, gift: Donation, payout: Payout) -> bool:
    in_time = payout.created_on <= gift.received_on <= payout.created_on + payouts.LONGEST_WAY
    whole = gift_returns.left_to_send(session, gift, gift_returns.owed_on(gift)) == gift.amount()
    return in_time and whole and gift.source is Source.BANK and gift.amount() == payout.arriving()


_STANDS_ON = {
    GiftState.UNIDENTIFIED: recipes.UNIDENTIFIED,
    GiftState.CONDITIONAL: recipes.CONDITIONAL_GIFTS,
    GiftState.MATCHED: recipes.DONATIONS,
}
"""Where a gift stands that may have been a payout, by its state."""
