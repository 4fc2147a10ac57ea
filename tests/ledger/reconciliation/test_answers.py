"""What may be said of what waits: one signature where the books agreed already, two where it decides about money."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlmodel import Session, select

from ledger import exceptions
from ledger.aliases import Kind, draw
from ledger.approvals import ActDiffers, Agreed, NotAgreed, NotInRole
from ledger.books import accounts, balances, exchange, holds
from ledger.books.holds import NewHold, Reserve
from ledger.books.spending import WouldOverdraw
from ledger.errors import LedgerError
from ledger.exceptions import Difference, OpenException, UnknownException
from ledger.giving import donations, payouts, refund_orders
from ledger.giving.donations import Donation, State, UnknownDonation
from ledger.giving.early_payouts import NotThisPayout, UnknownPayout
from ledger.giving.refund_orders import BadRefundOrder, NotRefundable, RefundOrder, RefundOrderNotReady
from ledger.giving.steps import NothingLeft
from ledger.money import Money
from ledger.reconciliation import aid_answers, answers, giving_answers, resolutions
from ledger.reconciliation.answers import RULES, Answer, Because
from ledger.reconciliation.giving_answers import LineDiffers
from ledger.reconciliation.resolutions import NewResolution, Resolution
from ledger.reconciliation.waits import BadResolution, Thing
from ledger.treasury.conversions import Conversion
from ledger.treasury.conversions import State as ConversionState
from tests import cards
from tests.bookcheck import assert_it_holds, found
from tests.bookkeeping import CARD_LEAF, RECORDER
from tests.cards import DAY, TRANSIT, USD_TRANSIT, a_charge, a_payout, a_refund, a_refund_failure, book, usd
from tests.cast import LEAF, NOW, TODAY, House, byn, engine_of, eur, nothing_written, race
from tests.coffers import a_released_conversion, give_freely, prepare_conversions
from tests.given import a_stray_gift, answer, ask_back, match, shown, the_exception
from tests.giving_back import agree, ask
from tests.office import on_one_database
from tests.purses import EUR_LEAF, give_euros
from tests.saying import on_request, resolve, saying

NEAR = "297.00"
"""300.00 BYN are expected."""
NEXT_DAY = DAY + timedelta(days=1)
TOLD = Because.TOLD_BY_BANK


def refused(house: House, error: type[LedgerError], new: NewResolution) -> None:
    """What is refused when it is said leaves nothing behind."""
    with nothing_written(house.session), pytest.raises(error):
        resolutions.request(house.session, new, on_request(house, new))


# --- the table


def test_every_answer_has_a_row_and_is_booked_and_one_person_decides_about_no_money() -> None:
    assert set(RULES) == set(Answer) == {*aid_answers.BOOKS, *giving_answers.BOOKS}
    assert not set(aid_answers.BOOKS) & set(giving_answers.BOOKS)
    alone = {name.value for name, rule in RULES.items() if rule.alone}
    assert alone == {"gift", "deposit", "conversion", "payout", "refund_order"}
    assert not {thing for name in alone for thing in RULES[Answer(name)].of} - {Thing.CREDIT, Thing.DEBIT}


@pytest.mark.parametrize(
    ("moved", "settles", "suffices"),
    [("-5.00", "5.00", True), ("5.00", "5.00", True), ("5.00", "5.01", False), ("5.01", "5.00", False)],
)
def test_one_signature_suffices_only_for_what_moved(moved: str, settles: str, *, suffices: bool) -> None:
    assert answers.suffices(Answer.PAYOUT, moved=eur(moved), settles=eur(settles)) is suffices
    assert not answers.suffices(Answer.PAYOUT, moved=eur(moved), settles=usd(settles))
    assert not answers.suffices(Answer.REFUND, moved=eur(moved), settles=eur(settles))


# --- one signature


@pytest.fixture
def converting(house: House) -> Conversion:
    """100.00 EUR are to become 300.00 BYN, and 297.00 BYN came in without a reference."""
    give_euros(house, "1000.00")
    give_freely(house, eur("300.00"))
    prepare_conversions(house)
    conversion = a_released_conversion(house)
    shown(house, byn(NEAR))
    return conversion


def balance(house: House, account: str, currency: str = "BYN") -> Money:
    return balances.balance(house.session, account, currency=currency)


def test_a_credit_near_a_conversion_is_a_gift_when_a_treasurer_says_so(house: House, converting: Conversion) -> None:
    opened = the_exception(house)
    assert (opened.difference, balance(house, LEAF)) == (Difference.AMOUNT_DIFFERS, byn("0.00"))

    said = answer(house, opened, Answer.GIFT)

    (gift,) = [one for one in donations.listed(house.session) if one.state is State.UNIDENTIFIED]
    assert (gift.amount(), opened.resolved_on, converting.arrived_key) == (byn(NEAR), TODAY, None)
    assert (said.alone, said.amount(), said.settles()) == (True, byn(NEAR), byn(NEAR))
    match(house, gift)
    shown(house, byn("300.00"))
    assert (converting.arrived(), balance(house, LEAF)) == (byn("300.00"), byn("597.00"))
    assert exceptions.listed(house.session) == []
    assert_it_holds(engine_of(house.session))


@on_one_database
def test_it_is_the_conversions_other_side_when_a_treasurer_says_so(house: House, converting: Conversion) -> None:
    answer(house, the_exception(house), Answer.CONVERSION, converting.alias)
    shown(house, eur("-100.00"), leaf=EUR_LEAF)

    assert (converting.state, converting.arrived()) == (ConversionState.DONE, byn(NEAR))
    assert exceptions.listed(house.session) == []
    assert_it_holds(engine_of(house.session))


@on_one_database
def test_an_answer_is_given_once_by_a_treasurer_who_says_all_of_it(house: House, converting: Conversion) -> None:
    opened = the_exception(house)
    with nothing_written(house.session), pytest.raises(NotInRole):
        answer(house, opened, Answer.GIFT, by=house.fund.boris)
    lies: tuple[dict[str, Any], ...] = (
        {"amount": "1.00"},
        {"detail": "deposit"},
        {"version": 2},
        {"payee_commitment": "0" * 64},
        {"object": draw(Kind.EXCEPTION)},
        {"verb": "request_resolution"},
    )
    for lie in lies:
        with nothing_written(house.session), pytest.raises(ActDiffers):
            answer(house, opened, Answer.GIFT, **lie)
    for bad in (
        {"answer": Answer.GIFT, "of": converting.alias},
        {"answer": Answer.CONVERSION},
        {"answer": Answer.GIFT, "because": TOLD},
        {"answer": Answer.GIFT, "happened_on": TODAY},
        {"answer": Answer.UNIDENTIFIED},
        {"answer": Answer.CARD_GIFT, "because": TOLD},
        {"answer": Answer.REFUND_ORDER, "of": "Y-0000-0000-0000"},
    ):
        refused(house, BadResolution, NewResolution(about=opened.alias, **bad))
    answer(house, opened, Answer.GIFT)

    with nothing_written(house.session), pytest.raises(UnknownException):
        answer(house, opened, Answer.GIFT)


@pytest.mark.usefixtures("converting")
def test_of_two_answers_at_once_one_is_booked(house: House) -> None:
    new = NewResolution(about=the_exception(house).alias, answer=Answer.GIFT)
    acts = [on_request(house, new) for _ in range(2)]
    house.session.rollback()

    told = race(house.session, *[partial(_say, new, agreed) for agreed in acts])

    assert sorted(type(one).__name__ for one in told) == ["Resolution", "UnknownException"]


def _say(new: NewResolution, agreed: Agreed, session: Session) -> Resolution:
    return resolutions.request(session, new, agreed)


@on_one_database
def test_a_debit_or_what_bears_a_reference_is_no_gift(house: House) -> None:
    shown(house, byn("-5.00"))
    refused(house, BadResolution, NewResolution(about=the_exception(house).alias, answer=Answer.GIFT))


# --- payouts


@pytest.fixture
def carded(house: House) -> House:
    """With leaves for what the processor pays out."""
    give_euros(house, "1000.00")
    for leaf, currency in ((CARD_LEAF, "EUR"), (TRANSIT, "EUR"), (cards.USD_CARD_LEAF, "USD"), (USD_TRANSIT, "USD")):
        accounts.add_leaf(house.session, leaf, name="A leaf", currency=currency)
    house.session.commit()
    return house


def came(house: House, amount: Money) -> OpenException:
    """A credit without a reference, on the day after the payout left, that waits."""
    shown(house, amount, leaf=EUR_LEAF, on=NEXT_DAY)
    return the_exception(house)


@pytest.mark.parametrize("rate", [None, "0.85"])
def test_a_payout_that_the_bank_makes_another_currency_is_two_peoples_word_for_the_banks_figure(
    carded: House, rate: str | None
) -> None:
    if rate:
        exchange.add(
            carded.session,
            "USD",
            on=NEXT_DAY,
            value=exchange.parse(rate),
            source="ecb",
            recorded_at=datetime(2020, 9, 20, tzinfo=UTC),
            recorded_by=carded.fund.clara.alias,
        )
    book(carded.session, a_charge(usd("100.00"), fee=usd("3.00")), a_payout(usd("97.00")))
    opened = came(carded, eur("82.00"))
    alone = NewResolution(about=opened.alias, answer=Answer.PAYOUT, of="po_Invented0001")
    refused(carded, NotThisPayout, alone)

    resolve(carded, opened.alias, Answer.PAYOUT, "po_Invented0001", usd("97.00"), TOLD)

    (payout,) = payouts.listed(carded.session)
    assert (payout.state, payout.arriving()) == (payouts.State.PAID, eur("82.00"))
    assert (balance(carded, EUR_LEAF, "EUR"), balance(carded, USD_TRANSIT, "USD")) == (eur("1082.00"), usd("0.00"))
    assert (balance(carded, "3900", "EUR"), balance(carded, "3900", "USD")) == (eur("-82.00"), usd("97.00"))
    assert (opened.resolved_on, found(carded.session)) == (TODAY, [])


@on_one_database
def test_the_banks_figure_holds_though_the_payout_was_told_to_arrive_as_another(carded: House) -> None:
    charge = a_charge(usd("100.00"), fee=usd("3.00"))
    book(carded.session, charge, cards.changed(a_payout(usd("97.00")), arriving=eur("82.00")))
    opened = came(carded, eur("82.10"))

    resolve(carded, opened.alias, Answer.PAYOUT, "po_Invented0001", usd("97.00"), TOLD)

    (payout,) = payouts.listed(carded.session)
    assert (payout.state, payout.arriving()) == (payouts.State.PAID, eur("82.10"))
    assert balance(carded, USD_TRANSIT, "USD") == usd("0.00")
    assert found(carded.session) == []


@on_one_database
def test_far_from_the_rate_or_from_what_was_told_a_credit_is_a_gift(carded: House) -> None:
    book(carded.session, cards.changed(a_payout(usd("97.00")), arriving=eur("82.00")))

    shown(carded, eur("87.00"), leaf=EUR_LEAF, on=NEXT_DAY)
    came(carded, eur("82.10"))

    assert [gift.minor for gift in donations.listed(carded.session) if gift.state is State.UNIDENTIFIED] == [87_00]


def test_of_two_payouts_of_one_amount_a_treasurer_says_which(carded: House) -> None:
    book(carded.session, a_payout(eur("50.00")), a_payout(eur("50.00"), nth=2))
    opened = came(carded, eur("50.00"))

    answer(carded, opened, Answer.PAYOUT, "po_Invented0002")

    assert [one.state for one in payouts.listed(carded.session)] == [payouts.State.CREATED, payouts.State.PAID]
    assert (balance(carded, TRANSIT, "EUR"), found(carded.session)) == (eur("50.00"), [])
    shown(carded, eur("50.00"), leaf=EUR_LEAF, on=NEXT_DAY)
    assert exceptions.listed(carded.session) == []


@on_one_database
@pytest.mark.parametrize(
    ("payout", "amount", "error"),
    [
        ("po_Other0001", "50.00", UnknownPayout),
        ("po_Invented0003", "50.00", NotThisPayout),  # another amount
        ("po_Invented0001", "-50.00", NotThisPayout),  # a debit
    ],
)
def test_a_line_is_no_payout_that_it_cannot_be(
    carded: House, payout: str, amount: str, error: type[LedgerError]
) -> None:
    book(
        carded.session,
        *(a_payout(eur(of), nth=nth) for nth, of in enumerate(("50.00", "50.00", "49.99"), start=1)),
    )
    opened = came(carded, eur(amount))

    refused(carded, error, NewResolution(about=opened.alias, answer=Answer.PAYOUT, of=payout))


@on_one_database
def test_a_payout_is_on_its_way_for_thirty_days_at_the_longest(carded: House) -> None:
    newer = [a_payout(eur("50.00"), nth=nth, on=DAY + timedelta(days=29)) for nth in (3, 4)]
    book(carded.session, a_payout(eur("50.00")), a_payout(eur("50.00"), nth=2, on=NEXT_DAY), *newer)
    shown(carded, eur("50.00"), leaf=EUR_LEAF, on=DAY + timedelta(days=31))
    opened = the_exception(carded)

    said = NewResolution(about=opened.alias, answer=Answer.PAYOUT, of="po_Invented0001")
    with nothing_written(carded.session), pytest.raises(NotThisPayout) as refusal:
        resolutions.request(carded.session, said, on_request(carded, said))
    assert refusal.value.data["where"] == "day"
    answer(carded, opened, Answer.PAYOUT, "po_Invented0002")

    assert [one.id for one in payouts.listed(carded.session) if one.paid_on] == ["po_Invented0002"]


@on_one_database
def test_a_credit_that_the_bank_calls_a_reversal_is_no_payout(carded: House) -> None:
    book(carded.session, *(a_payout(eur("50.00"), nth=nth) for nth in (1, 2)))
    shown(carded, eur("50.00"), leaf=EUR_LEAF, on=NEXT_DAY, reversal=True)

    refused(
        carded,
        NotThisPayout,
        NewResolution(about=the_exception(carded).alias, answer=Answer.PAYOUT, of="po_Invented0001"),
    )


@on_one_database
def test_a_line_settles_all_that_it_moved_of_a_conversion(house: House, converting: Conversion) -> None:
    opened = the_exception(house)

    for settles in ("296.99", "300.00"):
        new = saying(opened.alias, Answer.CONVERSION, converting.alias, byn(settles), TOLD)
        refused(house, LineDiffers, new)


# --- refunds that are owed


@pytest.fixture
def gift(carded: House) -> Donation:
    """100.00 EUR by card, of which 40.00 were given back in vain: they are owed."""
    charge = a_charge(eur("100.00"))
    refund = a_refund(charge, eur("40.00"))
    book(carded.session, charge, refund, a_refund_failure(refund))
    carded.session.commit()
    return carded.session.exec(select(Donation).where(Donation.charge == charge.charge)).one()


def paying(opened: OpenException, order: RefundOrder) -> NewResolution:
    return NewResolution(about=opened.alias, answer=Answer.REFUND_ORDER, of=order.alias)


def test_what_two_people_signed_and_the_bank_paid_is_owed_no_more(house: House, gift: Donation) -> None:
    order = agree(house, ask(house, gift, eur("40.00"), account=EUR_LEAF))

    answer(house, came(house, eur("-40.00")), Answer.REFUND_ORDER, order.alias)

    assert (order.state, exceptions.listed(house.session)) == (refund_orders.State.SUCCEEDED, [])
    assert (balance(house, "2050", "EUR"), balance(house, EUR_LEAF, "EUR")) == (eur("0.00"), eur("960.00"))
    assert (gift.refunded_minor, found(house.session)) == (40_00, [])
    with nothing_written(house.session), pytest.raises(NotRefundable):
        ask(house, gift, eur("0.01"), account=EUR_LEAF)


@on_one_database
def test_paid_in_another_currency_it_is_two_peoples_word(house: House, gift: Donation) -> None:
    order = agree(house, ask(house, gift, eur("40.00"), account=EUR_LEAF))
    shown(house, byn("-120.00"))
    opened = the_exception(house)
    refused(house, BadResolution, paying(opened, order))

    resolve(house, opened.alias, Answer.REFUND_ORDER, order.alias, eur("40.00"), TOLD)

    assert (balance(house, "2050", "EUR"), balance(house, LEAF), balance(house, "3900")) == (
        eur("0.00"),
        byn("-120.00"),
        byn("120.00"),
    )


def held(house: House, leaf: str = EUR_LEAF, currency: str = "EUR") -> Money:
    return holds.held_on_leaf(house.session, leaf, currency=currency)


def test_a_refund_by_bank_is_held_from_the_second_signature_until_it_is_paid_or_given_up(
    house: House, gift: Donation
) -> None:
    asked = ask(house, gift, eur("40.00"), account=EUR_LEAF)
    assert held(house) == eur("0.00")

    agree(house, asked)

    assert (held(house), found(house.session)) == (eur("40.00"), [])
    with nothing_written(house.session), pytest.raises(NothingLeft):  # the other way to send back the same
        ask_back(house, gift, eur("0.01"), leaf=EUR_LEAF)
    refund_orders.withdraw(house.session, asked.alias, on=NOW.date())
    assert held(house) == eur("0.00")
    ask_back(house, gift, eur("30.00"), leaf=EUR_LEAF)
    with nothing_written(house.session), pytest.raises(NotRefundable):
        ask(house, gift, eur("10.01"), account=EUR_LEAF)
    assert found(house.session) == []


@on_one_database
def test_what_the_leaf_does_not_have_is_not_agreed_to(house: House, gift: Donation) -> None:
    order = ask(house, gift, eur("40.00"), account=EUR_LEAF)
    left = eur("960.01")  # of 1,000.00
    holds.place(
        house.session,
        NewHold(source_key="other", reserves=Reserve.LEAF, amount=left, held_for=gift.alias, account=EUR_LEAF),
        on=NOW.date(),
    )

    with nothing_written(house.session), pytest.raises(WouldOverdraw):
        agree(house, order)


def test_on_a_leaf_of_another_currency_its_worth_is_held(house: House, gift: Donation) -> None:
    a_stray_gift(house, byn("200.00"))
    order = ask(house, gift, eur("40.00"), account=LEAF)
    with nothing_written(house.session), pytest.raises(exchange.NoRate):
        agree(house, order)
    quoted: dict[str, Any] = {"on": NOW.date(), "source": "nbrb", "recorded_at": NOW, "recorded_by": RECORDER}
    exchange.add(house.session, "BYN", value=exchange.parse("0.3"), **quoted)

    agree(house, order)

    assert held(house, LEAF, "BYN") == byn("133.34")
    shown(house, byn("-130.00"))
    resolve(house, the_exception(house).alias, Answer.REFUND_ORDER, order.alias, eur("40.00"), TOLD)
    assert (held(house, LEAF, "BYN"), found(house.session)) == (byn("0.00"), [])


@on_one_database
@pytest.mark.parametrize("account", ["1100:eur", "1000", "1000:nowhere"])
def test_what_is_no_leaf_of_the_bank_sends_nothing_back(house: House, gift: Donation, account: str) -> None:
    with nothing_written(house.session), pytest.raises(BadRefundOrder):
        ask(house, gift, eur("40.00"), account=account)


@on_one_database
def test_no_more_than_is_owed_is_ordered_by_bank_and_what_is_left_by_card(house: House, gift: Donation) -> None:
    ask(house, gift, eur("39.00"), account=EUR_LEAF)

    with nothing_written(house.session), pytest.raises(NotRefundable):
        ask(house, gift, eur("1.01"), account=EUR_LEAF)
    with nothing_written(house.session), pytest.raises(NotRefundable):
        ask(house, gift, eur("60.01"))
    assert ask(house, gift, eur("60.00")).by_bank is False


@on_one_database
def test_another_amount_one_signature_or_a_card_order_is_no_refund_by_bank(house: House, gift: Donation) -> None:
    opened = came(house, eur("-39.00"))
    asked = ask(house, gift, eur("39.00"), account=EUR_LEAF)
    refused(house, RefundOrderNotReady, paying(opened, asked))
    refused(house, RefundOrderNotReady, paying(opened, agree(house, ask(house, gift, eur("39.00")))))
    agreed = agree(house, asked)
    agreed.minor = 38_00
    with pytest.raises(NotAgreed):  # what stands there now was not signed
        answer(house, opened, Answer.REFUND_ORDER, agreed.alias)
    house.session.rollback()
    small = agree(house, ask(house, gift, eur("1.00"), account=EUR_LEAF))
    refused(house, BadRefundOrder, paying(opened, small))


@on_one_database
def test_an_order_by_bank_is_never_sent_to_the_processor(house: House, gift: Donation) -> None:
    order = agree(house, ask(house, gift, eur("40.00"), account=EUR_LEAF))

    with nothing_written(house.session), pytest.raises(RefundOrderNotReady):
        refund_orders.begin_sending(house.session, order.alias)


# --- gifts that are called back: two


@on_one_database
def test_a_gift_that_its_givers_bank_takes_back_is_none_any_more(house: House) -> None:
    stray, other = a_stray_gift(house, byn("70.00")), match(house, a_stray_gift(house, byn("80.00")))
    shown(house, byn("-70.00"), reversal=True)

    def taking(of: str, amount: str) -> NewResolution:
        return saying(the_exception(house).alias, Answer.TAKEN_BACK, of, byn(amount), TOLD)

    refused(house, UnknownDonation, taking(draw(Kind.DONATION), "70.00"))
    refused(house, LineDiffers, taking(stray.alias, "69.00"))
    resolve(house, the_exception(house).alias, Answer.TAKEN_BACK, stray.alias, byn("70.00"), TOLD)
    shown(house, byn("-30.00"), reversal=True)
    resolve(house, the_exception(house).alias, Answer.TAKEN_BACK, other.alias, byn("30.00"), TOLD)

    assert donations.require(house.session, stray.alias).state is State.SENT_BACK
    assert donations.require(house.session, other.alias).refunded_minor == 3_000
    told = tuple(balance(house, account) for account in ("2000", "4190", LEAF))
    assert told == (byn("0.00"), byn("30.00"), byn("50.00"))
    shown(house, byn("-50.01"), reversal=True)
    refused(house, NothingLeft, taking(other.alias, "50.01"))
    assert_it_holds(engine_of(house.session))


@on_one_database
def test_a_debit_that_is_no_reversal_takes_no_gift_back(house: House) -> None:
    stray = a_stray_gift(house, byn("70.00"))
    shown(house, byn("-70.00"))

    refused(house, LineDiffers, saying(the_exception(house).alias, Answer.TAKEN_BACK, stray.alias, byn("70.00"), TOLD))
