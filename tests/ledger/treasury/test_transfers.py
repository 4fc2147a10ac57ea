from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from ledger.aliases import AliasTaken, BadAlias, Kind, draw
from ledger.approvals import ActDiffers, Agreed, NonceUsed, NotAgreed, NotInRole, SamePerson
from ledger.books import balances, funds, holds, recipes
from ledger.books.accounts import NotPostable, UnknownAccount
from ledger.books.funds import UnknownFund
from ledger.books.holds import NewHold, Reserve
from ledger.books.spending import WouldOverdraw
from ledger.errors import LedgerError
from ledger.giving import donations
from ledger.identities.shelves import NotOpened
from ledger.money import Money
from ledger.people import Role
from ledger.treasury import transfers
from ledger.treasury.transfers import BadTransfer, NoConsent, State, Transfer, TransferNotReady, UnknownTransfer
from tests.bookcheck import assert_it_holds, found
from tests.bookkeeping import post
from tests.cast import LEAF, TODAY, House, Person, engine_of, eur, nothing_written, race
from tests.coffers import (
    a_booked_transfer,
    a_new_transfer,
    a_requested_transfer,
    give_freely,
    joins,
    on_new_transfer,
    on_transfer,
    read_consent,
    the_gift,
)
from tests.purses import EUR_LEAF, give_euros


@pytest.fixture
def funded(house: House) -> House:
    """1,000.00 EUR given for fines, and 300.00 without a purpose."""
    give_euros(house, "1000.00")
    give_freely(house, eur("300.00"))
    return house


def share(house: House, fund: str, account: str = EUR_LEAF) -> Money:
    return balances.balance(house.session, account, currency="EUR", fund=fund)


def approve(house: House, transfer: Transfer, *, by: Person | None = None) -> Transfer:
    return transfers.approve(house.session, transfer.alias, on_transfer(transfer, by=by or house.fund.boris))


# --- what two signatures do


def test_a_transfer_that_two_people_sign_moves_net_assets_and_money_at_once(funded: House) -> None:
    transfer = a_booked_transfer(funded, eur("120.00"))

    assert (transfer.state, transfer.booked_on) == (State.BOOKED, TODAY)
    assert (share(funded, "general"), share(funded, "detention")) == (eur("180.00"), eur("120.00"))
    assert share(funded, "general", "3800") == eur("120.00")
    assert share(funded, "detention", "3800") == eur("-120.00")
    assert_it_holds(engine_of(funded.session))


def test_what_is_only_asked_for_moves_nothing(funded: House) -> None:
    transfer = a_requested_transfer(funded)

    assert transfer.state is State.REQUESTED
    assert share(funded, "detention") == eur("0.00")
    assert transfers.listed(funded.session) == [transfer]
    assert_it_holds(engine_of(funded.session))


def test_a_fund_gives_all_it_has_and_no_cent_more(funded: House) -> None:
    too_much = a_requested_transfer(funded, eur("300.01"))
    all_of_it = a_requested_transfer(funded, eur("300.00"))

    with nothing_written(funded.session), pytest.raises(WouldOverdraw) as refusal:
        approve(funded, too_much)
    approve(funded, all_of_it)

    assert refusal.value.data["free_minor"] == 30_000
    assert share(funded, "general") == eur("0.00")


def test_cash_that_is_on_its_way_to_an_agent_does_not_move_to_another_fund(funded: House) -> None:
    promised = NewHold(
        source_key="test:promised",
        reserves=Reserve.IN_HAND,
        amount=eur("250.00"),
        held_for=draw(Kind.ADVANCE),
        fund="general",
    )
    holds.place(funded.session, promised, on=TODAY)
    funded.session.commit()
    transfer = a_requested_transfer(funded)

    with nothing_written(funded.session), pytest.raises(WouldOverdraw):
        approve(funded, transfer)


# --- requests that cannot be


