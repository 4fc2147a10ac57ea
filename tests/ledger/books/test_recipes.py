"""The table of posting recipes: each row's facts, and the lines they make. Every row is posted on both databases."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest
from sqlmodel import Session

from ledger.books import accounts, funds, journal, recipes
from ledger.books.postings import Posting, Side
from ledger.books.recipes import Purse
from ledger.money import Money
from tests.bookkeeping import BYN_LEAF, CARD_LEAF, CASE, DONATION, EUR_LEAF, OBLIGATION, post
from tests.cast import byn, eur

DISPUTE, BAIL, ADVANCE = "Q-0000-0000-0001", "O-0000-0000-0002", "V-0000-0000-0001"
TRANSIT, CASH, USD_LEAF = "1050:eur", "1020", "1000:usd"
PURSE, OTHER_PURSE = Purse("1200:one", "A-0000-0000-0001"), Purse("1200:two", "A-0000-0000-0002")
ON_THE_WAY = Purse("1210:one", ADVANCE)
EARLIER = date(2020, 9, 10)
SHARES = {"general": eur("-13.26"), "fines": eur("0.00"), "detention": eur("5013.26")}
NAMED = {
    None: "", DONATION: "gift", OBLIGATION: "obligation", DISPUTE: "dispute", BAIL: "bail", ADVANCE: "advance",
    PURSE.agent: "agent", OTHER_PURSE.agent: "other agent", CASE: "case",
}  # fmt: skip


def usd(amount: str) -> Money:
    return Money.parse(amount, "USD")


@dataclass(frozen=True)
class Row:
    """An event of the table, what its recipe makes of its facts, and the lines that it should make."""

    event: str
    made: list[Posting]
    lines: tuple[str, ...]


def row(event: str, made: list[Posting], *lines: str) -> Row:
    return Row(event, made, lines)


def written(posting: Posting) -> str:
    """A posting as the table writes it: side, account, amount, fund; then subject, case, and the rate's day."""
    rate_on = f"at {posting.rate_on}" if posting.rate_on else ""
    side = "dr" if posting.side is Side.DEBIT else "cr"
    words = [side, posting.account, str(posting.money), posting.fund, NAMED[posting.subject], NAMED[posting.case]]
    return " ".join(word for word in [*words, rate_on] if word)


GIFT: dict[str, Any] = {"fund": "fines", "donation": DONATION}
AID: dict[str, Any] = {"fund": "fines", "obligation": OBLIGATION, "case": CASE}
FINE: dict[str, Any] = AID | {"kind": "fine"}
DETENTION: dict[str, Any] = AID | {"kind": "detention"}
BAILED: dict[str, Any] = {"fund": "bail", "obligation": BAIL, "case": CASE}
DISPUTED: dict[str, Any] = {"fund": "fines", "dispute": DISPUTE}
THIS_YEAR: dict[str, Any] = {"earlier_year": False}
LATER: dict[str, Any] = {"earlier_year": True}
RECOGNISED: dict[str, Any] = {"amount": byn("90.00"), "rate_on": EARLIER}
ON_CARD: dict[str, Any] = {"leaf": CARD_LEAF}

