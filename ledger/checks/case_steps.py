"""Checks of the steps of cases, both ways: none without its signed act, and no signed act whose step was undone."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlmodel import Session, col, select

from ledger.aid.cases import LEFT, Case, State
from ledger.aid.corrections import Correction
from ledger.aid.disbursements import BANK, Disbursement
from ledger.aid.disbursements import State as PaymentState
from ledger.aid.obligations import Obligation
from ledger.aid.obligations import State as ObligationState
from ledger.aid.refunds import Refund
from ledger.aid.rulings import Ruling
from ledger.approvals import SignedAct
from ledger.checks.findings import Check, Finding, Tell, paged

_LEADS_TO: Mapping[str, State | None] = {
    "verify_case": State.VERIFIED,
    "reject_case": State.REJECTED,
    "withdraw_case": State.WITHDRAWN,
    "mark_duplicate": State.DUPLICATE,
    "hold_case": State.ON_HOLD,
    "resume_case": None,
    "confirm_case": State.CONFIRMED,
    "close_case": State.CLOSED,
}
"""The acts by which a case takes a step, and where it stands right after each: resumed, where it was held."""
_FALLEN = {ObligationState.QUASHED, ObligationState.REFUNDED}


@dataclass(frozen=True, slots=True)
class _Step:
    """A signed step: the version of the case that the signer saw, and the day on which it was recorded."""

    version: int
    verb: str
    signer: str
    on: date


@dataclass(slots=True)
class _Around:
    """What steps of a case are measured by."""

    steps: list[_Step] = field(default_factory=list)
    payments: list[Disbursement] = field(default_factory=list)
    owed: set[ObligationState] = field(default_factory=set)
    has_refunds: bool = False
    amended: set[int] = field(default_factory=set)
    """The versions that corrections and reductions have made."""

    def last(self, *verbs: str) -> _Step | None:
        """The last step by one of these verbs, or None."""
        return next((step for step in reversed(self.steps) if step.verb in verbs), None)

    def is_owed_again(self, since: date) -> bool:
        """Whether a payment has come back since that day."""
        return any(one.returned_recorded_on is not None and one.returned_recorded_on >= since for one in self.payments)


def find_steps(session: Session, tell: Tell) -> Iterator[Finding]:
    """Cases that took a step which nobody signed, or that do not stand where signed steps have brought them."""
    done = 0
    for page in paged(session, Case, Case.alias):
        around = _around(session, [case.alias for case in page])
        for case in page:
            for where in _wrong(case, around[case.alias]):
                yield Finding("case-steps", "case", case.alias, {"state": case.state, "where": where})
        done += len(page)
        tell(done, done)


def _wrong(case: Case, around: _Around) -> Iterator[str]:
    """What of a case no act says, or which act's step it does not show."""
    yield from _unsigned(case, around)
    if not around.steps:
        return
    last = around.steps[-1]
    if len({step.version for step in around.steps}) < len(around.steps) or last.version >= case.version:
        yield "version"
    told = _LEADS_TO[last.verb]
    if last.version + 1 == case.version and (case.state is State.ON_HOLD if told is None else case.state is not told):
        yield last.verb  # nothing has happened since: it stands just there
    yield from _undone(case, around)


def _unsigned(case: Case, around: _Around) -> Iterator[str]:
    """Steps for which there is no act."""
    confirmed_on = {step.on for step in around.steps if step.verb == "confirm_case"}
    by_bank = [one for one in around.payments if one.account_code.partition(":")[0] == BANK]
    if any(one.receipt_on is not None and one.receipt_on not in confirmed_on for one in by_bank):
        yield "receipt_on"  # an agent's receipt is verified with the results
    standing = case.resumes_as or case.state
    is_paid = any(one.state is PaymentState.PAID for one in around.payments)
    is_over = around.owed <= _FALLEN
    if standing in {State.CONFIRMED, State.CLOSED} and not is_over and not is_paid and not confirmed_on:
        yield "confirm_case"
    if standing is State.CLOSED and not is_over and around.last("close_case") is None:
        yield "close_case"
    steered = around.last("hold_case", "resume_case")
    if case.state is State.ON_HOLD and (steered is None or steered.verb != "hold_case"):
        yield "hold_case"


