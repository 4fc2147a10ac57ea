"""What waits in every section of the queue, at fitting numbers, written past all guards: for measuring only."""

import sqlite3
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Engine, text
from sqlmodel import SQLModel

from bench.databases import DAY, NOW, RECORDER
from bench.linkages import AMOUNTS
from ledger.aid.advances import Advance
from ledger.aid.agents import Agent
from ledger.aid.batch_lines import BatchLine
from ledger.aid.batches import Batch
from ledger.aid.disbursements import Disbursement
from ledger.aid.line_failures import LineFailure
from ledger.aid.outlays import Repayment
from ledger.aid.payment_files import PaymentFile, PaymentFileLine
from ledger.aid.purse_movements import PurseMovement
from ledger.aid.refunds import Refund
from ledger.approvals import SignedAct
from ledger.books.periods import SoftClosedMonth
from ledger.exceptions import OpenException
from ledger.giving.cash import CashCount
from ledger.giving.cash_deposits import CashDeposit
from ledger.giving.disputes import Dispute
from ledger.giving.donations import Donation
from ledger.giving.gift_returns import GiftReturn
from ledger.giving.in_kind import GiftInKind
from ledger.giving.purpose_versions import PurposeDraft
from ledger.giving.refund_orders import RefundOrder
from ledger.identities.erasure import Erasure
from ledger.identities.evidence import EvidenceFile
from ledger.publications import Draft
from ledger.reconciliation.clearings import Clearing
from ledger.reconciliation.resolutions import Resolution
from ledger.reconciliation.sheets import Sheet
from ledger.storage import guards
from ledger.storage.columns import UtcDateTime
from ledger.storage.engine import transaction
from ledger.treasury.conversions import Conversion
from ledger.treasury.transfers import Transfer

APPROVER = "OP-0000-0000-0008"
_STATES = {
    2: "closed",
    3: "confirmed",
    4: "approved",
    5: "verified",
    6: "closed",
    7: "approved",
    8: "on_hold",
    9: "paid",
}
"""By the last digit of a case's alias; the others stay received, and every tenth of these shares a ruling with another.

Of 4 the payments are released, of 5 requested, of 7 approved: what nobody has asked for yet are the last few.
"""