CARD = [
    row(
        "card gift, costs borne by general",
        recipes.card_gift(**ON_CARD, gift=eur("100.00"), fee=eur("3.20"), **GIFT, net_of_costs=False),
        "dr 1100:eur 100.00 EUR fines",
        "dr 6000 3.20 EUR general",
        "cr 4000 100.00 EUR fines gift",
        "cr 1100:eur 3.20 EUR general",
    ),
    row(
        "card gift, net of costs",
        recipes.card_gift(**ON_CARD, gift=eur("100.00"), fee=eur("3.20"), **GIFT, net_of_costs=True),
        "dr 1100:eur 96.80 EUR fines",
        "dr 6000 3.20 EUR fines",
        "cr 4000 100.00 EUR fines gift",
    ),
    row(
        "card gift without a fee",
        recipes.card_gift(**ON_CARD, gift=eur("100.00"), fee=eur("0.00"), **GIFT, net_of_costs=True),
        "dr 1100:eur 100.00 EUR fines",
        "cr 4000 100.00 EUR fines gift",
    ),
    row(
        "card gift to general",
        recipes.card_gift(
            **ON_CARD, gift=eur("100.00"), fee=eur("3.20"), fund="general", donation=DONATION, net_of_costs=False
        ),
        "dr 1100:eur 96.80 EUR general",
        "dr 6000 3.20 EUR general",
        "cr 4000 100.00 EUR general gift",
    ),
    row(
        "card gift that its fee eats up",
        recipes.card_gift(**ON_CARD, gift=eur("0.30"), fee=eur("0.30"), **GIFT, net_of_costs=True),
        "dr 6000 0.30 EUR fines",
        "cr 4000 0.30 EUR fines gift",
    ),
    row(
        "card gift smaller than its fee",
        recipes.card_gift(**ON_CARD, gift=eur("0.30"), fee=eur("0.35"), **GIFT, net_of_costs=True),
        "dr 6000 0.35 EUR fines",
        "cr 4000 0.30 EUR fines gift",
        "cr 1100:eur 0.05 EUR fines",
    ),
    row(
        "stand-alone processor fee",
        recipes.processor_fee(leaf=CARD_LEAF, fee=eur("12.00")),
        "dr 6000 12.00 EUR general",
        "cr 1100:eur 12.00 EUR general",
    ),
    row(
        "processor fee given back",
        recipes.processor_fee_returned(leaf=CARD_LEAF, fee=eur("12.00")),
        "dr 1100:eur 12.00 EUR general",
        "cr 6000 12.00 EUR general",
    ),
    row(
        "gift refunded",
        recipes.gift_refunded(**ON_CARD, refund=eur("100.00"), **GIFT),
        "dr 4190 100.00 EUR fines gift",
        "cr 1100:eur 100.00 EUR fines",
    ),
    row(
        "refund cancelled",
        recipes.refund_cancelled(**ON_CARD, refund=eur("100.00"), **GIFT),
        "dr 1100:eur 100.00 EUR fines",
        "cr 4190 100.00 EUR fines gift",
    ),
    row(
        "refund failed, still owed",
        recipes.refund_failed(**ON_CARD, refund=eur("50.00"), **GIFT),
        "dr 1100:eur 50.00 EUR fines",
        "cr 2050 50.00 EUR fines gift",
    ),
    row(
        "then paid by bank",
        recipes.refund_paid_by_bank(leaf=EUR_LEAF, refund=eur("50.00"), **GIFT),
        "dr 2050 50.00 EUR fines gift",
        "cr 1000:eur-main 50.00 EUR fines",
    ),
    row(
        "then paid by bank in another currency",
        recipes.refund_paid_by_bank(leaf=EUR_LEAF, refund=usd("50.00"), spent=eur("43.00"), **GIFT),
        "dr 2050 50.00 USD fines gift",
        "cr 1000:eur-main 43.00 EUR fines",
        "cr 3900 50.00 USD fines",
        "dr 3900 43.00 EUR fines",
    ),
    row(
        "dispute",
        recipes.gift_disputed(**ON_CARD, withdrawn=eur("200.00"), fee=eur("15.00"), **DISPUTED),
        "dr 1150 200.00 EUR fines dispute",
        "cr 1100:eur 200.00 EUR fines",
        "dr 6010 15.00 EUR general",
        "cr 1100:eur 15.00 EUR general",
    ),
    row(
        "dispute without a fee",
        recipes.gift_disputed(**ON_CARD, withdrawn=eur("200.00"), fee=eur("0.00"), **DISPUTED),
        "dr 1150 200.00 EUR fines dispute",
        "cr 1100:eur 200.00 EUR fines",
    ),
    row(
        "dispute won, fee back",
        recipes.dispute_won(**ON_CARD, returned=eur("200.00"), fee_returned=eur("15.00"), **DISPUTED),
        "dr 1100:eur 200.00 EUR fines",
        "cr 1150 200.00 EUR fines dispute",
        "dr 1100:eur 15.00 EUR general",
        "cr 6010 15.00 EUR general",
    ),
    row(
        "dispute won, fee kept",
        recipes.dispute_won(**ON_CARD, returned=eur("200.00"), fee_returned=eur("0.00"), **DISPUTED),
        "dr 1100:eur 200.00 EUR fines",
        "cr 1150 200.00 EUR fines dispute",
    ),
    row(
        "dispute lost",
        recipes.dispute_lost(withdrawn=eur("200.00"), **DISPUTED),
        "dr 4195 200.00 EUR fines dispute",
        "cr 1150 200.00 EUR fines dispute",
    ),
    row(
        "payout created, one share below zero",
        recipes.payout_created(leaf=CARD_LEAF, transit=TRANSIT, shares=SHARES),
        "dr 1050:eur 5013.26 EUR detention",
        "cr 1100:eur 5013.26 EUR detention",
        "dr 1100:eur 13.26 EUR general",
        "cr 1050:eur 13.26 EUR general",
    ),
    row(
        "payout seen at the bank",
        recipes.payout_arrived(transit=TRANSIT, bank=EUR_LEAF, shares=SHARES),
        "dr 1000:eur-main 5013.26 EUR detention",
        "cr 1050:eur 5013.26 EUR detention",
        "dr 1050:eur 13.26 EUR general",
        "cr 1000:eur-main 13.26 EUR general",
    ),
    row(
        "payout failed",
        recipes.payout_failed(leaf=CARD_LEAF, transit=TRANSIT, shares={"fines": eur("100.00")}),
        "dr 1100:eur 100.00 EUR fines",
        "cr 1050:eur 100.00 EUR fines",
    ),
    row(
        "payout pulled back by the bank",
        recipes.payout_pulled_back(transit=TRANSIT, bank=EUR_LEAF, shares={"fines": eur("100.00")}),
        "dr 1050:eur 100.00 EUR fines",
        "cr 1000:eur-main 100.00 EUR fines",
    ),
    row(
        "payout arriving in another currency",
        recipes.payout_arrived(
            transit="1050:usd",
            bank=EUR_LEAF,
            shares={"detention": usd("5013.26"), "general": usd("-13.26")},
            came={"detention": eur("4281.32"), "general": eur("-11.32")},
        ),
        "dr 1000:eur-main 4281.32 EUR detention",
        "cr 1000:eur-main 11.32 EUR general",
        "cr 1050:usd 5013.26 USD detention",
        "dr 1050:usd 13.26 USD general",
        "cr 3900 4281.32 EUR detention",
        "cr 3900 13.26 USD general",
        "dr 3900 5013.26 USD detention",
        "dr 3900 11.32 EUR general",
    ),
    row(
        "payout pulled back in another currency",
        recipes.payout_pulled_back(
            transit="1050:usd", bank=EUR_LEAF, shares={"fines": usd("100.00")}, went={"fines": eur("86.00")}
        ),
        "dr 1050:usd 100.00 USD fines",
        "cr 1000:eur-main 86.00 EUR fines",
        "cr 3900 100.00 USD fines",
        "dr 3900 86.00 EUR fines",
    ),
    row(
        "top-up",
        recipes.top_up_sent(transit=TRANSIT, bank=EUR_LEAF, shares={"general": eur("80.00")}),
        "dr 1050:eur 80.00 EUR general",
        "cr 1000:eur-main 80.00 EUR general",
    ),
    row(
        "top-up at the processor",
        recipes.top_up_arrived(leaf=CARD_LEAF, transit=TRANSIT, shares={"general": eur("80.00")}),
        "dr 1100:eur 80.00 EUR general",
        "cr 1050:eur 80.00 EUR general",
    ),
    row(
        "top-up given back",
        recipes.top_up_reversed(leaf=CARD_LEAF, transit=TRANSIT, shares={"general": eur("80.00")}),
        "dr 1050:eur 80.00 EUR general",
        "cr 1100:eur 80.00 EUR general",
    ),
    row(
        "lost at the processor",
        recipes.lost_at_processor(leaf=CARD_LEAF, loss=eur("4.00")),
        "dr 6200 4.00 EUR general",
        "cr 1100:eur 4.00 EUR general",
    ),
    row(
        "of that something comes back",
        recipes.processor_loss_returned(leaf=CARD_LEAF, loss=eur("1.00")),
        "dr 1100:eur 1.00 EUR general",
        "cr 6200 1.00 EUR general",
    ),
    row(
        "card gift refunded in another currency",
        recipes.gift_refunded(leaf=USD_LEAF, refund=eur("50.00"), spent=usd("60.00"), fund="fines", donation=DONATION),
        "dr 4190 50.00 EUR fines gift",
        "cr 1000:usd 60.00 USD fines",
        "cr 3900 50.00 EUR fines",
        "dr 3900 60.00 USD fines",
    ),
    row(
        "reserve taken by the processor",
        recipes.reserve_taken(leaf=CARD_LEAF, shares={"fines": eur("30.00"), "general": eur("1.00")}),
        "dr 1110 30.00 EUR fines",
        "cr 1100:eur 30.00 EUR fines",
        "dr 1110 1.00 EUR general",
        "cr 1100:eur 1.00 EUR general",
    ),
    row(
        "reserve given back",
        recipes.reserve_returned(leaf=CARD_LEAF, shares={"fines": eur("30.00")}),
        "dr 1100:eur 30.00 EUR fines",
        "cr 1110 30.00 EUR fines",
    ),
]

