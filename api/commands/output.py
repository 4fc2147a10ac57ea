"""What commands print: for people as lines and tables, with `--json` for programs."""

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from ledger.errors import LedgerError

if TYPE_CHECKING:
    from api.client.cases import Progress as Report  # who shows no steps need not wait for it

DAYS = ["%Y-%m-%d"]
"""How a day is told to a command: `2020-10-05`; anything else is an error of usage."""
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]

FINDINGS = 3
"""The exit code of a command that was asked to look for what is wrong, and has found something."""

_WIDE = 160
"""Columns where no terminal tells its own: lines that a program reads are not broken at 80."""

screen = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _WIDE)


def show(answer: Any, *, as_json: bool, lines: Sequence[str] = ()) -> None:
    """Prints the answer as JSON, or the lines that say it to a person, as plain text."""
    if as_json:
        sys.stdout.write(json.dumps(answer, indent=2, sort_keys=True) + "\n")
        return
    for line in lines:
        screen.print(_plain(line))


def show_table(rows: Sequence[dict[str, Any]], columns: dict[str, str], *, as_json: bool) -> None:
    """Prints rows as JSON, or as a table with these keys under these heads; amounts stand right."""
    if as_json:
        sys.stdout.write(json.dumps(list(rows), indent=2, sort_keys=True) + "\n")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for key, head in columns.items():
        table.add_column(head, justify="right" if _is_amount(rows, key) else "left")
    for row in rows:
        table.add_row(*(_cell(row[key]) for key in columns))
    screen.print(table)


def show_refusal(error: LedgerError) -> None:
    """One line on the standard error: the rule's name, what it says, and its data."""
    facts = ", ".join(f"{name} {value}" for name, value in sorted(error.data.items()) if value is not None)
    sys.stderr.write(f"{error.rule}: {error.message}{f' ({facts})' if facts else ''}\n")


def show_hint(text: str) -> None:
    """What to do about a refusal, on the standard error."""
    sys.stderr.write(f"{text}\n")


class Steps:
    """A bar on a terminal; nothing where the output is read by a program."""

    def __init__(self, what: str) -> None:
        self._bar = Progress(TextColumn(what), BarColumn(), MofNCompleteColumn(), console=Console(stderr=True))
        self._bar.disable = not sys.stderr.isatty()
        self._task = self._bar.add_task(what, total=None)

    def __enter__(self) -> "Report":
        self._bar.start()
        return lambda done, total: self._bar.update(self._task, completed=done, total=total)

    def __exit__(self, *_error: object) -> None:
        self._bar.stop()


def _is_amount(rows: Sequence[dict[str, Any]], key: str) -> bool:
    return bool(rows) and isinstance(rows[0][key], dict)


def _cell(value: Any) -> Text:
    if isinstance(value, dict):
        return _plain(f"{value['amount']} {value['currency']}")
    return _plain("" if value is None else str(value))


def _plain(text: str) -> Text:
    """The text as it stands: no markup in a name, and nothing in a list that could repaint a reviewer's terminal."""
    return Text("".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text))
