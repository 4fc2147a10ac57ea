"""The signed acts about what became of a ruling on appeal, and about others who had paid the same fine."""

from sqlmodel import Session

from ledger.aid import cases, obligations, quashing, refunds, rulings
from ledger.aid.acts import accept_on_case, require_looked
from ledger.aid.cases import Case
from ledger.aid.refunds import Debtor, Refund
from ledger.approvals import Agreed
from ledger.errors import BadInput
from ledger.identities import shelves
from ledger.identities.shelves import NewBox
from ledger.money import Money


class BadDetails(BadInput):
    """A box that is not the next version of the ruling's details."""

    rule = "bad_details"


def reduce_ruling(
    session: Session, alias: str, agreed: Agreed, *, to: Money, details: NewBox | None = None, of: str | None = None
) -> Case:
    """Notes that an appeal reduced what a ruling asks for. The act names what is left: `reduce_ruling:400.00`.

    Where several obligations rest on it, `of` is the one that is reduced, and the act names it:
    `reduce_ruling:O-…+400.00`. Of what is not paid the rest is not owed any more, and `details` are the next box,
    sealed, of the ruling or of that obligation: of whichever tells the sum. When more is paid than is left, the box
    stays as it was, and the authority owes the difference back.

    Raises:
        UnknownRuling, UnknownObligation, AlreadyQuashed, MoneyUnderWay, EvidenceNotOpened, BadDetails, BadReduction,
        ObligationNotReady, and what `approvals.accept` and `shelves.keep` raise.
    """
    ruling = rulings.require(session, alias)
    case = cases.require(session, ruling.case_alias)
    require_looked(session, case, agreed.signer)
    said = to.decimal() if of is None else f"{of}+{to.decimal()}"
    with session.begin_nested():  # act and effect, or neither
        accept_on_case(session, agreed, "reduce_ruling", case, object_alias=alias, detail=said)
        obligation = quashing.reduce(
            session, ruling, to, alias=of, by=agreed.signer.alias, on=agreed.now.date(), recorded_at=agreed.now
        )
        is_other = obligation.amount() == to  # what was paid by then, and is owed back, stays as it was sealed
        if is_other != (details is not None):
            raise BadDetails("a reduction to no less than was paid, and no other, brings details", where="details")
        if details is not None:
            has_own = shelves.commitments(session, [obligation.alias])
            place = ("obligation", obligation.alias) if has_own else ("ruling", alias)
            if (details.kind, details.alias, details.field) != (*place, "details"):
                raise BadDetails("the box is of another thing", where="details")
            shelves.keep(session, [details], shelf=case.beneficiary_alias)
    return case


def uphold_ruling(session: Session, alias: str, agreed: Agreed) -> Case:
    """Notes that an appeal left a ruling as it was.

    Raises:
        UnknownRuling, AlreadyQuashed, EvidenceNotOpened, and what `approvals.accept` raises.
    """
    ruling = rulings.require(session, alias)
    case = cases.require(session, ruling.case_alias, lock=True)
    require_looked(session, case, agreed.signer)
    with session.begin_nested():
        accept_on_case(session, agreed, "uphold_ruling", case, object_alias=alias)
        quashing.uphold(session, ruling, by=agreed.signer.alias, on=agreed.now.date())
    return case


def acknowledge_duplicate(session: Session, alias: str, agreed: Agreed, *, amount: Money) -> Refund:
    """Another organisation had paid the obligation too, and says that it owes the fund `amount` of it.

    Who signs has its confirmation among the evidence; the act names the sum: `acknowledge_duplicate:810.00`.

    Raises:
        UnknownObligation, ObligationNotReady, OverRefund, EvidenceNotOpened, and what `approvals.accept` raises.
    """
    obligation = obligations.require(session, alias, lock=True)
    case = cases.require(session, obligation.case_alias)
    require_looked(session, case, agreed.signer)
    number = len(refunds.of_obligation(session, alias)) + 1
    with session.begin_nested():
        accept_on_case(session, agreed, "acknowledge_duplicate", case, object_alias=alias, detail=amount.decimal())
        refund = refunds.expect(
            session,
            obligation,
            amount,
            debtor=Debtor.ORGANISATION,
            source_key=f"obligation:{alias}:acknowledged:{number}",
            on=agreed.now.date(),
            recorded_at=agreed.now,
            recorded_by=agreed.signer.alias,
        )
        obligations.follow(session, cases.require(session, case.alias, lock=True), on=agreed.now.date())
    return refund
