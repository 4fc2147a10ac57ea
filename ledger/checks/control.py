"""Sub-ledger and control account: what each obligation, gift, dispute, advance and agent says, and what is booked."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, SQLModel, col
from sqlmodel import select as select_rows

from ledger.aid import agents, bail, batches, disbursements, obligations, outlays, purse_changes, results, returns
from ledger.aid.advances import Advance, Share
from ledger.aid.advances import State as AdvanceState
from ledger.aid.agents import Agent
from ledger.aid.batch_lines import BatchLine, Receipt
from ledger.aid.disbursements import Disbursement
from ledger.aid.obligations import Obligation
from ledger.aid.purse_changes import Place
from ledger.aid.refunds import Debtor, Refund
from ledger.aliases import Kind
from ledger.books import recipes
from ledger.checks.findings import Check, Finding, Tell, booked_here, paged
from ledger.giving import disputes, steps
from ledger.giving.disputes import Dispute
from ledger.giving.donations import Donation

_UNDECIDED, _LOST = frozenset({disputes.State.OPEN}), frozenset({disputes.State.LOST})
_ENTRIES = SQLModel.metadata.tables["entry"]
_LINES = SQLModel.metadata.tables["line"]
_SUBJECTS = {
    "obligation": Kind.OBLIGATION,
    "donation": Kind.DONATION,
    "dispute": Kind.DISPUTE,
    "advance": Kind.ADVANCE,
    "agent": Kind.AGENT,
}
"""The tables of what lines are about."""
Cell = tuple[str, str]
"""A fund and a currency."""
Cells = Mapping[Cell, int]
"""Debit balances in minor units; a credit balance is below zero."""


@dataclass(frozen=True, slots=True)
class Control:
    """An account whose lines about one row of `model` come to what `expected` says of it, per fund and currency."""

    account: str
    kind: str
    model: type[Any]
    expected: Callable[[Session, Sequence[Any]], dict[str, Cells]]


def find_differences(control: Control, session: Session, tell: Tell, *, check: str) -> Iterator[Finding]:
    """The rows of the sub-ledger whose lines on the control account come to something else."""
    total = session.exec(select_rows(func.count()).select_from(control.model)).one()
    done = 0
    for page in paged(session, control.model, control.model.alias):
        expected = control.expected(session, page)
        booked = _booked(session, control.account, list(expected))
        for alias, cells in expected.items():
            stands = booked.get(alias, {})
            yield from _compared(check, control.kind, alias, account=control.account, expected=cells, booked=stands)
        done += len(page)
        tell(done, total)


def find_purses(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Agents whose purse is not what they were advanced less claims and returns, with its movements, per fund."""
    for agent in session.exec(select_rows(Agent).order_by(Agent.alias)):
        advanced = _advanced(session, agent)
        advanced.update(purse_changes.by_cell(session, agent.alias, place=Place.PURSE))
        booked: Counter[Cell] = Counter()
        for currency in {currency for _, currency in advanced} | _currencies(session, agent.purse()):
            for fund, minor in results.charged_by_fund(session, agent.alias, currency=currency).items():
                advanced[fund, currency] -= minor
            for fund, minor in returns.received_by_fund(session, agent, currency=currency).items():
                advanced[fund, currency] -= minor
            for fund, minor in agents.held_by_fund(session, agent, currency=currency).items():
                booked[fund, currency] += minor
        yield from _compared("purses", "agent", agent.alias, account=agent.purse(), expected=advanced, booked=booked)
        for (fund, currency), minor in sorted(advanced.items()):
            if minor < 0:
                yield Finding(
                    "purses", "agent", agent.alias, {"fund": fund, "currency": currency, "over_advanced_minor": -minor}
                )


