"""What donors are told of a purpose, in each language: one canonical text that two people sign, checked word by word.

It is read by people who trust it with money, beside a link: nothing in it may look like something that it is not.
"""

import hashlib
import json
import re
import unicodedata
from datetime import date
from typing import Annotated, Any
from urllib.parse import urlsplit

import rfc8785
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from ledger.errors import BadInput

PAYMENT_HOSTS = frozenset({"buy.stripe.com", "donate.stripe.com"})
"""Where the processor's payment links live. A name that only looks like one of these is none of these."""
MOST_LANGUAGES = 40
"""How many languages a version has at most."""
LONGEST_DOCUMENT = 400_000
"""How many characters the canonical text of a version has at most."""

_LINK_PATH = re.compile(r"/[A-Za-z0-9_]{4,80}", re.ASCII)
_JOINERS = "\u200c\u200d"  # letters of Persian or of Hindi need them
_TAG = (
    r"^[a-z]{2,3}(-[a-z]{3})?(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?"
    r"(-([a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*(-[a-wy-z0-9](-[a-z0-9]{2,8})+)*(-x(-[a-z0-9]{1,8})+)?$"
)


class BadPurposeText(BadInput):
    """Not what donors may be told; `where` tells the part."""

    rule = "bad_purpose_text"


def _read_plainly(text: str, *, lines: bool) -> str:
    """Raises ValueError for what a reader would not see as it stands: controls, direction overrides, half letters."""
    if unicodedata.normalize("NFC", text) != text:
        raise ValueError("text in the normal form C")
    for char in text:
        hidden = unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
        if hidden and char not in _JOINERS and not (lines and char == "\n"):
            raise ValueError("text without hidden characters")
    if not any(char.isalnum() for char in text) or text != text.strip():
        raise ValueError("text with words, and without blanks around it")
    return text


def _read_line(text: str) -> str:
    return _read_plainly(text, lines=False)


def _read_lines(text: str) -> str:
    return _read_plainly(text, lines=True)


def _read_link(link: str) -> str:
    """Raises ValueError for anything but `https://`, a host of the processor in plain letters, and one plain path."""
    parts = urlsplit(link)
    if f"https://{parts.netloc}{parts.path}" != link or parts.netloc not in PAYMENT_HOSTS:
        raise ValueError("a payment link of the processor")
    if not _LINK_PATH.fullmatch(parts.path):
        raise ValueError("a path of letters and digits")
    return link


def _read_iban(iban: str) -> str:
    """Raises ValueError where the check digits are wrong (ISO 13616, MOD 97-10)."""
    if int("".join(str(int(char, 36)) for char in iban[4:] + iban[:4])) % 97 != 1:
        raise ValueError("an IBAN with right check digits")
    return iban


_Line = Annotated[str, StringConstraints(min_length=1), AfterValidator(_read_line)]
Language = Annotated[str, StringConstraints(pattern=_TAG, max_length=35)]
"""A language tag (BCP 47) in its canonical case, such as `be`, `be-tarask` or `zh-Hant-TW`."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Told(_Part):
    """What a purpose is called and what a gift is for, in one language; lines of the text are its paragraphs."""

    title: Annotated[_Line, Field(max_length=100)]
    text: Annotated[str, StringConstraints(min_length=1, max_length=2_000), AfterValidator(_read_lines)]


class BankDetails(_Part):
    """Where gifts are sent by bank; it is the fund's own account, and meant to be known."""

    holder: Annotated[_Line, Field(max_length=70)]
    iban: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$"), AfterValidator(_read_iban)]
    bic: Annotated[str, StringConstraints(pattern=r"^[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$")] | None


class PurposeText(_Part):
    """A version of a purpose: everything that donors are told of it from the day `effective_from` on.

    `net_of_costs`: the gift bears the processor's fee, else the fund `general` does. `statement_shows` is what
    stands on the giver's statement; `link` the static payment link whose description is the purpose's `code`.
    """

    code: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{3,12}$")]
    number: Annotated[int, Field(ge=1, le=10_000)]
    effective_from: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    fund: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,29}$")]
    net_of_costs: bool
    statement_shows: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9 .-]{3,20}[A-Za-z0-9.]$")]
    link: Annotated[str, StringConstraints(max_length=120), AfterValidator(_read_link)] | None
    bank: BankDetails | None
    texts: Annotated[dict[Language, Told], Field(min_length=1, max_length=MOST_LANGUAGES)]

    @property
    def starts_on(self) -> date:
        """The first day of the version."""
        return date.fromisoformat(self.effective_from)

    def canonical(self) -> str:
        """The text that is kept and signed: JSON by RFC 8785."""
        return rfc8785.dumps(self.model_dump(mode="json")).decode()


def read(document: str) -> PurposeText:
    """A version from its canonical text, and no other text.

    Raises:
        BadPurposeText: it is none, or not in its canonical form.
    """
    if len(document) > LONGEST_DOCUMENT:
        raise BadPurposeText("the text of a version is too long", where="document")
    try:
        content: Any = json.loads(document)
    except (ValueError, RecursionError):
        raise BadPurposeText("not JSON", where="document") from None
    text = make(content)
    if text.canonical() != document:
        raise BadPurposeText("not in its canonical form", where="document")
    return text


def make(content: Any) -> PurposeText:
    """A version from its parts.

    Raises:
        BadPurposeText: a part is none; `where` tells which, and of which language only by its place.
    """
    try:
        text = PurposeText.model_validate(content)
        _ = text.starts_on
    except ValidationError as error:
        raise BadPurposeText("a part is not what it should be", where=_place(error)) from None
    except ValueError:
        raise BadPurposeText("a part is not what it should be", where="effective_from") from None
    return text


def digest(document: str) -> str:
    """What an act about a version restates: SHA-256 of its canonical text in hexadecimal digits."""
    return hashlib.sha256(document.encode()).hexdigest()


def _place(error: ValidationError) -> str:
    """The names of the parts; what somebody typed as a language or as an unknown field is not repeated."""
    known = {*PurposeText.model_fields, *BankDetails.model_fields, *Told.model_fields}
    named = [str(part) for part in error.errors()[0]["loc"] if part in known]
    return ".".join(named) or "document"
