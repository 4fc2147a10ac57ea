"""Random seasons at the invented processor: whatever becomes of notices and pulls, the books equal its own balance."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlmodel import Session, select

from api.stripe_link import TRIES, Link, ProcessorUnavailable
from api.stripe_notices import read_notice
from examples.card_processor.account import DAY, Account
from examples.card_processor.notices import Mail
from examples.card_processor.server import Processor, Trouble
from ledger.aliases import Kind, draw
from ledger.books import accounts, journal
from ledger.books.balances import balance
from ledger.exceptions import Difference, OpenException
from ledger.giving import bookings, donations, notices, payout_items, payouts
from ledger.giving.bookings import Reason
from ledger.giving.explanations import What
from ledger.giving.leaves import find_leaf
from ledger.giving.notices import Notice
from ledger.giving.payouts import TopUp
from ledger.money import Money
from ledger.reconciliation import bank
from ledger.reconciliation import processor as told
from ledger.reconciliation.statements import NewLine, NewStatement
from ledger.storage.engine import transaction
from tests.bookcheck import BELOW_THE_ACTS, assert_it_holds
from tests.cast import NOW, engine_of
from tests.processors import a_processor, linked, pull

COINS = ("eur", "usd", "jpy", "kwd")
SECRET = "whsec_invented"
STRANGE = {Reason.UNKNOWN_CATEGORY}


class Season:
    """Things happen at the processor by chance; its notices come as they please, and pulls fail now and then."""

    def __init__(self, seed: int, session: Session, processor: Processor, link: Link) -> None:
        self.chance = random.Random(seed)  # noqa: S311  # the same season each time
        self.session, self.processor, self.link = session, processor, link
        self.mail = Mail(
            processor.account,
            SECRET,
            self.take,
            self.chance,
            lost=(0, 40, 100)[seed % 3],
            doubled=30,
            thin=seed % 2 > 0,
        )
        self.outages = 0

    @property
    def account(self) -> Account:
        return self.processor.account

    def take(self, body: bytes, headers: dict[str, str]) -> int:
        """A busy server: one notice in five is not taken."""
        if self.chance.randrange(5) == 0:
            return 503
        at = NOW.fromtimestamp(self.account.now, NOW.tzinfo)
        named = read_notice(body, signature=headers["Stripe-Signature"], secrets=(SECRET,), now=at)
        with transaction(engine_of(self.session)) as own:
            notices.take(own, named.id, kind=named.kind, about=named.about, received_at=at)
        return 200

    def step(self) -> None:
        """One thing happens, some time later."""
        chance, account = self.chance, self.account
        account.now += chance.randrange(1, DAY)
        steps = ["charge"] * 6 + ["refund", "dispute", "warn", "fee", "payout", "automatic", "lose"]
        steps += [
            "refund_failure",
            "dispute_reversal",
            "payout_failure",
            "capture",
            "charge_failure",
            "crossing",
            "reconcile",
        ]
        steps += ["top_up", "top_up_reversal", "reserve", "strange"]
        getattr(self, chance.choice(steps))()
        if chance.randrange(3) == 0:
            self.mail.deliver()
        if chance.randrange(6) == 0:
            self.look()

    def look(self) -> None:
        """The job that a later hour would run again."""
        with transaction(engine_of(self.session), write=False) as own:
            if not notices.count_since_last_look(own) and self.chance.randrange(2):
                return
        bad = [Trouble.BUSY, Trouble.BROKEN, Trouble.CUT]
        many = self.chance.choice((0, 0, 2, TRIES + 2))
        self.processor.troubles.extend(self.chance.choice(bad) for _ in range(many))
        try:
            pull(self.session, self.link)
        except ProcessorUnavailable:
            self.outages += 1
        self.processor.troubles.clear()

    def charge(self) -> None:
        purpose = self.chance.choice(["FINES", "DETENTION", "ALL", None, "KANAREJKA"])
        self.account.charge(self.chance.randrange(100, 50_000), self.chance.choice(COINS), description=purpose)

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
        self.account.take_fee(self.chance.randrange(1, 500), self.chance.choice(COINS))

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
                self.account.win(name)
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
                explained_at=NOW,
                explained_by="processor",
            )
            explained += 1
        self.session.commit()
        return explained

    def show_at_the_bank(self) -> None:
        """Each payout that is on its way arrives the next day, in the bank's currency."""
        for nth, payout in enumerate(payouts.listed(self.session)):
            if payout.state is not payouts.State.CREATED:
                continue
            on, amount = payout.created_on + timedelta(days=1), payout.arriving()
            shown = NewStatement(
                alias=draw(Kind.STATEMENT),
                account=find_leaf(self.session, "1000", currency=amount.currency) or "",
                currency=amount.currency,
                opened_on=None,
                closed_on=None,
                opening=None,
                closing=None,
                content_token=f"{nth:064x}",
                lines=[NewLine(on, None, amount, None, reversal=False)],
            )
            bank.receive(self.session, shown, received_at=NOW, received_by="processor")
        self.session.commit()

    def payout_failure(self) -> None:
        for name in list(self.account.payouts)[-1:]:
            self.account.bounce(name)


