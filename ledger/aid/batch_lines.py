"""The lines of batches: one disbursement each, with everything it rests on, and the code it has on an agent's list."""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import rfc8785
from sqlalchemy import Index, text
from sqlmodel import Field, Session, SQLModel, col, select

from ledger.aid import cases, disbursements, obligations
from ledger.aid.cases import Case
from ledger.aid.disbursements import Disbursement
from ledger.aid.obligations import Obligation
from ledger.aid.rulings import Ruling
from ledger.errors import Conflict, LedgerError, Refused
from ledger.money import Money
from ledger.storage.columns import MinorUnits, enumeration
from ledger.storage.locks import locked

CODE_LENGTH = 6
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that a tired eye takes for another


class InBatch(Conflict):
    """The disbursement is a line of a batch: it is agreed to and released with it."""

    rule = "in_batch"


class LinesRefused(Refused):
    """Several lines of a batch do not hold; `refused` names the case of each, with the rule, and `lines` how many."""

    rule = "lines_refused"


class Outcome(StrEnum):
    """What an agent says became of a line."""

    PAID = "paid"
    FAILED = "failed"


class Receipt(StrEnum):
    """What somebody found who looked at the receipt."""

    VERIFIED = "verified"
    REJECTED = "rejected"
    MISSING = "missing"


WITHOUT_RECEIPT = text("receipt IN ('rejected', 'missing') AND outcome = 'paid'")
"""Lines that an agent says they paid, and no receipt shows it."""


class Exclusion(StrEnum):
    """Why a line was left out when its batch was locked, agreed to or released.

    Cancelled: its payment was, as the ruling became less, or bail paid the fine.
    """

    ON_HOLD = "on_hold"
    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    QUASHED = "quashed"
    CANCELLED = "cancelled"


_UNDECIDED = (disbursements.State.REQUESTED, disbursements.State.APPROVED, disbursements.State.CANCELLED)
_OUT = {
    cases.State.WITHDRAWN: Exclusion.WITHDRAWN,
    cases.State.REJECTED: Exclusion.REJECTED,
    cases.State.DUPLICATE: Exclusion.DUPLICATE,
    cases.State.ON_HOLD: Exclusion.ON_HOLD,
}


class BatchLine(SQLModel, table=True):
    """One line; `code` names it on the agent's list and nowhere else. Days are at the grain of the jurisdiction.

    `charged_minor` is what was taken from the agent's purse for it. `court_token` is the same for the lines of one
    court on all lists of one agent, and tells nothing across agents.
    """

    __tablename__ = "batch_line"
    batch_alias: str = Field(foreign_key="batch.alias", primary_key=True, max_length=20)
    number: int = Field(primary_key=True)
    disbursement_alias: str = Field(foreign_key="disbursement.alias", max_length=20, unique=True)
    code: str | None = Field(default=None, max_length=CODE_LENGTH)
    court_token: str | None = Field(default=None, max_length=64)
    outcome: Outcome | None = Field(default=None, sa_type=enumeration(Outcome))
    receipt: Receipt | None = Field(default=None, sa_type=enumeration(Receipt))
    paid_by: date | None = None
    verified_by: date | None = None
    receipt_commitment: str | None = Field(default=None, max_length=64)
    charged_minor: int | None = Field(default=None, sa_type=MinorUnits)
    excluded: Exclusion | None = Field(default=None, sa_type=enumeration(Exclusion))

    __table_args__ = (
        Index("code_of_batch", "batch_alias", "code", unique=True),
        Index(
            "lines_without_receipt",
            "paid_by",
            "disbursement_alias",
            sqlite_where=WITHOUT_RECEIPT,
            postgresql_where=WITHOUT_RECEIPT,
        ),
    )


@dataclass(frozen=True, slots=True)
class Item:
    """One line with everything it rests on."""

    line: BatchLine
    disbursement: Disbursement
    obligation: Obligation
    ruling: Ruling
    case: Case

    def left_out(self) -> Exclusion | None:
        """Why nothing of the line is agreed to or released: as it was noted, or as it stands now."""
        if self.line.excluded is not None or self.disbursement.state not in _UNDECIDED:
            return self.line.excluded
        if self.obligation.state is obligations.State.QUASHED:
            return Exclusion.QUASHED
        gone = Exclusion.CANCELLED if self.disbursement.state is disbursements.State.CANCELLED else None
        return _OUT.get(self.case.state, gone)


