"""The rules of eligibility: a list of small functions, each of which names itself, its facts and its outcome.

The same list runs in the verifier's client on exact facts, which are shown, and on the server on bounds: a day is a
span there, and what must be certain is tested at its end, what may be at any of its days.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from ledger.aid.eligibility import NotEligible, Rejection
from ledger.aid.jurisdictions import Pack
from ledger.errors import Refused
from ledger.money import Money


class Outcome(StrEnum):
    """What a rule says. Shown: a difference for a person to look at, which refuses nothing. Waits: not today yet."""

    HOLDS = "holds"
    SHOWN = "shown"
    WAITS = "waits"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class EvidenceMissing(Refused):
    """A file that this kind of obligation needs is not at hand; `files` names the kinds that are missing."""

    rule = "evidence_missing"


@dataclass(frozen=True, slots=True)
class Span:
    """A day that is known to lie between two, both included; one day when it is known."""

    earliest: date
    latest: date

    def days(self) -> Iterator[date]:
        """Each day it may be."""
        for offset in range((self.latest - self.earliest).days + 1):
            yield self.earliest + timedelta(days=offset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What is known of one obligation of a case; None where whoever asks does not know it."""

    article: str
    kind: str
    issued: Span | None
    ruling_kind: str | None = None
    part: str | None = None
    amount: Money | None = None
    payable: Span | None = None
    due: Span | None = None
    paid_on: date | None = None
    detained_days: int | None = None
    received_on: date | None = None
    files: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What one rule said, of which facts; `because` is the code of a rejection when it refuses."""

    rule: str
    outcome: Outcome
    facts: Mapping[str, str | int] = field(default_factory=dict)
    because: Rejection | None = None


Rule = Callable[[Pack, Application, date], Answer]


def answer(pack: Pack, application: Application, *, on: date) -> list[Answer]:
    """What every rule says about an application on the day `on`, in the order in which they refuse."""
    return [rule(pack, application, on) for rule in RULES]


def rejection(
    pack: Pack,
    *,
    ruling_kind: str,
    article: str,
    kind: str,
    issued_on: date | None,
    paid_on: date | None,
    on: date,
) -> Rejection | None:
    """Why the exact facts of an application admit no aid on the day `on`, or None.

    `paid_on` is a payment that somebody made already: before its ruling it was no fine, after it there is nothing left
    to pay here.
    """
    told = Application(
        ruling_kind=ruling_kind,
        article=article,
        kind=kind,
        issued=Span(issued_on, issued_on) if issued_on else None,
        paid_on=paid_on,
    )
    return next((one.because for one in answer(pack, told, on=on) if one.because), None)


def require_lawful(pack: Pack, *, article: str, kind: str, ruled_by: date, on: date) -> None:
    """The server's test at approval: an article of the list, and a ruling whose week is over.

    Raises:
        NotEligible: with the rule that forbids it.
    """
    known = Application(article=article, kind=kind, issued=ruled_within(pack, ruled_by))
    for one in answer(pack, known, on=on):
        if one.because is not None:
            raise NotEligible("a rule admits no aid", because=one.because, rule_name=one.rule)


def require_files(pack: Pack, *, kind: str, received_on: date, files: Collection[str]) -> None:
    """Refuses an obligation without the files that the pack asks for, of cases received on that day.

    Raises:
        EvidenceMissing: some are not at hand.
    """
    missing = sorted(set(pack.files_for(kind, received_on=received_on)) - set(files))
    if missing:
        raise EvidenceMissing("files are missing", kind=kind, files=", ".join(missing))


def ruled_within(pack: Pack, ruled_by: date) -> Span:
    """The days on which a ruling of this bound may have been issued: the week of it may straddle a change of law."""
    return Span(ruled_by - timedelta(days=6) if pack.grain == "week" else ruled_by, ruled_by)


def _ruling_kind(pack: Pack, told: Application, _on: date) -> Answer:
    if told.ruling_kind is None:
        return Answer("ruling_kind", Outcome.UNKNOWN)
    if told.ruling_kind not in pack.ruling_kinds:  # what the list says is not told back
        return Answer("ruling_kind", Outcome.REFUSED, because=Rejection.CRIMINAL_CHARGE)
    return Answer("ruling_kind", Outcome.HOLDS, {"ruling_kind": told.ruling_kind})


def _obligation_of_ruling(pack: Pack, told: Application, _on: date) -> Answer:
    """Whether this kind of ruling leads to this kind of obligation: for another one there is no ruling."""
    if told.ruling_kind is None or told.issued is None:
        return Answer("obligation_of_ruling", Outcome.UNKNOWN)
    if not any(pack.leads_to(told.ruling_kind, told.kind, on=day) for day in told.issued.days()):
        return Answer("obligation_of_ruling", Outcome.REFUSED, {"kind": told.kind}, Rejection.NO_RULING)
    return Answer("obligation_of_ruling", Outcome.HOLDS, {"kind": told.kind})


def _after_not_before(_pack: Pack, told: Application, on: date) -> Answer:
    facts = {"on": on.isoformat()} | _days(issued=told.issued)
    if told.issued is None or told.issued.latest > on:
        return Answer("after_not_before", Outcome.REFUSED, facts, Rejection.NO_RULING)
    return Answer("after_not_before", Outcome.HOLDS, facts)


def _not_paid_before(_pack: Pack, told: Application, _on: date) -> Answer:
    if told.paid_on is None or told.issued is None:
        return Answer("not_paid_before", Outcome.HOLDS)
    before = told.paid_on < told.issued.earliest
    facts = {"paid_on": told.paid_on.isoformat()} | _days(issued=told.issued)
    because = Rejection.NO_RULING if before else Rejection.ALREADY_PAID
    return Answer("not_paid_before", Outcome.REFUSED, facts, because)


def _assembly_articles(pack: Pack, told: Application, _on: date) -> Answer:
    if told.issued is None:
        return Answer("assembly_articles", Outcome.UNKNOWN)
    listed = [one for one in pack.articles if one.code == told.article]
    if not any(one.admits(kind=told.kind, ruled_on=day) for one in listed for day in told.issued.days()):
        return Answer("assembly_articles", Outcome.REFUSED, because=Rejection.NOT_ASSEMBLY_RELATED)
    return Answer("assembly_articles", Outcome.HOLDS, {"article": told.article} | _part(told))


def _sanction_within_article(pack: Pack, told: Application, _on: date) -> Answer:
    """Whether a fine lies within what the part threatens, in base values of the ruling's day; else it is shown."""
    name = "sanction_within_article"
    if told.kind != "fine" or told.amount is None or told.issued is None:
        return Answer(name, Outcome.UNKNOWN)
    ranges: list[tuple[Money, Money]] = []
    for day in told.issued.days():
        article = pack.article(told.article, on=day)
        for part in article.threatens(told.part) if article else ():
            lower = pack.worth(part.least_base_values, on=day)
            upper = pack.worth(part.most_base_values, on=day) if part.most_base_values else None
            if lower is not None and upper is not None:
                ranges.append((lower, upper))
    if not ranges:
        return Answer(name, Outcome.UNKNOWN)
    least, most = min(one.minor for one, _ in ranges), max(one.minor for _, one in ranges)
    facts = {"amount": told.amount.decimal()} | _part(told)
    facts |= {"least": Money(least, pack.currency).decimal(), "most": Money(most, pack.currency).decimal()}
    if any(one <= told.amount <= other for one, other in ranges):
        return Answer(name, Outcome.HOLDS, facts)
    over = told.amount.minor - (most if told.amount.minor > most else least)
    return Answer(name, Outcome.SHOWN, facts | {"difference": Money(over, pack.currency).decimal()})


