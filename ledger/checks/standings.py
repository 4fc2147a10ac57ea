"""Checks of where things stand: chart, advances, batches, payouts, bookings, open holds, against what they rest on.

A row that an owner of the database has altered says something else than the entries, the signed acts and the shipped
chart. What no row rests on is told in docs/threat-model.md.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from sqlalchemy import func, select
from sqlmodel import Session, SQLModel, col
from sqlmodel import select as select_rows

from ledger.aid import advances, batches, disbursements, obligations
from ledger.aid.advances import Advance
from ledger.aid.batch_lines import BatchLine
from ledger.aid.batches import Batch
from ledger.aid.disbursements import Disbursement
from ledger.aid.obligations import Obligation
from ledger.aid.rulings import Ruling
from ledger.approvals import SignedAct
from ledger.books import accounts
from ledger.books.holds import Hold, HoldMovement, Reserve
from ledger.books.journal import Entry, Line
from ledger.checks.findings import Check, Finding, Tell, paged
from ledger.giving import payouts
from ledger.giving.bookings import Booking
from ledger.giving.bookings import State as BookingState
from ledger.giving.payouts import Payout, TopUp
from ledger.giving.steps import GiftStep

_BEFORE_SENT = {
    advances.State.REQUESTED,
    advances.State.APPROVED,
    advances.State.RELEASED,
    advances.State.CANCELLED,
    advances.State.FAILED,
}
_ENDED_ANYWHERE = {advances.State.SEIZED, advances.State.LOST}
"""The ends of an advance that come while it is on its way as well as when the agent has it."""
_WITH_AGENT = {*advances.RECEIVED, advances.State.SETTLED}
_OF_ACCOUNT = ("parent_code", "account_class", "function", "cash", "pooled", "subject")
"""What the shipped chart says of an account, and what a leaf has of its parent. Names are the operator's."""


