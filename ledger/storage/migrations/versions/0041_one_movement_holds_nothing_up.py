"""What is refused, unreadable or told otherwise waits by itself; disputes come back in part."""

from alembic import op

from ledger.storage.enumerations import admit

revision = "0041"
down_revision = "0034"


def upgrade() -> None:
    """Admits what is new."""
    admit("exception", "difference", ("unreadable", "told_otherwise"))
    admit("movement_booking", "reason", ("refused",))
    whole = " CONSTRAINT returned_minor_is_whole CHECK (typeof(returned_minor) = 'integer')"
    check = whole if op.get_bind().dialect.name == "sqlite" else ""
    op.execute(f"ALTER TABLE dispute ADD COLUMN returned_minor BIGINT NOT NULL DEFAULT 0{check}")
    op.execute("UPDATE dispute SET returned_minor = minor WHERE state = 'won'")
