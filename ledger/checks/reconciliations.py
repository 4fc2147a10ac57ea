"""Checks of what reconciliations rest on: sheets and statements are as they came, and exceptions as old as they say."""

import json
from collections.abc import Iterator
from datetime import date
from itertools import groupby

from sqlmodel import Session, col
from sqlmodel import select as select_rows

from ledger.books.journal import Entry
from ledger.checks.findings import Check, Fact, Finding, Tell, paged
from ledger.exceptions import Difference, OpenException
from ledger.reconciliation import chain, pairings, sheets, statements
from ledger.reconciliation.clearings import Clearing, ClearingAgreement
from ledger.reconciliation.pairings import LineUnbooked, Pairing, PairingPart
from ledger.reconciliation.sheets import Sheet
from ledger.reconciliation.statements import Match, Statement, StatementLine

_WITH_THEIR_LINE = frozenset(
    {
        Difference.AMBIGUOUS_PAYOUT,
        Difference.NOT_RELEASED,
        Difference.PAYMENT_RETURNED,
        Difference.REVERSAL,
        Difference.UNMATCHED_DEBIT,
    }
)
"""Differences that a line of the bank is when it comes in, and never later."""
_WITH_THEIR_STATEMENT = frozenset({Difference.BALANCE_DIFFERS, Difference.STATEMENT_DOES_NOT_ADD_UP})


def find_altered_sheets(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Sheets whose content has another hash than was signed, or that say of themselves what their content does not."""
    for page in paged(session, Sheet, Sheet.alias):
        for one in page:
            where = _why_not(one)
            if where is not None:
                yield Finding("sheets", "sheet", one.alias, {"where": where})


def find_altered_statements(session: Session, tell: Tell) -> Iterator[Finding]:
    """Statements that are not what came in, with the lines that they brought; lines that no statement brought."""
    done = 0
    for page in paged(session, Statement, Statement.alias):
        of = col(StatementLine.statement_alias)
        query = select_rows(StatementLine).where(of.in_([one.alias for one in page])).order_by(of)
        found = session.exec(query.execution_options(populate_existing=True)).all()
        brought = {alias: list(lines) for alias, lines in groupby(found, key=lambda line: line.statement_alias)}
        for one in page:
            if one.fingerprint != statements.fingerprint_of(one, brought.get(one.alias, [])):
                yield Finding("statements-as-told", "statement", one.alias, {"account": one.account_code})
        done += len(page)
        tell(done, done)
    alone = col(StatementLine.statement_alias).not_in(select_rows(Statement.alias))
    for key in session.exec(select_rows(StatementLine.source_key).where(alone)):
        yield Finding("statements-as-told", "statement_line", key)


def find_forged_days(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Exceptions that are younger or older than what they are about, of another kind, or open although closed."""
    for page in paged(session, OpenException, OpenException.alias):
        for one in page:
            where = _why_misdated(session, one)
            if where is not None:
                facts: dict[str, Fact] = {"difference": one.difference, "where": where}
                yield Finding("exceptions-dated", "exception", one.alias, facts)


def _why_not(sheet: Sheet) -> str | None:
    """Which part of a sheet does not hold, or None."""
    if sheet.digest != sheets.digest_of(sheet.content):
        return "digest"
    told = json.loads(sheet.content)  # as it was signed
    if (told["compared"], told["account"]) != (sheet.compared, sheet.account):
        return "compared"
    return None


def _why_misdated(session: Session, one: OpenException) -> str | None:
    """Which part of an exception does not hold, or None."""
    difference, _, about = one.about.partition(":")
    if difference != one.difference:
        return "difference"
    line = session.get(StatementLine, about)
    if line is not None and one.difference in _WITH_THEIR_LINE:
        told = (line.account_code, line.minor, line.currency)
        if (one.account_code, one.minor, one.currency) != told:
            return "amount"
    if not _is_of_its_fund(one, about):
        return "fund"
    if one.difference in chain.BREAKS and not _is_the_break(session, one, about):
        return "break"
    opened = _opened_on(session, one, about, line)
    if opened is not None and one.opened_on != opened:
        return "opened_on"
    closed = _closed_on(session, one, line)
    return "resolved_on" if closed is not None and one.resolved_on != closed else None


def _opened_on(session: Session, one: OpenException, about: str, line: StatementLine | None) -> date | None:
    """The day on which it was opened, as far as what it is about tells."""
    if line is not None and one.difference in _WITH_THEIR_LINE:
        return _received_on(session, line.statement_alias)
    if one.difference is Difference.UNBOOKED:
        unbooked = session.get(LineUnbooked, about)
        return None if unbooked is None else unbooked.undone_at.date()
    if one.difference in _WITH_THEIR_STATEMENT:
        return _received_on(session, about)
    return None


def _is_of_its_fund(one: OpenException, about: str) -> bool:
    """Whether it is of a fund, or of none, as what it is about tells."""
    told = about.startswith("fund:") and one.difference is Difference.BELOW_ZERO
    return about.split(":")[1] == one.fund_code if told else one.fund_code is None


def _is_the_break(session: Session, one: OpenException, about: str) -> bool:
    """Whether it is of the leaf of both statements, and was opened when one of that leaf came, them or a later one.

    Its amount is that of its day: a statement that comes later may close the gap, or move it.
    """
    rows = session.exec(select_rows(Statement).where(Statement.account_code == one.account_code)).all()
    received = {row.alias: row.received_at.date() for row in rows}
    both = [received.get(alias) for alias in about.split(":")]
    after = [day for day in both if day is not None]
    return len(after) == len(both) and one.opened_on in {day for day in received.values() if day >= max(after)}


def _closed_on(session: Session, one: OpenException, line: StatementLine | None) -> date | None:
    """The day on which somebody, or the entry of its line, has closed it, or None."""
    if line is not None:
        paired = select_rows(Pairing.paired_at).join(PairingPart, col(PairingPart.pairing_alias) == Pairing.alias)
        at = session.exec(paired.where(PairingPart.source_key == line.source_key, pairings.stands())).first()
        if at is None and one.resolved_on is not None:
            answered = select_rows(Entry.recorded_at).join(Match, col(Match.entry_id) == Entry.id)
            at = session.exec(answered.where(Match.source_key == line.source_key)).first()
        return None if at is None else at.date()
    for said in session.exec(select_rows(Clearing).where(Clearing.exception_alias == one.alias)):
        agreed = session.get(ClearingAgreement, said.alias)
        if said.alone or agreed is not None:
            return (agreed.agreed_at if agreed is not None else said.asked_at).date()
    return None


def _received_on(session: Session, statement: str) -> date | None:
    found = session.get(Statement, statement)
    return None if found is None else found.received_at.date()


CHECKS = (
    Check("sheets", "every reconciliation is the one that was signed", find_altered_sheets),
    Check("statements-as-told", "statements and their lines are what came in", find_altered_statements),
    Check("exceptions-dated", "exceptions are of their kind, and as old as what they are about", find_forged_days),
)
