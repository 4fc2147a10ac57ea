"""Jurisdiction packs: what is lawful aid where, as data. A new pack is a TOML file, of ours or of a folder; no code.

A pack is read whole or refused with the place: what it does not know, says twice for one day, or says without a source.
"""

import hashlib
import re
import tomllib
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from fractions import Fraction
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

import rfc8785
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from ledger.errors import BadInput
from ledger.money import BadAmount, BadCurrency, Money, exponent

Kind = Literal["fine", "detention", "court_fee", "bail"]
"""What may be owed; the kinds of obligations."""
File = Literal["ruling", "bill", "receipt", "confirmation"]
"""What a file of evidence shows."""
Said = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Units = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,6}(\.[0-9]{1,4})?$")]
"""A number of base values, such as 0.5."""

Count = Annotated[int, Field(ge=1)]

_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,9}", re.ASCII)
_SUFFIX = ".toml"


class UnknownJurisdiction(BadInput):
    """There is no pack of this name."""

    rule = "unknown_jurisdiction"


class BadPack(BadInput):
    """A file is no pack; `where` is the pack and the place in it."""

    rule = "bad_pack"


class NotDated(BadInput):
    """The pack says nothing about this day."""

    rule = "not_dated"


class Rule(BaseModel):
    """What a pack says; anything else is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Dated(Rule):
    """What holds from a day to a day, both included, or until further notice; and who says so."""

    valid_from: date
    valid_until: date | None = None
    source: Said

    @model_validator(mode="after")
    def _check_days(self) -> Self:
        if self.valid_until is not None and self.valid_until < self.valid_from:
            raise ValueError("valid until a day before it is valid")
        return self

    def holds(self, *, on: date) -> bool:
        """Whether it held on that day."""
        return self.valid_from <= on and (self.valid_until is None or on <= self.valid_until)


class Part(Rule):
    """A part of an article: whom it is about, and what it threatens. `number` is None where rulings name none."""

    number: str | None = None
    about: Said
    least_base_values: Units = "0"
    most_base_values: Units | None = None
    most_arrest_days: Count | None = None

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        if self.most_base_values is not None and Fraction(self.most_base_values) < Fraction(self.least_base_values):
            raise ValueError("at most less than at least")
        return self


class Article(Dated):
    """An article rulings may rest on, while it was in force, and the kinds of obligation it admits."""

    code: str
    title: Said
    kinds: tuple[Kind, ...]
    parts: tuple[Part, ...] = ()

    def admits(self, *, kind: str, ruled_on: date) -> bool:
        """Whether it was in force on the day of the ruling and admits the kind."""
        return kind in self.kinds and self.holds(on=ruled_on)

    def threatens(self, part: str | None) -> tuple[Part, ...]:
        """The part of this number, or all of them where it is not told or not listed."""
        return tuple(one for one in self.parts if part is not None and one.number == part) or self.parts


class RulingLeadsTo(Dated):
    """The kinds of obligations that a kind of ruling leads to: bail follows a bail order, and no sentence."""

    ruling_kind: Said
    kinds: tuple[Kind, ...]


class BaseValue(Dated):
    """The unit in which fines are counted."""

    amount: str


class Deadlines(Dated):
    """Days to appeal, months to pay after legal force, and months in which a new sanction may follow a quash."""

    appeal_days: Annotated[int, Field(ge=0)]
    payment_months: Annotated[int, Field(ge=0)]
    new_sanction_months: Count | None = None


class DetentionTariff(Dated):
    """What a day in detention costs: in base values, or as an amount."""

    base_values_a_day: Units | None = None
    amount_a_day: str | None = None

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if (self.base_values_a_day is None) == (self.amount_a_day is None):
            raise ValueError("a day costs base values, or an amount")
        return self


class Requirement(Dated):
    """The files that an obligation of a kind needs, of cases received while it holds.

    With `receipt`, the receipt of a payment through an agent is kept, sealed, before it counts as verified.
    """

    kind: Kind
    files: tuple[File, ...]
    receipt: bool = False


class Cap(Dated):
    """The most that one person gets approved of a kind within so many days, as an amount and as a count."""

    kind: Kind
    within_days: Count
    most_amount: str | None = None
    most_count: Count | None = None


class Standing(Dated):
    """For how many days what is approved stands: a payment until its beneficiary is told, an advance until release."""

    days: Count


class Retention(Rule):
    """For how many months an identity is kept after a case was paid, rejected, or its ruling quashed (or refunded)."""

    paid_months: int
    rejected_months: int
    quashed_months: int


Held = TypeVar("Held", bound=Dated)


class Pack(Rule):
    """One jurisdiction's rules. Where a table is missing, the rule that would read it says that it cannot tell."""

    id: str
    name: Said
    currency: str
    grain: Literal["week", "day"]
    ruling_kinds: tuple[Said, ...]
    regions: tuple[Said, ...]
    articles: tuple[Article, ...]
    deadlines: tuple[Deadlines, ...]
    retention: Retention
    ruling_leads_to: tuple[RulingLeadsTo, ...] = ()
    base_values: tuple[BaseValue, ...] = ()
    detention_tariffs: tuple[DetentionTariff, ...] = ()
    evidence: tuple[Requirement, ...] = ()
    caps: tuple[Cap, ...] = ()
    approvals: tuple[Standing, ...] = ()

    @model_validator(mode="after")
    def _check_whole(self) -> Self:
        _check_apart("articles", self.articles, lambda one: one.code)
        for name in ("deadlines", "base_values", "detention_tariffs", "approvals"):
            _check_apart(name, getattr(self, name), lambda _: "")
        _check_apart("ruling_leads_to", self.ruling_leads_to, lambda one: one.ruling_kind)
        if self.ruling_leads_to and {one.ruling_kind for one in self.ruling_leads_to} != set(self.ruling_kinds):
            raise ValueError("each kind of ruling tells what it leads to, or none does")
        _check_apart("evidence", self.evidence, lambda one: one.kind)
        _check_apart("caps", self.caps, lambda one: f"{one.kind} {one.within_days}")
        amounts = [one.amount for one in self.base_values]
        amounts += [one.amount_a_day for one in self.detention_tariffs if one.amount_a_day is not None]
        amounts += [one.most_amount for one in self.caps if one.most_amount is not None]
        if any(Money.parse(amount, self.currency).minor <= 0 for amount in amounts):
            raise ValueError("an amount is above zero")
        exponent(self.currency)
        return self

    def article(self, code: str, *, on: date) -> Article | None:
        """The article of this code as it held on a day."""
        return held(tuple(one for one in self.articles if one.code == code), on=on)

    def leads_to(self, ruling_kind: str, kind: str, *, on: date) -> bool:
        """Whether a ruling of this kind and day leads to such an obligation; where the pack does not tell, it does."""
        told = held(tuple(one for one in self.ruling_leads_to if one.ruling_kind == ruling_kind), on=on)
        return kind in told.kinds if told else not self.ruling_leads_to

    def deadlines_on(self, day: date) -> Deadlines:
        """The deadlines of a ruling of that day.

        Raises:
            NotDated: the pack has none for it.
        """
        found = held(self.deadlines, on=day)
        if found is None:
            raise NotDated("the pack has no deadlines for this day", where="deadlines", jurisdiction=self.id)
        return found

    def is_dated(self, day: date) -> bool:
        """Whether the pack tells the deadlines of a ruling of that day."""
        return held(self.deadlines, on=day) is not None

    def base_value(self, *, on: date) -> Money | None:
        """The base value of a day; None where the jurisdiction has none, or none on that day."""
        found = held(self.base_values, on=on)
        return Money.parse(found.amount, self.currency) if found else None

    def worth(self, units: str, *, on: date) -> Money | None:
        """So many base values of that day, rounded half-even to minor units."""
        base = self.base_value(on=on)
        return Money(round(Fraction(units) * base.minor), self.currency) if base else None

    def detention_day(self, *, on: date) -> Money | None:
        """What a day in detention costs by the tariff of a day; None where there is none."""
        found = held(self.detention_tariffs, on=on)
        if found is None:
            return None
        if found.amount_a_day is not None:
            return Money.parse(found.amount_a_day, self.currency)
        return self.worth(found.base_values_a_day or "0", on=on)

    def files_for(self, kind: str, *, received_on: date) -> tuple[File, ...]:
        """The files that an obligation of this kind needs, of a case received on a day."""
        found = self._requirement(kind, received_on=received_on)
        return found.files if found else ()

    def keeps_receipts(self, kind: str, *, received_on: date) -> bool:
        """Whether an agent's receipt for an obligation of this kind is kept, of a case received on a day."""
        found = self._requirement(kind, received_on=received_on)
        return found is not None and found.receipt

    def _requirement(self, kind: str, *, received_on: date) -> Requirement | None:
        return held(tuple(one for one in self.evidence if one.kind == kind), on=received_on)

    def approved_until(self, on: date) -> date | None:
        """The last day of what is approved on a day; None where the pack names none: it then stands until used."""
        found = held(self.approvals, on=on)
        return on + timedelta(days=found.days) if found else None

    def caps_on(self, kind: str, *, on: date) -> list[Cap]:
        """The caps on a kind that hold on a day."""
        return [one for one in self.caps if one.kind == kind and one.holds(on=on)]


