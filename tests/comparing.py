"""Reviewers who open two cases, and sign whether they are of one person."""

from collections.abc import Callable
from typing import Any

from sqlmodel import Session

from ledger.aid import person_acts, persons
from ledger.aid.cases import Case
from ledger.aid.persons import SamePerson
from ledger.approvals import Agreed, Verb
from tests.cast import House, Person, agreed_by


def on_persons(
    house: House, verb: Verb, first: Case, second: Case, *, by: Person | None = None, **other: Any
) -> Agreed:
    """What a client signs of two cases' people it sees; `other` are fields in which an attacker lies."""
    of = persons.pair(first.beneficiary_alias, second.beneficiary_alias)
    seen: dict[str, Any] = {
        "object": of[0],
        "detail": of[1],
        "version": len(persons.told_of(house.session, of)) + 1,
        "evidence_commitments": tuple(person_acts.commitments_of(house.session, *of)),
    }
    return agreed_by(by or house.fund.anton, verb, **(seen | other))


def join(house: House, first: Case, second: Case, *, by: Person | None = None, **other: Any) -> SamePerson:
    return _say(house, person_acts.join, "join_beneficiaries", first, second, by=by, **other)


def tell_apart(house: House, first: Case, second: Case, *, by: Person | None = None, **other: Any) -> SamePerson:
    return _say(house, person_acts.tell_apart, "tell_apart", first, second, by=by, **other)


def _say(
    house: House,
    say: Callable[[Session, str, str, Agreed], SamePerson],
    verb: Verb,
    first: Case,
    second: Case,
    *,
    by: Person | None,
    **other: Any,
) -> SamePerson:
    for case in (first, second):
        house.open(case, by=by or house.fund.anton)
    agreed = on_persons(house, verb, first, second, by=by, **other)
    said = say(house.session, first.beneficiary_alias, second.beneficiary_alias, agreed)
    house.session.commit()
    return said