@pytest.mark.parametrize(
    ("stated", "error"),
    [
        ({"amount": eur("0.00")}, BadTransfer),
        ({"amount": eur("-1.00")}, BadTransfer),
        ({"amount": Money(10**15 + 1, "EUR")}, BadTransfer),
        ({"taker": "general"}, BadTransfer),
        ({"account": "3800"}, BadTransfer),
        ({"account": "1000"}, NotPostable),
        ({"account": LEAF}, NotPostable),
        ({"account": "1000:nowhere"}, UnknownAccount),
        ({"giver": "nobody"}, UnknownFund),
        ({"taker": "nobody"}, UnknownFund),
        ({"alias": "T-0000-0000-0001"}, BadAlias),
        ({"consent": "G-0000-0000-0001"}, BadTransfer),
    ],
)
def test_a_request_that_cannot_be_is_refused(funded: House, stated: dict[str, Any], error: type[LedgerError]) -> None:
    new = a_new_transfer(**stated)
    agreed = on_new_transfer(new, by=funded.fund.clara)

    with nothing_written(funded.session), pytest.raises(error):
        transfers.request(funded.session, new, agreed)


def test_an_alias_is_taken_once(funded: House) -> None:
    new = a_new_transfer(alias=a_requested_transfer(funded).alias)

    with nothing_written(funded.session), pytest.raises(AliasTaken):
        transfers.request(funded.session, new, on_new_transfer(new, by=funded.fund.clara))


def test_a_transfer_that_nobody_asked_for_is_unknown(funded: House) -> None:
    transfer = a_requested_transfer(funded)
    agreed = on_transfer(transfer, by=funded.fund.boris)

    with nothing_written(funded.session), pytest.raises(UnknownTransfer):
        transfers.approve(funded.session, draw(Kind.TRANSFER), agreed)


# --- consent


def test_out_of_a_restricted_fund_moves_the_gift_whose_giver_agreed(funded: House) -> None:
    gift = the_gift(funded)

    a_booked_transfer(funded, eur("1000.00"), giver="fines", consent=gift.alias)

    assert transfers.moved_of(funded.session, gift) == eur("1000.00")
    assert share(funded, "fines") == eur("0.00")
    assert_it_holds(engine_of(funded.session))


def test_without_consent_or_beyond_the_gift_nothing_is_even_asked_for(funded: House) -> None:
    gift = the_gift(funded).alias
    give_other = {"no gift": None, "no such gift": draw(Kind.DONATION)}
    tried = [a_new_transfer(giver="fines", consent=consent) for consent in give_other.values()]
    tried.append(a_new_transfer(eur("1000.01"), giver="fines", consent=gift))

    for new in tried:
        with nothing_written(funded.session), pytest.raises(NoConsent):
            transfers.request(funded.session, new, on_new_transfer(new, by=funded.fund.clara))


def test_a_gift_to_another_fund_is_no_consent(funded: House) -> None:
    funds.add(funded.session, "books", name="Books", restricted=True)
    new = a_new_transfer(giver="books", consent=the_gift(funded).alias)

    with nothing_written(funded.session), pytest.raises(NoConsent) as refusal:
        transfers.request(funded.session, new, on_new_transfer(new, by=funded.fund.clara))

    assert refusal.value.data["fund"] == "fines"


def test_one_gift_moves_once_whatever_was_asked_for_before(funded: House) -> None:
    gift = the_gift(funded).alias
    first, second = (
        a_requested_transfer(funded, eur(amount), giver="fines", consent=gift) for amount in ("600.00", "400.01")
    )
    approve(funded, first)
    funded.session.commit()

    with nothing_written(funded.session), pytest.raises(NoConsent) as refusal:
        approve(funded, second)

    assert refusal.value.data["left_minor"] == 40_000


def test_what_was_given_back_or_is_disputed_moves_nowhere(funded: House) -> None:
    gift = the_gift(funded)
    transfer = a_requested_transfer(funded, eur("500.00"), giver="fines", consent=gift.alias)
    donations.refund(funded.session, gift, eur("500.01"))
    funded.session.commit()

    with nothing_written(funded.session), pytest.raises(NoConsent) as refunded:
        approve(funded, transfer)
    gift.state = donations.State.DISPUTED
    donations.keep(funded.session, gift)
    with nothing_written(funded.session), pytest.raises(NoConsent) as disputed:
        approve(funded, transfer)

    assert refunded.value.data["left_minor"] == 49_999
    assert "left_minor" not in disputed.value.data


