"""Sequels: a new ruling on the same event, after the first was quashed. It is a new application of the same person.

See docs/decisions: the new case goes the whole way again, and the ruling it rests on names the one it replaces.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from ledger.aid import cases, intake, likenesses, obligations, quashing, rulings
from ledger.aid.cases import Case
from ledger.aid.eligibility import Bounds
from ledger.aid.intake import BadRow
from ledger.aid.obligations import ObligationKind
from ledger.aid.rulings import Ruling
from ledger.errors import Conflict
from ledger.identities import shelves
from ledger.identities.shelves import NewBox
from ledger.money import Money


class NotQuashed(Conflict):
    """A new ruling on the same event follows one that was quashed."""

    rule = "not_quashed"


class AlreadyReplaced(Conflict):
    """Another ruling follows it already: the next one follows that."""

    rule = "already_replaced"


@dataclass(frozen=True, slots=True)
class Sequel:
    """The new ruling as the client sends it: aliases it drew, coarse facts, and details sealed to the same shelf."""

    case: str
    ruling: str
    obligation: str
    article: str
    region: str
    kind: ObligationKind
    amount: Money
    bounds: Bounds
    details: NewBox
    tokens: Sequence[tuple[int, str, str]]


def receive(
    session: Session, replaced: str, sequel: Sequel, *, of_case: str, entered_by: str, recorded_at: datetime
) -> Case:
    """Enters the new case on the shelf of the old one, `of_case`, whose ruling `replaced` was quashed.

    Raises:
        UnknownRuling: there is none. NotQuashed, AlreadyReplaced, BadRow: see there. BadAlias, AliasTaken,
        NotASealedBox, BadDigest: see there.
    """
    old = rulings.require(session, replaced)
    if old.case_alias != of_case:
        raise rulings.UnknownRuling("no ruling of this case has this alias")
    before = cases.require(session, old.case_alias, lock=True)
    if not quashing.is_quashed(session, old.alias):
        raise NotQuashed("the ruling stands", ruling=replaced)
    if rulings.chain_of(session, old.alias)[-1].alias != old.alias:
        raise AlreadyReplaced("another ruling follows it", ruling=replaced)
    intake.check_facts(
        before.jurisdiction,
        kind=sequel.kind,
        amount=sequel.amount,
        region=sequel.region,
        bounds=sequel.bounds,
        tokens=sequel.tokens,
    )
    box = sequel.details
    if (box.kind, box.alias, box.field, box.version) != ("ruling", sequel.ruling, "details", 1):
        raise BadRow("a new ruling brings the first version of its details, sealed", where="details")
    with session.begin_nested():  # all of it, or nothing
        case = cases.add(
            session,
            sequel.case,
            beneficiary=before.beneficiary_alias,
            jurisdiction=before.jurisdiction,
            rejection=None,
            entered_by=entered_by,
            received_on=recorded_at.date(),
            due_by=sequel.bounds.due_by,
        )
        rulings.add(
            session,
            sequel.ruling,
            case=case.alias,
            article=sequel.article,
            region=sequel.region,
            bounds=sequel.bounds,
            replaces=old.alias,
        )
        obligations.add(
            session, sequel.obligation, case=case.alias, ruling=sequel.ruling, kind=sequel.kind, amount=sequel.amount
        )
        shelves.keep(session, [box], shelf=before.beneficiary_alias)
        shelves.note_tokens(session, sequel.tokens, alias=case.alias)
        intake.note_suspects(session, case.alias)
        likenesses.note(session, [case.beneficiary_alias], on=case.received_on)
    return case


def chain_of(session: Session, case: str) -> list[Ruling]:
    """All rulings on the event of a case, the first one first, from whichever end one starts."""
    own = rulings.of_case(session, case)
    return rulings.chain_of(session, own[0].alias) if own else []
