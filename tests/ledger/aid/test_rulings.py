from datetime import date

import pytest

from ledger.aid import rulings
from ledger.aid.eligibility import Bounds
from ledger.aliases import AliasTaken, BadAlias, Kind, draw
from tests.cast import House, nothing_written

EARLY = Bounds(date(2020, 10, 4), date(2020, 10, 11), date(2020, 11, 2), force_presumed=True)
LATE = Bounds(date(2020, 10, 18), date(2020, 10, 25), date(2020, 11, 16), force_presumed=False)


def test_rulings_of_a_case_are_told_earliest_first(house: House) -> None:
    case = house.a_case().alias
    (first,) = rulings.of_case(house.session, case)

    late = rulings.add(house.session, draw(Kind.RULING), case=case, article="23.34", region="brest", bounds=LATE)

    assert rulings.of_case(house.session, case) == [first, late]
    assert (late.ruled_by, late.payable_from, late.due_by, late.force_presumed) == (
        date(2020, 10, 18),
        date(2020, 10, 25),
        date(2020, 11, 16),
        False,
    )


def test_a_rulings_alias_is_a_rulings_and_not_taken(house: House) -> None:
    case = house.a_case().alias
    (standing,) = rulings.of_case(house.session, case)

    for alias, kind in ((standing.alias, AliasTaken), (case, BadAlias)):
        with nothing_written(house.session), pytest.raises(kind):
            rulings.add(house.session, alias, case=case, article="23.34", region="brest", bounds=EARLY)
