"""The events of two worked years: what each recipe is told, and the day. Everybody and everything is invented.

Entries 23 and 24 are an advance sent and acknowledged in one entry, so that 1210 comes to zero in it. 53 is a reversal,
which the journal makes. Where an event is two of the table (23, 24, 31, 57, 64, 66, 71), their recipes make one entry.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ledger.books import recipes
from ledger.books.postings import Posting, Side
from ledger.books.recipes import Purse, Shares
from ledger.money import Money

EUR_BANK, USD_BANK, BYN_BANK, CASH = "1000:eur", "1000:usd", "1000:byn", "1020"
EUR_CARDS, USD_CARDS, EUR_TRANSIT, USD_TRANSIT = "1100:eur", "1100:usd", "1050:eur", "1050:usd"
A1, A2 = Purse("1200:A-1", "A-0000-0000-0001"), Purse("1200:A-2", "A-0000-0000-0002")
A1_TRANSIT, A2_TRANSIT = "1210:A-1", "1210:A-2"


@dataclass(frozen=True, slots=True)
class Event:
    """One entry: its number, its day, and its postings, or the number of the entry that it reverses."""

    number: int
    on: date
    postings: list[Posting] = field(default_factory=list)
    reverses: int | None = None


def eur(amount: str) -> Money:
    return Money.parse(amount, "EUR")


def usd(amount: str) -> Money:
    return Money.parse(amount, "USD")


def byn(amount: str) -> Money:
    return Money.parse(amount, "BYN")


def gift(number: int, fund: str) -> dict[str, Any]:
    """The gift that began with the entry `number`."""
    return {"donation": f"G-0000-0000-{number:04}", "fund": fund}


def dispute(number: int, fund: str) -> dict[str, Any]:
    """The dispute that began with the entry `number`."""
    return {"dispute": f"Q-0000-0000-{number:04}", "fund": fund}


def owed(number: int, fund: str) -> dict[str, Any]:
    """The obligations that were approved, or the bail that was posted, with the entry `number`."""
    return {"obligation": f"O-0000-0000-{number:04}", "case": f"C-0000-0000-{number:04}", "fund": fund}


FINES, LATE_FINE, BAIL = owed(20, "fines"), owed(32, "fines"), owed(44, "bail")
DETENTION, IN_ERROR = owed(21, "detention"), owed(22, "detention")
EUR_PAYOUT: Shares = {"fines": eur("9700.00"), "general": eur("1589.00")}


def apportioned(total: Money, by: Shares) -> Shares:
    """A sum in the proportion of shares of another."""
    minors = recipes.apportion(total.minor, by={fund: share.minor for fund, share in by.items()})
    return {fund: Money(minor, total.currency) for fund, minor in minors.items()}


USD_PAYOUT = apportioned(usd("5000.00"), {"detention": usd("5670.00"), "general": usd("-15.00")})
"""A manual payout: pro rata to what the funds have at the processor."""


def an_advance(purse: Purse, transit: str, *, number: int, sent: Shares, received: Money, fee: Money) -> list[Posting]:
    advance = f"V-0000-0000-{number:04}"
    return [
        *recipes.advance_sent(leaf=EUR_BANK, transit=transit, shares=sent, advance=advance, fee=fee),
        *recipes.advance_acknowledged(
            transit=transit, purse=purse.code, sent=sent, received=apportioned(received, sent), advance=advance
        ),
    ]


def agent_paid(purse: Purse, amount: str, of: dict[str, Any], *, from_purse: str) -> list[Posting]:
    return recipes.aid_paid_by_agent(
        purse=purse.code, agent=purse.agent, amount=byn(amount), from_purse=byn(from_purse), **of
    )


def on_card(leaf: str, money: Money, fee: Money, of: dict[str, Any], *, net_of_costs: bool = False) -> list[Posting]:
    return recipes.card_gift(leaf=leaf, gift=money, fee=fee, net_of_costs=net_of_costs, **of)


def opening(leaf: str, money: Money) -> list[Posting]:
    return recipes.opening_balance(account=leaf, side=Side.DEBIT, amount=money, fund="general")


def at(number: int, on: str, *recipes_of_it: list[Posting], reverses: int | None = None) -> Event:
    together = [posting for postings in recipes_of_it for posting in postings]
    return Event(number, date.fromisoformat(on), together, reverses)


SUMMER_AND_AUTUMN = [
    at(1, "2020-08-15", opening(EUR_BANK, eur("5000.00")), opening(USD_BANK, usd("1000.00"))),
    at(2, "2020-09-01", on_card(EUR_CARDS, eur("10000.00"), eur("320.00"), gift(2, "fines"))),
    at(3, "2020-09-01", on_card(USD_CARDS, usd("6000.00"), usd("180.00"), gift(3, "detention"), net_of_costs=True)),
    at(4, "2020-09-05", on_card(EUR_CARDS, eur("2000.00"), eur("64.00"), gift(4, "general"))),
    at(5, "2020-09-10", recipes.gift_refunded(leaf=EUR_CARDS, refund=eur("100.00"), **gift(2, "fines"))),
    at(6, "2020-09-12", recipes.gift_refunded(leaf=EUR_CARDS, refund=eur("50.00"), **gift(4, "general"))),
    at(
        7,
        "2020-09-15",
        recipes.gift_disputed(leaf=EUR_CARDS, withdrawn=eur("200.00"), fee=eur("15.00"), **dispute(7, "fines")),
    ),
    at(
        8,
        "2020-09-16",
        recipes.gift_disputed(leaf=USD_CARDS, withdrawn=usd("150.00"), fee=usd("15.00"), **dispute(8, "detention")),
    ),
    at(9, "2020-09-20", recipes.refund_failed(leaf=EUR_CARDS, refund=eur("50.00"), **gift(4, "general"))),
    at(
        10,
        "2020-09-20",
        recipes.bank_gift_unidentified(leaf=EUR_BANK, gift=eur("500.00"), donation="G-0000-0000-0010"),
    ),
    at(11, "2020-09-21", recipes.bank_gift_unidentified(leaf=EUR_BANK, gift=eur("40.00"), donation="G-0000-0000-0011")),
    at(12, "2020-09-25", recipes.refund_paid_by_bank(leaf=EUR_BANK, refund=eur("50.00"), **gift(4, "general"))),
    at(13, "2020-09-28", recipes.unidentified_sent_back(leaf=EUR_BANK, gift=eur("40.00"), donation="G-0000-0000-0011")),
    at(14, "2020-09-30", recipes.processor_fee(leaf=EUR_CARDS, fee=eur("12.00"))),
    at(15, "2020-10-01", recipes.payout_created(leaf=EUR_CARDS, transit=EUR_TRANSIT, shares=EUR_PAYOUT)),
    at(16, "2020-10-02", recipes.payout_arrived(transit=EUR_TRANSIT, bank=EUR_BANK, shares=EUR_PAYOUT)),
    at(17, "2020-10-01", recipes.bank_gift(leaf=EUR_BANK, gift=eur("3000.00"), **gift(17, "general"))),
    at(18, "2020-10-05", recipes.payout_created(leaf=USD_CARDS, transit=USD_TRANSIT, shares=USD_PAYOUT)),
    at(
        19,
        "2020-10-06",
        recipes.payout_arrived(
            transit=USD_TRANSIT, bank=EUR_BANK, shares=USD_PAYOUT, came=apportioned(eur("4270.00"), USD_PAYOUT)
        ),
    ),
    at(20, "2020-10-01", recipes.aid_recognised(kind="fine", amount=byn("11000.00"), **FINES)),
    at(21, "2020-10-01", recipes.aid_recognised(kind="detention", amount=byn("1890.00"), **DETENTION)),
    at(22, "2020-10-01", recipes.aid_recognised(kind="detention", amount=byn("100.00"), **IN_ERROR)),
    at(
        23,
        "2020-10-02",
        an_advance(
            A1,
            A1_TRANSIT,
            number=23,
            sent={"fines": eur("3000.00"), "detention": eur("300.00")},
            received=byn("9800.00"),
            fee=eur("20.00"),
        ),
    ),
    at(
        24,
        "2020-10-10",
        an_advance(A2, A2_TRANSIT, number=24, sent={"fines": eur("660.00")}, received=byn("2000.00"), fee=eur("10.00")),
    ),
    at(25, "2020-10-10", recipes.conditional_gift(leaf=USD_BANK, gift=usd("1000.00"), **gift(25, "bail"))),
    at(26, "2020-10-12", recipes.cash_gift(cash=CASH, gift=eur("200.00"), **gift(26, "general"))),
    at(27, "2020-10-13", recipes.cash_banked(cash=CASH, leaf=EUR_BANK, shares={"general": eur("150.00")})),
    at(
        28,
        "2020-10-15",
        recipes.unidentified_matched(
            leaf=EUR_BANK, gift=eur("500.00"), received_on=date(2020, 9, 20), **gift(10, "detention")
        ),
    ),
    at(29, "2020-10-18", recipes.gift_in_kind(kind="legal_aid", worth=eur("300.00"), **gift(29, "general"))),
    at(
        30,
        "2020-10-20",
        recipes.dispute_won(leaf=EUR_CARDS, returned=eur("200.00"), fee_returned=eur("15.00"), **dispute(7, "fines")),
    ),
    at(
        31,
        "2020-10-25",
        agent_paid(A1, "8000.00", FINES, from_purse="8000.00"),
        agent_paid(A1, "1350.00", DETENTION, from_purse="1350.00"),
    ),
    at(32, "2020-11-02", recipes.aid_recognised(kind="fine", amount=byn("650.00"), **LATE_FINE)),
    at(33, "2020-11-03", recipes.aid_paid(leaf=EUR_BANK, amount=byn("650.00"), spent=eur("210.00"), **LATE_FINE)),
    at(34, "2020-11-05", recipes.dispute_lost(withdrawn=usd("150.00"), **dispute(8, "detention"))),
    at(35, "2020-11-08", agent_paid(A2, "2100.00", FINES, from_purse="2000.00")),
    at(36, "2020-11-10", recipes.payout_created(leaf=EUR_CARDS, transit=EUR_TRANSIT, shares={"fines": eur("100.00")})),
    at(37, "2020-11-12", recipes.payout_failed(leaf=EUR_CARDS, transit=EUR_TRANSIT, shares={"fines": eur("100.00")})),
    at(38, "2020-11-15", recipes.payout_created(leaf=EUR_CARDS, transit=EUR_TRANSIT, shares={"fines": eur("200.00")})),
    at(
        39,
        "2020-11-15",
        recipes.outlay_repaid(leaf=EUR_BANK, amount=byn("100.00"), fund="fines", agent=A2.agent, spent=eur("33.00")),
    ),
    at(40, "2020-11-17", recipes.payout_arrived(transit=EUR_TRANSIT, bank=EUR_BANK, shares={"fines": eur("200.00")})),
    at(
        41,
        "2020-11-20",
        recipes.aid_payment_returned(leaf=EUR_BANK, amount=byn("650.00"), came=eur("205.00"), **LATE_FINE),
    ),
    at(42, "2020-11-20", recipes.condition_met(amount=usd("600.00"), **gift(25, "bail"))),
    at(
        43,
        "2020-11-20",
        recipes.currency_converted(
            source=EUR_BANK, target=USD_BANK, sold={"general": eur("425.00")}, bought={"general": usd("500.00")}
        ),
    ),
    at(44, "2020-11-21", recipes.bail_posted(leaf=USD_BANK, amount=usd("500.00"), **BAIL)),
    at(45, "2020-11-23", recipes.payout_failed(leaf=EUR_CARDS, transit=EUR_TRANSIT, shares={"fines": eur("200.00")})),
    at(
        46,
        "2020-11-24",
        recipes.payout_pulled_back(transit=EUR_TRANSIT, bank=EUR_BANK, shares={"fines": eur("200.00")}),
    ),
]

DECEMBER = [
    at(47, "2020-12-02", recipes.aid_paid(leaf=EUR_BANK, amount=byn("650.00"), spent=eur("202.00"), **LATE_FINE)),
    at(
        48,
        "2020-12-05",
        recipes.advance_returned(
            leaf=EUR_BANK,
            purse=A1.code,
            came={"fines": eur("90.00")},
            stood_for={"fines": byn("300.00")},
            advance="V-0000-0000-0023",
        ),
    ),
    at(
        49,
        "2020-12-06",
        recipes.shares_settled(
            leaf=A1,
            amount=byn("459.09"),
            price_leaf=EUR_BANK,
            price=eur("142.32"),
            giver="fines",
            taker="detention",
        ),
    ),
    at(50, "2020-12-07", recipes.money_lost(held=A1, shares={"fines": byn("150.00")})),
    at(51, "2020-12-10", recipes.refund_due(kind="fine", amount=byn("810.00"), earlier_year=False, **FINES)),
    at(
        52,
        "2020-12-10",
        recipes.aid_cancelled(kind="fine", amount=byn("90.00"), rate_on=date(2020, 10, 1), earlier_year=False, **FINES),
    ),
    at(53, "2020-12-10", reverses=22),
    at(
        54,
        "2020-12-12",
        recipes.duplicate_acknowledged(kind="detention", amount=byn("540.00"), earlier_year=False, **DETENTION),
    ),
    at(55, "2020-12-12", agent_paid(A2, "540.00", DETENTION, from_purse="0.00")),
    at(
        56,
        "2020-12-15",
        recipes.moved_between_funds(leaf=EUR_BANK, amount=eur("100.00"), giver="general", taker="detention"),
    ),
    at(
        57,
        "2020-12-18",
        recipes.invoice_paid(leaf=EUR_BANK, invoice=eur("250.00"), accrued=eur("0.00")),
        recipes.bank_fee(leaf=EUR_BANK, fee=eur("10.00")),
        recipes.interest_received(leaf=EUR_BANK, interest=eur("2.00")),
    ),
    at(58, "2020-12-20", recipes.refund_received(leaf=BYN_BANK, amount=byn("810.00"), **FINES)),
    at(
        59,
        "2020-12-20",
        recipes.gift_disputed(leaf=EUR_CARDS, withdrawn=eur("80.00"), fee=eur("15.00"), **dispute(59, "fines")),
    ),
    at(60, "2020-12-28", recipes.bank_gift_unidentified(leaf=EUR_BANK, gift=eur("70.00"), donation="G-0000-0000-0060")),
    at(
        61,
        "2020-12-31",
        recipes.allowance_made(receivable="1150", amount=eur("48.00"), fund="fines", subject="Q-0000-0000-0059"),
    ),
    at(62, "2020-12-31", recipes.invoice_accrued(amount=eur("800.00"))),
]

SECOND_YEAR = [
    at(
        63,
        "2021-01-20",
        recipes.outlay_repaid(
            leaf=EUR_BANK, amount=byn("540.00"), fund="detention", agent=A2.agent, spent=eur("170.00")
        ),
    ),
    at(
        64,
        "2021-02-03",
        recipes.dispute_lost(withdrawn=eur("80.00"), **dispute(59, "fines")),
        recipes.allowance_released(receivable="1150", amount=eur("48.00"), fund="fines", subject="Q-0000-0000-0059"),
    ),
    at(65, "2021-02-10", recipes.refund_due(kind="fine", amount=byn("810.00"), earlier_year=True, **FINES)),
    at(
        66,
        "2021-02-15",
        recipes.bail_returned(leaf=USD_BANK, amount=usd("300.00"), fee=usd("20.00"), **BAIL),
        recipes.bail_forfeited(amount=usd("200.00"), **BAIL),
    ),
    at(
        67,
        "2021-02-20",
        recipes.recoverable_repaid(leaf=EUR_BANK, amount=byn("540.00"), came=eur("165.00"), **DETENTION),
    ),
    at(68, "2021-03-01", recipes.refund_kept_by_beneficiary(amount=byn("810.00"), **FINES)),
    at(69, "2021-03-05", recipes.invoice_paid(leaf=EUR_BANK, invoice=eur("820.00"), accrued=eur("800.00"))),
    at(70, "2021-03-10", on_card(EUR_CARDS, eur("1000.00"), eur("30.00"), gift(70, "fines"))),
    at(
        71,
        "2021-06-10",
        recipes.recoverable_waived(kind="fine", amount=byn("405.00"), **FINES),
        recipes.recoverable_repaid(leaf=EUR_BANK, amount=byn("405.00"), came=eur("130.00"), **FINES),
    ),
    at(
        72,
        "2021-06-15",
        recipes.conditional_gift_returned(leaf=USD_BANK, amount=usd("400.00"), **gift(25, "bail")),
    ),
    at(73, "2021-07-01", recipes.aid_paid(leaf=BYN_BANK, amount=byn("810.00"), **FINES)),
    at(
        74,
        "2021-12-31",
        recipes.unidentified_unclaimed(
            leaf=EUR_BANK, gift=eur("70.00"), donation="G-0000-0000-0060", received_on=date(2020, 12, 28)
        ),
    ),
]

EVENTS = [*SUMMER_AND_AUTUMN, *DECEMBER, *SECOND_YEAR]