# --- attacks


def test_who_asked_does_not_approve(funded: House) -> None:
    transfer = a_requested_transfer(funded)

    with nothing_written(funded.session), pytest.raises(SamePerson):
        approve(funded, transfer, by=funded.fund.clara)


def test_each_signature_needs_its_role(funded: House) -> None:
    transfer, new = a_requested_transfer(funded), a_new_transfer()

    with nothing_written(funded.session), pytest.raises(NotInRole) as approving:
        approve(funded, transfer, by=funded.fund.ana)
    with nothing_written(funded.session), pytest.raises(NotInRole) as asking:
        transfers.request(funded.session, new, on_new_transfer(new, by=funded.fund.boris))

    assert (approving.value.data["role"], asking.value.data["role"]) == (Role.APPROVER, Role.TREASURER)


@pytest.mark.parametrize(
    "lie", [{"amount": eur("1.00")}, {"commitment": "0" * 64}, {"version": 2}, {"object": "F-0000-0000-0001"}]
)
def test_a_signature_over_something_else_books_nothing(funded: House, lie: dict[str, Any]) -> None:
    transfer = a_requested_transfer(funded)
    agreed = on_transfer(transfer, by=funded.fund.boris, **lie)

    with nothing_written(funded.session), pytest.raises(ActDiffers):
        transfers.approve(funded.session, transfer.alias, agreed)


def test_an_act_is_no_act_about_another_transfer(funded: House) -> None:
    first, second = a_requested_transfer(funded), a_requested_transfer(funded)

    with nothing_written(funded.session), pytest.raises(ActDiffers):
        transfers.approve(funded.session, second.alias, on_transfer(first, by=funded.fund.boris))


def test_a_booked_transfer_is_not_booked_again_by_any_signature(funded: House) -> None:
    transfer = a_requested_transfer(funded)
    agreed = on_transfer(transfer, by=funded.fund.boris)
    transfers.approve(funded.session, transfer.alias, agreed)
    funded.session.commit()

    for again in (agreed, on_transfer(transfer, by=funded.fund.bella)):
        with nothing_written(funded.session), pytest.raises(TransferNotReady):
            transfers.approve(funded.session, transfer.alias, again)


def test_a_nonce_asks_once(funded: House) -> None:
    first, second = a_new_transfer(), a_new_transfer()
    nonce = {"nonce": "7" * 32}
    transfers.request(funded.session, first, on_new_transfer(first, by=funded.fund.clara, **nonce))

    with nothing_written(funded.session), pytest.raises(NonceUsed):
        transfers.request(funded.session, second, on_new_transfer(second, by=funded.fund.clara, **nonce))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE transfer SET minor = 20000",
        "UPDATE transfer SET taker_code = 'unassigned'",
        "UPDATE transfer SET account_code = '1000:byn-main'",
    ],
)
def test_what_somebody_changes_in_the_database_after_the_request_is_not_booked(funded: House, change: str) -> None:
    transfer = a_requested_transfer(funded)
    funded.session.connection().execute(text(change))
    funded.session.commit()
    funded.session.refresh(transfer)

    with nothing_written(funded.session), pytest.raises(NotAgreed):
        approve(funded, transfer)


