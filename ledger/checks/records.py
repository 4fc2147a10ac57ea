"""Checks of what is kept beside the books: answers, publications, shelves, closed months and rates."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

from sqlalchemy import func, select
from sqlmodel import Session, SQLModel, col
from sqlmodel import select as select_rows

from ledger import people
from ledger.aid.batch_lines import BatchLine
from ledger.aid.beneficiaries import Beneficiary
from ledger.aid.disbursements import Disbursement
from ledger.answers import StoredAnswer
from ledger.books.exchange import ExchangeRate
from ledger.books.periods import ClosedMonth
from ledger.checks.findings import PAGE, Check, Fact, Finding, Tell, paged
from ledger.errors import BadInput
from ledger.identities import boxes, vaults
from ledger.identities.erasure import Erasure
from ledger.identities.readings import ReadingDay
from ledger.identities.shelves import Access, Box, PersonKey, Shelf
from ledger.identities.vaults import ShredKeyCopy
from ledger.publications import Draft, Publication

_LINES = SQLModel.metadata.tables["line"]
FACTS = ("bank", "stripe")
"""Namespaces of source keys that stand for a line of a statement, or for a movement."""


def find_answers(session: Session, tell: Tell) -> Iterator[Finding]:
    """Stored answers that nobody was given, or that are no answers."""
    place, done = ("", ""), 0
    operators = {one.alias for v in people.versions(session) for one in people.read_roster(v.document).operators}
    order = (col(StoredAnswer.operator), col(StoredAnswer.key))
    while True:
        after = (order[0] > place[0]) | ((order[0] == place[0]) & (order[1] > place[1]))
        page = session.exec(select_rows(StoredAnswer).where(after).order_by(*order).limit(PAGE)).all()
        for number, one in enumerate(page, start=done + 1):
            if not (200 <= one.status < 300 and _is_json(one.body)):  # noqa: PLR2004  # HTTP's own numbers
                yield Finding("answers", "answer", str(number), {"operator": one.operator, "status": one.status})
            elif one.operator not in operators:
                yield Finding("answers", "answer", str(number), {"operator": one.operator, "where": "operator"})
        if not page:
            return
        place, done = (page[-1].operator, page[-1].key), done + len(page)
        tell(done, done)


def find_publications(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Publications that are not numbered from one, or not the draft that was signed."""
    rows = session.exec(select_rows(Publication, Draft).join(Draft, col(Draft.alias) == Publication.alias)).all()
    for place, (published, draft) in enumerate(sorted(rows, key=lambda row: row[0].number), start=1):
        digests = {hashlib.sha256(content.encode()).hexdigest() for content in (published.content, draft.content)}
        if digests != {published.digest} or draft.digest != published.digest:
            yield Finding(
                "publications", "publication", published.alias, {"number": published.number, "where": "digest"}
            )
        if published.number != place or draft.number != place:
            yield Finding("publications", "publication", published.alias, {"number": published.number, "place": place})


def find_shelves(session: Session, tell: Tell) -> Iterator[Finding]:
    """Shelves that nobody of a roster signed, and what lies on them without being sealed."""
    keys: dict[str, set[str]] = {}
    for version in people.versions(session):
        for operator in people.read_roster(version.document).operators:
            keys.setdefault(operator.alias, set()).add(operator.signing_key)
    done = 0
    for page in paged(session, Shelf, Shelf.alias):
        for shelf in page:
            message = boxes.shelf_message(shelf.alias, shelf.sealing_key, shelf.vault, shelf.epoch)
            if not any(people.holds(key, message, shelf.signature) for key in keys.get(shelf.signer, ())):
                yield Finding("shelves", "shelf", shelf.alias, {"signer": shelf.signer})
        kept = session.exec(select_rows(Box).where(col(Box.shelf_alias).in_([shelf.alias for shelf in page])))
        for box in kept:
            try:
                boxes.check_sealed(box.data)
                boxes.check_commitment(box.commitment)
            except BadInput:
                yield Finding("shelves", box.kind, box.alias, {"field": box.field, "version": box.version})
        done += len(page)
        tell(done, done)


