"""The lives of cases: every state, deadlines and ages to page by, duplicates, appeals, refunds in parts."""

import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import whole_minor

revision = "0015"
down_revision = "0014"

CASE_STATES = ("received", "verified", "approved", "paid", "rejected")
MORE_CASE_STATES = (
    "received",
    "verified",
    "approved",
    "paid",
    "confirmed",
    "closed",
    "on_hold",
    "rejected",
    "duplicate",
    "withdrawn",
)
ONLY_UNTIL_FILLED = "DATE NOT NULL DEFAULT '1970-01-01'"


def upgrade() -> None:
    """Adds columns and tables; what stands gets its deadlines and ages from its rulings and payments."""
    _widen_case()
    _add_columns()
    _rebuild_refund()
    _create_tables()
    _fill()
    op.create_index("ix_aid_case_duplicate_of", "aid_case", ["duplicate_of"], unique=False)
    op.create_index("ix_ruling_replaces", "ruling", ["replaces"], unique=True)
    op.create_index("cases_by_deadline", "aid_case", ["state", "due_by", "alias"], unique=False)
    op.create_index("cases_by_age", "aid_case", ["state", "state_since", "alias"], unique=False)
    suspects = sa.text("is_suspect AND state = 'received'")
    op.create_index("suspect_cases", "aid_case", ["due_by", "alias"], sqlite_where=suspects, postgresql_where=suspects)
    op.create_index("disbursements_by_deadline", "disbursement", ["state", "due_by", "alias"], unique=False)
    waiting = sa.text("receipt IN ('rejected', 'missing') AND outcome = 'paid'")
    op.create_index(
        "lines_without_receipt",
        "batch_line",
        ["paid_by", "disbursement_alias"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )


def _widen_case() -> None:
    """Admits more states; on SQLite in its own text, as in migration 0004: other tables refer to this one."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("state_is_known", "aid_case", type_="check")
        op.create_check_constraint("state_is_known", "aid_case", sa.column("state").in_(MORE_CASE_STATES))
        return
    before, after = (", ".join(f"'{value}'" for value in values) for values in (CASE_STATES, MORE_CASE_STATES))
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.exec_driver_sql(
        "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = 'aid_case'",
        (f"state IN ({before})", f"state IN ({after})"),
    )
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")


def _add_columns() -> None:
    known = ", ".join(f"'{state}'" for state in MORE_CASE_STATES)
    for table, column in (
        ("aid_case", f"due_by {ONLY_UNTIL_FILLED}"),
        ("aid_case", f"state_since {ONLY_UNTIL_FILLED}"),
        ("aid_case", f"resumes_as VARCHAR(40) CONSTRAINT resumes_as_is_known CHECK (resumes_as IN ({known}))"),
        ("aid_case", "duplicate_of VARCHAR(20) REFERENCES aid_case (alias)"),
        ("aid_case", "is_suspect BOOLEAN NOT NULL DEFAULT false"),
        ("ruling", "replaces VARCHAR(20) REFERENCES ruling (alias)"),
        ("disbursement", "receipt_on DATE"),
        ("disbursement", f"due_by {ONLY_UNTIL_FILLED}"),
        ("batch_line", "excluded VARCHAR(40) CONSTRAINT exclusion_is_known CHECK (excluded IN ('on_hold'))"),
    ):
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column}")


def _rebuild_refund() -> None:
    """A refund is known by its reference, and may be a part of what was paid. Nothing refers to the table."""
    op.create_table(
        "refund_in_part",
        sa.Column("reference", sa.String(length=25), nullable=False),
        sa.Column("obligation_alias", sa.String(length=20), nullable=False),
        sa.Column("debtor", _enumeration("debtor", "authority", "organisation"), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("due_since", sa.Date(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["obligation_alias"], ["obligation.alias"]),
        *whole_minor("minor"),
        sa.PrimaryKeyConstraint("reference"),
    )
    op.execute(
        "INSERT INTO refund_in_part (reference, obligation_alias, debtor, minor, currency, due_since, received_on) "
        "SELECT reference, obligation_alias, 'authority', minor, currency, due_since, received_on "
        "FROM refund JOIN obligation ON obligation.alias = refund.obligation_alias"
    )
    op.drop_table("refund")
    op.rename_table("refund_in_part", "refund")
    op.create_index("ix_refund_obligation_alias", "refund", ["obligation_alias"], unique=False)
    waiting = sa.text("received_on IS NULL")
    op.create_index(
        "refunds_by_age", "refund", ["due_since", "reference"], sqlite_where=waiting, postgresql_where=waiting
    )


def _create_tables() -> None:
    op.create_table(
        "appeal",
        sa.Column("ruling_alias", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("outcome", _enumeration("outcome", "upheld", "reduced"), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("recorded_by", sa.String(length=20), nullable=False),
        sa.Column("recorded_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["ruling_alias"], ["ruling.alias"]),
        *whole_minor("minor"),
        sa.PrimaryKeyConstraint("ruling_alias", "number"),
    )
    op.create_table(
        "correction",
        sa.Column("case_alias", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("corrected_by", sa.String(length=20), nullable=False),
        sa.Column("corrected_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["case_alias"], ["aid_case.alias"]),
        sa.PrimaryKeyConstraint("case_alias", "version"),
    )


def _fill() -> None:
    for statement in _FILLING:
        op.execute(statement)


def _enumeration(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=f"{name}_is_known", native_enum=False, create_constraint=True, length=40)


_FILLING = (
    """
    UPDATE aid_case SET
        due_by = coalesce((SELECT min(due_by) FROM ruling WHERE case_alias = aid_case.alias), received_on),
        state_since = coalesce(
            (SELECT max(paid_recorded_on) FROM disbursement WHERE case_alias = aid_case.alias), received_on)
    """,
    """
    UPDATE aid_case SET is_suspect = true WHERE EXISTS (
        SELECT 1 FROM token AS own
        JOIN token AS other ON other.field = own.field AND other.value = own.value AND other.alias <> own.alias
        WHERE own.alias = aid_case.alias AND own.field = 'ruling')
    """,
    """
    UPDATE disbursement SET
        due_by = (SELECT due_by FROM aid_case WHERE alias = disbursement.case_alias),
        receipt_on = (SELECT verified_by FROM batch_line
                      WHERE disbursement_alias = disbursement.alias AND receipt = 'verified')
    """,
    """
    UPDATE aid_case SET state = 'closed' WHERE state = 'paid' AND NOT EXISTS (
        SELECT 1 FROM obligation WHERE case_alias = aid_case.alias AND state NOT IN ('quashed', 'refunded'))
    """,
    """
    UPDATE aid_case SET state = 'confirmed' WHERE state = 'paid' AND NOT EXISTS (
        SELECT 1 FROM disbursement WHERE case_alias = aid_case.alias AND state = 'paid' AND receipt_on IS NULL)
    """,
)
"""What is known of cases and payments of before."""
