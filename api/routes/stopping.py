"""Routes that stop somebody at once: bearer keys listed and revoked, operators suspended."""

from datetime import date, datetime

from fastapi import APIRouter

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import Alias, SignedActOnWire, Wire
from api.transactions import Tx
from ledger import approvals, bearer_keys, people, suspensions
from ledger.approvals import Agreed
from ledger.bearer_keys import BearerKey
from ledger.suspensions import Suspension

router = APIRouter()


class HeldKeyOut(Wire):
    """A bearer key, without anything that would open a door."""

    alias: str
    operator: str
    roles: list[str]
    expires_on: date
    last_used_on: date | None
    revoked: bool

    @classmethod
    def of(cls, key: BearerKey) -> "HeldKeyOut":
        """A key as the wire has it."""
        return cls(
            alias=key.alias,
            operator=key.operator,
            roles=key.roles.split(","),
            expires_on=key.expires_on,
            last_used_on=key.last_used_on,
            revoked=key.revoked_at is not None,
        )


class KeysOut(Wire):
    """All bearer keys, the oldest first."""

    keys: list[HeldKeyOut]


class Nothing(Wire):
    """A body without a field."""


class SuspensionIn(Wire):
    """Whom to stop; the act has their alias as its object and the roster's number as its version."""

    operator: Alias
    agreed: SignedActOnWire


class SuspensionOut(Wire):
    """A suspension that stands."""

    operator: str
    suspended_by: str
    roster: int
    at: datetime

    @classmethod
    def of(cls, suspension: Suspension) -> "SuspensionOut":
        """A suspension as the wire has it."""
        return cls.model_validate(suspension.model_dump(include=set(cls.model_fields)))


class SuspensionsOut(Wire):
    """The suspensions that stand."""

    suspensions: list[SuspensionOut]


@router.get("/v1/keys")
def read_keys(session: Tx, _caller: Admitted) -> KeysOut:
    """Who has which keys, when each was last used for a change, and which are revoked."""
    return KeysOut(keys=[HeldKeyOut.of(key) for key in bearer_keys.listed(session)])


@router.post("/v1/keys/{alias}/revoke", status_code=201)
def revoke_key(alias: Alias, _nothing: Nothing, session: Tx, _caller: Admitted, now: Now, once: Claimed) -> HeldKeyOut:
    """Ends a bearer key at once."""
    return once.keep(HeldKeyOut.of(bearer_keys.revoke(session, alias, at=now)))


@router.get("/v1/suspensions")
def read_suspensions(session: Tx, _caller: Admitted) -> SuspensionsOut:
    """Who is suspended."""
    return SuspensionsOut(suspensions=[SuspensionOut.of(one) for one in suspensions.standing(session)])


@router.post("/v1/suspensions", status_code=201)
def suspend(told: SuspensionIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> SuspensionOut:
    """Suspends an operator: their keys and their acts are refused from now on."""
    agreed = Agreed(told.agreed.act, told.agreed.signature, caller.operator, now)
    number = people.current(session).number
    approvals.accept(session, agreed, verb="suspend_operator", object_alias=told.operator, version=number)
    suspension = suspensions.suspend(session, told.operator, by=caller.operator, at=now)
    return once.keep(SuspensionOut.of(suspension))
