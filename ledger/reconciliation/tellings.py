"""Tellings: which lines a statement tells that no other has told, by days, amounts, tokens, references and balances."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import rfc8785
from sqlmodel import Session, col, select

from ledger.aliases import AliasTaken, Kind, check
from ledger.books import accounts
from ledger.giving import purposes
from ledger.identities.boxes import check_token
from ledger.reconciliation import issued
from ledger.reconciliation.statements import (
    BANK,
    BadStatement,
    NewLine,
    NewStatement,
    Part,
    Statement,
    StatementLine,
    fingerprint_of,
    lines_of,
)

SHIFT = timedelta(days=3)
"""By how much two formats may date the same line otherwise."""
_AT_ONCE = 500
"""Of how many tokens a query asks at once."""


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


def are_of_two_formats(one: Statement, other: Statement) -> bool:
    """Whether two statements are known to be of different formats."""
    return one.format is not None and other.format is not None and one.format != other.format


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


def _agree(known: str | None, told: Sequence[str]) -> bool | None:
    return known in told if known and told else None


def _has_its_reference(session: Session, standing: StatementLine, line: NewLine, *, of: Statement) -> bool:
    return standing.reference == line.reference and _may_be_same(session, standing, line, of=of)


def _may_be_same(session: Session, standing: StatementLine, line: NewLine, *, of: Statement) -> bool:
    return not differs(session, standing, line, of=of)


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
