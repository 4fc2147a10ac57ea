"""What the rules answered when a case was verified, as it was signed; holds that expired are found along an index."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    """Creates table and index. Of cases that were verified before, nobody has signed what the rules answered."""
    op.create_table(
        "assessment",
        sa.Column("case_alias", sa.String(length=20), nullable=False),
        sa.Column("document", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["case_alias"], ["aid_case.alias"]),
        sa.PrimaryKeyConstraint("case_alias"),
    )
    expired = sa.text("move = 'expired'")
    op.create_index("expired_holds", "hold_movement", ["hold_key"], sqlite_where=expired, postgresql_where=expired)
