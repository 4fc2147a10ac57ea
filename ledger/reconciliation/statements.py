"""Statements: normalised lines of a bank account, stored once however often they are sent. The rest is sealed."""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import rfc8785
from sqlalchemy import BigInteger, ColumnElement, func
from sqlmodel import Field, Session, SQLModel, col, select
from sqlmodel.sql.expression import SelectOfScalar

from ledger.books.accounts import Account
from ledger.errors import BadInput, Conflict, NotFound
from ledger.money import Money
from ledger.reconciliation import pairings
from ledger.reconciliation.pairings import LineToldTwice, PairingPart
from ledger.storage.columns import MinorUnits, UtcDateTime, whole_minor
from ledger.storage.locks import locked

BANK = "1000"
REVERSAL_WINDOW = timedelta(days=90)
"""How late a line may be taken back."""


class BadStatement(BadInput):
    """A statement that cannot be; `where` tells the part."""

    rule = "bad_statement"


class UnknownLine(NotFound):
    """No line of the bank has this key, or it is answered."""

    rule = "unknown_line"


class ContentConflict(Conflict):
    """The token names the content of another statement: of another account, or with other balances."""

    rule = "content_conflict"


class Statement(SQLModel, table=True):
    """One statement of one leaf. Balances are what the bank wrote, absent when it wrote none; so is its `number`.

    `number_token` is a token of the account's number, absent when the file told none.
    """

    alias: str = Field(primary_key=True, max_length=20)
    account_code: str = Field(foreign_key="account.code", max_length=45, index=True)
    currency: str = Field(max_length=3)
    opened_on: date | None = None
    closed_on: date | None = None
    opening_minor: int | None = Field(default=None, sa_type=MinorUnits)
    closing_minor: int | None = Field(default=None, sa_type=MinorUnits)
    format: str | None = Field(default=None, max_length=20)
    number: str | None = Field(default=None, max_length=40)
    content_token: str = Field(max_length=64, unique=True)
    number_token: str | None = Field(default=None, max_length=64, index=True)
    received_at: datetime = Field(sa_type=UtcDateTime)
    received_by: str = Field(max_length=20)
    fingerprint: str = Field(default="", max_length=64)
    """SHA-256 of all that it told, with the lines that it was the first to bring: see `fingerprint_of`."""


class StatementLine(SQLModel, table=True):
    """One booked line from the account holder's view. Its key is (leaf, day, amount, how many-eth of these).

    `trace` is a token of the end-to-end id, `mark` of the bank's own reference, `payout` the digest of a payout's id
    (`payouts.digest`): none is plain. `parts` are the payments behind a line of several, as canonical JSON.
    """

    __tablename__ = "statement_line"
    source_key: str = Field(primary_key=True, max_length=120)
    statement_alias: str = Field(foreign_key="statement.alias", max_length=20, index=True)
    account_code: str = Field(foreign_key="account.code", max_length=45, index=True)
    booked_on: date
    value_on: date | None = None
    minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    reference: str | None = Field(default=None, max_length=25)
    reversal: bool
    trace: str | None = Field(default=None, max_length=64, index=True)
    payout: str | None = Field(default=None, max_length=64)
    mark: str | None = Field(default=None, max_length=64, index=True)
    parts: str | None = None

    __table_args__ = whole_minor("minor")

    def amount(self) -> Money:
        """What moved: above zero when it came in."""
        return Money(self.minor, self.currency)

    def told_parts(self) -> tuple["Part", ...]:
        """The payments behind a line of several, or none."""
        told = json.loads(self.parts) if self.parts else []
        return tuple(Part(Money(minor, self.currency), reference) for minor, reference in told)


class Match(SQLModel, table=True):
    """Which entry answers a line."""

    __tablename__ = "statement_match"
    source_key: str = Field(primary_key=True, foreign_key="statement_line.source_key", max_length=120)
    entry_id: int = Field(sa_type=BigInteger, foreign_key="entry.id", unique=True)


@dataclass(frozen=True, slots=True)
class Part:
    """One of the payments behind a line, with a reference that we issued, or None."""

    amount: Money
    reference: str | None


@dataclass(frozen=True, slots=True)
class NewLine:
    """A booked line as the client sends it; `reference` is one that we issued, or None.

    `traces` are tokens of its end-to-end id, `marks` of the bank's own reference, those of the vault's newest epoch
    first; the older ones only ask.
    """

    booked_on: date
    value_on: date | None
    amount: Money
    reference: str | None
    reversal: bool
    traces: tuple[str, ...] = ()
    payout: str | None = None
    marks: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class NewStatement:
    """A statement as the client sends it; `content_token` names its content without telling it.

    `older_tokens` are those that the same content has under the keys of earlier epochs of the vault: they only ask.
    `number_tokens` are those of the account's number, that of the newest epoch first; `number_said` means that somebody
    said this number for the leaf.
    """

    alias: str
    account: str
    currency: str
    opened_on: date | None
    closed_on: date | None
    opening: Money | None
    closing: Money | None
    content_token: str
    lines: Sequence[NewLine]
    older_tokens: Sequence[str] = ()
    format: str | None = None
    number: str | None = None
    number_tokens: Sequence[str] = ()
    number_said: bool = False


def by_content(session: Session, new: NewStatement) -> Statement | None:
    """The statement that came before with this content, if it did; until the transaction ends no other comes in.

    One that is known by an older token is given the newest, so that it is known when the older keys are gone.

    Raises:
        ContentConflict: it came before for another account, or with other balances.
    """
    session.exec(locked_bank()).one()
    known = select(Statement).where(col(Statement.content_token).in_([new.content_token, *new.older_tokens]))
    by_token = {statement.content_token: statement for statement in session.exec(known)}
    standing = next((by_token[one] for one in (new.content_token, *new.older_tokens) if one in by_token), None)
    if standing is not None:
        balances = [None if money is None else money.minor for money in (new.opening, new.closing)]
        told = (new.account, new.currency, *balances)
        if told != (standing.account_code, standing.currency, standing.opening_minor, standing.closing_minor):
            raise ContentConflict("the same content came before for another account", account=standing.account_code)
        standing.content_token = new.content_token
        session.add(standing)
        session.flush()
    return standing


