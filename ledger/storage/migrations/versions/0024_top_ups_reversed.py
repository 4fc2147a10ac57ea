"""Top-ups that the processor gives back, and gifts by card that go back by bank."""

from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Top-ups learn of their way back, refund orders of theirs."""
    for column in ("reversed_on DATE", "returned_on DATE"):
        op.execute(f"ALTER TABLE top_up ADD COLUMN {column}")
    op.create_index("ix_payout_item_balance_transaction", "payout_item", ["balance_transaction"], unique=False)
    op.execute("ALTER TABLE refund_order ADD COLUMN by_bank BOOLEAN NOT NULL DEFAULT false")
