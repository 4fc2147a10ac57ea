"""Funds: what money is held for. Every line names one."""

import re
from collections.abc import Collection, Iterable

from sqlmodel import Field, Session, SQLModel, select

from ledger.errors import BadInput, Conflict
from ledger.storage.engine import looked_up
from ledger.storage.locks import locked

LONGEST_NAME = 80
"""How many characters the name of a fund has at most."""

_CODE = re.compile(r"[a-z][a-z0-9_]{1,29}", re.ASCII)

DEFAULT_FUNDS = {"general": False, "unassigned": False, "fines": True, "detention": True}
"""The funds of a new book, and whether a donor's restriction rests on them."""


class UnknownFund(BadInput):
    """No fund has this code."""

    rule = "unknown_fund"


class FundExists(Conflict):
    """The code is taken."""

    rule = "fund_exists"


class BadFund(BadInput):
    """Not a fund's code, or no name."""

    rule = "bad_fund"


class Fund(SQLModel, table=True):
    """A purpose money is held for. `restricted`: by the donors' will."""

    code: str = Field(primary_key=True, max_length=30)
    name: str = Field(max_length=LONGEST_NAME)
    restricted: bool


_FUNDS = "fund"
_ALL_CODES = select(Fund.code)


def require(session: Session, code: str, *, lock: bool = False) -> Fund:
    """The fund `code`; with `lock`, held until the transaction ends, so that two decisions on it wait for each other.

    Raises:
        UnknownFund: there is none.
    """
    query = select(Fund).where(Fund.code == code)
    if lock:
        query = locked(query)
    fund = session.exec(query).one_or_none()
    if fund is None:
        raise UnknownFund("no fund has this code", fund=code if _CODE.fullmatch(code) else None)
    return fund


def add(session: Session, code: str, *, name: str, restricted: bool) -> Fund:
    """Adds a fund.

    Raises:
        BadFund: the code is not lower-case letters, digits and underscores, or the name is empty or too long.
        FundExists: it is taken.
    """
    if not _CODE.fullmatch(code):
        raise BadFund("a fund's code is lower-case letters, digits and underscores", where="code")
    if not (name.strip() and name.isprintable() and len(name) <= LONGEST_NAME):
        raise BadFund(f"a name is 1 to {LONGEST_NAME} printable characters", where="name")
    if session.get(Fund, code) is not None:
        raise FundExists("the code is taken", fund=code)
    fund = Fund(code=code, name=name, restricted=restricted)
    session.add(fund)
    session.flush()
    looked_up(session, _FUNDS).clear()
    return fund


def codes(session: Session) -> Collection[str]:
    """The codes of all funds, read once per transaction."""
    if not known(session):
        remember(session, session.connection().scalars(_ALL_CODES))
    return known(session)


def known(session: Session) -> Collection[str]:
    """The codes of all funds, when this transaction has read them; else none."""
    return looked_up(session, _FUNDS).keys()


def remember(session: Session, all_codes: Iterable[str]) -> None:
    """Keeps the codes of all funds for this transaction."""
    looked_up(session, _FUNDS).update(dict.fromkeys(all_codes))


def listed(session: Session) -> list[Fund]:
    """All funds in the order of their codes."""
    return sorted(session.exec(select(Fund)), key=lambda fund: fund.code)  # databases sort by their locale


def load_defaults(session: Session) -> None:
    """Writes the default funds into an empty book."""
    for code, restricted in DEFAULT_FUNDS.items():
        add(session, code, name=code.capitalize(), restricted=restricted)
