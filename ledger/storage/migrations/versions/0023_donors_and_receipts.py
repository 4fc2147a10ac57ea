"""Donors, whose gifts are whose, legal receipts, and the setting of the books' own confirmations."""

import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import UtcDateTime, whole_minor
from ledger.storage.enumerations import admit

revision = "0023"
down_revision = "0022"

VOIDED = ("replaced", "mistake", "given_back", "wish")


def upgrade() -> None:
    """Creates the tables, and admits `receipt` as a reason for opening a shelf."""
    admit("access", "reason", ("receipt",))
    op.create_table(
        "donor",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("recorded_by", sa.String(length=20), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("alias"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "donor_merge",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("into_alias", sa.String(length=20), nullable=False),
        sa.Column("nonce", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["alias"], ["donor.alias"]),
        sa.ForeignKeyConstraint(["into_alias"], ["donor.alias"]),
        sa.ForeignKeyConstraint(["nonce"], ["signed_act.nonce"]),
        sa.PrimaryKeyConstraint("alias"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_donor_merge_into_alias", "donor_merge", ["into_alias"], unique=False)
    op.create_table(
        "donor_link",
        sa.Column("donation_alias", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("donor_alias", sa.String(length=20), nullable=True),
        sa.Column("recorded_by", sa.String(length=20), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["donation_alias"], ["donation.alias"]),
        sa.ForeignKeyConstraint(["donor_alias"], ["donor.alias"]),
        sa.PrimaryKeyConstraint("donation_alias", "number"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_donor_link_donor_alias", "donor_link", ["donor_alias"], unique=False)
    _create_receipts()
    op.create_table(
        "confirmation_setting",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("switched_on", sa.Boolean(), nullable=False),
        sa.Column("nonce", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["nonce"], ["signed_act.nonce"]),
        sa.PrimaryKeyConstraint("number"),
        sqlite_with_rowid=False,
    )


def _create_receipts() -> None:
    op.create_table(
        "receipt",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("donor_alias", sa.String(length=20), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.Column("replaces", sa.String(length=20), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("nonce", sa.String(length=32), nullable=False),
        sa.CheckConstraint("number > 0 AND minor > 0", name="receipt_is_above_zero"),
        sa.CheckConstraint("replaces <> alias", name="receipt_replaces_another"),
        *whole_minor("minor"),
        sa.ForeignKeyConstraint(["donor_alias"], ["donor.alias"]),
        sa.ForeignKeyConstraint(["replaces"], ["receipt.alias"], initially="DEFERRED", deferrable=True),
        sa.ForeignKeyConstraint(["nonce"], ["signed_act.nonce"]),
        sa.PrimaryKeyConstraint("alias"),
        sa.UniqueConstraint("year", "number"),
        sa.UniqueConstraint("replaces"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_receipt_donor_alias", "receipt", ["donor_alias"], unique=False)
    op.create_table(
        "receipt_gift",
        sa.Column("receipt_alias", sa.String(length=20), nullable=False),
        sa.Column("donation_alias", sa.String(length=20), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        *whole_minor("minor"),
        sa.ForeignKeyConstraint(["receipt_alias"], ["receipt.alias"], initially="DEFERRED", deferrable=True),
        sa.ForeignKeyConstraint(["donation_alias"], ["donation.alias"]),
        sa.PrimaryKeyConstraint("receipt_alias", "donation_alias"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_receipt_gift_donation_alias", "receipt_gift", ["donation_alias"], unique=False)
    op.create_table(
        "receipt_void",
        sa.Column("receipt_alias", sa.String(length=20), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(*VOIDED, name="voided_is_known", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("nonce", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["receipt_alias"], ["receipt.alias"]),
        sa.ForeignKeyConstraint(["nonce"], ["signed_act.nonce"]),
        sa.PrimaryKeyConstraint("receipt_alias"),
        sqlite_with_rowid=False,
    )
