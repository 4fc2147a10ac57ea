"""Payment files for banks: orders as ISO 20022 pain.001 (versions 03 and 09) or as CSV; bytes from values alone.

Nothing is cut, transliterated or guessed: what a bank could not take as it stands is refused with its place.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from lxml import etree

from api.client import pain_schemas
from ledger.errors import BadInput
from ledger.money import Money
from ledger.references import is_reference
from reports.csv_table import as_csv

LONGEST_NAME = 70
"""The longest name that SEPA carries, though pain.001.001.09 has room for 140 characters."""
LONGEST_ACCOUNT = 34
MOST_ORDERS = 10_000

_IBAN_SHAPED = re.compile(r"[A-Za-z]{2}\d{2}")
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", re.ASCII)
_OTHER_ACCOUNT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ./-]{0,32}[A-Za-z0-9])?", re.ASCII)
_BIC = re.compile(r"[A-Z]{6}[A-Z2-9][A-NP-Z0-9](?:[A-Z0-9]{3})?", re.ASCII)
_CSV_HEADER = ("end_to_end_id", "amount", "currency", "payee", "account", "reference")


class Form(StrEnum):
    """How a payment file is written."""

    PAIN_03 = "pain.001.001.03"
    PAIN_09 = "pain.001.001.09"
    CSV = "csv"


class BadOrder(BadInput):
    """What a bank could not take as it stands; `where` tells the place, by the number of the order from 1."""

    rule = "bad_order"


@dataclass(frozen=True, slots=True)
class Order:
    """One payment: the bank sees payee, account and our reference (ISO 11649), and nothing else of its purpose."""

    reference: str
    amount: Money
    payee: str = field(repr=False)
    account: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Debtor:
    """Who pays: the name that the bank knows, an IBAN or another account number, and a BIC if the bank asks for it."""

    name: str = field(repr=False)
    account: str = field(repr=False)
    bic: str | None = None


def render(
    orders: Sequence[Order], *, debtor: Debtor, message_id: str, on: date, made_at: datetime, form: Form
) -> bytes:
    """The file, in the orders' order. It asks for one booking an order: statements then show each reference by itself.

    Raises:
        BadOrder: none or too many, several currencies, an amount not above zero, the same reference twice, a name or an
            account that cannot be sent as it stands.
        AgainstSchema, NoSchema: the file is not as the schema of its form asks, or there is none to ask.
    """
    checked = check(orders)
    _check_party(debtor.name, debtor.account, currency=checked[0].amount.currency, where="debtor")
    if debtor.bic is not None and not _BIC.fullmatch(debtor.bic):
        raise BadOrder("not a BIC (ISO 9362)", where="debtor: bic")
    if form is Form.CSV:
        return as_csv(_CSV_HEADER, rows=(_cells(order) for order in checked))
    content = _pain(checked, debtor=debtor, message_id=message_id, on=on, made_at=made_at, form=form)
    pain_schemas.check(content, form)
    return content


def check(orders: Sequence[Order]) -> Sequence[Order]:
    """The orders themselves, when a bank can take every one of them.

    Raises:
        BadOrder: see `render`.
    """
    if not 0 < len(orders) <= MOST_ORDERS:
        raise BadOrder(f"a file has 1 to {MOST_ORDERS} orders", where="orders", orders=len(orders))
    if len({order.amount.currency for order in orders}) != 1:
        raise BadOrder("a file has one currency", where="orders")
    seen: set[str] = set()
    for number, order in enumerate(orders, start=1):
        if order.amount.minor <= 0:
            raise BadOrder("an order is above zero", where=f"order {number}: amount")
        if not is_reference(order.reference) or order.reference in seen:
            raise BadOrder("not a reference of its own (ISO 11649)", where=f"order {number}: reference")
        seen.add(order.reference)
        _check_party(order.payee, order.account, currency=order.amount.currency, where=f"order {number}")
    return orders


def control_sum(orders: Sequence[Order]) -> Money:
    """The sum of the orders, which all have one currency."""
    return sum((order.amount for order in orders[1:]), orders[0].amount)


def is_iban(account: str) -> bool:
    """Whether an account number, without blanks, is an IBAN with right check digits (ISO 13616, ISO 7064 MOD 97-10)."""
    if not _IBAN.fullmatch(account):
        return False
    return int("".join(str(int(sign, 36)) for sign in account[4:] + account[:4])) % 97 == 1


def _check_party(name: str, account: str, *, currency: str, where: str) -> None:
    if not name.strip() or name != name.strip() or len(name) > LONGEST_NAME:
        raise BadOrder(f"a name has 1 to {LONGEST_NAME} characters", where=f"{where}: name", length=len(name))
    if not name.isprintable():
        raise BadOrder("a name has no control characters", where=f"{where}: name")
    squeezed = account.replace(" ", "")
    if _IBAN_SHAPED.match(squeezed) and not is_iban(squeezed):
        raise BadOrder("the check digits or the form of the IBAN are wrong", where=f"{where}: account")
    if currency == "EUR" and not is_iban(squeezed):
        raise BadOrder("SEPA pays to an IBAN", where=f"{where}: account")
    if not is_iban(squeezed) and not _OTHER_ACCOUNT.fullmatch(account):
        raise BadOrder("not an account number", where=f"{where}: account")


def _cells(order: Order) -> tuple[str, ...]:
    amount = order.amount
    return order.reference, amount.decimal(), amount.currency, order.payee, order.account, order.reference


def _pain(
    orders: Sequence[Order], *, debtor: Debtor, message_id: str, on: date, made_at: datetime, form: Form
) -> bytes:
    namespace = f"urn:iso:std:iso:20022:tech:xsd:{form}"
    own: dict[Any, str] = {None: namespace}
    document = etree.Element("Document", nsmap=own)
    initiation = _put(document, "CstmrCdtTrfInitn")
    count, total = str(len(orders)), control_sum(orders).decimal()
    header = _put(initiation, "GrpHdr")
    _put(header, "MsgId", message_id)
    _put(header, "CreDtTm", made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    _put(header, "NbOfTxs", count)
    _put(header, "CtrlSum", total)
    _put(header, "InitgPty/Nm", debtor.name)
    payment = _put(initiation, "PmtInf")
    _put(payment, "PmtInfId", message_id)
    _put(payment, "PmtMtd", "TRF")
    _put(payment, "BtchBookg", "false")
    _put(payment, "NbOfTxs", count)
    _put(payment, "CtrlSum", total)
    in_euros = orders[0].amount.currency == "EUR"
    if in_euros:
        _put(payment, "PmtTpInf/SvcLvl/Cd", "SEPA")
    _put(payment, "ReqdExctnDt" if form is Form.PAIN_03 else "ReqdExctnDt/Dt", on.isoformat())
    _put(payment, "Dbtr/Nm", debtor.name)
    _put_account(_put(payment, "DbtrAcct"), debtor.account)
    bank = _put(payment, "DbtrAgt/FinInstnId")
    if debtor.bic is None:
        _put(bank, "Othr/Id", "NOTPROVIDED")
    else:
        _put(bank, "BIC" if form is Form.PAIN_03 else "BICFI", debtor.bic)
    _put(payment, "ChrgBr", "SLEV" if in_euros else "SHAR")
    for order in orders:
        _put_order(_put(payment, "CdtTrfTxInf"), order)
    for element in document.iter():
        element.tag = f"{{{namespace}}}{element.tag}"
    return etree.tostring(document, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _put_order(transaction: etree._Element, order: Order) -> None:
    _put(transaction, "PmtId/EndToEndId", order.reference)
    _put(transaction, "Amt/InstdAmt", order.amount.decimal()).set("Ccy", order.amount.currency)
    _put(transaction, "Cdtr/Nm", order.payee)
    _put_account(_put(transaction, "CdtrAcct"), order.account)
    told = _put(transaction, "RmtInf/Strd/CdtrRefInf")
    kind = _put(told, "Tp")
    _put(kind, "CdOrPrtry/Cd", "SCOR")
    _put(kind, "Issr", "ISO")
    _put(told, "Ref", order.reference)


def _put_account(place: etree._Element, account: str) -> None:
    squeezed = account.replace(" ", "")
    if is_iban(squeezed):
        _put(place, "Id/IBAN", squeezed)
    else:
        _put(place, "Id/Othr/Id", account)


def _put(parent: etree._Element, path: str, text: str | None = None) -> etree._Element:
    """New elements along the path; the last of them, with its text."""
    for tag in path.split("/"):
        parent = etree.SubElement(parent, tag)
    parent.text = text
    return parent
