"""Receipts as PDF: in four languages, read back by somebody else's program, and nothing of the machine in the file."""

import io
import shutil
import subprocess
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from ledger.giving.receipts import Voided
from ledger.money import Money
from reports.receipts import pages
from reports.receipts.facts import Cancelled, Facts, Gift, Letterhead, Recipient
from reports.receipts.pages import LANGUAGES, BadFacts, words_of
from reports.typefaces import MissingGlyph
from tests.canaries import text_of_pdf
from tests.cast import eur

HEAD = Letterhead("Invented Fund", "1 Example Street\n1000 Sampleton", "REG-0001", "Invented note of law.")
GIFTS = (
    Gift("G-0000-0000-0001", date(2020, 9, 14), "card", eur("1234.50"), eur("1234.50")),
    Gift("G-0000-0000-0002", date(2020, 3, 2), "bank", eur("100.00"), eur("60.00")),
)
FACTS = Facts(
    alias="RT-0000-0000-0001",
    year=2020,
    number=17,
    issued_on=date(2020, 12, 31),
    lang="en",
    letterhead=HEAD,
    recipient=Recipient("Elisabet Kanarejka", "7 Example Lane\nSampleton", "TIN-1"),
    gifts=GIFTS,
    replaces="2020/3",
)

CANCELLED = Cancelled(
    alias=FACTS.alias,
    label=FACTS.label,
    issued_on=FACTS.issued_on,
    cancelled_on=date(2021, 1, 15),
    amount=eur("1294.50"),
    reason="mistake",
    lang="en",
    letterhead=HEAD,
    recipient=FACTS.recipient,
)


def read(pdf: bytes, folder: Path) -> str:
    """What pdftotext reads in it."""
    program = shutil.which("pdftotext")
    if program is None:
        pytest.skip("pdftotext is not installed")
    (folder / "receipt.pdf").write_bytes(pdf)
    done = subprocess.run([program, "-layout", folder / "receipt.pdf", "-"], check=True, capture_output=True)
    return " ".join(done.stdout.decode().split())


TOTALS = {"en": "1,294.50", "de": "1.294,50", "ru": "1\u00a0294,50", "be": "1\u00a0294,50"}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_receipt_is_read_in_each_language(lang: str, tmp_path: Path) -> None:
    told = read(pages.render_pdf(replace(FACTS, lang=lang)), tmp_path)

    words = words_of(lang)
    expected = [words["title"], "2020/17", "2020/3", "Elisabet Kanarejka", "7 Example Lane", "TIN-1", "Invented Fund"]
    expected += [words["sources"]["card"], words["sources"]["bank"], words["total"], "G-0000-0000-0001", "EUR"]
    expected += [" ".join(TOTALS[lang].split()), "RT-0000-0000-0001", "Invented note of law.", "60"]
    assert [word for word in expected if " ".join(word.split()) not in told] == []
    assert ("Page 1 of 1" in told) is (lang == "en")


def test_every_language_has_the_same_words() -> None:
    shapes = {lang: (set(words_of(lang)), set(words_of(lang)["sources"])) for lang in LANGUAGES}

    assert all(shape == shapes["en"] for shape in shapes.values())


def test_the_same_facts_give_the_same_bytes_and_the_file_tells_nothing_else() -> None:
    pdf = pages.render_pdf(FACTS)

    assert pdf == pages.render_pdf(FACTS)
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert set(opened.docinfo) == {"/Title", "/Producer"}
        assert "Kanarejka" not in str(opened.docinfo["/Title"])  # it stands on the page, not in its window's frame
        assert "/Metadata" not in opened.Root
    assert b"Kanarejka" in text_of_pdf(pdf)


def test_names_of_any_length_are_kept_whole_and_empty_fields_are_left_out(tmp_path: Path) -> None:
    long = "Алаіза-Міхаліна " * 20 + "Kanarejka" * 15
    facts = replace(FACTS, recipient=Recipient(long), letterhead=Letterhead("Invented Fund"), replaces=None)

    told = read(pages.render_pdf(facts), tmp_path)

    assert "".join(long.split()) in "".join(told.split())
    words = words_of("en")
    assert [word for word in (words["address"], words["tax_id"], words["registration"]) if word in told] == []


def test_gifts_of_a_whole_year_take_several_pages(tmp_path: Path) -> None:
    gifts = [replace(GIFTS[0], alias=f"G-0000-0000-{n:04}") for n in range(120)]

    told = read(pages.render_pdf(replace(FACTS, gifts=gifts)), tmp_path)

    assert "Page 1 of 4" in told or "Page 1 of 3" in told
    assert all(gift.alias in told for gift in gifts)
    assert "148,140.00" in told


@pytest.mark.parametrize("name", ["ישראלה", "مريم", "Eve\u202eliame", "Eve\x07", "王芳"])
def test_a_name_that_the_typeface_lacks_is_refused_and_never_a_row_of_boxes(name: str) -> None:
    with pytest.raises(MissingGlyph):
        pages.render_pdf(replace(FACTS, recipient=Recipient(name)))


WRONG: dict[str, dict[str, Any]] = {
    "no name": {"recipient": Recipient(" ")},
    "no fund": {"letterhead": Letterhead("")},
    "no gifts": {"gifts": ()},
    "two currencies": {"gifts": (GIFTS[0], replace(GIFTS[1], certified=Money(1, "BYN")))},
    "another language": {"lang": "fr"},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_facts_that_make_no_receipt_are_refused(wrong: str) -> None:
    with pytest.raises(BadFacts):
        pages.render_pdf(replace(FACTS, **WRONG[wrong]))


def test_markup_in_a_name_is_a_name(tmp_path: Path) -> None:
    told = read(pages.render_pdf(replace(FACTS, recipient=Recipient("<b>Eve</b> (a) Tj \\( =1+1"))), tmp_path)

    assert "<b>Eve</b> (a) Tj \\( =1+1" in told


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_note_of_cancellation_is_read_in_each_language(lang: str, tmp_path: Path) -> None:
    words = words_of(lang)
    for reason in Voided:
        if reason is Voided.REPLACED:  # the next receipt says so
            continue
        told = read(pages.render_cancellation(replace(CANCELLED, lang=lang, reason=reason.value)), tmp_path)

        expected = [words["cancellation"], "2020/17", "Elisabet Kanarejka", "Invented Fund", words["no_more"]]
        expected += [words["reasons"][reason.value], "RT-0000-0000-0001", " ".join(TOTALS[lang].split())]
        assert [word for word in expected if word not in told] == []


@pytest.mark.parametrize("facts", [{"lang": "fr"}, {"recipient": Recipient(" ")}, {"letterhead": Letterhead("")}])
def test_a_note_without_a_name_or_in_another_language_is_refused(facts: dict[str, Any]) -> None:
    with pytest.raises(BadFacts):
        pages.render_cancellation(replace(CANCELLED, **facts))
