"""Routes of gifts in kind: valued by one, agreed to by another (`POST /v1/approvals`), or withdrawn."""

from datetime import date
from typing import Literal

from fastapi import APIRouter, Request

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.evidence import EvidenceOut, FileIn, SealingKeyOut
from api.routes.wire import Alias, AmountOnWire, Code, Day, Digest, ShelfOnWire, SignedActOnWire, Wire
from api.transactions import Tx
from ledger.aliases import Kind, kind_of
from ledger.approvals import Agreed
from ledger.giving import in_kind
from ledger.giving.in_kind import BadGiftInKind, GiftInKind, GivenKind, NewGiftInKind
from ledger.identities import evidence
from ledger.identities.shelves import Shelf

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


class GiftFileIn(FileIn):
    """The sealed file that shows a gift's value, before its chunks come; its shelf comes with the first."""

    shelf: ShelfOnWire | None = None


class GiftFilesOut(Wire):
    """Every version of every file about a gift in kind; the shelf is None before the first."""

    shelf: SealingKeyOut | None
    files: list[EvidenceOut]


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


@router.get("/v1/gifts-in-kind/{alias}/evidence")
def list_gift_files(alias: Alias, session: Tx, _caller: Admitted) -> GiftFilesOut:
    """The files that show a gift's value, unfinished and older ones too."""
    shelf = session.get(Shelf, alias) if kind_of(alias) is Kind.DONATION else None
    files = evidence.of_subject(session, alias) if shelf else []
    return GiftFilesOut(
        shelf=SealingKeyOut.of(shelf) if shelf else None, files=[EvidenceOut.of(file) for file in files]
    )


@router.post("/v1/gifts-in-kind/{alias}/evidence", status_code=201)
def declare_gift_file(
    alias: Alias, body: GiftFileIn, request: Request, session: Tx, caller: Admitted, now: Now, once: Claimed
) -> EvidenceOut:
    """Makes room for the file that shows a gift's value, in the vault of money, before the value is stated."""
    if body.shelf is not None and body.shelf.vault != "money":
        raise BadGiftInKind("the shelf is of the vault of money", where="shelf")
    file = in_kind.bring_file(
        session,
        alias,
        body.file(),
        shelf=body.shelf.shelf() if body.shelf else None,
        signer=caller.operator,
        at=now,
        shred_keys=request.app.state.shred_keys,
    )
    return once.keep(EvidenceOut.of(file))


@router.post("/v1/gifts-in-kind/{alias}/withdraw", status_code=201)
def withdraw_gift_in_kind(alias: Alias, session: Tx, _caller: Admitted, once: Claimed) -> GiftInKindOut:
    """Gives up a value that nobody has agreed to."""
    return once.keep(GiftInKindOut.of(in_kind.withdraw(session, alias)))
