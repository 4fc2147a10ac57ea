"""Payments in parts, and payments that the bank gives back."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

OBLIGATION_STATES = ("due", "approved", "recognised", "paid", "quashed", "refund_due", "refunded")
MORE_OBLIGATION_STATES = (*OBLIGATION_STATES[:3], "part_paid", *OBLIGATION_STATES[3:])
DISBURSEMENT_STATES = ("requested", "approved", "released", "paid", "failed", "cancelled")
MORE_DISBURSEMENT_STATES = (*DISBURSEMENT_STATES[:4], "returned", *DISBURSEMENT_STATES[4:])


def upgrade() -> None:
    """Admits several payments of one obligation, which the guards bound from now on, and their return."""
    _widen("obligation", OBLIGATION_STATES, MORE_OBLIGATION_STATES)
    _widen("disbursement", DISBURSEMENT_STATES, MORE_DISBURSEMENT_STATES)
    whole = (
        " CONSTRAINT forgone_minor_is_whole CHECK (typeof(forgone_minor) = 'integer')"
        if op.get_bind().dialect.name == "sqlite"
        else ""
    )
    op.execute(f"ALTER TABLE obligation ADD COLUMN forgone_minor BIGINT NOT NULL DEFAULT 0{whole}")
    for column in ("returned_on DATE", "returned_recorded_on DATE", "returned_key VARCHAR(200)"):
        op.execute(f"ALTER TABLE disbursement ADD COLUMN {column}")
    op.drop_index("one_payment_stands", "disbursement")
    op.create_index("ix_disbursement_obligation_alias", "disbursement", ["obligation_alias"], unique=False)
    op.create_index("ix_disbursement_returned_key", "disbursement", ["returned_key"], unique=True)


def _widen(table: str, before: tuple[str, ...], after: tuple[str, ...]) -> None:
    """Admits more states; on SQLite in its own text, as in migration 0004: other tables refer to these."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        op.drop_constraint("state_is_known", table, type_="check")
        op.create_check_constraint("state_is_known", table, sa.column("state").in_(after))
        return
    old, new = (", ".join(f"'{value}'" for value in values) for values in (before, after))
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.exec_driver_sql(
        "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = ?",
        (f"state IN ({old})", f"state IN ({new})", table),
    )
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")