GIVING = [
    row(
        "bank gift, purpose known",
        recipes.bank_gift(leaf=EUR_LEAF, gift=eur("20.00"), **GIFT),
        "dr 1000:eur-main 20.00 EUR fines",
        "cr 4000 20.00 EUR fines gift",
    ),
    row(
        "gift without a purpose, said to be for one",
        recipes.gift_assigned(**ON_CARD, left=eur("100.00"), refunded=eur("0.00"), **GIFT, received_on=EARLIER),
        "dr 4000 100.00 EUR unassigned gift at 2020-09-10",
        "cr 1100:eur 100.00 EUR unassigned",
        "dr 1100:eur 100.00 EUR fines",
        "cr 4000 100.00 EUR fines gift at 2020-09-10",
    ),
    row(
        "the same of which a part was given back",
        recipes.gift_assigned(leaf=EUR_LEAF, left=eur("70.00"), refunded=eur("30.00"), **GIFT, received_on=EARLIER),
        "dr 4000 100.00 EUR unassigned gift at 2020-09-10",
        "cr 1000:eur-main 70.00 EUR unassigned",
        "dr 1000:eur-main 70.00 EUR fines",
        "cr 4000 100.00 EUR fines gift at 2020-09-10",
        "dr 4190 30.00 EUR fines gift at 2020-09-10",
        "cr 4190 30.00 EUR unassigned gift at 2020-09-10",
    ),
    row(
        "bank gift unidentified",
        recipes.bank_gift_unidentified(leaf=EUR_LEAF, gift=eur("20.00"), donation=DONATION),
        "dr 1000:eur-main 20.00 EUR unassigned",
        "cr 2000 20.00 EUR unassigned gift",
    ),
    row(
        "matched",
        recipes.unidentified_matched(leaf=EUR_LEAF, gift=eur("20.00"), **GIFT, received_on=EARLIER),
        "dr 2000 20.00 EUR unassigned gift",
        "cr 1000:eur-main 20.00 EUR unassigned",
        "dr 1000:eur-main 20.00 EUR fines",
        "cr 4000 20.00 EUR fines gift at 2020-09-10",
    ),
    row(
        "matched, and was no gift",
        recipes.bank_gift_mistaken(leaf=EUR_LEAF, gift=eur("20.00"), received_on=EARLIER, **GIFT),
        "dr 4000 20.00 EUR fines gift at 2020-09-10",
        "cr 1000:eur-main 20.00 EUR fines",
    ),
    row(
        "sent back",
        recipes.unidentified_sent_back(leaf=EUR_LEAF, gift=eur("20.00"), donation=DONATION),
        "dr 2000 20.00 EUR unassigned gift",
        "cr 1000:eur-main 20.00 EUR unassigned",
    ),
    row(
        "unclaimed",
        recipes.unidentified_unclaimed(leaf=EUR_LEAF, gift=eur("20.00"), donation=DONATION, received_on=EARLIER),
        "dr 2000 20.00 EUR unassigned gift",
        "cr 1000:eur-main 20.00 EUR unassigned",
        "dr 1000:eur-main 20.00 EUR general",
        "cr 4000 20.00 EUR general gift at 2020-09-10",
    ),
    row(
        "conditional gift",
        recipes.conditional_gift(leaf=USD_LEAF, gift=usd("1000.00"), **GIFT),
        "dr 1000:usd 1000.00 USD fines",
        "cr 2300 1000.00 USD fines gift",
    ),
    row(
        "unidentified gift that is conditional",
        recipes.unidentified_conditional(leaf=EUR_LEAF, gift=eur("20.00"), **GIFT),
        "dr 2000 20.00 EUR unassigned gift",
        "cr 1000:eur-main 20.00 EUR unassigned",
        "dr 1000:eur-main 20.00 EUR fines",
        "cr 2300 20.00 EUR fines gift",
    ),
    row(
        "condition met",
        recipes.condition_met(amount=usd("600.00"), **GIFT),
        "dr 2300 600.00 USD fines gift",
        "cr 4000 600.00 USD fines gift",
    ),
    row(
        "returned",
        recipes.conditional_gift_returned(leaf=USD_LEAF, amount=usd("400.00"), **GIFT),
        "dr 2300 400.00 USD fines gift",
        "cr 1000:usd 400.00 USD fines",
    ),
    row(
        "gift in kind: a lawyer's work",
        recipes.gift_in_kind(kind="legal_aid", worth=eur("300.00"), **GIFT),
        "dr 5200 300.00 EUR fines gift",
        "cr 4050 300.00 EUR fines gift",
    ),
    row(
        "gift in kind: an office",
        recipes.gift_in_kind(kind="administration", worth=eur("300.00"), fund="general", donation=DONATION),
        "dr 6300 300.00 EUR general gift",
        "cr 4050 300.00 EUR general gift",
    ),
    row(
        "cash gift, two witnesses",
        recipes.cash_gift(cash=CASH, gift=eur("200.00"), **GIFT),
        "dr 1020 200.00 EUR fines",
        "cr 4000 200.00 EUR fines gift",
    ),
    row(
        "cash banked",
        recipes.cash_banked(cash=CASH, leaf=EUR_LEAF, shares={"fines": eur("150.00")}),
        "dr 1000:eur-main 150.00 EUR fines",
        "cr 1020 150.00 EUR fines",
    ),
    row(
        "cash banked, and the bank counts less",
        recipes.cash_banked(cash=CASH, leaf=EUR_LEAF, shares={"fines": eur("144.00")}, missing={"fines": eur("6.00")}),
        "dr 1000:eur-main 144.00 EUR fines",
        "cr 1020 144.00 EUR fines",
        "dr 6200 6.00 EUR fines",
        "cr 1020 6.00 EUR fines",
    ),
    row(
        "cash banked, and the bank counts more",
        recipes.cash_banked(cash=CASH, leaf=EUR_LEAF, shares={"fines": eur("150.00")}, surplus=eur("7.00")),
        "dr 1000:eur-main 150.00 EUR fines",
        "cr 1020 150.00 EUR fines",
        "dr 1000:eur-main 7.00 EUR general",
        "cr 4300 7.00 EUR general",
    ),
]

