"""The signed acts on conversions: approval by one person, or by two when the rate is far off, and release."""

from datetime import date
from math import ceil

from sqlmodel import Session

from ledger import approvals
from ledger.approvals import Agreed, NotAgreed, Verb
from ledger.books import exchange, spending
from ledger.errors import Refused
from ledger.money import Money
from ledger.treasury import conversions
from ledger.treasury.conversions import Conversion, State


class RateMoved(Refused):
    """Since one person agreed the stored rate has moved away: cancel it, and ask again."""

    rule = "rate_moved"


def approve(session: Session, alias: str, agreed: Agreed) -> Conversion:
    """Approves a conversion that others asked for; far from the stored rate, it needs two who do.

    Each fund must have its share in hand, and may spend what it loses by the rate; their rows are locked.

    Raises:
        UnknownConversion, ConversionNotReady, SamePerson, WouldOverdraw, NoRate, and what `approvals.accept` raises.
        Nothing was written.
    """
    conversion = conversions.require(session, alias, lock=True)
    conversions.require_state(conversion, State.REQUESTED, State.DOUBTFUL)
    signers = {kept.signer for kept in approvals.of_object(session, alias)}  # whatever the row says
    approvals.require_other(agreed.signer.alias, than={conversion.requested_by, conversion.approved_by, *signers})
    today = agreed.now.date()
    with session.begin_nested():  # act and effect, or neither
        _accept(session, agreed, "approve_conversion", conversion)
        _require_funds(session, conversion, on=today)
        if conversion.state is State.DOUBTFUL:
            conversion.confirmed_by = agreed.signer.alias
            conversions.move(session, conversion, State.APPROVED)
        else:
            conversion.approved_by = agreed.signer.alias
            conversions.move(
                session,
                conversion,
                State.DOUBTFUL if conversions.is_far_off(session, conversion, on=today) else State.APPROVED,
            )
    return conversion


def release(session: Session, alias: str, agreed: Agreed) -> Conversion:
    """Releases an approved conversion to the bank: what is to leave is held on its leaf.

    Raises:
        UnknownConversion, ConversionNotReady, SamePerson, NoRate, and what `approvals.accept` raises. NotAgreed: no
        kept signature covers it, or only one where two are needed. RateMoved: see there. WouldOverdraw: the leaf has
        not enough. Nothing was written.
    """
    conversion = conversions.require(session, alias, lock=True)
    conversions.require_state(conversion, State.APPROVED)
    signers = approvals.agreed_by(
        session,
        alias,
        verb="approve_conversion",
        amount=conversion.sold(),
        payee_commitment=conversions.commitment_of(session, conversion),
    )
    approvals.require_other(agreed.signer.alias, than={conversion.approved_by, conversion.confirmed_by, *signers})
    if len(signers - {conversion.requested_by}) < (1 if conversion.confirmed_by is None else 2):
        raise NotAgreed("no kept signature covers what stands here", object=alias, verb="approve_conversion")
    today = agreed.now.date()
    if len(signers) == 1 and conversions.is_far_off(session, conversion, on=today):
        raise RateMoved("the stored rate has moved away since one person agreed", conversion=alias)
    with session.begin_nested():
        _accept(session, agreed, "release_conversion", conversion)
        spending.reserve(session, [conversions.order_of(conversion)], on=today)
        conversion.released_by, conversion.released_on = agreed.signer.alias, today
        conversions.move(session, conversion, State.RELEASED)
    return conversion


def _require_funds(session: Session, conversion: Conversion, *, on: date) -> None:
    """Refuses what a fund has not in hand, and a loss by the rate that it may not spend."""
    sold = conversions.worth(session, conversion.sold(), on=on)
    expected = conversions.worth(session, conversion.expected(), on=on)
    for fund, share in sorted(conversions.shares_of(session, conversion).items()):
        spending.require_in_hand(session, fund, share, on=on)
        loss = ceil((sold - expected) * share.minor / conversion.minor)
        if loss > 0:
            spending.require_spendable(session, fund, Money(loss, exchange.functional_currency(session)), on=on)


def _accept(session: Session, agreed: Agreed, verb: Verb, conversion: Conversion) -> None:
    approvals.accept(
        session,
        agreed,
        verb=verb,
        object_alias=conversion.alias,
        version=conversion.version,
        amount=conversion.sold(),
        payee_commitment=conversions.commitment_of(session, conversion),
    )
