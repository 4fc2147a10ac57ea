"""Checks of giving: what became of gifts by bank, in cash and in kind is booked as it was signed, nothing else is."""

from collections.abc import Iterator, Mapping

from sqlalchemy import select
from sqlmodel import Session, SQLModel, col
from sqlmodel import select as select_rows

from ledger.books import journal, recipes
from ledger.books.journal import Entry
from ledger.books.postings import Posting, Side
from ledger.checks.effects import Effect, effect
from ledger.checks.findings import Check, Fact, Finding, Tell, booked_here, paged
from ledger.giving import cash, cash_deposits, conditional, early_payouts, in_kind, steps, unidentified
from ledger.giving.cash import CashCount
from ledger.giving.cash_deposits import CashDeposit
from ledger.giving.donations import Donation
from ledger.giving.gift_returns import GiftReturn
from ledger.giving.in_kind import GiftInKind
from ledger.giving.steps import GiftStep, Step

_ENTRIES = SQLModel.metadata.tables[str(Entry.__tablename__)]
_NAMESPACES: Mapping[str, type[SQLModel]] = {"cash:": CashCount, "in-kind:": GiftInKind}
_VERBS = {
    Step.MATCHED: "match_gift",
    Step.UNCLAIMED: "claim_gift",
    Step.CONDITIONAL: "condition_gift",
    Step.MET: "meet_condition",
}
"""By which act people take a step; the others are facts, or come of an act about something else."""


def effects(session: Session) -> Iterator[list[Effect]]:
    """What stands in giving because somebody signed it."""
    for page in paged(session, Donation, Donation.alias):
        taken = steps.of(session, [one.alias for one in page])
        yield [one for found in taken.values() for one in _of_steps(found)]
    for orders in paged(session, GiftReturn, GiftReturn.alias):
        yield [found for one in orders for found in _of_return(one)]
    for counts in paged(session, CashCount, CashCount.alias):
        yield [found for one in counts for found in _of_count(one)]
    for deposits in paged(session, CashDeposit, CashDeposit.alias):
        yield [_effect_of(one, "cash_deposit", "bank_cash", one.taken_by) for one in deposits]
    for gifts in paged(session, GiftInKind, GiftInKind.alias):
        yield [found for one in gifts for found in _of_gift_in_kind(one)]


def find_steps(session: Session, tell: Tell) -> Iterator[Finding]:
    """Steps whose entry moves something else about the gift, that are numbered with a gap, or that nobody took."""
    done = 0
    for page in paged(session, Donation, Donation.alias):
        for alias, taken in steps.of(session, [one.alias for one in page]).items():
            entries = _entries(session, [one.source_key for one in taken])
            for number, one in enumerate(taken, start=1):
                if one.number != number or not _moves(one, entries.get(one.source_key, [])):
                    yield Finding("gift-steps", "donation", alias, {"number": one.number, "step": one.step})
        done += len(page)
        tell(done, done)
    rows = SQLModel.metadata.tables[str(GiftStep.__tablename__)]
    alone = select(_ENTRIES.c.id).where(
        _ENTRIES.c.source_key.startswith(steps.NAMESPACE),
        ~select(rows.c.source_key).where(rows.c.source_key == _ENTRIES.c.source_key).exists(),
        booked_here(session),
    )
    for entry_id in session.connection().scalars(alone):
        yield Finding("gift-steps", "entry", str(entry_id))


