"""What stands on a legal receipt, before it is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from ledger.money import Money


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who issues: as the fund's own file says. `note` is the sentence that the law of its seat asks for, if any."""

    name: str
    address: str = ""
    registration: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whose gifts they were. What is empty is left out; lines of an address are kept."""

    name: str = field(repr=False)
    address: str = field(default="", repr=False)
    tax_id: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Gift:
    """One gift: what was given, and what is left of it and certified. `source` is its kind, such as card."""

    alias: str
    received_on: date
    source: str
    given: Money
    certified: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One receipt. `lang` is one of `pages.LANGUAGES`; `replaces` the number of the receipt that it replaces."""

    alias: str
    year: int
    number: int
    issued_on: date
    lang: str
    letterhead: Letterhead
    recipient: Recipient
    gifts: Sequence[Gift]
    replaces: str | None = None

    @property
    def label(self) -> str:
        """How the receipt is called: `2020/17`."""
        return f"{self.year}/{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """That the receipt `label` over `amount` counts no more; `reason` is a word of the ledger."""

    alias: str
    label: str
    issued_on: date
    cancelled_on: date
    amount: Money
    reason: str
    lang: str
    letterhead: Letterhead
    recipient: Recipient
