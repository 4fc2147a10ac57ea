"""Orders that the bank never carries out, and some that it does all the same: the rules of a state machine."""

from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from ledger.aid import order_failures
from ledger.aid.order_failures import Reason
from ledger.errors import LedgerError
from ledger.reconciliation.answers import Answer, Because
from tests import saying, unexecuted
from tests.played_aid import who
from tests.played_returns import ORDERS, ReturnPlay

WAITING = {"disbursement": ["released"], "advance": ["released"], "outlay_repayment": ["approved"]}


class OrderPlay(ReturnPlay):
    """Two people say that the bank never paid; perhaps it does later, and a treasurer says what that is."""

    @rule(
        data=st.data(),
        because=st.sampled_from(Reason),
        told_by=who("clara"),
        by=who("boris"),
        late=st.sampled_from([False, False, True]),
    )
    @precondition(lambda self: any(self.seen.rows[table] for table in ORDERS))
    def an_order_is_said_to_be_never_carried_out(
        self, data: st.DataObject, because: Reason, told_by: str, by: str, *, late: bool
    ) -> None:
        rows = [self.some(data, table, *WAITING[table]) or self.some(data, table) for table in ORDERS]
        row = data.draw(st.sampled_from([one for one in rows if one is not None]))
        order = order_failures.find(self.session, row["alias"])
        tell = partial(unexecuted.tell, self.house, order, by=self.person(told_by), because=because, now=self.now())
        if self.may(tell, LedgerError) is None:
            return
        agree = partial(unexecuted.agree, self.house, order, by=self.person(by), because=because, now=self.now())
        if self.may(agree, LedgerError) is not None and late:
            self._shows_it_all_the_same(order)

    @rule(data=st.data())
    @precondition(lambda self: any(row["state"] == "failed" for table in ORDERS for row in self.rows_of(table)))
    def the_bank_carries_out_what_was_ended(self, data: st.DataObject) -> None:
        """Perhaps what it was to pay was asked for again, or is not owed any more."""
        rows = [row for table in ORDERS for row in self.rows_of(table) if row["state"] == "failed"]
        alias = data.draw(st.sampled_from(sorted(row["alias"] for row in rows)))
        self._shows_it_all_the_same(order_failures.find(self.session, alias))

    def _shows_it_all_the_same(self, order: Any) -> None:
        alias, amount, reference = order.alias, order.amount(), order.reference
        self.bank_shows(-amount, leaf=order.account_code, reference=reference)
        for opened, line, _ in self._lines_that_wait():
            if line.reference == reference and line.amount() == -amount:
                new = saying.saying(opened.alias, Answer.CARRIED_OUT, alias, amount, Because.TOLD_BY_BANK)
                self._say(new, by="clara", is_agreed_to=True)
