"""Checks of the treasury: what was decided about the fund's own money is booked as decided, and nothing else is."""

from collections.abc import Iterator

from sqlalchemy import func, select
from sqlmodel import Session, SQLModel, col
from sqlmodel import select as select_rows

from ledger.books import journal, recipes
from ledger.books.funds import Fund
from ledger.books.journal import Entry
from ledger.checks.findings import Check, Fact, Finding, Tell, booked_here, paged
from ledger.giving.donations import Donation
from ledger.treasury import conversions, transfers
from ledger.treasury.conversion_sides import arrived_postings, left_postings
from ledger.treasury.conversions import Conversion
from ledger.treasury.transfers import Transfer

_ENTRIES = SQLModel.metadata.tables[str(Entry.__tablename__)]


def find_transfers(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Transfers that are booked otherwise than decided, or not, or before they were; entries without a transfer."""
    for page in paged(session, Transfer, Transfer.alias):
        keys = {transfers.source_key_of(one.alias): one for one in page}
        rows = select_rows(Entry).where(col(Entry.source_key).in_(keys))
        entries = {entry.source_key: entry for entry in session.exec(rows)}
        for key, one in keys.items():
            entry = entries.get(key)
            if (one.state is transfers.State.BOOKED) != (entry is not None):
                yield Finding("transfers", "transfer", one.alias, {"state": one.state})
            elif entry is not None:
                decided = recipes.moved_between_funds(
                    leaf=one.account_code, amount=one.amount(), giver=one.giver_code, taker=one.taker_code
                )
                same = journal.postings_of(session, entry.id) == decided
                if not same or (entry.kind, entry.happened_on) != (transfers.KIND, one.booked_on):
                    yield Finding("transfers", "transfer", one.alias, {"entry": entry.id})
    rows_of = SQLModel.metadata.tables[str(Transfer.__tablename__)]
    alone = select(_ENTRIES.c.id).where(
        _ENTRIES.c.source_key.startswith("transfer:"),
        ~select(rows_of.c.alias).where(_ENTRIES.c.source_key == "transfer:" + rows_of.c.alias).exists(),
        booked_here(session),
    )
    for entry_id in session.connection().scalars(alone):
        yield Finding("transfers", "entry", str(entry_id))


def find_without_consent(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Transfers out of restricted funds without a gift, or of more than was given to the fund."""
    query = (
        select_rows(Transfer)
        .join(Fund, col(Fund.code) == Transfer.giver_code)
        .where(Transfer.state == transfers.State.BOOKED, col(Fund.restricted), col(Transfer.consent_alias).is_(None))
    )
    for one in session.exec(query):
        yield Finding("consents", "transfer", one.alias, {"fund": one.giver_code})
    moved = (
        select_rows(Transfer.consent_alias, Transfer.giver_code, Transfer.currency, func.sum(Transfer.minor))
        .where(Transfer.state == transfers.State.BOOKED, col(Transfer.consent_alias).is_not(None))
        .group_by(col(Transfer.consent_alias), col(Transfer.giver_code), col(Transfer.currency))
    )
    for alias, fund, currency, minor in session.exec(moved).all():
        gift = session.get_one(Donation, alias, populate_existing=True)
        if (gift.fund_code, gift.currency) != (fund, currency) or minor > gift.minor:
            facts: dict[str, Fact] = {"fund": fund, "currency": currency, "moved_minor": int(minor)}
            yield Finding("consents", "donation", gift.alias, facts | {"given_minor": gift.minor})


def find_conversions(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Conversions whose shares are not their sum, or whose sides are booked otherwise than the bank was told."""
    for page in paged(session, Conversion, Conversion.alias):
        keys = [key for one in page for key in (one.left_key, one.arrived_key) if key is not None]
        rows = select_rows(Entry.source_key, Entry.id).where(col(Entry.source_key).in_(keys))
        entries = dict(session.exec(rows).all())
        for one in page:
            shared = sum(share.minor for share in conversions.shares_of(session, one).values())
            if shared != one.minor:
                yield Finding("conversions", "conversion", one.alias, {"minor": one.minor, "shares_minor": shared})
                continue
            sides = (("left", one.left_key, left_postings), ("arrived", one.arrived_key, arrived_postings))
            for side, key, postings in sides:
                if key is None:
                    continue
                entry_id = entries.get(key, 0)
                if not entry_id or journal.postings_of(session, entry_id) != postings(session, one):
                    yield Finding("conversions", "conversion", one.alias, {"side": side, "entry": entry_id})


CHECKS = (
    Check("conversions", "each side of a conversion is booked as the bank was told and has shown it", find_conversions),
    Check("transfers", "every transfer is booked once, as two people signed it, and no other is", find_transfers),
    Check("consents", "out of a restricted fund only gifts moved whose givers agreed, each once", find_without_consent),
)
