"""The signed acts of aid: verification, rejection, approval and release, each restated by its signer and kept."""

from collections.abc import Collection, Iterable

from sqlmodel import Session

from ledger import approvals, limits
from ledger.aid import (
    assessments,
    batch_lines,
    caps,
    cases,
    corrections,
    disbursements,
    exits,
    intake,
    jurisdictions,
    obligations,
    quashing,
    rules,
    rulings,
)
from ledger.aid.assessments import NewAssessment
from ledger.aid.cases import Case
from ledger.aid.disbursements import Disbursement
from ledger.aid.eligibility import Rejection
from ledger.approvals import Agreed, Verb
from ledger.errors import Refused
from ledger.identities import evidence, shelves
from ledger.identities.evidence import EvidenceFile
from ledger.money import Money
from ledger.people import Operator


class PossibleDuplicate(Refused):
    """Other cases share the ruling's token; the reviewer looks at them and names them as no duplicates, or rejects."""

    rule = "possible_duplicate"


class EvidenceNotOpened(Refused):
    """The signer was not handed the current boxes: nobody agrees to what they have not seen."""

    rule = "evidence_not_opened"


def verify_case(
    session: Session, alias: str, agreed: Agreed, *, assessment: NewAssessment, not_duplicates: Collection[str] = ()
) -> Case:
    """Verifies a case: the signer's client has opened it and asked the rules about its exact dates.

    The act's `payee_commitment` is that of the `assessment`: which pack answered what.
    The act names the cases that share its ruling and were found to be others, whose boxes the signer has opened too,
    and no others: `verify_case:C-…+C-…`. It covers each pair, and nobody is asked about one again.

    Raises:
        EvidenceMissing: a file that the pack asks for. UnknownCase: a named one is none. EvidenceNotOpened,
            CaseNotReady, and what `approvals.accept` and `assessments.keep` raise.
        PossibleDuplicate: other cases share its ruling and are not named in `not_duplicates`.
    """
    locked = {one: cases.require(session, one, lock=True) for one in sorted({alias, *not_duplicates})}
    case = locked.pop(alias)
    require_looked(session, case, agreed.signer)
    others = set(intake.possible_duplicates(session, alias))
    if not others <= set(not_duplicates):
        raise PossibleDuplicate("other cases share the ruling", case=alias, others=len(others))
    for other in sorted(others):
        require_opened(session, locked[other], agreed.signer, boxes_of(session, locked[other]))
    pack, files = jurisdictions.load(case.jurisdiction), _kinds(files_of(session, case))
    for obligation in obligations.of_case(session, alias):
        rules.require_files(pack, kind=obligation.kind, received_on=case.received_on, files=files)
    detail = "+".join(sorted(others)) or None  # a pair that nobody asks about has no row to be signed for
    with session.begin_nested():  # act and effect, or neither
        commitment = assessment.assessed.commitment()
        accept_on_case(session, agreed, "verify_case", case, detail=detail, payee_commitment=commitment)
        cases.verify(session, case, by=agreed.signer.alias, on=agreed.now.date())
        assessments.keep(session, case, assessment, signed_on=agreed.act.at.date(), files=sorted(files))
        intake.settle(session, alias, others, by=agreed.signer.alias, on=agreed.now.date())
    return case


def reject_case(session: Session, alias: str, agreed: Agreed, *, because: Rejection) -> Case:
    """Rejects a case that is not paid, with a code that stands in the act (`reject_case:illegible`); see `exits`.

    Raises:
        CaseNotReady, MoneyUnderWay, and what `approvals.accept` raises.
    """
    on = agreed.now.date()
    with session.begin_nested():
        case = exits.clear(session, alias, by=agreed.signer.alias, on=on, recorded_at=agreed.now)
        accept_on_case(session, agreed, "reject_case", case, detail=because)
        cases.reject(session, case, because=because, on=on)
    return case


def approve_disbursement(session: Session, alias: str, agreed: Agreed) -> Disbursement:
    """Approves a disbursement: another person than who entered, verified, asked or brought evidence, who has opened it.

    Who receives the money stands in the act: `approve_disbursement:authority`.
    Above the limit for a third person it stays requested until two of them have signed the very same thing.

    Raises:
        SamePerson, OverLimit, EvidenceNotOpened, EvidenceMissing, NotEligible, OverPersonCap, WouldOverdraw, NoRate,
        DisbursementNotReady, CaseNotReady, InBatch, and what `approvals.accept` raises.
    """
    disbursement = disbursements.require(session, alias, lock=True)
    batch_lines.require_single(session, alias)
    case = cases.require(session, disbursement.case_alias)
    authors = corrections.authors_of(session, [case])[case.alias]
    earlier = {*authors, case.verified_by, disbursement.requested_by}
    files = files_of(session, case)
    approvals.require_other(agreed.signer.alias, than=earlier | {file.signer for file in files})
    seen = evidence_of(session, case)
    require_opened(session, case, agreed.signer, [*seen, disbursement.payee_commitment])
    obligation = obligations.require(session, disbursement.obligation_alias)
    ruling = obligations.ruling_of(session, obligation)
    pack = jurisdictions.load(case.jurisdiction)
    rules.require_lawful(
        pack, article=ruling.article, kind=obligation.kind, ruled_by=ruling.ruled_by, on=agreed.now.date()
    )
    rules.require_files(pack, kind=obligation.kind, received_on=case.received_on, files=_kinds(files))
    caps.require_within(session, [disbursement], by=agreed.signer.alias, on=agreed.now.date())
    with session.begin_nested():
        _accept_disbursement(session, agreed, "approve_disbursement", disbursement, seen, detail=disbursement.payee)
        if limits.is_enough(session, agreed, whole=obligation.amount()):
            disbursements.approve(session, disbursement, by=agreed.signer.alias, on=agreed.now.date())
    return disbursement


