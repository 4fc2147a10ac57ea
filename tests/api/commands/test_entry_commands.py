import json
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from sqlalchemy import Engine
from sqlmodel import Session, select

from api.commands import main
from ledger.books import journal
from ledger.books.journal import Entry
from tests.cast import NOW, nothing_written
from tests.journals import BAD_AMOUNT, a_file, an_empty_book, an_entry, exported, keep_books

Run = Callable[..., int]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path) -> Iterator[Run]:
    """Runs `solidarity entries` on the test's database and gives its exit code."""
    monkeypatch.setenv("SOLIDARITY_DATABASE_URL", database_url)
    monkeypatch.setenv("SOLIDARITY_SHRED_KEY_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("SOLIDARITY_DEMO_NOW", NOW.isoformat())

    def run_words(*words: str | Path) -> int:
        monkeypatch.setattr(sys, "argv", ["solidarity", "entries", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main.run()
        return int(ended.value.code or 0)

    yield run_words
    structlog.reset_defaults()


@pytest.fixture
def empty(engine: Engine) -> Iterator[Session]:
    """A founded book without entries or leaves."""
    with an_empty_book(engine) as session:
        yield session


def write(path: Path, lines: list[bytes]) -> Path:
    path.write_bytes(b"".join(lines))
    return path


def test_a_journal_goes_out_as_a_file_and_comes_in_again(
    founded: Session, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep_books(founded, entries=5)
    file = tmp_path / "journal.jsonl"

    assert run("export", "--format", "jsonl", "--to", file, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"written": [str(file)]}
    assert file.read_bytes() == b"".join(exported(founded))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with nothing_written(founded):
        founded.rollback()  # SQLite has one writer
        assert run("import", file, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    numbers = {one.source_key: one.id for one in founded.exec(select(Entry))}
    assert said == {"booked": 0, "standing": journal.count(founded), "dry_run": False, "entries": numbers}


@pytest.mark.parametrize("form", ["jsonl", "hledger", "beancount", "csv"])
def test_every_form_is_written_the_same_twice(founded: Session, run: Run, tmp_path: Path, form: str) -> None:
    keep_books(founded, entries=3)
    first, second = tmp_path / "first", tmp_path / "second"

    assert run("export", "--format", form, "--to", first) == 0
    assert run("export", "--format", form, "--to", second) == 0

    assert first.read_bytes() == second.read_bytes()
    assert b"1000:" in first.read_bytes()


def test_a_file_is_tried_without_booking_and_then_booked(
    empty: Session, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "in.jsonl", a_file(an_entry()))

    with nothing_written(empty):
        empty.rollback()
        assert run("import", file, "--dry-run") == 0
    empty.rollback()
    assert capsys.readouterr().out == "1 entries would be booked, 0 stood already.\n"
    assert run("import", file) == 0

    said = capsys.readouterr().out
    empty.rollback()
    (booked,) = empty.exec(select(Entry))
    assert said == f"1 entries were booked, 0 stood already.\nEntry {booked.id}: {booked.source_key}\n"


def test_every_bad_line_is_printed_and_nothing_is_booked(
    empty: Session, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "in.jsonl", a_file(an_entry(), BAD_AMOUNT, an_entry(source_key="import:3", kind="X")))

    with nothing_written(empty):
        empty.rollback()
        assert run("import", file) == 65

    assert capsys.readouterr().err.splitlines() == [
        "line 4: bad_amount: an amount is ASCII digits with at most one point (posting 1, where amount)",
        "line 5: bad_entry: an entry needs a source key, a kind and a recorder (where kind)",
        "bad_entries_file: nothing was booked (count 2, first bad_amount, line 4)",
    ]


def test_a_file_that_stands_already_is_not_written_over(founded: Session, run: Run, tmp_path: Path) -> None:
    file = write(tmp_path / "kept.txt", [b"kept"])
    founded.rollback()

    assert run("export", "--format", "csv", "--to", file) == 1

    assert file.read_bytes() == b"kept"


def test_half_a_journal_is_not_left_behind(
    founded: Session, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_books(founded, entries=3)
    file = tmp_path / "journal.csv"

    def end_early(*_: object) -> Iterator[bytes]:
        yield b"half"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("api.commands.entry_commands.spreadsheet.render", end_early)

    assert run("export", "--format", "csv", "--to", file) == 1
    assert not file.exists()


def test_what_cannot_be_done_exits_with_its_code(
    session: Session, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session.rollback()
    file = write(tmp_path / "in.jsonl", a_file(an_entry()))

    assert run("export", "--format", "jsonl", "--to", tmp_path / "out.jsonl") == 1
    assert not (tmp_path / "out.jsonl").exists()
    assert run("import", file) == 1
    assert run("import", tmp_path / "missing.jsonl") == 65
    assert run("export", "--format", "pdf", "--to", tmp_path / "out.pdf") == 2
    assert run("export") == 2

    said = capsys.readouterr().err
    assert said.count("no_book: ") == 2
    assert "unreadable_file: " in said
