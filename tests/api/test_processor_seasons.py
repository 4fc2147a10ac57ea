"""Random seasons at the invented processor: whatever becomes of notices and pulls, the books equal its own balance."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlmodel import Session, select

from api.stripe_link import TRIES, Link, ProcessorUnavailable
from api.stripe_notices import read_notice
from examples.card_processor.account import DAY, Account
from examples.card_processor.notices import Mail
from examples.card_processor.server import Processor, Trouble
from ledger.books import accounts, journal
from ledger.books.balances import balance
from ledger.exceptions import Difference, OpenException
from ledger.giving import notices, payouts
from ledger.giving.notices import Notice
from ledger.storage.engine import transaction
from tests.bookcheck import assert_it_holds
from tests.cast import NOW, engine_of
from tests.processors import a_processor, linked, pull

COINS = ("eur", "usd", "jpy", "kwd")
SECRET = "whsec_invented"


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
        steps += ["refund_failure", "dispute_reversal", "payout_failure"]
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
        self.account.pay_out_automatically(self.chance.choice(COINS))

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

    def payout_failure(self) -> None:
        for name in list(self.account.payouts)[-1:]:
            self.account.bounce(name)


@contextmanager
def a_season(seed: int, session: Session) -> Iterator[Season]:
    for coin in ("jpy", "kwd"):
        for parent in ("1100", "1050"):
            accounts.add_leaf(session, f"{parent}:{coin}", name="A leaf", currency=coin.upper())
    session.commit()
    processor = a_processor()
    with linked(processor) as link:
        yield Season(seed, session, processor, link)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_to_notices_and_pulls_the_books_equal_the_processors_own(till: Session, seed: int) -> None:
    with a_season(seed, till) as season:
        for _ in range(40):
            season.step()
        new = pull(till, season.link)
        again = pull(till, season.link)

    account = season.account
    assert (again, len(new) <= len(account.transactions)) == ([], True)
    assert journal.count(till) == len(account.transactions)
    for coin in COINS:
        assert balance(till, f"1100:{coin}", currency=coin.upper()).minor == account.balance[coin], coin
    told = {name: (one["amount"], one["currency"].upper()) for name, one in account.payouts.items()}
    booked = {one.id: one for one in payouts.listed(till)}
    assert {name: (one.minor, one.currency) for name, one in booked.items()} == told
    for one in booked.values():
        assert sum(share.minor for share in payouts.shares_of(till, one).values()) == one.minor
    differences = {one.difference for one in till.exec(select(OpenException))}
    assert not differences & {Difference.PROCESSOR_DIFFERS, Difference.BALANCE_DIFFERS}
    assert_it_holds(engine_of(till))


def test_with_every_notice_lost_the_books_are_the_same(till: Session) -> None:
    with a_season(2, till) as season:
        for _ in range(25):
            season.step()
        pull(till, season.link)

    assert season.mail.taken == []
    assert till.exec(select(Notice)).all() == []
    assert {coin: balance(till, f"1100:{coin}", currency=coin.upper()).minor for coin in COINS} == {
        coin: season.account.balance[coin] for coin in COINS
    }
