"""Payment files, and the payments that stand in them."""

import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import UtcDateTime

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Creates both tables; no file was written before."""
    op.create_table(
        "payment_file",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("message_id", sa.String(length=35), nullable=False),
        sa.Column("account_code", sa.String(length=45), nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.String(length=20), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("withdrawal_asked_by", sa.String(length=20), nullable=True),
        sa.Column("withdrawn_by", sa.String(length=20), nullable=True),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "withdrawn_by IS NULL OR (withdrawal_asked_by IS NOT NULL AND withdrawal_asked_by <> withdrawn_by)",
            name="two_people_withdraw",
        ),
        sa.CheckConstraint("typeof(minor) = 'integer'", name="minor_is_whole").ddl_if(dialect="sqlite"),
        sa.ForeignKeyConstraint(["account_code"], ["account.code"]),
        sa.PrimaryKeyConstraint("alias"),
        sa.UniqueConstraint("message_id"),
    )
    op.create_index("ix_payment_file_account_code", "payment_file", ["account_code"])
    op.create_table(
        "payment_file_line",
        sa.Column("file_alias", sa.String(length=20), nullable=False),
        sa.Column("disbursement_alias", sa.String(length=20), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["file_alias"], ["payment_file.alias"]),
        sa.ForeignKeyConstraint(["disbursement_alias"], ["disbursement.alias"]),
        sa.PrimaryKeyConstraint("file_alias", "disbursement_alias"),
    )
    op.create_index(
        "in_one_file",
        "payment_file_line",
        ["disbursement_alias"],
        unique=True,
        sqlite_where=sa.text("NOT withdrawn"),
        postgresql_where=sa.text("NOT withdrawn"),
    )
