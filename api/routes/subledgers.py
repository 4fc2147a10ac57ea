"""Routes of the ledgers of one case and of one beneficiary."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api.authentication import Admitted
from api.routes.wire import Alias, AmountOnWire, BadCursor, Moment, Page, Wire
from api.transactions import Tx
from ledger.aid import subledger
from ledger.aid.subledger import Payment, Row
from reports.audit import subledgers

router = APIRouter()

Cursor = Annotated[str, Query(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\.[0-9]{1,18}\.[0-9]{1,5}$")]
Limit = Annotated[int, Query(ge=1, le=500)]
PAGE = 100
"""How many rows a page has by default."""
CSV = "text/csv; charset=utf-8"


class PaymentOut(Wire):
    """Which disbursement an entry has paid, and how: by an agent, or from the bank to whom."""

    disbursement: str
    way: str
    agent: str | None
    batch: str | None
    released_by: str | None

    @classmethod
    def of(cls, payment: Payment) -> "PaymentOut":
        """A payment as the wire has it."""
        return cls(
            disbursement=payment.disbursement,
            way=payment.way,
            agent=payment.agent,
            batch=payment.batch,
            released_by=payment.released_by,
        )


class RowOut(Wire):
    """One line of the journal; `debit` or `credit`, and the balance after it, below zero for a credit balance."""

    entry: int
    line: int
    kind: str
    effective_on: date
    happened_on: date
    recorded_at: datetime
    reverses: int | None
    case: str
    obligation: str
    account: str
    fund: str
    debit: AmountOnWire | None
    credit: AmountOnWire | None
    balance: AmountOnWire
    against: tuple[str, ...]
    payment: PaymentOut | None

    @classmethod
    def of(cls, row: Row) -> "RowOut":
        """A row as the wire has it."""
        return cls(
            entry=row.entry,
            line=row.number,
            kind=row.kind,
            effective_on=row.effective_on,
            happened_on=row.happened_on,
            recorded_at=row.recorded_at,
            reverses=row.reverses,
            case=row.case,
            obligation=row.obligation,
            account=row.account,
            fund=row.fund,
            debit=AmountOnWire.of(row.amount) if row.amount.minor > 0 else None,
            credit=AmountOnWire.of(-row.amount) if row.amount.minor < 0 else None,
            balance=AmountOnWire.of(row.balance),
            against=row.against,
            payment=PaymentOut.of(row.payment) if row.payment else None,
        )


class LedgerOut(Page):
    """A page of a ledger, oldest day first."""

    rows: list[RowOut]


@router.get("/v1/cases/{alias}/ledger")
def read_case_ledger(
    alias: Alias,
    session: Tx,
    _caller: Admitted,
    as_known_at: Moment | None = None,
    cursor: Cursor | None = None,
    limit: Limit = PAGE,
) -> LedgerOut:
    """What the books say about a case: what was recognised, what was paid and how, what stands after each line."""
    return _page(subledger.of_case(session, alias, as_known_at=as_known_at), after=cursor, limit=limit)


@router.get("/v1/beneficiaries/{alias}/ledger")
def read_beneficiary_ledger(
    alias: Alias,
    session: Tx,
    _caller: Admitted,
    as_known_at: Moment | None = None,
    cursor: Cursor | None = None,
    limit: Limit = PAGE,
) -> LedgerOut:
    """The same over all cases of a beneficiary."""
    return _page(subledger.of_beneficiary(session, alias, as_known_at=as_known_at), after=cursor, limit=limit)


@router.get("/v1/cases/{alias}/ledger.csv", response_class=Response)
def read_case_ledger_as_csv(
    alias: Alias, session: Tx, _caller: Admitted, as_known_at: Moment | None = None
) -> Response:
    """The whole ledger of a case as a table."""
    found = subledger.of_case(session, alias, as_known_at=as_known_at)
    return Response(subledgers.render_csv(found), media_type=CSV)


@router.get("/v1/beneficiaries/{alias}/ledger.csv", response_class=Response)
def read_beneficiary_ledger_as_csv(
    alias: Alias, session: Tx, _caller: Admitted, as_known_at: Moment | None = None
) -> Response:
    """The whole ledger of a beneficiary as a table."""
    found = subledger.of_beneficiary(session, alias, as_known_at=as_known_at)
    return Response(subledgers.render_csv(found), media_type=CSV)


def _page(rows: Sequence[Row], *, after: str | None, limit: int) -> LedgerOut:
    place = _place(after) if after else None
    found = [row for row in rows if place is None or row.place > place]
    shown = found[:limit]
    return LedgerOut(
        rows=[RowOut.of(row) for row in shown],
        next=".".join(map(str, shown[-1].place)) if len(found) > limit else None,
    )


def _place(cursor: str) -> tuple[date, int, int]:
    day, entry, number = cursor.split(".")
    try:
        return date.fromisoformat(day), int(entry), int(number)
    except ValueError:
        raise BadCursor("not a cursor of this list", where="cursor") from None
