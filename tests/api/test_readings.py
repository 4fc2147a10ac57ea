"""Row 31: bulk reading by an insider. Work that waits is opened without end, beyond it there is a limit a day."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import httpx2

from api.client import accesses, batches, payments, verifications
from api.client.http import in_process
from api.settings import Settings
from ledger.people import Role
from tests.attempts import told
from tests.office import BYN_LEAF, DECISION_DAY, Office, on_one_database
from tests.papers import a_list_row


def set_limit(office: Office, limit: int) -> None:
    settings: Settings = office.app.state.settings
    office.app.state.settings = settings.model_copy(update={"readings_a_day": limit})


def verified(office: Office, count: int) -> list[dict[str, Any]]:
    """Cases whose shelves nobody needs to open now, on a new day."""
    taken = office.take_in(*(a_list_row(line=2 + number) for number in range(count)))
    verifications.verify_many(office.desk("anna"), taken)
    office.set_clock(DECISION_DAY)
    return [office.desk("anna").api.get(f"/v1/cases/{alias}") for alias in taken]


def fetch(office: Office, *shelves: str, by: str = "anna", http: httpx2.Client | None = None) -> httpx2.Response:
    params = {"alias": list(shelves), "reason": "payment"}
    headers = {"Authorization": f"Bearer {office.bearer(by)}"}
    return (http or office.http).request("GET", "/v1/boxes", params=params, headers=headers)


def test_beyond_the_limit_nothing_is_opened_until_the_next_day_and_an_exception_stays(furnished: Office) -> None:
    shelves = [case["beneficiary"] for case in verified(furnished, 4)]
    set_limit(furnished, 3)
    assert fetch(furnished, *shelves[:2]).status_code == 200
    assert fetch(furnished, *shelves[:2]).status_code == 200  # the same again is none more

    with furnished.nothing_written_but("exception"):
        refused = [fetch(furnished, *shelves[2:]) for _ in range(2)]

    assert {told(answer) for answer in refused} == {(429, "too_many_readings")}
    assert {answer.json()["ends_at"] for answer in refused} == {"2020-10-06T00:00:00+00:00"}
    (alarm,) = furnished.desk("clara").api.get("/v1/exceptions")["exceptions"]
    assert (alarm["difference"], alarm["about"]) == ("too_many_readings", f"{furnished.alias('anna')}:2020-10-05")
    assert (alarm["account"], alarm["amount"]) == (None, None)
    assert fetch(furnished, shelves[2]).status_code == 200
    assert told(fetch(furnished, shelves[3])) == (429, "too_many_readings")
    assert fetch(furnished, shelves[3], by="boris").status_code == 200
    furnished.set_clock(DECISION_DAY + timedelta(days=1))
    assert fetch(furnished, *shelves[1:]).status_code == 200


def test_many_requests_at_once_open_no_more_than_one_after_the_other(furnished: Office) -> None:
    shelves = [case["beneficiary"] for case in verified(furnished, 6)]
    set_limit(furnished, 2)
    start = Barrier(len(shelves))

    def run(shelf: str) -> int:
        with in_process(furnished.app) as http:
            start.wait()
            return fetch(furnished, shelf, http=http).status_code

    with ThreadPoolExecutor(len(shelves)) as threads:
        answers = list(threads.map(run, shelves))

    assert sorted(answers) == [200, 200, 429, 429, 429, 429]


def test_a_file_of_a_shelf_counts_as_the_shelf(furnished: Office) -> None:
    first, second = verified(furnished, 2)
    file = furnished.bring_evidence(second["alias"])
    set_limit(furnished, 1)
    assert fetch(furnished, first["beneficiary"], by="boris").status_code == 200

    with furnished.nothing_written_but("exception"):
        answer = furnished.send(
            "GET", f"/v1/evidence/{file['alias']}/1?reason=approval", bearer=furnished.bearer("boris")
        )

    assert told(answer) == (429, "too_many_readings")


@on_one_database
def test_cases_that_wait_for_their_verification_do_not_count(furnished: Office) -> None:
    set_limit(furnished, 1)
    taken = furnished.take_in(*(a_list_row(line=2 + number) for number in range(3)))

    assert set(verifications.verify_many(furnished.desk("anna"), taken).values()) == {"verified"}


def test_a_locked_batch_is_work_for_others_than_who_asked_for_it(furnished: Office) -> None:
    chosen = verified(furnished, 3)
    anna, boris = furnished.desk("anna"), furnished.desk("boris")
    batch = batches.create(anna, list(batches.candidates(anna)), account=BYN_LEAF)
    batches.lock(anna, batch["alias"])
    furnished.set_clock(DECISION_DAY + timedelta(days=1))
    set_limit(furnished, 1)

    assert told(fetch(furnished, *(case["beneficiary"] for case in chosen))) == (429, "too_many_readings")
    batches.approve(boris, batch["alias"])
    assert fetch(furnished, *(case["beneficiary"] for case in chosen)).status_code == 200  # somebody agreed to it


@on_one_database
def test_a_requested_payment_is_work_for_others_than_who_asked_for_it(furnished: Office) -> None:
    first, second = (case["alias"] for case in verified(furnished, 2))
    anna = furnished.desk("anna")
    requested = [payments.request(anna, alias, account=BYN_LEAF) for alias in (first, second)]
    furnished.set_clock(DECISION_DAY + timedelta(days=1))
    set_limit(furnished, 1)

    shelves = [anna.api.get(f"/v1/cases/{alias}")["beneficiary"] for alias in (first, second)]
    assert told(fetch(furnished, *shelves)) == (429, "too_many_readings")
    for one in requested:
        payments.approve(furnished.desk("boris"), one)
    assert fetch(furnished, *shelves).status_code == 200  # agreed to, it is the treasurer's to pay


def test_auditors_find_readings_by_operator_shelf_and_day_page_by_page(furnished: Office) -> None:
    first, second = verified(furnished, 2)
    for by, case in (("anna", first), ("boris", first), ("boris", second)):
        assert fetch(furnished, case["beneficiary"], by=by).status_code == 200
    clara, boris = furnished.desk("clara"), furnished.alias("boris")
    day = DECISION_DAY.date()

    of_boris = accesses.listed(clara, operator=boris, most=10)
    of_first = accesses.listed(clara, shelf=first["beneficiary"], on=day, most=10)
    newest = accesses.listed(clara, most=2)
    page = clara.api.get("/v1/access-log", limit=1)
    rest = clara.api.get("/v1/access-log", cursor=page["next"], limit=1000)

    assert [one["alias"] for one in of_boris] == [second["beneficiary"], first["beneficiary"]]
    assert [one["operator"] for one in of_first] == [boris, furnished.alias("anna")]
    assert newest == of_boris
    assert page["accesses"] == newest[:1]
    assert len(rest["accesses"]) == 4
    assert rest["next"] is None
    assert accesses.listed(clara, on=day - timedelta(days=30), most=10) == []


@on_one_database
def test_a_pack_of_work_does_not_exhaust_the_limit_and_a_curious_reader_is_stopped(furnished: Office) -> None:
    """Each reads what is theirs beyond the limit, and with the same roles nothing that is somebody else's."""
    chosen = [case["beneficiary"] for case in verified(furnished, 4)]
    anna, boris = furnished.desk("anna"), furnished.desk("boris")
    set_limit(furnished, 1)

    # Anna has verified them herself, and Boris pays nothing: Dora, who may ask for payment, opens all of them.
    for curious in ("anna", "boris"):
        assert told(fetch(furnished, *chosen, by=curious)) == (429, "too_many_readings")
    assert fetch(furnished, *chosen, by="dora").status_code == 200

    # In a locked batch they are the approver's work, and nobody's else any more.
    set_limit(furnished, 500)
    batch = batches.create(anna, list(batches.candidates(anna)), account=BYN_LEAF)
    batches.lock(anna, batch["alias"])
    furnished.set_clock(DECISION_DAY + timedelta(days=1))
    set_limit(furnished, 1)
    assert told(fetch(furnished, *chosen, by="anna")) == (429, "too_many_readings")
    batches.approve(boris, batch["alias"])

    # Agreed to, they are the treasurer's; the approver who has signed is as curious as anybody.
    assert fetch(furnished, *chosen, by="anna").status_code == 200
    furnished.set_clock(DECISION_DAY + timedelta(days=2))
    assert told(fetch(furnished, *chosen, by="boris")) == (429, "too_many_readings")


@on_one_database
def test_a_key_of_one_role_opens_the_work_of_that_role_only(furnished: Office) -> None:
    taken = furnished.take_in(*(a_list_row(line=2 + number) for number in range(3)))
    shelves = [furnished.desk("anna").api.get(f"/v1/cases/{alias}")["beneficiary"] for alias in taken]
    set_limit(furnished, 1)
    as_treasurer = {"Authorization": f"Bearer {furnished.bearer('anna', Role.TREASURER)}"}
    params = {"alias": shelves, "reason": "payment"}

    assert told(furnished.http.request("GET", "/v1/boxes", params=params, headers=as_treasurer)) == (
        429,
        "too_many_readings",
    )
    assert fetch(furnished, *shelves).status_code == 200
