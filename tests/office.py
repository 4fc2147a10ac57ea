"""The office: a founded book behind the real application, and invented people at their desks. Nothing is mocked."""

import json
import secrets
from collections.abc import Iterator, Mapping, MutableSequence, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import pytest
import structlog
from fastapi import FastAPI
from fastapi.routing import APIRoute
from sqlalchemy import Engine
from sqlmodel import Session

from api.app import ROUTERS, create_app
from api.client import (
    amending,
    case_imports,
    cases,
    donations,
    erasures,
    evidence,
    founding,
    keyring,
    lists,
    payment_files,
    payments,
    periods,
    publications,
    rates,
    reconciliations,
    sealing,
    statements,
    verifications,
    wrapping,
)
from api.client.amending import Changes
from api.client.credit_transfers import Debtor, Form, Order
from api.client.desk import Desk, open_desk
from api.client.founding import Proposal
from api.client.http import Api, in_process
from api.client.keyring import Device
from api.client.outbox import Outbox
from api.commands.administration import digest_of, draw_bearer
from api.settings import Settings
from ledger import approvals, bearer_keys, book, people
from ledger.aid.eligibility import Rejection
from ledger.aliases import Kind, draw
from ledger.approvals import ACT_DOMAIN, Act, Agreed
from ledger.identities import vaults
from ledger.identities.erasure_list import Reason
from ledger.identities.evidence import EvidenceKind
from ledger.identities.person_keys import ShredKeys
from ledger.identities.vaults import NewWrap
from ledger.money import Money
from ledger.people import Operator, Role
from ledger.reconciliation.sheets import With
from ledger.storage.engine import transaction
from tests.agency import walk_with_an_agent
from tests.bailing import walk_with_bail
from tests.cast import byn, everything
from tests.clearing import walk_with_exceptions
from tests.coffers import walk_with_the_treasury
from tests.donors import walk_with_donors
from tests.giving_back import give_back
from tests.giving_walk import walk_with_gifts
from tests.lives import walk_with_lives
from tests.papers import BankLine, a_camt_file, a_list_row, a_payment_line, october
from tests.told import walk_with_purposes

FOUNDED = datetime(2020, 8, 24, 9, tzinfo=UTC)
INTAKE_DAY = datetime(2020, 10, 2, 9, tzinfo=UTC)
DECISION_DAY = datetime(2020, 10, 5, 9, tzinfo=UTC)
RELEASE_DAY = datetime(2020, 10, 6, 9, tzinfo=UTC)
BANK_DAY = datetime(2020, 11, 2, 9, tzinfo=UTC)
"""When things happen: the quarter of the first publication is over on the last of these days."""
EXPIRES_ON = date(2025, 12, 31)
SHRED_KEYS = "shred-keys"
"""The folder of the shred keys, beside the database."""
BYN_LEAF, EUR_LEAF, CARD_LEAF = "1000:byn-main", "1000:eur-main", "1100:eur"

