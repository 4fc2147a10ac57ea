"""Payment files: what a treasurer's device has written for a bank, of which released payments, once.

Repayments of agents' outlays that were approved with their payee are payments too.

The server holds numbers and a commitment, never a payee. It says that a file is what was released: the same payments,
the same sum. Another file for one of them is refused while the first stands; two people withdraw one.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, select

from ledger import approvals
from ledger.aid import agents, batch_lines, batches, disbursements, outlays
from ledger.aid.disbursements import BANK, Disbursement, DisbursementNotReady
from ledger.aid.outlays import Repayment, RepaymentNotReady
from ledger.aliases import AliasTaken, Kind, check
from ledger.approvals import Agreed, Verb
from ledger.errors import BadInput, Conflict, NotFound
from ledger.identities.boxes import check_commitment
from ledger.money import Money
from ledger.references import is_reference
from ledger.storage.columns import MinorUnits, UtcDateTime, whole_minor
from ledger.storage.locks import locked

Paying = Disbursement | Repayment
MOST_LINES = 1_000
"""The most payments of one file."""
STANDS = text("NOT withdrawn")
"""What an index and the questions that it answers say alike of what a file holds that stands."""


class UnknownPaymentFile(NotFound):
    """No payment file has this alias."""

    rule = "unknown_payment_file"


class BadPaymentFile(BadInput):
    """A file that cannot be; `where` tells the part."""

    rule = "bad_payment_file"


class FileDiffers(Conflict):
    """The file is not what was released: another sum, currency or leaf."""

    rule = "file_differs"


class AlreadyFiled(Conflict):
    """A file that stands has this payment: the bank would pay it twice."""

    rule = "already_filed"


class FileWithdrawn(Conflict):
    """The withdrawal was asked for before, nobody has asked for it, or it is done."""

    rule = "file_withdrawn"


class PaymentFile(SQLModel, table=True):
    """`message_id` is what the bank sees of the file; `commitment` is to its SHA-256, which lies in a sealed box."""

    __tablename__ = "payment_file"
    alias: str = Field(primary_key=True, max_length=20)
    message_id: str = Field(max_length=35, unique=True)
    account_code: str = Field(foreign_key="account.code", max_length=45, index=True)
    orders: int
    minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    commitment: str = Field(max_length=64)
    version: int
    made_by: str = Field(max_length=20)
    made_at: datetime = Field(sa_type=UtcDateTime)
    withdrawal_asked_by: str | None = Field(default=None, max_length=20)
    withdrawn_by: str | None = Field(default=None, max_length=20)
    withdrawn_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

    __table_args__ = (
        CheckConstraint(
            "withdrawn_by IS NULL OR (withdrawal_asked_by IS NOT NULL AND withdrawal_asked_by <> withdrawn_by)",
            name="two_people_withdraw",
        ),
        *whole_minor("minor"),
    )

    def amount(self) -> Money:
        """The control sum."""
        return Money(self.minor, self.currency)


class PaymentFileLine(SQLModel, table=True):
    """One payment of a file; its end-to-end id is the disbursement's reference."""

    __tablename__ = "payment_file_line"
    file_alias: str = Field(foreign_key="payment_file.alias", primary_key=True, max_length=20)
    disbursement_alias: str = Field(foreign_key="disbursement.alias", primary_key=True, max_length=20)
    withdrawn: bool = False

    __table_args__ = (
        Index("in_one_file", "disbursement_alias", unique=True, sqlite_where=STANDS, postgresql_where=STANDS),
    )


class PaymentFileRepayment(SQLModel, table=True):
    """One repayment of an outlay in a file; its end-to-end id is the repayment's reference."""

    __tablename__ = "payment_file_repayment"
    file_alias: str = Field(foreign_key="payment_file.alias", primary_key=True, max_length=20)
    repayment_alias: str = Field(foreign_key="outlay_repayment.alias", primary_key=True, max_length=20)
    withdrawn: bool = False

    __table_args__ = (
        Index("repayment_in_one_file", "repayment_alias", unique=True, sqlite_where=STANDS, postgresql_where=STANDS),
    )


@dataclass(frozen=True, slots=True)
class NewPaymentFile:
    """What a client says of the file it has made. `references` are the end-to-end ids, one for each order."""

    alias: str
    message_id: str
    account: str
    references: Sequence[str]
    control_sum: Money
    commitment: str


