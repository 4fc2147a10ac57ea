"""Checks of donors and their receipts: numbers without a gap, each of standing gifts, each signed, nobody's twice."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from ledger import book
from ledger.approvals import SignedAct, Verb, stated
from ledger.checks.findings import Check, Finding, Tell, paged
from ledger.giving import donors, receipts
from ledger.giving.confirmations import ConfirmationSetting
from ledger.giving.donors import DonorLink, DonorMerge
from ledger.giving.receipts import NewReceipt, Receipt, ReceiptGift, ReceiptVoid, Voided
from ledger.money import Money


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that stands because of the act of this nonce: what of which name, and what the act says about what."""

    kind: str
    name: str
    object: str
    nonce: str
    verb: Verb
    detail: str | None = None
    restated: Mapping[str, Any] = field(default_factory=dict)


def find_gaps(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Years whose receipts are not numbered from one on, and settings or links that are not."""
    counted = (func.count(), func.min(Receipt.number), func.max(Receipt.number))
    for year, count, first, last in session.exec(select(Receipt.year, *counted).group_by(col(Receipt.year))):
        if (first, last) != (1, count):
            yield Finding("receipt-numbers", "year", str(year), {"receipts": count, "last": last})
    count, last = session.exec(select(func.count(), func.max(ConfirmationSetting.number))).one()
    if count != (last or 0):
        yield Finding("receipt-numbers", "setting", str(last), {"settings": count})
    of_gift = (func.count(), func.min(DonorLink.number), func.max(DonorLink.number))
    rows = session.exec(select(DonorLink.donation_alias, *of_gift).group_by(col(DonorLink.donation_alias)))
    for gift, count, first, last in rows:
        if (first, last) != (1, count):
            yield Finding("receipt-numbers", "donation", gift, {"links": count, "last": last})


def find_uncovered(session: Session, tell: Tell) -> Iterator[Finding]:
    """Receipts that are not the sum of their gifts, and valid ones that certify what is not left, or another's gift."""
    done = 0
    root = donors.roots(session)
    for page in paged(session, Receipt, Receipt.alias):
        parts = receipts.gifts_on(session, [one.alias for one in page])
        void = receipts.voids(session, list(parts))
        certified = select(ReceiptGift.donation_alias).where(col(ReceiptGift.receipt_alias).in_(parts))
        owners = donors.owners(session, certified)
        for one in page:
            if sum(part.minor for part, _ in parts[one.alias]) != one.minor or any(
                gift.currency != one.currency for _, gift in parts[one.alias]
            ):
                yield Finding("receipts", "receipt", one.alias, {"where": "amount"})
            if one.alias in void:
                continue
            for part, gift in parts[one.alias]:
                if receipts.uncovered(session, gift, part.minor):
                    yield Finding("receipts", "receipt", one.alias, {"donation": gift.alias, "where": "left"})
                if owners.get(gift.alias) != root.get(one.donor_alias, one.donor_alias):
                    yield Finding("receipts", "receipt", one.alias, {"donation": gift.alias, "where": "donor"})
        done += len(page)
        tell(done, done)
    yield from _find_twice(session)


def _find_twice(session: Session) -> Iterator[Finding]:
    """Gifts on two valid receipts, and parts of receipts that there are not."""
    valid = col(ReceiptGift.receipt_alias).not_in(select(ReceiptVoid.receipt_alias))
    query = select(ReceiptGift.donation_alias, func.count()).where(valid).group_by(col(ReceiptGift.donation_alias))
    for gift, count in session.exec(query.having(func.count() > 1)):
        yield Finding("receipts", "donation", gift, {"receipts": count})
    missing = col(ReceiptGift.receipt_alias).not_in(select(Receipt.alias))
    for alias in sorted(set(session.exec(select(ReceiptGift.receipt_alias).where(missing)))):
        yield Finding("receipts", "receipt", alias, {"where": "receipt"})


def find_unsigned(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Receipts, their ends, merged donors and settings whose signed act is missing or says something else."""
    settings = _of_settings(session)
    for claim in (*_of_receipts(session), *_of_voids(session), *_of_merges(session), *settings):
        if not _is_signed(session, claim):
            yield Finding("receipts-signed", claim.kind, claim.name, {"verb": claim.verb})


def _of_receipts(session: Session) -> Iterator[Claim]:
    for page in paged(session, Receipt, Receipt.alias):
        parts = receipts.gifts_on(session, [one.alias for one in page])
        for one in page:
            new = NewReceipt(
                one.alias,
                one.donor_alias,
                one.year,
                one.number,
                [(part.donation_alias, Money(part.minor, one.currency)) for part, _ in parts[one.alias]],
                one.commitment,
                one.replaces,
            )
            said = {"amount": one.amount().decimal(), "currency": one.currency, "payee_commitment": new.digest()}
            yield Claim("receipt", one.alias, one.alias, one.nonce, "issue_receipt", None, said)


def _of_voids(session: Session) -> Iterator[Claim]:
    next_ones = {one.replaces: one for one in session.exec(select(Receipt).where(col(Receipt.replaces).is_not(None)))}
    for void in session.exec(select(ReceiptVoid)):
        alias = void.receipt_alias
        if void.reason is not Voided.REPLACED:
            yield Claim("receipt", alias, alias, void.nonce, "cancel_receipt", void.reason)
        elif alias not in next_ones or next_ones[alias].nonce != void.nonce:  # whose act names this one
            yield Claim("receipt", alias, alias, "", "issue_receipt")


def _of_merges(session: Session) -> Iterator[Claim]:
    for one in session.exec(select(DonorMerge)):
        yield Claim("donor", one.alias, one.alias, one.nonce, "merge_donors", one.into_alias)


def _of_settings(session: Session) -> Iterator[Claim]:
    book_id = book.require(session).book_id
    for one in session.exec(select(ConfirmationSetting)):
        detail, said = "on" if one.switched_on else "off", {"version": one.number}
        yield Claim("setting", str(one.number), book_id, one.nonce, "set_confirmations", detail, said)


def _is_signed(session: Session, claim: Claim) -> bool:
    """Whether the act of the claim's nonce agrees to it. That its signature holds is another check's."""
    kept = session.get(SignedAct, claim.nonce)
    if kept is None or (kept.verb, kept.object) != (claim.verb, claim.object):
        return False
    try:
        content = json.loads(kept.document)
    except ValueError:
        return False
    expected = {"act": stated(claim.verb, claim.detail), "object": claim.object, **claim.restated}
    return isinstance(content, dict) and expected.items() <= content.items()


CHECKS = (
    Check("receipt-numbers", "a year's receipts are numbered without a gap, as are links and settings", find_gaps),
    Check("receipts", "each receipt is the sum of gifts that stand, and no gift is on two valid ones", find_uncovered),
    Check("receipts-signed", "receipts, their ends, merged donors and settings have their signed acts", find_unsigned),
)
