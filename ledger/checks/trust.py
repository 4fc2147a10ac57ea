"""Checks of keys, erasures, admitted entries, returns and movements: each has its act, each act what it led to."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from ledger import bearer_keys, book
from ledger.aid.purse_movements import PurseMovement
from ledger.aid.returns import Return
from ledger.approvals import SignedAct
from ledger.bearer_keys import BearerKey
from ledger.books.journal import Entry
from ledger.checks.findings import Check, Finding, Tell, booked_here, paged
from ledger.closing import AdmittedEntry
from ledger.emergency import EmergencyStep, Step
from ledger.exceptions import OpenException
from ledger.identities import erasure
from ledger.identities.erasure import Erasure
from ledger.identities.shelves import PersonKey, Shelf
from ledger.people import Role
from ledger.reconciliation import confirmations
from ledger.reconciliation.statements import StatementLine


def find_keys(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Bearer keys that say something else than an administrator signed, and signed ones that are gone.

    The first key of a book, which makes the others, has no act: it is an administrator's, of the book's first moment.
    """
    founded_at = book.require(session).created_at
    signed = {act.object: _said(act)["evidence_commitments"] for act in _acts(session, "create_key")}
    for page in paged(session, BearerKey, BearerKey.alias):
        for key in page:
            said = bearer_keys.commitment(
                alias=key.alias,
                operator=key.operator,
                roles=frozenset(Role(role) for role in key.roles.split(",")),
                key_digest=key.digest,
                expires_on=key.expires_on,
            )
            is_first = (key.roles, key.created_at) == (Role.ADMIN, founded_at)
            if signed.pop(key.alias, None) != [said] and not is_first:
                yield Finding("keys-signed", "key", key.alias, {"operator": key.operator})
    for alias in sorted(signed):
        yield Finding("keys-signed", "key", alias, {"where": "row"})


def find_erasures(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Erasures that say something else than two people signed, and signed ones that are gone.

    One that a restore has read from the list of erasures, outside the database, has one moment for both steps: the
    books that it came to are older than its acts.
    """
    kept = {one.shelf_alias: one for one in session.exec(select(Erasure))}
    signed = {(act.verb, act.object): act for act in _acts(session, "request_erasure", "agree_erasure")}
    for alias, one in sorted(kept.items()):
        is_listed = one.erased_at == one.requested_at
        steps: list[tuple[str, str | None, datetime | None]] = [("request_erasure", one.requested_by, one.requested_at)]
        if one.erased_at is not None or one.agreed_by is not None:
            steps.append(("agree_erasure", one.agreed_by, one.erased_at))
        for verb, person, at in steps:
            act = signed.pop((verb, alias), None)
            fits = act is not None and (act.signer, act.recorded_at) == (person, at)
            fits &= act is not None and _said(act)["evidence_commitments"] == [erasure.commitment(alias, one.reason)]
            if not fits and not (act is None and is_listed):
                yield Finding("erasures-signed", "shelf", alias, {"verb": verb})
        if one.agreed_by == one.requested_by:
            yield Finding("erasures-signed", "shelf", alias, {"signer": one.requested_by})
    for verb, alias in sorted(signed):
        yield Finding("erasures-signed", "shelf", alias, {"verb": verb, "where": "row"})


def find_keyless(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Shelves that nobody opens any more though nobody was erased.

    Without any key at all, all were shredded, or a backup was restored without its keyring: that is told elsewhere.
    """
    shredded = select(EmergencyStep.number).where(EmergencyStep.step == Step.SHREDDED).limit(1)
    if session.exec(select(PersonKey.alias).limit(1)).first() is None or session.exec(shredded).first() is not None:
        return
    erased = select(Erasure.shelf_alias).where(col(Erasure.erased_at).is_not(None))
    keyed = select(PersonKey.alias)
    query = select(Shelf.alias).where(col(Shelf.alias).not_in(keyed), col(Shelf.alias).not_in(erased))
    for alias in session.exec(query.order_by(Shelf.alias)):
        yield Finding("keyless", "shelf", alias)


def find_admitted(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Entries admitted to a softly closed month that nobody signed, and signed ones that are not admitted."""
    signed = {act.nonce: _said(act)["evidence_commitments"] for act in _acts(session, "admit_entry")}
    months = {act.nonce: act.object for act in _acts(session, "admit_entry")}
    for one in session.exec(select(AdmittedEntry)):
        if signed.pop(one.nonce, None) != [one.fingerprint]:
            yield Finding("admitted-signed", "act", one.nonce, {"where": "act"})
    for nonce in sorted(signed):
        yield Finding("admitted-signed", "month", months[nonce], {"where": "row"})


def find_returns(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Returns of agents that waited for a second person and were booked without, and confirmed ones that are not."""
    query = (
        select(StatementLine, Return, Entry.recorded_by)
        .join(Return, col(Return.reference) == StatementLine.reference)
        .join(Entry, col(Entry.source_key) == StatementLine.source_key)
        .where(Entry.kind == "advance_returned", booked_here(session))
    )
    booked = {line.source_key: (line, announced, by) for line, announced, by in session.exec(query)}
    waited = {one.alias: one for one in session.exec(select(OpenException)) if _line_of(one) in booked}
    signed = {act.object: act for act in _acts(session, "confirm_return")}
    for alias, opened in sorted(waited.items()):
        line, announced, by = booked[_line_of(opened)]
        act, amount = signed.pop(alias, None), line.amount()
        commitment = confirmations.commitment(advance=announced.advance_alias, stands_for=announced.amount())
        told: dict[str, Any] = {"amount": amount.decimal(), "currency": amount.currency, "payee_commitment": commitment}
        fits = act is not None and act.signer == by and told.items() <= _said(act).items()
        if not fits or opened.resolved_on is None or by in {announced.announced_by, announced.withdrawn_by}:
            yield Finding("returns-confirmed", "exception", alias, {"advance": announced.advance_alias})
    lines = {_line_of(one) for one in waited.values()}
    for key, (line, announced, _) in sorted(booked.items()):
        if announced.received_on != line.booked_on or (announced.withdrawn_on is not None and key not in lines):
            yield Finding("returns-confirmed", "advance", announced.advance_alias, {"where": "row"})
    for alias in sorted(signed):
        yield Finding("returns-confirmed", "exception", alias, {"where": "row"})


def find_untold(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Movements of purses that somebody signed and that are gone; what nobody signed is for the check of acts."""
    kept = set(session.exec(select(PurseMovement.alias, PurseMovement.requested_by)).all())
    for act in _acts(session, "tell_movement"):
        if (act.object, act.signer) not in kept:
            yield Finding("movements-signed", "movement", act.object, {"signer": act.signer})


def _line_of(opened: OpenException) -> str:
    """The source key that a difference of a line is about."""
    return opened.about.partition(":")[2]


def _acts(session: Session, *verbs: str) -> list[SignedAct]:
    return list(session.exec(select(SignedAct).where(col(SignedAct.verb).in_(verbs))))


def _said(act: SignedAct) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(act.document)  # whether it holds is for the check of acts
    return said


CHECKS = (
    Check("keys-signed", "every bearer key is what an administrator signed, and none is gone", find_keys),
    Check("erasures-signed", "every erasure is what two people signed, and none is taken back", find_erasures),
    Check("keyless", "every shelf has its key unless two people erased it", find_keyless),
    Check("admitted-signed", "what a softly closed month took in late was signed, entry by entry", find_admitted),
    Check("returns-confirmed", "what agents gave back otherwise than told was confirmed by another", find_returns),
    Check("movements-signed", "what was signed of an agent's purse stands", find_untold),
)