ASSISTANCE = [
    *(
        row(
            f"recognised: {kind}",
            recipes.aid_recognised(amount=byn("810.00"), **AID, kind=kind),
            f"dr {expense} 810.00 BYN fines obligation case",
            "cr 2100 810.00 BYN fines obligation case",
        )
        for kind, expense in (("fine", "5000"), ("detention", "5100"), ("court_fee", "5200"))
    ),
    row(
        "recognition cancelled, or the unpaid part quashed: same year",
        recipes.aid_cancelled(**RECOGNISED, **DETENTION, **THIS_YEAR),
        "dr 2100 90.00 BYN fines obligation case at 2020-09-10",
        "cr 5100 90.00 BYN fines obligation case at 2020-09-10",
    ),
    row(
        "recognition cancelled, or the unpaid part quashed: earlier year",
        recipes.aid_cancelled(**RECOGNISED, **DETENTION, **LATER),
        "dr 2100 90.00 BYN fines obligation case",
        "cr 4200 90.00 BYN fines obligation case",
    ),
    row(
        "paid directly",
        recipes.aid_paid(leaf=BYN_LEAF, amount=byn("810.00"), **AID),
        "dr 2100 810.00 BYN fines obligation case",
        "cr 1000:byn-main 810.00 BYN fines case",
    ),
    row(
        "paid directly from a leaf of another currency",
        recipes.aid_paid(leaf=EUR_LEAF, amount=byn("650.00"), spent=eur("210.00"), **AID),
        "dr 2100 650.00 BYN fines obligation case",
        "cr 1000:eur-main 210.00 EUR fines case",
        "cr 3900 650.00 BYN fines",
        "dr 3900 210.00 EUR fines",
    ),
    row(
        "returned by the bank",
        recipes.aid_payment_returned(leaf=EUR_LEAF, amount=byn("650.00"), came=eur("205.00"), **AID),
        "dr 1000:eur-main 205.00 EUR fines case",
        "cr 2100 650.00 BYN fines obligation case",
        "cr 3900 205.00 EUR fines",
        "dr 3900 650.00 BYN fines",
    ),
    row(
        "the paid part quashed, confirmed: same year",
        recipes.refund_due(amount=byn("810.00"), **FINE, **THIS_YEAR),
        "dr 1350 810.00 BYN fines obligation case",
        "cr 5900:fine 810.00 BYN fines obligation case",
    ),
    row(
        "the paid part quashed, confirmed: earlier year",
        recipes.refund_due(amount=byn("810.00"), **FINE, **LATER),
        "dr 1350 810.00 BYN fines obligation case",
        "cr 4200 810.00 BYN fines obligation case",
    ),
    row(
        "the paid part quashed, paid back at once: same year",
        recipes.refund_paid_unannounced(leaf=BYN_LEAF, amount=byn("810.00"), **DETENTION, **THIS_YEAR),
        "dr 1000:byn-main 810.00 BYN fines case",
        "cr 5900:detention 810.00 BYN fines obligation case",
    ),
    row(
        "the paid part quashed, paid back at once to an agent: earlier year",
        recipes.refund_paid_unannounced(leaf=PURSE, amount=byn("810.00"), **FINE, **LATER),
        "dr 1200:one 810.00 BYN fines agent case",
        "cr 4200 810.00 BYN fines obligation case",
    ),
    row(
        "refund received",
        recipes.refund_received(leaf=BYN_LEAF, amount=byn("810.00"), **AID),
        "dr 1000:byn-main 810.00 BYN fines case",
        "cr 1350 810.00 BYN fines obligation case",
    ),
    row(
        "refund held by the beneficiary",
        recipes.refund_kept_by_beneficiary(amount=byn("810.00"), **AID),
        "dr 1380 810.00 BYN fines obligation case",
        "cr 1350 810.00 BYN fines obligation case",
    ),
    row(
        "waived to them",
        recipes.recoverable_waived(amount=byn("405.00"), **FINE),
        "dr 5000 405.00 BYN fines obligation case",
        "cr 1380 405.00 BYN fines obligation case",
    ),
    row(
        "duplicate acknowledged: same year",
        recipes.duplicate_acknowledged(amount=byn("540.00"), **DETENTION, **THIS_YEAR),
        "dr 1380 540.00 BYN fines obligation case",
        "cr 5900:detention 540.00 BYN fines obligation case",
    ),
    row(
        "duplicate acknowledged: earlier year",
        recipes.duplicate_acknowledged(amount=byn("540.00"), **DETENTION, **LATER),
        "dr 1380 540.00 BYN fines obligation case",
        "cr 4200 540.00 BYN fines obligation case",
    ),
    row(
        "it repays",
        recipes.recoverable_repaid(leaf=EUR_LEAF, amount=byn("540.00"), came=eur("165.00"), **AID),
        "dr 1000:eur-main 165.00 EUR fines case",
        "cr 1380 540.00 BYN fines obligation case",
        "cr 3900 165.00 EUR fines",
        "dr 3900 540.00 BYN fines",
    ),
    row(
        "bail posted",
        recipes.bail_posted(leaf=USD_LEAF, amount=usd("500.00"), **BAILED),
        "dr 1300 500.00 USD bail bail case",
        "cr 1000:usd 500.00 USD bail case",
    ),
    row(
        "bail posted through an agent",
        recipes.bail_posted(leaf=PURSE, amount=usd("500.00"), **BAILED),
        "dr 1300 500.00 USD bail bail case",
        "cr 1200:one 500.00 USD bail agent case",
    ),
    row(
        "bail returned less fee",
        recipes.bail_returned(leaf=USD_LEAF, amount=usd("300.00"), fee=usd("20.00"), **BAILED),
        "dr 1000:usd 280.00 USD bail case",
        "dr 5400 20.00 USD bail bail case",
        "cr 1300 300.00 USD bail bail case",
    ),
    row(
        "bail returned whole",
        recipes.bail_returned(leaf=USD_LEAF, amount=usd("300.00"), fee=usd("0.00"), **BAILED),
        "dr 1000:usd 300.00 USD bail case",
        "cr 1300 300.00 USD bail bail case",
    ),
    row(
        "bail that its fee eats up",
        recipes.bail_returned(leaf=USD_LEAF, amount=usd("20.00"), fee=usd("20.00"), **BAILED),
        "dr 5400 20.00 USD bail bail case",
        "cr 1300 20.00 USD bail bail case",
    ),
    row(
        "bail returned in another currency",
        recipes.bail_returned(leaf=EUR_LEAF, amount=usd("300.00"), fee=usd("20.00"), came=eur("230.00"), **BAILED),
        "dr 1000:eur-main 230.00 EUR bail case",
        "dr 5400 20.00 USD bail bail case",
        "cr 1300 300.00 USD bail bail case",
        "cr 3900 230.00 EUR bail",
        "dr 3900 280.00 USD bail",
    ),
    row(
        "bail applied to an approved fine",
        recipes.bail_applied(leaf=USD_LEAF, amount=usd("200.00"), bail_fund="bail", bail=BAIL, **AID),
        "dr 2100 200.00 USD fines obligation case",
        "cr 1000:usd 200.00 USD fines",
        "dr 1000:usd 200.00 USD bail",
        "cr 1300 200.00 USD bail bail case",
    ),
    row(
        "bail applied in one fund",
        recipes.bail_applied(leaf=USD_LEAF, amount=usd("200.00"), bail_fund="fines", bail=BAIL, **AID),
        "dr 2100 200.00 USD fines obligation case",
        "cr 1300 200.00 USD fines bail case",
    ),
    row(
        "bail forfeited",
        recipes.bail_forfeited(amount=usd("200.00"), **BAILED),
        "dr 5300 200.00 USD bail bail case",
        "cr 1300 200.00 USD bail bail case",
    ),
]

