"""The command line `solidarity`: what it prints, and with which code it ends."""

import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import structlog

from api.client import keyring
from api.client.http import ApiRefusal, ApiUnreachable
from api.client.keyring import Device
from api.commands import endings, main, output
from ledger import people
from ledger.aliases import Kind, draw
from ledger.errors import BadInput, LedgerError, Refused, Tampered
from ledger.storage import schema
from ledger.storage.engine import open_database
from tests.canaries import sightings
from tests.cast import byn
from tests.key_files import write_key_file
from tests.office import BANK_DAY, BYN_LEAF, FOUNDED, Office, a_gift_by_card, on_one_database
from tests.papers import BankLine, a_camt_file, a_list_row, list_file, october

NAME = "Kanarejka Иванова"


@dataclass
class Shell:
    """Somebody's shell: an environment, a folder, and what the last command printed."""

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    out: str = ""
    err: str = ""
    devices: dict[str, Device] = field(default_factory=dict)

    def run(self, *words: str | Path) -> int:
        """Runs `solidarity` with these words and gives its exit code."""
        self.monkeypatch.setattr(sys, "argv", ["solidarity", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main.run()
        self.out, self.err = self.capsys.readouterr()
        return int(ended.value.code or 0)

    def json(self, *words: str | Path) -> Any:
        """What a command prints for programs."""
        assert self.run(*words, "--json") == 0, self.err
        return json.loads(self.out)

    def set(self, **variables: str | Path | None) -> None:
        for name, value in variables.items():
            if value is None:
                self.monkeypatch.delenv(f"SOLIDARITY_{name}", raising=False)
            else:
                self.monkeypatch.setenv(f"SOLIDARITY_{name}", str(value))

    def sit_down(self, folder: Path, name: str, device: Device, bearer: str) -> None:
        """Somebody works here now: their device key, its passphrase, and their bearer key."""
        key_file = folder / f"{name}.key"
        if not key_file.exists():
            write_key_file(key_file, device)
        self.set(DEVICE_KEY_FILE=key_file, PASSPHRASE_FILE=key_file.with_suffix(".passphrase"), API_KEY=bearer)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Shell]:
    """A shell in an empty folder without any variable of ours."""
    monkeypatch.chdir(tmp_path)
    opened = Shell(monkeypatch, capsys)
    names = ("DATABASE_URL", "SHRED_KEY_DIRECTORY", "DEMO_NOW", "API_URL", "API_KEY", "API_KEY_FILE")
    opened.set(**dict.fromkeys((*names, "DEVICE_KEY_FILE", "PASSPHRASE_FILE", "ROSTER_FINGERPRINT")))
    root, hook = logging.getLogger().handlers, threading.excepthook
    yield opened
    structlog.reset_defaults()
    logging.getLogger().handlers, threading.excepthook = root, hook


@pytest.fixture
def at_annas(furnished: Office, shell: Shell) -> Shell:
    """Anna's shell on the furnished office's book."""
    shell.set(
        DATABASE_URL=furnished.engine.url.render_as_string(hide_password=False),
        SHRED_KEY_DIRECTORY=furnished.folder / "shred-keys",
        DEMO_NOW=BANK_DAY.isoformat(),
        ROSTER_FINGERPRINT=people.digest(furnished.staff.proposal.roster),
    )
    shell.sit_down(furnished.folder, "anna", furnished.staff.devices["anna"], furnished.bearer("anna"))
    return shell


# --- exit codes


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BadInput("x"), 65),
        (Refused("x"), 1),
        (Tampered("x"), 1),
        (LedgerError("x"), 1),
        (ApiUnreachable("x"), 69),
        *((ApiRefusal(status, {}), 1) for status in (401, 403, 404, 409, 415, 429)),
        (ApiRefusal(422, {}), 65),
        (ApiRefusal(503, {}), 69),
        (ApiRefusal(500, {}), 70),
    ],
)
def test_each_kind_of_refusal_has_its_exit_code(error: LedgerError, code: int) -> None:
    assert endings.exit_code(error) == code


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["cases"],
        ["cases", "import"],
        ["cases", "told"],
        ["cases", "told", "--on", "yesterday"],
        ["cases", "told", "--on", "2020-02-30"],
        ["operators", "propose", "--member", "x", "--expires-on", "soon", "--out", "x"],
        ["statements", "read", "a", "b"],
        ["serve", "--port", "http"],
    ],
)
def test_wrong_usage_ends_with_2(shell: Shell, words: list[str]) -> None:
    assert shell.run(*words) == 2


