"""Checks of resolutions: what was said is booked as said, and what only a person can say was said by those who may."""

import json
from collections.abc import Iterator

from sqlalchemy import select
from sqlmodel import Session, SQLModel, col
from sqlmodel import select as select_rows

from ledger.approvals import SignedAct
from ledger.books.journal import Entry
from ledger.checks.findings import Check, Finding, Tell, booked_here
from ledger.giving import disputes
from ledger.giving.bookings import Booking
from ledger.giving.disputes import Dispute
from ledger.giving.movements import Category, ReceivedMovement
from ledger.reconciliation import answers, pairings, resolutions
from ledger.reconciliation.answers import Answer
from ledger.reconciliation.pairings import LineToldTwice
from ledger.reconciliation.resolutions import Resolution, ResolutionAgreement
from ledger.reconciliation.statements import Match, StatementLine

SAID = frozenset(
    {
        "advance_given_back",
        "advance_left_in_error",
        "dispute_lost",
        "gift_taken_back",
        "left_in_error",
        "loss_returned",
        "lost_at_processor",
        "other_income",
        "recoverable_lost",
        "recoverable_waived",
        "refund_kept_by_beneficiary",
        "refund_paid_by_bank",
    }
)
"""The kinds of entries that no machine books."""
_OF_RESERVES = frozenset({"reserve_taken", "reserve_returned"})
_OF_FEES = frozenset({"processor_fee"})
_BY_ITSELF: dict[str, frozenset[str]] = {
    Category.CHARGE: frozenset({"card_gift"}),
    Category.REFUND: frozenset({"gift_refunded"}),
    Category.PARTIAL_CAPTURE: frozenset({"gift_refunded"}),
    Category.CHARGE_FAILURE: frozenset({"gift_refunded"}),
    Category.REFUND_FAILURE: frozenset({"refund_failed", "refund_cancelled"}),
    Category.DISPUTE: frozenset({"gift_disputed"}),
    Category.DISPUTE_REVERSAL: frozenset({"dispute_won"}),
    Category.PAYOUT: frozenset({"payout_created", "bank_debited"}),
    Category.PAYOUT_REVERSAL: frozenset({"payout_failed", "top_up_reversed"}),
    Category.TOP_UP: frozenset({"top_up_arrived"}),
    Category.TOP_UP_REVERSAL: frozenset({"top_up_reversed"}),
    Category.RESERVE: _OF_RESERVES,
    Category.CONNECT_RESERVE: _OF_RESERVES,
    Category.MINIMUM_HELD: _OF_RESERVES,
    Category.MINIMUM_RELEASED: _OF_RESERVES,
    Category.FEE: _OF_FEES,
    Category.TAX: _OF_FEES,
    Category.NETWORK_COST: _OF_FEES,
}
"""By category of a movement: how it is booked when nobody is asked."""


def find_unbooked(session: Session, _tell: Tell) -> Iterator[Finding]:
    """What was said and settled, and is not booked by who said it last, or is of another amount than its line."""
    for said, told in resolutions.listed(session):
        line = session.get(StatementLine, said.source_key.removesuffix(pairings.AGAIN))
        same = line is None or line.amount() == said.amount()
        if said.alone:
            same = same and answers.suffices(said.answer, moved=said.amount(), settles=said.settles())
        if said.alone or told is not None:
            if said.answer is Answer.TOLD_TWICE:
                kept = session.get(LineToldTwice, line.source_key) if line is not None and told is not None else None
                if not same or kept is None or told is None or kept.told_by != told.agreed_by:
                    yield Finding("resolutions", "resolution", said.about, {"number": said.number})
                continue
            entry = session.exec(select_rows(Entry).where(Entry.source_key == said.source_key)).first()
            by = told.agreed_by if told is not None else said.asked_by
            match = session.get(Match, line.source_key) if line is not None else None
            answered = line is None or (entry is not None and match is not None and match.entry_id == entry.id)
            answered = answered or (entry is not None and _is_reversed(session, entry))
            same = same and answered and entry is not None and entry.recorded_by == by
        if not same:
            yield Finding("resolutions", "resolution", said.about, {"number": said.number})


def _is_reversed(session: Session, entry: Entry) -> bool:
    return session.exec(select_rows(Entry.id).where(Entry.reverses_id == entry.id)).first() is not None


def find_unsaid(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Entries and lost disputes that no machine books, movements booked as no machine would, of which nobody spoke."""
    settled = {said.source_key for said, told in resolutions.listed(session) if said.alone or told is not None}
    entries = SQLModel.metadata.tables[str(Entry.__tablename__)]
    query = select(entries.c.id, entries.c.source_key).where(entries.c.kind.in_(SAID), booked_here(session))
    for entry_id, source_key in session.connection().execute(query):
        if source_key not in settled:
            yield Finding("unsaid", "entry", str(entry_id))
    same = (col(Booking.balance_transaction) == ReceivedMovement.balance_transaction) & (
        col(Booking.gross_minor) == ReceivedMovement.gross_minor
    )
    booked = select_rows(ReceivedMovement.category, Booking).join(Booking, same).where(col(Booking.recipe).is_not(None))
    for category, booking in session.exec(booked):
        source_key = f"stripe:{booking.balance_transaction}:{booking.gross_minor}"
        if booking.recipe not in _BY_ITSELF.get(category, frozenset()) and source_key not in settled:
            yield Finding("unsaid", "movement", booking.balance_transaction, {"recipe": booking.recipe})
    for line in session.exec(select_rows(LineToldTwice)):
        if not settled & {line.source_key, line.source_key + pairings.AGAIN}:
            yield Finding("unsaid", "statement_line", line.source_key)
    for dispute in session.exec(select_rows(Dispute).where(Dispute.state == disputes.State.LOST)):
        if disputes.lost_key(session, dispute) not in settled:
            yield Finding("unsaid", "dispute", dispute.alias)


def find_unheard(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Acts by which somebody said, or agreed, and nothing came of it."""
    asked = {(one.about, one.number, one.asked_by) for one in session.exec(select_rows(Resolution))}
    alone = {(about, by) for about, _, by in asked}
    agreed = {(one.about, one.number): one.agreed_by for one in session.exec(select_rows(ResolutionAgreement))}
    verbs = ("answer_line", "request_resolution", "agree_resolution")
    for act in session.exec(select_rows(SignedAct).where(col(SignedAct.verb).in_(verbs))):
        number = json.loads(act.document).get("version")
        heard = {
            "answer_line": (act.object, act.signer) in alone,
            "request_resolution": (act.object, number, act.signer) in asked,
            "agree_resolution": agreed.get((act.object, number)) == act.signer,
        }
        if not heard[act.verb]:
            yield Finding("unheard", "resolution", act.object, {"verb": act.verb, "signer": act.signer})


CHECKS = (
    Check("resolutions", "what was said of what waited is booked by who said it last", find_unbooked),
    Check("unsaid", "what no machine books was said by those who may", find_unsaid),
    Check("unheard", "what was signed of what waited stands", find_unheard),
)