def fill(engine: Engine, many: int) -> None:
    """Moves the cases of `linkages.fill` on, and has so much wait as a fund of so many cases may have; once."""
    with transaction(engine, write=False) as session:
        if session.connection().execute(text("SELECT 1 FROM disbursement")).first() is not None:
            return
    with transaction(engine) as session:
        guards.remove(session.connection())
        for digit, state in _STATES.items():
            told = {"state": state, "end": f"%{digit}", "resumes": "verified" if state == "on_hold" else None}
            moved = text("UPDATE aid_case SET state = :state, resumes_as = :resumes WHERE alias LIKE :end")
            session.connection().execute(moved, told)
            paid = text("UPDATE obligation SET state = 'paid' WHERE alias LIKE :end")
            if digit == 4:  # noqa: PLR2004  # of these nine of ten are paid by now
                done = text("UPDATE aid_case SET state = 'paid' WHERE alias LIKE '%4' AND alias NOT LIKE '%04'")
                session.connection().execute(done)
            if digit in {2, 3, 6, 9}:
                session.connection().execute(paid, {"end": f"%{digit}"})
        session.connection().execute(text("UPDATE aid_case SET is_suspect = true WHERE alias LIKE '%0'"))
    for table, rows in (
        *_of_cases(many).items(),
        *_of_agents(many // 50).items(),
        *_of_gifts(many // 50).items(),
        *_of_papers(many // 50).items(),
    ):
        _write(engine, table, rows)
    with transaction(engine) as session:
        guards.install(session.connection())
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


def _of_cases(many: int) -> dict[type[SQLModel], list[dict[str, Any]]]:
    """Payments, a tenth of them in batches, those released half in payment files; files of cases, and the erased."""
    made: dict[type[SQLModel], list[dict[str, Any]]] = {Disbursement: [], PaymentFileLine: [], EvidenceFile: []}
    acts: list[dict[str, Any]] = []
    states, some = {4: "released", 5: "requested", 7: "approved"}, many // 50
    for nth in range(many - 20):
        alias = _alias("D", nth)
        if (state := states.get(nth % 10)) and (nth % 10 != 4 or nth % 100 == 4):  # noqa: PLR2004  # as their cases
            made[Disbursement].append(
                _row(
                    Disbursement,
                    nth,
                    state=state,
                    obligation_alias=_alias("O", nth),
                    case_alias=_alias("C", nth),
                    reference=_alias("RF", nth),
                    account_code="1000:eur-0",
                    approved_by=None if state == "requested" else APPROVER,
                    due_by=DAY + timedelta(days=nth % 60),
                    payee="authority",
                    minor=AMOUNTS[nth % len(AMOUNTS)],
                )
            )
            if state == "approved":
                acts.append(_act(nth, "approve_disbursement", alias))
            if state == "released" and nth % 200 == 4:  # noqa: PLR2004  # every other one
                made[PaymentFileLine].append({"file_alias": "FL-1", "disbursement_alias": alias, "withdrawn": False})
        made[EvidenceFile].append(
            _row(
                EvidenceFile,
                nth,
                version=1,
                kind="ruling",
                subject=_alias("C", nth),
                shelf_alias=_alias("B", nth),
                commitment=_alias("E", nth),
                keep_until=DAY - timedelta(days=nth % 900),
                completed_at=NOW,
                dropped_on=DAY if nth % 20 == 2 or (nth % 10 == 0 and nth > some) else None,  # noqa: PLR2004  # they were due
            )
        )
    made[PaymentFile] = [_row(PaymentFile, nth, message_id=_alias("M", nth)) for nth in range(many // 50)]
    made[Erasure] = [
        {
            "shelf_alias": _alias("B", nth),
            "reason": "retention",
            "requested_by": RECORDER,
            "requested_at": NOW,
            "agreed_by": None if nth < 100 else APPROVER,  # noqa: PLR2004  # so many wait
            "erased_at": None if nth < 100 else NOW,  # noqa: PLR2004
        }
        for nth in range(0, many, 10)
    ]
    made[Refund] = [
        {
            "reference": _alias("R", nth),
            "obligation_alias": _alias("O", nth),
            "debtor": "authority",
            "minor": 100,
            "currency": "BYN",
            "due_since": DAY,
        }
        for nth in range(9, many // 10, 10)
    ]
    made[SignedAct] = acts
    return made


def _of_agents(some: int) -> dict[type[SQLModel], list[dict[str, Any]]]:
    advances = ("requested", "approved", "released", "sent", "settled")
    outlays = ("requested", "approved", "cancelled")
    lines = [
        {"batch_alias": _alias("BT", nth % (some // 4)), "number": nth + 1, "disbursement_alias": _alias("D", nth)}
        for nth in range(5, some * 5, 20)  # of requested ones
    ]
    return {
        Agent: [_row(Agent, nth, state="vetted" if nth % 10 == 0 else "active") for nth in range(some // 10)],
        Advance: [
            _row(Advance, nth, state=advances[nth % 5], approved_by=APPROVER, sent_on=DAY) for nth in range(some)
        ],
        Batch: [
            _row(Batch, nth, state=("draft", "locked", "approved", "released")[nth % 4], agent_alias=_alias("A", 0))
            for nth in range(some // 4)
        ],
        BatchLine: lines,
        PurseMovement: [
            _row(PurseMovement, nth, what="fee", state="requested" if nth % 10 == 0 else "booked")
            for nth in range(some)
        ],
        Repayment: [
            _row(Repayment, nth, state=outlays[nth % 3], approved_by=APPROVER, returned_minor=0) for nth in range(some)
        ],
        LineFailure: [
            {"disbursement_alias": _alias("D", nth), "because": "money_kept", "told_by": RECORDER, "told_on": DAY}
            for nth in range(5, some, 20)
        ],
    }


def _of_gifts(some: int) -> dict[type[SQLModel], list[dict[str, Any]]]:
    """Fifty gifts for each thing that waits, of which a hundredth are unidentified, and a hundredth conditional."""
    states = {0: "unidentified", 1: "conditional"}
    return {
        Donation: [
            _row(
                Donation,
                nth,
                state=states.get(nth % 100, "received"),
                source="bank",
                source_key=f"bench:{nth}",
                fund_code="unassigned" if nth % 100 == 0 else "fines",
            )
            for nth in range(some * 50)
        ],
        RefundOrder: [
            _row(
                RefundOrder,
                nth,
                state=("requested", "approved", "failed", "succeeded")[nth % 4],
                approved_by=APPROVER,
                donation_alias=_alias("G", nth),
                by_bank=nth % 8 == 1,
            )
            for nth in range(some)
        ],
        GiftReturn: [
            _row(GiftReturn, nth, state=("requested", "approved")[nth % 2], approved_by=APPROVER, approved_on=DAY)
            for nth in range(some)
        ],
        GiftInKind: [_row(GiftInKind, nth, state="valued", kind="legal_aid") for nth in range(some // 10)],
        CashCount: [_row(CashCount, nth, state="counted") for nth in range(some // 10)],
        CashDeposit: [_row(CashDeposit, nth, state="taken") for nth in range(some // 10)],
        Dispute: [
            _row(Dispute, nth, state="open" if nth % 2 else "won", source=_alias("DP", nth)) for nth in range(some)
        ],
    }


def _of_papers(some: int) -> dict[type[SQLModel], list[dict[str, Any]]]:
    return {
        Transfer: [_row(Transfer, nth, state="requested", taker_code="detention") for nth in range(some // 10)],
        Conversion: [
            _row(
                Conversion,
                nth,
                state=("requested", "doubtful", "approved", "released")[nth % 4],
                expected_currency="BYN",
            )
            for nth in range(some // 10)
        ],
        Sheet: [
            _row(Sheet, nth, compared="bank", account=f"1000:eur-{nth % 4}", prepared_at=NOW + timedelta(hours=nth))
            for nth in range(some)
        ],
        SoftClosedMonth: [
            {"last_day": date(1900 + nth, 1, 31), "closed_by": RECORDER, "closed_at": NOW} for nth in range(100)
        ],
        Draft: [_row(Draft, nth, number=1) for nth in range(some // 10)],
        PurposeDraft: [_row(PurposeDraft, nth, number=1, purpose_code=f"P{nth}") for nth in range(some // 10)],
        OpenException: [
            _row(
                OpenException,
                nth,
                difference="amount_differs" if nth % 2 else "check_failed",
                about=f"amount_differs:bank:{nth}",
                account_code=None,
                minor=None,
                currency=None,
                resolved_on=DAY if nth % 3 else None,
            )
            for nth in range(some * 3)
        ],
        Clearing: [
            _row(Clearing, nth, exception_alias=_alias("X", nth), because="looked_into", alone=False, currency=None)
            for nth in range(0, some * 3, 9)
        ],
        Resolution: [
            _row(
                Resolution,
                nth,
                about=_alias("X", nth),
                number=1,
                answer="unidentified",
                because="in_error",
                alone=False,
            )
            for nth in range(0, some * 3, 3)
        ],
    }


_PREFIXES: Mapping[type[SQLModel], str] = {
    Agent: "A",
    OpenException: "X",
    Donation: "G",
    Batch: "BT",
    Disbursement: "D",
}


def _row(table: type[SQLModel], nth: int, **told: Any) -> dict[str, Any]:
    """A row with what is told of it, and something in every other column that must have something."""
    columns = SQLModel.metadata.tables[str(table.__tablename__)].columns
    needed = (column for column in columns if not column.nullable and column.name not in told)
    row = {column.name: _something(column.type) for column in needed}
    named = {"alias": _alias(_PREFIXES.get(table, "Z"), nth), "reference": _alias("RF", nth), "currency": "EUR"}
    return row | {name: value for name, value in named.items() if name in columns} | told


def _something(kind: Any) -> Any:
    plain = {int: 1, bool: False, date: DAY, bytes: b""}
    if isinstance(kind, UtcDateTime):
        return NOW
    if issubclass(kind.python_type, StrEnum):
        return next(iter(kind.python_type)).value
    return plain.get(kind.python_type, RECORDER[-(getattr(kind, "length", None) or len(RECORDER)) :])


def _act(nth: int, verb: str, alias: str) -> dict[str, Any]:
    return {
        "nonce": f"{nth:032}",
        "verb": verb,
        "signer": APPROVER,
        "object": alias,
        "document": "{}",
        "signature": "",
        "roster": 1,
        "recorded_at": NOW,
    }


def _write(engine: Engine, table: type[SQLModel], rows: list[dict[str, Any]]) -> None:
    """By the drivers' own means: foreign keys are not looked up, and on SQLite every row has all columns."""
    if not rows:
        return
    name, columns = str(table.__tablename__), list({column: None for row in rows for column in row})
    if engine.dialect.name == "sqlite":
        with sqlite3.connect(str(engine.url.database)) as connection:
            places = ", ".join("?" for _ in columns)
            insert = f'INSERT INTO "{name}" ({", ".join(columns)}) VALUES ({places})'  # noqa: S608  # names of ours
            connection.executemany(insert, ([_plain(row.get(column)) for column in columns] for row in rows))
        connection.close()
        return
    with transaction(engine) as session:
        session.connection().execute(text("SET LOCAL session_replication_role = replica"))
        cursor: Any = session.connection().connection.cursor()
        with cursor.copy(f'COPY "{name}" ({", ".join(columns)}) FROM STDIN') as copy:
            for row in rows:
                copy.write_row([row.get(column) for column in columns])


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, StrEnum) else value


def _alias(prefix: str, nth: int) -> str:
    return f"{prefix}-0000-{nth // 10_000:04}-{nth % 10_000:04}"
