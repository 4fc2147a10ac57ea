"""The chain from ruling to receipt: what the facts establish, what they do not, and what contradicts it.

A statement is established when a signature, a commitment or a journal entry carries it, and then says which. What is
only recorded is said to be recorded. What is missing is said to be missing: nothing is concluded from silence.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from ledger.aid.eligibility import SERVED
from reports.dossier import assessed, turns
from reports.dossier.facts import Act, Disbursement, Facts, Obligation, Ruling
from reports.dossier.steps import (
    Standing,
    Step,
    acts_of,
    altered,
    contradicted,
    holding,
    in_words,
    is_about,
    moment,
    name_of,
    restated,
    short,
    signed_at,
    sum_of,
)

RECOGNISED = "aid_recognised"
"""The kind of the entry by which an obligation becomes a liability."""


BAIL = "bail"
"""The kind of what is never recognised: a court holds it, and may give it back."""
GONE = ("failed", "cancelled", "returned")
"""States of a disbursement by which nobody was paid in the end."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The steps of one obligation in their order."""

    obligation: Obligation
    steps: tuple[Step, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing is missing and nothing contradicts: only then it is shown that aid came after the ruling."""
        return not any(step.standing in {Standing.MISSING, Standing.CONTRADICTED} for step in self.steps)


def chains(facts: Facts) -> list[Chain]:
    """One chain for each obligation of the case."""
    return [Chain(one, tuple(_steps(facts, one))) for one in facts.obligations]


def _steps(facts: Facts, obligation: Obligation) -> Iterator[Step]:
    (ruling,) = (one for one in facts.rulings if one.alias == obligation.ruling)
    yield _ruling(facts, ruling)
    yield _eligibility(facts, ruling)
    attempts = [one for one in facts.disbursements if one.obligation == obligation.alias]
    paying = [one for one in attempts if one.state not in GONE]
    yield from (turns.given_up(facts, one) for one in attempts if one.state in GONE)
    by_bail = turns.paid_by_bail(facts, obligation)
    if by_bail and not paying:
        yield _recognition(facts, obligation)
    elif not paying:
        yield Step("Approval", Standing.MISSING, "No payment of this obligation is asked for.")
        yield Step("Payment", Standing.MISSING, "No payment of this obligation is recorded.")
    for number, disbursement in enumerate(paying, start=1):
        of = f" {number}" if len(paying) > 1 else ""
        yield _approval(facts, ruling, disbursement, title=f"Approval{of}")
        if number == 1 and obligation.kind != BAIL:
            yield _recognition(facts, obligation)
        yield _release(facts, ruling, obligation, disbursement, title=f"Release{of}")
        yield _payment(facts, ruling, disbursement, title=f"Payment{of}")
        if disbursement.accepted is not None:
            yield turns.accepted_early(facts, disbursement, disbursement.accepted, title=f"Left early{of}")
        if disbursement.carried_out is not None:
            yield turns.carried_out_late(facts, disbursement, disbursement.carried_out, title=f"Left late{of}")
        yield from turns.paid_early(facts, ruling, disbursement, title=f"Left early{of}")
        yield _receipt(facts, disbursement, title=f"Receipt{of}")
    yield from by_bail
    if paying or by_bail:
        yield from _whole(facts, obligation, paying)
    yield from turns.afterwards(facts, ruling, obligation)


def _ruling(facts: Facts, ruling: Ruling) -> Step:
    said = f"A ruling under article {ruling.article} was issued on {in_words(ruling.ruled_by)} or before."
    details = [box.commitment for box in facts.boxes if (box.alias, box.field) == (ruling.alias, "details")]
    kept = tuple(f"commitment {short(one)} to its sealed details" for one in details)
    seen = [act for act in holding(facts, "verify_case", facts.case) if set(details) <= act.commitments]
    if facts.opened is not None:
        return _opened_ruling(facts, ruling, said, seen, kept)
    if not details or not seen:
        return Step("Ruling", Standing.MISSING, f"{said} That is recorded; no signature that holds covers it.", kept)
    return Step(
        "Ruling",
        Standing.ESTABLISHED,
        f"{said} A verifier signed that they opened its details and tested the exact dates.",
        (name_of(facts, seen[-1]), *kept),
    )


def _opened_ruling(facts: Facts, ruling: Ruling, said: str, seen: list[Act], kept: tuple[str, ...]) -> Step:
    """The same, once a device has opened the details and held them against commitment and books."""
    opened = facts.opened
    if opened is None or opened.refused is not None or opened.issued_on is None:
        why = (opened.refused if opened else None) or "no day of issue"
        where = f" ({opened.where})" if opened and opened.where else ""
        says = f"{said} But its sealed details do not open, or do not agree with the books: {why}{where}."
        return Step("Ruling", Standing.CONTRADICTED, says, kept)
    issued = date.fromisoformat(opened.issued_on)
    says = f"A ruling under article {ruling.article} was issued on {in_words(issued)}, by its details as opened."
    if issued > ruling.ruled_by:
        says += f" The books say {in_words(ruling.ruled_by)} or before."
        return Step("Ruling", Standing.CONTRADICTED, says, kept)
    if not seen:
        return Step("Ruling", Standing.MISSING, f"{says} No verifier's signature that holds covers them.", kept)
    return Step(
        "Ruling", Standing.ESTABLISHED, f"{says} A verifier signed for them.", (name_of(facts, seen[-1]), *kept)
    )


def _eligibility(facts: Facts, ruling: Ruling) -> Step:
    rejected = holding(facts, "reject_case", facts.case)
    if facts.rejection is not None:
        rests_on = tuple(name_of(facts, act) for act in rejected)
        return Step("Eligibility", Standing.CONTRADICTED, f"The case was rejected: {facts.rejection}.", rests_on)
    listed = "is" if ruling.article_listed else "is NOT"
    said = f"Article {ruling.article} {listed} on the list of jurisdiction {facts.jurisdiction!r} for assemblies."
    if not ruling.article_listed:
        return Step("Eligibility", Standing.CONTRADICTED, said)
    signed = acts_of(facts, "verify_case", facts.case)
    if not signed:
        return Step("Eligibility", Standing.MISSING, f"{said} Nobody has signed that the case was verified.")
    act = signed[-1]
    if not act.holds:
        return _broken(facts, "Eligibility", act)
    owed = sum_of(one.amount for one in facts.obligations)
    if owed is None or not act.covers(owed, act.payee_commitment):
        return Step(
            "Eligibility",
            Standing.CONTRADICTED,
            f"{said} The verifier signed for {restated(act)}, and the books say {owed or 'several currencies'}.",
            (name_of(facts, act),),
        )
    also = " Who verified it had also entered it." if act.signer == facts.entered_by else ""
    answered = assessed.judge(facts, act)
    return Step(
        "Eligibility",
        answered.standing,
        f"{said} The case was verified on {moment(act)} for {owed}.{also} {answered.says}",
        (name_of(facts, act), f"{len(act.commitments)} commitments restated in it", *answered.rests_on),
    )


def _approval(facts: Facts, ruling: Ruling, disbursement: Disbursement, *, title: str) -> Step:
    agreed = _agreed(facts, disbursement, "approve", title=title)
    if isinstance(agreed, Step):
        return agreed
    signers = {facts.entered_by, disbursement.requested_by}
    signers |= {act.signer for act in holding(facts, "verify_case", facts.case)}
    if agreed.signer in signers:
        return contradicted(facts, title, agreed, "The approver also entered, verified or asked for it.")
    if signed_at(agreed).date() < ruling.ruled_by:
        says = f"It was approved on {moment(agreed)}, before the ruling is known to be issued."
        return contradicted(facts, title, agreed, says)
    return Step(
        title,
        Standing.ESTABLISHED,
        f"{disbursement.amount} {_for(disbursement)} was approved on {moment(agreed)}, after the ruling, by another "
        "person than who entered, verified or asked for it.",
        _rests(facts, agreed, disbursement),
    )


def _recognition(facts: Facts, obligation: Obligation) -> Step:
    title = "Recognition"
    found = [e for e in facts.entries if e.kind == RECOGNISED and is_about(e, obligation.alias)]
    standing = [entry for entry in found if entry.reversed_by is None]
    told = f"told on {in_words(obligation.told_on)}" if obligation.told_on else "not recorded as told"
    if not standing:
        return Step(title, Standing.MISSING, f"The fund has booked no liability; the beneficiary is {told}.")
    entry = standing[-1]
    if not entry.intact:
        return altered(title, entry)
    if (too_early := turns.told_too_early(facts, obligation)) is not None:
        return Step(title, Standing.CONTRADICTED, too_early, (f"entry {entry.number}",))
    if obligation.told_on is None:
        says = f"A liability is booked on {in_words(entry.effective_on)}, though the beneficiary is {told}."
        return Step(title, Standing.CONTRADICTED, says, (f"entry {entry.number}",))
    return Step(
        title,
        Standing.ESTABLISHED,
        f"The fund booked what it owes on {in_words(entry.effective_on)}. The beneficiary is recorded as {told}; "
        "nobody has signed that.",
        (f"entry {entry.number}",),
    )


def _release(facts: Facts, ruling: Ruling, obligation: Obligation, disbursement: Disbursement, *, title: str) -> Step:
    agreed = _agreed(facts, disbursement, "release", title=title)
    if isinstance(agreed, Step):
        return agreed
    approvers = {act.signer for act in holding(facts, _verb("approve", disbursement), disbursement.agreed_object)}
    if agreed.signer in approvers:
        return contradicted(facts, title, agreed, "Who released it also approved it.")
    if signed_at(agreed).date() < ruling.payable_from:
        says = f"It was released on {moment(agreed)}, before the ruling is known to be in force."
        return contradicted(facts, title, agreed, says)
    served = "as a bill that was served, or with " if obligation.kind == SERVED else ""
    presumed = f" ({served}legal force presumed from the days of appeal)" if ruling.force_presumed else ""
    return Step(
        title,
        Standing.ESTABLISHED,
        f"{disbursement.amount} was released on {moment(agreed)}; the ruling was payable from "
        f"{in_words(ruling.payable_from)} at the latest{presumed}.",
        _rests(facts, agreed, disbursement),
    )


def _payment(facts: Facts, ruling: Ruling, disbursement: Disbursement, *, title: str) -> Step:
    found = [entry for entry in facts.entries if entry.disbursement == disbursement.alias]
    if not found:
        says = f"No journal entry shows that it was paid. The books call it {disbursement.state}."
        return Step(title, Standing.MISSING, says)
    entry = found[-1]
    rests_on = (f"entry {entry.number}",)
    if not entry.intact:
        return altered(title, entry)
    if entry.reversed_by is not None:
        says = f"The payment was booked and taken back by entry {entry.reversed_by}."
        return Step(title, Standing.MISSING, says, (*rests_on, f"entry {entry.reversed_by}"))
    settled = [line.amount for line in entry.lines if line.side == "debit" and line.subject == disbursement.obligation]
    if settled != [disbursement.amount]:
        says = f"The entry settles {', '.join(map(str, settled)) or 'nothing'}; agreed were {disbursement.amount}."
        return Step(title, Standing.CONTRADICTED, says, rests_on)
    if entry.effective_on < ruling.payable_from:
        says = f"It is booked as paid on {in_words(entry.effective_on)}, before the ruling is known to be in force."
        return Step(title, Standing.CONTRADICTED, says, rests_on)
    agent = disbursement.batch.agent if disbursement.batch else None
    how = (
        f"by agent {agent}, when their receipt was found right"
        if agent
        else f"by the bank, to the {disbursement.payee}"
    )
    source = "" if agent else f", as its statement says that {entry.recorded_by} brought in"
    says = f"{disbursement.amount} was booked on {in_words(entry.effective_on)} as paid {how}{source}."
    return Step(title, Standing.ESTABLISHED, says, rests_on)


def _receipt(facts: Facts, disbursement: Disbursement, *, title: str) -> Step:
    if disbursement.receipt is not None:
        standing = Standing.ESTABLISHED if disbursement.receipt_found == "verified" else Standing.MISSING
        says = (
            f"A sealed receipt is kept; it was found {disbursement.receipt_found} by a person, who did not sign that."
        )
        return Step(title, standing, says, (f"commitment {short(disbursement.receipt)}",))
    files = [file for file in facts.files if file.kind in {"receipt", "confirmation"}]
    rests_on = tuple(f"commitment {short(file.commitment)} ({file.signer})" for file in files)
    if any(not file.holds for file in files):
        says = "A receipt is kept whose bringer's signature does NOT hold: it was altered."
        return Step(title, Standing.CONTRADICTED, says, rests_on)
    if files:
        says = "A document was brought as a receipt or confirmation of this case, and its bringer has signed that."
        return Step(title, Standing.ESTABLISHED, says, rests_on)
    return Step(title, Standing.MISSING, "No receipt or confirmation by who was paid is kept.")


def _whole(facts: Facts, obligation: Obligation, paying: list[Disbursement]) -> Iterator[Step]:
    """Parts come to what is owed, or do not; of one payment of the whole nothing needs to be said."""
    paid = [one.amount for one in paying if any(entry.disbursement == one.alias for entry in facts.entries)]
    by_bail = turns.applied(facts, obligation)
    total, payable = sum_of([*paid, *by_bail]), obligation.payable or obligation.amount
    if total is None or (len(paying) + len(by_bail) == 1 and total == payable == obligation.amount):
        return
    left = payable.money() - total.money()
    standing = Standing.ESTABLISHED if left.minor == 0 else Standing.MISSING
    standing = Standing.CONTRADICTED if left.minor < 0 else standing
    how = f"in {len(paid)} payments" + (f" and {len(by_bail)} parts of bail" if by_bail else "")
    yield Step("Paid in all", standing, f"{total} of {payable} was paid, {how}.")


def _agreed(facts: Facts, disbursement: Disbursement, what: str, *, title: str) -> Act | Step:
    """The act by which a disbursement, or its batch, was agreed to; or the step that says why there is none."""
    batch = disbursement.batch
    signed = acts_of(facts, _verb(what, disbursement), disbursement.agreed_object)
    if not signed:
        says = f"No signature is kept. The books call it {disbursement.state}."
        return Step(title, Standing.MISSING, says)
    broken = [act for act in signed if not act.holds]
    if broken:
        return _broken(facts, title, broken[-1])
    act = signed[-1]
    if batch is not None and not batch.unaltered:
        return contradicted(facts, title, act, f"The lines of batch {batch.alias} are not those that were agreed to.")
    amount = batch.amount if batch else disbursement.amount
    if not act.covers(amount, batch.digest if batch else disbursement.payee_commitment):
        says = f"The signature covers {restated(act)} or another payee; the books say {amount}."
        return contradicted(facts, title, act, says)
    return act


def _verb(what: str, disbursement: Disbursement) -> str:
    return f"{what}_{'batch' if disbursement.batch else 'disbursement'}"


def _for(disbursement: Disbursement) -> str:
    return f"for the {disbursement.payee}" + (f", in batch {disbursement.batch.alias}," if disbursement.batch else "")


def _rests(facts: Facts, act: Act, disbursement: Disbursement) -> tuple[str, ...]:
    if disbursement.batch is None:
        return name_of(facts, act), f"payee commitment {short(disbursement.payee_commitment)}"
    digest = short(disbursement.batch.digest or "")
    return name_of(facts, act), f"hash {digest} over the batch's lines, as the server computes it"


def _broken(facts: Facts, title: str, act: Act) -> Step:
    return contradicted(facts, title, act, "A signature is kept that does NOT hold: act or signature were altered.")
