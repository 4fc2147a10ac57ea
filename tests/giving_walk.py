"""Gifts by bank, in cash and in kind in the office: every route that writes, once, by the people who may."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from api.client import bank_gifts, cash, in_kind, statements
from ledger.money import Money
from tests.bookkeeping import EUR_LEAF
from tests.cast import eur
from tests.papers import BankLine, a_camt_file

if TYPE_CHECKING:
    from tests.office import Office  # whose path through all routes leads through here

ON = date(2020, 10, 12)
LONG_AGO = date(2018, 10, 10)
PAYOUT = {
    "balance_transaction": "txn_InventedPayout0001",
    "category": "payout",
    "gross": {"amount": "-7.00", "currency": "EUR"},
    "fee": {"amount": "0.00", "currency": "EUR"},
    "net": {"amount": "-7.00", "currency": "EUR"},
    "created_on": ON.isoformat(),
    "purpose": None,
    "source": "po_InventedPayout0001",
    "charge": None,
}
UNREAD = {
    "balance_transaction": "txn_InventedUnread0001",
    "category": "charge",
    "gross": 100,
    "fee": 0,
    "net": 100,
    "currency": "ZZZ",
    "created_on": ON.isoformat(),
    "purpose": None,
    "source": "ch_InventedUnread0001",
    "charge": "ch_InventedUnread0001",
    "cancelled": False,
    "arriving": None,
    "arriving_currency": None,
    "transactions": None,
}


def show(office: Office, *amounts: str, on: date = ON, reference: str = "") -> None:
    """The bank shows lines of one day."""
    lines = [BankLine(eur(amount), on, reference=reference) for amount in amounts]
    standing = office.balance(EUR_LEAF, "EUR")
    statements.send(office.desk("anna"), a_camt_file(lines, opening=standing, first=on, last=on), account=EUR_LEAF)


def stray_gifts(office: Office) -> dict[str, dict[str, Any]]:
    """The unidentified gifts by their amounts; of several of one amount, one."""
    found = office.desk("anna").api.get("/v1/donations")["donations"]
    return {one["amount"]["amount"]: one for one in found if one["state"] == "unidentified"}


def walk_with_gifts(office: Office) -> None:
    """Matched, conditional, claimed, sent back, a payout after all; cash and what is no money."""
    anna, boris = office.desk("anna"), office.desk("boris")
    office.set_clock(datetime.combine(ON + timedelta(days=1), datetime.min.time(), tzinfo=UTC))
    show(office, "3.00", on=LONG_AGO)
    show(office, "1.00", "2.00", "4.00", "7.00", "7.00")
    gifts = {amount: gift["alias"] for amount, gift in stray_gifts(office).items()}
    bank_gifts.match(anna, gifts["1.00"], purpose="FINES")
    bank_gifts.match(anna, gifts["2.00"], purpose="FINES", on_condition=True)
    bank_gifts.meet(boris, gifts["2.00"])
    (unclaimed,) = bank_gifts.unclaimed(anna)
    bank_gifts.claim(anna, unclaimed["alias"])
    anna.api.post("/v1/donations", {"movements": [PAYOUT], "told": [UNREAD], "balances": []}, key="payout:1")
    bank_gifts.tell_payout(anna, gifts["7.00"], payout="po_InventedPayout0001")
    orders = [
        bank_gifts.request_return(anna, donation=gifts["4.00"], account=EUR_LEAF, amount=Money(minor, "EUR"))
        for minor in (100, 300)
    ]
    bank_gifts.cancel_return(anna, orders[0]["alias"])
    bank_gifts.approve_return(boris, orders[1])
    show(office, "-3.00", reference=orders[1]["reference"])
    walk_with_cash(office)


def walk_with_cash(office: Office) -> None:
    """Counted, witnessed, taken to the bank; and a lawyer's work."""
    anna, boris = office.desk("anna"), office.desk("boris")
    facts: dict[str, Any] = {"account": "1020", "purpose": "FINES", "on": ON}
    counted = cash.count(anna, amount=eur("20.00"), **facts)
    cash.witness(boris, counted["alias"], amount=eur("20.00"))
    cash.withdraw_count(anna, cash.count(anna, amount=eur("5.00"), **facts)["alias"])
    cash.bring_back(anna, cash.take_to_bank(anna, source="1020", target=EUR_LEAF, amount=eur("5.00"))["alias"])
    cash.take_to_bank(anna, source="1020", target=EUR_LEAF, amount=eur("15.00"))
    show(office, "15.00")
    shown = office.folder / "invented-invoice.pdf"
    shown.write_bytes(b"invented")
    for agree in (True, False):
        valued = in_kind.value(anna, shown, kind="legal_aid", fund="fines", worth=eur("30.00"), on=ON)
        if agree:
            in_kind.open_file(boris, valued["alias"], into=office.folder)
            in_kind.agree(boris, valued["alias"])
        else:
            in_kind.withdraw(anna, valued["alias"])
