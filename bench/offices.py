"""A founded book with two people on a database of its own, and what each of them works with, all in one process."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import Engine

from api.app import create_app
from api.client import founding, keyring
from api.client.desk import Desk, open_desk
from api.client.http import Api, in_process
from api.client.keyring import Device
from api.client.outbox import Outbox
from api.commands.administration import digest_of, draw_bearer
from api.settings import Settings
from ledger import bearer_keys, book, people
from ledger.aliases import Kind, draw
from ledger.identities import vaults
from ledger.identities.person_keys import ShredKeys
from ledger.identities.vaults import NewWrap
from ledger.people import Role
from ledger.storage import schema
from ledger.storage.engine import open_database, transaction

NOW = datetime(2020, 10, 2, 9, tzinfo=UTC)
_EXPIRES_ON = date(2025, 12, 31)
_READINGS_A_DAY = 10_000
"""More than a batch has lines: who asks for one opens the shelves of people that are nobody's work yet."""
_ROLES = ((Role.INTAKE, Role.TREASURER), (Role.APPROVER, Role.ADMIN, Role.PUBLISHER))


@dataclass(frozen=True, slots=True)
class Office:
    """The book's database, and the desks of who asks and of who approves."""

    engine: Engine
    asking: Desk
    approving: Desk


@contextmanager
def office() -> Iterator[Office]:
    """An office on SQLite in a folder of its own, gone with it."""
    with tempfile.TemporaryDirectory(prefix="slbench") as name:
        folder = Path(name)
        engine = open_database(f"sqlite:///{folder}/lists.db")
        schema.migrate(engine)
        officers = {keyring.create(draw(Kind.OPERATOR)): roles for roles in _ROLES}
        bearers = {device.alias: draw_bearer() for device in officers}
        fingerprint = _found(engine, officers, bearers, shred_keys=ShredKeys(folder / "shred-keys"))
        url = engine.url.render_as_string(hide_password=False)
        settings = Settings(
            database_url=url, shred_key_directory=folder / "shred-keys", demo_now=NOW, readings_a_day=_READINGS_A_DAY
        )
        with in_process(create_app(settings, engine=engine)) as http:
            desks = [
                open_desk(
                    Api(
                        http,
                        key=bearers[device.alias],
                        outbox=Outbox(folder / device.alias, keyring.outbox_key(device)),
                    ),
                    device,
                    pins=None,
                    now=settings.now,
                    fingerprint=lambda: fingerprint,
                )
                for device in officers
            ]
            yield Office(engine, *desks)
        engine.dispose()


def _found(
    engine: Engine, officers: Mapping[Device, tuple[Role, ...]], bearers: Mapping[str, str], *, shred_keys: ShredKeys
) -> str:
    """A book with a roster of two; its fingerprint."""
    members = [founding.member(one, roles=roles, officer=True) for one, roles in officers.items()]
    proposal = founding.propose(members, expires_on=_EXPIRES_ON)
    roster = proposal.roster
    with transaction(engine) as session:
        book.found(
            session,
            book_id=roster.book,
            organisation="Invented Fund",
            functional_currency="EUR",
            jurisdiction="by",
            demo=True,
            created_at=NOW,
        )
        signatures = {one.alias: founding.sign_roster(one, roster) for one in officers}
        people.enrol(session, roster.canonical(), signatures, recorded_at=NOW)
        for wrap in proposal.wraps:
            vaults.keep_wrap(session, NewWrap(wrap.vault, wrap.epoch, wrap.member, wrap.wrap), at=NOW)
        for device, roles in officers.items():
            bearer_keys.admit(
                session,
                alias=draw(Kind.KEY),
                operator=device.alias,
                roles=frozenset(roles),
                key_digest=digest_of(bearers[device.alias]),
                expires_on=_EXPIRES_ON,
                created_at=NOW,
            )
    for vault in roster.vaults:
        shred_keys.create(vault.name)
    return people.digest(roster)
