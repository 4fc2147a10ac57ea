"""What donors may be told, and what somebody might try to tell them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.giving import purpose_texts
from ledger.giving.purpose_texts import BadPurposeText
from tests.told import IBAN, LINK, TEXTS, a_text, content

CANARY = "Kanarejka"


def told(title: str = "Fines", text: str = "For fines.", tag: str = "en") -> dict[str, Any]:
    return {"texts": {tag: {"title": title, "text": text}}}


def test_a_version_is_read_back_from_its_canonical_text_and_from_no_other() -> None:
    text = a_text()

    assert purpose_texts.read(text.canonical()) == text
    for other in (
        json.dumps(content()),
        text.canonical() + " ",
        text.canonical().replace(":1,", ":1.0,", 1),
        "{}",
        "[",
    ):
        with pytest.raises(BadPurposeText):
            purpose_texts.read(other)


@pytest.mark.parametrize(
    "tag", ["be", "be-tarask", "ru", "zh-Hant-TW", "es-419", "sl-rozaj-biske", "zh-yue", "de-1996", "en-u-co-phonebk"]
)
def test_a_language_is_any_tag_in_its_canonical_case(tag: str) -> None:
    assert list(a_text(**told(tag=tag)).texts) == [tag]


@pytest.mark.parametrize("tag", ["", "EN", "e", "english-", "be_BY", "en-us", "en\n", "../en", "<b>", "ен", "x" * 36])
def test_what_is_no_language_tag_is_refused_and_not_repeated(tag: str) -> None:
    with pytest.raises(BadPurposeText) as refusal:
        a_text(**told(tag=tag))

    assert refusal.value.data == {"where": "texts"}


@pytest.mark.parametrize(
    "link",
    [
        None,
        LINK,
        "https://buy.stripe.com/test_00g",
    ],
)
def test_a_payment_link_is_one_of_the_processors(link: str | None) -> None:
    assert a_text(link=link).link == link


@pytest.mark.parametrize(
    "link",
    [
        "",
        "http://donate.stripe.com/Invented0001",
        "HTTPS://donate.stripe.com/Invented0001",
        "javascript:alert(1)//donate.stripe.com/Invented0001",
        "data:text/html,https://donate.stripe.com/Invented0001",
        "//donate.stripe.com/Invented0001",
        "https://ana:secret@donate.stripe.com/Invented0001",
        "https://donate.stripe.com@evil.example/Invented0001",
        "https://donate.stripe.com:444/Invented0001",
        "https://donate.stripe.com./Invented0001",
        "https://donate.stripe.com.evil.example/Invented0001",
        "https://evil.example/donate.stripe.com/Invented0001",
        "https://evil.donate.stripe.com/Invented0001",
        "https://donate.str\u0456pe.com/Invented0001",
        "https://donate.stripe\uff0ecom/Invented0001",
        "https://donate.xn--strpe-l2a.com/Invented0001",
        "https://donate.stripe.com\\@evil.example/Invented0001",
        "https://donate.stripe.com/Invented0001\n",
        "https://donate.stripe.com/Inv\nented0001",
        "https://donate.stripe.com/Invented0001?client_reference_id=ana",
        "https://donate.stripe.com/Invented0001?",
        "https://donate.stripe.com/Invented0001#",
        "https://donate.stripe.com/Invented0001#ana",
        "https://donate.stripe.com/../Invented0001",
        "https://donate.stripe.com/%49nvented0001",
        "https://donate.stripe.com/",
        "https://donate.stripe.com",
        "https://[::1]/Invented0001",
        "https://[",
        "https://donate.stripe.com/" + "a" * 200,
        f" {LINK}",
    ],
)
def test_a_link_that_only_looks_like_one_is_refused(link: str) -> None:
    with pytest.raises(BadPurposeText) as refusal:
        a_text(link=link)

    assert refusal.value.data == {"where": "link"}


@pytest.mark.parametrize(
    "bad",
    [
        "",
        " ",
        "...",
        " blank before",
        "blank after ",
        "a\x00b",
        "a\x1b[31mb",
        "a\x7fb",
        "a\u0085b",
        "a\tb",
        "a\rb",
        "a\u202eb",
        "a\u202db",
        "a\u2066b\u2069",
        "a\u200eb",
        "a\u061cb",
        "a\u200bb",
        "a\ufeffb",
        "a\u00adb",
        "a\u2028b",
        "a\u2029b",
        "a\ue000b",
        "a\U000e0041b",
        "e\u0301",
        "x" * 1_000_000,
    ],
)
@pytest.mark.parametrize("part", ["title", "text"])
def test_a_text_has_nothing_hidden_in_it_and_ends_somewhere(part: str, bad: str) -> None:
    with pytest.raises(BadPurposeText) as refusal:
        a_text(**told(**{part: bad}))

    assert refusal.value.data == {"where": f"texts.{part}"}


def test_a_title_is_one_line_and_a_text_may_have_several() -> None:
    assert a_text(**told(text="One.\nTwo.")).texts["en"].text == "One.\nTwo."
    with pytest.raises(BadPurposeText):
        a_text(**told(title="One\nTwo"))


def test_half_a_letter_is_no_text() -> None:
    document = a_text().canonical().replace("Fines", "\\ud800", 1)

    with pytest.raises(BadPurposeText):
        purpose_texts.read(document)


def test_markup_is_text_as_any_other() -> None:
    markup = "<script>alert(1)</script> & {{ 7*7 }}"

    assert a_text(**told(title=markup)).texts["en"].title == markup


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("code", "fines"),
        ("code", "\u0410\u0411\u0412"),
        ("number", 0),
        ("number", "1"),
        ("number", True),
        ("effective_from", "2020-11-31"),
        ("effective_from", "tomorrow"),
        ("effective_from", "2020-11-21T00:00"),
        ("fund", "Fines"),
        ("fund", "x; DROP TABLE fund"),
        ("net_of_costs", "no"),
        ("statement_shows", "FUND"),
        ("statement_shows", "SOLIDARITY<B>FUND"),
        ("statement_shows", "SOLIDARITY*FUND"),
        ("statement_shows", "\u0421olidarity"),
        ("statement_shows", "A" * 23),
        ("texts", {}),
        ("texts", {"en": {"title": "Fines"}}),
        ("texts", {"en": TEXTS["en"] | {"html": "<b>"}}),
    ],
)
def test_a_part_that_is_none_is_refused_by_its_name(part: str, value: object) -> None:
    with pytest.raises(BadPurposeText) as refusal:
        a_text(**{part: value})

    assert str(refusal.value.data["where"]).startswith(part)


@pytest.mark.parametrize(
    "bank",
    [
        {"iban": "DE88370400440532013000"},
        {"iban": IBAN.lower()},
        {"iban": "DE89 3704 0044 0532 0130 00"},
        {"iban": "DE8937040044053201300\u0660"},
        {"holder": ""},
        {"holder": "Invented\u202eFund"},
        {"bic": "COBADEFFX"},
        {"name": "Ana"},
    ],
)
def test_bank_details_have_right_check_digits_and_nothing_else(bank: dict[str, str]) -> None:
    with pytest.raises(BadPurposeText):
        a_text(bank=content()["bank"] | bank)


def test_nobodys_input_comes_back_with_a_refusal() -> None:
    for other in ({CANARY: 1}, {"link": CANARY}, told(tag=CANARY), told(title=f"{CANARY}\x00"), {"fund": CANARY}):
        with pytest.raises(BadPurposeText) as refusal:
            a_text(**other)

        assert CANARY not in f"{refusal.value} {refusal.value.data} {refusal.value.__cause__}"


@given(st.text(max_size=50))
def test_what_is_read_is_what_was_written(title: str) -> None:
    try:
        text = a_text(**told(title=title))
    except BadPurposeText:
        return

    assert purpose_texts.read(text.canonical()).texts["en"].title == title