def _detention_tariff(pack: Pack, told: Application, _on: date) -> Answer:
    """The days of a detention times the tariff of the ruling's day. The bill overrides it, a difference is shown."""
    name = "detention_tariff"
    if told.kind != "detention" or told.amount is None or told.issued is None:
        return Answer(name, Outcome.UNKNOWN)
    tariffs = {cost.minor for day in told.issued.days() if (cost := pack.detention_day(on=day)) is not None}
    if not tariffs:
        return Answer(name, Outcome.UNKNOWN)
    billed = told.amount.minor
    rate = min(tariffs, key=lambda one: (abs(billed - _days_of(billed, one, told) * one), one))
    days = _days_of(billed, rate, told)
    facts: dict[str, str | int] = {
        "days" if told.detained_days is not None else "days_by_the_bill": days,
        "a_day": Money(rate, pack.currency).decimal(),
        "formula": Money(days * rate, pack.currency).decimal(),
        "bill": told.amount.decimal(),
    }
    longest = _longest_arrest(pack, told)
    too_long = longest is not None and days > longest
    if too_long:
        facts["most_days"] = longest or 0
    if billed != days * rate:
        facts["difference"] = Money(billed - days * rate, pack.currency).decimal()
    return Answer(name, Outcome.SHOWN if too_long or billed != days * rate else Outcome.HOLDS, facts)


