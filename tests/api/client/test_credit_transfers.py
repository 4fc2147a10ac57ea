"""Payment files: what the schema of each version admits, the same values back, and hostile payees refused by place."""

import csv
import io
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from api.client import pain_schemas
from api.client.credit_transfers import BadOrder, Debtor, Form, Order, check, control_sum, is_iban, render
from ledger import references
from ledger.money import Money
from tests.cast import byn, eur

IBAN, BY_IBAN = "DE89370400440532013000", "BY13NBRB3600900000002Z00AB00"
DEBTOR = Debtor("Invented Fund", IBAN)
MADE_AT = datetime(2020, 10, 6, 9, tzinfo=UTC)


def an_order(**facts: Any) -> Order:
    known: dict[str, Any] = {
        "reference": references.draw(),
        "amount": eur("810.00"),
        "payee": "Invented Court",
        "account": IBAN,
    }
    return Order(**(known | facts))


def written(*orders: Order, form: Form = Form.PAIN_09, debtor: Debtor = DEBTOR) -> bytes:
    return render(orders, debtor=debtor, message_id="SL0123456789", on=date(2020, 10, 7), made_at=MADE_AT, form=form)


def told(file: bytes, name: str) -> list[str]:
    return [str(found.text) for found in etree.fromstring(file).iter(f"{{*}}{name}")]


@pytest.mark.parametrize("form", [Form.PAIN_03, Form.PAIN_09])
@pytest.mark.parametrize(
    ("debtor", "amount", "account"),
    [
        (DEBTOR, eur("810.00"), IBAN),
        (Debtor("Invented Fund", IBAN, "INVEDEFFXXX"), eur("0.01"), "DE89 3704 0044 0532 0130 00"),
        (Debtor("Invented Fund", BY_IBAN), byn("810.00"), BY_IBAN),
        (Debtor("Invented Fund", "INVENTED-01"), byn("1350.00"), "INVENTED-TREASURY-01"),
        (Debtor("Invented Fund", "INVENTED-01"), Money(500, "JPY"), "INVENTED-TREASURY-01"),
    ],
)
def test_the_schema_admits_it_and_amounts_references_and_sums_come_back(
    form: Form, debtor: Debtor, amount: Money, account: str
) -> None:
    orders = [an_order(amount=amount, account=account), an_order(amount=amount, account=account)]

    file = written(*orders, form=form, debtor=debtor)

    pain_schemas.check(file, form)
    assert told(file, "EndToEndId") == told(file, "Ref") == [order.reference for order in orders]
    assert told(file, "InstdAmt") == [amount.decimal()] * 2
    assert set(told(file, "CtrlSum")) == {control_sum(orders).decimal()} == {(amount + amount).decimal()}
    assert set(told(file, "NbOfTxs")) == {"2"}
    assert told(file, "BtchBookg") == ["false"]
    assert told(file, "Ustrd") == []
    assert file == written(*orders, form=form, debtor=debtor)


def test_a_table_holds_the_same_and_no_formula() -> None:
    order = an_order(payee="=HYPERLINK(1)")

    (row,) = csv.DictReader(io.StringIO(written(order, form=Form.CSV).decode()))

    assert row == {
        "end_to_end_id": order.reference,
        "amount": "810.00",
        "currency": "EUR",
        "payee": "'=HYPERLINK(1)",
        "account": IBAN,
        "reference": order.reference,
    }


HOSTILE = {
    "control": ({"payee": "Invented\x00Court"}, "order 2: name"),
    "line end": ({"payee": "Invented\nCourt"}, "order 2: name"),
    "right to left": ({"payee": "Invented \u202etruoC"}, "order 2: name"),
    "surrogate": ({"payee": "Invented \ud800"}, "order 2: name"),
    "too long": ({"payee": "x" * 71}, "order 2: name"),
    "nothing": ({"payee": "  "}, "order 2: name"),
    "wrong check digits": ({"account": IBAN[:-1] + "1"}, "order 2: account"),
    "lower case": ({"account": IBAN.lower()}, "order 2: account"),
    "too short": ({"account": "DE89"}, "order 2: account"),
    "full width": ({"account": "DE８９370400440532013000"}, "order 2: account"),  # noqa: RUF001  # that is the attack
    "no IBAN": ({"account": "INVENTED-01"}, "order 2: account"),
    "zero": ({"amount": eur("0.00")}, "order 2: amount"),
    "below zero": ({"amount": eur("-1.00")}, "order 2: amount"),
    "no reference": ({"reference": "RF00"}, "order 2: reference"),
    "another currency": ({"amount": byn("1.00")}, "orders"),
}


@pytest.mark.parametrize("form", list(Form))
@pytest.mark.parametrize(("facts", "where"), HOSTILE.values(), ids=HOSTILE.keys())
def test_what_a_bank_could_not_take_is_refused_with_its_place(facts: dict[str, Any], where: str, form: Form) -> None:
    with pytest.raises(BadOrder) as refusal:
        written(an_order(), an_order(**facts), form=form)

    assert refusal.value.data["where"] == where
    shown = f"{refusal.value.message} {refusal.value.data}"
    assert not any(isinstance(value, str) and value.strip() and value in shown for value in facts.values())


def test_a_reference_twice_no_order_and_a_bad_debtor_are_refused() -> None:
    order = an_order()

    for orders, debtor, where in (
        ([order, order], DEBTOR, "order 2: reference"),
        ([], DEBTOR, "orders"),
        ([order], Debtor("Invented Fund", "DE00"), "debtor: account"),
        ([order], Debtor("Invented Fund", IBAN, "NOBIC"), "debtor: bic"),
    ):
        with pytest.raises(BadOrder) as refusal:
            written(*orders, debtor=debtor)
        assert refusal.value.data["where"] == where


def test_markup_in_a_name_stays_a_name() -> None:
    payee = '</Nm><Nm>Other & <!ENTITY x "y">'

    file = written(an_order(payee=payee))

    pain_schemas.check(file, Form.PAIN_09)
    assert payee in told(file, "Nm")
    assert len(told(file, "CdtTrfTxInf")) == 1


@given(st.text(max_size=80), st.text(max_size=40))
def test_whatever_a_payee_is_called_the_file_is_admitted_or_refused(payee: str, account: str) -> None:
    order = an_order(payee=payee, account=account, amount=byn("1.00"))
    try:
        check([order])
    except BadOrder:
        return

    file = written(order, debtor=Debtor("Invented Fund", "INVENTED-01"))

    assert payee in told(file, "Nm")


def test_ibans_are_told_from_what_only_looks_like_one() -> None:
    assert is_iban(IBAN)
    assert is_iban(BY_IBAN)
    assert not any(is_iban(account) for account in ("", "DE89", IBAN[:-1], IBAN + "1", IBAN.lower(), "INVENTED"))