def find_overpaid(session: Session, tell: Tell) -> Iterator[Finding]:
    """Obligations of which more was paid, less what came back, than is owed."""
    own_kind = {"aid_recognised", "aid_cancelled"}
    original = _ENTRIES.alias("original")
    total = session.exec(select_rows(func.count()).select_from(Obligation)).one()
    done = 0
    for page in paged(session, Obligation, Obligation.alias):
        query = (
            select(_LINES.c.subject, _LINES.c.currency, func.sum(_LINES.c.minor))
            .join(_ENTRIES, _ENTRIES.c.id == _LINES.c.entry_id)
            .join(original, original.c.id == func.coalesce(_ENTRIES.c.reverses_id, _ENTRIES.c.id))
            .where(_LINES.c.subject.in_([one.alias for one in page]), original.c.kind.not_in(own_kind))
            .where(_LINES.c.account_code == recipes.APPROVED_ASSISTANCE)
            .group_by(_LINES.c.subject, _LINES.c.currency)
        )
        owed = {one.alias: one for one in page}
        for alias, currency, paid in session.connection().execute(query):
            if currency != owed[alias].currency or paid > owed[alias].minor:
                facts = {"currency": currency, "paid_minor": int(paid), "owed_minor": owed[alias].minor}
                yield Finding("overpaid", "obligation", alias, facts)
        done += len(page)
        tell(done, total)


