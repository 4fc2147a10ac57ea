"""The cast: invented people of an invented fund with real devices, and the things they handle. Nothing is mocked."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from threading import Barrier
from typing import Any, TypeVar

from sqlalchemy import Engine
from sqlmodel import Session

from api.client import keyring, sealing
from api.client.keyring import Device
from api.client.sealing import VaultSeed
from ledger import aliases, approvals, book, people
from ledger.aid import acts, assessments, cases, disbursements, eligibility, intake, jurisdictions, obligations
from ledger.aid.assessments import NewAssessment
from ledger.aid.batches import Batch
from ledger.aid.cases import Case
from ledger.aid.disbursements import Disbursement, Payee
from ledger.aid.eligibility import Bounds, Rejection
from ledger.aid.jurisdictions import Pack
from ledger.aid.obligations import Obligation, ObligationKind
from ledger.aid.rules import Answer, Application
from ledger.aliases import Kind
from ledger.approvals import ACT_DOMAIN, Act, Agreed, Verb
from ledger.books import accounts
from ledger.errors import LedgerError
from ledger.giving import donations, purposes
from ledger.identities import shelves
from ledger.identities.person_keys import ShredKeys
from ledger.identities.shelves import ROW, NewBox, NewShelf, Reason
from ledger.money import Money
from ledger.people import ROSTER_DOMAIN, Operator, Role, Roster, Vault
from ledger.storage.engine import transaction

BOOK_ID = "5011da1170".ljust(32, "0")
NOW = datetime(2020, 11, 20, 9, 0, tzinfo=UTC)
TODAY = NOW.date()
FOUNDED_AT = datetime(2020, 10, 1, 8, 0, tzinfo=UTC)
HOUSE_KEYS = "shred"
"""The folder of the house's shred keys, beside its database."""
LEAF = "1000:byn-main"
SECOND_LEAF = "1000:byn-reserve"
WAIT_FOR_THE_SECOND = 0.5
"""Seconds in which a second transaction comes to its lock; on a slower machine a test sees less, and never fails."""
Answered = TypeVar("Answered")


def byn(amount: str) -> Money:
    return Money.parse(amount, "BYN")


def eur(amount: str) -> Money:
    return Money.parse(amount, "EUR")


# --- people


@dataclass(frozen=True)
class Person:
    """Somebody of the fund: the device in their hand, and what the roster says of them."""

    device: Device
    operator: Operator

    @property
    def alias(self) -> str:
        return self.device.alias

    def sign(self, act: Act) -> str:
        return keyring.sign(self.device, ACT_DOMAIN + act.canonical())


def a_person(*roles: Role, officer: bool = False, expires_on: date = date(2021, 12, 31)) -> Person:
    device = keyring.create(aliases.draw(Kind.OPERATOR))
    card = keyring.card(device)
    operator = Operator(
        alias=device.alias,
        signing_key=card["ed25519"],
        sealing_key=card["xwing"],
        roles=roles,
        officer=officer,
        expires_on=expires_on,
    )
    return Person(device, operator)


@dataclass(frozen=True)
class Fund:
    """The people of one fund, and its vault of people: Olga and Oleg are the officers."""

    ana: Person = field(default_factory=partial(a_person, Role.INTAKE))
    anton: Person = field(default_factory=partial(a_person, Role.INTAKE))
    boris: Person = field(default_factory=partial(a_person, Role.APPROVER))
    bella: Person = field(default_factory=partial(a_person, Role.APPROVER))
    clara: Person = field(default_factory=partial(a_person, Role.TREASURER))
    dina: Person = field(default_factory=partial(a_person, Role.PUBLISHER))
    olga: Person = field(default_factory=partial(a_person, Role.ADMIN, officer=True))
    oleg: Person = field(default_factory=partial(a_person, Role.AUDITOR, officer=True))
    vault: VaultSeed = field(default_factory=partial(keyring.create_vault, "people"))

    def people(self) -> list[Person]:
        return [self.ana, self.anton, self.boris, self.bella, self.clara, self.dina, self.olga, self.oleg]

    def roster(self) -> Roster:
        """Roster 1."""
        return Roster(
            format="solidarity-roster-1",
            book=BOOK_ID,
            number=1,
            previous=None,
            operators=tuple(person.operator for person in self.people()),
            vaults=(Vault(name="people", epoch=1, sealing_key=self.vault.public().public.hex()),),
        )


