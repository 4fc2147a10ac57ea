"""Movements in a currency that no version knew, payouts that are not put together yet."""

import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import WITHOUT_ROWID, whole_minor
from ledger.storage.enumerations import admit

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Creates the table, and admits what is new."""
    admit("exception", "difference", ("unknown_currency",))
    admit("movement_booking", "reason", ("items_not_told",))
    op.create_table(
        "unread_movement",
        sa.Column("balance_transaction", sa.String(length=64), nullable=False),
        sa.Column("gross_minor", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.String(), nullable=False),
        *whole_minor("gross_minor"),
        sa.PrimaryKeyConstraint("balance_transaction", "gross_minor"),
        **WITHOUT_ROWID,
    )
    op.execute("ALTER TABLE refund_order ADD COLUMN account_code VARCHAR(45) REFERENCES account (code)")
    op.create_index("ix_donation_fund", "donation", ["fund_code", "received_on", "alias"], unique=False)
