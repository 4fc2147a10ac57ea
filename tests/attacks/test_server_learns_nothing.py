"""Attacks 10, 11, 17 and 28: canaries through every way in, then everything searched that a seizure would find."""

import base64
import io
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
import pyrage
import pytest
from sqlalchemy import Engine, inspect, text

from api.client import (
    case_evidence,
    case_imports,
    case_lives,
    cases,
    donations,
    evidence,
    in_kind,
    lists,
    matching_rules,
    outlays,
    payments,
    publications,
    receipts,
    resolutions,
    statements,
    verifications,
)
from api.client import donors as clients_donors
from api.client.desk import Desk
from api.client.donors import Identity
from api.client.http import ApiRefusal
from api.commands import backups
from api.commands.backups import Lock, Unlock
from ledger.aid.obligations import ObligationKind
from ledger.giving.receipts import Voided
from ledger.identities.evidence import EvidenceKind
from ledger.reconciliation.answers import Answer, Because
from ledger.storage.engine import transaction
from tests.agency import an_agent_who_is_owed, receive_euros
from tests.canaries import sightings, spellings, text_of_pdf
from tests.cast import byn
from tests.donors import LETTERHEAD, a_known_donor, gift_aliases
from tests.giving_walk import stray_gifts
from tests.office import BANK_DAY, BYN_LEAF, DECISION_DAY, INTAKE_DAY, RELEASE_DAY, Office, a_gift_by_card, open_office
from tests.papers import BankLine, a_list_row, a_payment_line, list_file, october

PERSON = {
    "name": "Kanarejka Иванова",
    "court": "Kanarejka District Court",
    "ruling_number": "KANAREJKA-1703",
    "payee_account": "KANAREJKA-IBAN-0001",
}
DAYS = {"issued_on": date(2020, 8, 26), "served_on": date(2020, 8, 27)}
BANK: dict[str, Any] = {
    "counterparty": "Zjablik Петровна",
    "remittance": "For Zjablik, flat 7, with love",
    "end_to_end_id": "ZJABLIK-E2E-0042",
}
DONOR = Identity(
    name="Salaviejka Пятроўна",
    email="salaviejka@example.org",
    address="Перапёлкава 9\nSalaviejka Lane",
    tax_id="SALAVIEJKA-TIN-01",
    account="SALAVIEJKA-IBAN-7",
)
PAYEE = outlays.Payee("Kanarejka Агентова", "KANAREJKA-ACCT-0077")
CARD = "SNEGIRMARIA"
"""What a giver wrote on a card: in the form of our own purpose codes."""
WORDS = (
    *("Kanarejka", "Иванова", "Агентова", "Zjablik", "Петровна", "Salaviejka", "Пятроўна", "Перапёлкава"),
    *(day.isoformat() for day in DAYS.values()),
    CARD,
)
"""What is sought: one of these stands in each text that is planted, and is found wherever that would be."""
PLANTED = "Planted Canary"


@dataclass
class Wire:
    """Everything that went over the line, in both directions."""

    requests: list[bytes] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)

    def listen(self, office: Office) -> None:
        office.http.event_hooks = {"request": [self._note_request], "response": [self._note_answer]}

    def _note_request(self, request: httpx2.Request) -> None:
        headers = b"\n".join(name + b": " + value for name, value in request.headers.raw)
        self.requests.append(str(request.url).encode() + b"\n" + headers + b"\n" + request.content)

    def _note_answer(self, response: httpx2.Response) -> None:
        response.read()
        headers = b"\n".join(name + b": " + value for name, value in response.headers.raw)
        self.answers.append(headers + b"\n" + response.content)


@pytest.fixture
def office(engine: Engine, tmp_path: Path) -> Iterator[Office]:
    with open_office(engine, tmp_path) as opened:
        opened.furnish()
        opened.receive_gift()
        yield opened


@pytest.fixture
def wire(office: Office) -> Wire:
    listening = Wire()
    listening.listen(office)
    return listening


