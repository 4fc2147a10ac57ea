"""The signed acts on batches: one signature over the hash of all lines, and every rule kept for each of them."""

from collections.abc import Iterable, Mapping
from datetime import date

from sqlmodel import Session, col, select

from ledger import approvals, limits
from ledger.aid import batch_lines, batches, caps, corrections, jurisdictions, rules
from ledger.aid.acts import EvidenceNotOpened
from ledger.aid.batch_lines import Item
from ledger.aid.batches import Batch
from ledger.aid.cases import Case
from ledger.aid.eligibility import NotEligible
from ledger.aid.obligations import Obligation
from ledger.aid.rules import EvidenceMissing
from ledger.aid.rulings import Ruling
from ledger.approvals import Agreed, Verb
from ledger.errors import LedgerError
from ledger.identities import evidence, shelves
from ledger.identities.evidence import EvidenceFile
from ledger.money import Money


def approve_batch(session: Session, alias: str, agreed: Agreed) -> Batch:
    """Approves a locked batch: nobody who entered, verified, asked or brought evidence, and who has opened everything.

    Above the limit for a third person it stays locked until two of them have signed the very same thing.
    Lines that are on hold or fell away are left out, and bound by no rule any more: see `batches.leave_out`.

    Raises:
        EvidenceNotOpened, EvidenceMissing, NotEligible, OverPersonCap: one line does not hold. LinesRefused: several.
        SamePerson, BatchNotReady, BatchAltered, AgentNotActive, OverCap, WouldOverdraw, NoRate, DisbursementNotReady,
        ObligationNotReady, CaseNotReady, and what `approvals.accept` raises.
    """
    batch = batches.require(session, alias, lock=True)
    found = batch_lines.items(session, alias, lock=True)
    batches.require_unaltered(batch, found)
    earlier = {batch.requested_by, *(item.disbursement.requested_by for item in found)}
    authors = corrections.authors_of(session, [item.case for item in found])
    earlier |= {person for people in authors.values() for person in people}
    files = _files_of(session, found)
    earlier |= {file.signer for of_case in files.values() for file in of_case}
    approvals.require_other(agreed.signer.alias, than=earlier | {item.case.verified_by for item in found})
    needed = evidence_of(session, [item.case for item in found])
    standing = [item for item in found if item.left_out() is None]
    seen = shelves.handed_out(
        session, operator=agreed.signer.alias, shelves=[item.case.beneficiary_alias for item in standing]
    )
    refused: list[LedgerError] = []
    for item in standing:
        try:
            _require_opened(item, needed, seen)
            _require_rules(item, files[item.case.alias], on=agreed.now.date())
        except (EvidenceNotOpened, NotEligible, EvidenceMissing) as refusal:
            refusal.data["case"] = item.case.alias
            refused.append(refusal)
    paying = [item.disbursement for item in standing]
    refused += caps.over(session, paying, by=agreed.signer.alias, on=agreed.now.date())
    batch_lines.require_none(refused)
    with session.begin_nested():  # act and effect, or neither
        _accept(session, agreed, "approve_batch", batch, needed, whole=_whole(batch, found))
        if limits.is_enough(session, agreed, whole=_whole(batch, found)):
            going = batches.leave_out(session, batch, found, on=agreed.now.date())
            batches.approve(session, batch, going, by=agreed.signer.alias, on=agreed.now.date())
    return batch


def release_batch(session: Session, alias: str, agreed: Agreed) -> Batch:
    """Releases an approved batch to the bank or to its agent: another person than all who approved it.

    Lines that are on hold or fell away are left out, and bound by no rule any more: see `batches.leave_out`.

    Raises:
        SamePerson, NotEligible, BatchNotReady, BatchAltered, NotAgreed, AgentNotActive, OverCap, WouldOverdraw,
        DisbursementNotReady, ObligationNotReady, and what `approvals.accept` raises.
    """
    batch = batches.require(session, alias, lock=True)
    approvers = approvals.signers_of(session, alias, verb="approve_batch")
    approvals.require_other(agreed.signer.alias, than={batch.approved_by, *approvers})
    found = batch_lines.items(session, alias, lock=True)
    batches.require_unaltered(batch, found)
    if batch.state is batches.State.APPROVED:
        approvals.require_agreed(
            session, alias, verb="approve_batch", amount=batch.amount(), payee_commitment=batch.digest
        )
        limits.require_enough(
            session,
            alias,
            verb="approve_batch",
            amount=batch.amount(),
            payee_commitment=batch.digest,
            whole=_whole(batch, found),
        )
    rests_on = evidence_of(session, [item.case for item in found])
    with session.begin_nested():
        _accept(session, agreed, "release_batch", batch, rests_on, whole=_whole(batch, found))
        going = batches.leave_out(session, batch, found, on=agreed.now.date())
        batches.release(session, batch, going, by=agreed.signer.alias, on=agreed.now.date(), recorded_at=agreed.now)
    return batch


def evidence_of(session: Session, found: Iterable[Case]) -> dict[str, list[str]]:
    """By case: the sorted commitments of what it rests on, as `acts.evidence_of` has them, all at once."""
    things = {case.alias: [case.beneficiary_alias] for case in found}
    for table in (Ruling, Obligation):
        for case, alias in session.exec(select(table.case_alias, table.alias).where(col(table.case_alias).in_(things))):
            things[case].append(alias)
    kept = shelves.commitments_by_alias(session, [alias for aliases in things.values() for alias in aliases])
    files = evidence.current(session, things)
    return {
        case: sorted(
            [
                *(commitment for alias in aliases for commitment in kept.get(alias, [])),
                *(file.commitment for file in files[case]),
            ]
        )
        for case, aliases in things.items()
    }


def _files_of(session: Session, found: Iterable[Item]) -> dict[str, list[EvidenceFile]]:
    return evidence.current(session, {item.case.alias for item in found})


def _require_opened(item: Item, rests_on: Mapping[str, list[str]], seen: Mapping[str, set[str]]) -> None:
    needed = {*rests_on[item.case.alias], item.disbursement.payee_commitment}
    if not needed <= seen.get(item.case.beneficiary_alias, set()):
        raise EvidenceNotOpened("the signer has not opened the current evidence")


def _require_rules(item: Item, files: Iterable[EvidenceFile], *, on: date) -> None:
    pack = jurisdictions.load(item.case.jurisdiction)
    kind = item.obligation.kind
    rules.require_lawful(pack, article=item.ruling.article, kind=kind, ruled_by=item.ruling.ruled_by, on=on)
    kinds = {file.kind for file in files}
    rules.require_files(pack, kind=kind, received_on=item.case.received_on, files=kinds)


def _whole(batch: Batch, found: Iterable[Item]) -> Money:
    """What the lines pay parts of, by which a batch is judged: as much as it pays, when it pays no parts."""
    return Money(sum(max(item.obligation.minor, item.disbursement.minor) for item in found), batch.currency)


def _accept(
    session: Session, agreed: Agreed, verb: Verb, batch: Batch, rests_on: dict[str, list[str]], *, whole: Money
) -> None:
    limits.require_within(session, agreed, verb=verb, object_alias=batch.alias, amount=batch.amount(), whole=whole)
    approvals.accept(
        session,
        agreed,
        verb=verb,
        object_alias=batch.alias,
        version=batch.version,
        amount=batch.amount(),
        payee_commitment=batch.digest,
        evidence_commitments=[commitment for one in rests_on.values() for commitment in one],
    )