AGENTS = [
    row(
        "advance sent with fee",
        recipes.advance_sent(
            leaf=EUR_LEAF,
            transit=ON_THE_WAY.code,
            shares={"fines": eur("3000.00"), "detention": eur("300.00")},
            advance=ADVANCE,
            fee=eur("20.00"),
        ),
        "dr 1210:one 300.00 EUR detention advance",
        "cr 1000:eur-main 300.00 EUR detention",
        "dr 1210:one 3000.00 EUR fines advance",
        "cr 1000:eur-main 3000.00 EUR fines",
        "dr 6020 20.00 EUR general",
        "cr 1000:eur-main 20.00 EUR general",
    ),
    row(
        "acknowledged",
        recipes.advance_acknowledged(
            transit=ON_THE_WAY.code,
            purse=PURSE.code,
            sent={"fines": eur("3000.00"), "detention": eur("300.00")},
            received={"fines": byn("8909.09"), "detention": byn("890.91")},
            advance=ADVANCE,
        ),
        "dr 1200:one 890.91 BYN detention advance",
        "dr 1200:one 8909.09 BYN fines advance",
        "cr 1210:one 300.00 EUR detention advance",
        "cr 1210:one 3000.00 EUR fines advance",
        "cr 3900 890.91 BYN detention",
        "cr 3900 8909.09 BYN fines",
        "dr 3900 300.00 EUR detention",
        "dr 3900 3000.00 EUR fines",
    ),
    row(
        "acknowledged; of few kopecks a small fund gets none",
        recipes.advance_acknowledged(
            transit=ON_THE_WAY.code,
            purse=PURSE.code,
            sent={"fines": eur("1.00"), "detention": eur("0.01")},
            received={"fines": byn("0.02"), "detention": byn("0.00")},
            advance=ADVANCE,
        ),
        "dr 1200:one 0.02 BYN fines advance",
        "cr 1210:one 0.01 EUR detention advance",
        "cr 1210:one 1.00 EUR fines advance",
        "cr 3900 0.02 BYN fines",
        "dr 3900 0.01 EUR detention",
        "dr 3900 1.00 EUR fines",
    ),
    row(
        "agent paid, receipt verified",
        recipes.aid_paid_by_agent(
            purse=PURSE.code, amount=byn("2100.00"), from_purse=byn("2000.00"), **AID, agent=PURSE.agent
        ),
        "dr 2100 2100.00 BYN fines obligation case",
        "cr 1200:one 2000.00 BYN fines agent case",
        "cr 2150 100.00 BYN fines agent case",
    ),
    row(
        "agent paid what was owed no more",
        recipes.agent_paid_in_error(
            purse=PURSE.code, amount=byn("2100.00"), from_purse=byn("2000.00"), **AID, agent=PURSE.agent
        ),
        "dr 1380 2100.00 BYN fines obligation case",
        "cr 1200:one 2000.00 BYN fines agent case",
        "cr 2150 100.00 BYN fines agent case",
    ),
    row(
        "agent converts",
        recipes.purse_converted(purse=PURSE, sold={"fines": usd("100.00")}, bought={"fines": byn("260.00")}),
        "dr 1200:one 260.00 BYN fines agent",
        "cr 1200:one 100.00 USD fines agent",
        "cr 3900 260.00 BYN fines",
        "dr 3900 100.00 USD fines",
    ),
    row(
        "agent hands to another agent",
        recipes.purse_handed_over(giver=PURSE, taker=OTHER_PURSE, shares={"fines": byn("50.00")}),
        "dr 1200:two 50.00 BYN fines other agent",
        "cr 1200:one 50.00 BYN fines agent",
    ),
    row(
        "agent takes a fee",
        recipes.agent_fee_taken(purse=PURSE, fee=byn("5.00")),
        "dr 6030 5.00 BYN general",
        "cr 1200:one 5.00 BYN general agent",
    ),
    row(
        "agent's own outlay repaid",
        recipes.outlay_repaid(leaf=EUR_LEAF, amount=byn("100.00"), fund="fines", agent=PURSE.agent, spent=eur("33.00")),
        "dr 2150 100.00 BYN fines agent",
        "cr 1000:eur-main 33.00 EUR fines",
        "cr 3900 100.00 BYN fines",
        "dr 3900 33.00 EUR fines",
    ),
    row(
        "a repayment that the bank returned, less than left",
        recipes.outlay_repayment_returned(
            leaf=EUR_LEAF, amount=byn("100.00"), fund="fines", agent=PURSE.agent, came=eur("33.00")
        ),
        "dr 1000:eur-main 33.00 EUR fines",
        "cr 2150 100.00 BYN fines agent",
        "cr 3900 33.00 EUR fines",
        "dr 3900 100.00 BYN fines",
    ),
    row(
        "money that left and is no payment",
        recipes.money_to_come_back(leaf=BYN_LEAF, amount=byn("810.00"), fund="fines", obligation=OBLIGATION, case=CASE),
        "dr 1380 810.00 BYN fines obligation case",
        "cr 1000:byn-main 810.00 BYN fines case",
    ),
    row(
        "what another owes will not come",
        recipes.recoverable_lost(amount=byn("10.00"), fund="fines", obligation=OBLIGATION, case=CASE),
        "dr 6200 10.00 BYN fines case",
        "cr 1380 10.00 BYN fines obligation case",
    ),
    row(
        "set off against the next advance",
        recipes.outlay_set_off(purse=PURSE, amount=byn("100.00"), fund="fines"),
        "dr 2150 100.00 BYN fines agent",
        "cr 1200:one 100.00 BYN fines agent",
    ),
    row(
        "unspent advance returned",
        recipes.advance_returned(
            leaf=EUR_LEAF,
            purse=PURSE.code,
            came={"fines": eur("90.00")},
            stood_for={"fines": byn("300.00")},
            advance=ADVANCE,
        ),
        "dr 1000:eur-main 90.00 EUR fines",
        "cr 1200:one 300.00 BYN fines advance",
        "cr 3900 90.00 EUR fines",
        "dr 3900 300.00 BYN fines",
    ),
    row(
        "seized with the agent",
        recipes.money_lost(held=PURSE, shares={"fines": byn("150.00"), "general": byn("0.00")}),
        "dr 6200 150.00 BYN fines agent",
        "cr 1200:one 150.00 BYN fines agent",
    ),
    row(
        "lost on its way",
        recipes.money_lost(held=ON_THE_WAY, shares={"fines": eur("150.00")}),
        "dr 6200 150.00 EUR fines advance",
        "cr 1210:one 150.00 EUR fines advance",
    ),
    row(
        "comes back same year",
        recipes.lost_money_recovered(purse=PURSE, shares={"fines": byn("150.00")}, **THIS_YEAR),
        "dr 1200:one 150.00 BYN fines agent",
        "cr 6200 150.00 BYN fines agent",
    ),
    row(
        "comes back later",
        recipes.lost_money_recovered(purse=PURSE, shares={"fines": byn("150.00")}, **LATER),
        "dr 1200:one 150.00 BYN fines agent",
        "cr 4200 150.00 BYN fines agent",
    ),
]

