"""Retention of evidence: which files need not be kept any longer, and their content dropped by a signed act.

A file is due when its own retention, which its bringer signed, has ended and its case is over; without one of its own
when the pack's time for the person has gone by; and at once when the person was erased, as nobody opens it any more.
One that shows the value of a gift in kind is a voucher of the books: due after its own retention or the policy's, or at
once when the value was given up.
What was agreed to stays provable: the row with its commitment is kept, and the act that dropped the content names it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlmodel import Session, col, select

from ledger import approvals
from ledger.aid import retention
from ledger.aid.cases import Case
from ledger.aid.retention import NotDue
from ledger.approvals import Agreed
from ledger.books.periods import months_later
from ledger.giving import donor_retention, in_kind
from ledger.giving.in_kind import GiftInKind
from ledger.identities import evidence
from ledger.identities.erasure import Erasure
from ledger.identities.evidence import EvidenceFile, UnknownEvidence


@dataclass(frozen=True, slots=True)
class DueFile:
    """A file whose content need not be kept any longer, and since when."""

    file: EvidenceFile
    since: date


def due(session: Session, *, on: date, after: str = "", limit: int = 100) -> list[DueFile]:
    """The files that are due on the day `on`: all versions of up to `limit` items after the alias `after`, in order."""
    found: list[DueFile] = []
    items = 0
    while items < limit:
        query = select(EvidenceFile.alias).distinct().where(EvidenceFile.alias > after, _HAS_CONTENT)
        aliases = session.exec(query.order_by(EvidenceFile.alias).limit(limit)).all()
        if not aliases:
            break
        after = aliases[-1]
        among = select(EvidenceFile).where(col(EvidenceFile.alias).in_(aliases), _HAS_CONTENT)
        files = session.exec(among.order_by(EvidenceFile.alias, col(EvidenceFile.version))).all()
        for one in _due_among(session, files):
            if one.since <= on:
                items += not found or found[-1].file.alias != one.file.alias
                if items > limit:
                    break
                found.append(one)
    return found


def drop(session: Session, alias: str, version: int, *, agreed: Agreed) -> EvidenceFile:
    """Drops the content of one version of an item that is due, on the word of an approver who did not bring it.

    Raises:
        UnknownEvidence: there is no such file, or its content is gone. NotDue: see there.
        SamePerson: who brought it says for how long it is kept, and somebody else that the time is over.
        What `approvals.accept` raises.
    """
    file = session.get(EvidenceFile, (alias, version))
    if file is None or file.completed_at is None or file.dropped_on is not None:
        raise UnknownEvidence("no such file")
    on = agreed.now.date()
    if not any(one.since <= on for one in _due_among(session, [file])):
        raise NotDue("the case is not over, or the time of retention runs", evidence=alias, version=version)
    approvals.require_other(agreed.signer.alias, than={file.signer})
    with session.begin_nested():
        approvals.accept(
            session,
            agreed,
            verb="drop_evidence",
            object_alias=alias,
            version=version,
            evidence_commitments=[file.commitment],
        )
        evidence.drop(session, file, on=on)
    return file


_HAS_CONTENT = col(EvidenceFile.completed_at).is_not(None) & col(EvidenceFile.dropped_on).is_(None)


def _due_among(session: Session, files: Sequence[EvidenceFile]) -> Iterator[DueFile]:
    cases = session.exec(select(Case).where(col(Case.alias).in_({file.subject for file in files}))).all()
    ends = retention.ends(session, cases)
    persons = {case.alias: case.beneficiary_alias for case in cases}
    by_pack = {one.shelf: one.since for one in retention.due_among(session, sorted(set(persons.values())))}
    shelves = {file.shelf_alias for file in files}
    erased = {
        one.shelf_alias: one.erased_at.date()
        for one in session.exec(select(Erasure).where(col(Erasure.shelf_alias).in_(shelves)))
        if one.erased_at is not None
    }
    gifts = _gifts(session, files)
    for file in files:
        days = [erased.get(file.shelf_alias)]
        if file.subject in gifts:
            days.append(_kept_for_gift(file, gifts[file.subject]))
        elif file.keep_until is None:
            days.append(by_pack.get(persons.get(file.subject, "")))
        elif ends.get(file.subject) is not None:
            days.append(file.keep_until + timedelta(days=1))
        known = [day for day in days if day is not None]
        if known:
            yield DueFile(file, min(known))


def _gifts(session: Session, files: Sequence[EvidenceFile]) -> dict[str, GiftInKind]:
    query = select(GiftInKind).where(col(GiftInKind.alias).in_({file.subject for file in files}))
    return {gift.alias: gift for gift in session.exec(query)}


def _kept_for_gift(file: EvidenceFile, gift: GiftInKind) -> date | None:
    """The day from which a voucher is due; None while nobody has agreed to the value."""
    if gift.state is in_kind.State.WITHDRAWN:
        return gift.valued_at.date()
    if gift.state is in_kind.State.VALUED:
        return None
    if file.keep_until is not None:
        return file.keep_until + timedelta(days=1)
    return months_later(date(gift.given_on.year, 12, 31), donor_retention.policy().voucher_months)
