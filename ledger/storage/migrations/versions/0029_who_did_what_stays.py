"""Who took which step of aid stays; money that left for no advance; when a repayment was given up."""

from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Adds the columns. The guards, which are made anew after each migration, do the rest."""
    op.execute("ALTER TABLE outlay_repayment ADD COLUMN cancelled_on DATE")
    op.execute("ALTER TABLE advance_return ADD COLUMN out_of_transit BOOLEAN NOT NULL DEFAULT false")
