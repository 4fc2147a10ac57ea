"""What opened boxes hold: JSON that another device sealed, read by a schema before anything is made of it.

A seal says who can open a box, not what it holds: whoever may bring rows can seal anything.
"""

import unicodedata
from datetime import date
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from api.client.sealing import CannotOpen
from ledger.aid.obligations import ObligationKind

_MOST_DAYS = 999
_WHITE = "\t\n\r"


def _without_controls(text: str) -> str:
    """Opened texts are shown on a terminal, which obeys control characters."""
    if any(unicodedata.category(letter) == "Cc" and letter not in _WHITE for letter in text):
        raise ValueError("a control character")
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("blank")
    return text


Text = Annotated[str, AfterValidator(_without_controls)]
Day = Annotated[date, Field(ge=date(1900, 1, 1), lt=date(2200, 1, 1))]
"""A day with which deadlines can be reckoned."""
DetainedDays = Annotated[int, Field(ge=1, le=_MOST_DAYS)]


class Content(BaseModel):
    """What a box holds. What newer clients say beside it is left out."""

    model_config = ConfigDict(frozen=True, strict=True, hide_input_in_errors=True)


class Person(Content):
    """Who is helped, and the account that what they owe is paid to."""

    name: Annotated[Text, AfterValidator(_not_blank)]
    payee_account: Text


class Owed(Content):
    """One sum."""

    kind: ObligationKind
    amount: Text
    currency: Text
    paid_on: Day | None
    detained_days: DetainedDays | None = None


class Ruled(Owed):
    """A ruling, exactly, with the first sum that it leads to."""

    ruling_number: Text
    court: Text
    ruling_kind: Text
    article: Text
    part: Text | None = None
    issued_on: Day
    in_force_on: Day | None
    served_on: Day | None


class Payee(Content):
    """Who is paid what a case owes: the authority by its court, the beneficiary by name."""

    to: Text
    account: Text
    court: Text | None = None
    name: Text | None = None


class Answered(Content):
    """What the rules answered on exact facts, on which day, by which pack; each answer is read where it is shown."""

    on: Text
    pack: Text
    pack_digest: Text
    answers: tuple[dict[str, Any], ...]


class Repaid(Content):
    """Who is repaid, and to which account."""

    name: Text
    account: Text


class Consent(Content):
    """The words in which a giver agreed."""

    consent: Text


class Described(Content):
    """What a file was called, and its type."""

    name: Text
    type: Text | None


class Words(Content):
    """A rule of matching."""

    words: str
    account: str


class Moved(Content):
    """A sum of money in minor units."""

    minor: int


class Detail(Content):
    """What a bank's file says of one payment in a line."""

    text: dict[str, str]


class BankEntry(Content):
    """A line of a bank's file, as far as texts are looked for in it."""

    status: str
    booked_on: date | None
    amount: Moved
    text: dict[str, str]
    details: tuple[Detail, ...]


class Rest(Content):
    """What a bank's file says beyond numbers."""

    entries: tuple[BankEntry, ...]


Held = TypeVar("Held", bound=Content)


def read(content: type[Held], plaintext: bytes) -> Held:
    """What an opened box holds.

    Raises:
        CannotOpen: something else than our client seals there.
    """
    try:
        return content.model_validate_json(plaintext)
    except ValidationError:
        raise CannotOpen("the box does not hold what is sealed there", kind=content.__name__.lower()) from None
