"""Routes of matching: what is proposed for open lines of the bank, what was matched and undone, and sealed rules."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field, StringConstraints
from sqlmodel import col, select

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import Alias, BoxOnWire, ShelfOnWire, SignedActOnWire, Wire
from api.transactions import Tx
from ledger.aliases import Kind, kind_of
from ledger.approvals import Agreed
from ledger.books.accounts import Account
from ledger.books.journal import Entry
from ledger.errors import BadInput
from ledger.giving.donations import Donation
from ledger.identities import shelves
from ledger.reconciliation import matching_rules, matchings, statements, unbookings
from ledger.reconciliation.matching_rules import MatchingRule
from ledger.reconciliation.matchings import MOST_OF_ONE, NewPairing
from ledger.reconciliation.pairings import LineUnbooked, Pairing, PairingUndone, Undone
from ledger.reconciliation.proposals import Reason
from ledger.reconciliation.statements import BANK, StatementLine

router = APIRouter()

MOST_PROPOSED = 500
"""Proposals of one leaf that are told; the best come first."""
SourceKey = Annotated[str, StringConstraints(pattern=r"^bank:[a-z0-9:.-]{1,110}$")]


class BadRule(BadInput):
    """What is sealed is not a rule of this alias."""

    rule = "bad_matching_rule"


class ProposalOut(Wire):
    """Lines by their keys, entries by their numbers, why they may be the same, and the sum of the reasons' weights.

    `statements` brought the lines, in their order; `moves` are the accounts that the entries move.
    """

    account: str
    lines: list[str]
    statements: list[str]
    entries: list[int]
    moves: list[str]
    reasons: list[Reason]
    score: int


class PairingOut(Wire):
    """Lines and entries that are the same; `automatic` was matched by a machine.

    With the alias of a gift it is a line that was booked by itself as a gift nobody could place.
    """

    alias: str
    account: str
    lines: list[str]
    entries: list[int]
    score: int
    automatic: bool
    paired_by: str
    paired_at: datetime
    undone_by: str | None
    undone_at: datetime | None
    undone_because: Undone | None


class ProposalsOut(Wire):
    """What is proposed, of each leaf the best first, and all that was matched."""

    proposals: list[ProposalOut]
    pairings: list[PairingOut]


class MatchIn(Wire):
    """Which lines are which entries, with the treasurer's act."""

    lines: Annotated[list[SourceKey], Field(max_length=MOST_OF_ONE)]
    entries: Annotated[list[int], Field(max_length=MOST_OF_ONE)]
    agreed: SignedActOnWire


class UnmatchIn(Wire):
    """Why a pairing is undone, with the treasurer's act."""

    because: Undone
    agreed: SignedActOnWire


@router.get("/v1/reconciliations/proposals")
def list_proposals(session: Tx, _caller: Admitted) -> ProposalsOut:
    """What open lines of the bank may be, and what was matched; nothing is written."""
    leaves = session.exec(select(Account.code).where(Account.parent_code == BANK).order_by(col(Account.code)))
    return ProposalsOut(
        proposals=[one for leaf in leaves.all() for one in _proposed(session, leaf)],
        pairings=[
            *(_of(session, *one) for one in matchings.listed(session)),
            *(_booked(*one) for one in unbookings.listed(session)),
        ],
    )


