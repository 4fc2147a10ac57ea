"""The people of the fund: a numbered, hash-chained, signed roster of operators.

The roster is the root of trust: who may sign what, and which vault keys may be sealed to. The server stores it and
checks it, and cannot make one.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, Literal

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, select

from ledger import book
from ledger.aliases import Kind, check
from ledger.errors import BadInput, NotFound, Tampered
from ledger.money import Money
from ledger.storage.columns import UtcDateTime

OFFICERS_TO_AMEND = 2
"""How many officers of the roster before sign the next one, and the fewest that a roster has."""
ROSTER_DOMAIN = b"solidarity-ledger roster 1\x00"
"""What stands before a roster's canonical bytes when they are signed."""

_SIGNATURE = re.compile(r"[0-9a-f]{128}")

Form = Literal["solidarity-roster-1", "solidarity-roster-2", "solidarity-roster-3"]
"""How a roster is written down."""
Hex32 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
XWingPublic = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{2432}$")]


class Role(StrEnum):
    """What a person may do; one person may hold several, four eyes are two persons."""

    INTAKE = "intake"
    APPROVER = "approver"
    TREASURER = "treasurer"
    PUBLISHER = "publisher"
    AUDITOR = "auditor"
    ADMIN = "admin"


class BadRoster(BadInput):
    """The document is not a roster, or not the next one of this book."""

    rule = "bad_roster"


class RosterNotSigned(Tampered):
    """Signatures that the roster needs are missing or do not hold."""

    rule = "roster_not_signed"


class UnknownOperator(NotFound):
    """No operator of the roster has this alias, or their time has run out."""

    rule = "unknown_operator"


class Operator(BaseModel):
    """One person of the fund: an alias, two public keys (Ed25519; X-Wing), roles and an end."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    alias: str
    signing_key: Hex32
    sealing_key: XWingPublic
    roles: tuple[Role, ...]
    officer: bool
    expires_on: date


class Vault(BaseModel):
    """The public key of one vault epoch: `people`, `money` or `donors`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: Literal["people", "money", "donors"]
    epoch: int
    sealing_key: XWingPublic


class Limit(BaseModel):
    """The most that a role agrees to in one currency, as decimals: in one act and in a day, by all who hold it.

    Above `third_above` a third person agrees too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    role: Literal[Role.APPROVER, Role.TREASURER]
    currency: str
    per_act: str | None = None
    per_day: str | None = None
    third_above: str | None = None

    def most(self, of: Literal["per_act", "per_day", "third_above"]) -> Money | None:
        """One of its amounts."""
        told: str | None = getattr(self, of)
        return None if told is None else Money.parse(told, self.currency)


class Roster(BaseModel):
    """The content that officers sign, as canonical JSON (RFC 8785).

    Form 1 has neither `recovery` nor `reinstated`, form 2 no `limits`: what was signed in them has the same bytes for
    ever.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    format: Form
    book: str
    number: int
    previous: Hex32 | None
    operators: tuple[Operator, ...]
    vaults: tuple[Vault, ...]
    recovery: XWingPublic | None = None
    """The public half of the recovery key: every vault's seed and a copy of every shred key are sealed to it."""
    reinstated: tuple[str, ...] = ()
    """Whose suspension ends with this roster."""
    limits: tuple[Limit, ...] = ()
    """How much roles may agree to; one for each role and currency."""

    def operator(self, alias: str, *, on: date) -> Operator:
        """The operator `alias` whose time has not run out on the day `on`, or `UnknownOperator`."""
        for operator in self.operators:
            if operator.alias == alias and on <= operator.expires_on:
                return operator
        raise UnknownOperator("no operator of the roster has this alias")

    def canonical(self) -> bytes:
        """The bytes that are hashed and signed; `BadRoster` when JSON cannot hold them exactly."""
        content = self.model_dump(mode="json")
        if self.format != "solidarity-roster-3":
            del content["limits"]
        if self.format == "solidarity-roster-1":
            del content["recovery"], content["reinstated"]
        try:
            return rfc8785.dumps(content)
        except rfc8785.CanonicalizationError:
            raise BadRoster("a number or a text has no canonical form (RFC 8785)", where="document") from None