def register(session: Session, new: NewPaymentFile, *, by: str, at: datetime) -> PaymentFile:
    """Notes a file, once it is found to be what was released, by signatures that still hold.

    Raises:
        BadAlias, AliasTaken, BadDigest: see there. BadPaymentFile: no orders or too many, or a reference twice.
        UnknownDisbursement: a reference is none of ours. DisbursementNotReady, RepaymentNotReady: a payment is not
            released, a repayment not approved or without its payee. AgentNotActive: see there.
        FileDiffers, AlreadyFiled: see there. NotAgreed, BatchAltered: the rows are not what was signed.
    """
    _check(session, new)
    paying = _locked(session, new.references)
    for position, one in enumerate(paying, start=1):
        _require_ready(session, one, position=position)
        if one.account_code != new.account or one.account_code.partition(":")[0] != BANK:
            raise FileDiffers("the payment leaves another account", position=position)
        if one.currency != new.control_sum.currency:
            raise FileDiffers("the payment is in another currency", position=position)
        _require_agreed(session, one)
    if sum(one.minor for one in paying) != new.control_sum.minor:
        raise FileDiffers("the control sum is not the sum of what was released", orders=len(paying))
    lines = [_line(new.alias, one) for one in paying]
    require_unfiled(session, [one.alias for one in paying])
    file = PaymentFile(
        alias=new.alias,
        message_id=new.message_id,
        account_code=new.account,
        orders=len(paying),
        minor=new.control_sum.minor,
        currency=new.control_sum.currency,
        commitment=new.commitment,
        version=1,
        made_by=by,
        made_at=at,
    )
    try:
        with session.begin_nested():
            session.add(file)
            session.flush()
            session.add_all(lines)
    except IntegrityError:  # the database refuses it too, should the lock ever be forgotten
        raise AlreadyFiled("a file that stands has one of these payments") from None
    return file


def ask_withdrawal(session: Session, alias: str, agreed: Agreed) -> PaymentFile:
    """Asks that a file which the bank never took counts no more.

    Raises:
        UnknownPaymentFile, FileWithdrawn, DisbursementNotReady, RepaymentNotReady: see there.
        And what `approvals.accept` raises.
    """
    file = require(session, alias, lock=True)
    if file.withdrawal_asked_by is not None:
        raise FileWithdrawn("the withdrawal was asked for before", file=alias)
    _require_waiting(session, file)
    with session.begin_nested():  # act and effect, or neither
        _accept(session, agreed, "request_withdrawal", file)
        file.withdrawal_asked_by = agreed.signer.alias
        _move(session, file)
    return file


def agree_to_withdrawal(session: Session, alias: str, agreed: Agreed) -> PaymentFile:
    """Another person agrees: its payments may stand in another file.

    Raises:
        UnknownPaymentFile, FileWithdrawn, SamePerson, DisbursementNotReady: the bank has paid one of them meanwhile;
        and what `approvals.accept` raises.
    """
    file = require(session, alias, lock=True)
    if file.withdrawal_asked_by is None or file.withdrawn_by is not None:
        raise FileWithdrawn("nobody has asked for it, or it is done", file=alias)
    approvals.require_other(agreed.signer.alias, than={file.withdrawal_asked_by})
    _require_waiting(session, file)
    with session.begin_nested():
        _accept(session, agreed, "agree_withdrawal", file)
        file.withdrawn_by = agreed.signer.alias
        file.withdrawn_at = agreed.now
        for line in (*lines_of(session, alias), *repayments_of(session, alias)):
            line.withdrawn = True
            session.add(line)
        _move(session, file)
    return file


def require(session: Session, alias: str, *, lock: bool = False) -> PaymentFile:
    """The file; with `lock`, as it stands now, and nobody else changes it until the transaction ends.

    Raises:
        UnknownPaymentFile: there is none.
    """
    query = select(PaymentFile).where(PaymentFile.alias == alias)
    found = session.exec(locked(query) if lock else query).one_or_none()
    if found is None:
        raise UnknownPaymentFile("no payment file has this alias")
    return found


def listed(session: Session) -> list[PaymentFile]:
    """All files, oldest first."""
    return sorted(session.exec(select(PaymentFile)), key=lambda file: (file.made_at, file.alias))


def lines_of(session: Session, alias: str) -> list[PaymentFileLine]:
    """The payments of a file, in the order of their aliases."""
    found = session.exec(select(PaymentFileLine).where(PaymentFileLine.file_alias == alias))
    return sorted(found, key=lambda line: line.disbursement_alias)


def repayments_of(session: Session, alias: str) -> list[PaymentFileRepayment]:
    """The repayments of a file, in the order of their aliases."""
    found = session.exec(select(PaymentFileRepayment).where(PaymentFileRepayment.file_alias == alias))
    return sorted(found, key=lambda line: line.repayment_alias)


def require_unfiled(session: Session, aliases: Sequence[str]) -> None:
    """Refuses payments of which a file that stands has one.

    Raises:
        AlreadyFiled: see there.
    """
    for payment, file in sorted(filed(session, aliases).items()):
        raise AlreadyFiled("a file that stands has this payment", disbursement=payment, file=file)


