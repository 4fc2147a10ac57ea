"""Profiles of banks' tables: what each bank calls its columns and how it writes, in a TOML file per bank."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.client import profile_texts
from ledger.errors import BadInput

LARGEST_PROFILE = 64 * 1024

DayOrder = Literal["DMY", "MDY", "YMD"]


class BadProfile(BadInput):
    """The file is no profile; `where` is the key that is wrong."""

    rule = "bad_profile"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Columns(_Part):
    """The bank's headings, by our names. The second of two equal headings is `heading#2`.

    The money stands in `amount`, with its sign or beside a `side` in words; or in `debit` and `credit`.
    """

    booked_on: str
    value_on: str | None = None
    amount: str | None = None
    side: str | None = None
    debit: str | None = None
    credit: str | None = None
    fee: str | None = None
    balance: str | None = None
    currency: str | None = None
    original_amount: str | None = None
    original_currency: str | None = None
    account: str | None = None
    status: str | None = None
    reference: str | None = None
    end_to_end_id: str | None = None
    counterparty: list[str] = []
    counterparty_account: list[str] = []
    remittance: list[str] = []
    additional: list[str] = []

    @model_validator(mode="after")
    def _one_place_for_money(self) -> Self:
        pair = self.debit is not None and self.credit is not None
        if (self.amount is None) != pair or (self.side is not None and self.amount is None):
            raise ValueError("money")
        return self

    def decisive(self) -> list[str]:
        """The headings without which an amount, a day, a side or a status would be another one."""
        named = (
            self.booked_on,
            self.amount,
            self.side,
            self.debit,
            self.credit,
            self.fee,
            self.balance,
            self.currency,
            self.original_amount,
            self.original_currency,
            self.status,
        )
        return [heading for heading in named if heading is not None]

    def named(self) -> set[str]:
        """Every heading that has a name of ours."""
        lists = (self.counterparty, self.counterparty_account, self.remittance, self.additional)
        single = (self.value_on, self.account, self.reference, self.end_to_end_id)
        return {*self.decisive(), *(one for one in single if one), *(one for some in lists for one in some)}


class Labels(_Part):
    """What stands before a value in the rows around the table: in the next cell, or behind it in the same one."""

    opening: list[str] = []
    closing: list[str] = []
    account: list[str] = []
    currency: list[str] = []
    change: list[str] = []


class Profile(_Part):
    """One bank's table. See docs/bank-files.md for each key."""

    bank: str
    requires: list[Annotated[str, Field(pattern=r"\S")]] = Field(min_length=2)
    other: list[str] = []
    encodings: list[Literal["utf-8", "cp1251", "cp1252", "latin-1", "cp1250"]] = ["utf-8"]
    delimiter: Literal[",", ";", "\t", "|"] = ","
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " ", "'"] = ""
    symbol: str = ""
    day: DayOrder
    currency: str | None = None
    order: Literal["oldest_first", "newest_first", "none"] = "none"
    debit_written: Literal["plus", "minus"] = "plus"
    debit_words: list[str] = []
    credit_words: list[str] = []
    booked: list[str] = []
    pending: list[str] = []
    info: list[str] = []
    fee: Literal["inside", "beside"] = "inside"
    fee_written: Literal["plus", "minus"] = "minus"
    skips: list[str] = []
    ends: list[str] = []
    columns: Columns
    labels: Labels = Labels()

    def fits(self, cells: Sequence[str]) -> bool:
        """Whether these cells are the header: every required heading and every one of a column stands there."""
        word = self.requires[0].split()[0]
        if not any(word in cell for cell in cells):  # most rows, and this costs nothing
            return False
        there = places(cells)
        return all(heading in there for heading in (*self.requires, *self.columns.decisive()))

    def strange(self, header: Mapping[str, int]) -> list[int]:
        """The places, from one, of headings that the profile does not know: it cannot tell whether they matter."""
        known = {*self.requires, *self.columns.named(), *self.other, ""}
        return [
            index + 1
            for heading, index in header.items()
            if heading.partition("#")[0] not in known and heading not in known
        ]


@cache
def built_in() -> dict[str, Profile]:
    """The profiles that come with the product, by name."""
    files = resources.files(__package__).iterdir()
    return {
        file.name.removesuffix(".toml"): parse(file.read_bytes())
        for file in sorted(files, key=lambda file: file.name)
        if file.name.endswith(".toml")
    }


def parse(data: bytes) -> Profile:
    """The profile that a TOML file holds.

    Raises:
        BadProfile: it holds none.
    """
    if len(data) > LARGEST_PROFILE:
        raise BadProfile("a profile has at most 64 KiB", where="file")
    return profile_texts.read(data, Profile, keys=_KEYS, refusal=BadProfile)


def places(cells: Sequence[str]) -> dict[str, int]:
    """Where each heading stands; the second of two equal ones as `heading#2`."""
    found: dict[str, int] = {}
    seen: dict[str, int] = {}
    for index, cell in enumerate(cells):
        heading = " ".join(cell.split())
        seen[heading] = seen.get(heading, 0) + 1
        found[heading if seen[heading] == 1 else f"{heading}#{seen[heading]}"] = index
    return found


_KEYS = frozenset({*Profile.model_fields, *Columns.model_fields, *Labels.model_fields})
