"""The public page, read as a browser, a screen reader and an attacker would."""

import base64
import hashlib
import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from reports.transparency.blocks import Atom, Block
from reports.transparency.page import BadFileName, DataFile, MixedCurrencies, render_page
from reports.transparency.words import ABSENT, PROMISE

HOSTILE = """<script>alert(1)</script>"><img src=x onerror=alert(1)>' {{ 7*7 }} </title></style> & River"""


def block(first: str, last: str, *atoms: Atom, carried: tuple[str, ...] = (), series: str = "main") -> Block:
    return Block(series=series, first_month=first, last_month=last, currency="BYN", atoms=atoms, carried_months=carried)


SUMMER = block("2020-08", "2020-10", Atom(("fine",), 160, 12_960_000), Atom(("detention", "court_fee"), 35, 47_000))
NOVEMBER = block("2020-11", "2020-11", Atom(("fine",), 45, 3_640_000), Atom(("detention", "court_fee"), 15, 21_000))
SILENT = block("2020-12", "2020-12")
WINTER = block("2021-01", "2021-01", Atom(("fine", "detention", "court_fee"), 20, 1_110_000), carried=("2020-12",))
SPRING = block("2021-02", "2021-04")
LARGE = block("2020-08", "2020-12", Atom(("bail",), 10, 130_000_000), series="large")
PAID = (SUMMER, NOVEMBER, SILENT, WINTER, SPRING, LARGE)
GIFTS = (replace(SUMMER, currency="EUR", atoms=(Atom(("card",), 405, 2_130_000),)),)


