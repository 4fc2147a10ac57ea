"""Statements know format and number, lines the bank's own reference as a token and their parts; lines told twice."""

import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import WITHOUT_ROWID, UtcDateTime
from ledger.storage.enumerations import admit

revision = "0042"
down_revision = "0041"


def upgrade() -> None:
    """Adds the columns, of which what came before has none, the table, and what exceptions and answers may be."""
    op.add_column("statement", sa.Column("format", sa.String(length=20), nullable=True))
    op.add_column("statement", sa.Column("number", sa.String(length=40), nullable=True))
    op.add_column("statement_line", sa.Column("mark", sa.String(length=64), nullable=True))
    op.add_column("statement_line", sa.Column("parts", sa.String(), nullable=True))
    op.create_index("ix_statement_line_mark", "statement_line", ["mark"], unique=False)
    op.create_table(
        "line_told_twice",
        sa.Column("source_key", sa.String(length=120), nullable=False),
        sa.Column("told_by", sa.String(length=20), nullable=False),
        sa.Column("told_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["source_key"], ["statement_line.source_key"]),
        sa.PrimaryKeyConstraint("source_key"),
        **WITHOUT_ROWID,
    )
    admit("exception", "difference", ("perhaps_told_twice", "perhaps_booked", "several_payments", "clock_differs"))
    admit("resolution", "answer", ("told_twice",))
