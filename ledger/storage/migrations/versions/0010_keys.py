"""The lives of keys: who re-wrapped a shelf, copies of shred keys sealed to recovery, and suspensions."""

import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import UtcDateTime

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Adds the column and creates the tables."""
    op.add_column("person_key", sa.Column("wrapped_by", sa.String(length=20), nullable=True))
    op.create_table(
        "shred_key_copy",
        sa.Column("vault", sa.String(length=63), nullable=False),
        sa.Column("recovery", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("vault", "recovery"),
    )
    op.create_table(
        "suspension",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("operator", sa.String(length=20), nullable=False),
        sa.Column("suspended_by", sa.String(length=20), nullable=False),
        sa.Column("roster", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_suspension_operator", "suspension", ["operator"], unique=False)
