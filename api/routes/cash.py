"""Routes of cash: counted by one, witnessed by another, taken to the bank."""

from datetime import date, datetime

from fastapi import APIRouter

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.giving import DonationOut, PurposeCode
from api.routes.wire import Alias, AmountOnWire, Code, Day, SignedActOnWire, Wire
from api.transactions import Tx
from ledger.approvals import Agreed
from ledger.giving import cash, cash_deposits
from ledger.giving.cash import CashCount, NewCount
from ledger.giving.cash_deposits import CashDeposit, NewDeposit

router = APIRouter()


class CountIn(Wire):
    """What a treasurer has counted, for which purpose, and where it lies; with their signed act."""

    alias: Alias
    account: Code
    purpose: PurposeCode
    amount: AmountOnWire
    counted_on: Day
    agreed: SignedActOnWire


class CountOut(Wire):
    """A count with everything that a witness restates."""

    alias: str
    account: str
    purpose: str
    fund: str
    amount: AmountOnWire
    counted_on: date
    state: str
    commitment: str
    counted_by: str
    witnessed_by: str | None

    @classmethod
    def of(cls, counted: CashCount) -> "CountOut":
        """A count as the wire has it."""
        return cls(
            alias=counted.alias,
            account=counted.account_code,
            purpose=counted.purpose_code,
            fund=counted.fund_code,
            amount=AmountOnWire.of(counted.amount()),
            counted_on=counted.counted_on,
            state=counted.state,
            commitment=counted.commitment(),
            counted_by=counted.counted_by,
            witnessed_by=counted.witnessed_by,
        )


class CountsOut(Wire):
    """All counts, oldest first."""

    cash_counts: list[CountOut]


class WitnessIn(Wire):
    """The signed act of another operator, who counted the same."""

    agreed: SignedActOnWire


class DepositIn(Wire):
    """What a treasurer takes from cash in hand to a bank leaf, with their signed act."""

    alias: Alias
    source: Code
    target: Code
    amount: AmountOnWire
    agreed: SignedActOnWire


class DepositOut(Wire):
    """Cash on its way, or what the bank counted of it; `reference` is what to write on the bank's slip."""

    alias: str
    source: str
    target: str
    amount: AmountOnWire
    came: AmountOnWire | None
    state: str
    reference: str
    taken_by: str
    taken_at: datetime

    @classmethod
    def of(cls, deposit: CashDeposit) -> "DepositOut":
        """A deposit as the wire has it."""
        came = deposit.came()
        return cls(
            alias=deposit.alias,
            source=deposit.source_code,
            target=deposit.target_code,
            amount=AmountOnWire.of(deposit.amount()),
            came=None if came is None else AmountOnWire.of(came),
            state=deposit.state,
            reference=deposit.reference,
            taken_by=deposit.taken_by,
            taken_at=deposit.taken_at,
        )


class DepositsOut(Wire):
    """All deposits, oldest first."""

    cash_deposits: list[DepositOut]


@router.get("/v1/cash-counts")
def list_counts(session: Tx, _caller: Admitted) -> CountsOut:
    """All counts of cash."""
    return CountsOut(cash_counts=[CountOut.of(one) for one in cash.listed(session)])


@router.post("/v1/cash-counts", status_code=201)
def count_cash(body: CountIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> CountOut:
    """Notes what was counted; nothing is booked before another operator has signed the same."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    new = NewCount(
        alias=body.alias,
        account=body.account,
        purpose=body.purpose,
        amount=body.amount.money(),
        on=body.counted_on,
    )
    return once.keep(CountOut.of(cash.count(session, new, agreed)))


@router.post("/v1/cash-counts/{alias}/witness", status_code=201)
def witness_cash(alias: Alias, body: WitnessIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> DonationOut:
    """Books what two have counted."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    return once.keep(DonationOut.of(cash.witness(session, alias, agreed)))


@router.post("/v1/cash-counts/{alias}/withdraw", status_code=201)
def withdraw_count(alias: Alias, session: Tx, _caller: Admitted, once: Claimed) -> CountOut:
    """Gives up a count that nobody has witnessed."""
    return once.keep(CountOut.of(cash.withdraw(session, alias)))


@router.get("/v1/cash-deposits")
def list_deposits(session: Tx, _caller: Admitted) -> DepositsOut:
    """All cash that was taken to the bank."""
    return DepositsOut(cash_deposits=[DepositOut.of(one) for one in cash_deposits.listed(session)])


@router.post("/v1/cash-deposits", status_code=201)
def take_cash(body: DepositIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> DepositOut:
    """Takes cash to the bank: it is held where it lay until the bank shows it."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    new = NewDeposit(alias=body.alias, source=body.source, target=body.target, amount=body.amount.money())
    return once.keep(DepositOut.of(cash_deposits.take(session, new, agreed)))


@router.post("/v1/cash-deposits/{alias}/cancel", status_code=201)
def cancel_deposit(alias: Alias, session: Tx, _caller: Admitted, now: Now, once: Claimed) -> DepositOut:
    """Brings cash back that the bank has not shown."""
    return once.keep(DepositOut.of(cash_deposits.cancel(session, alias, on=now.date())))
