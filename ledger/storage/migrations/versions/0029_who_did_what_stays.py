"""Who took which step of aid stays; money that left for no advance is on its way back."""

from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Admits returns out of transit. The guards, which are made anew after each migration, do the rest."""
    op.execute("ALTER TABLE advance_return ADD COLUMN out_of_transit BOOLEAN NOT NULL DEFAULT false")
