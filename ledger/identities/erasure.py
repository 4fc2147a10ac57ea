"""Erasure: a person's one wrapped key is deleted, and nobody opens their boxes again. The books stay as they are.

Two people: one asks, another agrees. What a backup still holds is past after `BACKUPS_LIVE_DAYS`; until then, and until
the residue in files is cleared, an erasure is pending.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, func
from sqlmodel import Field, Session, SQLModel, col, select

from ledger import approvals
from ledger.approvals import Agreed
from ledger.errors import Conflict, NotFound
from ledger.identities.boxes import length_prefixed
from ledger.identities.erasure_list import Erased, ErasureList, Reason
from ledger.identities.shelves import PersonKey, Shelf, Token, UnknownShelf, VaultWrap
from ledger.storage.columns import UtcDateTime, enumeration
from ledger.storage.locks import locked

BACKUPS_LIVE_DAYS = 30
"""How long a backup of the keyring, and an archive of the write-ahead log, may hold what was deleted."""
KEYRING = ("person_key", "vault_wrap", "shred_key_copy", "token")
"""The tables whose rows never go into a backup of the books: keys, and what was reckoned from names."""

_SHREDDING_KIB = 400_000
"""Memory for the pages of some 250,000 people's keys; it is taken only as far as it is needed."""
_AT_ONCE = 1000  # both databases bound how many values one statement names


class State(StrEnum):
    """Where an erasure stands."""

    REQUESTED = "requested"
    PENDING = "pending"
    ERASED = "erased"


class UnknownErasure(NotFound):
    """Nobody has asked for this erasure."""

    rule = "unknown_erasure"


class ErasureStands(Conflict):
    """The erasure was asked for, or carried out, before."""

    rule = "erasure_stands"