def filed(session: Session, aliases: Collection[str]) -> dict[str, str]:
    """Those of these payments and repayments that stand in a file, and its alias."""
    query = select(PaymentFileLine).where(
        col(PaymentFileLine.disbursement_alias).in_(aliases), col(PaymentFileLine.withdrawn).is_(False)
    )
    owed = select(PaymentFileRepayment).where(
        col(PaymentFileRepayment.repayment_alias).in_(aliases), col(PaymentFileRepayment.withdrawn).is_(False)
    )
    standing = {line.disbursement_alias: line.file_alias for line in session.exec(query)}
    return standing | {line.repayment_alias: line.file_alias for line in session.exec(owed)}


def _check(session: Session, new: NewPaymentFile) -> None:
    check(new.alias, Kind.PAYMENT_FILE)
    check_commitment(new.commitment)
    if not 0 < len(new.references) <= MOST_LINES or len(set(new.references)) != len(new.references):
        raise BadPaymentFile(f"a file has 1 to {MOST_LINES} references, each once", where="references")
    if not is_reference(new.message_id):
        raise BadPaymentFile("a message id is random, in the form of our references", where="message_id")
    same = select(PaymentFile.alias).where(PaymentFile.message_id == new.message_id)
    if session.get(PaymentFile, new.alias) is not None or session.exec(same).first() is not None:
        raise AliasTaken("the alias or the message id is taken")


def _locked(session: Session, references: Sequence[str]) -> list[Paying]:
    """The payments, locked in the order of their aliases, as everybody does; in the order of the references."""
    query = select(Disbursement).where(col(Disbursement.reference).in_(references)).order_by(col(Disbursement.alias))
    owed = select(Repayment).where(col(Repayment.reference).in_(references)).order_by(col(Repayment.alias))
    by_reference: dict[str, Paying] = {one.reference: one for one in session.exec(locked(query))}
    by_reference |= {one.reference: one for one in session.exec(locked(owed))}
    for position, reference in enumerate(references, start=1):
        if reference not in by_reference:
            raise disbursements.UnknownDisbursement("no payment has this reference", position=position)
    return [by_reference[reference] for reference in references]


def _require_ready(session: Session, one: Paying, *, position: int) -> None:
    if isinstance(one, Repayment):
        agents.require_active(session, one.agent_alias)
        if one.state is not outlays.State.APPROVED or one.payee_commitment is None:
            raise RepaymentNotReady("not approved with its payee", position=position, state=one.state)
    elif one.state is not disbursements.State.RELEASED:
        raise DisbursementNotReady("the payment is not released", position=position, state=one.state)


def _line(file: str, one: Paying) -> PaymentFileLine | PaymentFileRepayment:
    if isinstance(one, Repayment):
        return PaymentFileRepayment(file_alias=file, repayment_alias=one.alias)
    return PaymentFileLine(file_alias=file, disbursement_alias=one.alias)


def _require_agreed(session: Session, one: Paying) -> None:
    if isinstance(one, Repayment):
        commitment = outlays.commitment_of(one)
        approvals.require_agreed(
            session, one.alias, verb="approve_outlay", amount=one.amount(), payee_commitment=commitment
        )
        return
    batch = batch_lines.batch_of(session, one.alias)
    if batch is None:
        approvals.require_agreed(
            session,
            one.alias,
            verb="release_disbursement",
            amount=one.amount(),
            payee_commitment=one.payee_commitment,
        )
        return
    found = batches.require(session, batch)
    batches.require_unaltered(found, batch_lines.items(session, batch))
    approvals.require_agreed(session, batch, verb="release_batch", amount=found.amount(), payee_commitment=found.digest)


def _require_waiting(session: Session, file: PaymentFile) -> None:
    for line in lines_of(session, file.alias):
        one = disbursements.require(session, line.disbursement_alias, lock=True)
        if one.state is not disbursements.State.RELEASED:
            raise DisbursementNotReady("the bank has paid it", disbursement=one.alias, state=one.state)
    for filed in repayments_of(session, file.alias):
        owed = outlays.require(session, filed.repayment_alias, lock=True)
        if owed.state is not outlays.State.APPROVED:
            raise RepaymentNotReady("the bank has paid it", repayment=owed.alias, state=owed.state)


def _accept(session: Session, agreed: Agreed, verb: Verb, file: PaymentFile) -> None:
    approvals.accept(
        session,
        agreed,
        verb=verb,
        object_alias=file.alias,
        version=file.version,
        amount=file.amount(),
        payee_commitment=file.commitment,
    )


def _move(session: Session, file: PaymentFile) -> None:
    file.version += 1
    session.add(file)
    session.flush()
