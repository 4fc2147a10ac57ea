"""What waits of what is published, of what people agree to forget, and of files that need not be kept any longer."""

from datetime import date

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, text
from sqlalchemy.orm import aliased
from sqlmodel import col

from ledger.aid import cases
from ledger.aid.cases import Case
from ledger.giving import in_kind
from ledger.giving.in_kind import GiftInKind
from ledger.giving.purpose_versions import PurposeDraft, PurposeVersion
from ledger.identities.erasure import Erasure
from ledger.identities.evidence import HAS_CONTENT, EvidenceFile
from ledger.publications import Draft, Publication
from ledger.queue.questions import Question, ask, day_of


def publications_to_approve(operator: str, _on: date) -> list[Question]:
    """Drafts of the next publication that somebody else has made."""
    following = select(func.coalesce(func.max(col(Publication.number)), 0) + 1).scalar_subquery()
    drafted = (col(Draft.number) == following, col(Draft.drafted_by) != operator)
    return [ask(day_of(col(Draft.drafted_at)), col(Draft.alias), *drafted)]


def purposes_to_approve(operator: str, _on: date) -> list[Question]:
    """Drafts of the next version of a purpose that somebody else has made."""
    newest = select(func.coalesce(func.max(col(PurposeVersion.number)), 0))
    newest = newest.where(col(PurposeVersion.purpose_code) == col(PurposeDraft.purpose_code))
    following = newest.correlate(PurposeDraft).scalar_subquery() + 1
    drafted = (col(PurposeDraft.number) == following, col(PurposeDraft.drafted_by) != operator)
    return [ask(day_of(col(PurposeDraft.drafted_at)), col(PurposeDraft.alias), *drafted)]


def erasures_to_agree(operator: str, _on: date) -> list[Question]:
    """People whom somebody else wants erased, since when."""
    asked = (col(Erasure.erased_at).is_(None), col(Erasure.requested_by) != operator)
    return [ask(day_of(col(Erasure.requested_at)), col(Erasure.shelf_alias), *asked)]


def files_to_drop(operator: str, on: date) -> list[Question]:
    """Files that somebody else has brought and nobody need keep: their own day has passed, or nobody opens them.

    Those of the pack's time, without a day of their own, go with the person: see the job `retention`.
    """
    subject, kept = col(EvidenceFile.subject), col(EvidenceFile.keep_until)
    shelf, erased_at = col(EvidenceFile.shelf_alias), col(Erasure.erased_at)
    since_erased = select(day_of(erased_at)).where(col(Erasure.shelf_alias) == shelf).scalar_subquery()
    erased = shelf.in_(select(col(Erasure.shelf_alias)).where(erased_at.is_not(None)))
    gone = exists().where(col(Erasure.shelf_alias) == shelf, erased_at.is_not(None))
    over = exists().where(col(Case.alias) == subject, _is_over())
    agreed, withdrawn = (
        subject.in_(select(col(GiftInKind.alias)).where(col(GiftInKind.state) == state))
        for state in (in_kind.State.AGREED, in_kind.State.WITHDRAWN)
    )
    other = aliased(EvidenceFile)
    before = col(other.version) < col(EvidenceFile.version)
    sooner = or_(col(other.keep_until) < kept, and_(col(other.keep_until) == kept, before))
    here = (text(HAS_CONTENT), col(EvidenceFile.signer) != operator)
    first, soonest = (~_another_version(other, rather) for rather in (before, sooner))
    alias, declared = col(EvidenceFile.alias), day_of(col(EvidenceFile.declared_at))
    return [
        ask(since_erased, alias, *here, first, erased),
        ask(kept, alias, *here, kept < on, over, ~gone, soonest),
        ask(kept, alias, *here, kept < on, agreed, ~gone, soonest),
        ask(declared, alias, *here, first, withdrawn, ~gone),
    ]


def _is_over() -> ColumnElement[bool]:
    return col(Case.state).in_((cases.State.CLOSED, *cases.LEFT))


def _another_version(other: type[EvidenceFile], rather: ColumnElement[bool]) -> ColumnElement[bool]:
    """An item is dropped as one: of several versions that are here one stands for all."""
    is_here = (col(other.completed_at).is_not(None), col(other.dropped_on).is_(None))
    return exists().where(col(other.alias) == col(EvidenceFile.alias), *is_here, rather)
