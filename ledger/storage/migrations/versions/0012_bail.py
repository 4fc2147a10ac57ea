"""Bail: what courts hold, what became of it, and hearings; acts can be found by their day."""

import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import whole_minor

revision = "0012"
down_revision = "0011"

KINDS = ("fine", "detention", "court_fee")
MORE_KINDS = (*KINDS, "bail")


def upgrade() -> None:
    """Admits bail as what is owed, and creates the tables."""
    _widen_obligation()
    op.create_index("ix_signed_act_recorded_at", "signed_act", ["recorded_at"], unique=False)
    op.create_table(
        "bail_return",
        sa.Column("reference", sa.String(length=25), nullable=False),
        sa.Column("obligation_alias", sa.String(length=20), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("announced_by", sa.String(length=20), nullable=False),
        sa.Column("announced_on", sa.Date(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=True),
        sa.CheckConstraint("fee_minor >= 0 AND fee_minor < minor", name="fee_is_a_part"),
        sa.ForeignKeyConstraint(["obligation_alias"], ["obligation.alias"]),
        *whole_minor("minor", "fee_minor"),
        sa.PrimaryKeyConstraint("reference"),
    )
    op.create_index("ix_bail_return_obligation_alias", "bail_return", ["obligation_alias"], unique=False)
    op.create_table(
        "bail_part",
        sa.Column("obligation_alias", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("fate", _enumeration("fate", "applied", "forfeited"), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("fine_alias", sa.String(length=20), nullable=True),
        sa.Column("decided_by", sa.String(length=20), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.CheckConstraint("minor > 0", name="part_is_above_zero"),
        sa.CheckConstraint("(fate = 'applied') = (fine_alias IS NOT NULL)", name="applied_to_a_fine"),
        sa.ForeignKeyConstraint(["obligation_alias"], ["obligation.alias"]),
        sa.ForeignKeyConstraint(["fine_alias"], ["obligation.alias"]),
        *whole_minor("minor"),
        sa.PrimaryKeyConstraint("obligation_alias", "number"),
        sa.UniqueConstraint("fine_alias"),
    )
    op.create_table(
        "bail_hearing",
        sa.Column("obligation_alias", sa.String(length=20), nullable=False),
        sa.Column("held_by", sa.Date(), nullable=False),
        sa.Column("noted_by", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["obligation_alias"], ["obligation.alias"]),
        sa.PrimaryKeyConstraint("obligation_alias", "held_by"),
    )


def _widen_obligation() -> None:
    """Admits bail; on SQLite in the table's own text, as in migration 0004: other tables refer to this one."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("obligationkind_is_known", "obligation", type_="check")
        op.create_check_constraint("obligationkind_is_known", "obligation", sa.column("kind").in_(MORE_KINDS))
        return
    before, after = (", ".join(f"'{value}'" for value in values) for values in (KINDS, MORE_KINDS))
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.exec_driver_sql(
        "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = 'obligation'",
        (f"kind IN ({before})", f"kind IN ({after})"),
    )
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")


def _enumeration(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=f"{name}_is_known", native_enum=False, create_constraint=True, length=40)
