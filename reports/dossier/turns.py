"""What became of an obligation beside its payments: what bail paid, money that left early, appeals, what came back."""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import date

from reports.dossier.facts import Accepted, Act, Amount, Disbursement, Early, Entry, Facts, Obligation, Ruling
from reports.dossier.steps import Standing, Step, acts_of, altered, holding, in_words, is_about, moment, name_of

_BY_BAIL = "bail_applied"
FAILED = "failed"
_AFTERWARDS: Mapping[str, str] = {
    "refund_due": "The authority owes {} of it back",
    "duplicate_acknowledged": "Another organisation had paid it too, and owes {} of it to the fund",
    "refund_received": "{} of it came back from the authority",
    "recoverable_repaid": "{} of it came back",
    "refund_kept_by_beneficiary": "The authority gave {} of it back to the beneficiary, who owes it",
    "recoverable_waived": "{} of it is left to the beneficiary as assistance",
    "recoverable_kept": "{} that left for it was rightly kept by who has it, and is booked as its cost",
    "recoverable_lost": "{} of it will not come back, and is booked as lost",
    "bail_returned": "The court gave back {} of it, its fee with that",
    "bail_forfeited": "The court keeps {} of it for good",
}
"""By the kind of an entry: what it says became of what was paid."""


def given_up(facts: Facts, disbursement: Disbursement) -> Step:
    """A payment that was no payment in the end."""
    if disbursement.state == FAILED:
        signed = _ended(facts, disbursement)
        if disbursement.batch is None or disbursement.batch.agent is None:
            return _never_carried_out(facts, disbursement, signed)
        if signed is not None:
            return _stopped(facts, disbursement, signed)
    booked = tuple(f"entry {entry.number}" for entry in facts.entries if entry.disbursement == disbursement.alias)
    what = "was paid, and the bank gave it back" if booked else f"was asked for and {disbursement.state}"
    says = f"A payment of {disbursement.amount} {what}: it is no part of this chain."
    return Step("Attempt", Standing.RECORDED, says, (f"disbursement {disbursement.alias}", *booked))


def _stopped(facts: Facts, disbursement: Disbursement, signed: tuple[Act, Act]) -> Step:
    """A line that an agent was given, and that two people told them not to pay."""
    says = (
        f"A payment of {disbursement.amount} was released to an agent on {in_words(disbursement.released_on)}, and "
        f"the fund told them not to pay it ({_why(signed)}); two people signed that by {moment(signed[-1])}. It is no "
        "part of this chain."
    )
    rests_on = (f"disbursement {disbursement.alias}", *(name_of(facts, act) for act in signed))
    return Step("Attempt", Standing.RECORDED, says, rests_on)


def _never_carried_out(facts: Facts, disbursement: Disbursement, signed: tuple[Act, Act] | None) -> Step:
    """A payment of which the bank was told, and that two people ended, since it was never carried out."""
    named = f"disbursement {disbursement.alias}"
    says = f"A payment of {disbursement.amount} was released on {in_words(disbursement.released_on)}"
    if signed is None:
        says += " and is called failed; that the bank never carried it out no two signatures that hold say."
        return Step("Attempt", Standing.MISSING, says, (named,))
    says += f", and never carried out ({_why(signed)}); two people signed that by {moment(signed[-1])}."
    return Step(
        "Attempt",
        Standing.RECORDED,
        f"{says} It is no part of this chain.",
        (named, *(name_of(facts, act) for act in signed)),
    )


def _why(signed: tuple[Act, Act]) -> str:
    """The reason that both have signed, in words."""
    return str(signed[-1].content["act"]).partition(":")[2].replace("_", " ")


def _ended(facts: Facts, disbursement: Disbursement) -> tuple[Act, Act] | None:
    """The acts of two people by which a payment was ended, for one reason."""
    for agreed in reversed(holding(facts, "agree_unexecuted", disbursement.alias)):
        why = str(agreed.content.get("act")).partition(":")[2]
        for told in reversed(holding(facts, "tell_unexecuted", disbursement.alias)):
            if told.signer != agreed.signer and str(told.content.get("act")).partition(":")[2] == why:
                return told, agreed
    return None


def applied(facts: Facts, obligation: Obligation) -> list[Amount]:
    """What entries say that bail has paid of an obligation, part by part."""
    return [_moved(entry, obligation) for entry in _entries(facts, _BY_BAIL, obligation)]


