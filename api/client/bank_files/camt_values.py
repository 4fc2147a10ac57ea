"""The values of a CAMT message: amounts with their sign, days, references, account numbers.

What cannot be read exactly raises UnreadableFile with the line as `where`.
"""

import re
from datetime import date

from api.client.bank_files import amounts
from api.client.bank_files.lines import UnreadableFile
from api.client.bank_files.markup import Node
from ledger.errors import BadInput
from ledger.money import Money

_DAY = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)"
    r"(?:T\d\d:\d\d:\d\d(?:\.\d+)?)?"
    r"(?:Z|[+-]\d\d:\d\d)?",
    re.ASCII,
)


def read_signed(node: Node, *, default: str | None = None) -> Money:
    """The `Amt` in `node` with the sign of the `CdtDbtInd` beside it: credit is money in, so positive.

    `default` is the sign where none is written, for the places in which the standard leaves it out.
    """
    amount = node.one("Amt")
    if amount is None:
        raise UnreadableFile("no amount", where=node.where)
    money = read_amount(amount)
    return -money if is_debit(node, default=default) else money


def read_amount(node: Node) -> Money:
    """The unsigned amount that `node` is."""
    text = node.text()
    if text is None:
        raise UnreadableFile("no amount", where=node.where)
    try:
        return amounts.read_unsigned(text, currency=node.attribute("Ccy"))
    except BadInput as error:
        raise UnreadableFile(error.message, where=node.where) from None


def is_debit(node: Node, *, default: str | None = None) -> bool:
    """Whether the `CdtDbtInd` in `node` says money out."""
    mark = node.one("CdtDbtInd")
    sign = default if mark is None else mark.text()
    if sign not in {"CRDT", "DBIT"}:
        raise UnreadableFile("neither credit nor debit", where=(mark or node).where)
    return sign == "DBIT"


def read_day(node: Node | None) -> date | None:
    """The calendar day that the bank wrote in a `Dt` or `DtTm`, in whatever zone; None where there is no `node`."""
    if node is None:
        return None
    written = node.any(("Dt",), ("DtTm",))
    match = _DAY.fullmatch((written and written.text()) or "")
    try:
        return date.fromisoformat(match["day"] if match else "")
    except ValueError:
        raise UnreadableFile(f"no day in {node.name}", where=node.where) from None


def read_reference(node: Node | None) -> str | None:
    """The reference; None where there is none, also where the bank writes NOTPROVIDED for it."""
    text = None if node is None else node.text()
    return None if text is None or text.upper() == "NOTPROVIDED" else text


def read_account(node: Node | None) -> str | None:
    """The number of an account: the IBAN, else what the bank calls it; without spaces."""
    identity = None if node is None else node.one("Id")
    if identity is None:
        return None
    found = identity.any(("IBAN",), ("Othr", "Id"), ("BBAN",), ("UPIC",), ("PrtryAcct", "Id"))
    text = None if found is None else found.text()
    return None if text is None else text.replace(" ", "")
