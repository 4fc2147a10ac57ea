"""A legal receipt, or the note that one counts no more, as PDF in the language that its donor reads."""

import tomllib
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import Any

from ledger.errors import BadInput
from ledger.money import Money
from reports import layout
from reports.layout import Document
from reports.pagination import GROUP, LINE, NOTE, TOTAL, Column, Row
from reports.receipts.facts import Cancelled, Facts, Gift, Letterhead, Recipient

_OPEN = replace(LINE, stays=True)
"""A line that goes on in the next one, without a rule between them."""
LANGUAGES = ("en", "de", "ru", "be")
"""What receipts are written in."""


class BadFacts(BadInput):
    """No gifts, gifts of several currencies, no name, or another language; `where` tells."""

    rule = "bad_receipt_facts"


def render_pdf(facts: Facts) -> bytes:
    """The receipt; the same facts give the same bytes.

    Raises:
        BadFacts: see there. MissingGlyph: a name in letters that the typefaces lack is written in Latin or Cyrillic
            ones first; a box in their place would certify nothing.
    """
    _check(facts)
    if len({gift.certified.currency for gift in facts.gifts}) != 1:
        raise BadFacts("a receipt is of gifts in one currency", where="gifts")
    words = words_of(facts.lang)
    label = words["number"].format(label=facts.label)
    return layout.render(
        Document(
            organisation=facts.letterhead.name,
            label=f"{words['title']} {label}",
            title=words["title"],
            subtitle=f"{label} · {words['issued'].format(day=facts.issued_on.strftime(words['day']))}",
            prepared=words["reference"].format(alias=facts.alias),
            columns=(
                Column("", width=118.0),
                Column(""),
                Column("", holds_figures=True),
            ),
            rows=_rows(facts, words),
            lang=facts.lang,
            page=words["page"],
        )
    )


def render_cancellation(facts: Cancelled) -> bytes:
    """The note that a receipt counts no more, for its donor; the same facts give the same bytes.

    Raises:
        BadFacts, MissingGlyph: as `render_pdf`.
    """
    _check(facts)
    words = words_of(facts.lang)
    label, day = words["number"].format(label=facts.label), words["day"]
    told = words["cancelled"].format(label=facts.label, issued=facts.issued_on.strftime(day))
    figure = _amount(facts.amount, words)
    rows = [
        *_parties(facts.letterhead, facts.recipient, words),
        Row(GROUP, (told,)),
        Row(LINE, (words["total"], figure, "")),
        Row(LINE, (words["reason"], words["reasons"][facts.reason], "")),
        *(Row(NOTE, (words[line],)) for line in ("no_more", "hand_back")),
    ]
    return layout.render(
        Document(
            organisation=facts.letterhead.name,
            label=f"{words['cancellation']} {label}",
            title=words["cancellation"],
            subtitle=f"{label} · {words['issued'].format(day=facts.cancelled_on.strftime(day))}",
            prepared=words["reference"].format(alias=facts.alias),
            columns=(Column("", width=118.0), Column(""), Column("", holds_figures=True)),
            rows=tuple(rows),
            lang=facts.lang,
            page=words["page"],
        )
    )


@cache
def words_of(lang: str) -> dict[str, Any]:
    """The words of one language."""
    read = tomllib.loads(resources.files("reports.receipts").joinpath("words.toml").read_text("utf-8"))
    words: dict[str, Any] = read[lang]
    return words


def _rows(facts: Facts, words: dict[str, Any]) -> tuple[Row, ...]:
    rows = [
        *_parties(facts.letterhead, facts.recipient, words),
        Row(GROUP, (words["gifts"],)),
        *(_gift(gift, words) for gift in sorted(facts.gifts, key=lambda one: (one.received_on, one.alias))),
    ]
    currency = facts.gifts[0].certified.currency
    total = Money(sum(gift.certified.minor for gift in facts.gifts), currency)
    rows.append(Row(TOTAL, (words["total"], "", _amount(total, words))))
    if facts.replaces:
        rows.append(Row(NOTE, (words["replaces"].format(label=facts.replaces),)))
    rows += [Row(NOTE, (line,)) for line in _lines(facts.letterhead.note)]
    return tuple(rows)


def _check(facts: Facts | Cancelled) -> None:
    if facts.lang not in LANGUAGES:
        raise BadFacts("receipts are written in no such language", where="lang")
    if not facts.recipient.name.strip() or not facts.letterhead.name.strip():
        raise BadFacts("a receipt names who gave and who received", where="name")


def _parties(head: Letterhead, to: Recipient, words: dict[str, Any]) -> list[Row]:
    """Who issued, and who gave."""
    return [
        *_told(words["issuer"], head.name),
        *_told(words["address"], head.address),
        *_told(words["registration"], head.registration),
        *_told(words["donor"], to.name),
        *_told(words["address"], to.address),
        *_told(words["tax_id"], to.tax_id),
    ]


def _told(head: str, text: str) -> list[Row]:
    """A row for each line of the text, the first beside its head, with a hairline below the last; none for no text."""
    lines = _lines(text)
    looks = [_OPEN] * (len(lines) - 1) + [LINE]
    return [Row(looks[nth], (head if nth == 0 else "", line, "")) for nth, line in enumerate(lines)]


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _gift(gift: Gift, words: dict[str, Any]) -> Row:
    said = f"{words['sources'].get(gift.source, gift.source)}, {gift.alias}"
    if gift.given != gift.certified:
        said += f" ({words['reduced'].format(given=_amount(gift.given, words))})"
    return Row(LINE, (gift.received_on.strftime(words["day"]), said, _amount(gift.certified, words)))


def _amount(amount: Money, words: dict[str, Any]) -> str:
    whole, point, decimals = amount.decimal().partition(".")
    grouped = f"{int(whole):,}".replace(",", words["thousands"])
    figure = f"{grouped}{words['point']}{decimals}" if point else grouped
    return f"{figure} {amount.currency}"
