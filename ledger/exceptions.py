"""Differences between the books and the world: found by machines, owned by people, closed with a reason."""

from datetime import date
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, Session, SQLModel, col, select

from ledger.aliases import Kind, draw
from ledger.errors import NotFound
from ledger.money import Money
from ledger.storage.columns import MinorUnits, enumeration
from ledger.storage.locks import locked


class Difference(StrEnum):
    """What kind of difference."""

    UNMATCHED_DEBIT = "unmatched_debit"
    AMOUNT_DIFFERS = "amount_differs"
    NOT_RELEASED = "not_released"
    PAYMENT_RETURNED = "payment_returned"
    REVERSAL = "reversal"
    STATEMENT_DOES_NOT_ADD_UP = "statement_does_not_add_up"
    STATEMENT_DOES_NOT_FOLLOW = "statement_does_not_follow"
    STATEMENT_MISSING = "statement_missing"
    STATEMENTS_OVERLAP = "statements_overlap"
    BALANCE_DIFFERS = "balance_differs"
    BELOW_ZERO = "below_zero"
    AMBIGUOUS_PAYOUT = "ambiguous_payout"
    PROCESSOR_DIFFERS = "processor_differs"
    TOO_MANY_READINGS = "too_many_readings"
    LATE_RESULT = "late_result"
    MOVEMENT_WAITS = "movement_waits"
    UNKNOWN_CURRENCY = "unknown_currency"
    UNREADABLE = "unreadable"
    TOLD_OTHERWISE = "told_otherwise"
    OVER_REFUNDED = "over_refunded"
    PAYOUT_DIFFERS = "payout_differs"
    PAYOUT_NOT_SEEN = "payout_not_seen"
    JOB_FAILED = "job_failed"
    CHECK_FAILED = "check_failed"
    PERIOD_OPEN = "period_open"
    RATE_MISSING = "rate_missing"
    UNBOOKED = "unbooked"
    ENTRY_NOT_SEEN = "entry_not_seen"
    ACCESS_EXPIRES = "access_expires"
    OFFICERS_EXPIRE = "officers_expire"
    PAID_BEFORE_FORCE = "paid_before_force"
    PAID_BEFORE_RELEASE = "paid_before_release"
    PAID_AFTER_STOP = "paid_after_stop"
    PERHAPS_TOLD_TWICE = "perhaps_told_twice"
    PERHAPS_BOOKED = "perhaps_booked"
    SEVERAL_PAYMENTS = "several_payments"
    CLOCK_DIFFERS = "clock_differs"


_OF_A_DAY = frozenset({Difference.ACCESS_EXPIRES, Difference.OFFICERS_EXPIRE})
"""Differences whose `about` begins with a last day, and a colon."""


class UnknownException(NotFound):
    """No exception that waits has this alias."""

    rule = "unknown_exception"


OPEN = "resolved_on IS NULL"
"""What an index and the questions that it answers say alike of an exception that waits."""


class OpenException(SQLModel, table=True):
    """One difference, with its amount when it is about money.

    `about` (a source key or an alias) makes the same difference open once.

    With a `fund_code` it is the fund that is below zero, and the account is where its money went last. Without an
    account it is about people, or about a movement whose currency nobody knows, and has no amount.
    """

    __tablename__ = "exception"
    alias: str = Field(primary_key=True, max_length=20)
    difference: Difference = Field(sa_type=enumeration(Difference))
    account_code: str | None = Field(default=None, foreign_key="account.code", max_length=45, index=True)
    fund_code: str | None = Field(default=None, foreign_key="fund.code", max_length=30)
    about: str = Field(max_length=200, unique=True)
    minor: int | None = Field(default=None, sa_type=MinorUnits)
    currency: str | None = Field(default=None, max_length=3)
    opened_on: date
    resolved_on: date | None = None

    __table_args__ = (
        Index("open_exceptions", "opened_on", "alias", sqlite_where=text(OPEN), postgresql_where=text(OPEN)),
        CheckConstraint("typeof(minor) IN ('integer', 'null')", name="minor_is_whole").ddl_if(dialect="sqlite"),
        CheckConstraint("(account_code IS NULL) = (minor IS NULL)", name="money_is_of_an_account"),
        CheckConstraint("(minor IS NULL) = (currency IS NULL)", name="money_has_a_currency"),
    )

    def amount(self) -> Money | None:
        """The difference; None when it is not about money."""
        return None if self.minor is None or self.currency is None else Money(self.minor, self.currency)

    def last_day(self) -> date | None:
        """The earliest last day of what expires; None when it is not about that."""
        if self.difference not in _OF_A_DAY:
            return None
        return date.fromisoformat(self.about.split(":")[1])


