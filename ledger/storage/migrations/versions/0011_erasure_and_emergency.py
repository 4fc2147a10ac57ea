"""Erasures, and the steps of an emergency."""

import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import UtcDateTime

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Creates both tables; nobody was erased before."""
    op.create_table(
        "erasure",
        sa.Column("shelf_alias", sa.String(length=20), nullable=False),
        sa.Column("reason", _enumeration("reason", "wish", "danger", "retention", "mistake"), nullable=False),
        sa.Column("requested_by", sa.String(length=20), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("agreed_by", sa.String(length=20), nullable=True),
        sa.Column("erased_at", UtcDateTime(), nullable=True),
        sa.Column("cleared_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["shelf_alias"], ["shelf.alias"]),
        sa.PrimaryKeyConstraint("shelf_alias"),
    )
    op.create_table(
        "emergency_step",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("step", _enumeration("step", "sealed", "lifted", "shredded"), nullable=False),
        sa.Column("document", sa.String(), nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )


def _enumeration(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=f"{name}_is_known", native_enum=False, create_constraint=True, length=40)
