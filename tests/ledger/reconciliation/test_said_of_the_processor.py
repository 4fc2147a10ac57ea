"""What moved at the processor, and what became of a dispute: a treasurer says it, an approver agrees, it is booked."""

from functools import partial
from typing import Any

import pytest

from ledger import exceptions
from ledger.approvals import ActDiffers, NotInRole, SamePerson
from ledger.books import balances
from ledger.exceptions import Difference, OpenException, UnknownException
from ledger.giving import disputes, donations
from ledger.giving.disputes import Dispute, DisputeIsDecided, UnknownDispute
from ledger.giving.explanations import CannotBe, UnknownGift
from ledger.money import Money
from ledger.reconciliation import answers, resolutions
from ledger.reconciliation.answers import Answer, Because
from ledger.reconciliation.resolutions import NewResolution, Resolution, ResolutionReplaced, UnknownResolution
from ledger.reconciliation.waits import BadResolution
from tests import cards
from tests.bookcheck import found
from tests.cards import DAY, a_dispute, a_move, a_refund, usd
from tests.cast import TODAY, House, eur, nothing_written, race
from tests.office import on_one_database
from tests.saying import agree, on_agreement, on_request, say
from tests.tills import GIFT, open_till, receive, waits

STRANGE = a_move("other_adjustment", eur("-7.00"))
TOLD = Because.TOLD_BY_PROCESSOR


@pytest.fixture
def till(house: House) -> House:
    return open_till(house)


def saying(about: str, answer: Answer = Answer.COST, *, because: Because | None = TOLD, **other: Any) -> NewResolution:
    return NewResolution(about=about, answer=answer, because=because, **other)


def refused(house: House, error: type[Exception], new: NewResolution, **other: Any) -> None:
    with nothing_written(house.session), pytest.raises(error):
        resolutions.request(house.session, new, on_request(house, new, **other))


def balance(house: House, account: str, currency: str = "EUR") -> Money:
    return balances.balance(house.session, account, currency=currency)


@pytest.mark.parametrize(
    ("answer", "account"),
    [
        (Answer.COST, "6000"),
        (Answer.LOSS, "6200"),
        (Answer.RESERVE, "1110"),
        (Answer.TRANSFER, cards.TRANSIT),
        (Answer.CARD_REFUND, "4190"),
    ],
)
@on_one_database
def test_what_a_movement_was_is_booked_when_two_have_signed(till: House, answer: Answer, account: str) -> None:
    about, before = waits(till, STRANGE), balance(till, account)
    (gift,) = donations.listed(till.session)
    of = gift.alias if answer is Answer.CARD_REFUND else None

    said = say(till, saying(about, answer, of=of))
    assert (balance(till, account), said.alone, said.amount()) == (before, False, eur("-7.00"))
    agree(till, said)

    assert balance(till, account) == before + eur("7.00")
    assert (till.session.get_one(OpenException, about).resolved_on, found(till.session)) == (TODAY, [])


@on_one_database
def test_a_refund_in_another_currency_is_counted_in_the_gifts(till: House) -> None:
    about = waits(till, a_refund(GIFT, usd("60.00")))
    (gift,) = donations.listed(till.session)

    agree(till, say(till, saying(about, Answer.CARD_REFUND, of=gift.alias, settles=eur("50.00"))))

    assert (gift.refunded_minor, balance(till, "4190"), balance(till, "3900")) == (50_00, eur("50.00"), eur("-50.00"))
    assert not [one for one in exceptions.listed(till.session) if one.difference is Difference.MOVEMENT_WAITS]
    assert found(till.session) == []


@on_one_database
def test_what_it_cannot_be_is_refused_when_it_is_said(till: House) -> None:
    about = waits(till, STRANGE)
    other = "G-7K3M-22QX-9XNN"

    for error, new in (
        (CannotBe, saying(about, Answer.CARD_GIFT)),
        (CannotBe, saying(about, Answer.OTHER_INCOME)),
        (UnknownGift, saying(about, Answer.CARD_REFUND, of=other)),
        (BadResolution, saying(about, Answer.CARD_REFUND)),
        (BadResolution, saying(about, of=other)),
        (BadResolution, saying(about, settles=eur("6.99"))),
        (BadResolution, saying(about, settles=usd("7.00"))),
        (BadResolution, saying(about, because=None)),
        (BadResolution, saying(about, happened_on=TODAY)),
        (BadResolution, saying(about, Answer.GIFT, because=None)),
        (BadResolution, saying(about, Answer.LOST)),
        (UnknownException, saying("X-0000-0000-0000")),
    ):
        refused(till, error, new)


