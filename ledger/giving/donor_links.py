"""Links between gifts and donors: made, ended, and found by tokens without anybody opening a shelf."""

from datetime import datetime

from sqlmodel import Session, col, select

from ledger.errors import Conflict
from ledger.giving import donations, donors, receipts
from ledger.giving.donations import UnknownDonation
from ledger.giving.donors import DonorLink, Tokens


class GiftOnReceipt(Conflict):
    """A valid receipt certifies the gift to its donor; it is cancelled or replaced first."""

    rule = "gift_on_receipt"


class NotLinked(Conflict):
    """The gift is nobody's."""

    rule = "not_linked"


def link(session: Session, donation: str, *, donor: str, by: str, at: datetime) -> DonorLink:
    """The gift is this donor's from now on; again, nothing changes.

    Raises:
        UnknownDonation, UnknownDonor, GiftOnReceipt: nothing was written.
    """
    donors.require(session, donor)
    newest = _newest(session, donation)
    if newest is not None and newest.donor_alias == donor:
        return newest
    return _append(session, donation, newest, donor=donor, by=by, at=at)


def unlink(session: Session, donation: str, *, by: str, at: datetime) -> DonorLink:
    """Nobody knows any more whose gift it is.

    Raises:
        UnknownDonation, NotLinked, GiftOnReceipt: nothing was written.
    """
    newest = _newest(session, donation)
    if newest is None or newest.donor_alias is None:
        raise NotLinked("the gift is nobody's", donation=donation)
    return _append(session, donation, newest, donor=None, by=by, at=at)


def recognise(session: Session, donation: str, tokens: Tokens, *, by: str, at: datetime) -> list[str]:
    """Links the gift to the one donor who carries one of these tokens; all who do are told, none or several as well.

    Nobody's shelf is opened, and the tokens are not kept: they tell something about a known donor or nothing.

    Raises:
        UnknownDonation, GiftOnReceipt. BadDonor, BadDigest: see `donors.carrying`. Nothing was written.
    """
    found = donors.carrying(session, tokens)
    _newest(session, donation)
    if len(found) == 1 and donors.owners(session, [donation]).get(donation) != found[0]:
        link(session, donation, donor=found[0], by=by, at=at)
    return found


def _newest(session: Session, donation: str) -> DonorLink | None:
    """The link that counts; the gift's row is locked."""
    if donations.find(session, donation, lock=True) is None:
        raise UnknownDonation("no gift has this alias")
    query = select(DonorLink).where(DonorLink.donation_alias == donation)
    return session.exec(query.order_by(col(DonorLink.number).desc()).limit(1)).first()


def _append(
    session: Session, donation: str, newest: DonorLink | None, *, donor: str | None, by: str, at: datetime
) -> DonorLink:
    if receipts.on_valid(session, [donation]):
        raise GiftOnReceipt("the gift stands on a valid receipt", donation=donation)
    number = newest.number + 1 if newest else 1
    made = DonorLink(donation_alias=donation, number=number, donor_alias=donor, recorded_by=by, recorded_at=at)
    session.add(made)
    session.flush()
    return made
