"""Checks of facts from outside: every line of the bank and every movement of the processor is booked once, as it is."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from sqlalchemy import func, select
from sqlmodel import Session, SQLModel, col
from sqlmodel import select as select_rows

from ledger import exceptions
from ledger.books.accounts import Account
from ledger.books.journal import Entry
from ledger.checks.findings import Check, Fact, Finding, Tell, booked_here, paged
from ledger.exceptions import Difference, OpenException
from ledger.giving.donations import Donation
from ledger.giving.movements import ReceivedMovement
from ledger.giving.payouts import Payout
from ledger.giving.processor import RECIPES
from ledger.reconciliation import bank, statements
from ledger.reconciliation.statements import Match, StatementLine

_LINES = SQLModel.metadata.tables["line"]
FACTS = ("bank", "stripe")
"""Namespaces of source keys that stand for a line of a statement, or for a movement."""


def find_movements(session: Session, tell: Tell) -> Iterator[Finding]:
    """Movements of the processor without their entry, or with one that moves something else on the leaf."""
    done = 0
    for page in paged(session, ReceivedMovement, ReceivedMovement.balance_transaction):
        keys = {f"stripe:{one.balance_transaction}": one for one in page}
        booked = _booked(session, list(keys))
        for key, one in keys.items():
            entry_id, kind, moved = booked.get(key, (0, "", {}))
            if (kind, moved.get((one.account_code, one.currency), 0)) != (RECIPES[one.category], one.net_minor):
                facts: dict[str, Fact] = {"category": one.category, "entry": entry_id, "net_minor": one.net_minor}
                yield Finding("movements", "movement", one.balance_transaction, facts)
        done += len(page)
        tell(done, done)


def find_statement_lines(session: Session, tell: Tell) -> Iterator[Finding]:
    """Lines of the bank that neither an entry of the same amount answers nor an exception owns."""
    done = 0
    for page in paged(session, StatementLine, StatementLine.source_key):
        keys = [one.source_key for one in page]
        booked = _booked(session, keys)
        answers = select_rows(Match.source_key, Match.entry_id).where(col(Match.source_key).in_(keys))
        matches = dict(session.exec(answers).all())
        abouts = [f"{difference}:{key}" for difference in Difference for key in keys]
        owned = select_rows(OpenException.about).where(col(OpenException.about).in_(abouts))
        excepted = {about.partition(":")[2] for about in session.exec(owned)}
        for one in page:
            entry_id, _, moved = booked.get(one.source_key, (0, "", {}))
            answered = entry_id != 0 and moved.get((one.account_code, one.currency)) == one.minor
            same = matches.get(one.source_key) in {None, entry_id}
            if not (same and (answered if one.source_key in matches else one.source_key in excepted)):
                yield Finding("statement-lines", "statement_line", one.source_key, {"entry": entry_id})
        done += len(page)
        tell(done, done)


def find_facts_without_source(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Entries that say they answer a bank's line or a movement, and there is none."""
    entries = SQLModel.metadata.tables["entry"]
    movements = SQLModel.metadata.tables["movement"]
    lines = SQLModel.metadata.tables["statement_line"]
    sources = {
        "stripe:": select(movements.c.balance_transaction).where(
            entries.c.source_key == "stripe:" + movements.c.balance_transaction
        ),
        "bank:": select(lines.c.source_key).where(entries.c.source_key == lines.c.source_key),
    }
    for prefix, source in sources.items():
        query = select(entries.c.id).where(entries.c.source_key.startswith(prefix), ~source.exists())
        query = query.where(booked_here(session))
        for entry_id in session.connection().scalars(query):
            yield Finding("sources", "entry", str(entry_id), {"namespace": prefix})


def find_sub_ledger_sources(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Gifts and payouts whose entry does not stand."""
    entries = SQLModel.metadata.tables["entry"]
    for kind, model, key in (("donation", Donation, "alias"), ("payout", Payout, "id")):
        rows = SQLModel.metadata.tables[str(model.__tablename__)]
        query = select(rows.c[key]).where(
            ~select(entries.c.id).where(entries.c.source_key == rows.c.source_key).exists()
        )
        for name in session.connection().scalars(query):
            yield Finding("gift-entries", kind, name)


def find_statement_gaps(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Statements that do not open with what the one before closed with, and banks that say another balance."""
    owned = {one.about for one in exceptions.listed(session, open_only=False)}
    leaves = session.exec(select_rows(Account.code).where(Account.parent_code == statements.BANK))
    for leaf in sorted(leaves):
        chain = [one for one in statements.of_account(session, leaf) if one.closed_on]
        for before, after in pairwise(chain):
            if None in {before.closing_minor, after.opening_minor} or before.closed_on == after.closed_on:
                continue
            about = f"{Difference.STATEMENT_DOES_NOT_FOLLOW}:{before.alias}:{after.alias}"
            if before.closing_minor != after.opening_minor and about not in owned:
                yield Finding("statements", "statement", after.alias, {"account": leaf, "before": before.alias})
        found = bank.reconcile(session, leaf)
        told = {f"{Difference.BALANCE_DIFFERS}:{one.alias}" for one in chain}
        if found is not None and found.difference.minor and not told & owned:
            facts: dict[str, Fact] = {
                "currency": found.currency,
                "difference_minor": found.difference.minor,
                "on": str(found.on),
            }
            yield Finding("statements", "account", leaf, facts)


def _booked(session: Session, keys: Sequence[str]) -> dict[str, tuple[int, str, dict[tuple[str, str], int]]]:
    """By source key: number and kind of the entry, and what it moves on each account in each currency."""
    found: dict[str, tuple[int, str, dict[tuple[str, str], int]]] = {}
    ids: dict[int, str] = {}
    for entry_id, key, kind in session.exec(
        select_rows(Entry.id, Entry.source_key, Entry.kind).where(col(Entry.source_key).in_(keys))
    ):
        found[key], ids[entry_id] = (entry_id, kind, {}), key
    query = (
        select(_LINES.c.entry_id, _LINES.c.account_code, _LINES.c.currency, func.sum(_LINES.c.minor))
        .where(_LINES.c.entry_id.in_(ids))
        .group_by(_LINES.c.entry_id, _LINES.c.account_code, _LINES.c.currency)
    )
    for entry_id, account, currency, minor in session.connection().execute(query):
        found[ids[entry_id]][2][account, currency] = int(minor)
    return found


CHECKS = (
    Check(
        "sources",
        "what says that it answers the bank or the processor does",
        find_facts_without_source,
    ),
    Check("gift-entries", "every gift and every payout has the entry it names", find_sub_ledger_sources),
    Check("movements", "every movement of the processor is booked once, as it is", find_movements),
    Check("statement-lines", "every line of the bank has its entry or its exception", find_statement_lines),
    Check(
        "statements",
        "statements follow each other and agree with the books, or an exception tells",
        find_statement_gaps,
    ),
)
