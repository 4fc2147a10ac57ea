"""What answers nothing by itself is booked as what two people say it is: conserved, once, and its exception closed."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest

from ledger import exceptions
from ledger.aid import acts, bail, disbursements, hearings, obligations, quashing, refunds, rulings
from ledger.aid.disbursements import Disbursement, DisbursementNotReady
from ledger.aid.obligations import Obligation
from ledger.aid.refunds import Debtor, NotWaiting, Refund
from ledger.approvals import ActDiffers, NotInRole, SamePerson
from ledger.books import balances
from ledger.errors import LedgerError
from ledger.exceptions import Difference, UnknownException
from ledger.giving import donations, purpose_versions, purposes
from ledger.limits import OverLimit
from ledger.money import Money
from ledger.people import Limit, Role
from ledger.reconciliation import resolutions, waits
from ledger.reconciliation.aid_answers import LeftTooEarly
from ledger.reconciliation.answers import Answer, Because
from ledger.reconciliation.resolutions import ResolutionReplaced, UnknownResolution
from ledger.reconciliation.waits import BadResolution
from tests.bookcheck import assert_it_holds, found
from tests.cast import (
    LEAF,
    NOW,
    SECOND_LEAF,
    TODAY,
    House,
    byn,
    engine_of,
    enrol,
    give,
    nothing_written,
    race,
    the_next,
)
from tests.courts import USD_LEAF, forfeit, open_dollars, posted_bail, usd
from tests.office import on_one_database
from tests.saying import agree, on_agreement, on_request, resolve, say, saying, show, shown
from tests.told import a_version

BOOKED = ("payments", "returned", "approved-assistance", "recoverable-from-others", "refunds-receivable", "quashed")


def standing(house: House, account: str, currency: str = "BYN") -> Money:
    return balances.balance(house.session, account, currency=currency)


def holds(house: House) -> None:
    house.session.expire_all()
    assert not [one for one in exceptions.listed(house.session) if one.difference in waits.OF_LINES]
    assert_it_holds(engine_of(house.session))


def refused(house: House, error: type[LedgerError], *said: Any) -> None:
    with nothing_written(house.session), pytest.raises(error):
        say(house, saying(*said))


@pytest.fixture
def paid(house: House) -> Disbursement:
    """A fine of 810.00, which the bank has paid; 1,190.00 are left."""
    give(house.session, byn("2000.00"))
    payment = house.a_released_payment()
    assert show(house, byn("-810.00"), payment.reference) == []
    house.session.refresh(payment)
    return payment


@pytest.fixture
def posted(house: House) -> Obligation:
    """Bail of 1,500.00 dollars that a court holds; 7,500.00 are left."""
    open_dollars(house)
    return posted_bail(house)


def announce(house: House, posted: Obligation, amount: str, fee: str = "0.00") -> bail.BailReturn:
    announced = bail.announce_return(house.session, posted.alias, amount=usd(amount), fee=usd(fee), by="OP-X", on=TODAY)
    house.session.commit()
    return announced


def quash(house: House, paid: Disbursement) -> Refund:
    case, ruling = house.case_of(paid), obligation_of(house, paid).ruling_alias
    house.open(case, by=house.fund.ana)
    agreed = house.on_case("quash_ruling", case, by=house.fund.ana, object=ruling)
    acts.quash_ruling(house.session, ruling, agreed)
    house.session.commit()
    (refund,) = refunds.of_obligation(house.session, paid.obligation_alias)
    return refund


def obligation_of(house: House, payment: Disbursement) -> Obligation:
    return obligations.require(house.session, payment.obligation_alias)


# --- what the bank returns


def test_a_payment_that_comes_back_less_a_fee_is_owed_whole_and_general_bears_the_fee(
    house: House, paid: Disbursement
) -> None:
    opened = shown(house, byn("805.00"), paid.reference)

    resolve(house, opened.alias, Answer.PAYMENT_RETURNED, paid.alias, byn("810.00"), Because.FEE_TAKEN)

    assert (paid.state, obligation_of(house, paid).state) == (
        disbursements.State.RETURNED,
        obligations.State.RECOGNISED,
    )
    assert [standing(house, code) for code in (LEAF, "2100", "6020")] == [byn("1995.00"), byn("-810.00"), byn("5.00")]
    assert balances.balance(house.session, "6020", currency="BYN", fund="general") == byn("5.00")
    assert found(house.session, by=BOOKED) == []


@on_one_database
def test_a_fund_whose_purposes_say_net_of_costs_bears_the_fee(house: House) -> None:
    assert purpose_versions.bearer_of_costs(house.session, "fines", on=TODAY) == "general"
    purposes.add(house.session, "NETFUND", fund="detention", text="Net of costs.", net_of_costs=True)

    assert purpose_versions.bearer_of_costs(house.session, "detention", on=TODAY) == "detention"
    a_version(house, net_of_costs=True)
    tomorrow = TODAY + timedelta(days=1)
    bearers = [purpose_versions.bearer_of_costs(house.session, "fines", on=on) for on in (TODAY, tomorrow)]
    assert bearers == ["general", "fines"]


TOMORROW = TODAY + timedelta(days=1)


def fees(house: House) -> dict[str, Money]:
    """By fund: the bank's fees that it bears, where there are any."""
    funds = ("fines", "detention", "general")
    borne = {fund: balances.balance(house.session, "6020", currency="BYN", fund=fund) for fund in funds}
    return {fund: fee for fund, fee in borne.items() if fee.minor}