ROLES: dict[str, tuple[tuple[Role, ...], bool]] = {
    "anna": ((Role.INTAKE, Role.TREASURER), True),
    "boris": ((Role.APPROVER,), True),
    "clara": ((Role.ADMIN, Role.PUBLISHER, Role.AUDITOR), False),
    "dora": (tuple(Role), False),
}
"""What each may do, and who is an officer. Dora may do everything, to be refused for being the same person."""
AT_THEIR_DESK = {role: name for name in ("anna", "boris", "clara") for role in ROLES[name][0]}
"""Who usually acts in a role."""
on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Marks a test in which the database plays no part."""


@dataclass(frozen=True)
class Staff:
    """The people with their devices, roster 1 as proposed, and the bearer keys: all roles, or one of them."""

    devices: dict[str, Device]
    proposal: Proposal
    bearers: dict[tuple[str, Role | None], str]
    expired: str


@cache
def the_staff() -> Staff:
    """One staff for all tests: its keys are drawn once, and nothing changes them."""
    devices = {name: keyring.create(draw(Kind.OPERATOR)) for name in ROLES}
    members = [founding.member(devices[name], roles=roles, officer=officer) for name, (roles, officer) in ROLES.items()]
    bearers: dict[tuple[str, Role | None], str] = {}
    for name, (roles, _) in ROLES.items():
        bearers |= {(name, role): draw_bearer() for role in (None, *roles)}
    return Staff(devices, founding.propose(members, expires_on=EXPIRES_ON), bearers, draw_bearer())


@dataclass
class Office:
    """The application on a database of its own, with a clock that stands where it is set."""

    app: FastAPI
    http: httpx2.Client
    engine: Engine
    folder: Path
    staff: Staff
    logs: MutableSequence[Any]
    desks: dict[tuple[str, Role | None], Desk] = field(default_factory=dict)

    # --- the clock, the desks, the door

    def set_clock(self, moment: datetime) -> None:
        settings: Settings = self.app.state.settings
        self.app.state.settings = settings.model_copy(update={"demo_now": moment})

    def now(self) -> datetime:
        settings: Settings = self.app.state.settings
        return settings.now()

    def desk(self, name: str, *, role: Role | None = None) -> Desk:
        """Somebody's desk, with a bearer key of all their roles or of one, and an outbox of its own."""
        if (name, role) not in self.desks:
            self.desks[name, role] = self.new_desk(name, role=role)
        return self.desks[name, role]

    def new_desk(self, name: str, *, role: Role | None = None, pins: Path | None = None) -> Desk:
        """A desk whose outbox is empty: the same person after losing it, or on another device."""
        device = self.staff.devices[name]
        outbox = Outbox(self.folder / f"outbox-{secrets.token_hex(4)}", keyring.outbox_key(device))
        api = Api(self.http, key=self.bearer(name, role), outbox=outbox)
        told = people.digest(self.staff.proposal.roster)
        return open_desk(api, device, pins=pins, now=self.now, fingerprint=lambda: told)

    def alias(self, name: str) -> str:
        return self.staff.devices[name].alias

    def bearer(self, name: str, role: Role | None = None) -> str:
        return self.staff.bearers[name, role]

    def bearer_of(self, role: Role) -> str:
        """The bearer key of the one who usually acts in a role, carrying this role alone."""
        return self.bearer(AT_THEIR_DESK[role], role)

    def send(
        self,
        method: str,
        path: str,
        *,
        bearer: str | None = None,
        key: str | None = None,
        headers: Mapping[str, str | bytes] | None = None,
        **request: Any,
    ) -> httpx2.Response:
        """A bare request, as an attacker makes it; a POST gets a fresh idempotency key unless told."""
        told: dict[str, Any] = dict(headers or {})
        if bearer is not None:
            told.setdefault("Authorization", f"Bearer {bearer}")
        if method == "POST":
            told.setdefault("Idempotency-Key", key or f"test:{secrets.token_hex(8)}")
        return self.http.request(method, path, headers=told, **request)

    def post(self, path: str, body: Any, *, by: str, role: Role | None = None, **request: Any) -> httpx2.Response:
        """A POST of JSON with somebody's bearer key."""
        return self.send("POST", path, bearer=self.bearer(by, role), json=body, **request)

    # --- the database

    def rows(self) -> dict[str, list[str]]:
        """Every row of every table."""
        with transaction(self.engine, write=False) as session:
            return everything(session)

    @contextmanager
    def nothing_written(self) -> Iterator[None]:
        """Asserts that the block leaves every table as it was."""
        before = self.rows()
        yield
        assert self.rows() == before

    @contextmanager
    def nothing_written_but(self, *tables: str) -> Iterator[None]:
        """As `nothing_written`, but for tables that may grow: a look at evidence is logged, and stays."""
        before = self.rows()
        yield
        after = self.rows()
        assert {name: rows for name, rows in after.items() if name not in tables} == {
            name: rows for name, rows in before.items() if name not in tables
        }

    def balance(self, account: str, currency: str = "BYN", fund: str | None = None) -> Money:
        answer = self.desk("clara").api.get("/v1/balances", account=account, currency=currency, fund=fund)
        return Money.parse(answer["balance"]["amount"], answer["balance"]["currency"])

    # --- the path, step by step

    def furnish(self) -> None:
        """Leaves at the bank and at the processor, and two purposes, as the administrator makes them."""
        self.set_clock(FOUNDED)
        api = self.desk("clara").api
        for code, currency in ((BYN_LEAF, "BYN"), (EUR_LEAF, "EUR"), (CARD_LEAF, "EUR")):
            api.post("/v1/accounts", {"code": code, "name": "A leaf", "currency": currency}, key=f"account:{code}")
        for code, fund in (("FINES", "fines"), ("DETENTION", "detention")):
            body = {"code": code, "fund": fund, "text": f"For {fund}.", "net_of_costs": False}
            api.post("/v1/purposes", body, key=f"purpose:{code}")

    def receive_gift(self, amount: str = "5000.00", *, purpose: str = "FINES") -> list[dict[str, Any]]:
        """A gift in roubles arrives at the bank in September, with its purpose's reference."""
        self.set_clock(INTAKE_DAY)
        anna = self.desk("anna")
        (reference,) = [p["reference"] for p in anna.api.get("/v1/purposes")["purposes"] if p["code"] == purpose]
        line = BankLine(byn(amount), date(2020, 9, 10), reference=reference)
        file = a_camt_file([line], opening=byn("0.00"), first=date(2020, 9, 1), last=date(2020, 9, 30))
        return statements.send(anna, file, account=BYN_LEAF)

    def take_in(self, *rows: lists.ListRow) -> list[str]:
        """Anna seals and sends a list; the aliases of its cases, in their order."""
        self.set_clock(INTAKE_DAY)
        before = {case["alias"] for case in cases.listed(self.desk("anna"))}
        name = f"list {secrets.token_hex(4)}"
        case_imports.import_rows(self.desk("anna"), rows or (a_list_row(),), jurisdiction="by", list_name=name)
        return sorted({case["alias"] for case in cases.listed(self.desk("anna"))} - before)

    def bring_evidence(self, case: str, content: bytes = b"An invented scan.", **told: Any) -> dict[str, Any]:
        """Anna seals a scan of a ruling and sends it."""
        file = self.folder / f"scan-{secrets.token_hex(4)}.pdf"
        file.write_bytes(content)
        return evidence.add(self.desk("anna"), case, file, **({"kind": EvidenceKind.RULING} | told))

    def a_verified_case(self, row: lists.ListRow | None = None) -> str:
        (alias,) = self.take_in(*([row] if row else []))
        assert verifications.verify(self.desk("anna"), alias) is None
        return alias

    def a_requested_payment(self, row: lists.ListRow | None = None, *, by: str = "anna") -> dict[str, Any]:
        alias = self.a_verified_case(row)
        self.set_clock(DECISION_DAY)
        return payments.request(self.desk(by), alias, account=BYN_LEAF)

    def an_approved_payment(self, row: lists.ListRow | None = None) -> dict[str, Any]:
        requested = self.a_requested_payment(row)
        payments.approve(self.desk("boris"), requested)
        return self.payment(requested["alias"])

    def a_told_payment(self, row: lists.ListRow | None = None) -> dict[str, Any]:
        approved = self.an_approved_payment(row)
        cases.tell(self.desk("anna"), approved["case"], told_on=DECISION_DAY.date())
        self.set_clock(RELEASE_DAY)
        return approved

    def a_released_payment(self, row: lists.ListRow | None = None) -> dict[str, Any]:
        return payments.release(self.desk("anna"), self.a_told_payment(row))

    def payment(self, alias: str) -> dict[str, Any]:
        """A disbursement as it stands now."""
        answer = self.desk("anna").api.get("/v1/disbursements", limit=500)
        (found,) = [one for one in answer["disbursements"] if one["alias"] == alias]
        shown: dict[str, Any] = found
        return shown

    def a_payment_file(self, form: Form = Form.PAIN_09, *, orders: list[Order] | None = None) -> payment_files.Written:
        """Anna writes a file of everything that is released from the roubles' leaf."""
        folder = self.folder / f"out-{secrets.token_hex(4)}"
        folder.mkdir(mode=0o700)
        anna = self.desk("anna")
        orders = orders or payment_files.collect(anna, account=BYN_LEAF).orders
        debtor = Debtor("Invented Fund", "INVENTED-01")
        day = self.now().date()
        return payment_files.write(anna, orders, account=BYN_LEAF, debtor=debtor, on=day, form=form, folder=folder)

    def import_october(self, *lines: BankLine, opening: str, closing: str | None = None) -> list[dict[str, Any]]:
        """October's statement of the roubles' leaf, brought in on the bank day."""
        self.set_clock(BANK_DAY)
        return statements.send(self.desk("anna"), october(*lines, opening=opening, closing=closing), account=BYN_LEAF)

    def confirm(self, released: dict[str, Any], *, opening: str = "5000.00") -> list[dict[str, Any]]:
        """The bank pays what was released and brings its reference back."""
        return self.import_october(a_payment_line(released), opening=opening)


