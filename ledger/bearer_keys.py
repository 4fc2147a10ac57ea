"""Bearer keys: who calls, and in which roles. A key alone approves and releases nothing: see approvals."""

import hashlib
import re
from datetime import date, datetime

import rfc8785
from pydantic import BaseModel, ConfigDict
from sqlmodel import Field, Session, SQLModel, select

from ledger import emergency, people, suspensions
from ledger.aliases import Kind, check
from ledger.errors import BadInput, Conflict, NotFound, Refused
from ledger.people import Operator, Role, UnknownOperator
from ledger.storage.columns import UtcDateTime
from ledger.storage.locks import locked

_DIGEST = re.compile(r"[0-9a-f]{64}")


class KeyRefused(Refused):
    """The bearer key is unknown, expired or revoked, or its operator has left the roster or is suspended."""

    rule = "key_refused"


class UnknownKey(NotFound):
    """No bearer key has this alias."""

    rule = "unknown_key"


class BadKeyDigest(BadInput):
    """Not the hash of a key."""

    rule = "bad_key_digest"


class KeyExists(Conflict):
    """The key's alias or hash is taken."""

    rule = "key_exists"


class BearerKey(SQLModel, table=True):
    """A bearer key, kept as SHA-256 of its 256 random bits; it carries some of the roles of its one operator."""

    __tablename__ = "bearer_key"
    alias: str = Field(primary_key=True, max_length=20)
    operator: str = Field(max_length=20, index=True)
    roles: str = Field(max_length=120)
    digest: str = Field(max_length=64, unique=True)
    expires_on: date
    created_at: datetime = Field(sa_type=UtcDateTime)
    last_used_on: date | None = None
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Caller(BaseModel):
    """Who calls: an operator of the current roster, with the roles that both roster and key admit."""

    model_config = ConfigDict(frozen=True)
    operator: Operator
    roles: frozenset[Role]
    key: str


def admit(
    session: Session,
    *,
    alias: str,
    operator: str,
    roles: frozenset[Role],
    key_digest: str,
    expires_on: date,
    created_at: datetime,
) -> BearerKey:
    """Admits a bearer key that its owner drew; only its SHA-256 comes here.

    Raises:
        UnknownOperator: not in the roster. KeyExists: alias or hash taken. KeyRefused: roles the roster does not give.
        BadAlias, BadKeyDigest: not a key's alias, not SHA-256 in lower-case hexadecimal digits.
    """
    check(alias, Kind.KEY)
    if not _DIGEST.fullmatch(key_digest):
        raise BadKeyDigest("64 lower-case hexadecimal digits: a key itself never comes here", where="digest")
    owner = people.current(session).operator(operator, on=created_at.date())
    if not roles or not roles <= set(owner.roles):
        raise KeyRefused("a key carries roles that the roster gives its operator, and at least one", operator=operator)
    if expires_on > owner.expires_on:
        raise KeyRefused("a key does not outlive its operator's entry in the roster", operator=operator)
    taken = session.exec(select(BearerKey).where((BearerKey.alias == alias) | (BearerKey.digest == key_digest))).first()
    if taken is not None:
        raise KeyExists("the key's alias or hash is taken")
    key = BearerKey(
        alias=alias,
        operator=operator,
        roles=",".join(sorted(roles)),
        digest=key_digest,
        expires_on=expires_on,
        created_at=created_at,
    )
    session.add(key)
    session.flush()
    return key


def commitment(*, alias: str, operator: str, roles: frozenset[Role], key_digest: str, expires_on: date) -> str:
    """What the act that makes a key commits to: SHA-256, in hexadecimal digits, of all its facts as RFC 8785 JSON.

    So an administrator's signature is for this operator, these roles and this day only, and tells who made the key.
    """
    facts = {
        "alias": alias,
        "digest": key_digest,
        "expires_on": expires_on.isoformat(),
        "operator": operator,
        "roles": sorted(role.value for role in roles),
    }
    return hashlib.sha256(rfc8785.dumps(facts)).hexdigest()


def authenticate(session: Session, bearer: str, *, now: datetime) -> Caller:
    """Who holds the bearer key, by the current roster.

    Raises:
        KeyRefused: unknown, expired or revoked, its operator is suspended or not in the roster any more, or the fund is
            sealed off. All look the same.
    """
    key_digest = hashlib.sha256(bearer.encode()).hexdigest()
    key = session.exec(select(BearerKey).where(BearerKey.digest == key_digest)).first()
    if key is None or key.revoked_at is not None or key.expires_on < now.date() or emergency.is_sealed(session):
        raise KeyRefused("the key is not valid")
    try:
        operator = people.current(session).operator(key.operator, on=now.date())
    except UnknownOperator:
        raise KeyRefused("the key is not valid") from None
    if suspensions.is_suspended(session, operator.alias):
        raise KeyRefused("the key is not valid")
    roles = frozenset(Role(role) for role in key.roles.split(",")) & frozenset(operator.roles)
    return Caller(operator=operator, roles=roles, key=key.alias)


def listed(session: Session) -> list[BearerKey]:
    """All bearer keys, revoked and expired ones too, in the order of their making."""
    return sorted(session.exec(select(BearerKey)), key=lambda key: (key.created_at, key.alias))


def revoke(session: Session, alias: str, *, at: datetime) -> BearerKey:
    """Ends a key at once; revoked already: the first moment stands.

    Raises:
        UnknownKey: there is none.
    """
    key = session.exec(locked(select(BearerKey).where(BearerKey.alias == alias))).one_or_none()
    if key is None:
        raise UnknownKey("no key has this alias")
    if key.revoked_at is None:
        key.revoked_at = at
        session.add(key)
        session.flush()
    return key


def note_use(session: Session, caller: Caller, *, on: date) -> None:
    """Notes the day on which a key was last used for a change."""
    key = session.get_one(BearerKey, caller.key)
    if key.last_used_on != on:
        key.last_used_on = on
        session.add(key)
        session.flush()