def test_a_fee_on_what_comes_back_is_borne_by_the_fund_whose_purposes_say_so_on_the_lines_day(
    house: House, paid: Disbursement
) -> None:
    a_version(house, net_of_costs=True)  # from tomorrow on
    refund = quash(house, paid)
    tomorrow = shown(house, byn("493.00"), refund.reference, on=TOMORROW, at=NOW + timedelta(days=1))
    resolve(house, tomorrow.alias, Answer.REFUND, refund.reference, byn("500.00"), Because.FEE_TAKEN)
    borne = fees(house)

    today = shown(house, byn("305.00"), refund.reference)
    resolve(house, today.alias, Answer.REFUND, refund.reference, byn("310.00"), Because.FEE_TAKEN)

    assert borne == {"fines": byn("7.00")}
    assert fees(house) == borne | {"general": byn("5.00")}
    assert balances.balance(house.session, LEAF, currency="BYN", fund="fines") == byn("1993.00")
    holds(house)


def test_a_fee_on_a_returned_payment_is_borne_by_the_payments_fund_when_its_purposes_say_so(
    house: House, paid: Disbursement
) -> None:
    a_version(house, net_of_costs=True)
    opened = shown(house, byn("805.00"), paid.reference, on=TOMORROW, at=NOW + timedelta(days=1))

    resolve(house, opened.alias, Answer.PAYMENT_RETURNED, paid.alias, byn("810.00"), Because.FEE_TAKEN)

    assert fees(house) == {"fines": byn("5.00")}
    assert balances.balance(house.session, LEAF, currency="BYN", fund="fines") == byn("1995.00")
    assert found(house.session, by=BOOKED) == []


def test_what_comes_back_in_part_is_no_payment_and_who_has_the_rest_owes_it(house: House, paid: Disbursement) -> None:
    opened = shown(house, byn("500.00"), paid.reference)

    resolve(house, opened.alias, Answer.PAYMENT_RETURNED, paid.alias, byn("500.00"))

    assert [standing(house, code) for code in (LEAF, "2100", "1380")] == [byn("1690.00"), byn("-810.00"), byn("310.00")]
    (rest,) = [one for one, _ in refunds.listed(house.session)]
    assert (rest.debtor, rest.amount(), rest.fund_code) == (Debtor.PAYEE, byn("310.00"), "fines")

    assert show(house, byn("310.00"), rest.reference) == []

    assert [standing(house, code) for code in (LEAF, "1380")] == [byn("2000.00"), byn("0.00")]
    holds(house)


