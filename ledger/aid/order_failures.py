"""Orders that the bank never carried out: two people may end them as failed, with a reason; both sign.

An order is what the bank was told to pay and has not shown: a released payment, by itself or as a line of a batch, a
released advance, an approved repayment of an outlay. Ended, its hold on the leaf is free, and what it was to pay may be
asked for again, under another reference. What the bank carries out all the same waits as an exception with its amount.
"""

from datetime import date
from enum import StrEnum

from sqlalchemy import CheckConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from ledger import approvals
from ledger.aid import advances, batch_lines, batches, disbursements, outlays
from ledger.aid.advances import Advance
from ledger.aid.batch_lines import BatchLine
from ledger.aid.disbursements import BANK, Disbursement
from ledger.aid.outlays import Repayment
from ledger.aid.payment_files import PaymentFileLine, PaymentFileRepayment
from ledger.aliases import Kind, kind_of
from ledger.approvals import Agreed, Verb
from ledger.errors import Conflict, NotFound
from ledger.storage.columns import WITHOUT_ROWID, enumeration

Order = Disbursement | Advance | Repayment


class Reason(StrEnum):
    """Why the bank did not carry an order out. Not handed in: it was never told.

    Stopped is for a line of an agent's list alone: the fund tells them not to pay it, as its ruling fell.
    """

    BANK_REFUSED = "bank_refused"
    NEVER_EXECUTED = "never_executed"
    NOT_HANDED_IN = "not_handed_in"
    CALLED_BACK = "called_back"
    STOPPED = "stopped"


class UnknownOrder(NotFound):
    """No payment, advance or repayment has this alias."""

    rule = "unknown_order"


class NoOrderFailure(NotFound):
    """Nobody told that this order was not carried out, or it was agreed to before."""

    rule = "no_order_failure"


class OrderNotReady(Conflict):
    """It is no order of the bank, or not one that waits: not released, shown by the bank, or ended before."""

    rule = "order_not_ready"


class OrderFiled(Conflict):
    """It stands in a file of which the bank has paid nothing: two people withdraw the file first."""

    rule = "order_filed"


class OrderFailure(SQLModel, table=True):
    """That an order was not carried out, by number from 1 for each: as one person told it, and another agreed.

    Who tells it again says it in place of what was told before. Rows stay, and so does who signed.
    """

    __tablename__ = "order_failure"
    order_alias: str = Field(primary_key=True, max_length=20)
    number: int = Field(primary_key=True)
    because: Reason = Field(sa_type=enumeration(Reason))
    told_by: str = Field(max_length=20)
    told_on: date
    agreed_by: str | None = Field(default=None, max_length=20)
    agreed_on: date | None = None

    __table_args__ = (
        CheckConstraint("agreed_by <> told_by", name="order_failure_is_of_two_people"),
        CheckConstraint("(agreed_by IS NULL) = (agreed_on IS NULL)", name="order_failure_is_agreed_on_a_day"),
        WITHOUT_ROWID,
    )


def tell(session: Session, alias: str, *, because: Reason, agreed: Agreed) -> OrderFailure:
    """Tells, signed, that the bank never carried an order out; nothing changes before another person agrees.

    Raises:
        UnknownOrder, OrderNotReady, OrderFiled: see there. And what `approvals.accept` raises. Nothing was written.
    """
    order = _require_waiting(session, alias)
    if (because is Reason.STOPPED) == waits(order):
        raise OrderNotReady("an agent's line is stopped, and nothing else", order=alias, state=order.state)
    told = OrderFailure(
        order_alias=alias,
        number=len(told_of(session, alias)) + 1,
        because=because,
        told_by=agreed.signer.alias,
        told_on=agreed.now.date(),
    )
    with session.begin_nested():  # act and effect, or neither
        _accept(session, agreed, "tell_unexecuted", order, because)
        session.add(told)
        session.flush()
    return told


def agree(session: Session, alias: str, agreed: Agreed) -> OrderFailure:
    """Agrees, as another person, to what was told last: the order has failed, and nothing is held for it any more.

    Raises:
        UnknownOrder, OrderNotReady, OrderFiled: see there. NoOrderFailure: nobody told so. SamePerson: who told it.
        And what `approvals.accept` raises. Nothing was written.
    """
    order = _require_waiting(session, alias)
    told = told_of(session, alias)
    if not told:
        raise NoOrderFailure("nobody told that this order was not carried out", order=alias)
    failure = told[-1]
    approvals.require_other(agreed.signer.alias, than={failure.told_by})
    with session.begin_nested():
        _accept(session, agreed, "agree_unexecuted", order, failure.because)
        failure.agreed_by, failure.agreed_on = agreed.signer.alias, agreed.now.date()
        session.add(failure)
        session.flush()  # the database asks for both before it lets the order fail
        _fail(session, order, on=agreed.now.date())
    return failure


def take_up(session: Session, order: Order, *, on: date) -> None:
    """The bank carried out after all what was ended as failed: it waits as before, for who books it in the same step.

    Raises:
        DisbursementNotReady, AdvanceNotReady, RepaymentNotReady: it has not failed, or is bail, which is due anew.
        AlreadyRequested, OverObligation, ObligationNotReady, OverOwed: it was asked for again, or is not owed any more.
    """
    if isinstance(order, Advance):
        advances.take_up(session, order)
    elif isinstance(order, Repayment):
        outlays.take_up(session, order)
    else:
        disbursements.take_up(session, order, on=on)