def live_through_everything(office: Office) -> dict[str, Any]:
    """A person's whole case, a bank's whole statement and a card gift, with canaries wherever there is text."""
    anna, boris, clara = (office.desk(name) for name in ("anna", "boris", "clara"))
    repay_an_agent(office)
    office.set_clock(INTAKE_DAY)
    rows = lists.read(list_file(a_list_row(**PERSON, **DAYS)))
    case_imports.import_rows(anna, rows, jurisdiction="by", list_name="Kanarejka.csv")
    donations.send(anna, a_gift_by_card(description=CARD))
    (alias,) = [case["alias"] for case in cases.listed(anna, state="received")]
    with TemporaryDirectory() as paper:
        scan = Path(paper) / "Kanarejka Иванова.pdf"
        scan.write_text("\n".join(PERSON.values()), "utf-8")
        evidence.add(anna, alias, scan, kind=EvidenceKind.RULING)
        (copy,) = evidence.open_files(boris, boris.api.get(f"/v1/cases/{alias}"), into=Path(paper), reason="approval")
        assert copy.path.read_bytes() == scan.read_bytes()
    verifications.verify(anna, alias)
    take_in_again(anna, than=alias)
    office.set_clock(DECISION_DAY)
    requested = payments.request(anna, alias, account=BYN_LEAF)
    payments.approve(boris, requested)
    cases.tell(anna, alias, told_on=DECISION_DAY.date())
    office.set_clock(RELEASE_DAY)
    released = payments.release(anna, office.payment(requested["alias"]))
    office.set_clock(BANK_DAY)
    gift = BankLine(office.balance("5000"), date(2020, 10, 9), **BANK)
    unknown = BankLine(-office.balance("5000"), date(2020, 10, 9), reversal=True, **BANK)
    file = october(a_payment_line(released, **BANK), gift, unknown, opening="5000.00")
    statements.send(anna, file, account=BYN_LEAF)
    say_what_it_was(office)
    value_a_gift(office)
    give_a_receipt(anna)
    publications.draft(clara)
    (waiting,) = publications.listed(boris)["drafts"]
    publications.approve(boris, waiting)
    return released


def repay_an_agent(office: Office) -> None:
    """An agent laid out ten roubles, and is to be sent them by name."""
    anna, boris = office.desk("anna"), office.desk("boris")
    receive_euros(office)
    agent = an_agent_who_is_owed(office)["alias"]
    asked = outlays.request(anna, agent, fund="fines", account=BYN_LEAF, amount=byn("10.00"), payee=PAYEE)
    outlays.approve(boris, asked)
    assert outlays.open_payee(anna, asked, reason="payment") == PAYEE


def take_in_again(anna: Desk, *, than: str) -> None:
    """The same ruling on another list, with a fee that is put right; somebody finds that the two are not one."""
    row = a_list_row(**PERSON, issued_on=DAYS["issued_on"], amount=byn("54.00"))
    case_imports.import_rows(anna, [row], jurisdiction="by", list_name="Kanarejka again.csv")
    (alias,) = [case["alias"] for case in cases.listed(anna, state="received")]
    case = case_lives.add_obligation(anna, alias, kind=ObligationKind.COURT_FEE, amount="40.50")
    (fee,) = [one["alias"] for one in case["obligations"] if one["kind"] == "court_fee"]
    case_lives.correct_obligation(anna, alias, fee, kind=ObligationKind.COURT_FEE, amount="45.00")
    assert case_lives.suspicions(anna, alias)["same_ruling"] == [than]
    assert verifications.verify(anna, alias, not_duplicates=[than]) is None


def say_what_it_was(office: Office) -> None:
    """A rule looks for the name that a line has; one says what came, two that it was taken back."""
    anna, boris = office.desk("anna"), office.desk("boris")
    matching_rules.add(anna, words=BANK["counterparty"], account="6020")
    assert [rule.words for rule in matching_rules.listed(anna)] == [BANK["counterparty"]]
    matching_rules.propose(anna)
    waiting = {one["thing"]: one["about"] for one in resolutions.listed(anna)["waiting"]}
    resolutions.say(anna, waiting["credit"], Answer.GIFT)
    (gift,) = stray_gifts(office).values()
    resolutions.say(anna, waiting["debit"], Answer.TAKEN_BACK, of=gift["alias"], because=Because.TOLD_BY_BANK)
    resolutions.agree(boris, waiting["debit"])
    donations.send(anna, a_gift_by_card(id="txn_InventedGift0007", currency="zzz", description=CARD))
    assert len(anna.api.get("/v1/movements")["unread"]) == 1