def find_readings(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Days on which more openings were counted against somebody than the log of openings holds of them."""
    for counted in session.exec(select_rows(ReadingDay)):
        start = datetime.combine(counted.day, time(), tzinfo=UTC)
        of_day = select_rows(Access.shelf_alias).where(
            Access.operator == counted.operator, col(Access.at) >= start, col(Access.at) < start + timedelta(days=1)
        )
        logged = len(session.exec(of_day.distinct()).all())
        if not 0 <= counted.beyond <= logged:
            facts: dict[str, Fact] = {"day": counted.day.isoformat(), "counted": counted.beyond, "logged": logged}
            yield Finding("readings", "operator", counted.operator, facts)


def find_shred_key_copies(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Copies of shred keys for vaults, or for recovery keys, that no roster names."""
    rosters = [people.read_roster(version.document) for version in people.versions(session)]
    named = {vault.name for roster in rosters for vault in roster.vaults}
    recovery = {vaults.fingerprint(roster.recovery) for roster in rosters if roster.recovery is not None}
    for copy in session.exec(select_rows(ShredKeyCopy)):
        for where, known in (("vault", copy.vault in named), ("recovery", copy.recovery in recovery)):
            if not known:
                yield Finding("shred-key-copies", "vault", copy.vault, {"where": where})


def find_erased(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Persons who were erased and have a key all the same."""
    back = select_rows(Erasure.shelf_alias).join(PersonKey, col(PersonKey.alias) == Erasure.shelf_alias)
    for alias in sorted(set(session.exec(back.where(col(Erasure.erased_at).is_not(None))))):
        yield Finding("erased", "shelf", alias, {"where": "key"})


def find_unshelved(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Beneficiaries of whom nothing can lie sealed anywhere."""
    for page in paged(session, Beneficiary, Beneficiary.alias):
        aliases = {one.alias for one in page}
        shelved = session.exec(select_rows(Shelf.alias).where(col(Shelf.alias).in_(aliases)))
        for alias in sorted(aliases - set(shelved)):
            yield Finding("shelved", "beneficiary", alias)


def find_commitments(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Payees and receipts that the books commit to and no shelf holds, unless the person was erased."""
    for page in paged(session, Disbursement, Disbursement.alias):
        aliases = [one.alias for one in page]
        kept = session.exec(select_rows(Box.alias, Box.commitment).where(col(Box.alias).in_(aliases)))
        standing = set(kept)
        receipts = session.exec(
            select_rows(BatchLine.disbursement_alias, BatchLine.receipt_commitment).where(
                col(BatchLine.disbursement_alias).in_(aliases), col(BatchLine.receipt_commitment).is_not(None)
            )
        )
        needed = {(one.alias, one.payee_commitment) for one in page} | {(a, str(c)) for a, c in receipts}
        for alias in sorted({alias for alias, _ in needed - standing} - _erased(session, aliases)):
            yield Finding("commitments", "disbursement", alias)


def find_month_gaps(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Months that were closed before they were over, or with an open one before them."""
    months = sorted(session.exec(select_rows(ClosedMonth)), key=lambda month: month.last_day)
    for month in months:
        if month.closed_at.date() <= month.last_day or (month.last_day + timedelta(days=1)).day != 1:
            yield Finding("months", "month", f"{month.last_day:%Y-%m}", {"last_day": month.last_day.isoformat()})
    for before, after in pairwise(months):
        if after.last_day.replace(day=1) != before.last_day + timedelta(days=1):
            yield Finding("months", "month", f"{after.last_day:%Y-%m}", {"after": f"{before.last_day:%Y-%m}"})


def find_rates(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Days whose rates are not versions from one on."""
    rates = SQLModel.metadata.tables[str(ExchangeRate.__tablename__)]
    versions = (func.count(), func.min(rates.c.version), func.max(rates.c.version))
    query = select(rates.c.currency, rates.c.quoted_on, *versions).group_by(rates.c.currency, rates.c.quoted_on)
    for currency, day, count, first, last in session.connection().execute(query):
        if (first, last) != (1, count):
            yield Finding("rates", "rate", f"{currency} {day}", {"versions": count, "newest": last})


def _erased(session: Session, disbursements: Sequence[str]) -> set[str]:
    """Those whose beneficiary's key was deleted."""
    cases = SQLModel.metadata.tables["aid_case"]
    query = (
        select_rows(Disbursement.alias)
        .join(cases, cases.c.alias == col(Disbursement.case_alias))
        .join(PersonKey, col(PersonKey.alias) == cases.c.beneficiary_alias, isouter=True)
        .where(col(Disbursement.alias).in_(disbursements), col(PersonKey.alias).is_(None))
    )
    return set(session.exec(query))


def _is_json(body: str) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


CHECKS = (
    Check("answers", "every stored answer was given to somebody of the roster", find_answers),
    Check("publications", "every publication is what was signed, numbered without a gap", find_publications),
    Check("shelves", "every shelf is signed by its bringer and holds sealed boxes only", find_shelves),
    Check("shelved", "every beneficiary has a shelf", find_unshelved),
    Check("readings", "no opening is counted that the log of openings does not hold", find_readings),
    Check("erased", "who was erased has no key any more", find_erased),
    Check("shred-key-copies", "copies of shred keys are of our vaults, for our recovery key", find_shred_key_copies),
    Check("commitments", "payees and receipts that are committed to lie on their shelves", find_commitments),
    Check("months", "months are closed one after the other, when they are over", find_month_gaps),
    Check("rates", "rates are corrected by a next version, never replaced", find_rates),
)