@contextmanager
def open_office(engine: Engine, folder: Path) -> Iterator[Office]:
    """Opens the application on a founded book whose shred keys are in the folder."""
    url = engine.url.render_as_string(hide_password=False)
    settings = Settings(database_url=url, shred_key_directory=folder / SHRED_KEYS, demo_now=FOUNDED)
    app = create_app(settings, engine=engine)
    with structlog.testing.capture_logs() as logs, in_process(app) as http:
        yield Office(app, http, engine, folder, the_staff(), logs)


def furnish(engine: Engine, folder: Path) -> None:
    """Brings leaves, purposes and a gift into a founded book."""
    with open_office(engine, folder) as opened:
        opened.furnish()
        opened.receive_gift()


def found_office(engine: Engine, folder: Path) -> None:
    """The book with roster 1, the vaults' wraps and everybody's bearer keys, as founding writes them."""
    shred_keys = ShredKeys(folder / SHRED_KEYS)
    staff = the_staff()
    roster = staff.proposal.roster
    officers = [staff.devices[name] for name, (_, officer) in ROLES.items() if officer]
    with transaction(engine) as session:
        book.found(
            session,
            book_id=roster.book,
            organisation="Invented Fund",
            functional_currency="EUR",
            jurisdiction="by",
            demo=True,
            created_at=FOUNDED,
        )
        signatures = {device.alias: founding.sign_roster(device, roster) for device in officers}
        people.enrol(session, roster.canonical(), signatures, recorded_at=FOUNDED)
        for wrap in staff.proposal.wraps:
            vaults.keep_wrap(session, NewWrap(wrap.vault, wrap.epoch, wrap.member, wrap.wrap), at=FOUNDED)
        admin = roster.operator(staff.devices["clara"].alias, on=FOUNDED.date())
        for (name, role), bearer in staff.bearers.items():
            admit_key(session, staff, admin, name, [role] if role else ROLES[name][0], bearer, EXPIRES_ON)
        admit_key(session, staff, admin, "anna", ROLES["anna"][0], staff.expired, date(2020, 8, 1))
    for vault in roster.vaults:
        shred_keys.create(vault.name)


