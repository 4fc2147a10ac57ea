"""Lines of the bank know tokens of end-to-end ids and digests of payouts; sealed rules of matching; lines unbooked."""

import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import WITHOUT_ROWID, UtcDateTime
from ledger.storage.enumerations import admit

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Adds the columns, of which a line that came before has neither, and the tables."""
    op.add_column("statement_line", sa.Column("trace", sa.String(length=64), nullable=True))
    op.add_column("statement_line", sa.Column("payout", sa.String(length=64), nullable=True))
    op.create_index("ix_statement_line_trace", "statement_line", ["trace"], unique=False)
    op.create_table(
        "matching_rule",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("added_by", sa.String(length=20), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("alias"),
        **WITHOUT_ROWID,
    )
    op.create_table(
        "matching_rule_withdrawal",
        sa.Column("rule_alias", sa.String(length=20), nullable=False),
        sa.Column("withdrawn_by", sa.String(length=20), nullable=False),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["rule_alias"], ["matching_rule.alias"]),
        sa.PrimaryKeyConstraint("rule_alias"),
        **WITHOUT_ROWID,
    )
    admit("exception", "difference", ("unbooked",))
    admit("gift_step", "step", ("unbooked",))
    reasons = ("wrong_line", "wrong_entry", "looked_again")
    op.create_table(
        "line_unbooked",
        sa.Column("source_key", sa.String(length=120), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "because",
            sa.Enum(*reasons, name="undone_is_known", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("undone_by", sa.String(length=20), nullable=False),
        sa.Column("undone_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"]),
        sa.ForeignKeyConstraint(["source_key"], ["statement_line.source_key"]),
        sa.PrimaryKeyConstraint("source_key"),
        sa.UniqueConstraint("entry_id"),
        **WITHOUT_ROWID,
    )
