import pytest

from api.client import bail
from api.client.http import ApiRefusal
from ledger.aid.bail import NotPosted
from ledger.people import Role
from tests import bailing
from tests.attempts import LOOKED, told
from tests.bailing import COURT_DAY, HEARING, usd
from tests.office import Office, on_one_database


@pytest.fixture
def posted(furnished: Office) -> str:
    """The alias of bail that a court holds, on the day of its decision."""
    bailing.open_dollars(furnished)
    alias: str = bailing.a_posted_bail(furnished)["obligation"]
    furnished.set_clock(COURT_DAY)
    return alias


@on_one_database
def test_the_ages_of_bail_are_read_by_those_who_work_on_it(furnished: Office, posted: str) -> None:
    (held,) = furnished.desk("anna").api.get("/v1/bail")["bail"]

    assert (held["obligation"], held["outstanding"]["amount"], held["version"]) == (posted, "1500.00", 1)
    with pytest.raises(ApiRefusal) as refusal:
        furnished.desk("clara", role=Role.PUBLISHER).api.get("/v1/bail")
    assert refusal.value.status == 403


@on_one_database
def test_the_same_hearing_is_noted_once_and_the_same_return_announced_once(furnished: Office, posted: str) -> None:
    anna = furnished.desk("anna")
    bail.note_hearing(anna, posted, on=HEARING)
    body = {"amount": {"amount": "100.00", "currency": "USD"}, "fee": {"amount": "0.00", "currency": "USD"}}
    first = furnished.post(f"/v1/bail/{posted}/returns", body, by="anna", key="test:return")

    with furnished.nothing_written_but("stored_answer"):
        bail.note_hearing(furnished.new_desk("anna"), posted, on=HEARING)
        again = furnished.post(f"/v1/bail/{posted}/returns", body, by="anna", key="test:return")

    assert (first.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotent-Replay"] == "true"


@on_one_database
def test_a_court_keeps_no_more_than_it_holds_and_gives_no_more_back(furnished: Office, posted: str) -> None:
    anna, boris = furnished.desk("anna"), furnished.desk("boris")
    bail.announce_return(anna, posted, amount="1000.00")

    with furnished.nothing_written_but(*LOOKED, "reading_day"), pytest.raises(ApiRefusal) as kept:
        bail.forfeit(boris, posted, amount="500.01")
    with furnished.nothing_written_but(*LOOKED, "reading_day"), pytest.raises(ApiRefusal) as given:
        bail.announce_return(anna, posted, amount="500.01")
    with furnished.nothing_written(), pytest.raises(ApiRefusal) as all_fee:
        bail.announce_return(anna, posted, amount="5.00", fee="5.00")

    assert (kept.value.rule, given.value.rule, all_fee.value.rule) == ("over_bail", "over_bail", "bad_bail_part")
    assert given.value.data["left_minor"] == 50_000


@on_one_database
def test_nobody_forfeits_bail_unseen_or_as_something_else_than_was_signed(furnished: Office, posted: str) -> None:
    boris = furnished.desk("boris")
    held = bail.find(boris, posted)
    case = boris.api.get(f"/v1/cases/{held['case']}")
    stated = {"version": 1, "amount": usd("10.00"), "evidence": case["evidence_commitments"]}
    path, wire = f"/v1/bail/{posted}/forfeit", {"amount": "10.00", "currency": "USD"}
    furnished.desk("dora")

    def attempt(by: str, **other: object) -> tuple[int, str]:
        agreed = furnished.desk(by).agree("forfeit_bail", posted, **(stated | other))
        with furnished.nothing_written():
            answer = furnished.post(path, {"agreed": agreed, "amount": wire}, by=by)
        return told(answer)

    other_amount = attempt("boris", amount=usd("11.00"))
    stale = attempt("boris", version=2)

    assert (other_amount, stale) == ((409, "act_differs"), (409, "act_differs"))
    assert attempt("dora") == (409, "evidence_not_opened")


@on_one_database
def test_who_asked_for_the_bail_does_not_forfeit_it(furnished: Office, posted: str) -> None:
    with furnished.nothing_written_but(*LOOKED, "reading_day"), pytest.raises(ApiRefusal) as refusal:
        bail.forfeit(furnished.desk("anna"), posted, amount="1.00")

    assert (refusal.value.rule, refusal.value.status) == ("not_allowed", 403)


@on_one_database
def test_what_no_court_holds_is_no_bail(furnished: Office, posted: str) -> None:
    bail.forfeit(furnished.desk("boris"), posted, amount="1500.00")

    with furnished.nothing_written(), pytest.raises(NotPosted):
        bail.note_hearing(furnished.desk("anna"), posted, on=HEARING)
