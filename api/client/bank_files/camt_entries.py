"""The entries of a CAMT message: `Ntry` and the `TxDtls` inside, of every version."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import islice

from api.client.bank_files.amounts import was_withdrawn
from api.client.bank_files.camt_texts import read_other_side, read_purpose, read_texts
from api.client.bank_files.camt_totals import compare_count
from api.client.bank_files.camt_values import is_debit, read_amount, read_day, read_reference, read_signed
from api.client.bank_files.lines import Detail, Entry, Status, UnreadableFile
from api.client.bank_files.markup import Node
from api.client.bank_files.refusals import MOST_LINES
from ledger.money import Money

_STATUSES: dict[str | None, Status] = {"BOOK": "booked", "PDNG": "pending", "FUTR": "pending", "INFO": "info"}
_REVERSALS = {"false": False, "0": False, "true": True, "1": True}


def read_entry(node: Node, *, account: str | None) -> tuple[Entry, list[str]]:
    """The entry in a `Ntry`, and what is odd about it. `account` is the statement's own, to tell the other side.

    The entry's amount holds, whatever its details sum to, and `CdtDbtInd` alone gives the sign: `RvslInd` says that
    something is undone, not that the sign turns.

    Raises:
        BadInput: an amount, a currency, a sign, a status or a day that cannot be read exactly.
    """
    amount = read_signed(node)
    value_on = read_day(node.one("ValDt"))
    status = _read_status(node)
    booked_on, odd_day = _read_booking_day(node, value_on=value_on, status=status)
    if was_withdrawn(amount.currency, on=booked_on or value_on):
        raise UnreadableFile(f"{amount.currency} had been withdrawn by that day", where=node.where)
    reversal = _read_reversal(node)
    groups = (node, *node.all("NtryDtls"))  # version 1 has no NtryDtls
    every = (transaction for group in groups for transaction in group.all("TxDtls"))
    transactions = list(islice(every, MOST_LINES + 1))
    if len(transactions) > MOST_LINES:
        raise UnreadableFile(f"more than {MOST_LINES} details in one entry", where=node.where)
    details, findings = _read_details(transactions, amount=amount, reversal=reversal, account=account)
    fee, odd_charges = _read_fee(node, currency=amount.currency)
    if fee is not None and len(details) <= 1:
        details = [_lay_fee(fee, on=details[0] if details else Detail(amount=amount))]
    elif fee is not None:
        findings.append(f"charges of {fee} stand on the entry and on none of its {len(details)} details")
    entry = Entry(
        amount=amount,
        status=status,
        booked_on=booked_on,
        value_on=value_on,
        reference=_choose_reference(node, transactions),
        reversal=reversal,
        details=tuple(details),
        text=read_texts({"additional": [node.one("AddtlNtryInf")]}),
    )
    return entry, [*odd_day, *findings, *odd_charges, *_compare_details(entry), *_compare_batches(node)]


def _read_booking_day(node: Node, *, value_on: date | None, status: Status) -> tuple[date | None, list[str]]:
    """ISO 20022 lets a bank leave it out; then a booked line counts on its value day, and that is shown."""
    booked_on = read_day(node.one("BookgDt"))
    if booked_on is None and value_on is not None and status == "booked":
        return value_on, ["it has no booking day: its value day is taken"]
    return booked_on, []


def _read_reversal(node: Node) -> bool:
    mark = node.one("RvslInd")
    if mark is None:
        return False
    text = mark.text()
    if text not in _REVERSALS:
        raise UnreadableFile("a reversal mark that is neither true nor false", where=mark.where)
    return _REVERSALS[text]


def _read_status(node: Node) -> Status:
    status = node.one("Sts")
    text = None if status is None else status.text_at("Cd") if status.all("Cd") else status.text()
    if text not in _STATUSES:
        raise UnreadableFile("a status that says neither booked nor otherwise", where=(status or node).where)
    return _STATUSES[text]


def _choose_reference(node: Node, transactions: list[Node]) -> str | None:
    """The bank's own, on the entry, else on its only detail. `NtryRef` comes last: it is often a mere count."""
    own = read_reference(node.one("AcctSvcrRef"))
    if own is None and len(transactions) == 1:
        own = read_reference(transactions[0].one("Refs", "AcctSvcrRef"))
    return own or read_reference(node.one("NtryRef"))


