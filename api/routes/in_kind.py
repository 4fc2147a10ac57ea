"""Routes of gifts in kind: valued by one, agreed to by another (`POST /v1/approvals`), or withdrawn."""

from datetime import date
from typing import Literal

from fastapi import APIRouter

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import Alias, AmountOnWire, Code, Day, Digest, SignedActOnWire, Wire
from api.transactions import Tx
from ledger.approvals import Agreed
from ledger.giving import in_kind
from ledger.giving.in_kind import GiftInKind, GivenKind, NewGiftInKind

router = APIRouter()


class GiftInKindIn(Wire):
    """What was given and what it is worth; `evidence` commits to the sealed file that shows it. The treasurer's act."""

    alias: Alias
    kind: Literal["legal_aid", "administration"]
    fund: Code
    worth: AmountOnWire
    evidence: Digest
    given_on: Day
    agreed: SignedActOnWire


class GiftInKindOut(Wire):
    """A gift in kind with everything an act about it restates."""

    alias: str
    kind: str
    fund: str
    worth: AmountOnWire
    evidence: str
    given_on: date
    state: str
    commitment: str
    valued_by: str
    agreed_by: str | None

    @classmethod
    def of(cls, gift: GiftInKind) -> "GiftInKindOut":
        """A gift in kind as the wire has it."""
        return cls(
            alias=gift.alias,
            kind=gift.kind,
            fund=gift.fund_code,
            worth=AmountOnWire.of(gift.worth()),
            evidence=gift.evidence,
            given_on=gift.given_on,
            state=gift.state,
            commitment=gift.commitment(),
            valued_by=gift.valued_by,
            agreed_by=gift.agreed_by,
        )


class GiftsInKindOut(Wire):
    """All gifts in kind, oldest first."""

    gifts_in_kind: list[GiftInKindOut]


@router.get("/v1/gifts-in-kind")
def list_gifts_in_kind(session: Tx, _caller: Admitted) -> GiftsInKindOut:
    """All gifts in kind."""
    return GiftsInKindOut(gifts_in_kind=[GiftInKindOut.of(one) for one in in_kind.listed(session)])


@router.post("/v1/gifts-in-kind", status_code=201)
def value_gift_in_kind(body: GiftInKindIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> GiftInKindOut:
    """States what a gift in kind is worth; another person agrees by `POST /v1/approvals`."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    new = NewGiftInKind(
        alias=body.alias,
        kind=GivenKind(body.kind),
        fund=body.fund,
        worth=body.worth.money(),
        evidence=body.evidence,
        on=body.given_on,
    )
    return once.keep(GiftInKindOut.of(in_kind.value(session, new, agreed)))


@router.post("/v1/gifts-in-kind/{alias}/withdraw", status_code=201)
def withdraw_gift_in_kind(alias: Alias, session: Tx, _caller: Admitted, once: Claimed) -> GiftInKindOut:
    """Gives up a value that nobody has agreed to."""
    return once.keep(GiftInKindOut.of(in_kind.withdraw(session, alias)))
