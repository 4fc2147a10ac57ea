import json
from datetime import date, datetime
from fractions import Fraction
from typing import Any

import pytest

from ledger import approvals, closing
from ledger.approvals import ActDiffers, Agreed, NotInRole
from ledger.books import exchange, journal, periods, seals
from ledger.books.journal import Entry
from ledger.books.periods import (
    AlreadyClosed,
    BadMonth,
    MonthNotOver,
    MonthOutOfOrder,
    NotSoftClosed,
    PeriodClosed,
    PeriodSoftClosed,
)
from ledger.books.postings import credit, debit
from ledger.closing import AlreadyAdmitted
from tests.bookkeeping import RECORDER
from tests.cast import NOW, House, Person, agreed_by, byn, give, nothing_written

MONTH = "2020-10"


def closing_of(house: House, month: str, *, by: Person, signed: str | None = None, at: datetime = NOW) -> Agreed:
    """What the treasurer signs: the month, and the digest of what it comes to."""
    digest = seals.gather(house.session, MONTH).digest()
    return agreed_by(by, "close_period", now=at, object=signed or month, evidence_commitments=(digest,))


def add_rate(house: House, value: str) -> None:
    facts: dict[str, Any] = {"source": "nbrb", "recorded_at": NOW, "recorded_by": RECORDER}
    exchange.add(house.session, "BYN", on=date(2020, 10, 30), value=Fraction(value), **facts)


@pytest.fixture
def booked(house: House) -> House:
    """With a gift in October, and the rate of its last day."""
    add_rate(house, "0.33")
    give(house.session, byn("100.00"), on=date(2020, 10, 5))
    return house


def test_the_treasurer_closes_a_month_and_the_act_is_kept(booked: House, clara: Person) -> None:
    closed = closing.close(booked.session, MONTH, closing_of(booked, MONTH, by=clara))

    (kept,) = approvals.of_object(booked.session, MONTH)
    assert (closed.last_day, closed.closed_by) == (date(2020, 10, 31), clara.alias)
    assert (kept.verb, kept.signer) == ("close_period", clara.alias)
    assert approvals.still_holds(booked.session, kept)


def test_nobody_else_closes_a_month(booked: House, boris: Person, ana: Person) -> None:
    for somebody in (boris, ana, booked.fund.olga, booked.fund.oleg, booked.fund.dina):
        with nothing_written(booked.session), pytest.raises(NotInRole):
            closing.close(booked.session, MONTH, closing_of(booked, MONTH, by=somebody))


def test_an_act_on_another_month_closes_nothing(booked: House, clara: Person) -> None:
    with nothing_written(booked.session), pytest.raises(ActDiffers) as refusal:
        closing.close(booked.session, MONTH, closing_of(booked, MONTH, by=clara, signed="2020-11"))

    assert refusal.value.data == {"field": "object"}


@pytest.mark.parametrize(
    ("month", "refusal"), [("2020-11", MonthNotOver), ("2020-09", MonthOutOfOrder), ("x", BadMonth)]
)
def test_a_refused_closing_keeps_no_act(booked: House, clara: Person, month: str, refusal: type[Exception]) -> None:
    with nothing_written(booked.session), pytest.raises(refusal):
        closing.close(booked.session, month, closing_of(booked, month, by=clara))


def test_a_month_is_closed_once_whoever_signs(booked: House, clara: Person) -> None:
    closing.close(booked.session, MONTH, closing_of(booked, MONTH, by=clara))

    with nothing_written(booked.session), pytest.raises(AlreadyClosed):
        closing.close(booked.session, MONTH, closing_of(booked, MONTH, by=clara))
    assert periods.closed_through(booked.session) == date(2020, 10, 31)


# --- what is signed is what is sealed


def test_the_act_commits_to_what_is_sealed(booked: House, clara: Person) -> None:
    closing.close(booked.session, MONTH, closing_of(booked, MONTH, by=clara))

    (kept,) = approvals.of_object(booked.session, MONTH)
    sealed = seals.sealed(booked.session, MONTH)
    assert json.loads(kept.document)["evidence_commitments"] == [sealed.digest()]
    assert sealed.net_assets == (("fines", 3_300),)
    assert closing.unsigned(booked.session) == []


def test_who_signed_before_the_last_entry_closes_nothing(booked: House, clara: Person) -> None:
    signed = closing_of(booked, MONTH, by=clara)
    give(booked.session, byn("1.00"), on=date(2020, 10, 31))

    with nothing_written(booked.session), pytest.raises(ActDiffers) as refusal:
        closing.close(booked.session, MONTH, signed)
    assert refusal.value.data == {"field": "evidence_commitments"}