def load(jurisdiction: str) -> Pack:
    """The pack of this name, such as `by`: of the folder that was read, else ours.

    Raises:
        UnknownJurisdiction: there is none of this name. BadPack: ours is none.
    """
    found = _of_folder.get(jurisdiction) or _ours().get(jurisdiction)
    if found is None:
        known = sorted(_of_folder.keys() | _ours().keys())
        raise UnknownJurisdiction("no jurisdiction pack has this name", known=", ".join(known))
    return found


@lru_cache(maxsize=8)  # each verification asks for it, and nothing changes a pack
def digest(pack: Pack) -> str:
    """Which version of a pack it is: SHA-256 of all that it says, its sources included, as JSON by RFC 8785."""
    return hashlib.sha256(rfc8785.dumps(pack.model_dump(mode="json"))).hexdigest()


def read_folder(folder: Path | None) -> list[Pack]:
    """Admits the packs of a folder beside ours, or in place of one of ours with the same name; None: ours alone.

    It is done once, where a program starts: whoever works on one book gives all its programs the same folder.

    Raises:
        BadPack: one is no pack, or the folder is none; those that were read before stay.
    """
    found: dict[str, Pack] = {}
    if folder is not None:
        if not folder.is_dir():
            raise BadPack("not a folder of jurisdiction packs", where="folder")
        for path in sorted(folder.glob(f"*{_SUFFIX}")):
            found[path.stem] = read(path.read_bytes(), name=path.stem)
    _of_folder.clear()
    _of_folder.update(found)
    return list(found.values())