@cache
def the_fund() -> Fund:
    """One fund for all tests: its keys are drawn once, and nothing changes them."""
    return Fund()


def signatures_of(roster: Roster, *signers: Person) -> dict[str, str]:
    message = ROSTER_DOMAIN + roster.canonical()
    return {signer.alias: keyring.sign(signer.device, message) for signer in signers}


def the_next(roster: Roster, **changes: Any) -> Roster:
    """The roster after `roster`, chained to it."""
    following = {"number": roster.number + 1, "previous": people.digest(roster)}
    return roster.model_copy(update=following | changes)


def enrol(session: Session, roster: Roster, *signers: Person, at: datetime = FOUNDED_AT) -> Roster:
    return people.enrol(session, roster.canonical(), signatures_of(roster, *signers), recorded_at=at)


# --- the book and its money


def found_without_people(session: Session) -> None:
    """A book with nothing in it."""
    book.found(
        session,
        book_id=BOOK_ID,
        organisation="Invented Fund",
        functional_currency="EUR",
        jurisdiction="by",
        demo=False,
        created_at=FOUNDED_AT,
    )


def found_book(session: Session) -> Fund:
    """A book with its roster, two bank leaves in BYN and a purpose for fines; no money yet."""
    fund = the_fund()
    found_without_people(session)
    enrol(session, fund.roster(), fund.olga, fund.oleg)
    for leaf in (LEAF, SECOND_LEAF):
        accounts.add_leaf(session, leaf, name="Current account", currency="BYN")
    purposes.add(session, "FINES", fund="fines", text="For fines after assemblies.", net_of_costs=False)
    session.commit()
    return fund


def give(session: Session, gift: Money, *, leaf: str = LEAF, on: date = date(2020, 10, 5)) -> None:
    """A gift for fines arrives at the bank."""
    purpose = purposes.by_code(session, "FINES")
    assert purpose is not None
    donations.receive_at_bank(
        session,
        source_key=f"test:{secrets.token_hex(8)}",
        leaf=leaf,
        gift=gift,
        reference=purpose.reference,
        on=on,
        recorded_at=NOW,
        recorded_by="test",
    )
    session.commit()


def create_shred_keys(directory: Path) -> ShredKeys:
    """The shred keys of a house; those that its place brought along, if any."""
    keys = ShredKeys(directory / HOUSE_KEYS)
    if not keys.directory.exists():
        keys.create("people")
    return keys


# --- cases


def a_shelf(fund: Fund, alias: str, *, by: Person) -> sealing.Shelf:
    return sealing.draw_shelf(fund.vault.public(), alias=alias, signer=partial(keyring.sign, by.device))


def sealed(public: bytes, *, kind: str, alias: str, field: str, content: str, version: int = 1) -> NewBox:
    box = sealing.seal(public, content.encode(), kind=kind, alias=alias, field=field, version=version)
    return NewBox(kind, alias, field, version, box.data, box.commitment)


def a_row(
    fund: Fund,
    *,
    by: Person | None = None,
    amount: Money | None = None,
    issued_on: date = date(2020, 9, 28),
    in_force_on: date | None = None,
    is_force_presumed: bool = False,
    article: str = "23.34",
    kind: ObligationKind = ObligationKind.FINE,
    name: str = "",
    ruling_number: str = "",
    rejection: Rejection | None = None,
) -> intake.Row:
    """One row of a list, as Ana's client seals it. Name and ruling number are random unless told.

    In force ten days after its ruling unless told: the list says so, or nobody knows and it is presumed.
    """
    if in_force_on is None and not is_force_presumed:
        in_force_on = issued_on + timedelta(days=10)
    beneficiary, ruling = aliases.draw(Kind.BENEFICIARY), aliases.draw(Kind.RULING)
    shelf = a_shelf(fund, beneficiary, by=by or fund.ana)
    name = name or f"Invented Person {secrets.token_hex(4)}"
    ruling_number = ruling_number or f"Invented ruling {secrets.token_hex(4)}"
    key = sealing.token_key(fund.vault)
    facts = {ROW: f"{name} {ruling_number} {issued_on}", intake.PERSON: name, intake.RULING: ruling_number}
    return intake.Row(
        beneficiary=beneficiary,
        case=aliases.draw(Kind.CASE),
        ruling=ruling,
        obligation=aliases.draw(Kind.OBLIGATION),
        jurisdiction="by",
        article=article,
        region="minsk_city",
        kind=kind,
        amount=amount or byn("810.00"),
        bounds=eligibility.bounds(jurisdictions.load("by"), kind=kind, issued_on=issued_on, in_force_on=in_force_on),
        rejection=rejection,
        shelf=NewShelf(shelf.alias, shelf.vault, shelf.epoch, shelf.public, shelf.signature, shelf.wrap),
        boxes=[
            sealed(shelf.public, kind="beneficiary", alias=beneficiary, field="identity", content=name),
            sealed(shelf.public, kind="ruling", alias=ruling, field="details", content=f"{ruling_number} {issued_on}"),
        ],
        tokens=[(1, name, sealing.token(key, field=name, value=value)) for name, value in facts.items()],
    )


