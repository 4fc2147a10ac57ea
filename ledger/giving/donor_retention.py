"""Retention of donors' identities: proposed for erasure once no receipt asks for them any more. The books stay.

All aliases of one donor have one day: the last that any of them gives a reason for. They are erased by the same two
signatures as everybody.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources

from sqlmodel import Session, col, select

from ledger.books.periods import months_later
from ledger.giving import donors
from ledger.giving.donations import Donation
from ledger.giving.donors import Donor
from ledger.giving.receipts import Receipt
from ledger.identities.erasure import Erasure
from ledger.identities.shelves import PersonKey

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Months:
    """How long identities are kept after the newest receipt's year, and after the last gift; and vouchers of gifts."""

    receipt_months: int
    donor_months: int
    voucher_months: int


def due(session: Session, *, on: date, after: str, limit: int) -> list[tuple[str, date]]:
    """Up to `limit` donors' shelves that need not be kept on the day `on`, by alias, after `after`; and since when."""
    found: list[tuple[str, date]] = []
    while len(found) < limit:
        query = select(Donor.alias).where(
            Donor.alias > after,
            col(Donor.alias).in_(select(PersonKey.alias)),
            col(Donor.alias).not_in(select(Erasure.shelf_alias)),
        )
        page = session.exec(query.order_by(Donor.alias).limit(_AT_ONCE)).all()
        if not page:
            break
        after = page[-1]
        until = kept_until(session, page)
        found += [(alias, until[alias]) for alias in page if until[alias] <= on]
    return found[:limit]


def kept_until(session: Session, aliases: Sequence[str]) -> dict[str, date]:
    """The first day on which each of these donors' identities is due; of aliases that no donor has, nothing."""
    months, known = policy(), donors.roots(session)
    family = {known.get(alias, alias) for alias in aliases}
    members = {
        alias: known.get(alias, alias) for alias in {*aliases, *family, *(a for a, r in known.items() if r in family)}
    }
    last: dict[str, date] = {}

    def keep(root: str, until: date) -> None:
        last[root] = max(until, last.get(root, until))

    for donor in session.exec(select(Donor).where(col(Donor.alias).in_(members))):
        keep(members[donor.alias], months_later(donor.recorded_at.date(), months.donor_months))
    ever = donors.ever_linked(members)
    gifts = {gift: root for gift, root in donors.owners(session, ever).items() if root in family}
    for gift in session.exec(select(Donation).where(col(Donation.alias).in_(ever))):
        if gift.alias in gifts:
            keep(gifts[gift.alias], months_later(gift.received_on, months.donor_months))
    for receipt in session.exec(select(Receipt).where(col(Receipt.donor_alias).in_(members))):
        keep(members[receipt.donor_alias], months_later(date(receipt.year, 12, 31), months.receipt_months))
    return {alias: last[members[alias]] for alias in aliases if members[alias] in last}


@cache
def policy() -> Months:
    """The fund's policy, from `retention.toml` beside this module."""
    read = tomllib.loads(resources.files("ledger.giving").joinpath("retention.toml").read_text("utf-8"))
    return Months(**read)
