"""The closing of a month: a treasurer's signed act over the figures that are sealed, kept together with what it did."""

import json

from sqlmodel import Field, Session, SQLModel, select

from ledger import approvals
from ledger.approvals import Agreed
from ledger.books import periods, seals
from ledger.books.periods import ClosedMonth
from ledger.books.seals import NotSealed
from ledger.errors import Conflict
from ledger.storage.columns import WITHOUT_ROWID

VERSION = 1
"""A month is closed once: its act has no other version."""


class AlreadyAdmitted(Conflict):
    """The entry is admitted already."""

    rule = "already_admitted"


class AdmittedEntry(SQLModel, table=True):
    """An entry that may be dated in a softly closed month, by its fingerprint, and the act that says so."""

    __tablename__ = "admitted_entry"
    fingerprint: str = Field(primary_key=True, max_length=64)
    nonce: str = Field(foreign_key="signed_act.nonce", max_length=32)

    __table_args__ = (WITHOUT_ROWID,)


def close(session: Session, month: str, agreed: Agreed) -> ClosedMonth:
    """Closes a month such as `2020-10`; the act's object is the month, its evidence the digest of what is sealed.

    Raises:
        BadMonth, AlreadyClosed, MonthNotOver, MonthOutOfOrder, NoRate, and what `approvals.accept` raises (`ActDiffers`
            when something was booked since the treasurer looked): nothing was written.
    """
    periods.last_day_of(month)  # what is no month gets no act
    with session.begin_nested():  # act and effect, or neither
        closed = seals.close(session, month, by=agreed.signer.alias, at=agreed.now)
        approvals.accept(
            session,
            agreed,
            verb="close_period",
            object_alias=month,
            version=VERSION,
            evidence_commitments=[seals.sealed(session, month).digest()],
        )
    return closed


def admit(session: Session, month: str, agreed: Agreed, *, fingerprint: str) -> AdmittedEntry:
    """Admits one entry to a softly closed month: exactly the one of this fingerprint (`journal.fingerprint_of`).

    Raises:
        BadMonth, NotSoftClosed, AlreadyAdmitted, and what `approvals.accept` raises: nothing was written.
    """
    with session.begin_nested():
        periods.require_soft_closed(session, month)
        if session.get(AdmittedEntry, fingerprint) is not None:
            raise AlreadyAdmitted("the entry is admitted already", month=month)
        act = approvals.accept(
            session,
            agreed,
            verb="admit_entry",
            object_alias=month,
            version=VERSION,
            evidence_commitments=[fingerprint],
        )
        admitted = AdmittedEntry(fingerprint=fingerprint, nonce=act.nonce)
        session.add(admitted)
        session.flush()
        return admitted


def unsigned(session: Session) -> list[str]:
    """The closed months for whose figures, as they are sealed, no valid act of a treasurer is kept."""
    closed = session.exec(select(ClosedMonth)).all()
    return [month for month in sorted(f"{one.last_day:%Y-%m}" for one in closed) if not _is_signed(session, month)]


def _is_signed(session: Session, month: str) -> bool:
    try:
        digest = seals.sealed(session, month).digest()
    except NotSealed:
        return False
    return any(
        act.verb == "close_period"
        and approvals.still_holds(session, act)
        and json.loads(act.document)["evidence_commitments"] == [digest]
        for act in approvals.of_object(session, month)
    )
