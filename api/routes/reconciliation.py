"""Routes of reconciliation: statements, comparisons, and sheets of them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field, StringConstraints
from sqlmodel import Session

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import (
    Alias,
    AmountOnWire,
    BoxOnWire,
    Code,
    CurrencyCode,
    Day,
    Digest,
    ShelfOnWire,
    SignedActOnWire,
    Wire,
)
from api.transactions import Tx
from ledger import comparisons
from ledger.aid import agents
from ledger.aid.agents import Agent
from ledger.approvals import Agreed
from ledger.books import accounts
from ledger.errors import BadInput
from ledger.giving.leaves import PROCESSOR
from ledger.identities import shelves
from ledger.identities.shelves import Shelf
from ledger.money import Money
from ledger.reconciliation import account_numbers, advances, bank, processor, sheets
from ledger.reconciliation.sheets import Review, Sheet, With
from ledger.reconciliation.statements import BANK, NewLine, NewStatement, Part
from reports import reconciliations

router = APIRouter()

MOST_LINES = 20_000
"""The most lines of one statement."""
MOST_EPOCHS = 1_000
"""The most older keys of a vault by which a statement may be known."""


class BadRest(BadInput):
    """What is sealed with a statement is not the rest of this statement."""

    rule = "bad_rest"


_Reference = Annotated[str, StringConstraints(pattern=r"^RF[0-9]{2}[0-9A-Z]{1,21}$")]
MOST_PARTS = 500
"""Of how many payments behind one line the references are told."""


class PartIn(Wire):
    """One of the payments behind a line of several, with our own reference when it has one."""

    amount: AmountOnWire
    reference: _Reference | None

    def part(self) -> Part:
        """The payment as the ledger takes it."""
        return Part(self.amount.money(), self.reference)


class LineIn(Wire):
    """A booked line: what moved when, and our own reference when the payer or the bank brought one back.

    `traces` are tokens of its end-to-end id, the newest epoch's first, `marks` of the bank's own reference; `payout` is
    the digest of a payout's id. `parts` are told of a line of several payments that have not all the same reference.
    """

    booked_on: Day
    value_on: Day | None
    amount: AmountOnWire
    reference: _Reference | None
    reversal: bool
    traces: Annotated[list[Digest], Field(default_factory=list, max_length=MOST_EPOCHS)]
    payout: Digest | None = None
    marks: Annotated[list[Digest], Field(default_factory=list, max_length=MOST_EPOCHS)]
    parts: Annotated[list[PartIn], Field(default_factory=list, max_length=MOST_PARTS)]


class StatementIn(Wire):
    """A statement's lines in plain numbers, and everything else of it in one sealed box on a shelf of its own.

    `format` tells two formats apart, `number` is the bank's own count of its statements, where it has one.
    `number_tokens` are tokens of the account's number; `number_said` means that a treasurer said it for this leaf,
    as one does for the first of a leaf.
    """

    alias: Alias
    account: Code
    currency: CurrencyCode
    opened_on: Day | None
    closed_on: Day | None
    opening: AmountOnWire | None
    closing: AmountOnWire | None
    format: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{1,10}(\.[a-z0-9]{1,8})?$")] | None = None
    number: Annotated[str, StringConstraints(pattern=r"^[0-9/]{1,40}$")] | None = None
    content_token: Digest
    older_tokens: Annotated[list[Digest], Field(default_factory=list, max_length=2 * MOST_EPOCHS)]
    number_tokens: Annotated[list[Digest], Field(default_factory=list, max_length=MOST_EPOCHS)]
    number_said: bool = False
    lines: Annotated[list[LineIn], Field(max_length=MOST_LINES)]
    shelf: ShelfOnWire
    rest: BoxOnWire

    def statement(self) -> NewStatement:
        """The statement as the ledger takes it."""
        return NewStatement(
            alias=self.alias,
            account=self.account,
            currency=self.currency,
            opened_on=self.opened_on,
            closed_on=self.closed_on,
            opening=self.opening.money() if self.opening else None,
            closing=self.closing.money() if self.closing else None,
            content_token=self.content_token,
            older_tokens=self.older_tokens,
            format=self.format,
            number=self.number,
            number_tokens=self.number_tokens,
            number_said=self.number_said,
            lines=[
                NewLine(
                    line.booked_on,
                    line.value_on,
                    line.amount.money(),
                    line.reference,
                    line.reversal,
                    tuple(line.traces),
                    line.payout,
                    tuple(line.marks),
                    tuple(part.part() for part in line.parts),
                )
                for line in self.lines
            ],
        )


class StatementOut(Wire):
    """How many lines were new, and how many of these the books now answer."""

    alias: str
    fresh: int
    booked: int


class NumbersOut(Wire):
    """For each bank leaf whose statements told the account's number, the tokens of what they told."""

    numbers: dict[str, list[str]]


