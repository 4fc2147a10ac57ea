import hashlib
from datetime import date, timedelta
from typing import Any

import pytest

from ledger import bearer_keys
from ledger.aliases import BadAlias, Kind, draw
from ledger.bearer_keys import BadKeyDigest, BearerKey, KeyExists, KeyRefused, UnknownKey
from ledger.people import Role, UnknownOperator
from tests.cast import NOW, TODAY, House, Person, enrol, everything, nothing_written, the_next

SECRET = "invented-bearer-key"
DIGEST = hashlib.sha256(SECRET.encode()).hexdigest()


def admit(house: House, operator: str, **other: Any) -> BearerKey:
    """A key that its owner drew, for a year."""
    said: dict[str, Any] = {
        "alias": draw(Kind.KEY),
        "operator": operator,
        "roles": frozenset({Role.INTAKE}),
        "key_digest": DIGEST,
        "expires_on": date(2021, 6, 30),
        "created_at": NOW,
    }
    return bearer_keys.admit(house.session, **(said | other))


def test_who_holds_an_admitted_key_is_its_operator_in_its_roles(house: House, ana: Person) -> None:
    key = admit(house, ana.alias)

    caller = bearer_keys.authenticate(house.session, SECRET, now=NOW)

    assert (caller.operator, caller.roles, caller.key) == (ana.operator, frozenset({Role.INTAKE}), key.alias)


def test_the_key_itself_is_nowhere_in_the_database(house: House, ana: Person) -> None:
    admit(house, ana.alias)

    assert DIGEST in repr(everything(house.session)["bearer_key"])
    assert SECRET not in repr(everything(house.session))


@pytest.mark.parametrize("roles", [frozenset(), frozenset({Role.APPROVER}), frozenset({Role.INTAKE, Role.TREASURER})])
def test_a_key_carries_no_role_that_the_roster_does_not_give(house: House, ana: Person, roles: frozenset[Role]) -> None:
    with nothing_written(house.session), pytest.raises(KeyRefused):
        admit(house, ana.alias, roles=roles)


def test_a_key_does_not_outlive_its_operator(house: House, ana: Person) -> None:
    with nothing_written(house.session), pytest.raises(KeyRefused):
        admit(house, ana.alias, expires_on=ana.operator.expires_on + timedelta(days=1))


def test_nobody_outside_the_roster_gets_a_key(house: House) -> None:
    with nothing_written(house.session), pytest.raises(UnknownOperator):
        admit(house, "OP-0000-0000-0000")


def test_an_alias_or_a_hash_is_taken_once(house: House, ana: Person) -> None:
    key = admit(house, ana.alias)

    with nothing_written(house.session), pytest.raises(KeyExists):
        admit(house, ana.alias, alias=key.alias, key_digest="0" * 64)
    with nothing_written(house.session), pytest.raises(KeyExists):
        admit(house, ana.alias)


@pytest.mark.parametrize("digest", [SECRET, "", "0" * 63, "0" * 65, "A" * 64, "0" * 64 + "\n"])
def test_what_is_no_hash_is_refused_and_not_told_back(house: House, ana: Person, digest: str) -> None:
    with nothing_written(house.session), pytest.raises(BadKeyDigest) as refusal:
        admit(house, ana.alias, key_digest=digest)

    assert refusal.value.data == {"where": "digest"}


def test_a_key_has_a_keys_alias(house: House, ana: Person) -> None:
    with nothing_written(house.session), pytest.raises(BadAlias):
        admit(house, ana.alias, alias=ana.alias)


def test_an_unknown_an_expired_and_a_revoked_key_look_the_same(house: House, ana: Person) -> None:
    told = []
    key = admit(house, ana.alias, expires_on=TODAY)
    bearer_keys.authenticate(house.session, SECRET, now=NOW)
    for bearer, now in (("another", NOW), (SECRET, NOW + timedelta(days=1))):
        with nothing_written(house.session), pytest.raises(KeyRefused) as refusal:
            bearer_keys.authenticate(house.session, bearer, now=now)
        told.append((refusal.value.message, refusal.value.data))

    bearer_keys.revoke(house.session, key.alias, at=NOW)
    with nothing_written(house.session), pytest.raises(KeyRefused) as refusal:
        bearer_keys.authenticate(house.session, SECRET, now=NOW)
    told.append((refusal.value.message, refusal.value.data))

    assert told == [told[0]] * 3


def test_a_key_ends_once(house: House, ana: Person) -> None:
    key = admit(house, ana.alias)
    bearer_keys.revoke(house.session, key.alias, at=NOW)

    with nothing_written(house.session):
        bearer_keys.revoke(house.session, key.alias, at=NOW + timedelta(hours=1))
    with nothing_written(house.session), pytest.raises(UnknownKey):
        bearer_keys.revoke(house.session, draw(Kind.KEY), at=NOW)

    assert key.revoked_at == NOW


def test_who_has_left_the_roster_has_no_key_any_more(house: House, ana: Person) -> None:
    admit(house, ana.alias)
    others = tuple(o for o in house.fund.roster().operators if o.alias != ana.alias)
    enrol(house.session, the_next(house.fund.roster(), operators=others), house.fund.olga, house.fund.oleg)

    with nothing_written(house.session), pytest.raises(KeyRefused):
        bearer_keys.authenticate(house.session, SECRET, now=NOW)


def test_a_role_that_the_roster_takes_back_is_gone_from_the_key(house: House, ana: Person) -> None:
    admit(house, ana.alias)
    others = tuple(o for o in house.fund.roster().operators if o.alias != ana.alias)
    moved = ana.operator.model_copy(update={"roles": (Role.AUDITOR,)})
    enrol(house.session, the_next(house.fund.roster(), operators=(*others, moved)), house.fund.olga, house.fund.oleg)

    assert bearer_keys.authenticate(house.session, SECRET, now=NOW).roles == frozenset()


def test_the_last_use_is_noted_by_day(house: House, ana: Person) -> None:
    key = admit(house, ana.alias)
    caller = bearer_keys.authenticate(house.session, SECRET, now=NOW)
    assert key.last_used_on is None

    bearer_keys.note_use(house.session, caller, on=TODAY)

    assert key.last_used_on == TODAY
    with nothing_written(house.session):
        bearer_keys.note_use(house.session, caller, on=TODAY)
