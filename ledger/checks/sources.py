"""Checks of facts from outside: every line of the bank and every movement of the processor is booked once, as it is."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime

from sqlalchemy import ColumnElement, FromClause, and_, func, or_, select, tuple_
from sqlmodel import Session, SQLModel, col
from sqlmodel import select as select_rows

from ledger import exceptions
from ledger.books.accounts import Account
from ledger.books.journal import Entry
from ledger.checks.findings import PAGE, Check, Fact, Finding, Tell, booked_here, paged
from ledger.exceptions import Difference, OpenException
from ledger.giving import donations, movements, payout_items, unread
from ledger.giving.bookings import Booking, State
from ledger.giving.cursors import PullCursor
from ledger.giving.donations import Donation
from ledger.giving.leaves import PROCESSOR
from ledger.giving.movements import ReceivedMovement
from ledger.giving.payouts import Payout
from ledger.giving.unread import UnreadMovement
from ledger.reconciliation import bank, chain, collectives, pairings, processor, statements
from ledger.reconciliation.pairings import LineUnbooked, PairingPart
from ledger.reconciliation.statements import Match, StatementLine

_LINES = SQLModel.metadata.tables["line"]
FACTS = ("bank", "stripe")
"""Namespaces of source keys that stand for a line of a statement, or for a movement."""


def find_movements(session: Session, tell: Tell) -> Iterator[Finding]:
    """Movements that neither an entry of the same net on their leaf answers nor an exception owns."""
    done = 0
    for page in _pages_of_movements(session):
        entries = _by_number(session, [booking.entry_id for _, booking in page if booking and booking.entry_id])
        waiting = {_source_key(one): one for one, booking in page if booking and booking.state is State.WAITING}
        owned = _owned(session, Difference.MOVEMENT_WAITS, list(waiting))
        for one, booking in page:
            if not _is_answered(one, booking, entries) and _source_key(one) not in owned:
                entry_id = booking.entry_id if booking else None
                facts: dict[str, Fact] = {"category": one.category, "entry": entry_id, "net_minor": one.net_minor}
                yield Finding("movements", "movement", one.balance_transaction, facts)
        done += len(page)
        tell(done, done)


def find_unread(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Movements in a currency that nobody knew, which are not kept as they were told, or wait untold."""
    left = {one.key for one in unread.listed(session)}
    rows = session.exec(select_rows(UnreadMovement).execution_options(populate_existing=True)).all()
    owned = _owned(session, Difference.UNKNOWN_CURRENCY, [one.told().source_key for one in rows])
    for row in rows:
        told, key = row.told(), (row.balance_transaction, row.gross_minor)
        kept = session.get(ReceivedMovement, key, populate_existing=True)
        same = kept is None or movements.as_movement(session, kept).net == told.movement().net
        if told.key != key or not same or (key in left and told.source_key not in owned):
            yield Finding("unread", "movement", row.balance_transaction, {"currency": told.currency})


