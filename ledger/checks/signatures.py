"""Checks of what signed acts say of each other, and of rows that stand only because of one: who may not sign what."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlmodel import Session, col, select

from ledger.aid.assessments import Assessment, commitment_to
from ledger.aid.not_duplicates import NotDuplicate
from ledger.aid.quashing import Appeal, Outcome
from ledger.aid.refunds import Debtor, Refund
from ledger.approvals import SignedAct
from ledger.checks.findings import Check, Finding, Tell, paged
from ledger.identities.evidence import EvidenceFile

_AGREED_BEFORE = {
    "release_disbursement": "approve_disbursement",
    "release_batch": "approve_batch",
    "release_advance": "approve_advance",
    "release_conversion": "approve_conversion",
}
"""By the verb of a release: that of the approvals before it."""
_DISTANT = ("approve_disbursement", "approve_batch", "apply_bail", "forfeit_bail")
"""Acts of people who have brought none of the files that they rest on."""
_APPEALS = {Outcome.UPHELD: "uphold_ruling", Outcome.REDUCED: "reduce_ruling"}


def find_approvers_who_released(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Releases signed by somebody who had signed an approval of the same thing, whether that one sufficed or not."""
    for page in paged(session, SignedAct, SignedAct.nonce, col(SignedAct.verb).in_(_AGREED_BEFORE)):
        approvals = select(SignedAct.object, SignedAct.verb, SignedAct.signer).where(
            col(SignedAct.object).in_({act.object for act in page}), col(SignedAct.verb).in_(_AGREED_BEFORE.values())
        )
        signed = set(session.exec(approvals))
        for act in page:
            if (act.object, _AGREED_BEFORE[act.verb], act.signer) in signed:
                yield Finding("approved-and-released", "act", act.object, {"verb": act.verb, "signer": act.signer})


