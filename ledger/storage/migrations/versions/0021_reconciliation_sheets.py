"""Reconciliation sheets: as they were prepared, and who reviewed them."""

import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import WITHOUT_ROWID, UtcDateTime

revision = "0021"
down_revision = "0020"

COMPARED = ("bank", "processor", "agent", "ledger")


def upgrade() -> None:
    """Creates the tables."""
    op.create_table(
        "reconciliation_sheet",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column(
            "compared",
            sa.Enum(*COMPARED, name="with_is_known", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("account", sa.String(length=45), nullable=True),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("prepared_by", sa.String(length=20), nullable=False),
        sa.Column("prepared_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("alias"),
        **WITHOUT_ROWID,
    )
    op.create_index("ix_reconciliation_sheet_account", "reconciliation_sheet", ["account"], unique=False)
    op.create_index("ix_reconciliation_sheet_prepared_at", "reconciliation_sheet", ["prepared_at"], unique=False)
    op.create_table(
        "reconciliation_review",
        sa.Column("sheet", sa.String(length=20), nullable=False),
        sa.Column("reviewed_by", sa.String(length=20), nullable=False),
        sa.Column("reviewed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["sheet"], ["reconciliation_sheet.alias"]),
        sa.PrimaryKeyConstraint("sheet"),
        **WITHOUT_ROWID,
    )