class RosterVersion(SQLModel, table=True):
    """A roster as it was signed: canonical document, its SHA-256, and the signatures by officer alias as JSON."""

    __tablename__ = "roster"
    number: int = Field(primary_key=True)
    document: str
    digest: str = Field(max_length=64, unique=True)
    signatures: str
    recorded_at: datetime = Field(sa_type=UtcDateTime)


def read_roster(document: bytes | str) -> Roster:
    """Reads a roster document.

    Raises:
        BadRoster: not a roster, or not in canonical form; the place is in the data.
    """
    # What is no text at all (a lone surrogate) becomes what is no JSON.
    raw = document.encode(errors="surrogatepass") if isinstance(document, str) else document
    try:
        roster = Roster.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        known = first["loc"][:-1] if first["type"] == "extra_forbidden" else first["loc"]  # a stranger's name is input
        raise BadRoster("not a roster", where=".".join(str(part) for part in known)) from None
    if roster.canonical() != raw:
        raise BadRoster("the roster is not in canonical form (RFC 8785)", where="document")
    _check_different(roster)
    _check_limits(roster)
    return roster


def verify_roster(roster: Roster, signatures: Mapping[str, str], *, before: Roster | None, on: date) -> None:
    """Checks chain and signatures: roster 1 by every officer it names, a later one by two officers of the one before.

    Raises:
        BadRoster: not the next number, not chained to the one before, or with fewer than two officers: nobody could
            ever sign the next one.
        RosterNotSigned: a needed signature is missing or does not hold.
    """
    named = sum(operator.officer for operator in roster.operators)
    if named < OFFICERS_TO_AMEND:
        raise BadRoster("a roster has two officers or more", where="operators")
    if before is None and (roster.number != 1 or roster.previous is not None):
        raise BadRoster("the first roster has number 1", where="number")
    if before is not None and (
        roster.number != before.number + 1 or roster.previous != digest(before) or roster.book != before.book
    ):
        raise BadRoster("not the next roster of this book", where="previous")
    needed = named if before is None else OFFICERS_TO_AMEND
    held = len(_held(roster, signatures, before=before, on=on))
    if held < needed:
        raise RosterNotSigned("signatures of officers are missing or do not hold", needed=needed, held=held)


def digest(roster: Roster) -> str:
    """SHA-256 of the canonical roster, as hex: what the next one names, and what clients pin."""
    return hashlib.sha256(roster.canonical()).hexdigest()


