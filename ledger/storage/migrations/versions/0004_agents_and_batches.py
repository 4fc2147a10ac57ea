"""Agents, their advances, batches with their results, and quashed rulings with their refunds."""

import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import whole_minor

revision = "0004"
down_revision = "0003"

OBLIGATION_STATES = ("due", "approved", "recognised", "paid")
DISBURSEMENT_STATES = ("requested", "approved", "released", "paid", "failed", "cancelled")
PAYEES = ("authority", "beneficiary")
STANDING = sa.text("state NOT IN ('failed', 'cancelled')")
DISBURSEMENT_COLUMNS = (
    "alias, obligation_alias, case_alias, state, version, payee, payee_commitment, fund_code, account_code, minor, "
    "currency, reference, requested_by, approved_by, released_by, released_on, paid_on, paid_recorded_on"
)


def upgrade() -> None:
    """Widens what obligations and disbursements can be, and creates the tables."""
    _widen_obligation()
    if op.get_bind().dialect.name == "postgresql":
        _widen_disbursement()
    else:
        _rebuild_disbursement()
    op.create_index(
        "one_payment_stands",
        "disbursement",
        ["obligation_alias"],
        unique=True,
        sqlite_where=STANDING,
        postgresql_where=STANDING,
    )
    _create_agent()
    _create_advance()
    _create_batch()
    _create_quashing()


def _enumeration(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=f"{name}_is_known", native_enum=False, create_constraint=True, length=40)


def _widen_obligation() -> None:
    """Admits the states after a quash.

    On SQLite other tables refer to this one, so it cannot be made anew. Its text is changed where SQLite keeps it: the
    procedure that its documentation gives for a check which only becomes wider (ALTER TABLE, section 7).
    """
    wider = (*OBLIGATION_STATES, "quashed", "refund_due", "refunded")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("state_is_known", "obligation", type_="check")
        op.create_check_constraint("state_is_known", "obligation", sa.column("state").in_(wider))
        return
    before, after = (", ".join(f"'{value}'" for value in values) for values in (OBLIGATION_STATES, wider))
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.exec_driver_sql(
        "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = 'obligation'",
        (f"state IN ({before})", f"state IN ({after})"),
    )
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")


def _widen_disbursement() -> None:
    op.drop_constraint("state_is_known", "disbursement", type_="check")
    op.create_check_constraint("state_is_known", "disbursement", sa.column("state").in_(DISBURSEMENT_STATES))
    op.drop_constraint("disbursement_obligation_alias_key", "disbursement", type_="unique")


