"""Shelves: one person's, donor's or month's sealed boxes, the locked wrap of their key, and tokens for duplicates."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, func, insert, text
from sqlmodel import Field, Session, SQLModel, col, select

from ledger import people
from ledger.aliases import AliasTaken
from ledger.errors import BadInput, NotFound, Refused, Tampered
from ledger.identities import boxes
from ledger.identities.person_keys import ShredKeys
from ledger.people import Operator, Roster
from ledger.storage import newcomers
from ledger.storage.columns import UtcDateTime, enumeration


class Reason(StrEnum):
    """Why somebody opens a shelf."""

    VERIFICATION = "verification"
    APPROVAL = "approval"
    PAYMENT = "payment"
    RECONCILIATION = "reconciliation"
    AUDIT = "audit"
    RECEIPT = "receipt"


class NotOpened(Refused):
    """Who signs has not been handed what the act rests on."""

    rule = "evidence_not_opened"


class UnknownShelf(NotFound):
    """No shelf has this alias, or its key was erased: the two look the same."""

    rule = "unknown_shelf"


class ShelfNotSigned(Tampered):
    """The shelf's public key is not signed by the operator who brings it."""

    rule = "shelf_not_signed"


class UnknownVault(BadInput):
    """The roster names no such vault in this epoch."""

    rule = "unknown_vault"


class Shelf(SQLModel, table=True):
    """A public key to which anybody can seal. `signature` is the signer's over (alias, key, vault, epoch)."""

    alias: str = Field(primary_key=True, max_length=20)
    vault: str = Field(max_length=20)
    epoch: int
    sealing_key: bytes = Field(sa_type=LargeBinary)
    signature: str = Field(max_length=128)
    signer: str = Field(max_length=20)


class PersonKey(SQLModel, table=True):
    """The wrap of a shelf's seed, locked under the vault's shred key. Its deletion is the erasure of the person."""

    __tablename__ = "person_key"
    alias: str = Field(primary_key=True, foreign_key="shelf.alias", max_length=20)
    epoch: int = Field(primary_key=True)
    locked: bytes = Field(sa_type=LargeBinary)
    wrapped_by: str | None = Field(default=None, max_length=20)
    """Who re-wrapped it after a rotation; None for the wrap that the shelf was put up with."""


class Box(SQLModel, table=True):
    """One sealed box: a `field` of the thing `alias`, on a shelf."""

    alias: str = Field(primary_key=True, max_length=20)
    field: str = Field(primary_key=True, max_length=20)
    version: int = Field(primary_key=True)
    kind: str = Field(max_length=20)
    shelf_alias: str = Field(foreign_key="shelf.alias", max_length=20, index=True)
    data: bytes = Field(sa_type=LargeBinary)
    commitment: str = Field(max_length=64)


ROW = "row"
"""The token field of a list's row: the same row of the same list never makes a second case."""
OLDER_WRITING = 0
"""In place of an epoch: a token of a value as earlier versions wrote it, which only asks, as one of an older epoch."""
_OF_ROWS = text(f"field = '{ROW}'")


class Token(SQLModel, table=True):
    """A keyed hash of something that names a case; two cases with the same one may be duplicates."""

    field: str = Field(primary_key=True, max_length=20)
    value: str = Field(primary_key=True, max_length=64)
    alias: str = Field(primary_key=True, max_length=20, index=True)
    epoch: int

    __table_args__ = (Index("row_comes_once", "value", unique=True, sqlite_where=_OF_ROWS, postgresql_where=_OF_ROWS),)


class VaultWrap(SQLModel, table=True):
    """A vault's seed, wrapped to one member's device."""

    __tablename__ = "vault_wrap"
    vault: str = Field(primary_key=True, max_length=20)
    epoch: int = Field(primary_key=True)
    member: str = Field(primary_key=True, max_length=20)
    wrap: bytes = Field(sa_type=LargeBinary)


class Access(SQLModel, table=True):
    """Who fetched which shelf, when and why."""

    id: int | None = Field(default=None, primary_key=True)
    operator: str = Field(max_length=20, index=True)
    shelf_alias: str = Field(max_length=20, index=True)
    reason: Reason = Field(sa_type=enumeration(Reason))
    at: datetime = Field(sa_type=UtcDateTime)
    boxes: str
    """The commitments of the boxes that were handed out, comma-separated."""

    __table_args__ = (ForeignKeyConstraint(["shelf_alias"], ["shelf.alias"]),)


