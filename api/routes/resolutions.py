"""Routes of resolutions: what waits for a word on what it is, and what two people said of it."""

from datetime import date

from fastapi import APIRouter

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import Alias, AmountOnWire, Reference, SignedActOnWire, Wire
from api.transactions import Tx
from ledger.approvals import Agreed
from ledger.reconciliation import resolutions
from ledger.reconciliation.answers import Answer
from ledger.reconciliation.resolutions import Because, NewResolution, Resolution

router = APIRouter()


class WaitingLineOut(Wire):
    """A line of the bank of which two people may say what it is; `of` is what its reference was drawn for."""

    exception: str
    difference: str
    account: str
    booked_on: date
    amount: AmountOnWire
    of: str | None


class ResolutionOut(Wire):
    """What was said, with everything an act about it restates."""

    about: str
    number: int
    answer: str
    of: str
    because: str
    amount: AmountOnWire
    settles: AmountOnWire
    asked_by: str
    asked_on: date
    agreed_by: str | None
    agreed_on: date | None
    commitment: str
    verb: str

    @classmethod
    def of_row(cls, said: Resolution) -> "ResolutionOut":
        """What was said as the wire has it."""
        return cls(
            about=said.about,
            number=said.number,
            answer=said.answer,
            of=said.of,
            because=said.because,
            amount=AmountOnWire.of(said.amount()),
            settles=AmountOnWire.of(said.settles()),
            asked_by=said.asked_by,
            asked_on=said.asked_on,
            agreed_by=said.agreed_by,
            agreed_on=said.agreed_on,
            commitment=resolutions.commitment_of(said),
            verb=resolutions.verb_of(said),
        )


class ResolutionsOut(Wire):
    """What waits, and all that was said."""

    lines: list[WaitingLineOut]
    resolutions: list[ResolutionOut]


class ResolutionIn(Wire):
    """What a treasurer says of an exception's line, or of a refund of an obligation, with their signed act."""

    about: Alias
    answer: Answer
    of: Alias | Reference
    settles: AmountOnWire
    because: Because
    agreed: SignedActOnWire


@router.get("/v1/resolutions")
def list_resolutions(session: Tx, _caller: Admitted) -> ResolutionsOut:
    """The lines that wait, and what was said of them and of refunds."""
    lines = [
        WaitingLineOut(
            exception=opened.alias,
            difference=opened.difference,
            account=line.account_code,
            booked_on=line.booked_on,
            amount=AmountOnWire.of(line.amount()),
            of=of,
        )
        for opened, line, of in resolutions.waiting(session)
    ]
    return ResolutionsOut(lines=lines, resolutions=[ResolutionOut.of_row(one) for one in resolutions.listed(session)])


@router.post("/v1/resolutions", status_code=201)
def request_resolution(body: ResolutionIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> ResolutionOut:
    """Says what it is; an approver agrees by `POST /v1/approvals`."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    new = NewResolution(
        about=body.about, answer=body.answer, of=body.of, settles=body.settles.money(), because=body.because
    )
    return once.keep(ResolutionOut.of_row(resolutions.request(session, new, agreed)))
