"""The signed acts on bail: applied to a fine, or forfeited, by who had no hand in its case, as with an approval."""

import hashlib

from sqlmodel import Session

from ledger import approvals
from ledger.aid import acts, bail, cases, corrections, obligations
from ledger.aid.acts import EvidenceNotOpened
from ledger.aid.bail_parts import BailPart
from ledger.aid.cases import Case
from ledger.approvals import Agreed, Verb
from ledger.identities import shelves
from ledger.money import Money


def apply_bail(session: Session, alias: str, agreed: Agreed, *, fine: str, amount: Money) -> BailPart:
    """Applies `amount` of bail to a recognised obligation; the act names that by the hash of its alias as payee.

    Raises:
        SamePerson, EvidenceNotOpened, what `bail.apply` and what `approvals.accept` raise.
    """
    obligations.require(session, fine)
    with session.begin_nested():  # act and effect, or neither
        _accept(session, agreed, "apply_bail", alias, amount=amount, payee=commitment(fine))
        return bail.apply(
            session,
            alias,
            fine=fine,
            amount=amount,
            by=agreed.signer.alias,
            on=agreed.now.date(),
            recorded_at=agreed.now,
        )


def forfeit_bail(session: Session, alias: str, agreed: Agreed, *, amount: Money) -> BailPart:
    """Notes that the court keeps a part of bail, or all of it.

    Raises:
        SamePerson, EvidenceNotOpened, what `bail.forfeit` and what `approvals.accept` raise.
    """
    with session.begin_nested():
        _accept(session, agreed, "forfeit_bail", alias, amount=amount, payee=None)
        return bail.forfeit(
            session, alias, amount=amount, by=agreed.signer.alias, on=agreed.now.date(), recorded_at=agreed.now
        )


def commitment(fine: str) -> str:
    """What an act restates as payee: SHA-256 of the alias of the obligation that is paid."""
    return hashlib.sha256(fine.encode()).hexdigest()


def _accept(session: Session, agreed: Agreed, verb: Verb, alias: str, *, amount: Money, payee: str | None) -> None:
    _, posted = bail.require_posted(session, alias)
    case: Case = cases.require(session, posted.case_alias)
    authors = corrections.authors_of(session, [case])[case.alias]
    bringers = {file.signer for file in acts.files_of(session, case)}
    earlier = {posted.requested_by, case.verified_by, *authors, *bringers}
    approvals.require_other(agreed.signer.alias, than=earlier)
    seen = acts.evidence_of(session, case)
    if not shelves.has_opened(session, operator=agreed.signer.alias, shelf=case.beneficiary_alias, needed=seen):
        raise EvidenceNotOpened("the signer has not opened the current evidence", case=case.alias)
    approvals.accept(
        session,
        agreed,
        verb=verb,
        object_alias=alias,
        version=bail.steps(session, alias) + 1,
        amount=amount,
        payee_commitment=payee,
        evidence_commitments=seen,
    )
