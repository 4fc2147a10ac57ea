"""Versions of purposes, gifts that a person gives a purpose, and the evidence of a giver's consent."""

import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import UtcDateTime, whole_minor

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Creates the tables; gifts of before were given under what their purpose was added with, which is version 0."""
    _create_purpose_draft()
    _create_purpose_version()
    _create_gift_assignment()
    op.execute("ALTER TABLE donation ADD COLUMN purpose_version INTEGER")
    op.execute("UPDATE donation SET purpose_version = 0 WHERE purpose_code IS NOT NULL")
    op.execute("ALTER TABLE transfer ADD COLUMN consent_commitment VARCHAR(64)")


def _create_purpose_draft() -> None:
    op.create_table(
        "purpose_draft",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("purpose_code", sa.String(length=12), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document", sa.String(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("drafted_by", sa.String(length=20), nullable=False),
        sa.Column("drafted_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["purpose_code"], ["purpose.code"]),
        sa.PrimaryKeyConstraint("alias"),
    )
    op.create_index("ix_purpose_draft_purpose_code", "purpose_draft", ["purpose_code"], unique=False)


def _create_purpose_version() -> None:
    op.create_table(
        "purpose_version",
        sa.Column("purpose_code", sa.String(length=12), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("document", sa.String(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("fund_code", sa.String(length=30), nullable=False),
        sa.Column("net_of_costs", sa.Boolean(), nullable=False),
        sa.Column("approved_by", sa.String(length=20), nullable=False),
        sa.Column("published_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["alias"], ["purpose_draft.alias"]),
        sa.ForeignKeyConstraint(["fund_code"], ["fund.code"]),
        sa.ForeignKeyConstraint(["purpose_code"], ["purpose.code"]),
        sa.PrimaryKeyConstraint("purpose_code", "number"),
        sa.UniqueConstraint("alias"),
    )


def _create_gift_assignment() -> None:
    op.create_table(
        "gift_assignment",
        sa.Column("donation_alias", sa.String(length=20), nullable=False),
        sa.Column("purpose_code", sa.String(length=12), nullable=False),
        sa.Column("purpose_version", sa.Integer(), nullable=False),
        sa.Column("fund_code", sa.String(length=30), nullable=False),
        sa.Column("account_code", sa.String(length=45), nullable=False),
        sa.Column("refunded_minor", sa.BigInteger(), nullable=False),
        sa.Column("assigned_by", sa.String(length=20), nullable=False),
        sa.Column("assigned_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["account_code"], ["account.code"]),
        sa.ForeignKeyConstraint(["donation_alias"], ["donation.alias"]),
        sa.ForeignKeyConstraint(["fund_code"], ["fund.code"]),
        sa.ForeignKeyConstraint(["purpose_code"], ["purpose.code"]),
        *whole_minor("refunded_minor"),
        sa.PrimaryKeyConstraint("donation_alias"),
    )
