"""Gifts by bank, in cash and in kind on the ledger's own level: what a house does with them, and what people sign."""

from datetime import date, datetime
from typing import Any

from sqlmodel import select

from ledger.aliases import Kind, draw
from ledger.approvals import Agreed, Verb
from ledger.exceptions import OpenException
from ledger.giving import (
    cash,
    cash_deposits,
    conditional,
    donations,
    early_payouts,
    gift_returns,
    in_kind,
    steps,
    unidentified,
)
from ledger.giving.cash import CashCount, NewCount
from ledger.giving.cash_deposits import CashDeposit, NewDeposit
from ledger.giving.donations import Donation
from ledger.giving.gift_returns import GiftReturn, NewGiftReturn
from ledger.giving.in_kind import GiftInKind, GivenKind, NewGiftInKind
from ledger.identities import evidence
from ledger.identities.shelves import Reason
from ledger.money import Money
from ledger.reconciliation import bank, resolutions
from ledger.reconciliation.answers import Answer
from ledger.reconciliation.bank import Outcome
from ledger.reconciliation.resolutions import NewResolution, Resolution
from ledger.reconciliation.statements import NewLine, NewStatement
from tests import filing
from tests.cast import LEAF, NOW, TODAY, House, Person, agreed_by
from tests.saying import on_request

RECEIVED = date(2020, 10, 5)
CASH = "1020"


def shown(
    house: House,
    amount: Money,
    *,
    on: date = TODAY,
    reference: str | None = None,
    reversal: bool = False,
    leaf: str = LEAF,
    at: datetime = NOW,
) -> Outcome:
    """A bank's statement shows one line."""
    token = draw(Kind.STATEMENT).encode().hex().ljust(64, "0")
    line = NewLine(on, None, amount, reference, reversal)
    new = NewStatement(draw(Kind.STATEMENT), leaf, amount.currency, None, None, None, None, token, [line])
    outcome = bank.receive(house.session, new, received_at=at, received_by=house.fund.clara.alias)
    house.session.commit()
    return outcome


def a_stray_gift(house: House, amount: Money, *, on: date = RECEIVED, leaf: str = LEAF) -> Donation:
    """Money comes in at the bank, and nobody knows what for."""
    before = {one.alias for one in donations.listed(house.session)}
    shown(house, amount, on=on, leaf=leaf)
    (gift,) = [one for one in donations.listed(house.session) if one.alias not in before]
    return gift


# --- what people sign


def signed(verb: Verb, alias: str, *, by: Person, of: Money, commitment: str, **other: Any) -> Agreed:
    """An act about an amount; `other` are fields in which an attacker lies."""
    stated: dict[str, Any] = {
        "object": alias,
        "amount": of.decimal(),
        "currency": of.currency,
        "payee_commitment": commitment,
    }
    return agreed_by(by, verb, **(stated | other))


def on_gift(
    house: House,
    verb: Verb,
    gift: Donation,
    *,
    fund: str = "fines",
    purpose: str | None = "FINES",
    amount: Money | None = None,
    by: Person | None = None,
    **other: Any,
) -> Agreed:
    """What a treasurer signs about what is left of an unidentified gift."""
    seen: dict[str, Any] = {"version": steps.next_number(house.session, gift)}
    return signed(
        verb,
        gift.alias,
        by=by or house.fund.clara,
        of=amount or gift_returns.left_to_send(house.session, gift, "2000"),
        commitment=unidentified.commitment(donation=gift.alias, fund=fund, purpose=purpose),
        **(seen | other),
    )


def match(house: House, gift: Donation, *, by: Person | None = None, **other: Any) -> Donation:
    """Clara says that it is for fines."""
    agreed = on_gift(house, "match_gift", gift, by=by, **other)
    matched = unidentified.match(house.session, gift.alias, purpose=other.get("purpose", "FINES"), agreed=agreed)
    house.session.commit()
    return matched


