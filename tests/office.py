"""The office: a founded book behind the real application, and invented people at their desks. Nothing is mocked."""

import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
from fastapi import FastAPI
from sqlalchemy import Engine

from api.app import create_app
from api.client import cases, founding, keyring, lists, payments, statements
from api.client.desk import Desk, open_desk
from api.client.founding import Proposal
from api.client.http import Api, in_process
from api.client.keyring import Device
from api.client.outbox import Outbox
from api.commands.administration import digest_of, draw_bearer
from api.settings import Settings
from ledger import bearer_keys, book, people
from ledger.aid.obligations import ObligationKind
from ledger.aliases import Kind, draw
from ledger.identities import shelves
from ledger.identities.person_keys import ShredKeys
from ledger.money import Money
from ledger.people import Role
from ledger.storage.engine import transaction
from tests.cast import byn, everything

FOUNDED = datetime(2020, 8, 24, 9, tzinfo=UTC)
INTAKE_DAY = datetime(2020, 10, 2, 9, tzinfo=UTC)
DECISION_DAY = datetime(2020, 10, 5, 9, tzinfo=UTC)
RELEASE_DAY = datetime(2020, 10, 6, 9, tzinfo=UTC)
BANK_DAY = datetime(2020, 11, 2, 9, tzinfo=UTC)
"""When things happen: the quarter of the first publication is over on the last of these days."""
EXPIRES_ON = date(2025, 12, 31)
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
    members = [
        founding.member(devices[name], roles=roles, officer=officer) for name, (roles, officer) in ROLES.items()
    ]
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
        return open_desk(api, device, pins=pins, now=self.now)

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
        headers: dict[str, str] | None = None,
        **request: Any,
    ) -> httpx2.Response:
        """A bare request, as an attacker makes it; a POST gets a fresh idempotency key unless told."""
        told = dict(headers or {})
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
        cases.import_rows(self.desk("anna"), rows or (a_list_row(),), jurisdiction="by", list_name=name)
        return sorted({case["alias"] for case in cases.listed(self.desk("anna"))} - before)

    def a_verified_case(self, row: lists.ListRow | None = None) -> str:
        (alias,) = self.take_in(*([row] if row else []))
        assert cases.verify(self.desk("anna"), alias) is None
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

    def import_october(self, *lines: "BankLine", opening: str, closing: str | None = None) -> list[dict[str, Any]]:
        """October's statement of the roubles' leaf, brought in on the bank day."""
        self.set_clock(BANK_DAY)
        return statements.send(self.desk("anna"), october(*lines, opening=opening, closing=closing), account=BYN_LEAF)

    def confirm(self, released: dict[str, Any], *, opening: str = "5000.00") -> list[dict[str, Any]]:
        """The bank pays what was released and brings its reference back."""
        return self.import_october(a_payment_line(released), opening=opening)


@contextmanager
def open_office(engine: Engine, folder: Path) -> Iterator[Office]:
    """Founds the book on an empty migrated database and opens the application on it."""
    shred_keys = folder / "shred-keys"
    found(engine, ShredKeys(shred_keys))
    url = engine.url.render_as_string(hide_password=False)
    settings = Settings(database_url=url, shred_key_directory=shred_keys, demo_now=FOUNDED)
    app = create_app(settings, engine=engine)
    with in_process(app) as http:
        yield Office(app, http, engine, folder, the_staff())


def found(engine: Engine, shred_keys: ShredKeys) -> None:
    """The book with roster 1, the vaults' wraps and everybody's bearer keys, as founding writes them."""
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
            shelves.keep_vault_wrap(session, vault=wrap.vault, epoch=wrap.epoch, member=wrap.member, wrap=wrap.wrap)
        keys = [(name, role, bearer, EXPIRES_ON) for (name, role), bearer in staff.bearers.items()]
        keys.append(("anna", None, staff.expired, date(2020, 8, 1)))
        for name, role, bearer, expires_on in keys:
            bearer_keys.admit(
                session,
                alias=draw(Kind.KEY),
                operator=staff.devices[name].alias,
                roles=frozenset([role] if role else ROLES[name][0]),
                key_digest=digest_of(bearer),
                expires_on=expires_on,
                created_at=FOUNDED,
            )
    for vault in roster.vaults:
        shred_keys.create(vault.name)


# --- what comes from outside: lists and bank files