@on_one_database
def test_what_is_given_back_twice_is_unidentified(house: House, paid: Disbursement) -> None:
    show(house, byn("810.00"), paid.reference)
    opened = shown(house, byn("810.00"), paid.reference, on=TODAY - timedelta(days=1))
    refused(house, disbursements.DisbursementNotReady, opened.alias, Answer.PAYMENT_RETURNED, paid.alias, byn("810.00"))

    resolve(house, opened.alias, Answer.UNIDENTIFIED, None, byn("810.00"), Because.IN_ERROR)

    assert standing(house, "2000") == byn("-810.00")
    holds(house)


@on_one_database
def test_what_comes_back_to_another_leaf_or_with_more_is_booked_there(house: House, paid: Disbursement) -> None:
    opened = shown(house, byn("812.00"), paid.reference, leaf=SECOND_LEAF)
    refused(house, BadResolution, opened.alias, Answer.PAYMENT_RETURNED, paid.alias, byn("500.00"))

    resolve(house, opened.alias, Answer.PAYMENT_RETURNED, paid.alias, byn("810.00"))

    assert [standing(house, code) for code in (SECOND_LEAF, "2000")] == [byn("812.00"), byn("-2.00")]
    (beyond,) = [one for one in donations.listed(house.session) if one.state is donations.State.UNIDENTIFIED]
    assert beyond.amount() == byn("2.00")
    holds(house)


def test_what_the_bank_returns_after_a_quash_settles_what_is_owed_back(house: House, paid: Disbursement) -> None:
    refund = quash(house, paid)
    opened = shown(house, byn("810.00"), paid.reference)
    refused(house, disbursements.DisbursementNotReady, opened.alias, Answer.PAYMENT_RETURNED, paid.alias, byn("810.00"))

    resolve(house, opened.alias, Answer.REFUND, refund.reference, byn("810.00"))

    assert obligation_of(house, paid).state is obligations.State.REFUNDED
    assert [standing(house, code) for code in (LEAF, "1350", "2100")] == [byn("2000.00"), byn("0.00"), byn("0.00")]
    holds(house)


def test_a_payment_of_which_a_part_was_refunded_before_does_not_come_back_by_itself(
    house: House, paid: Disbursement
) -> None:
    ruling = rulings.require(house.session, obligation_of(house, paid).ruling_alias)
    quashing.reduce(house.session, ruling, byn("510.00"), by=house.fund.ana.alias, on=TODAY, recorded_at=NOW)
    (refund,) = refunds.of_obligation(house.session, paid.obligation_alias)
    assert show(house, byn("300.00"), refund.reference) == []

    opened = shown(house, byn("810.00"), paid.reference)

    assert opened.difference is Difference.PAYMENT_RETURNED
    assert (paid.state, obligation_of(house, paid).state) == (disbursements.State.PAID, obligations.State.PAID)
    refused(
        house, DisbursementNotReady, opened.alias, Answer.PAYMENT_RETURNED, paid.alias, byn("810.00"), Because.SENT_BACK
    )
    resolve(house, opened.alias, Answer.UNIDENTIFIED, None, byn("810.00"), Because.SENT_BACK)
    assert found(house.session, by=BOOKED) == []


def test_bail_that_never_came_to_its_court_is_due_again(house: House, posted: Obligation) -> None:
    (payment,) = disbursements.standing(house.session, [posted.alias])
    hearings.note_hearing(house.session, posted.alias, on=TODAY, by="OP-X")
    opened = shown(house, usd("1490.00"), payment.reference, leaf=USD_LEAF)

    resolve(house, opened.alias, Answer.PAYMENT_RETURNED, payment.alias, usd("1500.00"), Because.FEE_TAKEN)

    assert (posted.state, posted.fund_code) == (obligations.State.DUE, None)
    assert [standing(house, code, "USD") for code in (USD_LEAF, "1300", "6020")] == [
        usd("8990.00"),
        usd("0.00"),
        usd("10.00"),
    ]
    holds(house)


