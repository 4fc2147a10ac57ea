"""How long a list of fined people takes from the file to the database: read, sealed on the device, sent, kept."""

import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Engine

from api.app import create_app
from api.client import cases, founding, keyring, lists
from api.client.desk import Desk, open_desk
from api.client.http import Api, in_process
from api.client.keyring import Device
from api.client.outbox import Outbox
from api.commands.administration import digest_of, draw_bearer
from api.settings import Settings
from bench.databases import Books
from bench.rows import Row, seconds
from ledger import bearer_keys, book, people
from ledger.aliases import Kind, draw
from ledger.identities import vaults
from ledger.identities.person_keys import ShredKeys
from ledger.identities.vaults import NewWrap
from ledger.people import Role
from ledger.storage import schema
from ledger.storage.engine import open_database, transaction

_NOW = datetime(2020, 10, 2, 9, tzinfo=UTC)
_EXPIRES_ON = date(2025, 12, 31)
_AT_MOST_SECONDS = 60
_HEADER = "name;ruling_number;court;region;ruling_kind;article;issued_on;kind;amount;currency;payee_account"


def rows(_: Books, *, quick: bool) -> Iterator[Row]:
    """A list of 10,000 fines on SQLite, with the whole path in one process; the target is for that size."""
    fines = 500 if quick else 10_000
    data = a_list(fines)
    yield Row(f"read a list of {fines:,} fines", None, seconds(partial(lists.read, data), repeats=3), "s")
    with tempfile.TemporaryDirectory(prefix="slbench") as folder:
        engine = open_database(f"sqlite:///{folder}/lists.db")
        yield Row(
            f"import a list of {fines:,} fines",
            None,
            _import(engine, Path(folder), data),
            "s",
            at_most=_AT_MOST_SECONDS,
        )
        engine.dispose()


def a_list(fines: int) -> bytes:
    """A CSV file of so many invented people."""
    told = (
        f"Invented Person {nth};INVENTED-{nth};Invented court no. {nth % 9};minsk_city;administrative;23.34 part 1;"
        f"{1 + nth % 28:02}.08.2020;fine;810,00;BYN;INVENTED-TREASURY-01"
        for nth in range(fines)
    )
    return "\n".join((_HEADER, *told)).encode()


def _import(engine: Engine, folder: Path, data: bytes) -> float:
    schema.migrate(engine)
    device, bearer = keyring.create(draw(Kind.OPERATOR)), draw_bearer()
    fingerprint = _found(engine, device, bearer, shred_keys=ShredKeys(folder / "shred-keys"))
    url = engine.url.render_as_string(hide_password=False)
    settings = Settings(database_url=url, shred_key_directory=folder / "shred-keys", demo_now=_NOW)
    with in_process(create_app(settings, engine=engine)) as http:
        api = Api(http, key=bearer, outbox=Outbox(folder / "outbox", keyring.outbox_key(device)))
        desk = open_desk(api, device, pins=None, now=settings.now, fingerprint=lambda: fingerprint)
        return seconds(partial(_send, desk, data))


def _send(desk: Desk, data: bytes) -> None:
    cases.import_rows(desk, lists.read(data), jurisdiction="by", list_name="list.csv")


def _found(engine: Engine, device: Device, bearer: str, *, shred_keys: ShredKeys) -> str:
    """A book with a roster of two; its fingerprint."""
    officers = [device, keyring.create(draw(Kind.OPERATOR))]
    roles = ((Role.INTAKE, Role.TREASURER), (Role.APPROVER, Role.ADMIN, Role.PUBLISHER))
    members = [founding.member(one, roles=role, officer=True) for one, role in zip(officers, roles, strict=True)]
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
            created_at=_NOW,
        )
        signatures = {one.alias: founding.sign_roster(one, roster) for one in officers}
        people.enrol(session, roster.canonical(), signatures, recorded_at=_NOW)
        for wrap in proposal.wraps:
            vaults.keep_wrap(session, NewWrap(wrap.vault, wrap.epoch, wrap.member, wrap.wrap), at=_NOW)
        bearer_keys.admit(
            session,
            alias=draw(Kind.KEY),
            operator=device.alias,
            roles=frozenset(roles[0]),
            key_digest=digest_of(bearer),
            expires_on=_EXPIRES_ON,
            created_at=_NOW,
        )
    for vault in roster.vaults:
        shred_keys.create(vault.name)
    return people.digest(roster)
