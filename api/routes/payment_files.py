"""Routes of payment files: noted by numbers and a commitment, withdrawn by two people; their content stays away."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import Alias, AmountOnWire, BoxOnWire, Code, Reference, ShelfOnWire, SignedActOnWire, Wire
from api.transactions import Tx
from ledger.aid import payment_files
from ledger.aid.payment_files import MOST_LINES, BadPaymentFile, NewPaymentFile, PaymentFile
from ledger.approvals import Agreed
from ledger.identities import shelves

router = APIRouter()


class PaymentFileIn(Wire):
    """A file that a device has made; `seal` is the box with its SHA-256, on a shelf of its own in the money vault."""

    alias: Alias
    message_id: Reference
    account: Code
    references: Annotated[list[Reference], Field(max_length=MOST_LINES)]
    control_sum: AmountOnWire
    shelf: ShelfOnWire
    seal: BoxOnWire


class PaymentFileOut(Wire):
    """A file with everything an act about it restates."""

    alias: str
    message_id: str
    account: str
    orders: int
    control_sum: AmountOnWire
    commitment: str
    version: int
    made_by: str
    made_at: datetime
    withdrawal_asked_by: str | None
    withdrawn_by: str | None

    @classmethod
    def of(cls, file: PaymentFile) -> "PaymentFileOut":
        """A file as the wire has it."""
        return cls(
            alias=file.alias,
            message_id=file.message_id,
            account=file.account_code,
            orders=file.orders,
            control_sum=AmountOnWire.of(file.amount()),
            commitment=file.commitment,
            version=file.version,
            made_by=file.made_by,
            made_at=file.made_at,
            withdrawal_asked_by=file.withdrawal_asked_by,
            withdrawn_by=file.withdrawn_by,
        )


class PaymentFilesOut(Wire):
    """All files, oldest first."""

    files: list[PaymentFileOut]


class WithdrawalIn(Wire):
    """The signed act of one of the two."""

    agreed: SignedActOnWire


@router.get("/v1/payment-files")
def list_payment_files(session: Tx, _caller: Admitted) -> PaymentFilesOut:
    """The files that were made for banks."""
    return PaymentFilesOut(files=[PaymentFileOut.of(file) for file in payment_files.listed(session)])


@router.post("/v1/payment-files", status_code=201)
def note_payment_file(
    body: PaymentFileIn, request: Request, session: Tx, caller: Admitted, now: Now, once: Claimed
) -> PaymentFileOut:
    """Notes a file, once it is found to be what was released; a second one for a payment is refused."""
    shelf, seal = body.shelf.shelf(), body.seal.box()
    if (shelf.alias, shelf.vault) != (body.alias, "money"):
        raise BadPaymentFile("the shelf is the file's, in the money vault", where="shelf")
    if (seal.kind, seal.alias, seal.field) != ("payment_file", body.alias, "seal"):
        raise BadPaymentFile("the box is the seal of this file", where="seal")
    new = NewPaymentFile(
        alias=body.alias,
        message_id=body.message_id,
        account=body.account,
        references=body.references,
        control_sum=body.control_sum.money(),
        commitment=seal.commitment,
    )
    file = payment_files.register(session, new, by=caller.operator.alias, at=now)
    shelves.put_up(session, shelf, signer=caller.operator, shred_keys=request.app.state.shred_keys)
    shelves.keep(session, [seal], shelf=body.alias)
    return once.keep(PaymentFileOut.of(file))


@router.post("/v1/payment-files/{alias}/withdraw", status_code=201)
def ask_withdrawal(
    alias: Alias, body: WithdrawalIn, session: Tx, caller: Admitted, now: Now, once: Claimed
) -> PaymentFileOut:
    """Asks that a file which the bank never took counts no more."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    return once.keep(PaymentFileOut.of(payment_files.ask_withdrawal(session, alias, agreed)))


@router.post("/v1/payment-files/{alias}/agree", status_code=201)
def agree_to_withdrawal(
    alias: Alias, body: WithdrawalIn, session: Tx, caller: Admitted, now: Now, once: Claimed
) -> PaymentFileOut:
    """Another person agrees: its payments may stand in another file."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    return once.keep(PaymentFileOut.of(payment_files.agree_to_withdrawal(session, alias, agreed)))