@on_one_database
def test_bail_that_a_court_has_had_is_no_returned_payment(house: House, posted: Obligation) -> None:
    (payment,) = disbursements.standing(house.session, [posted.alias])
    forfeit(house, posted, usd("100.00"))
    opened = shown(house, usd("1400.00"), payment.reference, leaf=USD_LEAF)

    refused(house, BadResolution, opened.alias, Answer.PAYMENT_RETURNED, payment.alias, usd("1500.00"))

    resolve(house, opened.alias, Answer.BAIL_RETURNED, posted.alias, usd("1400.00"), Because.DECIDED_SO)
    assert standing(house, "1300", "USD") == usd("0.00")
    holds(house)


@on_one_database
def test_bail_that_a_court_has_announced_to_give_back_is_no_returned_payment(house: House, posted: Obligation) -> None:
    (payment,) = disbursements.standing(house.session, [posted.alias])
    announce(house, posted, "1500.00")
    opened = shown(house, usd("1500.00"), payment.reference, leaf=USD_LEAF)

    refused(house, BadResolution, opened.alias, Answer.PAYMENT_RETURNED, payment.alias, usd("1500.00"))


# --- bail


@on_one_database
def test_an_announced_return_is_withdrawn_and_its_bail_may_be_kept(house: House, posted: Obligation) -> None:
    announced = announce(house, posted, "1500.00", "45.00")

    bail.withdraw_return(house.session, announced, by=house.fund.clara.alias, on=TODAY)

    assert bail.announced_of(house.session, posted) == usd("0.00")
    assert bail.waiting_returns(house.session, posted.alias) == []
    with nothing_written(house.session), pytest.raises(bail.NotPosted):
        bail.withdraw_return(house.session, announced, by=house.fund.clara.alias, on=TODAY)
    forfeit(house, posted, usd("1500.00"))
    opened = shown(house, usd("1455.00"), announced.reference, leaf=USD_LEAF)
    assert opened.difference is Difference.NOT_RELEASED


@on_one_database
def test_what_comes_under_a_return_that_was_withdrawn_is_a_return_of_its_own(house: House, posted: Obligation) -> None:
    announced = announce(house, posted, "1500.00")
    bail.withdraw_return(house.session, announced, by=house.fund.clara.alias, on=TODAY)
    opened = shown(house, usd("1500.00"), announced.reference, leaf=USD_LEAF)

    resolve(house, opened.alias, Answer.BAIL_RETURNED, posted.alias, usd("1500.00"), Because.DECIDED_SO)

    assert announced.received_on is None
    assert standing(house, "1300", "USD") == usd("0.00")


@on_one_database
@pytest.mark.parametrize(
    ("came", "settles", "kept"),
    [
        ("1400.00", "1500.00", ["100.00", "0.00"]),
        ("1400.00", "1400.00", ["0.00", "100.00"]),
        ("900.00", "1000.00", ["100.00", "500.00"]),
    ],
)
def test_a_court_that_sends_another_sum_has_kept_a_fee_or_still_holds_the_rest(
    house: House, posted: Obligation, came: str, settles: str, kept: list[str]
) -> None:
    announced = announce(house, posted, "1500.00", "45.00")
    opened = shown(house, usd(came), announced.reference, leaf=USD_LEAF)
    assert opened.difference is Difference.AMOUNT_DIFFERS

    resolve(house, opened.alias, Answer.BAIL_RETURNED, posted.alias, usd(settles), Because.DECIDED_SO)

    assert (announced.withdrawn_on, announced.received_on) == (TODAY, None)
    assert [standing(house, code, "USD") for code in ("5400", "1300")] == [usd(one) for one in kept]
    holds(house)


