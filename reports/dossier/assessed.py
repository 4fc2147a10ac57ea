"""What the rules answered, in a dossier: whether it is what the verifier signed, and each answer in words."""

from collections.abc import Iterator
from dataclasses import dataclass

from ledger.aid.rules import Outcome
from reports.dossier.facts import Act, Facts
from reports.dossier.steps import Standing, acts_of, in_words, short


@dataclass(frozen=True, slots=True)
class Judged:
    """How far the rules' answers can be relied on, in words, and what that rests on."""

    standing: Standing
    says: str
    rests_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """One rule's answer about an obligation: on exact facts where a device has opened them, else by bounds."""

    rule: str
    outcome: str
    says: str


def judge(facts: Facts, act: Act) -> Judged:
    """What is kept of the rules' answers against the act by which the case was verified, and what was opened."""
    kept, signed = facts.assessment, act.payee_commitment
    if kept is None and signed is None:
        return Judged(Standing.MISSING, "What the rules answered was not signed, and is not kept.")
    if kept is None or kept.commitment != signed:
        what = "are NOT those" if kept else "are not kept; they were part of what"
        return Judged(Standing.CONTRADICTED, f"The rules' answers {what} that the verifier signed.")
    content = kept.content
    if content is None or (content.case, content.pack) != (facts.case, facts.jurisdiction):
        return Judged(Standing.CONTRADICTED, "The rules' answers are about another case, or cannot be read.")
    if facts.opened is not None and facts.opened.refused is None and facts.opened.answers is None:
        says = "The sealed answers on exact facts are not there, or are not those that the verifier signed."
        return Judged(Standing.CONTRADICTED, says)
    number = len({one.rule for one in content.answers})
    told = [
        f"{verb} {_listed({one.rule for one in content.answers if one.outcome is outcome})}"
        for outcome, verb in ((Outcome.SHOWN, "a difference is shown by"), (Outcome.WAITS, "not yet certain are"))
        if any(one.outcome is outcome for one in content.answers)
    ]
    found = f"; {', '.join(told)}" if told else ""
    return Judged(
        Standing.ESTABLISHED,
        f"The {number} rules of pack {content.pack!r} were asked on {in_words(content.on)}: none refuses{found}.",
        (f"hash {short(kept.commitment)} over the rules' answers", f"version {short(content.pack_digest)} of the pack"),
    )


def answers_of(facts: Facts, obligation: str) -> Iterator[Answered]:
    """What each rule answered of an obligation, in the order of the rules; nothing when none is kept."""
    content = facts.assessment.content if facts.assessment else None
    opened = facts.opened.answers if facts.opened else None
    for exact in opened or ():
        if exact.obligation == obligation:
            said = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in exact.facts.items())
            yield Answered(_words(exact.rule), exact.outcome, said or "no fact was needed")
    for told in content.answers if content and opened is None else ():
        if told.obligation == obligation:
            said = ", ".join(name.replace("_", " ") for name in told.facts)
            yield Answered(_words(told.rule), told.outcome, f"on: {said}" if said else "no fact was needed")


def source_of(facts: Facts) -> str:
    """Where the answers come from: the pack in full, and the acts that commit to them."""
    content = facts.assessment.content if facts.assessment else None
    if facts.assessment is None or content is None:
        return "nothing"
    numbers = [
        str(facts.acts.index(act) + 1)
        for act in acts_of(facts, "verify_case", facts.case)
        if act.payee_commitment == facts.assessment.commitment
    ]
    return f"act {', '.join(numbers)}" if numbers else "no act"


def _listed(rules: set[str]) -> str:
    return ", ".join(map(_words, sorted(rules)))


def _words(rule: str) -> str:
    return rule.replace("_", " ")