def admit_key(  # noqa: PLR0917  # the facts of a key
    session: Session, staff: Staff, admin: Operator, name: str, roles: Sequence[Role], bearer: str, expires_on: date
) -> None:
    """Admits a bearer key, as the administrator signs for each but the first."""
    facts: dict[str, Any] = {
        "alias": draw(Kind.KEY),
        "operator": staff.devices[name].alias,
        "roles": frozenset(roles),
        "key_digest": digest_of(bearer),
        "expires_on": expires_on,
    }
    committed = [bearer_keys.commitment(**facts)]
    act = Act(
        act="create_key",
        book=staff.proposal.roster.book,
        signer=admin.alias,
        object=facts["alias"],
        version=1,
        amount=None,
        currency=None,
        payee_commitment=None,
        evidence_commitments=tuple(committed),
        at=FOUNDED,
        nonce=secrets.token_hex(16),
    )
    signature = keyring.sign(staff.devices["clara"], ACT_DOMAIN + act.canonical())
    agreed = Agreed(act, signature, admin, FOUNDED)
    approvals.accept(
        session, agreed, verb="create_key", object_alias=act.object, version=1, evidence_commitments=committed
    )
    bearer_keys.admit(session, **facts, created_at=FOUNDED)


def walk_the_path(office: Office) -> None:
    """Every route that writes, once, by the people who may: from the first account to the publication."""
    anna, boris, clara = (office.desk(name) for name in ("anna", "boris", "clara"))
    office.furnish()
    clara.api.post("/v1/funds", {"code": "books", "name": "Books", "restricted": True}, key="fund:books")
    make_key(clara, office.alias("boris"), [Role.APPROVER])
    clara.api.put("/v1/vaults/people/wraps", a_wrap(office, member="clara"))
    office.receive_gift()
    donations.send(anna, a_gift_by_card())
    give_back(office)
    walk_with_donors(office)
    (rejected,) = office.take_in(a_list_row())
    office.bring_evidence(rejected)
    verifications.reject(anna, rejected, because=Rejection.ILLEGIBLE)
    shelf = anna.api.get(f"/v1/cases/{rejected}")["beneficiary"]
    erasures.request(anna, shelf, reason=Reason.WISH)
    erasures.agree(boris, shelf)
    (due,) = evidence.due(boris)
    evidence.drop(boris, due["alias"])
    payments.cancel(anna, office.a_requested_payment())
    released = office.a_released_payment()
    file = office.a_payment_file()
    payment_files.withdraw(anna, file.noted["alias"])
    payment_files.agree(boris, file.noted["alias"])
    office.confirm(released)
    clara.api.post("/v1/jobs/rollups/runs", {}, key="job:rollups")
    sheet = reconciliations.prepare(anna, With.BANK, BYN_LEAF)
    reconciliations.review(boris, sheet["alias"])
    publications.draft(clara)
    (waiting,) = publications.listed(boris)["drafts"]
    publications.approve(boris, waiting)
    rates.send(anna, b"currency,on,rate,source\nBYN,2020-09-28,0.33,nbrb\nBYN,2020-10-01,0.33,nbrb\n")
    periods.soft_close(anna, "2020-09")
    periods.admit(anna, "2020-09", fingerprint="0" * 64)
    periods.close(anna, "2020-09")
    walk_with_an_agent(office)
    walk_with_lives(office)
    walk_with_the_treasury(office)
    walk_with_purposes(
        office, a_gift_by_card(id="txn_InventedGift0009", source="ch_InventedGift0009", description=None)
    )
    walk_with_bail(office)
    walk_with_gifts(office)
    walk_with_exceptions(anna, boris, leaf=BYN_LEAF)
    made = make_key(clara, office.alias("boris"), [Role.APPROVER])
    clara.api.post(f"/v1/keys/{made['alias']}/revoke", {}, key="revoke:1")
    rotate_people(office)
    for name in ("anna", "boris"):
        wrapping.rewrap(office.new_desk(name), "people")
    suspend(office.new_desk("clara"), office.alias("dora"))


