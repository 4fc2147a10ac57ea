from datetime import date
from typing import Any

import pytest
from sqlmodel import select

from ledger import references
from ledger.books import balances, journal
from ledger.books.accounts import NotPostable, UnknownAccount
from ledger.books.journal import Entry, SourceKeyConflict
from ledger.books.postings import BadPosting
from ledger.giving import donations, purposes
from ledger.giving.donations import Donation, Source, State
from ledger.money import Money
from tests.cast import LEAF, NOW, House, byn, eur, nothing_written

DAY = date(2020, 11, 12)


def receive(house: House, *, gift: Money | None = None, **other: Any) -> tuple[Donation, journal.Posted]:
    said: dict[str, Any] = {"source_key": "bank:1", "leaf": LEAF, "reference": None, "on": DAY}
    return donations.receive_at_bank(
        house.session, gift=gift or byn("100.00"), recorded_at=NOW, recorded_by="test", **(said | other)
    )


def fines(house: House) -> str:
    """The reference that donors for fines are asked for."""
    purpose = purposes.by_code(house.session, "FINES")
    assert purpose is not None
    return purpose.reference


def test_a_gift_with_our_reference_is_income_of_its_purposes_fund(house: House) -> None:
    donation, posted = receive(house, reference=fines(house))

    assert (donation.source, donation.state, donation.fund_code) == (Source.BANK, State.RECEIVED, "fines")
    assert (donation.purpose_code, donation.minor, donation.currency) == ("FINES", 10_000, "BYN")
    assert (donation.received_on, donation.fee_minor) == (DAY, 0)
    assert [
        (p.side, p.account, p.money, p.fund, p.subject) for p in journal.postings_of(house.session, posted.entry_id)
    ] == [
        ("debit", LEAF, byn("100.00"), "fines", None),
        ("credit", "4000", byn("100.00"), "fines", donation.alias),
    ]
    assert house.session.get_one(Entry, posted.entry_id).effective_on == DAY


@pytest.mark.parametrize("reference", [None, "RF00INVENTED0000000"])
def test_a_gift_that_nobody_can_place_is_owed_until_it_is_placed(house: House, reference: str | None) -> None:
    donation, posted = receive(house, reference=reference)

    assert (donation.state, donation.fund_code, donation.purpose_code) == (State.UNIDENTIFIED, "unassigned", None)
    assert [(p.side, p.account, p.fund, p.subject) for p in journal.postings_of(house.session, posted.entry_id)] == [
        ("debit", LEAF, "unassigned", None),
        ("credit", "2000", "unassigned", donation.alias),
    ]
    assert balances.balance(house.session, "4000", currency="BYN") == byn("0.00")


def test_a_gift_comes_once_however_often_it_is_told(house: House) -> None:
    donation, posted = receive(house, reference=fines(house))

    with nothing_written(house.session):
        again = receive(house, reference=fines(house))

    assert again == (donation, journal.Posted(posted.entry_id, replayed=True))
    assert donations.by_source(house.session, "bank:1") == donation


def test_the_same_fact_with_another_content_is_a_conflict(house: House) -> None:
    receive(house, reference=fines(house))
    lies: list[dict[str, Any]] = [
        {"gift": byn("100.01")},
        {"reference": None},
        {"on": date(2020, 11, 13)},
        {"leaf": "1000:byn-reserve"},
    ]

    for lie in lies:
        with nothing_written(house.session), pytest.raises(SourceKeyConflict):
            receive(house, **({"reference": fines(house)} | lie))


def test_two_facts_of_one_amount_and_day_are_two_gifts(house: House) -> None:
    first, _ = receive(house)
    second, _ = receive(house, source_key="bank:2")

    assert first.alias != second.alias
    assert balances.balance(house.session, LEAF, currency="BYN") == byn("200.00")


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"leaf": "1000:nowhere"}, UnknownAccount),
        ({"leaf": "1000"}, NotPostable),
        ({"gift": eur("100.00")}, NotPostable),
        ({"gift": byn("0.00")}, BadPosting),
        ({"gift": byn("-1.00")}, BadPosting),
        ({"on": date(1989, 12, 31)}, journal.BadEntry),
        ({"on": date(2020, 11, 22)}, journal.BadEntry),
    ],
)
def test_what_cannot_be_booked_is_no_donation(house: House, change: dict[str, Any], kind: type[Exception]) -> None:
    with nothing_written(house.session), pytest.raises(kind):
        receive(house, **change)


def test_donations_are_told_oldest_first(house: House) -> None:
    newer, _ = receive(house)
    older, _ = receive(house, source_key="bank:2", on=date(2020, 11, 1))

    assert donations.listed(house.session) == [older, newer]
    assert len(house.session.exec(select(Donation)).all()) == 2
    assert donations.by_source(house.session, references.draw()) is None
