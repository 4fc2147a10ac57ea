"""Lines of the bank know tokens of their end-to-end ids, and digests of the payouts that they name."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0028"


def upgrade() -> None:
    """Adds the columns; a line that came before has neither."""
    op.add_column("statement_line", sa.Column("trace", sa.String(length=64), nullable=True))
    op.add_column("statement_line", sa.Column("payout", sa.String(length=64), nullable=True))
    op.create_index("ix_statement_line_trace", "statement_line", ["trace"], unique=False)
