"""The public page: published figures in plain words, as one HTML file without script, cookie or outside resource."""

import base64
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources

from jinja2 import Environment, StrictUndefined, Template

from ledger.errors import BadInput
from reports.transparency.blocks import Block
from reports.transparency.words import ABSENT, PROMISE, explain_kinds, name_kinds, name_period, write_sum

_SHOWN_AS_BARS = 12
_FILE_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*", re.ASCII)


class MixedCurrencies(BadInput):
    """Blocks in two currencies have no sum."""

    rule = "mixed_currencies"


class BadFileName(BadInput):
    """A data file lies below the page: its name is a plain relative path."""

    rule = "bad_file_name"


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of open data beside the page, and what it holds."""

    path: str
    description: str


@dataclass(frozen=True, slots=True)
class _Line:
    """One published group, or a sum of such; `share` is the bar's length in percent of the longest."""

    name: str
    persons: str
    total: str
    share: str = ""


@dataclass(frozen=True, slots=True)
class _Period:
    name: str
    carried: str
    lines: list[_Line]


@dataclass(frozen=True, slots=True)
class _Side:
    """Everything the page says of what was paid, or of what was received."""

    currency: str
    persons: str
    total: str
    since: str
    groups: list[_Line]
    bars: list[_Line]
    periods: list[_Period]
    large: list[_Period]
    waiting: str
    explanations: list[tuple[str, str]]


def render_page(
    blocks_paid: Sequence[Block],
    blocks_received: Sequence[Block],
    *,
    organisation: str,
    published_on: date | None,
    data_files: Sequence[DataFile] | None = None,
) -> bytes:
    """The page in UTF-8. Every figure on it is a published atom or a sum of published atoms.

    Args:
        blocks_paid: all published blocks, silent ones too, oldest first; series may follow one another.
        blocks_received: the same for gifts, whose kinds are channels.
        organisation: shown as text, whatever it contains.
        published_on: the day of the latest publication; None while there is none.
        data_files: what the index lists; by default `data/paid.csv` and `.json`, and `received` where there are gifts.

    Raises:
        MixedCurrencies: blocks of one side are in two currencies.
        BadFileName: a data file is not below the page.
    """
    files = _default_files(received=bool(blocks_received)) if data_files is None else data_files
    if not all(_FILE_NAME.fullmatch(file.path) for file in files):
        raise BadFileName("a data file is a relative path of plain characters", where="data_files")
    style = _read("page.css")
    page = _template().render(
        organisation=organisation,
        published_on=published_on and f"{published_on.day} {published_on:%B %Y}",
        paid=_side(blocks_paid),
        received=_side(blocks_received),
        promise=PROMISE,
        absent=ABSENT,
        files=files,
        style=style,
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
    )
    return page.encode()


def _side(blocks: Sequence[Block]) -> _Side | None:
    """None where nothing was ever closed."""
    if not blocks:
        return None
    currency = blocks[0].currency
    if any(block.currency != currency for block in blocks):
        raise MixedCurrencies("the blocks are in two currencies", where="blocks")
    told = [block for block in blocks if block.atoms]
    main = [block for block in told if block.series == "main"]
    return _Side(
        currency=currency,
        persons=f"{sum(block.persons for block in told):,}",
        total=write_sum(sum(block.sum_minor for block in told), currency=currency),
        since=name_period(first := min(block.first_month for block in blocks), last_month=first),
        groups=_groups(told, currency=currency),
        bars=_bars(main[-_SHOWN_AS_BARS:]),
        periods=[_period(block) for block in reversed(main)],
        large=[_period(block) for block in reversed(told) if block.series != "main"],
        waiting=_waiting([block for block in blocks if block.series == "main"]),
        explanations=explain_kinds(
            list(dict.fromkeys(kind for block in told for atom in block.atoms for kind in atom.kinds))
        ),
    )


def _groups(blocks: Iterable[Block], *, currency: str) -> list[_Line]:
    """Sums over all blocks of the atoms that may hold the same kinds."""
    sums: dict[tuple[str, ...], tuple[int, int]] = defaultdict(lambda: (0, 0))
    for block in blocks:
        for atom in block.atoms:
            persons, minor = sums[atom.kinds]
            sums[atom.kinds] = (persons + atom.persons, minor + atom.sum_minor)
    ordered = sorted(sums.items(), key=lambda group: (len(group[0]), -group[1][1], group[0]))
    return [
        _Line(name_kinds(kinds), f"{persons:,}", write_sum(minor, currency=currency))
        for kinds, (persons, minor) in ordered
    ]


def _bars(blocks: Sequence[Block]) -> list[_Line]:
    """A bar a block, none for fewer than two; drawn to the longest."""
    if len(blocks) < 2:  # noqa: PLR2004 - one bar compares with nothing
        return []
    longest = max(block.sum_minor for block in blocks)
    return [
        _Line(
            name_period(block.first_month, last_month=block.last_month),
            f"{block.persons:,}",
            write_sum(block.sum_minor, currency=block.currency),
            f"{max(0.0, 100 * block.sum_minor / longest):.1f}",
        )
        for block in blocks
    ]


def _period(block: Block) -> _Period:
    carried = name_period(block.carried_months[0], last_month=block.carried_months[-1]) if block.carried else ""
    return _Period(
        name=name_period(block.first_month, last_month=block.last_month),
        carried=carried,
        lines=[
            _Line(name_kinds(atom.kinds), f"{atom.persons:,}", write_sum(atom.sum_minor, currency=block.currency))
            for atom in block.atoms
        ],
    )


def _waiting(blocks: Sequence[Block]) -> str:
    """The period since the last block that published something, if a later one had to stay silent."""
    silent = []
    for block in reversed(blocks):
        if block.atoms:
            break
        silent.append(block)
    return name_period(silent[-1].first_month, last_month=silent[0].last_month) if silent else ""


def _default_files(*, received: bool) -> list[DataFile]:
    sides = [("paid", "What was paid")] + ([("received", "What was received")] if received else [])
    return [
        DataFile(f"data/{name}.{form}", f"{title}, {how}")
        for name, title in sides
        for form, how in (("csv", "as a table for a spreadsheet"), ("json", "with a dictionary of its fields"))
    ]


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_read("page.html"))


@cache
def _read(name: str) -> str:
    return (resources.files(__name__) / name).read_text(encoding="utf-8")