OWN_AFFAIRS = [
    *(
        row(
            f"allowance for {receivable} {verb}",
            recipe(receivable=receivable, amount=eur("48.00"), fund="fines", subject=subject),
            f"dr {expense if verb == 'made' else '1390'} 48.00 EUR fines {NAMED[subject]}",
            f"cr {credited or expense} 48.00 EUR fines {NAMED[subject]}",
        )
        for receivable, expense, subject in (
            ("1150", "4195", DISPUTE),
            ("1300", "5300", BAIL),
            ("1350", "6200", OBLIGATION),
            ("1380", "6200", OBLIGATION),
            ("1400", "6200", DONATION),
        )
        for verb, recipe, credited in (
            ("made", recipes.allowance_made, "1390"),
            ("used", recipes.allowance_used, receivable),
            ("no longer needed", recipes.allowance_released, None),
        )
    ),
    row(
        "invoice accrued",
        recipes.invoice_accrued(amount=eur("800.00")),
        "dr 6300 800.00 EUR general",
        "cr 2200 800.00 EUR general",
    ),
    row(
        "invoice paid, and it was higher",
        recipes.invoice_paid(leaf=EUR_LEAF, invoice=eur("820.00"), accrued=eur("800.00")),
        "dr 2200 800.00 EUR general",
        "dr 6300 20.00 EUR general",
        "cr 1000:eur-main 820.00 EUR general",
    ),
    row(
        "invoice paid, and it was lower",
        recipes.invoice_paid(leaf=EUR_LEAF, invoice=eur("790.00"), accrued=eur("800.00")),
        "dr 2200 800.00 EUR general",
        "cr 6300 10.00 EUR general",
        "cr 1000:eur-main 790.00 EUR general",
    ),
    row(
        "invoice paid that was not accrued, in another currency",
        recipes.invoice_paid(leaf=EUR_LEAF, invoice=usd("100.00"), accrued=usd("0.00"), spent=eur("86.00")),
        "dr 6300 100.00 USD general",
        "cr 1000:eur-main 86.00 EUR general",
        "cr 3900 100.00 USD general",
        "dr 3900 86.00 EUR general",
    ),
    row(
        "bank fee",
        recipes.bank_fee(leaf=EUR_LEAF, fee=eur("10.00")),
        "dr 6020 10.00 EUR general",
        "cr 1000:eur-main 10.00 EUR general",
    ),
    row(
        "bank interest",
        recipes.interest_received(leaf=EUR_LEAF, interest=eur("2.00")),
        "dr 1000:eur-main 2.00 EUR general",
        "cr 4300 2.00 EUR general",
    ),
    row(
        "currency conversion",
        recipes.currency_converted(
            source=EUR_LEAF,
            target=USD_LEAF,
            sold={"general": eur("425.00"), "fines": eur("85.00")},
            bought={"general": usd("500.00"), "fines": usd("100.00")},
        ),
        "dr 1000:usd 100.00 USD fines",
        "dr 1000:usd 500.00 USD general",
        "cr 1000:eur-main 85.00 EUR fines",
        "cr 1000:eur-main 425.00 EUR general",
        "cr 3900 100.00 USD fines",
        "cr 3900 500.00 USD general",
        "dr 3900 85.00 EUR fines",
        "dr 3900 425.00 EUR general",
    ),
    row(
        "currency conversion: the side that was sold, seen first",
        recipes.conversion_left(
            source=EUR_LEAF, transit=TRANSIT, sold={"general": eur("425.00"), "fines": eur("85.00")}
        ),
        "dr 1050:eur 85.00 EUR fines",
        "cr 1000:eur-main 85.00 EUR fines",
        "dr 1050:eur 425.00 EUR general",
        "cr 1000:eur-main 425.00 EUR general",
    ),
    row(
        "transfer between funds",
        recipes.moved_between_funds(leaf=EUR_LEAF, amount=eur("100.00"), giver="general", taker="detention"),
        "dr 3800 100.00 EUR general",
        "cr 1000:eur-main 100.00 EUR general",
        "dr 1000:eur-main 100.00 EUR detention",
        "cr 3800 100.00 EUR detention",
    ),
    row(
        "funds settle their shares of an agent's cash",
        recipes.shares_settled(
            leaf=PURSE,
            amount=byn("459.09"),
            price_leaf=EUR_LEAF,
            price=eur("142.32"),
            giver="fines",
            taker="detention",
        ),
        "dr 1200:one 459.09 BYN detention agent",
        "cr 1000:eur-main 142.32 EUR detention",
        "dr 1000:eur-main 142.32 EUR fines",
        "cr 1200:one 459.09 BYN fines agent",
        "cr 3900 459.09 BYN detention",
        "cr 3900 142.32 EUR fines",
        "dr 3900 142.32 EUR detention",
        "dr 3900 459.09 BYN fines",
    ),
    row(
        "opening balance, migrated",
        recipes.opening_balance(account=EUR_LEAF, side=Side.DEBIT, amount=eur("5000.00"), fund="general"),
        "dr 1000:eur-main 5000.00 EUR general",
        "cr 3000 5000.00 EUR general",
    ),
    row(
        "opening balance of a liability, migrated",
        recipes.opening_balance(
            account="2000", side=Side.CREDIT, amount=eur("70.00"), fund="unassigned", subject=DONATION
        ),
        "dr 3000 70.00 EUR unassigned",
        "cr 2000 70.00 EUR unassigned gift",
    ),
    row(
        "material error of an earlier year: something was owed",
        recipes.earlier_year_corrected(account="2200", side=Side.CREDIT, amount=eur("60.00"), fund="general"),
        "dr 3050 60.00 EUR general",
        "cr 2200 60.00 EUR general",
    ),
    row(
        "material error of an earlier year: something was there",
        recipes.earlier_year_corrected(account=EUR_LEAF, side=Side.DEBIT, amount=eur("60.00"), fund="general"),
        "dr 1000:eur-main 60.00 EUR general",
        "cr 3050 60.00 EUR general",
    ),
]