@on_one_database
def test_what_a_court_kept_beside_a_part_is_forfeited_as_always(house: House, posted: Obligation) -> None:
    announced = announce(house, posted, "1500.00")
    opened = shown(house, usd("1400.00"), announced.reference, leaf=USD_LEAF)
    resolve(house, opened.alias, Answer.BAIL_RETURNED, posted.alias, usd("1400.00"), Because.DECIDED_SO)

    forfeit(house, posted, usd("100.00"))

    assert [standing(house, code, "USD") for code in ("5300", "1300")] == [usd("100.00"), usd("0.00")]
    holds(house)


@on_one_database
def test_more_than_a_court_held_is_unidentified_beyond_it(house: House, posted: Obligation) -> None:
    announced = announce(house, posted, "1500.00")
    opened = shown(house, usd("1501.00"), announced.reference, leaf=USD_LEAF)
    refused(house, bail.OverBail, opened.alias, Answer.BAIL_RETURNED, posted.alias, usd("1501.00"))
    refused(house, BadResolution, opened.alias, Answer.BAIL_RETURNED, posted.alias, usd("1400.00"))

    resolve(house, opened.alias, Answer.BAIL_RETURNED, posted.alias, usd("1500.00"))

    assert [standing(house, code, "USD") for code in ("1300", "2000")] == [usd("0.00"), usd("-1.00")]
    holds(house)


# --- money that left before its release


def test_two_people_accept_what_left_before_its_release_and_it_is_counted(house: House) -> None:
    give(house.session, byn("2000.00"))
    payment = house.a_released_payment()
    opened = shown(house, byn("-810.00"), payment.reference, on=TODAY - timedelta(days=3))
    assert opened.difference is Difference.NOT_RELEASED

    resolve(house, opened.alias, Answer.PAYMENT, payment.alias, byn("810.00"), Because.SENT_BY_HAND)

    assert (payment.state, payment.paid_on) == (disbursements.State.PAID, TODAY - timedelta(days=3))
    assert resolutions.count_accepted_early(house.session, until=TODAY) == 1
    assert resolutions.count_accepted_early(house.session, until=TODAY - timedelta(days=1)) == 0
    holds(house)


@on_one_database
def test_nobody_accepts_what_left_before_its_ruling_was_in_force_or_is_not_released(house: House) -> None:
    give(house.session, byn("2000.00"))
    payment = house.an_approved_payment()
    early = shown(house, byn("-810.00"), payment.reference, on=date(2020, 10, 7))

    refused(house, LeftTooEarly, early.alias, Answer.PAYMENT, payment.alias, byn("810.00"))
    (late,) = [one for one in show(house, byn("-810.00"), payment.reference) if one is not early]
    refused(house, disbursements.DisbursementNotReady, late.alias, Answer.PAYMENT, payment.alias, byn("810.00"))


def test_what_left_before_its_release_may_be_expected_back_and_the_payment_still_waits(house: House) -> None:
    give(house.session, byn("2000.00"))
    payment = house.a_released_payment()
    opened = shown(house, byn("-810.00"), payment.reference, on=TODAY - timedelta(days=3))

    resolve(house, opened.alias, Answer.EXPECTED_BACK, payment.alias, byn("810.00"), Because.SENT_BY_HAND)

    assert (payment.state, standing(house, "1380")) == (disbursements.State.RELEASED, byn("810.00"))
    assert show(house, byn("-810.00"), payment.reference) == []
    assert resolutions.count_accepted_early(house.session, until=TODAY) == 0
    (waiting,) = [one for one, _ in refunds.listed(house.session)]
    back = shown(house, byn("800.00"), payment.reference)
    resolve(house, back.alias, Answer.REFUND, waiting.reference, byn("810.00"), Because.FEE_TAKEN)

    assert [standing(house, code) for code in ("1380", LEAF)] == [byn("0.00"), byn("1180.00")]
    assert obligation_of(house, payment).state is obligations.State.PAID
    holds(house)


