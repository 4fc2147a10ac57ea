"""Which beneficiaries are one person is signed; who may be is shown to reviewers."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"

ALIKE = "alike_since IS NOT NULL"


def upgrade() -> None:
    """Adds what is said of two, and marks who carries one name with somebody else: from the day they came in."""
    op.create_table(
        "same_person",
        sa.Column("beneficiary_alias", sa.String(length=20), nullable=False),
        sa.Column("other_alias", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("is_one", sa.Boolean(), nullable=False),
        sa.Column("nonce", sa.String(length=32), nullable=False),
        sa.Column("said_by", sa.String(length=20), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("beneficiary_alias < other_alias", name="lesser_alias_first"),
        sa.ForeignKeyConstraint(["beneficiary_alias"], ["beneficiary.alias"]),
        sa.ForeignKeyConstraint(["other_alias"], ["beneficiary.alias"]),
        sa.ForeignKeyConstraint(["nonce"], ["signed_act.nonce"]),
        sa.PrimaryKeyConstraint("beneficiary_alias", "other_alias", "number"),
        sa.UniqueConstraint("nonce"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_same_person_other_alias", "same_person", ["other_alias"], unique=False)
    op.add_column("beneficiary", sa.Column("alike_since", sa.Date(), nullable=True))
    where = sa.text(ALIKE)
    op.create_index(
        "beneficiaries_alike", "beneficiary", ["alike_since", "alias"], sqlite_where=where, postgresql_where=where
    )
    day = "CAST(created_at AS DATE)" if op.get_bind().dialect.name == "postgresql" else "date(created_at)"
    op.execute(
        f"""
        UPDATE beneficiary SET alike_since = {day} WHERE EXISTS (
            SELECT 1 FROM aid_case
            JOIN token ON token.alias = aid_case.alias AND token.field = 'person'
            JOIN token AS shared ON shared.field = 'person' AND shared.value = token.value
            JOIN aid_case AS other ON other.alias = shared.alias
            WHERE aid_case.beneficiary_alias = beneficiary.alias AND other.beneficiary_alias <> beneficiary.alias)
        """  # noqa: S608  # own words
    )
