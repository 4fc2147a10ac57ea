"""A disbursement withdrawn before its release: its hold is freed, its obligation asked for again, and no later."""

from typing import Any

import pytest

from api.client import payments
from ledger.people import Role
from tests.attempts import refused, told
from tests.bookkeeping import BYN_LEAF
from tests.office import Office, on_one_database


@pytest.mark.parametrize("step", ["requested", "approved"])
def test_what_was_not_released_is_withdrawn_and_asked_for_again(furnished: Office, step: str) -> None:
    steps = {"requested": furnished.a_requested_payment, "approved": furnished.an_approved_payment}
    given_up: dict[str, Any] = steps[step]()
    anna = furnished.desk("anna")

    cancelled = payments.cancel(anna, given_up)
    again = payments.request(anna, given_up["case"], account=BYN_LEAF)

    assert (cancelled["state"], again["state"]) == ("cancelled", "requested")
    assert again["alias"] != given_up["alias"]
    payments.approve(furnished.desk("boris"), again)  # the fund had the money free for it
    assert furnished.payment(again["alias"])["state"] == "approved"


@on_one_database
def test_what_was_released_or_is_anothers_is_not_withdrawn(furnished: Office) -> None:
    released = furnished.a_released_payment()

    with refused(furnished, "disbursement_not_ready", status=409):
        payments.cancel(furnished.desk("anna"), released)
    with furnished.nothing_written():
        missing = furnished.post("/v1/disbursements/D-0000-0000-0000/cancel", {}, by="anna")
        closed = furnished.post(f"/v1/disbursements/{released['alias']}/cancel", {}, by="boris", role=Role.APPROVER)

    assert told(missing) == (404, "unknown_disbursement")
    assert closed.status_code == 403
