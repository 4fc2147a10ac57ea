"""Refunds, disputes and payouts: the movements of the card processor, each kept as it was received."""

import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import whole_minor

revision = "0003"
down_revision = "0002"

DONATION_STATES = ("received", "unidentified", "refunded", "disputed")
DIFFERENCES = (
    "unmatched_debit",
    "amount_differs",
    "not_released",
    "payment_returned",
    "reversal",
    "statement_does_not_add_up",
    "statement_does_not_follow",
    "balance_differs",
    "below_zero",
    "ambiguous_payout",
    "processor_differs",
)
DONATION_COLUMNS = "alias, source, state, source_key, fund_code, purpose_code, minor, fee_minor, currency, received_on"


def upgrade() -> None:
    """Widens what donations and differences can be, and creates the tables."""
    if op.get_bind().dialect.name == "postgresql":
        _widen("donation", "state", DONATION_STATES)
        _widen("exception", "difference", DIFFERENCES)
        op.add_column("donation", sa.Column("charge", sa.String(length=64), nullable=True))
        op.add_column("donation", sa.Column("refunded_minor", sa.BigInteger(), nullable=False, server_default="0"))
        op.alter_column("donation", "refunded_minor", server_default=None)
    else:
        _rebuild_donation()
        _rebuild_exception()
    op.create_index("ix_donation_charge", "donation", ["charge"], unique=True)
    _create_movement()
    _create_dispute()
    _create_payout()
    _keep_charges()


def _widen(table: str, column: str, values: tuple[str, ...]) -> None:
    """Admits more values in an enumeration's column."""
    op.drop_constraint(f"{column}_is_known", table, type_="check")
    admitted = sa.column(column).in_(values)
    op.create_check_constraint(f"{column}_is_known", table, admitted)


def _rebuild_donation() -> None:
    """SQLite cannot change a check: the table is made anew. Nothing refers to it yet."""
    op.rename_table("donation", "donation_before")
    op.create_table(
        "donation",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column(
            "source",
            sa.Enum("card", "bank", name="source_is_known", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(*DONATION_STATES, name="state_is_known", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("source_key", sa.String(length=200), nullable=False),
        sa.Column("fund_code", sa.String(length=30), nullable=False),
        sa.Column("purpose_code", sa.String(length=12), nullable=True),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("charge", sa.String(length=64), nullable=True),
        sa.Column("refunded_minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["fund_code"], ["fund.code"]),
        sa.ForeignKeyConstraint(["purpose_code"], ["purpose.code"]),
        *whole_minor("minor", "fee_minor", "refunded_minor"),
        sa.PrimaryKeyConstraint("alias"),
        sa.UniqueConstraint("source_key"),
    )
    op.execute(
        f"INSERT INTO donation ({DONATION_COLUMNS}, refunded_minor) "  # noqa: S608  # names of our own
        f"SELECT {DONATION_COLUMNS}, 0 FROM donation_before"
    )
    op.drop_table("donation_before")


def _rebuild_exception() -> None:
    op.rename_table("exception", "exception_before")
    op.drop_index("ix_exception_account_code", "exception_before")
    op.create_table(
        "exception",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column(
            "difference",
            sa.Enum(*DIFFERENCES, name="difference_is_known", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("account_code", sa.String(length=45), nullable=False),
        sa.Column("about", sa.String(length=200), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("resolved_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["account_code"], ["account.code"]),
        *whole_minor("minor"),
        sa.PrimaryKeyConstraint("alias"),
        sa.UniqueConstraint("about"),
    )
    op.create_index("ix_exception_account_code", "exception", ["account_code"], unique=False)
    columns = "alias, difference, account_code, about, minor, currency, opened_on, resolved_on"
    op.execute(f"INSERT INTO exception ({columns}) SELECT {columns} FROM exception_before")  # noqa: S608  # our own names
    op.drop_table("exception_before")


def _create_movement() -> None:
    op.create_table(
        "movement",
        sa.Column("balance_transaction", sa.String(length=64), nullable=False),
        sa.Column(
            "category",
            sa.Enum(
                "charge",
                "refund",
                "dispute",
                "payout",
                "fee",
                name="category_is_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("source", sa.String(length=64), nullable=True),
        sa.Column("charge", sa.String(length=64), nullable=True),
        sa.Column("account_code", sa.String(length=45), nullable=False),
        sa.Column("gross_minor", sa.BigInteger(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("created_on", sa.Date(), nullable=False),
        sa.Column("purpose", sa.String(length=12), nullable=True),
        sa.ForeignKeyConstraint(["account_code"], ["account.code"]),
        *whole_minor("gross_minor", "fee_minor", "net_minor"),
        sa.PrimaryKeyConstraint("balance_transaction"),
        sa.UniqueConstraint("source", "category", name="movement_of_source"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_movement_account_code", "movement", ["account_code"], unique=False)


def _create_dispute() -> None:
    op.create_table(
        "dispute",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("donation_alias", sa.String(length=20), nullable=False),
        sa.Column(
            "state",
            sa.Enum("open", name="state_is_known", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["donation_alias"], ["donation.alias"]),
        *whole_minor("minor", "fee_minor"),
        sa.PrimaryKeyConstraint("alias"),
        sa.UniqueConstraint("source"),
    )
    op.create_index("ix_dispute_donation_alias", "dispute", ["donation_alias"], unique=False)


def _create_payout() -> None:
    op.create_table(
        "payout",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("source_key", sa.String(length=200), nullable=False),
        sa.Column("account_code", sa.String(length=45), nullable=False),
        sa.Column("transit_code", sa.String(length=45), nullable=False),
        sa.Column(
            "state",
            sa.Enum("created", "paid", name="state_is_known", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("created_on", sa.Date(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["account_code"], ["account.code"]),
        sa.ForeignKeyConstraint(["transit_code"], ["account.code"]),
        *whole_minor("minor"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("source_key"),
    )
    op.create_index("ix_payout_state", "payout", ["state"], unique=False)


def _keep_charges() -> None:
    """Card gifts that were booked before were movements too; their charges were not kept."""
    op.execute(
        """
        INSERT INTO movement (balance_transaction, category, account_code, gross_minor, fee_minor, net_minor,
                              currency, created_on, purpose)
        SELECT substr(source_key, length('stripe:') + 1), 'charge',
               coalesce((SELECT min(account_code) FROM line
                         WHERE account_code LIKE '1100:%'
                           AND entry_id = (SELECT id FROM entry WHERE entry.source_key = donation.source_key)),
                        (SELECT min(code) FROM account
                         WHERE parent_code = '1100' AND account.currency = donation.currency)),
               minor, fee_minor, minor - fee_minor, currency, received_on, purpose_code
        FROM donation WHERE source = 'card'
        """
    )
