"""Matching rules: what treasurers know of counterparties' texts. A rule is sealed; here stand its alias and its days.

Rules are applied where lines are opened, on a treasurer's device. They propose; what is matched is signed as ever.
"""

from collections.abc import Collection
from datetime import datetime

from sqlmodel import Field, Session, SQLModel, col, select

from ledger.aliases import AliasTaken, Kind, check
from ledger.errors import NotFound, Refused
from ledger.reconciliation import statements
from ledger.reconciliation.statements import StatementLine
from ledger.storage.columns import WITHOUT_ROWID, UtcDateTime

MOST_RULES = 200
"""How many rules stand at most: each of them is opened whenever they are applied."""


class UnknownRule(NotFound):
    """No rule with this alias stands."""

    rule = "unknown_matching_rule"


class TooManyRules(Refused):
    """As many rules stand as are kept; withdraw one first."""

    rule = "too_many_matching_rules"


class MatchingRule(SQLModel, table=True):
    """That somebody has added a rule; what it says is in a box of its alias. Rows are only added."""

    __tablename__ = "matching_rule"
    alias: str = Field(primary_key=True, max_length=20)
    added_by: str = Field(max_length=20)
    added_at: datetime = Field(sa_type=UtcDateTime)

    __table_args__ = (WITHOUT_ROWID,)


class RuleWithdrawal(SQLModel, table=True):
    """That a rule is not applied any more. Rows are only added."""

    __tablename__ = "matching_rule_withdrawal"
    rule_alias: str = Field(primary_key=True, foreign_key="matching_rule.alias", max_length=20)
    withdrawn_by: str = Field(max_length=20)
    withdrawn_at: datetime = Field(sa_type=UtcDateTime)

    __table_args__ = (WITHOUT_ROWID,)


def add(session: Session, alias: str, *, by: str, at: datetime) -> MatchingRule:
    """Notes that a rule stands; its caller keeps the box.

    Raises:
        AliasTaken, TooManyRules: see there. Nothing was written.
    """
    check(alias, Kind.MATCHING_RULE)
    session.exec(statements.locked_bank()).one()
    if session.get(MatchingRule, alias) is not None:
        raise AliasTaken("the alias is taken")
    if len(standing(session)) >= MOST_RULES:
        raise TooManyRules("as many rules stand as are kept", most=MOST_RULES)
    made = MatchingRule(alias=alias, added_by=by, added_at=at)
    session.add(made)
    session.flush()
    return made


def withdraw(session: Session, alias: str, *, by: str, at: datetime) -> RuleWithdrawal:
    """Notes that a rule is not applied any more.

    Raises:
        UnknownRule: none with this alias stands. Nothing was written.
    """
    session.exec(statements.locked_bank()).one()
    if alias not in {one.alias for one in standing(session)}:
        raise UnknownRule("no rule with this alias stands")
    withdrawn = RuleWithdrawal(rule_alias=alias, withdrawn_by=by, withdrawn_at=at)
    session.add(withdrawn)
    session.flush()
    return withdrawn


def standing(session: Session) -> list[MatchingRule]:
    """The rules that stand, the oldest first."""
    query = select(MatchingRule).where(col(MatchingRule.alias).not_in(select(RuleWithdrawal.rule_alias)))
    return sorted(session.exec(query), key=lambda one: (one.added_at, one.alias))


def needed(session: Session, shelves: Collection[str]) -> set[str]:
    """Those of these shelves that matching asks for: rules that stand, and statements with a line that waits."""
    rules = {one.alias for one in standing(session)} & set(shelves)
    waiting = select(StatementLine.statement_alias).where(
        col(StatementLine.statement_alias).in_(shelves), *statements.unanswered()
    )
    return rules | set(session.exec(waiting.distinct()))
