"""Exceptions about entries on a bank's leaf that the bank should have shown."""

from ledger.storage.enumerations import admit

revision = "0040"
down_revision = "0039"


def upgrade() -> None:
    """Admits the new difference."""
    admit("exception", "difference", ("entry_not_seen",))
