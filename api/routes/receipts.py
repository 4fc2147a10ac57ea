"""Routes of receipts: legal ones, of which no more than number, gifts and amounts is known here; and confirmations."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from sqlmodel import Session, col, select

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import Alias, AmountOnWire, Digest, Page, SignedActOnWire, Wire
from api.transactions import Tx
from ledger import book
from ledger.approvals import Agreed
from ledger.giving import confirmations, receipts
from ledger.giving.receipts import NewReceipt, Receipt, Voided
from ledger.money import Money

router = APIRouter()

MOST = 500
Year = Annotated[int, Query(ge=1990, le=2199)]


class CertifiedOnWire(Wire):
    """What a receipt certifies of one gift."""

    donation: Alias
    amount: AmountOnWire


class ReceiptIn(Wire):
    """A receipt that was written on the treasurer's device, with their signed act; `commitment` is to its PDF."""

    alias: Alias
    donor: Alias
    year: Annotated[int, Field(ge=1990, le=2199)]
    number: Annotated[int, Field(ge=1, lt=2**31)]
    gifts: Annotated[list[CertifiedOnWire], Field(min_length=1, max_length=receipts.MOST_GIFTS)]
    commitment: Digest
    replaces: Alias | None = None
    agreed: SignedActOnWire


class CancelIn(Wire):
    """Why a receipt counts no more, and the treasurer's signed act."""

    reason: Voided
    agreed: SignedActOnWire


class ReceiptOut(Wire):
    """A receipt. `void` tells why it counts no more; `uncovered` names gifts that went back since."""

    alias: str
    donor: str
    year: int
    number: int
    issued_on: date
    amount: AmountOnWire
    commitment: str
    gifts: list[CertifiedOnWire]
    replaces: str | None
    replaced_by: str | None
    void: Voided | None
    uncovered: list[str]


class ReceiptsOut(Page):
    """A page of a year's receipts in the order of their numbers, and the number that follows all of them."""

    year: int
    next_number: int
    receipts: list[ReceiptOut]


class SettingIn(Wire):
    """Whether the book confirms gifts from now on, with an administrator's signed act."""

    on: bool
    agreed: SignedActOnWire


class SettingOut(Wire):
    """Whether the book confirms gifts; `version` and `book` are what the act of the next setting restates."""

    on: bool
    version: int
    book: str


class ConfirmationOut(Wire):
    """What the books hold of a gift, and nothing about who gave; `fingerprint` is that of its journal entry."""

    amount: AmountOnWire
    received_on: date
    purpose: str
    purpose_version: int
    entry: int
    fingerprint: str


@router.get("/v1/receipts")
def list_receipts(
    session: Tx,
    _caller: Admitted,
    now: Now,
    year: Year | None = None,
    cursor: Annotated[int, Query(ge=0, lt=2**31)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
) -> ReceiptsOut:
    """The receipts of a year, this one unless told."""
    chosen = year or now.year
    page = receipts.of_year(session, chosen, after=cursor, limit=limit)
    return ReceiptsOut(
        year=chosen,
        next_number=receipts.next_number(session, chosen),
        receipts=_shown(session, page),
        next=str(page[-1].number) if len(page) == limit else None,
    )


@router.post("/v1/receipts", status_code=201)
def issue_receipt(body: ReceiptIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> ReceiptOut:
    """Keeps a receipt under the year's next number."""
    new = NewReceipt(
        alias=body.alias,
        donor=body.donor,
        year=body.year,
        number=body.number,
        gifts=[(gift.donation, gift.amount.money()) for gift in body.gifts],
        commitment=body.commitment,
        replaces=body.replaces,
    )
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    return once.keep(_shown(session, [receipts.issue(session, new, agreed)])[0])


@router.get("/v1/receipts/confirmations")
def read_setting(session: Tx, _caller: Admitted) -> SettingOut:
    """Whether the book confirms gifts."""
    return _setting(session)


@router.post("/v1/receipts/confirmations", status_code=201)
def set_confirmations(body: SettingIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> SettingOut:
    """Switches confirmations on or off."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    confirmations.set_confirmations(session, on=body.on, agreed=agreed)
    return once.keep(_setting(session))


@router.get("/v1/receipts/confirmations/{donation}")
def confirm_gift(donation: Alias, session: Tx, _caller: Admitted) -> ConfirmationOut:
    """The books' own receipt of one gift, where the book gives any."""
    made = confirmations.confirm(session, donation)
    return ConfirmationOut(
        amount=AmountOnWire.of(made.amount),
        received_on=made.received_on,
        purpose=made.purpose,
        purpose_version=made.purpose_version,
        entry=made.entry,
        fingerprint=made.fingerprint,
    )


@router.post("/v1/receipts/{alias}/cancel", status_code=201)
def cancel_receipt(alias: Alias, body: CancelIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> ReceiptOut:
    """A receipt counts no more; its number stays taken."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    receipts.cancel(session, alias, reason=body.reason, agreed=agreed)
    return once.keep(_shown(session, [receipts.require(session, alias)])[0])


def _setting(session: Session) -> SettingOut:
    return SettingOut(
        on=confirmations.is_on(session),
        version=confirmations.version(session),
        book=book.require(session).book_id,
    )


def _shown(session: Session, page: list[Receipt]) -> list[ReceiptOut]:
    aliases = [one.alias for one in page]
    voids = receipts.voids(session, aliases)
    parts = receipts.gifts_on(session, aliases)
    later = session.exec(select(Receipt).where(col(Receipt.replaces).in_(aliases)))
    replaced_by = {str(one.replaces): one.alias for one in later}
    return [
        ReceiptOut(
            alias=one.alias,
            donor=one.donor_alias,
            year=one.year,
            number=one.number,
            issued_on=one.issued_on,
            amount=AmountOnWire.of(one.amount()),
            commitment=one.commitment,
            gifts=[
                CertifiedOnWire(donation=part.donation_alias, amount=AmountOnWire.of(Money(part.minor, one.currency)))
                for part, _ in parts[one.alias]
            ],
            replaces=one.replaces,
            replaced_by=replaced_by.get(one.alias),
            void=voids[one.alias].reason if one.alias in voids else None,
            uncovered=[gift.alias for part, gift in parts[one.alias] if receipts.uncovered(session, gift, part.minor)],
        )
        for one in page
    ]