def _rebuild_disbursement() -> None:
    """SQLite cannot change a check or drop a unique constraint: the table is made anew. Nothing refers to it yet."""
    op.rename_table("disbursement", "disbursement_before")
    for column in ("account_code", "case_alias", "state"):
        op.drop_index(f"ix_disbursement_{column}", "disbursement_before")
    op.create_table(
        "disbursement",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("obligation_alias", sa.String(length=20), nullable=False),
        sa.Column("case_alias", sa.String(length=20), nullable=False),
        sa.Column("state", _enumeration("state", *DISBURSEMENT_STATES), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("payee", _enumeration("payee", *PAYEES), nullable=False),
        sa.Column("payee_commitment", sa.String(length=64), nullable=False),
        sa.Column("fund_code", sa.String(length=30), nullable=False),
        sa.Column("account_code", sa.String(length=45), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reference", sa.String(length=25), nullable=False),
        sa.Column("requested_by", sa.String(length=20), nullable=False),
        sa.Column("approved_by", sa.String(length=20), nullable=True),
        sa.Column("released_by", sa.String(length=20), nullable=True),
        sa.Column("released_on", sa.Date(), nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("paid_recorded_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["account_code"], ["account.code"]),
        sa.ForeignKeyConstraint(["case_alias"], ["aid_case.alias"]),
        sa.ForeignKeyConstraint(["fund_code"], ["fund.code"]),
        sa.ForeignKeyConstraint(["obligation_alias"], ["obligation.alias"]),
        *whole_minor("minor"),
        sa.PrimaryKeyConstraint("alias"),
        sa.UniqueConstraint("reference"),
    )
    op.execute(
        f"INSERT INTO disbursement ({DISBURSEMENT_COLUMNS}) "  # noqa: S608  # names of our own
        f"SELECT {DISBURSEMENT_COLUMNS} FROM disbursement_before"
    )
    op.drop_table("disbursement_before")
    for column in ("account_code", "case_alias", "state"):
        op.create_index(f"ix_disbursement_{column}", "disbursement", [column], unique=False)


def _create_agent() -> None:
    op.create_table(
        "agent",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("state", _enumeration("state", "vetted", "active", "frozen", "closed"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("cap_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("cap_lines", sa.Integer(), nullable=False),
        sa.Column("added_by", sa.String(length=20), nullable=False),
        sa.Column("activated_by", sa.String(length=20), nullable=True),
        sa.Column("frozen_by", sa.String(length=20), nullable=True),
        *whole_minor("cap_minor"),
        sa.PrimaryKeyConstraint("alias"),
    )


def _create_advance() -> None:
    op.create_table(
        "advance",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("agent_alias", sa.String(length=20), nullable=False),
        sa.Column("account_code", sa.String(length=45), nullable=False),
        sa.Column(
            "state",
            _enumeration("state", "requested", "approved", "released", "sent", "acknowledged", "settled"),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reference", sa.String(length=25), nullable=False),
        sa.Column("requested_by", sa.String(length=20), nullable=False),
        sa.Column("approved_by", sa.String(length=20), nullable=True),
        sa.Column("released_by", sa.String(length=20), nullable=True),
        sa.Column("sent_on", sa.Date(), nullable=True),
        sa.Column("acknowledged_on", sa.Date(), nullable=True),
        sa.Column("local_minor", sa.BigInteger(), nullable=True),
        sa.Column("local_currency", sa.String(length=3), nullable=True),
        sa.ForeignKeyConstraint(["account_code"], ["account.code"]),
        sa.ForeignKeyConstraint(["agent_alias"], ["agent.alias"]),
        *whole_minor("minor"),
        sa.PrimaryKeyConstraint("alias"),
        sa.UniqueConstraint("reference"),
    )
    op.create_index("ix_advance_account_code", "advance", ["account_code"], unique=False)
    op.create_index("ix_advance_agent_alias", "advance", ["agent_alias"], unique=False)
    op.create_table(
        "advance_share",
        sa.Column("advance_alias", sa.String(length=20), nullable=False),
        sa.Column("fund_code", sa.String(length=30), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("local_minor", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["advance_alias"], ["advance.alias"]),
        sa.ForeignKeyConstraint(["fund_code"], ["fund.code"]),
        *whole_minor("minor"),
        sa.PrimaryKeyConstraint("advance_alias", "fund_code"),
    )
    op.create_table(
        "advance_return",
        sa.Column("reference", sa.String(length=25), nullable=False),
        sa.Column("advance_alias", sa.String(length=20), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("announced_by", sa.String(length=20), nullable=False),
        sa.Column("announced_on", sa.Date(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["advance_alias"], ["advance.alias"]),
        *whole_minor("minor"),
        sa.PrimaryKeyConstraint("reference"),
    )
    op.create_index("ix_advance_return_advance_alias", "advance_return", ["advance_alias"], unique=False)
    op.create_table(
        "advance_return_share",
        sa.Column("reference", sa.String(length=25), nullable=False),
        sa.Column("fund_code", sa.String(length=30), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["fund_code"], ["fund.code"]),
        sa.ForeignKeyConstraint(["reference"], ["advance_return.reference"]),
        *whole_minor("minor"),
        sa.PrimaryKeyConstraint("reference", "fund_code"),
    )


def _create_batch() -> None:
    op.create_table(
        "batch",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("agent_alias", sa.String(length=20), nullable=True),
        sa.Column("account_code", sa.String(length=45), nullable=False),
        sa.Column(
            "state",
            _enumeration("state", "draft", "locked", "approved", "released", "reconciled", "cancelled"),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("requested_by", sa.String(length=20), nullable=False),
        sa.Column("approved_by", sa.String(length=20), nullable=True),
        sa.Column("released_by", sa.String(length=20), nullable=True),
        sa.Column("released_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["account_code"], ["account.code"]),
        sa.ForeignKeyConstraint(["agent_alias"], ["agent.alias"]),
        *whole_minor("minor"),
        sa.PrimaryKeyConstraint("alias"),
    )
    op.create_index("ix_batch_agent_alias", "batch", ["agent_alias"], unique=False)
    op.create_index("ix_batch_state", "batch", ["state"], unique=False)
    op.create_table(
        "batch_line",
        sa.Column("batch_alias", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("disbursement_alias", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=6), nullable=True),
        sa.Column("outcome", _enumeration("outcome", "paid", "failed"), nullable=True),
        sa.Column("receipt", _enumeration("receipt", "verified", "rejected", "missing"), nullable=True),
        sa.Column("paid_by", sa.Date(), nullable=True),
        sa.Column("verified_by", sa.Date(), nullable=True),
        sa.Column("receipt_commitment", sa.String(length=64), nullable=True),
        sa.Column("charged_minor", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["batch_alias"], ["batch.alias"]),
        sa.ForeignKeyConstraint(["disbursement_alias"], ["disbursement.alias"]),
        sa.PrimaryKeyConstraint("batch_alias", "number"),
        sa.UniqueConstraint("disbursement_alias"),
    )
    op.create_index("code_of_batch", "batch_line", ["batch_alias", "code"], unique=True)


def _create_quashing() -> None:
    op.create_table(
        "quashing",
        sa.Column("ruling_alias", sa.String(length=20), nullable=False),
        sa.Column("quashed_by", sa.String(length=20), nullable=False),
        sa.Column("recorded_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["ruling_alias"], ["ruling.alias"]),
        sa.PrimaryKeyConstraint("ruling_alias"),
    )
    op.create_table(
        "refund",
        sa.Column("obligation_alias", sa.String(length=20), nullable=False),
        sa.Column("reference", sa.String(length=25), nullable=False),
        sa.Column("due_since", sa.Date(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["obligation_alias"], ["obligation.alias"]),
        sa.PrimaryKeyConstraint("obligation_alias"),
        sa.UniqueConstraint("reference"),
    )
