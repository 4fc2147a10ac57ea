"""Administration on the database: a book founded, migrated and served. None of it moves money."""

import secrets
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256

from sqlalchemy import Engine

from api.client.founding import Wrap
from ledger import bearer_keys, book, people
from ledger.aliases import Kind, draw
from ledger.identities import shelves
from ledger.identities.person_keys import ShredKeys
from ledger.people import Role
from ledger.storage import schema
from ledger.storage.engine import transaction


@dataclass(frozen=True, slots=True)
class Founding:
    """What a book is founded with: the signed first roster, the vault keys of its members, and its own data."""

    roster: str
    signatures: dict[str, str]
    wraps: list[Wrap]
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
        people.enrol(session, founding.roster, founding.signatures, recorded_at=now)
        for wrap in founding.wraps:
            shelves.keep_vault_wrap(
                session, vault=wrap.vault, epoch=wrap.epoch, member=wrap.member, wrap=wrap.wrap, on=now.date()
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
        for vault in roster.vaults:
            shred_keys.create(vault.name)
    return bearer


def draw_bearer() -> str:
    """A fresh bearer key: 256 random bits."""
    return f"sl_{secrets.token_urlsafe(32)}"


def digest_of(bearer: str) -> str:
    """What the server keeps of a bearer key."""
    return sha256(bearer.encode()).hexdigest()
