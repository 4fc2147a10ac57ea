"""Agents' keys and caps on courts, their lists, what moves in their purses, and the ends of advances and lines."""

import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import UtcDateTime, whole_minor

revision = "0014"
down_revision = "0013"

AGENT_STATES = ("vetted", "active", "frozen", "closed")
ADVANCE_STATES = ("requested", "approved", "released", "sent", "acknowledged", "settled")
DIFFERENCES = (
    "unmatched_debit",
    "amount_differs",
    "not_released",
    "payment_returned",
    "reversal",
    "statement_does_not_add_up",
    "statement_does_not_follow",
    "balance_differs",
    "below_zero",
    "ambiguous_payout",
    "processor_differs",
    "too_many_readings",
)


def upgrade() -> None:
    """Widens states, adds what is told from now on, and creates the tables."""
    _widen("agent", "state", AGENT_STATES, (*AGENT_STATES[:3], "compromised", "closed"))
    _widen("advance", "state", ADVANCE_STATES, (*ADVANCE_STATES[:5], "accounted", "settled", *_ENDS))
    _widen("exception", "difference", DIFFERENCES, (*DIFFERENCES, "late_result"))
    op.add_column("agent", sa.Column("cap_courts", sa.Integer(), nullable=True))
    op.add_column("agent", sa.Column("list_key", sa.String(length=62), nullable=True))
    op.add_column("agent", sa.Column("compromised_by", sa.String(length=20), nullable=True))
    op.add_column("batch_line", sa.Column("court_token", sa.String(length=64), nullable=True))
    op.add_column("advance_return", sa.Column("withdrawn_by", sa.String(length=20), nullable=True))
    op.add_column("advance_return", sa.Column("withdrawn_on", sa.Date(), nullable=True))
    op.add_column("advance_return_share", sa.Column("own_minor", sa.BigInteger(), nullable=True))
    _create_list()
    _create_failure()
    _create_movement()


_ENDS = ("seized", "lost", "cancelled")
_FAILURES = ("not_paid", "money_kept", "receipt_destroyed", "cannot_be_asked")


def _widen(table: str, column: str, before: tuple[str, ...], after: tuple[str, ...]) -> None:
    """Admits more values in an enumeration's column; on SQLite in the table's own text, as 0004 does."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        op.drop_constraint(f"{column}_is_known", table, type_="check")
        op.create_check_constraint(f"{column}_is_known", table, sa.column(column).in_(after))
        return
    told = [f"{column} IN ({', '.join(repr(value) for value in values)})" for values in (before, after)]
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    changed = connection.exec_driver_sql(
        "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = ? AND instr(sql, ?) > 0",
        (*told, table, told[0]),
    )
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")
    if changed.rowcount != 1:
        raise RuntimeError(f"the values of {table}.{column} are not those that this migration widens")


def _create_list() -> None:
    op.create_table(
        "agents_list",
        sa.Column("batch_alias", sa.String(length=20), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("put_by", sa.String(length=20), nullable=False),
        sa.Column("put_at", UtcDateTime(), nullable=False),
        sa.Column("removed_on", sa.Date(), nullable=True),
        sa.CheckConstraint("(sealed IS NULL) = (removed_on IS NOT NULL)", name="list_is_removed_on_a_day"),
        sa.ForeignKeyConstraint(["batch_alias"], ["batch.alias"]),
        sa.PrimaryKeyConstraint("batch_alias"),
    )


def _create_failure() -> None:
    op.create_table(
        "line_failure",
        sa.Column("disbursement_alias", sa.String(length=20), nullable=False),
        sa.Column("because", _enumeration("reason", *_FAILURES), nullable=False),
        sa.Column("told_by", sa.String(length=20), nullable=False),
        sa.Column("told_on", sa.Date(), nullable=False),
        sa.Column("agreed_by", sa.String(length=20), nullable=True),
        sa.CheckConstraint("agreed_by <> told_by", name="failure_is_of_two_people"),
        sa.ForeignKeyConstraint(["disbursement_alias"], ["disbursement.alias"]),
        sa.PrimaryKeyConstraint("disbursement_alias"),
    )


def _create_movement() -> None:
    op.create_table(
        "purse_movement",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("agent_alias", sa.String(length=20), nullable=False),
        sa.Column("what", _enumeration("what", *_WHATS), nullable=False),
        sa.Column("state", _enumeration("state", "requested", "booked", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("bought_minor", sa.BigInteger(), nullable=True),
        sa.Column("bought_currency", sa.String(length=3), nullable=True),
        sa.Column("taker_alias", sa.String(length=20), nullable=True),
        sa.Column("advance_alias", sa.String(length=20), nullable=True),
        sa.Column("loss_alias", sa.String(length=20), nullable=True),
        sa.Column("fund_code", sa.String(length=30), nullable=True),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("requested_by", sa.String(length=20), nullable=False),
        sa.Column("agreed_by", sa.String(length=20), nullable=True),
        sa.CheckConstraint("minor > 0", name="movement_is_above_zero"),
        sa.CheckConstraint("agreed_by <> requested_by", name="movement_is_of_two_people"),
        sa.CheckConstraint("(what = 'converted') = (bought_minor IS NOT NULL)", name="movement_buys_when_converted"),
        sa.CheckConstraint("(what = 'handed_over') = (taker_alias IS NOT NULL)", name="movement_has_a_taker"),
        sa.CheckConstraint("(what = 'recovered') = (loss_alias IS NOT NULL)", name="movement_recovers_a_loss"),
        sa.ForeignKeyConstraint(["agent_alias"], ["agent.alias"]),
        sa.ForeignKeyConstraint(["taker_alias"], ["agent.alias"]),
        sa.ForeignKeyConstraint(["advance_alias"], ["advance.alias"]),
        sa.ForeignKeyConstraint(["loss_alias"], ["purse_movement.alias"]),
        sa.ForeignKeyConstraint(["fund_code"], ["fund.code"]),
        *whole_minor("minor"),
        sa.PrimaryKeyConstraint("alias"),
    )
    op.create_index("ix_purse_movement_agent_alias", "purse_movement", ["agent_alias"], unique=False)
    op.create_table(
        "purse_change",
        sa.Column("movement_alias", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("agent_alias", sa.String(length=20), nullable=False),
        sa.Column("place", _enumeration("place", "purse", "transit", "owed"), nullable=False),
        sa.Column("fund_code", sa.String(length=30), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("worth_minor", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["movement_alias"], ["purse_movement.alias"]),
        sa.ForeignKeyConstraint(["agent_alias"], ["agent.alias"]),
        sa.ForeignKeyConstraint(["fund_code"], ["fund.code"]),
        *whole_minor("minor"),
        sa.PrimaryKeyConstraint("movement_alias", "number"),
    )
    op.create_index("ix_purse_change_agent_alias", "purse_change", ["agent_alias"], unique=False)


_WHATS = ("converted", "handed_over", "fee", "set_off", "seized", "lost", "recovered")


def _enumeration(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=f"{name}_is_known", native_enum=False, create_constraint=True, length=40)