def release_disbursement(session: Session, alias: str, agreed: Agreed) -> Disbursement:
    """Releases an approved disbursement to the bank: another person than all who approved it.

    Raises:
        SamePerson, NotAgreed, NotEligible, WouldOverdraw, DisbursementNotReady, ObligationNotReady, InBatch, and what
        `approvals.accept` raises.
    """
    disbursement = disbursements.require(session, alias, lock=True)
    batch_lines.require_single(session, alias)
    approvers = approvals.signers_of(session, alias, verb="approve_disbursement")
    approvals.require_other(agreed.signer.alias, than={disbursement.approved_by, *approvers})
    if disbursement.state is disbursements.State.APPROVED:
        approvals.require_agreed(
            session,
            alias,
            verb="approve_disbursement",
            amount=disbursement.amount(),
            payee_commitment=disbursement.payee_commitment,
        )
        limits.require_enough(
            session,
            alias,
            verb="approve_disbursement",
            amount=disbursement.amount(),
            payee_commitment=disbursement.payee_commitment,
            whole=obligations.require(session, disbursement.obligation_alias).amount(),
        )
    case = cases.require(session, disbursement.case_alias)
    with session.begin_nested():
        _accept_disbursement(session, agreed, "release_disbursement", disbursement, evidence_of(session, case))
        disbursements.release(
            session, disbursement, by=agreed.signer.alias, on=agreed.now.date(), recorded_at=agreed.now
        )
    return disbursement


def quash_ruling(session: Session, alias: str, agreed: Agreed) -> Case:
    """Notes that a ruling was quashed: what is unpaid is not owed any more, what was paid is to be refunded.

    Raises:
        UnknownRuling, AlreadyQuashed, MoneyUnderWay, EvidenceNotOpened, and what `approvals.accept` raises.
    """
    ruling = rulings.require(session, alias)
    case = cases.require(session, ruling.case_alias)
    require_looked(session, case, agreed.signer)
    with session.begin_nested():
        accept_on_case(session, agreed, "quash_ruling", case, object_alias=alias)
        quashing.quash(session, ruling, by=agreed.signer.alias, on=agreed.now.date(), recorded_at=agreed.now)
    return case


def owed(session: Session, case: Case) -> Money:
    """The sum of a case's obligations, which all are in its jurisdiction's currency."""
    zero = Money(0, jurisdictions.load(case.jurisdiction).currency)
    return sum((obligation.amount() for obligation in obligations.of_case(session, case.alias)), zero)


def evidence_of(session: Session, case: Case) -> list[str]:
    """The sorted commitments of what a case rests on, in the newest versions: what every act about it restates."""
    return sorted([*boxes_of(session, case), *(file.commitment for file in files_of(session, case))])


def boxes_of(session: Session, case: Case) -> list[str]:
    """The sorted commitments of the newest boxes of a case: who, what was ruled, and what else is owed for it."""
    things = [case.beneficiary_alias, *(ruling.alias for ruling in rulings.of_case(session, case.alias))]
    things += [obligation.alias for obligation in obligations.of_case(session, case.alias)]
    return shelves.commitments(session, things)


def files_of(session: Session, case: Case) -> list[EvidenceFile]:
    """The files of evidence of a case, each in its newest version."""
    return evidence.current(session, [case.alias])[case.alias]


def _kinds(files: Iterable[EvidenceFile]) -> set[str]:
    """What a case's files show. A file is signed as of its kind, so it stands in what every act restates."""
    return {file.kind for file in files}


def require_looked(session: Session, case: Case, signer: Operator) -> None:
    """Refuses an act of somebody who has not opened all that a case rests on, but for the files they brought.

    Raises:
        EvidenceNotOpened: see there.
    """
    brought = {file.commitment for file in files_of(session, case) if file.signer == signer.alias}
    require_opened(session, case, signer, [one for one in evidence_of(session, case) if one not in brought])


def require_opened(session: Session, case: Case, signer: Operator, needed: Collection[str]) -> None:
    """Refuses an act of somebody who has not looked.

    Raises:
        EvidenceNotOpened: see there.
    """
    if not shelves.has_opened(session, operator=signer.alias, shelf=case.beneficiary_alias, needed=list(needed)):
        raise EvidenceNotOpened("the signer has not opened the current evidence", case=case.alias)


def accept_on_case(
    session: Session,
    agreed: Agreed,
    verb: Verb,
    case: Case,
    *,
    detail: str | None = None,
    object_alias: str | None = None,
    payee_commitment: str | None = None,
) -> None:
    """As `approvals.accept`, for an act about a case, or one of its rulings: it restates what is owed and evidence."""
    approvals.accept(
        session,
        agreed,
        verb=verb,
        object_alias=object_alias or case.alias,
        version=case.version,
        detail=detail,
        amount=owed(session, case),
        payee_commitment=payee_commitment,
        evidence_commitments=evidence_of(session, case),
    )


def _accept_disbursement(
    session: Session,
    agreed: Agreed,
    verb: Verb,
    disbursement: Disbursement,
    evidence: list[str],
    *,
    detail: str | None = None,
) -> None:
    limits.require_within(
        session,
        agreed,
        verb=verb,
        object_alias=disbursement.alias,
        amount=disbursement.amount(),
        whole=obligations.require(session, disbursement.obligation_alias).amount(),
    )
    approvals.accept(
        session,
        agreed,
        verb=verb,
        object_alias=disbursement.alias,
        version=disbursement.version,
        detail=detail,
        amount=disbursement.amount(),
        payee_commitment=disbursement.payee_commitment,
        evidence_commitments=evidence,
    )
