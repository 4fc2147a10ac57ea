"""What becomes of gifts by bank, cash that two people count, gifts in kind, and answers to lines of the bank."""

import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import UtcDateTime, whole_minor
from ledger.storage.enumerations import admit

revision = "0025"
down_revision = "0024"

WIDER = {
    ("donation", "source"): ("cash", "in_kind"),
    ("donation", "state"): ("matched", "conditional", "sent_back", "no_gift"),
}
"""What is admitted besides what was."""


def upgrade() -> None:
    """Creates the tables; an unidentified gift of before has taken no step."""
    for (table, column), more in WIDER.items():
        admit(table, column, more)
    op.create_index("ix_donation_state", "donation", ["state"], unique=False)
    _create_gift_step()
    _create_gift_return()
    _create_cash_count()
    _create_cash_deposit()
    _create_gift_in_kind()
    _create_line_answer()


def _create_gift_step() -> None:
    known = ("matched", "unclaimed", "conditional", "met", "sent_back", "came_back", "taken_back", "payout")
    op.create_table(
        "gift_step",
        sa.Column("donation_alias", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("step", _enumeration("step", *known), nullable=False),
        sa.Column("debit_code", sa.String(length=45), nullable=True),
        sa.Column("credit_code", sa.String(length=45), nullable=True),
        sa.Column("fund_code", sa.String(length=30), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("about", sa.String(length=64), nullable=True),
        sa.Column("source_key", sa.String(length=200), nullable=False),
        sa.Column("taken_by", sa.String(length=20), nullable=False),
        sa.Column("taken_on", sa.Date(), nullable=False),
        sa.CheckConstraint("minor > 0", name="gift_step_is_above_zero"),
        sa.CheckConstraint("debit_code IS NOT NULL OR credit_code IS NOT NULL", name="gift_step_moves_something"),
        *whole_minor("minor"),
        sa.ForeignKeyConstraint(["donation_alias"], ["donation.alias"]),
        sa.ForeignKeyConstraint(["debit_code"], ["account.code"]),
        sa.ForeignKeyConstraint(["credit_code"], ["account.code"]),
        sa.ForeignKeyConstraint(["fund_code"], ["fund.code"]),
        sa.PrimaryKeyConstraint("donation_alias", "number"),
        sa.UniqueConstraint("source_key"),
        sqlite_with_rowid=False,
    )


def _create_gift_return() -> None:
    op.create_table(
        "gift_return",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("donation_alias", sa.String(length=20), nullable=False),
        sa.Column("account_code", sa.String(length=45), nullable=False),
        sa.Column("owed_code", sa.String(length=45), nullable=False),
        sa.Column("fund_code", sa.String(length=30), nullable=False),
        sa.Column(
            "state", _enumeration("state", "requested", "approved", "paid", "returned", "cancelled"), nullable=False
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reference", sa.String(length=25), nullable=False),
        sa.Column("requested_by", sa.String(length=20), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("approved_by", sa.String(length=20), nullable=True),
        sa.Column("approved_on", sa.Date(), nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("returned_on", sa.Date(), nullable=True),
        sa.CheckConstraint("minor > 0", name="gift_return_is_above_zero"),
        sa.CheckConstraint("approved_by <> requested_by", name="gift_return_is_of_two_people"),
        sa.CheckConstraint(
            "approved_by IS NOT NULL OR state IN ('requested', 'cancelled')", name="gift_return_leaves_when_approved"
        ),
        sa.CheckConstraint(
            "(state IN ('paid', 'returned')) = (paid_on IS NOT NULL)", name="gift_return_is_paid_on_a_day"
        ),
        *whole_minor("minor"),
        sa.ForeignKeyConstraint(["donation_alias"], ["donation.alias"]),
        sa.ForeignKeyConstraint(["account_code"], ["account.code"]),
        sa.ForeignKeyConstraint(["owed_code"], ["account.code"]),
        sa.ForeignKeyConstraint(["fund_code"], ["fund.code"]),
        sa.PrimaryKeyConstraint("alias"),
        sa.UniqueConstraint("reference"),
    )
    op.create_index("ix_gift_return_donation_alias", "gift_return", ["donation_alias"], unique=False)


def _create_cash_count() -> None:
    op.create_table(
        "cash_count",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("state", _enumeration("state", "counted", "witnessed", "withdrawn"), nullable=False),
        sa.Column("account_code", sa.String(length=45), nullable=False),
        sa.Column("purpose_code", sa.String(length=12), nullable=False),
        sa.Column("fund_code", sa.String(length=30), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("counted_on", sa.Date(), nullable=False),
        sa.Column("counted_by", sa.String(length=20), nullable=False),
        sa.Column("counted_at", UtcDateTime(), nullable=False),
        sa.Column("witnessed_by", sa.String(length=20), nullable=True),
        sa.CheckConstraint("minor > 0", name="count_is_above_zero"),
        sa.CheckConstraint("witnessed_by <> counted_by", name="count_has_two_witnesses"),
        sa.CheckConstraint("(state = 'witnessed') = (witnessed_by IS NOT NULL)", name="count_is_witnessed_by_somebody"),
        *whole_minor("minor"),
        sa.ForeignKeyConstraint(["account_code"], ["account.code"]),
        sa.ForeignKeyConstraint(["purpose_code"], ["purpose.code"]),
        sa.ForeignKeyConstraint(["fund_code"], ["fund.code"]),
        sa.PrimaryKeyConstraint("alias"),
    )


def _create_cash_deposit() -> None:
    op.create_table(
        "cash_deposit",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("state", _enumeration("state", "taken", "banked", "cancelled"), nullable=False),
        sa.Column("source_code", sa.String(length=45), nullable=False),
        sa.Column("target_code", sa.String(length=45), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("came_minor", sa.BigInteger(), nullable=True),
        sa.Column("reference", sa.String(length=25), nullable=False),
        sa.Column("taken_by", sa.String(length=20), nullable=False),
        sa.Column("taken_at", UtcDateTime(), nullable=False),
        sa.Column("banked_key", sa.String(length=200), nullable=True),
        sa.CheckConstraint("minor > 0", name="deposit_is_above_zero"),
        sa.CheckConstraint(
            "(state = 'banked') = (came_minor IS NOT NULL) AND (state = 'banked') = (banked_key IS NOT NULL)",
            name="deposit_is_banked_with_an_amount",
        ),
        sa.CheckConstraint("typeof(came_minor) IN ('integer', 'null')", name="came_minor_is_whole").ddl_if(
            dialect="sqlite"
        ),
        *whole_minor("minor"),
        sa.ForeignKeyConstraint(["source_code"], ["account.code"]),
        sa.ForeignKeyConstraint(["target_code"], ["account.code"]),
        sa.PrimaryKeyConstraint("alias"),
        sa.UniqueConstraint("reference"),
        sa.UniqueConstraint("banked_key"),
    )
    op.create_index("ix_cash_deposit_target_code", "cash_deposit", ["target_code"], unique=False)


def _create_gift_in_kind() -> None:
    op.create_table(
        "gift_in_kind",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("state", _enumeration("state", "valued", "agreed", "withdrawn"), nullable=False),
        sa.Column("kind", _enumeration("givenkind", "legal_aid", "administration"), nullable=False),
        sa.Column("fund_code", sa.String(length=30), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("evidence", sa.String(length=64), nullable=False),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("valued_by", sa.String(length=20), nullable=False),
        sa.Column("valued_at", UtcDateTime(), nullable=False),
        sa.Column("agreed_by", sa.String(length=20), nullable=True),
        sa.CheckConstraint("minor > 0", name="gift_in_kind_is_above_zero"),
        sa.CheckConstraint("agreed_by <> valued_by", name="gift_in_kind_is_of_two_people"),
        sa.CheckConstraint("(state = 'agreed') = (agreed_by IS NOT NULL)", name="gift_in_kind_is_agreed_by_somebody"),
        *whole_minor("minor"),
        sa.ForeignKeyConstraint(["fund_code"], ["fund.code"]),
        sa.PrimaryKeyConstraint("alias"),
    )


def _create_line_answer() -> None:
    known = ("gift", "conversion", "payout", "deposit", "taken_back")
    op.create_table(
        "line_answer",
        sa.Column("source_key", sa.String(length=120), nullable=False),
        sa.Column("exception_alias", sa.String(length=20), nullable=False),
        sa.Column("answer", _enumeration("answer", *known), nullable=False),
        sa.Column("about", sa.String(length=64), nullable=True),
        sa.Column("answered_by", sa.String(length=20), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("(answer = 'gift') = (about IS NULL)", name="an_answer_names_what_it_is_about"),
        sa.ForeignKeyConstraint(["exception_alias"], ["exception.alias"]),
        sa.ForeignKeyConstraint(["source_key"], ["statement_line.source_key"]),
        sa.PrimaryKeyConstraint("source_key"),
        sqlite_with_rowid=False,
    )


def _enumeration(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=f"{name}_is_known", native_enum=False, create_constraint=True, length=40)
