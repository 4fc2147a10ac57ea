"""Answers about aid: the books' side of what two people say of a line, or of a refund; each is one entry.

Of what comes in, what the line `settles` and does not bring is a fee: the court's of bail, else the bank's, borne by
the fund that the purpose text names. What it brings beyond the whole is an unidentified receipt. In another currency
there is neither: what the line brought stands for what it settles, and the difference of the rates stays on 3900.
"""

from collections.abc import Callable
from typing import Any

from sqlmodel import Session, select

from ledger.aid import (
    advances,
    bail,
    bank_returns,
    disbursements,
    obligations,
    order_failures,
    outlays,
    refunds,
    returns,
)
from ledger.aid.advances import Advance
from ledger.aid.bail import BailReturn
from ledger.aid.disbursements import Disbursement
from ledger.aid.obligations import Obligation, ObligationKind
from ledger.aid.outlays import Repayment
from ledger.aid.refunds import Refund
from ledger.aid.returns import Return
from ledger.aliases import Kind, draw, kind_of
from ledger.books import journal, recipes
from ledger.books.postings import Posting
from ledger.errors import Refused
from ledger.giving import donations, purpose_versions
from ledger.money import Money
from ledger.reconciliation import issued
from ledger.reconciliation.answers import Answer, Question
from ledger.reconciliation.issued import Issued
from ledger.reconciliation.waits import BadResolution


class LeftTooEarly(Refused):
    """Money left before what it was to pay might be paid: it is no payment, whoever says so."""

    rule = "left_too_early"


def require_same_thing(session: Session, asked: Question) -> None:
    """Refuses that a line is something else than what its reference was drawn for.

    Raises:
        BadResolution: see there.
    """
    reference = asked.line.reference
    told = issued.find(session, reference) if reference else None
    if told is not None and _thing_of(told) != _thing_named(session, asked.of):
        raise BadResolution("the line has the reference of something else", where="of")


def name_drawn_for(session: Session, reference: str | None) -> str | None:
    """By what a resolution names the thing of this reference, for who only tells of it: nothing is locked."""
    drawn_for: tuple[type[Disbursement | Advance | Repayment | Refund | BailReturn], ...]
    drawn_for = (Disbursement, Advance, Repayment, Refund, BailReturn)
    for model in drawn_for:
        told: Any = session.exec(select(model).where(model.reference == reference)).one_or_none()
        if told is not None:
            return name_of(told)
    return None


def name_of(found: Issued | None) -> str | None:
    """By what a resolution names the thing that a reference was drawn for; None of what it is not about."""
    if isinstance(found, Refund):
        return found.reference
    if isinstance(found, BailReturn):
        return found.obligation_alias
    return found.alias if isinstance(found, Disbursement | Advance | Repayment) else None


def _thing_of(found: Issued) -> str:
    """What a reference is about in the end: an obligation, or what else was sent or is to come."""
    if isinstance(found, Disbursement | Refund | BailReturn):
        return found.obligation_alias
    return found.advance_alias if isinstance(found, Return) else found.alias


def _thing_named(session: Session, of: str) -> str:
    if kind_of(of) is Kind.DISBURSEMENT:
        return disbursements.require(session, of).obligation_alias
    refund = None if kind_of(of) else refunds.by_reference(session, of)
    return of if refund is None else refund.obligation_alias


def _payment(session: Session, asked: Question) -> int:
    """Left before its release, and released since, or after it was ended as failed: it is the payment all the same."""
    line = asked.line
    if line.reference is None or asked.settles != -line.amount():
        raise BadResolution("a payment is what left, under its reference", where="settles")
    found = issued.find(session, line.reference)
    if not isinstance(found, Disbursement | Advance | Repayment) or found.alias != asked.of:
        raise BadResolution("the line has the reference of no payment", where="of")
    if (line.account_code, -line.amount()) != (found.account_code, found.amount()):
        raise BadResolution("another sum left, or from another leaf", where="about")
    if isinstance(found, Disbursement):
        obligation = obligations.require(session, found.obligation_alias)
        ruled_by = obligations.ruling_of(session, obligation).ruled_by
        too_early = line.booked_on < max(ruled_by, obligations.payable_from(session, obligation))
    else:
        too_early = (
            isinstance(found, Repayment) and outlays.owed_on(session, found, on=line.booked_on) < found.settles_minor
        )
    if too_early:
        raise LeftTooEarly("it left before it might be paid", left_on=line.booked_on.isoformat())
    if asked.answer is Answer.CARRIED_OUT:
        order_failures.take_up(session, found, on=asked.recorded_at.date())
    return issued.book(session, found, account=line.account_code, moved=line.amount(), **asked.fact()).entry_id