def fingerprint_of(statement: Statement, lines: Collection[StatementLine]) -> str:
    """SHA-256 over the canonical JSON of a statement and the lines that it brought, in the order of their keys.

    Its token is no part of it, which becomes another one with the keys of the vault.
    """
    told: list[str | None] = [
        statement.alias,
        statement.account_code,
        statement.currency,
        _day_of(statement.opened_on),
        _day_of(statement.closed_on),
        *(None if minor is None else str(minor) for minor in (statement.opening_minor, statement.closing_minor)),
        statement.received_at.astimezone(UTC).isoformat(),
        statement.received_by,
        statement.format,
        statement.number,
        statement.number_token,
    ]
    rows = [
        [
            one.source_key,
            one.account_code,
            _day_of(one.booked_on),
            _day_of(one.value_on),
            str(one.minor),
            one.currency,
            one.reference,
            one.reversal,
            one.trace,
            one.payout,
            one.mark,
            one.parts,
        ]
        for one in sorted(lines, key=lambda line: line.source_key)
    ]
    return hashlib.sha256(rfc8785.dumps(["statement", told, rows])).hexdigest()


def _day_of(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def lines_of(session: Session, statement: str) -> list[StatementLine]:
    """The lines a statement was the first to bring, in the order of their days."""
    found = session.exec(select(StatementLine).where(StatementLine.statement_alias == statement)).all()
    return sorted(found, key=lambda line: (line.booked_on, line.source_key))


def unmatched(session: Session, account: str) -> list[StatementLine]:
    """The lines of a leaf that no entry answers yet."""
    query = select(StatementLine).where(StatementLine.account_code == account, *unanswered())
    return sorted(session.exec(query).all(), key=lambda line: (line.booked_on, line.source_key))


def waiting_with(session: Session, references: Collection[str]) -> list[StatementLine]:
    """The lines with one of these references that no entry answers yet, by which money came in."""
    if not references:
        return []
    query = select(StatementLine).where(
        col(StatementLine.reference).in_(references),
        StatementLine.minor > 0,
        *unanswered(),
    )
    return sorted(session.exec(query), key=lambda line: (line.booked_on, line.source_key))


def brought_by(session: Session, source_keys: Collection[str]) -> dict[str, str]:
    """The statement that was the first to bring each of these lines."""
    query = select(StatementLine.source_key, StatementLine.statement_alias)
    return dict(session.exec(query.where(col(StatementLine.source_key).in_(source_keys))).all())


def require_waiting(session: Session, source_key: str) -> StatementLine:
    """The line, which no entry answers yet; two who say what it is take turns.

    Raises:
        UnknownLine: there is none, or an entry answers it.
    """
    line = find_waiting(session, source_key)
    if line is None:
        raise UnknownLine("no line that waits has this key")
    return line


def find_waiting(session: Session, source_key: str, *, lock: bool = True) -> StatementLine | None:
    """The line, if no entry answers it yet; without `lock` for who only tells of it."""
    query = select(StatementLine).where(StatementLine.source_key == source_key)
    line = session.exec(locked(query) if lock else query).one_or_none()
    return line if line is not None and not _is_answered(session, source_key) else None


def is_waiting(session: Session, source_key: str) -> bool:
    """Whether there is such a line, and no entry answers it yet; only looked at."""
    return session.get(StatementLine, source_key) is not None and not _is_answered(session, source_key)


def takes_back(session: Session, line: StatementLine) -> bool:
    """Whether a line before this one, of the same end-to-end id, moved as much the other way."""
    if line.trace is None:
        return False
    query = select(StatementLine.source_key).where(
        StatementLine.trace == line.trace,
        StatementLine.account_code == line.account_code,
        StatementLine.minor == -line.minor,
        col(StatementLine.booked_on) <= line.booked_on,
        col(StatementLine.booked_on) >= line.booked_on - REVERSAL_WINDOW,
    )
    return session.exec(query).first() is not None


def newest_closing(session: Session, *, currency: str) -> date | None:
    """Until when the bank's statements in a currency go, or None when there are none."""
    return session.exec(select(func.max(Statement.closed_on)).where(Statement.currency == currency)).one()


def answer(session: Session, line: StatementLine, *, entry_id: int) -> None:
    """Notes which entry answers the line."""
    session.add(Match(source_key=line.source_key, entry_id=entry_id))
    session.flush()


def locked_bank() -> SelectOfScalar[Account]:
    """The query that has those who bring or match lines take turns."""
    # The parent's row, not the leaf's: a release locks its disbursement and then the leaf, a statement the other way.
    return locked(select(Account).where(Account.code == BANK))


def unanswered() -> tuple[ColumnElement[bool], ...]:
    """Which lines neither an entry of their own answers nor a pairing that stands."""
    key = col(StatementLine.source_key)
    of_own = select(Match.source_key).where(col(Match.source_key) == key)
    paired = pairings.standing_lines().where(col(PairingPart.source_key) == key)
    told_twice = select(LineToldTwice.source_key).where(col(LineToldTwice.source_key) == key)
    return ~of_own.exists(), ~paired.exists(), ~told_twice.exists()


def _is_answered(session: Session, source_key: str) -> bool:
    if session.get(Match, source_key) is not None or pairings.has_line(session, source_key):
        return True
    return session.get(LineToldTwice, source_key) is not None
