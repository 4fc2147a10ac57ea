"""Folders whose files are sent: all at once, or each as it comes, for as long as somebody watches."""

import time
from collections.abc import Callable
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Annotated, Any

import typer

from api.client.http import ApiRefusal, ApiUnreachable
from api.client.watched_folders import Folder, Taken
from api.commands import output

REFUSED = 65
"""The exit code when a file of a folder was refused: input that is none (sysexits.h)."""
LONGEST_WAIT = 900.0
"""Seconds. While the API answers with nothing but faults, each pause is twice the one before, up to this."""
_UNKNOWN_KEY = 401
Watch = Annotated[bool, typer.Option("--watch", help="Keep looking at the folder.")]
Pause = Annotated[float, typer.Option(help="Seconds between two looks at the folder.", min=0)]
Looks = Annotated[int | None, typer.Option(help="How often to look; without end unless told.", min=1)]

Send = Callable[[Path], list[dict[str, Any]]]
"""Reads and sends a file; gives what became of it."""
Say = Callable[[dict[str, Any]], str]
"""One of these answers in a sentence."""


def take(path: Path, send: Send, *, say: Say, watch: bool, pause: float, looks: int | None, as_json: bool) -> None:
    """Takes a file, or every file of a folder; `watch`ed, it is looked at again after each `pause`.

    A refused file of a folder does not stop the others; without `watch` the end tells. While the API cannot be reached,
    fails, or wants no more at present, a watched folder waits longer and longer, and goes on.

    Raises:
        ApiRefusal: about no file, and waiting mends nothing, such as a bearer key that is not known any more.
        ApiUnreachable: without `watch`; what was taken before is told.
    """
    if not path.is_dir():
        answers = send(path)
        output.show(answers, as_json=as_json, lines=[say(one) for one in answers])
        return
    folder = Folder(path, send)
    if not watch:
        _take_all(folder, say, as_json=as_json)
        return
    wait = pause
    for number in count(1):
        wait = pause if _look(folder, say, as_json=as_json) else min(2 * wait, max(LONGEST_WAIT, pause))
        if number == looks:
            return
        time.sleep(wait)


def _take_all(folder: Folder, say: Say, *, as_json: bool) -> None:
    taken: list[Taken] = []
    try:
        taken.extend(folder.look(at_once=True))
    finally:  # what keeps the others back does not hide what became of these
        lines = [line for one in taken for line in _lines_of(one, say)]
        output.show([asdict(one) for one in taken], as_json=as_json, lines=lines)
    if any(one.refused is not None for one in taken):
        raise typer.Exit(REFUSED)


def _look(folder: Folder, say: Say, *, as_json: bool) -> bool:
    """One look; False when the API takes nothing at present: the next one takes what this could not."""
    try:
        for taken in folder.look():
            output.show(asdict(taken), as_json=as_json, lines=_lines_of(taken, say))
    except ApiUnreachable as error:
        output.show_refusal(error)
        return False
    except ApiRefusal as error:
        if error.status == _UNKNOWN_KEY:
            output.show_hint("Nothing is sent any more: have a new key made (keys create), set it, and watch again.")
        if not error.passes:
            raise
        output.show_refusal(error)
        return False
    return True


def _lines_of(taken: Taken, say: Say) -> list[str]:
    said = [f"refused: {taken.refused}"] if taken.refused is not None else [say(one) for one in taken.answers]
    return [f"{taken.file}: {one}" for one in said]