# --- refunds


def test_a_refund_comes_in_parts_and_is_refunded_with_the_last(house: House, paid: Disbursement) -> None:
    refund = quash(house, paid)
    first = shown(house, byn("300.00"), refund.reference)
    resolve(house, first.alias, Answer.REFUND, refund.reference, byn("300.00"))
    between = (obligation_of(house, paid).state, refund.amount(), standing(house, "1350"))

    assert show(house, byn("510.00"), refund.reference) == []

    assert between == (obligations.State.REFUND_DUE, byn("510.00"), byn("510.00"))
    assert (obligation_of(house, paid).state, standing(house, "1350")) == (obligations.State.REFUNDED, byn("0.00"))
    holds(house)


@on_one_database
def test_a_refund_of_more_than_was_expected_is_unidentified_beyond_it(house: House, paid: Disbursement) -> None:
    refund = quash(house, paid)
    opened = shown(house, byn("900.00"), refund.reference)
    refused(house, refunds.OverRefund, opened.alias, Answer.REFUND, refund.reference, byn("900.00"))

    resolve(house, opened.alias, Answer.REFUND, refund.reference, byn("810.00"))

    assert [standing(house, code) for code in ("1350", "2000")] == [byn("0.00"), byn("-90.00")]
    holds(house)


def test_what_the_authority_paid_to_the_beneficiary_is_owed_by_them_until_it_comes(
    house: House, paid: Disbursement
) -> None:
    refund = quash(house, paid)

    resolve(
        house, paid.obligation_alias, Answer.KEPT_BY_BENEFICIARY, refund.reference, byn("810.00"), Because.DECIDED_SO
    )

    assert [standing(house, code) for code in ("1350", "1380")] == [byn("0.00"), byn("810.00")]
    assert obligation_of(house, paid).state is obligations.State.REFUND_DUE
    assert found(house.session, by=BOOKED) == []
    assert show(house, byn("810.00"), refund.reference) == []
    assert obligation_of(house, paid).state is obligations.State.REFUNDED
    holds(house)


@pytest.mark.parametrize("debtor", [Debtor.BENEFICIARY, Debtor.ORGANISATION, Debtor.PAYEE])
def test_only_what_an_authority_owes_is_kept_by_the_beneficiary(
    house: House, paid: Disbursement, debtor: Debtor
) -> None:
    told: dict[str, Any] = {"source_key": "test:owed", "recorded_at": NOW, "recorded_by": "test"}
    obligation, owed = obligation_of(house, paid), byn("810.00")
    if debtor is Debtor.PAYEE:
        refund = refunds.expect_from_payee(house.session, obligation, owed, fund="fines", on=TODAY)
    else:
        first = Debtor.ORGANISATION if debtor is Debtor.ORGANISATION else Debtor.AUTHORITY
        refund = refunds.expect(house.session, obligation, owed, debtor=first, on=TODAY, **told)
    if debtor is Debtor.BENEFICIARY:
        refunds.keep_by_beneficiary(house.session, refund, owed, on=TODAY, **(told | {"source_key": "test:kept"}))

    assert refund.debtor is debtor
    refused(house, NotWaiting, obligation.alias, Answer.KEPT_BY_BENEFICIARY, refund.reference, owed)


def test_what_a_beneficiary_keeps_may_be_left_to_them_as_assistance(house: House, paid: Disbursement) -> None:
    refund = quash(house, paid)
    resolve(
        house, paid.obligation_alias, Answer.KEPT_BY_BENEFICIARY, refund.reference, byn("300.00"), Because.DECIDED_SO
    )
    (kept,) = [
        one for one in refunds.of_obligation(house.session, paid.obligation_alias) if one.debtor is Debtor.BENEFICIARY
    ]

    resolve(house, paid.obligation_alias, Answer.GIVEN_UP, kept.reference, byn("300.00"), Because.DECIDED_SO)

    assert [standing(house, code) for code in ("1350", "1380", "5000")] == [byn("510.00"), byn("0.00"), byn("1110.00")]
    show(house, byn("510.00"), refund.reference)
    assert obligation_of(house, paid).state is obligations.State.REFUNDED
    holds(house)


def test_what_an_authority_never_pays_is_a_loss_within_the_limits_of_who_agrees(
    house: House, paid: Disbursement
) -> None:
    refund = quash(house, paid)
    limited = (Limit(role=Role.APPROVER, currency="BYN", per_act="900.00", third_above="100.00"),)
    enrol(
        house.session,
        the_next(house.fund.roster(), format="solidarity-roster-3", limits=limited),
        house.fund.olga,
        house.fund.oleg,
    )
    said = say(
        house, saying(paid.obligation_alias, Answer.GIVEN_UP, refund.reference, byn("810.00"), Because.UNCOLLECTABLE)
    )

    agree(house, said)
    assert (resolutions.agreement_of(house.session, said), standing(house, "1350")) == (None, byn("810.00"))
    with nothing_written(house.session), pytest.raises(SamePerson):
        resolutions.agree(house.session, said.about, on_agreement(house, said))
    agree(house, said, by=house.fund.bella)
    assert [standing(house, code) for code in ("1350", "6200")] == [byn("0.00"), byn("810.00")]
    assert obligation_of(house, paid).state is obligations.State.REFUNDED
    holds(house)


@on_one_database
def test_facts_are_booked_whatever_the_limits_of_who_agrees(house: House, paid: Disbursement) -> None:
    limited = (Limit(role=Role.APPROVER, currency="BYN", per_act="1.00", third_above="1.00"),)
    following = the_next(house.fund.roster(), format="solidarity-roster-3", limits=limited)
    enrol(house.session, following, house.fund.olga, house.fund.oleg)
    opened = shown(house, byn("805.00"), paid.reference)

    resolve(house, opened.alias, Answer.PAYMENT_RETURNED, paid.alias, byn("810.00"), Because.FEE_TAKEN)

    assert paid.state is disbursements.State.RETURNED


def test_a_part_is_given_up_once_though_two_agree_at_once(house: House, paid: Disbursement) -> None:
    refund = quash(house, paid)
    said = say(
        house, saying(paid.obligation_alias, Answer.GIVEN_UP, refund.reference, byn("300.00"), Because.UNCOLLECTABLE)
    )
    agreements = [on_agreement(house, said, by=by) for by in (house.fund.boris, house.fund.bella)]

    answers = race(house.session, *[partial(_agree_in, said.about, agreed) for agreed in agreements])

    assert sorted(isinstance(one, LedgerError) for one in answers) == [False, True]
    assert standing(house, "1350") == byn("510.00")
    holds(house)


@on_one_database
def test_a_loss_above_the_limit_is_refused(house: House, paid: Disbursement) -> None:
    refund = quash(house, paid)
    limited = (Limit(role=Role.APPROVER, currency="BYN", per_act="809.99"),)
    following = the_next(house.fund.roster(), format="solidarity-roster-3", limits=limited)
    enrol(house.session, following, house.fund.olga, house.fund.oleg)
    said = say(
        house, saying(paid.obligation_alias, Answer.GIVEN_UP, refund.reference, byn("810.00"), Because.UNCOLLECTABLE)
    )

    with nothing_written(house.session), pytest.raises(OverLimit):
        resolutions.agree(house.session, said.about, on_agreement(house, said))


# --- who says it, and what they sign


