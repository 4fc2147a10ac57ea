"""The statements of a dossier: what each of them is, how far it can be relied on, and how it names what it rests on."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from reports.dossier.facts import Act, Amount, Entry, Facts


class Standing(StrEnum):
    """How much a statement can be relied on. `RECORDED` is said for completeness, and is no part of the proof."""

    ESTABLISHED = "established"
    RECORDED = "recorded"
    MISSING = "not established"
    CONTRADICTED = "contradicted"


@dataclass(frozen=True, slots=True)
class Step:
    """One statement of the chain, in plain words, and what it rests on."""

    title: str
    standing: Standing
    says: str
    rests_on: tuple[str, ...] = ()


def name_of(facts: Facts, act: Act) -> str:
    """How pages name an act: by its number among the acts of the dossier."""
    return f"act {facts.acts.index(act) + 1} ({act.signer})"


def contradicted(facts: Facts, title: str, act: Act, says: str) -> Step:
    """A statement against which an act stands."""
    return Step(title, Standing.CONTRADICTED, says, (name_of(facts, act),))


def altered(title: str, entry: Entry) -> Step:
    """That an entry is not as it was booked."""
    says = f"Entry {entry.number} does NOT give its fingerprint: it was altered after it was booked."
    return Step(title, Standing.CONTRADICTED, says, (f"entry {entry.number}",))


def acts_of(facts: Facts, verb: str, of: str) -> list[Act]:
    """The acts by a verb about a thing, in the order they were recorded."""
    return [act for act in facts.acts if (act.verb, act.object) == (verb, of)]


def holding(facts: Facts, verb: str, of: str) -> list[Act]:
    """Those of these acts that hold."""
    return [act for act in acts_of(facts, verb, of) if act.holds]


def is_about(entry: Entry, obligation: str) -> bool:
    """Whether a line of an entry is about an obligation."""
    return any(line.subject == obligation for line in entry.lines)


def sum_of(amounts: Iterable[Amount]) -> Amount | None:
    """The sum of amounts of one currency, or None."""
    found = list(amounts)
    if len({one.currency for one in found}) != 1:
        return None
    return Amount.of(sum((one.money() for one in found[1:]), found[0].money()))


def restated(act: Act) -> str:
    """The amount that an act restates."""
    return f"{act.content.get('amount')} {act.content.get('currency')}"


def signed_at(act: Act) -> datetime:
    """When it was signed, by the signer's clock: within a day of when it was handed in."""
    return datetime.fromisoformat(str(act.content["at"]))


def moment(act: Act) -> str:
    """The day on which it was signed, in words."""
    return in_words(signed_at(act).date())


def in_words(day: date | None) -> str:
    """A day in words."""
    return "an unknown day" if day is None else f"{day.day} {day:%B %Y}"


def short(digest: str) -> str:
    """The beginning of a hash; the whole of it stands in the lists."""
    return f"{digest[:12]}\N{HORIZONTAL ELLIPSIS}"
