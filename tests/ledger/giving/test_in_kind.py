"""Gifts in kind at the value that a sealed file shows and two people sign; no money moves."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from ledger.aid import file_retention
from ledger.aliases import AliasTaken, BadAlias, Kind, draw
from ledger.approvals import ActDiffers, NotAgreed, NotInRole, SamePerson
from ledger.books import balances
from ledger.books.funds import UnknownFund
from ledger.giving import in_kind
from ledger.giving.donations import Source, WrongState
from ledger.giving.in_kind import BadGiftInKind, GiftInKindNotReady, GivenKind, NoEvidence, State, UnknownGiftInKind
from ledger.identities.shelves import NotOpened
from ledger.people import Role
from tests.bookcheck import assert_it_holds, found
from tests.cast import NOW, TODAY, House, byn, engine_of, eur, nothing_written
from tests.coffers import joins
from tests.filing import bring_for_gift
from tests.given import a_new_gift_in_kind, a_shown_gift_in_kind, a_stray_gift, agree_value, ask_back, open_for, value
from tests.office import on_one_database


@pytest.mark.parametrize(
    ("kind", "fund", "expense"), [(GivenKind.LEGAL_AID, "fines", "5200"), (GivenKind.ADMINISTRATION, "general", "6300")]
)
def test_a_gift_in_kind_is_income_and_the_expense_it_saved(
    house: House, kind: GivenKind, fund: str, expense: str
) -> None:
    new = a_shown_gift_in_kind(house, eur("300.00"), kind=kind, fund=fund)
    value(house, new)
    open_for(house, new)
    assert balances.balance(house.session, "4050", currency="EUR") == eur("0.00")

    gift = agree_value(house, new)

    assert (gift.alias, gift.source, gift.fund_code) == (new.alias, Source.IN_KIND, fund)
    assert balances.balance(house.session, expense, currency="EUR", fund=fund) == eur("300.00")
    assert balances.balance(house.session, "4050", currency="EUR", fund=fund) == eur("-300.00")
    assert balances.cash(house.session, fund).get("EUR", eur("0.00")) == eur("0.00")
    assert_it_holds(engine_of(house.session))
    with nothing_written(house.session), pytest.raises(WrongState):
        ask_back(house, gift, eur("1.00"))


def test_one_person_is_not_two_whatever_the_row_says(house: House) -> None:
    both = joins(house, Role.TREASURER, Role.APPROVER)
    new = a_new_gift_in_kind(byn("300.00"))
    value(house, new, by=both)

    with nothing_written(house.session), pytest.raises(SamePerson):
        agree_value(house, new, by=both)
    house.session.connection().execute(text("UPDATE gift_in_kind SET valued_by = 'OP-0000-0000-0000'"))
    house.session.expire_all()
    with nothing_written(house.session), pytest.raises(SamePerson):
        agree_value(house, new, by=both)
    with pytest.raises(IntegrityError), house.session.begin_nested():
        house.session.connection().execute(text("UPDATE gift_in_kind SET agreed_by = valued_by"))


@on_one_database
def test_both_sign_value_and_evidence(house: House) -> None:
    new = a_shown_gift_in_kind(house, byn("300.00"))
    with nothing_written(house.session), pytest.raises(NotInRole):
        value(house, new, by=house.fund.boris)
    lies: tuple[dict[str, Any], ...] = (
        {"amount": "1.00"},
        {"evidence_commitments": ()},
        {"payee_commitment": "0" * 64},
    )
    for lie in lies:
        with nothing_written(house.session), pytest.raises(ActDiffers):
            value(house, new, **lie)
    value(house, new)
    open_for(house, new)
    for lie in lies:
        with nothing_written(house.session), pytest.raises(ActDiffers):
            agree_value(house, new, **lie)


@on_one_database
@pytest.mark.parametrize("change", ["minor = 1", f"evidence = '{'f' * 64}'", "fund_code = 'general'"])
def test_what_was_changed_after_the_first_signature_is_not_booked_and_is_found(house: House, change: str) -> None:
    new = a_new_gift_in_kind(byn("300.00"))
    value(house, new)
    house.session.connection().execute(text(f"UPDATE gift_in_kind SET {change}"))  # noqa: S608  # ours
    house.session.commit()
    house.session.expire_all()

    with nothing_written(house.session), pytest.raises(NotAgreed):
        agree_value(house, new)
    assert {one.check for one in found(house.session)} == {"signed"}


@on_one_database
def test_what_is_worth_nothing_is_refused(house: House) -> None:
    taken = a_new_gift_in_kind(byn("300.00"))
    value(house, taken)
    cases: tuple[tuple[dict[str, Any], type[Exception]], ...] = (
        ({"worth": byn("0.00")}, BadGiftInKind),
        ({"on": TODAY.replace(day=21)}, BadGiftInKind),
        ({"fund": "nowhere"}, UnknownFund),
        ({"alias": taken.alias}, AliasTaken),
        ({"alias": draw(Kind.CASE)}, BadAlias),
    )

    for stated, refusal in cases:
        with nothing_written(house.session), pytest.raises(refusal):
            value(house, a_new_gift_in_kind(**({"worth": byn("1.00")} | stated)))


@on_one_database
def test_it_is_agreed_to_once_or_given_up(house: House) -> None:
    new, other = (a_shown_gift_in_kind(house, byn("300.00")) for _ in range(2))
    value(house, new)
    value(house, other)
    open_for(house, new)
    agree_value(house, new)

    with nothing_written(house.session), pytest.raises(GiftInKindNotReady):
        agree_value(house, new)
    with nothing_written(house.session), pytest.raises(GiftInKindNotReady):
        in_kind.withdraw(house.session, new.alias)
    assert in_kind.withdraw(house.session, other.alias).state is State.WITHDRAWN
    with nothing_written(house.session), pytest.raises(GiftInKindNotReady):
        agree_value(house, other)
    with nothing_written(house.session), pytest.raises(UnknownGiftInKind):
        in_kind.withdraw(house.session, draw(Kind.DONATION))


def test_nobody_agrees_to_a_value_whose_file_is_not_there_or_that_they_have_not_opened(house: House) -> None:
    bare = a_new_gift_in_kind(byn("300.00"))
    value(house, bare)
    with nothing_written(house.session), pytest.raises(NoEvidence):
        agree_value(house, bare)
    other = a_new_gift_in_kind(byn("300.00"), evidence=bring_for_gift(house, bare.alias).commitment)
    value(house, other)
    with nothing_written(house.session), pytest.raises(NoEvidence):  # the file is another gift's
        agree_value(house, other)
    new = a_shown_gift_in_kind(house, byn("300.00"))
    value(house, new)
    open_for(house, new, by=house.fund.clara)

    with nothing_written(house.session), pytest.raises(NotOpened):
        agree_value(house, new)
    open_for(house, new)
    agree_value(house, new)

    with nothing_written(house.session), pytest.raises(GiftInKindNotReady):
        bring_for_gift(house, new.alias)
    assert_it_holds(engine_of(house.session))


@on_one_database
def test_a_file_lies_on_a_shelf_of_its_gift_only(house: House) -> None:
    with nothing_written(house.session), pytest.raises(BadAlias):
        bring_for_gift(house, draw(Kind.CASE))
    given = a_stray_gift(house, byn("1.00"))
    with nothing_written(house.session), pytest.raises(GiftInKindNotReady):
        bring_for_gift(house, given.alias)


@on_one_database
def test_the_file_is_kept_as_long_as_vouchers_are_and_not_once_the_value_was_given_up(house: House) -> None:
    agreed, own, left = (a_shown_gift_in_kind(house, byn("300.00")) for _ in range(3))
    kept = bring_for_gift(house, own.alias, keep_until=date(2025, 6, 30))
    for new in (agreed, own, left):
        value(house, new)
    assert file_retention.due(house.session, on=date(2090, 1, 1)) == []
    for new in (agreed, own):
        open_for(house, new)
        agree_value(house, new)
    in_kind.withdraw(house.session, left.alias)

    due = file_retention.due(house.session, on=date(2090, 1, 1))

    assert {(one.file.subject, one.file.alias == kept.alias): one.since for one in due} == {
        (agreed.alias, False): date(2030, 12, 31),
        (own.alias, False): date(2030, 12, 31),
        (own.alias, True): date(2025, 7, 1),
        (left.alias, False): NOW.date(),
    }
