"""Checks of giving: what donors were told stands as it was signed, and every gift is what its giver could read."""

from collections.abc import Iterator

from sqlmodel import Session, SQLModel, col, select

from ledger.books import journal
from ledger.books.entries import Entry
from ledger.checks.findings import Check, Finding, Tell, booked_here, paged
from ledger.giving import purpose_versions
from ledger.giving.donations import Donation
from ledger.giving.purpose_texts import BadPurposeText
from ledger.giving.purpose_versions import PurposeDraft, PurposeVersion, UnknownPurpose
from ledger.giving.purposes import Purpose
from ledger.treasury import gift_assignments
from ledger.treasury.gift_assignments import GiftAssignment

_ENTRIES = SQLModel.metadata.tables[str(Entry.__tablename__)]
_ASSIGNMENTS = SQLModel.metadata.tables[str(GiftAssignment.__tablename__)]


def find_altered_texts(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Versions whose columns are not their text's, whose text is not their draft's, or that start too early."""
    drafts = {one.alias: one for one in session.exec(select(PurposeDraft))}
    before: dict[str, PurposeVersion] = {}
    query = select(PurposeVersion).order_by(col(PurposeVersion.purpose_code), col(PurposeVersion.number))
    for one in session.exec(query.execution_options(populate_existing=True)):
        where = _why_not(one, drafts[one.alias], before.get(one.purpose_code))
        if where is not None:
            yield Finding("purposes", "purpose", one.purpose_code, {"number": one.number, "where": where})
        before[one.purpose_code] = one


def _why_not(one: PurposeVersion, draft: PurposeDraft, before: PurposeVersion | None) -> str | None:
    if one.document != draft.document:
        return "document"
    try:
        text = one.text()
    except BadPurposeText:
        return "document"
    columns = (one.purpose_code, one.number, one.effective_from, one.fund_code, one.net_of_costs)
    if columns != (text.code, text.number, text.starts_on, text.fund, text.net_of_costs):
        return "columns"
    if one.number != (before.number if before else 0) + 1:
        return "number"
    earliest = max(one.published_at.date(), before.effective_from) if before else one.published_at.date()
    return None if one.effective_from > earliest else "effective_from"


def find_given_under_another(session: Session, tell: Tell) -> Iterator[Finding]:
    """Gifts that name no version of their purpose, another than that of their day, or another fund than it says."""
    done = 0
    for page in paged(session, Donation, Donation.alias):
        for gift in page:
            if not _is_as_told(session, gift):
                yield Finding("given-under", "donation", gift.alias, {"fund": gift.fund_code})
        done += len(page)
        tell(done, done)


def _is_as_told(session: Session, gift: Donation) -> bool:
    if gift.purpose_code is None or gift.purpose_version is None:
        return (gift.purpose_code, gift.purpose_version) == (None, None)
    purpose = session.get_one(Purpose, gift.purpose_code)
    try:
        terms = purpose_versions.terms_of(session, purpose, gift.purpose_version)
    except UnknownPurpose:
        return False
    return terms == purpose_versions.terms_on(session, purpose, on=gift.received_on) and terms.fund == gift.fund_code


def find_assignments(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Gifts that were given a purpose and are booked otherwise, or not; entries of gifts that nobody gave one."""
    for page in paged(session, GiftAssignment, GiftAssignment.donation_alias):
        for one in page:
            gift = session.get_one(Donation, one.donation_alias, populate_existing=True)
            key = gift_assignments.source_key_of(gift.alias)
            entry = session.exec(select(Entry).where(Entry.source_key == key)).one_or_none()
            purpose = (gift.purpose_code, gift.purpose_version, gift.fund_code)
            if purpose != (one.purpose_code, one.purpose_version, one.fund_code):
                yield Finding("assignments", "donation", gift.alias, {"where": "purpose"})
            elif entry is None or entry.kind != gift_assignments.KIND:
                yield Finding("assignments", "donation", gift.alias, {"where": "entry"})
            elif journal.postings_of(session, entry.id) != gift_assignments.postings_of(gift, one):
                yield Finding("assignments", "donation", gift.alias, {"entry": entry.id})
    alone = select(_ENTRIES.c.id).where(
        _ENTRIES.c.source_key.startswith("assign:"),
        ~select(_ASSIGNMENTS.c.donation_alias)
        .where(_ENTRIES.c.source_key == "assign:" + _ASSIGNMENTS.c.donation_alias)
        .exists(),
        booked_here(session),
    )
    for entry_id in session.connection().scalars(alone):
        yield Finding("assignments", "entry", str(entry_id))


CHECKS = (
    Check(
        "purposes",
        "what donors are told stands as two people signed it, from a day that was to come",
        find_altered_texts,
    ),
    Check("given-under", "every gift has the fund that its giver could read of on its day", find_given_under_another),
    Check("assignments", "a gift without a purpose got one once, as a person signed it", find_assignments),
)