def place_conditional(house: House, gift: Donation, *, by: Person | None = None) -> Donation:
    """Clara says that it is for fines, on a condition."""
    agreed = on_gift(house, "condition_gift", gift, by=by)
    placed = unidentified.place_conditional(house.session, gift.alias, purpose="FINES", agreed=agreed)
    house.session.commit()
    return placed


def meet(house: House, gift: Donation, amount: Money, *, by: Person | None = None, **other: Any) -> Donation:
    """Boris says that the condition of a part is met."""
    seen: dict[str, Any] = {"version": steps.next_number(house.session, gift)}
    agreed = signed(
        "meet_condition",
        gift.alias,
        by=by or house.fund.boris,
        of=amount,
        commitment=conditional.commitment(donation=gift.alias, fund="fines"),
        **(seen | other),
    )
    met = conditional.meet(house.session, gift.alias, amount=amount, agreed=agreed)
    house.session.commit()
    return met


def on_return(
    verb: Verb, alias: str, *, gift: Donation, of: Money, by: Person, leaf: str = LEAF, version: int = 1, **other: Any
) -> Agreed:
    """What people sign about a gift that goes back."""
    commitment = gift_returns.commitment(donation=gift.alias, account=leaf, owed=gift_returns.owed_on(gift))
    return signed(verb, alias, by=by, of=of, commitment=commitment, **({"version": version} | other))


def ask_back(
    house: House, gift: Donation, amount: Money, *, by: Person | None = None, leaf: str = LEAF, **other: Any
) -> GiftReturn:
    """Clara asks for a part of a gift to go back."""
    new = NewGiftReturn(alias=draw(Kind.GIFT_RETURN), donation=gift.alias, account=leaf, amount=amount)
    agreed = on_return(
        "request_gift_return", new.alias, gift=gift, of=amount, by=by or house.fund.clara, leaf=leaf, **other
    )
    order = gift_returns.request(house.session, new, agreed)
    house.session.commit()
    return order


def agree_back(house: House, order: GiftReturn, *, by: Person | None = None, **other: Any) -> GiftReturn:
    """Boris releases it."""
    gift = donations.require(house.session, order.donation_alias)
    seen: dict[str, Any] = {"version": order.version, "leaf": order.account_code}
    agreed = on_return(
        "approve_gift_return",
        order.alias,
        gift=gift,
        of=order.amount(),
        by=by or house.fund.boris,
        **(seen | other),
    )
    approved = gift_returns.approve(house.session, order.alias, agreed)
    house.session.commit()
    return approved


def send_back(house: House, gift: Donation, amount: Money) -> GiftReturn:
    """Asked for, released, and shown by the bank."""
    order = agree_back(house, ask_back(house, gift, amount))
    shown(house, -amount, reference=order.reference)
    return order


def a_count(house: House, amount: Money, *, by: Person | None = None, **other: Any) -> CashCount:
    """Clara counts cash for fines."""
    stated: dict[str, Any] = {"alias": draw(Kind.DONATION), "account": CASH, "purpose": "FINES", "on": RECEIVED}
    new = NewCount(amount=amount, **(stated | other))
    commitment = cash.commitment(account=new.account, purpose=new.purpose, on=new.on)
    agreed = signed("count_cash", new.alias, by=by or house.fund.clara, of=amount, commitment=commitment)
    counted = cash.count(house.session, new, agreed)
    house.session.commit()
    return counted


def witness(house: House, counted: CashCount, *, by: Person | None = None, **other: Any) -> Donation:
    """Ana counted too."""
    agreed = signed(
        "witness_cash",
        counted.alias,
        by=by or house.fund.ana,
        of=counted.amount(),
        commitment=counted.commitment(),
        **other,
    )
    gift = cash.witness(house.session, counted.alias, agreed)
    house.session.commit()
    return gift


def take_to_bank(house: House, amount: Money, *, by: Person | None = None, leaf: str = LEAF) -> CashDeposit:
    """Clara takes cash to the bank."""
    new = NewDeposit(alias=draw(Kind.CASH_DEPOSIT), source=CASH, target=leaf, amount=amount)
    commitment = cash_deposits.commitment(source=CASH, target=leaf)
    agreed = signed("bank_cash", new.alias, by=by or house.fund.clara, of=amount, commitment=commitment)
    deposit = cash_deposits.take(house.session, new, agreed)
    house.session.commit()
    return deposit


