"""What an approver should look at in a batch before one signature stands for all: exceptions first, then the sums."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.client import verifications
from api.client.case_evidence import Evidence
from api.client.desk import Desk
from ledger.aid.rules import Answer, Outcome
from ledger.money import Money

LOOKED_AT = frozenset({Outcome.SHOWN, Outcome.WAITS, Outcome.REFUSED})
"""Outcomes of rules that an approver is shown."""


@dataclass(frozen=True, slots=True)
class Noted:
    """A line with something to look at: what the rules say of its exact facts, and why it is left out, if it is."""

    disbursement: str
    case: str
    amount: Money
    answers: tuple[Answer, ...]
    excluded: str | None


@dataclass(frozen=True, slots=True)
class Review:
    """The lines to look at: those left out, then the largest; and what is agreed to, by kind of obligation."""

    batch: str
    noted: tuple[Noted, ...]
    by_kind: Mapping[str, tuple[int, Money]]

    def on_wire(self) -> dict[str, Any]:
        """The same for a program."""
        noted = [
            {
                "disbursement": one.disbursement,
                "case": one.case,
                "amount": one.amount.decimal(),
                "excluded": one.excluded,
                "rules": {answer.rule: {"outcome": answer.outcome.value, **answer.facts} for answer in one.answers},
            }
            for one in self.noted
        ]
        sums = {kind: {"lines": lines, "amount": sum_.decimal()} for kind, (lines, sum_) in self.by_kind.items()}
        return {"batch": self.batch, "exceptions": noted, "by_kind": sums}


def review(desk: Desk, batch: dict[str, Any], evidence: Mapping[str, Evidence]) -> Review:
    """A batch as its lines' opened evidence, by case, shows it today."""
    noted, lines, sums = [], Counter[str](), Counter[str]()
    currency = batch["amount"]["currency"]
    for line in batch["lines"]:
        case = line["case"]
        amount = Money.parse(line["amount"]["amount"], currency)
        if line["excluded"] is not None:
            noted.append(Noted(line["disbursement"], case["alias"], amount, (), line["excluded"]))
            continue
        lines[line["kind"]] += 1
        sums[line["kind"]] += amount.minor
        told = verifications.answer(desk, case, evidence[case["alias"]], obligation=line["obligation"])
        answers = tuple(one for one in told if one.outcome in LOOKED_AT)
        if answers:
            noted.append(Noted(line["disbursement"], case["alias"], amount, answers, excluded=None))
    noted.sort(key=lambda one: (one.excluded is None, -one.amount.minor, one.disbursement))
    by_kind = {kind: (lines[kind], Money(sums[kind], currency)) for kind in sorted(lines)}
    return Review(batch["alias"], tuple(noted), by_kind)
