"""Donors: aliases, with a sealed identity or without, the gifts that are theirs, and aliases that are one donor.

The server never learns who a donor is: an identity lies sealed on a shelf of the vault `donors`, which has the donor's
alias. Which gifts are whose is a list that only grows: the newest link of a gift counts.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Field, Session, SQLModel, col, select
from sqlmodel.sql.expression import SelectOfScalar

from ledger import approvals, book
from ledger.aliases import AliasTaken, Kind, check
from ledger.approvals import Agreed
from ledger.errors import BadInput, Conflict, NotFound
from ledger.identities import shelves
from ledger.identities.erasure import Erasure
from ledger.identities.person_keys import ShredKeys
from ledger.identities.shelves import NewBox, NewShelf, PersonKey, Shelf
from ledger.people import Operator
from ledger.storage.columns import WITHOUT_ROWID, UtcDateTime

VAULT = "donors"
"""The vault whose members open donors' shelves."""
IDENTITY = "identity"
"""The field of the one box of a donor; a correction is its next version."""
TOKENS = ("donor_email", "donor_account")
"""What donors are recognised by: a keyed hash of an e-mail's address, and one of the account that they give from."""
_AT_ONCE = 500


class UnknownDonor(NotFound):
    """No donor has this alias."""

    rule = "unknown_donor"


class BadDonor(BadInput):
    """Shelf, box or token is not the donor's own; `where` tells which."""

    rule = "bad_donor"


class DonorMerged(Conflict):
    """One of the two is the same donor as another already."""

    rule = "donor_merged"


class Donor(SQLModel, table=True):
    """One alias of somebody who gave."""

    alias: str = Field(primary_key=True, max_length=20)
    recorded_by: str = Field(max_length=20)
    recorded_at: datetime = Field(sa_type=UtcDateTime)

    __table_args__ = (WITHOUT_ROWID,)


class DonorMerge(SQLModel, table=True):
    """What `alias` gave was given by `into_alias`: somebody signed that the two are one donor."""

    __tablename__ = "donor_merge"
    alias: str = Field(primary_key=True, foreign_key="donor.alias", max_length=20)
    into_alias: str = Field(foreign_key="donor.alias", max_length=20, index=True)
    nonce: str = Field(foreign_key="signed_act.nonce", max_length=32)

    __table_args__ = (WITHOUT_ROWID,)


class DonorLink(SQLModel, table=True):
    """Whose a gift is from now on; None: nobody knows any more. Of a gift the link with the highest number counts."""

    __tablename__ = "donor_link"
    donation_alias: str = Field(primary_key=True, foreign_key="donation.alias", max_length=20)
    number: int = Field(primary_key=True)
    donor_alias: str | None = Field(default=None, foreign_key="donor.alias", max_length=20, index=True)
    recorded_by: str = Field(max_length=20)
    recorded_at: datetime = Field(sa_type=UtcDateTime)

    __table_args__ = (WITHOUT_ROWID,)


Tokens = Sequence[tuple[int, str, str]]
"""(epoch, field, value) of each token."""


@dataclass(frozen=True, slots=True)
class NewIdentity:
    """What a client seals of a donor: a shelf for the first, a box, and tokens by which the donor is found again."""

    shelf: NewShelf | None
    box: NewBox
    tokens: Tokens


def add(
    session: Session,
    alias: str,
    *,
    identity: NewIdentity | None,
    by: Operator,
    at: datetime,
    shred_keys: ShredKeys,
) -> Donor:
    """Adds a donor, known by an alias, and by what is sealed if anything is.

    Raises:
        BadAlias, AliasTaken, BadDonor, and what `shelves.put_up`, `shelves.keep` and `shelves.note_tokens` raise.
        Nothing was written.
    """
    check(alias, Kind.DONOR)
    if session.get(Donor, alias) is not None:
        raise AliasTaken("the alias is taken")
    with session.begin_nested():
        donor = Donor(alias=alias, recorded_by=by.alias, recorded_at=at)
        session.add(donor)
        session.flush()
        if identity is not None:
            _keep(session, alias, identity, by=by, shred_keys=shred_keys)
    return donor


def keep_identity(session: Session, alias: str, identity: NewIdentity, *, by: Operator, shred_keys: ShredKeys) -> None:
    """Keeps what is sealed of a donor, the first time or as the next version.

    Raises:
        UnknownDonor. What `add` raises. UnknownShelf: there is no shelf, or its key was erased.
    """
    require(session, alias)
    with session.begin_nested():
        _keep(session, alias, identity, by=by, shred_keys=shred_keys)


def merge(session: Session, alias: str, *, into: str, agreed: Agreed) -> DonorMerge:
    """A treasurer signs that `alias` is the same donor as `into`; it is not taken back.

    Raises:
        UnknownDonor, DonorMerged, BadDonor, and what `approvals.accept` raises. Nothing was written.
    """
    book.require(session, lock=True)  # two merges towards each other take turns
    require(session, alias)
    require(session, into)
    if alias == into:
        raise BadDonor("a donor is not merged into itself", where="into")
    if session.exec(select(DonorMerge.alias).where(col(DonorMerge.alias).in_([alias, into]))).first() is not None:
        raise DonorMerged("one of the two is merged already", donor=alias, into=into)
    with session.begin_nested():
        act = approvals.accept(session, agreed, verb="merge_donors", object_alias=alias, version=1, detail=into)
        merged = DonorMerge(alias=alias, into_alias=into, nonce=act.nonce)
        session.add(merged)
        session.flush()
    return merged


