"""No table changes: the guards, which every migration makes anew, got the function by which entries are posted."""

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Nothing: see `ledger/storage/guards.py`."""
