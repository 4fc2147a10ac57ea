"""Legal receipts: numbered without a gap, of standing gifts, no gift on two valid ones; on both databases."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from ledger.aliases import AliasTaken, BadAlias, Kind, draw
from ledger.approvals import ActDiffers, NotInRole
from ledger.books import accounts
from ledger.errors import LedgerError
from ledger.giving import donations, donor_links, receipts, refund_orders
from ledger.giving.donor_links import GiftOnReceipt, unlink
from ledger.giving.donors import UnknownDonor
from ledger.giving.receipts import (
    AlreadyVoid,
    BadReceipt,
    NoIdentity,
    NotCertifiable,
    NumberTaken,
    Receipt,
    UnknownReceipt,
    Voided,
)
from ledger.identities.boxes import BadDigest
from ledger.money import Money
from tests import donors as made
from tests.bookcheck import assert_it_holds, found
from tests.cards import a_charge, a_dispute, a_refund, book
from tests.cast import NOW, House, byn, engine_of, eur, nothing_written, race
from tests.donors import a_donor, a_gift, a_new_receipt, cancel, execute, issue
from tests.giving_back import ask

CHARGE = a_charge(eur("100.00"), fee=eur("3.20"))


@pytest.fixture
def givers(house: House) -> House:
    return made.furnish(house)


@pytest.fixture
def donor(givers: House) -> str:
    return a_donor(givers)


def by_card(house: House, donor: str) -> donations.Donation:
    """100.00 EUR by card, linked to the donor."""
    accounts.add_leaf(house.session, "1100:eur", name="A leaf", currency="EUR")
    book(house.session, CHARGE)
    gift = donations.of_charge(house.session, str(CHARGE.charge))
    assert gift is not None
    donor_links.link(house.session, gift.alias, donor=donor, by=house.fund.clara.alias, at=NOW)
    house.session.commit()
    return gift


def test_receipts_are_numbered_and_the_checks_hold(givers: House, donor: str) -> None:
    first = issue(givers, a_new_receipt(givers.session, donor, a_gift(givers, byn("10.00"), of=donor)))
    gifts = [a_gift(givers, byn(amount), of=donor) for amount in ("5.00", "7.50")]

    second = issue(givers, a_new_receipt(givers.session, donor, *gifts))

    assert [(one.number, one.amount()) for one in (first, second)] == [(1, byn("10.00")), (2, byn("12.50"))]
    assert receipts.of_year(givers.session, NOW.year) == [first, second]
    assert_it_holds(engine_of(givers.session))


def test_a_gift_is_on_one_valid_receipt_until_that_is_cancelled_or_replaced(givers: House, donor: str) -> None:
    gift = a_gift(givers, byn("10.00"), of=donor)
    first = issue(givers, a_new_receipt(givers.session, donor, gift))
    with nothing_written(givers.session), pytest.raises(NotCertifiable):
        issue(givers, a_new_receipt(givers.session, donor, gift))

    second = issue(givers, a_new_receipt(givers.session, donor, gift, replaces=first.alias))
    cancel(givers, second)
    third = issue(givers, a_new_receipt(givers.session, donor, gift))

    assert (third.number, second.replaces) == (3, first.alias)
    voids = receipts.voids(givers.session, [first.alias, second.alias, third.alias])
    assert {alias: void.reason for alias, void in voids.items()} == {
        first.alias: Voided.REPLACED,
        second.alias: Voided.MISTAKE,
    }
    for void in (first, second):
        with nothing_written(givers.session), pytest.raises(AlreadyVoid):
            cancel(givers, void)
    with nothing_written(givers.session), pytest.raises(AlreadyVoid):
        issue(givers, a_new_receipt(givers.session, donor, gift, replaces=first.alias))
    assert_it_holds(engine_of(givers.session))


def test_of_a_refunded_gift_what_is_left_is_certified_and_of_a_disputed_one_nothing(givers: House, donor: str) -> None:
    gift = by_card(givers, donor)
    whole = a_new_receipt(givers.session, donor, gift)
    order = ask(givers, gift, eur("40.00"))
    with nothing_written(givers.session), pytest.raises(NotCertifiable):  # it goes back
        issue(givers, whole)
    refund_orders.withdraw(givers.session, order.alias, on=NOW.date())
    book(givers.session, a_refund(CHARGE, eur("40.00")))
    givers.session.commit()
    with nothing_written(givers.session), pytest.raises(NotCertifiable) as reduced:
        issue(givers, whole)

    receipt = issue(givers, a_new_receipt(givers.session, donor, gift))
    book(givers.session, a_dispute(CHARGE, eur("60.00")))
    givers.session.commit()

    assert (reduced.value.data["left"], receipt.amount()) == ("60.00 EUR", eur("60.00"))
    assert {one.check for one in found(givers.session)} == {"receipts"}  # until it is cancelled
    with nothing_written(givers.session), pytest.raises(NotCertifiable):
        issue(givers, a_new_receipt(givers.session, donor, gift, replaces=receipt.alias))
    cancel(givers, receipt, Voided.GIVEN_BACK)
    assert_it_holds(engine_of(givers.session))


def test_what_is_not_the_donors_or_cannot_be_read_is_refused(givers: House, donor: str) -> None:
    session, gift = givers.session, a_gift(givers, byn("10.00"), of=donor)
    others, nobodys = a_gift(givers, byn("2.00"), of=a_donor(givers)), a_gift(givers, byn("3.00"))
    unknown = a_donor(givers, unknown=True)
    good = a_new_receipt(session, donor, gift)
    refused: list[tuple[Any, type[LedgerError]]] = [
        (a_new_receipt(session, donor, gift, others), NotCertifiable),
        (a_new_receipt(session, donor, nobodys), NotCertifiable),
        (a_new_receipt(session, unknown, gift), NoIdentity),
        (replace(good, donor=draw(Kind.DONOR)), UnknownDonor),
        (replace(good, number=2), NumberTaken),
        (replace(good, year=NOW.year - 1), NumberTaken),
        (replace(good, alias=draw(Kind.DONATION)), BadAlias),
        (replace(good, commitment="Invented Donor"), BadDigest),
        (replace(good, gifts=[(gift.alias, byn("9.99"))]), NotCertifiable),
        (replace(good, gifts=[(gift.alias, byn("10.01"))]), NotCertifiable),
        (replace(good, gifts=[(gift.alias, byn("5.00")), (gift.alias, byn("5.00"))]), BadReceipt),
        (replace(good, gifts=[(gift.alias, byn("10.00")), (others.alias, eur("2.00"))]), BadReceipt),
        (replace(good, replaces=draw(Kind.RECEIPT)), UnknownReceipt),
    ]
    with nothing_written(session):
        for new, refusal in refused:
            with pytest.raises(refusal):
                issue(givers, new)
        with pytest.raises(NotInRole):
            issue(givers, good, by=givers.fund.ana)
        with pytest.raises(ActDiffers):
            issue(givers, good, payee_commitment="0" * 64)

    issue(givers, good)

    with nothing_written(session), pytest.raises(AliasTaken):
        issue(givers, good)
    with nothing_written(session), pytest.raises(GiftOnReceipt):
        unlink(session, gift.alias, by=givers.fund.clara.alias, at=NOW)


def test_another_donors_receipt_is_not_replaced(givers: House, donor: str) -> None:
    theirs = issue(givers, a_new_receipt(givers.session, donor, a_gift(givers, byn("10.00"), of=donor)))
    other = a_donor(givers)
    gift = a_gift(givers, byn("2.00"), of=other)

    with nothing_written(givers.session), pytest.raises(NotCertifiable):
        issue(givers, a_new_receipt(givers.session, other, gift, replaces=theirs.alias))


def test_a_merged_donors_gifts_stand_on_one_receipt_of_the_other(givers: House, donor: str) -> None:
    second = a_donor(givers)
    gifts = [a_gift(givers, byn("1.00"), of=donor), a_gift(givers, byn("2.00"), of=second)]
    first = issue(givers, a_new_receipt(givers.session, second, gifts[1]))
    made.merge(givers, second, donor)

    receipt = issue(givers, a_new_receipt(givers.session, donor, *gifts, replaces=first.alias))

    assert receipt.amount() == byn("3.00")
    assert_it_holds(engine_of(givers.session))


def test_at_once_one_receipt_of_a_gift_is_issued_and_each_number_once(givers: House, donor: str) -> None:
    gift, other = (a_gift(givers, byn(amount), of=donor) for amount in ("1.00", "2.00"))
    same = [a_new_receipt(givers.session, donor, gift) for _ in range(2)]

    def run(new: receipts.NewReceipt) -> Any:
        return lambda session: issue(givers.in_another(session), new)

    answers = race(givers.session, *(run(new) for new in (*same, a_new_receipt(givers.session, donor, other))))

    issued = [one for one in answers if isinstance(one, Receipt)]
    assert len(issued) == 1
    assert {type(one) for one in answers if not isinstance(one, Receipt)} <= {NumberTaken, NotCertifiable}
    assert_it_holds(engine_of(givers.session))


GIFT = "INSERT INTO receipt_gift (receipt_alias, donation_alias, minor) VALUES (:receipt, :gift, :minor)"
LINK = (
    "INSERT INTO donor_link (donation_alias, number, donor_alias, recorded_by, recorded_at) "
    "SELECT donation_alias, :number, NULL, recorded_by, recorded_at FROM donor_link WHERE donation_alias = :gift"
)
RECEIPT = (
    "INSERT INTO receipt (alias, year, number, donor_alias, minor, currency, commitment, replaces, issued_on, nonce) "
    "SELECT :receipt, year, :number, donor_alias, :minor, :currency, commitment, :replaces, issued_on, nonce "
    "FROM receipt WHERE number = 1"
)


def test_no_statement_puts_a_gift_on_two_receipts_or_leaves_out_a_number(givers: House, donor: str) -> None:
    session, gift = givers.session, a_gift(givers, byn("10.00"), of=donor)
    free = a_gift(givers, byn("2.00"), of=donor)
    receipt = issue(givers, a_new_receipt(session, donor, gift))
    alias, forged = receipt.alias, draw(Kind.RECEIPT)
    told = {"receipt": forged, "number": 2, "minor": 200, "currency": "BYN", "replaces": None}
    attempts: list[tuple[str, dict[str, Any]]] = [
        (GIFT, {"receipt": forged, "gift": gift.alias, "minor": 1000}),  # on two
        (GIFT, {"receipt": alias, "gift": free.alias, "minor": 200}),  # joins a sealed one
        (GIFT, {"receipt": forged, "gift": free.alias, "minor": 201}),  # more than was given
        (GIFT, {"receipt": forged, "gift": free.alias, "minor": 0}),
        (RECEIPT, told),  # of nothing
        ("UPDATE receipt SET number = 3", {}),
        ("UPDATE receipt_gift SET minor = 1", {}),
        ("DELETE FROM receipt_void", {})
        if session.connection().dialect.name == "postgresql"
        else (GIFT, {"receipt": forged, "gift": draw(Kind.DONATION), "minor": 1}),
        ("DELETE FROM receipt", {}),
        (LINK, {"gift": gift.alias, "number": 2}),  # off its receipt
        (LINK, {"gift": free.alias, "number": 7}),
        ("UPDATE donor_link SET donor_alias = NULL", {}),
    ]
    for statement, values in attempts:
        with nothing_written(session), pytest.raises(DBAPIError):
            execute(session, statement, **values)
    execute(session, GIFT, receipt=forged, gift=free.alias, minor=200)
    for wrong in ({"number": 3}, {"number": 1}, {"minor": 199}, {"currency": "EUR"}, {"replaces": alias}):
        with pytest.raises(DBAPIError):
            execute(session, RECEIPT, **(told | wrong))


def test_a_part_without_its_receipt_is_not_committed(givers: House, donor: str) -> None:
    gift = a_gift(givers, byn("2.00"), of=donor)
    execute(givers.session, GIFT, receipt=draw(Kind.RECEIPT), gift=gift.alias, minor=200)

    with pytest.raises(DBAPIError):
        givers.session.commit()


def test_several_currencies_are_no_receipt() -> None:
    new = receipts.NewReceipt("RT", "P", 2020, 1, [("a", Money(1, "EUR")), ("b", Money(1, "BYN"))], "0" * 64)

    with pytest.raises(BadReceipt):
        new.amount()
