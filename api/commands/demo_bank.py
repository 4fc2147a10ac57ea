"""The demonstration's bank: it keeps two accounts and writes CAMT.053 statements. It knows references and no cases."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from lxml import etree

from ledger.money import Money

_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"
_NAMES_IN_PARTY = "08"
"""From this version on a party's name stands one element deeper, and a status too."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """One line: what moved on which day (above zero: in), with which reference or text, and whose name is shown."""

    amount: Money
    on: date
    reference: str | None
    counterparty: str


@dataclass(slots=True)
class BankAccount:
    """An account at the bank. What happens on it waits until the next statement is written."""

    leaf: str
    currency: str
    version: str
    folder: Path
    opened_on: date
    _waiting: list[Transfer] = field(default_factory=list)
    _written: int = 0
    _balance: Money | None = None

    def move(self, transfer: Transfer) -> None:
        """Something moves on the account."""
        self._waiting.append(transfer)

    def write_statement(self, until: date) -> Path:
        """The next statement, from the day after the last one to `until`; one written before stands as it is."""
        self._written += 1
        path = self.folder / f"statement-{self.leaf.partition(':')[2]}-{self._written:02d}.xml"
        opening = self._balance or Money(0, self.currency)
        due = sorted((t for t in self._waiting if t.on <= until), key=lambda t: t.on)
        self._waiting = [t for t in self._waiting if t.on > until]
        self._balance = sum((t.amount for t in due), opening)
        first_day, self.opened_on = self.opened_on, until + timedelta(days=1)
        if not path.exists():
            path.write_bytes(
                write_statement(
                    due,
                    opening=opening,
                    first_day=first_day,
                    last_day=until,
                    number=self._written,
                    version=self.version,
                )
            )
        return path


def write_statement(
    transfers: Sequence[Transfer], *, opening: Money, first_day: date, last_day: date, number: int, version: str
) -> bytes:
    """A statement in camt.053.001.`version` (02 or 08) with both balances and a line for each transfer."""
    default: dict[Any, str] = {None: _NAMESPACE.format(version=version)}
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
        _entry(statement, transfer, version)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _balance(statement: etree._Element, code: str, balance: Money, on: date) -> None:
    element = etree.SubElement(statement, "Bal")
    _text(etree.SubElement(etree.SubElement(element, "Tp"), "CdOrPrtry"), "Cd", code)
    _amount(element, balance)
    _text(etree.SubElement(element, "Dt"), "Dt", on.isoformat())


def _entry(statement: etree._Element, transfer: Transfer, version: str) -> None:
    entry = etree.SubElement(statement, "Ntry")
    _amount(entry, transfer.amount)
    if version >= _NAMES_IN_PARTY:
        _text(etree.SubElement(entry, "Sts"), "Cd", "BOOK")
    else:
        _text(entry, "Sts", "BOOK")
    for name in ("BookgDt", "ValDt"):
        _text(etree.SubElement(entry, name), "Dt", transfer.on.isoformat())
    details = etree.SubElement(etree.SubElement(entry, "NtryDtls"), "TxDtls")
    side = etree.SubElement(etree.SubElement(details, "RltdPties"), "Dbtr" if transfer.amount.minor > 0 else "Cdtr")
    _text(etree.SubElement(side, "Pty") if version >= _NAMES_IN_PARTY else side, "Nm", transfer.counterparty)
    remittance = etree.SubElement(details, "RmtInf")
    if transfer.reference is None:
        _text(remittance, "Ustrd", "Invented remittance text")
    else:
        _text(etree.SubElement(etree.SubElement(remittance, "Strd"), "CdtrRefInf"), "Ref", transfer.reference)


def _amount(element: etree._Element, money: Money) -> None:
    amount = etree.SubElement(element, "Amt", Ccy=money.currency)
    amount.text = Money(abs(money.minor), money.currency).decimal()
    _text(element, "CdtDbtInd", "CRDT" if money.minor >= 0 else "DBIT")


def _text(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, name).text = text
