"""Matching: open lines of the bank with entries that stand already, or with each other; and its undoing.

Nothing is booked by it: sums of lines and of entries are the same. A machine matches what is exact and unique, the rest
a treasurer, with a signed act. What was undone stays to be read, and its lines wait again.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import rfc8785
from sqlalchemy import func
from sqlalchemy import select as select_core
from sqlmodel import Session, SQLModel, col, select

from ledger import approvals, exceptions
from ledger.aliases import AliasTaken, Kind, check, draw
from ledger.approvals import Agreed
from ledger.books.accounts import Account
from ledger.errors import BadInput, NotFound
from ledger.exceptions import OpenException
from ledger.money import Money
from ledger.reconciliation import open_entries, pairings, proposals, statements, transit
from ledger.reconciliation.pairings import MACHINE, Pairing, PairingPart, PairingUndone, Undone
from ledger.reconciliation.proposals import Item, Proposal
from ledger.reconciliation.statements import BANK, StatementLine

_LINES = SQLModel.metadata.tables["line"]
FEWEST_OF_ONE, MOST_OF_ONE = 2, 50
"""How many lines and entries one pairing has."""


class BadMatch(BadInput):
    """Lines and entries that are not the same; `where` tells the part."""

    rule = "bad_match"


class UnknownPairing(NotFound):
    """No pairing with this alias stands."""

    rule = "unknown_pairing"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPairing:
    """Which lines, by their keys, are which entries, by their numbers."""

    alias: str
    lines: tuple[str, ...]
    entries: tuple[int, ...]


def propose(session: Session, account: str) -> list[Proposal]:
    """Proposals for the open lines of a leaf, the best first; what has a reference of ours is answered otherwise."""
    lines = [
        Item(one.source_key, one.minor, one.booked_on, reversal=one.reversal, trace=one.trace)
        for one in statements.unmatched(session, account)
        if one.reference is None
    ]
    return proposals.propose(lines, open_entries.find(session, account)) if lines else []


def match(session: Session, new: NewPairing, agreed: Agreed) -> Pairing:
    """Says which lines are which entries; the exceptions of the lines are closed by it.

    Raises:
        BadMatch: no line, too many, of several leaves, an entry that does not stand or is another line's, or the sums
            differ; without an entry two lines or more cancel each other. Or a line has a reference of ours: it is
            answered by two people, so that nobody hides what left unreleased.
        UnknownLine, AliasTaken: see there. And what `approvals.accept` raises. Nothing was written.
    """
    check(new.alias, Kind.PAIRING)
    if session.get(Pairing, new.alias) is not None:
        raise AliasTaken("the alias is taken")
    lines = _require_same(session, new)
    score = next((one.score for one in propose(session, lines[0].account_code) if _is_that(one, new)), 0)
    with session.begin_nested():  # act and effect, or neither
        approvals.accept(
            session,
            agreed,
            verb="match_lines",
            object_alias=new.alias,
            version=1,
            amount=came_and_went(lines),
            payee_commitment=commitment(lines=new.lines, entries=new.entries),
        )
        return _keep(session, new, lines, score=score, by=agreed.signer.alias, at=agreed.now)


def match_unique(session: Session, *, at: datetime) -> int:
    """Matches on every leaf what is exact and unique; gives how many lines.

    A line whose entry was reversed since is that entry no more: its exception waits again, unless it is something else.
    """
    session.exec(statements.locked_bank()).one()
    _reopen_fallen(session)
    leaves = session.exec(select(Account.code).where(Account.parent_code == BANK)).all()
    return sum(_match_unique(session, leaf, at=at) for leaf in sorted(leaves))


def _reopen_fallen(session: Session) -> None:
    fallen = pairings.fallen_lines()
    waiting = select(StatementLine.source_key).where(
        col(StatementLine.source_key).in_(fallen), *statements.unanswered()
    )
    for opened in _exceptions_of(session, "", session.exec(waiting).all(), ()):
        if opened.resolved_on is not None:
            exceptions.reopen(session, opened)


def _match_unique(session: Session, leaf: str, *, at: datetime) -> int:
    """All of a leaf at once: ten thousand lines ask no more of the database than one does."""
    chosen = [one for one in propose(session, leaf) if one.is_automatic]
    waiting = _waiting_by_line(session, leaf) if chosen else {}
    made, parts = [], []
    for one in chosen:
        alias, (line,), (entry,) = draw(Kind.PAIRING), one.lines, one.entries
        made.append({"alias": alias, "score": one.score})
        parts.append({"pairing_alias": alias, "number": 1, "source_key": line, "entry_id": None})
        parts.append({"pairing_alias": alias, "number": 2, "source_key": None, "entry_id": int(entry)})
        for opened in (*waiting.get(line, []), *waiting.get(transit.about(leaf, int(entry)), [])):
            opened.resolved_on = at.date()
            session.add(opened)
    session.flush()
    if chosen:
        same = {"account_code": leaf, "automatic": True, "paired_by": MACHINE, "paired_at": at}
        tables = SQLModel.metadata.tables
        session.connection().execute(tables["pairing"].insert(), [one | same for one in made])
        session.connection().execute(tables["pairing_part"].insert(), parts)
    return len(chosen)


def unmatch(session: Session, alias: str, *, because: Undone, agreed: Agreed) -> PairingUndone:
    """Undoes a pairing: its lines wait again, with their exceptions.

    Raises:
        UnknownPairing: see there. And what `approvals.accept` raises. Nothing was written.
    """
    pairing = session.get(Pairing, alias)
    if pairing is None or session.get(PairingUndone, alias) is not None:
        raise UnknownPairing("no pairing with this alias stands")
    parts = parts_of(session, alias)
    if not is_standing(session, alias):
        raise UnknownPairing("an entry of this pairing is reversed: it does not stand")
    keys = tuple(one.source_key for one in parts if one.source_key is not None)
    entries = tuple(one.entry_id for one in parts if one.entry_id is not None)
    lines = [session.get_one(StatementLine, key) for key in keys]
    with session.begin_nested():
        approvals.accept(
            session,
            agreed,
            verb="unmatch_lines",
            object_alias=alias,
            version=1,
            detail=because.value,
            amount=came_and_went(lines),
            payee_commitment=commitment(lines=keys, entries=entries),
        )
        undone = PairingUndone(
            pairing_alias=alias, because=because, undone_by=agreed.signer.alias, undone_at=agreed.now
        )
        session.add(undone)
        for opened in _exceptions_of(session, pairing.account_code, keys, entries):
            exceptions.reopen(session, opened)
        session.flush()
    return undone


def is_standing(session: Session, alias: str) -> bool:
    """Whether nobody has undone a pairing, and no entry of it is reversed."""
    return (
        session.exec(select(PairingPart).where(PairingPart.pairing_alias == alias, pairings.stands())).first()
        is not None
    )


def parts_of(session: Session, alias: str) -> Sequence[PairingPart]:
    """The lines and entries of a pairing."""
    return session.exec(
        select(PairingPart).where(PairingPart.pairing_alias == alias).order_by(col(PairingPart.number))
    ).all()


def listed(session: Session) -> list[tuple[Pairing, PairingUndone | None]]:
    """All pairings, the oldest first, and what was undone."""
    query = select(Pairing, PairingUndone).join(
        PairingUndone, col(PairingUndone.pairing_alias) == Pairing.alias, isouter=True
    )
    return [(one, undone) for one, undone in session.exec(query.order_by(col(Pairing.paired_at), col(Pairing.alias)))]


def commitment(*, lines: Sequence[str], entries: Sequence[int]) -> str:
    """What an act restates as payee: SHA-256 over the canonical JSON of the lines' keys and the entries' numbers."""
    return hashlib.sha256(rfc8785.dumps(["pairing", sorted(lines), sorted(entries)])).hexdigest()


def accounts_of(session: Session, entries: Collection[int]) -> dict[int, list[str]]:
    """The accounts that each of these entries moves, in the order of their codes."""
    query = select_core(_LINES.c.entry_id, _LINES.c.account_code).where(_LINES.c.entry_id.in_(entries)).distinct()
    found: dict[int, list[str]] = {}
    for entry, code in sorted((int(entry), str(code)) for entry, code in session.connection().execute(query)):
        found.setdefault(entry, []).append(code)
    return found


def moved(session: Session, entries: Sequence[int], *, account: str) -> int:
    """What entries move on a leaf, in minor units."""
    query = select(func.coalesce(func.sum(_LINES.c.minor), 0)).where(
        _LINES.c.entry_id.in_(entries), _LINES.c.account_code == account
    )
    return int(session.exec(query).one())


def _require_same(session: Session, new: NewPairing) -> list[StatementLine]:
    """The lines, locked, when they and the entries are open and of one sum on one leaf."""
    if not new.lines or not FEWEST_OF_ONE <= len(new.lines) + len(new.entries) <= MOST_OF_ONE:
        raise BadMatch("a line, and something that it is", where="lines")
    if len(set(new.lines)) < len(new.lines) or len(set(new.entries)) < len(new.entries):
        raise BadMatch("a line or an entry stands there twice", where="lines")
    session.exec(statements.locked_bank()).one()
    lines = [statements.require_waiting(session, key) for key in sorted(new.lines)]
    leaf = lines[0].account_code
    if any(one.account_code != leaf for one in lines):
        raise BadMatch("lines of several leaves", where="lines")
    if any(one.reference is not None for one in lines):
        raise BadMatch("a line with a reference of ours is answered", where="lines")
    if not set(new.entries) <= {int(one.key) for one in open_entries.find(session, leaf)}:
        raise BadMatch("an entry that does not stand, or is another line's, or not of the leaf", where="entries")
    if sum(one.minor for one in lines) != moved(session, new.entries, account=leaf):
        raise BadMatch("the sums differ", where="entries")
    return lines


def _keep(
    session: Session,
    new: NewPairing,
    lines: Sequence[StatementLine],
    *,
    score: int,
    by: str,
    at: datetime,
) -> Pairing:
    made = Pairing(
        alias=new.alias,
        account_code=lines[0].account_code,
        score=score,
        automatic=False,
        paired_by=by,
        paired_at=at,
    )
    session.add(made)
    session.flush()
    parts = [PairingPart(pairing_alias=new.alias, number=0, source_key=key) for key in sorted(new.lines)]
    parts += [PairingPart(pairing_alias=new.alias, number=0, entry_id=entry) for entry in sorted(new.entries)]
    for number, part in enumerate(parts, start=1):
        part.number = number
    session.add_all(parts)
    for opened in _exceptions_of(session, made.account_code, new.lines, new.entries):
        if opened.resolved_on is None:
            exceptions.resolve(session, opened, on=at.date())
    session.flush()
    return made


def _waiting_by_line(session: Session, leaf: str) -> dict[str, list[OpenException]]:
    """The exceptions of a leaf that wait, by what they are about."""
    found: dict[str, list[OpenException]] = {}
    for opened in exceptions.listed(session):
        if opened.account_code == leaf:
            found.setdefault(opened.about.partition(":")[2], []).append(opened)
    return found


def _exceptions_of(session: Session, account: str, keys: Sequence[str], entries: Sequence[int]) -> list[OpenException]:
    told = [*keys, *(transit.about(account, entry) for entry in entries)]
    abouts = [f"{difference}:{key}" for difference in exceptions.Difference for key in told]
    return list(session.exec(select(OpenException).where(col(OpenException.about).in_(abouts))))


def _is_that(one: Proposal, new: NewPairing) -> bool:
    return set(one.lines) == set(new.lines) and set(one.entries) == {str(entry) for entry in new.entries}


def came_and_went(lines: Sequence[StatementLine]) -> Money:
    """All that moved, whichever way."""
    return Money(sum(abs(one.minor) for one in lines), lines[0].currency)
