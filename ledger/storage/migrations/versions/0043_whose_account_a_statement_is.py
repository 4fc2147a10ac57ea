"""A statement carries a token of its account's number."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"


def upgrade() -> None:
    """Adds the token, which a statement that came before does not have."""
    op.add_column("statement", sa.Column("number_token", sa.String(length=64), nullable=True))
    op.create_index("ix_statement_number_token", "statement", ["number_token"], unique=False)
