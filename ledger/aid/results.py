"""Results: what an agent says became of the lines of their list, and what was found who looked at the receipts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlmodel import Session, col, select

from ledger import exceptions, overdrafts
from ledger.aid import (
    advances,
    agents,
    agents_lists,
    batches,
    disbursements,
    eligibility,
    jurisdictions,
    refunds,
    returns,
)
from ledger.aid.agents import Agent
from ledger.aid.batch_lines import BatchLine, Item, Outcome, Receipt, items
from ledger.aid.batches import Batch, BatchNotReady
from ledger.aid.cases import Case
from ledger.aid.disbursements import Disbursement
from ledger.books import journal, recipes
from ledger.errors import BadInput, Conflict, NotFound, Refused
from ledger.exceptions import Difference
from ledger.identities import shelves
from ledger.identities.shelves import NewBox
from ledger.money import Money


class UnknownCode(NotFound):
    """No line of this batch has the code; `position` counts the results from 1."""

    rule = "unknown_code"


class BadResult(BadInput):
    """A result that cannot be; `position` counts the results from 1, `where` tells the part."""

    rule = "bad_result"


class ResultConflict(Conflict):
    """Another result stands under the code; `position` counts the results from 1."""

    rule = "result_conflict"


class ReceiptNotKept(Refused):
    """A receipt that somebody calls verified was never brought: the line stays unverified until it is sealed and sent.

    `position` counts the results from 1; `files` names what is missing.
    """

    rule = "receipt_not_kept"


class NotYet(Refused):
    """What an agent paid is booked at the end of the week in which its receipt was verified: it is not over yet."""

    rule = "not_yet"


class Early(StrEnum):
    """What an agent's payment came too early for: the legal force of its ruling, which is graver, or its release."""

    BEFORE_FORCE = "before_force"
    BEFORE_RELEASE = "before_release"


EXCEPTION_OF = {
    Early.BEFORE_FORCE: Difference.PAID_BEFORE_FORCE,
    Early.BEFORE_RELEASE: Difference.PAID_BEFORE_RELEASE,
}
"""The exception that a payment which came too early opens, about its disbursement."""


@dataclass(frozen=True, slots=True)
class Result:
    """`paid_by` is the day of payment at the jurisdiction's grain; a failed line has none, and no receipt either.

    `verified_on` is the day on which somebody found the receipt right; `receipt_box` is the receipt itself, sealed.
    `early` is what the device found that knows the exact days: within a week nobody else can tell.
    """

    code: str
    outcome: Outcome
    receipt: Receipt
    paid_by: date | None = None
    verified_on: date | None = None
    receipt_box: NewBox | None = None
    early: Early | None = None


@dataclass(frozen=True, slots=True)
class Ageing:
    """A line that an agent says they paid, without a receipt that holds: the money is in no purse and in no book."""

    batch: str
    disbursement: str
    receipt: Receipt
    amount: Money
    paid_by: date


def enter(session: Session, batch: str, results: Sequence[Result], *, recorded_at: datetime, recorded_by: str) -> Batch:
    """Enters the results of an agent's batch, all or none; one that stands already changes nothing.

    A verified receipt is booked at the end of its week, from what the agent holds of the line's fund, the rest as owed
    to them. A rejected or missing one books nothing: the money stays in the purse and ages, until a better receipt is
    verified. A failed line may be asked for again. What comes after the list's last day is booked, and an exception.
    So is what was paid too early: it is a fact, and two people say what is to be thought of it.

    Raises:
        UnknownBatch, BatchNotReady, UnknownCode, BadResult, ResultConflict, ReceiptNotKept, NotYet: see there.
        NotASealedBox, BadDigest, AliasTaken: the receipt's box.
    """
    standing = batches.require(session, batch, lock=True)
    if standing.agent_alias is None or standing.state not in {batches.State.RELEASED, batches.State.RECONCILED}:
        raise BatchNotReady("results are of a released list of an agent", batch=batch, state=standing.state)
    agent = agents.require(session, standing.agent_alias, lock=True)
    by_code = {item.line.code: item for item in items(session, batch, lock=True)}
    if len({result.code for result in results}) != len(results):
        raise BadResult("a code comes twice", where="code")
    fresh = [
        (by_code[result.code], result)
        for position, result in enumerate(results, start=1)
        if _is_fresh(by_code.get(result.code), result, position=position, today=recorded_at.date())
    ]
    unspent = returns.unspent_by_fund(session, agent, currency=standing.currency)
    with session.begin_nested(), overdrafts.noted(session, on=recorded_at.date()):  # all of them, or none
        for item, result in fresh:
            _enter(session, agent, item, result, unspent, recorded_at=recorded_at, recorded_by=recorded_by)
        batches.note_finished(session, batch)
        advances.settle(session, agent)
        if fresh and agents_lists.is_expired(session, batch, on=recorded_at.date()):
            exceptions.open_once(session, difference=Difference.LATE_RESULT, about=batch, on=recorded_at.date())
    return standing


