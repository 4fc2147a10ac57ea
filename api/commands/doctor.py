"""`solidarity doctor`: settings, database, clock and key files of this place, and what to do about each."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import typer
from sqlalchemy import Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from api import settings
from api.commands import output
from api.commands.output import FINDINGS, AsJson
from api.settings import BadSettings, Settings
from ledger import book, expiries
from ledger.errors import LedgerError
from ledger.storage import inspection, schema
from ledger.storage.engine import BadDatabaseUrl, open_database, transaction

CLOCKS_DIFFER = timedelta(minutes=5)
"""How far the clocks of program and database may be apart before acts signed in time are refused."""
FINE, WARNING, WRONG = "fine", "warning", "wrong"
_KEY_FILES = ("SOLIDARITY_DEVICE_KEY_FILE", "SOLIDARITY_API_KEY_FILE", "SOLIDARITY_PASSPHRASE_FILE")
_OTHERS = 0o077
"""What group and others may do with a file."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that was looked at: how it is, and what to do when it is not fine."""

    what: str
    state: str
    advice: str = ""


app = typer.Typer(invoke_without_command=True)


@app.callback()
def examine(context: typer.Context, as_json: AsJson = False) -> None:
    """Looks at settings, database, clock and key files, and says what to do. Ends with 3 when one is wrong."""
    if context.invoked_subcommand is not None:
        return
    found = list(_diagnoses())
    rows = [{"what": one.what, "state": one.state, "advice": one.advice} for one in found]
    output.show_table(rows, {"state": "State", "what": "What", "advice": "What to do"}, as_json=as_json)
    if any(one.state == WRONG for one in found):
        raise typer.Exit(FINDINGS)


def _diagnoses() -> Iterator[Diagnosis]:
    yield from _of_key_files()
    try:
        configured = settings.load()
    except BadSettings as error:
        yield Diagnosis(f"settings: {error.data['where']}", WRONG, "set them in .env; see .env.example")
        return
    yield Diagnosis("settings", FINE)
    yield from _of_shred_keys(configured.shred_key_directory)
    try:
        engine = open_database(configured.database_url)
    except BadDatabaseUrl as error:
        yield Diagnosis("database address", WRONG, error.message)
        return
    file = _sqlite_file(configured)
    if file is not None and not file.exists():
        yield Diagnosis(
            "database file", WRONG, "there is none at this place: `solidarity init`, or correct the address"
        )
        return
    if file is not None:
        yield _closed_to_others(file, "database file")
    try:
        yield from _of_database(engine, configured)
    except OperationalError:
        yield Diagnosis("database", WRONG, "it does not answer: is it running, and may this user connect?")
    finally:
        engine.dispose()


def _of_database(engine: Engine, configured: Settings) -> Iterator[Diagnosis]:
    try:
        schema.require_current(engine)
    except LedgerError:
        yield Diagnosis("schema version", WRONG, "run `solidarity migrate` with this version of the program")
        return
    yield Diagnosis("schema version", FINE)
    with transaction(engine, write=False) as session:
        connection = session.connection()
        parts = {
            "guards": (inspection.deviating_guards, "find out who did it; `solidarity migrate` makes the guards again"),
            "tables": (inspection.deviating_tables, "find out who did it; compare with a backup"),
            "connection": (inspection.deviating_settings, "set it back in the database's configuration"),
        }
        for name, (deviating, advice) in parts.items():
            found = list(deviating(connection))
            for one in found:
                what = f"{name}: {one.name} is {one.deviation}"
                yield Diagnosis(what, WRONG, f"{advice}; then run `solidarity verify books`")
            if not found:
                yield Diagnosis(name, FINE)
        for role in inspection.powers(connection):
            advice = (
                "let the program connect as a role that owns nothing and is no superuser: guards do not bind owners"
            )
            yield Diagnosis(f"database role: {role}", WARNING, advice)
        apart = abs(inspection.moment(connection) - configured.now())
        try:
            is_demo = book.require(session).demo
        except LedgerError:
            yield Diagnosis("book", WRONG, "there is none yet: `solidarity init`")
            return
        yield Diagnosis("book", FINE)
        yield from _of_expiries(session, on=configured.now().date())
    if configured.demo_now is not None:
        advice = "unset SOLIDARITY_DEMO_NOW: nobody turns the clock of real books"
        yield Diagnosis("clock of a demonstration", FINE if is_demo else WRONG, "" if is_demo else advice)
    else:
        advice = "set the clocks of server and database by NTP"
        yield Diagnosis("clock", FINE if apart < CLOCKS_DIFFER else WRONG, "" if apart < CLOCKS_DIFFER else advice)


def _of_expiries(session: Session, *, on: date) -> Iterator[Diagnosis]:
    """Last days that come soon, without saying whose: the roster and `solidarity keys list` tell that."""
    try:
        found = expiries.find(session, on=on)
    except LedgerError:
        yield Diagnosis("roster", WRONG, "it cannot be read: run `solidarity verify books`")
        return
    until = found.amended_until()
    if until is not None:
        what = f"officers: two can sign a roster until {until}"
        yield Diagnosis(what, WARNING if on <= until else WRONG, "`solidarity operators amend` while two of them can")
    if found.entries:
        what = f"roster: {len(found.entries)} entries end, the first on {found.entries[0]}"
        yield Diagnosis(what, WARNING, "`solidarity operators amend`: extend them, or leave them out")
    if found.keys:
        what = f"bearer keys: {len(found.keys)} end, the first on {found.keys[0]}"
        yield Diagnosis(what, WARNING, "`solidarity keys create` for who still needs one, `keys revoke` for the others")
    if not found.days() and until is None:
        yield Diagnosis("roster and bearer keys", FINE)


def _of_shred_keys(directory: Path) -> Iterator[Diagnosis]:
    if not directory.is_dir():
        advice = "no such folder: mount it, or restore it from its own backup; without it no name can be opened"
        yield Diagnosis("shred keys", WRONG, advice)
        return
    yield _closed_to_others(directory, "shred keys: folder")
    for place, file in enumerate(sorted(directory.iterdir()), start=1):
        yield _closed_to_others(file, f"shred keys: file {place}")


def _of_key_files() -> Iterator[Diagnosis]:
    for name in _KEY_FILES:
        path = os.environ.get(name)
        if path and not Path(path).is_file():
            yield Diagnosis(name, WRONG, "there is no such file: correct the variable")
        elif path:
            yield _closed_to_others(Path(path), name)
    if Path(".env").is_file():
        yield _closed_to_others(Path(".env"), ".env")


def _closed_to_others(path: Path, what: str) -> Diagnosis:
    """Whether nobody but its owner can reach a file; its path may tell a name and is not shown."""
    mode = "700" if path.is_dir() else "600"
    exposed = path.stat().st_mode & _OTHERS
    return Diagnosis(what, WRONG if exposed else FINE, f"others can reach it: chmod {mode}" if exposed else "")


def _sqlite_file(configured: Settings) -> Path | None:
    url = make_url(configured.database_url)
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None
