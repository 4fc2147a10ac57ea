"""Statements: normalised lines of a bank account, stored once however often they are sent. The rest is sealed."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import rfc8785
from sqlalchemy import BigInteger, ColumnElement, func
from sqlmodel import Field, Session, SQLModel, col, select
from sqlmodel.sql.expression import SelectOfScalar

from ledger.aliases import AliasTaken, Kind, check
from ledger.books import accounts
from ledger.books.accounts import Account
from ledger.errors import BadInput, Conflict, NotFound
from ledger.giving import purposes
from ledger.identities.boxes import check_token
from ledger.money import Money
from ledger.reconciliation import issued, pairings
from ledger.reconciliation.pairings import LineToldTwice, PairingPart
from ledger.storage.columns import MinorUnits, UtcDateTime, whole_minor
from ledger.storage.locks import locked

BANK = "1000"
REVERSAL_WINDOW = timedelta(days=90)
"""How late a line may be taken back."""
SHIFT = timedelta(days=3)
"""By how much two formats may date the same line otherwise."""
_AT_ONCE = 500
"""Of how many tokens a query asks at once."""


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


def receive(
    session: Session, new: NewStatement, *, received_at: datetime, received_by: str
) -> tuple[Statement, list[StatementLine]]:
    """Stores the statement and those of its lines that were not known.

    A reference that we did not issue is somebody's bank data: it is dropped. A statement that was told before in
    another format, where a line may have another day, brings no line.

    Raises:
        BadStatement: no bank leaf, currencies mixed, or a line of zero. UnknownAccount, NotPostable: see there.
        AliasTaken, BadDigest: the alias is taken, or the content's token is none.
    """
    _check(session, new)
    if session.get(Statement, new.alias) is not None:
        raise AliasTaken("the alias is taken")
    statement = Statement(
        alias=new.alias,
        account_code=new.account,
        currency=new.currency,
        opened_on=new.opened_on,
        closed_on=new.closed_on,
        opening_minor=new.opening.minor if new.opening else None,
        closing_minor=new.closing.minor if new.closing else None,
        format=new.format,
        number=new.number,
        content_token=new.content_token,
        number_token=new.number_tokens[0] if new.number_tokens else None,
        received_at=received_at,
        received_by=received_by,
    )
    retold = _is_retold(session, statement, new)
    untold = [] if retold else _untold(session, statement, new.lines)
    fresh = [line for alike in _alike(session, untold) for line in _unknown(session, statement, alike)]
    statement.fingerprint = fingerprint_of(statement, fresh)
    session.add(statement)
    session.flush()
    session.add_all(fresh)
    session.flush()
    return statement, fresh


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


def _check(session: Session, new: NewStatement) -> None:
    check(new.alias, Kind.STATEMENT)
    digests = [
        one for line in new.lines for one in (*line.traces, *line.marks, *([line.payout] if line.payout else []))
    ]
    for token in (new.content_token, *new.older_tokens, *new.number_tokens, *digests):
        check_token(token)
    if accounts.postable(session, new.account, currency=new.currency).parent_code != BANK:
        raise BadStatement("a statement is of a bank leaf", where="account")
    balances = [balance for balance in (new.opening, new.closing) if balance is not None]
    amounts = [money for line in new.lines for money in (line.amount, *(part.amount for part in line.parts))]
    if any(money.currency != new.currency for money in (*balances, *amounts)):
        raise BadStatement("a statement is in the currency of its account", where="currency")
    for number, line in enumerate(new.lines, start=1):
        if not line.amount.minor:
            raise BadStatement("a line of zero moves nothing", where=f"line {number}")


def _untold(session: Session, statement: Statement, lines: Sequence[NewLine]) -> list[NewLine]:
    """Those lines that no other statement has told of under another day.

    It has when it may tell the same, and the bank's own reference, or in another format the end-to-end id, is that of
    one line on either side only, of the same amount and within `SHIFT`.
    """
    told = Counter((line.amount.minor, key) for line in lines for key in _keys(line.marks[:1], line.traces[:1]))
    standing = _standing_by_key(session, statement, lines)
    left: list[NewLine] = []
    for line in lines:
        found = []
        for key in _keys(line.marks, line.traces):
            alike = [one for one in standing.get(key, []) if one.minor == line.amount.minor]
            alike = [one for one in alike if abs(one.booked_on - line.booked_on) <= SHIFT]
            if len(alike) == 1 and told[line.amount.minor, key] <= 1:
                found += [one for one in alike if _is_moved(session, key, one, statement, line)]
        if not found:
            left.append(line)
    return left


def _is_moved(session: Session, key: tuple[str, str], one: StatementLine, statement: Statement, line: NewLine) -> bool:
    """Whether a line that stands is this one under another day."""
    other = session.get_one(Statement, one.statement_alias)
    if one.booked_on == line.booked_on or is_apart(session, other.alias, statement):
        return False
    return key[0] == "mark" or are_of_two_formats(other, statement)


def are_of_two_formats(one: Statement, other: Statement) -> bool:
    """Whether two statements are known to be of different formats."""
    return one.format is not None and other.format is not None and one.format != other.format


def _keys(marks: Iterable[str], traces: Iterable[str]) -> list[tuple[str, str]]:
    return [*(("mark", one) for one in marks), *(("trace", one) for one in traces)]


def _standing_by_key(
    session: Session, statement: Statement, lines: Sequence[NewLine]
) -> dict[tuple[str, str], list[StatementLine]]:
    """The lines that other statements of the leaf brought with one of these tokens."""
    found: dict[tuple[str, str], list[StatementLine]] = {}
    for kind, column in (("mark", col(StatementLine.mark)), ("trace", col(StatementLine.trace))):
        asked = sorted({one for line in lines for one in (line.marks if kind == "mark" else line.traces)})
        for start in range(0, len(asked), _AT_ONCE):
            query = select(StatementLine).where(
                StatementLine.account_code == statement.account_code, column.in_(asked[start : start + _AT_ONCE])
            )
            for one in session.exec(query):
                token = one.mark if kind == "mark" else one.trace
                found.setdefault((kind, token or ""), []).append(one)
    return found


def _alike(session: Session, lines: Sequence[NewLine]) -> Iterable[list[NewLine]]:
    """The lines in groups of the same day and amount, without references that are not ours."""
    groups: dict[tuple[date, int], list[NewLine]] = {}
    known = _known_traces(session, lines)
    for line in lines:
        ours = line.reference is not None and _is_ours(session, line.reference)
        trace = next((one for one in line.traces if one in known), line.traces[0] if line.traces else None)
        kept = replace(
            line,
            reference=line.reference if ours else None,
            traces=(trace,) if trace else (),
            parts=tuple(_without_foreign(session, part) for part in line.parts),
        )
        groups.setdefault((line.booked_on, line.amount.minor), []).append(kept)
    return groups.values()


def _without_foreign(session: Session, part: Part) -> Part:
    ours = part.reference is not None and _is_ours(session, part.reference)
    return part if ours else replace(part, reference=None)


def _known_traces(session: Session, lines: Sequence[NewLine]) -> set[str | None]:
    """Those older tokens under which an end-to-end id came before: a line that comes now is known by the same one."""
    older = sorted({one for line in lines for one in line.traces[1:]})
    known: set[str | None] = set()
    for start in range(0, len(older), _AT_ONCE):
        asked = col(StatementLine.trace).in_(older[start : start + _AT_ONCE])
        known |= set(session.exec(select(StatementLine.trace).where(asked)))
    return known


def _unknown(session: Session, statement: Statement, alike: list[NewLine]) -> list[StatementLine]:
    """Those lines of one day and amount that no earlier statement had which may tell of the same.

    How many are new, the numbers tell; which, the tokens and references: another file may tell the day in another
    order. A line that differs in one of these from each that is left is new, and held: see `retellings`. Two statements
    of which one ends where the other begins tell of two lines.
    """
    first = alike[0]
    query = select(StatementLine).where(
        StatementLine.account_code == statement.account_code,
        StatementLine.booked_on == first.booked_on,
        StatementLine.minor == first.amount.minor,
    )
    standing = session.exec(query).all()
    apart = {one for one in {line.statement_alias for line in standing} if is_apart(session, one, statement)}
    known = [line for line in standing if line.statement_alias not in apart]
    fresh = sorted(alike, key=lambda line: not (line.marks or line.traces))  # who has no token fits any that is left
    for fits in (is_same, _has_its_reference, _may_be_same):
        for line in list(fresh):
            found = next((one for one in known if fits(session, one, line, of=statement)), None)
            if found is not None:
                known.remove(found)
                fresh.remove(line)
    day = f"bank:{statement.account_code}:{first.booked_on}:{first.amount.minor}"
    return [_line(statement, line, f"{day}:{nth}") for nth, line in enumerate(fresh, start=len(standing) + 1)]


def is_same(session: Session, standing: StatementLine, line: NewLine, *, of: Statement) -> bool:
    """Whether a token tells that a line that stands is one of its day and amount `of` another statement."""
    alike = _agree(standing.mark, line.marks) or _agree(standing.trace, line.traces)
    return bool(alike) and not differs(session, standing, line, of=of)


def differs(session: Session, standing: StatementLine, line: NewLine, *, of: Statement) -> bool:
    """Whether a token, or a reference of ours, tells that a line that stands is not one of its day and amount.

    What only one of them has tells nothing. Between two formats the end-to-end id tells before the bank's reference.
    """
    if standing.reference and line.reference and standing.reference != line.reference:
        return True
    mark, trace = _agree(standing.mark, line.marks), _agree(standing.trace, line.traces)
    if trace is not None and are_of_two_formats(session.get_one(Statement, standing.statement_alias), of):
        return not trace
    return mark is False or trace is False


def _agree(known: str | None, told: Sequence[str]) -> bool | None:
    return known in told if known and told else None


def _has_its_reference(session: Session, standing: StatementLine, line: NewLine, *, of: Statement) -> bool:
    return standing.reference == line.reference and _may_be_same(session, standing, line, of=of)


def _may_be_same(session: Session, standing: StatementLine, line: NewLine, *, of: Statement) -> bool:
    return not differs(session, standing, line, of=of)


def is_apart(session: Session, standing: str, new: Statement) -> bool:
    """Whether neither of two statements may tell what the other does: by their days, balances or numbers.

    Where nothing tells it, they are apart as well, and what the second tells again is held: see `may_repeat`.
    """
    other = session.get_one(Statement, standing)
    if _is_level(other, new):
        return are_of_two_formats(other, new) is False and _numbers_agree(other, new) is not True
    return _ends_before(other, new) or _ends_before(new, other)


def may_repeat(standing: Statement, new: Statement) -> bool:
    """Whether a statement whose lines are no balance tells as much as what came before it, and nothing says which.

    A day on which as much leaves as comes may be told twice, or be two statements: their balances are the same.
    """
    level = _is_level(standing, new)
    return level and not are_of_two_formats(standing, new) and _numbers_agree(standing, new) is None


def _is_level(standing: Statement, new: Statement) -> bool:
    """Whether a statement ends with what it began with, and one of the same day begins with that."""
    if standing.opening_minor is None or standing.closed_on is None:
        return False
    same_day = standing.closed_on in {new.opened_on, new.closed_on}
    return same_day and standing.opening_minor == standing.closing_minor == new.opening_minor


def _numbers_agree(one: Statement, other: Statement) -> bool | None:
    """Whether two statements of a day have the same number of their bank; None where one has none, or only zeros."""
    told = [each.number for each in (one, other) if each.number and each.number.strip("0/")]
    comparable = one.format == other.format and one.closed_on == other.closed_on
    return told[0] == told[1] if len(told) == 2 and comparable else None  # noqa: PLR2004  # both


def _ends_before(one: Statement, other: Statement) -> bool:
    if one.closed_on is None or other.opened_on is None or one.closed_on > other.opened_on:
        return False
    if (
        other.closed_on is not None and other.closed_on < other.opened_on
    ):  # these days are no days: it may tell anything
        return False
    if one.closed_on < other.opened_on:
        return True
    follows = one.closing_minor is not None and one.closing_minor == other.opening_minor
    return follows and one.opening_minor is not None and one.opening_minor != other.opening_minor


def _is_retold(session: Session, statement: Statement, new: NewStatement) -> bool:
    """Whether a statement came before with the same last day, balances and amounts: it is told again.

    Of a day that ends with what it began with, the numbers must not say that it is another statement.
    """
    if new.closed_on is None or new.opening is None or new.closing is None:
        return False
    query = select(Statement).where(
        Statement.account_code == new.account,
        Statement.closed_on == new.closed_on,
        Statement.opening_minor == new.opening.minor,
        Statement.closing_minor == new.closing.minor,
        Statement.alias != new.alias,
    )
    told = Counter(line.amount.minor for line in new.lines)
    found = [one for one in session.exec(query) if not is_apart(session, one.alias, statement)]
    return any(Counter(line.minor for line in lines_of(session, one.alias)) == told for one in found)


def _is_ours(session: Session, reference: str) -> bool:
    return (purposes.by_reference(session, reference) or issued.find(session, reference)) is not None


def _line(statement: Statement, line: NewLine, source_key: str) -> StatementLine:
    return StatementLine(
        source_key=source_key,
        statement_alias=statement.alias,
        account_code=statement.account_code,
        booked_on=line.booked_on,
        value_on=line.value_on,
        minor=line.amount.minor,
        currency=line.amount.currency,
        reference=line.reference,
        reversal=line.reversal,
        trace=line.traces[0] if line.traces else None,
        payout=line.payout,
        mark=line.marks[0] if line.marks else None,
        parts=_as_json(line.parts),
    )


def _as_json(parts: Sequence[Part]) -> str | None:
    return rfc8785.dumps([[one.amount.minor, one.reference] for one in parts]).decode() if parts else None
