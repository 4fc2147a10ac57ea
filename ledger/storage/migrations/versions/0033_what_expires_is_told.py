"""Exceptions about bearer keys and entries of the roster that end soon."""

from ledger.storage.enumerations import admit

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    """Admits the new differences."""
    admit("exception", "difference", ("access_expires", "officers_expire"))
