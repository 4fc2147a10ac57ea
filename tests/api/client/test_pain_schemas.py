"""Payment files against the schemas of ISO 20022: a refusal tells the place, and never what stands there."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from lxml import etree

from api.client import pain_schemas
from api.client.credit_transfers import Debtor, Form, Order, render
from api.client.pain_schemas import AgainstSchema, NoSchema
from ledger import references
from tests.cast import eur

IBAN = "DE89370400440532013000"
CANARY = "Kanarejka"
PAIN = [Form.PAIN_03, Form.PAIN_09]


def a_file(form: Form, *, message_id: str = "SL0123456789") -> bytes:
    orders = [Order(references.draw(), eur("810.00"), CANARY, IBAN) for _ in range(3)]
    made_at = datetime(2020, 10, 6, 9, tzinfo=UTC)
    debtor = Debtor(CANARY, IBAN)
    return render(orders, debtor=debtor, message_id=message_id, on=date(2020, 10, 7), made_at=made_at, form=form)


def second(root: etree._Element, name: str) -> etree._Element:
    return list(root.iter(f"{{*}}{name}"))[1]


def drop(name: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        gone = second(root, name)
        parent = gone.getparent()
        assert parent is not None
        parent.remove(gone)

    return change


def put(name: str, text: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        second(root, name).text = text

    return change


def add(name: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        etree.SubElement(second(root, name), "Strange").text = CANARY

    return change


ORDER = "Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf 2"


@pytest.mark.parametrize("form", PAIN)
@pytest.mark.parametrize(
    ("change", "where"),
    [
        (put("InstdAmt", f"8,10 {CANARY}"), f"{ORDER}/Amt/InstdAmt"),
        (put("EndToEndId", CANARY * 4), f"{ORDER}/PmtId/EndToEndId"),
        (drop("EndToEndId"), f"{ORDER}/PmtId"),
        (drop("Amt"), f"{ORDER}/Cdtr"),
        (add("CdtrAcct"), f"{ORDER}/CdtrAcct/Strange"),
    ],
)
def test_a_file_against_its_schema_is_refused_by_place_and_says_nothing_of_what_stands_there(
    form: Form, change: Callable[[etree._Element], None], where: str
) -> None:
    root = etree.fromstring(a_file(form))
    change(root)

    with pytest.raises(AgainstSchema) as refusal:
        pain_schemas.check(etree.tostring(root), form)

    assert refusal.value.data["where"] == where
    assert str(refusal.value.data["reason"]).startswith("SCHEMAV_")
    assert IBAN not in str(refusal.value.data)
    assert CANARY not in f"{refusal.value} {refusal.value.data}"


@pytest.mark.parametrize("form", PAIN)
def test_a_file_that_its_schema_refuses_is_never_handed_out(form: Form) -> None:
    with pytest.raises(AgainstSchema) as refusal:
        a_file(form, message_id="X" * 36)

    assert refusal.value.data == {
        "where": "Document/CstmrCdtTrfInitn/GrpHdr/MsgId",
        "reason": "SCHEMAV_CVC_MAXLENGTH_VALID",
        "form": form,
    }


def test_a_file_of_one_version_is_none_of_the_other_and_no_xml_is_no_file() -> None:
    for content in (
        a_file(Form.PAIN_03),
        b"no xml",
        b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/hosts'>]><x>&e;</x>",
    ):
        with pytest.raises(AgainstSchema):
            pain_schemas.check(content, Form.PAIN_09)


def test_without_a_schema_nothing_is_checked_and_that_is_a_refusal() -> None:
    with pytest.raises(NoSchema) as refusal:
        pain_schemas.check(a_file(Form.PAIN_09), "pain.001.001.99")

    assert refusal.value.data == {"form": "pain.001.001.99"}
