"""A fine is paid in two parts, the bank gives the second one back, and it is paid again: signed, booked and checked."""

import pytest
from sqlmodel import Session, select

from ledger.aid import acts, cases, disbursements, obligations, subledger
from ledger.aid.disbursements import Disbursement, Payee
from ledger.aliases import Kind, draw
from ledger.identities import shelves
from ledger.limits import OverLimit
from ledger.people import Limit
from ledger.reconciliation import bank
from ledger.reconciliation.statements import NewLine, NewStatement, StatementLine
from reports import gathering
from reports.dossier import chain
from reports.dossier.gathering import gather
from reports.dossier.steps import Standing
from tests.bookcheck import assert_it_holds
from tests.cast import LEAF, NOW, TODAY, House, byn, enrol, give, nothing_written, sealed, the_next


def asked(house: House, case: cases.Case, amount: str | None = None) -> Disbursement:
    """Clara asks for a part; the payee is sealed, and Boris looks."""
    alias = draw(Kind.DISBURSEMENT)
    key = house.session.get_one(shelves.Shelf, case.beneficiary_alias).sealing_key
    payee = sealed(key, kind="disbursement", alias=alias, field="payee", content="Invented authority")
    part = disbursements.request(
        house.session,
        alias,
        obligation=house.obligation_of(case),
        payee=Payee.AUTHORITY,
        payee_commitment=payee.commitment,
        fund="fines",
        account=LEAF,
        requested_by=house.fund.clara.alias,
        amount=byn(amount) if amount else None,
    )
    shelves.keep(house.session, [payee], shelf=case.beneficiary_alias)
    house.open(case, by=house.fund.boris)
    house.session.commit()
    return part


def approved(house: House, part: Disbursement) -> Disbursement:
    acts.approve_disbursement(
        house.session, part.alias, house.on_payment("approve_disbursement", part, by=house.fund.boris)
    )
    house.session.commit()
    return part


def paid(house: House, part: Disbursement) -> Disbursement:
    """Released, and seen at the bank."""
    acts.release_disbursement(
        house.session, part.alias, house.on_payment("release_disbursement", part, by=house.fund.clara)
    )
    at_the_bank(house, part, -1)
    return part


def at_the_bank(house: House, part: Disbursement, sign: int) -> None:
    """The bank's next statement, which has all lines of the day."""
    moved = -part.amount() if sign < 0 else part.amount()
    known = house.session.exec(select(StatementLine).where(StatementLine.booked_on == TODAY)).all()
    lines = [NewLine(TODAY, None, one.amount(), one.reference, reversal=False) for one in known]
    new = NewStatement(
        alias=draw(Kind.STATEMENT),
        account=LEAF,
        currency="BYN",
        opened_on=None,
        closed_on=None,
        opening=None,
        closing=None,
        content_token=draw(Kind.STATEMENT).encode().hex().ljust(64, "0"),
        lines=[*lines, NewLine(TODAY, None, moved, part.reference, reversal=False)],
    )
    bank.receive(house.session, new, received_at=NOW, received_by=house.fund.clara.alias)
    house.session.commit()


def test_a_fine_is_paid_in_two_parts_and_the_second_comes_back(house: House) -> None:
    give(house.session, byn("2000.00"))
    case = house.a_verified_case()
    first = approved(house, asked(house, case, "300.00"))
    house.tell(first)
    paid(house, first)
    second = paid(house, approved(house, asked(house, case)))
    obligation = house.obligation_of(case)
    assert (case.state, obligation.state) == (cases.State.PAID, obligations.State.PAID)

    at_the_bank(house, second, 1)

    assert (case.state, obligation.state) == (cases.State.APPROVED, obligations.State.PART_PAID)
    assert second.state is disbursements.State.RETURNED
    assert_it_holds(house.session.get_bind())  # type: ignore[arg-type]  # it is an engine

    third = paid(house, approved(house, asked(house, case)))

    assert (third.amount(), case.state) == (byn("510.00"), cases.State.PAID)
    assert_it_holds(house.session.get_bind())  # type: ignore[arg-type]  # it is an engine
    told = [(row.amount.decimal(), row.payment and row.payment.disbursement) for row in ledger_of(house.session, case)]
    assert told == [
        ("-810.00", None),
        ("300.00", first.alias),
        ("510.00", second.alias),
        ("-510.00", second.alias),
        ("510.00", third.alias),
    ]
    (shown,) = chain.chains(gather(house.session, case.alias, as_of=NOW))
    steps = {step.title: step for step in shown.steps}
    assert steps["Paid in all"].standing is Standing.ESTABLISHED
    assert "the bank gave it back" in steps["Attempt"].says
    assert not [step for step in shown.steps if step.standing is Standing.CONTRADICTED]
    assert sorted(item.minor for item in gathering.gather_items(house.session)) == [30_000, 51_000]
    (row,) = gathering.gather_disbursements(house.session, on=TODAY).rows
    assert (row.payments, row.paid_minor) == (2, 81_000)


def ledger_of(session: Session, case: cases.Case) -> list[subledger.Row]:
    return subledger.of_case(session, case.alias)


def test_a_sum_above_the_limit_is_not_agreed_to_in_parts(house: House) -> None:
    give(house.session, byn("2000.00"))
    limit = Limit(role="approver", currency="BYN", per_act="500.00", per_day=None, third_above=None)
    enrol(
        house.session,
        the_next(house.fund.roster(), format="solidarity-roster-3", limits=(limit,)),
        house.fund.olga,
        house.fund.oleg,
    )
    part = asked(house, house.a_verified_case(), "300.00")
    agreed = house.on_payment("approve_disbursement", part, by=house.fund.boris)

    with nothing_written(house.session), pytest.raises(OverLimit) as refusal:
        acts.approve_disbursement(house.session, part.alias, agreed)

    assert (refusal.value.data["limit"], refusal.value.data["minor"]) == ("act", 81_000)
