"""Files of evidence in sealed chunks, how much an operator reads a day, and exceptions that are not about money."""

import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import UtcDateTime

revision = "0008"
down_revision = "0007"

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
EXCEPTION_COLUMNS = "alias, difference, account_code, fund_code, about, minor, currency, opened_on, resolved_on"
CHECKS = {
    "money_is_of_an_account": "(account_code IS NULL) = (minor IS NULL)",
    "money_has_a_currency": "(minor IS NULL) = (currency IS NULL)",
}


def upgrade() -> None:
    """Creates the tables; exceptions stay as they are."""
    _create_evidence()
    op.create_table(
        "reading_day",
        sa.Column("operator", sa.String(length=20), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("beyond", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("operator", "day"),
    )
    if op.get_bind().dialect.name == "postgresql":
        _widen_exception()
    else:
        _rebuild_exception()


def _create_evidence() -> None:
    op.create_table(
        "evidence_file",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", _enumeration("evidencekind", "ruling", "bill", "receipt", "confirmation"), nullable=False),
        sa.Column("subject", sa.String(length=20), nullable=False),
        sa.Column("shelf_alias", sa.String(length=20), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.Column("keep_until", sa.Date(), nullable=True),
        sa.Column("signer", sa.String(length=20), nullable=False),
        sa.Column("signature", sa.String(length=128), nullable=False),
        sa.Column("declared_at", UtcDateTime(), nullable=False),
        sa.Column("completed_at", UtcDateTime(), nullable=True),
        sa.Column("dropped_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["shelf_alias"], ["shelf.alias"]),
        sa.PrimaryKeyConstraint("alias", "version"),
        sa.UniqueConstraint("commitment"),
    )
    for column in ("keep_until", "shelf_alias", "subject"):
        op.create_index(f"ix_evidence_file_{column}", "evidence_file", [column], unique=False)
    op.create_table(
        "evidence_chunk",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["alias", "version"], ["evidence_file.alias", "evidence_file.version"]),
        sa.PrimaryKeyConstraint("alias", "version", "number"),
    )


def _widen_exception() -> None:
    op.drop_constraint("difference_is_known", "exception", type_="check")
    op.create_check_constraint("difference_is_known", "exception", sa.column("difference").in_(DIFFERENCES))
    for column in ("account_code", "minor", "currency"):
        op.alter_column("exception", column, nullable=True)
    for name, condition in CHECKS.items():
        op.create_check_constraint(name, "exception", condition)


def _rebuild_exception() -> None:
    """SQLite cannot change a column: the table is made anew. Nothing refers to it."""
    op.rename_table("exception", "exception_before")
    op.drop_index("ix_exception_account_code", "exception_before")
    op.create_table(
        "exception",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("difference", _enumeration("difference", *DIFFERENCES), nullable=False),
        sa.Column("account_code", sa.String(length=45), nullable=True),
        sa.Column("fund_code", sa.String(length=30), nullable=True),
        sa.Column("about", sa.String(length=200), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("resolved_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["account_code"], ["account.code"]),
        sa.ForeignKeyConstraint(["fund_code"], ["fund.code"]),
        sa.CheckConstraint("typeof(minor) IN ('integer', 'null')", name="minor_is_whole"),
        *(sa.CheckConstraint(condition, name=name) for name, condition in CHECKS.items()),
        sa.PrimaryKeyConstraint("alias"),
        sa.UniqueConstraint("about"),
    )
    op.create_index("ix_exception_account_code", "exception", ["account_code"], unique=False)
    op.execute(
        f"INSERT INTO exception ({EXCEPTION_COLUMNS}) "  # noqa: S608  # names of our own
        f"SELECT {EXCEPTION_COLUMNS} FROM exception_before"
    )
    op.drop_table("exception_before")


def _enumeration(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=f"{name}_is_known", native_enum=False, create_constraint=True, length=40)
