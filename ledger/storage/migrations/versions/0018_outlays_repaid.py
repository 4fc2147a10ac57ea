"""Outlays of agents that are repaid from a bank leaf."""

import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import whole_minor

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Creates the table of repayments."""
    states = ("requested", "approved", "paid", "cancelled")
    known = sa.Enum(*states, name="state_is_known", native_enum=False, create_constraint=True, length=40)
    op.create_table(
        "outlay_repayment",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("agent_alias", sa.String(length=20), nullable=False),
        sa.Column("fund_code", sa.String(length=30), nullable=False),
        sa.Column("account_code", sa.String(length=45), nullable=False),
        sa.Column("state", known, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("settles_minor", sa.BigInteger(), nullable=False),
        sa.Column("settles_currency", sa.String(length=3), nullable=False),
        sa.Column("reference", sa.String(length=25), nullable=False),
        sa.Column("requested_by", sa.String(length=20), nullable=False),
        sa.Column("approved_by", sa.String(length=20), nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.CheckConstraint("minor > 0 AND settles_minor > 0", name="repayment_is_above_zero"),
        sa.CheckConstraint("approved_by <> requested_by", name="repayment_is_of_two_people"),
        sa.CheckConstraint("(state = 'paid') = (paid_on IS NOT NULL)", name="repayment_is_paid_on_a_day"),
        sa.ForeignKeyConstraint(["account_code"], ["account.code"]),
        sa.ForeignKeyConstraint(["agent_alias"], ["agent.alias"]),
        sa.ForeignKeyConstraint(["fund_code"], ["fund.code"]),
        *whole_minor("minor", "settles_minor"),
        sa.PrimaryKeyConstraint("alias"),
        sa.UniqueConstraint("reference"),
    )
    op.create_index("ix_outlay_repayment_agent_alias", "outlay_repayment", ["agent_alias"], unique=False)