def ageing(session: Session, agent: str) -> list[Ageing]:
    """The lines an agent says they paid whose receipts were rejected or are missing, the oldest first."""
    rows = session.exec(
        select(BatchLine, Disbursement)
        .join(Batch, col(Batch.alias) == BatchLine.batch_alias)
        .join(Disbursement, col(Disbursement.alias) == BatchLine.disbursement_alias)
        .where(
            Batch.agent_alias == agent, BatchLine.outcome == Outcome.PAID, col(BatchLine.receipt) != Receipt.VERIFIED
        )
    )
    found = [
        Ageing(line.batch_alias, paid.alias, line.receipt, paid.amount(), line.paid_by)
        for line, paid in rows
        if line.receipt is not None and line.paid_by is not None
    ]
    return sorted(found, key=lambda one: (one.paid_by, one.disbursement))


def keeps_receipt(case: Case, kind: str) -> bool:
    """Whether the pack has an agent's receipt for an obligation of this kind kept, before it counts as verified."""
    return jurisdictions.load(case.jurisdiction).keeps_receipts(kind, received_on=case.received_on)


def early_for(item: Item, *, paid_by: date | None) -> Early | None:
    """What a payment by that day came too early for, as far as the end of its week tells; None when it did not."""
    if paid_by is None:
        return None
    pack = jurisdictions.load(item.case.jurisdiction)
    if paid_by < eligibility.payable_from(pack, item.ruling.bounds(), kind=item.obligation.kind):
        return Early.BEFORE_FORCE
    released_on = item.disbursement.released_on
    return Early.BEFORE_RELEASE if released_on is not None and paid_by < released_on else None


def charged_by_fund(session: Session, agent: str, *, currency: str) -> dict[str, int]:
    """What verified receipts took from an agent's purse in a currency, in minor units by fund."""
    rows = session.exec(
        select(Disbursement.fund_code, BatchLine.charged_minor)
        .join(BatchLine, col(BatchLine.disbursement_alias) == Disbursement.alias)
        .join(Batch, col(Batch.alias) == BatchLine.batch_alias)
        .where(Batch.agent_alias == agent, Batch.currency == currency, col(BatchLine.charged_minor).is_not(None))
    )
    charged: dict[str, int] = {}
    for fund, minor in rows:
        charged[fund] = charged.get(fund, 0) + (minor or 0)
    return charged


def _enter(
    session: Session,
    agent: Agent,
    item: Item,
    result: Result,
    unspent: dict[str, int],
    *,
    recorded_at: datetime,
    recorded_by: str,
) -> None:
    line, disbursement = item.line, item.disbursement
    line.outcome, line.receipt, line.paid_by = result.outcome, result.receipt, result.paid_by
    if result.receipt_box is not None:
        shelves.keep(session, [result.receipt_box], shelf=item.case.beneficiary_alias)
        line.receipt_commitment = result.receipt_box.commitment
    found = {result.early, early_for(item, paid_by=result.paid_by)}
    if (early := next((one for one in Early if one in found), None)) is not None:  # the graver one
        about, on = disbursement.alias, recorded_at.date()
        exceptions.open_once(session, difference=EXCEPTION_OF[early], about=about, on=on)
    is_stopped = disbursement.state is disbursements.State.FAILED
    if result.outcome is Outcome.PAID and is_stopped:
        exceptions.open_once(
            session, difference=Difference.PAID_AFTER_STOP, about=disbursement.alias, on=recorded_at.date()
        )
    if result.outcome is Outcome.FAILED:
        if not is_stopped:
            session.flush()  # the database asks what the agent said before it lets the payment fail
            disbursements.fail(session, disbursement, on=recorded_at.date())
    elif result.verified_on is not None:
        charged = min(disbursement.minor, unspent.get(disbursement.fund_code, 0))
        unspent[disbursement.fund_code] = unspent.get(disbursement.fund_code, 0) - charged
        line.charged_minor = charged
        line.verified_by = _at_grain(item, result.verified_on)
        if is_stopped and not _is_owed_still(session, disbursement, on=recorded_at.date()):
            _pay_in_error(session, agent, item, on=line.verified_by, recorded_at=recorded_at, recorded_by=recorded_by)
        else:
            disbursements.pay_by_agent(
                session,
                disbursement,
                agent=agent,
                from_purse=Money(charged, disbursement.currency),
                source_key=f"batch:{line.batch_alias}:{line.number}",
                on=line.verified_by,
                recorded_at=recorded_at,
                recorded_by=recorded_by,
            )
    session.add(line)
    session.flush()