@router.post("/v1/reconciliations/{alias}/match", status_code=201)
def match_lines(alias: Alias, body: MatchIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> PairingOut:
    """Says that lines are entries; the client draws the alias."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    new = NewPairing(alias=alias, lines=tuple(body.lines), entries=tuple(body.entries))
    return once.keep(_of(session, matchings.match(session, new, agreed), None))


@router.post("/v1/reconciliations/{alias}/unmatch", status_code=201)
def unmatch_lines(alias: Alias, body: UnmatchIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> PairingOut:
    """Undoes it: the lines wait again. A line that was booked as a gift by itself is undone by the gift's alias."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    if kind_of(alias) is Kind.DONATION:
        unbookings.unbook(session, alias, because=body.because, agreed=agreed)
        return once.keep(next(_booked(*one) for one in unbookings.listed(session) if one[0].alias == alias))
    undone = matchings.unmatch(session, alias, because=body.because, agreed=agreed)
    return once.keep(_of(session, session.get_one(Pairing, alias), undone))


class RuleOut(Wire):
    """A rule that stands; what it says is on the shelf of its alias."""

    alias: str
    added_by: str
    added_at: datetime


class RulesOut(Wire):
    """The rules that stand, the oldest first."""

    rules: list[RuleOut]


class RuleIn(Wire):
    """A rule as a sealed box on a shelf of its own."""

    alias: Alias
    shelf: ShelfOnWire
    content: BoxOnWire


class WithdrawnOut(Wire):
    """A rule that is not applied any more."""

    alias: str
    withdrawn_by: str
    withdrawn_at: datetime


class Nothing(Wire):
    """A body without a field."""


@router.get("/v1/reconciliations/rules")
def list_rules(session: Tx, _caller: Admitted) -> RulesOut:
    """The rules that stand."""
    return RulesOut(rules=[_rule(one) for one in matching_rules.standing(session)])


@router.post("/v1/reconciliations/rules", status_code=201)
def add_rule(body: RuleIn, request: Request, session: Tx, caller: Admitted, now: Now, once: Claimed) -> RuleOut:
    """Keeps a rule that the treasurer has sealed."""
    box = body.content.box()
    if (box.kind, box.alias, box.field) != ("matching_rule", body.alias, "rule") or body.shelf.alias != body.alias:
        raise BadRule("a rule and its shelf are of one alias", where="content, shelf")
    made = matching_rules.add(session, body.alias, by=caller.operator.alias, at=now)
    shelves.put_up(session, body.shelf.shelf(), signer=caller.operator, shred_keys=request.app.state.shred_keys)
    shelves.keep(session, [box], shelf=body.alias)
    return once.keep(_rule(made))


@router.post("/v1/reconciliations/rules/{alias}/withdraw", status_code=201)
def withdraw_rule(
    alias: Alias, _nothing: Nothing, session: Tx, caller: Admitted, now: Now, once: Claimed
) -> WithdrawnOut:
    """Has a rule not be applied any more."""
    done = matching_rules.withdraw(session, alias, by=caller.operator.alias, at=now)
    return once.keep(WithdrawnOut(alias=alias, withdrawn_by=done.withdrawn_by, withdrawn_at=done.withdrawn_at))


def _rule(one: MatchingRule) -> RuleOut:
    return RuleOut(alias=one.alias, added_by=one.added_by, added_at=one.added_at)


def _proposed(session: Tx, leaf: str) -> list[ProposalOut]:
    found = matchings.propose(session, leaf)[:MOST_PROPOSED]
    brought_by = statements.brought_by(session, {line for one in found for line in one.lines})
    moves = matchings.accounts_of(session, {int(entry) for one in found for entry in one.entries})
    return [
        ProposalOut(
            account=leaf,
            lines=list(one.lines),
            statements=[brought_by[line] for line in one.lines],
            entries=[int(entry) for entry in one.entries],
            moves=sorted({code for entry in one.entries for code in moves[int(entry)]}),
            reasons=list(one.reasons),
            score=one.score,
        )
        for one in found
    ]


def _booked(gift: Donation, line: StatementLine, entry: Entry, unbooked: LineUnbooked | None) -> PairingOut:
    return PairingOut(
        alias=gift.alias,
        account=line.account_code,
        lines=[line.source_key],
        entries=[entry.id],
        score=0,
        automatic=True,
        paired_by=entry.recorded_by,
        paired_at=entry.recorded_at,
        undone_by=unbooked.undone_by if unbooked else None,
        undone_at=unbooked.undone_at if unbooked else None,
        undone_because=unbooked.because if unbooked else None,
    )


def _of(session: Tx, made: Pairing, undone: PairingUndone | None) -> PairingOut:
    parts = matchings.parts_of(session, made.alias)
    return PairingOut(
        alias=made.alias,
        account=made.account_code,
        lines=[one.source_key for one in parts if one.source_key is not None],
        entries=[one.entry_id for one in parts if one.entry_id is not None],
        score=made.score,
        automatic=made.automatic,
        paired_by=made.paired_by,
        paired_at=made.paired_at,
        undone_by=undone.undone_by if undone else None,
        undone_at=undone.undone_at if undone else None,
        undone_because=undone.because if undone else None,
    )
