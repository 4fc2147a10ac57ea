"""What people do with agents and their money: the rules of a state machine."""

from collections.abc import Callable
from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule
from sqlalchemy import func, select
from sqlmodel import SQLModel

from ledger import approvals
from ledger.aid import (
    advances,
    agent_acts,
    agents,
    outlays,
    purse_movements,
    returns,
)
from ledger.aid.advances import Advance
from ledger.aid.outlays import NewRepayment
from ledger.aid.purse_movements import NewMovement, What
from ledger.aliases import Kind, draw
from ledger.errors import LedgerError
from ledger.money import Money
from tests import purses
from tests.cast import agreed_by
from tests.played_aid import BANKS, PlayedAid, who

amounts = st.integers(1, 600_00)


class AgentPlay(PlayedAid):
    """Advances go to agents; they say what becomes of the money, and what they laid out is repaid."""

    @initialize(data=st.data(), steps=st.integers(0, 5))
    def an_agent_was_given_money(self, data: st.DataObject, steps: int) -> None:
        self._ask_for_an_advance(self.agents[0].alias, {"fines": 200_00, "general": 10_00}, "clara")
        for _ in range(steps):
            self._go_on_with(data, advances.require(self.session, min(self.seen.rows["advance"])))

    # --- agents

    @rule(
        data=st.data(), what=st.sampled_from(["freeze", "activate", "activate", "activate", "close"]), by=who("boris")
    )
    def somebody_judges_an_agent(self, data: st.DataObject, what: str, by: str) -> None:
        agent = agents.require(self.session, self.some(data, "agent")["alias"])
        person = self.person(by)
        if what == "activate":
            agreed = purses.on_agent(agent, by=person, now=self.now())
            verb: Callable[[], object] = partial(agent_acts.activate_agent, self.session, agent.alias, agreed)
        elif what == "close":
            verb = partial(agent_acts.close_agent, self.session, agent.alias)
        else:
            verb = partial(agents.freeze, self.session, agent, by=self.clara.alias, on=self.today)
        self.may(verb, LedgerError)

    # --- advances

    @rule(data=st.data(), minor=amounts, general=st.integers(0, 20_00), steps=st.integers(1, 4), by=who("clara"))
    def an_advance_goes_on(self, data: st.DataObject, minor: int, general: int, steps: int, by: str) -> None:
        """The next steps by the right people: what leads deep."""
        row = self.some(data, "advance", "requested", "approved", "released", "sent")
        for _ in range(steps if row else 0):
            self._go_on_with(data, advances.require(self.session, row["alias"]))
        if row is None:
            self._ask_for_an_advance(self.some(data, "agent")["alias"], {"fines": minor, "general": general}, by)

    @rule(
        data=st.data(),
        what=st.sampled_from(
            ["approve_advance", "release_advance", "cancel", "acknowledge", "announce", "announce", "withdraw"]
        ),
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
        elif what == "withdraw":
            for told in returns.listed(self.session, advance.alias)[:1]:
                withdraw = partial(returns.withdraw, self.session, told, by=self.clara.alias, on=self.today)
                self.may(withdraw, LedgerError)
        else:
            self._agree_to_advance(advance, what, by)

    # --- purses

    @rule(data=st.data(), what=st.sampled_from(What), minor=amounts, by=who("clara"), far=st.booleans())
    def a_movement_is_told(self, data: st.DataObject, what: What, minor: int, by: str, *, far: bool) -> None:
        agent, other = self.some(data, "agent"), self.some(data, "agent")
        lost = [row["alias"] for row in self.rows_of("purse_movement") if row["what"] in {"seized", "lost"}]
        losses = sorted(lost)
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
        agreed = purses.on_told(self.house, new, by=self.person(by), now=self.now())
        self.may(partial(agent_acts.tell_movement, self.session, new, agreed), LedgerError)

    @rule(data=st.data(), by=who("boris"), agrees=st.sampled_from([True, True, True, False]))
    @precondition(lambda self: self.rows_of("purse_movement"))
    def a_movement_is_agreed_to(self, data: st.DataObject, by: str, *, agrees: bool) -> None:
        waiting = purse_movements.listed(self.session, state=purse_movements.State.REQUESTED)
        if not waiting:
            return
        alias = data.draw(st.sampled_from(sorted(one.alias for one in waiting)))
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

    # --- outlays

    @rule(data=st.data(), part=st.sampled_from([1, 1, 2]), gives_up=st.sampled_from([False, False, True]))
    @precondition(lambda self: any(row["account_code"] == "2150" for row in self.rows_of("line")))
    def an_outlay_is_repaid(self, data: st.DataObject, part: int, *, gives_up: bool) -> None:
        """The next step of a repayment; without any, one is asked for."""
        row = self.some(data, "outlay_repayment", "requested", "approved")
        if row is None:
            self._ask_for_a_repayment(data, part=part)
            return
        repayment = outlays.require(self.session, row["alias"])
        if gives_up:
            self.may(partial(outlays.cancel, self.session, repayment, on=self.today), LedgerError)
        elif repayment.state is outlays.State.APPROVED:
            self.bank_shows(-repayment.amount(), leaf=repayment.account_code, reference=repayment.reference)
        else:
            signed = approvals.signers_of(self.session, repayment.alias, verb="approve_outlay")
            by = "bella" if self.house.fund.boris.alias in signed else data.draw(who("boris"))
            agreed = purses.on_outlay(repayment, by=self.person(by), now=self.now())
            self.may(partial(agent_acts.approve_outlay, self.session, repayment.alias, agreed), LedgerError)

    # --- parts of rules

    def _ask_for_an_advance(self, agent: str, split: dict[str, int], by: str) -> None:
        shares = {fund: Money(share, "EUR") for fund, share in split.items() if share}
        told: dict[str, Any] = {"agent": agent, "account": BANKS["EUR"], "shares": shares}
        told["requested_by"] = self.person(by).alias
        self.may(partial(advances.request, self.session, draw(Kind.ADVANCE), **told), LedgerError)

    def _ask_for_a_repayment(self, data: st.DataObject, *, part: int) -> None:
        """Of what a fund owes an agent, or of one of so many parts of it."""
        lines = SQLModel.metadata.tables["line"].c
        owed = select(lines.subject, lines.fund_code, func.sum(lines.minor)).where(lines.account_code == "2150")
        found = self.all(owed.group_by(lines.subject, lines.fund_code).order_by(lines.subject, lines.fund_code))
        agent, fund, owes = data.draw(st.sampled_from([(agent, fund, -int(sums)) for agent, fund, sums in found]))
        settles = Money(max(owes // part, 1), "BYN")
        told: dict[str, Any] = {"agent": agent, "fund": fund, "account": BANKS["BYN"]}
        new = NewRepayment(alias=draw(Kind.OUTLAY), amount=settles, settles=settles, **told)
        self.may(partial(outlays.request, self.session, new, by=self.clara.alias), LedgerError)

    def _go_on_with(self, data: st.DataObject, advance: Advance) -> None:
        if advance.state is advances.State.REQUESTED:
            signed = approvals.signers_of(self.session, advance.alias, verb="approve_advance")
            by = "bella" if self.house.fund.boris.alias in signed else "boris"
            self._agree_to_advance(advance, "approve_advance", by)
        elif advance.state is advances.State.APPROVED:
            self._agree_to_advance(advance, "release_advance", "clara")
        elif advance.state is advances.State.RELEASED:
            self.bank_shows(-advance.amount(), leaf=advance.account_code, reference=advance.reference)
        elif advance.state is advances.State.SENT:
            self._acknowledge(advance, data.draw(st.sampled_from([3 * advance.minor, advance.minor // 4 + 1])))

    def _agree_to_advance(self, advance: Advance, verb: Any, by: str) -> None:
        agreed = purses.on_advance(self.house, verb, advance, by=self.person(by), now=self.now())
        self.may(partial(getattr(agent_acts, verb), self.session, advance.alias, agreed), LedgerError)

    def _acknowledge(self, advance: Advance, minor: int) -> None:
        told: dict[str, Any] = {"received": Money(minor, "BYN"), "on": self.today}
        self.may(partial(advances.acknowledge, self.session, advance, **told, **self.recorded()), LedgerError)
