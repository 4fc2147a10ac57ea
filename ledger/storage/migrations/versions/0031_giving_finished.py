"""Movements in a currency that no version knew."""

import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import WITHOUT_ROWID, whole_minor
from ledger.storage.enumerations import admit

revision = "0031"
down_revision = "0028"


def upgrade() -> None:
    """Creates the table."""
    admit("exception", "difference", ("unknown_currency",))
    op.create_table(
        "unread_movement",
        sa.Column("balance_transaction", sa.String(length=64), nullable=False),
        sa.Column("gross_minor", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.String(), nullable=False),
        *whole_minor("gross_minor"),
        sa.PrimaryKeyConstraint("balance_transaction", "gross_minor"),
        **WITHOUT_ROWID,
    )