@on_one_database
def test_nobody_says_and_agrees_nor_without_their_role_nor_to_something_else(till: House) -> None:
    about, fund = waits(till, STRANGE), till.fund
    refused(till, NotInRole, saying(about), by=fund.boris)
    for lie in ({"amount": "7.01"}, {"amount": "-7.00"}, {"payee_commitment": "0" * 64}, {"detail": "loss"}):
        refused(till, ActDiffers, saying(about), **lie)
    first, second = say(till, saying(about)), say(till, saying(about, Answer.LOSS))

    for error, agreed in (
        (ResolutionReplaced, on_agreement(till, first)),
        (SamePerson, on_agreement(till, second, by=fund.clara)),
        (NotInRole, on_agreement(till, second, by=fund.ana)),
        (ActDiffers, on_agreement(till, second, payee_commitment="0" * 64)),
        (ActDiffers, on_agreement(till, second, detail="cost")),
    ):
        with nothing_written(till.session), pytest.raises(error):
            resolutions.agree(till.session, about, agreed)
    agree(till, second)
    with nothing_written(till.session), pytest.raises(UnknownResolution):
        resolutions.agree(till.session, about, on_agreement(till, second))
    refused(till, UnknownException, saying(about))


def test_two_who_agree_at_once_book_it_once(till: House) -> None:
    said = say(till, saying(waits(till, STRANGE), Answer.LOSS))
    acts = [on_agreement(till, said, by=by) for by in (till.fund.boris, till.fund.bella)]
    about = said.about
    till.session.commit()

    told = race(till.session, *[partial(_agree_in, about, agreed) for agreed in acts])

    assert sorted(isinstance(one, Resolution) for one in told) == [False, True]
    assert (balance(till, "6200"), found(till.session)) == (eur("7.00"), [])


def _agree_in(about: str, agreed: Any, session: Any) -> Resolution:
    return resolutions.agree(session, about, agreed)


# --- disputes


@pytest.fixture
def dispute(till: House) -> Dispute:
    receive(till, a_dispute(GIFT, eur("100.00")))
    (found_one,) = disputes.listed(till.session)
    return found_one


def test_a_dispute_is_lost_on_the_day_that_two_have_signed(till: House, dispute: Dispute) -> None:
    said = say(till, saying(dispute.alias, Answer.LOST, happened_on=DAY))
    assert (dispute.state, balance(till, "4195")) == (disputes.State.OPEN, eur("0.00"))
    agree(till, said)

    assert (dispute.state, balance(till, "4195"), balance(till, "1150")) == (
        disputes.State.LOST,
        eur("100.00"),
        eur("0.00"),
    )
    assert found(till.session) == []
    refused(till, DisputeIsDecided, saying(dispute.alias, Answer.LOST, happened_on=DAY))


@on_one_database
def test_a_dispute_is_lost_whole_on_a_day_and_nothing_else(till: House, dispute: Dispute) -> None:
    for error, new in (
        (BadResolution, saying(dispute.alias, Answer.LOST)),
        (BadResolution, saying(dispute.alias, Answer.LOSS, happened_on=DAY)),
        (BadResolution, saying(dispute.alias, Answer.LOST, happened_on=DAY, settles=eur("99.00"))),
        (UnknownDispute, saying("Q-0000-0000-0000", Answer.LOST, happened_on=DAY)),
    ):
        refused(till, error, new)
    said = say(till, saying(dispute.alias, Answer.LOST, happened_on=DAY))
    another_day = answers.commitment(
        answer=said.answer, of=None, settles=said.settles(), because=said.because, happened_on=TODAY
    )
    with nothing_written(till.session), pytest.raises(ActDiffers):
        resolutions.agree(till.session, said.about, on_agreement(till, said, payee_commitment=another_day))
    with nothing_written(till.session), pytest.raises(SamePerson):
        resolutions.agree(till.session, said.about, on_agreement(till, said, by=till.fund.clara))