def test_help_ends_with_0_and_needs_nothing(shell: Shell) -> None:
    for words in (["--help"], ["cases", "--help"], ["statements", "read", "--help"]):
        assert shell.run(*words) == 0


def test_a_file_that_cannot_be_read_ends_with_65_and_is_not_shown(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes(list_file(a_list_row(name=NAME)).replace(b"810.00", b"kanarejka"))
    (tmp_path / "bank.xml").write_bytes(b"<Document>kanarejka</Document>")
    commands = {
        "bad_list": ["cases", "import", "list.csv", "--jurisdiction", "by", "--dry-run"],
        "unknown_format": ["statements", "read", "bank.xml"],
        "unreadable_file": ["statements", "read", "kanarejka.xml"],
    }

    for rule, words in commands.items():
        assert (shell.run(*words), shell.err.partition(":")[0]) == (65, rule)
        assert sightings(["kanarejka", NAME], (shell.out + shell.err).encode()) == []


def test_a_variable_that_is_missing_or_wrong_is_named_and_not_shown(shell: Shell) -> None:
    assert shell.run("accounts") == 65
    assert shell.err == "not_configured: the variable is not set (where SOLIDARITY_DEVICE_KEY_FILE)\n"
    assert shell.run("migrate") == 65
    assert shell.err.endswith("(where SOLIDARITY_DATABASE_URL, SOLIDARITY_SHRED_KEY_DIRECTORY)\n")
    shell.set(DATABASE_URL="mysql://kanarejka:kanarejka@host/x", SHRED_KEY_DIRECTORY="x", DEMO_NOW="kanarejka")
    assert shell.run("migrate") == 65
    assert (shell.err.partition(":")[0], "SOLIDARITY_DEMO_NOW" in shell.err) == ("bad_settings", True)
    assert "kanarejka" not in shell.err
    shell.set(DEMO_NOW=None)
    assert shell.run("migrate") == 65
    assert (shell.err.partition(":")[0], "kanarejka" in shell.err) == ("bad_database_url", False)


@on_one_database
def test_a_service_that_does_not_answer_ends_with_69(at_annas: Shell) -> None:
    at_annas.set(API_URL="http://127.0.0.1:9")
    assert (at_annas.run("accounts"), at_annas.err.partition(":")[0]) == (69, "unreachable")

    at_annas.set(API_URL=None, DATABASE_URL="postgresql://kanarejka@127.0.0.1:9/kanarejka")
    assert (at_annas.run("accounts"), at_annas.err) == (69, "unavailable: the database does not answer\n")


@on_one_database
def test_a_rule_that_forbids_it_ends_with_1_and_is_named(at_annas: Shell, furnished: Office) -> None:
    with furnished.nothing_written():
        assert at_annas.run("accounts", "--add", "1000:own", "--currency", "EUR") == 1
    assert at_annas.err == "not_allowed: the key's roles do not open this route\n"

    at_annas.set(API_KEY="sl_wrong")
    assert (at_annas.run("accounts"), at_annas.err.partition(":")[0]) == (1, "key_refused")


@on_one_database
def test_a_wrong_passphrase_and_an_old_database_are_refused(at_annas: Shell, furnished: Office) -> None:
    at_annas.set(DATABASE_URL=f"sqlite:///{furnished.folder}/empty.db")
    assert (at_annas.run("accounts"), at_annas.err.partition(":")[0]) == (1, "old_schema")

    (furnished.folder / "anna.passphrase").write_text("other words", "utf-8")
    assert (at_annas.run("accounts"), at_annas.err.partition(":")[0]) == (1, "wrong_passphrase")


def test_a_bug_ends_with_70_and_shows_no_text(shell: Shell) -> None:
    def fail() -> None:
        raise ValueError(NAME)

    main.app.command("fail-on-purpose")(fail)
    try:
        assert shell.run("fail-on-purpose") == 70
    finally:
        main.app.registered_commands.pop()

    assert shell.err.startswith("bug: ValueError in ")
    assert sightings([NAME], shell.err.encode()) == []


# --- what is printed


def test_a_statement_is_shown_without_a_database(shell: Shell, tmp_path: Path) -> None:
    lines = (
        BankLine(byn("-12.35"), date(2020, 10, 9), counterparty=NAME),
        BankLine(byn("3.00"), date(2020, 10, 10), reversal=True),
    )
    (tmp_path / "bank.xml").write_bytes(october(*lines, opening="5000.00"))

    shown = shell.json("statements", "read", "bank.xml", "--format", "camt.053")

    (statement,) = shown.pop("statements")
    entries = statement.pop("entries")
    assert shown == {"format": "camt.053", "problems": []}
    assert statement == {
        "account": "INVENTED-ACCOUNT",
        "currency": "BYN",
        "opening": "5000.00",
        "closing": "4990.65",
        "adds_up": True,
    }
    detail = {"amount": "-12.35", "end_to_end_id": None, "return_reason": None, "fee": None}
    assert entries[0] == {
        "amount": "-12.35",
        "currency": "BYN",
        "status": "booked",
        "booked_on": "2020-10-09",
        "value_on": "2020-10-09",
        "reference": None,
        "reversal": False,
        "details": [detail | {"amount": entries[0]["details"][0]["amount"]}],
    }
    assert (entries[1]["amount"], entries[1]["reversal"]) == ("3.00", True)
    assert shell.run("statements", "read", "bank.xml") == 0
    assert "adds up" in shell.out
    assert sightings([NAME], shell.out.encode()) == []


def test_a_statement_that_does_not_add_up_is_said_so(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "bank.xml").write_bytes(october(opening="5000.00", closing="5000.01"))

    assert shell.json("statements", "read", "bank.xml")["statements"][0]["adds_up"] is False
    assert shell.run("statements", "read", "bank.xml") == 0
    assert "DOES NOT ADD UP" in shell.out


def test_a_table_is_read_by_a_profile_of_ones_own(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "bank.csv").write_bytes(b"Day,What,Sum\n2020-10-09,Invented,-12.35\n")
    (tmp_path / "own.toml").write_text(
        'bank="x"\nrequires=["Day","What"]\nday="YMD"\n[columns]\nbooked_on="Day"\namount="Sum"', "utf-8"
    )
    words = ["statements", "read", "bank.csv", "--profile", "own.toml"]

    assert (shell.run(*words), shell.err.partition(":")[0]) == (65, "unreadable_file")
    shown = shell.json(*words, "--currency", "BYN")
    assert shown["format"] == "csv.own"
    assert shown["statements"][0]["entries"][0]["amount"] == "-12.35"
    (tmp_path / "own.toml").write_text("kanarejka", "utf-8")
    assert (shell.run(*words), shell.err.partition(":")[0]) == (65, "bad_profile")
    assert "kanarejka" not in shell.err


def test_a_list_is_tried_without_a_database(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes(list_file(a_list_row(), a_list_row()))

    told = shell.json("cases", "import", "list.csv", "--jurisdiction", "by", "--dry-run")

    assert (told["rows"], told["taken"], told["sent"], told["profile"]) == (2, 2, 0, "en")


@on_one_database
def test_a_list_with_an_unreadable_row_is_sent_only_without_it_and_only_when_told(
    at_annas: Shell, furnished: Office
) -> None:
    good, bad, other = a_list_row(name=NAME), a_list_row(region="nowhere"), a_list_row()
    (furnished.folder / "list.csv").write_bytes(list_file(good, bad, other, good))
    words = ("cases", "import", str(furnished.folder / "list.csv"), "--jurisdiction", "by")

    with furnished.nothing_written():
        assert at_annas.run(*words) == 65
        assert (
            at_annas.err
            == "bad_list: rows cannot be read; nothing was sent (unreadable 1, where line 3, column region)\n"
        )
        assert at_annas.run(*words, "--dry-run") == 65
        assert "line 5: says the same as line 2" in at_annas.out
        assert sightings([NAME, "nowhere"], (at_annas.out + at_annas.err).encode()) == []
    told = at_annas.json(*words, "--skip-unreadable")

    assert (told["sent"], told["unreadable"], told["identical"]) == (2, 1, [{"line": 5, "same_as": 2}])
    assert told["problems"] == [{"line": 3, "column": "region", "what": "the jurisdiction has no such region"}]
    with furnished.nothing_written_but("access"):
        assert at_annas.json(*words, "--skip-unreadable") == told


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Invented [bold red]Ann[/]", "Invented [bold red]Ann[/]"),
        ("[/closed]", "[/closed]"),
        ("Ann\x1b[2J\x1b]0;title\x07", "Ann\N{REPLACEMENT CHARACTER}[2J"),
        ("Ann\u202etxet", "Ann\N{REPLACEMENT CHARACTER}txet"),
        ("two\nlines", "two\N{REPLACEMENT CHARACTER}lines"),
        ("Вымышленная", "Вымышленная"),
    ],
)
def test_a_name_in_a_list_cannot_repaint_the_terminal(
    text: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    output.show({}, as_json=False, lines=[text])
    output.show_table([{"name": text}], {"name": "Name"}, as_json=False)

    said = capsys.readouterr().out
    assert said.count(shown) == 2
    assert not {"\x1b", "\x07", "\u202e"} & set(said)


# --- a fund from its founding to its first publication, by commands alone


def test_a_book_is_founded_and_kept_by_commands(shell: Shell, tmp_path: Path) -> None:
    fund = Founders(shell, tmp_path)
    fund.propose_and_sign()
    fund.found()
    fund.furnish()
    fund.take_in()
    fund.pay()
    fund.publish()


@dataclass
class Founders:
    """Three people, each command run at the desk of the one who may."""

    shell: Shell
    folder: Path
    devices: dict[str, Device] = field(default_factory=dict)

    def at(self, name: str, bearer: str = "") -> Callable[..., Any]:
        file = self.folder / (bearer or f"{name}.bearer")
        self.shell.sit_down(self.folder, name, self.devices[name], "")
        self.shell.set(API_KEY=None, API_KEY_FILE=file)
        return self.shell.json

    def set_clock(self, day: str) -> None:
        self.shell.set(DEMO_NOW=f"{day}T09:00:00+00:00")

    def propose_and_sign(self) -> None:
        roles = {"anna": "intake,treasurer,officer", "boris": "approver,officer", "clara": "admin,publisher,auditor"}
        members: list[str | Path] = []
        for name, told in roles.items():
            self.devices[name] = keyring.create(draw(Kind.OPERATOR))
            card = self.folder / f"{name}.card.json"
            card.write_text(json.dumps(keyring.card(self.devices[name])), "utf-8")
            members += ["--member", f"{card}={told}"]
        proposed = self.shell.json(
            "operators", "propose", *members, "--expires-on", "2025-12-31", "--out", "roster.json"
        )
        for name in ("anna", "boris"):
            write_key_file(self.folder / f"{name}.key", self.devices[name])
            self.shell.set(PASSPHRASE_FILE=self.folder / f"{name}.passphrase")
            signed = self.shell.json("operators", "sign", "roster.json", "--device", f"{name}.key")
            assert (signed["roster"], signed["signer"]) == (proposed["roster"], self.devices[name].alias)
        self.shell.set(ROSTER_FINGERPRINT=proposed["words"])

    def found(self) -> None:
        self.shell.set(
            DATABASE_URL=f"sqlite:///{self.folder}/book.db",
            SHRED_KEY_DIRECTORY="shred-keys",
            DEMO_NOW=FOUNDED.isoformat(),
        )
        facts = ["--organisation", "Invented Fund", "--functional-currency", "EUR", "--jurisdiction", "by", "--demo"]
        init = ["init", "--roster", "roster.json", *facts, "--admin", self.devices["clara"].alias, "--admin-key-file"]
        (self.folder / "taken").touch()
        assert (self.shell.run(*init, "taken"), self.shell.err.partition(":")[0]) == (1, "key_file_exists")
        assert (self.shell.run(*init, "no/folder"), self.shell.err.partition(":")[0]) == (1, "key_file_exists")
        assert self.shell.json(*init, "founding.bearer")["admin"] == self.devices["clara"].alias
        assert (self.shell.run(*init, "second.bearer"), self.shell.err.partition(":")[0]) == (1, "book_exists")
        assert self.shell.json("migrate") == {"current": True}
        assert (self.shell.run("database", "roles"), self.shell.err.partition(":")[0]) == (1, "not_postgresql")
        roles = {"anna": ["intake", "treasurer"], "boris": ["approver"], "clara": ["admin", "publisher", "auditor"]}
        for name, told in roles.items():
            chosen = [word for role in told for word in ("--role", role)]
            run = self.at("clara", "founding.bearer")
            made = run("keys", "create", self.devices[name].alias, *chosen, "--out", f"{name}.bearer", "--days", "365")
            assert made["roles"] == sorted(told)
        assert self.shell.run("keys", "create", self.devices["boris"].alias, "--role", "admin", "--out", "x") == 1
        assert self.shell.run("keys", "create", self.devices["boris"].alias, "--role", "king", "--out", "x") == 2

    def furnish(self) -> None:
        clara = self.at("clara")
        for code, currency in ((BYN_LEAF, "BYN"), ("1100:eur", "EUR")):
            assert clara("accounts", "--add", code, "--name", "A leaf", "--currency", currency)
        (fines,) = clara("purposes", "add", "FINES", "--fund", "fines", "--text", "For fines.")
        self.set_clock("2020-10-02")
        anna = self.at("anna")
        (self.folder / "gift.json").write_bytes(a_gift_by_card())
        assert len(anna("donations", "import", "gift.json")) == 1
        gift = BankLine(byn("5000.00"), date(2020, 9, 10), reference=fines["reference"])
        september = a_camt_file([gift], opening=byn("0.00"), first=date(2020, 9, 1), last=date(2020, 9, 30))
        (self.folder / "september.xml").write_bytes(september)
        (answer,) = anna("statements", "import", "september.xml", "--account", BYN_LEAF, "--number", "INVENTED-ACCOUNT")
        assert (answer["fresh"], answer["booked"]) == (1, 1)
        assert [one["amount"]["amount"] for one in anna("donations", "list")] == ["5000.00", "100.00"]

    def take_in(self) -> None:
        (self.folder / "list.csv").write_bytes(list_file(a_list_row(name=NAME), a_list_row(paid_on=date(2020, 9, 30))))
        anna = self.at("anna")
        for _ in range(2):
            imported = anna("cases", "import", "list.csv", "--jurisdiction", "by")
            assert (imported["rows"], imported["sent"], imported["rejected"]) == (2, 2, {"already_paid": 1})
        (case,) = anna("cases", "list", "--state", "received")
        shown = anna("cases", "show", case["alias"])
        assert (shown["identity"]["name"], shown["owed"]["amount"]) == (NAME, "810.00")
        assert anna("cases", "verify") == {case["alias"]: "verified"}
        assert self.shell.run("cases", "list") == 0
        assert case["alias"] in self.shell.out
        assert self.shell.run("cases", "show", "C-0000-0000-0000") == 1

    def pay(self) -> None:
        self.set_clock("2020-10-05")
        (requested,) = self.at("anna")("disbursements", "request", "--account", BYN_LEAF)
        assert self.shell.run("disbursements", "release") == 0  # nothing is approved, so nothing is released
        (approved,) = self.at("boris")("disbursements", "approve")
        assert (approved["object"], requested["state"]) == (requested["alias"], "requested")
        self.set_clock("2020-10-06")
        anna = self.at("anna")
        assert self.shell.run("disbursements", "release") == 1
        assert self.shell.err.startswith("obligation_not_ready: ")
        assert anna("cases", "told", "--on", "2020-10-06") == {"told": [requested["case"]], "refused": {}}
        (released,) = anna("disbursements", "release")
        self.set_clock("2020-11-02")
        line = BankLine(byn("-810.00"), date(2020, 10, 8), reference=released["reference"])
        (self.folder / "october.xml").write_bytes(october(line, opening="5000.00"))
        for booked in (1, 1):  # the second time it is the answer from the outbox
            (answer,) = anna("statements", "import", "october.xml", "--account", BYN_LEAF)
            assert answer["booked"] == booked
        (agreement,) = [one for one in anna("reconcile") if one["account"] == BYN_LEAF]
        assert (agreement["per_bank"]["amount"], agreement["difference"]["amount"]) == ("4190.00", "0.00")
        (fee,) = anna("exceptions")  # `general` bears the processor's fee and was given nothing yet
        assert (fee["difference"], fee["fund"], fee["amount"]["amount"]) == ("below_zero", "general", "-3.20")
        assert [one["alias"] for one in anna("disbursements", "list", "--state", "paid")] == [released["alias"]]

    def publish(self) -> None:
        clara = self.at("clara")
        assert clara("balance", "1000", "--currency", "BYN")["balance"]["amount"] == "4190.00"
        rows = clara("trial-balance", "--on", "2020-11-02")
        assert sum(round(100 * float(row["balance"]["amount"])) for row in rows) == 0
        for form in ("pdf", "csv", "json"):
            (path,) = clara("report", "trial-balance", "--on", "2020-11-02", "--format", form, "--out", "reports")[
                "written"
            ]
            assert Path(path).stat().st_size > 100
        (path,) = clara("report", "audit", "--on", "2020-11-02", "--out", "reports")["written"]
        assert Path(path).name == "audit-2020-11-02.pdf"
        assert Path(path).read_bytes().startswith(b"%PDF")
        assert self.shell.run("report", "trial-balance", "--on", "soon", "--out", "reports") == 2
        draft = clara("publications", "draft")
        assert self.shell.run("publications", "approve", draft["alias"]) == 1
        published = self.at("boris")("publications", "approve", draft["alias"])
        assert published["object"] == draft["alias"]
        listed = self.at("boris")("publications", "list")
        assert ([one["alias"] for one in listed["publications"]], listed["drafts"]) == ([draft["alias"]], [])
        assert (self.shell.run("publications", "approve", draft["alias"]), self.shell.err) == (
            1,
            "no_such_draft: no draft of this alias waits\n",
        )
        written = clara("site", "build", "--out", "site")["written"]
        assert {"index.html", "paid.csv", "paid.json"} == {Path(path).name for path in written}


def test_nobody_turns_the_clock_of_a_book_that_is_no_demonstration(shell: Shell, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/book.db"
    engine = open_database(url)
    schema.migrate(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO book (id, book_id, organisation, functional_currency, jurisdiction, demo, created_at) "
            "VALUES (1, 'ab', 'Invented Fund', 'EUR', 'by', 0, '2020-08-24 09:00:00')"
        )
    engine.dispose()
    shell.set(DATABASE_URL=url, SHRED_KEY_DIRECTORY=tmp_path, DEMO_NOW=FOUNDED.isoformat())

    assert (shell.run("serve", "--port", "0"), shell.err.partition(":")[0]) == (1, "not_a_demo")
