"""Places in a file that cannot be read exactly, gathered, and the one refusal that tells them."""

from dataclasses import dataclass, field
from typing import Never

from api.client.bank_files.lines import Problem, UnreadableFile

MOST_LINES = 100_000
"""Statements, entries, details and problems in one file."""
MOST_PLACES = 1_000
"""Unreadable places after which reading stops."""

_PLACES_TOLD = 10


@dataclass(slots=True)
class Refusals:
    """What has been found unreadable so far, and how much of the most that one file may hold is used."""

    places: list[Problem] = field(default_factory=list)
    lines: int = 0

    def add(self, where: str, what: str) -> None:
        """Notes a place.

        Raises:
            UnreadableFile: it is the last that is noted.
        """
        self.places.append(Problem(where, what))
        if len(self.places) == MOST_PLACES:
            self._refuse()

    def count(self, lines: int, *, where: str) -> None:
        """Counts what is kept of a file.

        Raises:
            UnreadableFile: it is more than MOST_LINES.
        """
        self.lines += lines
        if self.lines > MOST_LINES:
            raise UnreadableFile(f"more than {MOST_LINES} lines in one file", where=where)

    def check(self) -> None:
        """Refuses the file where any place was noted.

        Raises:
            UnreadableFile: `where` tells the first place, `places` the first ten, `count` how many there are.
        """
        if self.places:
            self._refuse()

    def _refuse(self) -> Never:
        first = self.places[0]
        raise UnreadableFile(
            f"{first.what} (the first of {len(self.places)} places that cannot be read exactly)",
            where=first.where,
            places="; ".join(f"{place.where}: {place.what}" for place in self.places[:_PLACES_TOLD]),
            count=len(self.places),
        )
