"""Administration on the database: a book founded, migrated and served. None of it moves money."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Engine
from sqlmodel import select

from api.client.sealing import from_base64, to_base64
from api.settings import Settings
from ledger import bearer_keys, book, people
from ledger.aliases import Kind, draw
from ledger.identities import vaults
from ledger.identities.person_keys import ShredKeys
from ledger.identities.shelves import VaultWrap
from ledger.identities.vaults import NewWrap, ShredKeyCopy
from ledger.people import Role, Roster
from ledger.storage import schema
from ledger.storage.engine import open_database, transaction


@dataclass(frozen=True, slots=True)
class Founding:
    """What a book is founded with: the signed first roster, the vault keys of its members, and its own data."""

    roster: str
    signatures: dict[str, str]
    wraps: list[NewWrap]
    organisation: str
    functional_currency: str
    jurisdiction: str
    demo: bool


def found_book(
    engine: Engine, founding: Founding, *, admin: str, key_expires_on: date, shred_keys: ShredKeys, now: datetime
) -> str:
    """Migrates the database, founds the book, and returns the one bearer key that makes the others: the admin's.

    Raises:
        BookExists: there is one; nothing was changed. BadRoster, RosterNotSigned, KeyRefused: see there.
    """
    schema.migrate(engine)
    bearer = draw_bearer()
    with transaction(engine) as session:
        roster = people.read_roster(founding.roster)
        book.found(
            session,
            book_id=roster.book,
            organisation=founding.organisation,
            functional_currency=founding.functional_currency,
            jurisdiction=founding.jurisdiction,
            demo=founding.demo,
            created_at=now,
        )
        vaults.enrol(
            session, founding.roster, founding.signatures, founding.wraps, recorded_at=now, shred_keys=shred_keys
        )
        bearer_keys.admit(
            session,
            alias=draw(Kind.KEY),
            operator=admin,
            roles=frozenset({Role.ADMIN}),
            key_digest=digest_of(bearer),
            expires_on=key_expires_on,
            created_at=now,
        )
    return bearer


def enrol_roster(engine: Engine, told: dict[str, Any], *, shred_keys: ShredKeys, now: datetime) -> Roster:
    """Enrols a signed roster file on the server itself: when nobody is left whom the API lets in.

    Raises:
        BadRoster, RosterNotSigned: two officers sign here as everywhere.
    """
    wraps = [NewWrap(one["vault"], one["epoch"], one["member"], from_base64(one["wrap"])) for one in told["wraps"]]
    with transaction(engine) as session:
        return vaults.enrol(
            session, told["document"], told["signatures"], wraps, recorded_at=now, shred_keys=shred_keys
        )


def export_recovery(engine: Engine) -> dict[str, Any]:
    """What a server keeps for recovery, all of it public or sealed: rosters, vault wraps, copies of shred keys."""
    with transaction(engine, write=False) as session:
        member = vaults.recovery_member(people.current(session))
        wraps = session.exec(select(VaultWrap).where(VaultWrap.member == member)).all()
        copies = session.exec(select(ShredKeyCopy)).all()
        return {
            "rosters": [
                {
                    "document": version.document,
                    "signatures": people.signatures_of(version),
                    "recorded_on": version.recorded_at.date().isoformat(),
                }
                for version in people.versions(session)
            ],
            "vault_wraps": [{"vault": one.vault, "epoch": one.epoch, "wrap": to_base64(one.wrap)} for one in wraps],
            "shred_keys": [{"vault": one.vault, "sealed": to_base64(one.sealed)} for one in copies],
        }


def restore_shred_keys(engine: Engine, given: ShredKeys, *, shred_keys: ShredKeys) -> list[str]:
    """Takes shred keys back that recovery has opened into a directory; names the vaults. Standing ones are passed over.

    Raises:
        ShredKeyMissing, WrapDoesNotUnlock: a key is not there, or not of this book; those before it were restored.
    """
    restored: list[str] = []
    with transaction(engine) as session:
        for name in sorted({vault.name for vault in people.current(session).vaults}):
            if not shred_keys.has(name):
                vaults.restore_shred_key(session, name, given=given, shred_keys=shred_keys)
                restored.append(name)
    return restored


@contextmanager
def at_the_database(configured: Settings) -> Iterator[Engine]:
    """The server's own database, let go of afterwards."""
    engine = open_database(configured.database_url)
    try:
        yield engine
    finally:
        engine.dispose()


def draw_bearer() -> str:
    """A fresh bearer key: 256 random bits."""
    return f"sl_{secrets.token_urlsafe(32)}"


def digest_of(bearer: str) -> str:
    """What the server keeps of a bearer key."""
    return sha256(bearer.encode()).hexdigest()
