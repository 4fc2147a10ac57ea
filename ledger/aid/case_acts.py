"""The signed acts that steer a case: held and resumed, withdrawn, a duplicate, its receipts confirmed, closed."""

from sqlmodel import Session

from ledger.aid import bail, cases, disbursements, exits, obligations
from ledger.aid.acts import accept_on_case, files_of, require_looked
from ledger.aid.cases import Case, CaseNotReady
from ledger.approvals import Agreed
from ledger.errors import Refused
from ledger.identities.evidence import EvidenceKind


class ReceiptMissing(Refused):
    """A payment was made without a receipt: none is kept with the case."""

    rule = "receipt_missing"


def hold_case(session: Session, alias: str, agreed: Agreed) -> Case:
    """Puts an unpaid case on hold: nothing of it is approved or released. Whoever sees a reason may do it.

    Raises:
        CaseNotReady, and what `approvals.accept` raises.
    """
    case = cases.require(session, alias, lock=True)
    with session.begin_nested():  # act and effect, or neither
        accept_on_case(session, agreed, "hold_case", case)
        cases.hold(session, case, on=agreed.now.date())
    return case


def resume_case(session: Session, alias: str, agreed: Agreed) -> Case:
    """Lets a case go on from where it was held; one that was paid with its receipts meanwhile is confirmed.

    Raises:
        CaseNotReady, and what `approvals.accept` raises.
    """
    case = cases.require(session, alias, lock=True)
    with session.begin_nested():
        accept_on_case(session, agreed, "resume_case", case)
        cases.resume(session, case, on=agreed.now.date())
        disbursements.confirm_if_proven(session, case, on=agreed.now.date())
    return case


def withdraw_case(session: Session, alias: str, agreed: Agreed) -> Case:
    """The beneficiary does not want the aid: what an unpaid case had led to is taken back.

    Raises:
        CaseNotReady, MoneyUnderWay, and what `approvals.accept` raises.
    """
    on = agreed.now.date()
    with session.begin_nested():
        case = exits.clear(session, alias, by=agreed.signer.alias, on=on, recorded_at=agreed.now)
        accept_on_case(session, agreed, "withdraw_case", case)
        cases.withdraw(session, case, on=on)
    return case


def mark_duplicate(session: Session, alias: str, agreed: Agreed, *, of: str) -> Case:
    """A reviewer who has opened both cases says that this one is the case `of` again: it can never be paid.

    The act names the other one: `mark_duplicate:C-…`.

    Raises:
        EvidenceNotOpened, NotADuplicate, CaseNotReady, MoneyUnderWay, and what `approvals.accept` raises.
    """
    on = agreed.now.date()
    for looked_at in (alias, of):
        case = cases.require(session, looked_at)
        require_looked(session, case, agreed.signer)
    with session.begin_nested():
        case = exits.clear(session, alias, by=agreed.signer.alias, on=on, recorded_at=agreed.now, beside=[of])
        accept_on_case(session, agreed, "mark_duplicate", case, detail=of)
        exits.mark_duplicate(session, case, of=of, on=on)
    return case


def confirm_case(session: Session, alias: str, agreed: Agreed) -> Case:
    """Confirms a paid case: the signer has looked at its receipts.

    Those of payments through an agent were verified with the results.

    Raises:
        CaseNotReady, ReceiptMissing, EvidenceNotOpened, and what `approvals.accept` raises.
    """
    case = cases.require(session, alias, lock=True)
    require_looked(session, case, agreed.signer)
    if not any(file.kind is EvidenceKind.RECEIPT for file in files_of(session, case)):
        raise ReceiptMissing("no receipt is kept with the case", case=alias)
    with session.begin_nested():
        accept_on_case(session, agreed, "confirm_case", case)
        disbursements.note_receipts(session, case, on=agreed.now.date())
    return case


def close_case(session: Session, alias: str, agreed: Agreed) -> Case:
    """Closes a confirmed case of which nothing is open any more.

    Raises:
        CaseNotReady: it is not confirmed, a refund is due, or a court holds bail. What `approvals.accept` raises.
    """
    case = cases.require(session, alias, lock=True)
    owed = obligations.of_case(session, alias)
    is_open = {one.state for one in owed} & {*obligations.OPEN, obligations.State.REFUND_DUE}
    if case.state is not cases.State.CONFIRMED or is_open or any(bail.is_held(session, one) for one in owed):
        raise CaseNotReady("a case is closed when it is confirmed and nothing is open", case=alias, state=case.state)
    with session.begin_nested():
        accept_on_case(session, agreed, "close_case", case)
        cases.close(session, case, on=agreed.now.date())
    return case
