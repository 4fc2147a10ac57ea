"""The chart of accounts: what may be posted to, in which currency, naming which subject."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from typing import Any

from sqlalchemy import CheckConstraint, bindparam, exists
from sqlalchemy import select as select_columns
from sqlmodel import Field, Session, SQLModel, col, select

from ledger.errors import BadInput, Conflict
from ledger.money import exponent
from ledger.storage.columns import enumeration
from ledger.storage.engine import looked_up

LONGEST_NAME = 80
"""How many characters the name of an account has at most."""

_CODE = re.compile(r"[1-9]\d{3}(:[A-Za-z0-9][A-Za-z0-9_-]{0,39})?", re.ASCII)
_CHART = "account"


class AccountClass(StrEnum):
    """The five classes, in the order of a trial balance."""

    ASSET = "asset"
    LIABILITY = "liability"
    NET_ASSETS = "net_assets"
    INCOME = "income"
    EXPENSE = "expense"


class Function(StrEnum):
    """What an expense serves; `none` for accounts that are no expense."""

    PROGRAMME = "programme"
    MANAGEMENT = "management"
    FUNDRAISING = "fundraising"
    NONE = "none"


class UnknownAccount(BadInput):
    """No account has this code."""

    rule = "unknown_account"


class NotPostable(BadInput):
    """The account is the sum of its leaves, closed, or needs a leaf with a currency first."""

    rule = "not_postable"


class AccountExists(Conflict):
    """The code is taken."""

    rule = "account_exists"


class BadAccount(BadInput):
    """A code, a parent or a currency that cannot stand in the chart."""

    rule = "bad_account"


class Account(SQLModel, table=True):
    """One row of the chart. `subject` holds the admitted kinds, comma-separated; empty when none is required."""

    code: str = Field(primary_key=True, max_length=45)
    parent_code: str | None = Field(default=None, foreign_key="account.code", max_length=4, index=True)
    name: str = Field(max_length=LONGEST_NAME)
    account_class: AccountClass = Field(sa_type=enumeration(AccountClass))
    function: Function = Field(sa_type=enumeration(Function))
    liquid: bool
    cash: bool
    pooled: bool
    subject: str = Field(max_length=80)
    currency: str | None = Field(default=None, max_length=3)
    closed: bool = Field(default=False)

    __table_args__ = (CheckConstraint("parent_code IS NULL OR code LIKE parent_code || ':%'", name="leaf_of_parent"),)


@dataclass(frozen=True, slots=True)
class Leaf:
    """What the journal needs to know of an account."""

    code: str
    parent_code: str | None
    currency: str | None
    subject: str
    pooled: bool
    closed: bool
    has_leaves: bool


def postable(session: Session, code: str, *, currency: str) -> Leaf:
    """The leaf `code`, ready to be posted to in `currency`.

    Raises:
        UnknownAccount: there is no such account.
        NotPostable: it has leaves, needs one, is closed, or is kept in another currency.
    """
    chart = looked_up(session, _CHART)
    if code not in chart:
        rows = session.connection().execute(_LEAVES, {"codes": [code]}).mappings()
        remember(session, [code], (Leaf(**dict(row)) for row in rows))
    return admit(chart[code], code, currency=currency)


def admit(account: Leaf | None, code: str, *, currency: str) -> Leaf:
    """`account`, as the chart has it under `code`, when it may be posted to in `currency`.

    Raises:
        UnknownAccount, NotPostable: as `postable`.
    """
    if account is None:
        raise UnknownAccount("no account has this code", account=_shown(code))
    if account.closed:
        raise NotPostable("the account is closed", account=code)
    if account.has_leaves or (account.pooled and account.parent_code is None):
        raise NotPostable("only leaves are posted to", account=code)
    if account.currency not in (None, currency):
        raise NotPostable("the account is kept in another currency", account=code, currency=account.currency)
    return account


def known(session: Session) -> dict[str, Leaf | None]:
    """What this transaction has read of the chart; None stands for a code that is not in it."""
    return looked_up(session, _CHART)


def remember(session: Session, codes: Iterable[str], leaves: Iterable[Leaf]) -> None:
    """Keeps for this transaction what the chart has under `codes`: these `leaves`, and under the others nothing."""
    chart = known(session)
    chart.update(dict.fromkeys(codes))
    chart.update({leaf.code: leaf for leaf in leaves})


def add_leaf(session: Session, code: str, *, name: str, currency: str | None = None) -> Account:
    """Adds `1000:eur-main` below `1000`, of which it inherits everything but name and currency.

    Raises:
        BadAccount, UnknownAccount, AccountExists: see `draft_leaf`.
    """
    leaf = draft_leaf(session, code, name=name, currency=currency)
    _insert(session, leaf)
    return leaf


def draft_leaf(session: Session, code: str, *, name: str, currency: str | None = None) -> Account:
    """The leaf that `add_leaf` would add; nothing is written.

    Raises:
        BadAccount: not a leaf's code or no name, or a pooled account (1000, 1050, 1100) without its one currency.
        UnknownAccount: the parent is not in the chart.
        AccountExists: the code is taken.
    """
    if not _CODE.fullmatch(code) or ":" not in code:
        raise BadAccount("a leaf's code is four digits, a colon and a short name", where="code")
    _check_name(name)
    parent = session.get(Account, code.partition(":")[0])
    if parent is None:
        raise UnknownAccount("the leaf has no parent in the chart", account=code.partition(":")[0])
    if parent.pooled and currency is None:
        raise BadAccount("a leaf of this account has exactly one currency", where="currency", account=parent.code)
    if currency is not None:
        exponent(currency)
    if session.get(Account, code) is not None:
        raise AccountExists("the code is taken", account=code)
    inherited = parent.model_dump(exclude={"code", "parent_code", "name", "currency", "closed"})
    return Account(code=code, parent_code=parent.code, name=name, currency=currency, **inherited)


def close(session: Session, code: str) -> Account:
    """Closes an account: nothing is posted to it any more but reversals."""
    account = session.get_one(Account, code)
    account.closed = True
    session.flush()
    looked_up(session, _CHART).clear()
    return account


def count_as_liquid(session: Session, codes: Iterable[str], *, liquid: bool) -> None:
    """Says whether what stands on these leaves can be counted on: what is out of reach is no money to promise."""
    for account in session.exec(select(Account).where(col(Account.code).in_(codes))).all():
        account.liquid = liquid
        session.add(account)
    session.flush()


def load_default_chart(session: Session) -> None:
    """Writes the chart of `chart.toml` into an empty book."""
    _insert(session, *default_chart())


def default_chart() -> list[Account]:
    """The chart of `chart.toml`, parents first; nothing is written."""
    rows = tomllib.loads(resources.files("ledger.books").joinpath("chart.toml").read_text("utf-8"))
    chart: dict[str, Account] = {}
    for code, row in rows.items():
        parent_code = code.partition(":")[0] if ":" in code else None
        if parent_code is not None and parent_code not in chart:
            chart[parent_code] = _account(parent_code, None, row | {"name": "Recoveries"})
        chart[code] = _account(code, parent_code, row)
    return [chart[code] for code in sorted(chart, key=len)]


def listed(session: Session) -> list[Account]:
    """The whole chart in the order of its codes."""
    return sorted(session.exec(select(Account)), key=lambda account: account.code)  # databases sort by their locale


_ACCOUNTS = SQLModel.metadata.tables["account"]
_BELOW = _ACCOUNTS.alias("below")
_LEAVES = select_columns(
    *(_ACCOUNTS.c[name] for name in ("code", "parent_code", "currency", "subject", "pooled", "closed")),
    exists().where(_BELOW.c.parent_code == _ACCOUNTS.c.code).label("has_leaves"),
).where(_ACCOUNTS.c.code.in_(bindparam("codes", expanding=True)))


def _account(code: str, parent_code: str | None, row: dict[str, Any]) -> Account:
    return Account(
        code=code,
        parent_code=parent_code,
        name=row["name"],
        account_class=AccountClass(row["class"]),
        function=Function(row.get("function", "none")),
        liquid=row.get("liquid", False),
        cash=row.get("cash", False),
        pooled=row.get("pooled", False),
        subject=",".join(row.get("subject", [])),
    )


def _insert(session: Session, *added: Account) -> None:
    session.add_all(added)
    session.flush()
    looked_up(session, _CHART).clear()


def _check_name(name: str) -> None:
    if not (name.strip() and name.isprintable() and len(name) <= LONGEST_NAME):
        raise BadAccount(f"a name is 1 to {LONGEST_NAME} printable characters", where="name")


def _shown(code: str) -> str | None:
    """A code may be told back only when it looks like one."""
    return code if _CODE.fullmatch(code) else None
