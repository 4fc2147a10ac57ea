"""Conditions that several sections put: who may take a step, what is left to ask for, and what a court holds."""

from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from ledger.aid import disbursements, obligations
from ledger.aid.bail import BailReturn
from ledger.aid.bail_parts import BailPart
from ledger.aid.cases import Case
from ledger.aid.corrections import Correction
from ledger.aid.disbursements import Disbursement
from ledger.aid.obligations import Obligation, ObligationKind
from ledger.approvals import SignedAct, Verb
from ledger.identities.evidence import EvidenceFile


def another(person: Any, operator: str) -> ColumnElement[bool]:
    """That a column names somebody else, or nobody."""
    return or_(person.is_(None), person != operator)


def has_signed(alias: Any, verb: Verb, operator: str) -> ColumnElement[bool]:
    """Whether somebody has ever signed the verb on this."""
    return _acts(alias, verb, col(SignedAct.signer) == operator)


def may_sign_next(alias: Any, verb: Verb, operator: str) -> ColumnElement[bool]:
    """Leaves out, for the first of two who sign what is above the limit for a third person, what needs the other one.

    Where another has signed too and it waits all the same, one of the two saw it otherwise than it is by now, and may
    sign again: it is shown to both, for nothing may wait and be seen by nobody.
    """
    also = aliased(SignedAct)
    others = exists().where(col(also.object) == alias, col(also.verb) == verb, col(also.signer) != operator)
    # Said, for by itself the inner question looks no further than the outer one: it would be asked of all objects.
    of_this = others.correlate_except(also)
    return ~_acts(alias, verb, col(SignedAct.signer) == operator, ~of_this)


def brought_by(case: Any, operator: str) -> tuple[ColumnElement[bool], ...]:
    """Whether somebody has entered or verified a case, has amended it, or has brought a file of it that counts.

    Each by itself: a planner makes a join of what must not be, and looks up one by one what stands behind an `or`.
    """
    stood = looked_up(
        select(col(Case.alias)).where(
            col(Case.alias) == case, or_(col(Case.entered_by) == operator, col(Case.verified_by) == operator)
        )
    )
    amended = exists().where(col(Correction.case_alias) == case, col(Correction.corrected_by) == operator)
    later = aliased(EvidenceFile)
    replaced = exists().where(
        col(later.alias) == col(EvidenceFile.alias),
        col(later.version) > col(EvidenceFile.version),
        col(later.completed_at).is_not(None),
    )
    filed = looked_up(
        select(col(EvidenceFile.alias)).where(
            col(EvidenceFile.subject) == case,
            col(EvidenceFile.signer) == operator,
            col(EvidenceFile.completed_at).is_not(None),
            col(EvidenceFile.dropped_on).is_(None),
            ~replaced,
        )
    )
    return stood, amended, filed


def stands(*of: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether a payment stands that was asked for, or made.

    By the states that it is not in: one look into an index that has both, not one for each state, and none at the rows.
    """
    return select(col(Disbursement.state)).where(*of, col(Disbursement.state).not_in(disbursements.GONE)).exists()


def is_left_to_ask() -> ColumnElement[bool]:
    """Whether a part of an obligation is to be paid, and nothing that stands pays it or asks for it."""
    alias = col(Obligation.alias)
    asked = select(func.coalesce(func.sum(col(Disbursement.minor)), 0)).where(
        col(Disbursement.obligation_alias) == alias, col(Disbursement.state).in_(disbursements.STANDING)
    )
    by_bail = select(func.coalesce(func.sum(col(BailPart.minor)), 0)).where(col(BailPart.fine_alias) == alias)
    taken = asked.scalar_subquery() + by_bail.scalar_subquery()
    payable = col(Obligation.minor) - col(Obligation.forgone_minor)
    return col(Obligation.state).in_(obligations.OPEN) & (payable > taken)


def is_with_a_court() -> ColumnElement[bool]:
    """Whether an obligation is bail of which a court holds a part."""
    returned = select(func.sum(col(BailReturn.minor))).where(
        col(BailReturn.obligation_alias) == col(Obligation.alias), col(BailReturn.received_on).is_not(None)
    )
    kept = select(func.sum(col(BailPart.minor))).where(col(BailPart.obligation_alias) == col(Obligation.alias))
    gone = func.coalesce(returned.scalar_subquery(), 0) + func.coalesce(kept.scalar_subquery(), 0)
    is_posted = (col(Obligation.kind) == ObligationKind.BAIL) & (col(Obligation.state) == obligations.State.PAID)
    return is_posted & (col(Obligation.minor) > gone)


def looked_up(rows: Select[Any]) -> ColumnElement[bool]:
    """Whether there is a row, looked up for each thing along an index.

    A planner that may join would rather begin with all that a person has ever brought: it reads all cases and files.
    """
    return rows.offset(0).exists()


def _acts(alias: Any, verb: Verb, *more: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(col(SignedAct.object) == alias, col(SignedAct.verb) == verb, *more)