def _expected_back(session: Session, asked: Question) -> int:
    """Left, and was no payment: who has it owes it to the fund."""
    line = asked.line
    if asked.settles != -line.amount():
        raise BadResolution("all that left is to come back", where="settles")
    if kind_of(asked.of) is Kind.ADVANCE:
        advance = advances.require(session, asked.of, lock=True)
        return returns.expect_back(session, advance, asked.settles, leaf=line.account_code, **asked.fact()).entry_id
    payment = disbursements.require(session, asked.of, lock=True)
    obligation = obligations.require(session, payment.obligation_alias, lock=True)
    postings = recipes.money_to_come_back(
        leaf=line.account_code,
        amount=asked.settles,
        fund=payment.fund_code,
        obligation=obligation.alias,
        case=obligation.case_alias,
    )
    entry_id = _post(session, asked, "left_in_error", postings)
    refunds.expect_from_payee(session, obligation, asked.settles, fund=payment.fund_code, on=line.booked_on)
    return entry_id


def _payment_returned(session: Session, asked: Question) -> int:
    if kind_of(asked.of) is Kind.OUTLAY:
        repayment = outlays.require(session, asked.of, lock=True)
        left = repayment.minor
        if repayment.currency == repayment.settles_currency:
            left -= repayment.returned_minor
        beside = _beside(session, asked, whole=Money(left, repayment.currency), fund=repayment.fund_code)
        return outlays.give_back(session, repayment, beside=beside, **_come(asked)).entry_id
    if kind_of(asked.of) is Kind.ADVANCE:
        return _advance_given_back(session, asked)
    payment = disbursements.require(session, asked.of, lock=True)
    obligation = obligations.require(session, payment.obligation_alias, lock=True)
    if obligation.kind is ObligationKind.BAIL:
        _require_untouched(session, obligation)
    beside = _beside(session, asked, whole=payment.amount(), fund=payment.fund_code)
    return bank_returns.receive(session, payment, beside=beside, **_come(asked)).entry_id


def _advance_given_back(session: Session, asked: Question) -> int:
    """By the bank, before the agent had it; or, under the reference of a return, by the agent, less a fee or with more.

    A fee is general's, unless the advance is of one fund that bears its costs.
    """
    line, advance = asked.line, advances.require(session, asked.of, lock=True)
    shares = advances.shares_of(session, advance)
    fund = min(shares) if len(shares) == 1 else recipes.GENERAL
    announced = issued.find(session, line.reference) if line.reference else None
    if not isinstance(announced, Return):
        beside = _beside(session, asked, whole=advance.amount(), fund=fund)
        return advances.give_back(session, advance, beside=beside, **_come(asked)).entry_id
    if asked.settles != announced.amount() or asked.crosses or asked.settles == line.amount():
        raise BadResolution("what an agent gives back so is the whole return, less a fee or with more", where="settles")
    beside = _beside(session, asked, whole=announced.amount(), fund=fund)
    told = asked.fact() | {"leaf": line.account_code, "came": asked.settles, "beside": beside}
    return returns.receive(session, announced, **told).entry_id


def _refund(session: Session, asked: Question) -> int:
    refund = refunds.require(session, asked.of)
    fund = refund.fund_code or obligations.fund_of(obligations.require(session, refund.obligation_alias))
    beside = _beside(session, asked, whole=refund.amount(), fund=fund)
    return refunds.receive(session, refund, beside=beside, **_come(asked)).entry_id


