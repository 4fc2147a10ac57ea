"""What waits of what is published, of what people agree to forget, and of files that need not be kept any longer."""

from datetime import date
from typing import Any

from sqlalchemy import exists, func, or_, select
from sqlmodel import col

from ledger.aid import cases
from ledger.aid.cases import Case
from ledger.giving import in_kind
from ledger.giving.in_kind import GiftInKind
from ledger.giving.purpose_versions import PurposeDraft, PurposeVersion
from ledger.identities.erasure import Erasure
from ledger.identities.evidence import EvidenceFile
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
    subject = col(EvidenceFile.subject)
    erased = exists().where(
        col(Erasure.shelf_alias) == col(EvidenceFile.shelf_alias), col(Erasure.erased_at).is_not(None)
    )
    over = exists().where(col(Case.alias) == subject, col(Case.state).in_((cases.State.CLOSED, *cases.LEFT)))
    kept = col(EvidenceFile.keep_until)
    since_erased = day_of(col(Erasure.erased_at))
    of_gifts = col(GiftInKind.alias) == subject
    agreed, withdrawn = (
        exists().where(of_gifts, col(GiftInKind.state) == state)
        for state in (in_kind.State.AGREED, in_kind.State.WITHDRAWN)
    )
    joined = (col(Erasure.shelf_alias) == col(EvidenceFile.shelf_alias), col(Erasure.erased_at).is_not(None))
    return [
        _files(since_erased, operator, *joined),
        _files(kept, operator, kept < on, or_(over, agreed), ~erased),
        _files(day_of(col(EvidenceFile.declared_at)), operator, withdrawn, ~erased),
    ]


def _files(since: Any, operator: str, *conditions: Any) -> Question:
    """Items whose content is here, each once, whatever its versions."""
    day, alias = func.min(since), col(EvidenceFile.alias)
    here = (col(EvidenceFile.completed_at).is_not(None), col(EvidenceFile.dropped_on).is_(None))
    question = ask(day, alias, *here, col(EvidenceFile.signer) != operator, *conditions)
    return Question(question.rows.group_by(alias), day, alias, is_grouped=True)
