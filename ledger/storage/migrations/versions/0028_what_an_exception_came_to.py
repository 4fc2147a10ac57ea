"""Clearings: what exceptions came to that are about no line of the bank; gaps and overlaps by name; pairings."""

import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import WITHOUT_ROWID, UtcDateTime
from ledger.storage.enumerations import admit

revision = "0028"
down_revision = "0027"

REASONS = ("booked", "timing", "rounding", "bank_in_error", "told_twice", "looked_into", "put_right")


def upgrade() -> None:
    """Creates the tables."""
    admit("exception", "difference", ("statement_missing", "statements_overlap"))
    op.create_table(
        "clearing",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("exception_alias", sa.String(length=20), nullable=False),
        sa.Column(
            "because",
            sa.Enum(*REASONS, name="because_is_known", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("entry_id", sa.BigInteger(), nullable=True),
        sa.Column("minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("note_commitment", sa.String(length=64), nullable=True),
        sa.Column("alone", sa.Boolean(), nullable=False),
        sa.Column("asked_by", sa.String(length=20), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("(because = 'booked') = (entry_id IS NOT NULL)", name="what_is_booked_has_its_entry"),
        sa.CheckConstraint("(minor IS NULL) = (currency IS NULL)", name="cleared_money_has_a_currency"),
        *_whole_or_none(),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"]),
        sa.ForeignKeyConstraint(["exception_alias"], ["exception.alias"]),
        sa.PrimaryKeyConstraint("alias"),
        sa.UniqueConstraint("entry_id"),
        **WITHOUT_ROWID,
    )
    op.create_index("ix_clearing_exception_alias", "clearing", ["exception_alias"], unique=False)
    op.create_index("ix_clearing_asked_at", "clearing", ["asked_at"], unique=False)
    _create_pairings()
    op.create_table(
        "clearing_agreement",
        sa.Column("clearing_alias", sa.String(length=20), nullable=False),
        sa.Column("agreed_by", sa.String(length=20), nullable=False),
        sa.Column("agreed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["clearing_alias"], ["clearing.alias"]),
        sa.PrimaryKeyConstraint("clearing_alias"),
        **WITHOUT_ROWID,
    )


def _whole_or_none() -> list[sa.CheckConstraint]:
    if op.get_bind().dialect.name != "sqlite":
        return []
    return [sa.CheckConstraint("typeof(minor) IN ('integer', 'null')", name="cleared_minor_is_whole")]


def _create_pairings() -> None:
    reasons = ("wrong_line", "wrong_entry", "looked_again")
    op.create_table(
        "pairing",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("account_code", sa.String(length=45), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("paired_by", sa.String(length=20), nullable=False),
        sa.Column("paired_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["account_code"], ["account.code"]),
        sa.PrimaryKeyConstraint("alias"),
        **WITHOUT_ROWID,
    )
    op.create_table(
        "pairing_part",
        sa.Column("pairing_alias", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source_key", sa.String(length=120), nullable=True),
        sa.Column("entry_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(source_key IS NULL) <> (entry_id IS NULL)", name="a_part_is_a_line_or_an_entry"),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"]),
        sa.ForeignKeyConstraint(["pairing_alias"], ["pairing.alias"]),
        sa.ForeignKeyConstraint(["source_key"], ["statement_line.source_key"]),
        sa.PrimaryKeyConstraint("pairing_alias", "number"),
        **WITHOUT_ROWID,
    )
    op.create_index("ix_pairing_part_source_key", "pairing_part", ["source_key"], unique=False)
    op.create_index("ix_pairing_part_entry_id", "pairing_part", ["entry_id"], unique=False)
    op.create_table(
        "pairing_undone",
        sa.Column("pairing_alias", sa.String(length=20), nullable=False),
        sa.Column(
            "because",
            sa.Enum(*reasons, name="undone_is_known", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("undone_by", sa.String(length=20), nullable=False),
        sa.Column("undone_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["pairing_alias"], ["pairing.alias"]),
        sa.PrimaryKeyConstraint("pairing_alias"),
        **WITHOUT_ROWID,
    )