def find(session: Session, alias: str, *, lock: bool = False) -> Order:
    """The payment, advance or repayment; with `lock`, as it stands now, and nobody else changes it meanwhile.

    Raises:
        UnknownOrder: the alias is of something else. UnknownDisbursement, UnknownAdvance, UnknownRepayment: see there.
    """
    kind = kind_of(alias)
    if kind is Kind.DISBURSEMENT:
        return disbursements.require(session, alias, lock=lock)
    if kind is Kind.ADVANCE:
        return advances.require(session, alias, lock=lock)
    if kind is Kind.OUTLAY:
        return outlays.require(session, alias, lock=lock)
    raise UnknownOrder("no order of the bank has this alias")


def commitment_of(session: Session, order: Order) -> str | None:
    """What acts on an order restate beside its amount, as those by which it was agreed to did."""
    if isinstance(order, Advance):
        return advances.commitment_of(session, order)
    return outlays.commitment_of(order) if isinstance(order, Repayment) else order.payee_commitment


def told_of(session: Session, alias: str) -> list[OrderFailure]:
    """What was told of an order, in its order: the last one counts."""
    found = session.exec(select(OrderFailure).where(OrderFailure.order_alias == alias))
    return sorted(found, key=lambda one: one.number)


def listed(session: Session) -> list[OrderFailure]:
    """The last of what was told of each order, oldest first."""
    rows = session.exec(select(OrderFailure).order_by(col(OrderFailure.number)))
    last = {one.order_alias: one for one in rows}
    return sorted(last.values(), key=lambda one: (one.told_on, one.order_alias))


def waits(order: Order) -> bool:
    """Whether the bank was told of it, or may have been, and has not shown it."""
    return order.account_code.partition(":")[0] == BANK and order.state is _WAITING[type(order)]


def _is_agents(session: Session, alias: str) -> bool:
    """Whether it is a line of an agent's list of which they have said nothing: locked as results lock it."""
    batch = batch_lines.batch_of(session, alias)
    if batch is None or batches.require(session, batch).agent_alias is None:
        return False
    batches.require(session, batch, lock=True)
    query = select(BatchLine).where(BatchLine.disbursement_alias == alias)
    return session.exec(query.execution_options(populate_existing=True)).one().outcome is None


def _require_waiting(session: Session, alias: str) -> Order:
    is_agents = _is_agents(session, alias)
    order = find(session, alias, lock=True)
    if not (waits(order) or (is_agents and order.state is disbursements.State.RELEASED)):
        raise OrderNotReady("the bank was not told of it, or it is over", order=alias, state=order.state)
    for file in _files_of(session, alias):
        if not _is_carried_out(session, file):
            raise OrderFiled("a file of which the bank has paid nothing has it", order=alias, file=file)
    return order


def _files_of(session: Session, alias: str) -> list[str]:
    """The files that stand and have it: one, or none."""
    lines = select(PaymentFileLine.file_alias).where(
        PaymentFileLine.disbursement_alias == alias, col(PaymentFileLine.withdrawn).is_(False)
    )
    repayments = select(PaymentFileRepayment.file_alias).where(
        PaymentFileRepayment.repayment_alias == alias, col(PaymentFileRepayment.withdrawn).is_(False)
    )
    return [*session.exec(lines), *session.exec(repayments)]


def _is_carried_out(session: Session, file: str) -> bool:
    """Whether the bank has paid anything of a file: then nobody can withdraw it, and the rest of it is ended singly."""
    paid = (
        select(Disbursement.alias)
        .join(PaymentFileLine, col(PaymentFileLine.disbursement_alias) == Disbursement.alias)
        .where(PaymentFileLine.file_alias == file, col(Disbursement.paid_on).is_not(None))
    )
    repaid = (
        select(Repayment.alias)
        .join(PaymentFileRepayment, col(PaymentFileRepayment.repayment_alias) == Repayment.alias)
        .where(PaymentFileRepayment.file_alias == file, col(Repayment.paid_on).is_not(None))
    )
    return any(session.exec(query.limit(1)).first() is not None for query in (paid, repaid))


def _fail(session: Session, order: Order, *, on: date) -> None:
    if isinstance(order, Advance):
        advances.fail(session, order, on=on)
    elif isinstance(order, Repayment):
        outlays.fail(session, order, on=on)
    else:
        disbursements.fail(session, order, on=on)
        batch = batch_lines.batch_of(session, order.alias)
        if batch is not None:
            batches.note_finished(session, batch)


def _accept(session: Session, agreed: Agreed, verb: Verb, order: Order, because: Reason) -> None:
    approvals.accept(
        session,
        agreed,
        verb=verb,
        object_alias=order.alias,
        version=order.version,
        detail=because,
        amount=order.amount(),
        payee_commitment=commitment_of(session, order),
    )


_WAITING: dict[type[Order], str] = {
    Disbursement: disbursements.State.RELEASED,
    Advance: advances.State.RELEASED,
    Repayment: outlays.State.APPROVED,
}
