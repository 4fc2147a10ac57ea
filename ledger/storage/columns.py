"""Column types and constraints that mean the same on both databases."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Dialect, Enum, TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC. Naive datetimes are refused: nobody can tell which moment they mean."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Checks and turns to UTC; SQLite keeps it without zone."""
        if value is None:
            return None
        if value.utcoffset() is None:
            raise TypeError("a moment needs its time zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Gives the zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


def enumeration(kind: type[StrEnum]) -> Any:
    """A text column that admits the values of `kind` and nothing else, in the database too."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=True,
        name=f"{kind.__name__.lower()}_is_known",
        length=40,
        values_callable=lambda members: [member.value for member in members],
    )


def whole_minor(*columns: str) -> tuple[CheckConstraint, ...]:
    """SQLite would keep a float or a text in an integer column; these checks refuse it. PostgreSQL cannot."""
    return tuple(
        CheckConstraint(f"typeof({column}) = 'integer'", name=f"{column}_is_whole").ddl_if(dialect="sqlite")
        for column in columns
    )


MinorUnits = BigInteger
"""Whole minor units of the row's currency."""

WITHOUT_ROWID = {"sqlite_with_rowid": False}
"""A table option: on SQLite the primary key is the only one. A hidden row number would be a second key, by which
`INSERT OR REPLACE` could push a row out past the guards of the first."""
