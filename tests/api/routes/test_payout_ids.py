"""How a request names a payout: by the processor's id, and, of one that was paid again, by its number."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from api.routes import bank_gifts, resolutions


@pytest.mark.parametrize("form", [resolutions.PayoutId, bank_gifts.PayoutId])
def test_a_payout_that_was_paid_again_is_named_by_its_number(form: Any) -> None:
    named = TypeAdapter[str](form)

    assert [named.validate_python(one) for one in ("po_Invented0001", "po_Invented0001:2")]
    for strange in ("po_Invented0001:", "po_Invented0001:2:3", "po_Invented0001:2\n", "po_Kanarejka Donor"):
        with pytest.raises(ValidationError):
            named.validate_python(strange)
