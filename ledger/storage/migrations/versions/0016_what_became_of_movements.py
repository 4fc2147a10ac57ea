"""What became of each movement of the processor: it is booked, or waits. Disputes are decided, payouts fail."""

import re
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import whole_minor

revision = "0016"
down_revision = "0015"

WIDER = {
    ("donation", "state"): ("pending", "settled", "won", "lost"),
    ("dispute", "state"): ("won", "lost"),
    ("exception", "difference"): ("movement_waits", "over_refunded", "payout_differs", "payout_not_seen"),
}
"""What is admitted besides what was."""
MOVEMENT_COLUMNS = (
    "balance_transaction, gross_minor, category, source, charge, fee_minor, net_minor, currency, created_on, purpose"
)


def upgrade() -> None:
    """Keeps movements as they are; those of before are booked, all of them."""
    for (table, column), more in WIDER.items():
        _widen(table, column, more)
    _remake_movement()
    _create_payout_item()
    _create_booking()
    _remake_payout()
    _create_top_up()
    _book_what_was_booked()


def _widen(table: str, column: str, more: Sequence[str]) -> None:
    """Admits more values in an enumeration's column.

    On SQLite other tables refer to these, so they cannot be made anew. Their text is changed where SQLite keeps it: the
    procedure that its documentation gives for a check which only becomes wider (ALTER TABLE, section 7).
    """
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        query = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s AND conrelid = %s::regclass"
        standing = str(connection.exec_driver_sql(query, (f"{column}_is_known", f'"{table}"')).scalar_one())
        op.drop_constraint(f"{column}_is_known", table, type_="check")
        admitted = [*re.findall(r"'(\w+)'", standing), *more]
        op.create_check_constraint(f"{column}_is_known", table, sa.column(column).in_(admitted))
        return
    query = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?"
    standing = str(connection.exec_driver_sql(query, (table,)).scalar_one())
    added = "".join(f", '{value}'" for value in more)
    wider = re.sub(rf"(CHECK \({column} IN \([^)]*)\)", rf"\1{added})", standing, count=1)
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.exec_driver_sql("UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = ?", (wider, table))
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")


