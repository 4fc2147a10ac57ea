"""Purposes: what donors are told their gift is for, which fund that is, and who bears the costs."""

import re

from sqlmodel import Field, Session, SQLModel, select

from ledger import references
from ledger.books import funds
from ledger.errors import BadInput, Conflict
from ledger.storage.engine import looked_up

_CODE = re.compile(r"[A-Z0-9]{3,12}", re.ASCII)
_PURPOSE = "purpose"


class PurposeExists(Conflict):
    """The code is taken."""

    rule = "purpose_exists"


class BadPurpose(BadInput):
    """Not a purpose's code or text."""

    rule = "bad_purpose"


class Purpose(SQLModel, table=True):
    """A neutral `code` comes back from the processor, the `reference` (ISO 11649) from the bank."""

    code: str = Field(primary_key=True, max_length=12)
    fund_code: str = Field(foreign_key="fund.code", max_length=30)
    text: str = Field(max_length=400)
    net_of_costs: bool
    reference: str = Field(max_length=25, unique=True)


def add(session: Session, code: str, *, fund: str, text: str, net_of_costs: bool) -> Purpose:
    """Adds a purpose; the processor's fee is borne by `general` unless its text says "net of costs".

    Raises:
        BadPurpose: the code is not 3 to 12 capital letters and digits, or the text is empty.
        UnknownFund, PurposeExists: see there.
    """
    if not _CODE.fullmatch(code) or not text.strip():
        raise BadPurpose("a purpose has a code of 3 to 12 capital letters and digits, and a text", where="code, text")
    funds.require(session, fund)
    if session.get(Purpose, code) is not None:
        raise PurposeExists("the code is taken", purpose=code)
    purpose = Purpose(code=code, fund_code=fund, text=text, net_of_costs=net_of_costs, reference=references.draw())
    session.add(purpose)
    session.flush()
    looked_up(session, _PURPOSE).clear()
    return purpose


def by_code(session: Session, code: str) -> Purpose | None:
    """The purpose of this code, or None; read once per transaction."""
    known = looked_up(session, _PURPOSE)
    if code not in known:
        known[code] = session.get(Purpose, code)
    purpose: Purpose | None = known[code]
    return purpose


def by_reference(session: Session, reference: str) -> Purpose | None:
    """The purpose that asks donors for this reference, or None."""
    return session.exec(select(Purpose).where(Purpose.reference == reference)).first()


def listed(session: Session) -> list[Purpose]:
    """All purposes in the order of their codes."""
    return list(session.exec(select(Purpose).order_by(Purpose.code)))