@dataclass(frozen=True, slots=True)
class NewShelf:
    """What a client sends to put up a shelf."""

    alias: str
    vault: str
    epoch: int
    public: bytes
    signature: str
    wrap: bytes


@dataclass(frozen=True, slots=True)
class NewBox:
    """What a client sends to keep on a shelf."""

    kind: str
    alias: str
    field: str
    version: int
    data: bytes
    commitment: str


@dataclass(frozen=True, slots=True)
class Made:
    """A shelf that was checked and is not up yet, and its key."""

    shelf: Shelf
    key: PersonKey


@dataclass(frozen=True, slots=True)
class Opened:
    """What a member of the vault needs to open a shelf on their device."""

    shelf: Shelf
    wrap: bytes
    boxes: list[Box]
    wrap_epoch: int
    """Of which epoch of the vault the wrap is; the shelf's own is that of its signature."""


def put_up(session: Session, new: NewShelf, *, signer: Operator, shred_keys: ShredKeys) -> Shelf:
    """Stores a shelf and locks its wrap.

    Raises:
        NotASealedBox: public key or wrap is none. ShelfNotSigned: `signer` does not stand for it.
        UnknownVault: the roster names another key for the vault, or none. AliasTaken: see there.
    """
    made = make_shelf(new, signer=signer, roster=people.current(session), shred_keys=shred_keys)
    enter(session, [made])
    return made.shelf


def make_shelf(new: NewShelf, *, signer: Operator, roster: Roster, shred_keys: ShredKeys) -> Made:
    """A shelf before it is put up, its wrap locked; `roster` is the newest.

    Raises:
        NotASealedBox, ShelfNotSigned, UnknownVault: see `put_up`.
    """
    boxes.check_public(new.public)
    boxes.check_wrap(new.wrap)
    if not any(v.name == new.vault and v.epoch == new.epoch for v in roster.vaults):
        raise UnknownVault("the roster names no such vault in this epoch", vault=new.vault, epoch=new.epoch)
    message = boxes.shelf_message(new.alias, new.public, new.vault, new.epoch)
    if not people.holds(signer.signing_key, message, new.signature):
        raise ShelfNotSigned("the shelf's key is not signed by its bringer", signer=signer.alias)
    locked = shred_keys.lock(new.wrap, vault=new.vault, alias=new.alias, epoch=new.epoch)
    shelf = Shelf(
        alias=new.alias,
        vault=new.vault,
        epoch=new.epoch,
        sealing_key=new.public,
        signature=new.signature,
        signer=signer.alias,
    )
    return Made(shelf, PersonKey(alias=new.alias, epoch=new.epoch, locked=locked))


def enter(session: Session, made: Sequence[Made]) -> None:
    """Puts up the shelves, each with its key: all of them or none.

    Raises:
        AliasTaken: one of the aliases has a shelf.
    """
    newcomers.enter(session, [one.shelf for one in made])
    session.add_all([one.key for one in made])
    session.flush()


def keep(session: Session, new_boxes: Iterable[NewBox], *, shelf: str) -> None:
    """Puts boxes on a shelf: of each field the next version, from 1.

    Raises:
        NotASealedBox, BadDigest: what should be sealed is not. AliasTaken: the place is taken, or not the next.
    """
    keep_on_shelves(session, [(shelf, new) for new in new_boxes])


def keep_on_shelves(session: Session, placed: Iterable[tuple[str, NewBox]]) -> None:
    """As `keep`, for boxes of many shelves: each with the shelf it is put on, all of them or none."""
    place(session, [make_box(new, shelf=shelf) for shelf, new in placed])


def make_box(new: NewBox, *, shelf: str) -> Box:
    """A box before it is put on its shelf.

    Raises:
        NotASealedBox, BadDigest: see `keep`.
    """
    boxes.check_sealed(new.data)
    return Box(
        alias=new.alias,
        field=new.field,
        version=new.version,
        kind=new.kind,
        shelf_alias=shelf,
        data=new.data,
        commitment=boxes.check_commitment(new.commitment),
    )


