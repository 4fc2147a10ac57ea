"""XML from outside, piece by piece: no DOCTYPE, no entity, no inclusion, no network, bounded depth and memory."""

from collections.abc import Collection, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any, Never

from lxml import etree

from api.client.bank_files.lines import UnreadableFile

LARGEST_FILE = 64 * 2**20
"""Bytes. A year of a busy account is a tenth of it."""
MOST_MEMORY = 120 * 2**20
"""Bytes that the part of a file may take which belongs to no piece, or to one that is not complete yet."""

MOST_ALIKE = 100_000
"""Elements of one name in another."""

_KEPT_CHILDREN = 64
"""Up to how many children are looked up once and kept."""
_HARMLESS: dict[str, Any] = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}
_CHUNK = 2**16
_PROLOG = 2**18
_INCLUSION = "{http://www.w3.org/2001/XInclude}*"
_REASONS = {
    etree.ErrorTypes.ERR_UNDECLARED_ENTITY: "an entity that the file does not define",
    etree.ErrorTypes.ERR_INVALID_CHAR: "a character that XML forbids",
    etree.ErrorTypes.ERR_UNKNOWN_ENCODING: "an encoding that is not known",
    etree.ErrorTypes.ERR_UNSUPPORTED_ENCODING: "an encoding that is not known",
    etree.ErrorTypes.ERR_INVALID_ENCODING: "bytes that do not fit the encoding which the file declares",
    etree.ErrorTypes.ERR_RESOURCE_LIMIT: "too deep, or too large a text",
}
"""Libxml2's own messages quote the file and so never leave this module."""


def find_first(data: bytes, *, names: Collection[str]) -> str | None:
    """The full tag (`{namespace}name`) of the first element with one of the local `names`; None where there is none.

    Looks at what comes before the root element and at the first 256 KiB.

    Raises:
        UnreadableFile: it has a DOCTYPE, is too large, or is not XML so far.
    """
    if len(data) > LARGEST_FILE:
        raise UnreadableFile(f"a file of more than {LARGEST_FILE} bytes", where="the whole file")
    prolog = _Prolog(names)
    parser = etree.XMLParser(**_HARMLESS, target=_untyped(prolog))
    for start in range(0, len(data), _CHUNK):
        if prolog.root_seen and start >= _PROLOG:
            break
        try:
            parser.feed(data[start : start + _CHUNK])
        except etree.XMLSyntaxError as error:
            if prolog.found is None:
                _refuse(error)
        if prolog.found is not None:
            return prolog.found
    return None


def read_pieces(data: bytes, *, names: Collection[str]) -> Iterator["Node"]:
    """Each element with one of the local `names`, in any namespace, when it ends; it is emptied afterwards.

    Elements inside it that have such a name came before it and are empty by then.

    Raises:
        UnreadableFile: see `find_first`; also for an end that is missing and for floods. What was yielded before
            must be thrown away.
    """
    find_first(data, names=names)
    tags = [f"{{*}}{name}" for name in names]
    parser = etree.XMLPullParser(
        events=("end",), tag=[*tags, _INCLUSION], remove_comments=True, remove_pis=True, **_HARMLESS
    )
    kept = growing = 0  # bytes of memory: what stays for good, and what came since the last piece
    where = "the whole file"
    for start in range(0, len(data), _CHUNK):
        chunk = data[start : start + _CHUNK]
        growing += _estimate_memory(chunk)
        _feed(parser, chunk)
        for _, element in _untyped(parser.read_events()):
            node = Node(element)
            where = f"after {node.where}"
            if element.tag.startswith(_INCLUSION[:-1]):
                raise UnreadableFile("an inclusion of another file", where=node.where)
            yield node
            kept, growing = (kept if node.release() else kept + growing), 0
        if kept + growing > MOST_MEMORY:
            raise UnreadableFile("too much that is no entry", where=where)
    try:
        parser.close()
    except etree.XMLSyntaxError as error:
        raise UnreadableFile("the file ends before its last element", where=f"line {error.lineno}") from None