def test_who_signed_before_a_rate_was_corrected_closes_nothing(booked: House, clara: Person) -> None:
    signed = closing_of(booked, MONTH, by=clara)
    add_rate(booked, "0.34")

    with nothing_written(booked.session), pytest.raises(ActDiffers):
        closing.close(booked.session, MONTH, signed)


def test_a_seal_that_nobody_signed_is_found(booked: House, clara: Person) -> None:
    seals.close(booked.session, MONTH, by=clara.alias, at=NOW)

    assert closing.unsigned(booked.session) == [MONTH]


# --- admitted entries


def an_entry(amount: str = "5.00", *, on: date = date(2020, 10, 20)) -> dict[str, Any]:
    money = byn(amount)
    return {
        "source_key": "test:accrual",
        "kind": "accrual",
        "postings": [debit("6300", money, "general"), credit("2200", money, "general")],
        "happened_on": on,
        "effective_on": on,
    }


def admission(entry: dict[str, Any], *, by: Person, month: str = MONTH, signed: str | None = None) -> Agreed:
    commitment = signed or journal.fingerprint_of(**entry)
    return agreed_by(by, "admit_entry", object=month, evidence_commitments=(commitment,))


def post(house: House, entry: dict[str, Any]) -> journal.Posted:
    return journal.post(house.session, **entry, recorded_at=NOW, recorded_by=RECORDER)


@pytest.fixture
def softly(booked: House, clara: Person) -> House:
    """October is closed softly."""
    periods.soft_close(booked.session, MONTH, by=clara.alias, at=NOW)
    booked.session.commit()
    return booked


def test_what_the_treasurer_admits_is_booked_in_a_softly_closed_month(softly: House, clara: Person) -> None:
    entry = an_entry()
    fingerprint = journal.fingerprint_of(**entry)
    with nothing_written(softly.session), pytest.raises(PeriodSoftClosed):
        post(softly, entry)

    closing.admit(softly.session, MONTH, admission(entry, by=clara), fingerprint=fingerprint)

    posted = post(softly, entry)
    assert softly.session.get_one(Entry, posted.entry_id).effective_on == date(2020, 10, 20)
    assert post(softly, entry).replayed


def test_nothing_else_is_booked_by_that_admission(softly: House, clara: Person) -> None:
    entry = an_entry()
    closing.admit(softly.session, MONTH, admission(entry, by=clara), fingerprint=journal.fingerprint_of(**entry))

    others = [an_entry("6.00"), an_entry(on=date(2020, 10, 21)), an_entry() | {"source_key": "test:other"}]
    for other in others:
        with nothing_written(softly.session), pytest.raises(PeriodSoftClosed):
            post(softly, other)


def test_nobody_but_the_treasurer_admits(softly: House, boris: Person, ana: Person) -> None:
    entry = an_entry()

    for somebody in (boris, ana, softly.fund.olga, softly.fund.oleg):
        with nothing_written(softly.session), pytest.raises(NotInRole):
            closing.admit(
                softly.session, MONTH, admission(entry, by=somebody), fingerprint=journal.fingerprint_of(**entry)
            )


def test_an_act_on_another_entry_admits_none(softly: House, clara: Person) -> None:
    signed = admission(an_entry("6.00"), by=clara)

    with nothing_written(softly.session), pytest.raises(ActDiffers):
        closing.admit(softly.session, MONTH, signed, fingerprint=journal.fingerprint_of(**an_entry()))


def test_an_entry_is_admitted_once(softly: House, clara: Person) -> None:
    entry = an_entry()
    fingerprint = journal.fingerprint_of(**entry)
    closing.admit(softly.session, MONTH, admission(entry, by=clara), fingerprint=fingerprint)

    with nothing_written(softly.session), pytest.raises(AlreadyAdmitted):
        closing.admit(softly.session, MONTH, admission(entry, by=clara), fingerprint=fingerprint)


@pytest.mark.parametrize("month", ["2020-09", "2020-11"])
def test_only_a_softly_closed_month_admits(softly: House, clara: Person, month: str) -> None:
    signed = admission(an_entry(), by=clara, month=month)

    if month == "2020-09":
        closing.close(softly.session, MONTH, closing_of(softly, MONTH, by=clara))
        month, signed = MONTH, admission(an_entry(), by=clara)
    with nothing_written(softly.session), pytest.raises(NotSoftClosed):
        closing.admit(softly.session, month, signed, fingerprint=journal.fingerprint_of(**an_entry()))


def test_an_admission_ends_with_the_month(softly: House, clara: Person) -> None:
    entry = an_entry()
    closing.admit(softly.session, MONTH, admission(entry, by=clara), fingerprint=journal.fingerprint_of(**entry))
    closing.close(softly.session, MONTH, closing_of(softly, MONTH, by=clara))

    with nothing_written(softly.session), pytest.raises(PeriodClosed):
        post(softly, entry)
