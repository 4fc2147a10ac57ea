"""What the fund decides about its own money: transfers between funds, and conversions."""

import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import UtcDateTime, whole_minor

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Creates the tables."""
    _create_transfer()
    _create_conversion()


def _create_transfer() -> None:
    op.create_table(
        "transfer",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("giver_code", sa.String(length=30), nullable=False),
        sa.Column("taker_code", sa.String(length=30), nullable=False),
        sa.Column("account_code", sa.String(length=45), nullable=False),
        sa.Column("consent_alias", sa.String(length=20), nullable=True),
        sa.Column("state", _enumeration("state", "requested", "booked"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("requested_by", sa.String(length=20), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("approved_by", sa.String(length=20), nullable=True),
        sa.Column("booked_on", sa.Date(), nullable=True),
        sa.CheckConstraint("minor > 0", name="transfer_is_above_zero"),
        sa.CheckConstraint("giver_code <> taker_code", name="transfer_is_between_two_funds"),
        sa.CheckConstraint(
            "(state = 'booked') = (approved_by IS NOT NULL) AND (state = 'booked') = (booked_on IS NOT NULL)",
            name="transfer_is_booked_when_approved",
        ),
        sa.CheckConstraint("approved_by <> requested_by", name="transfer_is_of_two_people"),
        sa.ForeignKeyConstraint(["giver_code"], ["fund.code"]),
        sa.ForeignKeyConstraint(["taker_code"], ["fund.code"]),
        sa.ForeignKeyConstraint(["account_code"], ["account.code"]),
        sa.ForeignKeyConstraint(["consent_alias"], ["donation.alias"]),
        *whole_minor("minor"),
        sa.PrimaryKeyConstraint("alias"),
    )
    op.create_index("ix_transfer_consent_alias", "transfer", ["consent_alias"], unique=False)


def _create_conversion() -> None:
    states = ("requested", "doubtful", "approved", "released", "done", "cancelled")
    op.create_table(
        "conversion",
        sa.Column("alias", sa.String(length=20), nullable=False),
        *(sa.Column(f"{name}_code", sa.String(length=45), nullable=False) for name in ("source", "target", "transit")),
        sa.Column("state", _enumeration("state", *states), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("expected_minor", sa.BigInteger(), nullable=False),
        sa.Column("expected_currency", sa.String(length=3), nullable=False),
        sa.Column("reference", sa.String(length=25), nullable=False),
        sa.Column("requested_by", sa.String(length=20), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        *(sa.Column(f"{step}_by", sa.String(length=20)) for step in ("approved", "confirmed", "released")),
        sa.Column("released_on", sa.Date(), nullable=True),
        sa.Column("left_key", sa.String(length=200), nullable=True),
        sa.Column("arrived_key", sa.String(length=200), nullable=True),
        sa.Column("arrived_minor", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("minor > 0 AND expected_minor > 0", name="conversion_is_above_zero"),
        sa.CheckConstraint("currency <> expected_currency", name="conversion_is_between_two_currencies"),
        sa.CheckConstraint(
            "(state = 'done') = (left_key IS NOT NULL AND arrived_key IS NOT NULL)",
            name="conversion_is_done_when_both_sides_are_shown",
        ),
        sa.CheckConstraint("(arrived_key IS NULL) = (arrived_minor IS NULL)", name="conversion_arrived_with_an_amount"),
        *(sa.ForeignKeyConstraint([f"{name}_code"], ["account.code"]) for name in ("source", "target", "transit")),
        *whole_minor("minor", "expected_minor"),
        sa.PrimaryKeyConstraint("alias"),
        sa.UniqueConstraint("reference"),
    )
    for column in ("source_code", "target_code"):
        op.create_index(f"ix_conversion_{column}", "conversion", [column], unique=False)
    op.create_table(
        "conversion_share",
        sa.Column("conversion_alias", sa.String(length=20), nullable=False),
        sa.Column("fund_code", sa.String(length=30), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["conversion_alias"], ["conversion.alias"]),
        sa.ForeignKeyConstraint(["fund_code"], ["fund.code"]),
        *whole_minor("minor"),
        sa.PrimaryKeyConstraint("conversion_alias", "fund_code"),
    )


def _enumeration(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=f"{name}_is_known", native_enum=False, create_constraint=True, length=40)
