"""Jurisdiction packs: what is lawful aid where, as data. A new pack is a TOML file and no code."""

import tomllib
from datetime import date
from functools import cache
from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict

from ledger.errors import BadInput
from ledger.money import Money


class UnknownJurisdiction(BadInput):
    """There is no pack of this name."""

    rule = "unknown_jurisdiction"


class Article(BaseModel):
    """An article rulings may rest on, while it was in force, and the kinds of obligation it admits."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    code: str
    valid_from: date
    valid_until: date | None = None
    title: str
    kinds: tuple[str, ...]

    def admits(self, *, kind: str, ruled_on: date) -> bool:
        """Whether it was in force on the day of the ruling and admits the kind."""
        return kind in self.kinds and self.valid_from <= ruled_on and (self.valid_until or ruled_on) >= ruled_on


class BaseValue(BaseModel):
    """The unit in which fines are counted, from a day on until the next one."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    valid_from: date
    amount: str


class Retention(BaseModel):
    """For how many months an identity is kept after a case was paid, rejected, or its ruling quashed (or refunded)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    paid_months: int
    rejected_months: int
    quashed_months: int


class Pack(BaseModel):
    """One jurisdiction's rules."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str
    name: str
    currency: str
    grain: Literal["week", "day"]
    appeal_days: int
    payment_months: int
    ruling_kinds: tuple[str, ...]
    regions: tuple[str, ...]
    articles: tuple[Article, ...]
    retention: Retention
    base_values: tuple[BaseValue, ...] = ()

    def base_value(self, *, on: date) -> Money | None:
        """The base value of a day; None where the jurisdiction has none, or none yet on that day."""
        valid = [value for value in self.base_values if value.valid_from <= on]
        newest = max(valid, key=lambda value: value.valid_from, default=None)
        return Money.parse(newest.amount, self.currency) if newest else None


@cache
def load(jurisdiction: str) -> Pack:
    """The pack of this name, such as `by`.

    Raises:
        UnknownJurisdiction: there is none of this name.
    """
    packs = {
        path.name.removesuffix(".toml"): path
        for path in resources.files(__name__).iterdir()
        if path.name.endswith(".toml")
    }
    if jurisdiction not in packs:
        raise UnknownJurisdiction("no jurisdiction pack has this name", known=", ".join(sorted(packs)))
    return Pack.model_validate(tomllib.loads(packs[jurisdiction].read_text("utf-8")))
