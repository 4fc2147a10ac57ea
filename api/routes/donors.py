"""Routes of donors: aliases with sealed identities, whose gifts are whose, and aliases that are one donor."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field
from sqlmodel import Session, col, select

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import Alias, AmountOnWire, BoxOnWire, Page, ShelfOnWire, SignedActOnWire, TokenOnWire, Wire
from api.transactions import Tx
from ledger.approvals import Agreed
from ledger.giving import donor_links, donors, receipts
from ledger.giving.donations import Donation
from ledger.giving.donors import Donor, NewIdentity

router = APIRouter()

MOST = 500
MOST_TOKENS = 100
Tokens = Annotated[list[TokenOnWire], Field(max_length=MOST_TOKENS)]


class IdentityIn(Wire):
    """What is sealed of a donor; the shelf comes with the first box."""

    shelf: ShelfOnWire | None
    box: BoxOnWire
    tokens: Tokens

    def identity(self) -> NewIdentity:
        """The identity as the ledger takes it."""
        return NewIdentity(
            self.shelf.shelf() if self.shelf else None,
            self.box.box(),
            [(token.epoch, token.field, token.value) for token in self.tokens],
        )


class DonorIn(Wire):
    """A donor by an alias that the client drew; `identity` is null for somebody nobody knows."""

    alias: Alias
    identity: IdentityIn | None


class DonorOut(Wire):
    """A donor. `goes_by` is another alias once the two were merged; `identity` is sealed, erased or none."""

    alias: str
    goes_by: str
    identity: str
    recorded_at: datetime


class DonorsOut(Page):
    """A page of donors, by alias."""

    donors: list[DonorOut]


class AlikeOut(Wire):
    """Donors who share a token: perhaps the same person."""

    donors: list[str]


class GiftOut(Wire):
    """A gift of a donor; `left` is what a receipt can certify, null while the gift does not stand or goes back."""

    donation: str
    source: str
    state: str
    received_on: date
    amount: AmountOnWire
    left: AmountOnWire | None
    receipt: str | None


class GiftsOut(Wire):
    """All gifts of one donor, under all aliases, oldest first."""

    donor: str
    gifts: list[GiftOut]


class LinkIn(Wire):
    """A gift."""

    donation: Alias


class RecogniseIn(Wire):
    """A gift, and tokens of what its bank line or payment told about its giver."""

    donation: Alias
    tokens: Tokens


class MergeIn(Wire):
    """The donor that the alias is the same as, and the treasurer's signed act."""

    into: Alias
    agreed: SignedActOnWire


@router.get("/v1/donors")
def list_donors(
    session: Tx,
    _caller: Admitted,
    cursor: Alias | None = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
) -> DonorsOut:
    """A page of donors: aliases, and whether an identity lies sealed."""
    page = donors.listed(session, after=cursor or "", limit=limit)
    return DonorsOut(donors=_shown(session, page), next=page[-1].alias if len(page) == limit else None)


@router.post("/v1/donors", status_code=201)
def add_donor(body: DonorIn, request: Request, session: Tx, caller: Admitted, now: Now, once: Claimed) -> DonorOut:
    """Adds a donor."""
    donor = donors.add(
        session,
        body.alias,
        identity=body.identity.identity() if body.identity else None,
        by=caller.operator,
        at=now,
        shred_keys=request.app.state.shred_keys,
    )
    return once.keep(_shown(session, [donor])[0])


@router.post("/v1/donors/recognise", status_code=201)
def recognise_donor(body: RecogniseIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> AlikeOut:
    """Links a gift to the one donor who carries one of the tokens; tells all who do, none or several as well."""
    tokens = [(token.epoch, token.field, token.value) for token in body.tokens]
    found = donor_links.recognise(session, body.donation, tokens, by=caller.operator.alias, at=now)
    return once.keep(AlikeOut(donors=found))


@router.post("/v1/donors/unlink", status_code=201)
def unlink_gift(body: LinkIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> LinkIn:
    """A gift is nobody's again."""
    donor_links.unlink(session, body.donation, by=caller.operator.alias, at=now)
    return once.keep(body)


@router.post("/v1/donors/{alias}/identity", status_code=201)
def keep_identity(
    alias: Alias, body: IdentityIn, request: Request, session: Tx, caller: Admitted, once: Claimed
) -> DonorOut:
    """Keeps what is sealed of a donor, the first time or as the next version."""
    shred_keys = request.app.state.shred_keys
    donors.keep_identity(session, alias, body.identity(), by=caller.operator, shred_keys=shred_keys)
    return once.keep(_shown(session, [donors.require(session, alias)])[0])


@router.post("/v1/donors/{alias}/gifts", status_code=201)
def link_gift(alias: Alias, body: LinkIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> LinkIn:
    """A gift is this donor's from now on."""
    donor_links.link(session, body.donation, donor=alias, by=caller.operator.alias, at=now)
    return once.keep(body)


@router.post("/v1/donors/{alias}/merge", status_code=201)
def merge_donor(alias: Alias, body: MergeIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> DonorOut:
    """The alias is the same donor as another; it is not taken back."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    donors.merge(session, alias, into=body.into, agreed=agreed)
    return once.keep(_shown(session, [donors.require(session, alias)])[0])


@router.get("/v1/donors/{alias}/alike")
def list_alike(alias: Alias, session: Tx, _caller: Admitted) -> AlikeOut:
    """Who may be the same donor."""
    donors.require(session, alias)
    return AlikeOut(donors=donors.alike(session, alias))


@router.get("/v1/donors/{alias}/gifts")
def list_gifts(alias: Alias, session: Tx, _caller: Admitted) -> GiftsOut:
    """All gifts of a donor, and what a receipt can certify of each."""
    donors.require(session, alias)
    aliases = donors.gifts_of(session, alias)
    certified = receipts.on_valid(session, aliases)
    found = session.exec(select(Donation).where(col(Donation.alias).in_(aliases))).all()
    shown = [
        GiftOut(
            donation=gift.alias,
            source=gift.source,
            state=gift.state,
            received_on=gift.received_on,
            amount=AmountOnWire.of(gift.amount()),
            left=AmountOnWire.of(left) if (left := receipts.left_of(session, gift)) else None,
            receipt=certified.get(gift.alias),
        )
        for gift in sorted(found, key=lambda one: (one.received_on, one.alias))
    ]
    return GiftsOut(donor=donors.roots(session).get(alias, alias), gifts=shown)


def _shown(session: Session, page: list[Donor]) -> list[DonorOut]:
    aliases = [donor.alias for donor in page]
    known, sealed, erased = donors.roots(session), donors.identified(session, aliases), donors.erased(session, aliases)
    return [
        DonorOut(
            alias=donor.alias,
            goes_by=known.get(donor.alias, donor.alias),
            identity="erased" if donor.alias in erased else "sealed" if donor.alias in sealed else "none",
            recorded_at=donor.recorded_at,
        )
        for donor in page
    ]
