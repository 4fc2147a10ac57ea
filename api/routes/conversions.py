"""Routes of conversions: asked for, agreed to (`POST /v1/approvals`), released, given up."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from sqlmodel import Session

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.agents import AgreedIn, SameFundTwice, ShareOnWire
from api.routes.wire import Alias, AmountOnWire, Code, Wire
from api.transactions import Tx
from ledger.approvals import Agreed
from ledger.treasury import conversion_acts, conversions
from ledger.treasury.conversions import Conversion, NewConversion

router = APIRouter()


class ConversionIn(Wire):
    """Asks for shares of funds on one bank leaf to be changed into another currency on another."""

    alias: Alias
    source: Code
    target: Code
    shares: Annotated[list[ShareOnWire], Field(min_length=1, max_length=20)]
    expected: AmountOnWire


class ConversionOut(Wire):
    """A conversion with everything an act about it restates; `reference` is all the bank is told."""

    alias: str
    source: str
    target: str
    state: str
    version: int
    amount: AmountOnWire
    shares: list[ShareOnWire]
    expected: AmountOnWire
    commitment: str
    reference: str
    left: bool
    arrived: AmountOnWire | None


class ConversionsOut(Wire):
    """All conversions, oldest first."""

    conversions: list[ConversionOut]


@router.get("/v1/conversions")
def list_conversions(session: Tx, _caller: Admitted) -> ConversionsOut:
    """All conversions."""
    return ConversionsOut(conversions=[_conversion(session, one) for one in conversions.listed(session)])


@router.post("/v1/conversions", status_code=201)
def request_conversion(body: ConversionIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> ConversionOut:
    """Asks for a conversion, split by fund."""
    shares = {share.fund: share.amount.money() for share in body.shares}
    if len(shares) != len(body.shares):
        raise SameFundTwice("a fund has one share", where="shares")
    new = NewConversion(
        alias=body.alias, source=body.source, target=body.target, shares=shares, expected=body.expected.money()
    )
    requested = conversions.request(session, new, by=caller.operator.alias, at=now)
    return once.keep(_conversion(session, requested))


@router.post("/v1/conversions/{alias}/release", status_code=201)
def release_conversion(
    alias: Alias, body: AgreedIn, session: Tx, caller: Admitted, now: Now, once: Claimed
) -> ConversionOut:
    """Releases an approved conversion to the bank."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    return once.keep(_conversion(session, conversion_acts.release(session, alias, agreed)))


@router.post("/v1/conversions/{alias}/cancel", status_code=201)
def cancel_conversion(alias: Alias, session: Tx, _caller: Admitted, now: Now, once: Claimed) -> ConversionOut:
    """Gives up a conversion of which the bank has shown nothing."""
    return once.keep(_conversion(session, conversions.cancel(session, alias, on=now.date())))


def _conversion(session: Session, conversion: Conversion) -> ConversionOut:
    arrived = conversion.arrived()
    return ConversionOut(
        alias=conversion.alias,
        source=conversion.source_code,
        target=conversion.target_code,
        state=conversion.state,
        version=conversion.version,
        amount=AmountOnWire.of(conversion.sold()),
        shares=[
            ShareOnWire(fund=fund, amount=AmountOnWire.of(share))
            for fund, share in sorted(conversions.shares_of(session, conversion).items())
        ],
        expected=AmountOnWire.of(conversion.expected()),
        commitment=conversions.commitment_of(session, conversion),
        reference=conversion.reference,
        left=conversion.left_key is not None,
        arrived=None if arrived is None else AmountOnWire.of(arrived),
    )