def value_a_gift(office: Office) -> None:
    """A lawyer's work, whose invoice names who it was for."""
    anna, boris = office.desk("anna"), office.desk("boris")
    with TemporaryDirectory() as paper:
        invoice = Path(paper) / "Kanarejka Иванова.txt"
        invoice.write_text("\n".join(PERSON.values()), "utf-8")
        valued = in_kind.value(anna, invoice, kind="legal_aid", fund="fines", worth=byn("30.00"), on=BANK_DAY.date())
        opened = in_kind.open_file(boris, valued["alias"], into=Path(paper))
        assert (opened.path.read_bytes(), opened.description.name) == (invoice.read_bytes(), invoice.name)
    in_kind.agree(boris, valued["alias"])


def give_a_receipt(anna: Desk) -> None:
    """A donor with canaries in every field is recorded, recognised, corrected, given a receipt and told it is void."""
    donor, *gifts = a_known_donor(anna, identity=DONOR), *gift_aliases(anna)[:2]
    for gift in gifts:
        assert clients_donors.recognise(anna, gift, DONOR) == [donor]
    clients_donors.identify(anna, donor, DONOR)
    with TemporaryDirectory() as paper:
        chosen = receipts.choose(anna, donor, gift=gifts[:1], year=None, replaces=None)
        written = receipts.issue(anna, donor, chosen, letterhead=LETTERHEAD, lang="be", folder=Path(paper))
        told: dict[str, Any] = {"letterhead": LETTERHEAD, "lang": "be", "folder": Path(paper)}
        note = receipts.note_cancellation(anna, written.receipt["alias"], reason=Voided.MISTAKE, **told)
        for one in (written, note):
            assert DONOR.name.encode() in text_of_pdf(one.path.read_bytes())
    assert clients_donors.open_donor(anna, donor).identity == DONOR


def make_mistakes(office: Office) -> list[httpx2.Response]:
    """What careless clients send: names in plain text, in every place there is."""
    person = json.dumps(PERSON | BANK, ensure_ascii=False)
    answers = []
    donor = "/v1/donors/P-0000-0000-0000"
    careless = (f"{donor}/identity", f"{donor}/gifts", "/v1/donors", "/v1/donors/recognise", "/v1/receipts")
    newest = (
        "/v1/resolutions",
        "/v1/reconciliations/rules",
        "/v1/gifts-in-kind",
        "/v1/agents/A-0000-0000-0000/outlays",
    )
    others = ("/v1/case-imports", "/v1/disbursements", "/v1/statements", "/v1/donations", "/v1/keys")
    for path in (*careless, *newest, *others):
        for body in (person, f'{{"alias": {person}}}', person[:-1], f'["{PERSON["name"]}"]'):
            headers = {"Content-Type": "application/json", "X-Name": "Kanarejka"}
            answers.append(
                office.send("POST", path, bearer=office.bearer("dora"), content=body.encode(), headers=headers)
            )
    paths = (
        "/v1/cases/Kanarejka",
        "/v1/boxes/KANAREJKA-1703?reason=Kanarejka",
        "/v1/approvals?of=Zjablik",
        "/v1/donors/Kanarejka/gifts",
    )
    return answers + [office.send("GET", path, bearer=office.bearer("dora")) for path in paths]


# --- what a seizure finds


def dump(office: Office) -> bytes:
    """Every byte of the database: on SQLite the files as they lie there, on PostgreSQL every row of every table."""
    if office.engine.dialect.name == "sqlite":
        return b"".join(path.read_bytes() for path in sorted(office.folder.glob("book.db*")))
    found = io.BytesIO()
    with office.engine.connect() as connection:
        cursor = connection.connection.cursor()
        for table in inspect(connection).get_table_names():
            with cursor.copy(f'COPY "{table}" TO STDOUT (FORMAT binary)') as rows:
                for row in rows:
                    found.write(bytes(row))
    return found.getvalue()


