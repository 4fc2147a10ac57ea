"""Hostile XML: what it must never do, and that the refusal tells the place and nothing of the text."""

import time
import tracemalloc

import pytest

from api.client.bank_files import detection, markup
from api.client.bank_files.lines import UnknownFormat, UnreadableFile
from api.client.bank_files.markup import find_first, read_pieces

START = b"<list>\n"
ITEM = b"<item>10</item>\n"
END = b"</list>"
CHUNK = 2**16


def items(data: bytes) -> list[str | None]:
    return [node.text() for node in read_pieces(data, names=("item",))]


def test_pieces_are_read_in_any_namespace_and_encoding() -> None:
    text = '<?xml version="1.0" encoding="{}"?><a:list xmlns:a="urn:x"><a:item>Ўёї</a:item></a:list>'

    assert items(text.format("UTF-8").encode()) == ["Ўёї"]
    assert items(text.format("UTF-8").encode("utf-8-sig")) == ["Ўёї"]
    assert items(text.format("UTF-16").encode("utf-16")) == ["Ўёї"]
    assert items(text.format("windows-1251").encode("windows-1251")) == ["Ўёї"]


def test_a_comment_cannot_cut_a_text_in_two() -> None:
    data = START + b"<item>1<!-- x -->0<?p q?><![CDATA[7]]>&#56;</item>" + END

    assert items(data) == ["1078"]


def test_a_text_with_an_element_inside_is_no_text() -> None:
    with pytest.raises(UnreadableFile) as refusal:
        items(START + b"<item>1<b/>0</item>" + END)

    assert refusal.value.data["where"] == "line 2"


def test_one_of_two_is_never_taken() -> None:
    node = next(read_pieces(b"<list><a>1</a><b>2</b><a>3</a></list>", names=("list",)))

    assert node.text_at("b") == "2"
    with pytest.raises(UnreadableFile):
        node.one("a")


def nested(depth: int) -> bytes:
    return b"<list>" + b"<a>" * depth + b"</a>" * depth + END


HOSTILE = {
    "a doctype": b"<!DOCTYPE list>" + START + ITEM + END,
    "a doctype behind a long comment": b"<!--" + b"x" * 300_000 + b"-->\n<!DOCTYPE list>" + START + END,
    "an entity from a file": b'<!DOCTYPE list [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    + START
    + b"<item>&x;</item></list>",
    "a parameter entity": b'<!DOCTYPE list [<!ENTITY % x SYSTEM "http://127.0.0.1:9/">%x;]>' + START + ITEM + END,
    "an entity nobody defines": START + b"<item>1&x;0</item>" + END,
    "an inclusion": START
    + b'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>'
    + END,
    "30,000 levels": nested(30_000),
    "300 levels": nested(300),
    "a text of 11 million letters": START + b"<item>" + b"x" * 11_000_000 + b"</item>" + END,
    "elements that belong to nothing": START + b"<a/>" * 2_000_000 + END,
    "elements between the items": START + (b"<a/>" * 200_000 + ITEM + ITEM) * 8 + END,
    "attributes that belong to nothing": START
    + (b"<a " + b" ".join(b'a%d=""' % n for n in range(500)) + b"/>") * 2_000
    + END,
    "bytes that are not UTF-8": START + "<item>Ёлка</item>".encode("windows-1251") + END,
    "an unknown encoding": b'<?xml version="1.0" encoding="klingon"?>' + START + END,
    "a NUL": START + b"<item>1\x000</item>" + END,
    "a reference to a NUL": START + b"<item>1&#0;0</item>" + END,
    "an end in the middle": START + ITEM + b"<item>1",
    "an end in a letter": START + ITEM + b"<item>\xd0",
    "an end before the last tag": START + ITEM,
    "something behind the end": START + ITEM + END + b"<list/>",
    "tags that cross": START + b"<item>1</list></item>",
    "a prefix nobody declares": START + b"<x:item>1</x:item>" + END,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_markup_is_refused_fast_with_its_place(name: str) -> None:
    began = time.process_time()

    with pytest.raises(UnreadableFile) as refusal:
        items(HOSTILE[name])

    assert time.process_time() - began < 2
    assert refusal.value.data["where"]
    assert "passwd" not in str(refusal.value)


def test_what_follows_an_undefined_entity_is_not_taken_for_a_new_document() -> None:
    before = START + ITEM + b"<item>&x;"
    second = START + b"<item>666</item>" + END
    pieces = read_pieces(before + b" " * (CHUNK - len(before)) + second, names=("item",))

    with pytest.raises(UnreadableFile) as refusal:
        next(pieces)

    assert refusal.value.data["where"] == "line 3"
    assert next(pieces, None) is None


def test_many_pieces_take_no_more_memory_than_few() -> None:
    count = 0
    for node in read_pieces(START + ITEM * 200_000 + END, names=("item",)):
        siblings = node.parent.all("item") if node.parent and count % 10_000 == 0 else []
        assert len(siblings) < CHUNK
        count += 1

    assert count == 200_000


def test_what_nobody_asks_for_in_a_piece_costs_python_nothing() -> None:
    node = next(read_pieces(START + b"<item>" + b"<a/>" * 100_000 + b"<b>7</b></item>" + END, names=("item",)))
    tracemalloc.start()
    try:
        found = node.text_at("b")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert found == "7"
    assert peak < 2**20


def test_more_of_one_name_in_an_element_than_any_bank_writes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markup, "MOST_ALIKE", 100)
    node = next(read_pieces(START + b"<item>" + b"<a/>" * 101 + b"</item>" + END, names=("item",)))

    with pytest.raises(UnreadableFile, match="more than 100 a in one item"):
        node.all("a")


def test_a_name_is_found_inside_an_envelope() -> None:
    data = b'<e:envelope xmlns:e="urn:e"><head/><list xmlns="urn:x"/></e:envelope>'

    assert find_first(data, names=("list",)) == "{urn:x}list"
    assert find_first(data, names=("item",)) is None


def test_a_node_tells_what_it_is() -> None:
    node = next(read_pieces(b'<list>\n<item kind="x">1</item></list>', names=("item",)))

    assert (node.name, node.where, node.attribute("kind"), node.attribute("other")) == ("item", "line 2", "x", None)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"a;b;c\n1;2;3\n",
        b":20:START\n",
        b"{}",
        START + ITEM + END,
        b"<html></html>",
    ],
)
def test_a_file_of_no_known_format_is_refused(data: bytes) -> None:
    with pytest.raises(UnknownFormat) as refusal:
        detection.read(data)

    assert refusal.value.data == {"where": "the whole file"}