def _in_force_at_payment(_pack: Pack, told: Application, on: date) -> Answer:
    if told.payable is None:
        return Answer("in_force_at_payment", Outcome.UNKNOWN)
    outcome = Outcome.HOLDS if told.payable.latest <= on else Outcome.WAITS
    return Answer("in_force_at_payment", outcome, _days(payable=told.payable))


def _appeal_deadline(pack: Pack, told: Application, on: date) -> Answer:
    """While an appeal is possible, the sanction may still fall away."""
    if told.issued is None:
        return Answer("appeal_deadline", Outcome.UNKNOWN)
    until = told.issued.latest + timedelta(days=pack.deadlines_on(told.issued.latest).appeal_days)
    return Answer(
        "appeal_deadline", Outcome.HOLDS if until < on else Outcome.WAITS, {"appeal_until": until.isoformat()}
    )


def _payment_deadline(_pack: Pack, told: Application, on: date) -> Answer:
    """Beyond the deadline a bailiff comes, and the sum may be another one."""
    if told.due is None:
        return Answer("payment_deadline", Outcome.UNKNOWN)
    outcome = Outcome.HOLDS if on <= told.due.earliest else Outcome.SHOWN
    return Answer("payment_deadline", outcome, {"due_by": told.due.earliest.isoformat()})


def _evidence_at_hand(pack: Pack, told: Application, _on: date) -> Answer:
    if told.files is None or told.received_on is None:
        return Answer("evidence_at_hand", Outcome.UNKNOWN)
    needed = pack.files_for(told.kind, received_on=told.received_on)
    missing = sorted(set(needed) - set(told.files))
    facts = {"needed": ", ".join(needed) or "nothing"}
    if missing:
        return Answer("evidence_at_hand", Outcome.WAITS, facts | {"missing": ", ".join(missing)})
    return Answer("evidence_at_hand", Outcome.HOLDS, facts)


RULES: tuple[Rule, ...] = (
    _ruling_kind,
    _after_not_before,
    _not_paid_before,
    _assembly_articles,
    _obligation_of_ruling,
    _sanction_within_article,
    _detention_tariff,
    _in_force_at_payment,
    _appeal_deadline,
    _payment_deadline,
    _evidence_at_hand,
)


def _days_of(billed: int, rate: int, told: Application) -> int:
    """The days that are told, or else those that come nearest to the bill, upwards from half a day."""
    return told.detained_days if told.detained_days is not None else (2 * billed + rate) // (2 * rate)


def _longest_arrest(pack: Pack, told: Application) -> int | None:
    found = [
        part.most_arrest_days
        for day in (told.issued.days() if told.issued else ())
        if (article := pack.article(told.article, on=day)) is not None
        for part in article.threatens(told.part)
        if part.most_arrest_days is not None
    ]
    return max(found, default=None)


def _part(told: Application) -> dict[str, str | int]:
    return {"part": told.part} if told.part is not None else {}


def _days(**spans: Span | None) -> dict[str, str | int]:
    """A day that is known by its name, a span by its end."""
    return {name: span.latest.isoformat() for name, span in spans.items() if span is not None}
