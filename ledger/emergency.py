"""The emergency: the fund sealed off by one person, opened again with recovered keys, or shredded by two officers."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal

import rfc8785
from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints, ValidationError
from sqlmodel import Field, Session, SQLModel, select

from ledger import book, people
from ledger.errors import BadInput, Conflict, Refused, Tampered
from ledger.people import Hex32
from ledger.storage.columns import UtcDateTime, enumeration

SHRED_DOMAIN = b"solidarity-ledger shred 1\x00"
"""What stands before a shred order's canonical bytes when they are signed."""
OFFICERS_TO_SHRED = 2
"""How many officers of the current roster sign a shred order."""
OLDEST_ORDER = timedelta(hours=24)
"""A shred order is carried out within this time: it is no weapon to be kept in a drawer."""
CLOCK_SKEW = timedelta(minutes=5)
"""How far the clock of the device that writes the order may be ahead."""


class Step(StrEnum):
    """What happened in an emergency."""

    SEALED = "sealed"
    LIFTED = "lifted"
    SHREDDED = "shredded"


class NotSealed(Conflict):
    """There is no emergency to lift."""

    rule = "not_sealed"


class BadShredOrder(BadInput):
    """Not a shred order in canonical form, or of another book or roster."""

    rule = "bad_shred_order"


class ShredOrderExpired(Refused):
    """Signed too long ago, or in the future."""

    rule = "shred_order_expired"


class ShredNotSigned(Tampered):
    """Signatures of two officers are missing or do not hold."""

    rule = "shred_not_signed"


class EmergencyStep(SQLModel, table=True):
    """One step; the newest tells how things stand. Rows are only added.

    `document` is a shred order with its signatures, as JSON.
    """

    __tablename__ = "emergency_step"
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    step: Step = Field(sa_type=enumeration(Step))
    document: str | None = None
    recorded_at: datetime = Field(sa_type=UtcDateTime)


class ShredOrder(BaseModel):
    """What two officers sign before everybody's keys are deleted: this book, under this roster, now."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    format: Literal["solidarity-shred-1"]
    book: str
    roster: Hex32
    at: AwareDatetime
    nonce: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]

    def canonical(self) -> bytes:
        """The bytes that are signed after `SHRED_DOMAIN`: JSON by RFC 8785."""
        return rfc8785.dumps(self.model_dump(mode="json"))


def seal(session: Session, *, at: datetime) -> bool:
    """Suspends every bearer key, and with them every operator, in every process; whether it was not so before.

    The shred-key files go first (`ShredKeys.destroy`): that needs no database.
    """
    if is_sealed(session):
        return False
    _add(session, Step.SEALED, at=at)
    return True


def is_sealed(session: Session) -> bool:
    """Whether the fund is sealed off now."""
    newest = _newest(session)
    return newest is not None and newest.step is not Step.LIFTED


def lift(session: Session, *, at: datetime) -> None:
    """Ends the emergency; who calls this has put the recovered shred keys back. After a shredding too, for the books.

    Raises:
        NotSealed: there is none.
    """
    if not is_sealed(session):
        raise NotSealed("there is no emergency to lift")
    _add(session, Step.LIFTED, at=at)


def read_order(document: bytes | str) -> ShredOrder:
    """Reads a shred order.

    Raises:
        BadShredOrder: it is none, or not in canonical form.
    """
    raw = document.encode(errors="surrogatepass") if isinstance(document, str) else document
    try:
        order = ShredOrder.model_validate_json(raw)
    except ValidationError:
        raise BadShredOrder("not a shred order", where="document") from None
    if order.canonical() != raw:
        raise BadShredOrder("the order is not in canonical form (RFC 8785)", where="document")
    return order


def accept_order(
    session: Session, document: bytes | str, signatures: Mapping[str, str], *, now: datetime
) -> EmergencyStep:
    """Checks that two officers of the current roster order the shredding, and notes it; whoever calls deletes.

    Raises:
        BadShredOrder, ShredOrderExpired, ShredNotSigned: nothing was written.
    """
    order = read_order(document)
    roster = people.current(session)
    if order.book != book.require(session).book_id or order.roster != people.digest(roster):
        raise BadShredOrder("the order is of another book or roster", where="book, roster")
    if not now - OLDEST_ORDER <= order.at <= now + CLOCK_SKEW:
        raise ShredOrderExpired("the order was signed too long ago or in the future", field="at")
    signed = SHRED_DOMAIN + order.canonical()
    held = {
        officer.alias: signatures[officer.alias]
        for officer in roster.operators
        if officer.officer and now.date() <= officer.expires_on and officer.alias in signatures
        if people.holds(officer.signing_key, signed, signatures[officer.alias])
    }
    if len(held) < OFFICERS_TO_SHRED:
        raise ShredNotSigned(
            "signatures of officers are missing or do not hold", needed=OFFICERS_TO_SHRED, held=len(held)
        )
    kept = json.dumps({"document": order.canonical().decode(), "signatures": held}, sort_keys=True)
    return _add(session, Step.SHREDDED, at=now, document=kept)


def steps(session: Session) -> list[EmergencyStep]:
    """All steps from the first on."""
    return sorted(session.exec(select(EmergencyStep)), key=lambda step: step.number)


def _newest(session: Session) -> EmergencyStep | None:
    return max(session.exec(select(EmergencyStep)), key=lambda step: step.number, default=None)


def _add(session: Session, step: Step, *, at: datetime, document: str | None = None) -> EmergencyStep:
    newest = _newest(session)
    added = EmergencyStep(
        number=1 if newest is None else newest.number + 1, step=step, document=document, recorded_at=at
    )
    session.add(added)
    session.flush()
    return added
