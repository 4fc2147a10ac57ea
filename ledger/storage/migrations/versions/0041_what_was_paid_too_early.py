"""Exceptions about what an agent paid too early, or after it was stopped; a released line is stopped by two people."""

import sqlalchemy as sa
from alembic import op

from ledger.storage.enumerations import admit

revision = "0041"
down_revision = "0040"

REASONS = ("bank_refused", "never_executed", "not_handed_in", "called_back", "stopped")


def upgrade() -> None:
    """Admits the new differences, and the new reason."""
    admit("exception", "difference", ("paid_before_force", "paid_before_release", "paid_after_stop"))
    if op.get_bind().dialect.name == "sqlite":
        admit("order_failure", "because", REASONS[-1:])
    else:  # its constraint has the name of what it holds
        op.drop_constraint("reason_is_known", "order_failure", type_="check")
        op.create_check_constraint("reason_is_known", "order_failure", sa.column("because").in_(REASONS))
