"""The facts of a dossier: what the books hold about one case, coarse, without a name; and what a device has opened.

They are the wire form as well: a client checks the signatures again by the roster that it trusts, adds what it has
opened, and renders the same pages.
"""

import json
from datetime import date, datetime
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ledger.aid.assessments import Assessed, commitment_to
from ledger.identities.boxes import FilePlace
from ledger.money import Money

SERVER = "server"
"""Who has checked the signatures of a dossier that no client has checked again."""


class Fact(BaseModel):
    """Something that stands in the books. Unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Amount(Fact):
    """An amount in words of the wire."""

    amount: str
    currency: str

    @classmethod
    def of(cls, money: Money) -> "Amount":
        """Money as a dossier has it."""
        return cls(amount=money.decimal(), currency=money.currency)

    def money(self) -> Money:
        """The money itself."""
        return Money.parse(self.amount, self.currency)

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


class Appeal(Fact):
    """An appeal that left a ruling in force, and what all of its obligations came to after it."""

    outcome: str
    amount: Amount
    recorded_by: str
    recorded_on: date


class Ruling(Fact):
    """Coarse bounds: the ends of weeks where the jurisdiction asks for it, never before the true day."""

    alias: str
    article: str
    region: str
    ruled_by: date
    payable_from: date
    due_by: date
    force_presumed: bool
    article_listed: bool
    quashed_on: date | None
    appeals: tuple[Appeal, ...] = ()


class Box(Fact):
    """A sealed box, known by its commitment: `kind` and `field` tell what of `alias` it holds."""

    kind: str
    alias: str
    field: str
    version: int
    commitment: str


class File(Fact):
    """A sealed file of evidence. `dropped_on`: its content is here no more, what was agreed to rests on it still.

    `holds`: the signature of who brought it, by who has checked it.
    """

    alias: str
    version: int
    kind: str
    size: int
    commitment: str
    keep_until: date | None
    signer: str
    signature: str
    dropped_on: date | None
    holds: bool

    def message(self, *, case: str, shelf: str) -> bytes:
        """What its bringer has signed."""
        place = FilePlace(case, self.kind, self.alias, self.version)
        return place.message(shelf=shelf, size=self.size, commitment=self.commitment, keep_until=self.keep_until)


class Act(Fact):
    """A signed act as it is kept. `holds`: signature and columns agree, by who has checked them."""

    verb: str
    signer: str
    object: str
    nonce: str
    roster: int
    recorded_at: datetime
    document: str
    signature: str
    holds: bool

    @cached_property
    def content(self) -> dict[str, Any]:
        """What was signed; empty when the document is none any more."""
        try:
            read = json.loads(self.document)
        except ValueError:
            return {}
        return read if isinstance(read, dict) else {}

    def covers(self, amount: Amount, payee_commitment: str | None) -> bool:
        """Whether exactly this was agreed to."""
        told = {"amount": amount.amount, "currency": amount.currency, "payee_commitment": payee_commitment}
        return told.items() <= self.content.items()

    @property
    def payee_commitment(self) -> str | None:
        """The hash that the signer has restated besides the evidence: of a payee, of lines, of what rules answered."""
        said = self.content.get("payee_commitment")
        return None if said is None else str(said)

    @property
    def commitments(self) -> frozenset[str]:
        """The evidence that the signer has restated."""
        return frozenset(map(str, self.content.get("evidence_commitments", ())))


class Obligation(Fact):
    """What is owed because of a ruling. That somebody was told is recorded and not signed.

    `payable` is what of it was ever to be paid: less than its amount where a ruling fell, or was reduced, in between.
    """

    alias: str
    ruling: str
    kind: str
    amount: Amount
    state: str
    told_on: date | None
    payable: Amount | None = None


class Accepted(Fact):
    """That money which left too early, or too late, is the payment all the same, as two people signed under `about`."""

    about: str
    left_on: date
    asked_by: str
    agreed_by: str


class Early(Fact):
    """That an agent paid before legal force or release (`what`); `about` is by what two people closed the exception."""

    what: str
    about: str | None = None
    asked_by: str | None = None
    agreed_by: str | None = None


class Batch(Fact):
    """The batch a disbursement is a line of. `unaltered`: its lines still give the digest, as the books say."""

    alias: str
    amount: Amount
    digest: str | None
    unaltered: bool
    agent: str | None


class Disbursement(Fact):
    """Money asked for, for one obligation. `receipt` is the commitment to what an agent brought.

    `paid_by` is when the agent says that they paid: its week's end where the jurisdiction asks for that.
    """

    alias: str
    obligation: str
    amount: Amount
    payee: str
    payee_commitment: str
    state: str
    requested_by: str
    batch: Batch | None
    released_on: date | None
    paid_on: date | None
    receipt: str | None
    receipt_found: str | None
    accepted: Accepted | None = None
    carried_out: Accepted | None = None
    paid_by: date | None = None
    early: Early | None = None

    @property
    def agreed_object(self) -> str:
        """What the acts about it name: its batch, or itself."""
        return self.batch.alias if self.batch else self.alias


class Line(Fact):
    """One line of an entry about the case."""

    side: str
    account: str
    amount: Amount
    fund: str
    subject: str | None


class Entry(Fact):
    """A journal entry. `intact`: its content gives its fingerprint. `disbursement`: which one it has paid."""

    number: int
    kind: str
    effective_on: date
    recorded_at: datetime
    recorded_by: str
    fingerprint: str
    intact: bool
    reverses: int | None
    reversed_by: int | None
    disbursement: str | None
    lines: tuple[Line, ...]


class Assessment(Fact):
    """What the rules answered when the case was verified, by the bounds of its ruling: as it was signed."""

    document: str

    @property
    def commitment(self) -> str:
        """What the act of the verification restates, where the document is the one that was signed."""
        return commitment_to(self.document)

    @cached_property
    def content(self) -> Assessed | None:
        """What it says; None when it is no such document any more."""
        try:
            return Assessed.model_validate_json(self.document)
        except ValidationError:
            return None


class OpenedAnswer(Fact):
    """What a rule answered on exact facts, as a device has opened it."""

    obligation: str
    rule: str
    outcome: str
    facts: dict[str, str | int]


class Opened(Fact):
    """What a device has opened, or why it could not: `refused` is the rule and `where` the part that disagrees.

    Never who it is about: a dossier is shown to others.
    """

    by: str
    refused: str | None = None
    where: str | None = None
    issued_on: str | None = None
    in_force_on: str | None = None
    served_on: str | None = None
    court: str | None = None
    ruling_number: str | None = None
    files: tuple[str, ...] = ()
    """The commitments of files whose content was held against them."""
    answers: tuple[OpenedAnswer, ...] | None = None
    """None where the box of the rules' answers is not there, or is not the one that was signed."""


class Facts(Fact):
    """Everything about a case, as known at `as_of`."""

    format: Literal["solidarity-dossier-1"] = "solidarity-dossier-1"
    organisation: str
    book: str
    as_of: datetime
    checked_by: str
    case: str
    beneficiary: str
    jurisdiction: str
    state: str
    rejection: str | None
    entered_by: str
    received_on: date
    rulings: tuple[Ruling, ...]
    assessment: Assessment | None = None
    boxes: tuple[Box, ...]
    files: tuple[File, ...]
    acts: tuple[Act, ...]
    obligations: tuple[Obligation, ...]
    disbursements: tuple[Disbursement, ...]
    entries: tuple[Entry, ...]
    opened: Opened | None = None