def test_who_asked_does_not_approve_after_the_row_was_made_to_say_that_another_did(funded: House) -> None:
    mila = joins(funded, Role.TREASURER, Role.APPROVER)
    new = a_new_transfer()
    transfer = transfers.request(funded.session, new, on_new_transfer(new, by=mila))
    funded.session.commit()
    funded.session.connection().execute(text("UPDATE transfer SET requested_by = 'OP-0000-0000-0001'"))
    funded.session.commit()

    with nothing_written(funded.session), pytest.raises(SamePerson):
        approve(funded, transfer, by=mila)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE transfer SET state = 'booked', approved_by = 'OP-0000-0000-0001', booked_on = '2020-11-20'",
        "UPDATE transfer SET requested_by = 'OP-0000-0000-0001'",
    ],
)
def test_a_row_that_says_what_nobody_signed_is_found(funded: House, change: str) -> None:
    transfer = a_requested_transfer(funded)
    funded.session.connection().execute(text(change))
    funded.session.commit()

    assert ("signed", transfer.alias) in {(one.check, one.name) for one in found(funded.session, by={"signed"})}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE transfer SET minor = 9000",
        "UPDATE transfer SET giver_code = 'unassigned'",
        "UPDATE transfer SET booked_on = '2020-11-19'",
    ],
)
def test_a_row_that_says_something_else_than_its_entry_is_found(funded: House, change: str) -> None:
    transfer = a_booked_transfer(funded)
    funded.session.connection().execute(text(change))
    funded.session.commit()

    assert ("transfers", transfer.alias) in {(one.check, one.name) for one in found(funded.session, by={"transfers"})}


def test_a_gift_that_moved_though_its_fund_never_had_it_is_found(funded: House) -> None:
    gift = the_gift(funded)
    a_booked_transfer(funded, eur("600.00"), giver="fines", consent=gift.alias)
    funded.session.connection().execute(text("UPDATE donation SET minor = 59999"))
    funded.session.commit()

    assert ("consents", gift.alias) in {(one.check, one.name) for one in found(funded.session, by={"consents"})}


def test_an_entry_that_says_it_is_a_transfer_and_is_none_is_found(funded: House) -> None:
    postings = recipes.moved_between_funds(leaf=EUR_LEAF, amount=eur("1.00"), giver="general", taker="detention")
    posted = post(funded.session, postings, source_key=transfers.source_key_of(draw(Kind.TRANSFER)))
    funded.session.commit()

    assert ("transfers", str(posted.entry_id)) in {
        (one.check, one.name) for one in found(funded.session, by={"transfers"})
    }


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE transfer SET state = 'booked'",
        "UPDATE transfer SET taker_code = giver_code",
        "UPDATE transfer SET minor = 0",
        "UPDATE transfer SET approved_by = requested_by",
    ],
)
def test_the_database_admits_no_transfer_that_cannot_be(funded: House, change: str) -> None:
    a_requested_transfer(funded)

    with pytest.raises(IntegrityError):
        funded.session.connection().execute(text(change))


# --- consent


def test_without_sealed_evidence_nobodys_consent_counts(funded: House) -> None:
    gift = the_gift(funded).alias
    for consent, commitment in ((gift, None), (None, "ab" * 32)):
        new = a_new_transfer(giver="fines", consent=consent, consent_commitment=commitment)

        with nothing_written(funded.session), pytest.raises(NoConsent):
            transfers.request(funded.session, new, on_new_transfer(new, by=funded.fund.clara))


def test_evidence_is_a_commitment_and_serves_one_change(funded: House) -> None:
    gift = the_gift(funded).alias
    first = a_requested_transfer(funded, giver="fines", consent=gift)
    for commitment, error in ((first.consent_commitment, NoConsent), ("I agree.", BadTransfer)):
        new = a_new_transfer(giver="fines", consent=gift, consent_commitment=commitment)
        agreed = on_new_transfer(new, by=funded.fund.clara, evidence_commitments=("ab" * 32,))

        with nothing_written(funded.session), pytest.raises(error):
            transfers.request(funded.session, new, agreed)


def test_both_people_restate_the_evidence(funded: House) -> None:
    gift = the_gift(funded).alias
    new = a_new_transfer(giver="fines", consent=gift)
    other = on_new_transfer(new, by=funded.fund.clara, evidence_commitments=("cd" * 32,))
    with nothing_written(funded.session), pytest.raises(ActDiffers):
        transfers.request(funded.session, new, other)
    transfer = a_requested_transfer(funded, giver="fines", consent=gift)
    without = on_transfer(transfer, by=funded.fund.boris, evidence_commitments=())

    with nothing_written(funded.session), pytest.raises(ActDiffers):
        transfers.approve(funded.session, transfer.alias, without)


