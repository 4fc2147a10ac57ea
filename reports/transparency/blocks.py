"""Published blocks and their atoms: all that the public ever gets. A block, once published, is never changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import rfc8785

from ledger.errors import BadInput
from ledger.money import Money
from reports.transparency import months

_BLOCK_KEYS = {"series", "first_month", "last_month", "carried_months", "currency", "atoms"}
_ATOM_KEYS = {"kinds", "persons", "sum"}


class BadBlock(BadInput):
    """Not a published block in its JSON form."""

    rule = "bad_block"


@dataclass(frozen=True, slots=True)
class Atom:
    """One published group: which kinds it may hold, people to the nearest 5, their sum to the nearest 100."""

    kinds: tuple[str, ...]
    persons: int
    sum_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What was published at one closing date, for the months from `first_month` to `last_month`.

    No atoms: nothing could be said yet, and the months wait for a later block. `carried_months` are earlier
    months, silent until now, that are inside these atoms.
    """

    series: str
    first_month: str
    last_month: str
    currency: str
    atoms: tuple[Atom, ...]
    carried_months: tuple[str, ...] = ()

    @property
    def carried(self) -> bool:
        """Whether these figures hold months that an earlier closing could not publish."""
        return bool(self.carried_months)

    @property
    def months(self) -> tuple[str, ...]:
        """The block's own months, without the carried ones."""
        return months.span(self.first_month, last=self.last_month)

    @property
    def persons(self) -> int:
        """The sum of the atoms' people: a person in two groups stands in both."""
        return sum(atom.persons for atom in self.atoms)

    @property
    def sum_minor(self) -> int:
        """The sum of the atoms, in minor units."""
        return sum(atom.sum_minor for atom in self.atoms)


def block_as_bytes(block: Block) -> bytes:
    """The canonical JSON (RFC 8785) of `block`: what is hashed, approved and published."""
    return rfc8785.dumps(block_as_json(block))


def block_as_json(block: Block) -> dict[str, Any]:
    """`block` as plain JSON; amounts are decimal strings in the block's currency."""
    return {
        "series": block.series,
        "first_month": block.first_month,
        "last_month": block.last_month,
        "carried_months": list(block.carried_months),
        "currency": block.currency,
        "atoms": [
            {
                "kinds": list(atom.kinds),
                "persons": atom.persons,
                "sum": Money(atom.sum_minor, block.currency).decimal(),
            }
            for atom in block.atoms
        ],
    }


def block_from_json(content: Mapping[str, Any]) -> Block:
    """The block that `block_as_json` wrote.

    Raises:
        BadBlock: a key is missing, unknown, or holds something else.
        BadMonth, BadAmount, BadCurrency: a value that cannot be read exactly.
    """
    _require(content, keys=_BLOCK_KEYS, where="block")
    currency, carried, atoms = content["currency"], content["carried_months"], content["atoms"]
    if not (isinstance(content["series"], str) and isinstance(currency, str)):
        raise BadBlock("a block's series and currency are words", where="block")
    if not (isinstance(carried, list) and isinstance(atoms, list)):
        raise BadBlock("a block's carried months and atoms are lists", where="block")
    first = months.check(content["first_month"], where="first_month")
    last = months.check(content["last_month"], where="last_month")
    if last < first:
        raise BadBlock("a block ends before it begins", where="last_month")
    return Block(
        series=content["series"],
        first_month=first,
        last_month=last,
        carried_months=tuple(months.check(month, where="carried_months") for month in carried),
        currency=Money(0, currency).currency,
        atoms=tuple(_atom_from_json(atom, currency=currency, where=f"atom {at}") for at, atom in enumerate(atoms)),
    )


def _atom_from_json(content: Any, *, currency: str, where: str) -> Atom:
    _require(content, keys=_ATOM_KEYS, where=where)
    kinds, persons = content["kinds"], content["persons"]
    if not isinstance(kinds, list) or not kinds or not all(isinstance(kind, str) for kind in kinds):
        raise BadBlock("an atom's kinds are a list of words", where=where)
    if type(persons) is not int or persons <= 0:
        raise BadBlock("an atom's persons are a positive whole number", where=where)
    if not isinstance(content["sum"], str):
        raise BadBlock("an atom's sum is a decimal string", where=where)
    return Atom(tuple(kinds), persons, Money.parse(content["sum"], currency).minor)


def _require(content: Any, *, keys: set[str], where: str) -> None:
    if not isinstance(content, Mapping) or set(content) != keys:
        raise BadBlock("not the keys of a published block", where=where)
