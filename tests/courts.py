"""What a bail fund does with courts: posts bail in dollars, hears of hearings, and gets back what is left."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from ledger.aid import acts, bail, bail_acts, eligibility, jurisdictions
from ledger.aid.cases import Case
from ledger.aid.disbursements import Disbursement
from ledger.aid.obligations import Obligation, ObligationKind
from ledger.aliases import Kind, draw
from ledger.approvals import Agreed, Verb
from ledger.books import accounts
from ledger.money import Money
from ledger.reconciliation import bank
from ledger.reconciliation.bank import Outcome
from ledger.reconciliation.statements import NewLine, NewStatement
from tests.cast import NOW, TODAY, House, Person, a_row, agreed_by, give

USD_LEAF = "1000:usd-main"
ACCUSED = "Invented Person before the Court"
"""Whose bail it is, and whose fine, unless told."""


def usd(amount: str) -> Money:
    return Money.parse(amount, "USD")


def open_dollars(house: House, amount: str = "9000.00") -> None:
    """A bank leaf in dollars, and a gift on it."""
    accounts.add_leaf(house.session, USD_LEAF, name="Current account", currency="USD")
    give(house.session, usd(amount), leaf=USD_LEAF)


def a_case(house: House, amount: str, *, kind: ObligationKind = ObligationKind.BAIL, **facts: Any) -> Case:
    """A verified case of the bail fund's pack."""
    issued_on = date(2020, 11, 2)
    kept = eligibility.bounds(jurisdictions.load("us-bail"), kind="bail", issued_on=issued_on, in_force_on=issued_on)
    row = a_row(house.fund, amount=usd(amount), kind=kind, article="240.20", **({"name": ACCUSED} | facts))
    case = house.receive(replace(row, jurisdiction="us-bail", region="county", bounds=kept))
    house.session.commit()
    return house.verify(case, by=house.fund.anton)


def posted_bail(house: House, amount: str = "1500.00", *, on: date = TODAY) -> Obligation:
    """Bail that was asked for, approved, released and seen to leave."""
    payment = house.a_released_payment(of=a_case(house, amount), leaf=USD_LEAF)
    see_at_the_bank(house, -payment.amount(), reference=payment.reference, on=on)
    house.session.refresh(payment)
    return house.session.get_one(Obligation, payment.obligation_alias)


def a_recognised_fine(house: House, amount: str = "400.00") -> tuple[Obligation, Disbursement]:
    """A fine that the fund has recognised, and the payment of it that was not released."""
    case = a_case(house, amount, kind=ObligationKind.FINE)
    payment = house.an_approved_payment(of=case, leaf=USD_LEAF)
    return house.tell(payment), payment


def see_at_the_bank(house: House, moved: Money, *, reference: str, on: date = TODAY) -> Outcome:
    """The bank tells of one movement on the dollars' leaf."""
    statement = NewStatement(
        alias=draw(Kind.STATEMENT),
        account=USD_LEAF,
        currency="USD",
        opened_on=None,
        closed_on=None,
        opening=None,
        closing=None,
        content_token=draw(Kind.STATEMENT).encode().hex().ljust(64, "0")[:64],
        lines=[NewLine(on, None, moved, reference, reversal=False)],
    )
    at = datetime.combine(on, NOW.timetz()) + timedelta(hours=1)
    outcome = bank.receive(house.session, statement, received_at=at, received_by=house.fund.clara.alias)
    house.session.commit()
    return outcome


def on_bail(house: House, verb: Verb, posted: Obligation, *, by: Person, **other: Any) -> Agreed:
    """What a client signs about bail it sees, after it has fetched the shelf."""
    case = house.session.get_one(Case, posted.case_alias)
    house.open(case, by=by)
    seen: dict[str, Any] = {
        "object": posted.alias,
        "version": bail.steps(house.session, posted.alias) + 1,
        "evidence_commitments": tuple(acts.evidence_of(house.session, case)),
    }
    return agreed_by(by, verb, **(seen | other))


def forfeit(house: House, posted: Obligation, amount: Money, *, by: Person | None = None, **other: Any) -> None:
    """Boris signs that the court keeps a part."""
    told: dict[str, Any] = {"amount": amount.decimal(), "currency": amount.currency} | other
    agreed = on_bail(house, "forfeit_bail", posted, by=by or house.fund.boris, **told)
    bail_acts.forfeit_bail(house.session, posted.alias, agreed, amount=amount)
    house.session.commit()


def apply(
    house: House,
    posted: Obligation,
    fine: Obligation,
    amount: Money | None = None,
    *,
    by: Person | None = None,
    **other: Any,
) -> None:
    """Boris signs that the court keeps a part as the payment of a fine: of the whole unless told."""
    counted = amount or fine.amount()
    told: dict[str, Any] = {
        "amount": counted.decimal(),
        "currency": fine.currency,
        "payee_commitment": bail_acts.commitment(fine.alias),
    }
    agreed = on_bail(house, "apply_bail", posted, by=by or house.fund.boris, **(told | other))
    bail_acts.apply_bail(house.session, posted.alias, agreed, fine=fine.alias, amount=counted)
    house.session.commit()
