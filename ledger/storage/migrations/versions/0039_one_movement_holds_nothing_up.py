"""What is refused, unreadable or told otherwise waits by itself; disputes come back in part; refunds are held."""

from alembic import op

from ledger.storage.enumerations import admit

revision = "0039"
down_revision = "0038"

_HELD = """
    INSERT INTO hold (source_key, reserves, fund_code, account_code, minor, currency, held_for, placed_on)
    SELECT 'refund:' || told.alias || '\\:{reserves}', '{kind}', {fund}, {account}, told.minor, told.currency,
           told.alias, {day}
    FROM refund_order AS told JOIN donation AS gift ON gift.alias = told.donation_alias
    WHERE NOT told.by_bank AND told.state IN ('approved', 'sending', 'pending', 'succeeded')
      AND NOT EXISTS (SELECT 1 FROM movement AS moved JOIN movement_booking AS became
                      ON became.balance_transaction = moved.balance_transaction
                         AND became.gross_minor = moved.gross_minor
                      WHERE moved.source = told.refund AND moved.category = 'refund' AND became.state = 'booked')
      AND EXISTS (SELECT 1 FROM account WHERE parent_code = '1100' AND currency = told.currency AND NOT closed)
"""
_LEAF = "(SELECT min(code) FROM account WHERE parent_code = '1100' AND currency = told.currency AND NOT closed)"
_SETTLED = """
    UPDATE donation SET state = 'settled' WHERE state = 'received' AND charge IN (
        SELECT moved.charge FROM movement AS moved
        JOIN payout_item AS item ON item.balance_transaction = moved.balance_transaction
        JOIN payout AS paid ON paid.items_of = item.payout
        WHERE moved.category = 'charge' AND paid.state = 'paid' AND paid.pulled_back_on IS NULL)
"""


def upgrade() -> None:
    """Admits what is new, and holds what two people have agreed to give back by card."""
    admit("exception", "difference", ("unreadable", "told_otherwise"))
    admit("movement_booking", "reason", ("refused",))
    whole = " CONSTRAINT returned_minor_is_whole CHECK (typeof(returned_minor) = 'integer')"
    check = whole if op.get_bind().dialect.name == "sqlite" else ""
    op.execute(f"ALTER TABLE dispute ADD COLUMN returned_minor BIGINT NOT NULL DEFAULT 0{check}")
    op.execute("UPDATE dispute SET returned_minor = minor WHERE state = 'won'")
    op.execute(_SETTLED)
    day = "date(told.requested_at)" if check else "(told.requested_at AT TIME ZONE 'UTC')::date"
    op.execute(_HELD.format(reserves="leaf", kind="leaf", fund="NULL", account=_LEAF, day=day))
    op.execute(_HELD.format(reserves="fund", kind="spendable", fund="gift.fund_code", account="NULL", day=day))
