"""What waits in a house's queue: begun, seen by who may end it and by nobody else, and gone when it is ended."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from ledger import people, queue
from ledger.people import Limit, Role
from ledger.queue import Waiting
from tests.cast import TODAY, House, enrol, the_next

OTHER = "OP-0000-0000-0001"


@dataclass(frozen=True)
class Work:
    """What waits, since when, for whom it does not although the role is theirs, and what ends it."""

    alias: str
    day: date
    end: Callable[[], object]
    not_for: str | None = None


def waiting(
    house: House,
    name: str,
    role: Role,
    *,
    operator: str = OTHER,
    after: tuple[date, str] | None = None,
    limit: int = 9,
    on: date = TODAY,
) -> list[Waiting]:
    return queue.page(house.session, name, roles=[role], operator=operator, on=on, after=after, limit=limit)


def objects(house: House, name: str, *, operator: str = OTHER) -> list[str]:
    """What somebody of its role finds in a section, which is as much as is counted."""
    (section,) = [one for one in queue.SECTIONS if one.name == name]
    role = min(section.roles)
    found = queue.page(house.session, name, roles=[role], operator=operator, on=TODAY, after=None, limit=99)
    assert queue.count(house.session, section, operator=operator, on=TODAY) == len(found)
    return [one.object for one in found]


def follow(house: House, name: str, role: Role, *, days: int, work: Work) -> None:
    """It alone waits until it is done, and not for who began it."""
    (found,) = waiting(house, name, role)
    assert (found.object, found.deadline) == (work.alias, work.day + timedelta(days=days))
    assert found.is_late == (found.deadline < TODAY)
    assert queue.counts(house.session, roles=[role], operator=OTHER, on=TODAY)[name] == 1
    if work.not_for is not None:
        assert waiting(house, name, role, operator=work.not_for) == []
    assert waiting(house, name, role, after=(date.min, "")) == [found]
    assert waiting(house, name, role, after=(found.deadline, found.object)) == []
    work.end()
    assert waiting(house, name, role) == []


def set_thirds(house: House, above: str, *currencies: str) -> None:
    """The officers ask for a third person above an amount in these currencies."""
    limits = tuple(Limit(role=Role.APPROVER, currency=one, third_above=above) for one in currencies)
    before = people.current(house.session)
    enrol(
        house.session,
        the_next(before, format="solidarity-roster-3", limits=limits),
        house.fund.olga,
        house.fund.oleg,
    )
    house.session.commit()
