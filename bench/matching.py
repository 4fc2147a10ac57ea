"""How long it takes to match 10,000 lines of a bank with 10,000 open entries, on both databases, also when it is hard.

Alone: each amount is the only one of its kind. Alike: half of the amounts are 20 that come again and again within the
days that may lie between, so that each line may be many entries, and none is matched by a machine. In parts: half of
the lines are two entries each, so that sums are sought, up to `proposals.MOST_TRIED` of them. In time of the processor.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import partial

from sqlalchemy import Engine

from bench.databases import DAY, NOW, RECORDER, Books, processor_clock
from bench.rows import Row, seconds
from ledger.books import accounts, bulk
from ledger.books.entries import NewEntry
from ledger.books.postings import credit, debit
from ledger.money import Money
from ledger.reconciliation import bank, matchings
from ledger.reconciliation.statements import Statement, StatementLine
from ledger.storage.engine import transaction

_AT_MOST_SECONDS = 5.0
_NEXT_DAY = timedelta(days=1)
_SPAN = 20
"""Over how many days what is alike is spread: twice the days that may lie between a line and an entry."""
Fee = tuple[int, date]
"""Minor units that left, and when."""


def rows(books: Books, *, quick: bool) -> Iterator[Row]:
    """Each case on a leaf of its own; what an earlier case left open is proposed again beside it."""
    many = 500 if quick else 10_000
    for name, engine in books.empty.items():
        for case, lines, entries in (
            ("each alone", _alone(many), _alone(many)),
            ("half alike", _half_alike(many), _half_alike(many)),
            ("half in parts", *_half_in_parts(many)),
        ):
            leaf = f"1000:eur-{case.replace(' ', '-')}"
            _fill(engine, leaf, [(minor, on + _NEXT_DAY) for minor, on in lines], entries)
            with transaction(engine) as session:
                match = partial(matchings.match_unique, session, at=NOW)
                spent = seconds(match, clock=processor_clock(session))
            yield Row(f"{many:,} lines matched, {case}, {name}", None, spent, "s", at_most=_AT_MOST_SECONDS)
        with transaction(engine, write=False) as session:
            reconcile = partial(bank.reconcile, session, "1000:eur-half-alike")
            spent = seconds(reconcile, repeats=3, clock=processor_clock(session))
        yield Row(f"a leaf with {many:,} such lines reconciled, {name}", None, spent, "s", at_most=1.0)


def _alone(many: int) -> list[Fee]:
    return [(100 + nth, DAY) for nth in range(many)]


def _half_alike(many: int) -> list[Fee]:
    alike = [(100 * (1 + nth % 20), DAY + timedelta(days=nth * 7 % _SPAN)) for nth in range(many // 2)]
    return [*alike, *((10_000 + nth, DAY) for nth in range(many - len(alike)))]


def _half_in_parts(many: int) -> tuple[list[Fee], list[Fee]]:
    """As many lines as entries: a half of the lines are two entries each, and as many entries are nobody's."""
    halves = [(20_000 + 4 * nth, 30_001 + 4 * nth, DAY + timedelta(days=nth % _SPAN)) for nth in range(many // 2)]
    parts = [(part, on) for first, second, on in halves for part in (first, second)]
    alone = [(100_000 + 2 * nth, DAY) for nth in range(many - len(halves))]
    return [*((first + second, on) for first, second, on in halves), *alone], [*parts, *alone[: many - len(parts)]]


def _fill(engine: Engine, leaf: str, lines: Sequence[Fee], entries: Sequence[Fee]) -> None:
    """Fees that were booked by hand, and the bank's lines."""
    with transaction(engine) as session:
        accounts.add_leaf(session, leaf, name="Current account", currency="EUR")
        booked = [
            NewEntry(f"bench:{leaf}:{nth}", "manual", [debit("6020", fee, "general"), credit(leaf, fee, "general")], on)
            for nth, (minor, on) in enumerate(entries)
            for fee in [Money(minor, "EUR")]
        ]
        bulk.post_many(session, booked, recorded_at=NOW, recorded_by=RECORDER)
        statement = Statement(
            alias=f"S-{leaf[-14:].upper()}",
            account_code=leaf,
            currency="EUR",
            opened_on=DAY,
            closed_on=DAY + timedelta(days=_SPAN),
            closing_minor=0,
            content_token=leaf.encode().hex().ljust(64, "0")[:64],
            received_at=NOW,
            received_by=RECORDER,
        )
        session.add(statement)
        session.flush()
        session.add_all(
            StatementLine(
                source_key=f"bank:{leaf}:{on}:{-minor}:{nth}",
                statement_alias=statement.alias,
                account_code=leaf,
                booked_on=on,
                minor=-minor,
                currency="EUR",
                reversal=False,
            )
            for nth, (minor, on) in enumerate(lines)
        )