def find_altered_accounts(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Accounts that are not as the shipped chart has them, or missing; leaves that are not as their parents."""
    chart = {one.code: one for one in accounts.default_chart()}
    standing = {one.code: one for one in accounts.listed(session)}
    for code in sorted({*chart, *standing}):
        one, expected = standing.get(code), chart.get(code)
        if one is not None and expected is None:
            expected = standing.get(code.partition(":")[0])
        if one is None or expected is None or expected is one:
            yield Finding("chart", "account", code, {"where": "code"})
            continue
        expected_parent = expected.parent_code if code in chart else expected.code
        for name in _OF_ACCOUNT:
            should = expected_parent if name == "parent_code" else getattr(expected, name)
            if getattr(one, name) != should:
                yield Finding("chart", "account", code, {"where": name})
        if code in chart and ":" not in code and one.liquid != expected.liquid:  # of leaves, people say it
            yield Finding("chart", "account", code, {"where": "liquid"})


def find_altered_advances(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Advances that were sent or received otherwise than their entries say, or stand where these have not led."""
    for page in paged(session, Advance, Advance.alias):
        query = (
            select_rows(col(Line.subject), col(Entry.kind), col(Entry.happened_on))
            .join(Entry, col(Entry.id) == Line.entry_id)
            .where(
                col(Line.subject).in_([one.alias for one in page]),
                col(Entry.kind).in_(("advance_sent", "advance_acknowledged")),
            )
        )
        days = {(alias, kind): on for alias, kind, on in session.exec(query)}
        for one in page:
            sent, received = days.get((one.alias, "advance_sent")), days.get((one.alias, "advance_acknowledged"))
            if (one.sent_on, one.acknowledged_on) != (sent, received):
                yield Finding("advances-sent", "advance", one.alias, {"where": "days"})
            if one.state in _BEFORE_SENT:
                fits = sent is None
            elif one.state in _WITH_AGENT:
                fits = received is not None
            else:
                fits = sent is not None and (received is None or one.state in _ENDED_ANYWHERE)
            if not fits:
                yield Finding("advances-sent", "advance", one.alias, {"state": one.state})


def find_altered_batches(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Batches that stand where their signatures and their lines have not led, or were released on another day."""
    for page in paged(session, Batch, Batch.alias):
        aliases = [one.alias for one in page]
        query = (
            select_rows(BatchLine.batch_alias)
            .join(Disbursement, col(Disbursement.alias) == BatchLine.disbursement_alias)
            .where(col(BatchLine.batch_alias).in_(aliases), Disbursement.state == disbursements.State.RELEASED)
        )
        waiting = set(session.exec(query))
        acts = select_rows(SignedAct).where(SignedAct.verb == "release_batch", col(SignedAct.object).in_(aliases))
        released = {act.object: act.recorded_at.date() for act in session.exec(acts)}
        for one in page:
            if one.released_on != released.get(one.alias):
                yield Finding("batches-stand", "batch", one.alias, {"where": "released_on"})
            if one.released_by is not None:
                fits = one.state is (batches.State.RELEASED if one.alias in waiting else batches.State.RECONCILED)
            elif one.approved_by is not None:
                fits = one.state in {batches.State.APPROVED, batches.State.CANCELLED}
            else:
                fits = one.state in {batches.State.DRAFT, batches.State.LOCKED, batches.State.CANCELLED}
            if not fits:
                yield Finding("batches-stand", "batch", one.alias, {"state": one.state})


def find_altered_funds(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Obligations and steps of gifts that are of another fund than the lines of their entries."""
    for page in paged(session, Obligation, Obligation.alias, col(Obligation.fund_code).is_not(None)):
        keys = {obligations.recognition_key(one.alias): one.fund_code or "" for one in page}
        for key in _of_other_funds(session, keys):
            yield Finding("funds-of-rows", "obligation", key.split(":")[1])
    for steps_page in paged(session, GiftStep, GiftStep.source_key):
        names = {one.source_key: one.donation_alias for one in steps_page}
        for key in _of_other_funds(session, {one.source_key: one.fund_code for one in steps_page}):
            yield Finding("funds-of-rows", "donation", names[key])


def find_altered_rulings(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Obligations whose ruling is of another case than they are."""
    same = (col(Ruling.alias) == Obligation.ruling_alias) & (col(Ruling.case_alias) == Obligation.case_alias)
    for alias in session.exec(select_rows(Obligation.alias).where(~select_rows(Ruling.alias).where(same).exists())):
        yield Finding("rulings-of-cases", "obligation", alias)


def _of_other_funds(session: Session, keys: Mapping[str, str]) -> list[str]:
    """Those source keys under which an entry stands that has no line of the fund."""
    query = (
        select_rows(col(Entry.source_key), col(Line.fund_code))
        .join(Line, col(Line.entry_id) == Entry.id)
        .where(col(Entry.source_key).in_(keys))
    )
    funds = defaultdict(set)
    for key, fund in session.exec(query):
        funds[key].add(fund)
    return sorted(key for key, moved in funds.items() if keys[key] not in moved)


def find_altered_payouts(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Payouts of another day or leaf than their entries, or in a state that their days do not lead to."""
    for page in paged(session, Payout, Payout.id):
        query = (
            select_rows(col(Entry.source_key), col(Entry.happened_on), col(Line.account_code))
            .join(Line, col(Line.entry_id) == Entry.id)
            .where(col(Entry.source_key).in_([one.source_key for one in page]))
        )
        booked = defaultdict(set)
        for key, on, account in session.exec(query):
            booked[key].add((on, account))
        for one in page:
            if {(one.created_on, leaf) for leaf in (one.account_code, one.transit_code)} - booked[one.source_key]:
                yield Finding("payout-rows", "payout", one.id, {"where": "created"})
            state = payouts.State.PAID if one.paid_on is not None else payouts.State.CREATED
            if one.state is not (payouts.State.FAILED if one.failed_on is not None else state):
                yield Finding("payout-rows", "payout", one.id, {"state": one.state})


def find_altered_bookings(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Booked movements that are about something else, or of another fund, than the lines of their entries."""
    for page in paged(session, Booking, Booking.entry_id, col(Booking.state) == BookingState.BOOKED):
        subjects: dict[int | None, set[str]] = defaultdict(set)
        funds: dict[int | None, set[str]] = defaultdict(set)
        lines = select_rows(Line).where(col(Line.entry_id).in_([one.entry_id for one in page]))
        for line in session.exec(lines):
            funds[line.entry_id].add(line.fund_code)
            if line.subject is not None:
                subjects[line.entry_id].add(line.subject)
        named = {one.about for one in page if one.about is not None and not subjects[one.entry_id]}
        known = _transfers(session, named)
        for one in page:
            about = subjects[one.entry_id] or known
            if (one.about is None) != (not subjects[one.entry_id] and one.recipe in _ABOUT_NOTHING) or (
                one.about is not None and one.about not in about
            ):
                yield Finding("bookings", "movement", one.balance_transaction, {"where": "about"})
            if one.fund_code is not None and one.fund_code not in funds[one.entry_id]:
                yield Finding("bookings", "movement", one.balance_transaction, {"where": "fund"})


_ABOUT_NOTHING = {
    "processor_fee",
    "reserve_taken",
    "reserve_returned",
    "loss_returned",
    "lost_at_processor",
    "other_income",
}


def find_altered_holds(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Holds that stand on another fund or leaf than what they are for: money that is free where it is not."""
    moved = select(func.coalesce(func.sum(_MOVEMENTS.c.minor), 0)).where(_MOVEMENTS.c.hold_key == Hold.source_key)
    is_open = col(Hold.minor) > moved.scalar_subquery()
    for page in paged(session, Hold, Hold.source_key, is_open):
        named = {one.source_key: one.source_key.split(":") for one in page}
        aliases = [parts[1] for parts in named.values() if len(parts) > 1]
        paying = select_rows(Disbursement).where(col(Disbursement.alias).in_(aliases))
        payments = {one.alias: one for one in session.exec(paying)}
        sent = {one.alias: one for one in session.exec(select_rows(Advance).where(col(Advance.alias).in_(aliases)))}
        for one in page:
            what, alias, *_ = *named[one.source_key], ""
            if what == "disbursement" and alias in payments:
                payment = payments[alias]
                fits = payment.account_code == one.account_code
                if one.reserves is not Reserve.LEAF:
                    fits = payment.fund_code == one.fund_code
            elif what == "advance" and alias in sent:
                own = one.source_key.endswith(f":{one.fund_code}")
                fits = sent[alias].account_code == one.account_code if one.reserves is Reserve.LEAF else own
            else:
                continue  # of others, what is held is looked at as a sum
            if not fits or one.held_for not in _held_for(what, alias, payments):
                yield Finding("holds-placed", "hold", one.held_for, {"reserves": one.reserves})


def _held_for(what: str, alias: str, payments: dict[str, Disbursement]) -> set[str]:
    return {alias, payments[alias].obligation_alias} if what == "disbursement" else {alias}


def _transfers(session: Session, named: Collection[str]) -> set[str]:
    """Those of these that are payouts or top-ups."""
    found = set(session.exec(select_rows(Payout.id).where(col(Payout.id).in_(named))))
    return found | set(session.exec(select_rows(TopUp.id).where(col(TopUp.id).in_(named))))


_MOVEMENTS = SQLModel.metadata.tables[str(HoldMovement.__tablename__)]

CHECKS = (
    Check("chart", "accounts are as the chart has them, and leaves as their parents", find_altered_accounts),
    Check("advances-sent", "advances were sent and received when their entries say", find_altered_advances),
    Check("batches-stand", "batches stand where signatures and lines have led", find_altered_batches),
    Check("rulings-of-cases", "what is owed because of a ruling is of the ruling's case", find_altered_rulings),
    Check("funds-of-rows", "obligations and steps of gifts are of the funds of their entries", find_altered_funds),
    Check("payout-rows", "payouts are of the day and the leaf of their entries", find_altered_payouts),
    Check("bookings", "what moved at the processor is about what its entry names", find_altered_bookings),
    Check("holds-placed", "what is held is held on the fund and the leaf that it is for", find_altered_holds),
)
