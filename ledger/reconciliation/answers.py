"""Answers: the one table of what may be said of what waits, and by whom. A treasurer says it, and signs.

One signature suffices where it only names what the books have agreed to already, or decides nothing yet, and the thing
settles just what moved. Whatever else is said decides about money, as does all that settles another sum or another
currency than moved: an approver agrees to it, as another person. See docs/exceptions.md.
"""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import rfc8785

from ledger.money import Money
from ledger.reconciliation.statements import StatementLine
from ledger.reconciliation.waits import BadResolution, Thing, Waiting


class Answer(StrEnum):
    """What a line or a movement is said to be, or what has become of a refund or a dispute."""

    GIFT = "gift"
    DEPOSIT = "deposit"
    CONVERSION = "conversion"
    PAYOUT = "payout"
    REFUND_ORDER = "refund_order"
    UNIDENTIFIED = "unidentified"
    PAYMENT = "payment"
    EXPECTED_BACK = "expected_back"
    CARRIED_OUT = "carried_out"
    PAYMENT_RETURNED = "payment_returned"
    REFUND = "refund"
    BAIL_RETURNED = "bail_returned"
    TAKEN_BACK = "taken_back"
    TOLD_TWICE = "told_twice"
    CARD_GIFT = "card_gift"
    CARD_REFUND = "card_refund"
    COST = "cost"
    LOSS = "loss"
    RESERVE = "reserve"
    OTHER_INCOME = "other_income"
    TRANSFER = "transfer"
    KEPT_BY_BENEFICIARY = "kept_by_beneficiary"
    GIVEN_UP = "given_up"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Rule:
    """Of which things it may be said, what it names (nothing when None), and whether one signature suffices."""

    of: frozenset[Thing]
    names: str | None
    alone: bool


def _one(*of: Thing, names: str | None = None) -> Rule:
    return Rule(frozenset(of), names, alone=True)


def _two(*of: Thing, names: str | None = None) -> Rule:
    return Rule(frozenset(of), names, alone=False)


RULES: dict[Answer, Rule] = {
    # A treasurer says it: the books know what it is, or it stays a liability until somebody signs what it was for.
    Answer.GIFT: _one(Thing.CREDIT),
    Answer.DEPOSIT: _one(Thing.CREDIT, names="cash that was taken to the bank"),
    Answer.CONVERSION: _one(Thing.CREDIT, Thing.DEBIT, names="a released conversion"),
    Answer.PAYOUT: _one(Thing.CREDIT, Thing.DEBIT, names="a payout of the processor"),
    Answer.REFUND_ORDER: _one(Thing.DEBIT, names="a refund by bank that two have signed"),
    # A treasurer says it, an approver agrees: lines of the bank,
    Answer.UNIDENTIFIED: _two(Thing.CREDIT),
    Answer.PAYMENT: _two(Thing.DEBIT, names="a payment, an advance, or a repayment of an outlay"),
    Answer.EXPECTED_BACK: _two(Thing.DEBIT, names="the payment or the advance it was for"),
    Answer.CARRIED_OUT: _two(Thing.DEBIT, names="a payment, an advance, or a repayment that was ended as failed"),
    Answer.PAYMENT_RETURNED: _two(Thing.CREDIT, names="a payment, an advance, or a repayment of an outlay"),
    Answer.REFUND: _two(Thing.CREDIT, names="the reference of a refund"),
    Answer.BAIL_RETURNED: _two(Thing.CREDIT, names="the bail"),
    Answer.TAKEN_BACK: _two(Thing.DEBIT, names="a gift by bank"),
    Answer.TOLD_TWICE: _two(Thing.CREDIT, Thing.DEBIT),
    # movements at the processor,
    Answer.CARD_GIFT: _two(Thing.MOVEMENT),
    Answer.CARD_REFUND: _two(Thing.MOVEMENT, names="the gift"),
    Answer.COST: _two(Thing.MOVEMENT),
    Answer.LOSS: _two(Thing.MOVEMENT),
    Answer.RESERVE: _two(Thing.MOVEMENT),
    Answer.OTHER_INCOME: _two(Thing.MOVEMENT),
    Answer.TRANSFER: _two(Thing.MOVEMENT),
    # and what nothing moves for.
    Answer.KEPT_BY_BENEFICIARY: _two(Thing.OBLIGATION, names="the reference of a refund"),
    Answer.GIVEN_UP: _two(Thing.OBLIGATION, names="the reference of a refund"),
    Answer.LOST: _two(Thing.DISPUTE),
}
"""Each answer has a row."""


class Because(StrEnum):
    """Why, in a word that is counted; two people agree to it."""

    SENT_BY_HAND = "sent_by_hand"
    DATED_EARLIER = "dated_earlier"
    SENT_BACK = "sent_back"
    FEE_TAKEN = "fee_taken"
    DECIDED_SO = "decided_so"
    IN_ERROR = "in_error"
    UNCOLLECTABLE = "uncollectable"
    TOLD_BY_PROCESSOR = "told_by_processor"
    TOLD_BY_BANK = "told_by_bank"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be booked: the answer, about and of what, and how much of that it settles."""

    answer: Answer
    about: str
    of: str
    settles: Money
    waiting: Waiting
    source_key: str
    recorded_at: datetime
    recorded_by: str
    rightly_kept: bool = False
    """Of what is given up: that who has it was right to keep it."""

    @property
    def line(self) -> StatementLine:
        """The line that brought or took the money.

        Raises:
            BadResolution: the answer is of no line.
        """
        if self.waiting.line is None:
            raise BadResolution("this is said of another thing", where="answer")
        return self.waiting.line

    @property
    def crosses(self) -> bool:
        """Whether it settles another currency than moved: the difference of the rates stays on 3900."""
        return self.settles.currency != self.waiting.moved.currency

    def fact(self) -> dict[str, Any]:
        """What every entry says of itself."""
        return {
            "source_key": self.source_key,
            "on": self.waiting.on,
            "recorded_at": self.recorded_at,
            "recorded_by": self.recorded_by,
        }


def suffices(answer: Answer, *, moved: Money, settles: Money) -> bool:
    """Whether one signature is enough: the table says so, and what moved is what is settled."""
    return RULES[answer].alone and settles == magnitude(moved)


def magnitude(money: Money) -> Money:
    """How much, whichever way."""
    return Money(abs(money.minor), money.currency)


def commitment(
    *, answer: str, of: str | None, settles: Money, because: str | None, happened_on: date | None = None
) -> str:
    """What an act restates beside what moved: SHA-256 over the canonical JSON of all that is said.

    What one person says has no reason, and settles what moved.
    """
    said: list[str | None] = ["answer", answer, of]
    if because is not None:
        said = [answer, of, settles.decimal(), settles.currency, because]
    if happened_on is not None:
        said.append(happened_on.isoformat())
    return hashlib.sha256(rfc8785.dumps(said)).hexdigest()
