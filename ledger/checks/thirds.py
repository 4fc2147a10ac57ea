"""The check of third signatures: what lies above the limit for a third person was signed by two beside who asked."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from ledger import limits, people
from ledger.aid import outlays, purse_movements
from ledger.aid.advances import Advance, commitment_of
from ledger.aid.batch_lines import BatchLine
from ledger.aid.batches import Batch
from ledger.aid.disbursements import Disbursement
from ledger.aid.obligations import Obligation
from ledger.aid.outlays import Repayment
from ledger.aid.purse_movements import PurseMovement
from ledger.approvals import NotAgreed, Verb
from ledger.checks.findings import Check, Finding, Tell, paged
from ledger.errors import LedgerError
from ledger.money import Money
from ledger.people import Role, RosterVersion
from ledger.reconciliation import resolutions

Approved = tuple[str, str, Verb, Money, str, Money]
"""The kind of thing, its alias, the verb, what the act restates, and the whole of which that may be a part."""


def find_missing(session: Session, _tell: Tell) -> Iterator[Finding]:
    """What was approved and too few have signed, by the limits of the roster of their time."""
    lowest = _lowest(session)
    for kind, alias, verb, amount, commitment, whole in _approved(session, lowest):
        told: dict[str, Any] = {"amount": amount, "payee_commitment": commitment, "whole": whole}
        try:
            limits.require_enough(session, alias, verb=verb, **told)
        except NotAgreed:
            yield Finding("third-person", kind, alias, {"verb": verb, "minor": amount.minor})


def _approved(session: Session, lowest: Mapping[str, int]) -> Iterator[Approved]:
    """What an approver agreed to, above the lowest limit for a third person that any roster has had."""
    for currency, minor in lowest.items():
        yield from _payments(session, currency, minor)
        yield from _batches(session, currency, minor)
        above = (col(Advance.minor) > minor, col(Advance.currency) == currency)
        for advances in paged(session, Advance, Advance.alias, col(Advance.approved_by).is_not(None), *above):
            for advance in advances:
                told = (advance.amount(), commitment_of(session, advance), advance.amount())
                yield "advance", advance.alias, "approve_advance", *told
        above = (col(Repayment.minor) > minor, col(Repayment.currency) == currency)
        for repayments in paged(session, Repayment, Repayment.alias, col(Repayment.approved_by).is_not(None), *above):
            for one in repayments:
                told = (one.amount(), outlays.commitment_of(one), one.amount())
                yield "repayment", one.alias, "approve_outlay", *told
        above = (col(PurseMovement.minor) > minor, col(PurseMovement.currency) == currency)
        agreed = col(PurseMovement.agreed_by).is_not(None)
        for movements in paged(session, PurseMovement, PurseMovement.alias, agreed, *above):
            for moved in movements:
                told = (moved.amount(), purse_movements.commitment_of(moved), moved.amount())
                yield "movement", moved.alias, "approve_purse_movement", *told
    yield from _given_up(session, lowest)


def _payments(session: Session, currency: str, minor: int) -> Iterator[Approved]:
    """Those that were agreed to by themselves; the others were with their batch."""
    owed = select(Obligation.alias).where(Obligation.minor > minor, Obligation.currency == currency)
    single = col(Disbursement.alias).not_in(select(BatchLine.disbursement_alias))
    where = (col(Disbursement.approved_by).is_not(None), single, col(Disbursement.obligation_alias).in_(owed))
    for page in paged(session, Disbursement, Disbursement.alias, *where):
        wholes = _wholes(session, [one.obligation_alias for one in page])
        for one in page:
            whole = Money(wholes[one.obligation_alias], currency)
            yield "disbursement", one.alias, "approve_disbursement", one.amount(), one.payee_commitment, whole


def _batches(session: Session, currency: str, minor: int) -> Iterator[Approved]:
    lines = select(BatchLine.batch_alias, func.sum(Obligation.minor)).join(
        Disbursement, col(Disbursement.alias) == BatchLine.disbursement_alias
    )
    lines = lines.join(Obligation, col(Obligation.alias) == Disbursement.obligation_alias)
    lines = lines.group_by(BatchLine.batch_alias)
    where = (col(Batch.approved_by).is_not(None), col(Batch.currency) == currency)
    for page in paged(session, Batch, Batch.alias, *where):
        of_page = lines.where(col(BatchLine.batch_alias).in_([one.alias for one in page]))
        wholes = {alias: int(total) for alias, total in session.exec(of_page)}
        for one in page:
            whole = Money(max(one.minor, wholes.get(one.alias, 0)), currency)
            if whole.minor > minor:
                yield "batch", one.alias, "approve_batch", one.amount(), one.digest or "", whole


def _wholes(session: Session, aliases: Sequence[str]) -> dict[str, int]:
    query = select(Obligation.alias, Obligation.minor).where(col(Obligation.alias).in_(aliases))
    return dict(session.exec(query).all())


def _given_up(session: Session, lowest: Mapping[str, int]) -> Iterator[Approved]:
    for said, agreement in resolutions.listed(session):
        is_loss = agreement is not None and resolutions.verb_of(said) == "agree_loss"
        if is_loss and said.settles_minor > lowest.get(said.currency, said.settles_minor):
            told = (said.amount(), resolutions.commitment_of(said), said.settles())
            yield "resolution", said.about, "agree_loss", *told


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