def place(session: Session, made: Sequence[Box]) -> None:
    """Puts the boxes on their shelves: all of them or none.

    Raises:
        AliasTaken: see `keep`.
    """
    columns = select(Box.alias, Box.field, func.max(Box.version)).group_by(Box.alias, Box.field)
    found = session.exec(columns.where(col(Box.alias).in_({box.alias for box in made})))
    newest = {(alias, field): version for alias, field, version in found}
    for box in sorted(made, key=lambda box: box.version):
        place_of = (box.alias, box.field)
        if box.version != newest.get(place_of, 0) + 1:
            raise AliasTaken("the box stands already, or is not the next", field=box.field, version=box.version)
        newest[place_of] = box.version
    with session.begin_nested():
        session.add_all(made)
        session.flush()


def note_tokens(session: Session, tokens: Iterable[tuple[int, str, str]], *, alias: str) -> None:
    """Keeps the (epoch, field, value) tokens of the newest epoch for the thing `alias`; older ones only ask.

    What carries an older one is given the new one too, so that duplicates are found over epochs, and no token of a key
    that a leaver knew is kept of anything new.

    Raises:
        BadDigest: one is none.
    """
    checked = [(epoch, field, boxes.check_token(value)) for epoch, field, value in tokens]
    note_tokens_of_many(session, {alias: checked})


def note_tokens_of_many(session: Session, tokens: Mapping[str, Sequence[tuple[int, str, str]]]) -> None:
    """As `note_tokens` for many things by their aliases, one after the other; the tokens are checked before."""
    newest = {alias: max(epoch for epoch, _, _ in told) for alias, told in tokens.items()}
    older = [value for alias, told in tokens.items() for epoch, _, value in told if epoch < newest[alias]]
    columns = select(Token.field, Token.value, Token.alias)
    carrying = set(session.exec(columns.where(col(Token.value).in_(older)))) if older else set()
    known = set(session.exec(columns.where(col(Token.alias).in_({*tokens, *(alias for _, _, alias in carrying)}))))
    bearers: dict[tuple[str, str], set[str]] = {}
    for field, value, bearer in carrying:
        bearers.setdefault((field, value), set()).add(bearer)
    new = []
    for alias, told in tokens.items():
        kept = {field: value for epoch, field, value in told if epoch == newest[alias]}
        given = {(field, alias) for field in kept}
        given |= {
            (field, bearer)
            for epoch, field, value in told
            if epoch < newest[alias]
            for bearer in bearers.get((field, value), ())
        }
        for field, bearer in given:
            row = (field, kept[field], bearer)
            bearers.setdefault(row[:2], set()).add(bearer)
            if row not in known:
                known.add(row)
                new.append({"field": field, "value": kept[field], "alias": bearer, "epoch": newest[alias]})
    if new:
        # In one order, so that two who bring the same rows wait for each other and never both; no unit of work.
        ordered = sorted(new, key=lambda row: (row["field"], row["value"], row["alias"]))
        session.connection().execute(insert(Token), ordered)


def known_tokens(session: Session, values: Collection[str], *, field: str) -> set[str]:
    """Those of these values of tokens that something carries."""
    return set(session.exec(select(Token.value).where(Token.field == field, col(Token.value).in_(values))))


def aliases_with(session: Session, *, field: str, value: str) -> list[str]:
    """What else carries this token, in the order of aliases."""
    boxes.check_token(value)
    found = session.exec(select(Token.alias).where(Token.field == field, Token.value == value))
    return sorted(found)


def sharing_tokens(session: Session, alias: str, *, field: str) -> list[str]:
    """The other aliases that share a token of this field with `alias`."""
    values = session.exec(select(Token.value).where(Token.alias == alias, Token.field == field)).all()
    return sorted({other for value in values for other in aliases_with(session, field=field, value=value)} - {alias})


def sharing_with_any(session: Session, aliases: Collection[str], *, field: str) -> set[str]:
    """All that share a token of this field with one of these, and those of these that share one."""
    own = select(Token.value).where(col(Token.alias).in_(aliases), Token.field == field)
    bearers: dict[str, set[str]] = {}
    for value, alias in session.exec(
        select(Token.value, Token.alias).where(Token.field == field, col(Token.value).in_(own))
    ):
        bearers.setdefault(value, set()).add(alias)
    return {alias for of_one in bearers.values() if len(of_one) > 1 for alias in of_one}


def commitments(session: Session, aliases: Sequence[str], *, newest_only: bool = True) -> list[str]:
    """The sorted commitments of the boxes of these things, by default in their newest versions."""
    found = session.exec(select(Box).where(Box.alias.in_(aliases))).all()  # type: ignore[attr-defined]  # a column
    newest: dict[tuple[str, str], Box] = {}
    for box in sorted(found, key=lambda box: box.version):
        newest[box.alias, box.field] = box
    return sorted(box.commitment for box in (newest.values() if newest_only else found))


