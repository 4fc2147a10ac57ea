"""Donors: aliases whose gifts, identities and merges are known without a name; on both databases."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from ledger.aid import retention
from ledger.aid.retention import Due, NotDue
from ledger.aliases import AliasTaken, BadAlias, Kind, draw
from ledger.approvals import ActDiffers, NonceUsed, NotInRole
from ledger.books import balances
from ledger.giving import confirmations, donor_links, donor_retention, donors
from ledger.giving.confirmations import ConfirmationSetting, ConfirmationsOff, NotConfirmed, SettingStands
from ledger.giving.donations import UnknownDonation
from ledger.giving.donor_links import NotLinked
from ledger.giving.donors import BadDonor, DonorMerged, NewIdentity, UnknownDonor
from ledger.identities import readings, shelves
from ledger.identities.boxes import BadDigest, NotASealedBox
from ledger.identities.erasure_list import FILE_NAME, ErasureList, Reason
from ledger.identities.shelves import UnknownShelf
from ledger.people import Role
from ledger.reconciliation import shelf_retention
from tests import donors as made
from tests.bookcheck import assert_it_holds, found
from tests.cast import BOOK_ID, LEAF, NOW, House, Person, agreed_by, byn, engine_of, nothing_written, race, sealed
from tests.donors import a_donor, a_gift, a_new_receipt, a_token, an_identity, issue, merge
from tests.erasing import signed

EMAIL = "Elisabet@Example.org"


@pytest.fixture
def givers(house: House) -> House:
    return made.furnish(house)


def add(house: House, alias: str, identity: NewIdentity | None) -> None:
    clara = house.fund.clara.operator
    donors.add(house.session, alias, identity=identity, by=clara, at=NOW, shred_keys=house.shred_keys)


def test_a_gift_is_linked_unlinked_and_linked_again_and_every_step_stays(givers: House) -> None:
    session, gift = givers.session, a_gift(givers, byn("10.00"))
    first, second, by = a_donor(givers), a_donor(givers, unknown=True), givers.fund.clara.alias

    for donor in (first, first, second):
        donor_links.link(session, gift.alias, donor=donor, by=by, at=NOW)
    assert (donors.gifts_of(session, first), donors.gifts_of(session, second)) == ([], [gift.alias])
    donor_links.unlink(session, gift.alias, by=by, at=NOW)

    assert donors.owners(session) == {}
    with nothing_written(session):
        with pytest.raises(NotLinked):
            donor_links.unlink(session, gift.alias, by=by, at=NOW)
        with pytest.raises(UnknownDonor):
            donor_links.link(session, gift.alias, donor=draw(Kind.DONOR), by=by, at=NOW)
        with pytest.raises(UnknownDonation):
            donor_links.link(session, draw(Kind.DONATION), donor=first, by=by, at=NOW)
    donor_links.link(session, gift.alias, donor=first, by=by, at=NOW)
    session.commit()
    assert [one.number for one in session.exec(made.links())] == [1, 2, 3, 4]
    assert donors.gifts_of(session, first) == [gift.alias]
    assert_it_holds(engine_of(session))


def test_what_is_not_the_donors_own_is_refused(givers: House) -> None:
    alias, other = draw(Kind.DONOR), draw(Kind.DONOR)
    good, others = an_identity(givers, alias), an_identity(givers, other)
    in_people = made.a_shelf_of_people(givers, alias)
    plain = NewIdentity(good.shelf, made.in_plain(good.box), good.tokens)
    refused: list[tuple[str, NewIdentity, type[Exception]]] = [
        (draw(Kind.BENEFICIARY), good, BadAlias),
        (alias, NewIdentity(good.shelf, others.box, []), BadDonor),
        (alias, NewIdentity(others.shelf, good.box, []), BadDonor),
        (alias, NewIdentity(in_people, good.box, []), BadDonor),
        (alias, NewIdentity(good.shelf, good.box, [(1, "person", "0" * 64)]), BadDonor),
        (alias, NewIdentity(good.shelf, good.box, [(1, "donor_email", EMAIL)]), BadDigest),
        (alias, NewIdentity(None, good.box, []), UnknownShelf),
        (alias, plain, NotASealedBox),
    ]

    with nothing_written(givers.session):
        for named, identity, refusal in refused:
            with pytest.raises(refusal):
                add(givers, named, identity)

    add(givers, alias, good)
    with nothing_written(givers.session), pytest.raises(AliasTaken):
        add(givers, alias, None)


def test_a_recurring_donor_is_found_by_a_token_and_nobody_learns_who(givers: House) -> None:
    session, by = givers.session, givers.fund.clara.alias
    donor, gift = a_donor(givers, email=EMAIL), a_gift(givers, byn("10.00"))
    same = [(1, "donor_email", a_token("donor_email", EMAIL.lower()))]
    strange = [(1, "donor_email", a_token("donor_email", "nobody@example.org"))]
    with nothing_written(session):
        assert donor_links.recognise(session, gift.alias, strange, by=by, at=NOW) == []
        with pytest.raises(UnknownDonation):
            donor_links.recognise(session, draw(Kind.DONATION), same, by=by, at=NOW)
        with pytest.raises(BadDonor):
            donor_links.recognise(session, gift.alias, [(1, "person", same[0][2])], by=by, at=NOW)

    assert donor_links.recognise(session, gift.alias, same, by=by, at=NOW) == [donor]

    assert donors.gifts_of(session, donor) == [gift.alias]
    twin = a_donor(givers, email=EMAIL)
    assert (donors.alike(session, donor), donors.alike(session, twin)) == ([twin], [donor])
    second = a_gift(givers, byn("5.00"))
    with nothing_written(session):  # two: a person decides
        assert donor_links.recognise(session, second.alias, same, by=by, at=NOW) == sorted([donor, twin])
    merge(givers, twin, donor)
    assert donor_links.recognise(session, second.alias, same, by=by, at=NOW) == [donor]
    assert donors.alike(session, donor) == []


def test_merged_donors_are_one_and_none_is_merged_twice_or_in_a_circle(givers: House) -> None:
    session = givers.session
    first, second, third = (a_donor(givers) for _ in range(3))
    gift = a_gift(givers, byn("10.00"), of=first)
    with nothing_written(session):
        for into, refusal in ((first, BadDonor), (draw(Kind.DONOR), UnknownDonor)):
            with pytest.raises(refusal):
                merge(givers, first, into)
        with pytest.raises(NotInRole):
            merge(givers, first, second, by=givers.fund.ana)
        with pytest.raises(ActDiffers):
            merge(givers, first, second, object=third)

    merge(givers, first, second)
    with nothing_written(session):
        for one, into in ((first, third), (second, first)):
            with pytest.raises(DonorMerged):
                merge(givers, one, into)
    merge(givers, second, third)

    assert donors.gifts_of(session, first) == donors.gifts_of(session, third) == [gift.alias]
    assert donors.aliases_of(session, second) == sorted([first, second, third])
    for statement in (
        "INSERT INTO donor_merge (alias, into_alias, nonce) SELECT :third, :first, min(nonce) FROM donor_merge",
        "INSERT INTO donor_merge (alias, into_alias, nonce) SELECT :third, :third, min(nonce) FROM donor_merge",
        "DELETE FROM donor_merge",
        "UPDATE donor SET recorded_by = 'nobody'",
    ):
        told = {name: alias for name, alias in (("first", first), ("third", third)) if f":{name}" in statement}
        with nothing_written(session), pytest.raises(DBAPIError):
            made.execute(session, statement, **told)
    assert_it_holds(engine_of(session))


def test_two_merges_towards_each_other_at_once_make_one(givers: House) -> None:
    first, second = a_donor(givers), a_donor(givers)

    def run(alias: str, into: str) -> Any:
        return lambda session: merge(givers.in_another(session), alias, into)

    answers = race(givers.session, run(first, second), run(second, first))

    assert sorted(type(one).__name__ for one in answers) == ["DonorMerged", "NoneType"]


def test_donors_boxes_are_handed_to_treasurers_only(givers: House) -> None:
    donor, case = a_donor(givers), givers.a_case()
    for roles in ({Role.INTAKE}, {Role.APPROVER, Role.INTAKE}, set[Role]()):
        with pytest.raises(UnknownShelf):
            readings.require_role(givers.session, [case.beneficiary_alias, donor], roles=roles)
        readings.require_role(givers.session, [case.beneficiary_alias], roles=roles)

    readings.require_role(givers.session, [donor], roles={Role.TREASURER})


# --- retention and erasure


def erase(house: House, alias: str, folder: Path, reason: Reason = Reason.WISH) -> None:
    asked = signed(house.fund.ana, "request_erasure", alias, reason)
    shelf_retention.request_erasure(house.session, alias, reason=reason, agreed=asked)
    agreed = signed(house.fund.boris, "agree_erasure", alias, reason)
    retention.carry_out_erasure(house.session, alias, agreed=agreed, listed=ErasureList(folder / FILE_NAME))
    house.session.commit()


def test_identities_are_kept_shortly_and_with_a_receipt_for_the_years_of_the_law(givers: House) -> None:
    session = givers.session
    plain, certified, twin, unknown = a_donor(givers), a_donor(givers), a_donor(givers), a_donor(givers, unknown=True)
    a_gift(givers, byn("1.00"), of=plain)
    issue(givers, a_new_receipt(session, certified, a_gift(givers, byn("2.00"), of=certified)))
    merge(givers, twin, certified)
    short, long = date(2021, 5, 20), date(2030, 12, 31)  # six months after 20 November; ten years after 2020

    assert donor_retention.kept_until(session, [plain, certified, twin, unknown]) == {
        plain: short,
        certified: long,
        twin: long,
        unknown: short,
    }
    assert shelf_retention.due(session, on=short - timedelta(days=1)) == []
    assert shelf_retention.due(session, on=short) == [Due(plain, short)]  # of the unknown nothing is kept
    assert {one.shelf for one in shelf_retention.due(session, on=long)} == {plain, certified, twin}
    asked = signed(givers.fund.ana, "request_erasure", certified, Reason.RETENTION)
    with nothing_written(session), pytest.raises(NotDue):
        shelf_retention.request_erasure(session, certified, reason=Reason.RETENTION, agreed=asked)


def test_a_later_gift_keeps_a_donor_longer(givers: House) -> None:
    donor = a_donor(givers, at=NOW - timedelta(days=200))
    before = donor_retention.kept_until(givers.session, [donor])

    a_gift(givers, byn("1.00"), of=donor)  # of 5 October

    assert before == {donor: date(2020, 11, 4)}
    assert donor_retention.kept_until(givers.session, [donor]) == {donor: date(2021, 4, 5)}


def test_an_erased_donor_is_nobody_again_and_the_books_are_whole(givers: House, tmp_path: Path) -> None:
    session = givers.session
    donor, gift = a_donor(givers, email=EMAIL), a_gift(givers, byn("10.00"))
    donor_links.link(session, gift.alias, donor=donor, by=givers.fund.clara.alias, at=NOW)
    issue(givers, a_new_receipt(session, donor, gift))
    before = balances.balance(session, LEAF, currency="BYN")

    erase(givers, donor, tmp_path)

    token = [(1, "donor_email", a_token("donor_email", EMAIL))]
    assert donors.carrying(session, token) == []  # nor by what was reckoned from the name
    assert donors.identified(session, [donor]) == set()
    assert donors.erased(session, [donor]) == {donor}
    with pytest.raises(UnknownShelf):
        made.open_shelf(givers, donor)
    again, by = NewIdentity(None, an_identity(givers, donor).box, []), givers.fund.clara.operator
    with nothing_written(session), pytest.raises(UnknownShelf):
        donors.keep_identity(session, donor, again, by=by, shred_keys=givers.shred_keys)
    assert balances.balance(session, LEAF, currency="BYN") == before
    assert donors.gifts_of(session, donor) == [gift.alias]
    assert_it_holds(engine_of(session))


def test_a_corrected_identity_is_the_next_version(givers: House) -> None:
    donor = a_donor(givers)
    shelf = givers.session.get_one(shelves.Shelf, donor)
    box = sealed(shelf.sealing_key, kind="donor", alias=donor, field="identity", content="Invented Other", version=2)

    donors.keep_identity(
        givers.session,
        donor,
        NewIdentity(None, box, []),
        by=givers.fund.clara.operator,
        shred_keys=givers.shred_keys,
    )

    assert [one.version for one in made.open_shelf(givers, donor).boxes] == [1, 2]


# --- the books' own confirmations


def switch(house: House, *, on: bool, number: int, by: Person | None = None, **other: Any) -> None:
    stated: dict[str, Any] = {"object": BOOK_ID, "version": number, "detail": "on" if on else "off"}
    agreed = agreed_by(by or house.fund.olga, "set_confirmations", **(stated | other))
    confirmations.set_confirmations(house.session, on=on, agreed=agreed)
    house.session.commit()


def test_confirmations_are_off_until_they_are_switched_on_and_name_nobody(givers: House) -> None:
    session, gift = givers.session, a_gift(givers, byn("10.00"), of=a_donor(givers))
    with nothing_written(session):
        with pytest.raises(ConfirmationsOff):
            confirmations.confirm(session, gift.alias)
        with pytest.raises(SettingStands):
            switch(givers, on=False, number=1)
        with pytest.raises(NotInRole):
            switch(givers, on=True, number=1, by=givers.fund.clara)
        with pytest.raises(ActDiffers):
            switch(givers, on=True, number=1, detail="off")
    switch(givers, on=True, number=1)

    confirmed = confirmations.confirm(session, gift.alias)

    assert (confirmed.amount, confirmed.purpose, confirmed.received_on) == (byn("10.00"), "FINES", gift.received_on)
    with pytest.raises(NotConfirmed):
        confirmations.confirm(session, draw(Kind.DONATION))
    assert_it_holds(engine_of(session))
    switch(givers, on=False, number=2)
    with pytest.raises(ConfirmationsOff):
        confirmations.confirm(session, gift.alias)


def test_a_row_without_its_act_switches_nothing_on(givers: House) -> None:
    gift = a_gift(givers, byn("10.00"))
    switch(givers, on=True, number=1)
    switch(givers, on=False, number=2)
    nonce = givers.session.get_one(ConfirmationSetting, 1).nonce
    givers.session.add(ConfirmationSetting(number=3, switched_on=True, nonce=nonce))
    givers.session.commit()

    with pytest.raises(ConfirmationsOff):
        confirmations.confirm(givers.session, gift.alias)
    assert {one.check for one in found(givers.session)} == {"receipts-signed"}


def test_an_act_is_not_handed_in_twice(givers: House) -> None:
    stated: dict[str, Any] = {"object": BOOK_ID, "version": 1, "detail": "on"}
    agreed = agreed_by(givers.fund.olga, "set_confirmations", **stated)
    confirmations.set_confirmations(givers.session, on=True, agreed=agreed)

    with nothing_written(givers.session), pytest.raises((NonceUsed, SettingStands, ActDiffers)):
        confirmations.set_confirmations(givers.session, on=True, agreed=agreed)
