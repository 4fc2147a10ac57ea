"""What two people say of a bank's line or of a refund; refunds in parts; repayments that come back and are filed."""

import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import whole_minor

revision = "0026"
down_revision = "0025"

DEBTORS = ("authority", "organisation")
REPAYMENTS = ("requested", "approved", "paid", "cancelled")
ANSWERS = (
    "payment",
    "expected_back",
    "payment_returned",
    "refund",
    "bail_returned",
    "unidentified",
    "kept_by_beneficiary",
    "given_up",
)
REASONS = (
    "sent_by_hand",
    "dated_earlier",
    "sent_back",
    "fee_taken",
    "decided_so",
    "in_error",
    "uncollectable",
)


def upgrade() -> None:
    """Widens what refunds and repayments may be, and creates the tables."""
    _widen("refund", "debtor", DEBTORS, (*DEBTORS, "beneficiary", "payee"))
    _add("refund", "given_up_on", "DATE")
    _add("refund", "fund_code", "VARCHAR(30) REFERENCES fund (code)")
    _check("refund", "received_or_given_up", "received_on IS NULL OR given_up_on IS NULL")
    _check("refund", "of_a_payees_fund", "(debtor = 'payee') = (fund_code IS NOT NULL)")
    _add("bail_return", "withdrawn_by", "VARCHAR(20)")
    _add("bail_return", "withdrawn_on", "DATE")
    _check("bail_return", "received_or_withdrawn", "received_on IS NULL OR withdrawn_on IS NULL")
    _widen("outlay_repayment", "state", REPAYMENTS, (*REPAYMENTS[:3], "returned", *REPAYMENTS[3:]))
    _add("outlay_repayment", "returned_minor", "BIGINT NOT NULL DEFAULT 0")
    _add("outlay_repayment", "payee_commitment", "VARCHAR(64)")
    _replace_check(
        "outlay_repayment",
        "repayment_is_paid_on_a_day",
        "(state = 'paid') = (paid_on IS NOT NULL)",
        "(state IN ('paid', 'returned')) = (paid_on IS NOT NULL)",
    )
    _check("outlay_repayment", "returned_is_a_part", "returned_minor BETWEEN 0 AND settles_minor")
    _check("outlay_repayment", "returned_is_all", "(state = 'returned') = (returned_minor = settles_minor)")
    if op.get_bind().dialect.name == "sqlite":
        _check("outlay_repayment", "returned_minor_is_whole", "typeof(returned_minor) = 'integer'")
    _create_resolution()
    _create_filed_repayment()


def _create_resolution() -> None:
    op.create_table(
        "resolution",
        sa.Column("about", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("answer", _enumeration("answer", *ANSWERS), nullable=False),
        sa.Column("of", sa.String(length=25), nullable=False),
        sa.Column("because", _enumeration("because", *REASONS), nullable=False),
        sa.Column("source_key", sa.String(length=120), nullable=True),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("settles_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("asked_by", sa.String(length=20), nullable=False),
        sa.Column("asked_on", sa.Date(), nullable=False),
        sa.Column("agreed_by", sa.String(length=20), nullable=True),
        sa.Column("agreed_on", sa.Date(), nullable=True),
        sa.CheckConstraint("minor > 0 AND settles_minor > 0", name="resolution_is_above_zero"),
        sa.CheckConstraint("agreed_by <> asked_by", name="resolution_is_of_two_people"),
        sa.CheckConstraint("(agreed_by IS NULL) = (agreed_on IS NULL)", name="resolution_is_agreed_on_a_day"),
        sa.ForeignKeyConstraint(["source_key"], ["statement_line.source_key"]),
        *whole_minor("minor", "settles_minor"),
        sa.PrimaryKeyConstraint("about", "number"),
    )
    op.create_index("ix_resolution_source_key", "resolution", ["source_key"], unique=False)


def _create_filed_repayment() -> None:
    op.create_table(
        "payment_file_repayment",
        sa.Column("file_alias", sa.String(length=20), nullable=False),
        sa.Column("repayment_alias", sa.String(length=20), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["file_alias"], ["payment_file.alias"]),
        sa.ForeignKeyConstraint(["repayment_alias"], ["outlay_repayment.alias"]),
        sa.PrimaryKeyConstraint("file_alias", "repayment_alias"),
    )
    stands = sa.text("NOT withdrawn")
    op.create_index(
        "repayment_in_one_file",
        "payment_file_repayment",
        ["repayment_alias"],
        unique=True,
        sqlite_where=stands,
        postgresql_where=stands,
    )


def _enumeration(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=f"{name}_is_known", native_enum=False, create_constraint=True, length=40)


def _add(table: str, column: str, kind: str) -> None:
    op.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")


def _check(table: str, name: str, text: str) -> None:
    """A check more; on SQLite it is put at the end of the table's own text, since other tables refer to it."""
    if op.get_bind().dialect.name == "postgresql":
        op.create_check_constraint(name, table, sa.text(text))
        return
    found = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?"
    standing = str(op.get_bind().exec_driver_sql(found, (table,)).scalar_one()).rstrip()
    _write(table, f"{standing.removesuffix(')').rstrip()}, CONSTRAINT {name} CHECK ({text}))")


def _replace_check(table: str, name: str, before: str, after: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(name, table, type_="check")
        op.create_check_constraint(name, table, sa.text(after))
        return
    _replace(table, before, after)


def _widen(table: str, column: str, before: tuple[str, ...], after: tuple[str, ...]) -> None:
    """Admits more values in an enumeration's column; on SQLite in the table's own text, as 0004 does."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(f"{column}_is_known", table, type_="check")
        op.create_check_constraint(f"{column}_is_known", table, sa.column(column).in_(after))
        return
    _replace(table, *(f"{column} IN ({', '.join(repr(value) for value in values)})" for values in (before, after)))


def _replace(table: str, before: str, after: str) -> None:
    found = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?"
    standing = str(op.get_bind().exec_driver_sql(found, (table,)).scalar_one())
    if standing.count(before) != 1:
        raise RuntimeError(f"{table} is not what this migration changes")
    _write(table, standing.replace(before, after))


def _write(table: str, text: str) -> None:
    """SQLite's own procedure for a check that does not change what rows hold (ALTER TABLE, section 7)."""
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.exec_driver_sql("UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = ?", (text, table))
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")
