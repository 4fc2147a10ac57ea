"""The card processor: each of its balance transactions is one movement, and each movement is booked once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from ledger import exceptions
from ledger.books import journal
from ledger.books.accounts import Account
from ledger.books.entries import NewEntry
from ledger.errors import Conflict, LedgerError
from ledger.exceptions import Difference
from ledger.giving import bookings, donations, explanations, movements, new_gifts, parts, payout_items, plans, unread
from ledger.giving.bookings import Booking, NewBooking, Reason, State
from ledger.giving.explanations import What
from ledger.giving.leaves import PROCESSOR, find_leaf
from ledger.giving.movements import Category, Movement
from ledger.giving.new_gifts import NewGift
from ledger.giving.parts import Part
from ledger.giving.plans import MustWait, Plan
from ledger.giving.unread import Told
from ledger.money import Money
from ledger.storage.locks import locked

AGAIN = "again:"
"""What a movement waits for that is tried again at each call: this, and the rule that refused it."""


class IsBooked(Conflict):
    """The movement is booked, or moves nothing: there is nothing to explain."""

    rule = "movement_is_booked"


@dataclass(frozen=True, slots=True)
class Booked:
    """What became of a movement: booked by a recipe, or waiting for a reason (then it has neither recipe nor entry).

    `about` is the alias of the donation or of the dispute, or the processor's id of the payout or top-up; a fee is
    about nothing. `fund` is the gift's; a payout is of several.
    """

    movement: Movement
    state: State
    reason: Reason | None
    recipe: str | None
    about: str | None
    fund: str | None
    replayed: bool


def book(
    session: Session,
    received: Sequence[Movement],
    *,
    told: Sequence[Told] = (),
    recorded_at: datetime,
    recorded_by: str,
) -> list[Booked]:
    """Keeps movements, all or none of them, and books them in the order given; what came before books nothing new.

    What cannot be booked yet waits, and is an exception with its amount: it is booked when what it waits for comes.
    So is, in the same call, what waited for one of these, for a leaf that the chart has got, for a recipe, or for a
    version that knows its currency: of those no currency is known that are `told`. What a rule of the books refuses
    waits, too, and holds nothing else up: each call tries it again.

    Raises:
        UnknownMovement, CurrencyMismatch: the parts of one do not tie. SourceKeyConflict: one came before with another
            content. `movement` in the data is the number of the one that is refused, from 1 (`told`: in that
            list). Nothing was written.
    """
    facts = (session, received, told, recorded_at, recorded_by)
    try:
        return _book(*facts, one_by_one=False)
    except (LedgerError, IntegrityError):  # a savepoint for each takes three times as long
        return _book(*facts, one_by_one=True)


def _book(
    session: Session,
    received: Sequence[Movement],
    told: Sequence[Told],
    recorded_at: datetime,
    recorded_by: str,
    *,
    one_by_one: bool,
) -> list[Booked]:
    run = _Run(session, recorded_at, recorded_by, one_by_one=one_by_one)
    with session.begin_nested():
        for number, movement in enumerate(received, start=1):
            with movements.numbered(number):
                movements.check(movement)
        _take_turn(session)
        unread.keep(session, told)
        known = unread.readable(session)
        movements.keep(session, known)
        for one in unread.listed(session):
            run.leave_unread(one)
        new = movements.keep(session, received)
        run.arrived |= set(payout_items.tell(session, received))
        fresh = [*known, *(movement for movement, is_new in zip(received, new, strict=True) if is_new)]
        for movement in known:
            run.read(movement)
        run.sources |= bookings.booked_sources(session, {one.source for one in fresh if one.source})
        for movement in fresh:
            run.book(movement)
        run.wake()
        session.flush()
    return _told(session, received, new, run.told)


def refresh(session: Session, *, recorded_at: datetime, recorded_by: str) -> list[Booked]:
    """Books what waits and can be booked now: nothing new has to come for that."""
    return book(session, (), recorded_at=recorded_at, recorded_by=recorded_by)


def explain(
    session: Session,
    balance_transaction: str,
    *,
    gross: Money,
    what: What,
    gift: str | None = None,
    counted: Money | None = None,
    recorded_at: datetime,
    recorded_by: str,
) -> Booked:
    """Books a movement that waits as what a person says it was, and what waited for it; said again, it books nothing.

    It is known by its balance transaction and its amount, which is said once more so that nobody explains another.

    Raises:
        UnknownBooking, CannotBe, UnknownGift, MustWait, OverRefunded: see there. IsBooked: it does not wait.
    """
    run = _Run(session, recorded_at, recorded_by)
    with session.begin_nested():
        _take_turn(session)
        booking, row = bookings.require(session, balance_transaction, gross_minor=gross.minor)
        movement = movements.as_movement(session, row)
        if gross != movement.gross:
            raise bookings.UnknownBooking("no such movement was received")
        if booking.state is not State.WAITING:
            raise IsBooked("the movement does not wait", balance_transaction=balance_transaction, state=booking.state)
        run.post(movement, booking, explanations.plan(session, movement, what, gift=gift, counted=counted))
        run.tell(movement, booking)
        run.wake()
        session.flush()
    return _told(session, [movement], [True], run.told)[0]


@dataclass(slots=True)
class _Run:
    """One call of `book`: `sources` are the processor's objects that are booked, `arrived` what others may wait for.

    `one_by_one`, each movement is booked in a savepoint of its own; what waited always is.
    """

    session: Session
    recorded_at: datetime
    recorded_by: str
    one_by_one: bool = False
    sources: set[tuple[str, str]] = field(default_factory=set)
    arrived: set[str] = field(default_factory=set)
    told: dict[tuple[str, int], Booking | NewBooking] = field(default_factory=dict)
    part: Part = field(init=False)

    def __post_init__(self) -> None:
        self.part = Part(self.session, self.recorded_at, self.recorded_by)

    def leave_unread(self, told: Told) -> None:
        """Tells of a movement that waits for a version which knows its currency."""
        exceptions.open_once(
            self.session, difference=Difference.UNKNOWN_CURRENCY, about=told.source_key, on=self._today()
        )

    def read(self, movement: Movement) -> None:
        """Closes the exception of one whose currency is known now."""
        exceptions.settle(self.session, Difference.UNKNOWN_CURRENCY, about=movement.source_key, on=self._today())

    def post(self, movement: Movement, booking: Booking | NewBooking, planned: Plan) -> None:
        """Books a movement that waited as it is planned, and closes its exception."""
        self._post(movement, booking, planned)
        exceptions.settle(self.session, Difference.MOVEMENT_WAITS, about=movement.source_key, on=self._today())

    def tell(self, movement: Movement, booking: Booking | NewBooking) -> None:
        """What was booked has arrived, for those who wait for it."""
        self.told[movement.key] = booking
        self._arrive(movement)

    def book(self, movement: Movement, waiting: Booking | None = None) -> None:
        """Books a movement, or has it wait; `waiting` is what stands of one that waited."""
        fresh = NewBooking(movement.balance_transaction, movement.gross.minor)
        booking = waiting or fresh
        if not (movement.gross.minor or movement.fee.minor):
            booking.state = State.MOVES_NOTHING
        else:
            book = self._try if self.one_by_one or waiting is not None else self._book
            try:
                book(movement, booking, waited=waiting is not None)
            except MustWait as why:
                self._wait(movement, booking, why, is_new=waiting is None)
        self.told[movement.key] = booking
        if waiting is None:
            self.part.bookings.append(fresh)
        if booking.state is not State.WAITING:
            self._arrive(movement)

    def wake(self) -> None:
        """Books what waits for something that has arrived, until nothing more comes of it."""
        self.part.write()
        self.arrived |= {
            awaited
            for awaited in bookings.awaited(self.session, "leaf:")
            if find_leaf(self.session, awaited.split(":")[1], currency=awaited.split(":")[2])
        }
        self.arrived |= {
            awaited
            for awaited in bookings.awaited(self.session, "category:")
            if plans.is_known(awaited.partition(":")[2])
        }
        self.arrived |= set(bookings.awaited(self.session, AGAIN))
        while self.arrived:
            found = bookings.waiting_for(self.session, self.arrived)
            self.arrived = set()
            self.sources |= bookings.booked_sources(self.session, {row.source for _, row in found if row.source})
            for booking, row in found:
                self.book(movements.as_movement(self.session, row), booking)

    def _try(self, movement: Movement, booking: Booking | NewBooking, *, waited: bool) -> None:
        """Books it, or has it wait when it is refused: then nothing of it is written."""
        self.part.write()
        try:
            with self.session.begin_nested():
                self._book(movement, booking, waited=waited)
        except MustWait:
            raise
        except (LedgerError, IntegrityError) as refusal:
            if isinstance(booking, NewBooking):
                booking.forget()
            rule = refusal.rule if isinstance(refusal, LedgerError) else "refused_by_database"
            raise MustWait(Reason.REFUSED, f"{AGAIN}{rule}") from refusal

    def _book(self, movement: Movement, booking: Booking | NewBooking, *, waited: bool) -> None:
        is_kept = not (waited or self.one_by_one) and movement.category in plans.BY_ITSELF
        if not is_kept or len(self.part.entries) >= parts.MOST:
            self.part.write()
        planned = plans.plan(self.session, movement, booked=self.sources, waited=waited)
        if waited:
            self.post(movement, booking, planned)
        elif is_kept and isinstance(booking, NewBooking):
            self._keep(movement, booking, planned)
        else:
            self._post(movement, booking, planned)

    def _keep(self, movement: Movement, booking: NewBooking, planned: Plan) -> None:
        """What looks at no other is written later, with others."""
        entry = NewEntry(movement.source_key, planned.recipe, planned.postings, movement.created_on)
        self.part.enter(entry, booking, [planned.row] if isinstance(planned.row, NewGift) else [])
        _note(booking, planned)

    def _post(self, movement: Movement, booking: Booking | NewBooking, planned: Plan) -> None:
        posted = journal.post(
            self.session,
            source_key=movement.source_key,
            kind=planned.recipe,
            postings=planned.postings,
            happened_on=movement.created_on,
            recorded_at=self.recorded_at,
            recorded_by=self.recorded_by,
        )
        if isinstance(planned.row, NewGift):
            new_gifts.write(self.session, [planned.row])
        elif planned.row is not None:
            self.session.add(planned.row)
        _note(booking, planned)
        booking.entry_id = posted.entry_id

    def _wait(self, movement: Movement, booking: Booking | NewBooking, why: MustWait, *, is_new: bool) -> None:
        booking.reason, booking.awaits = why.reason, why.awaits
        if not is_new:
            return
        if movement.category == Category.CHARGE and why.reason is Reason.NO_LEAF:
            pending = plans.gift_of(self.session, movement, state=donations.State.PENDING)
            new_gifts.write(self.session, [pending])
            booking.about, booking.fund_code = pending.alias, pending.fund_code
        exceptions.open_once(
            self.session,
            difference=Difference.MOVEMENT_WAITS,
            account=find_leaf(self.session, PROCESSOR, currency=movement.net.currency) or PROCESSOR,
            about=movement.source_key,
            amount=movement.net,
            on=self._today(),
        )

    def _arrive(self, movement: Movement) -> None:
        self.arrived.add(movement.balance_transaction)
        if movement.source is not None:
            self.arrived.add(movement.source)
            self.sources.add((movement.category, movement.source))

    def _today(self) -> date:
        return self.recorded_at.date()


def _note(booking: Booking | NewBooking, planned: Plan) -> None:
    """What was booked; its entry's number comes when it is written."""
    booking.state, booking.reason, booking.awaits = State.BOOKED, None, None
    booking.recipe, booking.account_code = planned.recipe, planned.leaf
    booking.about, booking.fund_code = planned.about, planned.fund


def _take_turn(session: Session) -> None:
    """One at a time: else a refund could wait for a charge that another transaction books unseen, and for ever."""
    session.exec(locked(select(Account).where(Account.code == PROCESSOR))).one()


def _told(
    session: Session,
    received: Sequence[Movement],
    new: Sequence[bool],
    run: dict[tuple[str, int], Booking | NewBooking],
) -> list[Booked]:
    found = run | bookings.of(session, [one for one in received if one.key not in run])
    told = []
    for movement, is_new in zip(received, new, strict=True):
        booking = found[movement.key]
        told.append(
            Booked(
                movement=movement,
                state=booking.state,
                reason=booking.reason,
                recipe=booking.recipe,
                about=booking.about,
                fund=booking.fund_code,
                replayed=not is_new,
            )
        )
    return told
