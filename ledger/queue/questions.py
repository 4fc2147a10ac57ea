"""Questions: one statement about what waits, ordered by a day and an alias, read along an index page by page."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Date, Select, literal, null, select


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


def today(on: date) -> Any:
    """The day of what nobody has dated: it waits for today, every day."""
    return literal(on, Date()).label("undated")
