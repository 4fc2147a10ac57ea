"""All that is said of what waits, by one person or by two, in one table; rows are only added."""

import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import WITHOUT_ROWID, whole_minor

revision = "0032"
down_revision = "0031"

ANSWERS = (
    "gift",
    "deposit",
    "conversion",
    "payout",
    "refund_order",
    "unidentified",
    "payment",
    "expected_back",
    "payment_returned",
    "refund",
    "bail_returned",
    "taken_back",
    "card_gift",
    "card_refund",
    "cost",
    "loss",
    "reserve",
    "other_income",
    "transfer",
    "kept_by_beneficiary",
    "given_up",
    "lost",
)
REASONS = (
    "sent_by_hand",
    "dated_earlier",
    "sent_back",
    "fee_taken",
    "decided_so",
    "in_error",
    "uncollectable",
    "told_by_processor",
    "told_by_bank",
)
_TWO = """
    INSERT INTO resolution (about, number, answer, of, because, source_key, minor, currency, settles_minor,
                            settles_currency, alone, asked_by, asked_on)
    SELECT said.about, said.number, said.answer, said.of, said.because,
           coalesce(said.source_key, 'resolution:' || said.about || ':' || said.number),
           CASE WHEN line.minor < 0 THEN -said.minor ELSE said.minor END,
           said.currency, said.settles_minor, said.currency, false, said.asked_by, said.asked_on
    FROM resolution_before AS said LEFT JOIN statement_line AS line ON line.source_key = said.source_key
"""
_ONE = """
    INSERT INTO resolution (about, number, answer, of, because, source_key, minor, currency, settles_minor,
                            settles_currency, alone, asked_by, asked_on)
    SELECT told.exception_alias,
           1 + (SELECT count(*) FROM resolution_before WHERE resolution_before.about = told.exception_alias),
           told.answer, told.about, NULL, told.source_key, line.minor, line.currency, abs(line.minor), line.currency,
           true, told.answered_by, {day}
    FROM line_answer AS told JOIN statement_line AS line ON line.source_key = told.source_key
"""


def upgrade() -> None:
    """Brings both tables together, and who agreed into one of its own."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.drop_index("ix_resolution_source_key", "resolution")
    op.rename_table("resolution", "resolution_before")
    if not sqlite:
        op.execute("ALTER INDEX resolution_pkey RENAME TO resolution_before_pkey")
    _create()
    op.execute(_TWO)
    op.execute(_ONE.format(day="date(answered_at)" if sqlite else "(answered_at AT TIME ZONE 'UTC')::date"))
    op.execute(
        "INSERT INTO resolution_agreement (about, number, agreed_by, agreed_on) "
        "SELECT about, number, agreed_by, agreed_on FROM resolution_before WHERE agreed_by IS NOT NULL"
    )
    op.drop_table("resolution_before")
    op.drop_table("line_answer")


def _create() -> None:
    op.create_table(
        "resolution",
        sa.Column("about", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("answer", _enumeration("answer", *ANSWERS), nullable=False),
        sa.Column("of", sa.String(length=64), nullable=True),
        sa.Column("because", _enumeration("because", *REASONS), nullable=True),
        sa.Column("source_key", sa.String(length=120), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("settles_minor", sa.BigInteger(), nullable=False),
        sa.Column("settles_currency", sa.String(length=3), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=True),
        sa.Column("alone", sa.Boolean(), nullable=False),
        sa.Column("asked_by", sa.String(length=20), nullable=False),
        sa.Column("asked_on", sa.Date(), nullable=False),
        sa.CheckConstraint("minor <> 0 AND settles_minor > 0", name="resolution_is_about_money"),
        sa.CheckConstraint("alone = (because IS NULL)", name="two_people_have_a_reason"),
        *whole_minor("minor", "settles_minor"),
        sa.PrimaryKeyConstraint("about", "number"),
        **WITHOUT_ROWID,
    )
    op.create_index("ix_resolution_source_key", "resolution", ["source_key"], unique=False)
    op.create_table(
        "resolution_agreement",
        sa.Column("about", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("agreed_by", sa.String(length=20), nullable=False),
        sa.Column("agreed_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["about", "number"], ["resolution.about", "resolution.number"]),
        sa.PrimaryKeyConstraint("about", "number"),
        **WITHOUT_ROWID,
    )


def _enumeration(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=f"{name}_is_known", native_enum=False, create_constraint=True, length=40)