def open_once(
    session: Session,
    *,
    difference: Difference,
    about: str,
    on: date,
    account: str | None = None,
    amount: Money | None = None,
    fund: str | None = None,
) -> OpenException:
    """Opens a difference, or finds it open or resolved already under the same `about`."""
    key = f"{difference}:{about}"
    found = session.exec(select(OpenException).where(OpenException.about == key)).first()
    if found is not None:
        return found
    opened = OpenException(
        alias=draw(Kind.EXCEPTION),
        difference=difference,
        account_code=account,
        fund_code=fund,
        about=key,
        minor=amount.minor if amount else None,
        currency=amount.currency if amount else None,
        opened_on=on,
    )
    session.add(opened)
    session.flush()
    return opened


def open_anew(session: Session, difference: Difference, *, about: str, on: date) -> OpenException:
    """Opens a difference that is not about money, unless one about this waits; one that was resolved stays resolved."""
    waiting = _waiting_about(session, difference, about)
    return waiting or open_once(session, difference=difference, about=f"{about}@{draw(Kind.EXCEPTION)}", on=on)


def close_anew(session: Session, difference: Difference, *, about: str, on: date) -> None:
    """Closes what `open_anew` opened about this, if it waits."""
    waiting = _waiting_about(session, difference, about)
    if waiting is not None:
        resolve(session, waiting, on=on)


def tell_one(session: Session, difference: Difference, *, about: str | None, on: date) -> OpenException | None:
    """Has one exception of a kind wait that is not about money, and be about this by now; None closes what waits."""
    query = select(OpenException).where(
        OpenException.difference == difference, col(OpenException.resolved_on).is_(None)
    )
    waiting = sorted(session.exec(locked(query)), key=lambda one: (one.opened_on, one.alias))
    for one in waiting if about is None else waiting[1:]:
        resolve(session, one, on=on)
    if about is None:
        return None
    if not waiting:
        return open_anew(session, difference, about=about, on=on)
    waiting[0].about = f"{difference}:{about}@{waiting[0].alias}"
    session.add(waiting[0])
    session.flush()
    return waiting[0]


def _waiting_about(session: Session, difference: Difference, about: str) -> OpenException | None:
    query = select(OpenException).where(
        OpenException.difference == difference,
        col(OpenException.resolved_on).is_(None),
        col(OpenException.about).startswith(f"{difference}:{about}@", autoescape=True),
    )
    return session.exec(locked(query)).first()


def require_open(session: Session, alias: str) -> OpenException:
    """The difference, which waits; two who would resolve it take turns.

    Raises:
        UnknownException: there is none, or it is resolved.
    """
    found = find_open(session, alias)
    if found is None:
        raise UnknownException("no exception that waits has this alias")
    return found


def find_open(session: Session, alias: str) -> OpenException | None:
    """The difference, if it waits."""
    found = session.exec(locked(select(OpenException).where(OpenException.alias == alias))).one_or_none()
    return found if found is not None and found.resolved_on is None else None


def abouts(session: Session, difference: Difference) -> set[str]:
    """What the differences of a kind are about that wait."""
    query = select(OpenException.about).where(
        OpenException.difference == difference, col(OpenException.resolved_on).is_(None)
    )
    return {about.partition(":")[2] for about in session.exec(query)}


def resolve(session: Session, found: OpenException, *, on: date) -> None:
    """Closes a difference, since it is told now what it was."""
    found.resolved_on = on
    session.add(found)
    session.flush()


def reopen(session: Session, found: OpenException) -> None:
    """Has a difference wait again, since what it was said to be it is not."""
    found.resolved_on = None
    session.add(found)
    session.flush()


def settle(session: Session, difference: Difference, *, about: str, on: date) -> None:
    """Closes a difference that is none any more, if one was opened about this and waits."""
    query = select(OpenException).where(OpenException.about == f"{difference}:{about}")
    found = session.exec(locked(query)).one_or_none()
    if found is not None and found.resolved_on is None:
        resolve(session, found, on=on)


def settle_leaf(session: Session, difference: Difference, *, account: str, currency: str, on: date) -> None:
    """Closes what waits of a kind on a leaf in a currency: it agrees again."""
    query = select(OpenException).where(
        OpenException.difference == difference,
        OpenException.account_code == account,
        OpenException.currency == currency,
        col(OpenException.resolved_on).is_(None),
    )
    for found in session.exec(locked(query)):
        resolve(session, found, on=on)


def is_open(
    session: Session,
    difference: Difference,
    *,
    account: str | None = None,
    currency: str | None = None,
    fund: str | None,
) -> bool:
    """Whether such a difference waits: of a fund, or, of no fund, of a leaf in a currency."""
    query = select(OpenException.alias).where(
        OpenException.difference == difference,
        OpenException.fund_code == fund,
        col(OpenException.resolved_on).is_(None),
    )
    if fund is None:
        query = query.where(OpenException.account_code == account, OpenException.currency == currency)
    return session.exec(query).first() is not None


def listed(session: Session, *, open_only: bool = True) -> list[OpenException]:
    """The differences, oldest first."""
    found = session.exec(select(OpenException)).all()
    kept = [item for item in found if item.resolved_on is None or not open_only]
    return sorted(kept, key=lambda item: (item.opened_on, item.alias))