@dataclass(frozen=True)
class Stock:
    """What lies ready in a place (see `tests/places.py`), as its builder would make it."""

    cases: list[Case] = field(default_factory=list)
    payments: list[Disbursement] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)


@dataclass(frozen=True)
class House:
    """A founded book with its people, open in one session: what most tests stand in."""

    session: Session
    fund: Fund
    shred_keys: ShredKeys
    stock: Stock = field(default_factory=Stock)

    def receive(self, row: intake.Row, *, by: Person | None = None, at: datetime = FOUNDED_AT) -> Case:
        entered_by = (by or self.fund.ana).operator
        intake.receive(self.session, row, entered_by=entered_by, recorded_at=at, shred_keys=self.shred_keys)
        return cases.require(self.session, row.case)

    def open(self, case: Case, *, by: Person, at: datetime = NOW) -> shelves.Opened:
        """Somebody fetches the shelf of a case's beneficiary, as they must before they sign."""
        return shelves.open_shelf(
            self.session,
            case.beneficiary_alias,
            operator=by.alias,
            reason=Reason.APPROVAL,
            at=at,
            shred_keys=self.shred_keys,
        )

    def a_case(self, *, by: Person | None = None, **facts: Any) -> Case:
        """A received case."""
        case = self.receive(a_row(self.fund, by=by, **facts), by=by)
        self.session.commit()
        return case

    def a_verified_case(self, *, entered_by: Person | None = None, verified_by: Person | None = None) -> Case:
        if self.stock.cases and not (entered_by or verified_by):
            self.session.commit()
            return self.stock.cases.pop()
        case = self.a_case(by=entered_by)
        return self.verify(case, by=verified_by or self.fund.anton)

    def verify(self, case: Case, *, by: Person) -> Case:
        """Somebody opens a received case, and signs that its exact dates are right."""
        self.open(case, by=by)
        assessment = self.assessed(case)
        agreed = self.on_case("verify_case", case, by=by, payee_commitment=assessment.assessed.commitment())
        acts.verify_case(self.session, case.alias, agreed, assessment=assessment)
        self.session.commit()
        return case

    def assessed(self, case: Case, *, now: datetime = NOW) -> NewAssessment:
        """What the verifier's client sends of the rules' answers; asked again about the same, the same."""
        pack, on = jurisdictions.load(case.jurisdiction), _signed(now).date()
        answers = {
            one.alias: self.answers(pack, case, one, on=on) for one in obligations.of_case(self.session, case.alias)
        }
        unsealed = assessments.assess(pack, case.alias, answers, on=on, sealed="0" * 64)
        known = _ASSESSED.get(unsealed.canonical())
        if known is None:
            key = self.session.get_one(shelves.Shelf, case.beneficiary_alias).sealing_key
            box = sealed(key, kind="case", alias=case.alias, field="assessment", content="What the rules answered")
            known = NewAssessment(unsealed.model_copy(update={"sealed": box.commitment}), box)
            _ASSESSED[unsealed.canonical()] = known
        return known

    def answers(self, pack: Pack, case: Case, owed: Obligation, *, on: date) -> list[Answer]:
        """What the rules answer of an obligation, by the bounds of its ruling."""
        ruling = obligations.ruling_of(self.session, owed)
        application = Application(
            ruling_kind=next(one for one in pack.ruling_kinds if pack.leads_to(one, owed.kind, on=ruling.ruled_by)),
            article=ruling.article,
            kind=owed.kind,
            amount=owed.amount(),
            issued=None,
            received_on=case.received_on,
            files={file.kind for file in acts.files_of(self.session, case)},
        )
        bounds = Bounds(ruling.ruled_by, ruling.payable_from, ruling.due_by, ruling.force_presumed)
        return assessments.by_bounds(pack, application, bounds, on=on)

    def case_of(self, disbursement: Disbursement) -> Case:
        return cases.require(self.session, disbursement.case_alias)

    def obligation_of(self, case: Case) -> Obligation:
        (obligation,) = obligations.of_case(self.session, case.alias)
        return obligation

    def a_requested_payment(
        self,
        *,
        of: Case | None = None,
        leaf: str = LEAF,
        by: Person | None = None,
        amount: Money | None = None,
    ) -> Disbursement:
        """Clara asks for a verified case's fine to be paid, or a part; the payee is sealed to the beneficiary's shelf.

        Both approvers fetch the shelf.
        """
        if self.stock.payments and leaf == LEAF and not (of or by or amount):
            self.session.commit()
            return self.stock.payments.pop()
        case = of or self.a_verified_case()
        alias = aliases.draw(Kind.DISBURSEMENT)
        key = self.session.get_one(shelves.Shelf, case.beneficiary_alias).sealing_key
        payee = sealed(key, kind="disbursement", alias=alias, field="payee", content="Invented authority")
        disbursement = disbursements.request(
            self.session,
            alias,
            obligation=self.obligation_of(case),
            payee=Payee.AUTHORITY,
            payee_commitment=payee.commitment,
            fund="fines",
            account=leaf,
            requested_by=(by or self.fund.clara).alias,
            amount=amount,
        )
        shelves.keep(self.session, [payee], shelf=case.beneficiary_alias)
        self.open(case, by=self.fund.boris)
        self.open(case, by=self.fund.bella)
        self.session.commit()
        return disbursement

    def an_approved_payment(self, *, of: Case | None = None, leaf: str = LEAF) -> Disbursement:
        disbursement = self.a_requested_payment(of=of, leaf=leaf)
        agreed = self.on_payment("approve_disbursement", disbursement, by=self.fund.boris)
        acts.approve_disbursement(self.session, disbursement.alias, agreed)
        self.session.commit()
        return disbursement

    def tell(self, disbursement: Disbursement, *, on: date = TODAY, at: datetime = NOW) -> Obligation:
        """The beneficiary is told that the fund pays."""
        obligation = obligations.require(self.session, disbursement.obligation_alias)
        obligations.tell(
            self.session, obligation, told_on=on, today=at.date(), recorded_at=at, recorded_by=self.fund.ana.alias
        )
        self.session.commit()
        return obligation

    def a_released_payment(self, *, of: Case | None = None, leaf: str = LEAF) -> Disbursement:
        disbursement = self.an_approved_payment(of=of, leaf=leaf)
        self.tell(disbursement)
        agreed = self.on_payment("release_disbursement", disbursement, by=self.fund.clara)
        acts.release_disbursement(self.session, disbursement.alias, agreed)
        self.session.commit()
        return disbursement

    def on_case(self, verb: Verb, case: Case, *, by: Person, now: datetime = NOW, **other: Any) -> Agreed:
        """What a client signs about a case it sees; `other` are fields in which an attacker lies."""
        owed = acts.owed(self.session, case)
        seen: dict[str, Any] = {
            "object": case.alias,
            "version": case.version,
            "amount": owed.decimal(),
            "currency": owed.currency,
            "evidence_commitments": tuple(acts.evidence_of(self.session, case)),
        }
        if verb == "verify_case" and "payee_commitment" not in other:
            seen["payee_commitment"] = self.assessed(case, now=now).assessed.commitment()
        return agreed_by(by, verb, now=now, **(seen | other))

    def on_payment(
        self, verb: Verb, disbursement: Disbursement, *, by: Person, now: datetime = NOW, **other: Any
    ) -> Agreed:
        """What a client signs about a disbursement it sees."""
        case = cases.require(self.session, disbursement.case_alias)
        seen: dict[str, Any] = {
            "object": disbursement.alias,
            "version": disbursement.version,
            "amount": disbursement.amount().decimal(),
            "currency": disbursement.currency,
            "payee_commitment": disbursement.payee_commitment,
            "evidence_commitments": tuple(acts.evidence_of(self.session, case)),
            "detail": disbursement.payee if verb == "approve_disbursement" else None,
        }
        return agreed_by(by, verb, now=now, **(seen | other))

    def in_another(self, session: Session) -> "House":
        """The same house, seen through another session."""
        return House(session, self.fund, self.shred_keys)