TABLE = [*CARD, *GIVING, *ASSISTANCE, *AGENTS, *OWN_AFFAIRS]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.event)
def test_a_row_of_the_table_makes_its_lines(row: Row) -> None:
    assert tuple(written(posting) for posting in row.made) == row.lines


def test_the_journal_books_every_row_of_the_table_with_its_lines(founded: Session) -> None:
    for leaf, currency in ((TRANSIT, "EUR"), ("1050:usd", "USD"), (USD_LEAF, "USD")):
        accounts.add_leaf(founded, leaf, name="Leaf", currency=currency)
    for purse in (PURSE, OTHER_PURSE, ON_THE_WAY):
        accounts.add_leaf(founded, purse.code, name="Leaf")
    funds.add(founded, "bail", name="Bail", restricted=True)

    posted = [post(founded, row.made, source_key=f"row:{nth}") for nth, row in enumerate(TABLE)]
    founded.commit()

    for row, entry in zip(TABLE, posted, strict=True):
        assert tuple(written(line) for line in journal.postings_of(founded, entry.entry_id)) == row.lines, row.event


def test_no_recipe_is_missing_in_the_table() -> None:
    table = Path(__file__).read_text("utf-8")
    made = {name for name in recipes.__all__ if isinstance(getattr(recipes, name), FunctionType)} - {"apportion"}

    assert {name for name in made if f"recipes.{name}" not in table} == set()
    assert len({row.event for row in TABLE}) == len(TABLE)
