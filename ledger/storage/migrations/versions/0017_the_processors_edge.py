"""The edge to the card processor: how far was pulled, what it gave notice of, and what is to be given back."""

import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import UtcDateTime, whole_minor

revision = "0017"
down_revision = "0016"

STATES = (
    "requested",
    "approved",
    "sending",
    "pending",
    "succeeded",
    "failed",
    "canceled",
    "refused",
    "withdrawn",
)


def upgrade() -> None:
    """Creates the tables; nothing was pulled before, so the first pull reads everything, and books none of it twice."""
    op.create_table(
        "pull_cursor",
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("second", sa.BigInteger(), nullable=False),
        sa.Column("looked_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("source"),
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=100), nullable=False),
        sa.Column("about", sa.String(length=64), nullable=True),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_notice_received_at", "notice", ["received_at"], unique=False)
    op.create_table(
        "refund_order",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("donation_alias", sa.String(length=20), nullable=False),
        sa.Column(
            "state",
            sa.Enum(*STATES, name="state_is_known", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("requested_by", sa.String(length=20), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("approved_by", sa.String(length=20), nullable=True),
        sa.Column("refund", sa.String(length=64), nullable=True),
        sa.CheckConstraint("minor > 0", name="refund_order_is_above_zero"),
        sa.CheckConstraint("approved_by <> requested_by", name="refund_order_is_of_two_people"),
        sa.CheckConstraint(
            "approved_by IS NOT NULL OR state IN ('requested', 'withdrawn')", name="refund_order_is_sent_when_approved"
        ),
        sa.ForeignKeyConstraint(["donation_alias"], ["donation.alias"]),
        *whole_minor("minor"),
        sa.PrimaryKeyConstraint("alias"),
        sa.UniqueConstraint("refund"),
    )
    op.create_index("ix_refund_order_donation_alias", "refund_order", ["donation_alias"], unique=False)
    op.create_index("ix_refund_order_state", "refund_order", ["state"], unique=False)