def find_payouts(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Payouts whose entry moves another amount, and automatic ones that are not their transactions, untold."""
    for page in paged(session, Payout, Payout.id):
        booked = _booked(session, [one.source_key for one in page])
        differing = _owned(session, Difference.PAYOUT_DIFFERS, [one.source_key for one in page])
        for one in page:
            entry_id, _, moved = booked.get(one.source_key, (0, "", {}))
            facts: dict[str, Fact] = {"entry": entry_id, "minor": one.minor, "currency": one.currency}
            if moved.get((one.transit_code, one.currency)) != one.minor:
                yield Finding("payouts", "payout", one.id, facts)
            elif one.items_of is not None and one.source_key not in differing:
                paid_out = sum(payout_items.shares_of(session, one.items_of, leaf=one.account_code).values())
                if paid_out != one.minor:
                    yield Finding("payouts", "payout", one.id, facts | {"transactions_minor": paid_out})


def find_processor_differences(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Leaves of the processor that are not the sum of what moved there, untold."""
    leaves = select_rows(Account.code).where(Account.parent_code == PROCESSOR)
    for leaf in sorted(session.exec(leaves)):
        found = processor.reconcile(session, leaf)
        if found is None or not found.difference.minor:
            continue
        told = exceptions.is_open(session, Difference.BALANCE_DIFFERS, account=leaf, currency=found.currency, fund=None)
        if not told:
            facts: dict[str, Fact] = {"currency": found.currency, "difference_minor": found.difference.minor}
            yield Finding("processor", "account", leaf, facts)


def find_cursor_ahead(session: Session, _tell: Tell) -> Iterator[Finding]:
    """A place up to which was pulled that lies behind the newest movement kept: what moved before it is missed."""
    newest: date | None = session.exec(select_rows(func.max(ReceivedMovement.created_on))).one()
    for cursor in session.exec(select_rows(PullCursor)):
        day = datetime.fromtimestamp(cursor.second, UTC).date()
        if cursor.second and (newest is None or day > newest):
            yield Finding("pulled", "pull_cursor", cursor.source, {"day": str(day)})


def find_statement_lines(session: Session, tell: Tell) -> Iterator[Finding]:
    """Lines of the bank that neither an entry of the same amount answers nor an exception owns."""
    done = 0
    for page in paged(session, StatementLine, StatementLine.source_key):
        keys = [one.source_key for one in page]
        booked = _booked_as(session, keys)
        answers = select_rows(Match.source_key, Match.entry_id).where(col(Match.source_key).in_(keys))
        matches = dict(session.exec(answers).all())
        abouts = [f"{difference}:{key}" for difference in Difference for key in keys]
        owned = select_rows(OpenException.about).where(col(OpenException.about).in_(abouts))
        excepted = {about.partition(":")[2] for about in session.exec(owned)}
        paired = set(session.exec(pairings.standing_lines().where(col(PairingPart.source_key).in_(keys))))
        for one in page:
            if one.source_key in paired and one.source_key not in booked and one.source_key not in matches:
                if one.source_key not in excepted:  # it waited once, or nobody could have matched it
                    yield Finding("statement-lines", "statement_line", one.source_key)
                continue  # held against its pairing by the check of pairings
            entry_id, _, moved = booked.get(one.source_key, (0, "", {}))
            answered = entry_id != 0 and moved.get((one.account_code, one.currency)) == one.minor
            same = matches.get(one.source_key) in {None, entry_id}
            if not (same and (answered if one.source_key in matches else one.source_key in excepted)):
                yield Finding("statement-lines", "statement_line", one.source_key, {"entry": entry_id})
        done += len(page)
        tell(done, done)


def _booked_as(session: Session, keys: Sequence[str]) -> dict[str, tuple[int, str, dict[tuple[str, str], int]]]:
    """As `_booked`; of a line that was unbooked, the entry that it was booked as again."""
    booked = _booked(session, [*keys, *(key + pairings.AGAIN for key in keys)])
    unbooked = session.exec(select_rows(LineUnbooked).where(col(LineUnbooked.source_key).in_(keys)))
    for one in unbooked:
        if session.exec(select_rows(Entry.id).where(Entry.reverses_id == one.entry_id)).first() is not None:
            booked.pop(one.source_key, None)
    again = {key.removesuffix(pairings.AGAIN): entry for key, entry in booked.items() if key.endswith(pairings.AGAIN)}
    return booked | again


def _is_part(entries: FromClause) -> ColumnElement[bool]:
    """Whether an entry is a payment behind a line of several: a machine paired both, whether that was undone or not."""
    of_line, of_entry = (SQLModel.metadata.tables["pairing_part"].alias(name) for name in ("of_line", "of_entry"))
    pairing, lines = SQLModel.metadata.tables["pairing"], SQLModel.metadata.tables["statement_line"]
    return (
        select(pairing.c.alias)
        .where(
            of_entry.c.entry_id == entries.c.id,
            pairing.c.alias == of_entry.c.pairing_alias,
            pairing.c.automatic,
            of_line.c.pairing_alias == pairing.c.alias,
            of_line.c.source_key == lines.c.source_key,
            lines.c.parts.is_not(None),
            entries.c.source_key.contains(collectives.PART),
        )
        .exists()
    )


def find_facts_without_source(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Entries that say they answer a bank's line or a movement, and there is none."""
    entries = SQLModel.metadata.tables["entry"]
    answered = SQLModel.metadata.tables["movement_booking"]
    lines = SQLModel.metadata.tables["statement_line"]
    sources = {
        "stripe:": select(answered.c.entry_id).where(answered.c.entry_id == entries.c.id),
        "bank:": select(lines.c.source_key).where(
            or_(entries.c.source_key == lines.c.source_key, entries.c.source_key == lines.c.source_key + pairings.AGAIN)
        ),
    }
    for prefix, source in sources.items():
        query = select(entries.c.id).where(entries.c.source_key.startswith(prefix), ~source.exists())
        query = query.where(booked_here(session), ~_is_part(entries))
        for entry_id in session.connection().scalars(query):
            yield Finding("sources", "entry", str(entry_id), {"namespace": prefix})


def find_sub_ledger_sources(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Gifts and payouts whose entry does not stand."""
    entries = SQLModel.metadata.tables["entry"]
    for kind, model, key in (("donation", Donation, "alias"), ("payout", Payout, "id")):
        rows = SQLModel.metadata.tables[str(model.__tablename__)]
        query = select(rows.c[key]).where(
            ~select(entries.c.id).where(entries.c.source_key == rows.c.source_key).exists(),
            rows.c.state != donations.State.PENDING,
        )
        for name in session.connection().scalars(query):
            yield Finding("gift-entries", kind, name)


def find_statement_gaps(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Statements that do not open with what the one before closed with, and banks that say another balance."""
    owned = {one.about for one in exceptions.listed(session, open_only=False)}
    leaves = session.exec(select_rows(Account.code).where(Account.parent_code == statements.BANK))
    for leaf in sorted(leaves):
        for one in chain.find_breaks(session, leaf):
            if f"{one.difference}:{one.about}" not in owned:
                yield Finding("statements", "statement", one.after.alias, {"account": leaf, "before": one.before.alias})
        found = bank.reconcile(session, leaf)
        told = {f"{Difference.BALANCE_DIFFERS}:{one.alias}" for one in chain.of_account(session, leaf)}
        is_told = bool(told & owned) or found is None or not bank.unexplained(session, found)
        if found is not None and found.difference.minor and not is_told:
            facts: dict[str, Fact] = {
                "currency": found.currency,
                "difference_minor": found.difference.minor,
                "on": str(found.on),
            }
            yield Finding("statements", "account", leaf, facts)


def _pages_of_movements(session: Session) -> Iterator[list[tuple[ReceivedMovement, Booking | None]]]:
    """In the order of their two keys: a balance transaction may come with two amounts."""
    keys = (col(ReceivedMovement.balance_transaction), col(ReceivedMovement.gross_minor))
    same = and_(
        col(Booking.balance_transaction) == ReceivedMovement.balance_transaction,
        col(Booking.gross_minor) == ReceivedMovement.gross_minor,
    )
    query = select_rows(ReceivedMovement, Booking).join(Booking, same, isouter=True).order_by(*keys).limit(PAGE)
    query = query.execution_options(populate_existing=True)
    page = list(session.exec(query))
    while page:
        yield [(one, booking) for one, booking in page]
        last = page[-1][0]
        page = list(session.exec(query.where(tuple_(*keys) > (last.balance_transaction, last.gross_minor))))


def _is_answered(
    one: ReceivedMovement, booking: Booking | None, entries: Mapping[int, tuple[str, dict[tuple[str, str], int]]]
) -> bool:
    if booking is None or booking.state is State.WAITING:
        return False
    if booking.entry_id is None:
        return one.gross_minor == one.fee_minor == 0
    kind, moved = entries.get(booking.entry_id, ("", {}))
    return (kind, moved.get((booking.account_code or "", one.currency), 0)) == (booking.recipe, one.net_minor)


def _source_key(one: ReceivedMovement) -> str:
    return f"stripe:{one.balance_transaction}:{one.gross_minor}"


def _owned(session: Session, difference: Difference, keys: Sequence[str]) -> set[str]:
    """Which of these keys an exception of this kind is about."""
    query = select_rows(OpenException.about).where(
        col(OpenException.about).in_([f"{difference}:{key}" for key in keys])
    )
    return {about.partition(":")[2] for about in session.exec(query)}


def _by_number(session: Session, ids: Sequence[int]) -> dict[int, tuple[str, dict[tuple[str, str], int]]]:
    """By number: kind of the entry, and what it moves on each account in each currency."""
    keys = session.exec(select_rows(Entry.source_key).where(col(Entry.id).in_(ids))).all()
    return {entry_id: (kind, moved) for entry_id, kind, moved in _booked(session, keys).values()}


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
    Check(
        "movements", "every movement of the processor is booked once, as it is, or has its exception", find_movements
    ),
    Check("unread", "what came in a currency that nobody knows is kept as told, and has its exception", find_unread),
    Check(
        "payouts", "every payout is what left for the bank, and what it pays out, or an exception tells", find_payouts
    ),
    Check("processor", "each leaf of the processor is the sum of what moved there", find_processor_differences),
    Check("pulled", "no movement of the processor is passed over by the next pull", find_cursor_ahead),
    Check("statement-lines", "every line of the bank has its entry or its exception", find_statement_lines),
    Check(
        "statements",
        "statements follow each other and agree with the books, or an exception tells",
        find_statement_gaps,
    ),
)
