"""Routes of transfers between funds: asked for by the first signature, booked by the second (`POST /v1/approvals`)."""

from datetime import date

from fastapi import APIRouter, Request

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import Alias, AmountOnWire, BoxOnWire, Code, ShelfOnWire, SignedActOnWire, Wire
from api.transactions import Tx
from ledger.approvals import Agreed
from ledger.errors import BadInput
from ledger.identities import shelves
from ledger.treasury import transfers
from ledger.treasury.transfers import NewTransfer, Transfer

router = APIRouter()


class BadConsent(BadInput):
    """What is sealed with a transfer is not its giver's consent."""

    rule = "bad_consent"


class TransferIn(Wire):
    """Asks for a transfer, with the treasurer's signed act; `consent` is the gift whose giver agreed.

    The evidence that they did is sealed: one box on a shelf of the transfer's own.
    """

    alias: Alias
    giver: Code
    taker: Code
    account: Code
    amount: AmountOnWire
    consent: Alias | None = None
    shelf: ShelfOnWire | None = None
    evidence: BoxOnWire | None = None
    agreed: SignedActOnWire


class TransferOut(Wire):
    """A transfer with everything an act about it restates."""

    alias: str
    giver: str
    taker: str
    account: str
    amount: AmountOnWire
    consent: str | None
    consent_commitment: str | None
    state: str
    version: int
    commitment: str
    requested_by: str
    approved_by: str | None
    booked_on: date | None

    @classmethod
    def of(cls, transfer: Transfer) -> "TransferOut":
        """A transfer as the wire has it."""
        return cls(
            alias=transfer.alias,
            giver=transfer.giver_code,
            taker=transfer.taker_code,
            account=transfer.account_code,
            amount=AmountOnWire.of(transfer.amount()),
            consent=transfer.consent_alias,
            consent_commitment=transfer.consent_commitment,
            state=transfer.state,
            version=transfer.version,
            commitment=transfer.commitment(),
            requested_by=transfer.requested_by,
            approved_by=transfer.approved_by,
            booked_on=transfer.booked_on,
        )


class TransfersOut(Wire):
    """All transfers, oldest first."""

    transfers: list[TransferOut]


@router.get("/v1/transfers")
def list_transfers(session: Tx, _caller: Admitted) -> TransfersOut:
    """All transfers."""
    return TransfersOut(transfers=[TransferOut.of(one) for one in transfers.listed(session)])


@router.post("/v1/transfers", status_code=201)
def request_transfer(
    body: TransferIn, request: Request, session: Tx, caller: Admitted, now: Now, once: Claimed
) -> TransferOut:
    """Asks for one fund's money to become another's."""
    new = NewTransfer(
        alias=body.alias,
        giver=body.giver,
        taker=body.taker,
        account=body.account,
        amount=body.amount.money(),
        consent=body.consent,
        consent_commitment=body.evidence.commitment if body.evidence else None,
    )
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    transfer = transfers.request(session, new, agreed)
    if body.evidence is not None:
        box, shelf = body.evidence.box(), body.shelf
        if (box.kind, box.alias, box.field) != ("transfer", body.alias, "consent"):
            raise BadConsent("the box is the consent to this transfer", where="evidence")
        if shelf is None or (shelf.alias, shelf.vault) != (body.alias, "money"):
            raise BadConsent("the shelf is this transfer's, of the vault of money", where="shelf")
        shelves.put_up(session, shelf.shelf(), signer=caller.operator, shred_keys=request.app.state.shred_keys)
        shelves.keep(session, [box], shelf=shelf.alias)
    return once.keep(TransferOut.of(transfer))
