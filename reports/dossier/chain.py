"""The chain from ruling to receipt: what the facts establish, what they do not, and what contradicts it.

A statement is established when a signature, a commitment or a journal entry carries it, and then says which. What is
only recorded is said to be recorded. What is missing is said to be missing: nothing is concluded from silence.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from reports.dossier.facts import Act, Amount, Disbursement, Entry, Facts, Obligation, Ruling

RECOGNISED = "aid_recognised"
"""The kind of the entry by which an obligation becomes a liability."""


GONE = ("failed", "cancelled", "returned")
"""States of a disbursement by which nobody was paid in the end."""


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


def name_of(facts: Facts, act: Act) -> str:
    """How pages name an act: by its number among the acts of the dossier."""
    return f"act {facts.acts.index(act) + 1} ({act.signer})"


def _steps(facts: Facts, obligation: Obligation) -> Iterator[Step]:
    (ruling,) = (one for one in facts.rulings if one.alias == obligation.ruling)
    yield _ruling(facts, ruling)
    yield _eligibility(facts, ruling)
    attempts = [one for one in facts.disbursements if one.obligation == obligation.alias]
    paying = [one for one in attempts if one.state not in GONE]
    yield from (_given_up(facts, one) for one in attempts if one.state in GONE)
    if not paying:
        yield Step("Approval", Standing.MISSING, "No payment of this obligation is asked for.")
        yield Step("Payment", Standing.MISSING, "No payment of this obligation is recorded.")
    for number, disbursement in enumerate(paying, start=1):
        of = f" {number}" if len(paying) > 1 else ""
        yield _approval(facts, ruling, disbursement, title=f"Approval{of}")
        if number == 1:
            yield _recognition(facts, obligation)
        yield _release(facts, ruling, disbursement, title=f"Release{of}")
        yield _payment(facts, ruling, disbursement, title=f"Payment{of}")
        yield _receipt(facts, disbursement, title=f"Receipt{of}")
    if paying:
        yield from _whole(facts, obligation, paying)
    if ruling.quashed_on is not None:
        yield _quashing(facts, ruling)


def _ruling(facts: Facts, ruling: Ruling) -> Step:
    said = f"A ruling under article {ruling.article} was issued on {_day(ruling.ruled_by)} or before."
    details = [box.commitment for box in facts.boxes if (box.alias, box.field) == (ruling.alias, "details")]
    kept = tuple(f"commitment {_short(one)} to its sealed details" for one in details)
    seen = [act for act in _holding(facts, "verify_case", facts.case) if set(details) <= act.commitments]
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
    says = f"A ruling under article {ruling.article} was issued on {_day(issued)}, by its details as opened."
    if issued > ruling.ruled_by:
        says += f" The books say {_day(ruling.ruled_by)} or before."
        return Step("Ruling", Standing.CONTRADICTED, says, kept)
    if not seen:
        return Step("Ruling", Standing.MISSING, f"{says} No verifier's signature that holds covers them.", kept)
    return Step(
        "Ruling", Standing.ESTABLISHED, f"{says} A verifier signed for them.", (name_of(facts, seen[-1]), *kept)
    )


def _eligibility(facts: Facts, ruling: Ruling) -> Step:
    rejected = _holding(facts, "reject_case", facts.case)
    if facts.rejection is not None:
        rests_on = tuple(name_of(facts, act) for act in rejected)
        return Step("Eligibility", Standing.CONTRADICTED, f"The case was rejected: {facts.rejection}.", rests_on)
    listed = "is" if ruling.article_listed else "is NOT"
    said = f"Article {ruling.article} {listed} on the list of jurisdiction {facts.jurisdiction!r} for assemblies."
    if not ruling.article_listed:
        return Step("Eligibility", Standing.CONTRADICTED, said)
    signed = _acts(facts, "verify_case", facts.case)
    if not signed:
        return Step("Eligibility", Standing.MISSING, f"{said} Nobody has signed that the case was verified.")
    act = signed[-1]
    if not act.holds:
        return _broken(facts, "Eligibility", act)
    owed = _sum(one.amount for one in facts.obligations)
    if owed is None or not act.covers(owed, None):
        return Step(
            "Eligibility",
            Standing.CONTRADICTED,
            f"{said} The verifier signed for {_told(act)}, and the books say {owed or 'several currencies'}.",
            (name_of(facts, act),),
        )
    also = " Who verified it had also entered it." if act.signer == facts.entered_by else ""
    return Step(
        "Eligibility",
        Standing.ESTABLISHED,
        f"{said} The case was verified on {_moment(act)} for {owed}.{also}",
        (name_of(facts, act), f"{len(act.commitments)} commitments restated in it"),
    )


def _approval(facts: Facts, ruling: Ruling, disbursement: Disbursement, *, title: str) -> Step:
    agreed = _agreed(facts, disbursement, "approve", title=title)
    if isinstance(agreed, Step):
        return agreed
    signers = {facts.entered_by, disbursement.requested_by}
    signers |= {act.signer for act in _holding(facts, "verify_case", facts.case)}
    if agreed.signer in signers:
        return _contradicted(facts, title, agreed, "The approver also entered, verified or asked for it.")
    if _at(agreed).date() < ruling.ruled_by:
        says = f"It was approved on {_moment(agreed)}, before the ruling is known to be issued."
        return _contradicted(facts, title, agreed, says)
    return Step(
        title,
        Standing.ESTABLISHED,
        f"{disbursement.amount} {_for(disbursement)} was approved on {_moment(agreed)}, after the ruling, by another "
        "person than who entered, verified or asked for it.",
        _rests(facts, agreed, disbursement),
    )


def _recognition(facts: Facts, obligation: Obligation) -> Step:
    title = "Recognition"
    found = [e for e in facts.entries if e.kind == RECOGNISED and _about(e, obligation.alias)]
    standing = [entry for entry in found if entry.reversed_by is None]
    told = f"told on {_day(obligation.told_on)}" if obligation.told_on else "not recorded as told"
    if not standing:
        return Step(title, Standing.MISSING, f"The fund has booked no liability; the beneficiary is {told}.")
    entry = standing[-1]
    if not entry.intact:
        return _altered(title, entry)
    if obligation.told_on is None:
        says = f"A liability is booked on {_day(entry.effective_on)}, though the beneficiary is {told}."
        return Step(title, Standing.CONTRADICTED, says, (f"entry {entry.number}",))
    return Step(
        title,
        Standing.ESTABLISHED,
        f"The fund booked what it owes on {_day(entry.effective_on)}. The beneficiary is recorded as {told}; "
        "nobody has signed that.",
        (f"entry {entry.number}",),
    )


def _release(facts: Facts, ruling: Ruling, disbursement: Disbursement, *, title: str) -> Step:
    agreed = _agreed(facts, disbursement, "release", title=title)
    if isinstance(agreed, Step):
        return agreed
    approvers = {act.signer for act in _holding(facts, _verb("approve", disbursement), disbursement.agreed_object)}
    if agreed.signer in approvers:
        return _contradicted(facts, title, agreed, "Who released it also approved it.")
    if _at(agreed).date() < ruling.payable_from:
        says = f"It was released on {_moment(agreed)}, before the ruling is known to be in force."
        return _contradicted(facts, title, agreed, says)
    presumed = " (legal force presumed from the days of appeal)" if ruling.force_presumed else ""
    return Step(
        title,
        Standing.ESTABLISHED,
        f"{disbursement.amount} was released on {_moment(agreed)}; the ruling was payable from "
        f"{_day(ruling.payable_from)} at the latest{presumed}.",
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
        return _altered(title, entry)
    if entry.reversed_by is not None:
        says = f"The payment was booked and taken back by entry {entry.reversed_by}."
        return Step(title, Standing.MISSING, says, (*rests_on, f"entry {entry.reversed_by}"))
    settled = [line.amount for line in entry.lines if line.side == "debit" and line.subject == disbursement.obligation]
    if settled != [disbursement.amount]:
        says = f"The entry settles {', '.join(map(str, settled)) or 'nothing'}; agreed were {disbursement.amount}."
        return Step(title, Standing.CONTRADICTED, says, rests_on)
    if entry.effective_on < ruling.payable_from:
        says = f"It is booked as paid on {_day(entry.effective_on)}, before the ruling is known to be in force."
        return Step(title, Standing.CONTRADICTED, says, rests_on)
    agent = disbursement.batch.agent if disbursement.batch else None
    how = (
        f"by agent {agent}, when their receipt was found right"
        if agent
        else f"by the bank, to the {disbursement.payee}"
    )
    source = "" if agent else f", as its statement says that {entry.recorded_by} brought in"
    says = f"{disbursement.amount} was booked on {_day(entry.effective_on)} as paid {how}{source}."
    return Step(title, Standing.ESTABLISHED, says, rests_on)


def _receipt(facts: Facts, disbursement: Disbursement, *, title: str) -> Step:
    if disbursement.receipt is not None:
        standing = Standing.ESTABLISHED if disbursement.receipt_found == "verified" else Standing.MISSING
        says = (
            f"A sealed receipt is kept; it was found {disbursement.receipt_found} by a person, who did not sign that."
        )
        return Step(title, standing, says, (f"commitment {_short(disbursement.receipt)}",))
    files = [file for file in facts.files if file.kind in {"receipt", "confirmation"}]
    rests_on = tuple(f"commitment {_short(file.commitment)} ({file.signer})" for file in files)
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
    total = _sum(paid)
    if total is None or (len(paying) == 1 and total == obligation.amount):
        return
    left = obligation.amount.money() - total.money()
    standing = Standing.ESTABLISHED if left.minor == 0 else Standing.MISSING
    standing = Standing.CONTRADICTED if left.minor < 0 else standing
    yield Step("Paid in all", standing, f"{total} of {obligation.amount} was paid, in {len(paid)} payments.")


def _given_up(facts: Facts, disbursement: Disbursement) -> Step:
    booked = tuple(f"entry {entry.number}" for entry in facts.entries if entry.disbursement == disbursement.alias)
    what = "was paid, and the bank gave it back" if booked else f"was asked for and {disbursement.state}"
    says = f"A payment of {disbursement.amount} {what}: it is no part of this chain."
    return Step("Attempt", Standing.RECORDED, says, (f"disbursement {disbursement.alias}", *booked))


def _quashing(facts: Facts, ruling: Ruling) -> Step:
    signed = _holding(facts, "quash_ruling", ruling.alias)
    rests_on = tuple(name_of(facts, act) for act in signed)
    rests_on += tuple(f"entry {e.number}" for e in facts.entries if e.kind in {"refund_due", "aid_cancelled"})
    if not signed:
        says = f"The ruling is recorded as quashed on {_day(ruling.quashed_on)}; no signature that holds covers it."
        return Step("Afterwards", Standing.MISSING, says, rests_on)
    says = f"The ruling was quashed afterwards; that was recorded on {_day(ruling.quashed_on)}."
    return Step("Afterwards", Standing.ESTABLISHED, says, rests_on)


def _agreed(facts: Facts, disbursement: Disbursement, what: str, *, title: str) -> Act | Step:
    """The act by which a disbursement, or its batch, was agreed to; or the step that says why there is none."""
    batch = disbursement.batch
    signed = _acts(facts, _verb(what, disbursement), disbursement.agreed_object)
    if not signed:
        says = f"No signature is kept. The books call it {disbursement.state}."
        return Step(title, Standing.MISSING, says)
    broken = [act for act in signed if not act.holds]
    if broken:
        return _broken(facts, title, broken[-1])
    act = signed[-1]
    if batch is not None and not batch.unaltered:
        return _contradicted(facts, title, act, f"The lines of batch {batch.alias} are not those that were agreed to.")
    amount = batch.amount if batch else disbursement.amount
    if not act.covers(amount, batch.digest if batch else disbursement.payee_commitment):
        says = f"The signature covers {_told(act)} or another payee; the books say {amount}."
        return _contradicted(facts, title, act, says)
    return act


def _verb(what: str, disbursement: Disbursement) -> str:
    return f"{what}_{'batch' if disbursement.batch else 'disbursement'}"


def _for(disbursement: Disbursement) -> str:
    return f"for the {disbursement.payee}" + (f", in batch {disbursement.batch.alias}," if disbursement.batch else "")


def _rests(facts: Facts, act: Act, disbursement: Disbursement) -> tuple[str, ...]:
    if disbursement.batch is None:
        return name_of(facts, act), f"payee commitment {_short(disbursement.payee_commitment)}"
    digest = _short(disbursement.batch.digest or "")
    return name_of(facts, act), f"hash {digest} over the batch's lines, as the server computes it"


def _broken(facts: Facts, title: str, act: Act) -> Step:
    return _contradicted(facts, title, act, "A signature is kept that does NOT hold: act or signature were altered.")


def _contradicted(facts: Facts, title: str, act: Act, says: str) -> Step:
    return Step(title, Standing.CONTRADICTED, says, (name_of(facts, act),))


def _altered(title: str, entry: Entry) -> Step:
    says = f"Entry {entry.number} does NOT give its fingerprint: it was altered after it was booked."
    return Step(title, Standing.CONTRADICTED, says, (f"entry {entry.number}",))


def _acts(facts: Facts, verb: str, of: str) -> list[Act]:
    return [act for act in facts.acts if (act.verb, act.object) == (verb, of)]


def _holding(facts: Facts, verb: str, of: str) -> list[Act]:
    return [act for act in _acts(facts, verb, of) if act.holds]


def _about(entry: Entry, obligation: str) -> bool:
    return any(line.subject == obligation for line in entry.lines)


def _sum(amounts: Iterable[Amount]) -> Amount | None:
    """The sum of amounts of one currency, or None."""
    found = list(amounts)
    if len({one.currency for one in found}) != 1:
        return None
    return Amount.of(sum((one.money() for one in found[1:]), found[0].money()))


def _told(act: Act) -> str:
    return f"{act.content.get('amount')} {act.content.get('currency')}"


def _at(act: Act) -> datetime:
    """When it was signed, by the signer's clock: within a day of when it was handed in."""
    return datetime.fromisoformat(str(act.content["at"]))


def _moment(act: Act) -> str:
    return _day(_at(act).date())


def _day(day: date | None) -> str:
    return "an unknown day" if day is None else f"{day.day} {day:%B %Y}"


def _short(digest: str) -> str:
    """The beginning of a hash; the whole of it stands in the lists."""
    return f"{digest[:12]}\N{HORIZONTAL ELLIPSIS}"
