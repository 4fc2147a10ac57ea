"""Seasons at the invented card processor, in which everything happens that the processor may do to a fund."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

from sqlmodel import Session

from api.stripe_link import TRIES, Link, ProcessorUnavailable
from api.stripe_notices import read_notice
from examples.card_processor.account import DAY, Account
from examples.card_processor.notices import Mail
from examples.card_processor.server import Processor, Trouble
from ledger.aliases import Kind, draw
from ledger.books import accounts
from ledger.giving import bookings, notices, payouts
from ledger.giving.bookings import Reason
from ledger.giving.explanations import What
from ledger.giving.leaves import find_leaf
from ledger.giving.payouts import Payout
from ledger.giving.processor import Booked
from ledger.money import Money
from ledger.reconciliation import bank
from ledger.reconciliation import processor as told
from ledger.reconciliation.statements import NewLine, NewStatement
from ledger.storage.engine import transaction
from tests import cards
from tests.cast import FOUNDED_AT, engine_of
from tests.processors import a_processor, linked, pull

COINS = ("eur", "usd", "jpy", "kwd")
SECRET = "whsec_invented"
STRANGE = {Reason.UNKNOWN_CATEGORY}
STEPS = (
    *("charge",) * 4,
    *("renew", "refund", "refund_failure", "capture", "charge_failure"),
    *("dispute", "dispute_reversal", "lose", "warn"),
    *("fee", "reserve", "strange", "top_up", "top_up_reversal"),
    *("payout", "automatic", "reconcile", "crossing", "payout_failure", "pay_again", "half_a_year"),
    *("bank", "take_back"),
)


class Season:
    """Things happen at the processor by chance; its notices come as they please, and pulls fail now and then."""

    def __init__(
        self, chance: random.Random, session: Session, processor: Processor, link: Link, *, lost: int, thin: bool
    ) -> None:
        self.chance = chance
        self.session, self.processor, self.link = session, processor, link
        self.mail = Mail(processor.account, SECRET, self.take, chance, lost=lost, doubled=30, thin=thin)
        self.outages = 0
        self.statements = 0

    @property
    def account(self) -> Account:
        return self.processor.account

    def take(self, body: bytes, headers: dict[str, str]) -> int:
        """A busy server: one notice in five is not taken."""
        if self.chance.randrange(5) == 0:
            return 503
        at = datetime.fromtimestamp(self.account.now, UTC)
        named = read_notice(body, signature=headers["Stripe-Signature"], secrets=(SECRET,), now=at)
        with transaction(engine_of(self.session)) as own:
            notices.take(own, named.id, kind=named.kind, about=named.about, received_at=at)
        return 200

    def now(self) -> datetime:
        """A day later than everything at the processor."""
        return datetime.fromtimestamp(self.account.now + DAY, UTC)

    def play(self, step: str) -> None:
        """One thing happens, some time later."""
        self.account.now += self.chance.randrange(1, DAY)
        getattr(self, step)()
        if self.chance.randrange(3) == 0:
            self.mail.deliver()
        if self.chance.randrange(6) == 0:
            self.look()

    def look(self) -> None:
        """The job that a later hour would run again."""
        with transaction(engine_of(self.session), write=False) as own:
            if not notices.is_time_to_look(own, now=self.now()) and self.chance.randrange(2):
                return
        bad = [Trouble.BUSY, Trouble.BROKEN, Trouble.CUT]
        many = self.chance.choice((0, 0, 2, TRIES + 2))
        self.processor.troubles.extend(self.chance.choice(bad) for _ in range(many))
        try:
            self.pull()
        except ProcessorUnavailable:
            self.outages += 1
        self.processor.troubles.clear()

    def pull(self) -> list[Booked]:
        return pull(self.session, self.link, now=self.now())

    def half_a_year(self) -> None:
        self.account.now += 180 * DAY

    def charge(self) -> None:
        """Of the fee a part may be tax, and the card may have paid in another currency."""
        minor, presented = self.chance.randrange(100, 50_000), None
        if self.chance.randrange(4) == 0:
            presented = (minor * 7 + 1, "sek")
        self.account.charge(
            minor,
            self.chance.choice(COINS),
            description=self.chance.choice(["FINES", "DETENTION", "ALL", None, "KANAREJKA"]),
            tax=self.chance.choice([0, 7]),
            presented=presented,
        )

    def renew(self) -> None:
        self.account.renew(self.chance.randrange(100, 50_000), self.chance.choice(COINS))

    def standing(self) -> list[str]:
        """Charges of which something is left and that nobody calls back."""
        called = {one["charge"] for one in self.account.disputes.values()}
        return [
            name
            for name, one in self.account.charges.items()
            if one["amount"] > one["amount_refunded"] and name not in called
        ]

    def refund(self) -> None:
        for name in self.standing()[:1]:
            paid = self.account.charges[name]
            left = paid["amount"] - paid["amount_refunded"]
            self.account.refund(name, self.chance.choice([left, self.chance.randrange(1, left + 1)]))

    def dispute(self) -> None:
        for name in self.standing()[-1:]:
            if not self.account.charges[name]["amount_refunded"]:
                self.account.dispute(name)

    def warn(self) -> None:
        for name in self.standing()[-2:-1]:
            self.account.warn(name)

    def fee(self) -> None:
        """Alone, or in two amounts under one id."""
        more = self.chance.choice([0, 19])
        self.account.take_fee(self.chance.randrange(1, 500), self.chance.choice(COINS), more=more)

    def payout(self) -> None:
        coin = self.chance.choice(COINS)
        if self.account.balance[coin] > 0:
            self.account.arrive(self.account.pay_out(self.account.balance[coin] // 2 + 1, coin))

    def automatic(self) -> None:
        self.account.pay_out_automatically(self.chance.choice(COINS), complete=self.chance.randrange(2) > 0)

    def reconcile(self) -> None:
        """What was paid out is listed whole."""
        for name, one in self.account.payouts.items():
            if one["reconciliation_status"] == "in_progress":
                self.account.reconcile(name)

    def lose(self) -> None:
        for name in list(self.account.disputes)[:1]:
            self.account.lose(name)

    def refund_failure(self) -> None:
        for name in list(self.account.refunds)[-1:]:
            self.account.undo_refund(name, status=self.chance.choice(["failed", "canceled"]))

    def dispute_reversal(self) -> None:
        for name, one in self.account.disputes.items():
            if one["status"] == "needs_response":
                self.account.win(name, with_fee=self.chance.randrange(2) > 0)
                return

    def capture(self) -> None:
        """Taken less than was reserved: it is told with the charge."""
        name = self.account.charge(self.chance.randrange(100, 50_000), self.chance.choice(COINS))
        self.account.capture_less(name, self.account.charges[name]["amount"] // 2)

    def charge_failure(self) -> None:
        """A giver's bank does not pay what it had promised."""
        self.account.fail(self.account.charge(self.chance.randrange(100, 50_000), self.chance.choice(COINS)))

    def crossing(self) -> None:
        """Paid out to a bank that has another currency."""
        if self.account.balance["usd"] > 1:
            minor = self.account.balance["usd"] // 2
            self.account.pay_out(minor, "usd", arriving=(minor * 9 // 10 + 1, "eur"))

    def top_up(self) -> None:
        self.account.top_up(self.chance.randrange(100, 5_000), self.chance.choice(COINS))

    def top_up_reversal(self) -> None:
        for name in list(self.account.top_ups)[-1:]:
            self.account.reverse_top_up(name)

    def reserve(self) -> None:
        held = self.chance.choice([-1, 1]) * self.chance.randrange(1, 900)
        self.account.adjust("risk_reserved_funds", held, self.chance.choice(COINS))

    def strange(self) -> None:
        """What no recipe knows: a person says later what it was."""
        minor = self.chance.choice([-1, 1]) * self.chance.randrange(1, 900)
        self.account.adjust(self.chance.choice(["other_adjustment", "contribution"]), minor, self.chance.choice(COINS))

    def payout_failure(self) -> None:
        for name in list(self.account.payouts)[-1:]:
            self.account.bounce(name)

    def pay_again(self) -> None:
        """What came back leaves once more, perhaps half a year later: under its id or as another payout."""
        for name, one in list(self.account.payouts.items()):
            if one["status"] == "failed":
                self.account.pay_again(name, renamed=self.chance.randrange(2) > 0)
                return

    def explain_all(self) -> int:
        """A treasurer says of everything that waits what it was, until nothing waits; gives how much that was."""
        explained = 0
        while waiting := bookings.listed(self.session, waiting_only=True):
            booking, row = next((pair for pair in waiting if pair[0].reason in STRANGE), waiting[0])
            told.explain(
                self.session,
                booking.balance_transaction,
                gross=Money(row.gross_minor, row.currency),
                what=self.chance.choice([What.COST, What.LOSS, What.RESERVE, What.TRANSFER]),
                explained_at=self.now(),
                explained_by="processor",
            )
            explained += 1
        self.session.commit()
        return explained

    def bank(self) -> None:
        """The bank shows what came from each payout that it has not shown, the day after it left, by its name."""
        for payout in payouts.listed(self.session):
            if payout.state is payouts.State.CREATED:
                self.show(payout, payout.arriving(), on=payout.created_on + timedelta(days=1))
        self.session.commit()

    def take_back(self) -> None:
        """And what goes back of those that failed."""
        for payout in payouts.listed(self.session):
            if (payout.state, payout.pulled_back_on) == (payouts.State.FAILED, None) and payout.paid_on is not None:
                self.show(payout, -payout.arriving(), on=(payout.failed_on or payout.paid_on) + timedelta(days=2))
        self.session.commit()

    def show(self, payout: Payout, amount: Money, *, on: date) -> None:
        self.statements += 1
        shown = NewStatement(
            alias=draw(Kind.STATEMENT),
            account=find_leaf(self.session, "1000", currency=amount.currency) or "",
            currency=amount.currency,
            opened_on=None,
            closed_on=None,
            opening=None,
            closing=None,
            content_token=f"{self.statements:064x}",
            lines=[NewLine(on, None, amount, None, reversal=False, payout=payouts.digest(payout.id))],
        )
        assert bank.receive(self.session, shown, received_at=self.now(), received_by="processor").booked == 1


@contextmanager
def a_season(session: Session, chance: random.Random, *, lost: int, thin: bool) -> Iterator[Season]:
    """A season that has just begun, in a founded book, and is pulled from its own processor on loopback."""
    processor = a_processor()
    processor.account.now = int(FOUNDED_AT.timestamp())  # what was recorded before is of another book
    with linked(processor) as link:
        yield Season(chance, furnish(session), processor, link, lost=lost, thin=thin)


def furnish(session: Session) -> Session:
    """A founded book gets its purposes, and leaves in every currency of the season."""
    cards.furnish(session)
    accounts.add_leaf(session, "1000:usd", name="A leaf", currency="USD")
    for coin in ("jpy", "kwd"):
        for parent in ("1100", "1050", "1000"):
            accounts.add_leaf(session, f"{parent}:{coin}", name="A leaf", currency=coin.upper())
    session.commit()
    return session
