"""The subledger of aid: what the books say about one case or one beneficiary, line by line, with balances.

It shows the lines on those control accounts that name an obligation: what the fund owes, and what others owe it back.
So its balances are parts of the accounts' own, and `checks` holds the two against each other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlmodel import Session, col, select

from ledger.aid import cases, persons
from ledger.aid.batch_lines import BatchLine
from ledger.aid.batches import Batch
from ledger.aid.beneficiaries import UnknownBeneficiary
from ledger.aid.cases import Case
from ledger.aid.disbursements import Disbursement
from ledger.books.entries import Entry, Line
from ledger.books.holds import HoldMovement, Move
from ledger.books.recipes.codes import APPROVED_ASSISTANCE, BAIL_RECOVERABLE, RECOVERABLE, REFUNDS_RECEIVABLE
from ledger.money import Money

SHOWN = (APPROVED_ASSISTANCE, BAIL_RECOVERABLE, REFUNDS_RECEIVABLE, RECOVERABLE)
"""The accounts whose lines a beneficiary's ledger has: approved assistance, bail, refunds and what is recoverable."""


class Way(StrEnum):
    """How a payment reached its end: through an agent, or from the bank to the authority or the beneficiary."""

    AGENT = "agent"
    AUTHORITY = "authority"
    BENEFICIARY = "beneficiary"


@dataclass(frozen=True, slots=True)
class Payment:
    """Which disbursement an entry has paid or given back, and how it was paid.

    `agent` and `batch` are aliases, if there are any.
    """

    disbursement: str
    way: Way
    agent: str | None
    batch: str | None
    released_by: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the journal. An `amount` above zero is a debit; `balance` is what stands on the account after it.

    `against` are the accounts of the entry's other lines about the case. `happened_on` is as coarse as it was booked.
    """

    entry: int
    number: int
    kind: str
    effective_on: date
    happened_on: date
    recorded_at: datetime
    reverses: int | None
    case: str
    obligation: str
    account: str
    fund: str
    amount: Money
    balance: Money
    against: tuple[str, ...]
    payment: Payment | None

    @property
    def place(self) -> tuple[date, int, int]:
        """Where it stands in the order of a ledger: by day, entry and line."""
        return self.effective_on, self.entry, self.number


def of_case(session: Session, case: str, *, as_known_at: datetime | None = None) -> list[Row]:
    """The rows of a case, oldest first, leaving out what was recorded after `as_known_at`.

    Raises:
        UnknownCase: there is none.
    """
    return _rows(session, [cases.require(session, case).alias], as_known_at=as_known_at)


def of_beneficiary(session: Session, beneficiary: str, *, as_known_at: datetime | None = None) -> list[Row]:
    """The rows of all cases of a beneficiary, oldest first, and of whoever was signed to be the same person.

    What was signed after `as_known_at` is left out like what was recorded then.

    Raises:
        UnknownBeneficiary: nobody has a case under this alias.
    """
    person = persons.joined(session, [beneficiary], as_known_at=as_known_at)[beneficiary]
    found = session.exec(select(Case.alias).where(col(Case.beneficiary_alias).in_(person))).all()
    if not found:
        raise UnknownBeneficiary("no beneficiary has this alias")
    return _rows(session, found, as_known_at=as_known_at)


def payments_of(session: Session, entries: Iterable[Entry]) -> dict[int, Payment]:
    """Which disbursement each of these entries has paid or given back, by the entry's number; of others nothing."""
    numbers = {entry.source_key: entry.id for entry in entries}
    paid = _paid_by(session, numbers)
    returned = session.exec(select(Disbursement).where(col(Disbursement.returned_key).in_(numbers))).all()
    found = [*session.exec(select(Disbursement).where(col(Disbursement.alias).in_(paid)))]
    listed = session.exec(
        select(BatchLine.disbursement_alias, Batch)
        .join(Batch, col(Batch.alias) == BatchLine.batch_alias)
        .where(col(BatchLine.disbursement_alias).in_([*paid, *(one.alias for one in returned)]))
    )
    batches = dict(listed.all())
    told = {paid[one.alias]: _payment(one, batches.get(one.alias)) for one in found}
    given_back = {one.returned_key: _payment(one, batches.get(one.alias)) for one in returned}
    return told | {numbers[key]: payment for key, payment in given_back.items() if key is not None}


def _rows(session: Session, of: Sequence[str], *, as_known_at: datetime | None) -> list[Row]:
    """All rows at once: a person has tens of them, and a balance needs every one before it."""
    query = (
        select(Entry, Line)
        .join(Line, col(Line.entry_id) == Entry.id)
        .where(col(Line.case_alias).in_(of))
        .order_by(col(Entry.effective_on), col(Entry.id), col(Line.number))
    )
    if as_known_at is not None:
        query = query.where(col(Entry.recorded_at) <= as_known_at)
    found = session.exec(query).all()
    paid = payments_of(session, {entry.id: entry for entry, _ in found}.values())
    against: dict[tuple[int, str | None], set[str]] = {}
    for entry, line in found:
        against.setdefault((entry.id, line.case_alias), set()).add(line.account_code)
    rows: list[Row] = []
    balances: dict[tuple[str, str], int] = {}
    for entry, line in found:
        if line.account_code not in SHOWN or line.case_alias is None or line.subject is None:
            continue
        key = line.account_code, line.currency
        balances[key] = balances.get(key, 0) + line.minor
        rows.append(
            Row(
                entry=entry.id,
                number=line.number,
                kind=entry.kind,
                effective_on=entry.effective_on,
                happened_on=entry.happened_on,
                recorded_at=entry.recorded_at,
                reverses=entry.reverses_id,
                case=line.case_alias,
                obligation=line.subject,
                account=line.account_code,
                fund=line.fund_code,
                amount=Money(line.minor, line.currency),
                balance=Money(balances[key], line.currency),
                against=tuple(sorted(against[entry.id, line.case_alias] - {line.account_code})),
                payment=paid.get(entry.id) if line.account_code == APPROVED_ASSISTANCE else None,
            )
        )
    return rows


def _payment(disbursement: Disbursement, batch: Batch | None) -> Payment:
    agent = None if batch is None else batch.agent_alias
    return Payment(
        disbursement=disbursement.alias,
        way=Way.AGENT if agent else Way(disbursement.payee),
        agent=agent,
        batch=None if batch is None else batch.alias,
        released_by=disbursement.released_by,
    )


def _paid_by(session: Session, entries: Mapping[str, int]) -> dict[str, int]:
    """By disbursement: which of these entries, told by source key, has paid it.

    A bank's line took the hold of its release; an agent's receipt is booked under the line of its batch.
    """
    captured = select(HoldMovement).where(col(HoldMovement.source_key).in_(entries), HoldMovement.move == Move.CAPTURED)
    paid = {
        moved.hold_key.split(":")[1]: entries[moved.source_key]
        for moved in session.exec(captured)
        if moved.hold_key.startswith("disbursement:")
    }
    lists = {key.split(":")[1] for key in entries if key.startswith("batch:")}
    for line in session.exec(select(BatchLine).where(col(BatchLine.batch_alias).in_(lists))):
        if (entry := entries.get(f"batch:{line.batch_alias}:{line.number}")) is not None:
            paid[line.disbursement_alias] = entry
    return paid
