"""The markup of OFX: SGML, whose values have no end tags, and XML. Aggregates come when they end, each once.

One small tokenizer reads both. It knows no DOCTYPE, no entity beyond the usual, no attribute and no inclusion, so that
there is nothing in it to attack but its size, which is bounded.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from html import unescape

from api.client.bank_files.lines import UnreadableFile

DEEPEST = 64
"""Aggregates inside each other. OFX needs twelve."""
MOST_PARTS = 2_000
"""Values and aggregates inside one aggregate that is kept. A statement line has thirty."""
LONGEST_VALUE = 10_000
"""Characters. The standard's longest is 255."""

_TOKEN = re.compile(
    r"<!--.*?-->|<!\[CDATA\[(?P<raw>.*?)\]\]>|<\?[^<>]*\?>|<(?P<end>/)?(?P<name>[A-Za-z0-9._]+)\s*(?P<empty>/)?>",
    re.DOTALL,
)
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#\d{1,7}|#x[0-9A-Fa-f]{1,6});")


@dataclass(slots=True)
class Aggregate:
    """An element with elements inside. `values` are those of its leaves, each name with all that it has."""

    name: str
    line: int
    values: dict[str, list[str]] = field(default_factory=dict)
    parts: "list[Aggregate]" = field(default_factory=list)
    size: int = 0

    @property
    def where(self) -> str:
        """Its place for a person: `line 12`."""
        return f"line {self.line}"

    def value(self, name: str) -> str | None:
        """The value of the leaf `name`; None where there is none or it is empty.

        Raises:
            UnreadableFile: there are two that differ, so that taking either would be a guess.
        """
        found = {text for text in self.values.get(name, ()) if text}
        if len(found) > 1:
            raise UnreadableFile(f"{len(found)} {name} in one {self.name}", where=self.where)
        return found.pop() if found else None

    def part(self, *names: str) -> "Aggregate | None":
        """The first aggregate inside that has one of `names`."""
        return next((part for part in self.parts if part.name in names), None)


def read_aggregates(text: str, *, begins_on: int, released: Collection[str]) -> Iterator[tuple[Aggregate, list[str]]]:
    """Each aggregate when it ends, with the names of those around it. One of `released` is no part of its parent.

    Values end at the next tag, whether or not they are closed. An end tag closes what was left open inside: that
    was an empty value.

    Raises:
        UnreadableFile: a DOCTYPE, an unknown entity, tags that do not fit, too deep, too much in one, or a missing end.
            What was yielded before must be thrown away.
    """
    stack = [Aggregate("", begins_on)]
    last: str | None = None  # the leaf that may still be closed
    line = begins_on
    position = 0
    while position < len(text):
        start = text.find("<", position)
        start = len(text) if start < 0 else start
        token = _TOKEN.match(text, start)
        between = text[position:start]
        if len(stack) > 1 and between.strip():
            raise UnreadableFile("a text that is no value", where=f"line {line}")
        line += between.count("\n")
        if start == len(text):
            break
        if token is None:
            raise _misfit(text, start, line=line)
        position = token.end()
        name = (token["name"] or "").upper()
        if not name:
            line += token[0].count("\n")
        elif token["end"]:
            if name != last:
                yield from _close(stack, name, line=line, released=released)
            last = None
        elif not token["empty"]:
            value, position = _read_value(text, position, line=line)
            line += text.count("\n", token.end(), position)
            last = name if value else None
            _open(stack, name, value, line=line)
        else:
            last = None
    if len(stack) > 1:
        raise UnreadableFile("the file ends before its last element", where=f"line {line}")


def _read_value(text: str, position: int, *, line: int) -> tuple[str, int]:
    """The text up to the next tag, with raw pieces and without comments."""
    parts: list[str] = []
    while True:
        start = text.find("<", position)
        start = len(text) if start < 0 else start
        parts.append(_unescape(text[position:start], line=line))
        token = _TOKEN.match(text, start)
        if sum(map(len, parts)) > LONGEST_VALUE:
            raise UnreadableFile(f"a value of more than {LONGEST_VALUE} characters", where=f"line {line}")
        if token is None or token["name"]:
            return "".join(parts).strip(), start
        parts.append(token["raw"] or "")
        position = token.end()


def _open(stack: list[Aggregate], name: str, value: str, *, line: int) -> None:
    if value:
        _grow(stack[-1], 1, line=line)
        stack[-1].values.setdefault(name, []).append(value)
        return
    stack.append(Aggregate(name, line))
    if len(stack) > DEEPEST:
        raise UnreadableFile("too deep", where=f"line {line}")


def _close(
    stack: list[Aggregate], name: str, *, line: int, released: Collection[str]
) -> Iterator[tuple[Aggregate, list[str]]]:
    names = [one.name for one in stack]
    if name not in names[1:]:
        raise UnreadableFile("an end tag without its beginning", where=f"line {line}")
    while stack[-1].name != name:  # an empty value that was not closed: what seemed to be inside stands beside it
        empty = stack.pop()
        _grow(stack[-1], empty.size, line=line)
        for key, values in empty.values.items():
            stack[-1].values.setdefault(key, []).extend(values)
        stack[-1].parts.extend(empty.parts)
    done = stack.pop()
    if done.name not in released and done.size:
        _grow(stack[-1], 1, line=line)
        stack[-1].parts.append(done)
    yield done, [one.name for one in stack[1:]]


def _grow(aggregate: Aggregate, parts: int, *, line: int) -> None:
    """Counts what is kept in an aggregate; what is released is not."""
    aggregate.size += parts
    if aggregate.size > MOST_PARTS:
        raise UnreadableFile("too much in one element", where=f"line {line}")


def _unescape(text: str, *, line: int) -> str:
    """Banks write a bare `&` into SGML; only what is an entity is one."""
    if "&" not in text:
        return text
    if re.search(r"&#(?:x0*|0+);", text):
        raise UnreadableFile("a NUL character", where=f"line {line}")
    return _ENTITY.sub(lambda match: unescape(match[0]), text)


def _misfit(text: str, start: int, *, line: int) -> UnreadableFile:
    if text.startswith("<!", start):
        return UnreadableFile("a DOCTYPE or declaration, which no bank needs", where=f"line {line}")
    return UnreadableFile("a tag that OFX does not know", where=f"line {line}")