class Erasure(SQLModel, table=True):
    """One erasure. `cleared_at`: since when neither file nor write-ahead log of the live database holds the key."""

    shelf_alias: str = Field(primary_key=True, foreign_key="shelf.alias", max_length=20)
    reason: Reason = Field(sa_type=enumeration(Reason))
    requested_by: str = Field(max_length=20)
    requested_at: datetime = Field(sa_type=UtcDateTime)
    agreed_by: str | None = Field(default=None, max_length=20)
    erased_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    cleared_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an erasure stands on a day; `until` is when the last backup that holds the key has expired."""

    state: State
    until: date | None


def request(session: Session, shelf: str, *, reason: Reason, agreed: Agreed) -> Erasure:
    """Somebody asks that a person be erased; nothing is deleted yet.

    Raises:
        UnknownShelf: there is none. ErasureStands: it was asked for before. What `approvals.accept` raises.
    """
    if session.get(Shelf, shelf) is None:
        raise UnknownShelf("no shelf has this alias")
    if session.get(Erasure, shelf) is not None:
        raise ErasureStands("the erasure was asked for before")
    with session.begin_nested():
        _accept(session, agreed, "request_erasure", shelf, reason)
        erasure = Erasure(shelf_alias=shelf, reason=reason, requested_by=agreed.signer.alias, requested_at=agreed.now)
        session.add(erasure)
    return erasure


def carry_out(
    session: Session, shelf: str, *, agreed: Agreed, listed: ErasureList, things: Sequence[str] = ()
) -> Erasure:
    """Another person agrees, and the key of every epoch is deleted, with the tokens of these `things` (their cases).

    The line of the list comes before the caller's commit: a key that a crash leaves standing is deleted by agreeing
    again, a missing line would let a backup bring the person back.

    Raises:
        UnknownErasure: nobody asked. ErasureStands: it was carried out. SamePerson: who asked cannot agree.
        What `approvals.accept` raises.
    """
    erasure = session.exec(locked(select(Erasure).where(Erasure.shelf_alias == shelf))).one_or_none()
    if erasure is None:
        raise UnknownErasure("nobody has asked for this erasure")
    if erasure.erased_at is not None:
        raise ErasureStands("the erasure was carried out before")
    approvals.require_other(agreed.signer.alias, than={erasure.requested_by})
    with session.begin_nested():
        _accept(session, agreed, "agree_erasure", shelf, erasure.reason)
        _delete_keys(session, [shelf], things=things)
        erasure.agreed_by = agreed.signer.alias
        erasure.erased_at = agreed.now
        session.add(erasure)
    listed.append(Erased(shelf, agreed.now, erasure.reason, erasure.requested_by, agreed.signer.alias))
    return erasure


def apply_again(session: Session, erased: Iterable[Erased], *, things: Sequence[str] = ()) -> int:
    """After a restore: whoever the list names is erased here too; how many erasures the books did not know.

    Whose shelf the books do not know was taken in after the backup, and is not there to be erased.
    """
    known = {shelf.alias for shelf in session.exec(select(Shelf))}
    names = {one.shelf: one for one in erased if one.shelf in known}
    _delete_keys(session, list(names), things=things)
    added = 0
    for alias, one in names.items():
        standing = session.get(Erasure, alias)
        if standing is not None and standing.erased_at is not None:
            standing.cleared_at = None  # the restore may have written the key into a file
            continue
        row = standing or Erasure(
            shelf_alias=alias, reason=one.reason, requested_by=one.requested_by, requested_at=one.at
        )
        row.agreed_by, row.erased_at = one.agreed_by, one.at
        session.add(row)
        added += 1
    session.flush()
    return added


def delete_all_keys(session: Session) -> int:
    """The shredding: every person's key, every vault's wraps, recovery's copies; how many persons' keys there were.

    The copies by name: their module stands above, as it enrols rosters.
    """
    session.flush()
    deleted = session.exec(select(func.count()).select_from(PersonKey)).one()
    connection = session.connection()
    if connection.dialect.name == "postgresql":  # leaves no dead rows behind
        connection.exec_driver_sql("TRUNCATE person_key, vault_wrap, shred_key_copy")
    else:
        # Every page is overwritten with zeros; with the few that are kept in memory by default each is written out and
        # read in again while the others are, which takes longer than the rest.
        connection.exec_driver_sql(f"PRAGMA cache_size = -{_SHREDDING_KIB}")
        connection.execute(delete(PersonKey))
        connection.execute(delete(VaultWrap))
        connection.exec_driver_sql("DELETE FROM shred_key_copy")
    session.expire_all()
    return deleted


def require_none(session: Session, shelf: str) -> None:
    """Refuses what concerns somebody whose erasure was asked for, or whom nobody can identify any more.

    Raises:
        ErasureStands, UnknownShelf: see there.
    """
    if session.get(Erasure, shelf) is not None:
        raise ErasureStands("the erasure was asked for before", shelf=shelf)
    if session.exec(select(PersonKey.alias).where(PersonKey.alias == shelf)).first() is None:
        raise UnknownShelf("no shelf has this alias")


def asked_for(session: Session, shelves: Collection[str]) -> set[str]:
    """Those of these shelves whose erasure somebody has asked for, carried out or not."""
    return set(session.exec(select(Erasure.shelf_alias).where(col(Erasure.shelf_alias).in_(shelves))))


def mark_cleared(session: Session, *, at: datetime) -> int:
    """Notes that no file of the live database holds a deleted key any more; how many erasures waited for that."""
    waiting = session.exec(
        select(Erasure).where(col(Erasure.erased_at).is_not(None), col(Erasure.cleared_at).is_(None))
    ).all()
    for erasure in waiting:
        erasure.cleared_at = at
        session.add(erasure)
    session.flush()
    return len(waiting)


def standing(erasure: Erasure, *, on: date) -> Standing:
    """Where an erasure stands: `pending` until backups have expired and the residue is cleared, then `erased`."""
    if erasure.erased_at is None:
        return Standing(State.REQUESTED, None)
    until = erasure.erased_at.date() + timedelta(days=BACKUPS_LIVE_DAYS)
    is_past = erasure.cleared_at is not None and on > until
    return Standing(State.ERASED if is_past else State.PENDING, until)


def page(session: Session, *, after: str, limit: int) -> list[Erasure]:
    """Up to `limit` erasures in the order of their aliases, after the alias `after`."""
    query = select(Erasure).where(Erasure.shelf_alias > after).order_by(Erasure.shelf_alias).limit(limit)
    return list(session.exec(query))


def commitment(shelf: str, reason: Reason) -> str:
    """What an act on an erasure commits to, so that nobody agrees to another reason than they read: SHA-256 as hex."""
    return hashlib.sha256(length_prefixed("SL1 erasure", shelf, reason)).hexdigest()


def _accept(session: Session, agreed: Agreed, verb: approvals.Verb, shelf: str, reason: Reason) -> None:
    approvals.accept(
        session,
        agreed,
        verb=verb,
        object_alias=shelf,
        version=1,
        evidence_commitments=[commitment(shelf, reason)],
    )


def _delete_keys(session: Session, shelves: Sequence[str], *, things: Sequence[str]) -> None:
    session.flush()
    connection = session.connection()
    for batch in _batches(shelves):
        connection.execute(delete(PersonKey).where(col(PersonKey.alias).in_(batch)))
    for batch in _batches([*shelves, *things]):
        connection.execute(delete(Token).where(col(Token.alias).in_(batch)))
    session.expire_all()


def _batches(aliases: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(aliases), _AT_ONCE):
        yield aliases[start : start + _AT_ONCE]