def _is_owed_still(session: Session, stopped: Disbursement, *, on: date) -> bool:
    """Whether what was stopped is still to be paid, and by nobody else: it is as released then."""
    try:
        with session.begin_nested():
            disbursements.take_up(session, stopped, on=on)
    except (Conflict, Refused):
        return False
    return True


def _pay_in_error(
    session: Session, agent: Agent, item: Item, *, on: date, recorded_at: datetime, recorded_by: str
) -> None:
    """Books that the agent paid what is not owed any more, or was asked for again: it is to come back."""
    line, paid = item.line, item.disbursement
    journal.post(
        session,
        source_key=f"batch:{line.batch_alias}:{line.number}:stopped",
        kind="paid_in_error",
        postings=recipes.agent_paid_in_error(
            purse=paid.account_code,
            amount=paid.amount(),
            from_purse=Money(line.charged_minor or 0, paid.currency),
            fund=paid.fund_code,
            obligation=paid.obligation_alias,
            case=paid.case_alias,
            agent=agent.alias,
        ),
        happened_on=on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )
    refunds.expect_from_payee(session, item.obligation, paid.amount(), fund=paid.fund_code, on=on)


def _is_fresh(item: Item | None, result: Result, *, position: int, today: date) -> bool:
    """Whether a result says something new that can be; False when it stands already."""
    if item is None:
        raise UnknownCode("no line of this batch has the code", position=position)
    _check_result(item, result, position=position, today=today)
    line = item.line
    if line.outcome is None:
        return True
    verified_by = _at_grain(item, result.verified_on) if result.verified_on else None
    box = result.receipt_box.commitment if result.receipt_box else line.receipt_commitment
    told = (result.outcome, result.receipt, result.paid_by, verified_by, box)
    if told == (line.outcome, line.receipt, line.paid_by, line.verified_by, line.receipt_commitment):
        return False
    better = {Receipt.MISSING: {Receipt.REJECTED, Receipt.VERIFIED}, Receipt.REJECTED: {Receipt.VERIFIED}}
    waits = line.outcome is Outcome.PAID and result.receipt in better.get(line.receipt or Receipt.VERIFIED, set())
    if not (waits and (result.outcome, result.paid_by) == (line.outcome, line.paid_by)):
        raise ResultConflict("another result stands under the code", position=position)
    return True


def _check_result(item: Item, result: Result, *, position: int, today: date) -> None:
    if (result.receipt is Receipt.VERIFIED) != (result.verified_on is not None):
        raise BadResult("a verified receipt has its day, another has none", where="verified_on", position=position)
    if result.outcome is Outcome.FAILED:
        if result.receipt is not Receipt.MISSING or {result.paid_by, result.receipt_box, result.early} != {None}:
            raise BadResult("a failed line has no receipt", where="receipt", position=position)
        return
    paid_by = result.paid_by
    if paid_by is None or not _at_grain(item, paid_by) == paid_by <= _at_grain(item, today):
        raise BadResult(
            "a payment's day comes at the jurisdiction's grain, and not from days to come",
            where="paid_by",
            position=position,
        )
    box = result.receipt_box
    if box is not None and (box.kind, box.alias, box.field) != ("disbursement", item.disbursement.alias, "receipt"):
        raise BadResult("the box is the receipt of this line", where="receipt_box", position=position)
    if result.verified_on is not None:
        _check_verified(item, result, on=result.verified_on, position=position, today=today)


def _check_verified(item: Item, result: Result, *, on: date, position: int, today: date) -> None:
    has_receipt = result.receipt_box is not None or item.line.receipt_commitment is not None
    if not has_receipt and keeps_receipt(item.case, item.obligation.kind):
        raise ReceiptNotKept("the receipt itself is missing", position=position, files="receipt")
    booked_on = _at_grain(item, on)
    if result.paid_by is not None and booked_on < result.paid_by:
        raise BadResult("a receipt is verified after the payment", where="verified_on", position=position)
    if booked_on > today:
        raise NotYet("the week of verification is not over", position=position, until=booked_on.isoformat())


def _at_grain(item: Item, day: date) -> date:
    return eligibility.end_of_grain(jurisdictions.load(item.case.jurisdiction), day)
