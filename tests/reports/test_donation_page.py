"""The donation page, read as a browser, a screen reader and an attacker would."""

import base64
import hashlib
import os
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import PurePosixPath

import pytest

from reports import donation_page
from reports.donation_page import Bank, Offer, choose, render_page
from reports.offers import Offers

HOSTILE = """<script>alert(1)</script>"><img src=x onerror=alert(1)>' {{ 7*7 }} </title></style> & River"""
LINK = "https://donate.stripe.com/Invented0001"
FINES = Offer(
    code="FINES",
    texts={
        "en": ("Fines", "For fines after assemblies.\nEach after its ruling."),
        "be": ("Штрафы", "На штрафы."),  # noqa: RUF001  # Belarusian
        "fa": ("جریمه", "برای جریمه"),
    },
    fund="The fund of fines",
    net_of_costs=False,
    statement_shows="INVENTED FUND",
    link=LINK,
    bank=Bank("Invented Fund", "DE89370400440532013000", "COBADEFFXXX", "RF18INVENTED00000001"),
)
BILLS = Offer(
    code="DETENTION",
    texts={"en": ("Detention bills", "For bills.")},
    fund="Detention",
    net_of_costs=True,
    statement_shows="INVENTED FUND",
    link=None,
    bank=None,
)
SPOKEN = ("be", "de", "en", "pl", "ru", "uk")
VOID = {"meta", "img", "br"}


class Reader(HTMLParser):
    """Keeps the elements with their attributes, and the text outside head and style with the language it is in."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[tuple[str | None, str]] = []
        self._open: list[tuple[str, str | None]] = []
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.elements.append((tag, given))
        if tag not in VOID:
            inherited = self._open[-1][1] if self._open else None
            self._open.append((tag, given.get("lang") or inherited))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag, f"{tag} closes another element"

    def handle_data(self, data: str) -> None:
        if data.strip() and "head" not in {tag for tag, _ in self._open}:
            self.text.append((self._open[-1][1], " ".join(data.split())))

    def visible(self) -> str:
        return " ".join(text for _, text in self.text)

    def in_language(self, tag: str) -> list[str]:
        return [text for language, text in self.text if language == tag]

    def every(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def a_page(*offers: Offer, language: str = "en", organisation: str = "Friends of the River") -> bytes:
    return render_page(offers, organisation=organisation, language=language)


def hostile() -> Offer:
    return Offer(
        code="FINES",
        texts={"en": (HOSTILE, HOSTILE)},
        fund=HOSTILE,
        net_of_costs=False,
        statement_shows="INVENTED FUND",
        link=LINK,
        bank=Bank(HOSTILE, "DE89370400440532013000", None, "RF18INVENTED00000001"),
    )


@pytest.mark.parametrize(
    "page",
    [a_page(FINES, BILLS), a_page(), a_page(hostile(), organisation=HOSTILE)],
    ids=["offers", "nothing", "hostile"],
)
def test_nothing_runs_nothing_is_loaded_and_nothing_asks_for_input(page: bytes) -> None:
    reader = Reader(page)
    tags = {tag for tag, _ in reader.elements}
    attributes = {(tag, name) for tag, given in reader.elements for name in given}

    assert not tags & {"script", "iframe", "object", "embed", "link", "img", "form", "input", "base", "audio", "video"}
    assert not any(name.startswith("on") or name in ("src", "srcset", "style", "ping") for _, name in attributes)
    style = page.decode().partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    assert {given.get("http-equiv", given.get("name")) for given in reader.every("meta")} == {
        None,
        "Content-Security-Policy",
        "referrer",
        "viewport",
        "color-scheme",
    }


def test_hostile_words_are_shown_as_words() -> None:
    page = a_page(hostile(), organisation=HOSTILE)

    shown = " ".join(HOSTILE.split())
    assert Reader(page).visible().count(shown) == 5
    assert b"<script" not in page
    assert b"49" not in page.replace(b"#59636e", b"")


def test_links_lead_to_the_processor_and_to_other_languages_and_tell_nobody_from_where() -> None:
    links = Reader(a_page(FINES, BILLS)).every("a")

    assert [given["href"] for given in links] == ["/give/be", "/give/fa", LINK]
    (outward,) = [given for given in links if given["href"] == LINK]
    assert (outward["rel"], outward["referrerpolicy"]) == ("noopener noreferrer nofollow", "no-referrer")


def test_the_policy_admits_the_pages_own_style_and_nothing_else() -> None:
    page = a_page(FINES).decode()
    style = page.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    expected = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"

    assert donation_page.policy() == expected
    assert expected in [given.get("content") for given in Reader(page.encode()).every("meta")]


def test_a_purpose_is_shown_with_all_that_a_giver_should_know() -> None:
    text = Reader(a_page(FINES)).visible()

    for part in (
        "Fines For fines after assemblies. Each after its ruling.",
        "The fund of fines",
        "Our general fund pays it.",
        "Your card statement will show INVENTED FUND",
        "begins with https://donate.stripe.com/",
        "Invented Fund IBAN DE89 3704 0044 0532 0130 00 BIC COBADEFFXXX Reference RF18 INVE NTED 0000 0001",
        "please do not give",
    ):
        assert part in text
    assert "It is taken from your gift." in Reader(a_page(replace(BILLS, link=LINK))).visible()
    assert "fee" not in Reader(a_page(BILLS)).visible()
    assert "Give by card" not in Reader(a_page(BILLS)).visible()
    assert "By bank transfer" not in Reader(a_page(BILLS)).visible()


def test_no_figure_stands_on_the_page_but_what_was_signed() -> None:
    text = Reader(a_page(BILLS)).visible()

    assert not re.search(r"\d", text)


def test_each_text_says_in_which_language_it_is() -> None:
    reader = Reader(a_page(FINES, BILLS, language="be"))

    assert reader.every("html") == [{"lang": "be"}]
    assert "На штрафы." in reader.in_language("be")  # noqa: RUF001  # Belarusian
    assert reader.in_language("en") == ["English", "Detention bills", "For bills."]
    assert reader.in_language("zxx")[0] == "INVENTED FUND"
    persian = Reader(a_page(FINES, language="fa"))
    assert persian.in_language("fa")[-2:] == ["جریمه", "برای جریمه"]
    assert persian.every("html") == [{"lang": "en"}]
    assert {given.get("dir") for given in persian.every("h2")} == {"auto"}


@pytest.mark.parametrize("language", ["be", "ru", "en", "de", "uk", "pl"])
def test_the_page_has_words_of_its_own_in_six_languages(language: str) -> None:
    reader = Reader(a_page(language=language))
    words = {text for tag, text in Reader(a_page()).text if tag == "en"} - {"Friends of the River"}

    assert reader.every("html") == [{"lang": language}]
    assert language == "en" or not words & {text for tag, text in reader.text if tag == language}


def test_headings_descend_identifiers_are_unique_and_sections_and_links_are_named() -> None:
    reader = Reader(a_page(FINES, BILLS))
    levels = [int(tag[1]) for tag, _ in reader.elements if re.fullmatch(r"h\d", tag)]
    identifiers = [given["id"] for _, given in reader.elements if "id" in given]
    labels = [given["aria-labelledby"] or "" for _, given in reader.elements if "aria-labelledby" in given]

    assert levels == [1, 2, 3, 2]
    assert all(below - above <= 1 for above, below in pairwise(levels))
    assert len(identifiers) == len(set(identifiers))
    assert {name for label in labels for name in label.split()} <= set(identifiers)
    assert "g-FINES p-FINES" in labels


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_has_contrast_in_light_and_dark(scheme: int) -> None:
    style = a_page().decode().partition("<style>")[2]
    root = re.findall(r":root \{(.*?)\}", style, re.DOTALL)[scheme]
    colours = dict(re.findall(r"--([\w-]+): #([0-9a-f]{6})\b", root))

    for ink in ("ink", "quiet", "accent"):
        for paper in ("paper", "tint"):
            assert contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)
    assert contrast(colours["on-accent"], colours["accent"]) >= 4.5


def contrast(ink: str, paper: str) -> float:
    """The ratio of relative luminances (WCAG 2.2)."""
    lighter, darker = sorted((luminance(ink), luminance(paper)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ("", "en"),
        ("*", "en"),
        ("be", "be"),
        ("BE-by, en;q=0.8", "be"),
        ("be-tarask;q=0.9, en;q=0.5", "be"),
        ("ru, fa;q=0.5, be;q=0.7", "be"),
        ("ru", "en"),
        ("be;q=0, en;q=0.1", "en"),
        ("be;q=2, fa;q=x, en", "en"),
        ("be;q=nan, be;q=-1", "en"),
        ("-, ;;;q=, \x00", "en"),
        ("x" * 4_000 + ", be", "en"),
    ],
)
def test_the_reader_gets_the_nearest_language_in_which_there_is_something_to_read(accepted: str, chosen: str) -> None:
    assert choose(accepted, offers=[FINES]) == chosen


def test_before_anything_is_published_the_page_speaks_all_its_languages() -> None:
    assert choose("pl, en;q=0.5", offers=[]) == "pl"
    assert donation_page.languages([]) == ["be", "de", "en", "pl", "ru", "uk"]
    assert donation_page.languages([FINES]) == ["be", "de", "en", "fa", "pl", "ru", "uk"]


def test_a_page_without_english_begins_with_what_there_is() -> None:
    persian = Offer("FINES", {"fa": FINES.texts["fa"]}, "Fines", False, "INVENTED FUND", None, None)  # fields

    assert choose("en", offers=[persian]) == "fa"
    assert Reader(a_page(persian, language="pl")).in_language("fa") == ["fa", *FINES.texts["fa"]][1:]


def test_the_files_of_the_page_link_to_each_other_wherever_they_lie() -> None:
    files = Offers("Invented Fund", (FINES, BILLS)).files()

    assert set(files) == {"give/index.html", *(f"give/{tag}/index.html" for tag in (*SPOKEN, "fa"))}
    for path, page in files.items():
        links = [given["href"] for tag, given in Reader(page).elements if tag == "a" and given.get("hreflang")]
        folder = PurePosixPath(path).parent
        assert len(links) >= 2
        assert {os.path.normpath(folder / str(link)) for link in links} <= set(files)