def on_disk(office: Office, *, since: str) -> bytes:
    """What the database has on its disk: the files of its tables and the log of its writes since then.

    On SQLite the log lies beside the file: see `dump`.
    """
    if office.engine.dialect.name == "sqlite":
        return dump(office)
    with office.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CHECKPOINT"))
        data = Path(connection.scalar(text("SHOW data_directory")) or "")
        own = connection.scalar(text("SELECT oid FROM pg_database WHERE datname = current_database()"))
        told = {"since": since, "size": 2**24}
        first, offset = connection.execute(
            text("SELECT * FROM pg_walfile_name_offset(CAST(:since AS pg_lsn))"), told
        ).one()
        written = connection.scalar(
            text("SELECT CAST(pg_current_wal_insert_lsn() - CAST(:since AS pg_lsn) AS bigint)"), told
        )
    tables = b"".join(path.read_bytes() for path in sorted((data / "base" / str(own)).iterdir()))
    segments = [path for path in sorted((data / "pg_wal").iterdir()) if path.is_file() and path.name >= first]
    log = b"".join(path.read_bytes() for path in segments[: 1 + (offset + int(written or 0)) // 2**24])
    return tables + log[offset : offset + int(written or 0)]


def backed_up(office: Office) -> bytes:
    """Both parts of a backup, the keyring decrypted."""
    identity = pyrage.x25519.Identity.generate()
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        lock = Lock(recipients=[str(identity.to_public())])
        made = backups.create(office.engine, books=Path(one), keyring=Path(other), lock=lock, now=BANK_DAY)
        keyring = made.keyring.read_bytes()
        plain = Unlock(identity=str(identity)).decrypt(keyring)
        return b"\n".join((made.books.read_bytes(), made.manifest.read_bytes(), keyring, plain))


def place_in_log(office: Office) -> str:
    """Up to where PostgreSQL has written its log; nothing on SQLite."""
    if office.engine.dialect.name == "sqlite":
        return ""
    with office.engine.connect() as connection:
        return str(connection.scalar(text("SELECT pg_current_wal_insert_lsn()")))


def folder(office: Office) -> bytes:
    """Every file beside the database, without the passphrases: outboxes, shred keys, pins."""
    return b"\n".join(
        str(path.name).encode() + b"\n" + path.read_bytes()
        for path in sorted(office.folder.rglob("*"))
        if path.is_file() and not path.name.startswith("book.db")
    )


def shown_to_everybody(office: Office) -> bytes:
    return b"\n".join(office.send("GET", path).content for path in ("/", "/data/paid.csv", "/data/paid.json"))


def shown_to_auditors(office: Office) -> bytes:
    api = office.desk("clara").api
    reports = [api.download(f"/v1/reports/trial-balance.{form}", on="2020-11-02") for form in ("csv", "json")]
    pdf = text_of_pdf(api.download("/v1/reports/trial-balance.pdf", on="2020-11-02"))
    lists_of = [
        "accounts",
        "donations",
        "donors",
        "receipts",
        "exceptions",
        "reconciliations",
        "publications",
        "access-log",
        "cases",
        "gifts-in-kind",
        "movements",
        "obligations",
        "reconciliations/rules",
        "resolutions",
    ]
    return b"\n".join([*reports, pdf, *(api.download(f"/v1/{name}") for name in lists_of)])


@pytest.mark.usefixtures("unused_database")
def test_no_canary_reaches_the_server_or_comes_out_of_it(
    office: Office, wire: Wire, capfd: pytest.CaptureFixture[str]
) -> None:
    before = place_in_log(office)
    released = live_through_everything(office)

    planted = (*PERSON.values(), *BANK.values(), *asdict(DONOR).values(), PAYEE.name, PAYEE.account)
    assert [text for text in planted if not sightings(WORDS, text.encode())] == []
    assert known_on_the_device(office, released) == set(PERSON.values())
    sought = {
        "requests": b"\n".join(wire.requests),
        "answers": b"\n".join(wire.answers),
        "database": dump(office),
        "disk": on_disk(office, since=before),
        "files": folder(office),
        "backup": backed_up(office),
        "page and data": shown_to_everybody(office),
        "reports": shown_to_auditors(office),
        "logs": repr(office.logs).encode(),
        "screen": "".join(capfd.readouterr()).encode(),
    }
    found = {haystack: sightings(WORDS, haystack) for haystack in set(sought.values())}
    assert {place: found[haystack] for place, haystack in sought.items() if found[haystack]} == {}
    # Each of these places was really looked at: it holds what it should.
    own = {
        "requests": "cases:",
        "answers": released["alias"],
        "database": released["reference"],
        "disk": released["reference"],
        "backup": released["reference"],
        "logs": "/v1/cases",
    }
    assert [place for place, word in own.items() if not sightings([word], sought[place])] == []
    assert sightings(["Invented Fund"], sought["page and data"]) == ["Invented Fund"]
    assert sightings(["Invented Fund", "Fines"], sought["reports"]) == ["Invented Fund", "Fines"]


def known_on_the_device(office: Office, released: dict[str, Any]) -> set[str]:
    """What a member of the vault reads: the canaries are in the boxes, and only there."""
    boris = office.desk("boris")
    case = boris.api.get(f"/v1/cases/{released['case']}")
    evidence = case_evidence.check_evidence(boris, case, reason="audit")
    assert evidence.ruling["issued_on"] == DAYS["issued_on"].isoformat()
    payee = evidence.payees[released["alias"]]
    return {*evidence.identity.values(), evidence.ruling["court"], evidence.ruling["ruling_number"], payee["account"]}


def test_mistakes_of_clients_leave_no_trace(office: Office, capfd: pytest.CaptureFixture[str]) -> None:
    before = office.rows()

    answers = make_mistakes(office)

    assert {answer.status_code for answer in answers} <= {400, 404, 422}
    assert office.rows() == before
    told = b"\n".join(answer.content for answer in answers)
    kept = dump(office) + repr(office.logs).encode() + "".join(capfd.readouterr()).encode()
    assert (sightings(WORDS, told), sightings(WORDS, kept)) == ([], [])


def test_a_refusal_on_the_device_holds_no_canary_either(office: Office) -> None:
    office.set_clock(INTAKE_DAY)
    anna = office.desk("anna")
    row = a_list_row(**PERSON, region="kanarejka")

    with pytest.raises(lists.BadList) as refusal:
        case_imports.import_rows(anna, [row], jurisdiction="by", list_name="Kanarejka.csv")
    with pytest.raises(ApiRefusal) as told:
        anna.api.get("/v1/cases/KANAREJKA")

    for error in (refusal.value, told.value):
        assert sightings(WORDS, f"{error} {error.message} {error.data}".encode()) == []


# --- the search itself: what was planted on purpose is found


def test_a_name_planted_in_the_database_is_found_everywhere(office: Office) -> None:
    wire, before = Wire(), place_in_log(office)
    wire.listen(office)
    body = {"code": "1000:planted", "name": PLANTED, "currency": "BYN"}
    office.desk("clara").api.post("/v1/accounts", body, key="planted")
    with transaction(office.engine) as session:
        session.connection().exec_driver_sql(f"UPDATE book SET organisation = '{PLANTED}'")  # noqa: S608

    places = {
        "requests": b"\n".join(wire.requests),
        "answers": b"\n".join(wire.answers),
        "database": dump(office),
        "disk": on_disk(office, since=before),
        "backup": backed_up(office),
        "page": office.send("GET", "/").content,
        "report": text_of_pdf(office.desk("clara").api.download("/v1/reports/audit.pdf", on="2020-11-02")),
    }

    assert [place for place, haystack in places.items() if sightings([PLANTED], haystack) != [PLANTED]] == []


@pytest.mark.parametrize("word", WORDS)
def test_every_spelling_of_a_canary_is_found_amid_other_bytes(word: str) -> None:
    noise = bytes(range(256))

    for spelling in spellings(word):
        assert sightings([word], noise + spelling + noise) == [word]
    for shift in range(3):
        hidden = b"x" * shift + word.encode() + b"!!"
        for encoded in (hidden.hex().encode(), base64.b64encode(hidden)):
            assert sightings([word], noise + encoded + noise) == [word]
    assert sightings([word], noise * 10) == []
