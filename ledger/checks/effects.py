"""Effects: what stands only because somebody signed it. The checks of acts look for the act of each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that stands only because somebody signed: its object, the verb, who, and what the act restates."""

    kind: str
    object: str
    verb: str
    signer: str
    restated: Mapping[str, Any]
    others: frozenset[str | None]
    """Who must be somebody else: the people of the steps before."""
    recorded_at: datetime | None = None
    """When the act came in, where its row tells the moment too."""

    def at(self, moment: datetime) -> "Effect":
        """The same, of an act that came in at this moment."""
        return replace(self, recorded_at=moment)


def effect(kind: str, alias: str, verb: str, signer: str, others: Iterable[str | None], **restated: object) -> Effect:
    """What `signer` has signed by `verb` on `alias`, as `restated`; `others` took the steps before."""
    return Effect(kind, alias, verb, signer, restated, frozenset(others))