class LeafKind(StrEnum):
    """Who keeps a leaf."""

    BANK = "bank"
    PROCESSOR = "processor"
    AGENT = "agent"


class ReconciliationOut(Wire):
    """A bank leaf on the closing day of its newest statement, a processor's leaf after its newest movement, or a purse.

    `per_bank` is what the bank or the processor says, or what an agent was advanced less what was claimed and returned;
    `coming` and `going` were booked and are not shown by a bank; `not_booked` are lines of the bank, or movements, that
    wait. `per_bank + coming - going - not_booked` is `per_books` and the difference.
    """

    kind: LeafKind
    account: str
    on: date
    per_bank: AmountOnWire
    coming: AmountOnWire
    going: AmountOnWire
    not_booked: AmountOnWire
    per_books: AmountOnWire
    difference: AmountOnWire


class ReconciliationsOut(Wire):
    """Every bank leaf that has a statement, every processor's leaf that has a movement, every purse in use."""

    reconciliations: list[ReconciliationOut]


@router.post("/v1/statements", status_code=201)
def receive_statement(
    body: StatementIn, request: Request, session: Tx, caller: Admitted, now: Now, once: Claimed
) -> StatementOut:
    """Stores a statement, books its lines, opens an exception for every difference; the same content does nothing."""
    rest = body.rest.box()
    if (rest.kind, rest.alias, rest.field) != ("statement", body.alias, "rest") or body.shelf.alias != body.alias:
        raise BadRest("the sealed rest and its shelf are of this statement", where="rest, shelf")
    outcome = bank.receive(session, body.statement(), received_at=now, received_by=caller.operator.alias)
    if outcome.statement.alias == body.alias and session.get(Shelf, body.alias) is None:
        shelves.put_up(session, body.shelf.shelf(), signer=caller.operator, shred_keys=request.app.state.shred_keys)
        shelves.keep(session, [rest], shelf=body.alias)
    return once.keep(StatementOut(alias=outcome.statement.alias, fresh=outcome.fresh, booked=outcome.booked))


@router.get("/v1/statements/numbers")
def list_numbers(session: Tx, _caller: Admitted) -> NumbersOut:
    """Which accounts the bank leaves are, as tokens."""
    found = account_numbers.listed(session)
    return NumbersOut(numbers={leaf: sorted(tokens) for leaf, tokens in found.items()})


@router.get("/v1/reconciliations")
def list_reconciliations(session: Tx, _caller: Admitted, now: Now) -> ReconciliationsOut:
    """Books against bank, card processor and agents, for every leaf of which they told something."""
    leaves = [account for account in accounts.listed(session) if account.parent_code in {BANK, PROCESSOR}]
    found = [
        _of_bank(session, leaf.code) if leaf.parent_code == BANK else _of_processor(session, leaf.code)
        for leaf in leaves
    ]
    purses = [one for agent in agents.listed(session) for one in _of_agent(session, agent, on=now.date())]
    return ReconciliationsOut(reconciliations=[*(one for one in found if one is not None), *purses])


class SheetOut(Wire):
    """A sheet: its exact content as JSON text, the content's SHA-256, and who prepared and reviewed it."""

    alias: str
    compared: With
    account: str | None
    content: str
    digest: str
    prepared_by: str
    prepared_at: datetime
    reviewed_by: str | None
    reviewed_at: datetime | None

    @classmethod
    def of(cls, sheet: Sheet, review: Review | None) -> "SheetOut":
        """A sheet as the wire has it."""
        return cls(
            alias=sheet.alias,
            compared=sheet.compared,
            account=sheet.account,
            content=sheet.content,
            digest=sheet.digest,
            prepared_by=sheet.prepared_by,
            prepared_at=sheet.prepared_at,
            reviewed_by=review.reviewed_by if review else None,
            reviewed_at=review.reviewed_at if review else None,
        )