def _read_details(
    transactions: list[Node], *, amount: Money, reversal: bool, account: str | None
) -> tuple[list[Detail], list[str]]:
    details: list[Detail] = []
    findings: list[str] = []
    for number, transaction in enumerate(transactions, 1):
        detail, odd = _read_detail(transaction, entry=amount, reversal=reversal, account=account)
        details.append(detail)
        findings.extend(f"detail {number}: {what}" for what in odd)
        transaction.forget()
    return details, findings


def _read_detail(node: Node, *, entry: Money, reversal: bool, account: str | None) -> tuple[Detail, list[str]]:
    amount = _read_detail_amount(node, entry=entry)
    returned = node.one("RtrInf")
    fee, findings = _read_fee(node, currency=entry.currency)
    if amount is not None and amount.currency != entry.currency:
        findings.append(f"its amount is in {amount.currency}, the entry's in {entry.currency}")
    # A return or reversal keeps the parties of what it undoes: the payer of that one is the payee of this one.
    incoming = (entry.minor >= 0) != (reversal or returned is not None)
    detail = Detail(
        amount=amount,
        end_to_end_id=read_reference(node.one("Refs", "EndToEndId")),
        return_reason=_read_reason(returned),
        fee=fee,
        text=read_other_side(node, incoming=incoming, account=account) | read_purpose(node, returned=returned),
    )
    return detail, findings


def _read_detail_amount(node: Node, *, entry: Money) -> Money | None:
    """What the bank writes for this transaction in the entry's currency, else in another one."""
    paths = ("Amt",), ("AmtDtls", "TxAmt", "Amt"), ("AmtDtls", "CntrValAmt", "Amt")
    written = [found for path in paths if (found := node.one(*path)) is not None]
    if not written:
        return None
    chosen = next((found for found in written if found.attribute("Ccy") == entry.currency), written[0])
    amount = read_amount(chosen)
    return -amount if is_debit(node, default="DBIT" if entry.minor < 0 else "CRDT") else amount


def _read_reason(returned: Node | None) -> str | None:
    if returned is None:
        return None
    reason = returned.any(("Rsn", "Cd"), ("Rsn", "Prtry"), ("RtrRsn", "Cd"), ("RtrRsn", "Prtry"))
    return None if reason is None else reason.text()


def _read_fee(node: Node, *, currency: str) -> tuple[Money | None, list[str]]:
    """The charges in `currency`, negative where they cost; a charge without a sign costs."""
    charges: list[Money] = []
    for charge in node.all("Chrgs"):
        records = charge.all("Rcrd")
        if not records and charge.one("Amt") is not None:  # up to version 3 `Chrgs` is itself the record
            records = [charge]
        charges.extend(read_signed(record, default="DBIT") for record in records)
        total = charge.one("TtlChrgsAndTaxAmt")
        if not records and total is not None:
            charges.append(-read_amount(total))
    own = [charge.minor for charge in charges if charge.currency == currency]
    findings = [f"a charge of {charge}, in another currency" for charge in charges if charge.currency != currency]
    return (Money(sum(own), currency) if own else None), findings


def _lay_fee(fee: Money, *, on: Detail) -> Detail:
    """What stands on an entry with one detail belongs to the detail; where it says so itself, that is the same fee."""
    return replace(on, fee=fee) if on.fee is None else on


def _compare_details(entry: Entry) -> Iterator[str]:
    currency = entry.amount.currency
    known = [detail.amount.minor for detail in entry.details if detail.amount and detail.amount.currency == currency]
    if known and len(known) == len(entry.details) and sum(known) != entry.amount.minor:
        yield f"the details sum to {Money(sum(known), currency)}, the entry is {entry.amount}"


def _compare_batches(node: Node) -> Iterator[str]:
    for group in (node, *node.all("NtryDtls")):
        there = len(group.all("TxDtls"))
        if there:  # a batch may be told without its details
            yield from compare_count(group.one("Btch", "NbOfTxs"), things="details", there=there)