def find_unknown(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Aliases that lines are about and no table knows."""
    tables = {name: (f"{kind}-", _LINES.c.subject) for name, kind in _SUBJECTS.items()}
    tables["aid_case"] = (f"{Kind.CASE}-", _LINES.c.case_alias)
    for name, (prefix, column) in tables.items():
        rows = SQLModel.metadata.tables[name]
        query = (
            select(column, func.min(_LINES.c.entry_id))
            .join(_ENTRIES, _ENTRIES.c.id == _LINES.c.entry_id)
            .where(column.startswith(prefix, autoescape=True))
            .where(booked_here(session))
            .where(~select(rows.c.alias).where(rows.c.alias == column).exists())
            .group_by(column)
        )
        for alias, entry_id in session.connection().execute(query):
            yield Finding("known-subjects", "entry", str(entry_id), {"subject": alias})


def _compared(check: str, kind: str, alias: str, *, account: str, expected: Cells, booked: Cells) -> Iterator[Finding]:
    for fund, currency in sorted({*expected, *booked}):
        told, stands = expected.get((fund, currency), 0), booked.get((fund, currency), 0)
        if told != stands:
            facts = {"account": account, "fund": fund, "currency": currency}
            yield Finding(check, kind, alias, facts | {"expected_minor": told, "booked_minor": stands})


def _booked(session: Session, account: str, subjects: Sequence[str]) -> dict[str, dict[Cell, int]]:
    """What stands on an account and its leaves about these subjects."""
    query = (
        select(_LINES.c.subject, _LINES.c.account_code, _LINES.c.fund_code, _LINES.c.currency, func.sum(_LINES.c.minor))
        .where(_LINES.c.subject.in_(subjects))
        .group_by(_LINES.c.subject, _LINES.c.account_code, _LINES.c.fund_code, _LINES.c.currency)
    )
    found: dict[str, dict[Cell, int]] = {}
    for subject, code, fund, currency, minor in session.connection().execute(query):
        if code.partition(":")[0] == account:
            cells = found.setdefault(subject, {})
            cells[fund, currency] = cells.get((fund, currency), 0) + int(minor)
    return found


def _currencies(session: Session, account: str) -> set[str]:
    query = select(_LINES.c.currency).where(_LINES.c.account_code == account).distinct()
    return set(session.connection().scalars(query))


def _unpaid(session: Session, page: Sequence[Obligation]) -> dict[str, Cells]:
    """What is recognised and not paid."""
    booked = [one for one in page if one.state in obligations.BOOKED]
    paid = disbursements.taken(session, [one.alias for one in booked], states=(disbursements.State.PAID,))
    owed = {one.alias: {(one.fund_code or "", one.currency): paid[one.alias] - one.payable().minor} for one in booked}
    return {one.alias: owed.get(one.alias, {}) for one in page}


def _held_by_courts(session: Session, page: Sequence[Obligation]) -> dict[str, Cells]:
    """What courts hold of posted bail."""
    posted = [
        one for one in page if one.kind is obligations.ObligationKind.BAIL and one.state is obligations.State.PAID
    ]
    held = {one.alias: bail.outstanding(session, one).minor for one in posted}
    return {
        one.alias: {(one.fund_code or "", one.currency): held[one.alias]} if held.get(one.alias) else {} for one in page
    }


def _owed_back(debtors: Collection[Debtor], session: Session, page: Sequence[Obligation]) -> dict[str, Cells]:
    """The refunds that have not come from such debtors, and were not given up."""
    funds = {one.alias: one.fund_code or "" for one in page}
    expected: dict[str, Counter[Cell]] = {alias: Counter() for alias in funds}
    query = select_rows(Refund).where(col(Refund.debtor).in_(debtors), col(Refund.received_on).is_(None))
    for refund in session.exec(query.where(col(Refund.obligation_alias).in_(funds))):
        if refund.is_waiting():
            fund = refund.fund_code or funds[refund.obligation_alias]
            expected[refund.obligation_alias][fund, refund.currency] += refund.minor
    return dict(expected)


def _standing(account: str, session: Session, page: Sequence[Donation]) -> dict[str, Cells]:
    """What receipts and steps of gifts come to on an account."""
    taken = steps.of(session, [one.alias for one in page])
    return {
        one.alias: {
            (fund, one.currency): minor
            for (code, fund), minor in steps.standing_of(one, taken[one.alias]).items()
            if code == account and minor
        }
        for one in page
    }


def _given_back(_session: Session, page: Sequence[Donation]) -> dict[str, Cells]:
    return {
        one.alias: {(one.fund_code, one.currency): one.refunded_minor} if one.refunded_minor else {} for one in page
    }


def _withdrawn(states: Collection[disputes.State], session: Session, page: Sequence[Dispute]) -> dict[str, Cells]:
    gifts = select_rows(Donation.alias, Donation.fund_code)
    disputed = col(Donation.alias).in_([one.donation_alias for one in page])
    funds = dict(session.exec(gifts.where(disputed)).all())
    return {
        one.alias: {(funds[one.donation_alias], one.currency): one.outstanding().minor} if one.state in states else {}
        for one in page
    }


def _in_transit(session: Session, page: Sequence[Advance]) -> dict[str, Cells]:
    under_way = {one.alias: one.currency for one in page if one.state is AdvanceState.SENT}
    expected: dict[str, Counter[Cell]] = {one.alias: Counter() for one in page}
    for share in session.exec(select_rows(Share).where(col(Share.advance_alias).in_(under_way))):
        expected[share.advance_alias][share.fund_code, under_way[share.advance_alias]] = share.minor
    for alias, left in returns.in_transit(session, list(expected)).items():  # and was no advance
        expected[alias].update(left)
    return dict(expected)


def _owed_to_agents(session: Session, page: Sequence[Agent]) -> dict[str, Cells]:
    query = (
        select_rows(batches.Batch.agent_alias, Disbursement, BatchLine.charged_minor)
        .join(BatchLine, col(BatchLine.batch_alias) == batches.Batch.alias)
        .join(Disbursement, col(Disbursement.alias) == BatchLine.disbursement_alias)
        .where(col(batches.Batch.agent_alias).in_([one.alias for one in page]), BatchLine.receipt == Receipt.VERIFIED)
    )
    expected: dict[str, Counter[Cell]] = {one.alias: Counter() for one in page}
    for agent, disbursement, charged in session.exec(query):
        outlay = disbursement.minor - (charged or 0)
        if outlay:
            expected[agent or ""][disbursement.fund_code, disbursement.currency] -= outlay
    for one in page:
        expected[one.alias].update(purse_changes.by_cell(session, one.alias, place=Place.OWED))
        expected[one.alias].subtract(returns.own_by_cell(session, one.alias))
        expected[one.alias].update(outlays.repaid_by_cell(session, one.alias))
    return dict(expected)


def _advanced(session: Session, agent: Agent) -> Counter[Cell]:
    """What the agent has received of each fund."""
    query = select_rows(Share, Advance.local_currency).join(Advance, col(Advance.alias) == Share.advance_alias)
    received: Counter[Cell] = Counter()
    for share, currency in session.exec(query.where(Advance.agent_alias == agent.alias)):
        if currency is not None and share.local_minor:
            received[share.fund_code, currency] += share.local_minor
    return received


def _control(name: str, promise: str, control: Control) -> Check:
    return Check(name, promise, partial(find_differences, control, check=name))


_REFUND_DUE = partial(_owed_back, (Debtor.AUTHORITY,))
_RECOVERABLE = partial(_owed_back, (Debtor.ORGANISATION, Debtor.BENEFICIARY, Debtor.PAYEE))

CHECKS = (
    _control(
        "approved-assistance",
        "2100 holds the recognised and unpaid obligations, one by one",
        Control(recipes.APPROVED_ASSISTANCE, "obligation", Obligation, _unpaid),
    ),
    _control(
        "refunds-receivable",
        "1350 holds what authorities owe back, one obligation by one",
        Control(recipes.REFUNDS_RECEIVABLE, "obligation", Obligation, _REFUND_DUE),
    ),
    _control(
        "bail-recoverable",
        "1300 holds what courts hold of posted bail, one by one",
        Control(recipes.BAIL_RECOVERABLE, "obligation", Obligation, _held_by_courts),
    ),
    _control(
        "recoverable-from-others",
        "1380 holds what others owe back of an obligation, one by one",
        Control(recipes.RECOVERABLE, "obligation", Obligation, _RECOVERABLE),
    ),
    Check("overpaid", "what was paid less what came back is never over the obligation", find_overpaid),
    _control(
        "gifts",
        "4000 holds every identified gift in full",
        Control(recipes.DONATIONS, "donation", Donation, partial(_standing, recipes.DONATIONS)),
    ),
    _control(
        "unidentified-gifts",
        "2000 holds the gifts whose purpose nobody knows yet",
        Control(recipes.UNIDENTIFIED, "donation", Donation, partial(_standing, recipes.UNIDENTIFIED)),
    ),
    _control(
        "conditional-gifts",
        "2300 holds the gifts that go back unless their condition is met",
        Control(recipes.CONDITIONAL_GIFTS, "donation", Donation, partial(_standing, recipes.CONDITIONAL_GIFTS)),
    ),
    _control(
        "gifts-in-kind",
        "4050 holds every gift in kind at the value two people signed",
        Control(recipes.GIFTS_IN_KIND, "donation", Donation, partial(_standing, recipes.GIFTS_IN_KIND)),
    ),
    _control(
        "gifts-given-back",
        "4190 holds what was given back of each gift",
        Control(recipes.DONATION_REFUNDS, "donation", Donation, _given_back),
    ),
    _control(
        "disputes",
        "1150 holds the open disputes, one by one",
        Control(recipes.DISPUTES_RECEIVABLE, "dispute", Dispute, partial(_withdrawn, _UNDECIDED)),
    ),
    _control(
        "lost-disputes",
        "4195 holds the disputes that were lost, one by one",
        Control(recipes.LOST_DISPUTES, "dispute", Dispute, partial(_withdrawn, _LOST)),
    ),
    _control(
        "advances-in-transit",
        "1210 holds advances sent and not acknowledged, and what left in error and is not back",
        Control(agents.TRANSIT, "advance", Advance, _in_transit),
    ),
    Check(
        "purses",
        "each purse holds the agent's advances less claims and returns, with its movements, and never less",
        find_purses,
    ),
    _control(
        "owed-to-agents",
        "2150 holds what agents paid or gave back beyond their purses, and is neither set off nor repaid",
        Control(agents.OWED, "agent", Agent, _owed_to_agents),
    ),
    Check("known-subjects", "what a line is about stands in its table", find_unknown),
)
