"""Routes of exceptions: how old and grave each is, what is suggested, and what two people say it comes to."""

from datetime import date, datetime

from fastapi import APIRouter, Request
from sqlmodel import Session

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import Alias, AmountOnWire, BoxOnWire, ShelfOnWire, SignedActOnWire, Wire
from api.transactions import Tx
from ledger.approvals import Agreed
from ledger.errors import BadInput
from ledger.exceptions import Difference
from ledger.giving import strays
from ledger.identities import shelves
from ledger.reconciliation import ageing, clearings, retellings, waits
from ledger.reconciliation.ageing import Aged
from ledger.reconciliation.clearings import Because, Clearing, ClearingAgreement, NewClearing
from ledger.reconciliation.statements import StatementLine
from ledger.reconciliation.suggestions import NoPosting, Suggested

router = APIRouter()


class BadNote(BadInput):
    """What is sealed with a clearing is not its note."""

    rule = "bad_note"


class SuggestedOut(Wire):
    """A posting that would close it, if nothing better is known."""

    debit: str
    credit: str
    amount: AmountOnWire


class ToldByOut(Wire):
    """A line of another statement that may tell the same, by the key that `matches` uses."""

    line: str
    statement: str
    on: date
    amount: AmountOnWire


class ExceptionOut(Wire):
    """One open difference; with a `fund` it is that fund that is below zero, after money left from the account.

    Without an account it is not about money: `about` tells the operator and the day, or the id at the processor of what
    cannot be read or was told otherwise. `severity` is 1 to 3.
    `next` is the command of `solidarity` by which it goes on; where no posting is suggested, `why_none` tells why.
    `statement` brought the line of the bank that it is about; `told_by` are the lines that tell the same, perhaps.
    """

    alias: str
    difference: str
    account: str | None
    fund: str | None
    about: str | None
    amount: AmountOnWire | None
    opened_on: date
    age_days: int
    severity: int
    clearable: bool
    next: str
    suggested: SuggestedOut | None
    why_none: NoPosting | None
    statement: str | None
    told_by: list[ToldByOut]


class ClearingOut(Wire):
    """What somebody said that an exception comes to, with everything an act about it restates."""

    alias: str
    exception: str
    because: Because
    entry: int | None
    amount: AmountOnWire | None
    note_commitment: str | None
    commitment: str
    alone: bool
    asked_by: str
    asked_at: datetime
    agreed_by: str | None
    agreed_at: datetime | None

    @classmethod
    def of(cls, said: Clearing, agreement: ClearingAgreement | None) -> "ClearingOut":
        """A clearing as the wire has it."""
        amount = said.amount()
        return cls(
            alias=said.alias,
            exception=said.exception_alias,
            because=said.because,
            entry=said.entry_id,
            amount=AmountOnWire.of(amount) if amount is not None else None,
            note_commitment=said.note_commitment,
            commitment=clearings.commitment_of(said),
            alone=said.alone,
            asked_by=said.asked_by,
            asked_at=said.asked_at,
            agreed_by=agreement.agreed_by if agreement else None,
            agreed_at=agreement.agreed_at if agreement else None,
        )


class ExceptionsOut(Wire):
    """Open differences, the gravest first and of these the oldest; and all that was said of any, the oldest first."""

    exceptions: list[ExceptionOut]
    clearings: list[ClearingOut]


class ResolveIn(Wire):
    """What an exception comes to: an entry by its number, or a reason; a note is sealed on a shelf of its own."""

    alias: Alias
    because: Because
    entry: int | None
    shelf: ShelfOnWire | None
    note: BoxOnWire | None
    agreed: SignedActOnWire


class AgreeIn(Wire):
    """Another person's act on a clearing."""

    clearing: Alias
    agreed: SignedActOnWire


@router.get("/v1/exceptions")
def list_exceptions(session: Tx, _caller: Admitted, now: Now) -> ExceptionsOut:
    """What waits, and what was said of it."""
    found = [_of(session, one) for one in ageing.aged(session, on=now.date())]
    return ExceptionsOut(exceptions=found, clearings=[ClearingOut.of(*one) for one in clearings.listed(session)])


@router.post("/v1/exceptions/{alias}/resolve", status_code=201)
def resolve_exception(
    alias: Alias, body: ResolveIn, request: Request, session: Tx, caller: Admitted, now: Now, once: Claimed
) -> ClearingOut:
    """Closes it by an entry, or dismisses it: alone within the roster's limits, else a second person agrees."""
    note = body.note.box() if body.note is not None else None
    placed = (note.kind, note.alias, note.field) if note is not None else None
    expected = ("clearing", body.alias, "note") if body.shelf is not None else None
    if placed != expected or (body.shelf is not None and body.shelf.alias != body.alias):
        raise BadNote("a note and its shelf are of this clearing", where="note, shelf")
    new = NewClearing(
        alias=body.alias,
        exception=alias,
        because=body.because,
        entry_id=body.entry,
        note_commitment=note.commitment if note is not None else None,
    )
    said = clearings.request(session, new, Agreed(body.agreed.act, body.agreed.signature, caller.operator, now))
    if note is not None and body.shelf is not None:
        shelves.put_up(session, body.shelf.shelf(), signer=caller.operator, shred_keys=request.app.state.shred_keys)
        shelves.keep(session, [note], shelf=body.alias)
    return once.keep(ClearingOut.of(said, None))


@router.post("/v1/exceptions/{alias}/agree", status_code=201)
def agree_to_clearing(
    alias: Alias, body: AgreeIn, session: Tx, caller: Admitted, now: Now, once: Claimed
) -> ClearingOut:
    """Another person agrees to a dismissal: the exception is closed."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    said = clearings.agree(session, body.clearing, agreed, exception=alias)
    return once.keep(ClearingOut.of(said, clearings.agreement_of(session, said.alias)))


def _of(session: Session, one: Aged) -> ExceptionOut:
    opened, amount, suggested = one.opened, one.opened.amount(), one.suggested
    line = waits.line_of(session, opened)
    tells = opened.account_code is None or opened.difference in strays.DIFFERENCES
    return ExceptionOut(
        alias=opened.alias,
        difference=opened.difference,
        account=opened.account_code,
        fund=opened.fund_code,
        about=opened.about.partition(":")[2] if tells else None,
        amount=AmountOnWire.of(amount) if amount is not None else None,
        opened_on=opened.opened_on,
        age_days=one.age_days,
        severity=int(one.severity),
        clearable=clearings.is_clearable(session, opened),
        next=one.next,
        suggested=SuggestedOut(debit=suggested.debit, credit=suggested.credit, amount=AmountOnWire.of(suggested.amount))
        if isinstance(suggested, Suggested)
        else None,
        why_none=suggested if isinstance(suggested, NoPosting) else None,
        statement=line.statement_alias if line is not None else None,
        told_by=[_told_by(other) for other in retellings.others_of(session, line)]
        if line is not None and opened.difference is Difference.PERHAPS_TOLD_TWICE
        else [],
    )


def _told_by(line: StatementLine) -> ToldByOut:
    amount = AmountOnWire.of(line.amount())
    return ToldByOut(line=line.source_key, statement=line.statement_alias, on=line.booked_on, amount=amount)
