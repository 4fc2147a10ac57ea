"""New rulings on the same event, as a client seals them to the shelf of the case that was quashed."""

from dataclasses import replace
from datetime import date
from typing import Any

from ledger.aid.cases import Case
from ledger.aid.sequels import Sequel
from ledger.identities.shelves import Shelf
from tests.cast import House, a_row, byn, sealed


def a_sequel(house: House, case: Case, *, issued_on: date = date(2020, 10, 19), **other: Any) -> Sequel:
    """Half the fine, for the same event."""
    row = a_row(house.fund, amount=byn("405.00"), issued_on=issued_on)
    key = house.session.get_one(Shelf, case.beneficiary_alias).sealing_key
    sequel = Sequel(
        case=row.case,
        ruling=row.ruling,
        obligation=row.obligation,
        article=row.article,
        region=row.region,
        kind=row.kind,
        amount=row.amount,
        bounds=row.bounds,
        details=sealed(key, kind="ruling", alias=row.ruling, field="details", content="again"),
        tokens=[token for token in row.tokens if token[1] != "row"],
    )
    return replace(sequel, **other)