@on_one_database
def test_only_another_approver_agrees_to_what_a_treasurer_said(house: House, paid: Disbursement) -> None:
    opened = shown(house, byn("805.00"), paid.reference)
    new = saying(opened.alias, Answer.PAYMENT_RETURNED, paid.alias, byn("810.00"))
    asking: Callable[..., Any] = partial(resolutions.request, house.session, new)
    with nothing_written(house.session), pytest.raises(NotInRole):
        asking(on_request(house, new, by=house.fund.boris))
    for lie in ({"amount": "810.00"}, {"payee_commitment": "0" * 64}, {"version": 2}):
        with nothing_written(house.session), pytest.raises(ActDiffers):
            asking(on_request(house, new, **lie))
    said = say(house, new)

    with nothing_written(house.session), pytest.raises(SamePerson):
        resolutions.agree(house.session, said.about, on_agreement(house, said, by=house.fund.clara))
    with nothing_written(house.session), pytest.raises(NotInRole):
        resolutions.agree(house.session, said.about, on_agreement(house, said, by=house.fund.ana))
    with nothing_written(house.session), pytest.raises(ActDiffers):
        resolutions.agree(house.session, said.about, on_agreement(house, said, payee_commitment="0" * 64))


@on_one_database
def test_what_was_said_before_is_replaced_and_nothing_is_agreed_to_twice(house: House, paid: Disbursement) -> None:
    opened = shown(house, byn("805.00"), paid.reference)
    first = say(house, saying(opened.alias, Answer.PAYMENT_RETURNED, paid.alias, byn("805.00")))
    second = say(house, saying(opened.alias, Answer.PAYMENT_RETURNED, paid.alias, byn("810.00")))

    with nothing_written(house.session), pytest.raises(ResolutionReplaced):
        resolutions.agree(house.session, first.about, on_agreement(house, first))
    agree(house, second)
    with nothing_written(house.session), pytest.raises(UnknownResolution):
        resolutions.agree(house.session, second.about, on_agreement(house, second))
    refused(house, UnknownException, opened.alias, Answer.UNIDENTIFIED, None, byn("805.00"))


def test_two_who_agree_at_once_book_it_once(house: House, paid: Disbursement) -> None:
    opened = shown(house, byn("805.00"), paid.reference)
    said = say(house, saying(opened.alias, Answer.PAYMENT_RETURNED, paid.alias, byn("810.00")))
    agreements = [on_agreement(house, said, by=by) for by in (house.fund.boris, house.fund.bella)]

    answers = race(house.session, *[partial(_agree_in, said.about, agreed) for agreed in agreements])

    assert sorted(isinstance(one, LedgerError) for one in answers) == [False, True]
    holds(house)


def _agree_in(about: str, agreed: Any, session: Any) -> object:
    return resolutions.agree(session, about, agreed)


@on_one_database
def test_what_does_not_fit_the_line_is_refused(house: House, paid: Disbursement) -> None:
    other = house.a_released_payment()
    refund = quash(house, paid)
    opened = shown(house, byn("805.00"), paid.reference)

    for error, answer, of, settles in (
        (BadResolution, Answer.PAYMENT, paid.alias, byn("805.00")),
        (BadResolution, Answer.PAYMENT_RETURNED, other.alias, byn("810.00")),
        (disbursements.DisbursementNotReady, Answer.PAYMENT_RETURNED, paid.alias, usd("805.00")),
        (BadResolution, Answer.REFUND, refund.reference, byn("0.00")),
        (BadResolution, Answer.UNIDENTIFIED, None, byn("800.00")),
        (BadResolution, Answer.GIVEN_UP, refund.reference, byn("805.00")),
        (refunds.UnknownRefund, Answer.REFUND, paid.obligation_alias, byn("805.00")),
        (refunds.OverRefund, Answer.REFUND, refund.reference, byn("810.01")),
    ):
        refused(house, error, opened.alias, answer, of, settles)
    refused(house, BadResolution, other.obligation_alias, Answer.GIVEN_UP, refund.reference, byn("1.00"))
