"""What people do with agents, their money and their lists: the rules of a state machine."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from ledger.aid import (
    advances,
    agent_acts,
    agents,
    batch_acts,
    batch_lines,
    batches,
    cases,
    jurisdictions,
    line_failures,
    purse_bookings,
    purse_movements,
    results,
    returns,
)
from ledger.aid.advances import Advance
from ledger.aid.batch_lines import Item, Outcome, Receipt
from ledger.aid.batches import Batch
from ledger.aid.eligibility import end_of_grain
from ledger.aid.line_failures import Reason
from ledger.aid.obligations import ObligationKind
from ledger.aid.purse_movements import NewMovement, What
from ledger.aid.results import Result
from ledger.aliases import Kind, draw
from ledger.errors import LedgerError
from ledger.money import Money
from tests import purses
from tests.cast import agreed_by
from tests.played_aid import BANKS, PlayedAid, who

amounts = st.integers(1, 600_00)
RECEIPTS = [Receipt.VERIFIED, Receipt.VERIFIED, Receipt.REJECTED, Receipt.MISSING]


class AgentPlay(PlayedAid):
    """Advances and lists go to agents; what they say comes back, and what becomes of their money."""

    @initialize(steps=st.integers(0, 5))
    def an_agent_was_given_money(self, steps: int) -> None:
        shares = {"fines": Money(200_00, "EUR"), "general": Money(10_00, "EUR")}
        told: dict[str, Any] = {"agent": self.agents[0].alias, "account": BANKS["EUR"], "shares": shares}
        alias = draw(Kind.ADVANCE)
        self.does(partial(advances.request, self.session, alias, **told, requested_by=self.clara.alias))
        for _ in range(steps):
            self._go_on_with(advances.require(self.session, alias))

    # --- agents

    @rule(data=st.data(), what=st.sampled_from(["freeze", "activate", "activate", "close"]), by=who("bella"))
    def somebody_judges_an_agent(self, data: st.DataObject, what: str, by: str) -> None:
        agent = agents.require(self.session, self.some(data, "agent")["alias"])
        person = self.person(by)
        if what == "activate":
            agreed = purses.on_agent(agent, by=person, now=self.now())
            verb: Callable[[], object] = partial(agent_acts.activate_agent, self.session, agent.alias, agreed)
        elif what == "close":
            verb = partial(agent_acts.close_agent, self.session, agent.alias)
        else:
            verb = partial(agents.freeze, self.session, agent, by=person.alias, on=self.today)
        self.may(verb, LedgerError)

    # --- advances

    @rule(data=st.data(), minor=amounts, general=st.integers(0, 20_00), by=who("clara"))
    def an_advance_is_asked_for(self, data: st.DataObject, minor: int, general: int, by: str) -> None:
        split = {"fines": minor, "general": general}
        shares = {fund: Money(share, "EUR") for fund, share in split.items() if share}
        told: dict[str, Any] = {"agent": self.some(data, "agent")["alias"], "account": BANKS["EUR"], "shares": shares}
        alias = draw(Kind.ADVANCE)
        self.may(
            partial(advances.request, self.session, alias, **told, requested_by=self.person(by).alias), LedgerError
        )

    @rule(data=st.data())
    @precondition(lambda self: self.seen.rows["advance"])
    def an_advance_goes_on(self, data: st.DataObject) -> None:
        """The next step by the right people: what leads deep."""
        row = self.some(data, "advance", "requested", "approved", "released", "sent")
        if row is not None:
            self._go_on_with(advances.require(self.session, row["alias"]))

    @rule(
        data=st.data(),
        what=st.sampled_from(["approve_advance", "release_advance", "cancel", "acknowledge", "announce"]),
        minor=amounts,
        by=who("clara"),
    )
    @precondition(lambda self: self.seen.rows["advance"])
    def something_is_done_with_an_advance(self, data: st.DataObject, what: Any, minor: int, by: str) -> None:
        row = self.some(data, "advance")
        if row is None:
            return
        advance = advances.require(self.session, row["alias"])
        if what == "cancel":
            self.may(partial(advances.cancel, self.session, advance, on=self.today), LedgerError)
        elif what == "acknowledge":
            self._acknowledge(advance, minor)
        elif what == "announce":
            money = Money(minor, advance.local_currency or "BYN")
            announced: dict[str, Any] = {"stands_for": money, "by": self.person(by).alias, "on": self.today}
            self.may(partial(returns.announce, self.session, advance, **announced), LedgerError)
        else:
            self._agree_to_advance(advance, what, by)

    @rule(data=st.data())
    @precondition(lambda self: self.rows_of("advance_return"))
    def a_return_is_withdrawn(self, data: st.DataObject) -> None:
        found = self.in_order(row["reference"] for row in self.rows_of("advance_return"))
        if found:
            announced = returns.by_reference(self.session, data.draw(st.sampled_from(found)))
            assert announced is not None
            withdraw = partial(returns.withdraw, self.session, announced, by=self.clara.alias, on=self.today)
            self.may(withdraw, LedgerError)

    # --- purses

    @rule(data=st.data(), what=st.sampled_from(What), minor=amounts, by=who("clara"), far=st.booleans())
    def a_movement_is_told(self, data: st.DataObject, what: What, minor: int, by: str, *, far: bool) -> None:
        agent, other = self.some(data, "agent"), self.some(data, "agent")
        lost = [row["alias"] for row in self.rows_of("purse_movement") if row["what"] in {"seized", "lost"}]
        losses = self.in_order(lost)
        sent = self.some(data, "advance", "sent") if what in purse_movements.LOSSES else None
        new = NewMovement(
            alias=draw(Kind.PURSE_MOVEMENT),
            agent=sent["agent_alias"] if sent else agent["alias"],
            what=what,
            amount=None if sent else Money(minor, "BYN"),
            happened_on=self.today,
            bought=Money(minor // 3 * (2 if far else 1) + 1, "EUR") if what is What.CONVERTED else None,
            taker=other["alias"] if what is What.HANDED_OVER else None,
            advance=sent["alias"] if sent else None,
            loss=data.draw(st.sampled_from(losses)) if losses and what is What.RECOVERED else None,
            fund="fines" if what is What.FEE else None,
        )
        tell = partial(purse_bookings.tell, self.session, new, by=self.person(by).alias, recorded_at=self.now())
        self.may(tell, LedgerError)

    @rule(data=st.data(), by=who("boris"), agrees=st.sampled_from([True, True, True, False]))
    @precondition(lambda self: self.rows_of("purse_movement"))
    def a_movement_is_agreed_to(self, data: st.DataObject, by: str, *, agrees: bool) -> None:
        waiting = purse_movements.listed(self.session, state=purse_movements.State.REQUESTED)
        if not waiting:
            return
        alias = data.draw(st.sampled_from(self.in_order(one.alias for one in waiting)))
        movement = purse_movements.require(self.session, alias)
        if not agrees:
            self.may(partial(purse_movements.withdraw, self.session, movement), LedgerError)
            return
        agreed = agreed_by(
            self.person(by),
            "approve_purse_movement",
            now=self.now(),
            object=movement.alias,
            version=movement.version,
            amount=movement.amount().decimal(),
            currency=movement.currency,
            payee_commitment=purse_movements.commitment_of(movement),
        )
        self.may(partial(agent_acts.approve_movement, self.session, movement.alias, agreed), LedgerError)

    # --- batches

    @rule(data=st.data(), by_agent=st.booleans(), fund=st.sampled_from(["fines", "fines", "general"]), by=who("clara"))
    def a_batch_is_asked_for(self, data: st.DataObject, fund: str, by: str, *, by_agent: bool) -> None:
        waiting = {one.alias: one for one in batches.candidates(self.session, after="", limit=50)}
        owed = [waiting[alias] for alias in self.in_order(waiting)]
        currency = data.draw(st.sampled_from(sorted({one.currency for one in owed}) or ["BYN"]))
        chosen = [one for one in owed if one.currency == currency][: data.draw(st.integers(1, 3))]
        found = [cases.require(self.session, one.case_alias) for one in chosen]
        agent = agents.require(self.session, self.some(data, "agent")["alias"]) if by_agent else None

        def create() -> Batch:
            account = agent.purse() if agent else BANKS[currency]
            told: dict[str, Any] = {"agent": agent.alias if agent else None, "account": account}
            lines = purses.lines_for(self.house, found)
            funds = dict.fromkeys(ObligationKind, fund)
            return purses.create(self.house, lines, **told, fund_of=funds, requested_by=self.person(by).alias)

        if chosen:
            self.may(partial(self.all_or_nothing, create), LedgerError)

    @rule(data=st.data())
    @precondition(lambda self: self.seen.rows["batch"])
    def a_batch_goes_on(self, data: st.DataObject) -> None:
        """The next step by the right people: what leads deep."""
        row = self.some(data, "batch", "draft", "locked", "approved", "released")
        if row is None:
            return
        batch = batches.require(self.session, row["alias"])
        found = batch_lines.items(self.session, batch.alias)
        if batch.state is batches.State.DRAFT:
            self.may(partial(batches.lock, self.session, batch), LedgerError)
        elif batch.state is batches.State.LOCKED:
            for item in found:
                self.house.open(item.case, by=self.house.fund.bella, at=self.now())
            self._agree_to_batch(batch, "approve_batch", "bella")
        elif batch.state is batches.State.APPROVED and any(one.obligation.told_on is None for one in found):
            self._tell_batch(batch)
        elif batch.state is batches.State.APPROVED:
            self._agree_to_batch(batch, "release_batch", "clara")
        elif batch.agent_alias is None:
            one = data.draw(st.sampled_from(found)).disbursement
            self.bank_shows(-one.amount(), leaf=one.account_code, reference=one.reference)
        else:
            self._enter(data, batch, found)

    @rule(
        data=st.data(),
        what=st.sampled_from(["approve_batch", "release_batch", "cancel", "tell", "enter"]),
        by=who("clara"),
    )
    @precondition(lambda self: self.seen.rows["batch"])
    def something_is_done_with_a_batch(self, data: st.DataObject, what: Any, by: str) -> None:
        row = self.some(data, "batch")
        if row is None:
            return
        batch = batches.require(self.session, row["alias"])
        found = batch_lines.items(self.session, batch.alias)
        if what == "cancel":
            self.may(partial(batches.cancel, self.session, batch, on=self.today), LedgerError)
        elif what == "tell":
            self._tell_batch(batch)
        elif what == "enter":
            self._enter(data, batch, found)
        else:
            self._agree_to_batch(batch, what, by)

    @rule(data=st.data(), told_by=who("clara"), by=who("boris"), because=st.sampled_from(Reason))
    @precondition(
        lambda self: any(row["receipt"] in {"missing", "rejected"} for row in self.seen.rows["batch_line"].values())
    )
    def a_line_is_said_to_have_failed(self, data: st.DataObject, told_by: str, by: str, because: Reason) -> None:
        unproven = {"missing", "rejected"}
        lines = self.in_order(
            row["disbursement_alias"] for row in self.rows_of("batch_line") if row["receipt"] in unproven
        )
        if not lines:
            return
        alias = data.draw(st.sampled_from(lines))
        tell = partial(line_failures.tell, self.session, alias, because=because, on=self.today)
        if self.may(partial(tell, by=self.person(told_by).alias), LedgerError) is None:
            return
        paid = self.seen.rows["disbursement"][alias]
        money = Money(paid["minor"], paid["currency"])
        agreed = agreed_by(
            self.person(by),
            "agree_failure",
            now=self.now(),
            object=alias,
            version=paid["version"],
            amount=money.decimal(),
            currency=money.currency,
            payee_commitment=line_failures.commitment(because),
        )
        self.may(partial(line_failures.agree, self.session, alias, agreed), LedgerError)

    # --- parts of rules

    def _go_on_with(self, advance: Advance) -> None:
        if advance.state is advances.State.REQUESTED:
            self._agree_to_advance(advance, "approve_advance", "boris")
        elif advance.state is advances.State.APPROVED:
            self._agree_to_advance(advance, "release_advance", "clara")
        elif advance.state is advances.State.RELEASED:
            self.bank_shows(-advance.amount(), leaf=advance.account_code, reference=advance.reference)
        elif advance.state is advances.State.SENT:
            self._acknowledge(advance, 3 * advance.minor)

    def _agree_to_advance(self, advance: Advance, verb: Any, by: str) -> None:
        agreed = purses.on_advance(self.house, verb, advance, by=self.person(by), now=self.now())
        self.may(partial(getattr(agent_acts, verb), self.session, advance.alias, agreed), LedgerError)

    def _acknowledge(self, advance: Advance, minor: int) -> None:
        told: dict[str, Any] = {"received": Money(minor, "BYN"), "on": self.today}
        self.may(partial(advances.acknowledge, self.session, advance, **told, **self.recorded()), LedgerError)

    def _agree_to_batch(self, batch: Batch, verb: Any, by: str) -> None:
        agreed = purses.on_batch(self.house, verb, batch, by=self.person(by), now=self.now())
        self.may(partial(getattr(batch_acts, verb), self.session, batch.alias, agreed), LedgerError)

    def _tell_batch(self, batch: Batch) -> None:
        told: dict[str, Any] = {"told_on": self.today, "today": self.today}
        self.may(partial(batches.tell, self.session, batch, **told, **self.recorded()), LedgerError)

    def _enter(self, data: st.DataObject, batch: Batch, found: list[Item]) -> None:
        said = [self._result(data, item) for item in found if item.line.code and data.draw(st.booleans())]
        self.may(partial(results.enter, self.session, batch.alias, said, **self.recorded()), LedgerError)

    def _result(self, data: st.DataObject, item: Item) -> Result:
        if data.draw(st.integers(0, 5)) == 0:
            return Result(item.line.code or "", Outcome.FAILED, Receipt.MISSING)
        pack = jurisdictions.load(item.case.jurisdiction)
        day = self.today - timedelta(days=data.draw(st.integers(0, 9)))
        receipt = data.draw(st.sampled_from(RECEIPTS))
        paid_by = item.line.paid_by or end_of_grain(pack, day)
        verified_on = day if receipt is Receipt.VERIFIED else None
        return Result(item.line.code or "", Outcome.PAID, receipt, paid_by=paid_by, verified_on=verified_on)