def on_gift_in_kind(verb: Verb, new: NewGiftInKind, *, by: Person, **other: Any) -> Agreed:
    """What both people sign about the value of a gift in kind."""
    commitment = in_kind.commitment(kind=new.kind, fund=new.fund, on=new.on, evidence=new.evidence)
    seen: dict[str, Any] = {"evidence_commitments": (new.evidence,)}
    return signed(verb, new.alias, by=by, of=new.worth, commitment=commitment, **(seen | other))


def a_new_gift_in_kind(worth: Money, **other: Any) -> NewGiftInKind:
    """A lawyer's work for fines unless told."""
    stated: dict[str, Any] = {
        "alias": draw(Kind.DONATION),
        "kind": GivenKind.LEGAL_AID,
        "fund": "fines",
        "evidence": "e" * 64,
        "on": RECEIVED,
    }
    return NewGiftInKind(worth=worth, **(stated | other))


def a_shown_gift_in_kind(house: House, worth: Money, **other: Any) -> NewGiftInKind:
    """The same with the file that shows its worth, sealed."""
    alias = draw(Kind.DONATION)
    file = filing.bring_for_gift(house, alias)
    return a_new_gift_in_kind(worth, **({"alias": alias, "evidence": file.commitment} | other))


def value(house: House, new: NewGiftInKind, *, by: Person | None = None, **other: Any) -> GiftInKind:
    """Clara values it."""
    agreed = on_gift_in_kind("value_gift", new, by=by or house.fund.clara, **other)
    gift = in_kind.value(house.session, new, agreed)
    house.session.commit()
    return gift


def open_for(house: House, new: NewGiftInKind, *, by: Person | None = None) -> None:
    """Boris is handed the file that shows its worth."""
    by = by or house.fund.boris
    (file,) = (one for one in evidence.of_subject(house.session, new.alias) if one.commitment == new.evidence)
    evidence.hand_out(house.session, file.alias, 1, operator=by.alias, reason=Reason.APPROVAL, at=NOW)
    house.session.commit()


def agree_value(house: House, new: NewGiftInKind, *, by: Person | None = None, **other: Any) -> Donation:
    """Boris agrees."""
    agreed = on_gift_in_kind("approve_gift_in_kind", new, by=by or house.fund.boris, **other)
    gift = in_kind.agree(house.session, new.alias, agreed)
    house.session.commit()
    return gift


def the_exception(house: House) -> OpenException:
    """The one that waits and is about a line of the bank."""
    query = select(OpenException).where(OpenException.resolved_on == None)  # noqa: E711  # SQL's own comparison
    (found,) = [one for one in house.session.exec(query) if one.about.partition(":")[2].startswith("bank:")]
    return found


def answer(
    house: House,
    opened: OpenException,
    what: Answer,
    of: str | None = None,
    *,
    by: Person | None = None,
    **other: Any,
) -> Resolution:
    """Clara says, alone, what a line is."""
    new = NewResolution(about=opened.alias, answer=what, of=of)
    agreed = on_request(house, new, by=by, **other)
    told = resolutions.request(house.session, new, agreed)
    house.session.commit()
    return told


def tell_payout(house: House, gift: Donation, payout: str, *, by: Person | None = None, **other: Any) -> Donation:
    """Clara says that a gift was a payout."""
    seen: dict[str, Any] = {"version": steps.next_number(house.session, gift)}
    agreed = signed(
        "tell_payout",
        gift.alias,
        by=by or house.fund.clara,
        of=gift.amount(),
        commitment=early_payouts.commitment(donation=gift.alias, payout=payout),
        **(seen | other),
    )
    told = early_payouts.tell(house.session, gift.alias, payout=payout, agreed=agreed)
    house.session.commit()
    return told
