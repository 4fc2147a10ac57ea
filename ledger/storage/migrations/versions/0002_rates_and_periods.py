"""Exchange rates and closed months."""

import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import UtcDateTime, whole_minor

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Creates both tables."""
    op.create_table(
        "exchange_rate",
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("quoted_on", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("numerator", sa.BigInteger(), nullable=False),
        sa.Column("scale", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=30), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.String(length=40), nullable=False),
        sa.CheckConstraint("numerator > 0 AND scale > 0", name="rate_is_above_zero"),
        *whole_minor("numerator", "scale"),
        sa.PrimaryKeyConstraint("currency", "quoted_on", "version"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "closed_month",
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("closed_by", sa.String(length=20), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("last_day"),
        sqlite_with_rowid=False,
    )
