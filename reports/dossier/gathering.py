"""The queries behind a dossier: facts gathered from the books, and nothing judged or drawn."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import select as select_columns
from sqlmodel import Session, SQLModel, col, select

from ledger import approvals, book, people
from ledger.aid import (
    acts,
    assessments,
    bail_acts,
    batch_lines,
    batches,
    cases,
    jurisdictions,
    obligations,
    quashing,
    results,
    rulings,
    subledger,
)
from ledger.aid.bail_parts import BailPart
from ledger.aid.batch_lines import BatchLine
from ledger.aid.batches import BatchAltered, BatchNotReady
from ledger.aid.cases import Case
from ledger.aid.disbursements import Disbursement as DisbursementRow
from ledger.aid.obligations import Obligation as ObligationRow
from ledger.aid.results import EXCEPTION_OF
from ledger.approvals import SignedAct
from ledger.books import journal
from ledger.books.entries import Entry as EntryRow
from ledger.books.entries import Line as LineRow
from ledger.books.entries import fingerprint_of
from ledger.exceptions import OpenException
from ledger.identities import shelves
from ledger.identities.evidence import EvidenceFile
from ledger.money import Money
from ledger.reconciliation.answers import Answer
from ledger.reconciliation.clearings import Clearing, ClearingAgreement
from ledger.reconciliation.resolutions import Resolution, ResolutionAgreement
from ledger.reconciliation.statements import StatementLine
from reports.dossier.facts import (
    SERVER,
    Accepted,
    Act,
    Amount,
    Appeal,
    Assessment,
    Batch,
    Box,
    Disbursement,
    Early,
    Entry,
    Facts,
    File,
    Line,
    Obligation,
    Ruling,
)


def gather(session: Session, alias: str, *, as_of: datetime) -> Facts:
    """The facts of a case as they stand now, which the caller says is `as_of`. Signatures are checked by the server.

    Raises:
        UnknownCase: there is none.
    """
    case = cases.require(session, alias)
    paying = _disbursements(session, alias)
    ruled = _rulings(session, case)
    owed = obligations.of_case(session, alias)
    things = [alias, *(one.alias for one in ruled), *(one.alias for one in owed)]
    about = [*things, *(one.agreed_object for one in paying)]
    about += [told.about for one in paying for told in (one.accepted, one.carried_out) if told is not None]
    about += [one.alias for one in paying]  # a line that the bank never paid is ended alone
    about += [one.early.about for one in paying if one.early is not None and one.early.about is not None]
    founded = book.require(session)
    keys = _signing_keys(session)
    return Facts(
        organisation=founded.organisation,
        book=founded.book_id,
        as_of=as_of,
        checked_by=SERVER,
        case=alias,
        beneficiary=case.beneficiary_alias,
        jurisdiction=case.jurisdiction,
        state=case.state,
        rejection=case.rejection,
        entered_by=case.entered_by,
        received_on=case.received_on,
        rulings=tuple(ruled),
        assessment=_assessment(session, alias),
        boxes=tuple(_boxes(session, [case.beneficiary_alias, *things, *(one.alias for one in paying)])),
        files=tuple(_file(file, keys) for file in acts.files_of(session, case)),
        acts=tuple(_acts(session, about, applied=_applied(session, owed))),
        obligations=tuple(
            Obligation(
                alias=one.alias,
                ruling=one.ruling_alias,
                kind=one.kind,
                amount=Amount.of(one.amount()),
                state=one.state,
                told_on=one.told_on,
                payable=Amount.of(one.payable()),
            )
            for one in owed
        ),
        disbursements=tuple(paying),
        entries=tuple(_entries(session, alias)),
    )


def _assessment(session: Session, case: str) -> Assessment | None:
    document = assessments.of_case(session, case)
    return Assessment(document=document) if document is not None else None


def _rulings(session: Session, case: Case) -> list[Ruling]:
    owed = obligations.of_case(session, case.alias)
    listed = {article.code for article in jurisdictions.load(case.jurisdiction).articles}
    quashed = {one.ruling_alias: one.recorded_on for one in session.exec(select(quashing.Quashing))}
    return [
        Ruling(
            alias=one.alias,
            article=one.article,
            region=one.region,
            ruled_by=one.ruled_by,
            payable_from=max(
                [obligations.payable_from(session, each) for each in owed if each.ruling_alias == one.alias],
                default=one.payable_from,
            ),
            due_by=one.due_by,
            force_presumed=one.force_presumed,
            article_listed=one.article in listed,
            quashed_on=quashed.get(one.alias),
            appeals=tuple(
                Appeal(
                    outcome=appeal.outcome,
                    amount=Amount.of(appeal.amount()),
                    recorded_by=appeal.recorded_by,
                    recorded_on=appeal.recorded_on,
                )
                for appeal in quashing.appeals_of(session, one.alias)
            ),
        )
        for one in rulings.of_case(session, case.alias)
    ]


def _boxes(session: Session, aliases: Sequence[str]) -> list[Box]:
    """The newest version of each box about these things."""
    box = SQLModel.metadata.tables[str(shelves.Box.__tablename__)].c
    query = select_columns(box.kind, box.alias, box.field, box.version, box.commitment).where(box.alias.in_(aliases))
    newest = {
        (alias, field): Box(kind=kind, alias=alias, field=field, version=version, commitment=commitment)
        for kind, alias, field, version, commitment in session.connection().execute(query.order_by(box.version))
    }
    return [newest[place] for place in sorted(newest)]


def _file(file: EvidenceFile, keys: Mapping[str, set[str]]) -> File:
    told = File(
        alias=file.alias,
        version=file.version,
        kind=file.kind,
        size=file.size,
        commitment=file.commitment,
        keep_until=file.keep_until,
        signer=file.signer,
        signature=file.signature,
        dropped_on=file.dropped_on,
        holds=False,
    )
    message = told.message(case=file.subject, shelf=file.shelf_alias)
    known = any(people.holds(key, message, file.signature) for key in keys.get(file.signer, ()))
    return told.model_copy(update={"holds": known})


def _signing_keys(session: Session) -> dict[str, set[str]]:
    """By operator: the keys they had in any roster."""
    keys: dict[str, set[str]] = {}
    for version in people.versions(session):
        for operator in people.read_roster(version.document).operators:
            keys.setdefault(operator.alias, set()).add(operator.signing_key)
    return keys


def _acts(session: Session, objects: Iterable[str], *, applied: Sequence[SignedAct]) -> list[Act]:
    kept = {act.nonce: act for alias in dict.fromkeys(objects) for act in approvals.of_object(session, alias)}
    kept |= {act.nonce: act for act in applied}
    return [_act(session, one) for one in sorted(kept.values(), key=lambda act: act.recorded_at)]


def _applied(session: Session, owed: Sequence[ObligationRow]) -> list[SignedAct]:
    """The acts by which bail, of this case or of another one of the person, has paid any of these."""
    parts = select(BailPart.obligation_alias).where(col(BailPart.fine_alias).in_([one.alias for one in owed]))
    said = {f'"payee_commitment":"{bail_acts.commitment(one.alias)}"' for one in owed}
    return [
        act
        for bail in sorted(set(session.exec(parts)))
        for act in approvals.of_object(session, bail)
        if act.verb == "apply_bail" and any(one in act.document for one in said)
    ]


def _act(session: Session, kept: SignedAct) -> Act:
    return Act(
        verb=kept.verb,
        signer=kept.signer,
        object=kept.object,
        nonce=kept.nonce,
        roster=kept.roster,
        recorded_at=kept.recorded_at,
        document=kept.document,
        signature=kept.signature,
        holds=approvals.still_holds(session, kept),
    )


def _disbursements(session: Session, case: str) -> list[Disbursement]:
    found = session.exec(select(DisbursementRow).where(DisbursementRow.case_alias == case)).all()
    listed = session.exec(
        select(BatchLine).where(col(BatchLine.disbursement_alias).in_([one.alias for one in found]))
    ).all()
    lines = {line.disbursement_alias: line for line in listed}
    early, late = (
        _accepted(session, {one.alias for one in found}, answer) for answer in (Answer.PAYMENT, Answer.CARRIED_OUT)
    )
    too_early = _too_early(session, {one.alias for one in found})
    return [
        _disbursement(session, one, lines.get(one.alias), early.get(one.alias), late.get(one.alias)).model_copy(
            update={"early": too_early.get(one.alias)}
        )
        for one in sorted(found, key=lambda one: (one.released_on or date.max, one.alias))
    ]


def _accepted(session: Session, payments: Collection[str], answer: Answer) -> dict[str, Accepted]:
    """By payment: what two people signed of money that left before its release, or after it was ended as failed."""
    both = (col(ResolutionAgreement.about) == Resolution.about) & (ResolutionAgreement.number == Resolution.number)
    query = (
        select(Resolution, ResolutionAgreement, StatementLine)
        .join(ResolutionAgreement, both)
        .join(StatementLine, col(StatementLine.source_key) == Resolution.source_key)
        .where(col(Resolution.of).in_(payments), Resolution.answer == answer)
    )
    return {
        said.of or "": Accepted(
            about=said.about, left_on=line.booked_on, asked_by=said.asked_by, agreed_by=told.agreed_by
        )
        for said, told, line in session.exec(query)
    }


def _too_early(session: Session, payments: Collection[str]) -> dict[str, Early]:
    """By payment: that an agent paid it too early, and what two people have signed about that."""
    what = {f"{EXCEPTION_OF[one]}:{payment}": (payment, one) for one in reversed(results.Early) for payment in payments}
    opened = session.exec(select(OpenException).where(col(OpenException.about).in_(what))).all()
    of = select(Clearing, ClearingAgreement).join(
        ClearingAgreement, col(ClearingAgreement.clearing_alias) == Clearing.alias
    )
    query = of.where(col(Clearing.exception_alias).in_([one.alias for one in opened]))
    closed = {said.exception_alias: (said, told) for said, told in session.exec(query)}
    found: dict[str, Early] = {}
    for one in sorted(opened, key=lambda one: list(what).index(one.about)):  # of two the graver one stays
        payment, early = what[one.about]
        found[payment] = Early(what=early)
        if one.alias in closed:
            said, told = closed[one.alias]
            found[payment] = Early(what=early, about=said.alias, asked_by=said.asked_by, agreed_by=told.agreed_by)
    return found


def _disbursement(
    session: Session, row: DisbursementRow, line: BatchLine | None, early: Accepted | None, late: Accepted | None
) -> Disbursement:
    return Disbursement(
        alias=row.alias,
        obligation=row.obligation_alias,
        amount=Amount.of(row.amount()),
        payee=row.payee,
        payee_commitment=row.payee_commitment,
        state=row.state,
        requested_by=row.requested_by,
        batch=None if line is None else _batch(session, line.batch_alias),
        released_on=row.released_on,
        paid_on=row.paid_on,
        receipt=None if line is None else line.receipt_commitment,
        receipt_found=None if line is None else line.receipt,
        accepted=early,
        carried_out=late,
        paid_by=None if line is None else line.paid_by,
    )


def _batch(session: Session, alias: str) -> Batch:
    found = batches.require(session, alias)
    try:
        batches.require_unaltered(found, batch_lines.items(session, alias))
    except (BatchAltered, BatchNotReady):
        unaltered = False
    else:
        unaltered = True
    return Batch(
        alias=alias,
        amount=Amount.of(found.amount()),
        digest=found.digest,
        unaltered=unaltered,
        agent=found.agent_alias,
    )


def _entries(session: Session, case: str) -> list[Entry]:
    numbers = select(LineRow.entry_id).where(LineRow.case_alias == case).distinct()
    found = session.exec(select(EntryRow).where(col(EntryRow.id).in_(numbers)).order_by(col(EntryRow.id))).all()
    reversals = dict(
        session.exec(
            select(EntryRow.reverses_id, EntryRow.id).where(
                col(EntryRow.reverses_id).in_([entry.id for entry in found])
            )
        ).all()
    )
    paid = subledger.payments_of(session, found)
    return [_entry(session, one, case, reversed_by=reversals.get(one.id), payment=paid.get(one.id)) for one in found]


def _entry(
    session: Session,
    entry: EntryRow,
    case: str,
    *,
    reversed_by: int | None,
    payment: subledger.Payment | None,
) -> Entry:
    postings = journal.postings_of(session, entry.id)
    return Entry(
        number=entry.id,
        kind=entry.kind,
        effective_on=entry.effective_on,
        recorded_at=entry.recorded_at,
        recorded_by=entry.recorded_by,
        fingerprint=entry.fingerprint,
        intact=_is_intact(session, entry),
        reverses=entry.reverses_id,
        reversed_by=reversed_by,
        disbursement=payment.disbursement if payment else None,
        lines=tuple(
            Line(
                side=one.side,
                account=one.account,
                amount=Amount.of(Money(one.money.minor, one.money.currency)),
                fund=one.fund,
                subject=one.subject,
            )
            for one in postings
            if one.case == case
        ),
    )


def _is_intact(session: Session, entry: EntryRow) -> bool:
    """Whether the rows give the fingerprint, as agreed for its own day or moved out of a month that was closed."""
    postings = journal.postings_of(session, entry.id)
    return entry.fingerprint in {
        fingerprint_of(
            postings,
            source_key=entry.source_key,
            kind=entry.kind,
            happened_on=entry.happened_on,
            effective_on=day,
            reverses_id=entry.reverses_id,
            because=entry.because,
        )
        for day in (entry.effective_on, entry.happened_on)
    }