def paid_by_bail(facts: Facts, obligation: Obligation) -> list[Step]:
    """The parts of bail that a court took as its payment, each by an act of its own."""
    named = hashlib.sha256(obligation.alias.encode()).hexdigest()
    signed = [act for act in facts.acts if act.verb == "apply_bail" and act.content.get("payee_commitment") == named]
    return [_part(facts, entry, obligation, signed) for entry in _entries(facts, _BY_BAIL, obligation)]


def accepted_early(facts: Facts, disbursement: Disbursement, accepted: Accepted, *, title: str) -> Step:
    """Money that left before its release, which two people called the payment all the same."""
    left = f"It left on {in_words(accepted.left_on)}, before it was released on {in_words(disbursement.released_on)}"
    return _accepted(facts, accepted, left, answer="payment", title=title)


def carried_out_late(facts: Facts, disbursement: Disbursement, accepted: Accepted, *, title: str) -> Step:
    """Money that left although two people had said that it never would, and which two called the payment then."""
    ended = _ended(facts, disbursement)
    when = f", which was signed by {moment(ended[-1])}" if ended else ""
    left = f"It left on {in_words(accepted.left_on)}, and had been ended as never carried out{when}"
    return _accepted(facts, accepted, left, answer="carried_out", title=title)


def _accepted(facts: Facts, accepted: Accepted, left: str, *, answer: str, title: str) -> Step:
    signed = [
        *holding(facts, "request_resolution", accepted.about),
        *holding(facts, "agree_resolution", accepted.about),
    ]
    said = {act.signer: act for act in signed if str(act.content.get("act")).endswith(f":{answer}")}
    if accepted.asked_by == accepted.agreed_by or not {accepted.asked_by, accepted.agreed_by} <= set(said):
        return Step(title, Standing.MISSING, f"{left}; that it is the payment no two signatures that hold say.")
    rests_on = tuple(name_of(facts, said[person]) for person in (accepted.asked_by, accepted.agreed_by))
    return Step(title, Standing.ESTABLISHED, f"{left}; two people signed that it is the payment.", rests_on)


def paid_early(facts: Facts, ruling: Ruling, disbursement: Disbursement, *, title: str) -> Iterator[Step]:
    """What an agent paid before it might be: before legal force nobody can make it good, before its release two say.

    The days are compared here too: who removes the exception hides nothing.
    """
    early = disbursement.early
    if disbursement.paid_by is not None and disbursement.paid_by < ruling.payable_from:
        early = Early(what="before_force")
    elif early is None and _is_before(disbursement.paid_by, disbursement.released_on):
        early = Early(what="before_release")
    if early is None:
        return
    says = f"The agent says that they paid by {in_words(disbursement.paid_by)}"
    if early.what == "before_force":
        yield Step(title, Standing.CONTRADICTED, f"{says}: that was before the ruling was in force.")
        return
    says += f": that was before it was released on {in_words(disbursement.released_on)}"
    signed = [
        next((act for act in holding(facts, verb, early.about or "") if act.signer == signer), None)
        for verb, signer in (("clear_exception", early.asked_by), ("agree_clearing", early.agreed_by))
    ]
    known = [act for act in signed if act is not None]
    if len(known) < len(signed) or early.asked_by == early.agreed_by:
        yield Step(title, Standing.CONTRADICTED, f"{says}; no two people signed that they looked into it.")
        return
    rests_on = tuple(name_of(facts, act) for act in known)
    yield Step(title, Standing.ESTABLISHED, f"{says}; two people signed that they looked into it.", rests_on)


def told_too_early(facts: Facts, obligation: Obligation) -> str | None:
    """That the beneficiary is recorded as told before there was anything to tell: a ruling, and an approval."""
    (ruling,) = (one for one in facts.rulings if one.alias == obligation.ruling)
    approved = [
        act.recorded_at.date()
        for payment in facts.disbursements
        if payment.obligation == obligation.alias
        for act in holding(facts, f"approve_{'batch' if payment.batch else 'disbursement'}", payment.agreed_object)
    ]
    earliest = max([ruling.ruled_by, *sorted(approved)[:1]])
    if not _is_before(obligation.told_on, earliest):
        return None
    after = "the ruling is known to be issued" if earliest == ruling.ruled_by else "anybody approved that the fund pays"
    return f"The beneficiary is recorded as told on {in_words(obligation.told_on)}, before {after}."


