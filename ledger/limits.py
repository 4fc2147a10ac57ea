"""Limits: how much a role may agree to in one act and in one day, and above what a third person agrees too.

They stand in the roster, which two officers sign: nobody changes them by a setting, and every act is judged by the
roster of its moment. A role without limits has none; a role with limits has them in every currency that it is to act
in. What a role agrees to in a day is counted over all who hold it: more devices do not make more money.
"""

import json
from datetime import UTC, datetime, time, timedelta

from sqlmodel import Session, col, select

from ledger import approvals, book, people, suspensions
from ledger.approvals import ROLE_OF, Act, Agreed, NotAgreed, SignedAct, Verb
from ledger.errors import Refused
from ledger.money import Money
from ledger.people import Limit, Roster

LIMITED: tuple[Verb, ...] = (
    "approve_disbursement",
    "approve_batch",
    "approve_advance",
    "approve_outlay",
    "approve_purse_movement",
    "approve_gift_return",
    "agree_loss",
    "release_disbursement",
    "release_batch",
    "release_advance",
)
"""The acts by which money leaves the fund, or stays with an agent otherwise than for a receipt."""
TWO = 2
"""How many agree, beside the one who asks, to what is above the limit for a third person."""


class OverLimit(Refused):
    """More than the role may agree to: in one act, in a day, or in this currency at all; amounts are in minor units."""

    rule = "over_limit"


def require_within(
    session: Session, agreed: Agreed, *, verb: Verb, object_alias: str, amount: Money, whole: Money | None = None
) -> None:
    """Refuses an act beyond the limits of its role; whoever acts within limits next waits until this one is through.

    What pays parts is judged by the `whole` of what they are parts of, but for the day: else a sum above a limit would
    only have to be split.

    Raises:
        OverLimit: `limit` is act, day or currency. SamePerson: they have agreed to the very same thing before, and
            another person is asked for.
    """
    role = ROLE_OF[verb]
    limits = [one for one in people.current(session).limits if one.role == role]
    if verb not in LIMITED or not limits:
        return
    book.require(session, lock=True)
    limit = next((one for one in limits if one.currency == amount.currency), None)
    if limit is None:
        raise OverLimit("the role has no limit in this currency", limit="currency", role=role, currency=amount.currency)
    today = _agreed_today(session, role=limit.role, currency=amount.currency, now=agreed.now)
    today[verb, object_alias] = amount.minor
    for name, asked, most in (
        ("act", (whole or amount).minor, limit.most("per_act")),
        ("day", sum(today.values()), limit.most("per_day")),
    ):
        if most is not None and asked > most.minor:
            raise OverLimit(
                "more than the role may agree to",
                limit=name,
                role=role,
                minor=asked,
                most_minor=most.minor,
                currency=amount.currency,
            )
    if not verb.startswith("release_") and _needs_two(limit, whole or amount):
        approvals.require_other(agreed.signer.alias, than=_agreed_to(session, agreed.act))


def is_enough(session: Session, agreed: Agreed, *, whole: Money | None = None) -> bool:
    """Whether, with an act that was just kept, as many agree to the very same thing as its amount needs.

    Above the limit for a third person that are two beside who asked; whoever is suspended by now does not count.
    """
    act = agreed.act
    amount = whole or Money.parse(act.amount or "0", act.currency or "")
    limit = _limit(people.current(session), act.verb, amount.currency)
    return limit is None or not _needs_two(limit, amount) or len(_agreed_to(session, act)) >= TWO


def require_enough(
    session: Session,
    object_alias: str,
    *,
    verb: Verb,
    amount: Money,
    payee_commitment: str | None,
    whole: Money | None = None,
) -> None:
    """Refuses to release what too few have signed, by the limits of the roster under which they did.

    Raises:
        NotAgreed: the third person's signature is missing.
    """
    kept = [one for one in approvals.of_object(session, object_alias) if one.verb == verb]
    rosters = {version.number: version for version in people.versions(session)}
    newest = max((one.roster for one in kept), default=None)
    if newest is None or newest not in rosters:
        return  # nobody agreed at all: `approvals.require_agreed` refuses that
    limit = _limit(people.read_roster(rosters[newest].document), verb, amount.currency)
    if limit is None or not _needs_two(limit, whole or amount):
        return
    signers = approvals.agreed_by(session, object_alias, verb=verb, amount=amount, payee_commitment=payee_commitment)
    if len(signers) < TWO:
        raise NotAgreed("no third person has agreed", object=object_alias, verb=verb)


def _limit(roster: Roster, verb: Verb, currency: str) -> Limit | None:
    found = (one for one in roster.limits if one.role == ROLE_OF[verb] and one.currency == currency)
    return next(found, None)


def _needs_two(limit: Limit, amount: Money) -> bool:
    above = limit.most("third_above")
    return above is not None and amount.minor > above.minor


def _agreed_to(session: Session, act: Act) -> set[str]:
    """Who signed the very same thing as `act`: the same state of the same object, resting on the same evidence."""
    same = act.model_dump(mode="json", exclude={"signer", "at", "nonce"})
    return {
        kept.signer
        for kept in approvals.of_object(session, act.object)
        if same.items() <= json.loads(kept.document).items()
        and approvals.still_holds(session, kept)
        and not suspensions.is_suspended(session, kept.signer)
    }


def _agreed_today(session: Session, *, role: str, currency: str, now: datetime) -> dict[tuple[str, str], int]:
    """In minor units, by verb and object: what a role agreed to on this day of UTC. Two signatures on one are one."""
    start = datetime.combine(now.astimezone(UTC).date(), time(), tzinfo=UTC)
    verbs = [verb for verb in LIMITED if ROLE_OF[verb] == role]
    query = select(SignedAct.verb, SignedAct.object, SignedAct.document).where(
        col(SignedAct.verb).in_(verbs),
        col(SignedAct.recorded_at) >= start,
        col(SignedAct.recorded_at) < start + timedelta(days=1),
    )
    agreed: dict[tuple[str, str], int] = {}
    for verb, alias, document in session.exec(query):
        act = json.loads(document)
        if act["currency"] == currency:
            agreed[verb, alias] = Money.parse(act["amount"], currency).minor
    return agreed