def _bail_returned(session: Session, asked: Question) -> int:
    """The court sent another sum than it had announced, or had announced none: it is a return of its own."""
    line = asked.line
    told = issued.find(session, line.reference) if line.reference else None
    by, on = asked.recorded_by, asked.recorded_at.date()
    if isinstance(told, BailReturn) and told.is_waiting():
        bail.withdraw_return(session, told, by=by, on=on)
    posted, _ = bail.require_posted(session, asked.of)
    held = bail.outstanding(session, posted)
    nothing = Money(0, asked.settles.currency)
    fee = nothing if asked.crosses else asked.settles - line.amount()
    beside = _beside(session, asked, whole=held, fund=posted.fund_code or "") if fee.minor < 0 else []
    announced = bail.announce_return(
        session, asked.of, amount=asked.settles, fee=fee if fee.minor > 0 else nothing, by=by, on=on
    )
    come = _come(asked)
    del come["settles"]
    return bail.receive(session, announced, beside=beside, **come).entry_id


def _of_refund(session: Session, asked: Question) -> int:
    """What became of a refund without the bank."""
    refund = refunds.require(session, asked.of)
    if refund.obligation_alias != asked.about:
        raise BadResolution("the refund is of another obligation", where="of")
    if asked.answer is Answer.GIVEN_UP:
        refunds.give_up(session, refund, asked.settles, rightly_kept=asked.rightly_kept, **asked.fact())
    else:
        refunds.keep_by_beneficiary(session, refund, asked.settles, **asked.fact())
    return 0


def _come(asked: Question) -> dict[str, Any]:
    """What has come, where, and for what; `came` is told when that is another currency."""
    came = asked.line.amount() if asked.crosses else None
    return asked.fact() | {"leaf": asked.line.account_code, "settles": asked.settles, "came": came}


def _beside(session: Session, asked: Question, *, whole: Money, fund: str) -> list[Posting]:
    """The fee that was taken on the way, or what came beyond the whole of what was expected."""
    line = asked.line
    if asked.crosses:
        return []
    fee = asked.settles - line.amount()
    if not fee.minor:
        return []
    if fee.minor > 0:
        bearer = purpose_versions.bearer_of_costs(session, fund, on=line.booked_on)
        return recipes.bank_fee(leaf=line.account_code, fee=fee, fund=bearer)
    if asked.settles != whole:
        raise BadResolution("more came, and not all of it is settled", where="settles")
    beyond = -fee
    gift = draw(Kind.DONATION)
    donations.note_beyond(session, gift, source_key=asked.source_key, amount=beyond, on=line.booked_on)
    return recipes.bank_gift_unidentified(leaf=line.account_code, gift=beyond, donation=gift)


def _require_untouched(session: Session, posted: Obligation) -> None:
    """Refuses that bail never came to a court that has given some of it back, kept some, or is to give it back."""
    if bail.outstanding(session, posted) != posted.amount() or bail.announced_of(session, posted).minor:
        raise BadResolution("a court has had the bail", where="answer")


def _post(session: Session, asked: Question, kind: str, postings: list[Posting]) -> int:
    return journal.post(
        session,
        source_key=asked.source_key,
        kind=kind,
        postings=postings,
        happened_on=asked.waiting.on,
        recorded_at=asked.recorded_at,
        recorded_by=asked.recorded_by,
    ).entry_id


BOOKS: dict[Answer, Callable[[Session, Question], int]] = {
    Answer.PAYMENT: _payment,
    Answer.EXPECTED_BACK: _expected_back,
    Answer.CARRIED_OUT: _payment,
    Answer.PAYMENT_RETURNED: _payment_returned,
    Answer.REFUND: _refund,
    Answer.BAIL_RETURNED: _bail_returned,
    Answer.KEPT_BY_BENEFICIARY: _of_refund,
    Answer.GIVEN_UP: _of_refund,
}
"""What each answer books: the number of the entry that answers the line, or 0 where there is none.

Raises:
    BadResolution: the line settles what it cannot. LeftTooEarly: see there. And what the verbs raise that book it.
"""
