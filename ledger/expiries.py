"""Expiries: what of the roster and of its people's bearer keys ends soon, or has ended and nothing took its place."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlmodel import Session

from ledger import bearer_keys, people
from ledger.bearer_keys import BearerKey
from ledger.people import OFFICERS_TO_AMEND, Operator, UnknownOperator

TOLD_BEFORE = timedelta(days=30)
"""How long before its last day it is told: two officers have to meet, and a key is drawn on its owner's device."""


@dataclass(frozen=True, slots=True)
class Expiries:
    """Last days, the earliest first: of entries in the roster, and of bearer keys."""

    entries: tuple[date, ...] = ()
    keys: tuple[date, ...] = ()
    officers: tuple[date, ...] = ()
    """Of the officers' entries, when too few officers outlast the term to sign another roster; else nothing."""

    def days(self) -> list[date]:
        """Of entries and keys together, the earliest first."""
        return sorted([*self.entries, *self.keys])

    def amended_until(self) -> date | None:
        """The last day on which two officers can sign the next roster; None when that is farther off."""
        return self.officers[-OFFICERS_TO_AMEND] if self.officers else None


def find(session: Session, *, on: date) -> Expiries:
    """What ends within `TOLD_BEFORE` of a day, or has ended; nothing while the book has no roster.

    An entry is put right by the next roster, which extends or drops it. A key is put right when it is revoked, when
    later keys of its operator carry its roles, or when the roster does not give these any more.
    """
    try:
        roster = people.current(session)
    except UnknownOperator:
        return Expiries()
    term = on + TOLD_BEFORE
    officers = sorted(one.expires_on for one in roster.operators if one.officer)
    lasting = sum(day > term for day in officers)
    members = {one.alias: one for one in roster.operators if on <= one.expires_on}
    standing = [key for key in bearer_keys.listed(session) if key.revoked_at is None and key.operator in members]
    return Expiries(
        entries=tuple(sorted(one.expires_on for one in roster.operators if one.expires_on <= term)),
        keys=tuple(sorted(_unreplaced(members, standing, by=term))),
        officers=tuple(officers) if lasting < OFFICERS_TO_AMEND else (),
    )


def _unreplaced(members: dict[str, Operator], keys: Sequence[BearerKey], *, by: date) -> list[date]:
    """The last days of keys that end by a day, and whose roles no later keys of their operator carry."""
    carried = {key.alias: {*key.roles.split(",")} & {*members[key.operator].roles} for key in keys}
    ending: list[date] = []
    for key in keys:
        later = (one for one in keys if one.operator == key.operator and one.expires_on > key.expires_on)
        replaced = {role for one in later for role in carried[one.alias]}
        if key.expires_on <= by and not carried[key.alias] <= replaced:
            ending.append(key.expires_on)
    return ending