def _is_before(day: date | None, other: date | None) -> bool:
    return day is not None and other is not None and day < other


def afterwards(facts: Facts, ruling: Ruling, obligation: Obligation) -> Iterator[Step]:
    """What became of the ruling, and of what was paid."""
    yield from _appeals(facts, ruling, obligation)
    for entry in facts.entries:
        if entry.kind in _AFTERWARDS and is_about(entry, obligation.alias) and entry.reversed_by is None:
            says = f"{_AFTERWARDS[entry.kind].format(_moved(entry, obligation))}, on {in_words(entry.effective_on)}."
            rests_on = (f"entry {entry.number}",)
            yield Step("Since", Standing.ESTABLISHED, says, rests_on) if entry.intact else altered("Since", entry)
    if ruling.quashed_on is not None:
        yield _quashing(facts, ruling, obligation)


def _appeals(facts: Facts, ruling: Ruling, obligation: Obligation) -> Iterator[Step]:
    """Each appeal by the act of who recorded it; a reduction of another sum of the ruling is told there."""
    left = {verb: acts_of(facts, verb, ruling.alias) for verb in ("reduce_ruling", "uphold_ruling")}
    for appeal in ruling.appeals:
        reduced = appeal.outcome == "reduced"
        signed = left["reduce_ruling" if reduced else "uphold_ruling"]
        act = next((one for one in signed if one.signer == appeal.recorded_by), None)
        if act is None or not act.holds:
            says = f"An appeal is recorded as {appeal.outcome}; no signature that holds covers it."
            yield Step("Appeal", Standing.MISSING, says)
            continue
        signed.remove(act)
        named, _, to = str(act.content["act"]).partition(":")[2].rpartition("+")
        if reduced and named not in {"", obligation.alias}:
            continue
        told = f"left {to or appeal.amount.amount} {appeal.amount.currency}" if reduced else "left it as it was"
        says = f"An appeal against the ruling {told}; that was signed on {moment(act)}."
        yield Step("Appeal", Standing.ESTABLISHED, says, (name_of(facts, act),))


def _quashing(facts: Facts, ruling: Ruling, obligation: Obligation) -> Step:
    signed = holding(facts, "quash_ruling", ruling.alias)
    rests_on = tuple(name_of(facts, act) for act in signed)
    booked = [e for e in facts.entries if e.kind in {"refund_due", "aid_cancelled"} and is_about(e, obligation.alias)]
    rests_on += tuple(f"entry {entry.number}" for entry in booked)
    if not signed:
        says = f"The ruling is recorded as quashed on {in_words(ruling.quashed_on)}; no signature that holds covers it."
        return Step("Afterwards", Standing.MISSING, says, rests_on)
    says = f"The ruling was quashed afterwards; that was recorded on {in_words(ruling.quashed_on)}."
    return Step("Afterwards", Standing.ESTABLISHED, says, rests_on)


def _part(facts: Facts, entry: Entry, obligation: Obligation, signed: list[Act]) -> Step:
    title, amount = "Paid by bail", _moved(entry, obligation)
    if not entry.intact:
        return altered(title, entry)
    acts = [act for act in signed if act.holds and act.content.get("amount") == amount.amount]
    act = next((one for one in acts if one.signer == entry.recorded_by), None)
    if act is None:
        says = f"{amount} is booked as paid by bail; no signature that holds covers it."
        return Step(title, Standing.MISSING, says, (f"entry {entry.number}",))
    says = f"The court took {amount} of bail as its payment; that was signed and booked on {moment(act)}."
    return Step(title, Standing.ESTABLISHED, says, (name_of(facts, act), f"entry {entry.number}"))


def _entries(facts: Facts, kind: str, obligation: Obligation) -> list[Entry]:
    standing = [entry for entry in facts.entries if entry.kind == kind and entry.reversed_by is None]
    return [entry for entry in standing if is_about(entry, obligation.alias)]


def _moved(entry: Entry, obligation: Obligation) -> Amount:
    """What an entry moves of an obligation, on whichever side: the greatest of its lines about it."""
    about = [line.amount for line in entry.lines if line.subject == obligation.alias]
    return max(about, key=lambda amount: amount.money().minor)
