"""Checks of exceptions: what is closed says by what, and who said so had signed it and might."""

from collections.abc import Iterator

from sqlmodel import Session, col
from sqlmodel import select as select_rows

from ledger import people
from ledger.approvals import SignedAct
from ledger.books.accounts import Account
from ledger.checks.findings import Check, Finding, Tell, paged
from ledger.errors import LedgerError
from ledger.exceptions import Difference, OpenException
from ledger.giving import movements
from ledger.giving.bookings import Booking, State
from ledger.giving.leaves import PROCESSOR
from ledger.giving.payouts import Payout
from ledger.giving.unread import UnreadMovement
from ledger.identities.shelves import Shelf
from ledger.people import Role
from ledger.reconciliation import (
    bank,
    chain,
    clearings,
    matching_rules,
    matchings,
    pairings,
    processor,
    statements,
    transit,
)
from ledger.reconciliation.clearings import BY_MACHINES, Clearing, ClearingAgreement
from ledger.reconciliation.pairings import LineToldTwice, Pairing, PairingPart
from ledger.reconciliation.statements import Match, StatementLine


def find_unexplained(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Exceptions that are closed, and neither an entry, a match, a dismissal nor the thing itself says why."""
    for page in paged(session, OpenException, OpenException.alias, col(OpenException.resolved_on).is_not(None)):
        for one in page:
            if not _is_explained(session, one):
                yield Finding("exceptions", "exception", one.alias, {"difference": one.difference})


def find_unfounded(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Clearings of another amount than their exception, by an entry of another, or beyond what one may alone."""
    for page in paged(session, Clearing, Clearing.alias):
        for said in page:
            opened = session.get(OpenException, said.exception_alias)
            if opened is None:
                yield Finding("clearings", "clearing", said.alias, {"where": "exception"})
                continue
            booked = said.entry_id is None or clearings.explains(session, said.entry_id, of=opened)
            alone = not said.alone or said.entry_id is not None or _may_alone(session, said)
            same = (said.minor, said.currency) == (opened.minor, opened.currency)
            if not (booked and alone and same):
                yield Finding("clearings", "clearing", said.alias, {"exception": opened.alias, "alone": said.alone})


def find_unequal(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Pairings whose lines and entries differ in sum, or share one with another that stands."""
    taken: set[str | tuple[str, int]] = set()
    for pairing, undone in matchings.listed(session):
        parts = matchings.parts_of(session, pairing.alias)
        keys = [one.source_key for one in parts if one.source_key is not None]
        lines = session.exec(select_rows(StatementLine).where(col(StatementLine.source_key).in_(keys))).all()
        if len(lines) != len(keys) or {line.account_code for line in lines} != {pairing.account_code}:
            yield Finding("pairings", "pairing", pairing.alias, {"account": pairing.account_code, "where": "lines"})
            continue
        if undone is not None or (parts and not matchings.is_standing(session, pairing.alias)):
            continue  # of reversed entries the lines wait again: the check of exceptions holds them to it
        entries = [one.entry_id for one in parts if one.entry_id is not None]
        told = {line.source_key for line in lines} | {(pairing.account_code, entry) for entry in entries}
        answered = [key for key in told if isinstance(key, str) and session.get(Match, key) is not None]
        same = sum(line.minor for line in lines) == matchings.moved(session, entries, account=pairing.account_code)
        alone = len(lines) == 1 and len(entries) == (len(lines[0].told_parts()) or 1)
        unsigned = not pairing.automatic or alone
        if not same or taken & told or answered or not unsigned:
            yield Finding("pairings", "pairing", pairing.alias, {"account": pairing.account_code})
        taken |= told
    gone = col(PairingPart.pairing_alias).not_in(select_rows(Pairing.alias))
    for alias in sorted(set(session.exec(select_rows(PairingPart.pairing_alias).where(gone)))):
        yield Finding("pairings", "pairing", alias, {"where": "pairing"})


def find_unsealed(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Rules of matching that nobody has sealed, or somebody else than who added them; each is looked up by its key."""
    for rule in matching_rules.standing(session):
        shelf = session.get(Shelf, rule.alias)
        if shelf is None or shelf.signer != rule.added_by:
            yield Finding("matching-rules", "matching_rule", rule.alias, {"added_by": rule.added_by})


def _is_explained(session: Session, one: OpenException) -> bool:
    about = one.about.partition(":")[2]
    if one.difference is Difference.MOVEMENT_WAITS:  # which nothing but its entry closes
        return _is_booked(session, one, about)
    # What the processor reports is not kept: whether it agreed again, nobody can tell afterwards.
    if one.difference in _UNTOLD:
        return True
    if _is_cleared(session, one):
        return not statements.is_waiting(session, about)
    answered = session.get(Match, about) is not None or session.get(LineToldTwice, about) is not None
    if answered or pairings.has_line(session, about):
        return True
    if one.account_code is not None and one.difference in {*chain.BREAKS, *_OF_STATEMENTS}:
        return _is_gone(session, one, about, leaf=one.account_code)
    return _is_booked(session, one, about)


_UNTOLD = {*BY_MACHINES, Difference.PROCESSOR_DIFFERS} - {Difference.ENTRY_NOT_SEEN}
_OF_STATEMENTS = (Difference.STATEMENT_DOES_NOT_ADD_UP, Difference.BALANCE_DIFFERS, Difference.ENTRY_NOT_SEEN)


def _is_gone(session: Session, one: OpenException, about: str, *, leaf: str) -> bool:
    """Whether a difference of statements is none any more, or another one tells it."""
    if one.difference is Difference.BALANCE_DIFFERS:
        return _is_in_agreement(session, leaf)
    if one.difference is Difference.ENTRY_NOT_SEEN:
        return about not in _awaited(session, leaf)
    if one.difference is Difference.STATEMENT_DOES_NOT_ADD_UP:
        return about in chain.wrong_openings(session, leaf)
    return (one.difference, about) not in {(each.difference, each.about) for each in chain.find_breaks(session, leaf)}


def _awaited(session: Session, leaf: str) -> set[str]:
    """What exceptions are about of entries that the bank has not shown by the day its newest statement closes."""
    found = bank.reconcile(session, leaf)
    if found is None:
        return set()
    awaited = transit.entries(session, leaf, currency=found.currency, on=found.on)
    return {transit.about(leaf, one.entry_id) for one in awaited}


def _is_booked(session: Session, one: OpenException, about: str) -> bool:
    """Whether a movement that waited is booked, or a payout that was not seen has arrived."""
    if one.difference is Difference.MOVEMENT_WAITS:
        _, transaction, gross = about.split(":")
        booking = session.get(Booking, (transaction, int(gross)))
        return booking is not None and booking.state is State.BOOKED
    if one.difference is Difference.UNREADABLE:
        return any(True for _ in movements.by_transaction(session, [about])) or about in _unread(session)
    payout = session.exec(select_rows(Payout).where(Payout.source_key == about)).first()
    return payout is not None and payout.paid_on is not None


def _unread(session: Session) -> set[str]:
    """What is kept as it was told, in a currency that nobody knows."""
    return set(session.exec(select_rows(UnreadMovement.balance_transaction)))


def _is_in_agreement(session: Session, leaf: str) -> bool:
    """Whether books and bank agree, or what of them differs is told by another exception."""
    told = any(one.difference is Difference.BALANCE_DIFFERS for one in bank.known(session, leaf))
    if ":" in leaf and session.get_one(Account, leaf).parent_code == PROCESSOR:
        at_processor = processor.reconcile(session, leaf)
        return told or (at_processor is not None and not at_processor.difference.minor)
    found = bank.reconcile(session, leaf)
    if found is None:
        return False
    return told or not found.difference.minor or not bank.unexplained(session, found)


def _is_cleared(session: Session, one: OpenException) -> bool:
    said = session.exec(select_rows(Clearing).where(Clearing.exception_alias == one.alias)).all()
    return any(each.alone or session.get(ClearingAgreement, each.alias) is not None for each in said)


def _may_alone(session: Session, said: Clearing) -> bool:
    """Whether the roster under which they signed lets a treasurer dismiss as much."""
    query = select_rows(SignedAct.roster).where(SignedAct.object == said.alias, SignedAct.verb == "clear_exception")
    number = session.exec(query).first()
    version = next((one for one in people.versions(session) if one.number == number), None)
    if version is None or said.minor is None:
        return False
    try:
        limits = people.read_roster(version.document).limits
    except LedgerError:  # found by the check of rosters
        return False
    mine = (one.most("per_act") for one in limits if (one.role, one.currency) == (Role.TREASURER, said.currency))
    most = next(mine, None)
    return most is not None and abs(said.minor) <= most.minor


CHECKS = (
    Check("exceptions", "every exception that is closed says by what", find_unexplained),
    Check("pairings", "lines of the bank and the entries that they are have one sum, each once", find_unequal),
    Check("matching-rules", "a rule of matching is sealed by who added it", find_unsealed),
    Check("clearings", "an exception is closed by its amount, by who might", find_unfounded),
)
