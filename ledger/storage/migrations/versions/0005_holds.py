"""Holds in place of sums over states: what is approved, released or promised to agents now is held from now on.

What frozen agents hold is not liquid. An exception may be of a fund.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import UtcDateTime, whole_minor

revision = "0005"
down_revision = "0004"

BANK = "1000"
DISBURSEMENT = sa.table(
    "disbursement",
    *map(sa.column, ("alias", "obligation_alias", "state", "fund_code", "account_code", "minor", "currency")),
    sa.column("released_on", sa.Date()),
)
OBLIGATION = sa.table("obligation", sa.column("alias"), sa.column("state"))
ADVANCE = sa.table("advance", *map(sa.column, ("alias", "account_code", "state", "minor", "currency")))
SHARE = sa.table("advance_share", *map(sa.column, ("advance_alias", "fund_code", "minor")))
BATCH_LINE = sa.table("batch_line", sa.column("batch_alias"), sa.column("disbursement_alias"))
AGENT = sa.table("agent", sa.column("alias"), sa.column("state"))
ACCOUNT = sa.table("account", sa.column("code"), sa.column("liquid"))
ACT = sa.table("signed_act", sa.column("object"), sa.column("verb"), sa.column("recorded_at", UtcDateTime()))
HOLD = sa.table(
    "hold",
    *map(sa.column, ("source_key", "reserves", "fund_code", "account_code", "minor", "currency", "held_for")),
    sa.column("placed_on", sa.Date()),
)


def upgrade() -> None:
    """Creates the tables and fills them; a book in the midst of a season decides afterwards as it did before."""
    _create_hold()
    # By its text: alembic would add the reference by a second statement, which SQLite does not know.
    op.execute("ALTER TABLE exception ADD COLUMN fund_code VARCHAR(30) REFERENCES fund (code)")
    _take_frozen_out_of_reach()
    acts = _days_of_acts()
    found = [*_approved(acts), *_released(), *_promised(acts)]
    if found:
        op.get_bind().execute(HOLD.insert(), found)


def _create_hold() -> None:
    op.create_table(
        "hold",
        sa.Column("source_key", sa.String(length=200), nullable=False),
        sa.Column("reserves", _enumeration("reserve", "spendable", "in_hand", "leaf"), nullable=False),
        sa.Column("fund_code", sa.String(length=30), nullable=True),
        sa.Column("account_code", sa.String(length=45), nullable=True),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("held_for", sa.String(length=40), nullable=False),
        sa.Column("placed_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.CheckConstraint("minor > 0", name="hold_is_above_zero"),
        sa.CheckConstraint(
            "(reserves = 'leaf') = (account_code IS NOT NULL) AND (reserves = 'leaf' OR fund_code IS NOT NULL)",
            name="hold_is_on_what_it_reserves",
        ),
        sa.ForeignKeyConstraint(["account_code"], ["account.code"]),
        sa.ForeignKeyConstraint(["fund_code"], ["fund.code"]),
        *whole_minor("minor"),
        sa.PrimaryKeyConstraint("source_key"),
        sqlite_with_rowid=False,
    )
    for column in ("account_code", "expires_on", "fund_code", "held_for"):
        op.create_index(f"ix_hold_{column}", "hold", [column], unique=False)
    op.create_table(
        "hold_movement",
        sa.Column("hold_key", sa.String(length=200), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("source_key", sa.String(length=240), nullable=False),
        sa.Column("move", _enumeration("move", "captured", "voided", "expired"), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("moved_on", sa.Date(), nullable=False),
        sa.CheckConstraint("minor > 0", name="movement_is_above_zero"),
        sa.ForeignKeyConstraint(["hold_key"], ["hold.source_key"]),
        *whole_minor("minor"),
        sa.PrimaryKeyConstraint("hold_key", "number"),
        sa.UniqueConstraint("source_key"),
        sqlite_with_rowid=False,
    )


def _take_frozen_out_of_reach() -> None:
    frozen = op.get_bind().scalars(sa.select(AGENT.c.alias).where(AGENT.c.state == "frozen")).all()
    for alias in frozen:
        body = alias.partition("-")[2]
        leaves = (f"1200:{body}", f"1210:{body}")
        op.execute(ACCOUNT.update().where(ACCOUNT.c.code.in_(leaves)).values(liquid=sa.false()))


def _approved(acts: dict[tuple[str, str], date]) -> Iterator[dict[str, Any]]:
    """The obligations that wait for their recognition, each with the payment that was approved for it."""
    rows = op.get_bind().execute(
        sa.select(DISBURSEMENT, BATCH_LINE.c.batch_alias)
        .join(OBLIGATION, OBLIGATION.c.alias == DISBURSEMENT.c.obligation_alias)
        .outerjoin(BATCH_LINE, BATCH_LINE.c.disbursement_alias == DISBURSEMENT.c.alias)
        .where(OBLIGATION.c.state == "approved", DISBURSEMENT.c.state == "approved")
    )
    for row in rows:
        alone, together = ("approve_disbursement", row.alias), ("approve_batch", row.batch_alias)
        yield {
            "source_key": f"disbursement:{row.alias}:approved",
            "reserves": "spendable",
            "fund_code": row.fund_code,
            "account_code": None,
            "minor": row.minor,
            "currency": row.currency,
            "held_for": row.obligation_alias,
            "placed_on": acts.get(alone) or acts.get(together) or _today(),
        }


def _released() -> Iterator[dict[str, Any]]:
    """The payments that the bank was told to make and has not shown."""
    released = sa.select(DISBURSEMENT).where(
        DISBURSEMENT.c.state == "released", DISBURSEMENT.c.account_code.startswith(f"{BANK}:")
    )
    for row in op.get_bind().execute(released):
        yield {
            "source_key": f"disbursement:{row.alias}:released",
            "reserves": "leaf",
            "fund_code": row.fund_code,
            "account_code": row.account_code,
            "minor": row.minor,
            "currency": row.currency,
            "held_for": row.alias,
            "placed_on": row.released_on or _today(),
        }


def _promised(acts: dict[tuple[str, str], date]) -> Iterator[dict[str, Any]]:
    """The advances that were approved and are not sent: each fund's share, and the leaf when the bank was told."""
    waiting = ADVANCE.c.state.in_(("approved", "released"))
    for row in op.get_bind().execute(sa.select(ADVANCE).where(ADVANCE.c.state == "released")):
        yield {
            "source_key": f"advance:{row.alias}:released",
            "reserves": "leaf",
            "fund_code": None,
            "account_code": row.account_code,
            "minor": row.minor,
            "currency": row.currency,
            "held_for": row.alias,
            "placed_on": acts.get(("release_advance", row.alias)) or _today(),
        }
    shares = sa.select(ADVANCE, SHARE.c.fund_code, SHARE.c.minor.label("share")).join(
        SHARE, SHARE.c.advance_alias == ADVANCE.c.alias
    )
    for row in op.get_bind().execute(shares.where(waiting)):
        yield {
            "source_key": f"advance:{row.alias}:{row.fund_code}",
            "reserves": "in_hand",
            "fund_code": row.fund_code,
            "account_code": None,
            "minor": row.share,
            "currency": row.currency,
            "held_for": row.alias,
            "placed_on": acts.get(("approve_advance", row.alias)) or _today(),
        }


def _days_of_acts() -> dict[tuple[str, str], date]:
    """The day of the newest act of a verb on an object."""
    verbs = ("approve_disbursement", "approve_batch", "approve_advance", "release_advance")
    rows = op.get_bind().execute(sa.select(ACT).where(ACT.c.verb.in_(verbs)).order_by(ACT.c.recorded_at))
    return {(row.verb, row.object): row.recorded_at.date() for row in rows}


def _today() -> date:
    """Where no act tells: held from the day of this migration."""
    return datetime.now(UTC).date()


def _enumeration(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=f"{name}_is_known", native_enum=False, create_constraint=True, length=40)
