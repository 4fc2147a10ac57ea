"""Questions: one statement about what waits, ordered by a day and an alias, read along an index page by page."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Date, Select, func, literal, null, select


@dataclass(frozen=True, slots=True)
class Question:
    """One statement about what waits since, or until, a `day`, ordered by that and the `alias`."""

    rows: Select[*tuple[Any, ...]]
    day: Any
    alias: Any
    is_grouped: bool = False


def ask(day: Any, alias: Any, *conditions: Any) -> Question:
    """What of one table waits, and is of no case."""
    return Question(select(day, alias, null().label("of_case")).where(*conditions), day, alias)


def of_case(day: Any, alias: Any, case: Any, *conditions: Any) -> Question:
    """As `ask`, of what names its case."""
    return Question(select(day, alias, case.label("of_case")).where(*conditions), day, alias)


def today(on: date) -> Any:
    """The day of what nobody has dated: it waits for today, every day."""
    return literal(on, Date()).label("undated")


def day_of(moment: Any) -> Any:
    """The day of a moment in UTC. No index has it: for tables that stay small."""
    return func.date(moment, type_=Date())  # PostgreSQL goes by the session's zone, which is UTC: see `storage.engine`
