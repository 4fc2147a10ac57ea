"""The books' own receipt for a donor: what was booked of a gift, and nothing about who gave. Off unless switched on.

To hold one can incriminate. So nothing is made by itself and nothing is sent: while the newest signed setting says off,
or nobody has signed one, there is no confirmation to ask for.
"""

from dataclasses import dataclass
from datetime import date

from sqlmodel import Field, Session, SQLModel, col, select

from ledger import approvals, book
from ledger.approvals import Agreed, SignedAct
from ledger.books.entries import Entry
from ledger.errors import Conflict, Refused
from ledger.giving import donations
from ledger.giving.donations import State
from ledger.money import Money
from ledger.storage.columns import WITHOUT_ROWID

CONFIRMED = (State.RECEIVED, State.SETTLED, State.WON)
"""The states of a gift that the books confirm as it was given."""


class ConfirmationsOff(Refused):
    """This book confirms no gift to anybody."""

    rule = "confirmations_off"


class SettingStands(Conflict):
    """It is so already."""

    rule = "setting_stands"


class NotConfirmed(Refused):
    """No such gift stands in the books whole, or it has no purpose."""

    rule = "not_confirmed"


class ConfirmationSetting(SQLModel, table=True):
    """From now on the book confirms gifts, or does not: the highest number counts, as far as its act holds."""

    __tablename__ = "confirmation_setting"
    number: int = Field(primary_key=True)
    switched_on: bool
    nonce: str = Field(foreign_key="signed_act.nonce", max_length=32)

    __table_args__ = (WITHOUT_ROWID,)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a donor may be shown: `entry` and `fingerprint` name the entry of the journal, and prove it."""

    amount: Money
    received_on: date
    purpose: str
    purpose_version: int
    entry: int
    fingerprint: str


def set_confirmations(session: Session, *, on: bool, agreed: Agreed) -> ConfirmationSetting:
    """An administrator signs that the book confirms gifts from now on, or no longer.

    Raises:
        SettingStands, and what `approvals.accept` raises. Nothing was written.
    """
    book_id = book.require(session, lock=True).book_id
    if is_on(session) is on:
        raise SettingStands("it is so already", on=on)
    number = _newest_number(session) + 1
    with session.begin_nested():
        act = approvals.accept(
            session,
            agreed,
            verb="set_confirmations",
            object_alias=book_id,
            version=number,
            detail="on" if on else "off",
        )
        setting = ConfirmationSetting(number=number, switched_on=on, nonce=act.nonce)
        session.add(setting)
        session.flush()
    return setting


def is_on(session: Session) -> bool:
    """Whether the book confirms gifts: a row without its signed act does not switch it on."""
    newest = session.exec(select(ConfirmationSetting).order_by(col(ConfirmationSetting.number).desc()).limit(1)).first()
    if newest is None or not newest.switched_on:
        return False
    act = session.get(SignedAct, newest.nonce)
    return act is not None and says(act, newest) and approvals.still_holds(session, act)


def says(act: SignedAct, setting: ConfirmationSetting) -> bool:
    """Whether this act is the one for the setting."""
    stated = approvals.Act.model_validate_json(act.document)
    return (stated.act, stated.version) == (
        approvals.stated("set_confirmations", "on" if setting.switched_on else "off"),
        setting.number,
    )


def version(session: Session) -> int:
    """What the act of the next setting restates as its version."""
    return _newest_number(session) + 1


def confirm(session: Session, donation: str) -> Confirmation:
    """The confirmation of one gift, made when it is asked for and kept nowhere.

    Raises:
        ConfirmationsOff, NotConfirmed.
    """
    if not is_on(session):
        raise ConfirmationsOff("this book confirms no gifts")
    gift = donations.find(session, donation)
    if (
        gift is None
        or gift.state not in CONFIRMED
        or gift.refunded_minor
        or gift.purpose_code is None
        or gift.purpose_version is None
    ):
        raise NotConfirmed("no such gift stands whole in the books with a purpose")
    entry = session.exec(select(Entry).where(Entry.source_key == gift.source_key)).first()
    if entry is None or entry.id is None:
        raise NotConfirmed("no such gift stands whole in the books with a purpose")
    return Confirmation(
        gift.amount(), gift.received_on, gift.purpose_code, gift.purpose_version, entry.id, entry.fingerprint
    )


def _newest_number(session: Session) -> int:
    query = select(ConfirmationSetting.number).order_by(col(ConfirmationSetting.number).desc()).limit(1)
    return session.exec(query).first() or 0