def find_bringers_who_agreed(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Approvals, and decisions on bail, that restate a file which their signer had brought."""
    brought: dict[str, set[str]] = {}
    for signer, commitment in session.exec(select(EvidenceFile.signer, EvidenceFile.commitment)):
        brought.setdefault(signer, set()).add(commitment)
    by_bringers = (col(SignedAct.verb).in_(_DISTANT), col(SignedAct.signer).in_(brought))
    for page in paged(session, SignedAct, SignedAct.nonce, *by_bringers):
        for act in page:
            if brought[act.signer] & set(_said(act)["evidence_commitments"]):
                yield Finding("brought-and-agreed", "act", act.object, {"verb": act.verb, "signer": act.signer})


def find_unsigned_appeals(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Appeals, and what other organisations owe, for which nobody has signed: one act for each."""
    appeals = session.exec(select(Appeal)).all()
    left = _signed(session, _APPEALS.values(), {one.ruling_alias for one in appeals})
    for appeal in sorted(appeals, key=lambda one: (one.ruling_alias, one.number)):
        verb = _APPEALS[appeal.outcome]
        # A sum is told of one obligation: with several on the ruling, of the named one alone.
        plain = verb if appeal.outcome is Outcome.UPHELD else f"{verb}:{appeal.amount().decimal()}"
        said = [act for act in left.get((appeal.ruling_alias, appeal.recorded_by), {}) if _is_about(act, plain, verb)]
        if not _take(left.get((appeal.ruling_alias, appeal.recorded_by), Counter()), said):
            facts: dict[str, Any] = {"verb": verb, "signer": appeal.recorded_by, "number": appeal.number}
            yield Finding("appeals-signed", "ruling", appeal.ruling_alias, facts)
    refunds = session.exec(select(Refund).where(Refund.debtor == Debtor.ORGANISATION)).all()
    verb = "acknowledge_duplicate"
    told: Counter[tuple[str, str]] = Counter()
    for (of, _), acts in _signed(session, [verb], {one.obligation_alias for one in refunds}).items():
        told.update({(of, act): times for act, times in acts.items()})
    for refund in sorted(refunds, key=lambda one: one.reference):
        said_of_it = [(refund.obligation_alias, act) for act in (f"{verb}:{refund.amount().decimal()}", verb)]
        if not _take(told, said_of_it):
            yield Finding("appeals-signed", "obligation", refund.obligation_alias, {"verb": verb})


def find_altered_pairs(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Pairs of cases called no duplicates that nobody has signed so, and signed ones that are gone."""
    kept = {(one.case_alias, one.other_alias): one.said_by for one in session.exec(select(NotDuplicate))}
    signed: dict[tuple[str, str], set[str]] = {}
    for page in paged(session, SignedAct, SignedAct.nonce, col(SignedAct.verb) == "verify_case"):
        for act in page:
            _, _, others = str(_said(act)["act"]).partition(":")
            for other in others.split("+") if others else ():
                first, second = sorted((act.object, other))
                signed.setdefault((first, second), set()).add(act.signer)
    for pair, said_by in sorted(kept.items()):
        if said_by not in signed.get(pair, set()):
            yield Finding("not-duplicates", "case", pair[0], {"other": pair[1], "signer": said_by, "where": "act"})
    for pair in sorted(signed.keys() - kept.keys()):
        if pair[0] != pair[1]:
            yield Finding("not-duplicates", "case", pair[0], {"other": pair[1], "where": "row"})


def find_altered_assessments(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Rules' answers that are not those a verifier signed, that nobody signed, or that are gone."""
    signed: set[str] = set()
    for page in paged(session, SignedAct, SignedAct.nonce, col(SignedAct.verb) == "verify_case"):
        of = col(Assessment.case_alias).in_([act.object for act in page])
        kept = {one.case_alias: one.document for one in session.exec(select(Assessment).where(of))}
        for act in page:
            commitment, document = _said(act)["payee_commitment"], kept.get(act.object)
            if commitment is None:
                continue  # verified before answers were signed
            signed.add(act.object)
            where = "row" if document is None else "document"
            if document is None or commitment_to(document) != commitment:
                yield Finding("assessments", "case", act.object, {"signer": act.signer, "where": where})
    for rows in paged(session, Assessment, Assessment.case_alias):
        for one in rows:
            if one.case_alias not in signed:
                yield Finding("assessments", "case", one.case_alias, {"where": "act"})


def _signed(session: Session, verbs: Iterable[str], objects: Iterable[str]) -> dict[tuple[str, str], Counter[str]]:
    """By object and signer: how often they signed each act, with its detail."""
    found: dict[tuple[str, str], Counter[str]] = {}
    of = (col(SignedAct.verb).in_(list(verbs)), col(SignedAct.object).in_(list(objects)))
    for page in paged(session, SignedAct, SignedAct.nonce, *of):
        for act in page:
            found.setdefault((act.object, act.signer), Counter())[str(_said(act)["act"])] += 1
    return found


def _is_about(act: str, plain: str, verb: str) -> bool:
    """Whether an act says just this, or says it as before there were details, or of one obligation among several."""
    return act in {plain, verb} or (act.startswith(f"{verb}:") and "+" in act)


def _take(left: Counter[Any], acceptable: Sequence[Any]) -> bool:
    """Takes one act that says it away: one act stands for one row."""
    for act in acceptable:
        if left[act] > 0:
            left[act] -= 1
            return True
    return False


def _said(act: SignedAct) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(act.document)  # whether it holds is for the check of acts
    return said


CHECKS = (
    Check("approved-and-released", "who signed an approval releases nothing of it", find_approvers_who_released),
    Check("brought-and-agreed", "who brought a file agrees to nothing that rests on it", find_bringers_who_agreed),
    Check("appeals-signed", "appeals and what others acknowledge have an act each", find_unsigned_appeals),
    Check("assessments", "what the rules answered of verified cases is what was signed", find_altered_assessments),
    Check("not-duplicates", "cases called no duplicates are those that somebody signed so", find_altered_pairs),
)
