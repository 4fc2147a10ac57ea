"""Routes of resolutions: what waits for a word on what it is, and what was said of it, by one person or by two."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter
from pydantic import StringConstraints

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import Alias, AmountOnWire, Day, Reference, SignedActOnWire, Wire
from api.transactions import Tx
from ledger.approvals import Agreed
from ledger.exceptions import OpenException
from ledger.reconciliation import aid_answers, resolutions, waits
from ledger.reconciliation.answers import RULES, Answer, Because
from ledger.reconciliation.resolutions import NewResolution, Resolution, ResolutionAgreement
from ledger.reconciliation.waits import Thing, Waiting

router = APIRouter()

PayoutId = Annotated[str, StringConstraints(pattern=r"^(po|txn)_[A-Za-z0-9]{4,58}(:[0-9]{1,2})?$")]


class WaitingOut(Wire):
    """A line, a movement or a dispute that waits, and what can be said of it (`may_be`).

    `of` is what a line's reference was drawn for, a movement's balance transaction, or a dispute's gift.
    """

    about: str
    thing: Thing
    difference: str | None
    account: str | None
    on: date
    amount: AmountOnWire
    of: str | None
    may_be: list[Answer]


class ResolutionOut(Wire):
    """What was said, with everything an act about it restates; above zero it came in."""

    about: str
    number: int
    answer: Answer
    of: str | None
    because: Because | None
    amount: AmountOnWire
    settles: AmountOnWire
    happened_on: date | None
    alone: bool
    asked_by: str
    asked_on: date
    agreed_by: str | None
    agreed_on: date | None
    commitment: str
    verb: str

    @classmethod
    def of_rows(cls, said: Resolution, told: ResolutionAgreement | None) -> "ResolutionOut":
        """What was said as the wire has it."""
        return cls(
            about=said.about,
            number=said.number,
            answer=said.answer,
            of=said.of,
            because=said.because,
            amount=AmountOnWire.of(said.amount()),
            settles=AmountOnWire.of(said.settles()),
            happened_on=said.happened_on,
            alone=said.alone,
            asked_by=said.asked_by,
            asked_on=said.asked_on,
            agreed_by=told.agreed_by if told is not None else None,
            agreed_on=told.agreed_on if told is not None else None,
            commitment=resolutions.commitment_of(said),
            verb=resolutions.verb_of(said),
        )


class ResolutionsOut(Wire):
    """What waits, and all that was said."""

    waiting: list[WaitingOut]
    resolutions: list[ResolutionOut]


class ResolutionIn(Wire):
    """What a treasurer says of what waits, with their signed act; `settles` is all that moved unless told."""

    about: Alias
    answer: Answer
    of: Alias | Reference | PayoutId | None = None
    settles: AmountOnWire | None = None
    because: Because | None = None
    happened_on: Day | None = None
    agreed: SignedActOnWire


@router.get("/v1/resolutions")
def list_resolutions(session: Tx, _caller: Admitted, now: Now) -> ResolutionsOut:
    """What waits, and what was said of it and of refunds."""
    return ResolutionsOut(
        waiting=[_waiting(session, *one) for one in waits.listed(session, on=now.date())],
        resolutions=[ResolutionOut.of_rows(*one) for one in resolutions.listed(session)],
    )


@router.post("/v1/resolutions", status_code=201)
def request_resolution(body: ResolutionIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> ResolutionOut:
    """Says what it is. It is booked where one signature suffices; else an approver agrees by `POST /v1/approvals`."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    new = NewResolution(
        about=body.about,
        answer=body.answer,
        of=body.of,
        settles=body.settles.money() if body.settles is not None else None,
        because=body.because,
        happened_on=body.happened_on,
    )
    return once.keep(ResolutionOut.of_rows(resolutions.request(session, new, agreed), None))


def _waiting(session: Tx, about: str, waiting: Waiting, opened: OpenException | None) -> WaitingOut:
    line = waiting.line
    return WaitingOut(
        about=about,
        thing=waiting.thing,
        difference=opened.difference if opened is not None else None,
        account=line.account_code if line is not None else None,
        on=waiting.on,
        amount=AmountOnWire.of(waiting.moved),
        of=aid_answers.name_drawn_for(session, line.reference) if line is not None else waiting.of,
        may_be=[answer for answer, rule in RULES.items() if waiting.thing in rule.of],
    )
