"""Open exceptions, what takes a second person, and hearings are found by their day."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    """Adds an index for each."""
    for name, table, columns, condition in (
        ("open_exceptions", "exception", ["opened_on", "alias"], "resolved_on IS NULL"),
        ("resolutions_of_two", "resolution", ["asked_on", "about"], "NOT alone"),
    ):
        where = sa.text(condition)
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
    op.create_index("hearings_by_day", "bail_hearing", ["held_by", "obligation_alias"])