def test_evidence_that_is_swapped_in_its_row_is_found_and_not_agreed_to(funded: House) -> None:
    transfer = a_requested_transfer(funded, giver="fines", consent=the_gift(funded).alias)
    funded.session.connection().execute(text("UPDATE transfer SET consent_commitment = :other"), {"other": "cd" * 32})
    funded.session.commit()
    funded.session.refresh(transfer)

    with nothing_written(funded.session), pytest.raises(NotAgreed):
        approve(funded, transfer)
    assert ("signed", transfer.alias) in {(one.check, one.name) for one in found(funded.session, by={"signed"})}


@pytest.mark.parametrize(
    ("state", "is_moved"), [("settled", True), ("won", True), ("disputed", False), ("lost", False)]
)
def test_a_gift_moves_while_nobody_calls_it_back(funded: House, state: str, is_moved: bool) -> None:
    gift = the_gift(funded).alias
    funded.session.connection().execute(text("UPDATE donation SET state = :state"), {"state": state})
    funded.session.commit()
    new = a_new_transfer(giver="fines", consent=gift)
    agreed = on_new_transfer(new, by=funded.fund.clara)

    if is_moved:
        assert transfers.request(funded.session, new, agreed).consent_alias == gift
        return
    with nothing_written(funded.session), pytest.raises(NoConsent):
        transfers.request(funded.session, new, agreed)


# --- at once


def test_of_two_transfers_at_once_that_one_fund_cannot_both_give_one_is_booked(funded: House) -> None:
    asked = [a_requested_transfer(funded, eur("200.00")) for _ in range(2)]
    read_consent(funded, asked[1], by=funded.fund.bella)
    agreed = [on_transfer(one, by=by) for one, by in zip(asked, (funded.fund.boris, funded.fund.bella), strict=True)]

    answers = race(funded.session, *(approving(one) for one in agreed))

    assert sorted(type(answer).__name__ for answer in answers) == ["Transfer", "WouldOverdraw"]
    assert_it_holds(engine_of(funded.session))


def test_of_two_transfers_at_once_of_one_gift_one_is_booked(funded: House) -> None:
    gift = the_gift(funded).alias
    asked = [a_requested_transfer(funded, eur("501.00"), giver="fines", consent=gift) for _ in range(2)]
    read_consent(funded, asked[1], by=funded.fund.bella)
    agreed = [on_transfer(one, by=by) for one, by in zip(asked, (funded.fund.boris, funded.fund.bella), strict=True)]

    answers = race(funded.session, *(approving(one) for one in agreed))

    assert sorted(type(answer).__name__ for answer in answers) == ["NoConsent", "Transfer"]
    assert_it_holds(engine_of(funded.session))


def test_of_two_signatures_at_once_on_one_transfer_one_books_it(funded: House) -> None:
    transfer = a_requested_transfer(funded)
    agreed = [on_transfer(transfer, by=by) for by in (funded.fund.boris, funded.fund.bella)]

    answers = race(funded.session, *(approving(one) for one in agreed))

    assert sorted(type(answer).__name__ for answer in answers) == ["Transfer", "TransferNotReady"]
    assert_it_holds(engine_of(funded.session))


def approving(agreed: Agreed) -> Callable[[Session], Transfer]:
    return lambda session: transfers.approve(session, agreed.act.object, agreed)


def test_who_books_a_transfer_has_opened_the_givers_words(funded: House) -> None:
    gift = the_gift(funded)
    transfer = a_requested_transfer(funded, giver="fines", consent=gift.alias, is_read=False)
    read_consent(funded, transfer, by=funded.fund.bella)
    with nothing_written(funded.session), pytest.raises(NotOpened):
        approve(funded, transfer)

    read_consent(funded, transfer)

    assert approve(funded, transfer).state is State.BOOKED
