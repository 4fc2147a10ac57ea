import pytest

from api.client.http import ApiRefusal
from ledger.aid import hearings
from ledger.people import Role
from ledger.storage.engine import transaction
from tests.office import Office


def test_the_ages_of_bail_are_read_by_those_who_work_on_it(furnished: Office) -> None:
    with transaction(furnished.engine, write=False) as session:
        held = hearings.age(session, on=furnished.now().date())

    assert furnished.desk("anna").api.get("/v1/bail") == {"bail": held}
    with pytest.raises(ApiRefusal) as refusal:
        furnished.desk("clara", role=Role.PUBLISHER).api.get("/v1/bail")
    assert refusal.value.status == 403
