"""Several sums of one ruling; bail that pays a part; why a line is left out; which cases are not the same."""

import json

import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import whole_minor

revision = "0027"
down_revision = "0026"

EXCLUSIONS = ("on_hold",)
MORE_EXCLUSIONS = ("on_hold", "withdrawn", "rejected", "duplicate", "quashed", "cancelled")


def upgrade() -> None:
    """No verb has ever led to two sums of a kind on one ruling; what is no duplicate stands in the acts of before."""
    op.create_index("one_sum_of_a_kind", "obligation", ["ruling_alias", "kind"], unique=True)
    _widen_exclusion()
    _rebuild_bail_part()
    op.create_table(
        "not_duplicate",
        sa.Column("case_alias", sa.String(length=20), nullable=False),
        sa.Column("other_alias", sa.String(length=20), nullable=False),
        sa.Column("said_by", sa.String(length=20), nullable=False),
        sa.Column("said_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["case_alias"], ["aid_case.alias"]),
        sa.ForeignKeyConstraint(["other_alias"], ["aid_case.alias"]),
        sa.PrimaryKeyConstraint("case_alias", "other_alias"),
    )
    op.create_index("ix_not_duplicate_other_alias", "not_duplicate", ["other_alias"], unique=False)
    _fill_not_duplicate()


def _widen_exclusion() -> None:
    """Admits more reasons; on SQLite in the table's own text, as in migration 0004: triggers stand on it."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        op.drop_constraint("exclusion_is_known", "batch_line", type_="check")
        op.create_check_constraint("exclusion_is_known", "batch_line", sa.column("excluded").in_(MORE_EXCLUSIONS))
        return
    old, new = (", ".join(f"'{value}'" for value in values) for values in (EXCLUSIONS, MORE_EXCLUSIONS))
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.exec_driver_sql(
        "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = 'batch_line'",
        (f"excluded IN ({old})", f"excluded IN ({new})"),
    )
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")


def _rebuild_bail_part() -> None:
    """Several parts may pay one fine. Nothing refers to the table."""
    fate = sa.Enum("applied", "forfeited", name="fate_is_known", native_enum=False, create_constraint=True, length=40)
    op.create_table(
        "bail_part_of_fine",
        sa.Column("obligation_alias", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("fate", fate, nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("fine_alias", sa.String(length=20), nullable=True),
        sa.Column("decided_by", sa.String(length=20), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.CheckConstraint("minor > 0", name="part_is_above_zero"),
        sa.CheckConstraint("(fate = 'applied') = (fine_alias IS NOT NULL)", name="applied_to_a_fine"),
        sa.ForeignKeyConstraint(["obligation_alias"], ["obligation.alias"]),
        sa.ForeignKeyConstraint(["fine_alias"], ["obligation.alias"]),
        *whole_minor("minor"),
        sa.PrimaryKeyConstraint("obligation_alias", "number"),
    )
    columns = "obligation_alias, number, fate, minor, fine_alias, decided_by, decided_on"
    op.execute(f"INSERT INTO bail_part_of_fine ({columns}) SELECT {columns} FROM bail_part")  # noqa: S608  # own names
    op.drop_table("bail_part")
    op.rename_table("bail_part_of_fine", "bail_part")
    op.create_index("ix_bail_part_fine_alias", "bail_part", ["fine_alias"], unique=False)


def _fill_not_duplicate() -> None:
    """Who verified a case beside others signed which of them they had found to be none of it."""
    connection = op.get_bind()
    query = "SELECT object, signer, recorded_at, document FROM signed_act WHERE verb = 'verify_case'"
    known = set(connection.exec_driver_sql("SELECT alias FROM aid_case").scalars())
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for case, signer, recorded_at, document in connection.exec_driver_sql(query):
        _, _, detail = str(json.loads(document)["act"]).partition(":")
        for other in detail.split("+") if detail else ():
            if other in known and other != case:
                first, second = sorted((case, other))
                said = {"case": first, "other": second, "by": signer, "on": str(recorded_at)[:10]}
                rows.setdefault((first, second), said)
    said_on = "CAST(:on AS DATE)" if connection.dialect.name == "postgresql" else ":on"
    if rows:
        connection.execute(
            sa.text(
                "INSERT INTO not_duplicate (case_alias, other_alias, said_by, said_on) "  # noqa: S608  # own words
                f"VALUES (:case, :other, :by, {said_on})"
            ),
            list(rows.values()),
        )