def _undone(case: Case, around: _Around) -> Iterator[str]:
    """Acts whose step nothing that is booked can have taken back."""
    verified = around.last("verify_case")
    if verified is not None and (case.verified_by != verified.signer or case.state is State.RECEIVED):
        yield "verify_case"
    if verified is not None:
        made = {1, *around.amended, *(step.version + 1 for step in around.steps)}
        if not made >= {*range(1, verified.version + 1)}:
            yield "correction"  # who made a version that was verified agrees to nothing of the case
    left = around.last("reject_case", "withdraw_case", "mark_duplicate")
    if left is not None and case.state is not _LEADS_TO[left.verb]:
        yield left.verb
    steered = around.last("hold_case", "resume_case")
    if steered is not None and steered.verb == "hold_case" and case.state not in {State.ON_HOLD, State.CLOSED, *LEFT}:
        yield "resume_case"
    standing = case.resumes_as or case.state
    closed, confirmed = around.last("close_case"), around.last("confirm_case")
    if closed is not None and standing is not State.CLOSED:
        reopened = around.has_refunds and standing is State.CONFIRMED
        if not reopened and not around.is_owed_again(closed.on):
            yield "close_case"
    if confirmed is not None and not around.is_owed_again(confirmed.on):
        before = [one for one in around.payments if one.paid_recorded_on and one.paid_recorded_on < confirmed.on]
        if standing not in {State.CONFIRMED, State.CLOSED} or any(one.receipt_on is None for one in before):
            yield "confirm_case"


def _around(session: Session, aliases: Sequence[str]) -> dict[str, _Around]:
    found = {alias: _Around() for alias in aliases}
    acts = select(SignedAct).where(col(SignedAct.object).in_(aliases), col(SignedAct.verb).in_(_LEADS_TO))
    for act in session.exec(acts):
        found[act.object].steps.append(_Step(_version(act), act.verb, act.signer, act.recorded_at.date()))
    for payment in session.exec(select(Disbursement).where(col(Disbursement.case_alias).in_(aliases))):
        found[payment.case_alias].payments.append(payment)
    owed = select(Obligation.alias, Obligation.case_alias, Obligation.state)
    of_case = {}
    for alias, case, state in session.exec(owed.where(col(Obligation.case_alias).in_(aliases))):
        found[case].owed.add(ObligationState(state))
        of_case[alias] = case
    for alias in session.exec(select(Refund.obligation_alias).where(col(Refund.obligation_alias).in_(of_case))):
        found[of_case[alias]].has_refunds = True
    for alias, version in _amended(session, aliases):
        found[alias].amended.add(version)
    for one in found.values():
        one.steps.sort(key=lambda step: step.version)
    return found


def _amended(session: Session, aliases: Sequence[str]) -> Iterator[tuple[str, int]]:
    """By case: the versions that corrections and reductions have made."""
    corrected = select(Correction.case_alias, Correction.version).where(col(Correction.case_alias).in_(aliases))
    yield from session.exec(corrected)
    reduced = select(SignedAct, Ruling.case_alias).join(Ruling, col(Ruling.alias) == SignedAct.object)
    reduced = reduced.where(SignedAct.verb == "reduce_ruling", col(Ruling.case_alias).in_(aliases))
    for act, case in session.exec(reduced):
        yield case, _version(act) + 1


def _version(act: SignedAct) -> int:
    """The version that the signer saw; whether the act holds is for the check of acts."""
    return int(json.loads(act.document)["version"])


CHECKS = (Check("case-steps", "a case stands where signed steps and booked facts have brought it", find_steps),)
