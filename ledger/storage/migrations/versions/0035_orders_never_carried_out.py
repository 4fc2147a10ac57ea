"""Orders that the bank never carried out: what two people say of each."""

import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import WITHOUT_ROWID
from ledger.storage.enumerations import admit

revision = "0035"
down_revision = "0034"

REASONS = ("bank_refused", "never_executed", "not_handed_in", "called_back")


def upgrade() -> None:
    """Admits what has failed, adds what was told of it, and admits that it left after all."""
    admit("advance", "state", ("failed", "returned"))
    admit("outlay_repayment", "state", ("failed",))
    admit("resolution", "answer", ("carried_out",))
    op.create_table(
        "order_failure",
        sa.Column("order_alias", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "because",
            sa.Enum(*REASONS, name="reason_is_known", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("told_by", sa.String(length=20), nullable=False),
        sa.Column("told_on", sa.Date(), nullable=False),
        sa.Column("agreed_by", sa.String(length=20), nullable=True),
        sa.Column("agreed_on", sa.Date(), nullable=True),
        sa.CheckConstraint("agreed_by <> told_by", name="order_failure_is_of_two_people"),
        sa.CheckConstraint("(agreed_by IS NULL) = (agreed_on IS NULL)", name="order_failure_is_agreed_on_a_day"),
        sa.PrimaryKeyConstraint("order_alias", "number"),
        **WITHOUT_ROWID,
    )