@dataclass(frozen=True, slots=True)
class Agreement:
    """What one line of a batch says to who signs: all that decides where how much of whose money goes."""

    obligation: str
    amount: Money
    fund: str
    payee: str
    payee_commitment: str


def items(session: Session, batch: str, *, lock: bool = False) -> list[Item]:
    """The lines of a batch in their order, as they stand now, with everything they rest on.

    With `lock` nobody else changes their disbursements until the transaction ends; everybody locks these first, in the
    order of their aliases, and obligations after them.
    """
    if lock:
        of_batch = select(BatchLine.disbursement_alias).where(BatchLine.batch_alias == batch)
        paying = select(Disbursement).where(col(Disbursement.alias).in_(of_batch)).order_by(col(Disbursement.alias))
        session.exec(locked(paying)).all()
    rows = session.exec(
        select(BatchLine, Disbursement, Obligation, Ruling)
        .join(Disbursement, col(Disbursement.alias) == BatchLine.disbursement_alias)
        .join(Obligation, col(Obligation.alias) == Disbursement.obligation_alias)
        .join(Ruling, col(Ruling.alias) == Obligation.ruling_alias)
        .where(BatchLine.batch_alias == batch)
        .order_by(col(BatchLine.number))
        .execution_options(populate_existing=True)
    ).all()
    of = {disbursement.case_alias for _, disbursement, _, _ in rows}
    found = session.exec(select(Case).where(col(Case.alias).in_(of)).execution_options(populate_existing=True))
    by_alias = {case.alias: case for case in found}
    return [Item(*row, by_alias[row[1].case_alias]) for row in rows]


def require_none(refused: Sequence[LedgerError]) -> None:
    """Refuses for what is wrong with lines, each with its `case`: all are named at once.

    Raises:
        LedgerError: the only one, as it is. LinesRefused: there are several.
    """
    if len(refused) == 1:
        raise refused[0]
    if refused:
        told = ", ".join(f"{one.data['case']} {one.rule}" for one in refused)
        raise LinesRefused("these lines do not hold", lines=len(refused), refused=told)


def batch_of(session: Session, disbursement: str) -> str | None:
    """The alias of the batch that a disbursement is a line of, or None."""
    return session.exec(select(BatchLine.batch_alias).where(BatchLine.disbursement_alias == disbursement)).first()


def require_single(session: Session, disbursement: str) -> None:
    """Refuses to treat a line of a batch alone.

    Raises:
        InBatch: it is one.
    """
    if (batch := batch_of(session, disbursement)) is not None:
        raise InBatch("the disbursement is a line of a batch", disbursement=disbursement, batch=batch)


def digest(lines: Iterable[Disbursement], *, agent: str | None, account: str) -> str:
    """The digest of the lines as they stand, in their order."""
    told = (
        Agreement(line.obligation_alias, line.amount(), line.fund_code, line.payee, line.payee_commitment)
        for line in lines
    )
    return digest_of(told, agent=agent, account=account)


def digest_of(lines: Iterable[Agreement], *, agent: str | None, account: str) -> str:
    """SHA-256 over the canonical JSON of who pays from where, and of the lines: client and server compute the same."""
    told = [
        [line.obligation, line.amount.decimal(), line.amount.currency, line.fund, line.payee, line.payee_commitment]
        for line in lines
    ]
    return hashlib.sha256(rfc8785.dumps({"agent": agent, "account": account, "lines": told})).hexdigest()


def draw_codes(count: int) -> list[str]:
    """So many different codes of six characters: they tell nothing, and nothing about their order."""
    codes: set[str] = set()
    while len(codes) < count:
        codes.add("".join(secrets.choice(_LETTERS) for _ in range(CODE_LENGTH)))
    return secrets.SystemRandom().sample(sorted(codes), count)
