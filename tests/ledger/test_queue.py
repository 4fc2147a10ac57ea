from collections.abc import Sequence
from datetime import date

import pytest

from ledger import queue
from ledger.aid import cases, disbursements
from ledger.people import Role
from ledger.queue import UnknownSection, Waiting
from tests.cast import LEAF, NOW, TODAY, House, byn, give
from tests.purses import a_locked_batch

MUCH_LATER = date(2021, 6, 1)


def page(
    house: House, name: str, *roles: Role, operator: str = "OP-0000-0000-0001", on: date = TODAY, limit: int = 50
) -> list[Waiting]:
    return queue.page(house.session, name, roles=roles, operator=operator, on=on, after=None, limit=limit)


def counts(house: House, *roles: Role, operator: str = "OP-0000-0000-0001", on: date = TODAY) -> dict[str, int]:
    return queue.counts(house.session, roles=roles, operator=operator, on=on)


def objects(found: Sequence[Waiting]) -> list[str]:
    return [one.object for one in found]


def test_a_role_sees_its_own_work_only(house: House) -> None:
    told = counts(house, Role.APPROVER)
    assert {"to_approve", "batches_to_approve", "advances_to_approve"} <= set(told)
    assert not {"to_verify", "to_release", "advances_to_release", "exceptions"} & set(told)
    assert set(counts(house, Role.AUDITOR)) == {"cash_to_witness", "sheets_to_review"}
    assert set(counts(house, Role.PUBLISHER)) == {"cash_to_witness"}
    assert counts(house) == {}
    for name in ("to_verify", "no_such_section"):
        with pytest.raises(UnknownSection):
            page(house, name, Role.APPROVER)


def test_the_oldest_deadline_is_first_and_what_has_passed_is_late(house: House) -> None:
    later, sooner = house.a_case(issued_on=date(2020, 10, 12)), house.a_case(issued_on=date(2020, 9, 28))

    found = page(house, "to_verify", Role.INTAKE, on=date(2020, 11, 12))

    assert objects(found) == [sooner.alias, later.alias]
    assert [one.is_late for one in found] == [True, False]
    assert objects(page(house, "overdue", Role.INTAKE, on=date(2020, 11, 12))) == [sooner.alias]
    assert counts(house, Role.INTAKE, on=date(2020, 11, 12))["to_verify"] == 2


@pytest.mark.parametrize("name", ["to_verify", "overdue"])
def test_pages_go_through_everything_once(house: House, name: str) -> None:
    expected = [house.a_case(issued_on=day).alias for day in (date(2020, 9, 7), date(2020, 9, 28), date(2020, 9, 28))]
    if name == "overdue":
        expected.append(house.a_verified_case().alias)
    seen: list[Waiting] = []
    after = None

    while found := queue.page(
        house.session,
        name,
        roles=[Role.INTAKE],
        operator="OP-0000-0000-0001",
        on=MUCH_LATER,
        after=after,
        limit=2,
    ):
        seen += found
        after = (found[-1].deadline, found[-1].object)

    assert sorted(objects(seen)) == sorted(expected)
    assert [(one.deadline, one.object) for one in seen] == sorted((one.deadline, one.object) for one in seen)


def test_possible_duplicates_wait_for_their_reviewers(house: House) -> None:
    first, second, _ = (house.a_case(ruling_number=number) for number in ("5-77", "5-77", "5-78"))

    assert sorted(objects(page(house, "possible_duplicates", Role.INTAKE))) == sorted([first.alias, second.alias])


def test_who_asked_or_approved_does_not_wait_for_themselves(house: House) -> None:
    give(house.session, byn("1620.00"))
    asked, agreed_to = house.a_requested_payment(), house.an_approved_payment()

    assert objects(page(house, "to_approve", Role.APPROVER)) == [asked.alias]
    assert page(house, "to_approve", Role.APPROVER, operator=asked.requested_by) == []
    assert objects(page(house, "to_release", Role.TREASURER)) == [agreed_to.alias]
    assert page(house, "to_release", Role.TREASURER, operator=agreed_to.approved_by or "") == []


def test_a_batch_waits_as_one_with_the_earliest_deadline_of_its_lines(house: House) -> None:
    give(house.session, byn("1620.00"))
    chosen = [
        house.verify(house.a_case(issued_on=day), by=house.fund.anton) for day in (date(2020, 9, 28), date(2020, 9, 7))
    ]
    batch = a_locked_batch(house, None, LEAF, chosen)

    (found,) = page(house, "batches_to_approve", Role.APPROVER)

    assert (found.object, found.case, found.deadline) == (batch.alias, None, min(case.due_by for case in chosen))
    assert page(house, "to_approve", Role.APPROVER) == []
    key = (found.deadline, found.object)
    assert not queue.page(
        house.session,
        "batches_to_approve",
        roles=[Role.APPROVER],
        operator="OP-0000-0000-0001",
        on=TODAY,
        after=key,
        limit=9,
    )


def test_holds_and_missing_receipts_grow_old(house: House) -> None:
    give(house.session, byn("810.00"))
    paid = house.a_released_payment()
    disbursements.pay(
        house.session,
        paid,
        source_key="bank:1",
        on=TODAY,
        recorded_at=NOW,
        recorded_by="test",
    )
    held = house.a_case()
    cases.hold(house.session, held, on=TODAY)

    for name, alias, days in (
        ("on_hold", held.alias, queue.HOLD_DAYS),
        ("receipts_missing", paid.case_alias, queue.RECEIPT_DAYS),
    ):
        (young,) = page(house, name, Role.INTAKE)
        (old,) = page(house, name, Role.INTAKE, on=MUCH_LATER)
        assert (young.object, (young.deadline - TODAY).days) == (alias, days)
        assert (young.is_late, old.is_late) == (False, True)
