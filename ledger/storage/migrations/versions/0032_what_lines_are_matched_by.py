"""Lines of the bank know tokens of end-to-end ids and digests of payouts; sealed rules of matching."""

import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import WITHOUT_ROWID, UtcDateTime

revision = "0032"
down_revision = "0028"


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
