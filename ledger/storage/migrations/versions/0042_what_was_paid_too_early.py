"""Exceptions about what an agent paid before its ruling was in force, or before its release; facts that stay."""

from ledger.storage.enumerations import admit

revision = "0042"
down_revision = "0036"


def upgrade() -> None:
    """Admits the new differences."""
    admit("exception", "difference", ("paid_before_force", "paid_before_release"))