def find_cash(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Counts, deposits and gifts in kind that are booked otherwise than signed, or not; entries without one."""
    for counts in paged(session, CashCount, CashCount.alias):
        for one in counts:
            wanted = recipes.cash_gift(cash=one.account_code, gift=one.amount(), fund=one.fund_code, donation=one.alias)
            booked = one.state is cash.State.WITNESSED
            yield from _compared(session, one.alias, cash.source_key_of(one.alias), wanted if booked else [])
    for gifts in paged(session, GiftInKind, GiftInKind.alias):
        for gift in gifts:
            wanted = recipes.gift_in_kind(kind=gift.kind, worth=gift.worth(), fund=gift.fund_code, donation=gift.alias)
            agreed = gift.state is in_kind.State.AGREED
            yield from _compared(session, gift.alias, in_kind.source_key_of(gift.alias), wanted if agreed else [])
    for prefix, model in _NAMESPACES.items():
        rows = SQLModel.metadata.tables[str(model.__tablename__)]
        alone = select(_ENTRIES.c.id).where(
            _ENTRIES.c.source_key.startswith(prefix),
            ~select(rows.c.alias).where(_ENTRIES.c.source_key == prefix + rows.c.alias).exists(),
            booked_here(session),
        )
        for entry_id in session.connection().scalars(alone):
            yield Finding("cash-gifts", "entry", str(entry_id), {"namespace": prefix})


def find_deposits(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Cash at the bank whose entry moves other amounts than were taken and counted."""
    for page in paged(session, CashDeposit, CashDeposit.alias):
        entries = _entries(session, [one.banked_key for one in page if one.banked_key])
        for one in page:
            moved = entries.get(one.banked_key or "", [])
            came = _sum(moved, account=one.target_code), -_sum(moved, account=one.source_code)
            if one.state is cash_deposits.State.BANKED and came != (one.came_minor, one.minor):
                facts: dict[str, Fact] = {"came_minor": one.came_minor, "taken_minor": one.minor}
                yield Finding("cash-banked", "cash_deposit", one.alias, facts)


def _of_steps(taken: list[GiftStep]) -> Iterator[Effect]:
    placed = {one.taken_by for one in taken if one.step is Step.CONDITIONAL}
    said: set[str] = set()
    for one in taken:
        restated: dict[str, str | None] = {"amount": one.amount().decimal(), "currency": one.currency}
        alias = one.donation_alias
        if one.step is Step.MET:
            restated["payee_commitment"] = conditional.commitment(donation=alias, fund=one.fund_code)
        elif one.step in _VERBS:
            restated["payee_commitment"] = unidentified.commitment(
                donation=alias, fund=one.fund_code, purpose=one.about
            )
        elif one.step is Step.PAYOUT and said:  # without anybody's word before, it may need nobody's
            restated["payee_commitment"] = early_payouts.commitment(donation=alias, payout=one.about or "")
            yield effect("donation", alias, "tell_payout", one.taken_by, said, **restated)
            continue
        else:
            continue
        said.add(one.taken_by)
        others = placed if one.step is Step.MET else set()
        yield effect("donation", alias, _VERBS[one.step], one.taken_by, others, **restated)


def _of_return(one: GiftReturn) -> Iterator[Effect]:
    yield _effect_of(one, "gift_return", "request_gift_return", one.requested_by)
    if one.approved_by is not None:
        yield _effect_of(one, "gift_return", "approve_gift_return", one.approved_by, one.requested_by)


def _of_count(one: CashCount) -> Iterator[Effect]:
    yield _effect_of(one, "cash_count", "count_cash", one.counted_by)
    if one.witnessed_by is not None:
        yield _effect_of(one, "cash_count", "witness_cash", one.witnessed_by, one.counted_by)


def _of_gift_in_kind(one: GiftInKind) -> Iterator[Effect]:
    restated = {
        "amount": one.worth().decimal(),
        "currency": one.currency,
        "payee_commitment": one.commitment(),
    }
    yield effect("gift_in_kind", one.alias, "value_gift", one.valued_by, set(), **restated)
    if one.agreed_by is not None:
        yield effect("gift_in_kind", one.alias, "approve_gift_in_kind", one.agreed_by, {one.valued_by}, **restated)


def _effect_of(one: GiftReturn | CashCount | CashDeposit, kind: str, verb: str, signer: str, *others: str) -> Effect:
    restated = {"amount": one.amount().decimal(), "currency": one.currency, "payee_commitment": one.commitment()}
    return effect(kind, one.alias, verb, signer, set(others), **restated)


def _compared(session: Session, alias: str, key: str, wanted: list[Posting]) -> Iterator[Finding]:
    if _entries(session, [key]).get(key, []) != wanted:
        yield Finding("cash-gifts", "donation", alias, {"booked": bool(wanted)})


def _entries(session: Session, keys: list[str]) -> dict[str, list[Posting]]:
    found = session.exec(select_rows(Entry.source_key, Entry.id).where(col(Entry.source_key).in_(keys))).all()
    return {key: journal.postings_of(session, entry_id) for key, entry_id in found}


def _moves(one: GiftStep, postings: list[Posting]) -> bool:
    """Whether an entry moves, about the gift, what the step says, and on nothing else of it."""
    about = [posting for posting in postings if posting.subject == one.donation_alias]
    wanted = {(one.debit_code, one.minor), (one.credit_code, -one.minor)}
    return {(code, minor) for code, minor in wanted if code is not None} == {
        (posting.account, posting.money.minor if posting.side is Side.DEBIT else -posting.money.minor)
        for posting in about
    }


def _sum(postings: list[Posting], *, account: str) -> int:
    return sum(
        one.money.minor if one.side is Side.DEBIT else -one.money.minor for one in postings if one.account == account
    )


CHECKS = (
    Check("gift-steps", "what became of each gift is booked, step by step, and nothing else is", find_steps),
    Check("cash-gifts", "cash and gifts in kind are booked as two people signed, and no others", find_cash),
    Check("cash-banked", "cash at the bank is what was taken there, and a difference has a name", find_deposits),
)
