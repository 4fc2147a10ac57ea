"""The demonstration's bank: writes CAMT.053 statements of what was asked of it. It knows nothing but references."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from lxml import etree

from ledger.money import Money

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"


@dataclass(frozen=True, slots=True)
class Transfer:
    """One line: what moved on which day (above zero: in), with which reference, and whose name the bank shows."""

    amount: Money
    on: date
    reference: str
    counterparty: str


def write_statement(
    transfers: Sequence[Transfer], *, opening: Money, first_day: date, last_day: date, number: int
) -> bytes:
    """A statement with opening and closing balance and a line for each transfer."""
    default: dict[Any, str] = {None: NAMESPACE}
    root = etree.Element("Document", nsmap=default)
    message = etree.SubElement(root, "BkToCstmrStmt")
    _text(etree.SubElement(message, "GrpHdr"), "MsgId", f"INVENTED-{number}")
    statement = etree.SubElement(message, "Stmt")
    _text(statement, "Id", f"INVENTED-{number}")
    account = etree.SubElement(statement, "Acct")
    _text(etree.SubElement(etree.SubElement(account, "Id"), "Othr"), "Id", "INVENTED-ACCOUNT")
    _text(account, "Ccy", opening.currency)
    closing = sum((transfer.amount for transfer in transfers), opening)
    _balance(statement, "OPBD", opening, first_day)
    _balance(statement, "CLBD", closing, last_day)
    for transfer in transfers:
        _entry(statement, transfer)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _balance(statement: etree._Element, code: str, balance: Money, on: date) -> None:
    element = etree.SubElement(statement, "Bal")
    _text(etree.SubElement(etree.SubElement(element, "Tp"), "CdOrPrtry"), "Cd", code)
    _amount(element, balance)
    _text(etree.SubElement(element, "Dt"), "Dt", on.isoformat())


def _entry(statement: etree._Element, transfer: Transfer) -> None:
    entry = etree.SubElement(statement, "Ntry")
    _amount(entry, transfer.amount)
    _text(etree.SubElement(entry, "Sts"), "Cd", "BOOK")
    for name in ("BookgDt", "ValDt"):
        _text(etree.SubElement(entry, name), "Dt", transfer.on.isoformat())
    details = etree.SubElement(etree.SubElement(entry, "NtryDtls"), "TxDtls")
    parties = etree.SubElement(details, "RltdPties")
    side = "Dbtr" if transfer.amount.minor > 0 else "Cdtr"
    _text(etree.SubElement(etree.SubElement(parties, side), "Pty"), "Nm", transfer.counterparty)
    remittance = etree.SubElement(etree.SubElement(details, "RmtInf"), "Strd")
    _text(etree.SubElement(remittance, "CdtrRefInf"), "Ref", transfer.reference)


def _amount(element: etree._Element, money: Money) -> None:
    amount = etree.SubElement(element, "Amt", Ccy=money.currency)
    amount.text = Money(abs(money.minor), money.currency).decimal()
    _text(element, "CdtDbtInd", "CRDT" if money.minor >= 0 else "DBIT")


def _text(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, name).text = text