@contextmanager
def a_season(seed: int, session: Session) -> Iterator[Season]:
    accounts.add_leaf(session, "1000:usd", name="A leaf", currency="USD")
    for coin in ("jpy", "kwd"):
        for parent in ("1100", "1050", "1000"):
            accounts.add_leaf(session, f"{parent}:{coin}", name="A leaf", currency=coin.upper())
    session.commit()
    processor = a_processor()
    with linked(processor) as link:
        yield Season(seed, session, processor, link)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_to_notices_and_pulls_the_books_equal_the_processors_own(till: Session, seed: int) -> None:
    with a_season(seed, till) as season:
        for _ in range(34):
            season.step()
        season.strange()
        season.reconcile()
        new = pull(till, season.link)
        again = pull(till, season.link)

    account = season.account
    assert (again, len(new) <= len(account.transactions)) == ([], True)
    strange = [one for one in account.transactions if one["reporting_category"] in {"other_adjustment", "contribution"}]
    assert {row.balance_transaction for _, row in bookings.listed(till, waiting_only=True)} >= {
        one["id"] for one in strange
    }
    assert season.explain_all() == len(strange)
    assert journal.count(till) == len(account.transactions)
    for coin in COINS:
        assert balance(till, f"1100:{coin}", currency=coin.upper()).minor == account.balance[coin], coin
    told_of = {name: (one["amount"], one["currency"].upper()) for name, one in account.payouts.items()}
    booked = {one.id: one for one in payouts.listed(till) if one.id.startswith("po_")}
    assert {name: (one.arriving().minor, one.arriving().currency) for name, one in booked.items()} == told_of
    for one in booked.values():
        assert sum(share.minor for share in payouts.shares_of(till, one).values()) == one.minor
        if one.items_of is not None:
            assert sum(payout_items.shares_of(till, one.items_of, leaf=one.account_code).values()) == one.minor
    season.show_at_the_bank()
    assert {one.state for one in payouts.listed(till)} <= {payouts.State.PAID, payouts.State.FAILED}
    for coin in COINS:
        from_bank = [
            one.minor for one in till.exec(select(TopUp)) if (one.currency, one.reversed_on) == (coin.upper(), None)
        ]
        assert balance(till, f"1050:{coin}", currency=coin.upper()).minor == -sum(from_bank), coin
    assert {gift.source for gift in donations.listed(till)} == {donations.Source.CARD}
    differences = {one.difference for one in till.exec(select(OpenException)) if one.resolved_on is None}
    assert not differences - {Difference.BELOW_ZERO, Difference.OVER_REFUNDED}
    assert_it_holds(engine_of(till), but=BELOW_THE_ACTS)


def test_with_every_notice_lost_the_books_are_the_same(till: Session) -> None:
    with a_season(2, till) as season:
        for _ in range(25):
            season.step()
        season.reconcile()
        pull(till, season.link)

    assert season.mail.taken == []
    assert till.exec(select(Notice)).all() == []
    for coin in COINS:
        waiting = bookings.waiting_total(till, currency=coin.upper())
        booked = balance(till, f"1100:{coin}", currency=coin.upper())
        assert (booked + waiting).minor == season.account.balance[coin]
    strange = {booking.reason for booking, _ in bookings.listed(till, waiting_only=True)}
    assert strange <= STRANGE
