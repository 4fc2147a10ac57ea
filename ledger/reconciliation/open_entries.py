"""Open entries: what moves a leaf of the bank in the books, and no line of the bank is yet."""

from sqlalchemy import exists
from sqlalchemy import select as select_core
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from ledger.books.journal import Entry
from ledger.reconciliation import pairings, transit
from ledger.reconciliation.proposals import Item
from ledger.reconciliation.statements import Match, StatementLine


def find(session: Session, account: str) -> list[Item]:
    """The entries that move a leaf, answer no line of it, and were not reversed. Each is looked up by an index.

    One between two leaves answers a line of each.
    """
    entry = col(Entry.id)
    answers = select(Match.entry_id).join(StatementLine, col(StatementLine.source_key) == Match.source_key)
    taken = {*session.exec(answers.where(StatementLine.account_code == account))}
    taken |= {*session.exec(pairings.standing_entries(account))}
    reversal = aliased(Entry)
    moved_there = transit.moved_by_entry(account)
    query = (
        select_core(entry, moved_there.c.minor, col(Entry.happened_on))
        .join(moved_there, moved_there.c.entry_id == entry)
        .where(col(Entry.reverses_id).is_(None), ~exists().where(col(reversal.reverses_id) == entry))
    )
    rows = session.connection().execute(query)
    return [Item(str(number), int(minor), on) for number, minor, on in rows if minor and number not in taken]
