"""What duties count, by its name."""

from datetime import UTC, datetime

from api import duties
from api.duties import Means
from api.settings import ProcessorSettings, Settings
from ledger.aid import outlays
from ledger.aid.agents import Agent
from ledger.aid.eligibility import Rejection
from tests.cast import TODAY, House, engine_of
from tests.donors import a_donor, furnish
from tests.filing import bring
from tests.ledger.aid.test_payee_retention import a_repayment, agent
from tests.ledger.reconciliation.test_shelf_retention import a_statement

__all__ = ["agent"]  # a fixture
LATER = datetime(2032, 1, 1, 4, 0, tzinfo=UTC)


def means_of(house: House, *, now: datetime) -> Means:
    engine = engine_of(house.session)
    url = engine.url.render_as_string(hide_password=False)
    settings = Settings(database_url=url, shred_key_directory=house.shred_keys.directory, demo_now=now)
    return Means(engine, settings, ProcessorSettings(), still_held=lambda: None)


def test_what_need_not_be_kept_is_counted_by_kind_and_nothing_twice(house: House, agent: Agent) -> None:
    furnish(house)
    for _ in range(2):
        a_donor(house)
    cases = [house.a_case(rejection=Rejection.ILLEGIBLE) for _ in range(4)]
    for case in cases[1:]:
        bring(house, case)
    a_statement(house)
    for _ in range(6):
        outlays.cancel(house.session, a_repayment(house, agent), on=TODAY)

    counted = duties.count_retention(means_of(house, now=LATER))

    assert counted == {
        "beneficiaries_due": 5,  # and whose fine the agent paid
        "payees_due": 6,
        "donors_due": 2,
        "statements_due": 1,
        "files_due": 3,
        "runs_removed": 0,
        "notices_removed": 0,
    }


def test_reminders_count_what_expires(house: House) -> None:
    counted = duties.remind(means_of(house, now=LATER))

    assert (counted["entries_expiring"], counted["keys_expiring"]) == (8, 0)