def rotate_people(office: Office) -> None:
    """Roster 2 gives the people vault a new key; Anna and Boris sign it, Clara enrols it."""
    rotate(office, "people")


def rotate(office: Office, vault: str) -> None:
    """The next roster gives a vault a new key; Anna and Boris sign it, Clara enrols it."""
    change(office, Changes(rotate=(vault,)))


def change(office: Office, changes: Changes, *, signers: tuple[str, ...] = ("anna", "boris")) -> Proposal:
    """The next roster, proposed by Anna, signed by two officers, and enrolled by Clara."""
    proposal = amending.propose_next(office.new_desk("anna"), changes)
    signatures = {
        office.staff.devices[name].alias: founding.sign_roster(office.staff.devices[name], proposal.roster)
        for name in signers
    }
    amending.enrol(office.desk("clara"), proposal.roster, signatures, proposal.wraps)
    return proposal


def suspend(desk: Desk, alias: str) -> dict[str, Any]:
    """Somebody stops somebody else."""
    agreed = desk.agree("suspend_operator", alias, version=desk.roster.number)
    body = {"operator": alias, "agreed": agreed}
    answer: dict[str, Any] = desk.api.post("/v1/suspensions", body, key=f"suspend:{agreed['act']['nonce']}")
    return answer


def make_key(admin: Desk, operator: str, roles: list[Role], **stated: Any) -> dict[str, Any]:
    """The administrator admits a bearer key; `stated` are fields in which somebody lies."""
    alias, key_digest = draw(Kind.KEY), digest_of(draw_bearer())
    committed = bearer_keys.commitment(
        alias=alias, operator=operator, roles=frozenset(roles), key_digest=key_digest, expires_on=EXPIRES_ON
    )
    body = {
        "alias": alias,
        "operator": operator,
        "roles": sorted(roles),
        "digest": key_digest,
        "expires_on": EXPIRES_ON.isoformat(),
        "agreed": admin.agree("create_key", alias, version=1, evidence=[committed]),
    }
    answer: dict[str, Any] = admin.api.post("/v1/keys", body | stated, key=f"key:{alias}")
    return answer


