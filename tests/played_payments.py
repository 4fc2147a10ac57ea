"""What people do with payments: the rules of a state machine."""

from datetime import timedelta
from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from ledger import approvals, people
from ledger.aid import acts, cases, disbursements, obligations
from ledger.aid.cases import Case
from ledger.aid.disbursements import Disbursement, Payee
from ledger.aid.obligations import Obligation, ObligationKind
from ledger.aliases import Kind, draw
from ledger.errors import LedgerError
from ledger.identities import shelves
from ledger.identities.shelves import Shelf
from ledger.money import Money
from ledger.people import Limit, Role
from tests.cast import enrol, sealed, the_next
from tests.played_aid import BANKS, PlayedAid, who

OPEN_STATES = ["due", "approved", "recognised", "part_paid"]
PARTS = st.sampled_from([1, 1, 1, 2])
amounts = st.integers(1, 900_00)
"""In minor units."""


class PaymentPlay(PlayedAid):
    """Payments are asked for, agreed to within limits and shown by the bank: of the whole, or of a part."""

    # --- limits

    @rule(
        third_above=st.sampled_from([None, "150.00", "400.00"]),
        per_act=st.sampled_from([None, None, "600.00"]),
        per_day=st.sampled_from([None, None, "900.00"]),
    )
    def officers_limit_what_approvers_agree_to(
        self, third_above: str | None, per_act: str | None, per_day: str | None
    ) -> None:
        told: dict[str, Any] = {"third_above": third_above, "per_act": per_act, "per_day": per_day}
        is_limit = any(told.values())
        limits = tuple(Limit(role=Role.APPROVER, currency=currency, **told) for currency in BANKS if is_limit)
        fund, following = self.house.fund, the_next(people.current(self.session), limits=limits)
        following = following.model_copy(update={"format": "solidarity-roster-3"})
        self.does(partial(enrol, self.session, following, fund.olga, fund.oleg, at=self.now()))

    # --- payments

    @rule(
        data=st.data(),
        by=who("clara"),
        fund=st.sampled_from(["fines", "fines", "general"]),
        part=st.sampled_from([1, 2, 2, 3]),
    )
    def somebody_asks_for_a_payment(self, data: st.DataObject, by: str, fund: str, part: int) -> None:
        """Of one of so many parts of what is left; of more than that, if nothing is."""
        row = self.some(data, "obligation", *OPEN_STATES) or self.some(data, "obligation")
        if row is not None:
            self._request(obligations.require(self.session, row["alias"]), by=by, fund=fund, part=part)

    @rule(
        data=st.data(),
        verb=st.sampled_from(["approve", "release"]),
        by=who("bella"),
        looks=st.sampled_from([True, True, False]),
    )
    @precondition(lambda self: self.seen.rows["disbursement"])
    def somebody_agrees_to_a_payment(self, data: st.DataObject, verb: str, by: str, *, looks: bool) -> None:
        row = self.some(data, "disbursement")
        if row is None:
            return
        payment = disbursements.require(self.session, row["alias"])
        if looks:
            self.look_into(self.house.case_of(payment), self.person(by))
        self._agree(payment, verb, by)

    @rule(data=st.data(), ago=st.integers(-1, 20), what=st.sampled_from(["tell", "cancel"]))
    @precondition(lambda self: self.seen.rows["disbursement"])
    def a_payment_is_told_or_given_up(self, data: st.DataObject, ago: int, what: str) -> None:
        row = self.some(data, "disbursement", "approved") if what == "tell" else self.some(data, "disbursement")
        if row is None:
            return
        payment = disbursements.require(self.session, row["alias"])
        if what == "cancel":
            self.may(partial(disbursements.cancel, self.session, payment, on=self.today), LedgerError)
        else:
            self._tell(payment, ago=ago)

    # --- parts of rules

    def pay_on(self, data: st.DataObject, case: Case) -> None:
        """The next step of a payment of a verified or approved case."""
        found = obligations.of_case(self.session, case.alias)
        owed = data.draw(st.sampled_from([one for one in found if one.state in obligations.OPEN] or found))
        going = [one for one in disbursements.standing(self.session, [owed.alias]) if one.paid_on is None]
        if not going:
            self._request(
                owed,
                by="clara",
                fund=owed.fund_code or "fines",
                part=1 if owed.kind is ObligationKind.BAIL else data.draw(PARTS),
            )
            return
        payment = going[0]
        if payment.state is disbursements.State.REQUESTED:
            signed = approvals.signers_of(self.session, payment.alias, verb="approve_disbursement")
            by = "bella" if self.house.fund.boris.alias in signed else "boris"
            self.look_into(case, self.person(by))
            self._agree(payment, "approve", by)
        elif payment.state is disbursements.State.APPROVED and owed.told_on is None:
            self._tell(payment)
        elif payment.state is disbursements.State.APPROVED:
            self._agree(payment, "release", "clara")
        elif payment.account_code in BANKS.values():
            self.bank_shows(-payment.amount(), leaf=payment.account_code, reference=payment.reference)

    def _request(self, owed: Obligation, *, by: str, fund: str, part: int) -> None:
        case = cases.require(self.session, owed.case_alias)
        left = disbursements.left(self.session, owed)
        amount = None if part == 1 else Money(max(left.minor // part, 1), left.currency)
        alias = draw(Kind.DISBURSEMENT)
        key = self.session.get_one(Shelf, case.beneficiary_alias).sealing_key
        payee = sealed(key, kind="disbursement", alias=alias, field="payee", content="Invented authority")

        def request() -> Disbursement:
            told: dict[str, Any] = {"payee": Payee.AUTHORITY, "payee_commitment": payee.commitment, "fund": fund}
            leaf = BANKS[owed.currency]
            told |= {"amount": amount, "requested_by": self.person(by).alias}
            asked = disbursements.request(self.session, alias, obligation=owed, account=leaf, **told)
            shelves.keep(self.session, [payee], shelf=case.beneficiary_alias)
            return asked

        self.may(partial(self.all_or_nothing, request), LedgerError)

    def _agree(self, payment: Disbursement, what: str, by: str) -> None:
        verb: Any = f"{what}_disbursement"
        agreed = self.house.on_payment(verb, payment, by=self.person(by), now=self.now())
        self.may(partial(getattr(acts, verb), self.session, payment.alias, agreed), LedgerError)

    def _tell(self, payment: Disbursement, *, ago: int = 0) -> None:
        owed = obligations.require(self.session, payment.obligation_alias)
        told_on = self.today - timedelta(days=ago)
        self.may(
            partial(obligations.tell, self.session, owed, told_on=told_on, today=self.today, **self.recorded()),
            LedgerError,
        )