class Reader(HTMLParser):
    """Keeps the elements with their attributes, and the text outside head and style."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, f"{tag} closes another element"

    def handle_data(self, data: str) -> None:
        if "head" not in self._open:
            self.text.append(data)

    def visible(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.text)).strip()

    def every(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def a_page(
    paid: tuple[Block, ...] = PAID, received: tuple[Block, ...] = GIFTS, *, organisation: str = "Friends of the River"
) -> bytes:
    return render_page(paid, received, organisation=organisation, published_on=date(2021, 5, 3))


@pytest.mark.parametrize("page", [a_page(), a_page((), ()), a_page(organisation=HOSTILE)])
def test_nothing_runs_and_nothing_is_loaded(page: bytes) -> None:
    reader = Reader(page)
    tags = {tag for tag, _ in reader.elements}
    attributes = {(tag, name) for tag, given in reader.elements for name in given}

    assert not tags & {"script", "iframe", "object", "embed", "link", "img", "form", "input", "base", "audio", "video"}
    assert not any(name.startswith("on") or name in ("src", "srcset", "style", "ping") for _, name in attributes)
    assert {tag for tag, name in attributes if name == "href"} <= {"a"}
    style = page.decode().partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    assert "://" not in page.decode()


def test_every_link_stays_beside_the_page() -> None:
    links = [given["href"] for given in Reader(a_page()).every("a")]

    assert links == ["data/paid.csv", "data/paid.json", "data/received.csv", "data/received.json"]


def test_the_policy_admits_the_pages_own_style_and_nothing_else() -> None:
    page = a_page().decode()
    style = page.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    (policy,) = [
        given["content"]
        for given in Reader(page.encode()).every("meta")
        if given.get("http-equiv") == "Content-Security-Policy"
    ]

    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_a_hostile_organisation_is_text() -> None:
    reader = Reader(a_page(organisation=HOSTILE))

    assert reader.visible().startswith(HOSTILE)
    assert [tag for tag, _ in reader.elements] == [tag for tag, _ in Reader(a_page()).elements]


def test_every_figure_is_a_published_one_or_a_sum_of_published_ones() -> None:
    text = Reader(a_page()).visible()
    text = text.replace("Latest publication: 3 May 2021.", "")
    text = re.sub(r"\b(January|February|March|April|May|August|October|November|December) 20\d\d", "", text)
    text = text.replace(PROMISE, "")
    shown = {int(number.replace(",", "")) for number in re.findall(r"\d[\d,.]*\d|\d", text)}

    published = {
        *(160, 129_600, 35, 470, 45, 36_400, 15, 210, 20, 11_100, 10, 1_300_000, 405, 21_300),  # atoms
        *(130_070, 36_610),  # blocks
        *(160 + 45, 129_600 + 36_400, 35 + 15, 470 + 210),  # groups over all blocks
        *(160 + 35 + 45 + 15 + 20 + 10, 130_070 + 36_610 + 11_100 + 1_300_000),  # everything
    }
    assert shown == published


def test_what_was_paid_for_is_said_in_words() -> None:
    text = Reader(a_page()).visible()

    assert "Fines, detention bills and court fees" in text
    assert "January 2021 with December 2020" in text
    assert "What a detention facility billed for the days somebody was held there." in text


def test_the_promise_is_printed_word_for_word() -> None:
    assert PROMISE in Reader(a_page()).visible()
    assert PROMISE in Reader(a_page((), ())).visible()


def test_silence_means_none_or_not_yet_and_no_zero_is_printed() -> None:
    text = Reader(a_page()).visible()

    assert f"February to April 2021: {ABSENT}." in text
    assert "December 2020:" not in text  # it was carried, and is told with January
    assert not re.search(r"(?<![\d,])0(?![\d,])", text)


def test_a_page_before_the_first_publication_says_so() -> None:
    page = render_page((SPRING,), (), organisation="Friends of the River", published_on=None)
    text = Reader(page).visible()

    assert f"Nothing is published so far: {ABSENT}." in text
    assert "Latest publication" not in text
    assert "What was received" not in text


def test_bars_are_drawn_from_two_blocks_on_and_to_scale() -> None:
    assert Reader(a_page((SUMMER,), ())).every("rect") == []

    widths = [given["width"] for given in Reader(a_page(received=())).every("rect")]

    assert widths == ["100.0%", "28.1%", "8.5%"]


def test_headings_descend_and_tables_have_captions_and_scopes() -> None:
    reader = Reader(a_page())
    levels = [int(tag[1]) for tag, _ in reader.elements if re.fullmatch(r"h\d", tag)]

    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))
    assert len(reader.every("caption")) == len(reader.every("table")) == 5
    assert {given.get("scope") for given in reader.every("th")} == {"col", "row", "rowgroup"}
    assert all(given.get("aria-hidden") == "true" for given in reader.every("svg"))
    assert reader.every("html") == [{"lang": "en"}]


def test_identifiers_are_unique_and_sections_are_labelled_by_them() -> None:
    reader = Reader(a_page())
    identifiers = [given["id"] for _, given in reader.elements if "id" in given]

    assert len(identifiers) == len(set(identifiers))
    assert {given["aria-labelledby"] for given in reader.every("section")} <= set(identifiers)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_has_contrast_in_light_and_dark(scheme: int) -> None:
    style = a_page().decode().partition("<style>")[2]
    root = re.findall(r":root \{(.*?)\}", style, re.DOTALL)[scheme]
    colours = dict(re.findall(r"--(\w+): #([0-9a-f]{6})\b", root))

    for ink in ("ink", "quiet", "accent"):
        for paper in ("paper", "tint"):
            assert contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)
    assert contrast(colours["bar"], colours["paper"]) >= 3


def contrast(ink: str, paper: str) -> float:
    """The ratio of relative luminances (WCAG 2.2)."""
    lighter, darker = sorted((luminance(ink), luminance(paper)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_two_runs_give_the_same_bytes() -> None:
    assert a_page() == a_page()


def test_blocks_in_two_currencies_are_not_added() -> None:
    with pytest.raises(MixedCurrencies):
        a_page((SUMMER, replace(NOVEMBER, currency="EUR")))


@pytest.mark.parametrize(
    "path", ["https://example.org/a.csv", "/etc/passwd", "../a.csv", "javascript:alert(1)", "", "a//b"]
)
def test_data_files_lie_below_the_page(path: str) -> None:
    with pytest.raises(BadFileName):
        render_page(PAID, (), organisation="Friends", published_on=None, data_files=[DataFile(path, "x")])


def test_the_index_lists_the_files_it_is_given() -> None:
    files = [DataFile("data/2021/paid.csv", "What was paid <in 2021>")]

    page = render_page(PAID, (), organisation="Friends", published_on=None, data_files=files)

    assert [given["href"] for given in Reader(page).every("a")] == ["data/2021/paid.csv"]
    assert "What was paid <in 2021>" in Reader(page).visible()