class Node:
    """An element, asked by the local names of what is inside it. Two where one is asked for are never one.

    Comments and processing instructions are not there, so that they cannot cut a text in two.
    """

    __slots__ = ("_children", "_element")

    def __init__(self, element: etree._Element) -> None:
        self._element = element
        self._children: dict[str, list[Node]] | None = None

    @property
    def name(self) -> str:
        """The local name."""
        return _strip_namespace(self._element.tag)

    @property
    def where(self) -> str:
        """Its place for a person: `line 12`."""
        return f"line {self._element.sourceline}"

    @property
    def parent(self) -> "Node | None":
        """What it stands in."""
        parent = self._element.getparent()
        return None if parent is None else Node(parent)

    def attribute(self, name: str) -> str | None:
        """The value of an attribute."""
        return self._element.get(name)

    def all(self, name: str) -> "list[Node]":
        """Its children with that name, in their order.

        Raises:
            UnreadableFile: they are more than MOST_ALIKE.
        """
        if len(self._element) <= _KEPT_CHILDREN:
            return self._sorted().get(name, [])
        # Others are left to the parser, and none is kept: what Python holds of one is more than what the parser does.
        children = self._element.iterchildren(f"{{*}}{name}")
        found = [Node(child) for child in islice(children, MOST_ALIKE + 1)]
        if len(found) > MOST_ALIKE:
            raise UnreadableFile(f"more than {MOST_ALIKE} {name} in one {self.name}", where=self.where)
        return found

    def one(self, *path: str) -> "Node | None":
        """What stands at `path`, where each name may stand once.

        Raises:
            UnreadableFile: a name stands there twice, so that taking either would be a guess.
        """
        node = self
        for name in path:
            found = node.all(name)
            if not found:
                return None
            if len(found) > 1:
                raise UnreadableFile(f"{len(found)} {name} in one {node.name}", where=node.where)
            node = found[0]
        return node

    def any(self, *paths: tuple[str, ...]) -> "Node | None":
        """What stands at the first of `paths` that leads anywhere: versions of a format differ in where things are."""
        for path in paths:
            found = self.one(*path)
            if found is not None:
                return found
        return None

    def text(self) -> str | None:
        """All its text without the white space around it; None where there is none.

        Raises:
            UnreadableFile: it has elements inside, so that its text is not whole.
        """
        if len(self._element):
            raise UnreadableFile(f"{self.name} holds more than text", where=self.where)
        return (self._element.text or "").strip(" \t\r\n") or None

    def text_at(self, *path: str) -> str | None:
        """The text of what stands at `path`; None where nothing does."""
        found = self.one(*path)
        return None if found is None else found.text()

    def forget(self) -> None:
        """Drops what was looked up in it, which would take thrice the memory of the element."""
        self._children = None

    def release(self) -> bool:
        """Frees the memory; False where something else stands between it and the last of its kind, and stays.

        The element itself stays until its successor comes, because the parser still stands on it.
        """
        self.forget()
        _untyped(self._element).clear(keep_tail=True)
        before, parent = self._element.getprevious(), self._element.getparent()
        if parent is None or before is None or before.tag != self._element.tag:
            return False
        parent.remove(before)
        return True

    def _sorted(self) -> "dict[str, list[Node]]":
        if self._children is None:
            self._children = {}
            for child in self._element:
                self._children.setdefault(_strip_namespace(child.tag), []).append(Node(child))
        return self._children


@lru_cache(maxsize=1024)
def _strip_namespace(tag: str) -> str:
    return tag.rpartition("}")[2]


class _Prolog:
    """Hears the parser until it meets one of `names`."""

    def __init__(self, names: Collection[str]) -> None:
        self.names = names
        self.root_seen = False
        self.found: str | None = None

    def doctype(self, *_: object) -> Never:
        raise UnreadableFile("a DOCTYPE, which no bank needs", where="before the first element")

    def start(self, tag: str, _: object) -> None:
        self.root_seen = True
        if self.found is None and _strip_namespace(tag) in self.names:
            self.found = tag

    def close(self) -> None:
        pass


def _untyped(value: Any) -> Any:
    """Lxml's type stubs know neither a target that keeps nothing, nor events without namespaces, nor `keep_tail`."""
    return value


def _estimate_memory(chunk: bytes) -> int:
    """What libxml2 makes of it: the text itself, 120 bytes for an element or a text, twice that for an attribute."""
    return len(chunk) + 120 * chunk.count(b"<") + 240 * chunk.count(b"=")


def _feed(parser: Any, chunk: bytes) -> None:
    try:
        parser.feed(chunk)
    except etree.XMLSyntaxError as error:
        _refuse(error)
    # With resolve_entities=False lxml lets an undefined entity pass here, and takes the next chunk for a new document.
    for entry in parser.feed_error_log:
        if entry.level >= etree.ErrorLevels.ERROR:
            raise UnreadableFile(_REASONS.get(entry.type, "not well-formed XML"), where=f"line {entry.line}")


def _refuse(error: etree.XMLSyntaxError) -> Never:
    reason = _REASONS.get(_untyped(error).code, "not well-formed XML")
    raise UnreadableFile(reason, where=f"line {error.lineno}") from None
