"""The season, played as an operator would, against totals that were computed without the ledger. On both databases."""

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pikepdf
import pytest
from sqlmodel import select

from api.client import batches, cases, dossiers, keyring
from api.commands import demo
from api.commands.demo_people import ROLES, Person
from api.commands.demo_processor import open_processor
from api.commands.demo_stage import STORY, Stage, open_stage
from ledger import exceptions
from ledger.aliases import Kind, draw
from ledger.books import balances, imports, journal
from ledger.books.journal import Entry
from ledger.storage.engine import open_database, transaction
from reports.dossier.chain import chains
from tests.bookcheck import assert_it_holds
from tests.canaries import sightings
from tests.journals import an_empty_book, exported
from tests.other_programs import our_cells, told_by_beancount

EXPECTED = json.loads((STORY / "expected.json").read_text("utf-8"))
AGENT = {"1200": "1200:agent", "1210": "1210"}
"""The agent's alias is drawn anew in every season; the expected totals name their leaves so."""


@pytest.fixture
def season(database_url: str, tmp_path: Path) -> Iterator[Stage]:
    """A season that was played to its end; devices are made in memory, so that nobody waits for passphrases.

    On PostgreSQL its card movements are pulled from a processor that answers, on SQLite they are read from its lists.
    """
    people = {name: Person(keyring.create(draw(Kind.OPERATOR)), tmp_path / f"{name}.key") for name in ROLES}
    with ExitStack() as stack:
        stage = stack.enter_context(open_stage(tmp_path, database_url, people=people))
        if database_url.startswith("postgresql"):
            stack.enter_context(open_processor(stage))
        demo.play(stage)
        yield stage


def test_the_books_of_the_season_say_what_was_computed_without_them(
    season: Stage, tmp_path: Path, sqlite_template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = {(cell["account"], cell["fund"], cell["currency"]): cell["minor"] for cell in EXPECTED["balances"]}

    assert _balances(season) == told
    assert sum(_entries(season).values()) == EXPECTED["entries_in_all"]
    assert _paid(season) == {
        ("fine", "agent"): EXPECTED["fines"]["verified"],
        ("detention", "beneficiary"): EXPECTED["bills"],
    }
    assert _rejected(season) == EXPECTED["rejected"]
    assert _differences(season) == {"0.00"}
    assert _open_exceptions(season) == [("below_zero", "general")]  # it bore fees before anybody gave for them

    if season.app.state.engine.dialect.name == "postgresql":
        assert_it_holds(season.app.state.engine)
        return  # what follows reads the same figures through the same code, and plays all of it again

    _assert_others_read_the_books(season, tmp_path, sqlite_template)
    _assert_published(season)
    demo.write_files(season)
    donors_read = (season.folder / "site" / "give" / "be" / "index.html").read_text("utf-8")
    assert "Штрафы" in donors_read
    with pikepdf.open(demo.audit_file(season)) as pdf:
        assert len(pdf.pages) >= 3
    _assert_a_dossier_holds(season)
    _assert_nobody_is_named(season)
    _assert_nothing_new(season)
    demo.summarise(season, before=season.count_entries(), seconds=1)
    said = capsys.readouterr().out
    assert "250 fine" in said
    assert "0 of them new in this run" in said
    assert_it_holds(season.app.state.engine)


def _assert_others_read_the_books(season: Stage, folder: Path, sqlite_template: Path) -> None:
    """beancount comes to our trial balance, and a copy of the journal in an empty book is the same journal."""
    folder = folder / "others"
    folder.mkdir()
    shutil.copy(sqlite_template, folder / "copy.db")
    copied = open_database(f"sqlite:///{folder / 'copy.db'}")
    with transaction(season.app.state.engine, write=False) as session:
        assert told_by_beancount(session, folder) == our_cells(session)
        lines = exported(session)
        with an_empty_book(copied) as copy:
            assert imports.book(copy, lines, at=season.now()).booked == journal.count(session)
            assert exported(copy) == lines
    copied.dispose()
    shutil.rmtree(folder)


def _assert_a_dossier_holds(season: Stage) -> None:
    """From the ruling to a receipt that is kept, as who reads the first pages would make one."""
    anna = season.desk("anna")
    bills = next(alias for (what, _), alias in season.batches.items() if what == "bills")
    fined, reimbursed = season.batches["fines", 1], bills

    for batch in (fined, reimbursed):
        case = batches.find(anna, batch)["lines"][0]["case"]["alias"]
        assert all(chain.holds for chain in chains(dossiers.fetch(anna, case)))
    assert list(cases.listed(anna, state="paid")) == []


def _assert_nobody_is_named(season: Stage) -> None:
    """No file names anybody but the agent's own list; neither does the database, where that is a file."""
    words = [text for row in season.rows("list-1.csv")[:5] for text in (row.name, row.ruling_number, row.court)]
    agents_lists = set(season.folder.glob("agent-list-*.csv"))
    files = [path for path in season.folder.rglob("*") if path.is_file() and path not in agents_lists]

    assert sightings(words, b"\n".join(path.read_bytes() for path in files)) == []
    assert sightings(words, b"\n".join(path.read_bytes() for path in agents_lists)) != []


def _assert_nothing_new(season: Stage) -> None:
    """The same season again sends the same bytes, or nothing."""
    before = season.count_entries(), _balances(season)
    season.batches.clear()
    season.paid.clear()

    demo.play(season)

    assert (season.count_entries(), _balances(season)) == before


def _assert_published(season: Stage) -> None:
    """Autumn to October is published; November waits: without the agent's list fewer than ten people would remain."""
    published = json.loads(season.desk("clara").api.download("/data/paid.json"))["blocks"]
    fines = sum(len(batch["fines"]) for batch in season.plan["batches"] if batch["results_on"] < "2020-11-01")

    autumn, november = published
    assert [atom["kinds"] for atom in autumn["atoms"]] == [["fine"], ["detention", "court_fee"]]
    assert abs(autumn["atoms"][0]["persons"] - fines) <= 2
    assert november["atoms"] == []


def _balances(season: Stage) -> dict[tuple[str, str, str], int]:
    found: Counter[tuple[str, str, str]] = Counter()
    with transaction(season.app.state.engine, write=False) as session:
        for balance in balances.trial_balance(session):
            code = AGENT.get(balance.account.code.partition(":")[0], balance.account.code)
            found[code, balance.fund, balance.currency] += balance.minor
    return dict(found)


def _entries(season: Stage) -> Counter[str]:
    with transaction(season.app.state.engine, write=False) as session:
        return Counter(session.exec(select(Entry.kind)))


def _paid(season: Stage) -> dict[tuple[str, str], dict[str, int]]:
    report = season.desk("clara").api.get("/v1/reports/disbursements.json", on=EXPECTED["as_of"])
    return {
        (row["kind"], row["way"]): {"count": row["payments"], "minor": round(float(row["paid"]) * 100)}
        for section in report["sections"]
        for row in section["rows"]
    }


def _rejected(season: Stage) -> dict[str, int]:
    cases = season.desk("anna").api.get("/v1/cases", state="rejected")["cases"]
    return dict(Counter(case["rejection"] for case in cases))


def _differences(season: Stage) -> set[str]:
    found = season.desk("anna").api.get("/v1/reconciliations")["reconciliations"]
    assert len(found) == 5
    return {one["difference"]["amount"] for one in found}


def _open_exceptions(season: Stage) -> list[tuple[str, str | None]]:
    with transaction(season.app.state.engine, write=False) as session:
        return [(one.difference, one.fund_code) for one in exceptions.listed(session)]