def a_wrap(office: Office, *, member: str) -> dict[str, Any]:
    """The people vault's seed, wrapped by Anna to somebody's device."""
    device = office.staff.devices[member]
    wrap = keyring.wrap_vault(
        office.desk("anna").vault("people"), sealing.public_of(device.sealing_seed), member=device.alias
    )
    return {"epoch": 1, "member": device.alias, "wrap": sealing.to_base64(wrap)}


def the_next_roster(office: Office, *, without: str | None = None) -> dict[str, Any]:
    """Roster 2, signed by both officers of the first; somebody may have left."""
    first = office.staff.proposal.roster
    left = office.alias(without) if without else None
    operators = tuple(operator for operator in first.operators if operator.alias != left)
    changes = {"number": 2, "previous": people.digest(first), "operators": operators}
    second = first.model_copy(update=changes)
    officers = [office.staff.devices[name] for name in ("anna", "boris")]
    signatures = {device.alias: founding.sign_roster(device, second) for device in officers}
    return {"document": second.canonical().decode(), "signatures": signatures}


def a_gift_by_card(**facts: Any) -> bytes:
    """One balance transaction of 100.00 EUR, as the processor's API lists it."""
    known = {
        "id": "txn_InventedGift0001",
        "object": "balance_transaction",
        "amount": 10_000,
        "created": 1_600_100_000,
        "currency": "eur",
        "description": "FINES",
        "fee": 320,
        "net": 9_680,
        "reporting_category": "charge",
        "source": "ch_InventedGift0001",
    }
    return json.dumps({"object": "list", "data": [known | facts]}).encode()


def template_of(method: str, path: str) -> tuple[str, str]:
    """The door that a request comes to."""
    (door,) = [
        (method, route.path)
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute) and method in (route.methods or ()) and route.path_regex.match(path)
    ]
    return door
