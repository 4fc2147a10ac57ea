"""Gifts by card that go back: what two people sign, on the ledger's own level and in the office."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from api.client import donations, resolutions, statements
from api.client import refund_orders as client
from ledger.aliases import Kind, draw
from ledger.giving import bank_refunds, refund_orders
from ledger.money import Money
from ledger.reconciliation.answers import Answer, Because
from tests.cards import a_charge, a_dispute, a_fee, a_payout, a_refund, a_refund_failure, listing, transaction
from tests.cast import House, Person, agreed_by, eur
from tests.papers import BankLine, a_camt_file

if TYPE_CHECKING:
    from ledger.approvals import Agreed, Verb
    from ledger.giving.donations import Donation
    from ledger.giving.refund_orders import RefundOrder
    from tests.office import Office  # whose path through all routes leads through here


def on_order(
    verb: Verb,
    alias: str,
    *,
    gift: str,
    of: Money,
    by: Person,
    version: int = 1,
    account: str | None = None,
    **other: Any,
) -> Agreed:
    """What a client signs about a gift that goes back."""
    stated: dict[str, Any] = {
        "object": alias,
        "version": version,
        "amount": of.decimal(),
        "currency": of.currency,
        "payee_commitment": refund_orders.commitment(gift, by_bank=account is not None, account=account),
    }
    return agreed_by(by, verb, **(stated | other))


def ask(
    house: House, gift: Donation, amount: Money | None = None, *, by: Person | None = None, account: str | None = None
) -> RefundOrder:
    """Clara asks for 10.00 of a gift to go back; from a leaf of the bank if told."""
    alias, of = draw(Kind.REFUND_ORDER), amount or eur("10.00")
    agreed = on_order("request_refund", alias, gift=gift.alias, of=of, by=by or house.fund.clara, account=account)
    facts: dict[str, Any] = {"donation": gift.alias, "amount": of, "agreed": agreed}
    if account is None:
        order = refund_orders.request(house.session, alias, **facts)
    else:
        order = bank_refunds.request(house.session, alias, account=account, **facts)
    house.session.commit()
    return order


def agree(house: House, order: RefundOrder, *, by: Person | None = None) -> RefundOrder:
    """Boris agrees."""
    agreed = on_order(
        "approve_refund",
        order.alias,
        gift=order.donation_alias,
        of=order.amount(),
        by=by or house.fund.boris,
        version=order.version,
        account=order.account_code,
    )
    approved = bank_refunds.approve(house.session, order.alias, agreed)
    house.session.commit()
    return approved


def give_back(office: Office) -> None:
    """Every route of refund orders that writes, once."""
    anna, boris = office.desk("anna"), office.desk("boris")
    gifts = [one for one in anna.api.get("/v1/donations")["donations"] if one["source"] == "card"]
    asked = client.request(anna, donation=gifts[0]["alias"], amount=eur("1.00"))
    client.approve(boris, asked)
    client.withdraw(anna, asked["alias"])
    tell(office)


def tell(office: Office) -> None:
    """Says of all that waits at the processor, and of what it brought to the bank, what it was: all of 14 September."""
    anna, boris = office.desk("anna"), office.desk("boris")
    leaf = {"code": "1050:eur", "name": "A leaf", "currency": "EUR"}
    office.desk("clara").api.post("/v1/accounts", leaf, key="account:1050:eur")
    given, called = (a_charge(eur("20.00"), nth=nth) for nth in (8, 9))
    refund, dispute = a_refund(given, eur("5.00"), nth=8), a_dispute(called, eur("20.00"), nth=9)
    unknown = transaction(a_fee(eur("1.00"), nth=8)) | {"reporting_category": "other_adjustment"}
    moved = [given, called, refund, a_refund_failure(refund, nth=8), dispute]
    moved += [a_payout(eur("3.00"), nth=nth) for nth in (8, 9)]
    booked = donations.send(anna, listing([*(transaction(one) for one in moved), unknown]))
    (cost,) = (one["about"] for one in resolutions.listed(anna)["waiting"] if one["of"] == unknown["id"])
    resolutions.say(anna, cost, Answer.COST, because=Because.TOLD_BY_PROCESSOR)
    resolutions.agree(boris, cost)
    (lost,) = anna.api.get("/v1/disputes")["disputes"]
    decided = date(2020, 9, 20)
    resolutions.say(anna, lost["alias"], Answer.LOST, because=Because.TOLD_BY_PROCESSOR, happened_on=decided)
    resolutions.agree(boris, lost["alias"])
    (gift,) = {one["about"] for one in booked if one["recipe"] == "refund_failed"}
    lines = [BankLine(eur(amount), date(2020, 9, 16)) for amount in ("3.00", "3.00", "-5.00")]
    file = a_camt_file(lines, opening=eur("0.00"), first=date(2020, 9, 16), last=date(2020, 9, 16))
    statements.send(anna, file, account="1000:eur-main")
    told = anna.api.get("/v1/exceptions")["exceptions"]
    first, second = (one["alias"] for one in told if one["difference"] == "ambiguous_payout")
    (debit,) = (one["alias"] for one in told if one["difference"] == "unmatched_debit")
    resolutions.say(anna, first, Answer.PAYOUT, of="po_Invented0008")
    resolutions.say(anna, second, Answer.GIFT)
    owed = client.request(anna, donation=gift, amount=eur("5.00"), account="1000:eur-main")
    client.approve(boris, owed)
    resolutions.say(anna, debit, Answer.REFUND_ORDER, of=owed["alias"])
