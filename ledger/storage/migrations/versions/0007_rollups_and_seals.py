"""Roll-ups of balances; months that are closed softly, and what a closing seals."""

import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import UtcDateTime, whole_minor

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Creates the tables, and turns a unique index round so that it finds the entries of the newest transactions."""
    if op.get_bind().dialect.name == "postgresql":  # on SQLite, where there are no such numbers, the order is the same
        op.drop_constraint("line_entry_id_xact_id_fkey", "line", type_="foreignkey")
        op.drop_constraint("entry_of_transaction", "entry", type_="unique")
        op.create_unique_constraint("entry_of_transaction", "entry", ["xact_id", "id"])
        op.create_foreign_key(
            "line_entry_id_xact_id_fkey",
            "line",
            "entry",
            ["entry_id", "xact_id"],
            ["id", "xact_id"],
            initially="DEFERRED",
            deferrable=True,
        )
    _create_rollup()
    _create_soft_closing()
    _create_seals()


def _create_rollup() -> None:
    op.create_table(
        "rollup",
        sa.Column("account_code", sa.String(length=45), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column(
            "level",
            sa.Enum("day", "month", name="level_is_known", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("fund_code", sa.String(length=30), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        *whole_minor("minor"),
        sa.PrimaryKeyConstraint("account_code", "currency", "level", "starts_on", "fund_code"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "rollup_by_time", "rollup", ["level", "starts_on", "account_code", "fund_code", "currency", "minor"]
    )
    horizon = op.create_table(
        "rollup_horizon",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("xact_id", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("known_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("id = 1", name="one_horizon"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.bulk_insert(horizon, [{"id": 1, "xact_id": 0, "entry_id": 0, "known_at": None}])


def _create_soft_closing() -> None:
    op.create_table(
        "soft_closed_month",
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("closed_by", sa.String(length=20), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("last_day"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "admitted_entry",
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("nonce", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["nonce"], ["signed_act.nonce"]),
        sa.PrimaryKeyConstraint("fingerprint"),
        sqlite_with_rowid=False,
    )


def _create_seals() -> None:
    op.create_table(
        "sealed_month",
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("last_day"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sealed_balance",
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("account_code", sa.String(length=45), nullable=False),
        sa.Column("fund_code", sa.String(length=30), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_code"], ["account.code"]),
        sa.ForeignKeyConstraint(["fund_code"], ["fund.code"]),
        *whole_minor("minor"),
        sa.PrimaryKeyConstraint("last_day", "account_code", "fund_code", "currency"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sealed_rate",
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("quoted_on", sa.Date(), nullable=False),
        sa.Column("numerator", sa.BigInteger(), nullable=False),
        sa.Column("scale", sa.BigInteger(), nullable=False),
        *whole_minor("numerator", "scale"),
        sa.PrimaryKeyConstraint("last_day", "currency"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sealed_net_assets",
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("fund_code", sa.String(length=30), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["fund_code"], ["fund.code"]),
        *whole_minor("minor"),
        sa.PrimaryKeyConstraint("last_day", "fund_code"),
        sqlite_with_rowid=False,
    )
