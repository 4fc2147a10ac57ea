"""Caps: the most that one person gets approved of a kind within so many days, over all their applications.

A person is known here by the tokens of their name: cases that share one, also over a third case, are one person's, and
so are those that somebody has signed to be, whatever their names. Two who were signed to be two are two, but never by
the word of who approves: one person alone pays nobody beyond a cap. The approvals counted are those that were signed;
approvals take turns, so that no two of them pass a cap together.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta

from sqlmodel import Session, col, select

from ledger import book
from ledger.aid import disbursements, jurisdictions, likenesses
from ledger.aid.batch_lines import BatchLine
from ledger.aid.cases import Case
from ledger.aid.disbursements import Disbursement
from ledger.aid.jurisdictions import Cap
from ledger.aid.obligations import Obligation
from ledger.approvals import SignedAct
from ledger.errors import Refused
from ledger.money import Money

_APPROVALS = ("approve_disbursement", "approve_batch")


class OverPersonCap(Refused):
    """One person would get more of a kind than the pack admits within so many days; amounts are in minor units."""

    rule = "over_person_cap"


def require_within(session: Session, chosen: Sequence[Disbursement], *, by: str, on: date) -> None:
    """Refuses approvals by which a person would get more than a cap: see `over`.

    Raises:
        OverPersonCap: the first of them.
    """
    for refusal in over(session, chosen, by=by, on=on):
        raise refusal


def over(session: Session, chosen: Sequence[Disbursement], *, by: str, on: date) -> list[OverPersonCap]:
    """Why approvals are refused by which people would get more than a cap, with what was approved before.

    One for each person and kind: `case` names those of the chosen that are theirs, `cases` is how many of their cases
    count. `by` approves on the day `on`; that two are two counts when somebody else has said so.

    Whoever approves next waits until this transaction ends.
    """
    book.require(session, lock=True)
    one_persons = likenesses.cases_of_persons(session, {one.case_alias for one in chosen}, doubted=by)
    jurisdiction = dict(
        session.exec(select(Case.alias, Case.jurisdiction).where(col(Case.alias).in_(one_persons))).all()
    )
    of_kind = _kinds(session, chosen)
    groups: dict[tuple[frozenset[str], str], list[Disbursement]] = defaultdict(list)
    for one in chosen:
        groups[one_persons[one.case_alias], of_kind[one.obligation_alias]].append(one)
    before = _approved_before(session, {case for person, _ in groups for case in person}, but=chosen)
    refused = []
    for (person, kind), now in groups.items():
        pack = jurisdictions.load(jurisdiction[now[0].case_alias])
        earlier = [(one, day) for one, its_kind, day in before if its_kind == kind and one.case_alias in person]
        for cap in pack.caps_on(kind, on=on):
            first = on - timedelta(days=cap.within_days - 1)
            counted = [one for one, day in earlier if day is None or day >= first]
            try:
                _require_within(cap, [*counted, *now], currency=pack.currency)
            except OverPersonCap as refusal:
                refusal.data["case"] = " and ".join(sorted({one.case_alias for one in now}))
                refused.append(refusal)
                break
    return refused


def _require_within(cap: Cap, counted: Sequence[Disbursement], *, currency: str) -> None:
    minor = sum(one.minor for one in counted if one.currency == currency)
    most = jurisdictions.amount(cap.most_amount, currency) or Money(minor, currency)
    if minor > most.minor or len(counted) > (cap.most_count or len(counted)):
        raise OverPersonCap(
            "one person would get more than the cap",
            kind=cap.kind,
            within_days=cap.within_days,
            cases=len({one.case_alias for one in counted}),
            minor=minor,
            most_minor=most.minor if cap.most_amount else None,
            count=len(counted),
            most_count=cap.most_count,
            currency=currency,
        )


def _kinds(session: Session, chosen: Iterable[Disbursement]) -> dict[str, str]:
    """The kinds of the obligations that are paid, by alias."""
    wanted = {one.obligation_alias for one in chosen}
    found = session.exec(select(Obligation.alias, Obligation.kind).where(col(Obligation.alias).in_(wanted))).all()
    return {alias: str(kind) for alias, kind in found}


def _approved_before(
    session: Session, cases: Collection[str], *, but: Iterable[Disbursement]
) -> list[tuple[Disbursement, str, date | None]]:
    """What was approved of these cases and stands, with its kind and the day of its newest signed approval.

    The day is None when no signature tells it: it counts in every window.
    """
    query = (
        select(Disbursement, Obligation.kind, BatchLine.batch_alias)
        .join(Obligation, col(Obligation.alias) == Disbursement.obligation_alias)
        .join(BatchLine, col(BatchLine.disbursement_alias) == Disbursement.alias, isouter=True)
        .where(col(Disbursement.case_alias).in_(cases), col(Disbursement.approved_by).is_not(None))
        .where(col(Disbursement.state).not_in(disbursements.GONE))
        .where(col(Disbursement.alias).not_in([one.alias for one in but]))
    )
    found = session.exec(query).all()
    signed_as = {one.alias: batch or one.alias for one, _, batch in found}
    acts = select(SignedAct.object, SignedAct.recorded_at).where(
        col(SignedAct.object).in_(set(signed_as.values())), col(SignedAct.verb).in_(_APPROVALS)
    )
    days: dict[str, date] = {}
    for alias, recorded_at in session.exec(acts):
        days[alias] = max(recorded_at.date(), days.get(alias, recorded_at.date()))
    return [(one, str(kind), days.get(signed_as[one.alias])) for one, kind, _ in found]
