"""Erasure: two people, a key less, books as they were."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from ledger import checks
from ledger.aid import retention
from ledger.aid.cases import Case
from ledger.aid.eligibility import Rejection
from ledger.aid.retention import NotDue
from ledger.approvals import ActDiffers, NotInRole, SamePerson
from ledger.errors import LedgerError
from ledger.identities import erasure
from ledger.identities.erasure import Erasure, ErasureStands, State, UnknownErasure
from ledger.identities.erasure_list import (
    FILE_NAME,
    Erased,
    ErasureList,
    ErasureListDamaged,
    ErasureListMissing,
    Reason,
)
from ledger.identities.shelves import Box, PersonKey, Token, UnknownShelf
from ledger.storage import guards
from tests.cast import NOW, House, Person, a_person, byn, everything, give, nothing_written
from tests.erasing import ask, erase, signed


@pytest.fixture
def listed(tmp_path: Path) -> ErasureList:
    return ErasureList(tmp_path / "shred" / FILE_NAME)


def test_after_erasure_nobody_opens_the_shelf_and_the_books_stay(house: House, listed: ErasureList) -> None:
    give(house.session, byn("5000.00"))
    paid, other = house.a_released_payment(), house.a_case()
    case = house.session.get_one(Case, paid.case_alias)
    before = everything(house.session)

    erase(house, case, listed)

    after = everything(house.session)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"person_key", "token", "erasure", "signed_act"}
    assert house.session.exec(select(PersonKey.alias)).all() == [other.beneficiary_alias]
    assert {token.alias for token in house.session.exec(select(Token))} == {other.alias}
    assert house.session.exec(select(Box).where(Box.shelf_alias == case.beneficiary_alias)).all()
    with pytest.raises(UnknownShelf):
        house.open(case, by=house.fund.boris)
    assert house.open(other, by=house.fund.boris).boxes


def test_the_key_of_every_epoch_is_deleted(house: House, listed: ErasureList) -> None:
    case = house.a_case()
    first = house.session.get_one(PersonKey, (case.beneficiary_alias, 1))
    house.session.add(PersonKey(alias=first.alias, epoch=2, locked=first.locked))
    house.session.commit()

    erase(house, case, listed)

    assert house.session.exec(select(PersonKey)).all() == []


def test_an_erasure_is_pending_until_backups_have_expired_and_the_residue_is_cleared(
    house: House, listed: ErasureList
) -> None:
    case = house.a_case()
    erased = ask(house, case)
    assert erasure.standing(erased, on=NOW.date()).state is State.REQUESTED
    agreed = signed(house.fund.boris, "agree_erasure", case.beneficiary_alias)
    retention.carry_out_erasure(house.session, case.beneficiary_alias, agreed=agreed, listed=listed)

    assert erasure.standing(erased, on=date(2030, 1, 1)) == erasure.Standing(State.PENDING, date(2020, 12, 20))
    assert erasure.mark_cleared(house.session, at=NOW) == 1
    assert erasure.standing(erased, on=date(2020, 12, 20)).state is State.PENDING
    assert erasure.standing(erased, on=date(2020, 12, 21)).state is State.ERASED
    assert erasure.mark_cleared(house.session, at=NOW) == 0


def test_the_list_outside_the_database_names_every_erasure(house: House, listed: ErasureList) -> None:
    cases = [house.a_case(), house.a_case()]

    for case in cases:
        erase(house, case, listed, Reason.DANGER)

    ana, boris = house.fund.ana.alias, house.fund.boris.alias
    assert listed.read() == [Erased(case.beneficiary_alias, NOW, Reason.DANGER, ana, boris) for case in cases]
    assert listed.path.stat().st_mode & 0o077 == 0


def test_an_erasure_that_is_not_committed_can_be_agreed_to_again(house: House, listed: ErasureList) -> None:
    case = house.a_case()
    ask(house, case)
    house.session.commit()
    agreed = signed(house.fund.boris, "agree_erasure", case.beneficiary_alias)
    retention.carry_out_erasure(house.session, case.beneficiary_alias, agreed=agreed, listed=listed)
    house.session.rollback()

    retention.carry_out_erasure(house.session, case.beneficiary_alias, agreed=agreed, listed=listed)

    assert house.session.exec(select(PersonKey)).all() == []
    assert len(listed.read()) == 2


Act = Callable[[House, Case, ErasureList], object]


def _agree(house: House, case: Case, listed: ErasureList, by: Person, **other: Any) -> object:
    agreed = signed(by, "agree_erasure", case.beneficiary_alias, **other)
    return retention.carry_out_erasure(house.session, case.beneficiary_alias, agreed=agreed, listed=listed)


def _asked_by_one_who_approves(house: House, case: Case, listed: ErasureList) -> None:
    erased = house.session.get_one(Erasure, case.beneficiary_alias)
    erased.requested_by = house.fund.boris.alias
    house.session.flush()
    _agree(house, case, listed, house.fund.boris)


@pytest.mark.parametrize(
    ("refusal", "act"),
    [
        (ActDiffers, lambda h, c, e: _agree(h, c, e, h.fund.boris, reason=Reason.MISTAKE)),
        (ActDiffers, lambda h, c, e: _agree(h, c, e, h.fund.boris, object="B-0000-0000-0000")),
        (NotInRole, lambda h, c, e: _agree(h, c, e, h.fund.clara)),
        (LedgerError, lambda h, c, e: _agree(h, c, e, a_person())),
        (ErasureStands, lambda h, c, _: ask(h, c)),
    ],
)
def test_what_two_people_did_not_agree_to_erases_nobody(
    house: House, listed: ErasureList, refusal: type[LedgerError], act: Act
) -> None:
    case = house.a_case()
    ask(house, case)

    with nothing_written(house.session), pytest.raises(refusal):
        act(house, case, listed)

    assert not listed.path.exists()


def test_who_asked_does_not_agree(house: House, listed: ErasureList) -> None:
    case = house.a_case()
    ask(house, case)
    before = house.session.exec(select(PersonKey)).all()

    with pytest.raises(SamePerson):
        _asked_by_one_who_approves(house, case, listed)

    assert house.session.exec(select(PersonKey)).all() == before
    assert not listed.path.exists()


def test_nobody_is_erased_unasked_or_twice_and_no_stranger_is(house: House, listed: ErasureList) -> None:
    erased, asked_for_nothing = house.a_case(), house.a_case()
    erase(house, erased, listed)

    with nothing_written(house.session):
        with pytest.raises(UnknownErasure):
            _agree(house, asked_for_nothing, listed, house.fund.boris)
        with pytest.raises(ErasureStands):
            _agree(house, erased, listed, house.fund.bella)
        agreed = signed(house.fund.ana, "request_erasure", "B-0000-0000-0000")
        with pytest.raises(UnknownShelf):
            erasure.request(house.session, "B-0000-0000-0000", reason=Reason.WISH, agreed=agreed)
    assert len(listed.read()) == 1


@pytest.mark.parametrize(
    "attack",
    [
        "INSERT INTO person_key (alias, epoch, locked) SELECT :alias, 3, data FROM box LIMIT 1",
        "UPDATE person_key SET alias = :alias",
        "DELETE FROM erasure",
        "UPDATE erasure SET erased_at = NULL",
        "UPDATE erasure SET shelf_alias = (SELECT alias FROM person_key LIMIT 1)",
    ],
)
def test_raw_sql_brings_no_erased_person_back(house: House, listed: ErasureList, attack: str) -> None:
    erased, _other = house.a_case(), house.a_case()
    erase(house, erased, listed)
    before = everything(house.session)

    with pytest.raises(DBAPIError, match="guard"):
        house.session.connection().execute(text(attack), {"alias": erased.beneficiary_alias})
    house.session.rollback()

    assert everything(house.session) == before


def test_a_key_that_an_owner_of_the_database_puts_back_is_found(house: House, listed: ErasureList) -> None:
    erased, _other = house.a_case(), house.a_case()
    erase(house, erased, listed)
    guards.remove(house.session.connection())
    put_back = "UPDATE person_key SET alias = :alias"
    house.session.connection().execute(text(put_back), {"alias": erased.beneficiary_alias})

    assert ("erased", erased.beneficiary_alias) in {(one.check, one.name) for one in checks.findings(house.session)}


def test_a_list_with_a_line_cut_in_two_goes_on(listed: ErasureList) -> None:
    one = Erased("B-0000-0000-0001", NOW, Reason.WISH, "OP-0000-0000-0001", "OP-0000-0000-0002")
    listed.append(one)
    with listed.path.open("ab") as file:
        file.write(b"B-0000-0000-00")

    assert listed.read() == [one]
    listed.append(one)
    assert listed.read() == [one, one]


@pytest.mark.parametrize("strange", [b"somebody\n", "Канарейка\n".encode(), b"\n", b"\xff\n"])
def test_a_damaged_or_missing_list_is_told_and_never_taken_for_an_empty_one(
    listed: ErasureList, strange: bytes
) -> None:
    with pytest.raises(ErasureListMissing):
        listed.read()
    listed.path.parent.mkdir(exist_ok=True)
    listed.path.write_bytes(strange)

    with pytest.raises(ErasureListDamaged) as refusal:
        listed.read()

    assert refusal.value.data == {"line": 1}


# --- retention


def test_a_rejected_case_is_due_when_the_packs_months_are_over(house: House) -> None:
    case = house.a_case(rejection=Rejection.ILLEGIBLE)
    received = case.received_on
    due_on = date(received.year + (received.month + 6 > 12), (received.month + 5) % 12 + 1, received.day)

    assert retention.due(house.session, on=due_on - timedelta(days=1)) == []
    assert retention.due(house.session, on=due_on) == [retention.Due(case.beneficiary_alias, due_on)]


def test_a_case_under_way_is_never_due(house: House) -> None:
    house.a_verified_case()

    assert retention.due(house.session, on=date(2090, 1, 1)) == []


def test_reasons_of_retention_need_what_is_due_and_no_other_reason_does(house: House) -> None:
    case = house.a_verified_case()

    with nothing_written(house.session), pytest.raises(NotDue):
        ask(house, case, Reason.RETENTION)

    assert ask(house, case, Reason.DANGER).reason is Reason.DANGER


def test_who_is_asked_for_is_not_proposed_again(house: House) -> None:
    cases = [house.a_case(rejection=Rejection.ILLEGIBLE) for _ in range(3)]
    far = date(2090, 1, 1)
    ask(house, cases[0])

    found = retention.due(house.session, on=far)

    rest = sorted(case.beneficiary_alias for case in cases[1:])
    assert [one.shelf for one in found] == rest
    assert [one.shelf for one in retention.due(house.session, on=far, after=rest[0])] == rest[1:]
    assert [one.shelf for one in retention.due(house.session, on=far, limit=1)] == rest[:1]