def agreed_by(
    person: Person, verb: Verb, /, *, now: datetime = NOW, detail: str | None = None, **fields: Any
) -> Agreed:
    """An act signed on the person's device a minute ago and handed in by them now."""
    stated: dict[str, Any] = {
        "act": approvals.stated(verb, detail),
        "book": BOOK_ID,
        "signer": person.alias,
        "version": 1,
        "amount": None,
        "currency": None,
        "payee_commitment": None,
        "evidence_commitments": (),
        "at": _signed(now),
        "nonce": secrets.token_hex(16),
    }
    act = Act(**(stated | fields))
    return Agreed(act, person.sign(act), person.operator, now)


def _signed(now: datetime) -> datetime:
    return now - timedelta(minutes=1)


_ASSESSED: dict[str, NewAssessment] = {}

# --- what stands in the database, and who is first


def everything(session: Session) -> dict[str, list[str]]:
    """Every row of every table as this session sees it, unsaved changes included.

    Asked of the driver itself, on PostgreSQL in one journey: hundreds of tests look before and after.
    """
    session.flush()
    connection = session.connection()
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        names = [name for (name,) in driver.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {name: _told(driver.execute(_all_of(name))) for name in names}
    names = [name for (name,) in driver.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")]
    if not names:
        return {}
    answers = driver.execute(";".join(map(_all_of, names)), prepare=False).results()
    return {name: _told(answer) for name, answer in zip(names, answers, strict=True)}


def _all_of(name: str) -> str:
    return f'SELECT * FROM "{name}"'  # noqa: S608 - the names are the schema's


def _told(rows: Iterable[Any]) -> list[str]:
    return sorted(map(repr, rows))


@contextmanager
def nothing_written(session: Session) -> Iterator[None]:
    """Asserts that the block leaves every table as it was, though nobody rolls back."""
    before = everything(session)
    yield
    assert everything(session) == before


def race(session: Session, *runs: Callable[[Session], Answered]) -> list[Answered | LedgerError]:
    """Each in a transaction and a thread of its own, all starting at once; a refusal is an answer too.

    The transaction of `session` ends first: on SQLite nobody else could write.
    """
    engine = engine_of(session)
    start = Barrier(len(runs))

    def run(what: Callable[[Session], Answered]) -> Answered | LedgerError:
        start.wait()
        try:
            with transaction(engine) as own:
                return what(own)
        except LedgerError as refusal:
            return refusal

    with ThreadPoolExecutor(len(runs)) as threads:
        return list(threads.map(run, runs))


def one_after_the_other(
    session: Session,
    first: Callable[[Session], Answered],
    *,
    look: Callable[[Session], object],
    then: Callable[[Session], Answered],
) -> Sequence[Answered | LedgerError]:
    """`first` has acted and commits only when the second transaction has looked, and acted or come to wait for it.

    On SQLite the second cannot even look before the first commits: its writers take turns from their first word. The
    transaction of `session` ends before both.
    """
    engine = engine_of(session)
    seen: list[object] = []  # held on to, or the session would forget what it has read

    def run() -> Answered | LedgerError:
        try:
            with transaction(engine) as own:
                seen.append(look(own))
                return then(own)
        except LedgerError as refusal:
            return refusal

    with ThreadPoolExecutor(1) as threads:
        with transaction(engine) as own:
            answer = first(own)
            waiting = threads.submit(run)
            wait([waiting], timeout=WAIT_FOR_THE_SECOND)
        return [answer, waiting.result()]


def engine_of(session: Session) -> Engine:
    """The engine a session works on, whose transaction ends here."""
    session.commit()
    bound = session.get_bind()
    assert isinstance(bound, Engine)
    return bound
