"""Commands for the journal as a file, on the database itself: export and import."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from sqlalchemy import Engine
from sqlmodel import Session

from api import settings
from api.commands import output
from api.commands.files import UnreadableFile
from api.commands.output import AsJson
from ledger import book
from ledger.books import exports, imports, records
from ledger.identities.person_keys import open_secret
from ledger.storage import schema
from ledger.storage.engine import open_database, transaction
from reports.journals import beancount, hledger, spreadsheet

app = typer.Typer(help="The journal as a file: exported, or imported into a book.", no_args_is_help=True)


class Form(StrEnum):
    """How a journal is written."""

    JSONL = "jsonl"
    HLEDGER = "hledger"
    BEANCOUNT = "beancount"
    CSV = "csv"


@app.command("export")
def export_entries(
    form: Annotated[Form, typer.Option("--format", help="jsonl can be imported; the others are for other programs.")],
    to: Annotated[Path, typer.Option(help="A new file, which only its owner can read.")],
    as_json: AsJson = False,
) -> None:
    """Writes every entry of the journal, in order."""
    with _current_database() as engine, transaction(engine, write=False) as session, _target(to) as file:
        book.require(session)
        for piece in _pieces(session, form):
            file.write(piece)
    output.show({"written": [str(to)]}, as_json=as_json, lines=[f"Written: {to}"])


@app.command("import")
def import_entries(
    file: Annotated[Path, typer.Argument(help="A file in the form jsonl; see docs/entries-format.md.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, and book nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Books every entry of a file, or none, and tells their numbers; what stands already is not booked again."""
    now = settings.load().now()
    total = _count_lines(file)
    with _current_database() as engine, transaction(engine) as session:
        book.require(session)
        with _source(file) as source, output.Steps("Lines") as report:
            done = _book(session, source, now=now, report=lambda number: report(number, total))
        if dry_run:
            session.rollback()
    numbers = {} if dry_run else done.numbers
    answer = {"booked": done.booked, "standing": done.standing, "dry_run": dry_run, "entries": numbers}
    said = f"{done.booked} entries {'would be' if dry_run else 'were'} booked, {done.standing} stood already."
    output.show(answer, as_json=as_json, lines=[said, *(f"Entry {one}: {key}" for key, one in numbers.items())])


def _book(session: Session, source: BinaryIO, *, now: datetime, report: Callable[[int], None]) -> imports.Imported:
    """Books the file; every bad line is told before the refusal goes on."""
    try:
        return imports.book(session, imports.raw_lines(source), at=now, report=report)
    except imports.BadEntriesFile as refusal:
        for problem in refusal.problems:
            sys.stderr.write(f"line {problem.line}: ")
            output.show_refusal(problem.refusal)
        raise


def _pieces(session: Session, form: Form) -> Iterator[bytes]:
    if form is Form.JSONL:
        yield from map(records.write, exports.records(session))
    elif form is Form.CSV:
        yield from spreadsheet.render(exports.entries(session))
    else:
        render = hledger.render if form is Form.HLEDGER else beancount.render
        for text in render(exports.declared_accounts(session), exports.entries(session)):
            yield text.encode()


@contextmanager
def _current_database() -> Iterator[Engine]:
    engine = open_database(settings.load().database_url)
    try:
        schema.require_current(engine)
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _target(path: Path) -> Iterator[BinaryIO]:
    with open_secret(path) as file:
        try:
            yield file
        except BaseException:  # half a journal is none
            path.unlink()
            raise


@contextmanager
def _source(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise UnreadableFile("the file cannot be read", where="file", reason=error.strerror) from None
    with file:
        yield file


def _count_lines(path: Path) -> int:
    with _source(path) as file:
        return sum(1 for _ in imports.raw_lines(file))