def _remake_movement() -> None:
    """The key gets a second part; nothing refers to the table, so its rows wait in another one meanwhile."""
    op.execute("CREATE TABLE movement_before AS SELECT * FROM movement")
    op.drop_table("movement")
    op.create_table(
        "movement",
        sa.Column("balance_transaction", sa.String(length=64), nullable=False),
        sa.Column("gross_minor", sa.BigInteger(), nullable=False),
        sa.Column("category", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=True),
        sa.Column("charge", sa.String(length=64), nullable=True),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("created_on", sa.Date(), nullable=False),
        sa.Column("purpose", sa.String(length=12), nullable=True),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.Column("arriving_minor", sa.BigInteger(), nullable=True),
        sa.Column("arriving_currency", sa.String(length=3), nullable=True),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.CheckConstraint("gross_minor - fee_minor = net_minor", name="movement_ties"),
        sa.CheckConstraint(
            "(arriving_minor IS NULL) = (arriving_currency IS NULL)", name="what_arrives_has_a_currency"
        ),
        _whole_or_null("arriving_minor"),
        *whole_minor("gross_minor", "fee_minor", "net_minor"),
        sa.PrimaryKeyConstraint("balance_transaction", "gross_minor"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_movement_source", "movement", ["source", "category"], unique=False)
    op.create_index("ix_movement_currency", "movement", ["currency"], unique=False)
    op.execute(
        f"INSERT INTO movement ({MOVEMENT_COLUMNS}, cancelled, automatic) "  # noqa: S608  # names of our own
        f"SELECT {MOVEMENT_COLUMNS}, false, false FROM movement_before"
    )


def _create_payout_item() -> None:
    op.create_table(
        "payout_item",
        sa.Column("payout", sa.String(length=64), nullable=False),
        sa.Column("balance_transaction", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("payout", "balance_transaction"),
        sqlite_with_rowid=False,
    )


def _create_booking() -> None:
    reasons = ("unknown_category", "no_recipe", "no_leaf", "cause_missing", "other_currency", "twice")
    op.create_table(
        "movement_booking",
        sa.Column("balance_transaction", sa.String(length=64), nullable=False),
        sa.Column("gross_minor", sa.BigInteger(), nullable=False),
        sa.Column("state", _enumeration("state", "waiting", "booked", "moves_nothing"), nullable=False),
        sa.Column("reason", _enumeration("reason", *reasons), nullable=True),
        sa.Column("awaits", sa.String(length=64), nullable=True),
        sa.Column("recipe", sa.String(length=40), nullable=True),
        sa.Column("account_code", sa.String(length=45), nullable=True),
        sa.Column("entry_id", sa.BigInteger(), nullable=True),
        sa.Column("about", sa.String(length=64), nullable=True),
        sa.Column("fund_code", sa.String(length=30), nullable=True),
        sa.CheckConstraint("(state = 'waiting') = (reason IS NOT NULL)", name="what_waits_has_a_reason"),
        sa.CheckConstraint("(state = 'booked') = (entry_id IS NOT NULL)", name="what_is_booked_has_an_entry"),
        sa.CheckConstraint("(entry_id IS NULL) = (account_code IS NULL)", name="what_is_booked_has_a_leaf"),
        sa.CheckConstraint("(entry_id IS NULL) = (recipe IS NULL)", name="what_is_booked_has_a_recipe"),
        sa.ForeignKeyConstraint(
            ["balance_transaction", "gross_minor"], ["movement.balance_transaction", "movement.gross_minor"]
        ),
        sa.ForeignKeyConstraint(["account_code"], ["account.code"]),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"]),
        sa.ForeignKeyConstraint(["fund_code"], ["fund.code"]),
        sa.PrimaryKeyConstraint("balance_transaction", "gross_minor"),
        sa.UniqueConstraint("entry_id"),
        sqlite_with_rowid=False,
    )
    for column in ("state", "awaits"):
        op.create_index(f"ix_movement_booking_{column}", "movement_booking", [column], unique=False)


def _remake_payout() -> None:
    """Nothing refers to it."""
    op.execute("CREATE TABLE payout_before AS SELECT * FROM payout")
    op.drop_table("payout")
    op.create_table(
        "payout",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("source_key", sa.String(length=200), nullable=False),
        sa.Column("account_code", sa.String(length=45), nullable=False),
        sa.Column("transit_code", sa.String(length=45), nullable=False),
        sa.Column("state", _enumeration("state", "created", "paid", "failed"), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("arriving_minor", sa.BigInteger(), nullable=True),
        sa.Column("arriving_currency", sa.String(length=3), nullable=True),
        sa.Column("items_of", sa.String(length=64), nullable=True),
        sa.Column("created_on", sa.Date(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("failed_on", sa.Date(), nullable=True),
        sa.Column("pulled_back_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "(arriving_minor IS NULL) = (arriving_currency IS NULL)", name="what_arrives_has_a_currency"
        ),
        _whole_or_null("arriving_minor"),
        *whole_minor("minor"),
        sa.ForeignKeyConstraint(["account_code"], ["account.code"]),
        sa.ForeignKeyConstraint(["transit_code"], ["account.code"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("source_key"),
    )
    op.create_index("ix_payout_state", "payout", ["state"], unique=False)
    columns = "id, source_key, account_code, transit_code, state, minor, currency, created_on, paid_on"
    op.execute(f"INSERT INTO payout ({columns}) SELECT {columns} FROM payout_before")  # noqa: S608  # our own names
    op.drop_table("payout_before")


def _create_top_up() -> None:
    op.create_table(
        "top_up",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("transit_code", sa.String(length=45), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("arrived_on", sa.Date(), nullable=False),
        sa.Column("sent_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["transit_code"], ["account.code"]),
        *whole_minor("minor"),
        sa.PrimaryKeyConstraint("id"),
    )


def _book_what_was_booked() -> None:
    """What each movement of before is about, its table tells; the entry's key had no amount then."""
    op.execute(
        """
        INSERT INTO movement_booking (balance_transaction, gross_minor, state, recipe, account_code, entry_id, about,
                                      fund_code)
        SELECT moved.balance_transaction, moved.gross_minor, 'booked', entry.kind, moved.account_code, entry.id,
               CASE moved.category WHEN 'dispute' THEN dispute.alias WHEN 'payout' THEN moved.source
                                   WHEN 'fee' THEN NULL ELSE gift.alias END,
               CASE moved.category WHEN 'fee' THEN 'general' WHEN 'payout' THEN NULL ELSE gift.fund_code END
        FROM movement_before AS moved
        JOIN entry ON entry.source_key = 'stripe:' || moved.balance_transaction
        LEFT JOIN donation AS gift ON gift.charge = moved.charge
                                   OR gift.source_key = 'stripe:' || moved.balance_transaction
        LEFT JOIN dispute ON dispute.source = moved.source
        """
    )
    op.drop_table("movement_before")


def _whole_or_null(column: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"typeof({column}) IN ('integer', 'null')", name=f"{column}_is_whole").ddl_if(
        dialect="sqlite"
    )


def _enumeration(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=f"{name}_is_known", native_enum=False, create_constraint=True, length=40)
