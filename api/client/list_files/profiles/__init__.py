"""Profiles: what columns of a list are called, and how it is written, as data in TOML beside this file."""

import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.client import profile_texts
from api.client.list_files.faults import BadList
from api.client.list_files.writings import DayOrder
from ledger.errors import BadInput, NotFound

Column = Literal[
    "name",
    "ruling_number",
    "court",
    "region",
    "ruling_kind",
    "article",
    "issued_on",
    "kind",
    "amount",
    "currency",
    "payee_account",
    "in_force_on",
    "served_on",
    "paid_on",
    "detained_days",
]
COLUMNS: tuple[Column, ...] = get_args(Column)
OPTIONAL: frozenset[Column] = frozenset({"in_force_on", "served_on", "paid_on", "detained_days"})
REQUIRED: tuple[Column, ...] = tuple(column for column in COLUMNS if column not in OPTIONAL)
LARGEST_PROFILE = 256 * 1024


class UnknownProfile(NotFound):
    """No profile has this name."""

    rule = "unknown_profile"


class BadProfile(BadInput):
    """A file that is no profile; `where` is the key, or the file."""

    rule = "bad_profile"


class Profile(BaseModel):
    """How one sort of list is written. Headers and cells are compared without case and with single spaces.

    `columns` are the headers of each of our columns, one of which stands in the list; one header may fill two columns.
    `constants` are values of columns that the list has not; `empty` are columns that may lack a value.
    `values` turn a whole cell into ours (`штраф` into `fine`), `parts` a cell in which the text stands. `ignored`
    headers are known and not read. `preamble_rows` stand above the header.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    about: str
    columns: dict[Column, tuple[str, ...]]
    constants: dict[Column, str] = {}
    empty: tuple[Literal["payee_account"], ...] = ()
    ignored: tuple[str, ...] = ()
    values: dict[Column, dict[str, str]] = {}
    parts: dict[Column, dict[str, str]] = {}
    preamble_rows: Annotated[int, Field(ge=0, le=100)] = 0
    slashed_days: DayOrder | None = None
    century_of_two_digits: Annotated[int, Field(ge=1900, le=2000, multiple_of=100)] | None = None
    months: dict[str, Annotated[int, Field(ge=1, le=12)]] = {}

    @model_validator(mode="after")
    def _knows_every_column(self) -> Self:
        told = {*self.columns, *self.constants, *self.empty}
        if not told >= set(REQUIRED):
            raise ValueError("a column is neither named nor constant")
        return self

    def places(self, header: Sequence[str]) -> dict[Column, int] | None:
        """At which index each column stands under this header, or None when the header is another one's."""
        known = self._columns_by_header
        cells = [fold(cell) for cell in header]
        if len(set(cells)) < len(cells) or not all(cell in known or cell in self._ignored for cell in cells):
            return None
        found = [(column, index) for index, cell in enumerate(cells) for column in known.get(cell, ())]
        places = dict(found)
        complete = {*places, *self.constants, *self.empty} >= set(REQUIRED)
        return places if complete and len(places) == len(found) else None

    def lacks(self, header: Sequence[str]) -> tuple[list[Column], list[int]]:
        """Which columns the header lacks, and at which positions from 1 something stands that the profile knows not."""
        known = self._columns_by_header
        cells = [fold(cell) for cell in header]
        found = {column for cell in cells for column in known.get(cell, ())} | {*self.constants, *self.empty}
        strange = [nth for nth, cell in enumerate(cells, start=1) if cell not in known and cell not in self._ignored]
        twice = [nth for nth, cell in enumerate(cells, start=1) if cell in cells[: nth - 1] and nth not in strange]
        return [column for column in REQUIRED if column not in found], sorted({*strange, *twice})

    def ours(self, column: Column, cell: str) -> str:
        """The cell as we write it: by its whole text, else by a part of it when all the parts found agree."""
        folded = fold(cell)
        whole = self._values.get(column, {}).get(folded)
        if whole is not None:
            return whole
        parts = {ours for part, ours in self._parts.get(column, {}).items() if part in folded}
        return parts.pop() if len(parts) == 1 else cell

    @cached_property
    def _columns_by_header(self) -> dict[str, list[Column]]:
        known: dict[str, list[Column]] = {}
        for column, headers in self.columns.items():
            for header in dict.fromkeys(fold(header) for header in headers):
                known.setdefault(header, []).append(column)
        return known

    @cached_property
    def _ignored(self) -> frozenset[str]:
        return frozenset(fold(header) for header in self.ignored)

    @cached_property
    def _values(self) -> dict[Column, dict[str, str]]:
        return {column: {fold(cell): ours for cell, ours in told.items()} for column, told in self.values.items()}

    @cached_property
    def _parts(self) -> dict[Column, dict[str, str]]:
        return {column: {fold(part): ours for part, ours in told.items()} for column, told in self.parts.items()}


@cache
def built_in() -> dict[str, Profile]:
    """The profiles that come with the product, by name."""
    return {
        path.name.removesuffix(".toml"): _parse(path.read_bytes())
        for path in sorted(resources.files(__name__).iterdir(), key=lambda path: path.name)
        if path.name.endswith(".toml")
    }


def find(name: str) -> Profile:
    """The profile of this name or, when the name ends in `.toml`, in this file.

    Raises:
        UnknownProfile: there is none of this name. BadProfile: the file is none.
    """
    if not name.endswith(".toml"):
        if name not in built_in():
            raise UnknownProfile("no profile has this name", known=", ".join(built_in()))
        return built_in()[name]
    try:
        with Path(name).open("rb") as file:
            data = file.read(LARGEST_PROFILE + 1)
    except OSError as error:
        raise BadProfile("the profile cannot be read", where="file", reason=error.strerror) from None
    if len(data) > LARGEST_PROFILE:
        raise BadProfile("a profile has at most 256 KiB", where="file")
    return _parse(data)


def detect(header: Sequence[str], *, line: int) -> tuple[str, Profile]:
    """Name and profile of the one built-in profile that fits the header on this line.

    Raises:
        BadList: none fits, or more than one.
    """
    fitting = [(name, profile) for name, profile in built_in().items() if profile.places(header) is not None]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = ", ".join(name for name, _ in fitting)
        raise BadList(f"the header fits more than one profile, name one: {names}", where=f"line {line}")
    nearest = min(built_in(), key=lambda name: _distance(built_in()[name], header))
    raise misfit(built_in()[nearest], nearest, header, line=line)


def misfit(profile: Profile, name: str, header: Sequence[str], *, line: int) -> BadList:
    """Why the header does not fit this profile: missing columns by our names, others by their positions."""
    missing, strange = profile.lacks(header)
    told = [
        f"columns are missing: {', '.join(missing)}" if missing else "",
        f"columns stand twice or are unknown: {_few(strange)}" if strange else "",
    ]
    return BadList(
        "; ".join(part for part in told if part) or "two columns say the same", where=f"line {line}", profile=name
    )


def fold(text: str) -> str:
    """Headers and cells agree that differ in case, white space or forms of letters only."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _distance(profile: Profile, header: Sequence[str]) -> int:
    missing, strange = profile.lacks(header)
    return len(missing) + len(strange)


def _few(positions: Iterable[int]) -> str:
    told = [str(position) for position in positions]
    return ", ".join(told[:10]) + (" …" if len(told) > 10 else "")  # noqa: PLR2004 - enough to find them


def _parse(data: bytes) -> Profile:
    return profile_texts.read(data, Profile, keys=_KEYS, refusal=BadProfile)


_KEYS = frozenset({*Profile.model_fields, *COLUMNS})
