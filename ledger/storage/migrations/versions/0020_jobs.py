"""Jobs: their leases and runs."""

import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import UtcDateTime
from ledger.storage.enumerations import admit

revision = "0020"
down_revision = "0019"

OUTCOMES = ("running", "succeeded", "failed", "abandoned")


def upgrade() -> None:
    """Creates the tables; no job has run before."""
    admit("exception", "difference", ("job_failed", "check_failed", "period_open", "rate_missing"))
    op.create_table(
        "job",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("holder", sa.String(length=32), nullable=True),
        sa.Column("held_until", UtcDateTime(), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("retry_at", UtcDateTime(), nullable=True),
        sa.Column("asked_by", sa.String(length=20), nullable=True),
        sa.Column("asked_at", UtcDateTime(), nullable=True),
        sa.Column("exception", sa.String(length=20), nullable=True),
        sa.CheckConstraint("(holder IS NULL) = (held_until IS NULL)", name="lease_has_an_end"),
        sa.CheckConstraint("(asked_by IS NULL) = (asked_at IS NULL)", name="who_asked_did_so_at_a_moment"),
        sa.CheckConstraint("failures >= 0", name="failures_are_counted"),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "job_run",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("job", sa.String(length=40), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(*OUTCOMES, name="outcome_is_known", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("asked_by", sa.String(length=20), nullable=True),
        sa.Column("counts", sa.String(), nullable=False),
        sa.Column("error", sa.String(length=80), nullable=True),
        sa.CheckConstraint("(ended_at IS NULL) = (outcome = 'running')", name="run_ends_with_an_outcome"),
        sa.ForeignKeyConstraint(["job"], ["job.name"]),
        sa.PrimaryKeyConstraint("alias"),
    )
    op.create_index("ix_job_run_job", "job_run", ["job"], unique=False)