class SheetsOut(Wire):
    """Every sheet, the newest first."""

    sheets: list[SheetOut]


class ContentOut(Wire):
    """What a sheet would say now: the JSON text over whose SHA-256 its preparer signs."""

    content: str


class SheetIn(Wire):
    """A sheet to be kept; the act has its alias as its object and the hash of its content as evidence."""

    alias: Alias
    compared: With
    account: Code | None
    agreed: SignedActOnWire


class ReviewIn(Wire):
    """The reviewer's act, over the same hash."""

    agreed: SignedActOnWire


@router.get("/v1/reconciliations/content")
def read_content(
    session: Tx, _caller: Admitted, now: Now, compared: With, account: Annotated[Code | None, Query()] = None
) -> ContentOut:
    """The comparison as the books give it now."""
    return ContentOut(content=comparisons.compare(session, compared, account, on=now.date()).canonical())


@router.get("/v1/reconciliations/sheets")
def list_sheets(session: Tx, _caller: Admitted) -> SheetsOut:
    """Every sheet with its review."""
    return SheetsOut(sheets=[SheetOut.of(sheet, review) for sheet, review in sheets.listed(session)])


@router.post("/v1/reconciliations/sheets", status_code=201)
def prepare_sheet(body: SheetIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> SheetOut:
    """Keeps what the treasurer has signed, when the books still say so."""
    content = comparisons.compare(session, body.compared, body.account, on=now.date()).canonical()
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    sheet = sheets.prepare(
        session, body.alias, compared=body.compared, account=body.account, content=content, agreed=agreed
    )
    return once.keep(SheetOut.of(sheet, None))


@router.post("/v1/reconciliations/sheets/{alias}/review", status_code=201)
def review_sheet(alias: Alias, body: ReviewIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> SheetOut:
    """Another person agrees to the content."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    review = sheets.review(session, alias, agreed=agreed)
    return once.keep(SheetOut.of(sheets.require(session, alias), review))


@router.get("/v1/reconciliations/sheets/{alias}.pdf", response_class=Response)
def read_sheet(alias: Alias, session: Tx, _caller: Admitted) -> Response:
    """The sheet as PDF, with its content as it was signed."""
    sheet = sheets.require(session, alias)
    return Response(reconciliations.render_pdf(sheet, sheets.review_of(session, sheet)), media_type="application/pdf")


def _of_agent(session: Session, agent: Agent, *, on: date) -> list[ReconciliationOut]:
    return [
        ReconciliationOut(
            kind=LeafKind.AGENT,
            account=one.account,
            on=one.on,
            per_bank=AmountOnWire.of(one.per_advances),
            coming=AmountOnWire.of(Money(0, one.currency)),
            going=AmountOnWire.of(Money(0, one.currency)),
            not_booked=AmountOnWire.of(Money(0, one.currency)),
            per_books=AmountOnWire.of(one.per_books),
            difference=AmountOnWire.of(one.difference),
        )
        for one in advances.reconcile(session, agent, on=on)
    ]


def _of_bank(session: Session, leaf: str) -> ReconciliationOut | None:
    one = bank.reconcile(session, leaf)
    if one is None:
        return None
    return ReconciliationOut(
        kind=LeafKind.BANK,
        account=one.account,
        on=one.on,
        per_bank=AmountOnWire.of(one.per_bank),
        coming=AmountOnWire.of(one.coming),
        going=AmountOnWire.of(one.going),
        not_booked=AmountOnWire.of(one.not_booked),
        per_books=AmountOnWire.of(one.per_books),
        difference=AmountOnWire.of(one.difference),
    )


def _of_processor(session: Session, leaf: str) -> ReconciliationOut | None:
    one = processor.reconcile(session, leaf)
    if one is None:
        return None
    return ReconciliationOut(
        kind=LeafKind.PROCESSOR,
        account=one.account,
        on=one.on,
        per_bank=AmountOnWire.of(one.per_processor),
        coming=AmountOnWire.of(Money(0, one.currency)),
        going=AmountOnWire.of(Money(0, one.currency)),
        not_booked=AmountOnWire.of(one.not_booked),
        per_books=AmountOnWire.of(one.per_books),
        difference=AmountOnWire.of(one.difference),
    )
