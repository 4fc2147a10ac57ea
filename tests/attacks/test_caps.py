"""Attacks on the caps of a person: the same name twice, in parts, in a batch, at once, and under two epochs' keys."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import Session

from api.client import keyring, sealing
from ledger import people
from ledger.aid import acts, batch_acts, batches, intake
from ledger.aid.batch_lines import LinesRefused
from ledger.aid.caps import OverPersonCap
from ledger.aid.cases import Case
from ledger.aid.disbursements import Disbursement
from ledger.approvals import Agreed
from ledger.errors import LedgerError
from ledger.identities import shelves
from ledger.people import Role
from tests.cast import LEAF, NOW, House, Person, a_person, a_row, byn, enrol, give, nothing_written, race, the_next
from tests.comparing import join, tell_apart
from tests.packs import a_cap, belarus_with
from tests.purses import a_locked_batch, approve, create, lines_for, on_batch

NAME = "Invented Person of Two Lists"
OTHER = "Invented Person of One List"


@pytest.fixture(autouse=True)
def _tight_cap(tmp_path: Path) -> Iterator[None]:
    with belarus_with(tmp_path, a_cap(amount="1700.00", count=3)):
        yield


def a_case(house: House, amount: str = "810.00", *, name: str = NAME) -> Case:
    return house.verify(house.a_case(name=name, amount=byn(amount)), by=house.fund.anton)


def payments(house: House, *amounts: str, name: str = NAME) -> list[Disbursement]:
    give(house.session, byn("9000.00"))
    return [house.a_requested_payment(of=a_case(house, amount, name=name)) for amount in amounts]


def approve_one(house: House, payment: Disbursement, *, days_later: int = 0) -> None:
    now = NOW + timedelta(days=days_later)
    agreed = house.on_payment("approve_disbursement", payment, by=house.fund.boris, now=now)
    acts.approve_disbursement(house.session, payment.alias, agreed)
    house.session.commit()


def somebody_of_two_roles(house: House) -> Person:
    """Who may say that two are two, and approve: joined a month ago."""
    both = a_person(Role.INTAKE, Role.APPROVER)
    following = the_next(people.current(house.session), operators=(*house.fund.roster().operators, both.operator))
    enrol(house.session, following, house.fund.olga, house.fund.oleg, at=NOW - timedelta(days=30))
    return both


def refused(house: House, approval: Callable[[], object]) -> Mapping[str, object]:
    with nothing_written(house.session), pytest.raises(OverPersonCap) as refusal:
        approval()
    return refusal.value.data


def test_two_applications_of_one_person_count_together(house: House) -> None:
    first, second, third = payments(house, "810.00", "810.00", "810.00")
    approve_one(house, first)
    approve_one(house, second)

    told = refused(house, lambda: approve_one(house, third))

    assert (told["cases"], told["minor"], told["most_minor"]) == (3, 243_000, 170_000)
    assert NAME not in str(told)


def test_many_small_ones_are_counted_too(house: House) -> None:
    *few, last = payments(house, "10.00", "10.00", "10.00", "10.00")
    for one in few:
        approve_one(house, one)

    told = refused(house, lambda: approve_one(house, last))

    assert (told["count"], told["most_count"]) == (4, 3)


def test_another_person_and_another_window_are_not_counted(house: House) -> None:
    first, second, third = payments(house, "810.00", "810.00", "810.00")
    (other,) = payments(house, "1700.00", name=OTHER)
    approve_one(house, first)
    approve_one(house, second)

    approve_one(house, other)
    refused(house, lambda: approve_one(house, third, days_later=29))
    approve_one(house, third, days_later=30)


def test_a_person_under_two_names_is_counted_once_somebody_has_signed_that_they_are_one(house: House) -> None:
    first, second = payments(house, "1000.00", "1000.00", name=NAME)
    (other,) = payments(house, "1000.00", name=OTHER)
    approve_one(house, first)
    join(house, house.case_of(first), house.case_of(other))

    refused(house, lambda: approve_one(house, other))
    refused(house, lambda: approve_one(house, second))
    both = somebody_of_two_roles(house)
    tell_apart(house, house.case_of(first), house.case_of(other), by=both)
    house.open(house.case_of(other), by=both)
    alone = house.on_payment("approve_disbursement", other, by=both)
    refused(house, lambda: acts.approve_disbursement(house.session, other.alias, alone))
    approve_one(house, other)


def test_two_people_of_one_name_are_two_by_the_word_of_anybody_but_the_approver(house: House) -> None:
    first, second, third = payments(house, "1000.00", "1000.00", "1000.00")
    both = somebody_of_two_roles(house)
    approve_one(house, first)
    for case in (house.case_of(second), house.case_of(third)):
        tell_apart(house, house.case_of(first), case, by=both)
    tell_apart(house, house.case_of(second), house.case_of(third))

    house.open(house.case_of(second), by=both)
    alone = house.on_payment("approve_disbursement", second, by=both)
    refused(house, lambda: acts.approve_disbursement(house.session, second.alias, alone))
    for payment in (second, third):  # by Boris, who has not said that they are other people
        approve_one(house, payment)


def test_a_single_payment_and_a_batch_count_together(house: House) -> None:
    (single,) = payments(house, "1600.00")
    batch = a_locked_batch(house, None, LEAF, [a_case(house, "110.00"), a_case(house, "20.00", name=OTHER)])
    approve_one(house, single)

    refused(house, lambda: approve(house, batch))


def test_a_batch_and_a_single_payment_count_together(house: House) -> None:
    (single,) = payments(house, "1600.00")
    approve(house, a_locked_batch(house, None, LEAF, [a_case(house, "110.00"), a_case(house, "20.00", name=OTHER)]))

    refused(house, lambda: approve_one(house, single))


def test_the_lines_of_one_batch_count_together(house: House) -> None:
    give(house.session, byn("9000.00"))
    found = [a_case(house, "900.00"), a_case(house, "900.00"), a_case(house, "900.00", name=OTHER)]
    batch = a_locked_batch(house, None, LEAF, found)

    told = refused(house, lambda: approve(house, batch))

    assert told["case"] == " and ".join(sorted(case.alias for case in found[:2]))


def test_all_who_would_get_more_are_named_at_once_beside_what_nobody_has_opened(house: House) -> None:
    give(house.session, byn("9000.00"))
    dear, dearer = a_case(house, "1701.00"), a_case(house, "1800.00", name=OTHER)
    unseen = a_case(house, "20.00", name="Invented Person of No List")
    batch = create(house, lines_for(house, [dear, dearer, unseen]), account=LEAF)
    batches.lock(house.session, batch)
    for case in (dear, dearer):
        house.open(case, by=house.fund.boris)

    with nothing_written(house.session), pytest.raises(LinesRefused) as refusal:
        approve(house, batch)

    assert set(str(refusal.value.data["refused"]).split(", ")) == {
        f"{dear.alias} over_person_cap",
        f"{dearer.alias} over_person_cap",
        f"{unseen.alias} evidence_not_opened",
    }


def test_a_case_that_came_between_two_keys_of_the_vault_links_both_sides(house: House) -> None:
    """The vault got a second key: the first case has tokens of the old one, the third of the new one, one of both."""
    other = keyring.create_vault("people")
    old, new = sealing.token_key(house.fund.vault), sealing.token_key(other)
    tokens = {epoch: sealing.token(key, field=intake.PERSON, value=NAME) for epoch, key in ((1, old), (2, new))}
    give(house.session, byn("9000.00"))
    found: list[Disbursement] = []
    for epochs in ((1,), (1, 2), (2,)):
        case = house.receive(a_row(house.fund, amount=byn("800.00")))
        carried = [(epoch, intake.PERSON, tokens[epoch]) for epoch in epochs]
        shelves.note_tokens(house.session, carried, alias=case.alias)
        house.session.commit()
        found.append(house.a_requested_payment(of=house.verify(case, by=house.fund.anton)))
    approve_one(house, found[0])
    approve_one(house, found[1])

    refused(house, lambda: approve_one(house, found[2]))


def test_of_two_approvals_at_once_only_one_passes_the_cap(house: House) -> None:
    first, second = payments(house, "900.00", "900.00")
    agreed = {
        one.alias: house.on_payment("approve_disbursement", one, by=by)
        for one, by in ((first, house.fund.boris), (second, house.fund.bella))
    }

    answers = race(house.session, *(_approval(alias, agreed[alias]) for alias in agreed))

    assert sorted(type(one) is OverPersonCap for one in answers) == [False, True]


def test_a_batch_and_a_single_payment_at_once_do_not_pass_together(house: House) -> None:
    (single,) = payments(house, "900.00")
    batch = a_locked_batch(house, None, LEAF, [a_case(house, "900.00")])
    one = house.on_payment("approve_disbursement", single, by=house.fund.boris)
    other = on_batch(house, "approve_batch", batch, by=house.fund.bella)
    alias = batch.alias

    answers: list[object | LedgerError] = race(
        house.session,
        _approval(single.alias, one),
        lambda session: batch_acts.approve_batch(session, alias, other),
    )

    assert sorted(type(answer) is OverPersonCap for answer in answers) == [False, True]


def _approval(alias: str, agreed: Agreed) -> Callable[[Session], object]:
    return lambda session: acts.approve_disbursement(session, alias, agreed)
