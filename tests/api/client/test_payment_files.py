"""Payment files from release to statement: what the bank sees, what the server knows, and what is refused."""

import stat
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from api.client import payment_files
from api.client.credit_transfers import BadOrder, Debtor, Form
from api.client.payment_files import NothingReleased
from api.client.private_files import FolderNotPrivate
from tests.attempts import refused
from tests.bookkeeping import BYN_LEAF
from tests.canaries import sightings
from tests.office import Office, on_one_database
from tests.papers import a_list_row

CANARIES = {"name": "Kanarejka Ivanova", "court": "Kanarejka district court", "payee_account": "KANARACCT0042"}


def texts(file: bytes, name: str) -> list[str]:
    return [str(found.text) for found in etree.fromstring(file).iter(f"{{*}}{name}")]


def test_a_file_tells_the_bank_payee_account_and_reference_and_the_server_nothing_of_them(furnished: Office) -> None:
    released = furnished.a_released_payment(a_list_row(**CANARIES))

    written = furnished.a_payment_file()

    content = written.path.read_bytes()
    assert stat.S_IMODE(written.path.stat().st_mode) == 0o600
    assert texts(content, "EndToEndId") == texts(content, "Ref") == [released["reference"]]
    assert texts(content, "Nm")[-1] == CANARIES["court"]
    assert sightings([CANARIES["name"], released["case"], released["alias"]], content) == []
    assert written.noted["control_sum"] == released["amount"]
    assert (written.noted["orders"], written.noted["made_by"]) == (1, furnished.alias("anna"))
    assert sightings(CANARIES.values(), str(furnished.rows()).encode()) == []
    furnished.confirm(released)  # the bank's statement books it by that reference
    assert furnished.payment(released["alias"])["state"] == "paid"


@on_one_database
def test_a_second_file_waits_until_two_people_have_withdrawn_the_first(furnished: Office) -> None:
    released = furnished.a_released_payment()
    first = furnished.a_payment_file().noted["alias"]

    with pytest.raises(NothingReleased):  # what stands in a file is not collected, unless it is named
        payment_files.collect(furnished.desk("anna"), account=BYN_LEAF)
    orders = payment_files.collect(furnished.desk("anna"), account=BYN_LEAF, only=[released["alias"]]).orders
    with refused(furnished, "already_filed", status=409):
        furnished.a_payment_file(orders=orders)
    payment_files.withdraw(furnished.desk("anna"), first)
    with refused(furnished, "already_filed", status=409):
        furnished.a_payment_file(orders=orders)
    payment_files.agree(furnished.desk("boris"), first)
    second = furnished.a_payment_file(Form.CSV)

    files = {file["alias"]: file["withdrawn_by"] for file in payment_files.listed(furnished.desk("anna"))}
    assert files == {first: furnished.alias("boris"), second.noted["alias"]: None}
    assert second.path.suffix == ".csv"


@pytest.mark.parametrize(
    "hostile",
    [{"court": "Invented\ncourt"}, {"court": "x" * 71}, {"payee_account": "DE89370400440532013001"}],
    ids=["control", "long", "iban"],
)
@on_one_database
def test_a_payee_that_no_bank_could_take_is_refused_by_place_before_anything_is_noted(
    furnished: Office, hostile: dict[str, Any]
) -> None:
    furnished.a_released_payment(a_list_row(**hostile))

    with pytest.raises(BadOrder) as refusal:
        furnished.a_payment_file()

    assert str(refusal.value.data["where"]).startswith("order 1: ")
    assert payment_files.listed(furnished.desk("anna")) == []


@on_one_database
def test_nothing_is_written_into_a_shared_folder_nor_made_of_nothing(furnished: Office, tmp_path: Path) -> None:
    anna = furnished.desk("anna")
    with pytest.raises(NothingReleased):
        payment_files.collect(anna, account=BYN_LEAF)
    furnished.a_released_payment()
    orders = payment_files.collect(anna, account=BYN_LEAF).orders
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)

    with furnished.nothing_written(), pytest.raises(FolderNotPrivate):
        payment_files.write(
            anna,
            orders,
            account=BYN_LEAF,
            debtor=Debtor("Invented Fund", "INVENTED-01"),
            on=furnished.now().date(),
            form=Form.PAIN_03,
            folder=shared,
        )

    assert list(shared.iterdir()) == []
