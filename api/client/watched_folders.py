"""A folder on the treasurer's device that is looked at again: each file is sent once, and none while it is written."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from api.client.http import ApiRefusal
from ledger.errors import BadInput

_ABOUT_THE_FILE = frozenset({400, 409, 413, 422})
"""HTTP statuses of refusals by which one file is refused, and others may be taken."""
_State = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that was taken: what became of its statements, or by what rule it was refused."""

    file: str
    answers: tuple[dict[str, Any], ...] = ()
    refused: str | None = None


@dataclass(slots=True)
class Folder:
    """A folder and what was seen in it; `send` reads and sends a file. Nothing in it is moved, changed or removed."""

    path: Path
    send: Callable[[Path], list[dict[str, Any]]]
    _seen: dict[Path, _State] = field(default_factory=dict)
    _taken: dict[Path, _State] = field(default_factory=dict)

    def look(self, *, at_once: bool = False) -> Iterator[Taken]:
        """Takes each file that is new or changed and stands as it did at the look before; `at_once` asks for none.

        A file that is refused is told of, and taken again when it has changed. What keeps every file back is raised:
        the API cannot be reached, or wants no more at present; the next look takes the file again, and those behind it.

        Raises:
            ApiUnreachable, ApiRefusal, and what else is about no file. OSError: the folder is gone.
        """
        for file in sorted(self._files()):
            state = _state_of(file)
            if state is None or self._taken.get(file) == state:
                continue
            is_still = at_once or self._seen.get(file) == state
            self._seen[file] = state
            if is_still:
                yield self._take(file)
                self._taken[file] = state

    def _files(self) -> Iterator[Path]:
        return (one for one in self.path.iterdir() if not one.name.startswith(".") and one.is_file())

    def _take(self, file: Path) -> Taken:
        try:
            return Taken(file.name, tuple(self.send(file)))
        except ApiRefusal as refusal:
            if refusal.passes or refusal.status not in _ABOUT_THE_FILE:
                raise
            return Taken(file.name, refused=refusal.rule)
        except BadInput as refusal:
            return Taken(file.name, refused=refusal.rule)


def _state_of(file: Path) -> _State | None:
    """How long it is and when it was changed; None when it is gone."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns
