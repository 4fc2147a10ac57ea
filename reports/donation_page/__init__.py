"""The page on which somebody decides to give: each purpose as it is published, as one HTML file without script.

Nothing stands on it but what two people have signed for the public, and what the page itself says in six languages.
"""

import base64
import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from urllib.parse import urlsplit

from jinja2 import Environment, StrictUndefined, Template

DEFAULT = "en"
"""The language of whoever reads none in which there is a text."""
LINKS = "/give/{tag}"
"""Where the page in each language is, as the server serves it."""
_GROUP = 4


@dataclass(frozen=True, slots=True)
class Bank:
    """Where to send a gift by bank, and with which reference."""

    holder: str
    iban: str
    bic: str | None
    reference: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A purpose to give to: `texts` are title and text by language tag, `fund` is the fund's name."""

    code: str
    texts: Mapping[str, tuple[str, str]]
    fund: str
    net_of_costs: bool
    statement_shows: str
    link: str | None
    bank: Bank | None


@dataclass(frozen=True, slots=True)
class _Shown:
    code: str
    language: str
    title: str
    paragraphs: list[str]
    fund: str
    net_of_costs: bool
    statement_shows: str
    link: str | None
    host: str
    bank: Bank | None


@dataclass(frozen=True, slots=True)
class _Language:
    tag: str
    name: str
    link: str


def render_page(offers: Sequence[Offer], *, organisation: str, language: str, links: str = LINKS) -> bytes:
    """The page in UTF-8 in a language of `languages(offers)`; the same offers always give the same bytes.

    `links` is where the page in another language is, with `{tag}` for its tag.

    A purpose without a text in this language is shown in the nearest one, and says so to a screen reader.
    """
    words_language = nearest(language, among=_words()) or DEFAULT
    page = _template().render(
        organisation=organisation,
        language=language,
        words=_words()[words_language],
        words_language=words_language,
        languages=[_Language(tag, _name(tag), links.format(tag=tag)) for tag in _listed(offers)],
        offers=[_show(offer, language) for offer in offers],
        style=_read("page.css"),
        policy=policy(),
    )
    return page.encode()


def policy() -> str:
    """What the page may do: show its own style, and nothing else (Content Security Policy)."""
    style_hash = base64.b64encode(hashlib.sha256(_read("page.css").encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{style_hash}'; base-uri 'none'; form-action 'none'"


def languages(offers: Sequence[Offer]) -> list[str]:
    """The tags of all languages in which the page can be read."""
    return sorted({*_words(), *(tag for offer in offers for tag in offer.texts)})


def choose(accepted: str, *, offers: Sequence[Offer]) -> str:
    """The language for a reader whose browser says `Accept-Language: accepted`: by their order, then English.

    Only languages count in which something can be read of a purpose, once there is one.
    """
    known = _listed(offers)
    weighed = []
    for place, part in enumerate(accepted[:500].split(",")):
        tag, _, weight = (text.strip() for text in part.partition(";"))
        try:
            quality = float(weight.removeprefix("q=")) if weight else 1.0
        except ValueError:
            continue
        if 0 < quality <= 1:
            weighed.append((-quality, place, tag))
    for _, _, tag in sorted(weighed):
        found = nearest(tag, among=known)
        if found is not None:
            return found
    return nearest(DEFAULT, among=known) or known[0]


def nearest(tag: str, *, among: Sequence[str] | Mapping[str, object]) -> str | None:
    """`tag` or the closest of its more general ones that is there (lookup of RFC 4647), or None."""
    known = {one.lower(): one for one in among}
    wanted = tag.lower()
    while wanted:
        if wanted in known:
            return known[wanted]
        wanted = wanted.rpartition("-")[0]
    return None


def _listed(offers: Sequence[Offer]) -> list[str]:
    """The languages to choose from, those of the page's own words first; all of these while nothing is published."""
    told = {tag for offer in offers for tag in offer.texts}
    own = [tag for tag in _words() if tag in told or not told]
    return [*own, *sorted(told.difference(own))]


def _show(offer: Offer, language: str) -> _Shown:
    tags = sorted(offer.texts)
    shown = nearest(language, among=tags) or nearest(DEFAULT, among=tags) or tags[0]
    title, text = offer.texts[shown]
    bank = offer.bank and Bank(
        offer.bank.holder, _grouped(offer.bank.iban), offer.bank.bic, _grouped(offer.bank.reference)
    )
    return _Shown(
        code=offer.code,
        language=shown,
        title=title,
        paragraphs=[line for line in text.split("\n") if line.strip()],
        fund=offer.fund,
        net_of_costs=offer.net_of_costs,
        statement_shows=offer.statement_shows,
        link=offer.link,
        host=f"https://{urlsplit(offer.link).netloc}/" if offer.link else "",
        bank=bank,
    )


def _grouped(text: str) -> str:
    return " ".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


def _name(tag: str) -> str:
    return _words()[tag]["name"] if tag in _words() else tag


@cache
def _words() -> dict[str, dict[str, str]]:
    return tomllib.loads(_read("words.toml"))


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_read("page.html"))


@cache
def _read(name: str) -> str:
    return (resources.files(__name__) / name).read_text(encoding="utf-8")
