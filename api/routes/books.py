"""Routes of the books: accounts, funds, balances, trial balance."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from api.authentication import Admitted
from api.idempotency import Claimed
from api.routes.wire import AmountOnWire, Code, CurrencyCode, Day, Moment, Wire
from api.transactions import Tx
from ledger.books import accounts, balances, funds
from ledger.books.accounts import Account, UnknownAccount
from ledger.money import Money

router = APIRouter()


class AccountOut(Wire):
    """One account; `subject` names what a line on it must name."""

    code: str
    name: str
    account_class: str
    currency: str | None
    closed: bool

    @classmethod
    def of(cls, account: Account) -> "AccountOut":
        """An account as the wire has it."""
        return cls.model_validate(account.model_dump(include=set(cls.model_fields)))


class AccountsOut(Wire):
    """The chart."""

    accounts: list[AccountOut]


class LeafIn(Wire):
    """A new leaf, such as `1000:eur-main`; leaves of pooled accounts have a currency."""

    code: Code
    name: Annotated[str, Field(min_length=1, max_length=80)]
    currency: CurrencyCode | None = None


class FundOut(Wire):
    """One fund."""

    code: str
    name: str
    restricted: bool


class FundsOut(Wire):
    """All funds."""

    funds: list[FundOut]


class FundIn(Wire):
    """A new fund."""

    code: Code
    name: Annotated[str, Field(min_length=1, max_length=80)]
    restricted: bool


class BalanceOut(Wire):
    """A debit balance; a credit balance is negative."""

    account: str
    balance: AmountOnWire


class TrialBalanceRow(Wire):
    """One leaf in one fund and currency."""

    account: str
    name: str
    account_class: str
    fund: str
    balance: AmountOnWire


class TrialBalanceOut(Wire):
    """Every leaf that moved."""

    on: date | None
    as_known_at: datetime | None
    rows: list[TrialBalanceRow]


@router.get("/v1/accounts")
def list_accounts(session: Tx, _caller: Admitted) -> AccountsOut:
    """The chart of accounts."""
    return AccountsOut(accounts=[AccountOut.of(account) for account in accounts.listed(session)])


@router.post("/v1/accounts", status_code=201)
def add_account(leaf: LeafIn, session: Tx, once: Claimed) -> AccountOut:
    """Adds a leaf to the chart."""
    added = accounts.add_leaf(session, leaf.code, name=leaf.name, currency=leaf.currency)
    return once.keep(AccountOut.of(added))


@router.get("/v1/funds")
def list_funds(session: Tx, _caller: Admitted) -> FundsOut:
    """All funds."""
    return FundsOut(funds=[FundOut.model_validate(fund.model_dump()) for fund in funds.listed(session)])


@router.post("/v1/funds", status_code=201)
def add_fund(fund: FundIn, session: Tx, once: Claimed) -> FundOut:
    """Adds a fund."""
    added = funds.add(session, fund.code, name=fund.name, restricted=fund.restricted)
    return once.keep(FundOut.model_validate(added.model_dump()))


@router.get("/v1/balances")
def read_balance(
    session: Tx,
    _caller: Admitted,
    account: Code,
    currency: CurrencyCode,
    fund: Code | None = None,
    on: Day | None = None,
    as_known_at: Moment | None = None,
) -> BalanceOut:
    """What stood on an account, or on a code and its leaves, at the end of a day, as known at a moment.

    Of an account or a fund that is not there nothing is told: `0.00` would be a guess.
    """
    if session.get(Account, account) is None:
        raise UnknownAccount("no account has this code")
    if fund is not None:
        funds.require(session, fund)
    found = balances.balance(session, account, currency=currency, fund=fund, on=on, as_known_at=as_known_at)
    return BalanceOut(account=account, balance=AmountOnWire.of(found))


@router.get("/v1/trial-balance")
def read_trial_balance(
    session: Tx, _caller: Admitted, on: Day | None = None, as_known_at: Moment | None = None
) -> TrialBalanceOut:
    """The trial balance at the end of a day, as known at a moment."""
    rows = [
        TrialBalanceRow(
            account=row.account.code,
            name=row.account.name,
            account_class=row.account.account_class,
            fund=row.fund,
            balance=AmountOnWire.of(Money(row.minor, row.currency)),
        )
        for row in balances.trial_balance(session, on=on, as_known_at=as_known_at)
    ]
    return TrialBalanceOut(on=on, as_known_at=as_known_at, rows=rows)
