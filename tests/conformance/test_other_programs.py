"""Other accounting programs come to our trial balance for a generated journal; for the season see `tests/stories`."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlmodel import Session

from tests.journals import keep_books
from tests.other_programs import Cells, our_cells, told_by_beancount, told_by_hledger, told_by_the_table

Teller = Callable[[Session, Path], Cells]
everybody = pytest.mark.parametrize("teller", [told_by_beancount, told_by_hledger, told_by_the_table])


@everybody
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("seed", [1, 2])
def test_another_program_comes_to_our_trial_balance(
    founded: Session, tmp_path: Path, teller: Teller, seed: int
) -> None:
    keep_books(founded, entries=150, seed=seed)

    assert teller(founded, tmp_path) == our_cells(founded)
