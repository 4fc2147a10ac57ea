"""What people do with batches, and what agents say of their lists: the rules of a state machine."""

from datetime import timedelta
from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from ledger import approvals
from ledger.aid import (
    agents,
    batch_acts,
    batch_lines,
    batches,
    cases,
    disbursements,
    jurisdictions,
    line_failures,
    results,
)
from ledger.aid.batch_lines import Item, Outcome, Receipt
from ledger.aid.batches import Batch, NewLine
from ledger.aid.disbursements import Payee
from ledger.aid.eligibility import end_of_grain
from ledger.aid.line_failures import Reason
from ledger.aid.obligations import Obligation
from ledger.aid.results import Result
from ledger.aliases import Kind, draw
from ledger.errors import LedgerError
from ledger.identities import shelves
from ledger.identities.shelves import Shelf
from ledger.money import Money
from tests import purses
from tests.cast import agreed_by, sealed
from tests.played_aid import BANKS, PlayedAid, who

RECEIPTS = [Receipt.VERIFIED, Receipt.VERIFIED, Receipt.REJECTED, Receipt.MISSING]


class BatchPlay(PlayedAid):
    """Lines of several cases are agreed to together, and paid by the bank or through an agent, in parts too."""

    @rule(data=st.data(), steps=st.integers(1, 5), fund=st.sampled_from(["fines", "fines", "general"]), by=who("clara"))
    def a_batch_goes_on(self, data: st.DataObject, steps: int, fund: str, by: str) -> None:
        """The next steps by the right people: what leads deep. Without any, one is asked for."""
        row = self.some(data, "batch", "draft", "locked", "approved", "released")
        for _ in range(steps if row else 0):
            self._batch_goes_on(data, batches.require(self.session, row["alias"]))
        if row is None:
            self._ask_for_a_batch(data, fund, by)

    def _batch_goes_on(self, data: st.DataObject, batch: Batch) -> None:
        signed = approvals.signers_of(self.session, batch.alias, verb="approve_batch")
        by = "boris" if self.house.fund.bella.alias in signed else "bella"
        found = batch_lines.items(self.session, batch.alias)
        if batch.state is batches.State.DRAFT:
            self.may(partial(batches.lock, self.session, batch), LedgerError)
        elif batch.state is batches.State.LOCKED:
            for item in found:
                self.look_into(item.case, self.person(by))
            self._agree_to_batch(batch, "approve_batch", by)
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
        lines = sorted(row["disbursement_alias"] for row in self.rows_of("batch_line") if row["receipt"] in unproven)
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

    def _ask_for_a_batch(self, data: st.DataObject, fund: str, by: str) -> None:
        """Of the bank, or of an agent: of all that is left of a few obligations, or of parts."""
        waiting = {one.alias: one for one in batches.candidates(self.session, limit=50)}
        owed = [waiting[alias] for alias in sorted(waiting)]
        if not owed:
            return
        currency = data.draw(st.sampled_from(sorted({one.currency for one in owed})))
        chosen = [one for one in owed if one.currency == currency][: data.draw(st.integers(1, 3))]
        part, row = data.draw(st.sampled_from([1, 1, 2])), self.some(data, "agent", "active")
        agent = agents.require(self.session, row["alias"]) if row and data.draw(st.integers(0, 3)) else None

        def create() -> Batch:
            account = agent.purse() if agent else BANKS[currency]
            told: dict[str, Any] = {"agent": agent.alias if agent else None, "account": account}
            lines = [self._a_line(one, part=part) for one in chosen]
            funds = {one.kind: one.fund_code or fund for one in chosen}
            return purses.create(self.house, lines, **told, fund_of=funds, requested_by=self.person(by).alias)

        self.may(partial(self.all_or_nothing, create), LedgerError)

    def _a_line(self, owed: Obligation, *, part: int) -> NewLine:
        """Of all that is left of an obligation, or of one of so many parts; the payee sealed to its shelf."""
        case, alias = cases.require(self.session, owed.case_alias), draw(Kind.DISBURSEMENT)
        key = self.session.get_one(Shelf, case.beneficiary_alias).sealing_key
        payee = sealed(key, kind="disbursement", alias=alias, field="payee", content="Invented authority")
        shelves.keep(self.session, [payee], shelf=case.beneficiary_alias)
        left = disbursements.left(self.session, owed)
        amount = None if part == 1 else Money(max(left.minor // part, 1), left.currency)
        return NewLine(alias, owed.alias, Payee.AUTHORITY, payee.commitment, amount=amount)

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
