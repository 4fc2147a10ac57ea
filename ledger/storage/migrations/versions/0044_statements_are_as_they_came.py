"""Each statement has the fingerprint of all that it told; its row stays as it came."""

import hashlib
from collections.abc import Iterator

import rfc8785
import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import UtcDateTime

revision = "0044"
down_revision = "0043"

_STATEMENTS = sa.table(
    "statement",
    sa.column("alias"),
    sa.column("account_code"),
    sa.column("currency"),
    sa.column("opened_on", sa.Date()),
    sa.column("closed_on", sa.Date()),
    sa.column("opening_minor"),
    sa.column("closing_minor"),
    sa.column("received_at", UtcDateTime()),
    sa.column("received_by"),
    sa.column("format"),
    sa.column("number"),
    sa.column("number_token"),
    sa.column("fingerprint"),
)
_LINES = sa.table(
    "statement_line",
    sa.column("source_key"),
    sa.column("account_code"),
    sa.column("booked_on", sa.Date()),
    sa.column("value_on", sa.Date()),
    sa.column("minor"),
    sa.column("currency"),
    sa.column("reference"),
    sa.column("reversal", sa.Boolean()),
    sa.column("trace"),
    sa.column("payout"),
    sa.column("mark"),
    sa.column("parts"),
    sa.column("statement_alias"),
)


def upgrade() -> None:
    """Adds the column, and reckons it for the statements that stand: what they tell now is what they are held to."""
    op.add_column("statement", sa.Column("fingerprint", sa.String(length=64), nullable=False, server_default=""))
    connection = op.get_bind()
    for row in connection.execute(sa.select(_STATEMENTS)).all():
        told = [*row[:3], *_days(row[3:5]), *(None if one is None else str(one) for one in row[5:7])]
        told += [row.received_at.isoformat(), row.received_by, row.format, row.number, row.number_token]
        brought = sa.select(_LINES).where(_LINES.c.statement_alias == row.alias)
        found = sorted(connection.execute(brought), key=lambda one: one.source_key)
        lines = [[*one[:2], *_days(one[2:4]), str(one.minor), *one[5:12]] for one in found]
        digest = hashlib.sha256(rfc8785.dumps(["statement", told, lines])).hexdigest()
        connection.execute(sa.update(_STATEMENTS).where(_STATEMENTS.c.alias == row.alias).values(fingerprint=digest))


def _days(days: tuple[object, ...]) -> Iterator[str | None]:
    yield from (None if day is None else str(day) for day in days)
