"""The check of third signatures: what lies above the limit for a third person was signed by two beside who asked."""

from collections.abc import Iterator, Mapping

from sqlmodel import Session, col, select

from ledger import limits, people
from ledger.aid import outlays
from ledger.aid.advances import Advance, commitment_of
from ledger.aid.batch_lines import BatchLine
from ledger.aid.batches import Batch
from ledger.aid.disbursements import Disbursement
from ledger.aid.outlays import Repayment
from ledger.approvals import NotAgreed, Verb
from ledger.checks.findings import Check, Finding, Tell, paged
from ledger.errors import LedgerError
from ledger.money import Money
from ledger.people import Role, RosterVersion
from ledger.reconciliation import resolutions

Approved = tuple[str, str, Verb, Money, str]
"""The kind of thing, its alias, the verb, and the amount and commitment that the act restates."""


def find_missing(session: Session, _tell: Tell) -> Iterator[Finding]:
    """What was approved and too few have signed, by the limits of the roster of their time."""
    lowest = _lowest(session)
    for kind, alias, verb, amount, commitment in _approved(session, lowest):
        try:
            limits.require_enough(session, alias, verb=verb, amount=amount, payee_commitment=commitment)
        except NotAgreed:
            yield Finding("third-person", kind, alias, {"verb": verb, "minor": amount.minor})


def _approved(session: Session, lowest: Mapping[str, int]) -> Iterator[Approved]:
    """What an approver agreed to, above the lowest limit for a third person that any roster has had."""
    batched = select(BatchLine.disbursement_alias)
    single = col(Disbursement.alias).not_in(batched)  # the others were agreed to with their batch
    for currency, minor in lowest.items():
        above = (col(Disbursement.minor) > minor, col(Disbursement.currency) == currency)
        payments = col(Disbursement.approved_by).is_not(None)
        for page in paged(session, Disbursement, Disbursement.alias, payments, single, *above):
            for payment in page:
                yield "disbursement", payment.alias, "approve_disbursement", payment.amount(), payment.payee_commitment
        above = (col(Batch.minor) > minor, col(Batch.currency) == currency)
        for batches in paged(session, Batch, Batch.alias, col(Batch.approved_by).is_not(None), *above):
            for batch in batches:
                yield "batch", batch.alias, "approve_batch", batch.amount(), batch.digest or ""
        above = (col(Advance.minor) > minor, col(Advance.currency) == currency)
        for advances in paged(session, Advance, Advance.alias, col(Advance.approved_by).is_not(None), *above):
            for advance in advances:
                yield "advance", advance.alias, "approve_advance", advance.amount(), commitment_of(session, advance)
        above = (col(Repayment.minor) > minor, col(Repayment.currency) == currency)
        for repayments in paged(session, Repayment, Repayment.alias, col(Repayment.approved_by).is_not(None), *above):
            for one in repayments:
                yield "repayment", one.alias, "approve_outlay", one.amount(), outlays.commitment_of(one)
    yield from _given_up(session, lowest)


def _given_up(session: Session, lowest: Mapping[str, int]) -> Iterator[Approved]:
    for said in resolutions.listed(session):
        is_loss = said.agreed_by is not None and resolutions.verb_of(said) == "agree_loss"
        if is_loss and said.settles_minor > lowest.get(said.currency, said.settles_minor):
            yield "resolution", said.about, "agree_loss", said.amount(), resolutions.commitment_of(said)


def _lowest(session: Session) -> dict[str, int]:
    """By currency: the lowest amount in minor units above which any roster has asked for a third person."""
    lowest: dict[str, int] = {}
    for version in people.versions(session):
        for currency, minor in _thirds(version):
            lowest[currency] = min(minor, lowest.get(currency, minor))
    return lowest


def _thirds(version: RosterVersion) -> Iterator[tuple[str, int]]:
    try:
        roster = people.read_roster(version.document)
    except LedgerError:  # found by the check of rosters
        return
    for limit in roster.limits:
        above = limit.most("third_above")
        if limit.role is Role.APPROVER and above is not None:
            yield limit.currency, above.minor


CHECKS = (
    Check("third-person", "what lies above the limit for a third person was signed by two approvers", find_missing),
)
