"""Checks of bail: what a court keeps rests on an act of its own, by another person than who asked for it."""

import json
from collections import Counter
from collections.abc import Iterator

from sqlmodel import Session, col, select

from ledger.aid import bail, bail_acts, cases, corrections, disbursements, obligations
from ledger.aid.bail_parts import BailPart, Fate
from ledger.aid.obligations import Obligation
from ledger.approvals import SignedAct
from ledger.checks.findings import Check, Fact, Finding, Tell
from ledger.identities.erasure import Erasure
from ledger.money import Money

Content = tuple[str, str, str, str, str, str | None]
"""What a part is: the bail, the verb, who signed, amount, currency, and what was paid by it."""
_VERBS = {Fate.APPLIED: "apply_bail", Fate.FORFEITED: "forfeit_bail"}


def find_unsigned_parts(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Parts of bail for which there is no act that says the same, or one act for two of them."""
    query = select(SignedAct).where(col(SignedAct.verb).in_(_VERBS.values()))
    signed = Counter(_signed(kept) for kept in session.exec(query))
    for part, posted in _parts(session):
        told = _told(part, posted)
        if not signed[told]:
            facts: dict[str, Fact] = {"verb": _VERBS[part.fate], "signer": part.decided_by, "number": part.number}
            yield Finding("bail-signed", "obligation", posted.alias, facts)
        signed[told] -= 1


def find_same_person(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Parts of bail that were decided by who entered, verified or asked for it."""
    for part, posted in _parts(session):
        paid = disbursements.standing(session, [posted.alias])
        case = cases.require(session, posted.case_alias)
        before = {*corrections.authors_of(session, [case])[case.alias], case.verified_by}
        before |= {one.requested_by for one in paid}
        if part.decided_by in before:
            facts: dict[str, Fact] = {"verb": _VERBS[part.fate], "signer": part.decided_by, "number": part.number}
            yield Finding("bail-four-eyes", "obligation", posted.alias, facts)


def find_other_persons(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Parts of bail that paid what somebody else owes.

    Of who was erased no token tells any more that they were one: only that somebody has signed it does.
    """
    erased = set(session.exec(select(Erasure.shelf_alias).where(col(Erasure.erased_at).is_not(None))))
    for part, posted in _parts(session):
        if part.fine_alias is None:
            continue
        fine = obligations.require(session, part.fine_alias)
        if any(cases.require(session, one.case_alias).beneficiary_alias in erased for one in (posted, fine)):
            continue
        if not bail.is_same_person(session, posted, fine):
            yield Finding("bail-person", "obligation", posted.alias, {"number": part.number})


def _parts(session: Session) -> list[tuple[BailPart, Obligation]]:
    query = select(BailPart, Obligation).join(Obligation, col(Obligation.alias) == BailPart.obligation_alias)
    found = session.exec(query.execution_options(populate_existing=True)).all()
    return sorted(found, key=lambda one: (one[0].obligation_alias, one[0].number))


def _told(part: BailPart, posted: Obligation) -> Content:
    amount = Money(part.minor, posted.currency)
    fine = bail_acts.commitment(part.fine_alias) if part.fine_alias is not None else None
    return posted.alias, _VERBS[part.fate], part.decided_by, amount.decimal(), amount.currency, fine


def _signed(kept: SignedAct) -> Content:
    act = json.loads(kept.document)  # whether its columns and its signature hold is for the check of acts
    return act["object"], kept.verb, act["signer"], act["amount"], act["currency"], act["payee_commitment"]


CHECKS = (
    Check("bail-person", "bail pays what the same person owes", find_other_persons),
    Check("bail-signed", "each part of bail that a court keeps has an act of its own", find_unsigned_parts),
    Check("bail-four-eyes", "who decides on a part of bail took no step before", find_same_person),
)