def read(data: bytes, *, name: str) -> Pack:
    """A pack from the bytes of its file, called `name`.

    Raises:
        BadPack: no TOML, or not a pack; `where` is the place, with lists counted from 0.
    """
    if not _ID.fullmatch(name):
        raise BadPack("a pack is called by 2 to 10 small letters, digits and hyphens", where="name")
    try:
        pack = Pack.model_validate(tomllib.loads(data.decode()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise BadPack("not a TOML file", where=name) from None
    except (BadAmount, BadCurrency) as error:
        raise BadPack("an amount or a currency cannot be read", where=f"{name}: {error.data['where']}") from None
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        # A key that is not known is told by the table it stands in, and what is wrong as a whole by its sentence.
        known = first["loc"][:-1] if first["type"] == "extra_forbidden" else first["loc"]
        place = ".".join(str(part) for part in known)
        said = "a key that no pack has" if first["type"] == "extra_forbidden" else first["msg"]
        if first["type"] not in {"extra_forbidden", "missing", "value_error"}:
            said = "it cannot be this"
        raise BadPack(said, where=f"{name}: {place}" if place else name) from None
    if pack.id != name:
        raise BadPack("the pack has another name than its file", where=f"{name}: id")
    return pack


def held(series: Sequence[Held], *, on: date) -> Held | None:
    """Which of a series held on a day; they never overlap."""
    return next((one for one in series if one.holds(on=on)), None)


def amount(text: str | None, currency: str) -> Money | None:
    """An amount of a pack, or None."""
    return None if text is None else Money.parse(text, currency)


_of_folder: dict[str, Pack] = {}


@cache
def _ours() -> dict[str, Pack]:
    files = [path for path in resources.files(__name__).iterdir() if path.name.endswith(_SUFFIX)]
    names = [path.name.removesuffix(_SUFFIX) for path in files]
    return {name: read(path.read_bytes(), name=name) for name, path in zip(names, files, strict=True)}


def _check_apart(name: str, series: Iterable[Held], key: Callable[[Held], str]) -> None:
    """Refuses two that hold on one day, though they are about the same."""
    before: dict[str, Held] = {}
    for one in sorted(series, key=lambda one: (key(one), one.valid_from)):
        earlier = before.get(key(one))
        if earlier is not None and earlier.holds(on=one.valid_from):
            raise ValueError(f"{name}: two hold on {one.valid_from.isoformat()}")
        before[key(one)] = one