def a_list_row(**facts: Any) -> lists.ListRow:
    """A row of a list; name and ruling number are random unless told."""
    known: dict[str, Any] = {
        "line": 2,
        "name": f"Invented Person {secrets.token_hex(4)}",
        "ruling_number": f"INVENTED-{secrets.token_hex(4)}",
        "court": "Invented court no. 1",
        "region": "minsk_city",
        "ruling_kind": "administrative",
        "article": "23.34",
        "part": "1",
        "issued_on": date(2020, 8, 31),
        "in_force_on": None,
        "served_on": None,
        "paid_on": None,
        "kind": ObligationKind.FINE,
        "amount": byn("810.00"),
        "payee_account": "INVENTED-TREASURY-01",
    }
    return lists.ListRow(**(known | facts))


@dataclass(frozen=True)
class BankLine:
    """A booked line of a bank's file: what moved, and everything that names somebody."""

    amount: Money
    on: date
    reference: str = ""
    counterparty: str = "An invented counterparty"
    remittance: str = ""
    reversal: bool = False


def a_payment_line(disbursement: dict[str, Any], *, on: date = date(2020, 10, 8), **facts: Any) -> BankLine:
    """The bank's line for a released disbursement."""
    amount = Money.parse(disbursement["amount"]["amount"], disbursement["amount"]["currency"])
    return BankLine(-amount, on, reference=disbursement["reference"], **facts)


def october(*lines: BankLine, opening: str, closing: str | None = None) -> bytes:
    """October's CAMT file of the roubles' leaf; its closing balance is what the lines give, unless told."""
    return a_camt_file(
        lines,
        opening=byn(opening),
        closing=byn(closing) if closing else None,
        first=date(2020, 10, 1),
        last=date(2020, 10, 31),
    )


def a_camt_file(
    lines: Sequence[BankLine], *, opening: Money, first: date, last: date, closing: Money | None = None
) -> bytes:
    """A CAMT.053 file with one statement."""
    shown = sum((line.amount for line in lines), opening) if closing is None else closing
    entries = "".join(_camt_entry(line) for line in lines)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>'
        f"<GrpHdr><MsgId>INVENTED</MsgId></GrpHdr><Stmt><Id>INVENTED-{first}</Id>"
        f"<Acct><Id><Othr><Id>INVENTED-ACCOUNT</Id></Othr></Id><Ccy>{opening.currency}</Ccy></Acct>"
        f"{_camt_balance('OPBD', opening, first)}{_camt_balance('CLBD', shown, last)}{entries}"
        "</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def _camt_balance(code: str, balance: Money, on: date) -> str:
    return f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_camt_amount(balance)}<Dt><Dt>{on}</Dt></Dt></Bal>"


def _camt_entry(line: BankLine) -> str:
    side = "Dbtr" if line.amount.minor > 0 else "Cdtr"
    reference = f"<Strd><CdtrRefInf><Ref>{line.reference}</Ref></CdtrRefInf></Strd>" if line.reference else ""
    remittance = f"<Ustrd>{line.remittance}</Ustrd>" if line.remittance else ""
    return (
        f"<Ntry>{_camt_amount(line.amount)}{'<RvslInd>true</RvslInd>' if line.reversal else ''}"
        f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{line.on}</Dt></BookgDt><ValDt><Dt>{line.on}</Dt></ValDt>"
        f"<NtryDtls><TxDtls><RltdPties><{side}><Pty><Nm>{line.counterparty}</Nm></Pty></{side}></RltdPties>"
        f"<RmtInf>{remittance}{reference}</RmtInf></TxDtls></NtryDtls></Ntry>"
    )


def _camt_amount(money: Money) -> str:
    amount = Money(abs(money.minor), money.currency).decimal()
    sign = "CRDT" if money.minor >= 0 else "DBIT"
    return f'<Amt Ccy="{money.currency}">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd>'


def list_file(*rows: lists.ListRow) -> bytes:
    """A list as CSV."""
    columns = [*lists.REQUIRED, *lists.OPTIONAL]
    shown = [{**{name: getattr(row, name, None) for name in columns}, **_cells(row)} for row in rows]
    lines = [";".join(columns), *(";".join(str(row[name] or "") for name in columns) for row in shown)]
    return "\r\n".join(lines).encode()


def _cells(row: lists.ListRow) -> dict[str, str]:
    article = f"{row.article} part {row.part}" if row.part else row.article
    return {"article": article, "amount": row.amount.decimal(), "currency": row.amount.currency}


def as_json(response: httpx2.Response) -> Any:
    """The JSON of an answer."""
    return json.loads(response.content)