def holds(signing_key: str, message: bytes, signature: str) -> bool:
    """Whether the Ed25519 `signature` (128 lower-case hex digits) over `message` is by `signing_key` (hex)."""
    if not _SIGNATURE.fullmatch(signature):  # fromhex would pass over blanks: many spellings of one signature
        return False
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(signing_key)).verify(bytes.fromhex(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True


def enrol(session: Session, document: bytes | str, signatures: Mapping[str, str], *, recorded_at: datetime) -> Roster:
    """Stores the next roster; the very same one again changes nothing.

    Raises:
        BadRoster, RosterNotSigned: see `read_roster` and `verify_roster`, or another one came first.
    """
    roster = read_roster(document)
    if roster.book != book.require(session).book_id:
        raise BadRoster("the roster is of another book", where="book")
    newest = _newest(session)
    if newest is not None and newest.digest == digest(roster):
        return roster
    before = None if newest is None else read_roster(newest.document)
    verify_roster(roster, signatures, before=before, on=recorded_at.date())
    if before is not None:
        _check_nothing_lost(roster, before)
    held = _held(roster, signatures, before=before, on=recorded_at.date())
    version = RosterVersion(
        number=roster.number,
        document=roster.canonical().decode(),
        digest=digest(roster),
        signatures=json.dumps(held, sort_keys=True),  # nothing stays but what was checked
        recorded_at=recorded_at,
    )
    try:
        with session.begin_nested():
            session.add(version)
    except IntegrityError:  # on PostgreSQL another transaction enrolled a roster between our look and our insert
        raise BadRoster("another roster came first", where="previous") from None
    return roster


def current(session: Session) -> Roster:
    """The newest roster.

    Raises:
        UnknownOperator: there is none yet.
    """
    newest = _newest(session)
    if newest is None:
        raise UnknownOperator("the book has no roster yet")
    return _read_kept(newest.document)


@lru_cache(maxsize=8)
def _read_kept(document: str) -> Roster:
    """As `read_roster`: every row of a list asks for the same one, which nothing changes."""
    return read_roster(document)


def versions(session: Session) -> list[RosterVersion]:
    """All rosters from the first on."""
    return list(session.exec(select(RosterVersion).order_by(RosterVersion.number)))  # type: ignore[arg-type]  # a column


def signatures_of(version: RosterVersion) -> dict[str, str]:
    """The officers' signatures of a stored roster, by alias."""
    signatures: dict[str, str] = json.loads(version.signatures)
    return signatures


def waits_until(session: Session, alias: str, role: Role, *, wait: timedelta) -> datetime | None:
    """Until when a member who joined a role after roster 1 does not act in it; None for members of roster 1.

    Who gets another signing key joins anew: it may be somebody else's key.
    """
    since: datetime | None = None
    known: str | None = None
    for version in versions(session):
        members = [o for o in _read_kept(version.document).operators if o.alias == alias and role in o.roles]
        signing_key = members[0].signing_key if members else None
        if signing_key != known:
            since = version.recorded_at if signing_key and version.number > 1 else None
            known = signing_key
    return None if since is None else since + wait


def _held(roster: Roster, signatures: Mapping[str, str], *, before: Roster | None, on: date) -> dict[str, str]:
    """The signatures that hold of the officers who may sign: of roster 1 its own, later those of the one before."""
    signed = ROSTER_DOMAIN + roster.canonical()
    officers = [o for o in roster.operators if o.officer]
    if before is not None:
        officers = [o for o in before.operators if o.officer and on <= o.expires_on]
    return {
        o.alias: signatures[o.alias]
        for o in officers
        if o.alias in signatures and holds(o.signing_key, signed, signatures[o.alias])
    }


def _check_different(roster: Roster) -> None:
    """No two operators share an alias or a key, no two vaults a key or an epoch: four eyes need two heads."""
    operators, vaults = roster.operators, roster.vaults
    distinct: list[list[Any]] = [
        [check(operator.alias, Kind.OPERATOR) for operator in operators],
        [operator.signing_key for operator in operators],
        [
            *(operator.sealing_key for operator in operators),
            *(vault.sealing_key for vault in vaults),
            *([roster.recovery] if roster.recovery else []),
        ],
        [(vault.name, vault.epoch) for vault in vaults],
        [check(alias, Kind.OPERATOR) for alias in roster.reinstated],
    ]
    if any(len(set(values)) != len(values) for values in distinct):
        raise BadRoster("two share an alias, a key or an epoch", where="operators, vaults")


def _check_limits(roster: Roster) -> None:
    """One limit for each role and currency, of amounts that can be read and are not below zero."""
    places = [(limit.role, limit.currency) for limit in roster.limits]
    if len(set(places)) != len(places):
        raise BadRoster("a role has two limits in one currency", where="limits")
    for number, limit in enumerate(roster.limits):
        try:
            most = [limit.most("per_act"), limit.most("per_day"), limit.most("third_above")]
        except BadInput:
            raise BadRoster("not an amount of money", where=f"limits.{number}") from None
        if any(one is not None and one.minor < 0 for one in most):
            raise BadRoster("a limit is not below zero", where=f"limits.{number}")


def _check_nothing_lost(roster: Roster, before: Roster) -> None:
    """Every vault key stays named, since shelves are sealed to it; a recovery key is replaced and never dropped."""
    if not set(before.vaults) <= set(roster.vaults) or (before.recovery and not roster.recovery):
        raise BadRoster("a vault or the recovery key of the roster before is missing", where="vaults, recovery")


def _newest(session: Session) -> RosterVersion | None:
    return session.exec(select(RosterVersion).order_by(RosterVersion.number.desc())).first()  # type: ignore[attr-defined]  # a column