def commitments_by_alias(session: Session, aliases: Sequence[str]) -> dict[str, list[str]]:
    """The commitments of the newest boxes of each of these things, for many at once."""
    columns = select(Box.alias, Box.field, Box.version, Box.commitment).where(col(Box.alias).in_(aliases))
    newest = {(alias, field): commitment for alias, field, _, commitment in sorted(session.exec(columns))}
    kept: dict[str, list[str]] = {}
    for (alias, _), commitment in newest.items():
        kept.setdefault(alias, []).append(commitment)
    return kept


def open_shelf(
    session: Session, alias: str, *, operator: str, reason: Reason, at: datetime, shred_keys: ShredKeys
) -> Opened:
    """Hands out a shelf's boxes and unlocked wrap, and logs who asked and why. Only vault members can open it.

    Raises:
        UnknownShelf: there is none, or its key was erased.
        ShredKeyMissing, ShredKeyUnsafe, WrapDoesNotUnlock: the server cannot unlock the wrap.
    """
    (opened,) = open_shelves(session, [alias], operator=operator, reason=reason, at=at, shred_keys=shred_keys)
    return opened


def open_shelves(
    session: Session, aliases: Sequence[str], *, operator: str, reason: Reason, at: datetime, shred_keys: ShredKeys
) -> list[Opened]:
    """As `open_shelf` for many at once, all or none, in their order: each opening is logged by itself."""
    shelves = {shelf.alias: shelf for shelf in session.exec(select(Shelf).where(col(Shelf.alias).in_(aliases)))}
    by_epoch = select(PersonKey).where(col(PersonKey.alias).in_(aliases)).order_by(col(PersonKey.epoch).desc())
    keys = {key.alias: key for key in session.exec(by_epoch)}  # the oldest stays: a newer one waits to be confirmed
    if not shelves.keys() & keys.keys() >= set(aliases):
        raise UnknownShelf("no shelf has this alias")
    kept: dict[str, list[Box]] = {alias: [] for alias in aliases}
    for box in session.exec(select(Box).where(col(Box.shelf_alias).in_(aliases))):
        kept[box.shelf_alias].append(box)
    opened = []
    for alias in dict.fromkeys(aliases):
        ordered = sorted(kept[alias], key=lambda box: (box.alias, box.field, box.version))
        key = keys[alias]
        wrap = shred_keys.unlock(key.locked, vault=shelves[alias].vault, alias=alias, epoch=key.epoch)
        handed_out = ",".join(box.commitment for box in ordered)
        session.add(Access(operator=operator, shelf_alias=alias, reason=reason, at=at, boxes=handed_out))
        opened.append(Opened(shelves[alias], wrap, ordered, key.epoch))
    session.flush()
    return opened


def require_opened(session: Session, *, operator: str, shelf: str, needed: Sequence[str]) -> None:
    """Refuses the act of somebody who was not handed every box or file with these commitments from the shelf.

    Raises:
        NotOpened: see there.
    """
    if not has_opened(session, operator=operator, shelf=shelf, needed=needed):
        raise NotOpened("the signer has not opened what the act rests on", object=shelf)


def has_opened(session: Session, *, operator: str, shelf: str, needed: Sequence[str]) -> bool:
    """Whether the operator was handed every box with these commitments from the shelf."""
    return set(needed) <= handed_out(session, operator=operator, shelves=[shelf]).get(shelf, set())


def handed_out(session: Session, *, operator: str, shelves: Sequence[str]) -> dict[str, set[str]]:
    """The commitments of the boxes that the operator was handed, by shelf, for many shelves at once."""
    columns = select(Access.shelf_alias, Access.boxes)
    seen: dict[str, set[str]] = {}
    for alias, boxes_of in session.exec(
        columns.where(Access.operator == operator, col(Access.shelf_alias).in_(shelves))
    ):
        seen.setdefault(alias, set()).update(boxes_of.split(","))
    return seen


def vault_wraps(session: Session, *, vault: str, member: str) -> list[VaultWrap]:
    """The wraps of a vault for one member, by epoch."""
    found = session.exec(select(VaultWrap).where(VaultWrap.vault == vault, VaultWrap.member == member)).all()
    return sorted(found, key=lambda wrap: wrap.epoch)
