"""Routes of gifts by bank: matched, conditional, claimed, sent back, or none at all."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import StringConstraints

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.giving import DonationOut, DonationsOut, PurposeCode
from api.routes.wire import Alias, AmountOnWire, Code, SignedActOnWire, Wire
from api.transactions import Tx
from ledger.approvals import Agreed
from ledger.bearer_keys import Caller
from ledger.books import recipes
from ledger.giving import (
    conditional,
    donations,
    early_payouts,
    gift_returns,
    steps,
    unclaimed,
    unidentified,
)
from ledger.giving.donations import WrongState
from ledger.giving.gift_returns import GiftReturn, NewGiftReturn

router = APIRouter()

PayoutId = Annotated[str, StringConstraints(pattern=r"^po_[A-Za-z0-9]{4,58}(:[0-9]{1,2})?$")]


class StepOut(Wire):
    """What became of a gift, or of a part of it; `about` is the purpose, the payout, or what was sent back."""

    step: str
    amount: AmountOnWire
    fund: str
    about: str | None
    taken_by: str
    taken_on: date


class StepsOut(Wire):
    """What became of a gift, in order, and what an act about it restates.

    `version` is the next step's number; `unidentified` and `conditional` are what is left there and not asked to go
    back; `owed` is the account that it would go back from, None when nothing can.
    """

    donation: DonationOut
    version: int
    unidentified: AmountOnWire
    conditional: AmountOnWire
    owed: str | None
    steps: list[StepOut]


class MatchIn(Wire):
    """What an unidentified gift is for; `conditional`: it goes back unless a condition is met. The treasurer's act."""

    purpose: PurposeCode
    conditional: bool = False
    agreed: SignedActOnWire


class MeetIn(Wire):
    """Of how much of a gift the condition is met, with the approver's signed act."""

    amount: AmountOnWire
    agreed: SignedActOnWire


class ActIn(Wire):
    """The signed act."""

    agreed: SignedActOnWire


class PayoutIn(Wire):
    """The payout that a gift was, with the treasurer's signed act."""

    payout: PayoutId
    agreed: SignedActOnWire


class GiftReturnIn(Wire):
    """Asks for a gift, or a part of it, to go back from a bank leaf, with the treasurer's signed act."""

    alias: Alias
    donation: Alias
    account: Code
    amount: AmountOnWire
    agreed: SignedActOnWire


class GiftReturnOut(Wire):
    """What goes back, with everything an act about it restates; `reference` is all that the bank is told of us."""

    alias: str
    donation: str
    account: str
    owed: str
    fund: str
    amount: AmountOnWire
    state: str
    version: int
    commitment: str
    reference: str
    requested_by: str
    requested_at: datetime
    approved_by: str | None
    paid_on: date | None
    returned_on: date | None

    @classmethod
    def of(cls, order: GiftReturn) -> "GiftReturnOut":
        """What goes back as the wire has it."""
        return cls(
            alias=order.alias,
            donation=order.donation_alias,
            account=order.account_code,
            owed=order.owed_code,
            fund=order.fund_code,
            amount=AmountOnWire.of(order.amount()),
            state=order.state,
            version=order.version,
            commitment=order.commitment(),
            reference=order.reference,
            requested_by=order.requested_by,
            requested_at=order.requested_at,
            approved_by=order.approved_by,
            paid_on=order.paid_on,
            returned_on=order.returned_on,
        )


class GiftReturnsOut(Wire):
    """All that goes or went back from the bank, oldest first."""

    gift_returns: list[GiftReturnOut]


@router.get("/v1/donations/unclaimed")
def list_unclaimed(session: Tx, _caller: Admitted, now: Now) -> DonationsOut:
    """The unidentified gifts for whose givers nobody waits any longer, oldest first."""
    return DonationsOut(donations=[DonationOut.of(one) for one in unclaimed.due(session, now.date())])


@router.get("/v1/donations/{alias}/steps")
def list_steps(alias: Alias, session: Tx, _caller: Admitted) -> StepsOut:
    """What became of a gift."""
    gift = donations.require(session, alias, lock=False)
    left = {
        code: AmountOnWire.of(gift_returns.left_to_send(session, gift, code))
        for code in (recipes.UNIDENTIFIED, recipes.CONDITIONAL_GIFTS)
    }
    try:
        owed = gift_returns.owed_on(gift)
    except WrongState:
        owed = None
    return StepsOut(
        donation=DonationOut.of(gift),
        version=steps.next_number(session, gift),
        unidentified=left[recipes.UNIDENTIFIED],
        conditional=left[recipes.CONDITIONAL_GIFTS],
        owed=owed,
        steps=[
            StepOut(
                step=one.step,
                amount=AmountOnWire.of(one.amount()),
                fund=one.fund_code,
                about=one.about,
                taken_by=one.taken_by,
                taken_on=one.taken_on,
            )
            for one in steps.of(session, [alias])[alias]
        ],
    )


@router.post("/v1/donations/{alias}/match", status_code=201)
def match_donation(alias: Alias, body: MatchIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> DonationOut:
    """Says what an unidentified gift is for, or that it is conditional."""
    verb = unidentified.place_conditional if body.conditional else unidentified.match
    gift = verb(session, alias, purpose=body.purpose, agreed=_agreed(body.agreed, caller, now))
    return once.keep(DonationOut.of(gift))


@router.post("/v1/donations/{alias}/meet", status_code=201)
def meet_condition(alias: Alias, body: MeetIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> DonationOut:
    """Says that the condition of a gift, or of a part of it, is met."""
    agreed = _agreed(body.agreed, caller, now)
    return once.keep(DonationOut.of(conditional.meet(session, alias, amount=body.amount.money(), agreed=agreed)))


@router.post("/v1/donations/{alias}/claim", status_code=201)
def claim_donation(alias: Alias, body: ActIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> DonationOut:
    """Takes an unidentified gift whose giver did not say in time what it is for."""
    return once.keep(DonationOut.of(unclaimed.claim(session, alias, _agreed(body.agreed, caller, now))))


@router.post("/v1/donations/{alias}/payout", status_code=201)
def tell_payout(alias: Alias, body: PayoutIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> DonationOut:
    """Says that a gift by bank was a payout that the bank showed before the processor told of it."""
    agreed = _agreed(body.agreed, caller, now)
    return once.keep(DonationOut.of(early_payouts.tell(session, alias, payout=body.payout, agreed=agreed)))


@router.get("/v1/gift-returns")
def list_gift_returns(session: Tx, _caller: Admitted) -> GiftReturnsOut:
    """All that goes or went back from the bank."""
    return GiftReturnsOut(gift_returns=[GiftReturnOut.of(one) for one in gift_returns.listed(session)])


@router.post("/v1/gift-returns", status_code=201)
def request_gift_return(body: GiftReturnIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> GiftReturnOut:
    """Asks for a gift to go back."""
    new = NewGiftReturn(alias=body.alias, donation=body.donation, account=body.account, amount=body.amount.money())
    return once.keep(GiftReturnOut.of(gift_returns.request(session, new, _agreed(body.agreed, caller, now))))


@router.post("/v1/gift-returns/{alias}/cancel", status_code=201)
def cancel_gift_return(alias: Alias, session: Tx, _caller: Admitted, now: Now, once: Claimed) -> GiftReturnOut:
    """Gives up what the bank has not shown."""
    return once.keep(GiftReturnOut.of(gift_returns.cancel(session, alias, on=now.date())))


def _agreed(signed: SignedActOnWire, caller: Caller, now: datetime) -> Agreed:
    return Agreed(signed.act, signed.signature, caller.operator, now)