def require(session: Session, alias: str) -> Donor:
    """The donor, or `UnknownDonor`."""
    found = session.get(Donor, alias)
    if found is None:
        raise UnknownDonor("no donor has this alias")
    return found


def roots(session: Session) -> dict[str, str]:
    """By each merged alias, the one under which the donor goes now."""
    into = {one.alias: one.into_alias for one in session.exec(select(DonorMerge))}
    found: dict[str, str] = {}
    for alias in into:
        last = alias
        while last in into:
            last = into[last]
        found[alias] = last
    return found


def aliases_of(session: Session, alias: str) -> list[str]:
    """All aliases of the donor who goes by `alias`, in their order."""
    known = roots(session)
    root = known.get(alias, alias)
    return sorted({root, *(one for one, last in known.items() if last == root)})


def owners(session: Session, donations: Collection[str] | SelectOfScalar[str] | None = None) -> dict[str, str]:
    """Whose each of these gifts is (of all, unless told), by the alias under which the donor goes now.

    Many gifts are told as a query for their aliases.
    """
    query = select(DonorLink)
    if donations is not None:
        query = query.where(col(DonorLink.donation_alias).in_(donations))
    newest = {one.donation_alias: one.donor_alias for one in session.exec(query.order_by(col(DonorLink.number)))}
    known = roots(session)
    return {gift: known.get(donor, donor) for gift, donor in newest.items() if donor is not None}


def gifts_of(session: Session, alias: str) -> list[str]:
    """The aliases of the gifts of the donor who goes by `alias`, in their order."""
    known = aliases_of(session, alias)
    root = roots(session).get(alias, alias)
    return sorted(gift for gift, donor in owners(session, ever_linked(known)).items() if donor == root)


def alike(session: Session, alias: str) -> list[str]:
    """Other donors who share a token with this one, or one of its aliases, by the aliases under which they go now."""
    known = roots(session)
    own = aliases_of(session, alias)
    found = {
        known.get(other, other)
        for one in own
        for field in TOKENS
        for other in shelves.sharing_tokens(session, one, field=field)
    }
    return sorted(found - set(own))


def carrying(session: Session, tokens: Tokens) -> list[str]:
    """The donors who carry one of these tokens, by the aliases under which they go now.

    Raises:
        BadDonor: a field that donors are not known by. BadDigest: a value is no token.
    """
    _check_tokens(tokens)
    known = roots(session)
    found = {
        known.get(alias, alias)
        for _, field, value in tokens
        for alias in shelves.aliases_with(session, field=field, value=value)
    }
    return sorted(found)


def identified(session: Session, aliases: Iterable[str]) -> set[str]:
    """Those of these donors whose identity lies sealed and can still be opened."""
    wanted, found = list(aliases), set[str]()
    for start in range(0, len(wanted), _AT_ONCE):
        part = wanted[start : start + _AT_ONCE]
        found |= set(session.exec(select(PersonKey.alias).where(col(PersonKey.alias).in_(part))))
    return found


def erased(session: Session, aliases: Collection[str]) -> set[str]:
    """Those of these donors who were erased."""
    query = select(Erasure.shelf_alias).where(col(Erasure.erased_at).is_not(None))
    return set(session.exec(query.where(col(Erasure.shelf_alias).in_(aliases))))


def ever_linked(aliases: Collection[str]) -> SelectOfScalar[str]:
    """A query for the gifts that were linked to one of these aliases, now or before."""
    return select(DonorLink.donation_alias).where(col(DonorLink.donor_alias).in_(aliases))


def listed(session: Session, *, after: str, limit: int) -> list[Donor]:
    """Up to `limit` donors by alias, after the alias `after`."""
    return list(session.exec(select(Donor).where(Donor.alias > after).order_by(Donor.alias).limit(limit)))


def _keep(session: Session, alias: str, new: NewIdentity, *, by: Operator, shred_keys: ShredKeys) -> None:
    if (new.box.kind, new.box.alias, new.box.field) != ("donor", alias, IDENTITY):
        raise BadDonor("the box is the identity of this donor", where="box")
    _check_tokens(new.tokens)
    if new.shelf is not None:
        if (new.shelf.alias, new.shelf.vault) != (alias, VAULT):
            raise BadDonor("the shelf is this donor's, in the vault of donors", where="shelf")
        shelves.put_up(session, new.shelf, signer=by, shred_keys=shred_keys)
    elif session.get(Shelf, alias) is None or not identified(session, [alias]):
        raise shelves.UnknownShelf("no shelf has this alias")
    shelves.keep(session, [new.box], shelf=alias)
    if new.tokens:
        shelves.note_tokens(session, new.tokens, alias=alias)


def _check_tokens(tokens: Tokens) -> None:
    if any(field not in TOKENS for _, field, _ in tokens):
        raise BadDonor("donors are known by e-mail and by account", where="tokens")
